# ./dev fuzz [TARGET|all] [SECONDS]
# Builds the libFuzzer programs and runs one, or all of them, as many at once as there are processors, for
# SECONDS (default 60) apiece.
#
# Seeds are tests/corpus/TARGET; what is found goes to build/fuzz/corpus/TARGET, an input that breaks a target
# to build/fuzz/findings. `./dev fuzz list` names the targets.

setup build check
target=${1:-all}
seconds=${2:-60}
configure fuzz
ninja -C build/fuzz build.ninja >/dev/null # takes notice of new targets
mapfile -t targets < <(grep . build/fuzz/fuzz_targets.txt)
if [ "$target" = list ]; then
  printf '%s\n' "${targets[@]}"
  exit 0
fi
if [ "$target" != all ]; then
  printf '%s\n' "${targets[@]}" | grep -qxF "$target" || {
    complain "there is no fuzz target '$target'; ./dev fuzz list names them"
    exit 2
  }
  targets=("$target")
fi
build fuzz "${targets[@]}"

: >build/fuzz/results.txt
fuzz_one() {
  local target=$1 program log
  program=$(find build/fuzz -type f -perm -u+x -name "$target" | head -n 1)
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/findings
  log=build/fuzz/$target.log
  if "$program" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$target-" "build/fuzz/corpus/$target" "tests/corpus/$target" >"$log" 2>&1; then
    say "fuzzed $target: $(sed -n 's/^stat::number_of_executed_units: */inputs: /p; s/^stat::average_exec_per_sec: */per second: /p' "$log" | tr '\n' ' ')"
    echo "pass fuzzing.$target" >>build/fuzz/results.txt
  else
    say "fuzzing $target found something:"
    grep -E 'ERROR:|SUMMARY:|Test unit written|#[0-9]+ .*tacenda' "$log" | head -n 20 || tail -n 20 "$log"
    echo "fail fuzzing.$target" >>build/fuzz/results.txt
  fi
}

say "fuzzing ${#targets[@]} targets, $seconds s each, $(jobs_count) at once"
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$(jobs_count)" ]; do sleep 0.1; done
  fuzz_one "$target" &
done
wait
! grep -q '^fail' build/fuzz/results.txt

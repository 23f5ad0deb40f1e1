# ./dev fuzz [TARGET|all] [SECONDS]
# Builds the libFuzzer programs and runs one, or each in turn, for SECONDS (default 60) apiece.
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

status=0
: >build/fuzz/results.txt
for target in "${targets[@]}"; do
  program=$(find build/fuzz -type f -perm -u+x -name "$target" | head -n 1)
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/findings
  log=build/fuzz/$target.log
  if ASAN_OPTIONS=${ASAN_OPTIONS:-} run_quietly "fuzzing $target" "$log" show_nothing "$program" \
    -max_total_time="$seconds" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$target-" "build/fuzz/corpus/$target" "tests/corpus/$target"; then
    say "  $(sed -n 's/^stat::number_of_executed_units: */inputs: /p; s/^stat::average_exec_per_sec: */per second: /p' "$log" | tr '\n' ' ')"
    echo "pass fuzzing.$target" >>build/fuzz/results.txt
  else
    grep -E 'ERROR:|SUMMARY:|Test unit written|#[0-9]+ .*tacenda' "$log" | head -n 20 || tail -n 20 "$log"
    echo "fail fuzzing.$target" >>build/fuzz/results.txt
    status=1
  fi
done
exit $status

# ./dev test [--no-fuzz] [REGEX]
# Builds with g++ and runs every test; ends with the line `N passed, N failed`.
#
# The tests are those of the rooms, the mistakes that must not compile, the walls and bans of the tree, the
# format, and the replay of each fuzz corpus. When clang-19 is installed, each fuzz target also runs for up to
# 10 s. With REGEX only the tests whose names match it run, without fuzzing.

fuzz=yes filter=()
for argument in "$@"; do
  case $argument in
    --no-fuzz) fuzz=no ;;
    *) filter=(-R "$argument") fuzz=no ;;
  esac
done

setup build test
build dev || {
  say "0 passed, 1 failed"
  exit 1
}
results=build/dev/results.xml
rm -f "$results" build/fuzz/results.txt
jobs=$(jobs_count)
# One more than there are processors: some wait for a clock.
run_quietly "testing" build/dev/test.log show_ctest ctest --test-dir build/dev --parallel $((jobs + 1)) \
  --output-junit "$PWD/$results" --output-on-failure --no-tests=error --test-output-size-passed 2000 "${filter[@]}" || true

extra=()
if [ $fuzz = yes ] && have_clang && [ -n "$(ls tests/corpus 2>/dev/null)" ]; then
  # 10 s a target, and four minutes for all of them.
  count=$(find src -name '*_fuzz.cpp' | wc -l)
  seconds=$((240 / (count > 0 ? count : 1)))
  ./dev fuzz all $((seconds > 10 ? 10 : seconds < 1 ? 1 : seconds)) || true
  if [ -s build/fuzz/results.txt ]; then extra=(build/fuzz/results.txt); else
    echo "fail fuzzing.build" >build/dev/fuzz_results.txt
    extra=(build/dev/fuzz_results.txt)
  fi
fi
python3 tools/test_summary.py "$results" "${extra[@]}"

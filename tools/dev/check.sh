# ./dev check [clang|asan|tsan|tidy|headers ...] [--all]
# Runs the slow checks: clang-19 with thread-safety analysis, sanitizers, clang-tidy, headers alone.
#
#   clang    builds all with clang-19, warnings as errors, -Wthread-safety among them
#   asan     builds and runs every test under the address and undefined-behaviour sanitizers
#   tsan     the same under the thread sanitizer
#   tidy     clang-tidy-19 over the files that differ from the main branch; with --all over every file
#   headers  compiles each header alone
# Without a name all of them run, in this order, and the summary names those that failed.

steps=() tidy=()
for argument in "$@"; do
  case $argument in
    clang | asan | tsan | tidy | headers) steps+=("$argument") ;;
    --all) tidy=(--all) ;;
    *)
      complain "check has no step '$argument'; ./dev check --help lists them"
      exit 2
      ;;
  esac
done
[ ${#steps[@]} -gt 0 ] || steps=(clang asan tsan tidy headers)
setup build test check

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1:detect_invalid_pointer_pairs=2
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="suppressions=$PWD/tools/tsan.supp second_deadlock_stack=1 halt_on_error=1"
# Suppressions name functions and libraries: without a symbolizer, whose path the sanitizer sometimes loses, they match
# nothing in a stack that was unwound in part.
if symbolizer=$(command -v llvm-symbolizer-19 || command -v llvm-symbolizer); then
  TSAN_OPTIONS+=" external_symbolizer_path=$symbolizer"
fi

sanitized() {
  build "$1" || return 1
  rm -f "build/$1/results.xml"
  # What the compiler refuses and what the tree's text holds is the same under a sanitizer.
  run_quietly "testing under $1" "build/$1/test.log" show_ctest ctest --test-dir "build/$1" --parallel "$(jobs_count)" \
    --exclude-regex '^(check|refused)\.' --output-junit "$PWD/build/$1/results.xml" --output-on-failure \
    --no-tests=error || true
  python3 tools/test_summary.py "build/$1/results.xml"
}

step_clang() { build clang; }
step_asan() { sanitized asan; }
step_tsan() { sanitized tsan; }
step_tidy() {
  configure clang && python3 tools/check_tidy.py "${tidy[@]}"
}
step_headers() { python3 tools/check_headers.py .; }

passed=0 failed=()
for step in "${steps[@]}"; do
  say "== $step"
  if "step_$step"; then passed=$((passed + 1)); else failed+=("$step"); fi
done
if [ ${#failed[@]} -gt 0 ]; then say "failed: ${failed[*]}"; fi
say "$passed checks passed, ${#failed[@]} failed"
[ ${#failed[@]} = 0 ]

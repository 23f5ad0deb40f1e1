# ./dev soak [NAME ...] [-- ARGUMENT ...]
# Runs the long tests: kill -9 cycles, power-loss seeds, bit flips. Without a name: all of them.
#
# A long test is a program tacenda_soak_* or *_soak of the build, or a script tests/soak/*.py or *.sh. Its
# name is that of its file without the ending; what follows -- is passed to it.

setup build test
build dev
export TACENDA_BINARY=$PWD/build/dev/tacenda
names=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  names+=("$1")
  shift
done
[ $# -gt 0 ] && shift

mapfile -t found < <(
  find build/dev -type f -perm -u+x \( -name 'tacenda_soak_*' -o -name '*_soak' \) | sort
  find tests/soak -maxdepth 1 -type f \( -name '*.py' -o -name '*.sh' \) -perm -u+x 2>/dev/null | sort
)
passed=0 failed=0
for program in "${found[@]}"; do
  name=$(basename "$program")
  name=${name%.*}
  if [ ${#names[@]} -gt 0 ] && ! printf '%s\n' "${names[@]}" | grep -qxF "$name"; then continue; fi
  say "== $name"
  if "./$program" "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    say "== $name failed"
  fi
done
if [ $((passed + failed)) = 0 ]; then
  complain "no long test of that name; there are: $(for program in "${found[@]}"; do basename "${program%.*}"; done | tr '\n' ' ')"
  exit 2
fi
say "$passed passed, $failed failed"
[ $failed = 0 ]

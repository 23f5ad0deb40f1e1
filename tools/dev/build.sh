# ./dev build [PRESET] [TARGET ...]
# Configures and builds a preset: dev (default), release, clang, asan, tsan or fuzz.
#
# The result lies in build/PRESET; the server is build/PRESET/tacenda.

preset=${1:-dev}
[ $# -gt 0 ] && shift
case $preset in
  dev | release) setup build ;;
  *) setup build check ;;
esac
build "$preset" "$@"

# What the commands of ./dev share. Sourced, with the repository's root as the working directory.

say() { printf '%s\n' "$*"; }
complain() { printf 'dev: %s\n' "$*" >&2; }

# The comment block at the top of a command's file is its manual.
print_help() { sed -n '/^#/!q; s/^# \{0,1\}//p' "$1"; }

# run_quietly TITLE LOG SHOW COMMAND... : runs the command into LOG. Shows TITLE, what the function SHOW
# makes of the log, and the seconds: on a terminal twice a second on one line, elsewhere a line every 15 s.
run_quietly() {
  local title=$1 log=$2 show=$3 start=$SECONDS next=15 status=0
  shift 3
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  local child=$!
  # Ctrl-C ends the command too, and not this script alone.
  trap 'kill "$child" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$child" 2>/dev/null; do
    if [ -t 1 ]; then
      printf '\r\033[K%s ... %s%d s' "$title" "$("$show" "$log")" $((SECONDS - start))
      sleep 0.5
    else
      if ((SECONDS - start >= next)); then
        say "$title ... $("$show" "$log")$((SECONDS - start)) s"
        next=$((next + 15))
      fi
      sleep 0.2
    fi
  done
  wait "$child" || status=$?
  trap - INT TERM
  [ -t 1 ] && printf '\r\033[K'
  if [ $status -eq 0 ]; then
    say "$title: $((SECONDS - start)) s"
  else
    say "$title: failed after $((SECONDS - start)) s (exit code $status), see $log"
  fi
  return $status
}

show_nothing() { :; }
# The last "[12/345]" that ninja wrote.
show_ninja() { grep -oE '^\[[0-9]+/[0-9]+\]' "$1" | tail -n 1 | tr '\n' ' ' || true; }
# The last "12/345 Test" that ctest wrote, and how many failed so far.
show_ctest() {
  local failed
  grep -oE '^ *[0-9]+/[0-9]+ Test' "$1" | tail -n 1 | sed 's/ *\([0-9/]*\) Test/[\1] /' | tr -d '\n' || true
  failed=$(grep -cE '\*\*\*(Failed|Timeout|Exception|Not Run)' "$1" || true)
  [ "$failed" = 0 ] || printf '%s failed, ' "$failed"
}

jobs_count() { nproc; }

# configure PRESET: makes build/PRESET when it is not there or not usable.
configure() {
  local preset=$1 log=build/$1/configure.log
  [ -f "build/$preset/build.ninja" ] && return 0
  run_quietly "configuring $preset" "$log" show_nothing cmake --preset "$preset" || {
    grep -A 12 -E '^CMake Error|error:' "$log" | head -n 40 || tail -n 30 "$log"
    return 1
  }
}

# build PRESET [TARGET...]: configures when needed and builds.
build() {
  local preset=$1 log=build/$1/build.log
  shift
  configure "$preset" || return 1
  run_quietly "building $preset" "$log" show_ninja ninja -C "build/$preset" -j "$(jobs_count)" "$@" || {
    grep -E -A 6 '(error|fatal error|undefined reference|CMake Error)[: ]|^FAILED' "$log" | head -n 80 || tail -n 30 "$log"
    return 1
  }
}

# setup GROUP...: installs the missing packages of the groups of tools/packages.txt, or exits with 3.
setup() { (source tools/dev/setup.sh "$@"); }

have_clang() { command -v clang++-19 >/dev/null; }

# ./dev setup [build|test|check|bench ...]
# Installs the Debian packages that are missing, as tools/packages.txt lists them.
#
# Without a group: build, test and check. On a terminal it asks once. Without one it installs unasked when it
# is root or `sudo -n` works; else it prints the apt line and ends with exit code 3. The other commands of
# ./dev do this by themselves for the groups they need.

missing_packages() {
  local wanted=() installed
  for group in "$@"; do
    grep -qE "^$group:" tools/packages.txt || {
      complain "tools/packages.txt has no group '$group'"
      exit 2
    }
    # shellcheck disable=SC2207  # names of packages hold no blanks
    wanted+=($(sed -n "s/^$group://p" tools/packages.txt))
  done
  # It fails when it has never heard of one of them.
  installed=$({ dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true; } |
    sed -n 's/ installed$//p')
  printf '%s\n' "${wanted[@]}" | grep -vxF -e "$installed" || true
}

# Each package is fetched, unpacked and set up.
show_apt() {
  local steps
  steps=$(grep -cE '^(Get:|Unpacking |Setting up )' "$1" || true)
  printf '%d %%, ' $((100 * steps / (3 * (total > 0 ? total : 1))))
}

install_packages() {
  local as_root=("$@") apt=() total log=build/setup/apt.log
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  # A fresh machine has no package lists; an old one has lists of packages that are gone.
  total=$(LC_ALL=C apt-get install --dry-run --no-install-recommends "${missing[@]}" 2>/dev/null | grep -c '^Inst ' || true)
  if [ "$total" = 0 ]; then
    run_quietly "reading the package lists" "$log" show_nothing "${apt[@]}" update || {
      tail -n 15 "$log"
      return 1
    }
    total=$(LC_ALL=C apt-get install --dry-run --no-install-recommends "${missing[@]}" 2>/dev/null | grep -c '^Inst ' || true)
  fi
  local install=("${apt[@]}" install -y --no-install-recommends "${missing[@]}")
  run_quietly "installing $total packages" "$log" show_apt "${install[@]}" && return 0
  run_quietly "reading the package lists" "$log.update" show_nothing "${apt[@]}" update &&
    run_quietly "installing $total packages" "$log" show_apt "${install[@]}" && return 0
  tail -n 15 "$log"
  return 1
}

setup_main() {
  [ $# -gt 0 ] || set -- build test check
  command -v dpkg-query >/dev/null || {
    complain "this is not Debian: the packages of tools/packages.txt ($*) are needed under their names here"
    exit 3
  }
  local missing=() as_root=() answer text
  text=$(missing_packages "$@") || exit $?
  [ -z "$text" ] || mapfile -t missing <<<"$text"
  [ ${#missing[@]} -gt 0 ] || return 0

  local line="apt-get install --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    line="sudo $line"
  fi
  if [ -t 0 ] && [ -t 1 ]; then
    say "${#missing[@]} packages are missing: ${missing[*]}"
    read -r -p "Install them with apt? [Y/n] " answer
    case $answer in
      "" | y | Y | yes) ;;
      *)
        say "Then install them yourself:"
        say "  $line"
        exit 3
        ;;
    esac
    # The password is asked for here, and not into a log.
    if [ ${#as_root[@]} -gt 0 ]; then sudo -v || exit 3; fi
  elif [ ${#as_root[@]} -gt 0 ]; then
    sudo -n true 2>/dev/null || {
      complain "packages are missing, and they cannot be installed without a password:"
      say "  $line"
      exit 3
    }
  fi
  install_packages "${as_root[@]}" || {
    complain "apt could not install them; by hand:"
    say "  $line"
    exit 3
  }
}

setup_main "$@"

# ./dev help
# Lists the commands.

say "usage: ./dev COMMAND [--help] [...]"
say ""
for name in run login test setup build check fuzz soak bench fmt help; do
  printf '  %-7s %s\n' "$name" "$(sed -n '2s/^# //p' "tools/dev/$name.sh")"
done

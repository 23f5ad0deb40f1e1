# ./dev bench [...]
# Measures the server against the yardsticks of the same machine; results go to bench/results.

if [ ! -f bench/run.py ]; then
  complain "there is no bench/run.py"
  exit 1
fi
setup build bench
build release tacenda decision_bench
exec python3 bench/run.py "$@"

# ./dev run [--once] [--fresh] [--port PORT]
# Builds the server if needed and starts it with the sample patients.
#
#   --once       ends after the samples are loaded and checked; the exit code tells whether all was well
#   --fresh      throws the store of an earlier ./dev run away first
#   --port PORT  asks for this port instead of 8443; a taken one is passed over for the next free one
#
# The store lies in .dev/data of this clone, its keys in ${XDG_DATA_HOME:-~/.local/share}/tacenda-dev.

setup build
build dev tacenda
exec python3 tools/run_server.py "$@"

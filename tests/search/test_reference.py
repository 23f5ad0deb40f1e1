"""Runs the unit tests of the slow search evaluator (unit/*.test.mjs) with node's own test runner."""

import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import npm  # noqa: E402

if __name__ == "__main__":
    npm.require(FOLDER)
    tests = sorted(map(str, (FOLDER / "unit").glob("*.test.mjs")))
    sys.exit(subprocess.run(["node", "--test", *tests], cwd=FOLDER).returncode)

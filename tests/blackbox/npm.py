"""What tests need that run in Node.js: the packages that a folder's package-lock.json names, installed by `npm ci`.

They lie in the folder's node_modules/, which git does not see, and are installed again only when the lock file changed.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77  # what ctest takes for "skipped" (SKIP_RETURN_CODE)
INSTALL_SECONDS = 600


def skip(reason):
    """Ends the test program as skipped and says why."""
    print(f"SKIPPED: {reason}", file=sys.stderr)
    sys.exit(SKIPPED)


def main():
    """Runs the tests of the program; its exit code says skipped when one of them was and none failed."""
    result = unittest.main(exit=False).result
    for test, reason in result.skipped:
        print(f"SKIPPED: {test}: {reason}", file=sys.stderr)
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)


def require(folder):
    """Installs what `folder` needs; ends the program as skipped when Node.js is missing.

    An install that fails is a failure."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            skip(f"{program} is not installed: these tests need Node.js 20 or newer with npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major = int(version[1:].split(".")[0])
    if major < 20:
        skip(f"Node.js {major} is too old: these tests need 20 or newer")
    folder = pathlib.Path(folder).resolve()
    locked = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".installed"
    name = "tacenda-npm-" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    with open(pathlib.Path(tempfile.gettempdir(), name), "w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if mark.is_file() and mark.read_text() == locked:
            return
        done = subprocess.run(["npm", "ci", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                              capture_output=True, text=True, timeout=INSTALL_SECONDS,
                              env={**os.environ, "NO_UPDATE_NOTIFIER": "1"})
        if done.returncode != 0:
            sys.exit(f"npm ci failed in {folder.name}/ (exit code {done.returncode}): is the package registry "
                     f"reachable?\n{done.stderr[-2000:]}")
        mark.write_text(locked)

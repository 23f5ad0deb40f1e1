"""./dev setup, without a terminal: installs as root, and otherwise says what to type and ends with 3."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parent.parent.parent


class DevSetup(unittest.TestCase):
    """Runs a copy of the script where dpkg-query, apt-get, id and sudo are stand-ins."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copy(ROOT / "dev", self.root)
        shutil.copytree(ROOT / "tools" / "dev", self.root / "tools" / "dev")
        (self.root / "tools" / "packages.txt").write_text("# comment\nbuild: g++ cmake\nbuild: mold\ntest: curl\n")
        self.stand_in("apt-get", 'case "$*" in *--dry-run*) echo "Inst cmake"; echo "Inst mold" ;; *) echo "$*" >> calls ;; esac')
        self.stand_in("sudo", "exit 1")

    def stand_in(self, name: str, script: str) -> None:
        file = self.root / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def setup(self, installed: str, user_id: int, *groups: str) -> tuple[int, str, str]:
        # As the real one: it fails when a package is not known to it.
        self.stand_in("dpkg-query", "".join(f"echo '{name} installed'\n" for name in installed.split()) + "exit 1")
        self.stand_in("id", f"echo {user_id}")
        done = subprocess.run(["./dev", "setup", *groups], cwd=self.root, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env=dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}"))
        calls = self.root / "calls"
        return done.returncode, done.stdout + done.stderr, calls.read_text() if calls.exists() else ""

    def test_does_nothing_when_nothing_is_missing(self):
        self.assertEqual(self.setup("g++ cmake mold", 1000, "build"), (0, "", ""))

    def test_says_what_to_type_when_it_may_not_install(self):
        code, said, calls = self.setup("g++", 1000, "build")
        self.assertEqual(code, 3)
        self.assertIn("sudo apt-get install --no-install-recommends cmake mold\n", said)
        self.assertEqual(calls, "")

    def test_installs_unasked_as_root(self):
        code, said, calls = self.setup("g++", 0, "build")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"installing 2 packages: \d+ s")
        self.assertIn("install -y --no-install-recommends cmake mold\n", calls)

    def test_installs_on_a_machine_that_has_none(self):
        code, _, calls = self.setup("", 0, "build", "test")
        self.assertEqual(code, 0)
        self.assertIn("g++ cmake mold curl\n", calls)

    def test_ends_with_3_when_apt_fails(self):
        self.stand_in("apt-get", 'case "$*" in *--dry-run*) echo "Inst cmake" ;; *) echo "E: no network"; exit 100 ;; esac')
        code, said, _ = self.setup("g++", 0, "build")
        self.assertEqual(code, 3)
        self.assertIn("E: no network", said)

    def test_knows_no_other_group(self):
        self.assertEqual(self.setup("", 1000, "kitchen")[0], 2)


if __name__ == "__main__":
    unittest.main()

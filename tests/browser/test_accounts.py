"""The server's own pages in Chromium, with its virtual authenticator: enrolment, passkeys, awareness (K-04, M17)."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402

STEPS = ["enrolled", "signed in by a recovery code", "passkey added", "signed in by passkey", "texts confirmed",
         "refused without a verified user, and for nothing else"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Accounts(harness.TestCase):
    def test_K04_a_person_enrols_and_signs_in_by_passkey_in_a_browser(self):
        code = self.server.invite("dr.browser", "doctor")["enrolment_code"]
        environment = {**os.environ, "TACENDA_ORIGIN": f"https://localhost:{self.server.port}", "TACENDA_CODE": code,
                       "TACENDA_CHROMIUM": CHROMIUM}
        done = subprocess.run(["node", str(FOLDER / "accounts.mjs")], capture_output=True, text=True,
                              timeout=10 * harness.PATIENCE, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertEqual([json.loads(line)["step"] for line in done.stdout.splitlines()], STEPS)
        events = [entry["event"] for entry in self.server.audit()]
        for kind in ("recovery-code-used", "passkey-added", "awareness-acknowledged"):
            self.assertIn(kind, events)


if __name__ == "__main__":
    if CHROMIUM is None:
        npm.skip("Chromium is not installed: apt install chromium")
    npm.require(FOLDER)
    npm.main()

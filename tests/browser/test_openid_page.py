"""The page for signing in at the hospital's OpenID provider, in Chromium, with a certified provider of others."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
OPENID = FOLDER.parent / "openid"
sys.path[:0] = [str(FOLDER.parent / "blackbox"), str(OPENID)]
import harness  # noqa: E402
import npm  # noqa: E402
from provider import MFA, SECRET, Provider, new_key  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class OpenIdPage(unittest.TestCase):
    def test_a_person_signs_in_there_and_comes_back(self):
        server = harness.Server(config="")
        self.addCleanup(server.close)
        provider = Provider(server.root)
        self.addCleanup(provider.stop)
        secret = server.keys / "openid"
        secret.write_text(SECRET)
        server.configure(provider.configuration(secret), 1)
        server.start()
        origin = f"https://127.0.0.1:{server.port}"
        provider.start(new_key("k1"), origin)
        made = server.request("POST", "/scim/v2/Users", {"userName": "dr.browser", "externalId": "e1"},
                              token=server.service("idp", "provisioner"))
        self.assertEqual(made.status, 201, made.body)
        server.cli("client", "add", "app", "--scope", "openid", "--redirect-uri", "https://app.example.org/cb", "--public",
                   "--data", server.data, check=True)
        environment = {**os.environ, "TACENDA_ORIGIN": origin, "TACENDA_ACCOUNT": "s1", "TACENDA_EXTERNAL_ID": "e1",
                       "TACENDA_ACR": MFA, "TACENDA_CHROMIUM": CHROMIUM}
        done = subprocess.run(["node", str(FOLDER / "openid.mjs")], capture_output=True, text=True,
                              timeout=10 * harness.PATIENCE, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertEqual([json.loads(line)["step"] for line in done.stdout.splitlines()],
                         ["offered", "signed in", "refused what it did not begin", "allowed an application"])


if __name__ == "__main__":
    if CHROMIUM is None:
        npm.skip("Chromium is not installed: apt install chromium")
    npm.require(FOLDER)
    npm.require(OPENID)
    npm.main()

"""Signing in at a certified OpenID provider of others, oidc-provider, over TLS with an authority of the test's own. What the
provider would never say is in SignInProviderTest."""

import pathlib
import sys
import time
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402
from harness import json_of  # noqa: E402
from provider import MFA, ORIGIN, SECRET, Provider, new_key  # noqa: E402


class OpenId(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(config="")
        cls.addClassCleanup(cls.server.close)
        cls.provider = Provider(cls.server.root)
        cls.addClassCleanup(cls.provider.stop)
        cls.provider.start(new_key("k1"))
        secret = cls.server.keys / "openid"
        secret.write_text(SECRET + "\n")
        cls.server.config.write_text(f'[oauth]\norigin = "{ORIGIN}"\n' + cls.provider.configuration(secret))
        cls.server.start()
        cls.scim_token = cls.server.service("idp", "provisioner")
        cls.number = 0

    def scim(self, method, path, body=None):
        return self.server.request(method, "/scim/v2" + path, body, token=self.scim_token)

    def user(self):
        """A provisioned user; gives id, name and external id."""
        type(self).number += 1
        name, external = f"dr.{self.number}", f"e-{self.number}"
        reply = self.scim("POST", "/Users", {"userName": name, "externalId": external})
        self.assertEqual(reply.status, 201, reply.body)
        return json_of(reply)["id"], name, external

    def begin(self):
        reply = self.server.request("POST", "/auth/openid/begin", {})
        self.assertEqual(reply.status, 200, reply.body)
        return json_of(reply)

    def finish(self, begun, brought, **changes):
        body = {"browser": begun["browser"], **{k: brought[k] for k in ("state", "code", "iss") if k in brought}, **changes}
        return self.server.request("POST", "/auth/openid/finish", body)

    def sign_in(self, account, external_id="", acr=MFA):
        begun = self.begin()
        return self.finish(begun, self.provider.sign_in(begun["url"], account, external_id, acr))

    def test_a_provisioned_person_signs_in_there_and_is_ended_by_scim_at_once(self):
        user, name, external = self.user()
        mark = self.server.audit_size()
        reply = self.sign_in("sub-" + name, external)
        self.assertEqual(reply.status, 200, reply.body)
        token = json_of(reply)["access_token"]
        self.assertEqual(json_of(self.server.request("GET", "/auth/account", token=token))["user"], name)
        entry = next(e for e in self.server.audit_after(mark) if e["event"] == "login")
        self.assertEqual((entry["user"], entry["authentication"], entry["new_value"]), (name, "openid", f"OpenID subject sub-{name}"))
        self.assertEqual(self.sign_in("another", external).status, 403, "the external id is taken by a subject")
        body = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
        self.assertEqual(self.scim("PATCH", "/Users/" + user, body).status, 200)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 401)
        self.assertEqual(self.sign_in("sub-" + name, external).status, 403)

    def test_groups_give_the_role_of_who_signs_in_there(self):
        user, name, external = self.user()
        shown = self.server.cli("policy", "show", "--data", self.server.data, check=True).stdout
        path = self.server.root / "policy.toml"
        path.write_text(shown + '[provisioning]\nroles = ["doctor"]\n[[provisioning.groups]]\ngroup = "Doctors"\nrole = "doctor"\n')
        self.server.cli("policy", "set", path, "--data", self.server.data, check=True)
        token = json_of(self.sign_in("sub-" + name, external))["access_token"]
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)
        group = json_of(self.scim("POST", "/Groups", {"displayName": "Doctors", "members": [{"value": user}]}))
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
        self.scim("DELETE", "/Groups/" + group["id"])
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)

    def test_nobody_comes_in_by_a_name_or_without_a_second_factor(self):
        _, name, external = self.user()
        self.assertEqual(self.sign_in(name).status, 403)
        self.assertEqual(self.sign_in("alice", "alice").status, 403)
        self.assertEqual(self.sign_in("sub-" + name, external, acr="urn:example:password").status, 401)
        self.assertEqual(self.sign_in("sub-" + name, external).status, 200)

    def test_an_administrator_links_a_local_account(self):
        person = self.server.person("dr.local", "doctor")
        mark = self.server.audit_size()
        self.assertEqual(self.sign_in("sub-local").status, 403)
        refused = [e for e in self.server.audit_after(mark) if e["event"] == "login-failed"]
        self.assertEqual([(e["outcome"], e["new_value"]) for e in refused], [(4, "OpenID subject sub-local")])
        link = ("user", "link", "dr.local", "--data", self.server.data)
        self.server.cli(*link, "--subject", "sub-local", check=True)
        reply = self.sign_in("sub-local")
        self.assertEqual(reply.status, 200, reply.body)
        token = json_of(reply)["access_token"]
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
        self.server.cli(*link, "--openid", "--remove", check=True)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
        self.assertEqual(self.sign_in("sub-local").status, 403)
        self.assertEqual(self.server.log_in(person).status, 200)

    def test_a_state_is_good_once_and_for_its_browser(self):
        _, name, external = self.user()
        begun, other = self.begin(), self.begin()
        brought = self.provider.sign_in(begun["url"], "sub-" + name, external)
        self.assertEqual(self.finish(other, brought).status, 400, "another browser")
        self.assertEqual(self.finish(begun, brought, iss="https://evil.example.org").status, 401, "another issuer")
        self.assertEqual(self.finish(begun, brought).status, 400, "it was used")
        begun = self.begin()
        brought = self.provider.sign_in(begun["url"], "sub-" + name, external)
        self.assertEqual(self.finish(begun, brought).status, 200)
        self.assertEqual(self.finish(begun, brought).status, 400)

    def test_a_code_of_somebody_else_is_worth_nothing_here(self):
        (_, one, external), mine = self.user(), self.begin()
        stolen_of = self.begin()
        stolen = self.provider.sign_in(stolen_of["url"], "sub-" + one, external)
        own = self.provider.sign_in(mine["url"], "sub-mallory")
        # Injected into a sign-in of his own: the provider holds the code to its challenge.
        self.assertEqual(self.finish(mine, own, code=stolen["code"]).status, 401)
        # And it was good for whom it was.
        self.assertIn(self.finish(stolen_of, stolen).status, (200, 401))

    def test_other_keys_and_a_provider_that_is_down(self):
        _, name, external = self.user()
        self.assertEqual(self.sign_in("sub-" + name, external).status, 200)
        begun = self.begin()
        brought = self.provider.sign_in(begun["url"], "sub-" + name, external)
        self.provider.stop()
        reply = self.finish(begun, brought)
        self.assertEqual(reply.status, 503)
        person = self.server.person("dr.here", "doctor")
        self.assertEqual(self.server.log_in(person).status, 200, "who has factors of his own comes in")
        self.provider.start(new_key("k2"))
        # A key that is not known is asked for anew, half a minute after the last time at the earliest.
        end = time.monotonic() + harness.PATIENCE
        while (reply := self.sign_in("sub-" + name, external)).status != 200 and time.monotonic() < end:
            time.sleep(1)
        self.assertEqual(reply.status, 200, reply.body)

    def test_the_page_is_where_the_browser_comes_back(self):
        page = self.server.request("GET", "/auth/openid/callback?code=x&state=y")
        self.assertEqual(page.status, 200)
        self.assertEqual(page.body, self.server.request("GET", "/auth/sign-in").body)
        self.assertEqual(json_of(self.server.request("GET", "/auth/openid")), {"issuer": self.provider.issuer})

    def test_a_server_that_knows_no_provider_says_so(self):
        server = harness.Server()
        self.addCleanup(server.close)
        server.start()
        self.assertEqual(json_of(server.request("GET", "/auth/openid")), {})
        for path in ("/auth/openid/begin", "/auth/openid/finish"):
            self.assertEqual(server.request("POST", path, {}).status, 404)

    def test_a_configuration_that_would_let_one_factor_in_is_refused(self):
        server = harness.Server(config=self.server.config.read_text().replace("second-factor-acr", "# second-factor-acr"))
        self.addCleanup(server.close)
        with self.assertRaisesRegex(RuntimeError, "second factor"):
            server.start()


if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

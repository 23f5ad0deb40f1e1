"""Signing in at a certified OpenID provider of others, oidc-provider, over TLS with an authority of the test's own. What the
provider would never say is in SignInProviderTest."""

import html
import pathlib
import sys
import time
import unittest
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402
from applications import App, Page  # noqa: E402
from harness import json_of  # noqa: E402
from test_approvals import Two  # noqa: E402
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
        cls.configuration = f'[oauth]\norigin = "{ORIGIN}"\n' + cls.provider.configuration(secret)
        cls.server.configure(cls.configuration, 1)
        cls.server.start()
        cls.scim_token = cls.server.service("idp", "provisioner")
        cls.number = 0
        shown = cls.server.cli("policy", "show", "--data", cls.server.data, check=True).stdout
        path = cls.server.root / "policy.toml"
        path.write_text(shown + '[provisioning]\nroles = ["doctor"]\n[[provisioning.groups]]\ngroup = "Doctors"\nrole = "doctor"\n')
        cls.server.cli("policy", "set", path, "--data", cls.server.data, check=True)

    def scim(self, method, path, body=None):
        return self.server.request(method, "/scim/v2" + path, body, token=self.scim_token)

    def user(self):
        """A provisioned user; gives id, name and external id."""
        type(self).number += 1
        name, external = f"dr.{self.number}", f"e-{self.number}"
        reply = self.scim("POST", "/Users", {"userName": name, "externalId": external})
        self.assertEqual(reply.status, 201, reply.body)
        return json_of(reply)["id"], name, external

    def group_of_doctors(self, user):
        reply = self.scim("POST", "/Groups", {"displayName": "Doctors", "members": [{"value": user}]})
        self.assertEqual(reply.status, 201, reply.body)
        group = json_of(reply)
        self.addCleanup(self.scim, "DELETE", "/Groups/" + group["id"])
        return group

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
        token = json_of(self.sign_in("sub-" + name, external))["access_token"]
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)
        group = self.group_of_doctors(user)
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

    # --- for an application ---

    def app(self):
        type(self).number += 1
        return App(self.server, f"app{self.number}", "user/*.rs launch/patient patient/*.rs")

    def to_the_provider(self, app, **options):
        """The address at the provider that a browser is led to from the page of an application's request."""
        page = Page(app.begin(aud=ORIGIN + "/fhir", **options))
        self.assertEqual((page.status, page.action), (200, "/oauth/sign-in"))
        self.assertIn("Sign in at " + self.provider.issuer, page.text)
        led = app.send("POST", "/oauth/provider", page.fields)
        self.assertEqual(led.status, 200, led)
        delay, url = led.headers["refresh"].split("; url=")
        self.assertEqual(delay, "0")
        self.assertTrue(url.startswith(self.provider.issuer + "/"), url)
        self.assertIn(html.escape(url).encode(), led.body)
        return url

    def come_back(self, app, brought):
        return app.send("GET", "/auth/openid/callback?" + urllib.parse.urlencode(brought))

    def test_F08_who_signs_in_there_allows_an_application(self):
        user, name, external = self.user()
        self.group_of_doctors(user)
        app = self.app()
        mark = self.server.audit_size()
        brought = self.provider.sign_in(self.to_the_provider(app), "sub-" + name, external)
        consent = Page(self.come_back(app, brought))
        self.assertEqual((consent.status, consent.action), (200, "/oauth/consent"))
        self.assertIn(name, consent.text)
        again = self.come_back(app, brought)
        self.assertEqual(again.body, self.server.request("GET", "/auth/sign-in").body, "a state is good once")
        patient = self.server.create({"resourceType": "Patient"}, self.server.service("loader", "loader"))
        told = app.answer_of(app.decide(consent, patient=patient))
        token = json_of(app.fetch(told["code"]))["access_token"]
        self.assertEqual(self.server.request("GET", "/fhir/Patient/" + patient, token=token).status, 200)
        events = [e for e in self.server.audit_after(mark) if e.get("client") == app.name]
        self.assertEqual([e["event"] for e in events], ["authorization-asked", "provider-asked", "login",
                                                         "authorization-granted", "token-issued", "read"])
        login = events[2]
        self.assertEqual((login["user"], login["authentication"], login["outcome"], login["new_value"]),
                         (name, "openid", 0, "OpenID subject sub-" + name))
        # SCIM ends it with everything else.
        body = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
        self.assertEqual(self.scim("PATCH", "/Users/" + user, body).status, 200)
        self.assertEqual(self.server.request("GET", "/fhir/Patient/" + patient, token=token).status, 401)

    def test_W17_what_comes_back_is_for_the_browser_and_the_request_that_began_it(self):
        _, name, external = self.user()
        app, other = self.app(), self.app()
        brought = self.provider.sign_in(self.to_the_provider(app), "sub-" + name, external)
        self.to_the_provider(other)
        own_page = self.server.request("GET", "/auth/sign-in").body
        self.assertEqual(self.come_back(other, brought).body, own_page, "another browser")
        app_cookies, app.cookies = app.cookies, {}
        self.assertEqual(self.come_back(app, brought).body, own_page, "no cookies")
        app.cookies = {**app_cookies, "__Host-tacenda-request": "x" + app_cookies["__Host-tacenda-request"][1:]}
        self.assertEqual(self.come_back(app, brought).body, own_page, "a request that we did not seal")
        app.cookies = app_cookies
        self.assertEqual(self.come_back(app, {**brought, "iss": "https://evil.example.org"}).status, 401)
        self.assertEqual(self.come_back(app, brought).body, own_page, "it was used")
        # Two tabs of one browser: what was begun for one application is not finished for the other.
        brought = self.provider.sign_in(self.to_the_provider(app), "sub-" + name, external)
        other.cookies = dict(app.cookies)
        self.to_the_provider(other)
        app.cookies, waiting = dict(other.cookies), app.cookies
        self.assertEqual(self.come_back(app, brought).body, own_page, "the request of the other tab waits")
        app.cookies = waiting
        self.assertEqual(self.come_back(app, brought).status, 200, "its own request waits again: it was not used up")
        # And what the page of the own account began is not for an application.
        begun = self.begin()
        brought = self.provider.sign_in(begun["url"], "sub-" + name, external)
        self.assertEqual(self.come_back(app, brought).body, own_page)
        self.assertEqual(self.finish(begun, brought).status, 200)

    def test_S08_who_is_nobody_here_or_shows_one_factor_gets_no_further(self):
        _, name, external = self.user()
        app = self.app()
        for account, more, status in (("nobody", {}, 401), ("sub-" + name, {"external_id": external, "acr": "urn:example:password"}, 401)):
            mark = self.server.audit_size()
            page = Page(self.come_back(app, self.provider.sign_in(self.to_the_provider(app), account, **more)))
            self.assertEqual((page.status, page.action), (status, "/oauth/sign-in"), account)
            failed = [e for e in self.server.audit_after(mark) if e["event"] == "login-failed"]
            self.assertEqual([(e["client"], e["outcome"]) for e in failed], [(app.name, 4)])
        self.to_the_provider(app)
        state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.to_the_provider(app)).query))["state"]
        page = Page(self.come_back(app, {"error": "access_denied", "state": state}))
        self.assertEqual((page.status, page.action), (401, "/oauth/sign-in"))
        self.assertIn("You were not signed in there.", page.text)

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
        app = App(server, "app", "user/*.rs")
        page = Page(app.begin(scope="user/*.rs"))
        self.assertNotIn("Sign in at", page.text)
        self.assertEqual(app.send("POST", "/oauth/provider", page.fields).status, 404)

    def test_S12_who_somebody_is_at_the_provider_takes_a_second_person(self):
        server = harness.Server(config=self.configuration, approvals=2)
        self.addCleanup(server.close)
        two = Two(server.start())
        two.enrolled("bob", json_of(two.post("alice", "users", name="bob", role="administrator"))["enrolment_code"])
        asked = two.post("alice", "users/link", name="bob", subject="s-of-alice")
        self.assertEqual(asked.status, 202, "it would be a way into his account")
        self.assertEqual(two.decide("bob", "approve", json_of(asked)["approval"]).status, 403)
        asked = two.post("bob", "users/link", name="bob", subject="s-of-bob")
        self.assertEqual(two.request(json_of(asked)["approval"], "alice")["new"], "OpenID subject s-of-bob")
        self.assertEqual(two.decide("alice", "approve", json_of(asked)["approval"]).status, 200)
        self.assertEqual(two.user("bob")["openid_subject"], "s-of-bob")
        self.assertEqual(two.post("alice", "users/link", name="bob", subject="", unlink=True).status, 200,
                         "taking it back waits for nobody")
        self.assertEqual(two.post("alice", "users/link", name="bob", external_id="e9").status, 200,
                         "SCIM may end the account, and opens nothing")

    def test_a_configuration_that_would_let_one_factor_in_is_refused(self):
        server = harness.Server(config=self.configuration.replace("second-factor-acr", "# second-factor-acr"))
        self.addCleanup(server.close)
        with self.assertRaisesRegex(RuntimeError, "second factor"):
            server.start()


if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

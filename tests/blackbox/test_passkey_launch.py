"""Passkeys on the pages of applications (K-04): somebody signs in with one in the place of password and code."""

import json
import re
import unittest

import harness
from applications import App, Page
from harness import json_of
from test_accounts import PasskeyCase

SCOPE = "launch launch/patient patient/*.rs user/*.rs offline_access"


class PasskeyLaunch(PasskeyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.app = App(cls.server, "app", SCOPE)

    def person_with(self, name):
        person = self.server.person(name, "doctor")
        person.session = self.server.token_of(person)
        authenticator = self.authenticator()
        authenticator.id = name.encode()
        self.assertEqual(self.register(person.session, authenticator).status, 204)
        person.session = self.server.token_of(person) if self.server.request(
            "GET", "/auth/account", token=person.session).status == 401 else person.session
        return person, authenticator

    def offered(self, page):
        reply = self.app.send("POST", "/oauth/passkey", page.fields)
        self.assertEqual(reply.status, 200, reply.body)
        return reply, {"challenge": re.search(rb'data-challenge="([^"]*)"', reply.body)[1].decode()}

    def answer(self, page, credential):
        return self.app.send("POST", "/oauth/sign-in", {**page.fields, "credential": json.dumps(credential)})

    def test_K04_a_passkey_signs_in_for_an_application(self):
        person, authenticator = self.person_with("dr.key")
        before = self.server.audit_size()
        page = Page(self.app.begin(scope="user/*.rs"))
        reply, options = self.offered(page)
        consent = Page(self.answer(Page(reply), authenticator.get(options)))
        self.assertEqual((consent.status, consent.action), (200, "/oauth/consent"))
        self.assertIn(person.name, consent.text)
        answer = json_of(self.app.fetch(self.app.answer_of(self.app.decide(consent))["code"]))
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=answer["access_token"]).status, 200)
        events = self.server.audit_after(before)
        self.assertEqual([entry["event"] for entry in events[:4]],
                         ["authorization-asked", "passkey-offered", "login", "authorization-granted"])
        self.assertEqual((events[2]["authentication"], events[2]["user"], events[2]["client"]), ("passkey", "dr.key", "app"))
        self.assertEqual(events[1]["client"], "app")

    def test_W07_its_page_runs_the_servers_script_and_no_other(self):
        reply, _ = self.offered(Page(self.app.begin(state="\"><script>alert(1)</script>")))
        policy = reply.headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                     "form-action 'self' https://app.example.org"):
            self.assertIn(part, policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(re.findall(rb"<script[^>]*>[^<]*", reply.body), [b'<script src="/oauth/passkey.js">'])
        script = self.server.request("GET", "/oauth/passkey.js")
        self.assertEqual((script.status, script.headers["x-content-type-options"]), (200, "nosniff"))
        self.assertTrue(script.headers["content-type"].startswith("text/javascript"))

    def test_K04_what_is_not_exactly_right_is_refused(self):
        person, authenticator = self.person_with("dr.strict")
        page = Page(self.app.begin(scope="user/*.rs"))
        seen = set()
        for change in ({"origin": "https://localhost.evil.example"}, {"rp_id": "evil.example"}, {"id": b"unknown"},
                       {"handle": b"somebody else"}):
            _, options = self.offered(page)
            kept = dict(vars(authenticator))
            vars(authenticator).update(change)
            reply = self.answer(page, authenticator.get(options))
            vars(authenticator).update(kept)
            self.assertEqual((reply.status, Page(reply).action), (401, "/oauth/sign-in"), change)
            seen.add(reply.body)
        self.assertEqual(len(seen), 1)
        _, options = self.offered(page)
        good = authenticator.get(options)
        self.assertEqual(Page(self.answer(page, good)).action, "/oauth/consent")
        self.assertEqual(self.answer(page, good).status, 401, "a challenge is answered once")
        for wrong in ("", "{}", "[]", "x", '{"type":"public-key"}', '{"type":"public-key","id":"!","response":{}}'):
            reply = self.app.send("POST", "/oauth/sign-in", {**page.fields, "credential": wrong})
            self.assertIn(reply.status, (400, 401), wrong)
            self.assertNotEqual(Page(reply).action, "/oauth/consent")

    def test_a_challenge_is_given_to_the_browser_that_began_alone(self):
        page = Page(self.app.begin())
        self.assertEqual(self.app.send("POST", "/oauth/passkey", page.fields, cookie=False).status, 403)
        self.assertEqual(self.app.send("POST", "/oauth/passkey", {"request": "x"}).status, 403)
        self.assertEqual(self.app.send("POST", "/oauth/passkey", {}).status, 403)
        self.assertEqual(self.server.request("GET", "/oauth/passkey").status, 405)

    def test_K04_a_copy_of_a_passkey_is_found_out_here_too(self):
        _, authenticator = self.person_with("dr.copied")
        page = Page(self.app.begin(scope="user/*.rs"))
        for count, status in ((4, 200), (1, 401)):
            _, options = self.offered(page)
            authenticator.count = count
            self.assertEqual(self.answer(page, authenticator.get(options)).status, status)
        self.assertEqual(self.server.audit_after(-1)[-1]["event"], "passkey-counter-back")

    def test_F17_a_launch_is_of_who_started_it_whichever_way_he_signs_in(self):
        starter, own = self.person_with("dr.starts")
        _, other = self.person_with("dr.other")
        made = self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, starter.session)
        started = self.server.request("POST", "/oauth/launch", {"client_id": "app", "patient": json_of(made)["id"]},
                                      starter.session)
        page = Page(self.app.begin(scope="launch patient/*.rs", launch=json_of(started)["launch"]))
        _, options = self.offered(page)
        refused = self.answer(page, other.get(options))
        self.assertEqual(refused.status, 401)
        self.assertIn("somebody else", Page(refused).text)
        _, options = self.offered(page)
        self.assertEqual(Page(self.answer(page, own.get(options))).action, "/oauth/consent")


if __name__ == "__main__":
    unittest.main()

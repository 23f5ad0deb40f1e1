"""From where applications may ask for tokens and use them (N-05), and how often (W-03)."""

import json
import time
import unittest
import urllib.parse

import applications
import harness
from harness import json_of

INSIDE, OUTSIDE = "127.0.40.5", "127.0.41.5"
LIST = "127.0.40.0/24"


class ClientNetworks(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = applications.folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.key = applications.Key(cls.folder.name)

    def bind(self, name, *what):
        return self.server.cli("client", "networks", name, *what, "--data", self.server.data)

    def post(self, where, fields, source):
        return self.server.request("POST", "/oauth/" + where, urllib.parse.urlencode(fields), headers=applications.FORM,
                                   source=source)

    def assert_outside(self, reply):
        self.assertEqual(reply.status, 403, reply)
        self.assertIn("this address", reply.body.decode())

    def test_N05_an_application_of_people_asks_and_acts_from_its_networks_alone(self):
        app = applications.App(self.server, "growth", "launch/patient patient/*.rs user/*.rs offline_access")
        person = self.server.person("dr.app", "doctor")
        scope = "user/*.rs offline_access"
        held = app.launch(person, scope=scope)
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=held["access_token"]).status, 403)
        mark = self.server.audit_size()
        self.assertEqual(self.bind("growth", "--allow", LIST).returncode, 0)
        # Tokens of before, at once; the person himself is not bound by it.
        for path in ("/fhir/Patient/x", "/fhir/Patient", "/fhir/Observation?code=x"):
            self.assert_outside(self.server.request("GET", path, token=held["access_token"], source=OUTSIDE))
            self.assertNotEqual(
                self.server.request("GET", path, token=held["access_token"], source=INSIDE).status, 403)
        self.assert_outside(self.server.request("POST", "/fhir/Observation", {"resourceType": "Observation"},
                                                token=held["access_token"], source=OUTSIDE))
        session = self.server.token_of(person)
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=session, source=OUTSIDE).status, 403)
        # Neither header nor forwarded address helps.
        lied = self.server.request("GET", "/fhir/Patient/x", token=held["access_token"], source=OUTSIDE,
                                   headers={"X-Forwarded-For": INSIDE, "Forwarded": "for=" + INSIDE})
        self.assert_outside(lied)

        code = app.code(person, scope=scope)  # the person's browser is where he is
        fetching = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect, "client_id": "growth",
                    "code_verifier": applications.VERIFIER}
        refused = self.post("token", fetching, OUTSIDE)
        self.assert_outside(refused)
        self.assertEqual(json_of(refused)["error"], "access_denied")
        fetched = self.post("token", fetching, INSIDE)
        self.assertEqual(fetched.status, 200, "who showed it elsewhere used nothing up")
        refreshing = {"grant_type": "refresh_token", "refresh_token": json_of(fetched)["refresh_token"]}
        self.assert_outside(self.post("token", refreshing, OUTSIDE))
        self.assert_outside(self.post("token", {**refreshing, "client_id": "growth"}, OUTSIDE))
        fresh = self.post("token", refreshing, INSIDE)
        self.assertEqual(fresh.status, 200)
        self.assert_outside(self.post("token", refreshing, OUTSIDE))  # used before: no alarm from there
        token = json_of(fresh)["access_token"]
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=token, source=INSIDE).status, 401)

        entries = self.server.audit_after(mark)
        changed, = [e for e in entries if e["event"] == "client-networks-changed"]
        self.assertEqual((changed["target"], changed["user"], changed["old_value"], changed["new_value"]),
                         ("growth", "alice", "networks: any", "networks: " + LIST))
        outside = [e for e in entries if e["event"] == "address-refused"]
        self.assertGreaterEqual(len(outside), 9)
        self.assertEqual({e["network"] for e in outside}, {OUTSIDE})
        for entry in outside:
            self.assertIn("this application may not be used from this address", entry["reason"])
        self.assertEqual({e["client"] for e in outside}, {"growth"})
        self.assertNotIn("token-reused", [e["event"] for e in entries])

        self.assertEqual(self.bind("growth", "--clear").returncode, 0)
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=token, source=OUTSIDE).status, 403)
        last = [e for e in self.server.audit_after(entries[-1]["sequence"]) if e["event"] == "client-networks-changed"]
        self.assertEqual([(e["old_value"], e["new_value"]) for e in last], [("networks: " + LIST, "networks: any")])

    def test_N05_the_list_is_shown_and_survives_a_restart(self):
        server = self.new_server()
        server.start()
        app = applications.App(server, "shown", "user/*.rs")
        held = app.launch(server.person("dr.shown", "doctor"), scope="user/*.rs")["access_token"]
        server.cli("client", "networks", "shown", "--allow", LIST, "--allow", "fd00::/8", "--data", server.data, check=True)
        shown = json.loads(server.cli("client", "show", "shown", "--json", "--data", server.data, check=True).stdout)
        self.assertEqual(shown["networks"], [LIST, "fd00::/8"])
        self.assertIn(LIST, server.cli("client", "show", "shown", "--data", server.data, check=True).stdout)
        self.assertIn(LIST + ",fd00::/8", server.cli("client", "list", "--data", server.data, check=True).stdout)
        server.stop()
        server.start()
        self.assertEqual(server.request("GET", "/fhir/Patient/x", token=held, source=OUTSIDE).status, 403)
        self.assertNotEqual(server.request("GET", "/fhir/Patient/x", token=held, source=INSIDE).status, 403)
        unknown = server.cli("client", "show", "nobody", "--data", server.data)
        self.assertEqual(unknown.returncode, 1, unknown)

    def test_N05_a_service_gets_its_tokens_from_its_networks_alone(self):
        client = applications.Client(self.server, "lab.bound", self.key, "system/*.rs", "doctor")

        def ask(source, where="token", **more):
            fields = {"grant_type": "client_credentials", "scope": "system/*.rs",
                      "client_assertion_type": applications.JWT_BEARER, "client_assertion": client.assertion(), **more}
            return self.post(where, fields, source)

        token = json_of(ask(OUTSIDE))["access_token"]
        for command, name in ((("client", "networks"), "--clear"), (("user", "networks"), "--any")):
            self.server.cli(*command, "lab.bound", "--allow", LIST, "--data", self.server.data, check=True)
            self.assert_outside(ask(OUTSIDE))
            self.assert_outside(ask(OUTSIDE, "introspect", token=token))
            self.assertTrue(json_of(ask(INSIDE, "introspect", token=token))["active"])
            self.assertEqual(ask(INSIDE).status, 200)
            self.assert_outside(self.server.request("GET", "/fhir/Patient?_count=1", token=token, source=OUTSIDE))
            self.assertEqual(self.server.request("GET", "/fhir/Patient?_count=1", token=token, source=INSIDE).status, 200)
            kick = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
            self.assert_outside(self.server.request("GET", "/fhir/$export", token=token, source=OUTSIDE, headers=kick))
            self.server.cli(*command, "lab.bound", name, "--data", self.server.data, check=True)
        self.server.cli("client", "networks", "lab.bound", "--allow", LIST, "--data", self.server.data, check=True)
        revoked = ask(OUTSIDE, "revoke", token=token)
        self.assertEqual(revoked.status, 200, "what takes is taken from anywhere")
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token, source=INSIDE).status, 401)

    def test_N05_a_list_that_cannot_be_held_to_is_refused_and_changes_nothing(self):
        applications.App(self.server, "careful", "user/*.rs")
        for what in (("--allow", "nowhere"), ("--allow", "10.0.0.1/8"), ("--allow", ""), (), ("--clear", "--allow", LIST)):
            self.assertNotEqual(self.bind("careful", *what).returncode, 0, what)
        for body in ({"client_id": "careful", "networks": []}, {"client_id": "careful", "networks": [1]},
                     {"client_id": "nobody", "networks": [LIST]}):
            reply = self.server.socket_request("POST", "/admin/clients/networks", body, self.server.admin())
            self.assertIn(reply.status, (400, 404), body)
        shown = json.loads(self.server.cli("client", "show", "careful", "--json", "--data", self.server.data).stdout)
        self.assertNotIn("networks", shown)


class ApplicationRates(harness.TestCase):
    config = "[rates]\nperson = 0\napplication = 2\n"

    def test_W03_an_application_is_held_for_all_its_people_together_and_nobody_else_is(self):
        app = applications.App(self.server, "busy", "user/*.rs")
        quiet = applications.App(self.server, "quiet", "user/*.rs", redirect="https://quiet.example.org/cb")
        people = [self.server.person(name, "doctor") for name in ("dr.one", "dr.two")]
        tokens = [app.launch(person, scope="user/*.rs")["access_token"] for person in people]
        other = quiet.launch(people[0], scope="user/*.rs")["access_token"]
        session = self.server.token_of(people[0])
        mark = self.server.audit_size()
        statuses = []
        with self.server.connect() as connection:
            for i in range(60):
                reply = connection.request("GET", "/fhir/Patient/x", token=tokens[i % 2])
                statuses.append(reply.status)
        self.assertGreaterEqual(len([s for s in statuses if s != 429]), 20)
        self.assertEqual(statuses[-1], 429)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        self.assertEqual(json_of(reply)["issue"][0]["code"], "throttled")
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=other).status, 429, "another application")
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=session).status, 429, "the person himself")
        time.sleep(int(reply.headers["retry-after"]) + 0.5)
        self.assertNotEqual(self.server.request("GET", "/fhir/Patient/x", token=tokens[0]).status, 429)
        limited = [e for e in self.server.audit_after(mark) if e["event"] == "over-limit"]
        single = [e for e in limited if "client" in e]  # beyond 20 in a second they are counted
        self.assertTrue(single)
        self.assertEqual({(e["client"], e["reason"]) for e in single},
                         {("busy", "too many requests of this application: slow down")})
        self.assertEqual({e["user"] for e in single}, {"dr.one", "dr.two"})

    def test_W03_a_service_is_held_by_the_rate_of_services(self):
        with applications.folder() as folder:
            client = applications.Client(self.server, "lab.fast", applications.Key(folder), "system/*.rs", "exporter")
            token = client.token()
        with self.server.connect() as connection:
            for _ in range(120):
                self.assertNotEqual(connection.request("GET", "/fhir/Patient/x", token=token).status, 429)

    def test_W03_the_rate_of_a_person_counts_beside_that_of_his_application(self):
        server = self.new_server(config="[rates]\nperson = 2\napplication = 0\n")
        server.start()
        app = applications.App(server, "held", "user/*.rs")
        person = server.person("dr.held", "doctor")
        token = app.launch(person, scope="user/*.rs")["access_token"]
        with server.connect() as connection:
            statuses = [connection.request("GET", "/fhir/Patient/x", token=token).status for _ in range(60)]
        self.assertEqual(statuses[-1], 429)


if __name__ == "__main__":
    unittest.main()

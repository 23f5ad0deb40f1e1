"""Emergency mode: accounts whose credential lies printed in a safe are signed in to when nothing else works, and read.
REQUIREMENTS S-03, C-14. The OpenID provider of the configuration is an address where nobody listens."""

import json
import pathlib
import tempfile
import time
import unittest
import uuid

import harness
from applications import App
from harness import json_of
from test_decisions import ACT, consent, label, observation
from test_termination import UnderLoad

REASON = "provider and second factors are down"


class Envelope:
    """An emergency account and what was printed when it was made."""

    def __init__(self, name, printed):
        self.name, self.id = name, printed["id"]
        self.password, self.spare = printed["passphrase"], list(printed["codes"])


class Emergency(harness.TestCase):
    policy = "hospital"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tacenda-provider-")
        cls.addClassCleanup(cls.folder.cleanup)
        secret = pathlib.Path(cls.folder.name, "secret")
        secret.write_text("a secret")
        # The discard port: nobody listens there.
        cls.config = harness.UNLIMITED + (
            f'[openid]\nissuer = "https://127.0.0.1:9"\nclient-id = "tacenda"\nclient-secret-file = "{secret}"\n'
            'second-factor-acr = ["urn:example:mfa"]\n')
        super().setUpClass()
        server = cls.server
        server.let_the_administrator_read("review-access")
        cls.signed_in = time.monotonic()
        cls.loader = server.service("loader", "loader")
        cls.practitioner = cls.make({"resourceType": "Practitioner", "active": True})
        cls.token = server.token_of(server.person("dr", "doctor"))
        server.cli("user", "practitioner", "dr", "--id", cls.practitioner, "--data", server.data, check=True)

    def setUp(self):
        # An administrative act needs a second factor of the last five minutes.
        if time.monotonic() - self.signed_in > 120:
            self.server.sign_in_admin()
            type(self).signed_in = time.monotonic()
        self.p1 = self.make({"resourceType": "Patient", "name": [{"family": "F" + uuid.uuid4().hex}]})
        self.finding = self.make(observation(self.p1, meta=label("R")))
        self.addCleanup(self.admin, "emergency", "off", check=False)

    @classmethod
    def make(cls, resource):
        return cls.server.create(resource, cls.loader)

    def admin(self, *arguments, check=True):
        self.server.admin()
        done = self.server.cli(*arguments, "--data", self.server.data, check=check)
        return done.stdout

    def status(self):
        return json.loads(self.server.cli("status", "--json", "--data", self.server.data, check=True).stdout)

    def sealed(self, role="doctor"):
        name = "er-" + uuid.uuid4().hex[:8]
        return Envelope(name, json.loads(self.admin("user", "add", name, "--emergency", "--role", role, "--json")))

    def turn_on(self, *more):
        return self.admin("emergency", "on", "--reason", REASON, *more)

    def open(self, envelope, source=None, **changes):
        body = {"user": envelope.name, "password": envelope.password, **changes}
        if "recovery_code" not in body:
            body["recovery_code"] = envelope.spare.pop()
        return self.server.request("POST", "/auth/login", body, source=source)

    def token_of(self, envelope):
        reply = self.open(envelope)
        self.assertEqual(reply.status, 200, reply)
        return json_of(reply)["access_token"]

    def ask(self, token, path, method="GET", body=None, headers=None):
        return self.server.request(method, "/fhir/" + path, body, token, headers)

    def reads(self, token):
        status = self.ask(token, "Patient/" + self.p1).status
        self.assertIn(status, (200, 401))
        return status == 200

    # --- while it is off ---

    def test_S03_off_the_right_credential_is_refused_as_a_wrong_one(self):
        envelope = self.sealed()
        before = self.server.audit_size()
        alike = lambda reply: (reply.status, reply.body, {k: v for k, v in reply.headers.items()  # noqa: E731
                                                          if k not in ("date", "x-request-id")})
        right = alike(self.open(envelope))
        self.assertEqual(right[0], 401)
        self.assertEqual(right, alike(self.open(envelope, password="wrong")))
        self.assertEqual(right, alike(self.open(Envelope("nobody", {"id": "", "passphrase": envelope.password,
                                                                    "codes": envelope.spare}))))
        reasons = [e["reason"] for e in self.server.audit_after(before) if e["event"] == "login-failed"]
        self.assertEqual(["emergency" in reason for reason in reasons], [True, True, False], "for the log alone")
        self.assertNotIn("emergency", self.status())

    def test_S03_what_is_printed_is_shown_once_and_stored_nowhere(self):
        printed = self.admin("user", "add", "printed", "--emergency", "--role", "nurse")
        codes = [line.strip() for line in printed.splitlines() if line.startswith("  ")]
        passphrase = [line.split()[-1] for line in printed.splitlines() if line.startswith("passphrase")][0]
        self.assertEqual((len(codes), len(set(codes)), len(passphrase)), (10, 10, 39))
        listed = self.admin("user", "list", "--json")
        for secret in (passphrase, *codes):
            self.assertNotIn(secret, listed)
        self.assertEqual(harness.find_canaries([self.server.data], [passphrase, codes[0]]), [])
        self.assertIn("sealed", self.admin("user", "list"))

    def test_S03_no_other_account_is_made_an_emergency_account(self):
        for arguments in (("--role", "clerk"), ("--role", "patient", "--patient", self.p1), ("--role", "administrator"),
                          ("--role", "doctor", "--service")):
            name = "no-" + uuid.uuid4().hex[:8]
            made = self.server.cli("user", "add", name, "--emergency", *arguments, "--data", self.server.data)
            self.assertNotEqual(made.returncode, 0, arguments)
        envelope = self.sealed()
        for arguments in (("renew",), ("link", "--external-id", "7f3a"), ("link", "--subject", "s")):
            done = self.server.cli("user", arguments[0], envelope.name, *arguments[1:], "--data", self.server.data)
            self.assertNotEqual(done.returncode, 0, arguments)
        self.assertNotEqual(self.server.cli("user", "reseal", "dr", "--data", self.server.data).returncode, 0)

    def test_S03_C13_its_use_is_an_alert_and_a_task(self):
        envelope = self.sealed()
        self.turn_on()
        self.token_of(envelope)
        end = time.monotonic() + harness.PATIENCE
        found = {}
        while set(found) != {"emergency", "emergency-mode"} and time.monotonic() < end:
            raised = json.loads(self.admin("alerts", "list", "--open", "--json"))
            found = {each["rule"]: each for each in raised
                     if each["rule"] == "emergency-mode" or each.get("user") == envelope.name}
        self.assertEqual(set(found), {"emergency", "emergency-mode"})
        task, = [each for each in json.loads(self.admin("emergency", "list", "--open", "--json"))["emergencies"]
                 if each["user"] == envelope.name]
        self.admin("emergency", "review", task["id"], "--finding", "the provider was down")
        while any(each["id"] == found["emergency"]["id"] for each in json.loads(
                self.admin("alerts", "list", "--open", "--json"))) and time.monotonic() < end:
            time.sleep(0.1)
        self.assertNotIn(found["emergency"]["id"],
                         [each["id"] for each in json.loads(self.admin("alerts", "list", "--open", "--json"))])

    # --- while it is on ---

    def test_S03_with_the_provider_down_a_sealed_account_reads_and_does_nothing_else(self):
        server = self.server
        envelope = self.sealed()
        self.assertEqual(server.request("POST", "/auth/openid/begin", {}).status, 503)
        before = server.audit_size()
        server.stop()
        server.start(more=["--emergency", REASON])
        self.assertEqual(self.status()["emergency"]["state"], "on")
        token = self.token_of(envelope)

        record = "Patient/" + self.p1
        for path in (record, record + "/_history/1", record + "/_history", record + "/$everything",
                     "Observation/" + self.finding, f"Observation?subject={record}", "Patient?_id=" + self.p1):
            self.assertEqual(self.ask(token, path).status, 200, path)
        found = json_of(self.ask(token, f"Observation?subject={record}"))
        self.assertEqual([each["resource"]["id"] for each in found["entry"]], [self.finding])

        resource = {"resourceType": "Patient", "id": self.p1}
        entry = {"resource": observation(self.p1), "request": {"method": "POST", "url": "Observation"}}
        patch = [{"op": "add", "path": "/active", "value": True}]
        asynchronous = {"Prefer": "respond-async"}
        for method, path, body, headers in (
                ("PUT", record, resource, {}), ("POST", "Patient", {"resourceType": "Patient"}, {}),
                ("DELETE", record, None, {}), ("POST", "Observation", observation(self.p1), {}),
                ("PATCH", record, patch, {"Content-Type": "application/json-patch+json"}),
                ("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, {}),
                ("POST", "Consent", consent(self.p1, "OPTIN"), {}),
                ("GET", "$export", None, asynchronous), ("GET", "Patient/$export", None, asynchronous),
                ("GET", "Patient/_history", None, {}), ("GET", "_history", None, {}), ("GET", "AuditEvent", None, {}),
                ("POST", record + "/$break-glass", {"resourceType": "Parameters", "parameter": [
                    {"name": "reason", "valueString": "why not"}]}, {}),
                ("GET", record, None, {"X-Purpose-Of-Use": "TREAT"})):
            self.assertEqual(self.ask(token, path, method, body, headers).status, 403, (method, path, headers))
        batch = self.ask(token, "", "POST", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})
        self.assertEqual(json_of(batch)["entry"][0]["response"]["status"][:3], "403")
        for method, path in (("POST", "/auth/step-up"), ("POST", "/auth/password"), ("POST", "/auth/recovery-codes"),
                             ("POST", "/auth/passkeys/register/options"), ("GET", "/auth/account"),
                             ("GET", "/auth/sessions")):
            self.assertEqual(server.request(method, path, {} if method == "POST" else None, token).status, 403, path)
        for method, path in (("GET", "/admin/users"), ("GET", "/admin/audit"), ("POST", "/admin/emergency/on"),
                             ("POST", "/admin/users"), ("POST", "/admin/seal")):
            body = {"reason": REASON, "name": "x", "role": "doctor"} if method == "POST" else None
            self.assertEqual(server.socket_request(method, path, body, token).status, 403, path)
        self.assertEqual(json_of(self.ask(token, record)).get("meta", {})["versionId"], "1", "nothing was written")

        entries = server.audit_after(before)
        started = [e for e in entries if e["event"] == "emergency-mode-on"]
        self.assertEqual([(e["user"], e["new_value"]) for e in started], [("system", REASON)])
        own = [e for e in entries if e.get("user") == envelope.name]
        self.assertEqual(own[0]["event"], "emergency-sign-in")
        self.assertEqual(own[0]["new_value"], REASON)
        self.assertEqual({e["authentication"] for e in own}, {"sealed credential"})
        reads = [e for e in own if e["event"] in ("read", "vread", "search") and not e.get("reason")]
        self.assertGreaterEqual(len(reads), 5)
        self.assertEqual({(e["purpose_of_use"], e["explained_by"]) for e in reads if e.get("patients")},
                         {("ETREAT", "emergency")})
        self.assertEqual({e["event"] for e in own if e.get("reason")} & {"create", "update", "delete", "export-started"},
                         {"create", "update", "delete", "export-started"}, "what was refused is in the log")

    def test_S03_C14_what_is_denied_for_emergencies_stays_closed(self):
        token = (self.turn_on(), self.token_of(self.sealed()))[1]
        optout, denied = self.p1, self.make({"resourceType": "Patient"})
        self.make(consent(optout, "OPTOUT"))
        self.make(consent(denied, "OPTIN", {"provision": [{"type": "deny", "purpose": [{"system": ACT, "code": "ETREAT"}]}]}))
        notes = self.make(observation(optout, meta=label("PSYTHPN")))
        secret = self.make(observation(optout, meta=label("V", "HIV")))
        part2 = self.make(observation(optout, meta=label("42CFRPart2")))  # nobody wrote what 42 CFR 2.51 wants
        for path, status in (("Patient/" + optout, 200), ("Patient/" + denied, 404), ("Observation/" + notes, 404), ("Observation/" + part2, 404),
                             ("Observation/" + secret, 200), ("Observation/" + self.finding, 200)):
            self.assertEqual(self.ask(token, path).status, status, path)
        found = json_of(self.ask(token, f"Observation?subject=Patient/{optout}"))
        self.assertEqual({each["resource"]["id"] for each in found["entry"]}, {secret, self.finding})
        self.assertEqual(json_of(self.ask(token, f"Patient?_id={denied}&_total=accurate"))["total"], 0)

    def test_S03_normal_users_have_the_rights_they_had(self):
        own = self.make({"resourceType": "Patient"})
        self.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
                   "subject": {"reference": "Patient/" + own},
                   "participant": [{"individual": {"reference": "Practitioner/" + self.practitioner}}]})
        rights = lambda: (self.ask(self.token, "Patient/" + own).status, self.ask(self.token, "Patient/" + self.p1).status,  # noqa: E731
                          self.ask(self.token, "Observation", "POST", observation(own)).status,
                          self.ask(self.token, "Patient/" + own, "DELETE").status,
                          self.ask(self.token, "$export", headers={"Prefer": "respond-async"}).status)
        before = rights()
        self.assertEqual(before, (200, 404, 201, 403, 403))
        self.turn_on()
        self.assertEqual(rights(), before)
        self.assertEqual(self.server.log_in(self.server.person("nurse-" + uuid.uuid4().hex[:6], "nurse")).status, 200)

    def test_S03_guesses_are_held_back_by_account_and_address(self):
        envelope = self.sealed()
        self.turn_on()
        for _ in range(5):
            self.assertEqual(self.open(envelope, "127.0.3.1", password="guess", recovery_code="guess").status, 401)
        code = envelope.spare[-1]
        self.assertEqual(self.open(envelope, "127.0.3.1", recovery_code=code).status, 401)
        self.assertEqual(self.open(envelope, "127.0.3.2", recovery_code=code).status, 200)
        self.assertEqual(self.open(envelope, "127.0.3.2", recovery_code=code).status, 401, "each code is good once")

    def test_S03_an_application_of_it_reads_too_and_ends_with_it(self):
        app = App(self.server, "er-app", "user/*.cruds offline_access")
        envelope = self.sealed()
        self.turn_on()
        answer = app.launch(envelope, scope="user/*.cruds offline_access")
        token = answer["access_token"]
        self.assertTrue(self.reads(token))
        self.assertEqual(self.ask(token, "Observation", "POST", observation(self.p1)).status, 403)
        self.admin("emergency", "off")
        self.assertFalse(self.reads(token))
        self.assertEqual(app.refresh(answer["refresh_token"]).status, 400)

    # --- its end ---

    def test_S03_off_ends_every_session_and_what_was_opened_is_not_good_again(self):
        opened, kept = self.sealed(), self.sealed()
        self.turn_on()
        tokens = [self.token_of(opened), self.token_of(opened)]
        self.assertTrue(all(map(self.reads, tokens)), "the credential is good for the whole emergency")
        self.turn_on("--hours", "48")
        self.assertTrue(self.reads(self.token_of(opened)), "prolonged")
        self.admin("emergency", "off")
        self.assertFalse(any(map(self.reads, tokens)))
        self.assertEqual(self.open(opened).status, 401)
        self.turn_on()
        self.assertEqual(self.open(opened).status, 401, "used in an earlier emergency")
        self.assertTrue(self.reads(self.token_of(kept)))
        anew = Envelope(opened.name, json.loads(self.admin("user", "reseal", opened.name, "--json")))
        self.assertEqual(self.open(opened).status, 401)
        self.assertTrue(self.reads(self.token_of(anew)))

    def test_S03_nothing_is_read_behind_the_end(self):
        envelope = self.sealed()
        self.turn_on()
        token = self.token_of(envelope)
        before = self.server.audit_size()
        readers = [UnderLoad(self.server, lambda c: c.request("GET", "/fhir/Patient/" + self.p1, token=token).status)
                   for _ in range(4)]
        for reader in readers:
            reader.start()
        while not all(reader.noted for reader in readers):
            time.sleep(0.01)
        self.admin("emergency", "off")
        for reader in readers:
            count = len(reader.noted)
            while len(reader.noted) < count + 3:
                time.sleep(0.01)
            reader.stopped.set()
            reader.join()
            self.assertEqual(reader.noted[-1][1], 401)
        entries = self.server.audit_after(before)
        end = [e["sequence"] for e in entries if e["event"] == "emergency-mode-off"][0]
        read = [e["sequence"] for e in entries if e["event"] == "read" and not e.get("reason")]
        self.assertGreater(len(read), 0)
        self.assertLess(max(read), end)

    def test_S03_each_use_is_reviewed_by_somebody_else(self):
        envelope = self.sealed()
        self.turn_on()
        self.token_of(envelope), self.token_of(envelope)
        open_tasks = lambda: [each for each in json.loads(self.admin("emergency", "list", "--open", "--json"))["emergencies"]  # noqa: E731
                              if each["user"] == envelope.name]
        tasks = open_tasks()
        self.assertEqual([(each["reason"], "patient" in each) for each in tasks], [(REASON, False)], "one each emergency")
        self.assertIn("every patient", self.admin("emergency", "list"))
        signed = [e for e in self.server.audit() if e["event"] == "emergency-sign-in" and e["user"] == envelope.name]
        self.assertEqual(signed[0]["target"], tasks[0]["id"])
        self.admin("emergency", "off")
        self.admin("emergency", "review", tasks[0]["id"], "--finding", "the provider was down, two patients seen")
        self.assertEqual(open_tasks(), [])

    def test_S03_a_restart_and_kill_9_in_the_middle(self):
        server, envelope = self.server, self.sealed()
        self.turn_on()
        token = self.token_of(envelope)
        server.kill()
        server.start()
        self.assertEqual(self.status()["emergency"]["state"], "on")
        self.assertTrue(self.reads(token))
        self.assertTrue(self.reads(self.token_of(envelope)))
        self.admin("emergency", "off")
        server.kill()
        server.start()
        self.assertNotIn("emergency", self.status())
        self.assertFalse(self.reads(token))
        self.assertEqual(self.open(envelope).status, 401)
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_S03_an_order_needs_a_reason_and_an_end(self):
        for reason in (" ", "x" * 2001):
            started = self.server.cli("serve", "--emergency", reason, "--data", self.server.data)
            self.assertEqual(started.returncode, 2, started.stderr)
        for arguments in (("--reason", " "), ("--reason", REASON, "--hours", "73"), ("--reason", REASON, "--hours", "0"), ()):
            done = self.server.cli("emergency", "on", *arguments, "--data", self.server.data)
            self.assertNotEqual(done.returncode, 0, arguments)
        for body in ({"reason": REASON, "hours": 1e9}, {"reason": REASON, "hours": "1"}, {"reason": REASON, "hours": -1}, {}):
            reply = self.server.socket_request("POST", "/admin/emergency/on", body, self.server.admin())
            self.assertIn(reply.status, (400, 422), body)
        self.assertNotIn("emergency", self.status())
        self.assertNotEqual(self.server.cli("emergency", "off", "--data", self.server.data).returncode, 0, "it is off")
        doctor = self.server.socket_request("POST", "/admin/emergency/on", {"reason": REASON}, self.token)
        self.assertEqual(doctor.status, 403)


if __name__ == "__main__":
    unittest.main()

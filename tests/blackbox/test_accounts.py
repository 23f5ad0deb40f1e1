"""What people do with their own accounts, and what is demanded of them (K-03, K-04, K-06, N-02, N-05, S-04, M17, W-03)."""

import base64
import datetime
import hashlib
import json
import subprocess
import tempfile
import time
import unittest

import applications
import harness
from harness import PASSWORD, json_of


class OwnAccount(harness.TestCase):
    def session(self, name):
        person = self.server.person(name, "doctor")
        return person, self.server.token_of(person)

    def call(self, method, path, token, body=None, **more):
        return self.server.request(method, path, body, token=token, **more)

    def test_K06_another_password_ends_every_other_session_and_gives_a_new_one(self):
        person, first = self.session("dr.changes")
        second = self.server.token_of(person)
        mark = self.server.audit_size()
        body = {"password": PASSWORD, "totp": person.code(), "new_password": "an orchard of slow umbrellas"}
        reply = self.call("POST", "/auth/password", second, body)
        self.assertEqual(reply.status, 200, reply.body)
        for old in (first, second):
            self.assertEqual(self.call("GET", "/auth/account", old).status, 401)
        self.assertEqual(self.call("GET", "/auth/account", json_of(reply)["access_token"]).status, 200)
        self.assertIn("password-changed", [entry["event"] for entry in self.server.audit_after(mark)])
        self.assertEqual(self.server.log_in(person, source="127.0.2.1").status, 401)
        person.password = body["new_password"]
        reply = self.server.log_in(person, source="127.0.2.2")
        self.assertEqual(reply.status, 200)
        self.assertIn("the password was changed", [notice["text"] for notice in json_of(reply)["notices"]])

    def test_a_refused_password_is_told_with_score_and_advice(self):
        person, token = self.session("dr.weak")
        body = {"password": PASSWORD, "totp": person.code(), "new_password": "Password1"}
        reply = self.call("POST", "/auth/password", token, body)
        self.assertEqual(reply.status, 422)
        issues = json_of(reply)["issue"]
        self.assertIn("easily guessed", issues[0]["diagnostics"])
        self.assertIn(issues[1]["details"]["coding"][0]["code"], ("0", "1"))
        self.assertIn("common word", issues[1]["diagnostics"])
        self.assertNotIn(b"Password1", reply.body)
        self.assertEqual(self.call("POST", "/auth/password", token, {**body, "new_password": "onyx lantern 55 quilt"}).status,
                         200, "the refusal used the code up")

    def test_K04_recovery_codes_are_shown_once_and_good_once(self):
        code = self.server.invite("dr.recovers", "doctor")["enrolment_code"]
        person = harness.Person("dr.recovers", PASSWORD)
        begun = json_of(self.server.request("POST", "/auth/enrol", {"code": code, "password": PASSWORD}))
        person.secret = begun["otpauth"].split("secret=")[1].split("&")[0]
        self.assertGreaterEqual(begun["password_score"], 3)
        done = json_of(self.server.request("POST", "/auth/enrol/confirm", {"code": code, "totp": person.code()}))
        codes = done["recovery_codes"]
        self.assertEqual(len(set(codes)), 10)
        self.assertTrue(all(len(code.replace("-", "")) * 5 >= 64 for code in codes))
        mark = self.server.audit_size()
        body = {"user": person.name, "password": PASSWORD, "recovery_code": codes[4]}
        reply = self.server.request("POST", "/auth/login", body)
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.server.request("POST", "/auth/login", body, source="127.0.3.1").status, 401)
        events = [(entry["event"], entry["outcome"]) for entry in self.server.audit_after(mark)]
        self.assertEqual(events, [("recovery-code-used", 0), ("login-failed", 4)])
        account = json_of(self.call("GET", "/auth/account", json_of(reply)["access_token"]))
        self.assertEqual(account["recovery_codes_left"], 9)
        self.assertIn("a recovery code was used to sign in", [notice["text"] for notice in account["notices"]])
        again = self.server.log_in(person)
        self.assertIn("a recovery code was used to sign in", [n["text"] for n in json_of(again)["notices"]])
        made = json_of(self.call("POST", "/auth/recovery-codes", json_of(again)["access_token"], {}))["recovery_codes"]
        self.assertEqual(self.server.request("POST", "/auth/login", {**body, "recovery_code": codes[0]},
                                             source="127.0.3.2").status, 401, "the new ones end the old ones")
        self.assertEqual(self.server.request("POST", "/auth/login", {**body, "recovery_code": made[0].lower()}).status, 200)

    def test_O10_no_recovery_code_and_no_session_lies_readable_in_the_store(self):
        server = self.new_server().start()
        person = server.person("dr.stored", "doctor")
        token = server.token_of(person)
        codes = json_of(server.request("POST", "/auth/recovery-codes", {}, token=token))["recovery_codes"]
        server.stop()
        plain = [code.replace("-", "") for code in codes]
        self.assertEqual(harness.find_canaries([server.data, server.out, server.err], [*codes, *plain, token]), [])

    def test_O10_no_code_and_no_token_of_an_application_or_a_service_lies_readable_in_the_store(self):
        server = self.new_server().start()
        person = server.person("dr.allows", "doctor")
        person.session = server.token_of(person)
        scope = "user/*.rs offline_access"
        app = applications.App(server, "stored.app", scope)
        used, waiting = (app.code(person, scope=scope) for _ in range(2))
        answer = json_of(app.fetch(used))
        service = server.service("stored.loader", "loader")
        for token in (answer["access_token"], service, server.admin()):
            self.assertNotEqual(server.request("GET", "/fhir/Patient/nobody", token=token).status, 401)
        server.stop()
        secrets = [used, waiting, answer["access_token"], answer["refresh_token"], service, server.admin_token]
        self.assertEqual(harness.find_canaries([server.data, server.out, server.err], secrets), [])

    def test_K06_sessions_are_listed_and_ended_by_their_owner(self):
        person, first = self.session("dr.sessions")
        second = self.server.token_of(person)
        _, stranger = self.session("dr.stranger")
        listed = json_of(self.call("GET", "/auth/sessions", second))["sessions"]
        self.assertEqual(len(listed), 2)
        self.assertEqual([one["this"] for one in listed].count(True), 1)
        self.assertNotIn(first, json.dumps(listed))
        other = next(one for one in listed if not one["this"])
        self.assertEqual(other["address"], "127.0.0.1")
        self.assertEqual(self.call("DELETE", f"/auth/sessions/{other['id']}", stranger).status, 404)
        self.assertEqual(self.call("GET", "/auth/account", first).status, 200)
        self.assertEqual(self.call("DELETE", f"/auth/sessions/{other['id']}", second).status, 204)
        self.assertEqual(self.call("GET", "/auth/account", first).status, 401)
        self.assertEqual(self.call("GET", "/auth/account", second).status, 200)

    def test_K06_a_step_up_gives_a_new_session_id_and_ends_the_old(self):
        person, token = self.session("dr.steps")
        wrong = self.call("POST", "/auth/step-up", token, {"totp": "000000"})
        self.assertEqual(wrong.status, 401)
        reply = self.call("POST", "/auth/step-up", token, {"totp": person.code()})
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.call("GET", "/auth/account", token).status, 401)
        self.assertEqual(self.call("GET", "/auth/account", json_of(reply)["access_token"]).status, 200)

    def test_K06_who_has_logged_out_comes_in_no_more_with_the_token_of_then(self):
        server = self.new_server().start()
        person = server.person("dr.leaves", "doctor")
        left, stays = server.token_of(person), server.token_of(person)

        def replayed():
            return [server.request(method, path, body, token=left).status for method, path, body in (
                ("GET", "/auth/account", None), ("GET", "/fhir/Patient/nobody", None), ("POST", "/auth/logout", {}),
                ("POST", "/auth/step-up", {"totp": "000000"}))]

        self.assertEqual(server.request("GET", "/auth/account", token=left).status, 200)
        self.assertEqual(server.request("POST", "/auth/logout", {}, token=left).status, 204)
        self.assertEqual(set(replayed()), {401})
        self.assertEqual(server.request("GET", "/auth/account", token=stays).status, 200, "that one alone has ended")
        server.kill()
        server.start()
        self.assertEqual(set(replayed()), {401}, "also after a crash")
        self.assertEqual(server.request("GET", "/auth/account", token=stays).status, 200)

    def test_K04_a_service_account_has_none_of_it(self):
        token = self.server.service("loader.own", "loader")
        for method, path in (("GET", "/auth/account"), ("GET", "/auth/sessions"), ("POST", "/auth/recovery-codes"),
                             ("GET", "/auth/passkeys"), ("POST", "/auth/passkeys/register/options")):
            self.assertEqual(self.call(method, path, token, {} if method == "POST" else None).status, 403, path)

    def test_the_awareness_texts_are_acknowledged_and_listed(self):
        person, token = self.session("dr.reads")
        topics = json_of(self.call("GET", "/auth/awareness", token))["topics"]
        self.assertEqual({topic["topic"] for topic in topics}, {"strong-passwords", "phishing"})
        mark = self.server.audit_size()
        self.assertEqual(self.call("POST", "/auth/awareness/juggling", token, {"version": 1}).status, 404)
        self.assertEqual(self.call("POST", "/auth/awareness/phishing", token, {"version": 99}).status, 409)
        version = next(topic["version"] for topic in topics if topic["topic"] == "phishing")
        self.assertEqual(self.call("POST", "/auth/awareness/phishing", token, {"version": version}).status, 204)
        told = [entry for entry in self.server.audit_after(mark) if entry["event"] == "awareness-acknowledged"]
        self.assertEqual([entry["outcome"] for entry in told], [4, 4, 0])
        self.assertEqual((told[-1]["target"], told[-1]["new_value"]), ("phishing", str(version)))
        listed = json.loads(self.server.cli("user", "list", "--json", "--data", self.server.data, check=True).stdout)
        of_him = next(user for user in listed["users"] if user["name"] == person.name)
        self.assertEqual([topic["topic"] for topic in of_him["awareness"]], ["phishing"])


class Proxies(harness.TestCase):
    policy = "hospital"

    def until(self, name, *arguments):
        return self.server.cli("user", "until", name, *arguments, "--data", self.server.data)

    def test_who_acts_for_a_patient_does_so_for_a_time(self):
        patient = json_of(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"},
                                              self.server.service("loader", "loader")))["id"]
        add = ("user", "add", "guardian", "--role", "proxy", "--patient", patient, "--data", self.server.data)
        self.assertNotEqual(self.server.cli(*add).returncode, 0)
        self.assertNotEqual(self.server.cli(*add, "--until", "2001-01-01").returncode, 0, "over before it begins")
        self.assertNotEqual(self.server.cli(*add, "--until", "soon").returncode, 0)
        self.server.cli(*add, "--until", "2100-01-01", check=True)
        self.assertNotEqual(self.until("guardian", "--never").returncode, 0)
        self.assertNotEqual(self.until("guardian").returncode, 0)
        listed = json.loads(self.server.cli("user", "list", "--json", "--data", self.server.data, check=True).stdout)
        self.assertEqual(next(u for u in listed["users"] if u["name"] == "guardian")["until"][:10], "2100-01-01")


class Ends(harness.TestCase):
    def until(self, name, *arguments):
        return self.server.cli("user", "until", name, *arguments, "--data", self.server.data)

    def test_S11_an_account_ends_by_itself_with_all_it_has_open(self):
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)).isoformat()
        person = self.server.person("locum", "doctor")
        token = self.server.token_of(person)
        mark = self.server.audit_size()
        self.assertEqual(self.until("locum", "--date", soon).returncode, 0)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 200)
        time.sleep(7)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 401)
        self.assertEqual(self.server.log_in(person).status, 401)
        self.assertEqual(self.until("locum", "--never").returncode, 0)
        self.assertEqual(self.server.log_in(person).status, 200)
        changed = [e for e in self.server.audit_after(mark) if e["event"] == "role-changed"]
        self.assertEqual([e["old_value"] for e in changed][0], "until: never")
        self.assertEqual([e["new_value"] for e in changed][1], "until: never")


class Sessions(harness.TestCase):
    config = "[sessions]\nidle-seconds = 8\nabsolute-seconds = 60\n"

    def test_S04_a_session_ends_when_it_is_idle_as_long_as_configured(self):
        person = self.server.person("dr.idle", "doctor")
        token = self.server.token_of(person)
        codes = json_of(self.server.request("POST", "/auth/recovery-codes", {}, token=token))["recovery_codes"]
        body = {"user": person.name, "password": PASSWORD, "recovery_code": codes[0]}
        other = json_of(self.server.request("POST", "/auth/login", body))["access_token"]
        time.sleep(5)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 200)
        time.sleep(5)
        self.assertEqual(self.server.request("GET", "/auth/account", token=other).status, 401,
                         "activity of one session does not extend another")
        time.sleep(5)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 401)
        self.server.token_of(person)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 401, "replayed")


class Networks(harness.TestCase):
    config = '[listener]\ntrusted-proxies = ["127.0.0.9"]\n'

    def test_N05_an_account_is_used_from_its_networks_alone(self):
        person = self.server.person("dr.placed", "doctor")
        token = self.server.token_of(person)
        service = self.server.service("lab.placed", "loader")
        mark = self.server.audit_size()
        for name in (person.name, "lab.placed"):
            self.server.cli("user", "networks", name, "--allow", "127.0.20.0/24", "--data", self.server.data, check=True)
        for held in (token, service):
            refused = self.server.request("GET", "/fhir/Patient/x", token=held)
            self.assertEqual(refused.status, 403)
            self.assertIn("this address", json_of(refused)["issue"][0]["diagnostics"])
            self.assertNotEqual(self.server.request("GET", "/fhir/metadata", token=held, source="127.0.20.5").status, 403)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token, source="127.0.20.5").status, 200)
        self.assertEqual(self.server.log_in(person).status, 401, "a failure as every other")
        self.assertEqual(self.server.log_in(person, source="127.0.20.5").status, 200)
        entries = self.server.audit_after(mark)
        changed = [entry for entry in entries if entry["event"] == "role-changed"]
        self.assertEqual([(e["old_value"], e["new_value"]) for e in changed],
                         [("networks: any", "networks: 127.0.20.0/24")] * 2)
        self.assertEqual([e["event"] for e in entries].count("address-refused"), 2)
        listed = json.loads(self.server.cli("user", "list", "--json", "--data", self.server.data, check=True).stdout)
        self.assertEqual(next(u for u in listed["users"] if u["name"] == person.name)["networks"], ["127.0.20.0/24"])
        self.server.cli("user", "networks", person.name, "--any", "--data", self.server.data, check=True)
        self.assertEqual(self.server.log_in(person).status, 200)

    def test_N05_a_forwarded_address_counts_only_from_a_trusted_proxy(self):
        person = self.server.person("dr.proxied", "doctor")
        self.server.cli("user", "networks", person.name, "--allow", "198.51.100.0/24", "--data", self.server.data, check=True)

        def try_it(source, forwarded):
            body = {"user": person.name, "password": person.password, "totp": person.code()}
            return self.server.request("POST", "/auth/login", body, source=source,
                                       headers={"X-Forwarded-For": forwarded}).status

        self.assertEqual(try_it("127.0.0.8", "198.51.100.7"), 401, "a stranger's word")
        self.assertEqual(try_it("127.0.0.9", "198.51.100.7, 203.0.113.1"), 401, "the left one is the client's word")
        mark = self.server.audit_size()
        self.assertEqual(try_it("127.0.0.9", "203.0.113.1, 198.51.100.7"), 200)
        entry = next(e for e in self.server.audit_after(mark) if e["event"] == "login")
        self.assertEqual(entry["network"], "127.0.0.9", "A-05: the peer of the connection")


class Rates(harness.TestCase):
    config = "[rates]\nperson = 2\naddress = 3\n"

    def test_W03_who_asks_too_often_is_told_to_wait(self):
        person = self.server.person("dr.quick", "doctor")
        token = self.server.token_of(person)
        mark = self.server.audit_size()
        statuses = []
        with self.server.connect() as connection:
            for _ in range(40):
                reply = connection.request("GET", "/auth/account", token=token)
                statuses.append(reply.status)
        self.assertGreaterEqual(statuses.count(200), 20)
        self.assertEqual(statuses[-1], 429)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        self.assertEqual(json_of(reply)["issue"][0]["code"], "throttled")
        time.sleep(1.5)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 200)
        # Others may have been held before, whose entries come late.
        limited = [e.get("user") for e in self.server.audit_after(mark) if e["event"] == "over-limit"]
        self.assertIn(person.name, limited)

    def test_W03_who_is_signed_in_is_held_where_there_is_nothing_too(self):
        token = self.server.token_of(self.server.person("dr.lost", "doctor"))
        with self.server.connect() as connection:
            statuses = [connection.request("GET", "/nothing/here", token=token).status for _ in range(40)]
        self.assertEqual(statuses[0], 404)
        self.assertEqual(statuses[-1], 429)

    def test_W03_an_address_that_nobody_signed_in_from_is_held_too_and_a_service_is_not(self):
        statuses = []
        with self.server.connect(source="127.0.30.1") as connection:
            for _ in range(60):
                reply = connection.request("GET", "/fhir/metadata")
                statuses.append(reply.status)
        self.assertEqual(statuses[0], 200)
        self.assertEqual(statuses[-1], 429)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        token = self.server.service("loader.quick", "loader")
        with self.server.connect(source="127.0.30.1") as connection:
            for _ in range(120):
                self.assertNotEqual(connection.request("GET", "/fhir/Patient/x", token=token).status, 429)


def base64url(text):
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """An authenticator in software, with openssl for its key (ES256), and the browser around it."""

    def __init__(self, origin, rp_id):
        self.origin, self.rp_id, self.count, self.id, self.handle = origin, rp_id, 0, b"black-box credential", b""
        self.folder = tempfile.TemporaryDirectory()
        self.key = self.folder.name + "/key.pem"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key], check=True)
        der = subprocess.run(["openssl", "ec", "-in", self.key, "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        self.x, self.y = der[-64:-32], der[-32:]

    def close(self):
        self.folder.cleanup()

    def client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def data(self, attested):
        flags = 0x45 if attested else 0x05
        data = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
        if not attested:
            return data
        key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + self.x + b"\x22\x58\x20" + self.y
        return data + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key

    def make(self, options):
        self.handle = from_base64url(options["user"]["id"])
        data = self.data(True)
        attestation = (b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data)
        return {"id": base64url(self.id), "type": "public-key", "response": {
            "clientDataJSON": base64url(self.client_data("webauthn.create", options["challenge"])),
            "attestationObject": base64url(attestation)}}

    def get(self, options):
        self.count += 1
        data, client = self.data(False), self.client_data("webauthn.get", options["challenge"])
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], check=True, capture_output=True,
                                   input=data + hashlib.sha256(client).digest()).stdout
        return {"id": base64url(self.id), "type": "public-key", "response": {
            "clientDataJSON": base64url(client), "authenticatorData": base64url(data),
            "signature": base64url(signature), "userHandle": base64url(self.handle)}}


class PasskeyCase(harness.TestCase):
    def authenticator(self, **changes):
        made = Authenticator(**{"origin": f"https://localhost:{self.server.port}", "rp_id": "localhost", **changes})
        self.addCleanup(made.close)
        return made

    def register(self, token, authenticator, name="phone"):
        options = json_of(self.server.request("POST", "/auth/passkeys/register/options", {}, token=token))
        self.assertEqual(options["attestation"], "none")
        self.assertEqual(options["authenticatorSelection"]["userVerification"], "required")
        return self.server.request("POST", "/auth/passkeys/register/verify",
                                   {"name": name, "credential": authenticator.make(options)}, token=token)

    def sign_in(self, authenticator, **more):
        options = json_of(self.server.request("POST", "/auth/passkeys/login/options", {}))
        self.assertEqual(options["allowCredentials"], [], "nobody can ask who has one")
        return self.server.request("POST", "/auth/passkeys/login/verify", {"credential": authenticator.get(options)},
                                   **more)


class Passkeys(PasskeyCase):
    def test_K04_a_passkey_signs_in_alone_also_after_a_restart(self):
        person = self.server.person("dr.key", "doctor")
        token = self.server.token_of(person)
        authenticator = self.authenticator()
        mark = self.server.audit_size()
        self.assertEqual(self.register(token, authenticator).status, 204)
        listed = json_of(self.server.request("GET", "/auth/passkeys", token=token))["passkeys"]
        self.assertEqual([one["name"] for one in listed], ["phone"])
        reply = self.sign_in(authenticator)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.server.request("GET", "/auth/account", token=json_of(reply)["access_token"]).status, 200)
        login = next(e for e in self.server.audit_after(mark) if e["event"] == "login")
        self.assertEqual((login["authentication"], login["user"]), ("passkey", person.name))
        self.server.stop()
        self.server.start()
        authenticator.origin = f"https://localhost:{self.server.port}"
        self.assertEqual(self.sign_in(authenticator).status, 200)

    def test_K04_what_is_not_exactly_right_is_refused_and_tells_nothing(self):
        person = self.server.person("dr.strict", "doctor")
        token = self.server.token_of(person)
        authenticator = self.authenticator()
        authenticator.id = b"another credential"
        self.assertEqual(self.register(token, authenticator).status, 204)
        self.assertEqual(self.register(token, authenticator).status, 409, "known already")
        seen = set()
        for change in ({"origin": "https://localhost.evil.example"}, {"rp_id": "evil.example"}, {"id": b"unknown"},
                       {"handle": b"somebody else"}, {"count": 0}):
            kept = dict(vars(authenticator))
            vars(authenticator).update(change)
            if "count" in change:
                authenticator.count = -1  # shows 0 after it has counted
                self.assertEqual(self.sign_in(authenticator).status, 200, "does not count yet")
                authenticator.count = 5
                self.assertEqual(self.sign_in(authenticator).status, 200)
                authenticator.count = 2
            reply = self.sign_in(authenticator)
            vars(authenticator).update(kept)
            self.assertEqual(reply.status, 401, change)
            seen.add(reply.body)
        self.assertEqual(len(seen), 1, seen)
        events = [entry["event"] for entry in self.server.audit()]
        self.assertEqual(events.count("passkey-counter-back"), 1)

    def test_K03_a_locked_account_still_signs_in_by_passkey(self):
        person = self.server.person("dr.besieged", "doctor")
        authenticator = self.authenticator()
        authenticator.id = b"besieged"
        self.assertEqual(self.register(self.server.token_of(person), authenticator).status, 204)
        for number in range(100):
            self.server.log_in(person, password="wrong and wrong again", totp="000000", source=f"127.0.7.{number // 4 + 1}")
        self.assertEqual(self.server.log_in(person, source="127.0.8.1").status, 401)
        self.assertEqual(self.sign_in(authenticator).status, 200)

    def test_K04_who_asks_for_many_challenges_keeps_nobody_from_signing_in(self):
        person = self.server.person("dr.flooded", "doctor")
        authenticator = self.authenticator()
        authenticator.id = b"flooded"
        self.assertEqual(self.register(self.server.token_of(person), authenticator).status, 204)
        with self.server.connect() as connection:
            replies = [connection.request("POST", "/auth/passkeys/login/options", {}) for _ in range(80)]
            self.assertEqual({reply.status for reply in replies}, {200})
            self.assertEqual(len({json_of(reply)["challenge"] for reply in replies}), 80)
            reply = connection.request("POST", "/auth/passkeys/login/verify",
                                       {"credential": authenticator.get(json_of(replies[-1]))})
            self.assertEqual(reply.status, 200, reply.body)

    def test_K04_the_sign_in_page_has_a_strict_policy(self):
        for path, kind in (("/auth/sign-in", "text/html"), ("/auth/sign-in.js", "text/javascript")):
            reply = self.server.request("GET", path)
            self.assertEqual((reply.status, reply.headers["content-type"].split(";")[0]), (200, kind))
            self.assertNotIn("unsafe", reply.headers["content-security-policy"])
            self.assertIn("script-src 'self'", reply.headers["content-security-policy"])
        html = self.server.request("GET", "/auth/sign-in").body.decode()
        self.assertNotIn("<script>", html)
        self.assertNotIn("style=", html)


class PasskeysAlone(PasskeyCase):
    """A role that takes no other second factor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.admin()
        shown = server.cli("policy", "show", "--data", server.data, check=True).stdout
        changed = shown.replace("[roles.doctor]\n", '[roles.doctor]\nfactors = ["passkey"]\n')
        assert shown != changed
        path = server.root / "policy.toml"
        path.write_text(changed)
        server.cli("policy", "set", path, "--data", server.data, check=True)

    def test_K04_a_weaker_session_makes_the_first_passkey_and_changes_no_factor_after_it(self):
        person = self.server.person("dr.strong", "doctor")
        weak = self.server.token_of(person)
        self.assertEqual(self.server.request("GET", "/fhir/Patient/x", token=weak).status, 403)
        first, second = self.authenticator(), self.authenticator()
        first.id, second.id = b"strong one", b"strong two"
        self.assertEqual(self.register(weak, first).status, 204)
        passkey = json_of(self.server.request("GET", "/auth/passkeys", token=weak))["passkeys"][0]["id"]
        for token, expected in ((weak, 403), (json_of(self.sign_in(first))["access_token"], 204)):
            self.assertEqual(self.register(token, second).status, expected)
            self.assertEqual(self.server.request("POST", "/auth/recovery-codes", {}, token=token).status,
                             200 if expected == 204 else 403)
            self.assertEqual(self.server.request("DELETE", "/auth/passkeys/" + passkey, token=token).status, expected)
        self.assertEqual(self.server.request("GET", "/auth/account", token=weak).status, 401, "K-06: it ended")
        self.assertEqual(self.sign_in(second).status, 200)
        self.assertEqual(self.sign_in(first).status, 401)


if __name__ == "__main__":
    unittest.main()

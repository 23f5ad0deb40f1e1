"""What runs out does run out: the clock of the server is moved with libfaketime (K-04, K-05, N-02, S-03, F-05, F-10, F-11, M17)."""

import json
import time
import unittest

import applications
import harness
from harness import json_of
from test_accounts import Authenticator


@unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
class Time(harness.TestCase):
    serve = False

    def setUp(self):
        # A store of its own for each: no test may meet the times that another one left behind.
        self.server = self.new_server("classic")

    def at(self, offset):
        return self.server.start_at(offset)

    def running(self):
        return self.server.start_with_moving_clock()

    def test_N02_an_administrative_act_needs_a_second_factor_of_the_last_five_minutes(self):
        self.at(0)
        token = self.server.admin()
        self.assertEqual(self.server.socket_request("GET", "/admin/users", token=token).status, 200)
        self.at(6 * 60)
        self.assertIn(self.server.socket_request("GET", "/admin/users", token=token).status, (401, 403))
        listed = self.server.cli("user", "list", "--data", self.server.data)
        self.assertEqual(listed.returncode, 4, listed.stderr)
        # Reading a record with the same session goes on: the act asks for more, the session has not ended.
        self.assertEqual(self.server.request("GET", "/fhir/Patient/nobody", token=token).status, 404)

    def test_N02_an_export_by_a_person_needs_a_second_factor_of_the_last_five_minutes(self):
        def kick_off(held):
            return self.server.request("GET", "/fhir/$export?_type=Patient", token=held,
                                       headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})

        self.at(0)
        token = self.server.admin()
        self.assertEqual(kick_off(token).status, 202)
        now = self.at(6 * 60)
        refused = kick_off(token)
        self.assertEqual(refused.status, 401)
        self.assertIn("insufficient_user_authentication", refused.headers["www-authenticate"])
        person = self.server.admin_person
        stepped = self.server.request("POST", "/auth/step-up", {"totp": person.code(now)}, token=token)
        self.assertEqual(stepped.status, 200)
        self.assertEqual(kick_off(json_of(stepped)["access_token"]).status, 202)

    def test_K04_sessions_tokens_and_invitations_end(self):
        server = self.server
        self.at(0)
        token = server.admin()
        service = server.service("ending", "doctor")
        code = server.invite("dr.tardy", "doctor")["enrolment_code"]
        asked = lambda held: server.request("GET", "/fhir/Patient/nobody", token=held).status  # noqa: E731
        self.assertEqual((asked(token), asked(service)), (404, 404))
        self.at(16 * 60)
        self.assertEqual((asked(token), asked(service)), (401, 404), "a session that nobody uses ends after 15 minutes")
        self.at(61 * 60)
        self.assertEqual(asked(service), 401, "a token ends after its hour")
        self.at(25 * 3600)
        reply = server.request("POST", "/auth/enrol", {"code": code, "password": harness.PASSWORD})
        self.assertEqual(reply.status, 401, "an invitation ends after a day")

    def test_K04_a_passkey_is_added_with_a_second_factor_of_the_last_five_minutes_alone(self):
        server, move = self.server, self.running()
        person = server.person("dr.key", "doctor")
        token = server.token_of(person)
        authenticator = Authenticator(f"https://localhost:{server.port}", "localhost")
        self.addCleanup(authenticator.close)

        def offer(held):
            return server.request("POST", "/auth/passkeys/register/options", {}, token=held)

        def add(held, options):
            body = {"name": "phone", "credential": authenticator.make(options)}
            return server.request("POST", "/auth/passkeys/register/verify", body, token=held)

        early = json_of(offer(token))
        now = move(5 * 60 + 2)
        for refused in (offer(token), add(token, early)):
            self.assertEqual(refused.status, 401)
            self.assertIn("insufficient_user_authentication", refused.headers["www-authenticate"])
        self.assertEqual(json_of(server.request("GET", "/auth/passkeys", token=token))["passkeys"], [])
        self.assertNotIn("a passkey was added", self.told(person, now))

        stepped = server.request("POST", "/auth/step-up", {"totp": person.code(now)}, token=token)
        self.assertEqual(stepped.status, 200)
        held = json_of(stepped)["access_token"]
        self.assertEqual(add(held, json_of(offer(held))).status, 204)
        self.assertIn("a passkey was added", self.told(person, now))

    def told(self, person, now):
        """The notices of a sign-in."""
        reply = self.server.log_in(person, totp=person.code(now))
        self.assertEqual(reply.status, 200)
        return [notice["text"] for notice in json_of(reply)["notices"]]

    def test_K05_both_factors_again_after_24_hours_and_after_12_of_who_administers(self):
        config = "[sessions]\nidle-seconds = 3600\nabsolute-seconds = 86400\n"
        server = self.server = self.new_server("classic", config)
        move = self.running()
        doctor = server.person("dr", "doctor")
        token, admin = server.token_of(doctor), server.admin()
        asked = lambda held: server.request("GET", "/fhir/Patient/nobody", token=held).status  # noqa: E731
        over_socket = lambda: server.socket_request("GET", "/admin/users", token=admin)  # noqa: E731
        minute, hour = 60, 3600
        for past in range(10 * minute, 24 * hour, 10 * minute):
            now = move(past)
            self.assertEqual(asked(token), 404, past)
            self.assertEqual(asked(admin), 404 if past < 12 * hour else 401, past)
            if past == 11 * hour:
                # Another token, and a second factor that is fresh: the session is as old as it was.
                stepped = server.request("POST", "/auth/step-up", {"totp": server.admin_person.code(now)}, token=admin)
                self.assertEqual(stepped.status, 200, stepped)
                admin = json_of(stepped)["access_token"]
                self.assertEqual(over_socket().status, 200)
        self.assertEqual(over_socket().status, 401)
        now = move(24 * hour + 1)
        self.assertEqual(asked(token), 401, "24 hours and a second, despite activity")

        # Without a request: 15 minutes of who administers, an hour of who does not.
        signed_in = lambda person: json_of(server.log_in(person, totp=person.code(now)))["access_token"]  # noqa: E731
        token, admin = signed_in(doctor), signed_in(server.admin_person)
        move(24 * hour + 15 * minute + 2)
        self.assertEqual((asked(token), asked(admin)), (404, 401))
        move(26 * hour)
        self.assertEqual(asked(token), 401)

    def test_K05_no_configuration_and_no_policy_gives_more(self):
        for key, value in (("idle-seconds", 3601), ("absolute-seconds", 86401)):
            with self.assertRaises(RuntimeError) as refused:
                self.new_server("classic", f"[sessions]\n{key} = {value}\n").start()
            self.assertIn(f"sessions.{key}", str(refused.exception))
        server = self.server
        self.at(0)
        server.admin()
        shown = server.cli("policy", "show", "--data", server.data, check=True).stdout
        path = server.root / "policy.toml"

        def set_to(role, keys):
            path.write_text(shown.replace(f"[roles.{role}]\n", f"[roles.{role}]\n{keys}\n"))
            return server.cli("policy", "set", path, "--data", server.data).returncode

        for role, keys in (("administrator", "session-minutes = 721"), ("administrator", "session-idle-minutes = 16"),
                           ("doctor", "session-minutes = 1441"), ("doctor", "session-idle-minutes = 61")):
            self.assertNotEqual(set_to(role, keys), 0, keys)
        self.assertEqual(set_to("doctor", "session-minutes = 60\nsession-idle-minutes = 5"), 0)
        token = server.token_of(server.person("dr", "doctor"))
        self.at(6 * 60)
        self.assertEqual(server.request("GET", "/fhir/Patient/nobody", token=token).status, 401)

    def test_S03_an_emergency_ends_by_itself_with_its_sessions(self):
        server = self.server
        move = self.running()
        server.admin()
        say = lambda *words: json.loads(server.cli(*words, "--json", "--data", server.data, check=True).stdout)  # noqa: E731
        made = say("user", "add", "er", "--emergency", "--role", "doctor")
        server.cli("emergency", "on", "--reason", "why", "--hours", "1", "--data", server.data, check=True)
        sign_in = lambda: server.request("POST", "/auth/login", {  # noqa: E731
            "user": "er", "password": made["passphrase"], "recovery_code": made["codes"].pop()})
        token = json_of(sign_in())["access_token"]
        asked = lambda: server.request("GET", "/fhir/Patient/nobody", token=token).status  # noqa: E731
        for past in range(10, 60, 10):
            move(past * 60)
            self.assertEqual(asked(), 404, past)
        now = move(3601)
        self.assertEqual((asked(), sign_in().status), (401, 401))
        server.sign_in_admin(now)
        self.assertNotIn("emergency", say("status"))
        ended = []
        while not ended:  # the server looks once a second
            ended = [entry for entry in server.audit() if entry["event"] == "emergency-mode-off"]
        self.assertEqual([(entry["user"], entry["reason"]) for entry in ended], [("system", "its time was over")])

    # --- what applications are given ---

    def person_with_codes(self):
        """Signs in at the pages by recovery codes, which no clock spoils."""
        person = self.server.person("dr", "doctor")
        person.session = self.server.token_of(person)
        person.spare = json_of(self.server.request("POST", "/auth/recovery-codes", {}, person.session))["recovery_codes"]
        return person

    def test_F05_a_code_is_good_for_a_minute(self):
        move = self.running()
        person = self.person_with_codes()
        app = applications.App(self.server, "app", "user/*.rs offline_access")
        fetched = lambda code: app.fetch(code)  # noqa: E731
        code, late = (app.code(person, scope="user/*.rs") for _ in range(2))
        move(30)
        self.assertEqual(fetched(code).status, 200)
        move(61)
        refused = fetched(late)
        self.assertEqual((refused.status, json_of(refused)["error"]), (400, "invalid_grant"))
        move(0)
        self.assertEqual(fetched(late).status, 400, "it is gone, and no clock that is set back brings it back")

    def test_F10_an_access_token_of_a_person_ends_after_its_15_minutes_and_of_a_service_after_5(self):
        server = self.server
        move = self.running()
        person = self.person_with_codes()
        app = applications.App(server, "app", "user/*.rs offline_access")
        with applications.folder() as folder:
            client = applications.Client(server, "lab", applications.Key(folder), "system/*.rs", "doctor")
            given = app.launch(person, scope="user/*.rs offline_access")
            service = json_of(client.ask())
        self.assertEqual((given["expires_in"], service["expires_in"]), (900, 300))
        asked = lambda answer: server.request("GET", "/fhir/Patient/nobody", token=answer["access_token"]).status  # noqa: E731
        for past, expected in ((200, (404, 404)), (301, (404, 401)), (800, (404, 401)), (901, (401, 401))):
            move(past)
            self.assertEqual((asked(given), asked(service)), expected, past)
        # What it may be refreshed with is longer-lived; the new token has its own time.
        fresh = json_of(app.refresh(given["refresh_token"]))
        self.assertEqual((fresh["expires_in"], asked(fresh)), (900, 404))
        move(2000)
        self.assertEqual(asked(fresh), 401)

    def test_F11_refresh_tokens_end_after_100_idle_days_and_400_in_all_whatever_is_done(self):
        day = 24 * 3600
        move = self.running()
        person = self.person_with_codes()
        app = applications.App(self.server, "app", "user/*.rs offline_access")
        idle, used = (app.launch(person, scope="user/*.rs offline_access") for _ in range(2))
        for past in (95, 190, 285, 380, 399):
            move(past * day)
            reply = app.refresh(used["refresh_token"])
            self.assertEqual(reply.status, 200, (past, reply))
            used = json_of(reply)
            self.assertEqual(self.server.request("GET", "/fhir/Patient/nobody", token=used["access_token"]).status, 404, past)
            if past == 190:
                refused = app.refresh(idle["refresh_token"])
                self.assertEqual((refused.status, json_of(refused)["error"]), (400, "invalid_grant"), "100 days without a use")
        move(400 * day + 1)
        refused = app.refresh(used["refresh_token"])
        self.assertEqual((refused.status, json_of(refused)["error"]), (400, "invalid_grant"), "400 days after he allowed it")

    def test_awareness_that_a_role_demands_is_acknowledged_every_year(self):
        """PRODUCT M17: awareness is recorded and enforced."""
        server, topics = self.server, ("strong-passwords", "phishing")
        move = self.running()
        doctor = server.person("dr", "doctor")
        nurse = server.person("nurse", "nurse")
        patient = server.create({"resourceType": "Patient"}, server.token_of(nurse))
        names = ", ".join(f'"{topic}"' for topic in topics)
        server.change_policy("[roles.doctor]\n", f"[roles.doctor]\nawareness = [{names}]\nawareness-grace-days = 0\n")

        def sign_in(person, now=time.time):
            reply = server.log_in(person, totp=person.code(now))
            self.assertEqual(reply.status, 200, reply)
            return json_of(reply)

        def asked(held):
            return server.request("GET", "/fhir/Patient/" + patient, token=held).status

        def explained():
            said = json.loads(server.cli("policy", "explain", "--user", "dr", "--resource", "Patient/" + patient, "--json",
                                         "--data", server.data, check=True).stdout)
            return said["permitted"], said["decided_by"], len(said["demands"])

        def acknowledge(held, topic):
            known = json_of(server.request("GET", "/auth/awareness", token=held))["topics"]
            version = next(one["version"] for one in known if one["topic"] == topic)
            return server.request("POST", "/auth/awareness/" + topic, {"version": int(version)}, held).status

        signed_in = sign_in(doctor)
        token = signed_in["access_token"]
        self.assertIn("awareness", json.dumps(signed_in["still_to_do"]))
        self.assertEqual(asked(token), 403)
        self.assertEqual(asked(sign_in(nurse)["access_token"]), 200, "another role, of which nothing is demanded")
        self.assertEqual(explained(), (False, "awareness", 1))
        self.assertEqual(server.request("GET", "/auth/account", token=token).status, 200)
        self.assertEqual(acknowledge(token, topics[0]), 204)
        self.assertEqual(asked(token), 403, "each of them")
        self.assertEqual(acknowledge(token, topics[1]), 204)
        self.assertEqual(asked(token), 200)
        self.assertEqual(explained()[0], True)
        self.assertFalse(sign_in(doctor).get("still_to_do"))

        day = 86400
        for days, status in ((364, 200), (366, 403)):
            now = move(days * day)
            server.sign_in_admin(now)
            signed_in = sign_in(doctor, now)
            token = signed_in["access_token"]
            self.assertEqual(asked(token), status, days)
            self.assertEqual(explained()[:2], (True, "permitted") if status == 200 else (False, "awareness"))
            self.assertEqual(bool(signed_in.get("still_to_do")), status == 403)
        for topic in topics:
            self.assertEqual(acknowledge(token, topic), 204)
        self.assertEqual(asked(token), 200, "and for another year")

    def test_K04_a_clock_that_was_set_back_opens_no_used_code(self):
        server = self.server
        self.at(0)
        server.admin()
        now = self.at(20 * 60)
        person = server.admin_person
        code = person.code(now)
        self.assertEqual(server.log_in(person, totp=code).status, 200)
        self.at(0)
        for step in (-1, 0, 1):
            old = harness.totp(person.secret, int(time.time()) // 30 + step)
            self.assertEqual(server.log_in(person, totp=old, source="127.0.2.7").status, 401)


if __name__ == "__main__":
    unittest.main()

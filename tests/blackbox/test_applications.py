"""SMART App Launch: an application sends a person's browser, who signs in and decides what it gets; its tokens never
see more than that, nor more than he may, and end when he or somebody else ends them."""

import base64
import hashlib
import json
import time
import unittest
import urllib.parse

import applications
import harness
from applications import App, Client, Key, Page
from harness import json_of

SCOPE = "launch/patient openid fhirUser patient/*.cruds user/*.cruds offline_access online_access"


def observation(of, value):
    return {"resourceType": "Observation", "status": "final", "code": {"text": value},
            "subject": {"reference": "Patient/" + of}}


class Launch(harness.TestCase):
    """Two patients, one of whom signs in himself, and their doctor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.doctor = cls.server.person("dr", "doctor")
        cls.token = cls.doctor.session = cls.server.token_of(cls.doctor)
        cls.p1, cls.p2 = (cls.make({"resourceType": "Patient", "name": [{"family": name}]}) for name in ("One", "Two"))
        cls.o1, cls.o2 = (cls.make(observation(of, value)) for of, value in ((cls.p1, "mine"), (cls.p2, "theirs")))
        cls.patient = cls.server.person("pat", "patient", "--patient", cls.p1)
        cls.app = App(cls.server, "app", SCOPE)

    @classmethod
    def make(cls, resource):
        return cls.server.create(resource, cls.token)

    def get(self, path, token):
        return self.server.request("GET", path, token=token)

    def found(self, path, token):
        reply = self.get(path, token)
        self.assertEqual(reply.status, 200, reply.body)
        return {entry["resource"]["id"] for entry in json_of(reply).get("entry", [])}

    def refused(self, reply, error):
        self.assertIn(reply.status, (400, 401), reply.body)
        self.assertEqual(json_of(reply)["error"], error)

    # --- the whole way ---

    def test_F08_F10_a_patient_allows_an_application_his_own_record(self):
        before = self.server.audit_size()
        begun = self.app.begin()
        page = Page(begun)
        self.assertEqual((page.status, page.action), (200, "/oauth/sign-in"))
        self.assertIn("app", page.text)
        self.assertNotIn(b"<script", begun.body)
        consent = Page(self.app.sign_in(self.patient, page, factor=self.patient.code()))
        self.assertEqual((consent.status, consent.action), (200, "/oauth/consent"))
        self.assertNotIn("patient", consent.fields)  # his own, and no choice
        decided = self.app.decide(consent)
        self.assertEqual(decided.status, 303)
        self.assertTrue(decided.headers["location"].startswith(applications.REDIRECT + "?"))
        told = self.app.answer_of(decided)
        self.assertEqual((told["state"], told["iss"]), ("a state & more", self.app.base))
        reply = self.app.fetch(told["code"])
        self.assertEqual((reply.headers["cache-control"], reply.headers["pragma"]), ("no-store", "no-cache"))
        answer = json_of(reply)
        self.assertEqual((answer["patient"], answer["scope"], answer["expires_in"]),
                         (self.p1, "launch/patient patient/*.rs", 900))
        self.assertNotIn("refresh_token", answer)
        token = answer["access_token"]
        self.assertEqual(self.get("/fhir/Observation/" + self.o1, token).status, 200)
        self.assertEqual(self.found("/fhir/Observation", token), {self.o1})
        self.assertEqual(self.get("/fhir/Observation/" + self.o2, token).status, 404)
        events = self.server.audit_after(before)
        self.assertEqual([entry["event"] for entry in events],
                         ["authorization-asked", "login", "authorization-granted", "token-issued", "read", "search",
                          "read"])
        self.assertEqual({entry["event"]: entry.get("client") for entry in events if entry.get("client") != "app"}, {})
        self.assertEqual(events[2]["new_value"], "launch/patient patient/*.rs")
        self.assertNotIn(token, json.dumps(events))
        self.assertNotIn(told["code"], json.dumps(events))

    def test_F08_C11_a_clinicians_application_sees_the_chosen_patient_alone(self):
        answer = self.app.launch(self.doctor, patient=self.p1)
        token = answer["access_token"]
        self.assertEqual(answer["patient"], self.p1)
        self.assertEqual(self.found("/fhir/Observation", token), {self.o1})
        self.assertEqual(self.found("/fhir/Patient", token), {self.p1})
        for path in ("/fhir/Patient/" + self.p2, "/fhir/Observation/" + self.o2, f"/fhir/Observation/{self.o2}/_history"):
            self.assertEqual(self.get(path, token).status, 404, path)
        self.assertEqual(self.found("/fhir/Observation?subject.family=Two", token), set())
        self.assertEqual(self.found("/fhir/Patient?_has:Observation:subject:code:text=theirs", token), set())
        self.assertEqual(self.found("/fhir/Patient?_revinclude=Observation:subject", token), {self.p1, self.o1})
        self.assertNotIn(self.p2.encode(), self.get("/fhir/Patient/_history", token).body)
        self.assertEqual(json_of(self.get("/fhir/Patient?_summary=count", token))["total"], 1)
        written = self.server.request("POST", "/fhir/Observation", observation(self.p1, "x"), token)
        self.assertEqual(written.status, 403)

    def test_F09_his_own_rights_bind_it(self):
        page = Page(self.app.begin(scope="user/*.cruds"))
        page = Page(self.app.sign_in(self.patient, page))
        answer = json_of(self.app.fetch(self.app.answer_of(self.app.decide(page))["code"]))
        self.assertEqual(answer["scope"], "user/*.cruds")
        token = answer["access_token"]
        self.assertEqual(self.get("/fhir/Patient/" + self.p2, token).status, 404)
        self.assertEqual(self.server.request("DELETE", "/fhir/Patient/" + self.p1, token=token).status, 403)
        self.assertEqual(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token).status, 403)

    def test_O21_what_is_not_ticked_is_not_granted(self):
        scope = "launch/patient patient/Patient.rs patient/Observation.rs offline_access"
        answer = self.app.launch(self.patient, scope=scope, untick=("Observation", "when you are not there"))
        self.assertEqual(answer["scope"], "launch/patient patient/Patient.rs")
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(self.get("/fhir/Observation/" + self.o1, answer["access_token"]).status, 403)
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 200)

    def test_F17_a_standalone_application_learns_the_encounter_that_is_chosen(self):
        scope = "launch/encounter patient/*.rs"
        app = App(self.server, "visits", "launch/patient " + scope)
        visits = [self.make({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
                             "subject": {"reference": "Patient/" + patient}}) for patient in (self.p1, self.p2)]
        page = Page(app.sign_in(self.doctor, Page(app.begin(scope=scope))))
        for wrong in (visits[1], "nobody", "../x", self.o1):
            page = Page(app.decide(page, patient=self.p1, encounter=wrong))
            self.assertEqual((page.status, page.action), (400, "/oauth/consent"), wrong)
        answer = json_of(app.fetch(app.answer_of(app.decide(page, patient=self.p1, encounter=visits[0]))["code"]))
        self.assertEqual((answer["patient"], answer["encounter"], answer["scope"]), (self.p1, visits[0], scope))
        # Who names none does not grant it; and what was not asked for is not told.
        answer = app.launch(self.doctor, patient=self.p1, scope=scope)
        self.assertEqual((answer["patient"], answer["scope"]), (self.p1, "patient/*.rs"))
        self.assertNotIn("encounter", answer)
        page = Page(app.sign_in(self.doctor, Page(app.begin(scope="launch/patient patient/*.rs"))))
        answer = json_of(app.fetch(app.answer_of(app.decide(page, patient=self.p1, encounter=visits[0]))["code"]))
        self.assertNotIn("encounter", answer)
        # A patient has himself and chooses the visit alone.
        page = Page(app.sign_in(self.patient, Page(app.begin(scope=scope))))
        self.assertNotIn("patient", page.fields)
        page = Page(app.decide(page, encounter=visits[1]))
        self.assertEqual(page.status, 400)
        answer = json_of(app.fetch(app.answer_of(app.decide(page, encounter=visits[0]))["code"]))
        self.assertEqual((answer["patient"], answer["encounter"]), (self.p1, visits[0]))

    def test_a_patient_who_is_not_there_cannot_be_chosen(self):
        page = Page(self.app.sign_in(self.doctor, Page(self.app.begin())))
        for patient in ("nobody", "../x", "", self.o1):
            again = Page(self.app.decide(page, patient=patient))
            self.assertEqual((again.status, again.action), (400, "/oauth/consent"), patient)
            page = again
        self.assertEqual(self.app.decide(page, patient=self.p2).status, 303)

    def test_F20_denying_is_told_to_the_application(self):
        page = Page(self.app.sign_in(self.patient, Page(self.app.begin())))
        decided = self.app.decide(page, "deny")
        self.assertEqual((decided.status, self.app.answer_of(decided)["error"]), (303, "access_denied"))
        # The sign-in was for one decision.
        self.assertEqual(self.app.decide(page).status, 401)

    # --- the request ---

    def test_F03_a_foreign_redirect_uri_is_an_error_page(self):
        for uri in (applications.REDIRECT + "/", applications.REDIRECT + "?x=1", "https://app.example.org:444/cb",
                    "https://evil.example/cb", None):
            reply = self.app.begin(redirect_uri=uri)
            self.assertEqual(reply.status, 400, uri)
            self.assertNotIn("location", reply.headers)
        self.assertEqual(self.app.begin(client_id="<script>alert(1)</script>").status, 400)

    def test_F02_F04_F06_F20_a_wrong_request_is_told_to_the_application(self):
        for changes, error in (({"code_challenge": None}, "invalid_request"),
                               ({"code_challenge_method": "plain"}, "invalid_request"),
                               ({"aud": "https://evil.example/fhir"}, "invalid_request"), ({"aud": None}, "invalid_request"),
                               ({"response_type": "token"}, "unsupported_response_type"),
                               ({"response_type": "id_token"}, "unsupported_response_type"),
                               ({"scope": "patient/Patient.dus"}, "invalid_scope"),
                               ({"scope": "system/*.rs"}, "invalid_scope")):
            reply = self.app.begin(**changes)
            self.assertEqual(reply.status, 303, changes)
            told = self.app.answer_of(reply)
            self.assertEqual((told["error"], told["state"]), (error, "a state & more"), changes)
            self.assertNotIn("code", told)
        twice = "/oauth/authorize?" + urllib.parse.urlencode(self.app.request()) + "&redirect_uri=https://evil.example/"
        self.assertEqual(self.app.send("GET", twice).status, 400)

    def test_F17_the_request_may_come_as_a_form(self):
        page = Page(self.app.send("POST", "/oauth/authorize", self.app.request()))
        self.assertEqual(Page(self.app.sign_in(self.patient, page)).action, "/oauth/consent")

    def test_W07_pages_run_nothing_and_cannot_be_framed(self):
        reply = self.app.begin(state="\"><script>alert(1)</script>")
        self.assertNotIn(b"<script", reply.body)
        policy = reply.headers["content-security-policy"]
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
                     "form-action 'self' https://app.example.org"):
            self.assertIn(part, policy)
        self.assertNotIn("script-src", policy)
        self.assertEqual(reply.headers["cache-control"], "no-store")
        self.assertEqual(reply.headers["referrer-policy"], "no-referrer")
        for part in ("__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(part, reply.headers["set-cookie"])

    def test_a_form_is_of_the_browser_that_it_was_made_for(self):
        other = App(self.server, "other", SCOPE)
        mine, theirs = Page(self.app.begin()), Page(other.begin())
        # Somebody else's form in this browser, this form without its cookie, and one that was changed.
        self.assertEqual(self.app.sign_in(self.patient, theirs, factor="000000").status, 403)
        self.assertEqual(self.app.send("POST", mine.action, {**mine.fields, "user": "pat", "password": "x", "factor": "1"},
                                       cookie=False).status, 403)
        changed = {**mine.fields, "request": mine.fields["request"][:-4] + "AAAA"}
        self.assertEqual(self.app.send("POST", mine.action, changed).status, 403)
        consent = Page(self.app.sign_in(self.patient, mine))
        self.assertEqual(other.decide(consent).status, 403)
        # A decision about a request that nobody signed in for.
        self.assertEqual(self.app.send("POST", "/oauth/consent", {**mine.fields, "decision": "allow"}).status, 401)

    def test_S08_every_wrong_sign_in_looks_the_same(self):
        bodies = set()
        for changes in ({"password": "wrong"}, {"user": "nobody"}, {"factor": "000000"}, {"factor": "AAAA-AAAA-AAAA-AAAA"}):
            page = Page(self.app.begin())
            reply = self.app.sign_in(self.doctor, page, **{"factor": "123456", **changes})
            self.assertEqual(reply.status, 401)
            bodies.add(reply.body.replace(page.fields["request"].encode(), b""))
        self.assertEqual(len(bodies), 1)

    # --- who it was (OpenID Connect), and pages of other origins ---

    def test_F16_an_id_token_says_who_signed_in(self):
        answer = self.app.launch(self.patient, scope="openid fhirUser patient/Patient.rs", nonce="n-1")
        header, claims, signature = answer["id_token"].split(".")
        said = json.loads(base64.urlsafe_b64decode(claims + "=="))
        self.assertEqual((said["iss"], said["aud"], said["nonce"], said["sub"], said["fhirUser"]),
                         (self.app.base, "app", "n-1", self.patient.id, f"{self.app.base}/fhir/Patient/{self.p1}"))
        self.assertTrue(time.time() - 60 < said["iat"] < said["exp"] <= said["iat"] + 900)
        key, = json_of(self.server.request("GET", "/oauth/jwks"))["keys"]
        self.assertEqual(json.loads(base64.urlsafe_b64decode(header + "==")),
                         {"alg": "RS256", "typ": "JWT", "kid": key["kid"]})
        self.assertEqual(set(key), {"kty", "use", "alg", "kid", "n", "e"})
        # RFC 8017 by arithmetic: nothing of the product and nothing of OpenSSL.
        number = {name: int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in "ne"}
        raw = int.from_bytes(base64.urlsafe_b64decode(signature + "=="), "big")
        opened = pow(raw, number["e"], number["n"]).to_bytes(256, "big")
        self.assertTrue(opened.startswith(b"\0\1\xff") and
                        opened.endswith(hashlib.sha256(f"{header}.{claims}".encode()).digest()))
        # No scope that asks for it, no word of it.
        self.assertNotIn("id_token", self.app.launch(self.patient, scope="patient/Patient.rs"))

    def test_F16_it_is_discovered(self):
        said = json_of(self.server.request("GET", "/.well-known/openid-configuration"))
        self.assertEqual((said["issuer"], said["jwks_uri"]), (self.app.base, self.app.base + "/oauth/jwks"))
        self.assertEqual(said["id_token_signing_alg_values_supported"], ["RS256"])
        smart = json_of(self.server.request("GET", "/fhir/.well-known/smart-configuration"))
        for capability in ("context-standalone-encounter", "launch-standalone", "client-public", "context-standalone-patient", "sso-openid-connect"):
            self.assertIn(capability, smart["capabilities"])

    def test_F18_pages_of_an_applications_origin_may_read_answers(self):
        own, other = "https://app.example.org", "https://evil.example"

        def permitted(method, path, origin, **headers):
            reply = self.server.request(method, path, headers={"Origin": origin, **headers})
            self.assertNotIn("access-control-allow-credentials", reply.headers)
            return reply.headers.get("access-control-allow-origin")
        for path in ("/fhir/metadata", "/fhir/.well-known/smart-configuration", "/oauth/jwks"):
            self.assertEqual(permitted("GET", path, other), "*")
        for path in ("/fhir/Patient", "/fhir/Patient/1", "/oauth/token"):
            self.assertEqual(permitted("GET", path, own), own)
            self.assertIsNone(permitted("GET", path, other))
            self.assertIsNone(permitted("GET", path, "null"))
        for path in ("/auth/account", "/oauth/authorize", "/oauth/sign-in", "/auth/login"):
            self.assertIsNone(permitted("GET", path, own))
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        self.assertEqual(permitted("OPTIONS", "/fhir/Patient", own, **asked), own)
        self.assertIsNone(permitted("OPTIONS", "/fhir/Patient", other, **asked))
        reply = self.server.request("OPTIONS", "/fhir/Patient", headers={"Origin": own, **asked})
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertIn("authorization", reply.headers["access-control-allow-headers"])

    # --- codes and tokens ---

    def test_F05_a_code_is_good_once_and_its_reuse_ends_what_came_of_it(self):
        code = self.app.code(self.patient, scope="patient/*.rs offline_access")
        before = self.server.audit_size()
        answer = json_of(self.app.fetch(code))
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 200)
        self.refused(self.app.fetch(code), "invalid_grant")
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
        self.refused(self.app.refresh(answer["refresh_token"]), "invalid_grant")
        self.assertIn("token-reused", [entry["event"] for entry in self.server.audit_after(before)])

    def test_F05_F11_of_many_uses_at_once_one_counts_and_then_none(self):
        code = self.app.code(self.patient, scope="patient/*.rs offline_access")
        replies = applications.at_once(8, lambda: self.app.fetch(code))
        given = [json_of(reply) for reply in replies if reply.status == 200]
        self.assertLessEqual(len(given), 1)
        for answer in given:
            self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
            self.refused(self.app.refresh(answer["refresh_token"]), "invalid_grant")
        first = self.app.launch(self.patient, scope="patient/*.rs offline_access")
        replies = applications.at_once(8, lambda: self.app.refresh(first["refresh_token"]))
        given = [json_of(reply) for reply in replies if reply.status == 200]
        self.assertLessEqual(len(given), 1)
        for answer in given:
            self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
            self.refused(self.app.refresh(answer["refresh_token"]), "invalid_grant")
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, first["access_token"]).status, 401)

    def test_F02_F05_a_code_is_of_its_verifier_client_and_address(self):
        App(self.server, "thief", SCOPE)
        for changes in ({"code_verifier": None}, {"code_verifier": applications.CHALLENGE}, {"client_id": "thief"},
                        {"code_verifier": ""}, {"code_verifier": " "}, {"code_verifier": "A" * 43},
                        {"code_verifier": applications.VERIFIER[:-1]}, {"code_verifier": applications.VERIFIER + " "},
                        {"redirect_uri": "https://app.example.org/other"}):
            code = self.app.code(self.patient)
            self.refused(self.app.fetch(code, **changes), "invalid_grant")
            self.refused(self.app.fetch(code), "invalid_grant")

    def test_F11_refresh_tokens_rotate_and_a_reuse_ends_the_family(self):
        first = self.app.launch(self.patient, scope="patient/*.rs offline_access")
        second = json_of(self.app.refresh(first["refresh_token"]))
        self.assertEqual(second["patient"], self.p1)
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, second["access_token"]).status, 200)
        narrow = json_of(self.app.refresh(second["refresh_token"], scope="patient/Patient.rs"))
        self.assertEqual(narrow["scope"], "patient/Patient.rs")
        self.assertEqual(self.get("/fhir/Observation/" + self.o1, narrow["access_token"]).status, 403)
        self.refused(self.app.refresh(narrow["refresh_token"], scope="user/*.cruds"), "invalid_scope")
        self.refused(self.app.refresh(first["refresh_token"]), "invalid_grant")
        self.refused(self.app.refresh(narrow["refresh_token"]), "invalid_grant")
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, narrow["access_token"]).status, 401)

    def test_O20_what_was_allowed_can_be_taken_back(self):
        answer = self.app.launch(self.patient, scope="patient/*.rs offline_access")
        self.assertEqual(self.app.post("revoke", {"client_id": "app", "token": answer["refresh_token"]}).status, 200)
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
        self.refused(self.app.refresh(answer["refresh_token"]), "invalid_grant")
        self.assertEqual(self.app.post("revoke", {"client_id": "app", "token": "nonsense"}).status, 200)
        # By the person himself.
        answer = self.app.launch(self.patient, scope="patient/*.rs offline_access")
        session = self.patient.session
        allowed = json_of(self.get("/auth/applications", session))["applications"]
        mine = [each for each in allowed if each["scope"] == "offline_access patient/*.rs"][-1]  # the newest
        self.assertEqual((mine["client_id"], mine["patient"]), ("app", self.p1))
        self.assertEqual(self.get("/auth/applications", answer["access_token"]).status, 403)
        path = "/auth/applications/" + mine["id"]
        self.assertEqual(self.server.request("DELETE", path, token=self.token).status, 404)
        self.assertEqual(self.server.request("DELETE", path, token=session).status, 204)
        self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
        self.refused(self.app.refresh(answer["refresh_token"]), "invalid_grant")

    def test_F14_introspection_is_for_a_clients_own_tokens(self):
        with applications.folder() as folder:
            key = Key(folder)
            strong = App(self.server, "strong", SCOPE, "--jwks", key.jwks_file())
            service = Client(self.server, "lab", key, "system/*.rs", "doctor")
            service.name = "strong"  # the same way of signing, for the other client

            def signed():
                return {"client_assertion_type": applications.JWT_BEARER, "client_assertion": service.assertion()}
            code = strong.code(self.patient)
            self.refused(strong.fetch(code), "invalid_client")
            answer = json_of(strong.fetch(strong.code(self.patient), **signed()))
            said = json_of(strong.post("introspect", {"token": answer["access_token"], **signed()}))
            self.assertEqual((said["active"], said["client_id"], said["scope"], said["patient"]),
                             (True, "strong", "launch/patient patient/*.rs", self.p1))
            foreign = self.app.launch(self.patient)["access_token"]
            self.assertEqual(json_of(strong.post("introspect", {"token": foreign, **signed()})), {"active": False})
            self.refused(self.app.post("introspect", {"token": foreign, "client_id": "app"}), "invalid_client")

    def test_an_application_does_not_act_as_the_person(self):
        token = self.app.launch(self.patient)["access_token"]
        for method, path in (("GET", "/auth/account"), ("GET", "/auth/sessions"), ("POST", "/auth/recovery-codes"),
                             ("POST", "/auth/password"), ("POST", "/auth/step-up"), ("POST", "/auth/logout"),
                             ("POST", "/auth/passkeys/register/options")):
            self.assertEqual(self.server.request(method, path, None if method == "GET" else {}, token).status, 403, path)
        self.assertIn(self.server.request("GET", "/fhir/$export", token=token,
                                          headers={"Prefer": "respond-async"}).status, (401, 403))

    def test_S11_what_ends_the_person_or_the_application_ends_its_tokens(self):
        leaver = self.server.person("leaver", "doctor")
        gone = App(self.server, "gone", SCOPE)
        mine = self.app.launch(leaver, scope="user/*.rs offline_access")
        theirs = gone.launch(self.doctor, scope="user/*.rs offline_access")
        for answer in (mine, theirs):
            self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 200)
        self.server.cli("user", "disable", "leaver", "--data", self.server.data, check=True)
        self.server.cli("client", "disable", "gone", "--data", self.server.data, check=True)
        for answer in (mine, theirs):
            self.assertEqual(self.get("/fhir/Patient/" + self.p1, answer["access_token"]).status, 401)
        self.refused(self.app.refresh(mine["refresh_token"]), "invalid_grant")
        self.refused(gone.refresh(theirs["refresh_token"]), "invalid_client")
        self.assertEqual(gone.begin().status, 400)


class Restart(harness.TestCase):
    def test_refresh_tokens_and_their_ends_outlive_a_restart(self):
        doctor = self.server.person("dr", "doctor")
        app = App(self.server, "app", SCOPE)
        kept, used, revoked = (app.launch(doctor, scope="user/*.rs offline_access")["refresh_token"] for _ in range(3))
        next_one = json_of(app.refresh(used))["refresh_token"]
        app.post("revoke", {"client_id": "app", "token": revoked})
        self.server.kill()
        self.server.start()
        answer = json_of(app.refresh(kept))
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=answer["access_token"]).status, 200)
        self.assertEqual(app.refresh(revoked).status, 400)
        self.assertEqual(app.refresh(used).status, 400)
        self.assertEqual(app.refresh(next_one).status, 400, "the reuse ended it")


if __name__ == "__main__":
    unittest.main()

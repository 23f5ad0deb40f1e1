"""SMART Backend Services: a client that signs its assertions gets a short token for its scopes, and those bind it
on every path. Forged, replayed and misdirected assertions get nothing."""

import hashlib
import hmac
import json
import subprocess
import time
import unittest
import urllib.parse

import applications
import harness
from applications import Client, Key, b64
from harness import json_of

LABORATORY = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def observation(patient, category, value):
    system, code = LABORATORY.split("|")[0], category
    return {"resourceType": "Observation", "status": "final", "code": {"text": value},
            "category": [{"coding": [{"system": system, "code": code}]}],
            "subject": {"reference": "Patient/" + patient}}


class Backend(harness.TestCase):
    """A doctor's records, and a service `lab` with the role of a doctor."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = applications.folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.key = Key(cls.folder.name)
        cls.server.admin()
        cls.lab = Client(cls.server, "lab", cls.key, "system/*.cruds", "doctor")
        cls.doctor = cls.server.token_of(cls.server.person("dr", "doctor"))
        cls.patient = cls.make({"resourceType": "Patient", "name": [{"family": "Ott"}]})
        cls.result = cls.make(observation(cls.patient, "laboratory", "potassium"))
        cls.vital = cls.make(observation(cls.patient, "vital-signs", "pulse"))

    @classmethod
    def make(cls, resource):
        return cls.server.create(resource, cls.doctor)

    def get(self, path, token):
        return self.server.request("GET", path, token=token)

    def found(self, path, token):
        reply = self.get(path, token)
        self.assertEqual(reply.status, 200, reply.body)
        return {entry["resource"]["id"] for entry in json_of(reply).get("entry", [])}

    # --- what is discovered ---

    def test_F01_the_configuration_says_how_to_get_a_token(self):
        reply = self.server.request("GET", "/fhir/.well-known/smart-configuration", headers={"Accept": "text/html"})
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["content-type"], "application/json")
        said = json_of(reply)
        self.assertEqual(said["token_endpoint"], self.lab.token_url())
        self.assertIn("client_credentials", said["grant_types_supported"])
        self.assertIn("private_key_jwt", said["token_endpoint_auth_methods_supported"])
        self.assertIn("client-confidential-asymmetric", said["capabilities"])
        self.assertIn("S256", said["code_challenge_methods_supported"])
        self.assertNotIn("plain", said["code_challenge_methods_supported"])
        # Whatever name a request gives the server, clients are told its own.
        other = self.server.request("GET", "/fhir/.well-known/smart-configuration", headers={"Host": "evil.example"})
        self.assertEqual(other.body, reply.body)

    def test_F01_the_capability_statement_names_smart(self):
        said = json_of(self.get("/fhir/metadata", None))["rest"][0]["security"]
        self.assertEqual(said["service"][0]["coding"][0]["code"], "SMART-on-FHIR")
        addresses = {each["url"]: each["valueUri"] for each in said["extension"][0]["extension"]}
        self.assertEqual(addresses["token"], self.lab.token_url())

    # --- a token ---

    def test_F10_F12_a_signed_assertion_gets_a_short_token(self):
        before = self.server.audit_size()
        reply = self.lab.ask()
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["cache-control"], "no-store")
        self.assertEqual(reply.headers["pragma"], "no-cache")
        answer = json_of(reply)
        self.assertEqual((answer["token_type"], answer["expires_in"], answer["scope"]),
                         ("Bearer", 300, "system/*.rs"))
        self.assertNotIn("refresh_token", answer)
        self.assertEqual(self.get("/fhir/Patient/" + self.patient, answer["access_token"]).status, 200)
        issued, read = self.server.audit_after(before)
        self.assertEqual((issued["event"], issued["target"], issued["new_value"]),
                         ("token-issued", "lab", "system/*.rs"))
        self.assertEqual((read["event"], read["client"], read["user"], read["token_id"]),
                         ("read", "lab", "lab", issued["token_id"]))
        self.assertNotIn(answer["access_token"], json.dumps([issued, read]))

    def test_F12_es384_by_curl_and_openssl(self):
        key = Key(self.folder.name, "e1", "EC")
        edge = Client(self.server, "edge", key, "system/Patient.rs", "doctor")
        asked = subprocess.run(
            ["curl", "--silent", "--cacert", self.server.made["ca"], edge.token_url(),
             "--data", "grant_type=client_credentials", "--data-urlencode", "scope=system/*.read",
             "--data-urlencode", "client_assertion_type=" + applications.JWT_BEARER,
             "--data-urlencode", "client_assertion=" + edge.assertion()],
            capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(asked.stdout)["scope"], "system/Patient.rs")

    # --- what a scope reaches ---

    def test_F06_each_verb_opens_its_interactions_alone(self):
        path = "/fhir/Patient/" + self.patient
        asked = {"r": [("GET", path), ("GET", path + "/_history"), ("GET", path + "/_history/1")],
                 "s": [("GET", "/fhir/Patient"), ("GET", "/fhir/Patient/_history")],
                 "c": [("POST", "/fhir/Patient")], "u": [("PUT", path)]}
        body = {"resourceType": "Patient", "id": self.patient}
        for verb in asked:
            token = self.lab.token(f"system/Patient.{verb}")
            for other, requests in asked.items():
                for method, where in requests:
                    sent = None if method == "GET" else body
                    status = self.server.request(method, where, sent, token).status
                    self.assertEqual(status < 300, verb == other, (verb, method, where, status))
            self.assertEqual(self.get("/fhir/Observation/" + self.result, token).status, 403)

    def test_F06_C11_out_of_scope_is_out_of_sight_on_every_path(self):
        token = self.lab.token("system/Patient.rs")
        self.assertEqual(self.get("/fhir/Observation", token).status, 403)
        self.assertEqual(self.get("/fhir/Observation/" + self.result, token).status, 403)
        self.assertEqual(self.found(f"/fhir/Patient?_id={self.patient}&_revinclude=Observation:subject", token),
                         {self.patient})
        self.assertEqual(self.found("/fhir/Patient?_has:Observation:subject:code:text=potassium", token), set())
        self.assertEqual(self.found(f"/fhir/Patient/{self.patient}/$everything", token), {self.patient})
        total = json_of(self.get("/fhir?_type=Patient,Observation&_summary=count", token))["total"]
        self.assertEqual(total, json_of(self.get("/fhir/Patient?_summary=count", token))["total"])
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [
            {"request": {"method": "GET", "url": "Observation/" + self.result}},
            {"request": {"method": "GET", "url": "Patient/" + self.patient}},
            {"request": {"method": "DELETE", "url": "Patient/" + self.patient}}]}
        answered = json_of(self.server.request("POST", "/fhir", bundle, token))
        self.assertEqual([entry["response"]["status"][:3] for entry in answered["entry"]], ["403", "200", "403"])
        other = self.lab.token("system/Observation.rs")
        self.assertEqual(self.found("/fhir/Observation?_include=Observation:subject", other),
                         {self.result, self.vital})
        self.assertEqual(self.found("/fhir/Observation?subject.name=Ott", other), set())
        everything = self.get(f"/fhir/Patient/{self.patient}/$everything", other)
        self.assertNotIn(b"Ott", everything.body)

    def test_F06_a_search_within_a_compartment_needs_the_scope_of_what_it_looks_for(self):
        token = self.lab.token("system/Observation.rs")
        within = f"/fhir/Patient/{self.patient}/"
        self.assertEqual(self.found(within + "Observation", token), {self.result, self.vital})
        self.assertEqual(self.found(within + "Observation?code:text=pulse", token), {self.vital})
        posted = self.server.request("POST", within + "Observation/_search", "", token, headers=applications.FORM)
        self.assertEqual(json_of(posted)["total"], 2)
        # Of all types those of the scope alone, also where the patient himself is one of them.
        self.assertEqual(self.found(within + "*", token), {self.result, self.vital})
        self.assertEqual(self.get(within + "Condition", token).status, 403)
        self.assertEqual(self.get(within + "Observation", self.lab.token("system/Patient.rs")).status, 403)
        self.assertEqual(self.get(within + "Observation", self.lab.token("system/Observation.r")).status, 403)
        limited = self.lab.token(f"system/Observation.rs?category={LABORATORY}")
        self.assertEqual(self.found(within + "Observation", limited), {self.result})
        entries = [{"request": {"method": "GET", "url": f"Patient/{self.patient}/{inner}"}}
                   for inner in ("Observation", "Condition")]
        for kind in ("batch", "transaction"):
            sent = {"resourceType": "Bundle", "type": kind, "entry": entries[:1 if kind == "transaction" else 2]}
            answered = json_of(self.server.request("POST", "/fhir", sent, token))["entry"]
            self.assertEqual(answered[0]["resource"]["total"], 2, kind)
            if kind == "batch":
                self.assertEqual(answered[1]["response"]["status"][:3], "403")

    def test_F07_a_constraint_holds_for_reads_searches_and_includes(self):
        token = self.lab.token(f"system/Observation.rs?category={LABORATORY} system/Patient.rs")
        self.assertEqual(self.get("/fhir/Observation/" + self.result, token).status, 200)
        for path in ("", "/_history", "/_history/1"):
            self.assertEqual(self.get("/fhir/Observation/" + self.vital + path, token).status, 404, path)
        self.assertEqual(self.found("/fhir/Observation", token), {self.result})
        self.assertEqual(self.found("/fhir/Observation?_id=" + self.vital, token), set())
        self.assertEqual(json_of(self.get("/fhir/Observation?_summary=count", token))["total"], 1)
        self.assertEqual(self.found(f"/fhir/Patient?_id={self.patient}&_revinclude=Observation:subject", token),
                         {self.patient, self.result})
        self.assertEqual(self.found("/fhir/Patient?_has:Observation:subject:code:text=pulse", token), set())
        self.assertEqual(self.found("/fhir/Patient?_has:Observation:subject:code:text=potassium", token),
                         {self.patient})
        self.assertNotIn(self.vital.encode(), self.get("/fhir/Observation/_history", token).body)
        both = self.lab.token(f"system/Observation.rs?category={LABORATORY} "
                              "system/Observation.rs?category=vital-signs")
        self.assertEqual(self.found("/fhir/Observation", both), {self.result, self.vital})

    def test_F07_constraints_may_be_of_every_kind(self):
        patient = self.make({"resourceType": "Patient"})
        visit = self.make({"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
                           "subject": {"reference": "Patient/" + patient}})
        there = self.make(
            {"resourceType": "Observation", "status": "final", "code": {"text": "weight"},
             "subject": {"reference": "Patient/" + patient}, "encounter": {"reference": "Encounter/" + visit},
             "effectiveDateTime": "2025-03-04", "valueQuantity": {"value": 80, "unit": "kg"}})
        for constraint, found in ((f"encounter=Encounter/{visit}", True), ("date=ge2025&value-quantity=lt90", True),
                                  ("date=lt2025", False), ("value-quantity=gt90", False)):
            token = self.lab.token("system/Observation.rs?" + constraint)
            expected = {there} if found else set()
            self.assertEqual(self.found("/fhir/Observation", token) & {there, self.vital, self.result}, expected, constraint)
            self.assertEqual(self.get("/fhir/Observation/" + there, token).status, 200 if found else 404, constraint)
            self.assertEqual(self.get("/fhir/Observation/" + self.vital, token).status, 404, constraint)

    def test_F07_as_many_narrowed_scopes_are_granted_as_are_registered_and_asked_for(self):
        categories = [LABORATORY, "vital-signs"] + [f"c{i}" for i in range(18)]
        scopes = sorted(f"system/Observation.rs?category={each}" for each in categories)
        lab = Client(self.server, "granular", self.key, " ".join(scopes), "doctor")
        reply = json_of(lab.ask(scope=" ".join(scopes)))
        self.assertEqual(sorted(reply.get("scope", str(reply)).split()), scopes)
        self.assertEqual(self.found("/fhir/Observation", reply["access_token"]) & {self.vital, self.result},
                         {self.vital, self.result})
        wide = json_of(lab.ask(scope="system/*.rs"))
        self.assertEqual(sorted(wide["scope"].split()), scopes)

    def test_F07_a_scope_that_cannot_be_held_to_is_refused(self):
        for scope in ("system/Observation.rs?subject.name=Ott", "system/*.rs?category=laboratory",
                      "system/Observation.u?category=laboratory", "system/Nothing.rs", "system/Patient.sr", "",
                      "user/*.rs", "patient/*.rs"):
            reply = self.lab.ask(scope=scope)
            self.assertEqual((reply.status, json_of(reply)["error"]), (400, "invalid_scope"), scope)

    def test_F09_the_role_binds_what_the_scope_would_open(self):
        nurse = Client(self.server, "ward", self.key, "system/*.cruds", "nurse").token("system/*.cruds")
        self.assertEqual(self.get("/fhir/Patient/" + self.patient, nurse).status, 200)
        self.assertEqual(self.get("/fhir/MedicationRequest", nurse).status, 403)
        self.assertEqual(self.server.request("DELETE", "/fhir/Patient/" + self.patient, token=nurse).status, 403)

    def test_an_export_gives_what_its_scopes_reach(self):
        bulk = Client(self.server, "bulk", self.key, "system/*.rs", "exporter")
        scope = f"system/Observation.rs?category={LABORATORY} system/Patient.rs"
        token = bulk.token(scope)
        started = self.server.request("GET", "/fhir/$export?_type=Patient,Observation,Condition", token=token,
                                      headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})
        self.assertEqual(started.status, 202, started.body)
        where = urllib.parse.urlparse(started.headers["content-location"]).path
        end = time.monotonic() + harness.PATIENCE
        while (reply := self.get(where, token)).status == 202 and time.monotonic() < end:
            time.sleep(0.1)
        output = json_of(reply)["output"]
        self.assertEqual({(each["type"], each["count"]) for each in output if each["type"] == "Observation"},
                         {("Observation", 1)})
        self.assertNotIn("Condition", {each["type"] for each in output})
        fetched = b"".join(self.get(urllib.parse.urlparse(each["url"]).path, token).body for each in output)
        self.assertIn(b"potassium", fetched)
        self.assertNotIn(b"pulse", fetched)
        # Its counts are of what those scopes reach: other scopes see another export, which is none.
        self.assertEqual(self.get(where, bulk.token("system/Patient.rs")).status, 404)
        self.assertEqual(self.get(where, bulk.token(scope)).status, 200)

    # --- who gets none ---

    def refused(self, reply, error="invalid_client"):
        self.assertIn(reply.status, (400, 401), reply.body)
        self.assertEqual(json_of(reply)["error"], error)
        self.assertEqual(reply.headers["cache-control"], "no-store")
        self.assertEqual(reply.headers["content-type"], "application/json")

    def test_F12_forged_assertions_get_nothing(self):
        foreign = Key(self.folder.name)
        claims = self.lab.claims()
        signed = lambda header: b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        unsigned = signed(self.lab.header(alg="none")) + "."
        confused = signed(self.lab.header(alg="HS384"))
        confused += "." + b64(hmac.new(self.key.public_pem, confused.encode(), hashlib.sha384).digest())
        for assertion in (
                unsigned, confused,
                self.key.jws(self.lab.header(alg="RS256"), claims, "sha256"),
                self.key.jws(self.lab.header(alg="ES384"), claims),
                foreign.jws(self.lab.header(), claims),
                foreign.jws(self.lab.header(jwk=foreign.jwk()), claims),
                foreign.jws(self.lab.header(jku="https://evil.example/jwks.json"), claims),
                self.key.jws(self.lab.header(kid="k2"), claims),
                self.key.jws(self.lab.header(kid=None), claims), self.key.jws(self.lab.header(kid=""), claims),
                self.key.jws(self.lab.header(kid=1), claims),
                self.key.jws(self.lab.header(typ=None), claims), self.key.jws(self.lab.header(typ=""), claims),
                self.key.jws(self.lab.header(typ="at+jwt"), claims), self.key.jws(self.lab.header(typ=["JWT"]), claims),
                self.lab.assertion(aud="https://evil.example/oauth/token"),
                self.lab.assertion(aud=self.lab.token_url() + "/"),
                self.lab.assertion(aud=None),
                self.lab.assertion(exp=int(time.time()) - 60),
                self.lab.assertion(exp=int(time.time()) + 3600),
                self.lab.assertion(nbf=int(time.time()) + 120),
                self.lab.assertion(exp=None), self.lab.assertion(jti=None),
                self.lab.assertion(iss="ward"), self.lab.assertion(sub="ward"),
                self.lab.assertion(iss="nobody", sub="nobody"),
                "", "x", "a.b.c"):
            self.refused(self.lab.ask(assertion or " "))
        # Of all this nothing was used up.
        self.assertEqual(self.lab.ask(self.key.jws(self.lab.header(), claims)).status, 200)

    def test_F12_of_many_replays_at_once_one_gets_a_token(self):
        assertion = self.lab.assertion()
        statuses = [reply.status for reply in applications.at_once(12, lambda: self.lab.ask(assertion))]
        self.assertEqual((statuses.count(200), statuses.count(401)), (1, 11))

    def test_F12_the_host_of_a_request_does_not_choose_the_audience(self):
        # An assertion for another server, which relays it here under that server's name.
        relayed = self.lab.assertion(aud="https://evil.example/oauth/token")
        fields = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "system/*.rs",
                                         "client_assertion_type": applications.JWT_BEARER,
                                         "client_assertion": relayed})
        self.refused(self.server.request("POST", "/oauth/token", fields,
                                         headers={**applications.FORM, "Host": "evil.example"}))

    def test_F20_other_ways_to_a_token_are_not_there(self):
        def post(**fields):
            return self.server.request("POST", "/oauth/token", urllib.parse.urlencode(fields),
                                       headers=applications.FORM)
        for grant in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
            self.refused(post(grant_type=grant, username="dr", password=harness.PASSWORD), "unsupported_grant_type")
        self.refused(post(scope="x"), "invalid_request")
        self.refused(post(grant_type="client_credentials", client_id="lab", client_secret="x"))
        self.refused(self.server.request("POST", "/oauth/token", {"grant_type": "client_credentials"}),
                     "invalid_request")
        self.refused(self.server.request("POST", "/oauth/token?scope=x", "grant_type=client_credentials",
                                         headers=applications.FORM), "invalid_request")
        self.refused(self.server.request("POST", "/oauth/token", "scope=a&scope=b", headers=applications.FORM),
                     "invalid_request")
        self.assertEqual(self.server.request("GET", "/oauth/token").status, 405)

    def test_A09_every_refusal_is_recorded_with_its_reason(self):
        before = self.server.audit_size()
        used = self.lab.assertion()
        self.lab.ask(used)
        self.refused(self.lab.ask(used))
        self.refused(self.lab.ask(self.lab.assertion(iss="nobody-at-all", sub="nobody-at-all")))
        self.refused(self.lab.ask(scope="user/*.rs"), "invalid_scope")
        _, replayed, unknown, beyond = self.server.audit_after(before)
        self.assertEqual({entry["event"] for entry in (replayed, unknown, beyond)}, {"token-refused"})
        self.assertEqual((replayed["target"], replayed["reason"]), ("lab", "the assertion was used before"))
        self.assertEqual(unknown["reason"], "unknown application")
        self.assertNotIn("nobody-at-all", json.dumps(unknown))
        self.assertEqual(beyond["target"], "lab")

    def test_an_application_does_not_act_as_its_account(self):
        token = self.lab.token("system/*.cruds")
        for method, path in (("GET", "/auth/account"), ("GET", "/auth/sessions"), ("POST", "/auth/recovery-codes"),
                             ("POST", "/auth/password"), ("POST", "/auth/logout")):
            self.assertEqual(self.server.request(method, path, None if method == "GET" else {}, token).status, 403)
        for command in (("token", "issue", "--user", "lab"), ("user", "certificate", "lab", "--sha256", "00" * 32)):
            self.assertNotEqual(self.server.cli(*command, "--data", self.server.data).returncode, 0)

    def test_clients_are_listed_and_named_once(self):
        listed = json.loads(self.server.cli("client", "list", "--json", "--data", self.server.data,
                                            check=True).stdout)["clients"]
        lab = next(each for each in listed if each["client_id"] == "lab")
        self.assertEqual((lab["kind"], lab["enabled"], lab["scope"]), ("service", True, "system/*.cruds"))
        self.assertEqual(lab["keys"], [{"kid": "k1", "alg": "RS384"}])
        again = self.server.cli("client", "add", "lab", "--jwks", self.key.jwks_file(), "--scope", "system/*.rs",
                                "--role", "doctor", "--data", self.server.data)
        self.assertNotEqual(again.returncode, 0)
        private = self.key.file.with_suffix(".private.json")
        private.write_text(json.dumps({"keys": [{**self.key.jwk(), "d": "AQAB"}]}))
        given_away = self.server.cli("client", "add", "leak", "--jwks", private, "--scope", "system/*.rs",
                                     "--role", "doctor", "--data", self.server.data)
        self.assertIn("private", given_away.stderr)


class Scopes(harness.TestCase):
    """Under `classic`, whose administrator may everything: what a token may not, its scopes deny."""

    policy = "classic"
    config = harness.UNLIMITED
    # What is asked for and what is granted of it; None: it is no scope, or none that the application is registered for.
    # One token has one level: `user` and `patient` are asked for where a person decides.
    TABLE = {
        "c": "c", "r": "r", "u": "u", "d": "d", "s": "s", "cr": "cr", "cu": "cu", "cd": "cd", "cs": "cs", "ru": "ru", "rd": "rd",
        "rs": "rs", "ud": "ud", "us": "us", "ds": "ds", "cud": "cud", "rus": "rus", "cruds": "cruds",
        "read": "rs", "write": "cud", "*": "cruds",
        "dus": None, "sr": None, "dr": None, "rr": None, "rsr": None, "crudsx": None, "x": None, "R": None, "RS": None,
        "Read": None, "reads": None, "readwrite": None, "read.write": None, "r,s": None, "r*": None, "": None, "1": None,
        "rs?": None, "rs?category": None, "rs?category=": None, "rs?=x": None, "rs?category=a&": None, "read?category=a": None,
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = applications.folder()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.client = Client(cls.server, "all", Key(cls.folder.name), "system/*.cruds", "administrator")
        cls.app = applications.App(cls.server, "page", "user/*.cruds patient/*.cruds")
        cls.admin = cls.server.admin()

    def test_F06_the_table_of_scopes(self):
        self.assertGreaterEqual(len(self.TABLE), 40)
        for verbs, granted in self.TABLE.items():
            for kind in ("Patient", "*"):
                reply = self.client.ask(scope=f"system/{kind}.{verbs}")
                with self.subTest(scope=f"system/{kind}.{verbs}"):
                    if granted is None:
                        self.assertEqual((reply.status, json_of(reply)["error"]), (400, "invalid_scope"))
                    else:
                        self.assertEqual((reply.status, json_of(reply)["scope"]), (200, f"system/{kind}.{granted}"))
            for level in ("user", "patient"):
                scope = f"{level}/Patient.{verbs}"
                reply = self.app.begin(scope=scope)
                with self.subTest(scope=scope):
                    self.assertEqual(reply.status, 303 if granted is None else 200)
                    if granted is None:
                        self.assertEqual(self.app.answer_of(reply)["error"], "invalid_scope")
        for scope in ("Patient.rs", "/Patient.rs", "users/Patient.rs", "System/Patient.rs", "system/patient.rs", "system/Patient",
                      "system/Patients.rs", "system/**.rs", "system/.rs", "system/Patient/1.rs", "system:Patient.rs",
                      "system/Patient.rs?_id=1&_id"):
            reply = self.client.ask(scope=scope)
            self.assertEqual((reply.status, json_of(reply)["error"]), (400, "invalid_scope"), scope)

    def test_F06_each_verb_opens_its_interactions_alone_deletion_too(self):
        def made():
            return {"resourceType": "Patient", "id": self.server.create({"resourceType": "Patient"}, self.admin)}
        asked = {"create": ("c", lambda one: ("POST", "Patient", {"resourceType": "Patient"})),
                 "read": ("r", lambda one: ("GET", "Patient/" + one["id"], None)),
                 "vread": ("r", lambda one: ("GET", f"Patient/{one['id']}/_history/1", None)),
                 "history": ("r", lambda one: ("GET", f"Patient/{one['id']}/_history", None)),
                 "search": ("s", lambda one: ("GET", "Patient?_id=" + one["id"], None)),
                 "history of the type": ("s", lambda one: ("GET", "Patient/_history?_count=1", None)),
                 "update": ("u", lambda one: ("PUT", "Patient/" + one["id"], one)),
                 "delete": ("d", lambda one: ("DELETE", "Patient/" + one["id"], None))}
        for verbs in ("c", "r", "u", "d", "s", "rs", "cud", "cruds"):
            for kind in ("Patient", "*", "Observation"):
                token = self.client.token(f"system/{kind}.{verbs}")
                for name, (verb, request) in asked.items():
                    method, path, body = request(made())
                    reply = self.server.request(method, "/fhir/" + path, body, token)
                    with self.subTest(scope=f"system/{kind}.{verbs}", interaction=name):
                        self.assertEqual(reply.status < 300, verb in verbs and kind != "Observation", reply.status)
                        if reply.status >= 300:
                            self.assertIn(reply.status, (403, 404))

    def test_F06_deletion_in_bundles_and_by_criteria_needs_its_verb(self):
        for verbs, allowed in (("rus", False), ("cruds", True)):
            token = self.client.token("system/*." + verbs)
            patient = self.server.create({"resourceType": "Patient", "identifier": [{"value": "gone-" + verbs}]}, self.admin)
            for kind in ("batch", "transaction"):
                sent = {"resourceType": "Bundle", "type": kind, "entry": [
                    {"request": {"method": "DELETE", "url": "Observation/nothing-" + kind}}]}
                reply = self.server.request("POST", "/fhir", sent, token)
                status = json_of(reply)["entry"][0]["response"]["status"][:3] if reply.status == 200 else str(reply.status)
                self.assertEqual(status.startswith("2"), allowed, (kind, verbs, status))
            reply = self.server.request("DELETE", "/fhir/Patient?identifier=gone-" + verbs, token=token)
            self.assertEqual(reply.status < 300, allowed, reply)
            gone = self.server.request("GET", "/fhir/Patient/" + patient, token=self.admin).status
            self.assertEqual(gone, 410 if allowed else 200)


class Lives(harness.TestCase):
    """What ends, and what a restart does not bring back."""

    def test_F12_S11_replays_and_disabled_clients_stay_out_behind_a_restart(self):
        with applications.folder() as folder:
            key, next_key = Key(folder), Key(folder, "k2")
            lab = Client(self.server, "lab", key, "system/*.rs", "doctor")
            assertion, token = lab.assertion(), lab.token()
            # The address of the token endpoint is part of what was signed, and the port is another after it.
            self.server.stop()
            self.server.configure('[oauth]\norigin = "https://records.example.org"\n', 1)
            self.server.start()
            lab.token_url = lambda: "https://records.example.org/oauth/token"
            assertion = lab.assertion()
            self.assertEqual(lab.ask(assertion).status, 200)
            self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
            self.server.kill()
            self.server.start()
            self.assertEqual(json_of(lab.ask(assertion))["error"], "invalid_client")
            self.assertEqual(lab.ask().status, 200)
            # Keys are replaced: the old one signs nothing any more.
            self.server.cli("client", "keys", "lab", "--jwks", next_key.jwks_file(), "--data", self.server.data,
                            check=True)
            self.assertEqual(json_of(lab.ask())["error"], "invalid_client")
            lab.key = next_key
            token = lab.token()
            self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
            self.server.cli("client", "disable", "lab", "--data", self.server.data, check=True)
            self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
            self.assertEqual(json_of(lab.ask())["error"], "invalid_client")
            self.server.stop()
            self.server.start()
            self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
            self.assertEqual(json_of(lab.ask())["error"], "invalid_client")
            events = [entry["event"] for entry in self.server.audit()]
            for event in ("client-added", "client-keys-changed", "client-disabled"):
                self.assertEqual(events.count(event), 1, event)


if __name__ == "__main__":
    unittest.main()

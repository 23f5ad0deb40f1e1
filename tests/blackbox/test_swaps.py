"""What one door gives opens no other: tokens in each other's place, addresses in records, requests without their form.
REQUIREMENTS W-17, W-06, F-22, A-06, O-05."""

import base64
import json
import socket
import threading
import unittest
import urllib.parse
import uuid

import harness
from applications import FORM, App, Page
from harness import json_of

SCOPE = "openid fhirUser user/*.cruds offline_access"


class Listener(threading.Thread):
    """Counts who connects: an address that stands in a record and that nobody may ask."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.visits = self.socket.getsockname()[1], 0

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()


class Swaps(harness.TestCase):
    policy = "classic"
    config = harness.UNLIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        cls.doctor = server.person("dr", "doctor")
        cls.session = cls.doctor.session = server.token_of(cls.doctor)
        cls.patient = json_of(server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, cls.session))["id"]
        cls.app = App(server, "app", SCOPE)
        cls.answer = cls.app.launch(cls.doctor, scope=SCOPE)

    def read(self, token, server=None):
        return (server or self.server).request("GET", "/fhir/Patient/" + self.patient, token=token).status

    def test_W17_no_token_passes_for_another(self):
        answer = self.answer
        self.assertEqual(self.read(answer["access_token"]), 200)
        unused = self.app.code(self.doctor, scope=SCOPE)
        others = {"id_token": answer["id_token"], "refresh": answer["refresh_token"], "code": unused,
                  "recovery code": self.app.factor_of(self.doctor), "client id": "app", "user": "dr"}
        for name, token in others.items():
            self.assertEqual(self.read(token), 401, name)
        for name, token in {**others, "access": answer["access_token"], "session": self.session}.items():
            if name != "refresh":
                self.assertIn(self.app.refresh(token).status, (400, 401), name)
            if name != "code":
                self.assertIn(self.app.fetch(token).status, (400, 401), name)
        # An application's token is no sign-in of the person.
        for method, path in (("GET", "/auth/sessions"), ("POST", "/auth/recovery-codes"), ("POST", "/auth/password")):
            status = self.server.request(method, path, {} if method == "POST" else None, answer["access_token"]).status
            self.assertIn(status, (401, 403, 404), path)

    def test_W17_tokens_of_another_server_are_none_here(self):
        other = self.new_server().start()
        self.addCleanup(other.stop)
        doctor = other.person("dr", "doctor")
        session = doctor.session = other.token_of(doctor)
        app = App(other, "app", SCOPE)
        answer = app.launch(doctor, scope=SCOPE)
        for token in (session, answer["access_token"], answer["id_token"]):
            self.assertEqual(self.read(token), 401)
        self.assertEqual(self.app.refresh(answer["refresh_token"]).status, 400)
        self.assertEqual(self.read(self.session, other), 401)
        # Written anew with our issuer, audience and no or another signature.
        head, body, _ = answer["id_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        claims["iss"] = self.app.base
        made = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        for token in (f"{head}.{made}.", f"{none}.{made}.", f"{head}.{made}.{'A' * 86}"):
            self.assertEqual(self.read(token), 401)

    def test_F22_a_decision_needs_the_form_and_the_browser_it_was_made_for(self):
        page = Page(self.app.sign_in(self.doctor, Page(self.app.begin(scope=SCOPE))))
        consent = {**page.fields, **{name: "1" for name in page.boxes}, "decision": "allow"}
        for fields, headers in (({"decision": "allow"}, {}), ({**consent, "request": "x"}, {}), (consent, {}),
                                (consent, {"Cookie": "__Host-tacenda-oauth=" + "A" * 43}),
                                ({**consent, "request": self.answer["refresh_token"]}, {"Cookie": "; ".join(map("=".join, self.app.cookies.items()))})):
            reply = self.server.request("POST", page.action, urllib.parse.urlencode(fields), headers={**FORM, **headers})
            self.assertEqual(reply.status, 403, fields)
            self.assertNotIn("location", reply.headers)
        reply = self.app.decide(page)
        self.assertEqual(reply.status, 303, "and with both it is made")
        shown = self.app.begin(scope=SCOPE)
        self.assertIn("frame-ancestors 'none'", shown.headers["content-security-policy"])
        self.assertIn("SameSite", shown.headers.get("set-cookie", "SameSite"))

    def test_W06_addresses_in_records_are_never_asked(self):
        listener = Listener()
        listener.start()
        self.addCleanup(listener.socket.close)
        admin = self.server.token_of(self.server.person("keeper", "administrator"))
        here = f"http://127.0.0.1:{listener.port}/x"
        for body in (
                {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/" + self.patient},
                 "content": [{"attachment": {"url": here, "contentType": "text/html"}}]},
                {"resourceType": "Patient", "photo": [{"url": here}], "meta": {"profile": [here]}},
                {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Patient?",
                 "channel": {"type": "rest-hook", "endpoint": here}},
                {"resourceType": "Endpoint", "status": "active", "connectionType": {"code": "hl7-fhir-rest"}, "address": here,
                 "payloadType": [{"text": "x"}]},
                {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": here}},
                {"resourceType": "ValueSet", "status": "draft", "url": here, "compose": {"include": [{"system": here, "valueSet": [here]}]}},
                {"resourceType": "StructureDefinition", "url": here, "name": "X", "status": "draft", "kind": "resource",
                 "abstract": False, "type": "Patient", "baseDefinition": here, "derivation": "constraint"}):
            reply = self.server.request("POST", "/fhir/" + body["resourceType"], body, admin)
            self.assertEqual(reply.status, 422 if body["resourceType"] == "Subscription" else 201, reply)
            if reply.status == 201:
                place = f"/fhir/{body['resourceType']}/{json_of(reply)['id']}"
                for way in (place, place + "/$validate", f"/fhir/{body['resourceType']}?_include=*&_id={json_of(reply)['id']}"):
                    self.server.request("GET", way, token=admin)
        quoted = urllib.parse.quote(here, safe="")
        for query in (f"ValueSet/$expand?url={quoted}", f"Observation?code:in={quoted}", f"Observation?subject={quoted}",
                      f"Observation?subject={quoted}&_include=Observation:subject", f"Patient?_profile={quoted}"):
            self.server.request("GET", "/fhir/" + query, token=admin)
        self.assertEqual(listener.visits, 0)

    def subscription(self, endpoint):
        return {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Patient?",
                "channel": {"type": "rest-hook", "endpoint": endpoint}}

    def test_W06_a_subscription_that_points_inside_is_refused(self):
        admin = self.server.token_of(self.server.person("inside", "administrator"))
        inside = ("http://hooks.example.org/x", "https://169.254.169.254/latest/meta-data", "https://localhost/x",
                  "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://[::1]/",
                  "https://[::ffff:169.254.169.254]/", "https://[fd00::1]/", "https://10.0.0.1:8443/", "https://192.168.1.1/",
                  "https://172.16.0.1/", "https://printer.local/", "https://metadata.google.internal/", "https://intranet/",
                  "https://hooks.example.org@169.254.169.254/", "https://user:secret@hooks.example.org/",
                  "https://hooks.example.org\\@127.0.0.1/", "file:///etc/passwd", "//hooks.example.org/", "")
        for endpoint in inside:
            reply = self.server.request("POST", "/fhir/Subscription", self.subscription(endpoint), admin)
            self.assertEqual((reply.status, json_of(reply)["resourceType"]), (422 if endpoint else 400, "OperationOutcome"), endpoint)
            if endpoint:
                self.assertNotIn(endpoint, reply.body.decode())
        good = self.subscription("https://hooks.example.org/x")
        id_ = self.server.create(good, admin)
        place = "/fhir/Subscription/" + id_
        moved = {**self.subscription(inside[1]), "id": id_}
        self.assertEqual(self.server.request("PUT", place, moved, admin).status, 422)
        patch = [{"op": "replace", "path": "/channel/endpoint", "value": inside[1]}]
        reply = self.server.request("PATCH", place, patch, admin, {"Content-Type": "application/json-patch+json"})
        self.assertEqual(reply.status, 422)
        for kind in ("transaction", "batch"):
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [
                {"resource": self.subscription(inside[2]), "request": {"method": "POST", "url": "Subscription"}}]}
            reply = self.server.request("POST", "/fhir", bundle, admin)
            if kind == "transaction":
                self.assertEqual(reply.status, 422)
            else:
                self.assertRegex(json_of(reply)["entry"][0]["response"]["status"], "^422")
        self.assertEqual(json_of(self.server.request("GET", place, token=admin))["meta"]["versionId"], "1")

    def test_A06_the_id_of_a_request_is_told_and_recorded(self):
        before = self.server.audit_size()
        mine = str(uuid.uuid4())
        reply = self.server.request("GET", "/fhir/Patient/" + self.patient, token=self.session, headers={"X-Request-Id": mine})
        self.assertEqual(reply.headers["x-request-id"], mine)
        given = self.server.request("GET", "/fhir/Patient/" + self.patient, token=self.session).headers["x-request-id"]
        self.assertEqual([e["request_id"] for e in self.server.audit_after(before) if e["event"] == "read"], [mine, given])
        listed = self.server.cli("audit", "list", "--all", "--fhir", "--data", self.server.data, check=True).stdout
        shown = [json.loads(line) for line in listed.splitlines()]
        self.assertTrue([e for e in shown if mine in json.dumps(e.get("entity", []))])
        for bad in ("x" * 5000, "a b", "<script>"):
            reply = self.server.request("GET", "/fhir/metadata", headers={"X-Request-Id": bad})
            self.assertNotEqual(reply.headers.get("x-request-id"), bad)

    def test_O05_nothing_of_a_record_is_left_in_a_cache(self):
        binary = self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, self.session)
        self.assertEqual(binary.headers["cache-control"], "no-store")
        for path in ("", "/_history", "/_history/1", "/$everything", "?_format=xml"):
            reply = self.server.request("GET", f"/fhir/Patient/{self.patient}{path}", token=self.session)
            self.assertEqual((reply.status, reply.headers["cache-control"]), (200, "no-store"), path)
        for path in ("/fhir/Patient", "/fhir/AuditEvent", "/auth/sessions", "/auth/applications"):
            reply = self.server.request("GET", path, token=self.session)
            self.assertEqual(reply.headers["cache-control"], "no-store", path)
        batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/" + self.patient}}]}
        self.assertEqual(self.server.request("POST", "/fhir", batch, self.session).headers["cache-control"], "no-store")
        leaving = self.server.token_of(self.doctor)
        reply = self.server.request("POST", "/auth/logout", {}, leaving)
        self.assertIn(reply.status, (200, 204), reply)
        self.assertIn('"cache"', reply.headers.get("clear-site-data", ""))


if __name__ == "__main__":
    unittest.main()

"""Who gets in: access control, unique identities, networks (S-01, S-02, N-05)."""

import json
import socket
import unittest

import harness

ID = "8a5f1d0e-0f3b-4a53-8ad1-0c2f1e9b7d11"

# Where an operation of the CapabilityStatement is called: of a type, or of each, `{}` the type and `*` an id.
OPERATIONS = {
    "export": {"": ["GET $export", "POST $export"], "Patient": ["GET {}/$export", "POST {}/$export"],
               "Group": ["GET {}/*/$export", "POST {}/*/$export"]},
    "meta": {"": ["GET $meta"], None: ["GET {}/$meta", "GET {}/*/$meta"]},
    "meta-add": {None: ["POST {}/*/$meta-add"]},
    "meta-delete": {None: ["POST {}/*/$meta-delete"]},
    "validate": {None: ["POST {}/$validate", "POST {}/*/$validate", "GET {}/*/$validate"]},
    "everything": {"Patient": ["GET {}/*/$everything", "POST {}/*/$everything"]},
    "break-glass": {"Patient": ["POST {}/*/$break-glass"]},
    "lastn": {"Observation": ["GET {}/$lastn", "POST {}/$lastn"]},
    "expand": {"ValueSet": ["GET {}/$expand", "POST {}/$expand", "GET {}/*/$expand", "POST {}/*/$expand"]},
    "validate-code": {None: ["GET {}/$validate-code", "POST {}/$validate-code", "GET {}/*/$validate-code",
                             "POST {}/*/$validate-code"]},
    "lookup": {"CodeSystem": ["GET {}/$lookup", "POST {}/$lookup"]},
    "subsumes": {"CodeSystem": ["GET {}/$subsumes", "POST {}/$subsumes", "GET {}/*/$subsumes", "POST {}/*/$subsumes"]},
}


def operations(kind, listed):
    """(method, path, body) of each operation that the CapabilityStatement lists for a type, or for the system (``)."""
    for operation in listed.get("operation", ()):
        places = OPERATIONS[operation["name"]]
        for place in places[kind] if kind in places else places[None]:
            method, path = place.split()
            # $validate looks at what it is sent before it asks whether that might be written.
            sent = kind if operation["name"] == "validate" else "Parameters"
            body = {"resourceType": sent} if method == "POST" else None
            yield method, "/fhir/" + path.replace("{}", kind).replace("*", ID), body


def routes(capabilities):
    """(method, path, body) of every interaction and operation that the CapabilityStatement lists."""
    rest = capabilities["rest"][0]
    for resource in rest["resource"]:
        kind = resource["type"]
        body = {"resourceType": kind, "id": ID}
        shapes = {
            "read": ("GET", f"/fhir/{kind}/{ID}", None),
            "vread": ("GET", f"/fhir/{kind}/{ID}/_history/1", None),
            "history-instance": ("GET", f"/fhir/{kind}/{ID}/_history", None),
            "history-type": ("GET", f"/fhir/{kind}/_history", None),
            "create": ("POST", f"/fhir/{kind}", {"resourceType": kind}),
            "update": ("PUT", f"/fhir/{kind}/{ID}", body),
            "delete": ("DELETE", f"/fhir/{kind}/{ID}", None),
            "patch": ("PATCH", f"/fhir/{kind}/{ID}", {"resourceType": "Parameters"}),
            "search-type": ("GET", f"/fhir/{kind}", None),
        }
        for interaction in resource["interaction"]:
            yield shapes[interaction["code"]]
        yield from operations(kind, resource)
    create = {"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}}
    system = {
        "transaction": ("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [create]}),
        "history-system": ("GET", "/fhir/_history", None),
        "search-system": ("GET", "/fhir?_type=Patient,Observation", None),
    }
    for interaction in rest["interaction"]:
        if interaction["code"] != "batch":  # a transaction's address; its entries have their own answers
            yield system[interaction["code"]]
    yield from operations("", rest)


class AccessControl(harness.TestCase):
    def listed_routes(self):
        reply = self.server.request("GET", "/fhir/metadata")
        self.assertEqual(reply.status, 200)
        found = list(routes(json.loads(reply.body)))
        self.assertGreater(len(found), 500, "the statement lists every type with its interactions")
        self.assertLessEqual({f"${name}" for name in OPERATIONS}, {path.rsplit("/", 1)[1] for _, path, _ in found})
        return found

    def test_S01_without_a_token_every_listed_route_answers_401(self):
        with self.server.connect() as connection:
            for method, path, body in self.listed_routes():
                reply = connection.request(method, path, body)
                self.assertEqual(reply.status, 401, f"{method} {path}")
                self.assertIn(b"OperationOutcome", reply.body)

    def test_S01_a_made_up_token_is_no_token(self):
        for token in ("x", "A" * 43, "0" * 64, ""):
            reply = self.server.request("GET", f"/fhir/Patient/{ID}", headers={"Authorization": f"Bearer {token}"})
            self.assertEqual(reply.status, 401, token)

    def test_S01_a_role_without_rights_to_records_gets_403_everywhere(self):
        token = self.server.token_of(self.server.person("idle", "auditor"))
        with self.server.connect() as connection:
            for method, path, body in self.listed_routes():
                reply = connection.request(method, path, body, token)
                # The audit log is what an auditor is there for, and no record.
                expected = (200, 404) if path.startswith("/fhir/AuditEvent") else (403,)
                self.assertIn(reply.status, expected, f"{method} {path}")

    def test_S01_an_entry_of_a_batch_is_denied_like_the_same_request_alone(self):
        token = self.server.token_of(self.server.person("idle2", "auditor"))
        entry = {"request": {"method": "GET", "url": f"Patient/{ID}"}}
        batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
        reply = self.server.request("POST", "/fhir", batch, token)
        self.assertEqual(reply.status, 200)
        status = json.loads(reply.body)["entry"][0]["response"]["status"]
        self.assertTrue(status.startswith("403"), status)

    def test_S01_unknown_routes_are_404_with_and_without_a_token(self):
        token = self.server.token_of(self.server.person("walker", "doctor"))
        paths = ["/", "/fhir/Nonsense", "/fhir/Nonsense/1", "/fhir/patient/1", "/fhir/Patient/1/2/3", "/fhirx",
                 "/fhir/Patient/1/_history/1/x", "/auth", "/auth/nothing", "/console", "/metrics", "/.env",
                 "/fhir/../admin/users", "/fhir/%2e%2e/admin/users", "/fhir//Patient/1", "/healthz/x"]
        with self.server.connect() as connection:
            for path in paths:
                for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                    for held in (None, token):
                        body = {} if method in ("POST", "PUT", "PATCH") else None
                        reply = connection.request(method, path, body, held)
                        self.assertEqual(reply.status, 404, f"{method} {path}")


class UniqueIdentities(harness.TestCase):
    def test_S02_there_is_no_default_account(self):
        for name in ("admin", "root", "alice", "administrator", "tacenda"):
            for password in ("admin", "root", name, "", "tacenda", "password"):
                reply = self.server.request("POST", "/auth/login", {"user": name, "password": password, "totp": "000000"},
                                            source=f"127.0.1.{len(name)}")
                self.assertEqual(reply.status, 401, (name, password))

    def test_S02_a_name_is_given_once_even_after_its_account_ended(self):
        first = self.server.invite("petra", "nurse")
        add = ["user", "add", "petra", "--role", "nurse", "--data", self.server.data]
        self.assertNotEqual(self.server.cli(*add).returncode, 0)
        self.server.cli("user", "disable", "petra", "--data", self.server.data, check=True)
        self.assertNotEqual(self.server.cli(*add).returncode, 0)
        listed = json.loads(self.server.cli("user", "list", "--json", "--data", self.server.data, check=True).stdout)
        petra = [user for user in listed["users"] if user["name"] == "petra"]
        self.assertEqual([(user["id"], user["enabled"]) for user in petra], [(first["id"], False)])

    def test_S02_two_people_leave_entries_of_two_ids(self):
        people = [self.server.person(name, "doctor") for name in ("dr.one", "dr.two")]
        mark = self.server.audit_size()
        for person in people:
            self.server.request("GET", f"/fhir/Patient/{ID}", token=self.server.token_of(person))
        reads = [e for e in self.server.audit_after(mark) if e["event"] == "read"]
        self.assertEqual([e["user_id"] for e in reads], [person.id for person in people])
        self.assertNotEqual(people[0].id, people[1].id)


class Networks(harness.TestCase):
    config = '[listener]\nallow = ["127.0.0.1"]\n'

    def test_N05_administration_is_not_on_the_fhir_port(self):
        token = self.server.admin()
        for path in ("/admin/status", "/admin/users", "/admin/audit", "/admin/audit/checkpoint", "/admin/login"):
            self.assertEqual(self.server.request("GET", path, token=token).status, 404)
        for path in ("/admin/login", "/admin/users", "/admin/tokens", "/admin/unseal", "/admin/seal", "/admin/verify"):
            self.assertEqual(self.server.request("POST", path, {}, token).status, 404)

    def test_N05_an_address_outside_the_list_is_refused_before_tls_and_recorded(self):
        self.assertEqual(self.server.request("GET", "/healthz").status, 200)
        mark = self.server.audit_size()
        raw = socket.create_connection((self.server.host, self.server.port), harness.PATIENCE, ("127.0.0.2", 0))
        with raw:
            try:
                # Not one byte of a handshake comes back: the connection ends.
                self.assertEqual(raw.recv(1), b"")
            except ConnectionResetError:
                pass
        entries = self.server.audit_after(mark)
        self.assertEqual([(e["event"], e["network"]) for e in entries], [("address-refused", "127.0.0.2")])

    def test_N05_a_header_cannot_change_where_a_request_comes_from(self):
        headers = {"X-Forwarded-For": "10.9.8.7", "Forwarded": "for=10.9.8.7", "X-Real-IP": "10.9.8.7"}
        mark = self.server.audit_size()
        self.assertEqual(self.server.request("GET", "/fhir/metadata", headers=headers).status, 200)
        entry, = self.server.audit_after(mark)
        self.assertEqual(entry["network"], "127.0.0.1")
        self.assertNotIn("10.9.8.7", json.dumps(entry))


if __name__ == "__main__":
    unittest.main()

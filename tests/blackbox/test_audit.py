"""The audit log: what it holds, in which order, and that anyone can check it (S-06, O-02, A-09, A-16)."""

import base64
import hashlib
import json
import ssl
import subprocess
import unittest
import uuid

import harness
from harness import json_of

# --- an independent verifier (RFC 6962, C2SP signed-note), written from the specifications -------------


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_from_inclusion(leaf, index, size, proof):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        raise ValueError("index beyond the tree")
    fn, sn, root = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ValueError("proof too long")
        if fn & 1 or fn == sn:
            root = node_hash(sibling, root)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = node_hash(root, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ValueError("proof too short")
    return root


def is_consistent(old_size, old_root, new_size, new_root, proof):
    """RFC 9162 section 2.1.4.2."""
    if old_size == new_size:
        return proof == [] and old_root == new_root
    if old_size & (old_size - 1) == 0:
        proof = [old_root] + proof
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for sibling in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    return fr == old_root and sr == new_root and sn == 0


def read_checkpoint(answer, folder):
    """Size and root of a signed checkpoint; the Ed25519 signature is checked by openssl."""
    note, vkey = answer["checkpoint"], answer["verifier_key"]
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    if hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id or key[0] != 1:
        raise ValueError("the verifier key is none")
    line = [s for s in signatures.split("\n") if s.startswith(f"— {name} ")][0]
    signature = base64.b64decode(line.split(" ")[2])
    if signature[:4].hex() != key_id:
        raise ValueError("signed by another key")
    der = bytes.fromhex("302a300506032b6570032100") + key[1:]  # RFC 8410
    (folder / "key.der").write_bytes(der)
    (folder / "text").write_bytes(text.encode())
    (folder / "signature").write_bytes(signature[4:])
    subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder / "key.der", "-rawin",
                    "-in", folder / "text", "-sigfile", folder / "signature"], check=True, capture_output=True)
    origin, size, root = text.split("\n")[:3]
    if origin != name:
        raise ValueError("another log's checkpoint")
    return int(size), base64.b64decode(root)


class Examined(harness.TestCase):
    """Each act leaves exactly its entries."""

    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()
        cls.user_id = [e for e in cls.server.audit() if e["event"] == "login"][0]["user_id"]

    def entries_of(self, act):
        mark = self.server.audit_size()
        result = act()
        return result, self.server.audit_after(mark)

    def ask(self, method, path, body=None, headers=None, token=True):
        return self.server.request(method, path, body, self.token if token else None, headers)

    def only_entry(self, event, act, status):
        reply, entries = self.entries_of(act)
        self.assertEqual(reply.status, status)
        self.assertEqual([e["event"] for e in entries], [event])
        entry = entries[0]
        self.assertEqual(entry["request_id"], reply.headers["x-request-id"])
        self.assertEqual(entry["network"], "127.0.0.1")
        self.assertEqual(entry["outcome"], 0 if status < 400 else 4)
        return reply, entry

    def test_S06_each_interaction_leaves_its_entry(self):
        patient = {"resourceType": "Patient"}
        made, entry = self.only_entry("create", lambda: self.ask("POST", "/fhir/Patient", patient), 201)
        id_ = json_of(made)["id"]
        path = "/fhir/Patient/" + id_
        self.assertEqual((entry["type"], entry["id"], entry["version"], entry["patients"]), ("Patient", id_, 1, [id_]))
        about = {**patient, "id": id_}
        for event, method, target, body, status in (
            ("read", "GET", path, None, 200),
            ("vread", "GET", path + "/_history/1", None, 200),
            ("update", "PUT", path, about, 200),
            ("patch", "PATCH", path, {"resourceType": "Parameters"}, 200),
            ("history-instance", "GET", path + "/_history", None, 200),
            ("delete", "DELETE", path, None, 204),
            ("read", "GET", path, None, 410),
        ):
            _, entry = self.only_entry(event, lambda: self.ask(method, target, body), status)
            self.assertEqual((entry["type"], entry["id"], entry["user_id"]), ("Patient", id_, self.user_id), event)
        _, entry = self.only_entry("history-type", lambda: self.ask("GET", "/fhir/Patient/_history?_count=2"), 200)
        self.assertEqual(entry["query"], "_count=2")
        self.only_entry("metadata", lambda: self.ask("GET", "/fhir/metadata"), 200)

    def test_S06_a_page_of_several_patients_leaves_an_entry_for_each_of_them(self):
        made = {json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}))["id"] for _ in range(3)}
        for event, path in (("history-system", "/fhir/_history?_count=3"), ("history-type", "/fhir/Patient/_history?_count=3")):
            reply, entries = self.entries_of(lambda: self.ask("GET", path))
            self.assertEqual({e["event"] for e in entries}, {event})
            self.assertEqual({e["request_id"] for e in entries}, {reply.headers["x-request-id"]})
            self.assertEqual(sorted(id_ for e in entries for id_ in e["patients"]), sorted(made))

    def test_S06_a_transaction_leaves_an_entry_for_each_of_its_entries(self):
        urn = f"urn:uuid:{uuid.uuid4()}"
        sent = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"fullUrl": urn, "request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}},
            {"request": {"method": "POST", "url": "Observation"},
             "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                          "subject": {"reference": urn}}}]}
        reply, entries = self.entries_of(lambda: self.ask("POST", "/fhir", sent))
        places = [e["response"]["location"].split("/")[:2] for e in json_of(reply)["entry"]]
        patient = places[0][1]
        self.assertEqual([(e["event"], [e["type"], e["id"]], e["patients"]) for e in entries],
                         [("create", place, [patient]) for place in places])

    def test_A04_what_a_transaction_asks_is_recorded_also_when_it_is_refused(self):
        mark = uuid.uuid4().hex
        ids = [json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient", "identifier": [{"value": mark + part}]}))["id"]
               for part in "ab"]

        def about(method, url, resource, **more):
            return {"request": {"method": method, "url": url, **more}, "resource": resource}
        linked = about("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"},
                                         "author": {"reference": f"Patient?identifier={mark}a"}})
        unless = about("POST", "Patient", {"resourceType": "Patient"}, ifNoneExist=f"identifier={mark}b")
        wrong = about("PUT", f"Patient/{ids[0]}", {"resourceType": "Patient", "id": ids[0]}, ifMatch='W/"7"')

        def recorded(*entries, status):
            sent = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
            reply, made = self.entries_of(lambda: self.ask("POST", "/fhir", sent))
            self.assertEqual(reply.status, status, reply.body)
            self.assertEqual({e["request_id"] for e in made}, {reply.headers["x-request-id"]})
            return [(e["event"], e.get("type", ""), e.get("query", ""), e.get("patients", []), e["outcome"]) for e in made]
        asked = ("search", "Patient", f"identifier={mark}a", [ids[0]])
        unless_asked = ("create", "Patient", f"identifier={mark}b", [ids[1]])
        self.assertIn((*asked, 0), recorded(linked, status=200))
        refused = recorded(linked, unless, wrong, status=412)
        self.assertEqual([e[-1] for e in refused], [4] * len(refused))
        self.assertIn((*unless_asked, 4), refused)
        self.assertEqual([e[0] for e in refused][:1], ["transaction"])
        nobody = {**linked, "resource": {**linked["resource"], "author": {"reference": f"Patient?identifier={mark}c"}}}
        self.assertIn(("search", "Patient", f"identifier={mark}c", [], 4), recorded(nobody, status=412))
        late = {**linked, "resource": {**linked["resource"], "subject": {"reference": "urn:uuid:" + str(uuid.uuid4())}}}
        self.assertIn((*asked, 4), recorded(linked, late, status=400))

    def test_S06_entries_of_one_patient_are_found_by_the_patient(self):
        id_ = json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}))["id"]
        other = json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}))["id"]
        for path in (id_, other, id_):
            self.ask("GET", "/fhir/Patient/" + path)
        mine = self.server.audit("--patient", id_)
        acts = [e["event"] for e in mine if e["event"] != "audit-read"]
        self.assertEqual(acts, ["create", "read", "read"])
        self.assertTrue(all(id_ in e["patients"] for e in mine))

    def test_S06_acts_of_administration_leave_their_entries(self):
        data = ["--data", self.server.data]
        for event, target, arguments in (
            ("user-added", "lab.one", ["user", "add", "lab.one", "--role", "loader", "--service", *data]),
            ("token-issued", "lab.one", ["token", "issue", "--user", "lab.one", "--expires", "5m", *data]),
            ("role-changed", "lab.one", ["user", "role", "lab.one", "--role", "nurse", *data]),
            ("user-disabled", "lab.one", ["user", "disable", "lab.one", *data]),
            ("user-listed", None, ["user", "list", *data]),
            ("verified", None, ["verify", *data]),
        ):
            _, entries = self.entries_of(lambda: self.server.cli(*arguments, check=True))
            entries = [e for e in entries if e["event"] != "metadata"]  # verify asks first whether a server runs
            self.assertEqual([(e["event"], e.get("target")) for e in entries], [(event, target)])
            self.assertEqual(entries[0]["user_id"], self.user_id)
            if event == "role-changed":
                self.assertEqual((entries[0]["old_value"], entries[0]["new_value"]), ("loader", "nurse"))

    def test_S06_signing_in_and_out_leaves_entries(self):
        person = self.server.person("dr.inout", "doctor")
        reply, entry = self.only_entry("login", lambda: self.server.log_in(person), 200)
        self.assertEqual((entry["user_id"], entry["user"], entry["role"]), (person.id, "dr.inout", "doctor"))
        token = json_of(reply)["access_token"]
        self.assertNotIn(token, json.dumps(entry))
        _, entry = self.only_entry("logout", lambda: self.server.request("POST", "/auth/logout", token=token), 204)
        self.assertEqual(entry["user_id"], person.id)

    def test_S06_the_reading_of_the_log_is_an_entry_too(self):
        mark = self.server.audit_size()
        self.server.audit()
        self.assertIn("audit-read", [e["event"] for e in self.server.audit() if e["sequence"] > mark])

    def test_O03_the_log_is_narrowed_and_sorted_by_each_of_its_elements(self):
        def listed(*arguments):
            shown = self.server.cli("audit", "list", "--json", "--data", self.server.data, *arguments, check=True).stdout
            return json.loads(shown)

        for kind in ("Patient", "Patient", "Basic"):
            body = {"resourceType": kind, **({"code": {"text": "x"}} if kind == "Basic" else {})}
            self.assertEqual(self.ask("POST", "/fhir/" + kind, body).status, 201)
        self.ask("GET", "/fhir/Patient/nobody")
        everything = listed("--all")
        value = {"recorded": lambda e: e["recorded"], "patient": lambda e: e.get("patients", [""])[0],
                 "user": lambda e: e.get("user", ""), "event": lambda e: e["event"], "type": lambda e: e.get("type", ""),
                 "outcome": lambda e: str(e["outcome"]), "network": lambda e: e.get("network", "")}
        for key, of in value.items():
            for sign in ("", "-"):
                entries = listed("--all", f"--sort={sign}{key}")
                self.assertGreaterEqual(len(entries), len(everything))
                values = [of(e) for e in entries]
                stated = [each for each in values if each]
                self.assertEqual(stated, sorted(stated, reverse=sign == "-"), sign + key)
                self.assertEqual(values[len(stated):], [""] * (len(values) - len(stated)), "what has none comes last")
                self.assertGreater(len(set(stated)), 1 if key != "network" else 0, key)
        self.assertEqual({e["event"] for e in listed("--all", "--event", "create")}, {"create"})
        self.assertEqual({e["type"] for e in listed("--all", "--type", "Basic", "--sort", "event")}, {"Basic"})
        newest = listed("--limit", "2", "--sort=-recorded")
        self.assertEqual(len(newest), 2)
        self.assertGreaterEqual(newest[0]["recorded"], newest[1]["recorded"])
        refused = self.server.cli("audit", "list", "--sort", "nonsense", "--data", self.server.data)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--sort takes", refused.stderr)

    def test_A09_what_failed_is_recorded_too(self):
        id_ = json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}))["id"]
        doctor = self.server.token_of(self.server.person("dr.denied", "doctor"))
        body = {"resourceType": "Patient", "id": id_}
        about = [
            ("authentication-failed", 401, lambda: self.ask("GET", "/fhir/Patient/" + id_, token=False)),
            ("delete", 403, lambda: self.server.request("DELETE", "/fhir/Patient/" + id_, token=doctor)),
            ("read", 404, lambda: self.ask("GET", "/fhir/Patient/nobody")),
            ("unknown-route", 404, lambda: self.ask("GET", "/nowhere")),
            ("unknown-route", 405, lambda: self.ask("POST", "/fhir/Patient/" + id_, {})),
            ("update", 412, lambda: self.ask("PUT", "/fhir/Patient/" + id_, body, {"If-Match": 'W/"7"'})),
            ("create", 400, lambda: self.ask("POST", "/fhir/Patient", "{")),
            ("create", 415, lambda: self.ask("POST", "/fhir/Patient", "x", {"Content-Type": "text/plain"})),
        ]
        for event, status, act in about:
            _, entry = self.only_entry(event, act, status)
            self.assertEqual(entry["http_status"], status)
            self.assertTrue(entry["reason"])

    def test_A09_a_refused_password_is_recorded(self):
        code = self.server.invite("dr.weak", "doctor")["enrolment_code"]
        self.only_entry("enrol-started",
                        lambda: self.server.request("POST", "/auth/enrol", {"code": code, "password": "12345678"}), 422)

    def test_A09_a_failed_handshake_is_recorded(self):
        def act():
            with self.assertRaises(ssl.SSLError):
                self.server.connect(context=ssl.create_default_context()).request("GET", "/healthz")

        _, entries = self.entries_of(act)
        self.assertEqual([(e["event"], e["network"]) for e in entries], [("tls-failed", "127.0.0.1")])

    def test_O02_nobody_can_write_or_delete_audit_events(self):
        tokens = {"administrator": self.token}
        for role in ("doctor", "nurse", "auditor"):
            tokens[role] = self.server.token_of(self.server.person("o02." + role, role))
        tokens["loader"] = self.server.service("o02.loader", "loader")
        body = {"resourceType": "AuditEvent", "id": "1"}
        before = {e["sequence"]: e for e in self.server.audit()}
        with self.server.connect() as connection:
            for role, token in tokens.items():
                for method, path in (("PUT", "/fhir/AuditEvent/1"), ("PATCH", "/fhir/AuditEvent/1"),
                                     ("DELETE", "/fhir/AuditEvent/1"), ("POST", "/fhir/AuditEvent"),
                                     ("PUT", "/fhir/AuditEvent"), ("DELETE", "/fhir/AuditEvent?date=ge2000")):
                    sent = None if method == "DELETE" else body
                    reply = connection.request(method, path, sent, token)
                    self.assertEqual(reply.status, 405, (role, method, path))
                    self.assertEqual(reply.headers["allow"], "GET, HEAD", (role, method, path))
                    self.assertEqual(connection.request(method, path, sent).status, 401, (method, path))
                self.assertEqual(connection.request("POST", "/fhir/AuditEvent/1/$meta-delete", body, token).status, 404)
            for kind, status in (("batch", 200), ("transaction", 403)):
                entry = {"request": {"method": "DELETE", "url": "AuditEvent/1"}}
                reply = connection.request("POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": [entry]}, self.token)
                self.assertEqual(reply.status, status, kind)
                if kind == "batch":
                    self.assertRegex(json_of(reply)["entry"][0]["response"]["status"], "^403")
        tried = [e for e in self.server.audit() if e["event"] == "unknown-route" and e.get("type") == "AuditEvent"]
        self.assertIn("1", [e.get("id") for e in tried])
        for method in ("PUT", "PATCH", "DELETE", "POST"):
            for path in ("/admin/audit", "/admin/audit/1", "/admin/audit/checkpoint"):
                reply = self.server.socket_request(method, path, {} if method != "DELETE" else None, self.token)
                self.assertIn(reply.status, (403, 404, 405), (method, path))
        after = {e["sequence"]: e for e in self.server.audit()}
        self.assertEqual(before, {sequence: after[sequence] for sequence in before})


class Provable(harness.TestCase):
    policy = "classic"

    def checkpoint(self):
        answer = self.server.cli("audit", "checkpoint", "--json", "--data", self.server.data, check=True)
        return read_checkpoint(json.loads(answer.stdout), self.server.root)

    def proof(self, query):
        reply = self.server.socket_request("GET", "/admin/audit/proof?" + query, token=self.server.admin())
        self.assertEqual(reply.status, 200, reply.body)
        return json.loads(reply.body)

    def test_A16_sequence_time_inclusion_and_consistency_can_be_checked_by_anyone(self):
        token = self.server.admin()
        heads = [self.checkpoint()]
        with self.server.connect() as connection:
            for round_ in range(8):
                for _ in range(5 + 7 * round_):
                    connection.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token)
                heads.append(self.checkpoint())
        entries = self.server.audit()
        self.assertEqual([e["sequence"] for e in entries], list(range(len(entries))), "no number is missing")
        times = [e["recorded"] for e in entries]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(t.endswith("Z") for t in times))

        size, root = heads[-1]
        for sequence in [*range(0, size, 7), size - 1]:
            told = self.proof(f"sequence={sequence}&size={size}")
            entry = base64.b64decode(told["entry"])
            proof = [base64.b64decode(h) for h in told["inclusion"]]
            self.assertEqual(root_from_inclusion(leaf_hash(entry), sequence, size, proof), root)
            self.assertEqual(int.from_bytes(entry[8:16], "big"), sequence, "an entry names its own place")
            changed = bytes([entry[0] ^ 1]) + entry[1:]
            self.assertNotEqual(root_from_inclusion(leaf_hash(changed), sequence, size, proof), root)

        for old in range(len(heads)):
            for new in range(old, len(heads)):
                told = self.proof(f"old_size={heads[old][0]}&size={heads[new][0]}")
                proof = [base64.b64decode(h) for h in told["consistency"]]
                self.assertTrue(is_consistent(*heads[old], *heads[new], proof))
                if old != new:
                    self.assertFalse(is_consistent(heads[old][0], bytes(32), *heads[new], proof))

    def test_A16_the_command_line_proves_an_entry(self):
        self.server.admin()
        told = json.loads(self.server.cli("audit", "proof", "2", "--json", "--data", self.server.data, check=True).stdout)
        proof = [base64.b64decode(h) for h in told["inclusion"]]
        root = root_from_inclusion(leaf_hash(base64.b64decode(told["entry"])), 2, told["tree_size"], proof)
        again = self.proof(f"sequence=5&size={told['tree_size']}")
        other = root_from_inclusion(leaf_hash(base64.b64decode(again["entry"])), 5, told["tree_size"],
                                    [base64.b64decode(h) for h in again["inclusion"]])
        self.assertEqual(root, other, "two entries prove the same head")

    def test_A16_the_head_and_the_order_survive_a_kill(self):
        token = self.server.admin()
        for _ in range(3):
            self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token)
            before = self.checkpoint()
            self.server.kill()
            self.server.start()
            after = self.checkpoint()
            told = self.proof(f"old_size={before[0]}&size={after[0]}")
            self.assertTrue(is_consistent(*before, *after, [base64.b64decode(h) for h in told["consistency"]]))


if __name__ == "__main__":
    unittest.main()

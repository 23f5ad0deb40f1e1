"""A patient's record goes for good, with proof (REQUIREMENTS K-10, G-07, G-08, G-09; docs/operating/erasure.md)."""

import base64
import json
import pathlib
import random
import shutil
import tempfile
import threading
import time
import unittest
import urllib.parse

import harness
from harness import json_of
from test_approvals import Two, entries
from test_audit import leaf_hash, read_checkpoint, root_from_inclusion

FAMILY, GIVEN, NOTE = "Zyxcanary-Quorn", "Wobbledina", "canary remark about a rare complaint"
MRN, SYSTEM = "CANARY-MRN-55-77", "http://canary.example.org/mrn"
CANARIES = [FAMILY, GIVEN, NOTE, MRN]


def records_of(patient, number=0):
    """A patient's record: what is in his compartment, with canaries in it."""
    subject = {"reference": "Patient/" + patient}
    yield {"resourceType": "Patient", "id": patient, "gender": "female", "name": [{"family": FAMILY, "given": [GIVEN]}],
           "identifier": [{"system": SYSTEM, "value": f"{MRN}-{number}"}],
           "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NOTE}</div>'}}
    for i in range(3):
        yield {"resourceType": "Observation", "id": f"{patient}-o{i}", "status": "final", "code": {"text": "c"},
               "subject": subject, "note": [{"text": NOTE}], "valueString": NOTE}
    yield {"resourceType": "DocumentReference", "id": patient + "-d", "status": "current", "subject": subject,
           "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(NOTE.encode()).decode()}}]}
    yield {"resourceType": "Binary", "id": patient + "-b", "contentType": "text/plain", "securityContext": subject,
           "data": base64.b64encode((NOTE * 4000).encode()).decode()}
    yield {"resourceType": "Consent", "id": patient + "-c", "status": "active", "patient": subject,
           "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
           "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
           "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]}}


def shared_of(patient, other):
    """Records that both have."""
    def named(who):
        return {"reference": "Patient/" + who, "display": GIVEN if who == patient else "Other"}
    yield {"resourceType": "Group", "id": f"{patient}-g", "type": "person", "actual": True,
           "member": [{"entity": named(patient)}, {"entity": named(other)}]}
    yield {"resourceType": "Appointment", "id": f"{patient}-a", "status": "booked", "description": "a joint session",
           "participant": [{"actor": named(patient), "status": "accepted"}, {"actor": named(other), "status": "accepted"}]}
    # It is about the one who goes, whoever else takes part.
    yield {"resourceType": "Observation", "id": f"{patient}-of", "status": "final", "code": {"text": "family"},
           "subject": named(patient), "performer": [named(other)], "note": [{"text": NOTE}]}


def put(server, token, resource):
    reply = server.request("PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", resource, token)
    assert reply.status in (200, 201), reply
    return reply


def other_patient(name):
    return {"resourceType": "Patient", "id": name, "name": [{"family": "Staysbehind"}]}


class Erasing:
    """What the tests below ask of a server."""

    def order(self, server, token, patient, **more):
        return server.socket_request("POST", "/admin/erasures", {"patient": patient, "reason": "by letter", **more}, token)

    def finished(self, server, token, id_):
        end = time.monotonic() + harness.PATIENCE
        while time.monotonic() < end:
            reply = server.socket_request("GET", "/admin/erasures?id=" + id_, token=token)
            self.assertEqual(reply.status, 200, reply)
            if json_of(reply)["state"] == "complete":
                return json_of(reply)
            self.assertEqual(json_of(reply)["state"], "pending")
            time.sleep(0.1)
        self.fail(f"the erasure does not end: {reply.body}")

    def erased(self, server, token, patient, **more):
        reply = self.order(server, token, patient, **more)
        self.assertEqual(reply.status, 200, reply)
        return self.finished(server, token, json_of(reply)["id"])

    def certificate(self, server, token, id_):
        reply = server.socket_request("GET", "/admin/erasures/certificate?id=" + id_, token=token)
        self.assertEqual(reply.status, 200, reply)
        return json_of(reply)

    def assert_gone(self, server, token, patient, others=False):
        """`others`: there are more of whom the same words tell."""
        for type_, id_ in [(r["resourceType"], r["id"]) for r in records_of(patient)]:
            path = f"/fhir/{type_}/{id_}"
            self.assertIn(server.request("GET", path, token=token).status, (404, 410), path)
            self.assertEqual(server.request("GET", path + "/_history", token=token).status, 404, path)
            self.assertIn(server.request("GET", path + "/_history/1", token=token).status, (404, 410), path)
        if others:
            found = server.request("GET", f"/fhir/Patient?family={FAMILY}", token=token)
            self.assertNotIn(f'"{patient}"'.encode(), found.body)
            return
        for asked in (f"Patient?family={FAMILY}", f"Patient?_id={patient}", f"Patient?identifier={SYSTEM}%7C{MRN}-0",
                      f"Observation?patient={patient}", f"Observation?subject:Patient.family={FAMILY}",
                      f"Patient?name:contains={GIVEN[2:]}", "DocumentReference"):
            reply = server.request("GET", "/fhir/" + asked, token=token)
            self.assertEqual(reply.status, 200, (asked, reply))
            self.assertNotIn(NOTE.encode(), reply.body, asked)
            if asked != "DocumentReference":
                self.assertEqual(json_of(reply).get("total", len(json_of(reply).get("entry", []))), 0, asked)


class Erasure(Erasing, harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def make(self, patient, other):
        put(self.server, self.token, other_patient(other))
        for resource in records_of(patient):
            put(self.server, self.token, resource)
        for resource in shared_of(patient, other):
            put(self.server, self.token, resource)

    def test_G07_K10_G09_everything_of_a_patient_goes_and_nothing_of_the_others(self):
        server, token = self.server, self.token
        self.make("p1", "p2")
        for resource in list(records_of("p1"))[:2]:  # histories
            put(server, token, {**resource, "language": "de"})
        server.request("DELETE", "/fhir/Observation/p1-o2", token=token)
        # He was filed under another patient once.
        moved = {"resourceType": "Observation", "id": "moved", "status": "final", "code": {"text": NOTE},
                 "subject": {"reference": "Patient/p1"}}
        put(server, token, moved)
        put(server, token, {**moved, "code": {"text": "c"}, "subject": {"reference": "Patient/p2"}})
        # Somebody else's record refers to one of his.
        put(server, token, {"resourceType": "Observation", "id": "dangling", "status": "final", "code": {"text": "c"},
                            "subject": {"reference": "Patient/p2"}, "derivedFrom": [{"reference": "Observation/p1-o0"}]})
        for asked in (f"Patient?family={FAMILY}", f"Patient?identifier={SYSTEM}%7C{MRN}-0", f"Observation?note={GIVEN}",
                      "Patient?_sort=family", f"Patient?name={GIVEN}&_id=p1"):
            server.request("GET", "/fhir/" + asked, token=token)
        self.assertTrue(any(FAMILY in e.get("query", "") for e in server.audit()), "the query is in the log")
        examined = server.socket_request("POST", "/admin/erasures/examine", {"patient": "p1"}, token)
        self.assertEqual(examined.status, 200, examined)
        self.assertEqual(json_of(examined)["resources"],
                         {"Binary": 1, "Consent": 1, "DocumentReference": 1, "Observation": 3, "Patient": 1})
        self.assertEqual(json_of(examined)["shared"], {"Appointment": 1, "Group": 1, "Observation": 2})
        self.assertEqual(server.request("GET", "/fhir/Patient/p1", token=token).status, 200, "a look changes nothing")
        entry_before = server.audit_size()

        done = self.erased(server, token, "p1", grounds=["art17-1-a"])
        self.assertEqual(done["resources"],
                         {"Binary": 1, "Consent": 1, "DocumentReference": 1, "Observation": 4, "Patient": 1})
        self.assertEqual((done["rewritten"], done["purged_versions"]), (2, 3))
        self.assert_gone(server, token, "p1")
        self.assertEqual(server.request("GET", "/fhir/Observation/p1-of", token=token).status, 404)

        # What others have is theirs, without him.
        for path in ("Group/p1-g", "Appointment/p1-a"):
            reply = server.request("GET", "/fhir/" + path, token=token)
            self.assertEqual(reply.status, 200, reply)
            self.assertIn(b"Patient/p2", reply.body)
            for secret in (b"Patient/p1", GIVEN.encode()):
                self.assertNotIn(secret, reply.body)
            self.assertEqual(json_of(reply)["meta"]["versionId"], "2")
            history = json_of(server.request("GET", f"/fhir/{path}/_history", token=token))
            self.assertEqual([e["resource"]["meta"]["versionId"] for e in history["entry"]], ["2"])
            self.assertEqual(server.request("GET", f"/fhir/{path}/_history/1", token=token).status, 410)
        self.assertEqual(server.request("GET", "/fhir/Observation/moved", token=token).status, 200)
        self.assertEqual(server.request("GET", "/fhir/Observation/moved/_history/1", token=token).status, 410)
        self.assertEqual(server.request("GET", "/fhir/Observation/dangling", token=token).status, 200)
        for listing in ("_history?_count=200", "Observation/_history?_count=200", "Appointment?patient=p2",
                        "Group?member=Patient/p2", "Observation?patient=p2"):
            reply = server.request("GET", "/fhir/" + listing, token=token)
            self.assertEqual(reply.status, 200, (listing, reply))
            for canary in CANARIES:
                self.assertNotIn(canary.encode(), reply.body, listing)

        # Nobody gets him back by writing.
        again = server.request("PUT", "/fhir/Patient/p1", other_patient("p1"), token)
        self.assertEqual(again.status, 410, again)
        named = server.request("POST", "/fhir/Observation", {"resourceType": "Observation", "status": "final",
                               "code": {"text": "c"}, "subject": {"reference": "Patient/p1"}}, token)
        self.assertEqual(named.status, 410, named)
        self.assertEqual(self.order(server, token, "p1").status, 410)

        # The log holds, and tells nothing of him. What was asked for afterwards, here, matched and named nobody.
        end, = [e["sequence"] for e in server.audit() if e["event"] == "erasure-completed" and e["target"] == done["id"]]
        of_before = [e for e in server.audit() if e["sequence"] <= end]
        for entry in of_before:
            for canary in CANARIES:
                self.assertNotIn(canary, json.dumps(entry), entry)
        self.assertTrue(any(e.get("query_erased") for e in of_before), "his searches are entries without their text")
        found = server.request("GET", f"/fhir/AuditEvent?_count=1000&date=le{done['completed']}", token=token)
        self.assertEqual(found.status, 200, found)
        self.assertGreater(len(json_of(found)["entry"]), 20)
        for canary in CANARIES:
            self.assertNotIn(canary.encode(), found.body)
            self.assertNotIn(base64.b64encode(canary.encode())[:12], found.body)
        self.assertTrue(any(not e.get("readable", True) for e in of_before), "entries about him are there, closed")
        kinds = [e["event"] for e in server.audit_after(entry_before)]
        for kind in ("erasure-ordered", "records-erased", "version-purged", "keys-destroyed", "erasure-completed"):
            self.assertIn(kind, kinds)

        self.check_certificate(done)
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout)
        self.assertEqual(harness.find_canaries([server.data, server.keys], CANARIES), [])
        server.start()
        type(self).token = server.sign_in_admin() or server.admin_token
        self.assert_gone(server, self.token, "p1")
        self.assertEqual(self.certificate(server, self.token, done["id"])["state"], "complete")

    def check_certificate(self, done):
        """By somebody who has the certificate and nothing else."""
        server = self.server
        made = self.certificate(server, self.token, done["id"])
        self.assertEqual(made["state"], "complete")
        for secret in CANARIES + ["p1", "by letter", "alice"]:
            # The rest is base64 and hex, in which anything may stand.
            self.assertNotIn(secret, made["certificate"].split("\n\n")[0].replace(made["id"], ""))
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        log = made["log"]
        size, root = read_checkpoint({"checkpoint": log["checkpoint"], "verifier_key": made["verifier_key"]}, folder)
        self.assertEqual(size, log["tree_size"])
        entry = base64.b64decode(log["entry"])
        proof = [base64.b64decode(hash_) for hash_ in log["inclusion"]]
        self.assertEqual(root_from_inclusion(leaf_hash(entry), log["sequence"], size, proof), root)
        self.assertEqual(int.from_bytes(entry[1:3], "big"), 138, "erasure-completed, in the clear header")
        # The same key signed the lines; they are no checkpoint.
        lines = made["certificate"].split("\n\n")[0].split("\n")
        self.assertEqual(lines[0], "tacenda erasure certificate 1")
        with self.assertRaises(ValueError):
            read_checkpoint({"checkpoint": made["certificate"], "verifier_key": made["verifier_key"]}, folder)
        said = {line.split(" ")[0] for line in lines}
        for name in ("store", "erasure", "key", "ordered", "keys", "completed", "method", "copy", "verified", "erased",
                     "versions", "remains"):
            self.assertIn(name, said)
        self.assertIn("key " + made["key"], lines)
        # The log's own entry has the same lines, for who may read it.
        completed, = [e for e in server.audit() if e["event"] == "erasure-completed" and e["target"] == done["id"]]
        self.assertEqual(completed["sequence"], log["sequence"])
        self.assertEqual(completed["new_value"].rstrip("\n"), "\n".join(lines))

    def test_G07_exports_that_hold_him_end_and_others_do_not(self):
        server, token = self.server, self.token
        self.make("x1", "x2")
        put(server, token, {"resourceType": "Group", "id": "only-x2", "type": "person", "actual": True,
                            "member": [{"entity": {"reference": "Patient/x2"}}]})
        statuses = []
        # The last lists a version of a record of both, which is not there any more afterwards.
        for path in ("Patient/$export?_type=Patient,Observation", "Group/only-x2/$export?_type=Patient",
                     "$export?_type=Group"):
            reply = server.request("GET", "/fhir/" + path, token=token,
                                   headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})
            self.assertEqual(reply.status, 202, reply)
            statuses.append(urllib.parse.urlparse(reply.headers["content-location"]).path)
            end = time.monotonic() + harness.PATIENCE  # one after the other: few are prepared at once
            while server.request("GET", statuses[-1], token=token).status == 202 and time.monotonic() < end:
                time.sleep(0.1)
        manifest = json_of(server.request("GET", statuses[0], token=token))
        files = [urllib.parse.urlparse(each["url"]).path for each in manifest["output"]]
        self.assertIn(FAMILY.encode(), b"".join(server.request("GET", f, token=token).body for f in files))
        done = self.erased(server, token, "x1")
        self.assertEqual(done["ended_exports"], 2)
        self.assertEqual(server.request("GET", statuses[0], token=token).status, 404)
        self.assertEqual(server.request("GET", statuses[2], token=token).status, 404)
        for path in files:
            self.assertEqual(server.request("GET", path, token=token).status, 404)
        self.assertEqual(server.request("GET", statuses[1], token=token).status, 200)

    def test_G08_a_legal_hold_stands_against_it_until_it_is_lifted(self):
        server, token = self.server, self.token
        self.make("h1", "h2")
        def hold(**body):
            return server.socket_request("POST", "/admin/holds", {"patient": "h1", "ground": "art17-3-e",
                                                                  "reason": "case 12/26", **body}, token)
        for wrong, status in (({"ground": "because"}, 422), ({"reason": " "}, 422), ({"patient": "nobody"}, 404),
                              ({"patient": "../x"}, 400), ({"until": "2020-01-01T00:00:00Z"}, 422), ({"until": "soon"}, 400)):
            self.assertEqual(hold(**wrong).status, status, wrong)
        set_ = hold()
        self.assertEqual(set_.status, 200, set_)
        refused = self.order(server, token, "h1", grounds=["art17-1-b"])
        self.assertEqual(refused.status, 409, refused)
        self.assertIn(b"art17-3-e", refused.body)
        self.assertEqual(server.request("GET", "/fhir/Patient/h1", token=token).status, 200)
        kept = [e for e in json_of(server.socket_request("GET", "/admin/erasures", token=token))["erasures"]
                if e["patient"] == "h1"]
        self.assertEqual([(e["state"], e["hold"], e["grounds"]) for e in kept], [("refused", "art17-3-e", ["art17-1-b"])])
        self.assertEqual(server.socket_request("GET", "/admin/erasures/certificate?id=" + kept[0]["id"], token=token).status, 409)
        examined = json_of(server.socket_request("POST", "/admin/erasures/examine", {"patient": "h1"}, token))
        self.assertEqual(examined["hold"]["ground"], "art17-3-e")
        # It is there after a restart.
        server.stop()
        server.start()
        type(self).token = token = server.sign_in_admin() or server.admin_token
        self.assertEqual(self.order(server, token, "h1").status, 409)
        id_ = json_of(set_)["id"]
        self.assertEqual(server.socket_request("POST", "/admin/holds/lift", {"id": id_, "reason": ""}, token).status, 422)
        lifted = server.socket_request("POST", "/admin/holds/lift", {"id": id_, "reason": "case closed"}, token)
        self.assertEqual(lifted.status, 200, lifted)
        self.assertEqual(server.socket_request("POST", "/admin/holds/lift", {"id": id_, "reason": "x"}, token).status, 409)
        self.erased(server, token, "h1")
        self.assertEqual(hold().status, 410, "nothing is left to be kept")
        listed = json_of(server.socket_request("GET", "/admin/holds?patient=h1", token=token))["holds"]
        self.assertEqual([(h["stands"], h["lift_reason"]) for h in listed], [(False, "case closed")])
        kinds = [(e["event"], e["outcome"]) for e in server.audit() if e.get("target") in ("Patient/h1", id_)]
        for kind in (("hold-set", 0), ("erasure-ordered", 4), ("hold-lifted", 0), ("erasure-ordered", 0)):
            self.assertIn(kind, kinds)

    def test_G07_nobody_loses_a_record_of_his_by_the_erasure_of_another(self):
        server, token = self.server, self.token
        self.make("q1", "q2")
        # It is q2's, the one who goes takes part in it, and it cannot be written without him.
        q1 = {"reference": "Patient/q1"}
        kept = {"resourceType": "Observation", "id": "of-q2", "status": "final", "code": {"text": "c"},
                "subject": {"reference": "Patient/q2"}, "performer": [q1, {"reference": "#c1"}],
                "contained": [{"resourceType": "Practitioner", "id": "c1", "name": [{"text": "x"}]}]}
        put(server, token, kept)
        refused = self.order(server, token, "q1")
        self.assertEqual(refused.status, 409, refused)
        self.assertIn(b"other patients would lose", refused.body)
        examined = json_of(server.socket_request("POST", "/admin/erasures/examine", {"patient": "q1"}, token))
        self.assertEqual(examined["lost_to_others"], ["Observation/of-q2"])
        self.assertEqual(server.request("GET", "/fhir/Patient/q1", token=token).status, 200)
        kept.pop("contained")
        put(server, token, {**kept, "performer": [q1]})
        self.erased(server, token, "q1")
        left = json_of(server.request("GET", "/fhir/Observation/of-q2", token=token))
        self.assertNotIn("performer", left)
        self.assertEqual(left["subject"], {"reference": "Patient/q2"})

    def test_G08_a_hold_on_another_patient_of_a_record_stands_against_it(self):
        server, token = self.server, self.token
        self.make("i1", "i2")
        hold = server.socket_request("POST", "/admin/holds", {"patient": "i2", "ground": "art17-3-b", "reason": "law"}, token)
        self.assertEqual(hold.status, 200, hold)
        refused = self.order(server, token, "i1")
        self.assertEqual(refused.status, 409, refused)
        self.assertIn(b"art17-3-b", refused.body)
        self.assertEqual(server.request("GET", "/fhir/Group/i1-g/_history/1", token=token).status, 200)
        examined = json_of(server.socket_request("POST", "/admin/erasures/examine", {"patient": "i1"}, token))
        self.assertEqual([(h["patient"], h["ground"]) for h in examined["holds_of_others"]], [("i2", "art17-3-b")])
        self.assertNotIn("hold", examined)
        server.sign_in_admin()
        shown = server.cli("erase", "--patient", "i1", "--dry-run", "--data", server.data, check=True).stdout
        self.assertIn("Patient/i2  art17-3-b", shown)
        kept = [e for e in json_of(server.socket_request("GET", "/admin/erasures", token=token))["erasures"]
                if e["patient"] == "i1"]
        self.assertEqual([(e["state"], e["hold"]) for e in kept], [("refused", "art17-3-b")])
        server.socket_request("POST", "/admin/holds/lift", {"id": json_of(hold)["id"], "reason": "over"}, token)
        self.erased(server, token, "i1")

    def test_G07_other_administrative_acts_are_done_while_an_order_looks_at_the_whole_store(self):
        server, token = self.server, self.token
        for name in ("s1", "s2"):
            put(server, token, other_patient(name))
        # Each of these is opened before an erasure is ordered; the last of them is what it is refused for.
        about = {"resourceType": "Observation", "status": "final", "code": {"text": "c"},
                 "subject": {"reference": "Patient/s2"}, "performer": [{"reference": "Patient/s1"}]}
        for _ in range(6):
            bundle = {"resourceType": "Bundle", "type": "transaction",
                      "entry": [{"request": {"method": "POST", "url": "Observation"}, "resource": about}] * 400}
            self.assertEqual(server.request("POST", "/fhir", bundle, token).status, 200)
        put(server, token, {**about, "id": "in-the-way", "contained": [{"resourceType": "Practitioner", "id": "c1"}],
                            "performer": [{"reference": "Patient/s1"}, {"reference": "#c1"}]})
        user = server.invite("busy", "nurse")
        dice = random.Random(4711)
        spans, acts = [], []

        def order():
            for _ in range(15):
                begin = time.monotonic()
                statuses.append(self.order(server, token, "s1").status)
                spans.append((begin, time.monotonic()))

        statuses = []
        thread = threading.Thread(target=order)
        thread.start()
        while thread.is_alive():
            begin = time.monotonic()
            reply = server.socket_request("POST", "/admin/users/until",
                                          {"name": "busy", "until": "2099-01-01T00:00:00Z"}, token)
            self.assertEqual(reply.status, 200, reply)
            acts.append((begin, time.monotonic()))
            time.sleep(dice.random() / 20)
        thread.join()
        self.assertEqual(set(statuses), {409})
        # None waits for the look: some were begun and done well within it.
        within = [(a, b) for begin, end in spans for a, b in acts
                  if begin + (end - begin) / 5 < a and b < end - (end - begin) / 5]
        self.assertTrue(within, (spans, acts))
        self.assertTrue(user["id"])

    def test_G07_who_may_not_and_what_cannot_be(self):
        server, token = self.server, self.token
        self.make("r1", "r2")
        for role in ("doctor", "nurse", "auditor"):
            session = server.token_of(server.person("no." + role, role))
            for method, path, body in (("POST", "erasures", {"patient": "r1", "reason": "x"}), ("GET", "erasures", None),
                                       ("POST", "erasures/examine", {"patient": "r1"}), ("GET", "holds", None),
                                       ("POST", "holds", {"patient": "r1", "ground": "retention", "reason": "x"})):
                reply = server.socket_request(method, "/admin/" + path, body, session)
                self.assertEqual(reply.status, 403, (role, path, reply))
        for wrong, status in (({"patient": "nobody"}, 404), ({"patient": "a/b"}, 400), ({"reason": ""}, 422),
                              ({"grounds": "art17-1-a"}, 400), ({"grounds": ["art17-1-z"]}, 422),
                              ({"grounds": [1]}, 400), ({"reason": "x" * 2001}, 422)):
            reply = server.socket_request("POST", "/admin/erasures", {"patient": "r1", "reason": "x", **wrong}, token)
            self.assertEqual(reply.status, status, (wrong, reply))
        self.assertEqual(server.request("GET", "/fhir/Patient/r1", token=token).status, 200)

    def test_K10_the_command_line_does_it_all(self):
        server, token = self.server, self.token
        self.make("c1", "c2")
        data = ["--data", server.data]
        server.sign_in_admin()
        looked = server.cli("erase", "--patient", "c1", "--dry-run", *data)
        self.assertEqual(looked.returncode, 0, looked.stderr)
        self.assertIn("would be erased  Patient  1", looked.stdout)
        set_ = json.loads(server.cli("hold", "set", "--patient", "c1", "--ground", "retention", "--reason", "10 years",
                                     "--until", "2099-01-01", "--json", *data, check=True).stdout)
        refused = server.cli("erase", "--patient", "c1", "--reason", "letter", *data)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("retention", refused.stderr)
        self.assertIn("stands", server.cli("hold", "list", "--patient", "c1", *data, check=True).stdout)
        server.cli("hold", "lift", set_["id"], "--reason", "over", *data, check=True)
        asked = json.loads(server.cli("erase", "--patient", "c1", "--reason", "letter", "--ground", "art17-1-b", "--json",
                                      *data, check=True).stdout)
        self.finished(server, server.admin_token or token, asked["id"])
        self.assertIn("complete", server.cli("erase", "status", asked["id"], *data, check=True).stdout)
        made = json.loads(server.cli("erase", "certificate", asked["id"], *data, check=True).stdout)
        self.assertEqual(made["state"], "complete")
        self.assertEqual(server.cli("erase", "--patient", "c2", *data).returncode, 2, "a reason is needed")


class TwoPersons(Erasing, harness.TestCase):
    policy = "hospital"

    def test_S12_G07_an_erasure_takes_two_persons_and_a_fresh_second_factor(self):
        server = self.new_server("hospital", approvals=None)
        server.start()
        two = Two(server)
        for name, role in (("bob", "administrator"), ("officer", "privacy-officer")):
            reply = two.post("alice", "users", name=name, role=role)
            if reply.status == 202:
                id_ = json_of(reply)["approval"]
                self.assertEqual(two.decide("bob", "approve", id_).status, 200)
                reply = two.decide("alice", "collect", id_)
            two.enrolled(name, json_of(reply)["enrolment_code"], json_of(reply)["id"])
        asked = json_of(two.post("alice", "users", name="doctor", role="doctor"))
        two.decide("bob", "approve", asked["approval"])
        person = two.enrolled("doctor", json_of(two.decide("alice", "collect", asked["approval"]))["enrolment_code"])
        patients = [json_of(server.request("POST", "/fhir/Patient", {"resourceType": "Patient", "name": [{"family": FAMILY}]},
                                           server.token_of(person)))["id"] for _ in range(2)]
        order = {"patient": patients[0], "reason": "by letter"}
        self.assertEqual(two.ask("alice", "POST", "erasures", order).status, 403, "no right of an administrator")
        reply = two.ask("officer", "POST", "erasures", order)
        self.assertEqual(reply.status, 202, reply)
        id_ = json_of(reply)["approval"]
        self.assertEqual(two.decide("officer", "approve", id_).status, 403, "not his own")
        self.assertEqual(json_of(two.ask("officer", "GET", "erasures"))["erasures"], [])
        # A hold that is set meanwhile is seen when the second agrees.
        hold = two.post("officer", "holds", patient=patients[0], ground="art17-3-b", reason="law")
        self.assertEqual(hold.status, 200, hold)
        held = two.decide("bob", "approve", id_)
        self.assertEqual(held.status, 409, held)
        self.assertIn(b"art17-3-b", held.body)
        kept = json_of(two.ask("officer", "GET", "erasures"))["erasures"]
        self.assertEqual([(e["state"], e["hold"], e["asked_by"]) for e in kept], [("refused", "art17-3-b", "officer")])
        self.assertEqual(two.post("officer", "holds/lift", id=json_of(hold)["id"], reason="over").status, 200)
        self.assertEqual(two.decide("bob", "approve", id_).status, 200)
        erasure, = [e for e in json_of(two.ask("officer", "GET", "erasures"))["erasures"] if e["state"] != "refused"]
        self.assertEqual(erasure["asked_by"], "officer")
        self.finished(server, two.token("officer"), erasure["id"])
        ordered, = [e for e in entries(server, two.token("officer"), event="erasure-ordered", outcome=0)]
        self.assertIn("asked by officer, approved by bob", ordered["reason"])
        # A session whose second factor is six minutes old orders nothing.
        stale = two.token("officer")
        server.start_at(6 * 60)
        reply = server.socket_request("POST", "/admin/erasures", {"patient": patients[1], "reason": "x"}, stale)
        self.assertEqual(reply.status, 401, reply)


class Cut(Erasing, harness.TestCase):
    """Power goes while an erasure is under way; and what was copied before."""

    serve = False
    policy = "classic"

    def filled(self, patients=8):
        server = self.new_server("classic")
        server.start()
        token = server.admin()
        put(server, token, other_patient("stays"))
        for n in range(patients):
            for resource in records_of(f"k{n}", n):
                put(server, token, resource)
            for resource in shared_of(f"k{n}", "stays"):
                put(server, token, resource)
        return server, token

    def test_G07_killed_at_any_moment_it_is_finished_after_the_next_start(self):
        server, token = self.filled()
        dice = random.Random(4711)
        for n in range(8):
            reply = self.order(server, token, f"k{n}")
            self.assertEqual(reply.status, 200, reply)
            for _ in range(2):
                time.sleep(dice.choice([0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.45]))
                server.kill()
                server.start()
                # From the order on nobody sees any of it.
                for resource in records_of(f"k{n}", n):
                    path = f"/fhir/{resource['resourceType']}/{resource['id']}"
                    self.assertIn(server.request("GET", path, token=token).status, (404, 410), path)
            self.finished(server, token, json_of(reply)["id"])
            self.assert_gone(server, token, f"k{n}", others=n < 7)
            for path in (f"Group/k{n}-g", f"Appointment/k{n}-a"):
                kept = server.request("GET", "/fhir/" + path, token=token)
                self.assertEqual(kept.status, 200, kept)
                self.assertNotIn(f"Patient/k{n}".encode(), kept.body)
        self.assertEqual(server.request("GET", "/fhir/Patient/stays", token=token).status, 200)
        completed = [e["target"] for e in server.audit() if e["event"] == "erasure-completed"]
        self.assertEqual(len(completed), len(set(completed)), "each is reported once")
        self.assertEqual(len(completed), 8)
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout)

    def test_G07_writers_meanwhile_get_an_answer_and_leave_nothing_of_him(self):
        server, token = self.filled(1)
        stop, statuses = threading.Event(), set()

        def write(n):
            with server.connect() as connection:
                i = 0
                while not stop.is_set():
                    i += 1
                    reply = connection.request("PUT", f"/fhir/Observation/w{n}-{i}", {
                        "resourceType": "Observation", "id": f"w{n}-{i}", "status": "final", "code": {"text": NOTE},
                        "subject": {"reference": "Patient/k0"}}, token)
                    statuses.add(reply.status)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        done = self.erased(server, token, "k0")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertLessEqual(statuses, {201, 410})
        self.assertIn(410, statuses)
        self.assertGreater(done["resources"]["Observation"], 4)
        reply = server.request("GET", "/fhir/Observation?patient=k0&_summary=count", token=token)
        self.assertEqual(json_of(reply)["total"], 0)
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout)

    def test_K10_a_copy_of_before_does_not_open_with_the_keys_of_today(self):
        server, token = self.filled(1)
        server.stop()
        copy = server.root / "copy"
        shutil.copytree(server.data, copy, ignore=lambda _, names: [n for n in names if n.endswith(".sock")])
        server.start()
        self.erased(server, token, "k0")
        server.stop()
        shutil.rmtree(server.data)
        shutil.copytree(copy, server.data)
        with self.assertRaises(RuntimeError):
            server.start()
        server.process = None
        looked = server.verify()
        self.assertNotEqual(looked.returncode, 0)
        for canary in CANARIES:
            self.assertNotIn(canary, looked.stdout + looked.stderr)


if __name__ == "__main__":
    unittest.main()

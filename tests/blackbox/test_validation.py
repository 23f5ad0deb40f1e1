"""$validate, and what validation does to writes: off, warn, enforce, and by the type."""

import json
import unittest
import uuid

import harness
from harness import json_of
from test_fhir import bundle, entry

# Structure right, and three rules broken: pat-1, a code of a required value set, a required element.
BROKEN = {
    "resourceType": "Patient",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "gender": "unheard-of",
    "contact": [{"gender": "male"}],
    "link": [{"other": {"reference": "Patient/example"}}],
}
ERRORS = {
    ("code-invalid", "Patient.gender"),
    ("invariant", "Patient.contact[0]"),
    ("required", "Patient.link[0].type"),
}
GOOD = {"resourceType": "Patient", "text": BROKEN["text"], "gender": "female", "birthDate": "1970-01-02"}

PROFILE_URL = "http://example.org/StructureDefinition/has-birth-date"


def definition(path, least, most, **more):
    return {"id": path, "path": path, "min": least, "max": most, "definition": "As in the base.",
            "base": {"path": path, "min": 0, "max": most}, **more}


def profile(url=PROFILE_URL, minimum=1, version="1.0.0"):
    return {
        "resourceType": "StructureDefinition", "url": url, "version": version, "name": "HasBirthDate", "status": "active",
        "kind": "resource", "abstract": False, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "snapshot": {"element": [
            definition("Patient", 0, "*"),
            definition("Patient.gender", 0, "1", constraint=[
                {"key": "ex-1", "severity": "error", "human": "Gender is told", "expression": "$this != 'unknown'"}]),
            definition("Patient.birthDate", minimum, "1"),
        ]},
    }


def differential(url, base=None, elements=None):
    """The same as the differential that it would be."""
    whole = profile(url)
    snapshot = whole.pop("snapshot")
    return {**whole, "baseDefinition": base or whole["baseDefinition"],
            "differential": {"element": elements or snapshot["element"][1:]}}


def claiming(resource, url=PROFILE_URL):
    return {**resource, "meta": {"profile": [url]}}


def issues(outcome, severity="error"):
    return {(i["code"], i.get("expression", [""])[0]) for i in outcome["issue"] if i["severity"] == severity}


class Case(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def ask(self, method, path, body=None, expect=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.server.request(method, path, body, self.token, fields)
        if expect is not None:
            self.assertEqual(reply.status, expect, (method, path, reply.body[:1000]))
        return reply

    def outcome(self, method, path, body=None, expect=200, **headers):
        reply = json_of(self.ask(method, path, body, expect, **headers))
        self.assertEqual(reply["resourceType"], "OperationOutcome", reply)
        return reply

    def create(self, resource):
        return json_of(self.ask("POST", "/fhir/" + resource["resourceType"], resource, 201))

    def keep_out_of_store(self, mark):
        found = json_of(self.ask("GET", "/fhir/Patient?identifier=" + mark, expect=200))
        self.assertEqual(found.get("entry", []), [])


class Operation(Case):
    def test_what_is_right_is_said_to_be_right(self):
        said = self.outcome("POST", "/fhir/Patient/$validate", GOOD)
        self.assertEqual([(i["severity"], i["code"]) for i in said["issue"]], [("information", "informational")])

    def test_every_finding_has_its_path_and_its_rule(self):
        said = self.outcome("POST", "/fhir/Patient/$validate", BROKEN)
        self.assertEqual(issues(said), ERRORS)
        text = json.dumps(said)
        for rule in ("pat-1", "administrative-gender"):
            self.assertIn(rule, text)
        self.assertNotIn("unheard-of", text)  # no value of the record

    def test_one_mutation_of_a_right_patient_is_one_error(self):
        mutations = {
            ("code-invalid", "Patient.gender"): {"gender": "x"},
            ("invariant", "Patient.contact[0]"): {"contact": [{"gender": "male"}]},
            ("required", "Patient.link[0].type"): {"link": [{"other": {"reference": "Patient/1"}}]},
            ("structure", "Patient.generalPractitioner[0]"): {"generalPractitioner": [{"reference": "Device/1"}]},
            ("invariant", "Patient.extension[0]"): {"extension": [{"url": "http://example.org/none"}]},
            ("invariant", "Patient.identifier[0].period"): {
                "identifier": [{"period": {"start": "2020-01-02", "end": "2020-01-01"}}]},
            ("value", "Patient.birthDate"): {"birthDate": "1970-02-30"},
        }
        for expected, change in mutations.items():
            said = self.outcome("POST", "/fhir/Patient/$validate", {**GOOD, **change})
            self.assertEqual(issues(said), {expected}, change)

    def test_a_broken_structure_is_an_answer_with_every_fault_and_no_json_is_none(self):
        body = {"resourceType": "Patient", "birthdate": "1970", "name": "x", "active": "yes"}
        said = self.outcome("POST", "/fhir/Patient/$validate", body)
        self.assertEqual(len(said["issue"]), 3)
        self.assertIn(("structure", "Patient.name"), issues(said))
        for text in ("{", "[]x", '{"resourceType":"Patient"'):
            self.assertEqual(self.outcome("POST", "/fhir/Patient/$validate", text, 400)["issue"][0]["severity"], "error")
        self.outcome("POST", "/fhir/Patient/$validate", {"resourceType": "Observation"}, 400)

    def test_parameters_carry_resource_mode_and_profile(self):
        def wrapped(resource, **more):
            parts = [{"name": "resource", "resource": resource}] if resource else []
            if "mode" in more:
                parts.append({"name": "mode", "valueCode": more["mode"]})
            if "profile" in more:
                parts.append({"name": "profile", "valueUri": more["profile"]})
            return {"resourceType": "Parameters", "parameter": parts}

        self.assertEqual(issues(self.outcome("POST", "/fhir/Patient/$validate", wrapped(BROKEN))), ERRORS)
        said = self.outcome("POST", "/fhir/Patient/$validate", wrapped(GOOD, mode="update"))
        self.assertEqual(issues(said), {("required", "Patient.id")})
        said = self.outcome("POST", "/fhir/Patient/a/$validate", wrapped({**GOOD, "id": "b"}, mode="update"))
        self.assertEqual(issues(said), {("value", "Patient.id")})
        said = self.outcome("POST", "/fhir/Patient/$validate", wrapped(GOOD, mode="create"))
        self.assertEqual(issues(said), set())
        said = self.outcome("POST", "/fhir/Patient/$validate", wrapped(GOOD, profile="http://example.org/nowhere"))
        self.assertEqual(issues(said), {("not-supported", "")})
        for wrong in (wrapped(GOOD, mode="destroy"), wrapped(None), wrapped(None, mode="delete"),
                      {"resourceType": "Parameters", "parameter": [{"name": "other", "valueCode": "x"}]}):
            self.outcome("POST", "/fhir/Patient/$validate", wrong, 400)
        id_ = self.create(GOOD)["id"]
        self.assertEqual(issues(self.outcome("POST", f"/fhir/Patient/{id_}/$validate", wrapped(None, mode="delete"))), set())
        self.ask("GET", f"/fhir/Patient/{id_}", expect=200)

    def test_what_is_stored_is_validated_where_it_lies(self):
        id_ = self.create(BROKEN)["id"]  # this server does not validate what is written
        self.assertEqual(issues(self.outcome("GET", f"/fhir/Patient/{id_}/$validate")), ERRORS)
        self.outcome("GET", f"/fhir/Patient/{uuid.uuid4()}/$validate", expect=404)
        self.outcome("GET", "/fhir/Patient/$validate", expect=405)

    def test_profiles_hold_from_the_moment_that_they_are_stored_and_no_longer(self):
        url = PROFILE_URL + "-changing"
        target = "/fhir/Patient/$validate?profile=" + url
        plain = {k: v for k, v in GOOD.items() if k != "birthDate"}
        self.assertEqual(issues(self.outcome("POST", target, plain)), {("not-supported", "")})
        stored = self.create(profile(url))
        self.assertEqual(issues(self.outcome("POST", target, plain)), {("required", "Patient.birthDate")})
        self.assertEqual(issues(self.outcome("POST", target, GOOD)), set())
        said = self.outcome("POST", target, {**GOOD, "gender": "unknown"})
        self.assertEqual(issues(said), {("invariant", "Patient.gender")})
        self.assertIn("ex-1: Gender is told", json.dumps(said))
        changed = {**profile(url, minimum=0), "id": stored["id"]}
        self.ask("PUT", "/fhir/StructureDefinition/" + stored["id"], changed, 200)
        self.assertEqual(issues(self.outcome("POST", target, plain)), set())
        newer = self.create(profile(url, version="1.10.0"))
        self.assertEqual(issues(self.outcome("POST", target, plain)), {("required", "Patient.birthDate")})
        self.assertEqual(issues(self.outcome("POST", target + "%7C1.0.0", plain)), set())
        self.ask("DELETE", "/fhir/StructureDefinition/" + newer["id"], expect=204)
        self.assertEqual(issues(self.outcome("POST", target, plain)), set())
        said = self.outcome("POST", "/fhir/Observation/$validate?profile=" + url,
                            {"resourceType": "Observation", "status": "final", "code": {"text": "x"}})
        self.assertEqual(issues(said), {("structure", "")})

    def test_a_differential_is_enough(self):
        url = PROFILE_URL + "-differential"
        self.create(differential(url))
        target = "/fhir/Patient/$validate?profile="
        self.assertEqual(issues(self.outcome("POST", target + url, {"resourceType": "Patient", "gender": "unknown"})),
                         {("required", "Patient.birthDate"), ("invariant", "Patient.gender")})

    def test_a_profile_of_a_profile_holds_what_both_say_as_they_are_now(self):
        base, url = PROFILE_URL + "-base", PROFILE_URL + "-derived"
        target = "/fhir/Patient/$validate?profile=" + url
        name = [definition("Patient.name", 1, "*")]
        self.create(differential(url, base, name))
        said = self.outcome("POST", target, GOOD)  # its base comes later
        self.assertEqual(issues(said), {("not-supported", "")})
        self.assertIn("a profile is derived from one that is not known here", json.dumps(said))
        plain = {k: v for k, v in GOOD.items() if k != "birthDate"}
        said = self.outcome("POST", "/fhir/Patient/$validate", claiming(plain, url))
        self.assertEqual((issues(said), issues(said, "warning")), (set(), {("not-supported", "Patient.meta.profile[0]")}))
        stored = self.create(differential(base))
        both = {("required", "Patient.birthDate"), ("required", "Patient.name")}
        self.assertEqual(issues(self.outcome("POST", target, plain)), both)
        self.assertEqual(issues(self.outcome("POST", "/fhir/Patient/$validate", claiming(plain, url))), both)
        self.assertEqual(issues(self.outcome("POST", target, {**GOOD, "name": [{"text": "x"}]})), set())
        changed = {**profile(base, minimum=0), "id": stored["id"]}  # and with a snapshot
        self.ask("PUT", "/fhir/StructureDefinition/" + stored["id"], changed, 200)
        self.assertEqual(issues(self.outcome("POST", target, plain)), {("required", "Patient.name")})
        self.ask("DELETE", "/fhir/StructureDefinition/" + stored["id"], expect=204)
        self.assertEqual(issues(self.outcome("POST", target, plain)), {("not-supported", "")})
        self.create(differential(base, url))
        said = self.outcome("POST", target, plain)
        self.assertEqual(issues(said), {("not-supported", "")})
        self.assertIn("a profile is derived from itself", json.dumps(said))

    def test_it_is_recorded_and_needs_the_right_to_write_or_to_read(self):
        id_ = self.create(GOOD)["id"]
        nobody = self.server.service("svc.audit", "auditor")
        for method, path, body in (("POST", "/fhir/Patient/$validate", GOOD), ("GET", f"/fhir/Patient/{id_}/$validate", None)):
            self.assertEqual(self.server.request(method, path, body, nobody).status, 403)
            self.assertEqual(self.server.request(method, path, body).status, 401)
            mark = self.server.audit_size()
            self.outcome(method, path, body)
            entries = self.server.audit_after(mark)
            self.assertEqual([e["event"] for e in entries], ["validate"])
        self.assertEqual(entries[0]["patients"], [id_])

    def test_it_stands_in_the_capabilities(self):
        stated = json_of(self.ask("GET", "/fhir/metadata", expect=200))
        for resource in stated["rest"][0]["resource"]:
            # The audit log is read, and nobody writes it.
            if resource["type"] != "AuditEvent":
                self.assertIn("validate", [o["name"] for o in resource["operation"]])


class Off(Case):
    def test_the_structure_is_held_and_nothing_more(self):
        self.create(BROKEN)

    def test_every_fault_of_the_structure_is_told_with_its_path(self):
        body = {"resourceType": "Patient", "birthdate": "1970", "name": [{"family": 3}], "active": "yes"}
        for method, path in (("POST", "/fhir/Patient"), ("PUT", "/fhir/Patient/1"), ("PUT", "/fhir/Patient?_id=1")):
            said = self.outcome(method, path, body, 400)
            self.assertEqual(len(said["issue"]), 3, said)
            self.assertIn("Patient.name[0].family", [i["expression"][0] for i in said["issue"]])

    def test_a_bundle_tells_every_fault_of_every_entry(self):
        bad = {"resourceType": "Patient", "active": "yes", "gender": 3}
        said = self.outcome("POST", "/fhir", bundle("transaction", entry("POST", "Patient", GOOD),
                                                    entry("POST", "Patient", bad)), 400)
        self.assertEqual(issues(said), {("structure", "Bundle.entry[1].resource.active"),
                                        ("structure", "Bundle.entry[1].resource.gender")})
        answer = json_of(self.ask("POST", "/fhir", bundle("batch", entry("POST", "Patient", GOOD),
                                                          entry("POST", "Patient", bad)), 200))
        self.assertEqual([e["response"]["status"][:3] for e in answer["entry"]], ["201", "400"])
        self.assertEqual(len(answer["entry"][1]["response"]["outcome"]["issue"]), 2)


class Warn(Case):
    config = '[validation]\ndefault = "warn"\n'

    def test_writes_succeed_and_who_asks_is_told(self):
        self.assertEqual(self.create(BROKEN)["resourceType"], "Patient")
        said = self.outcome("POST", "/fhir/Patient", BROKEN, 201, Prefer="return=OperationOutcome")
        self.assertEqual(issues(said), ERRORS)
        said = self.outcome("POST", "/fhir/Patient", GOOD, 201, Prefer="return=OperationOutcome")
        self.assertEqual(issues(said), set())
        said = self.outcome("PUT", "/fhir/Patient/warned", {**BROKEN, "id": "warned"}, 201, Prefer="return=OperationOutcome")
        self.assertEqual(issues(said), ERRORS)

    def test_bundles_tell_by_the_entry(self):
        for kind in ("transaction", "batch"):
            sent = bundle(kind, entry("POST", "Patient", GOOD), entry("POST", "Patient", BROKEN))
            answer = json_of(self.ask("POST", "/fhir", sent, 200, Prefer="return=OperationOutcome"))
            self.assertEqual([e["response"]["status"][:3] for e in answer["entry"]], ["201", "201"])
            told = [issues(e["response"]["outcome"]) for e in answer["entry"]]
            self.assertEqual(told, [set(), ERRORS])
            answer = json_of(self.ask("POST", "/fhir", sent, 200))
            self.assertEqual([e["response"].get("outcome") for e in answer["entry"]], [None, None])

    def test_no_log_tells_what_was_found(self):
        mark = "canary-" + uuid.uuid4().hex
        self.create({**BROKEN, "gender": mark})
        self.assertNotIn(mark, self.server.err.read_text() + json.dumps(self.server.audit()))


class Enforce(Case):
    config = '[validation]\ndefault = "enforce"\n[validation.types]\nObservation = "off"\nPractitioner = "warn"\n'

    def test_an_error_refuses_every_kind_of_write(self):
        mark = uuid.uuid4().hex
        sent = {**BROKEN, "identifier": [{"value": mark}]}
        for method, path, body in (("POST", "/fhir/Patient", sent), ("PUT", "/fhir/Patient/enforced", {**sent, "id": "enforced"}),
                                   ("PUT", "/fhir/Patient?identifier=" + mark, sent)):
            self.assertEqual(issues(self.outcome(method, path, body, 422)), ERRORS)
        said = self.outcome("POST", "/fhir/Patient", sent, 422, If_None_Exist="identifier=" + mark)
        self.assertEqual(issues(said), ERRORS)
        self.keep_out_of_store(mark)
        self.assertEqual(self.create({**GOOD, "identifier": [{"value": mark}]})["gender"], "female")
        # What is there already is found, and what was sent is not stored: nothing to refuse.
        self.ask("POST", "/fhir/Patient", sent, 200, If_None_Exist="identifier=" + mark)

    def test_an_update_does_not_turn_a_valid_patient_invalid(self):
        made = self.create(GOOD)
        path = "/fhir/Patient/" + made["id"]
        for change in ({"gender": "x"}, {"contact": [{"gender": "male"}]}):
            self.outcome("PUT", path, {**GOOD, "id": made["id"], **change}, 422)
        self.assertEqual(json_of(self.ask("GET", path, expect=200))["meta"]["versionId"], "1")

    def test_types_have_rules_of_their_own(self):
        self.create({"resourceType": "Observation", "status": "nonsense", "code": {"text": "x"}})
        said = self.outcome("POST", "/fhir/Practitioner", {"resourceType": "Practitioner", "gender": "x"}, 201,
                            Prefer="return=OperationOutcome")
        self.assertEqual(issues(said), {("code-invalid", "Practitioner.gender")})

    def test_a_transaction_names_every_entry_and_stores_nothing(self):
        mark = uuid.uuid4().hex
        right = {**GOOD, "identifier": [{"value": mark}]}
        sent = bundle("transaction", entry("POST", "Patient", right), entry("POST", "Patient", BROKEN),
                      entry("PUT", "Patient/t1", {**BROKEN, "id": "t1"}))
        said = self.outcome("POST", "/fhir", sent, 422)
        expected = {(code, path.replace("Patient.", f"Bundle.entry[{i}].resource.", 1)) for code, path in ERRORS for i in (1, 2)}
        self.assertEqual(issues(said), expected)
        self.keep_out_of_store(mark)
        self.ask("GET", "/fhir/Patient/t1", expect=404)

    def test_links_between_entries_lead_to_what_the_entries_are(self):
        patient, other = "urn:uuid:" + str(uuid.uuid4()), "urn:uuid:" + str(uuid.uuid4())
        encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": patient}}
        sent = bundle("transaction", entry("POST", "Patient", GOOD, full_url=patient), entry("POST", "Encounter", encounter, other))
        self.ask("POST", "/fhir", sent, 200)
        sent["entry"][1]["resource"] = {**encounter, "subject": {"reference": other}}
        said = self.outcome("POST", "/fhir", sent, 422)
        self.assertEqual(issues(said), {("structure", "Bundle.entry[1].resource.subject")})

    def test_a_batch_refuses_the_entry_alone(self):
        answer = json_of(self.ask("POST", "/fhir", bundle("batch", entry("POST", "Patient", GOOD),
                                                          entry("POST", "Patient", BROKEN)), 200))
        self.assertEqual([e["response"]["status"][:3] for e in answer["entry"]], ["201", "422"])
        self.assertEqual(issues(answer["entry"][1]["response"]["outcome"]), ERRORS)

    def test_a_profile_that_is_stored_holds_for_the_next_write(self):
        plain = claiming({k: v for k, v in GOOD.items() if k != "birthDate"})
        self.create(plain)  # not known here: a warning
        stored = self.create(profile())
        self.assertEqual(issues(self.outcome("POST", "/fhir/Patient", plain, 422)), {("required", "Patient.birthDate")})
        self.create(claiming(GOOD))
        self.server.stop()
        self.server.start()
        type(self).token = self.server.sign_in_admin()
        self.outcome("POST", "/fhir/Patient", plain, 422)
        self.ask("DELETE", "/fhir/StructureDefinition/" + stored["id"], expect=204)
        self.create(plain)

    def test_a_refusal_is_recorded(self):
        mark = self.server.audit_size()
        self.outcome("POST", "/fhir/Patient", BROKEN, 422)
        self.assertEqual([(e["event"], e["http_status"]) for e in self.server.audit_after(mark)], [("create", 422)])


class Settings(harness.TestCase):
    serve = False

    def test_wrong_settings_do_not_start(self):
        for text, said in (('[validation]\ndefault = "on"', '"off", "warn" or "enforce"'),
                           ("[validation]\nenabled = true", "did you mean validation.default"),
                           ('[validation.types]\nPatiant = "warn"', "did you mean validation.types.Patient"),
                           ("[validation.types]\nPatient = true", "validation.types.Patient must be")):
            path = self.server.root / "bad.toml"
            path.write_text(text)
            ended = self.server.cli("serve", "--data", self.server.data, "--key-file", self.server.key_file, "--listen",
                                    "127.0.0.1:0", "--config", path)
            self.assertEqual(ended.returncode, 2, text)
            self.assertIn(said, ended.stderr)


if __name__ == "__main__":
    unittest.main()

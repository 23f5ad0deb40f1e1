"""What one patient's records do to the decisions about everybody: how many consents he may have, how long a record
explains an access, and what is left out of an export of a group, against the real server. REQUIREMENTS C-01, C-12,
C-20, G-05."""

import concurrent.futures
import json
import time
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of
from test_decisions import InHospital, consent, observation

CONSENTS = 200  # active ones of one patient
ORDERS = 1_001


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def post(resource):
    return {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def put(resource):
    return {"resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}


class Consents(InHospital):
    def himself(self, patient):
        name = "p" + uuid.uuid4().hex[:8]
        self.person(name, "patient", "--patient", patient)
        return name

    def send(self, who, body):
        return self.server.request("POST", "/fhir", body, self.tokens[who])

    def filled(self, count=CONSENTS):
        """A patient with so many active consents: his name as a user, his id, and theirs."""
        patient = self.treated("dr")
        name = self.himself(patient)
        reply = self.send(name, bundle("transaction", *[post(consent(patient, "OPTIN")) for _ in range(count)]))
        self.assertEqual(reply.status, 200, reply)
        ids = [each["response"]["location"].split("/")[1] for each in json_of(reply)["entry"]]
        return name, patient, ids

    def test_C01_a_patient_has_no_more_active_consents_than_are_looked_at(self):
        name, patient, ids = self.filled(CONSENTS - 1)
        reply = self.send(name, bundle("batch", *[post(consent(patient, "OPTIN")) for _ in range(3)]))
        statuses = [each["response"]["status"][:3] for each in json_of(reply)["entry"]]
        self.assertEqual(statuses, ["201", "422", "422"])
        inactive = json_of(self.ask(name, "Consent", "POST", {**consent(patient, "OPTIN"), "status": "inactive"}))
        active = {**inactive, "status": "active"}
        self.assertEqual(self.ask(name, "Consent/" + active["id"], "PUT", active).status, 422)
        patch = [{"op": "replace", "path": "/status", "value": "active"}]
        patched = self.ask(name, "Consent/" + active["id"], "PATCH", patch,
                           {"Content-Type": "application/json-patch+json"})
        self.assertEqual(patched.status, 422, patched)
        # What does not speak of privacy, or does not hold, is not counted; what holds already may be changed.
        other = {**consent(patient), "scope": {"coding": [{"code": "research"}]}}
        self.assertEqual(self.ask(name, "Consent", "POST", other).status, 201)
        self.assertEqual(self.ask(name, "Consent/" + ids[0], "PUT", {**consent(patient, "OPTOUT"), "id": ids[0]}).status,
                         200)
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        ended = {**consent(patient, "OPTIN"), "id": ids[0], "status": "inactive"}
        one_for_another = bundle("transaction", post(consent(patient, "OPTIN")), put(ended))
        self.assertEqual(self.send(name, one_for_another).status, 200, "one ends as another begins")
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        self.assertEqual(self.ask(name, "Consent", "POST", consent(patient, "OPTIN")).status, 422)

    def test_C01_of_many_at_once_no_more_get_in_than_there_is_room(self):
        name, patient, _ = self.filled(CONSENTS - 3)

        def one(_):
            return self.ask(name, "Consent", "POST", consent(patient, "OPTIN")).status

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            statuses = sorted(pool.map(one, range(12)))
        self.assertEqual(statuses, [201] * 3 + [422] * 9)

    def test_C01_one_patients_consents_stop_nobody_elses_work(self):
        name, patient, ids = self.filled()
        for who, query in (("dr", "Patient?"), ("officer", "Patient?"), ("officer", "_history"), ("clerk", "Patient?"),
                           (name, "Consent?_summary=count")):
            self.assertEqual(self.ask(who, query).status, 200, (who, query))
        for id_ in ids[:2]:
            self.assertEqual(self.ask("officer", "Consent/" + id_, "DELETE").status, 204)
        self.assertEqual(self.ask(name, "Consent", "POST", consent(patient, "OPTIN")).status, 201)

    def test_G05_who_may_take_consents_away_sees_them_whatever_they_say(self):
        patient = self.treated("dr")
        given = self.make(consent(patient, "OPTOUT"))
        not_understood = self.make(consent(patient, "NOTHING-KNOWN"))
        self.assertFalse(self.sees("officer", "Patient/" + patient))
        for id_ in (given, not_understood):
            self.assertFalse(self.sees("dr", "Consent/" + id_))
            self.assertTrue(self.sees("officer", "Consent/" + id_))
            self.assertEqual(self.ask("officer", "Consent/" + id_, "DELETE").status, 204)
        self.assertTrue(self.sees("dr", "Patient/" + patient))


class Relations(InHospital):
    def order(self, patient, name, status="active", **more):
        return {"resourceType": "ServiceRequest", "status": status, "intent": "order", "code": {"text": "x"},
                "subject": {"reference": "Patient/" + patient},
                "requester": {"reference": "Practitioner/" + self.practitioners[name]}, **more}

    def test_C20_no_number_of_ended_orders_hides_a_patient(self):
        patient = self.treated("dr")
        ended = self.order(patient, "dr", "completed")
        for part in (ORDERS // 2, ORDERS - ORDERS // 2):
            reply = self.server.request("POST", "/fhir", bundle("transaction", *[post(ended)] * part), self.loader)
            self.assertEqual(reply.status, 200)
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        self.assertEqual(self.ask("dr", "Patient?").status, 200)
        self.assertFalse(self.sees("dr2", "Patient/" + patient))
        self.make(self.order(patient, "dr2"))
        self.assertTrue(self.sees("dr2", "Patient/" + patient))

    def test_C20_what_was_never_ended_explains_nothing_for_ever(self):
        patient = self.treated()
        self.encounter(patient, "dr", period={"start": "2012-03-01"})
        self.make(self.order(patient, "dr", authoredOn="2009-05-05"))
        self.make({"resourceType": "CareTeam", "status": "active", "subject": {"reference": "Patient/" + patient},
                   "period": {"start": "2010-01-01"}, "participant": [
                       {"member": {"reference": "Practitioner/" + self.practitioners["dr"]}}]})
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        self.make(self.order(patient, "dr"))
        self.assertTrue(self.sees("dr", "Patient/" + patient))

    def test_C20_a_role_is_followed_to_its_practitioner(self):
        patient = self.treated()
        role = self.make({"resourceType": "PractitionerRole", "active": True,
                          "practitioner": {"reference": "Practitioner/" + self.practitioners["dr"]}})
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        self.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
                   "subject": {"reference": "Patient/" + patient},
                   "participant": [{"individual": {"reference": "PractitionerRole/" + role}}]})
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        self.assertFalse(self.sees("dr2", "Patient/" + patient))
        current = json_of(self.ask("officer", "PractitionerRole/" + role))
        self.assertEqual(self.ask("officer", "PractitionerRole/" + role, "PUT", {**current, "active": False}).status, 200)
        self.assertFalse(self.sees("dr", "Patient/" + patient), "a role that ended explains nothing more")

    def test_C20_who_only_creates_opens_no_patient_by_an_order(self):
        if "labo" not in self.tokens:
            self.person("labo", "lab")
        patient = self.treated()
        self.assertEqual(self.ask("labo", "ServiceRequest", "POST", self.order(patient, "dr2")).status, 403)
        self.assertEqual(self.ask("labo", "Observation", "POST", observation(patient)).status, 201)
        self.assertEqual(self.ask("labo", "ServiceRequest?patient=Patient/" + patient).status, 200)
        self.assertFalse(self.sees("dr2", "Patient/" + patient))

    def test_C20_who_registers_a_patient_as_his_own_goes_on(self):
        own = [{"reference": "Practitioner/" + self.practitioners["dr"]}]
        made = self.ask("dr", "Patient", "POST", {"resourceType": "Patient", "generalPractitioner": own})
        self.assertEqual(made.status, 201, made)
        patient = json_of(made)["id"]
        before = self.server.audit_size()
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        read, = (e for e in self.server.audit_after(before) if e["event"] == "read")
        self.assertEqual(read["explained_by"], "general-practitioner")
        self.assertEqual(self.ask("dr", "Observation", "POST", observation(patient)).status, 201)
        self.assertFalse(self.sees("dr2", "Patient/" + patient))
        self.assertEqual(self.ask("dr", "Patient/" + patient, "PUT", {"resourceType": "Patient", "id": patient}).status,
                         200)
        self.assertFalse(self.sees("dr", "Patient/" + patient), "who is named no more explains nothing")

    def test_C12_the_glass_of_nobody_is_not_broken(self):
        def listed():
            return json.loads(self.server.cli("emergency", "list", "--open", "--json", "--data", self.server.data,
                                              check=True).stdout)["emergencies"]

        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        known, mark = listed(), self.server.audit_size()
        nobody = str(uuid.uuid4())
        self.assertEqual(self.ask("dr", f"Patient/{nobody}/$break-glass", "POST", body).status, 404)
        self.assertEqual(self.ask("clerk", f"Patient/{nobody}/$break-glass", "POST", body).status, 403)
        refused = [e for e in self.server.audit_after(mark) if e["event"] == "emergency-begun"]
        self.assertEqual([(e["http_status"], e["user"]) for e in refused], [(404, "dr"), (403, "clerk")])
        self.assertEqual(listed(), known)
        patient = self.treated()
        self.make(consent(patient, "OPTOUT"))
        self.assertEqual(self.ask("dr", f"Patient/{patient}/$break-glass", "POST", body).status, 200,
                         "whoever hides is there")


class GroupExports(InHospital):
    ASYNC = {"Prefer": "respond-async", "Accept": "application/fhir+json"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exporter = cls.server.service("exporter", "exporter")

    def kick_off(self, group, body=None):
        return self.server.request("POST" if body else "GET", f"/fhir/Group/{group}/$export", body, self.exporter,
                                   self.ASYNC)

    def files(self, reply):
        self.assertEqual(reply.status, 202, reply)
        path = urllib.parse.urlparse(reply.headers["content-location"]).path
        end = time.monotonic() + harness.PATIENCE
        while (status := self.server.request("GET", path, token=self.exporter)).status == 202:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        manifest = json_of(status)

        def lines(part):
            texts = []
            for file in manifest[part]:
                got = self.server.request("GET", urllib.parse.urlparse(file["url"]).path, token=self.exporter,
                                          headers={"Accept": "application/fhir+ndjson"})
                texts += got.body.decode().splitlines()
            return texts

        return lines("output"), lines("error")

    def test_G05_who_opted_out_is_left_out_of_his_group_and_not_named(self):
        open_one, hidden, outsider = self.treated("dr"), self.treated("dr"), self.treated()
        for patient in (open_one, hidden, outsider):
            self.make(observation(patient))
        group = self.make({"resourceType": "Group", "type": "person", "actual": True, "member": [
            {"entity": {"reference": "Patient/" + each}} for each in (open_one, hidden)]})
        output, remarks = self.files(self.kick_off(group))
        self.assertTrue(any(hidden in line for line in output))
        self.assertEqual(remarks, [])
        self.make(consent(hidden, "OPTOUT"))
        output, remarks = self.files(self.kick_off(group))
        kinds = [json.loads(line)["resourceType"] for line in output if open_one in line]
        self.assertIn("Observation", kinds)
        self.assertIn("Patient", kinds)
        self.assertEqual(len(remarks), 1)
        self.assertFalse([line for line in output + remarks if hidden in line or outsider in line])

        def named(patient):
            return {"resourceType": "Parameters", "parameter": [
                {"name": "patient", "valueReference": {"reference": "Patient/" + patient}}]}

        answers = [self.kick_off(group, named(patient)) for patient in (hidden, outsider, str(uuid.uuid4()))]
        self.assertEqual({(each.status, each.body) for each in answers}, {(400, answers[0].body)})
        self.assertEqual(self.kick_off(group, named(open_one)).status, 202)
        self.assertEqual(self.server.request("GET", "/fhir/Group/" + group, token=self.tokens["dr"]).status, 404)


if __name__ == "__main__":
    unittest.main()

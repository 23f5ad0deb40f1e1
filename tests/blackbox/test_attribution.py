"""Whose a record is: who may change it, by which references it is found out, and that nothing is kept unfollowed.
REQUIREMENTS W-01, C-01, C-10, C-11."""

import base64
import json
import unittest
import uuid

import harness
from harness import json_of
from test_decisions import InHospital, consent, observation

ORIGIN = "https://records.example.org"
XML = "application/fhir+xml"


def to(place):
    return {"reference": place}


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, **more):
    made = {"request": {"method": method, "url": url}, **more}
    return {**made, "resource": resource} if resource else made


class Moves(InHospital):
    """An update that changes whose a record is."""

    def ways(self, record):
        """Every way to write `record`, an Observation with an id, in the place of what is there."""
        path = "Observation/" + record["id"]
        operations = [{"op": "add", "path": "/" + name, "value": record[name]} for name in ("subject", "performer") if name in record]
        patch = {"resourceType": "Binary", "contentType": "application/json-patch+json",
                 "data": base64.b64encode(json.dumps(operations).encode()).decode()}
        yield "PUT", lambda who: self.ask(who, path, "PUT", record)
        yield "conditional", lambda who: self.ask(who, f"Observation?_id={record['id']}", "PUT", record)
        yield "PATCH", lambda who: self.ask(who, path, "PATCH", operations,
                                            {"Content-Type": "application/json-patch+json"})
        yield "transaction", lambda who: self.ask(who, "", "POST", bundle("transaction", entry("PUT", path, record)))
        yield "patch in a transaction", lambda who: self.ask(
            who, "", "POST", bundle("transaction", entry("PATCH", path, patch)))
        yield "batch", lambda who: self.ask(who, "", "POST", bundle("batch", entry("PUT", path, record)))

    def ask(self, who, path, method="GET", body=None, headers=None):
        return self.server.request(method, "/fhir/" + path if path else "/fhir", body, self.tokens[who], headers)

    def assert_refused(self, who, record, message):
        path = "Observation/" + record["id"]
        before = json_of(self.ask("officer", path))["meta"]["versionId"]
        for name, write in self.ways(record):
            reply = write(who)
            said = json_of(reply)
            if name == "batch":
                self.assertTrue(said["entry"][0]["response"]["status"].startswith("403"), said)
            else:
                self.assertEqual(reply.status, 403, (name, reply.body))
            self.assertIn(message, json.dumps(said), name)
        self.assertEqual(json_of(self.ask("officer", path))["meta"]["versionId"], before)

    def test_W01_nobody_hides_a_record_by_naming_a_patient_whose_records_he_may_not_see(self):
        mine, hidden, stranger = self.treated("dr", "dr2"), self.treated("dr"), self.treated("dr2")
        self.make(consent(hidden, "OPTOUT"))
        id_ = self.make(observation(mine))
        own = self.own_account(mine)
        for other in (hidden, stranger):
            named = {**observation(mine), "id": id_, "performer": [to("Patient/" + other)]}
            message = "name this patient" if other == hidden else "may not update"
            self.assert_refused("dr", named, message)
        for who in ("dr", "dr2", "officer", own):
            self.assertEqual(self.ask(who, "Observation/" + id_).status, 200, who)

    def own_account(self, patient):
        name = "own" + uuid.uuid4().hex[:8]
        self.person(name, "patient", "--patient", patient)
        return name

    def test_W01_an_update_takes_no_record_away_from_its_patient(self):
        one, other = self.treated("dr"), self.treated("dr")
        id_ = self.make(observation(one))
        nobody = {**observation(one), "id": id_, "subject": {"display": "somebody"}}
        self.assert_refused("dr", {**observation(other), "id": id_}, "take a record away")
        self.assertEqual(self.ask("dr", "Observation/" + id_, "PUT", nobody).status, 403)
        # Nor in two steps: he whom it is about stays.
        both = {**observation(one), "id": id_, "performer": [to("Patient/" + other)]}
        self.assertEqual(self.ask("dr", "Observation/" + id_, "PUT", both).status, 200)
        for subject in (other, None):
            turned = {**both, "subject": to("Patient/" + subject) if subject else {"display": "somebody"},
                      "performer": [to("Patient/" + one), to("Patient/" + other)]}
            self.assert_refused("dr", turned, "take a record away")
        self.assertEqual(self.ask("dr", "Observation/" + id_, "PUT", {**observation(one), "id": id_}).status, 200)

    def test_W01_who_may_move_records_puts_one_under_its_right_patient(self):
        wrong, right = self.treated("dr"), self.treated("dr2")
        id_ = self.make(observation(wrong))
        before = self.server.audit_size()
        self.assertEqual(self.ask("officer", "Observation/" + id_, "PUT", {**observation(right), "id": id_}).status, 200)
        written, = (e for e in self.server.audit_after(before) if e["event"] == "update")
        self.assertEqual(set(written["patients"]), {wrong, right})
        self.assertEqual(self.ask("dr", "Observation/" + id_).status, 404)
        self.assertEqual(self.ask("dr2", "Observation/" + id_).status, 200)

    def test_W01_a_record_of_several_patients_is_made_by_who_may_see_the_records_of_each(self):
        mine, hidden = self.treated("dr"), self.treated("dr")
        self.make(consent(hidden, "OPTOUT"))
        both = {**observation(mine), "performer": [to("Patient/" + hidden)]}
        self.assertEqual(self.ask("dr", "Observation", "POST", both).status, 403)
        self.assertEqual(self.ask("dr", "", "POST", bundle("transaction", entry("POST", "Observation", both))).status, 403)
        # The record of one patient is kept, whoever may see it then; and who brings records in sees none at all.
        self.assertEqual(self.ask("dr", "Observation", "POST", observation(hidden)).status, 201)
        self.make(both)

    def test_C10_others_who_are_named_take_nobodys_record_from_him(self):
        subject, other = self.treated("dr"), self.treated("dr")
        id_ = self.make({**observation(subject), "performer": [to("Patient/" + other)]})
        met = self.make({"resourceType": "Appointment", "status": "booked", "participant": [
            {"actor": to("Patient/" + subject), "status": "accepted"}, {"actor": to("Patient/" + other), "status": "accepted"}]})
        mine, theirs = self.own_account(subject), self.own_account(other)
        self.assertEqual(self.ask(mine, "Observation/" + id_).status, 200)
        self.assertEqual(self.found(mine, "Observation?_id=" + id_), [id_])
        self.assertEqual(self.ask(theirs, "Observation/" + id_).status, 404)
        self.assertEqual(self.found(theirs, "Observation?_id=" + id_), [])
        self.assertEqual(self.ask(mine, "Appointment/" + met).status, 404, "of whom it is is not clear")


class Addressed(InHospital):
    config = f'[oauth]\norigin = "{ORIGIN}"\n'

    def own_names(self):
        port = self.server.port
        return (f"{ORIGIN}/fhir", f"{ORIGIN.upper()}/fhir", f"https://127.0.0.1:{port}/fhir", f"https://localhost:{port}/fhir",
                "http://records.example.org/fhir", f"{ORIGIN}:443/fhir")

    def post(self, resource, headers=None, who=None):
        return self.server.request("POST", "/fhir/" + resource["resourceType"], resource, who or self.loader, headers)

    BAD = ("/Patient/{}", "Patient/{}#x", "Patient/{}?x=1", "Patient/", ORIGIN + "/fhir/Patient/{}#x", ORIGIN + "/fhir//Patient/{}",
           ORIGIN + "/fhir/Patient?_id={}", "Patient?_id={}", " Patient/{}")


class Consents(Addressed):
    """A consent that nobody would follow is not taken."""

    def test_C01_a_consent_names_its_patient_or_is_refused(self):
        patient = self.treated("dr")
        kept = self.make({**consent(patient, "OPTOUT"), "status": "draft"})
        for made in ([to(bad.format(patient)) for bad in self.BAD] +
                     [{"identifier": {"system": "urn:x", "value": patient}}, {"display": "Patient/" + patient},
                      to("urn:uuid:" + str(uuid.uuid4())), to("https://other.example.org/fhir/Patient/" + patient), to("#p"),
                      to("Group/" + patient)]):
            with self.subTest(made):
                sent = {**consent(patient, "OPTOUT"), "patient": made}
                if made.get("reference") == "#p":
                    sent["contained"] = [{"resourceType": "Patient", "id": "p"}]
                reply = self.post(sent)
                self.assertIn(reply.status, (400, 422), reply.body)
                reply = self.ask("officer", "Consent/" + kept, "PUT", {**sent, "id": kept})
                self.assertIn(reply.status, (400, 422), reply.body)
                sent = bundle("transaction", entry("POST", "Consent", sent))
                if not made.get("reference", "").startswith("Patient?_id"):
                    self.assertIn(self.server.request("POST", "/fhir", sent, self.loader).status, (400, 412, 422))
        self.assertEqual(self.post({**consent(patient, "OPTOUT"), "patient": {"display": "x"}}).status, 422)
        nobody = {**consent(patient, "OPTOUT")}
        del nobody["patient"]
        self.assertEqual(self.post(nobody).status, 422)
        xml = ('<Consent xmlns="http://hl7.org/fhir"><status value="active"/><scope><coding><system value="http://terminology.hl7.org/'
               'CodeSystem/consentscope"/><code value="patient-privacy"/></coding></scope><category><coding><system value="http://loinc.org"/>'
               '<code value="59284-0"/></coding></category><patient><display value="x"/></patient><policyRule><coding><system '
               'value="http://terminology.hl7.org/CodeSystem/v3-ActCode"/><code value="OPTOUT"/></coding></policyRule></Consent>')
        reply = self.server.request("POST", "/fhir/Consent", xml, self.loader, {"Content-Type": XML})
        self.assertEqual(reply.status, 422, reply.body)
        reply = self.ask("officer", "Consent/" + kept, "PATCH",
                         [{"op": "replace", "path": "/status", "value": "active"},
                          {"op": "replace", "path": "/patient", "value": {"display": "x"}}],
                         {"Content-Type": "application/json-patch+json"})
        self.assertIn(reply.status, (403, 422), reply.body)
        self.assertTrue(self.sees("dr", "Patient/" + patient), "none of them was kept")

    def test_C01_a_consent_by_any_name_of_this_server_is_followed(self):
        for name in self.own_names():
            patient = self.treated("dr")
            self.assertTrue(self.sees("dr", "Patient/" + patient))
            reply = self.post({**consent(patient, "OPTOUT"), "patient": to(f"{name}/Patient/{patient}")})
            self.assertEqual(reply.status, 201, (name, reply.body))
            self.assertFalse(self.sees("dr", "Patient/" + patient), name)
        patient = self.treated("dr")
        sent = bundle("transaction", entry("POST", "Consent", {**consent(patient, "OPTOUT"), "patient": to(f"Patient?_id={patient}")}))
        self.assertEqual(self.server.request("POST", "/fhir", sent, self.loader).status, 200)
        self.assertFalse(self.sees("dr", "Patient/" + patient), "resolved")


class References(Addressed):
    def test_C11_a_record_is_its_patients_by_every_name_of_this_server(self):
        patient = self.treated("dr")
        names = [(name, {}) for name in self.own_names()]
        names.append(("https://elsewhere.example.org:1234/fhir", {"Host": "elsewhere.example.org:1234"}))
        for name, headers in names:
            reply = self.post({**observation(patient), "subject": to(f"{name}/Patient/{patient}")}, headers)
            self.assertEqual(reply.status, 201, (name, reply.body))
            place = "Observation/" + json_of(reply)["id"]
            self.assertTrue(self.sees("dr", place), name)
            self.assertFalse(self.sees("dr2", place), name)
            self.assertEqual(json_of(self.ask("dr", place))["subject"], to("Patient/" + patient))
        for name in self.own_names():
            self.assertTrue(self.found("dr", f"Observation?subject={name}/Patient/{patient}"), name)

    def test_C11_what_looks_like_a_reference_to_this_server_and_is_none_is_refused(self):
        patient = self.treated("dr")
        task = {"resourceType": "Task", "status": "requested", "intent": "order"}
        for bad in self.BAD:
            for record in ({**observation(patient), "subject": to(bad.format(patient))}, {**task, "for": to(bad.format(patient))}):
                reply = self.post(record)
                self.assertIn(reply.status, (400, 422), (bad, reply.body))
                sent = bundle("batch", entry("POST", record["resourceType"], record))
                said = json_of(self.server.request("POST", "/fhir", sent, self.loader))
                self.assertIn(said["entry"][0]["response"]["status"][:3], ("400", "422"), bad)
                if "Patient?_id" not in bad or bad.startswith("http"):
                    sent = bundle("transaction", entry("POST", record["resourceType"], record))
                    self.assertIn(self.server.request("POST", "/fhir", sent, self.loader).status, (400, 412, 422), bad)


class Named(Addressed):
    """Types that are of whom they name: also by a record of a patient, at any depth, and not by what is another server's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.change_policy("[roles.doctor]\n",
                                 '[roles.doctor]\nother = ["read", "vread", "history-instance", "search"]\n')

    def assert_of(self, patient, resource, *more):
        place = resource["resourceType"] + "/" + self.make(resource)
        self.assert_place_of(patient, place, *more)

    def assert_place_of(self, patient, place, *more):
        before = self.server.audit_size()
        self.assertEqual(self.ask("officer", place).status, 200, place)
        read, = (e for e in self.server.audit_after(before) if e["event"] == "read")
        self.assertEqual(set(read.get("patients", [])), {patient, *more} if patient else set(more), place)
        self.assertEqual(self.sees("dr", place), bool(patient))
        self.assertFalse(self.sees("dr2", place))

    def records(self, patient):
        document = self.make({"resourceType": "DocumentReference", "status": "current", "subject": to("Patient/" + patient),
                              "content": [{"attachment": {"contentType": "text/plain"}}]})
        return "DocumentReference/" + document, "Encounter/" + self.encounter(patient, "dr")

    TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
    BINARY = {"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="}

    def test_C11_a_record_that_is_named_says_whose_it_is(self):
        patient = self.treated("dr")
        document, encounter = self.records(patient)
        self.assert_of(patient, {**self.BINARY, "securityContext": to(document)})
        self.assert_of(patient, {**self.BINARY, "securityContext": to(f"{ORIGIN}/fhir/{encounter}")})
        self.assert_of(patient, {**self.TASK, "encounter": to(encounter)})
        self.assert_of(patient, {**self.TASK, "focus": to(document + "/_history/1")})
        self.assert_of(patient, {"resourceType": "MessageHeader", "eventCoding": {"code": "x"}, "source": {"endpoint": "urn:x"},
                                 "focus": [to(document)]})
        gone = self.make(observation(patient))
        self.assertEqual(self.ask("officer", "Observation/" + gone, "DELETE").status, 204)
        self.assert_of(patient, {**self.TASK, "focus": to("Observation/" + gone)})

    def test_C11_also_one_that_the_same_transaction_writes(self):
        patient = self.treated("dr")
        urn = "urn:uuid:" + str(uuid.uuid4())
        document = {"resourceType": "DocumentReference", "status": "current", "subject": to("Patient/" + patient),
                    "content": [{"attachment": {"contentType": "text/plain"}}]}
        sent = bundle("transaction", entry("POST", "Binary", {**self.BINARY, "securityContext": to(urn)}),
                      entry("POST", "DocumentReference", document, fullUrl=urn))
        reply = self.server.request("POST", "/fhir", sent, self.loader)
        self.assertEqual(reply.status, 200, reply.body)
        location = json_of(reply)["entry"][0]["response"]["location"]
        self.assert_place_of(patient, location[location.index("Binary/"):].split("/_history")[0])

    def test_C11_a_bundle_is_of_those_in_it_at_any_depth(self):
        patient, other = self.treated("dr"), self.treated("dr")
        _, encounter = self.records(patient)
        person = {"resourceType": "Patient", "name": [{"family": "F"}]}
        inner = bundle("collection", {"resource": {**person, "id": patient}})
        parameters = {"resourceType": "Parameters", "parameter": [
            {"name": "a", "part": [{"name": "b", "resource": {**person, "id": patient}}]}]}
        for made in (bundle("collection", {"fullUrl": f"{ORIGIN}/fhir/Patient/{patient}", "resource": person}),
                     bundle("collection", {"resource": inner}), bundle("collection", {"resource": parameters}), parameters,
                     bundle("collection", {"fullUrl": "urn:uuid:" + str(uuid.uuid4()), "resource": {**person, "id": patient}}),
                     bundle("collection", {"fullUrl": f"{ORIGIN}/fhir/{encounter}", "resource": {"resourceType": "Basic", "code": {"text": "x"}}}),
                     bundle("collection", {"resource": {**self.TASK, "encounter": to(encounter)}}),
                     bundle("collection", {"fullUrl": "https://other.example.org/fhir/Observation/1", "resource": {
                         **observation(patient), "subject": to(f"{ORIGIN}/fhir/Patient/{patient}")}})):
            with self.subTest(made):
                self.assert_of(patient, made)
        self.assert_of(patient, bundle("collection", {"resource": inner}, {"resource": observation(other)}), other)

    def test_C11_what_another_server_calls_so_is_nobodys_here_and_not_shown_to_everybody(self):
        patient = self.treated("dr")
        person = {"resourceType": "Patient", "id": patient, "name": [{"family": "F"}]}
        there = "https://other.example.org/fhir/"
        inner = bundle("collection", {"resource": person})
        for made in (bundle("collection", {"fullUrl": there + "Patient/" + patient, "resource": person}),
                     bundle("collection", {"fullUrl": there + "Observation/1", "resource": observation(patient)}),
                     bundle("collection", {"fullUrl": there + "Bundle/1", "resource": inner}),
                     bundle("collection", {"fullUrl": "urn:uuid:" + str(uuid.uuid4()), "resource": {
                         "resourceType": "Patient", "name": [{"family": "F"}]}}),
                     self.BINARY, self.TASK):
            with self.subTest(made):
                self.assert_of(None, made)

    def test_C11_a_record_names_no_more_patients_than_it_may(self):
        names = lambda count: [{"type": {"text": "of"}, "valueReference": to(f"Patient/{i}")} for i in range(count)]
        self.assertEqual(self.post({**self.TASK, "input": names(256)}).status, 201)
        self.assertEqual(self.post({**self.TASK, "input": names(257)}).status, 422)


if __name__ == "__main__":
    unittest.main()

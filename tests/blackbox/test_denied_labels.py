"""A label that a patient's consent denies is absent on every path, and what is asked by it finds nothing (C-06, C-11)."""

import json
import unittest
import urllib.parse
import uuid

import harness
import test_export
from harness import json_of
from test_decisions import ACT_CODE, InHospital, consent, label, observation

LOINC = "http://loinc.org"


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def get(url):
    return {"request": {"method": "GET", "url": url}}


class DeniedLabels(InHospital):
    """A patient who denies what is labelled HIV, with two findings of one code: the older is open, the newer is labelled."""

    config = harness.UNLIMITED
    kick_off, start = test_export.Exports.kick_off, test_export.Exports.start
    wait, lines = test_export.Exports.wait, test_export.Exports.lines

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # An export that has the clearance for the label: what keeps it away is the consent alone.
        cls.server.change_policy("[roles.exporter]\n", '[roles.exporter]\nsensitive = ["HIV"]\n')
        cls.exporter = cls.server.service("exporter", "exporter")

    def setUp(self):
        self.denies, self.permits = ({"patient": self.treated("dr")} for _ in range(2))
        for each in (self.denies, self.permits):
            self.fill(each)
        self.make(consent(self.denies["patient"], "OPTIN", {"provision": [
            {"type": "deny", "securityLabel": [{"system": ACT_CODE, "code": "HIV"}]}]}))

    def fill(self, each):
        each["visit"] = self.encounter(each["patient"], "dr")
        for name, day, more in (("open", "2026-01-01", {}), ("labelled", "2026-02-01", {"meta": label("HIV")})):
            each[name + " mark"] = mark = uuid.uuid4().hex
            each[name] = self.make(observation(
                each["patient"], identifier=[{"value": mark}], effectiveDateTime=day, encounter={"reference": "Encounter/" + each["visit"]},
                code={"coding": [{"system": LOINC, "code": "8867-4"}]}, **more))
            each[name + " report"] = self.make({
                "resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"},
                "subject": {"reference": "Patient/" + each["patient"]}, "result": [{"reference": "Observation/" + each[name]}]})

    def assert_only_what_is_open(self, found):
        """`found`: gives the ids that an asker gets of a patient. The label hides from none but those whose patient denies it."""
        for each, expected in ((self.denies, {"open"}), (self.permits, {"open", "labelled"})):
            ids = set(found(each))
            self.assertEqual({name for name in ("open", "labelled") if each[name] in ids}, expected)

    # --- the paths ---

    def test_C06_an_export_leaves_it_out_also_where_the_role_has_the_clearance(self):
        for path in ("/fhir/Patient/$export?_type=Observation", "/fhir/$export?_type=Observation,DiagnosticReport",
                     "/fhir/$export?_typeFilter=" + urllib.parse.quote(f"Observation?code={LOINC}|8867-4", safe="")):
            status = self.start(path)
            found = {json.loads(text)["id"] for _, text in self.lines(self.wait(status))}
            self.assert_only_what_is_open(lambda _, ids=found: ids)
            self.server.request("DELETE", status, token=self.exporter)

    def test_C06_an_export_that_was_prepared_before_the_denial_leaves_it_out_too(self):
        status = self.start("/fhir/Patient/$export?_type=Observation")
        manifest = self.wait(status)
        self.make(consent(self.permits["patient"], "OPTIN", {"provision": [
            {"type": "deny", "securityLabel": [{"system": ACT_CODE, "code": "HIV"}]}]}))
        found = set()
        for file in manifest["output"]:
            reply = self.server.request("GET", urllib.parse.urlparse(file["url"]).path, token=self.exporter)
            self.assertEqual(reply.status, 200, reply)
            found |= {json.loads(line)["id"] for line in reply.body.splitlines()}
        self.assertIn(self.permits["open"], found)
        self.assertNotIn(self.permits["labelled"], found)
        self.server.request("DELETE", status, token=self.exporter)

    def test_C06_the_newest_of_a_code_is_the_newest_that_is_open(self):
        for maximum in ("", "&max=2"):
            def lastn(each, more=maximum):
                return self.found("dr", f"Observation/$lastn?patient={each['patient']}{more}")
            self.assertEqual(lastn(self.denies), [self.denies["open"]], "the older one takes the place of the hidden one")
            self.assertEqual(set(lastn(self.permits)), {self.permits["labelled"]} | ({self.permits["open"]} if maximum else set()))

    def test_C06_searches_within_a_compartment(self):
        for path in ("Patient/{patient}/Observation", "Patient/{patient}/*?_count=100", "Patient/{patient}/Observation?code=" + LOINC + "|8867-4",
                     "Encounter/{visit}/Observation", "Encounter/{visit}/*?_count=100"):
            self.assert_only_what_is_open(lambda each, path=path: self.found("dr", path.format(**each)))
        for each, total in ((self.denies, 1), (self.permits, 2)):
            counted = json_of(self.ask("dr", f"Patient/{each['patient']}/Observation?_summary=count"))
            self.assertEqual(int(counted["total"]), total)

    def test_C06_entries_of_batches_and_transactions(self):
        for kind in ("batch", "transaction"):
            def listed(each, kind=kind):
                sent = bundle(kind, get(f"Observation?subject=Patient/{each['patient']}&_total=accurate"),
                              get(f"Patient?_id={each['patient']}&_revinclude=Observation:subject"))
                reply = self.server.request("POST", "/fhir", sent, self.tokens["dr"])
                self.assertEqual(reply.status, 200, reply)
                shown = [entry["resource"] for entry in json_of(reply)["entry"]]
                ids = [{e["resource"]["id"] for e in one["entry"] if e["resource"]["resourceType"] == "Observation"} for one in shown]
                self.assertEqual(ids[0], ids[1])
                self.assertEqual(int(shown[0]["total"]), len(ids[0]))
                return ids[0]
            self.assert_only_what_is_open(listed)
            # One by one it answers as for what is not there, to the letter.
            replies = [self.server.request("POST", "/fhir", bundle(kind, get(f"Observation/{id_}{more}")), self.tokens["dr"])
                       for more in ("", "/_history", "/_history/1") for id_ in (self.denies["labelled"], str(uuid.uuid4()))]
            for hidden, absent in zip(replies[::2], replies[1::2]):
                self.assertEqual((hidden.status, hidden.body), (absent.status, absent.body), kind)
                self.assertIn(b"404", hidden.body if kind == "batch" else str(hidden.status).encode())
            open_one = self.server.request("POST", "/fhir", bundle(kind, get("Observation/" + self.permits["labelled"])), self.tokens["dr"])
            self.assertEqual(json_of(open_one)["entry"][0]["resource"]["id"], self.permits["labelled"])

    def test_C06_conditions_of_a_transaction_do_not_match_it(self):
        """A conditional reference, create and update by what only the hidden record has: as by what nothing has."""
        def report(mark):
            return {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"},
                    "subject": {"reference": "Patient/" + self.denies["patient"]}, "result": [{"reference": "Observation?identifier=" + mark}]}

        def linked(mark):
            sent = bundle("transaction", {"resource": report(mark), "request": {"method": "POST", "url": "DiagnosticReport"}})
            return self.server.request("POST", "/fhir", sent, self.tokens["dr"])

        hidden, absent = linked(self.denies["labelled mark"]), linked(uuid.uuid4().hex)
        self.assertEqual((hidden.status, hidden.body), (absent.status, absent.body))
        self.assertGreaterEqual(hidden.status, 400)
        self.assertEqual(linked(self.denies["open mark"]).status, 200)
        for method in ("PUT", "POST"):  # in this order: the second one makes a record that has the mark and is open
            said = []
            for mark in (self.denies["labelled mark"], uuid.uuid4().hex):
                request = {"method": method, "url": "Observation" + (f"?identifier={mark}" if method == "PUT" else "")}
                if method == "POST":
                    request["ifNoneExist"] = "identifier=" + mark
                sent = bundle("transaction", {"resource": observation(self.denies["patient"], identifier=[{"value": mark}]),
                                              "request": request})
                reply = self.server.request("POST", "/fhir", sent, self.tokens["dr"])
                said.append((reply.status, [e["response"]["status"] for e in json_of(reply).get("entry", [])]))
            self.assertEqual(said[0], said[1], method)

    def test_C06_C11_chains_reverse_chains_includes_and_orders(self):
        for path in ("DiagnosticReport?result.identifier={labelled mark}", "DiagnosticReport?result:Observation.code=" + LOINC + "|8867-4&_id={labelled report}",
                     "Patient?_has:Observation:subject:identifier={labelled mark}", "Encounter?_has:Observation:encounter:identifier={labelled mark}",
                     "Observation?identifier={labelled mark}", "Observation?_id={labelled}"):
            hidden, shown = (self.found("dr", path.format(**each)) for each in (self.denies, self.permits))
            self.assertEqual((hidden, len(shown)), ([], 1), path)
            for more in ("&_summary=count", "&_total=accurate"):
                counted = [int(json_of(self.ask("dr", path.format(**each) + more))["total"]) for each in (self.denies, self.permits)]
                self.assertEqual(counted, [0, 1], path + more)
        for path in ("DiagnosticReport?_id={labelled report}&_include=DiagnosticReport:result",
                     "Encounter?_id={visit}&_revinclude=Observation:encounter", "Patient/{patient}/$everything"):
            hidden, shown = (set(self.found("dr", path.format(**each))) for each in (self.denies, self.permits))
            self.assertNotIn(self.denies["labelled"], hidden, path)
            self.assertIn(self.permits["labelled"], shown, path)
        # By date, newest first, in pages of one: there is one page, and its link leads nowhere.
        first = json_of(self.ask("dr", f"Observation?subject=Patient/{self.denies['patient']}&_sort=-date&_count=1"))
        self.assertEqual([e["resource"]["id"] for e in first["entry"]], [self.denies["open"]])
        self.assertNotIn("next", [link["relation"] for link in first["link"]])

    def test_C06_writes_and_histories_by_who_may_not_see_it(self):
        id_ = self.denies["labelled"]
        absent = str(uuid.uuid4())
        for method, more, body in (("PUT", "", observation(self.denies["patient"])), ("DELETE", "", None),
                                   ("GET", "/_history", None), ("GET", "/_history/1", None), ("GET", "/$meta", None)):
            replies = []
            for one in (id_, absent):
                sent = None if body is None else {**body, "id": one}
                replies.append(self.ask("dr", f"Observation/{one}{more}", method, sent))
            self.assertEqual((replies[0].status, replies[0].body), (replies[1].status, replies[1].body), (method, more))


if __name__ == "__main__":
    unittest.main()

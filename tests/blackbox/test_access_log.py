"""Who has looked at a record, as its patient may see it, and the log as AuditEvents for auditors. REQUIREMENTS G-17, P-01."""

import json
import unittest

import harness
from harness import json_of


class AccessLog(harness.TestCase):
    policy = "hospital"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.let_the_administrator_read()
        cls.loader = server.service("loader", "loader")
        cls.doctor = cls.make({"resourceType": "Practitioner", "active": True})
        cls.mine, cls.other = (cls.make({"resourceType": "Patient", "name": [{"family": name}]}) for name in ("Own", "Other"))
        cls.findings = {}
        for patient in (cls.mine, cls.other):
            cls.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"},
                      "subject": {"reference": "Patient/" + patient},
                      "participant": [{"individual": {"reference": "Practitioner/" + cls.doctor}}]})
            cls.findings[patient] = cls.make({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                                              "subject": {"reference": "Patient/" + patient}})
        cls.dr = server.token_of(server.person("dr.house", "doctor"))
        server.cli("user", "practitioner", "dr.house", "--id", cls.doctor, "--data", server.data, check=True)
        cls.p1 = server.token_of(server.person("p1", "patient", "--patient", cls.mine))
        for patient in (cls.mine, cls.other):
            assert server.request("GET", "/fhir/Observation/" + cls.findings[patient], token=cls.dr).status == 200
        query = f"/fhir/Observation?_id={cls.findings[cls.mine]}&status:not=canary-of-the-search"
        assert cls.findings[cls.mine].encode() in server.request("GET", query, token=cls.dr).body

    @classmethod
    def make(cls, resource):
        return cls.server.create(resource, cls.loader)

    def ask(self, query="", token=None, **more):
        return self.server.request("GET", "/fhir/AuditEvent" + query, token=token or self.p1, **more)

    def events(self, query="", token=None):
        reply = self.ask(query, token)
        self.assertEqual(reply.status, 200, reply)
        return [entry["resource"] for entry in json_of(reply).get("entry", [])]

    @staticmethod
    def read_of(event, place):
        return any(each.get("what", {}).get("reference", "").startswith(place) for each in event.get("entity", []))

    def test_G17_a_patient_sees_who_looked_at_what_when_and_why(self):
        place = "Observation/" + self.findings[self.mine]
        read = next(event for event in self.events() if self.read_of(event, place) and event["action"] == "R")
        user = next(agent for agent in read["agent"] if agent["requestor"])
        self.assertEqual((user["name"], user["role"][0]["text"]), ("dr.house", "doctor"))
        self.assertEqual(user["purposeOfUse"][0]["coding"][0]["code"], "TREAT")
        self.assertEqual((read["outcome"], read["subtype"][0]["code"]), ("0", "read"))
        recorded = [event["recorded"] for event in self.events()]
        self.assertEqual(recorded, sorted(recorded, reverse=True), "newest first")
        self.assertTrue(any(event["subtype"][0]["code"] == "search-type" for event in self.events()))

    def test_G17_and_nothing_of_others_no_machine_no_word_of_a_search(self):
        text = json.dumps(self.events())
        for hidden in (self.other, self.findings[self.other], "canary-of-the-search", "127.0.0.1", "jti", "BALP"):
            self.assertNotIn(hidden, text)
        for event in self.events():
            self.assertTrue(self.read_of(event, "Patient/" + self.mine), event)
        self.assertEqual(self.ask("?patient=" + self.other).status, 403)
        self.assertEqual(self.ask("?patient=Patient/" + self.mine).status, 200)
        officer = self.auditor()
        others = self.events("?patient=" + self.other, officer)
        self.assertGreater(len(others), 0)
        for event in others:
            if not self.read_of(event, "Patient/" + self.mine):
                self.assertEqual(self.ask("/" + event["id"]).status, 404)
        self.assertEqual({self.ask(f"/{id_}").status for id_ in ("x", "99999999", "18446744073709551616")}, {404})
        own = self.events()[0]
        self.assertEqual(json_of(self.ask("/" + own["id"])), own)

    def auditor(self):
        if not hasattr(type(self), "officer"):
            type(self).officer = self.server.person("auditor", "auditor")
        return self.server.token_of(self.officer)

    def test_G17_roles_without_the_right_see_nothing_and_auditors_everything(self):
        for token in (self.dr, self.loader):
            self.assertEqual(self.ask(token=token).status, 403)
            self.assertEqual(self.ask("/1", token=token).status, 403)
        officer = self.auditor()
        found = self.events("?patient=" + self.mine + "&_count=1000", officer)
        self.assertIn("127.0.0.1", json.dumps(found))
        self.assertTrue(any("IHE.BasicAudit.PatientRead" in json.dumps(event.get("meta", {})) for event in found))
        entry = json_of(self.ask("/" + found[0]["id"], officer))
        self.assertEqual(entry["id"], found[0]["id"])

    def test_G17_who_acts_for_a_patient_reads_the_log_and_no_record_in_it_that_he_may_not_see(self):
        hidden = self.make({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                            "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}]},
                            "subject": {"reference": "Patient/" + self.mine}})
        self.assertEqual(self.server.request("GET", "/fhir/Observation/" + hidden, token=self.dr).status, 200)
        proxy = self.server.token_of(self.server.person("guardian", "proxy", "--patient", self.mine, "--until", "2100-01-01"))
        told = self.events("?_count=1000", proxy)
        text = json.dumps(told)
        self.assertIn("Observation/" + self.findings[self.mine], text)
        self.assertIn("dr.house", text)
        for never in (hidden, self.other, self.findings[self.other], "127.0.0.1"):
            self.assertNotIn(never, text)
        own = next(event for event in self.events() if self.read_of(event, "Observation/" + hidden))
        self.assertNotIn(hidden, self.ask("/" + own["id"], proxy).body.decode())
        self.assertEqual(self.ask("?patient=" + self.other, proxy).status, 403)

    def test_G17_a_patient_sees_who_tried_in_vain(self):
        stranger = self.server.token_of(self.server.person("dr.else", "doctor"))
        place = "Observation/" + self.findings[self.mine]
        self.assertEqual(self.server.request("GET", "/fhir/" + place, token=stranger).status, 404)
        tried = next(event for event in self.events() if self.read_of(event, place) and event["outcome"] == "4")
        self.assertEqual(next(agent for agent in tried["agent"] if agent["requestor"])["name"], "dr.else")
        self.assertNotIn("outcomeDesc", tried, "what denied it is for auditors")

    def test_G17_pages_lead_through_all_of_it_and_belong_to_who_asked(self):
        before = self.events("?_count=1")[0]["recorded"]
        until = "date=le" + before
        whole = self.events(f"?{until}&_count=1000")
        self.assertGreater(len(whole), 5)
        walked, query = [], f"?{until}&_count=2"
        while query:
            bundle = json_of(self.ask(query))
            walked += [entry["resource"] for entry in bundle["entry"]]
            following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
            query = following and "?" + following.split("?", 1)[1]
            if following:
                self.assertEqual(self.ask(query.replace("_count=2", "_count=3")).status, 400, "of another listing")
                last = query
        self.assertEqual(walked, whole)
        self.assertEqual(self.ask(last, self.auditor()).status, 400, "of another person")

    def test_G17_dates_narrow_it_and_what_is_unknown_is_refused(self):
        newest = self.events("?_count=1")[0]["recorded"]
        self.assertEqual(self.events("?date=lt2020"), [])
        self.assertEqual([e["recorded"] > newest for e in self.events("?date=gt" + newest.replace("+", "%2B"))].count(False), 0)
        self.assertGreater(len(self.events("?date=ge2020&date=lt2100")), 0)
        for query in ("?agent=x", "?date=ne2020", "?date=nonsense", "?_count=0", "?_count=x", "?patient=a&patient=b",
                      "?patient=a/b", "?_page=x"):
            self.assertEqual(self.ask(query).status, 400, query)

    def test_G17_its_reading_is_recorded_with_the_patient(self):
        mark = self.server.audit_size()
        self.events()
        entries = [e for e in self.server.audit() if e["sequence"] > mark and e.get("user") == "p1"]
        self.assertEqual([(e["event"], e["patients"]) for e in entries], [("audit-read", [self.mine])])

    def test_G17_it_comes_as_xml_and_is_in_the_statement(self):
        reply = self.ask(headers={"Accept": "application/fhir+xml"})
        self.assertTrue(reply.body.startswith(b"<"), reply.body[:100])
        self.assertIn(b"<AuditEvent", reply.body)
        statement = json_of(self.server.request("GET", "/fhir/metadata"))
        row = next(one for one in statement["rest"][0]["resource"] if one["type"] == "AuditEvent")
        self.assertEqual({one["code"] for one in row["interaction"]}, {"read", "search-type"})
        self.assertEqual({one["name"] for one in row["searchParam"]}, {"patient", "date"})

    def test_G17_other_ways_do_not_lead_to_it(self):
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [
            {"request": {"method": "GET", "url": "AuditEvent"}}, {"request": {"method": "GET", "url": "AuditEvent/1"}}]}
        for entry in json_of(self.server.request("POST", "/fhir", bundle, self.p1))["entry"]:
            self.assertIn(entry["response"]["status"][:3], ("400", "403", "404"))
        for path in (f"Patient/{self.mine}/AuditEvent", f"Patient?_id={self.mine}&_revinclude=AuditEvent:patient",
                     "AuditEvent/_search"):
            self.assertNotIn(b"dr.house", self.server.request("GET", "/fhir/" + path, token=self.p1).body, path)


if __name__ == "__main__":
    unittest.main()

"""What denied an access, as the log keeps it and `policy explain` says it; who asked learns nothing of it. REQUIREMENTS annex D step 9,
A-01, C-14 to C-16, S-01."""

import json
import unittest

import harness
from applications import App
from harness import json_of
from test_decisions import InHospital, consent, label, observation


class Explained(InHospital):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person("lab", "lab")

    def logged(self, who, path, method="GET", body=None, status=404, **more):
        mark = self.server.audit_size()
        reply = self.ask(who, path, method, body, **more)
        self.assertEqual(reply.status, status, reply)
        return reply, [e for e in self.server.audit_after(mark) if e.get("user") == who]

    def explain(self, who, resource, *more):
        self.server.admin()
        asked = ("policy", "explain", "--user", who, "--resource", resource, "--data", self.server.data, *more)
        text = self.server.cli(*asked, check=True).stdout
        said = json.loads(self.server.cli(*asked, "--json", check=True).stdout)
        self.assertIn("decided by " + said["decided_by"], text)
        for line in said["because"] + said["demands"]:
            self.assertIn(line, text)
        return said

    def agrees(self, who, resource, decided_by, *because):
        """The log and the explanation say the same, and the answer is that of a record that is not there."""
        absent = self.ask(who, resource.split("/")[0] + "/nobody")
        reply, entries = self.logged(who, resource)
        self.assertEqual(reply.body.replace(resource.encode(), b""), absent.body.replace(resource.encode(), b""))
        self.assertEqual([e["reason"].split(":")[0] for e in entries], ["denied by " + decided_by])
        said = self.explain(who, resource)
        self.assertEqual((said["permitted"], said["decided_by"]), (False, decided_by))
        for each in because:
            self.assertIn(each, said["because"])
        return entries[0]

    # --- the log ---

    def test_A01_a_refused_access_names_its_patients_and_what_denied_it(self):
        patient = self.treated("dr")
        finding = self.make(observation(patient))
        entry = self.agrees("dr2", "Observation/" + finding, "relation", f"relation to Patient/{patient}: none")
        self.assertEqual(entry["patients"], [patient])
        changed = {**observation(patient), "id": finding}
        for path, method, body, status in ((f"Observation/{finding}/_history/1", "GET", None, 404),
                                           (f"Observation/{finding}/_history", "GET", None, 404),
                                           ("Observation/" + finding, "PUT", changed, 403)):
            _, entries = self.logged("dr2", path, method, body, status)
            self.assertEqual([(e["patients"], e["reason"].split(":")[0]) for e in entries], [([patient], "denied by relation")], path)
        _, entries = self.logged("dr", "Observation/" + finding, "DELETE", status=403)
        self.assertEqual([(e["patients"], e["reason"].split(":")[0]) for e in entries], [([patient], "denied by role")])
        tried = [e for e in self.server.audit() if patient in e.get("patients", []) and e.get("user") == "dr2"]
        self.assertGreaterEqual(len(tried), 4)

    def test_A01_a_purpose_and_a_network_deny_by_name(self):
        patient = self.treated("dr")
        _, entries = self.logged("dr", "Patient/" + patient, status=403, headers={"X-Purpose-Of-Use": "HRESCH"})
        self.assertEqual((entries[0]["patients"], entries[0]["reason"].split(":")[0]), ([patient], "denied by purpose"))
        self.person("far", "privacy-officer")
        self.server.admin()
        self.server.cli("user", "networks", "far", "--allow", "10.0.0.0/8", "--data", self.server.data, check=True)
        _, entries = self.logged("far", "Patient/" + patient, status=403)
        self.assertEqual((entries[0]["patients"], entries[0]["reason"].split(":")[0]), ([patient], "denied by network"))
        said = self.explain("far", "Patient/" + patient, "--address", "127.0.0.1")
        self.assertEqual((said["permitted"], said["decided_by"]), (False, "network"))
        self.assertTrue(self.explain("far", "Patient/" + patient, "--address", "10.1.2.3")["permitted"])

    def denied(self, who, path, method="GET", body=None, status=403, **more):
        _, entries = self.logged(who, path, method, body, status, **more)
        return [(e["event"], e["reason"].split(":")[0]) for e in entries]

    def test_A09_what_is_refused_before_any_record_says_why(self):
        patient = self.treated("dr")
        for path, method, body, event in (("Observation?subject=x", "GET", None, "search"),
                                          ("Observation/_history", "GET", None, "history-type"),
                                          ("_history", "GET", None, "history-system"),
                                          ("Observation", "POST", observation(patient), "create"),
                                          ("Observation/" + self.make(observation(patient)), "GET", None, "read")):
            self.assertEqual(self.denied("clerk", path, method, body), [(event, "denied by role")], path)
        self.person("now", "clerk")
        asked = {"headers": {"Prefer": "respond-async"}}
        self.assertEqual(self.denied("now", "$export", **asked), [("export-started", "denied by role")])
        research = {"headers": {"X-Purpose-Of-Use": "HRESCH"}}
        self.assertEqual(self.denied("dr", "Observation?subject=x", **research), [("search", "denied by purpose")])
        for query in ("Patient?general-practitioner=x", "Patient?_sort=general-practitioner", "Patient?_include=*"):
            self.assertEqual(self.denied("clerk", query), [("search", "denied by view")], query)
        chosen = {**observation(patient), "id": "of-my-choice"}
        self.assertEqual(self.denied("dr", "Observation/of-my-choice", "PUT", chosen), [("update", "denied by record")])
        broken = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "x"}]}
        self.assertEqual(self.denied("now", f"Patient/{patient}/$break-glass", "POST", broken),
                         [("emergency-begun", "denied by role")])

    def test_A09_what_stands_before_every_request_says_why(self):
        self.person("away", "privacy-officer")
        self.server.admin()
        self.server.cli("user", "networks", "away", "--allow", "10.0.0.0/8", "--data", self.server.data, check=True)
        self.assertEqual(self.denied("away", "Patient?family=x"), [("address-refused", "denied by network")])
        self.server.change_policy("[roles.lab]\n", '[roles.lab]\nawareness = ["phishing"]\nawareness-grace-days = 0\n')
        self.addCleanup(self.server.change_policy,
                        '[roles.lab]\nawareness = ["phishing"]\nawareness-grace-days = 0\n', "[roles.lab]\n")
        self.assertEqual(self.denied("lab", "Patient?family=x"), [("search", "denied by awareness")])
        self.assertEqual(self.denied("lab", "", "POST", {"resourceType": "Bundle", "type": "batch"}),
                         [("transaction", "denied by awareness")])

    def test_A09_F06_scopes_that_do_not_reach_say_so(self):
        doctor = self.server.person("dr.app", "doctor")
        doctor.session = self.server.token_of(doctor)
        self.tokens["dr.app"] = App(self.server, "narrow", "user/Patient.rs").launch(
            doctor, scope="user/Patient.rs")["access_token"]
        self.assertEqual(self.denied("dr.app", "Observation?subject=x"), [("search", "denied by scope")])
        self.assertEqual(self.denied("dr.app", "Patient", "POST", {"resourceType": "Patient"}),
                         [("create", "denied by scope")])
        reply = self.server.request("GET", "/auth/sessions", token=self.tokens["dr.app"])
        self.assertEqual(reply.status, 403)
        self.assertEqual(self.server.audit_after(-1)[-1]["reason"],
                         "denied by scope: an application may not do this: sign in yourself")

    def test_A09_F06_the_explanation_knows_scopes(self):
        patient = self.treated("dr")
        where = "Observation/" + self.make(observation(patient))
        for scope, expected in (("user/Patient.rs", "scope"), ("user/Observation.s", "scope"), ("user/Observation.rs", "permitted"),
                                ("patient/*.r", "scope"), ("", "permitted")):
            self.assertEqual(self.explain("dr", where, "--scope", scope)["decided_by"], expected, scope)
        self.assertTrue(self.explain("dr", where, "--scope", "patient/*.r", "--patient", patient)["permitted"])
        self.assertEqual(self.explain("dr", where, "--scope", "patient/*.r", "--patient", "another")["decided_by"], "scope")

    def test_A09_A04_entries_without_a_record_say_why_as_well(self):
        patient = self.treated("dr")
        for kind, status in (("batch", 200), ("transaction", 403)):
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [
                {"resource": observation(patient), "request": {"method": "POST", "url": "Observation"}}]}
            self.assertIn(("create", "denied by role"), self.denied("clerk", "", "POST", bundle, status), kind)

    def test_A04_each_entry_of_a_bundle_that_is_refused_says_it(self):
        patient = self.treated("dr")
        finding = self.make(observation(patient))
        for kind, status in (("batch", 200), ("transaction", 404)):
            bundle = {"resourceType": "Bundle", "type": kind, "entry": [{"request": {"method": "GET", "url": "Observation/" + finding}}]}
            reply, entries = self.logged("dr2", "", "POST", bundle, status)
            self.assertNotIn(b"relation", reply.body)
            self.assertIn(([patient], "denied by relation"), [(e.get("patients"), e.get("reason", "").split(":")[0]) for e in entries])

    def test_A01_what_is_not_there_is_of_nobody(self):
        _, entries = self.logged("dr", "Observation/nobody")
        self.assertEqual([(e.get("patients", []), e["reason"]) for e in entries], [([], "there is no such resource")])

    # --- what decides ---

    def test_C01_the_consent_that_denies_is_named(self):
        patient = self.treated("dr")
        self.assertIn(f"relation to Patient/{patient}: encounter", self.explain("dr", "Patient/" + patient)["because"])
        id_ = self.make(consent(patient, "OPTOUT"))
        self.agrees("dr", "Patient/" + patient, "consent", "denied by Consent/" + id_)

    def test_S01_a_role_a_type_and_an_own_record(self):
        patient = self.treated("dr")
        self.assertEqual(self.explain("dr", "Observation")["permitted"], True)
        self.assertEqual(self.explain("dr", "Task")["decided_by"], "role")
        self.person("own", "patient", "--patient", patient)
        self.assertTrue(self.explain("own", "Patient/" + patient)["permitted"])
        self.agrees("own", "Patient/" + self.treated(), "own-record")

    def test_C15_labels_clearance_and_lists_decide(self):
        patient = self.treated("dr", "nurse")
        hiv, secret, restricted = (self.make(observation(patient, meta=label(code))) for code in ("HIV", "V", "R"))
        self.agrees("nurse", "Observation/" + hiv, "label", "its label is HIV")
        self.agrees("nurse", "Observation/" + restricted, "clearance", "its label is R")
        self.agrees("dr", "Observation/" + secret, "list", f"he is not on the list of Patient/{patient}")

    def test_C15_level_R_is_for_who_treats_unless_the_policy_says_otherwise(self):
        patient = self.treated()
        restricted = self.make(observation(patient, meta=label("R")))
        self.assertTrue(self.sees("lab", "Observation/" + restricted))
        said = "restricted-without-relation = true  # it measures for those who treat\n"
        self.server.admin()
        self.server.change_policy(said, "")
        self.addCleanup(self.server.change_policy, 'purposes = ["TREAT"]\nclearance = "R"\nsensitive = ["HIV", "STD", "SUD"]\n',
                        'purposes = ["TREAT"]\nclearance = "R"\n' + said + 'sensitive = ["HIV", "STD", "SUD"]\n')
        self.agrees("lab", "Observation/" + restricted, "relation")
        self.assertTrue(self.sees("officer", "Observation/" + restricted))

    def test_C16_who_passes_lists_is_said_in_the_policy(self):
        patient = self.treated()
        secret = self.make(observation(patient, meta=label("V")))
        self.assertTrue(self.sees("officer", "Observation/" + secret))
        said = "over-lists = true  # what is V or CEL, not on its list; each such access alerts\n"
        self.server.admin()
        self.server.change_policy(said, "")
        self.addCleanup(self.server.change_policy, "lowers-labels = true\n", "lowers-labels = true\n" + said)
        self.agrees("officer", "Observation/" + secret, "list")
        listing = ("--patient", patient, "--user", "officer", "--data", self.server.data)
        self.server.cli("access-list", "add", *listing, check=True)
        self.assertTrue(self.sees("officer", "Observation/" + secret))

    def break_glass(self, who, patient, **disclosure):
        """`disclosure`: what 42 CFR 2.51 wants written."""
        parameters = [{"name": "reason", "valueString": "unconscious"}]
        if disclosure:
            parts = [{"name": name, "valueString": text} for name, text in disclosure.items()]
            parameters.append({"name": "disclosure", "part": parts})
        return self.ask(who, f"Patient/{patient}/$break-glass", "POST",
                        {"resourceType": "Parameters", "parameter": parameters})

    def test_C14_part_2_records_open_with_the_record_of_the_disclosure_alone(self):
        patient, other = self.treated(), self.treated()
        substance, notes, elsewhere = (self.make(observation(whose, meta=label(code))) for whose, code in (
            (patient, "42CFRPart2"), (patient, "PSYTHPN"), (other, "42CFRPart2")))
        record = {"recipient": "Dr. Lee Wong", "affiliation": "St. Mary emergency department",
                  "discloser": "A. Nurse", "nature": "opioid overdose, unresponsive"}
        # A record with something missing, empty or twice opens nothing at all.
        for name in record:
            for broken in ({key: text for key, text in record.items() if key != name}, {**record, name: "  "}):
                self.assertEqual(self.break_glass("dr", patient, **broken).status, 422, broken)
        self.assertEqual(self.break_glass("dr", patient, **record, witness="B. Clerk").status, 400)
        self.assertFalse(self.sees("dr", "Observation/" + substance))
        self.server.admin()
        before = self.server.audit_size()
        begun = self.break_glass("dr", patient, **record)
        self.assertEqual(begun.status, 200, begun)
        self.assertTrue(self.sees("dr", "Observation/" + substance))
        found = json_of(self.ask("dr", f"Observation?subject=Patient/{patient}"))
        self.assertIn(substance, [each["resource"]["id"] for each in found["entry"]])
        self.assertFalse(self.sees("dr", "Observation/" + notes), "psychotherapy notes stay closed all the same")
        self.assertFalse(self.sees("dr", "Observation/" + elsewhere), "it is for one patient")
        changed = {**observation(patient, meta=label("42CFRPart2")), "id": substance}
        self.assertNotEqual(self.ask("dr", "Observation/" + substance, "PUT", changed).status, 200, "reading only")
        # All four elements, of the patient and by themselves, and in the log.
        listed = json.loads(self.server.cli("emergency", "list", "--patient", patient, "--json", "--data", self.server.data,
                                            check=True).stdout)["emergencies"]
        kept, = [each for each in listed if "disclosure" in each]
        self.assertEqual(kept["disclosure"], {**record, "time": kept["begun"]})
        shown = self.server.cli("emergency", "list", "--patient", patient, "--data", self.server.data, check=True).stdout
        for text in record.values():
            self.assertIn(text, shown)
        entry, = [e for e in self.server.audit_after(before) if e["event"] == "emergency-begun"]
        self.assertEqual(entry["patients"], [patient])
        for text in record.values():
            self.assertIn(text, entry["new_value"])
        reads = [e for e in self.server.audit_after(before) if e["event"] == "read" and e.get("id") == substance]
        self.assertEqual({e["purpose_of_use"] for e in reads if not e.get("reason")}, {"BTG"})

    def test_C14_no_emergency_without_it_opens_what_part_2_keeps_whatever_the_role_sees(self):
        patient = self.treated()
        substance, plain = self.make(observation(patient, meta=label("42CFRPart2"))), self.make(observation(patient))
        for who in ("dr", "nurse"):
            body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
            self.assertEqual(self.ask(who, f"Patient/{patient}/$break-glass", "POST", body).status, 200)
            self.assertTrue(self.sees(who, "Observation/" + plain))
            self.agrees(who, "Observation/" + substance, "emergency-limit", "the glass is broken")
        self.encounter(patient, "dr")
        self.assertTrue(self.sees("dr", "Observation/" + substance), "who treats needs no emergency")
        self.make(consent(patient, "OPTOUT"))
        self.assertFalse(self.sees("dr", "Observation/" + substance))
        self.assertTrue(self.sees("dr", "Observation/" + plain), "the emergency overrides what is denied in general")


if __name__ == "__main__":
    unittest.main()

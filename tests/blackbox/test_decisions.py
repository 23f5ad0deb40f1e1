"""Who may see what: treating relation, consent, labels, views and emergencies under the policy `hospital`, against the
real server. REQUIREMENTS 1i, P-01, G-01, G-05, S-12."""

import datetime
import hashlib
import json
import threading
import time
import unittest
import urllib.parse
import uuid

import harness
import test_export
from harness import json_of

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def consent(patient, rule=None, provision=None, **more):
    made = {"resourceType": "Consent", "status": "active",
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
                                  "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": "Patient/" + patient}, "dateTime": "2026-01-01T00:00:00Z"}
    if rule:
        made["policyRule"] = {"coding": [{"system": ACT_CODE, "code": rule}]}
    if provision:
        made["provision"] = provision
    return {**made, **more}


def observation(patient, text="a finding", **more):
    return {"resourceType": "Observation", "status": "final", "code": {"text": text},
            "subject": {"reference": "Patient/" + patient}, **more}


def label(*codes):
    return {"security": [{"system": LEVEL if code in "ULMNRV" else ACT_CODE, "code": code} for code in codes]}


class InHospital(harness.TestCase):
    policy = "hospital"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.let_the_administrator_read("review-access")
        cls.loader = server.service("loader", "loader")
        cls.people, cls.tokens, cls.practitioners = {}, {}, {}
        for name, role in (("dr", "doctor"), ("dr2", "doctor"), ("nurse", "nurse")):
            cls.practitioners[name] = cls.make({"resourceType": "Practitioner", "active": True})
            cls.person(name, role)
            server.cli("user", "practitioner", name, "--id", cls.practitioners[name], "--data", server.data, check=True)
        cls.person("clerk", "clerk")
        cls.person("officer", "privacy-officer")
        cls.person("scholar", "researcher")

    @classmethod
    def person(cls, name, role, *more):
        cls.people[name] = cls.server.person(name, role, *more)
        cls.tokens[name] = cls.server.token_of(cls.people[name])

    @classmethod
    def make(cls, resource):
        return cls.server.create(resource, cls.loader)

    def ask(self, who, path, method="GET", body=None, headers=None):
        return self.server.request(method, "/fhir/" + path, body, self.tokens[who], headers)

    def treated(self, *names):
        """A patient who has an encounter with each of them now."""
        patient = self.make({"resourceType": "Patient", "name": [{"family": "F" + uuid.uuid4().hex}],
                             "birthDate": "1970-01-01"})
        for name in names:
            self.encounter(patient, name)
        return patient

    def encounter(self, patient, name, status="in-progress", **more):
        return self.make({"resourceType": "Encounter", "status": status, "class": {"code": "IMP"},
                          "subject": {"reference": "Patient/" + patient},
                          "participant": [{"individual": {"reference": "Practitioner/" + self.practitioners[name]}}],
                          **more})

    def sees(self, who, path, **more):
        status = self.ask(who, path, **more).status
        self.assertIn(status, (200, 404), path)
        return status == 200

    def found(self, who, query, headers=None):
        reply = self.ask(who, query, headers=headers)
        self.assertEqual(reply.status, 200, reply)
        return sorted(each["resource"]["id"] for each in json_of(reply).get("entry", []))


class Hospital(InHospital):
    # --- treating relation ---

    def test_C20_who_treats_sees_and_who_does_not_finds_nothing(self):
        patient = self.treated("dr")
        finding = self.make(observation(patient))
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        self.assertTrue(self.sees("dr", "Observation/" + finding))
        self.assertFalse(self.sees("dr2", "Patient/" + patient))
        self.assertFalse(self.sees("dr2", f"Observation/{finding}/_history/1"))
        self.assertEqual(self.found("dr", "Observation?subject=Patient/" + patient), [finding])
        self.assertEqual(self.found("dr2", "Observation?subject=Patient/" + patient), [])
        count = json_of(self.ask("dr2", f"Observation?subject=Patient/{patient}&_summary=count"))
        self.assertEqual(count["total"], 0)

    def test_C20_an_encounter_that_ended_long_ago_explains_nothing(self):
        patient = self.treated()
        self.encounter(patient, "dr", "finished", period={"start": "2019-01-01", "end": "2019-01-02"})
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        self.encounter(patient, "dr")
        self.assertTrue(self.sees("dr", "Patient/" + patient), "a new encounter opens at once")

    def test_C20_an_appointment_opens_a_patient_unless_it_was_given_up(self):
        day = datetime.timedelta(days=1)
        now = datetime.datetime.now(datetime.timezone.utc)

        def seen(days, status="booked", part="accepted"):
            """By whom it is with, of a patient whose only record of care it is."""
            patient = self.treated()
            self.make({"resourceType": "Appointment", "status": status, "start": (now + days * day).isoformat(),
                       "end": (now + days * day).isoformat(), "participant": [
                           {"actor": {"reference": "Patient/" + patient}, "status": "accepted"},
                           {"actor": {"reference": "Practitioner/" + self.practitioners["dr"]}, "status": part}]})
            self.assertFalse(self.sees("dr2", "Patient/" + patient))
            expected = self.sees("dr", "Patient/" + patient)
            self.assertEqual(self.found("dr", "Patient?_id=" + patient), [patient] if expected else [])
            return expected

        self.assertEqual([seen(days) for days in (-8, -6, 0, 13, 15)], [False, True, True, True, False])
        self.assertEqual([seen(1, status) for status in ("arrived", "fulfilled", "cancelled", "noshow", "entered-in-error")],
                         [True, True, False, False, False])
        self.assertFalse(seen(1, part="declined"))

    def test_C20_care_of_a_patient_whom_no_record_stands_for_is_not_shown_to_everybody(self):
        unknown = {"subject": {"identifier": {"system": "urn:oid:1.2.3", "value": "elsewhere"}, "display": "Somebody"}}
        marker = uuid.uuid4().hex
        finding = self.make(observation("none", identifier=[{"value": marker}], **unknown))
        self.assertFalse(self.sees("dr", "Observation/" + finding))
        self.assertEqual(self.found("dr", "Observation?identifier=" + marker), [])

    def test_what_explains_an_access_is_in_the_log(self):
        patient = self.treated("dr")
        before = self.server.audit_size()
        self.ask("dr", "Patient/" + patient)
        event = [e for e in self.server.audit_after(before) if e["event"] == "read"][0]
        self.assertEqual(event["explained_by"], "encounter")
        self.assertEqual(event["purpose_of_use"], "TREAT")

    def test_who_acts_for_a_patient_is_not_taken_for_him_in_the_log(self):
        patient = self.treated()
        for role, word in (("patient", "self"), ("proxy", "proxy")):
            name = role + "-" + patient.lower()[:8]
            until = ("--until", "2100-01-01") if role == "proxy" else ()
            self.person(name, role, "--patient", patient, *until)
            before = self.server.audit_size()
            self.assertTrue(self.sees(name, "Patient/" + patient))
            event = [e for e in self.server.audit_after(before) if e["event"] == "read"][0]
            self.assertEqual(event["explained_by"], word)

    # --- consent ---

    def test_C01_the_five_patterns(self):
        exception = {"type": "permit", "actor": [{"role": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}, "reference": {
            "reference": "Practitioner/" + self.practitioners["dr"]}}]}
        restriction = {**exception, "type": "deny"}
        cases = [(None, None, True, True),
                 ("OPTOUT", None, False, False),
                 ("OPTOUT", {"provision": [exception]}, True, False),
                 ("OPTIN", None, True, True),
                 ("OPTIN", {"provision": [restriction]}, False, True)]
        for rule, provision, dr, dr2 in cases:
            with self.subTest(rule=rule, provision=bool(provision)):
                patient = self.treated("dr", "dr2")
                finding = self.make(observation(patient))
                if rule:
                    self.make(consent(patient, rule, provision))
                for who, expected in (("dr", dr), ("dr2", dr2)):
                    self.assertEqual(self.sees(who, "Observation/" + finding), expected, who)
                    self.assertEqual(self.found(who, "Observation?subject=Patient/" + patient),
                                     [finding] if expected else [], who)

    def test_C03_purpose_is_what_the_role_may_ask_for(self):
        patient = self.treated("dr")
        path = "Patient/" + patient
        self.assertEqual(self.ask("dr", path, headers={"X-Purpose-Of-Use": "HRESCH"}).status, 403)
        self.assertEqual(self.ask("dr", path, headers={"X-Purpose-Of-Use": "BTG"}).status, 403)
        self.assertEqual(self.ask("dr", path, headers={"X-Purpose-Of-Use": "ETREAT"}).status, 200)
        self.assertFalse(self.sees("scholar", path), "research needs a consent")
        self.make(consent(patient, "OPTIN", {"purpose": [{"system": ACT, "code": "HRESCH"}]}))
        self.assertTrue(self.sees("scholar", path))

    def test_G05_withdrawal_holds_for_the_next_request(self):
        patient = self.treated("dr")
        path = "Patient/" + patient
        officer = {"resourceType": "Consent"}
        self.assertTrue(self.sees("dr", path))
        given = self.make(consent(patient, "OPTIN", {"purpose": [{"system": ACT, "code": "HRESCH"}]}))
        self.assertTrue(self.sees("scholar", path))
        self.assertEqual(self.ask("officer", "Consent/" + given, "DELETE").status, 204, officer)
        self.assertFalse(self.sees("scholar", path))
        self.assertEqual(self.found("scholar", "Patient?_id=" + patient), [])

    def test_G05_C09_a_batch_that_reads_while_a_consent_is_withdrawn(self):
        patient = self.treated("dr")
        finding = self.make(observation(patient))
        entries = [{"request": {"method": "GET", "url": url}} for url in
                   ("Observation/" + finding, "Observation?_id=" + finding) for _ in range(150)]
        batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        for part in (0.0, 0.3, 0.6, 0.9):
            given = self.make(consent(patient, "OPTIN", {"purpose": [{"system": ACT, "code": "HRESCH"}]}))
            began = time.monotonic()
            self.assertIn(b"a finding", self.ask("scholar", "", "POST", batch).body)
            takes = time.monotonic() - began
            before = self.server.audit_size()
            replies = []
            reading = threading.Thread(target=lambda: replies.append(self.ask("scholar", "", "POST", batch)))
            reading.start()
            time.sleep(part * takes)
            self.assertEqual(self.ask("officer", "Consent/" + given, "DELETE").status, 204)
            reading.join()
            self.assertEqual(replies[0].status, 200)
            events = self.server.audit_after(before)
            withdrawn = [e["sequence"] for e in events if e["event"] == "delete"][0]
            late = [e for e in events if e["sequence"] > withdrawn and e["outcome"] == 0
                    and e["event"] in ("read", "search") and patient in e.get("patients", [])]
            self.assertEqual(late, [], "what is recorded behind the withdrawal was told against it")
            early = [e for e in events if e["sequence"] < withdrawn and e["event"] in ("read", "search")]
            self.assertEqual(b"a finding" in replies[0].body, bool(early), "what is told is what is recorded")

    def test_G05_C09_single_reads_while_a_consent_is_withdrawn(self):
        patient = self.treated("dr")
        path = "/fhir/Observation/" + self.make(observation(patient))
        for _ in range(5):
            given = self.make(consent(patient, "OPTIN", {"purpose": [{"system": ACT, "code": "HRESCH"}]}))
            before, statuses, done = self.server.audit_size(), [], threading.Event()

            def read():
                with self.server.connect() as connection:
                    while not done.is_set():
                        statuses.append(connection.request("GET", path, token=self.tokens["scholar"]).status)

            readers = [threading.Thread(target=read) for _ in range(8)]
            for reader in readers:
                reader.start()
            while len(statuses) < 50:
                time.sleep(0.01)
            self.assertEqual(self.ask("officer", "Consent/" + given, "DELETE").status, 204)
            seen = len(statuses)
            while len(statuses) < seen + 20:
                time.sleep(0.01)
            done.set()
            for reader in readers:
                reader.join()
            events = self.server.audit_after(before)
            withdrawn = [e["sequence"] for e in events if e["event"] == "delete"][0]
            told = [e["sequence"] for e in events if e["event"] == "read" and e["outcome"] == 0]
            self.assertEqual([each for each in told if each > withdrawn], [], "told against the withdrawal")
            self.assertEqual(set(statuses), {200, 404})
            self.assertEqual(statuses.count(200), len(told), "what is told is what is recorded")

    def test_G05_patients_keep_their_consents_and_clinicians_do_not(self):
        patient, other = self.treated("dr"), self.treated("dr")
        name = "p" + uuid.uuid4().hex[:8]
        self.person(name, "patient", "--patient", patient)
        denial = consent(patient, "OPTOUT")
        self.assertEqual(self.ask("dr", "Consent", "POST", denial).status, 403)
        self.assertEqual(self.ask(name, "Consent", "POST", consent(other, "OPTOUT")).status, 403)
        made = self.ask(name, "Consent", "POST", denial)
        self.assertEqual(made.status, 201, made)
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        given = json_of(made)
        withdrawn = {**given, "status": "inactive"}
        self.assertEqual(self.ask("dr", "Consent/" + given["id"], "PUT", withdrawn).status, 403)
        self.assertEqual(self.ask("dr2", "Consent/" + given["id"], "DELETE").status, 403)
        self.assertEqual(self.ask(name, "Consent/" + given["id"], "PUT", withdrawn).status, 200)
        self.assertTrue(self.sees("dr", "Patient/" + patient))
        moved = {**withdrawn, "patient": {"reference": "Patient/" + other}}
        self.assertIn(self.ask(name, "Consent/" + given["id"], "PUT", moved).status, (403, 404))
        self.assertTrue(self.sees("dr", "Patient/" + other))

    def test_C06_a_denied_label_is_absent_everywhere_and_counts_adjust(self):
        patient = self.treated("dr")
        open_one = self.make(observation(patient, "open"))
        hidden = self.make(observation(patient, "hidden", meta=label("HIV")))
        everything = f"Observation?subject=Patient/{patient}&_total=accurate"
        self.assertEqual(json_of(self.ask("dr", everything))["total"], 2)
        self.make(consent(patient, "OPTIN", {"provision": [
            {"type": "deny", "securityLabel": [{"system": ACT_CODE, "code": "HIV"}]}]}))
        self.assertTrue(self.sees("dr", "Observation/" + open_one))
        for path in ("", "/_history", "/_history/1"):
            self.assertEqual(self.ask("dr", f"Observation/{hidden}{path}").status, 404, path)
        bundle = json_of(self.ask("dr", everything))
        self.assertEqual((bundle["total"], [e["resource"]["id"] for e in bundle["entry"]]), (1, [open_one]))
        included = json_of(self.ask("dr", f"Patient?_id={patient}&_revinclude=Observation:subject"))
        ids = {each["resource"]["id"] for each in included["entry"]}
        self.assertIn(open_one, ids)
        self.assertNotIn(hidden, ids)
        has = self.found("dr", f"Patient?_id={patient}&_has:Observation:patient:_id={hidden}")
        self.assertEqual(has, [])
        record = json_of(self.ask("dr", f"Patient/{patient}/$everything"))
        self.assertNotIn(hidden, {each["resource"]["id"] for each in record["entry"]})

    def test_C10_hidden_and_absent_look_alike(self):
        patient = self.treated("dr")
        hidden = self.make(observation(patient, "hidden"))
        self.make(consent(patient, "OPTOUT"))
        there = self.ask("dr", "Observation/" + hidden)
        absent = self.ask("dr", "Observation/" + str(uuid.uuid4()))
        self.assertEqual((there.status, there.body), (absent.status, absent.body))
        put = {**observation(patient), "id": hidden}
        there = self.ask("dr", "Observation/" + hidden, "PUT", put)
        other = str(uuid.uuid4())
        absent = self.ask("dr", "Observation/" + other, "PUT", {**put, "id": other})
        self.assertEqual((there.status, there.body), (absent.status, absent.body))
        self.assertEqual(there.status, 403)

    def test_C10_deleting_opens_nothing_that_was_hidden_and_takes_no_label_off(self):
        patient = self.treated("dr", "nurse")
        id_ = self.make(observation(patient, meta=label("R")))
        path = "Observation/" + id_
        self.assertEqual(self.ask("officer", path, "DELETE").status, 204)
        self.assertEqual(self.ask("dr", path).status, 410)
        for what in ("", "/_history", "/_history/1", "/_history/2"):
            self.assertEqual(self.ask("nurse", path + what).status, 404, what)
        again = json_of(self.ask("dr", path, "PUT", {**observation(patient), "id": id_}))
        self.assertEqual([each["code"] for each in again["meta"]["security"]], ["R"])
        self.assertFalse(self.sees("nurse", path))

    def test_who_is_nobody_in_particular_may_be_the_one_who_is_denied(self):
        patient = self.treated("dr")
        self.person("locum", "pharmacist")
        self.assertTrue(self.sees("locum", "Patient/" + patient))
        self.make(consent(patient, "OPTIN", {"provision": [{"type": "deny", "actor": [{"role": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}, "reference": {
                "reference": "Practitioner/" + self.practitioners["dr2"]}}]}]}))
        self.assertFalse(self.sees("locum", "Patient/" + patient))
        self.assertTrue(self.sees("dr", "Patient/" + patient))

    # --- labels ---

    def test_C15_clearance_of_roles(self):
        patient = self.treated("dr", "nurse")
        for level, dr, nurse in (("N", True, True), ("R", True, False), ("V", False, False)):
            id_ = self.make(observation(patient, meta=label(level)))
            self.assertEqual(self.sees("dr", "Observation/" + id_), dr, level)
            self.assertEqual(self.sees("nurse", "Observation/" + id_), nurse, level)
            self.assertTrue(self.sees("officer", "Observation/" + id_), level)

    def test_C15_a_bundle_is_as_secret_as_the_most_secret_record_in_it(self):
        patient = self.treated("dr", "nurse")
        plain = self.make(observation(patient))
        secret = self.make(observation(patient, meta=label("R")))
        listings = (f"Observation?subject=Patient/{patient}", f"Patient/{patient}/$everything",
                    f"Observation/{secret}/_history", f"Observation?subject=Patient/{patient}&_count=1&_sort=-_id")

        def level(name, path, batch=None):
            if batch is None:
                reply = self.ask(name, path)
            else:
                reply = self.server.request("POST", "/fhir", batch, self.tokens[name])
            self.assertEqual(reply.status, 200, path)
            shown = json_of(reply)
            held = [each["resource"] for each in shown["entry"] if "resource" in each]
            stated = any(one.get("meta", {}).get("security") for one in held)
            codes = [each["code"] for each in shown.get("meta", {}).get("security", ())]
            self.assertEqual(codes, ["R"] if stated else [], path)
            return codes

        for path in listings[:3]:
            self.assertEqual(level("dr", path), ["R"], path)
        level("dr", listings[3])
        self.assertEqual(level("nurse", listings[0]), [])  # what is hidden from her does not show in the mark either
        batch = {"resourceType": "Bundle", "type": "batch", "entry": [
            {"request": {"method": "GET", "url": "Observation/" + id_}} for id_ in (plain, secret)]}
        self.assertEqual(level("dr", "batch", batch), ["R"])

    def test_C16_a_very_restricted_record_is_for_those_on_its_list(self):
        patient = self.treated("dr", "dr2")
        id_ = self.make(observation(patient, meta=label("V")))
        self.assertFalse(self.sees("dr", "Observation/" + id_))
        listing = ("--patient", patient, "--user", "dr", "--data", self.server.data)
        self.server.cli("access-list", "add", *listing, check=True)
        self.assertTrue(self.sees("dr", "Observation/" + id_))
        self.assertFalse(self.sees("dr2", "Observation/" + id_))
        self.server.cli("access-list", "remove", *listing, check=True)
        self.assertFalse(self.sees("dr", "Observation/" + id_))

    def test_C17_C18_rules_label_and_clients_cannot_take_labels_off(self):
        patient = self.treated("dr")
        code = {"coding": [{"system": "http://loinc.org", "code": "75622-1"}]}
        made = self.ask("dr", "Observation", "POST", {**observation(patient), "code": code})
        self.assertEqual(made.status, 201, made)
        resource = json_of(made)
        codes = {each["code"] for each in resource["meta"]["security"]}
        self.assertEqual(codes, {"R", "HIV"})
        bare = {key: value for key, value in resource.items() if key != "meta"}
        bare["code"] = {"text": "nothing"}
        changed = json_of(self.ask("dr", "Observation/" + resource["id"], "PUT", bare))
        self.assertEqual({each["code"] for each in changed["meta"]["security"]}, {"R", "HIV"})

    def change_meta(self, who, place, operation, **meta):
        body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
        return self.ask(who, f"{place}/{operation}", "POST", body)

    def labels_of(self, who, place):
        return [each["code"] for each in json_of(self.ask(who, place))["meta"].get("security", [])]

    def test_C18_who_may_not_take_a_label_off_is_told_so_and_it_stays(self):
        patient = self.treated("dr", "nurse")
        tag = {"system": "http://example.org/tags", "code": "study-7"}
        for who, code in (("nurse", "NORDSCLCD"), ("dr", "R")):
            security = label(code)["security"]
            id_ = self.make(observation(patient, meta={"security": security, "tag": [tag]}))
            place = "Observation/" + id_
            mark = self.server.audit_size()
            refused = self.change_meta(who, place, "$meta-delete", security=security, tag=[tag])
            self.assertEqual(refused.status, 403, refused)
            tried, = (e for e in self.server.audit_after(mark) if e["event"] == "update")
            self.assertEqual((tried["reason"].split(":")[0], tried["patients"]), ("denied by label", [patient]))
            meta = json_of(self.ask(who, place))["meta"]
            self.assertEqual((meta["versionId"], meta["security"], meta["tag"]), ("1", security, [tag]))
            answer = json_of(self.change_meta(who, place, "$meta-delete", tag=[tag]))
            self.assertEqual(answer["parameter"], [{"name": "return", "valueMeta": {"security": security}}])
            self.assertEqual(self.ask(who, place, "PUT", {**observation(patient), "id": id_}).status, 200)
            self.assertEqual(self.labels_of(who, place), [code])

    def test_C18_what_is_answered_is_what_is_kept(self):
        code = {"coding": [{"system": "http://loinc.org", "code": "75622-1"}]}
        place = "Observation/" + self.make({**observation(self.treated("dr")), "code": code, "meta": label("NORDSCLCD")})
        # Who may take labels off takes this one, and not those that a rule puts back.
        answer = json_of(self.change_meta("officer", place, "$meta-delete", **label("NORDSCLCD", "HIV")))
        told = {each["code"] for each in answer["parameter"][0]["valueMeta"]["security"]}
        self.assertEqual(told, {"R", "HIV"})
        self.assertEqual(set(self.labels_of("officer", place)), told)

    def test_C17_new_rules_are_for_what_is_stored_too(self):
        patient = self.treated("dr")
        code = {"coding": [{"system": "http://loinc.org", "code": "99999-1"}]}
        ids = [self.make({**observation(patient, "x"), "code": code}) for _ in range(3)]
        other = self.make(observation(patient))
        path, data = self.server.root / "labels.toml", ("--data", self.server.data)
        shown = self.server.cli("policy", "show", *data, check=True).stdout
        rule = '[[labels.rules]]\nsystem = "http://loinc.org"\ncode = "99999-1"\nlabels = ["R", "PSYTHPN"]\n\n[[labels.rules]]'
        path.write_text(shown.replace("[[labels.rules]]", rule, 1))
        self.assertTrue(self.sees("dr", "Observation/" + ids[0]))
        self.server.cli("policy", "set", path, *data, check=True)
        mark = self.server.audit_size()
        done = json.loads(self.server.cli("policy", "relabel", "--json", *data, check=True).stdout)
        self.assertEqual((done["state"], done["failed"]), ("complete", 0))
        for id_ in ids:
            self.assertFalse(self.sees("dr", "Observation/" + id_))
        self.assertTrue(self.sees("dr", "Observation/" + other))
        again = json.loads(self.server.cli("policy", "relabel", "--json", *data, check=True).stdout)
        self.assertEqual(again["labelled"], 0, "what is labelled is left alone")
        self.assertGreaterEqual(again["looked_at"], 4)
        entries = self.server.audit()
        by_rule = [e for e in entries if e["event"] == "update" and e.get("user") == "system" and e.get("id") in ids]
        self.assertEqual({(e["version"], tuple(e["patients"])) for e in by_rule}, {(2, (patient,))})
        self.assertEqual(len(by_rule), 3)
        self.assertIn("relabel-started", [e["event"] for e in entries if e["sequence"] > mark])
        self.server.cli("policy", "set", self.server.root / "policy.toml", *data, check=True)
        verified = self.server.verify()
        self.assertEqual(verified.returncode, 0, verified.stderr)

    # --- views ---

    def test_P01_a_clerk_sees_demographics_and_nothing_else(self):
        patient = self.make({"resourceType": "Patient", "name": [{"family": "Kept"}], "birthDate": "1970-01-01",
                             "maritalStatus": {"text": "secret-marital"}, "generalPractitioner": [
                                 {"reference": "Practitioner/" + self.practitioners["dr"]}]})
        self.make(observation(patient, "secret-observation"))
        seen = self.ask("clerk", "Patient/" + patient)
        resource = json_of(seen)
        self.assertEqual(resource["name"], [{"family": "Kept"}])
        self.assertNotIn("maritalStatus", resource)
        self.assertNotIn("generalPractitioner", resource)
        self.assertIn("SUBSETTED", [each["code"] for each in resource["meta"]["tag"]])
        self.assertEqual(self.ask("clerk", "Observation?subject=Patient/" + patient).status, 403)
        for query in (f"Patient?_id={patient}&_revinclude=Observation:subject",
                      f"Patient/{patient}/_history", f"Patient?_id={patient}&_has:Observation:patient:code-value-string=x"):
            self.assertNotIn(b"secret", self.ask("clerk", query).body, query)
        for query in (f"Patient?general-practitioner=Practitioner/{self.practitioners['dr']}",
                      "Patient?_sort=general-practitioner", "Patient?_include=Patient:general-practitioner",
                      "Patient?_include=*", "Patient?general-practitioner.name=x", f"Patient/{patient}/$everything",
                      f"Practitioner/{self.practitioners['dr']}/Patient", "Appointment?_include:iterate=*",
                      "Encounter?part-of:below=x", "Appointment?supporting-info:above=Encounter/x"):
            self.assertEqual(self.ask("clerk", query).status, 403, query)
        for query in ("Patient?family=Kept", "Patient?organization:below=x", "Patient?_list=x"):
            self.assertEqual(self.ask("clerk", query).status, 200, query)

    def test_C19_what_was_seen_in_part_is_not_written_back(self):
        patient = self.treated("dr")
        partial = {**json_of(self.ask("dr", "Patient/" + patient)), "meta": {"tag": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}}
        self.assertEqual(self.ask("dr", "Patient/" + patient, "PUT", partial).status, 409)

    # --- emergencies ---

    def break_glass(self, who, patient, reason="unconscious, unknown medication"):
        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": reason}]}
        return self.ask(who, f"Patient/{patient}/$break-glass", "POST", body if reason is not None else None)

    def test_C12_C13_breaking_the_glass(self):
        patient = self.treated()
        finding = self.make(observation(patient, meta=label("R")))
        self.assertEqual(self.break_glass("clerk", patient).status, 403)
        self.assertEqual(self.break_glass("dr2", patient, " ").status, 422)
        self.assertFalse(self.sees("dr2", "Observation/" + finding))
        before = self.server.audit_size()
        granted = self.break_glass("dr2", patient)
        self.assertEqual(granted.status, 200, granted)
        self.assertTrue(self.sees("dr2", "Observation/" + finding))
        other = self.treated()
        self.assertFalse(self.sees("dr2", "Patient/" + other), "one patient only")
        events = self.server.audit_after(before)
        self.assertEqual([e["event"] for e in events][:2], ["emergency-begun", "read"])
        self.assertEqual({e["purpose_of_use"] for e in events[:2]}, {"BTG"})
        self.assertEqual(events[1]["explained_by"], "emergency")
        before = self.server.audit_size()
        self.assertEqual(self.ask("dr2", f"Observation/{finding}/_history").status, 200)
        looked_back = self.server.audit_after(before)[0]
        self.assertEqual((looked_back["event"], looked_back["purpose_of_use"], looked_back["explained_by"]),
                         ("history-instance", "BTG", "emergency"))

        id_ = json_of(granted)["parameter"][0]["valueId"]
        listed = json.loads(self.server.cli("emergency", "list", "--open", "--json", "--data", self.server.data).stdout)
        self.assertIn(id_, [each["id"] for each in listed["emergencies"]])
        review = ("emergency", "review", id_, "--finding", "unconscious, was right", "--data", self.server.data)
        self.server.cli(*review, check=True)
        self.assertNotEqual(self.server.cli(*review).returncode, 0, "once")
        listed = json.loads(self.server.cli("emergency", "list", "--open", "--json", "--data", self.server.data).stdout)
        self.assertNotIn(id_, [each["id"] for each in listed["emergencies"]])

    def test_C14_an_emergency_opens_nothing_that_is_denied_by_name_and_no_psychotherapy_notes(self):
        patient = self.treated()
        self.make(consent(patient, "OPTIN", {"provision": [
            {"type": "deny", "purpose": [{"system": ACT, "code": "ETREAT"}, {"system": ACT, "code": "TREAT"}]}]}))
        self.assertEqual(self.break_glass("dr", patient).status, 200)
        self.assertFalse(self.sees("dr", "Patient/" + patient))
        closed = self.treated()
        notes = self.make(observation(closed, meta=label("PSYTHPN")))
        self.assertEqual(self.break_glass("dr", closed).status, 200)
        self.assertTrue(self.sees("dr", "Patient/" + closed))
        self.assertFalse(self.sees("dr", "Observation/" + notes))


class EmergencyLimits(InHospital):
    """A role that may delete and export, of whom it treats: an emergency gives it neither."""

    start, kick_off = test_export.Exports.start, test_export.Exports.kick_off
    wait, lines = test_export.Exports.wait, test_export.Exports.lines

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rights = '["read", "vread", "history-instance", "search", "update", "delete", "export"]'
        cls.server.change_policy("[roles.nurse]\n", f"""[roles.registrar]
purposes = ["TREAT", "ETREAT"]
clearance = "R"
relation = "required"
break-glass = true
patient-records = {rights}
directory = {rights}

[roles.nurse]
""")
        cls.practitioners["registrar"] = cls.make({"resourceType": "Practitioner", "active": True})
        cls.person("registrar", "registrar")
        cls.exporter = cls.tokens["registrar"]
        cls.server.cli("user", "practitioner", "registrar", "--id", cls.practitioners["registrar"], "--data",
                       cls.server.data, check=True)

    def break_glass(self, patient):
        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        self.assertEqual(self.ask("registrar", f"Patient/{patient}/$break-glass", "POST", body).status, 200)

    def refused(self, path, method, body=None):
        """A write that an emergency does not give is answered as it is without one."""
        self.assertIn(self.ask("registrar", path, method, body).status, (403, 404), (method, path))

    def test_C14_an_emergency_gives_who_may_delete_and_change_neither(self):
        treated, opened = self.treated("registrar"), self.treated()
        removed, changed = self.make(observation(treated)), self.make(observation(treated))
        self.assertEqual(self.ask("registrar", "Observation/" + removed, "DELETE").status, 204, "the role may")
        body = {**observation(treated, "changed"), "id": changed}
        self.assertEqual(self.ask("registrar", "Observation/" + changed, "PUT", body).status, 200, "the role may")
        finding = self.make(observation(opened))
        self.break_glass(opened)
        self.assertTrue(self.sees("registrar", "Observation/" + finding))
        self.refused("Observation/" + finding, "DELETE")
        self.refused("Patient/" + opened, "DELETE")
        self.refused(f"Observation?_id={finding}", "DELETE")
        self.refused("Observation/" + finding, "PUT", {**observation(opened, "changed"), "id": finding})
        for kind in ("batch", "transaction"):
            entry = {"request": {"method": "DELETE", "url": "Observation/" + finding}}
            self.ask("registrar", "", "POST", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
        kept = json_of(self.server.request("GET", "/fhir/Observation/" + finding, token=self.tokens["officer"]))
        self.assertEqual((kept["meta"]["versionId"], kept["code"]["text"]), ("1", "a finding"))

    def test_C14_an_export_holds_nothing_that_an_emergency_alone_opened(self):
        treated, opened = self.treated("registrar"), self.treated()
        findings = {patient: self.make(observation(patient)) for patient in (treated, opened)}
        self.break_glass(opened)
        self.assertTrue(self.sees("registrar", "Observation/" + findings[opened]))
        group = self.make({"resourceType": "Group", "type": "person", "actual": True, "member": [
            {"entity": {"reference": "Patient/" + each}} for each in (treated, opened)]})
        for path in ("$export", "Patient/$export", f"Group/{group}/$export"):
            with self.subTest(path=path):
                reply = self.kick_off("/fhir/" + path)
                self.assertEqual(reply.status, 202, reply)
                manifest = self.wait(urllib.parse.urlparse(reply.headers["content-location"]).path)
                texts = [text for _, text in self.lines(manifest)]
                whole = "\n".join(texts + [text for _, text in self.lines(manifest, part="error")])
                self.assertIn(findings[treated], whole, "what he treats is in it")
                self.assertNotIn(opened, whole)
                self.assertNotIn(findings[opened], whole)


class OtherTypes(InHospital):
    """Records of types that no compartment lists are of the patients whom they name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.change_policy("[roles.doctor]\n",
                                 '[roles.doctor]\nother = ["read", "vread", "history-instance", "search"]\n')

    def records_of(self, patient):
        to_him = {"reference": "Patient/" + patient}
        inner = {"resource": {**observation(patient), "id": "of-him"}, "fullUrl": "urn:uuid:" + str(uuid.uuid4())}
        return [self.make_place({"resourceType": "Device", "patient": to_him}),
                self.make_place({"resourceType": "Task", "status": "requested", "intent": "order", "for": to_him}),
                self.make_place({"resourceType": "Task", "status": "requested", "intent": "order",
                                 "input": [{"type": {"text": "of"}, "valueReference": to_him}]}),
                self.make_place({"resourceType": "Bundle", "type": "collection", "entry": [inner]}),
                self.make_place({"resourceType": "Binary", "contentType": "text/plain", "data": "YQ==",
                                 "securityContext": to_him})]

    def make_place(self, resource):
        return resource["resourceType"], self.make(resource)

    def assert_seen(self, who, places, expected):
        for type_, id_ in places:
            for path in (f"{type_}/{id_}", f"{type_}/{id_}/_history/1"):
                self.assertEqual(self.ask(who, path).status, 200 if expected else 404, (who, path))
            if type_ != "Binary":
                self.assertEqual(self.found(who, f"{type_}?_id={id_}"), [id_] if expected else [], (who, type_))
                count = json_of(self.ask(who, f"{type_}?_id={id_}&_summary=count"))["total"]
                self.assertEqual(count, 1 if expected else 0, (who, type_))

    def test_C01_C11_C20_what_names_a_patient_is_for_who_treats_him_and_under_his_consents(self):
        patient = self.treated("dr")
        places = self.records_of(patient)
        self.assert_seen("dr", places, True)
        self.assert_seen("dr2", places, False)
        self.make(consent(patient, "OPTOUT"))
        self.assert_seen("dr", places, False)
        self.assertEqual(self.found("dr", f"Task?patient=Patient/{patient}"), [])
        self.assertEqual(self.found("dr", f"Device?patient=Patient/{patient}"), [])

    def test_C01_what_names_nobody_stays_for_everybody(self):
        place = self.make_place({"resourceType": "Device", "manufacturer": "M" + uuid.uuid4().hex})
        self.assert_seen("dr", [place], True)
        self.assert_seen("dr2", [place], True)

    def test_C01_what_is_of_two_patients_is_as_closed_as_the_more_closed(self):
        one, other = self.treated("dr", "dr2"), self.treated("dr")
        both = [self.make_place({"resourceType": "Bundle", "type": "collection", "entry": [
            {"resource": observation(one)}, {"resource": observation(other)}]})]
        self.assert_seen("dr", both, True)
        self.assert_seen("dr2", both, False)
        self.make(consent(other, "OPTOUT"))
        self.assert_seen("dr", both, False)

    def test_A04_the_access_is_in_the_log_of_the_patient(self):
        patient = self.treated("dr")
        (type_, id_), *_ = self.records_of(patient)
        before = self.server.audit_size()
        self.ask("dr", f"{type_}/{id_}")
        read, = (e for e in self.server.audit_after(before) if e["event"] == "read")
        self.assertEqual(read["patients"], [patient])

    def test_O01_a_pharmacist_reads_what_an_order_names(self):
        self.person("the.pharmacist", "pharmacist")
        drug = self.make({"resourceType": "Medication", "code": {"text": "x"}})
        patient = self.treated("dr")
        order = self.make({"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                           "subject": {"reference": "Patient/" + patient}, "medicationReference": {"reference": "Medication/" + drug}})
        included = json_of(self.ask("the.pharmacist", f"MedicationRequest?_id={order}&_include=MedicationRequest:medication"))
        self.assertEqual({e["resource"]["id"] for e in included["entry"]}, {order, drug})
        self.assertEqual(self.ask("the.pharmacist", "Medication/" + drug).status, 200)


class FirstOnes(harness.TestCase):
    """The first consent of a store, and the first label of a type, change how everything of it is decided."""
    policy = "classic"
    READERS = 12
    TYPES = ("Observation", "Condition", "Procedure", "Encounter", "DiagnosticReport", "MedicationRequest")

    def record(self, type_, patient, **more):
        needed = {"Observation": {"status": "final", "code": {"text": "x"}}, "Condition": {},
                  "Procedure": {"status": "completed"}, "Encounter": {"status": "finished", "class": {"code": "AMB"}},
                  "DiagnosticReport": {"status": "final", "code": {"text": "x"}},
                  "MedicationRequest": {"status": "active", "intent": "order",
                                        "medicationCodeableConcept": {"text": "x"}}}
        return {"resourceType": type_, "subject": {"reference": "Patient/" + patient}, **needed[type_], **more}

    def read_beside(self, path, token, write):
        """The statuses that readers get while `write` runs."""
        done, statuses = threading.Event(), set()

        def read():
            with self.server.connect() as connection:
                while not done.is_set():
                    statuses.add(connection.request("GET", path, token=token).status)

        readers = [threading.Thread(target=read) for _ in range(self.READERS)]
        for reader in readers:
            reader.start()
        write()
        done.set()
        for reader in readers:
            reader.join()
        return statuses

    def test_reads_are_answered_while_the_first_label_and_the_first_consent_come(self):
        token = self.server.token_of(self.server.person("dr", "doctor"))
        patient = self.server.create({"resourceType": "Patient"}, token)
        for type_ in self.TYPES:
            path = f"/fhir/{type_}/" + self.server.create(self.record(type_, patient), token)
            first = self.record(type_, patient, meta=label("R"))
            self.assertEqual(self.read_beside(path, token, lambda: self.server.create(first, token)), {200}, type_)
        path = "/fhir/Patient/" + patient
        first = consent(patient, "OPTIN")
        self.assertEqual(self.read_beside(path, token, lambda: self.server.create(first, token)), {200})


class PolicyChanges(harness.TestCase):
    policy = "classic"

    def test_S12_a_policy_holds_at_once_and_its_change_is_recorded_whole(self):
        server = self.server
        token = server.token_of(server.person("dr", "doctor"))
        patient = json_of(server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token))["id"]
        shown = server.cli("policy", "show", "--data", server.data, check=True).stdout
        changed = shown.replace("[roles.doctor]\n", "[roles.doctor]\ntypes = [\"Observation\"]\n")
        self.assertNotEqual(shown, changed)
        path = server.root / "policy.toml"
        path.write_text(changed)
        why = ("policy", "explain", "--user", "dr", "--resource", "Patient/" + patient, "--json", "--data", server.data)
        self.assertTrue(json.loads(server.cli(*why, check=True).stdout)["permitted"])
        server.cli("policy", "set", path, "--data", server.data, check=True)
        self.assertEqual(server.request("GET", "/fhir/Patient/" + patient, token=token).status, 403)
        explained = json.loads(server.cli(*why, check=True).stdout)
        self.assertEqual((explained["permitted"], explained["decided_by"]), (False, "role"))
        event = [e for e in server.audit() if e["event"] == "policy-changed"][-1]
        self.assertEqual((event["old_value"], event["new_value"]), (shown, changed))
        server.stop()
        server.start()
        self.assertEqual(server.request("GET", "/fhir/Patient/" + patient, token=token).status, 403)

    def test_S12_every_version_of_the_policy_is_kept_and_told(self):
        server = self.new_server("classic").start()
        server.admin()
        data = ("--data", server.data)

        def history():
            return json.loads(server.cli("policy", "history", "--json", *data, check=True).stdout)["versions"]

        first = server.cli("policy", "show", *data, check=True).stdout
        before = history()
        self.assertEqual([(each["by"], each["holds"]) for each in before], [("system", True)])
        server.change_policy("[roles.nurse]\n", "[roles.nurse]\ntypes = [\"Observation\"]\n")
        second = server.cli("policy", "show", *data, check=True).stdout
        after = history()
        self.assertEqual([(each["version"], each["by"], each["holds"]) for each in after],
                         [(before[0]["version"], "system", False), (before[0]["version"] + 1, "alice", True)])
        self.assertLessEqual(after[0]["time"], after[1]["time"])
        for each, text in zip(after, (first, second)):
            self.assertEqual(each["sha256"], hashlib.sha256(text.encode()).hexdigest())
            self.assertEqual(server.cli("policy", "show", "--version", each["version"], *data, check=True).stdout, text)
        lines = server.cli("policy", "history", *data, check=True).stdout.splitlines()
        self.assertEqual([("alice" in line, line.endswith("holds")) for line in lines], [(False, False), (True, True)])
        self.assertNotEqual(server.cli("policy", "show", "--version", 99, *data).returncode, 0)
        for query, status in (("version=99", 404), ("version=x", 400), ("version=-1", 400)):
            self.assertEqual(server.socket_request("GET", "/admin/policy?" + query, token=server.admin()).status, status)
        nurse = server.token_of(server.person("nn", "nurse"))
        self.assertEqual(server.socket_request("GET", "/admin/policy/history", token=nurse).status, 403)
        self.assertEqual([e["reason"] for e in server.audit() if e["event"] == "admin-denied"][-1],
                         "denied by role: this role has no right to this administrative act")
        server.stop()
        server.start()
        server.admin()
        self.assertEqual(history(), after)

    def test_S12_a_policy_that_cannot_be_read_or_never_be_changed_again_is_refused(self):
        server = self.server
        server.admin()
        for text in ("version = 1\n[roles.b]\nadmin = [\"manage-policy\", \"manage-users\"]\n",
                     "version = 1\n[roles.a]\nnonsense = 1\n", "version = 1\n[roles.a]\nother = [\"read\"]\n"):
            path = server.root / "bad.toml"
            path.write_text(text)
            self.assertNotEqual(server.cli("policy", "set", path, "--data", server.data).returncode, 0)


if __name__ == "__main__":
    unittest.main()

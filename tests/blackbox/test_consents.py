"""What a privacy Consent says, criterion by criterion and among several, over HTTP. REQUIREMENTS C-02, C-04, C-05, C-07, C-08 and
annex D; docs/access-rules.md says each choice."""

import json
import unittest

import test_export
from harness import json_of
from test_decisions import ACT, InHospital, consent, observation

PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
YEAR_2020 = {"start": "2020-01-01", "end": "2020-12-31"}


def actor(reference, role="IRCP"):
    return {"actor": [{"role": {"coding": [{"system": PARTICIPATION, "code": role}]},
                       "reference": {"reference": reference}}]}


def but_not(criteria):
    """An opt-in that denies what meets `criteria`."""
    return "OPTIN", {"provision": [{"type": "deny", **criteria}]}


class InHospitalWithConsents(InHospital):
    def assert_seen(self, who, patient, finding, expected):
        """A read, its version and history, a search, a count and the whole record agree."""
        place = "Observation/" + finding
        for path in (place, place + "/_history/1", place + "/_history"):
            self.assertEqual(self.ask(who, path).status, 200 if expected else 404, (who, path))
        query = f"Observation?subject=Patient/{patient}&_id={finding}"
        self.assertEqual(self.found(who, query), [finding] if expected else [], who)
        count = json_of(self.ask(who, query + "&_summary=count"))["total"]
        self.assertEqual(int(count), 1 if expected else 0, who)

    def under(self, rule, provision, *who):
        """A patient of theirs with a finding, seen by them until this consent came: (patient, finding, consent)."""
        patient = self.treated(*who)
        finding = self.make(observation(patient))
        for name in who:
            self.assert_seen(name, patient, finding, True)
        return patient, finding, self.make(consent(patient, rule, provision))


class Actors(InHospitalWithConsents):
    def test_C02_a_denied_practitioner_finds_nothing_and_another_does(self):
        patient, finding, _ = self.under(*but_not(actor("Practitioner/" + self.practitioners["dr"])), "dr", "dr2")
        self.assert_seen("dr", patient, finding, False)
        self.assert_seen("dr2", patient, finding, True)
        self.assertEqual(self.ask("dr", "Patient/" + patient).status, 404)
        self.assertEqual(self.found("dr", "Patient?_id=" + patient), [])
        self.assertEqual(self.found("dr", f"Patient/{patient}/$everything"), [])

    def test_C02_a_denied_organization_is_all_who_have_a_role_at_it(self):
        denied, other = (self.make({"resourceType": "Organization", "name": name}) for name in ("denied", "other"))

        def role(name, organization):
            return {"resourceType": "PractitionerRole", "active": True,
                    "practitioner": {"reference": "Practitioner/" + self.practitioners[name]},
                    "organization": {"reference": "Organization/" + organization}}

        there = self.make(role("dr", denied))
        self.make(role("dr2", other))
        patient, finding, _ = self.consented(denied)
        self.assert_seen("dr", patient, finding, False)
        self.assert_seen("dr2", patient, finding, True)
        self.assertEqual(self.ask("dr", "Patient/" + patient).status, 404)
        self.assertEqual(self.found("dr", "Patient?_id=" + patient), [])
        # Who comes to it later is denied, and who has left it is not.
        self.make(role("dr2", denied))
        self.assert_seen("dr2", patient, finding, False)
        left = {**role("dr", denied), "id": there, "active": False}
        self.assertEqual(self.ask("officer", "PractitionerRole/" + there, "PUT", left).status, 200)
        self.assert_seen("dr", patient, finding, True)

    def consented(self, organization):
        """As `under`, for who may have a role there already."""
        patient = self.treated("dr", "dr2")
        finding = self.make(observation(patient))
        return patient, finding, self.make(consent(patient, *but_not(actor("Organization/" + organization))))

    def test_C02_an_organization_that_alone_is_let_in_lets_in_its_people(self):
        house = self.make({"resourceType": "Organization", "name": "let in"})
        self.make({"resourceType": "PractitionerRole", "active": True,
                   "practitioner": {"reference": "Practitioner/" + self.practitioners["dr2"]},
                   "organization": {"reference": "Organization/" + house}})
        exception = {"provision": [{"type": "permit", **actor("Organization/" + house)}]}
        patient, finding, _ = self.under("OPTOUT", exception, "dr", "dr2")
        self.assert_seen("dr", patient, finding, False)
        self.assert_seen("dr2", patient, finding, True)


class Times(InHospitalWithConsents):
    def test_C04_a_consent_outside_its_period_says_nothing(self):
        for period, holds in ((YEAR_2020, False), ({"end": "2020"}, False), ({"start": "2100-01-01"}, False),
                              ({"start": "2020-01-01"}, True), ({"start": "2020", "end": "2100"}, True)):
            with self.subTest(period=period):
                patient, finding, _ = self.under("OPTOUT", {"period": period}, "dr")
                self.assert_seen("dr", patient, finding, not holds)

    def test_C04_a_provision_outside_its_period_is_not_met(self):
        for period, holds in ((YEAR_2020, False), ({"start": "2020-01-01"}, True)):
            with self.subTest(period=period):
                patient, finding, _ = self.under(*but_not({"period": period}), "dr")
                self.assert_seen("dr", patient, finding, not holds)

    def test_C04_data_of_a_period_is_hidden_by_its_own_time_and_not_by_when_it_was_written(self):
        patient = self.treated("dr")
        within, before, after = (self.make(observation(patient, effectiveDateTime=time))
                                 for time in ("2020-06-01", "2019-12-31", "2021-01-01T00:00:00Z"))
        partly = self.make(observation(patient, effectivePeriod={"start": "2020-12-01", "end": "2021-01-10"}))
        undated = self.make(observation(patient))
        self.make(consent(patient, *but_not({"dataPeriod": YEAR_2020})))
        for finding, expected in ((within, False), (before, True), (after, True), (partly, False), (undated, False)):
            self.assert_seen("dr", patient, finding, expected)
        self.assertEqual(self.found("dr", "Observation?subject=Patient/" + patient), sorted((before, after)))


class Data(InHospitalWithConsents):
    def data(self, meaning, reference):
        return {"data": [{"meaning": meaning, "reference": {"reference": reference}}]}

    def document(self, patient, **more):
        return self.make({"resourceType": "DocumentReference", "status": "current",
                          "subject": {"reference": "Patient/" + patient},
                          "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}], **more})

    def assert_documents(self, patient, seen, hidden):
        for ids, status in ((seen, 200), (hidden, 404)):
            for id_ in ids:
                self.assertEqual(self.ask("dr", "DocumentReference/" + id_).status, status)
        self.assertEqual(self.found("dr", "DocumentReference?subject=Patient/" + patient), sorted(seen))
        record = json_of(self.ask("dr", f"Patient/{patient}/$everything"))
        self.assertFalse({each["resource"]["id"] for each in record["entry"]} & set(hidden))

    def test_C05_a_single_document_is_hidden_and_its_like_is_not(self):
        patient = self.treated("dr")
        hidden, other = self.document(patient), self.document(patient)
        self.assert_documents(patient, [hidden, other], [])
        self.make(consent(patient, *but_not(self.data("instance", "DocumentReference/" + hidden))))
        self.assert_documents(patient, [other], [hidden])

    def test_C05_all_that_an_organization_wrote_is_hidden_whenever_it_came(self):
        patient = self.treated("dr")
        house, other = (self.make({"resourceType": "Organization", "name": name}) for name in ("house", "other"))
        by = lambda which: {"author": [{"reference": "Organization/" + which}]}  # noqa: E731
        old, kept = self.document(patient, **by(house)), self.document(patient, **by(other))
        self.make(consent(patient, *but_not(self.data("authoredby", "Organization/" + house))))
        later = self.document(patient, **by(house))
        self.assert_documents(patient, [kept], [old, later])

    def test_C05_what_refers_to_a_hidden_record_is_hidden_where_the_consent_says_so(self):
        patient = self.treated("dr")
        basis = self.make(observation(patient))
        derived = self.make(observation(patient, derivedFrom=[{"reference": "Observation/" + basis}]))
        apart = self.make(observation(patient))
        self.make(consent(patient, *but_not(self.data("related", "Observation/" + basis))))
        for finding, expected in ((basis, False), (derived, False), (apart, True)):
            self.assert_seen("dr", patient, finding, expected)


class Actions(InHospitalWithConsents):
    wait, lines = test_export.Exports.wait, test_export.Exports.lines
    kick_off, start = test_export.Exports.kick_off, test_export.Exports.start

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.exporter = cls.server.service("exporter", "exporter")

    def denied(self, action):
        coding = {"coding": [{"system": ACTION, "code": action}]}
        return self.under(*but_not({"action": [coding]}), "dr")

    def exported(self):
        """The ids of all Observations that an export gives now."""
        manifest = self.wait(self.start("/fhir/$export?_type=Observation"))
        return {json.loads(text)["id"] for _, text in self.lines(manifest)}

    def test_C07_a_denied_action_closes_what_it_names_and_nothing_else(self):
        # REQUIREMENTS C-07 speaks of a delivery; what leaves this server so far is an export. What may not be seen can be
        # neither changed nor taken out.
        kept = {}
        for action, reads, corrects, leaves in (("access", False, False, False), ("correct", True, False, True),
                                                ("disclose", True, True, False), ("collect", True, True, True)):
            with self.subTest(action=action):
                patient, finding, _ = self.denied(action)
                self.assert_seen("dr", patient, finding, reads)
                changed = {**observation(patient, "changed"), "id": finding}
                reply = self.ask("dr", "Observation/" + finding, "PUT", changed)
                self.assertEqual(reply.status, 200 if corrects else 403, reply)
                kept[finding] = leaves
                # To keep a record is a duty: what comes is taken.
                self.assertEqual(self.ask("dr", "Observation", "POST", observation(patient)).status, 201)
        found = self.exported()
        self.assertEqual({finding: finding in found for finding in kept}, kept)


class Several(InHospital):
    # Each as (dateTime, policyRule, root provision).
    IN = ("2020-01-01T00:00:00Z", "OPTIN", None)
    NEWER_IN = ("2025-01-01T00:00:00Z", "OPTIN", None)
    OUT = ("2022-03-04T00:00:00Z", "OPTOUT", None)
    PAST_IN = ("2020-01-01T00:00:00Z", "OPTIN", {"period": {"end": "2021"}})
    PAST_OUT = ("2020-01-01T00:00:00Z", "OPTOUT", {"period": {"end": "2021"}})
    RESEARCH = {"purpose": [{"system": ACT, "code": "HRESCH"}]}
    NOT_RESEARCH = ("2020-01-01T00:00:00Z", None, {"type": "deny", **RESEARCH})
    FOR_RESEARCH = ("2020-01-01T00:00:00Z", None, {"type": "permit", **RESEARCH})
    NOT_UNDERSTOOD = ("2020-01-01T00:00:00Z", "NOTHING-KNOWN", None)

    # The consents, what the doctor sees (treatment, without a consent permitted), what the scholar sees (research,
    # without a consent denied).
    CASES = (((), True, False),
             ((IN,), True, True),
             ((OUT,), False, False),
             ((IN, OUT), False, False),
             ((OUT, NEWER_IN), False, False),
             ((IN, PAST_OUT), True, True),
             ((PAST_IN, PAST_OUT), True, False),
             ((IN, NOT_RESEARCH), True, False),
             ((FOR_RESEARCH,), True, True),
             ((FOR_RESEARCH, NOT_RESEARCH), True, False),
             ((FOR_RESEARCH, PAST_OUT), True, True),
             ((IN, NEWER_IN, NOT_UNDERSTOOD), False, False))

    def assert_case(self, patient, finding, dr, scholar):
        for who, expected in (("dr", dr), ("scholar", scholar)):
            self.assertEqual(self.sees(who, "Observation/" + finding), expected, who)
            self.assertEqual(self.found(who, "Observation?subject=Patient/" + patient),
                             [finding] if expected else [], who)

    def test_C08_twelve_cases_in_either_order(self):
        self.assertEqual(len(self.CASES), 12)
        for number, (consents, dr, scholar) in enumerate(self.CASES, 1):
            for order in (consents, consents[::-1]) if len(consents) > 1 else (consents,):
                with self.subTest(case=number, order=[each[:2] for each in order]):
                    patient = self.treated("dr")
                    finding = self.make(observation(patient))
                    for time, rule, provision in order:
                        self.make(consent(patient, rule, provision, dateTime=time))
                    self.assert_case(patient, finding, dr, scholar)

    def test_C08_within_one_consent_the_most_specific_provision_decides(self):
        type_ = {"class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}
        exception = {"type": "permit", **actor("Practitioner/" + self.practitioners["dr"])}
        patient = self.treated("dr", "dr2")
        finding = self.make(observation(patient))
        self.make(consent(patient, "OPTIN", {"provision": [{"type": "deny", **type_, "provision": [exception]}]}))
        for who, expected in (("dr", True), ("dr2", False), ("scholar", False)):
            self.assertEqual(self.sees(who, "Observation/" + finding), expected, who)
            self.assertTrue(self.sees(who, "Patient/" + patient), who)
        self.make(consent(patient, "OPTIN"))
        self.assertFalse(self.sees("dr2", "Observation/" + finding), "another that permits opens nothing that one denies")

    def test_C08_a_consent_that_ends_leaves_the_others_to_speak(self):
        patient = self.treated("dr")
        finding = self.make(observation(patient))
        opted_in = self.make(consent(patient, "OPTIN"))
        opted_out = self.make(consent(patient, "OPTOUT"))
        self.assert_case(patient, finding, False, False)
        self.assertEqual(self.ask("officer", "Consent/" + opted_out, "DELETE").status, 204)
        self.assert_case(patient, finding, True, True)
        self.assertEqual(self.ask("officer", "Consent/" + opted_in, "DELETE").status, 204)
        self.assert_case(patient, finding, True, False)


if __name__ == "__main__":
    unittest.main()

"""What a hostile caller tries at the door: to write past a patient's record, to learn without a right, to fill or
falsify the log."""

import concurrent.futures
import json
import unittest
import uuid

import harness
from harness import json_of


class Door(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.doctor = cls.server.token_of(cls.server.person("dr.door", "doctor"))

    def ask(self, method, path, body=None, token=None, expect=None, headers=None):
        reply = self.server.request(method, path, body, token or self.doctor, headers)
        if expect is not None:
            self.assertEqual(reply.status, expect, f"{method} {path}: {reply}")
        return reply

    def create(self, resource, **more):
        return json_of(self.ask("POST", "/fhir/" + resource["resourceType"], resource, expect=201, **more))

    def patient(self, **elements):
        return self.create({"resourceType": "Patient", **elements})["id"]

    @staticmethod
    def observation(reference, **elements):
        return {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                "subject": {"reference": reference}, **elements}

    def entries_of(self, act):
        mark = self.server.audit_size()
        act()
        # What counts a flood of another test comes a second later.
        return [e for e in self.server.audit_after(mark) if not e.get("network", "").startswith("127.0.7.")]

    # --- whose record it is ---

    def test_an_absolute_reference_to_this_server_puts_the_record_into_the_patients_compartment(self):
        id_ = self.patient()
        url = f"https://{self.server.host}:{self.server.port}/fhir/Patient/{id_}"
        made = []

        def bundle(kind, entry):
            sent = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
            answer = json_of(self.ask("POST", "/fhir", sent, expect=200))["entry"][0]["response"]
            made.append(answer["location"].split("/")[1])

        other, third = (self.create({**self.observation("x"), "subject": {"display": "nobody yet"}})["id"] for _ in range(2))
        post = {"request": {"method": "POST", "url": "Observation"}, "resource": self.observation(url)}
        acts = (
            lambda: made.append(self.create(self.observation(url + "/_history/1"))["id"]),
            lambda: made.append(json_of(self.ask("PUT", f"/fhir/Observation/{other}",
                                                 self.observation(url, id=other), expect=200))["id"]),
            lambda: made.append(json_of(self.ask(
                "PATCH", f"/fhir/Observation/{third}",
                json.dumps([{"op": "add", "path": "/subject/reference", "value": url}]),
                headers={"Content-Type": "application/json-patch+json"}, expect=200))["id"]),
            lambda: bundle("batch", post),
            lambda: bundle("transaction", post),
        )
        for act in acts:
            entries = [e for e in self.entries_of(act) if e["event"] != "batch"]
            self.assertEqual(len(entries), 1, entries)
            entry, = entries
            self.assertIn(id_, entry.get("patients", []), entry)
        found = json_of(self.ask("GET", f"/fhir/Observation?patient={id_}", expect=200))
        self.assertEqual(sorted(e["resource"]["id"] for e in found["entry"]), sorted(made))
        for entry in found["entry"]:
            self.assertTrue(entry["resource"]["subject"]["reference"].startswith(f"Patient/{id_}"))

    def test_an_absolute_reference_to_another_server_stays_as_it_is(self):
        url = f"https://other.example/fhir/Patient/{self.patient()}"
        self.assertEqual(self.create(self.observation(url))["subject"]["reference"], url)

    def test_A04_a_record_that_is_moved_to_another_patient_is_recorded_with_both(self):
        self.server.change_policy("[roles.doctor]\n", "[roles.doctor]\nmoves-records = true\n")
        first, second = self.patient(), self.patient()
        id_ = self.create(self.observation(f"Patient/{first}"))["id"]
        moved = self.observation(f"Patient/{second}", id=id_)
        entry, = self.entries_of(lambda: self.ask("PUT", f"/fhir/Observation/{id_}", moved, expect=200))
        self.assertEqual(sorted(entry["patients"]), sorted([first, second]))

    def test_A03_a_count_is_recorded_with_the_patients_it_tells_about(self):
        mark = str(uuid.uuid4())
        id_ = self.patient(identifier=[{"system": "urn:mrn", "value": mark}])
        self.create(self.observation(f"Patient/{id_}"))
        for query in (f"patient.identifier=urn:mrn|{mark}&_summary=count", f"patient.identifier=urn:mrn|{mark}&_count=0",
                      f"patient.identifier=urn:mrn|{mark}&_count=0&_sort=-date&_include=Observation:patient"):
            answer = []
            entries = self.entries_of(lambda: answer.append(self.ask("GET", "/fhir/Observation?" + query, expect=200)))
            self.assertEqual((json_of(answer[0])["total"], json_of(answer[0]).get("entry")), (1, None))
            self.assertEqual([e.get("patients") for e in entries], [[id_]], query)

    def test_A03_a_patient_named_in_a_search_that_finds_nothing_is_recorded(self):
        id_ = self.patient()
        base = f"https://{self.server.host}:{self.server.port}/fhir"
        for query in (f"Encounter?subject={base}/Patient/{id_}", f"Encounter?subject:Patient._id={id_}",
                      f"Encounter?_has:Observation:encounter:patient={id_}"):
            entry, = self.entries_of(lambda: self.ask("GET", "/fhir/" + query, expect=200))
            self.assertEqual(entry.get("patients"), [id_], query)

    def test_everything_of_a_patient_holds_no_record_of_another(self):
        own, other = self.patient(), self.patient()
        foreign = self.create(self.observation(f"Patient/{other}"))["id"]
        record = self.create(self.observation(f"Patient/{own}", derivedFrom=[{"reference": f"Observation/{foreign}"}],
                                              focus=[{"reference": f"Patient/{other}"}]))["id"]
        entries = self.entries_of(lambda: self.assertEqual(
            sorted(e["resource"]["id"] for e in json_of(
                self.ask("GET", f"/fhir/Patient/{own}/$everything", expect=200))["entry"]), sorted([own, record])))
        self.assertEqual([e["patients"] for e in entries], [[own]])

    # --- to learn without a right ---

    def test_who_may_only_create_cannot_ask_for_more_than_what_he_names_exactly(self):
        mark = str(uuid.uuid4())
        known = self.patient(identifier=[{"system": "urn:mrn", "value": mark}], name=[{"family": mark}])
        self.create(self.observation(f"Patient/{known}"))
        loader = self.server.service("loader." + mark[:8], "loader")
        new = {"resourceType": "Patient", "name": [{"family": mark}]}
        for criteria in (f"family={mark}", f"identifier={mark}", f"identifier=urn:mrn|", f"identifier:text={mark}",
                         f"_has:Observation:patient:status=final", f"identifier=urn:mrn|{mark}&family={mark}"):
            reply = self.ask("POST", "/fhir/Patient", new, loader, headers={"If-None-Exist": criteria})
            self.assertEqual(reply.status, 403, criteria)
            for kind in ("batch", "transaction"):
                entry = {"request": {"method": "POST", "url": "Patient", "ifNoneExist": criteria}, "resource": new}
                reply = self.ask("POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": [entry]}, loader)
                self.assertTrue(reply.status == 403 or b'"403"' in reply.body, f"{kind} {criteria} {reply}")
            entry = {"request": {"method": "POST", "url": "Observation"},
                     "resource": self.observation("Patient?" + criteria)}
            self.ask("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, loader,
                     expect=403)
        self.ask("POST", "/fhir/Patient", new, loader, 200, {"If-None-Exist": f"identifier=urn:mrn|{mark}"})
        entry = {"request": {"method": "POST", "url": "Observation"},
                 "resource": self.observation(f"Patient?identifier=urn:mrn|{mark}")}
        self.ask("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, loader, 200)

    def test_C11_a_transaction_tells_a_hidden_record_from_a_missing_one_by_nothing(self):
        own, hidden = self.patient(), self.patient()
        record = self.create(self.observation(f"Patient/{hidden}"))["id"]
        token = self.server.token_of(self.server.person("pat.door", "patient", "--patient", own))

        def read(url):
            sent = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "GET", "url": url}}]}
            reply = self.ask("POST", "/fhir", sent, token)
            return reply.status, reply.body

        for form in ("{}", "{}/_history", "{}/_history/1"):
            self.assertEqual(read("Observation/" + form.format(record)), read("Observation/" + form.format(uuid.uuid4())))
        self.assertEqual(read(f"Patient/{own}")[0], 200)

    def test_S01_a_search_of_all_types_is_denied_to_who_may_search_none(self):
        token = self.server.token_of(self.server.person("idle.door", "auditor"))
        for path in ("/fhir?_type=Patient,Observation", "/fhir?_id=1"):
            entry, = self.entries_of(lambda: self.ask("GET", path, token=token, expect=403))
            self.assertEqual((entry["event"], entry["outcome"]), ("search", 4))

    def test_S11_a_batch_that_runs_ends_when_its_sender_is_disabled(self):
        token = self.server.token_of(self.server.person("leaver", "doctor"))
        mark, size = "m" + uuid.uuid4().hex, 5000
        entry = {"request": {"method": "POST", "url": "Patient"},
                 "resource": {"resourceType": "Patient", "name": [{"family": mark}]}}
        sent = {"resourceType": "Bundle", "type": "batch", "entry": [entry] * size}

        def count():
            return json_of(self.ask("GET", f"/fhir/Patient?family={mark}&_summary=count", expect=200))["total"]

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.ask, "POST", "/fhir", sent, token)
            while count() == 0:
                self.assertFalse(running.done(), "the batch ended before it began")
            self.server.cli("user", "disable", "leaver", "--data", self.server.data, check=True)
            after = count()
            self.assertEqual(running.result().status, 401)
        # One entry may have been on its way to the disk.
        self.assertLessEqual(count(), after + 1)
        self.assertLess(count(), size)

    # --- the log ---

    def test_W12_nothing_of_an_address_reaches_who_reads_the_log_but_ids(self):
        for token in (None, self.doctor):
            for junk in ("%1b%5b2J", "a%0ab", "%c2%9b", "x" * 65):
                def act():
                    self.server.request("GET", f"/fhir/Patient/{junk}", token=token)
                entry, = self.entries_of(act)
                self.assertNotIn("id", entry, junk)
        shown = self.server.cli("audit", "list", "--data", self.server.data, check=True).stdout
        self.assertFalse(set("\x1b\x9b") & set(shown))

    def test_who_tries_addresses_while_signed_in_is_named(self):
        for method, path in (("GET", "/fhir/Nonsense"), ("DELETE", "/fhir/metadata")):
            entry, = self.entries_of(lambda: self.ask(method, path))
            self.assertEqual((entry["event"], entry.get("user")), ("unknown-route", "dr.door"))

    def flood(self, source, count, method, path, body=None):
        """Sends the same request many times; gives its statuses and the number of entries it left."""
        mark = self.server.audit_size()
        with self.server.connect(source=source) as connection:
            statuses = [connection.request(method, path, body).status for _ in range(count)]
        return statuses, len([e for e in self.server.audit_after(mark) if e.get("network") == source])

    def test_a_flood_of_strangers_asking_for_the_capabilities_does_not_fill_the_log(self):
        statuses, entries = self.flood("127.0.7.1", 400, "GET", "/fhir/metadata")
        self.assertEqual(set(statuses), {200})
        self.assertLess(entries, 300)
        entry, = self.entries_of(lambda: self.ask("GET", "/fhir/metadata"))
        self.assertEqual(entry.get("user"), "dr.door")

    def test_a_flood_of_log_ins_from_a_blocked_address_does_not_fill_the_log(self):
        statuses, entries = self.flood("127.0.7.2", 600, "POST", "/auth/login",
                                       {"user": "nobody", "password": "x", "totp": "000000"})
        self.assertEqual((statuses[0], statuses[-1]), (401, 429))
        self.assertLess(entries, 400)


if __name__ == "__main__":
    unittest.main()

"""Searches over HTTP: forms, pages, totals, what is included, what is refused, and what the log says of it."""

import base64
import concurrent.futures
import json
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of


def query(**parameters):
    return urllib.parse.urlencode({name.replace("__", ":"): value for name, value in parameters.items()})


class Search(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(policy="classic")
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()
        cls.doctor = cls.server.token_of(cls.server.person("dr.search", "doctor"))
        cls.all_rights = cls.server.token_of(cls.server.person("root.search", "administrator"))

    def ask(self, method, path, body=None, headers=None, expect=200, token=None):
        reply = self.server.request(method, path, body, token=token or self.doctor, headers=headers)
        self.assertEqual(reply.status, expect, (method, path, reply.body[:500]))
        return reply

    def create(self, resource, token=None):
        return json_of(self.ask("POST", f"/fhir/{resource['resourceType']}", resource, expect=201, token=token))

    def patients(self, count):
        """Patients that share a mark, in the order of their creation."""
        mark = str(uuid.uuid4())
        made = [self.create({"resourceType": "Patient", "identifier": [{"system": "urn:mark", "value": mark}],
                             "name": [{"family": f"Name{number:03}"}], "birthDate": f"19{number % 100:02}-01-02"})
                for number in range(count)]
        return mark, [patient["id"] for patient in made]

    def pages(self, path, token=None):
        while path:
            bundle = json_of(self.ask("GET", path, token=token))
            self.assertEqual((bundle["resourceType"], bundle["type"]), ("Bundle", "searchset"))
            yield bundle
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            path = urllib.parse.urlparse(following[0])._replace(scheme="", netloc="").geturl() if following else None

    def ids(self, path, mode="match", token=None):
        return [entry["resource"]["id"] for bundle in self.pages(path, token) for entry in bundle.get("entry", [])
                if entry["search"]["mode"] == mode]

    # --- contained resources ---

    def test_a_chain_goes_through_contained_resources_and_on_from_them(self):
        mark, (patient, other) = self.patients(2)
        self.create({"resourceType": "Condition", "subject": {"reference": "Patient/" + other}})
        tag = {"tag": [{"system": "urn:mark", "code": mark}]}
        substances = [{"resourceType": "Substance", "id": f"s{number}", "code": {"text": "x"},
                       "category": [{"coding": [{"code": code}]}]} for number, code in enumerate(("drug", "food"))]

        def medication(*contained):
            return self.create({"resourceType": "Medication", "meta": tag, "contained": list(contained), "ingredient": [
                {"itemReference": {"reference": "#" + each["id"]}} for each in contained]}, self.all_rights)["id"]
        drug, both = medication(substances[0]), medication(*substances)
        bare = medication({key: value for key, value in substances[1].items() if key != "category"})
        plan = self.create({"resourceType": "CarePlan", "meta": tag, "status": "active", "intent": "plan",
                            "subject": {"reference": "Patient/" + patient}, "addresses": [{"reference": "#c"}],
                            "contained": [{"resourceType": "Condition", "id": "c",
                                           "subject": {"reference": "Patient/" + patient}}]})["id"]
        mine = "_tag=" + mark
        asked = f"/fhir/Medication?{mine}&ingredient:Substance."
        self.assertEqual(self.ids(asked + "category=drug", token=self.all_rights), [drug, both])
        self.assertEqual(self.ids(asked + "category:not=drug", token=self.all_rights), [both, bare])
        self.assertEqual(self.ids(asked + "category:missing=true", token=self.all_rights), [bare])
        self.assertEqual(self.ids(asked + "category:missing=false", token=self.all_rights), [drug, both])
        chain = f"/fhir/CarePlan?{mine}&condition:Condition.patient:Patient."
        self.assertEqual(self.ids(chain + "_id=" + patient, token=self.all_rights), [plan])
        self.assertEqual(self.ids(chain + "_id=" + other, token=self.all_rights), [])

    def test_quantities_of_a_unit_of_their_own_are_ordered_by_the_one_that_counts(self):
        patient = self.create({"resourceType": "Patient"})["id"]

        def observation(mark, *values):
            return self.create({"resourceType": "Observation", "status": "final", "code": {"text": mark},
                                "subject": {"reference": "Patient/" + patient},
                                "component": [{"code": {"text": "x"}, "valueQuantity": {"value": value, "unit": "strokes"}}
                                              for value in values]})["id"]
        mark = uuid.uuid4().hex
        wide, middle = observation(mark, 1, 90, 3), observation(mark, 50)
        asked = f"/fhir/Observation?code:text={mark}&_sort="
        self.assertEqual(self.ids(asked + "component-value-quantity"), [wide, middle])
        self.assertEqual(self.ids(asked + "-component-value-quantity"), [wide, middle])

    # --- forms of a request ---

    def test_a_form_finds_what_a_url_finds(self):
        mark, ids = self.patients(2)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        by_form = json_of(self.ask("POST", "/fhir/Patient/_search", query(identifier=mark), form))
        self.assertEqual([entry["resource"]["id"] for entry in by_form["entry"]], ids)
        both = json_of(self.ask("POST", f"/fhir/Patient/_search?identifier={mark}", "_sort=-birthdate", form))
        self.assertEqual([entry["resource"]["id"] for entry in both["entry"]], ids[::-1])
        self.ask("POST", "/fhir/Patient/_search", {"identifier": mark}, expect=415)

    def test_a_search_of_the_system_and_of_a_compartment(self):
        mark, (first, second) = self.patients(2)
        made = self.create({"resourceType": "Observation", "status": "final", "code": {"text": mark},
                            "subject": {"reference": f"Patient/{first}"}})
        self.assertEqual(self.ids(f"/fhir?_type=Patient,Observation&_id={first},{made['id']}"), [made["id"], first])
        self.assertEqual(self.ids(f"/fhir/Patient/{first}/Observation"), [made["id"]])
        self.assertEqual(self.ids(f"/fhir/Patient/{second}/Observation"), [])
        self.assertEqual(sorted(self.ids(f"/fhir/Patient/{first}/*")), sorted([first, made["id"]]))

    def test_what_cannot_be_read_is_refused_and_what_is_not_known_is_named(self):
        for path in ("Patient?birthdate=yesterday", "Observation?value-quantity=tall", "Patient?identifier=",
                     "Patient?_count=many", "Patient?gender:missing=perhaps", "Observation?code-value-quantity=1",
                     "Patient?name=a%5Cb", "Patient?_has:Observation=1", "Patient?_include=Nothing:subject"):
            self.ask("GET", f"/fhir/{path}", expect=400)
        answer = json_of(self.ask("GET", "/fhir/Patient?shoe-size=44&_count=1"))
        self.assertIn("outcome", [entry["search"]["mode"] for entry in answer["entry"]])
        self.ask("GET", "/fhir/Patient?shoe-size=44", headers={"Prefer": "handling=strict"}, expect=400)

    def test_the_self_link_has_what_was_used_and_the_warning_says_what_was_not(self):
        secret = "x" + uuid.uuid4().hex
        mark, (id_,) = self.patients(1)

        def answer(path, token=None, **options):
            bundle = json_of(self.ask(*(("POST", path, options["form"], {"Content-Type": "application/x-www-form-urlencoded"})
                                        if options else ("GET", path)), token=token))
            self_link, = [link["url"] for link in bundle["link"] if link["relation"] == "self"]
            remarks = [issue for entry in bundle.get("entry", []) if entry["search"]["mode"] == "outcome"
                       for issue in entry["resource"]["issue"]]
            self.assertNotIn(secret, json.dumps(bundle))
            return self_link.split("/fhir", 1)[1], [(issue.get("expression"), issue["diagnostics"]) for issue in remarks]

        used, remarks = answer(f"/fhir/Patient?&{secret}=1&identifier={mark}&_content=a%26b&_sort=birthdate&{secret}:exact=2")
        self.assertEqual(used, f"/Patient?identifier={mark}&_sort=birthdate")
        self.assertEqual([name for name, _ in remarks], [None, ["http._content"], None])
        for place, (_, text) in zip((1, 3, 5), remarks):
            self.assertIn(f"parameter {place} of the search", text)
        used, remarks = answer("/fhir/Location?near=1%7C2&_count=1&_include=Location:partof", self.all_rights)
        self.assertEqual((used, remarks[0][0]), ("/Location?_count=1&_include=Location:partof", ["http.near"]))
        used, remarks = answer(f"/fhir?_type=Patient,Observation&{secret}=1&_id={id_}&_sort=birthdate")
        self.assertEqual((used, [name for name, _ in remarks]), (f"?_type=Patient,Observation&_id={id_}", [None, ["http._sort"]]))
        used, remarks = answer(f"/fhir/Patient?_id={id_}&_type=Observation&explain=true")
        self.assertEqual((used, [name for name, _ in remarks]), (f"/Patient?_id={id_}", [["http._type"], ["http.explain"]]))
        used, _ = answer("/fhir/Patient/_search?shoe-size=44", form=f"_id={id_}&{secret}=3&_count=2")
        self.assertEqual(used, f"/Patient?_id={id_}&_count=2")
        used, remarks = answer(f"/fhir/Patient?{secret}=1")
        self.assertEqual((used, len(remarks)), ("/Patient", 1))
        used, remarks = answer(f"/fhir/Patient?_id={id_}")
        self.assertEqual((used, remarks), (f"/Patient?_id={id_}", []))

    def test_a_modifier_that_is_not_served_is_refused_and_never_left_out(self):
        for path in ("Patient?name:nonsense=x", "Patient?birthdate:exact=2000", "Patient?gender:contains=m",
                     "Observation?subject:Nothing=1"):
            self.ask("GET", f"/fhir/{path}", expect=400)
        for path in ("Patient?shoe-size:exact=44", "Patient?_include:nonsense=Patient:organization"):
            answer = json_of(self.ask("GET", f"/fhir/{path}&_count=1"))
            self.assertIn("outcome", [entry["search"]["mode"] for entry in answer["entry"]])

    def test_hostile_queries_end_in_an_error(self):
        chain = ".".join(["part-of"] * 50) + ".status"
        for path in (f"Encounter?{chain}=x", "Patient?" + "&".join(["_include=Patient:organization"] * 1000)[:7000],
                     "Patient?identifier=" + ",".join(["a"] * 3000), "Patient?name:contains=" + "a" * 100_000):
            reply = self.server.request("GET", f"/fhir/{path}", token=self.doctor)
            self.assertIn(reply.status, (400, 413, 414, 431), path[:80])
        self.assertLessEqual(len(json_of(self.ask("GET", "/fhir/Patient?_count=1000000000"))["entry"]), 1000)

    # --- pages ---

    def test_pages_neither_repeat_nor_drop_while_others_write(self):
        mark, ids = self.patients(30)
        for order, expected in (("", ids), ("&_sort=-birthdate", ids[::-1])):
            seen = []
            for bundle in self.pages(f"/fhir/Patient?identifier={mark}&_count=4{order}"):
                seen += [entry["resource"]["id"] for entry in bundle["entry"]]
                # What was shown and what was not are both written meanwhile.
                for changed in (seen[0], expected[-1]):
                    self.ask("PUT", f"/fhir/Patient/{changed}",
                             {"resourceType": "Patient", "id": changed, "birthDate": f"19{ids.index(changed):02}-01-02",
                              "identifier": [{"system": "urn:mark", "value": mark}]})
                self.create({"resourceType": "Patient", "birthDate": "2001-01-01"})
            self.assertEqual(seen, expected)

    def test_page_links_show_no_search_term_and_are_good_for_their_owner_only(self):
        mark, _ = self.patients(3)
        bundle = next(self.pages(f"/fhir/Patient?identifier={mark}&_count=1"))
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"][0]
        self.assertNotIn(mark, urllib.parse.unquote(following))
        path = urllib.parse.urlparse(following)._replace(scheme="", netloc="").geturl()
        other = self.server.token_of(self.server.person("dr.other", "doctor"))
        self.ask("GET", path, token=other, expect=400)
        self.ask("GET", path.replace("/fhir/Patient", "/fhir/Observation"), expect=400)

    def test_totals(self):
        mark, ids = self.patients(5)
        base = f"/fhir/Patient?identifier={mark}"
        self.assertEqual(json_of(self.ask("GET", base))["total"], 5)
        self.assertEqual(json_of(self.ask("GET", base + "&_count=2&_total=accurate"))["total"], 5)
        for form in ("&_summary=count", "&_count=0"):
            counted = json_of(self.ask("GET", base + form))
            self.assertEqual(counted["total"], 5)
            self.assertNotIn("entry", counted)

    # --- shapes ---

    def test_elements_and_summaries_are_tagged(self):
        mark, (id_,) = self.patients(1)
        short = json_of(self.ask("GET", f"/fhir/Patient?_id={id_}&_elements=birthDate"))["entry"][0]["resource"]
        self.assertEqual(set(short), {"resourceType", "id", "meta", "birthDate"})
        self.assertEqual(short["meta"]["tag"][0]["code"], "SUBSETTED")
        self.assertEqual(mark, json_of(self.ask("GET", f"/fhir/Patient/{id_}"))["identifier"][0]["value"])

    # --- links by canonicals ---

    def test_a_canonical_leads_to_its_url_and_to_the_version_that_it_names(self):
        mark = uuid.uuid4().hex
        url = "http://forms.example/" + mark
        forms = [self.create({"resourceType": "Questionnaire", "status": "active", "url": url, "version": version,
                              "title": mark + version}, self.all_rights)["id"] for version in "12"]
        other = self.create({"resourceType": "Questionnaire", "status": "active", "url": url + "/other"}, self.all_rights)["id"]

        def answers(canonical, status):
            return self.create({"resourceType": "QuestionnaireResponse", "status": status, "questionnaire": canonical,
                                "identifier": {"value": mark}}, self.all_rights)["id"]
        first, each, nothing = answers(url + "|1", "completed"), answers(url, "stopped"), answers(url + "|3", "amended")

        def found(path, mode="match"):
            return self.ids("/fhir/" + path, mode, self.all_rights)
        mine = "QuestionnaireResponse?identifier=" + mark
        include = "&_include=QuestionnaireResponse:questionnaire"
        self.assertEqual(found(mine + include), [first, each, nothing])
        self.assertEqual(found(mine + include, "include"), forms)
        self.assertEqual(found(mine + "&status=completed" + include, "include"), forms[:1])
        self.assertEqual(found(mine + "&status=completed&_include=*", "include"), forms[:1])
        self.assertEqual(found(mine + "&status=amended" + include, "include"), [])
        self.assertEqual(found(mine + include + ":Questionnaire", "include"), forms)
        back = "&_revinclude=QuestionnaireResponse:questionnaire"
        self.assertEqual(found(f"Questionnaire?_id={forms[0]}{back}", "include"), [first, each])
        self.assertEqual(found(f"Questionnaire?_id={forms[1]}{back}", "include"), [each])
        self.assertEqual(found(f"Questionnaire?_id={other}{back}", "include"), [])
        self.assertEqual(found(f"QuestionnaireResponse?questionnaire.title={mark}1"), [first, each])
        self.assertEqual(found(f"{mine}&questionnaire:Questionnaire.version=2"), [each])
        self.assertEqual(found(f"{mine}&questionnaire.status=active"), [first, each])
        has = "Questionnaire?url={}&_has:QuestionnaireResponse:questionnaire:status={}"
        self.assertEqual(found(has.format(url, "completed")), forms[:1])
        self.assertEqual(found(has.format(url, "stopped")), forms)
        self.assertEqual(found(has.format(url, "amended")), [])

    # --- includes ---

    def test_included_resources_come_once_and_are_marked(self):
        mark, (id_,) = self.patients(1)
        for _ in range(3):
            self.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                         "identifier": [{"value": mark}], "subject": {"reference": f"Patient/{id_}"}})
        path = f"/fhir/Observation?identifier={mark}&_include=Observation:subject"
        self.assertEqual(self.ids(path, "include"), [id_])
        self.assertEqual(len(self.ids(path)), 3)
        back = f"/fhir/Patient?_id={id_}&_revinclude=Observation:subject"
        self.assertEqual(len(self.ids(back, "include")), 3)

    def test_everything_of_a_patient(self):
        _, (id_, other) = self.patients(2)
        doctor = json_of(self.ask("POST", "/fhir/Practitioner", {"resourceType": "Practitioner"}, expect=201,
                                  token=self.all_rights))["id"]
        made = [self.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                             "subject": {"reference": f"Patient/{whose}"},
                             "performer": [{"reference": f"Practitioner/{doctor}"}]})["id"] for whose in (id_, id_, other)]
        path = f"/fhir/Patient/{id_}/$everything?_count=1"
        self.assertEqual(sorted(self.ids(path)), sorted([id_, made[0], made[1]]))
        self.assertIn(doctor, self.ids(path, "include"))
        self.assertEqual(self.ids(path + "&_type=Observation"), made[:2])
        self.assertEqual(self.ids(path + "&_since=2999-01-01"), [])
        self.ask("GET", path + "&start=yesterday", expect=400)
        self.ask("GET", path + "&beginning=2000-01-01", expect=400)

    # --- conditional interactions ---

    def test_of_64_conditional_creates_at_once_one_makes_a_resource(self):
        """HAPI #3141, Microsoft #1382, LinuxForHealth #2051."""
        for criteria in ("identifier=urn:once|{}", "family={}", "name:exact={}"):
            mark = str(uuid.uuid4())
            resource = {"resourceType": "Patient", "identifier": [{"system": "urn:once", "value": mark}],
                        "name": [{"family": mark}]}

            def one(_):
                return self.server.request("POST", "/fhir/Patient", resource, token=self.doctor,
                                           headers={"If-None-Exist": criteria.format(mark)})

            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                statuses = [reply.status for reply in pool.map(one, range(64))]
            self.assertEqual(sorted(set(statuses)), [200, 201], criteria)
            self.assertEqual(statuses.count(201), 1, criteria)
            self.assertEqual(len(self.ids(f"/fhir/Patient?identifier=urn:once|{mark}")), 1)

    def test_of_conditional_updates_at_once_none_is_dropped(self):
        """HAPI #8183."""
        mark = str(uuid.uuid4())

        def one(number):
            return self.server.request("PUT", f"/fhir/Patient?identifier=urn:twice|{mark}", token=self.doctor, body={
                "resourceType": "Patient", "identifier": [{"system": "urn:twice", "value": mark}],
                "name": [{"family": str(number)}]})

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(one, range(32)))
        self.assertEqual(sorted(reply.status for reply in replies), [200] * 31 + [201])
        ids = {json_of(reply)["id"] for reply in replies}
        self.assertEqual(len(ids), 1)
        versions = sorted(int(json_of(reply)["meta"]["versionId"]) for reply in replies)
        self.assertEqual(versions, list(range(1, 33)))

    def test_conditional_update_and_delete_take_one_match_only(self):
        mark, (first, second) = self.patients(2)
        body = {"resourceType": "Patient"}
        self.ask("PUT", f"/fhir/Patient?identifier={mark}", body, expect=412)
        self.ask("DELETE", f"/fhir/Patient?identifier={mark}", token=self.all_rights, expect=412)
        self.ask("PUT", f"/fhir/Patient?_id={first}", {**body, "id": second}, expect=400)
        self.ask("DELETE", f"/fhir/Patient?_id={second}", token=self.all_rights, expect=204)
        self.assertEqual(self.ids(f"/fhir/Patient?identifier={mark}"), [first])
        self.ask("DELETE", f"/fhir/Patient?identifier={uuid.uuid4()}", token=self.all_rights, expect=204)
        self.ask("DELETE", "/fhir/Patient", token=self.all_rights, expect=400)

    # --- rights and the log ---

    def test_C11_what_a_role_may_not_see_is_as_if_it_were_not(self):
        mark, (id_,) = self.patients(1)
        self.create({"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                     "medicationCodeableConcept": {"text": mark}, "subject": {"reference": f"Patient/{id_}"}})
        nurse = self.server.token_of(self.server.person("nurse." + mark[:8], "nurse"))
        self.ask("GET", "/fhir/MedicationRequest", token=nurse, expect=403)
        for path in (f"Patient?_has:MedicationRequest:patient:status=active&_id={id_}",):
            self.assertNotIn("entry", json_of(self.ask("GET", "/fhir/" + path, token=nurse)))
            self.assertIn("entry", json_of(self.ask("GET", "/fhir/" + path)))
        included = json_of(self.ask("GET", f"/fhir/Patient?_id={id_}&_revinclude=MedicationRequest:patient", token=nurse))
        self.assertEqual(len(included["entry"]), 1)
        counted = json_of(self.ask("GET", f"/fhir?_type=Patient,MedicationRequest&_id={id_}&_summary=count", token=nurse))
        self.assertEqual(counted["total"], 1)

    def test_A03_a_search_leaves_one_entry_for_each_patient_it_showed(self):
        mark, ids = self.patients(3)
        reply = self.ask("GET", f"/fhir/Patient?identifier=urn:mark%7C{mark}")
        self.assertEqual(len(json_of(reply)["entry"]), 3)
        entries = [entry for entry in self.server.audit() if entry.get("request_id") == reply.headers["x-request-id"]]
        self.assertEqual([entry["event"] for entry in entries], ["search"] * 3)
        self.assertEqual(sorted(patient for entry in entries for patient in entry["patients"]), sorted(ids))
        self.assertEqual({entry["query"] for entry in entries}, {f"identifier=urn:mark%7C{mark}"})
        empty = self.ask("GET", f"/fhir/Observation?patient=Patient/{ids[0]}&code=none")
        entries = [entry for entry in self.server.audit() if entry.get("request_id") == empty.headers["x-request-id"]]
        self.assertEqual([entry["patients"] for entry in entries], [[ids[0]]])

    def entries_of(self, reply):
        id_ = reply.headers["x-request-id"]
        return [entry for entry in self.server.audit() if entry.get("request_id") == id_]

    def test_A03_the_text_of_a_request_is_read_in_each_of_its_entries_whatever_form_it_came_in(self):
        mark, ids = self.patients(2)
        text = f"identifier=urn:mark%7C{mark}"
        header = {"Content-Type": "application/x-www-form-urlencoded"}
        form = self.ask("POST", "/fhir/Patient/_search", text, header)
        self.assertEqual([entry["query"] for entry in self.entries_of(form)], [text] * 2)
        counted = self.ask("GET", f"/fhir/Patient?{text}&_summary=count")
        self.assertEqual({entry["query"] for entry in self.entries_of(counted)}, {text + "&_summary=count"})
        nobody = self.ask("GET", f"/fhir/Patient?{text}&name=none")
        self.assertEqual([(entry.get("patients"), entry["query"]) for entry in self.entries_of(nobody)],
                         [(None, text + "&name=none")])
        several = self.ask("DELETE", f"/fhir/Patient?{text}", token=self.all_rights, expect=412)
        self.assertEqual([entry["query"] for entry in self.entries_of(several)], [text])
        bundle = {"resourceType": "Bundle", "type": "batch",
                  "entry": [{"request": {"method": "GET", "url": f"Patient?{text}"}},
                            {"request": {"method": "GET", "url": f"Patient?_id={ids[0]}"}},
                            {"request": {"method": "GET", "url": "Patient?birthdate=none"}}]}
        batch = self.ask("POST", "/fhir", bundle)
        self.assertEqual(sorted(entry["query"] for entry in self.entries_of(batch)),
                         sorted([text, text, f"_id={ids[0]}", "birthdate=none"]))
        self.assertEqual(self.server.verify().returncode, 0)

    def test_A03_later_pages_have_the_text_of_the_first_and_no_page_token_is_kept(self):
        mark, ids = self.patients(3)
        text = f"identifier=urn:mark%7C{mark}&_count=1"
        path, shown = f"/fhir/Patient?{text}", []
        while path:
            reply = self.ask("GET", path)
            (entry,) = self.entries_of(reply)
            self.assertEqual(entry["query"], text)
            shown += entry["patients"]
            following = [link["url"] for link in json_of(reply)["link"] if link["relation"] == "next"]
            path = urllib.parse.urlparse(following[0])._replace(scheme="", netloc="").geturl() if following else None
            last = path or last
        self.assertEqual(sorted(shown), sorted(ids))
        stranger = self.server.token_of(self.server.person(f"dr.{mark[:8]}", "doctor"))
        refused = self.ask("GET", last, token=stranger, expect=400)
        self.assertEqual([entry["query"] for entry in self.entries_of(refused)], ["_page="])

    def test_A03_the_FHIR_form_has_the_text_and_its_entries_are_one_for_each_patient(self):
        mark, _ = self.patients(2)
        reply = self.ask("GET", f"/fhir/Patient?identifier=urn:mark%7C{mark}&name=O%27Brien,Name")
        listed = self.server.cli("audit", "list", "--all", "--fhir", "--data", self.server.data, check=True).stdout
        raw = base64.b64encode(f"identifier=urn:mark%7C{mark}&name=O%27Brien,Name".encode()).decode()
        events = [json.loads(line) for line in listed.splitlines() if raw in line]
        self.assertEqual(len(events), 2, reply.headers["x-request-id"])
        self.assertEqual({entity["query"] for event in events for entity in event["entity"] if "query" in entity}, {raw})


if __name__ == "__main__":
    unittest.main()

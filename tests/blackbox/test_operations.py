"""$everything with dates, $lastn, $meta, $meta-add and $meta-delete (R4 operations)."""

import json
import unittest

import harness

FHIR = {"Content-Type": "application/fhir+json"}
LOINC = "http://loinc.org"


class Operations(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()
        cls.doctor = cls.server.token_of(cls.server.person("bob", "doctor"))

    def send(self, method, path, resource=None, status=200, token=None):
        body = None if resource is None else json.dumps(resource)
        reply = self.server.request(method, "/fhir/" + path, body, token or self.token, FHIR)
        self.assertEqual(reply.status, status, reply.body)
        return harness.json_of(reply) if reply.body else {}

    def make(self, resource):
        return self.send("POST", resource["resourceType"], resource, 201)["id"]

    def patient(self):
        return self.make({"resourceType": "Patient", "name": [{"family": "Grimes"}]})

    def observation(self, patient, loinc, when=None, **more):
        resource = {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
                    "code": {"coding": [{"system": LOINC, "code": each} for each in loinc.split()]}, **more}
        if when:
            resource["effectiveDateTime"] = when
        return self.make(resource)

    def ids(self, path, **options):
        bundle = self.send("GET", path, **options)
        return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["resource"]["resourceType"] != "OperationOutcome"]


class LastN(Operations):
    def test_the_newest_of_each_code_comes_and_no_other(self):
        someone, other = self.patient(), self.patient()
        old = self.observation(someone, "8867-4", "2026-01-01")
        new = self.observation(someone, "8867-4", "2026-03-01")
        middle = self.observation(someone, "8867-4", "2026-02-01")
        weight = self.observation(someone, "29463-7", "2025-01-01")
        self.observation(other, "8867-4", "2026-05-01")
        self.assertEqual(self.ids(f"Observation/$lastn?patient=Patient/{someone}"), [new, weight])
        self.assertEqual(self.ids(f"Observation/$lastn?subject=Patient/{someone}&max=2"), [new, middle, weight])
        self.assertEqual(self.ids(f"Observation/$lastn?patient={someone}&max=9&code={LOINC}|8867-4"), [new, middle, old])

    def test_codings_in_common_make_one_group(self):
        someone = self.patient()
        self.observation(someone, "8867-4", "2026-01-01")
        self.observation(someone, "1-1", "2026-01-02")
        both = self.observation(someone, "8867-4 1-1", "2026-01-03")
        words = [self.observation(someone, "", when, **{"code": {"text": "mood"}}) for when in ("2026-02-01", "2026-02-02")]
        self.assertEqual(self.ids(f"Observation/$lastn?patient={someone}"), [words[1], both])

    def test_what_is_no_code_joins_nothing(self):
        someone = self.patient()

        def named(day, *codings, **code):
            return self.observation(someone, "", f"2026-01-0{day}", **{"code": {**({"coding": list(codings)} if codings else {}), **code}})
        weight = named(1, {"system": LOINC, "code": "29463-7"}, {"display": "Gewicht"})
        potassium = named(2, {"system": LOINC, "code": "2823-3"}, {"display": "Kalium"})
        displays = [named(3, {"display": "x"}), named(4, {"display": "x"})]
        split = [named(5, {"system": "a|b", "code": "c"}), named(6, {"system": "a", "code": "b|c"})]
        self.assertEqual(set(self.ids(f"Observation/$lastn?patient={someone}")), {weight, potassium, *displays, *split})

    def test_observations_of_one_moment_come_together(self):
        someone = self.patient()
        twins = {self.observation(someone, "8867-4", "2026-01-01T10:00:00Z") for _ in range(2)}
        self.observation(someone, "8867-4", "2025-01-01")
        self.assertEqual(set(self.ids(f"Observation/$lastn?patient={someone}")), twins)

    def test_parameters_can_come_in_a_body(self):
        someone = self.patient()
        newest = [self.observation(someone, "8867-4", f"2026-01-0{day}") for day in (1, 2, 3)]
        body = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueString": someone}, {"name": "max", "valuePositiveInt": 2}]}
        found = self.send("POST", "Observation/$lastn", body)
        self.assertEqual([entry["resource"]["id"] for entry in found["entry"]], [newest[2], newest[1]])

    def test_what_it_cannot_take_is_refused(self):
        for query in ("", "code=1", "patient=x&max=0", "patient=x&max=-1", "patient=x&max=two", "patient=x&_sort=code", "patient=x&unknown=1"):
            reply = self.server.request("GET", "/fhir/Observation/$lastn?" + query, token=self.token)
            self.assertEqual(reply.status, 400, (query, reply.body))
        self.send("GET", "Patient/$lastn?patient=x", status=404)

    def test_A03_the_patient_stands_in_the_log(self):
        someone = self.patient()
        self.observation(someone, "8867-4", "2026-01-01")
        before = self.server.audit_size()
        self.ids(f"Observation/$lastn?patient={someone}", token=self.doctor)
        entries = [entry for entry in self.server.audit_after(before) if entry["event"] == "search"]
        self.assertEqual([entry["patients"] for entry in entries], [[someone]])

    def test_A03_a_refused_body_stands_in_the_log(self):
        before = self.server.audit_size()
        body = {"resourceType": "Parameters", "parameter": [{"name": "patient", "valueString": "someone"}, {"name": "max", "valueString": "x"}]}
        self.send("POST", "Observation/$lastn", body, status=400)
        entry, = self.server.audit_after(before)
        self.assertEqual((entry["query"], entry["outcome"]), ("patient=someone&max=x", 4))

    def test_who_may_not_search_gets_nothing(self):
        token = self.server.service("copier", "loader")
        self.send("GET", "Observation/$lastn?patient=x", status=403, token=token)


class Meta(Operations):
    TAG = {"system": "http://example.org/tags", "code": "study-7"}
    LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}

    def change(self, place, operation, status=200, token=None, **meta):
        body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
        return self.send("POST", f"{place}/{operation}", body, status, token)

    def test_tags_and_labels_are_added_once_and_taken_out(self):
        place = f"Patient/{self.patient()}"
        answer = self.change(place, "$meta-add", tag=[self.TAG], security=[self.LABEL])
        self.assertEqual(answer["parameter"], [{"name": "return", "valueMeta": {"security": [self.LABEL], "tag": [self.TAG]}}])
        self.change(place, "$meta-add", tag=[{**self.TAG, "display": "again"}])
        meta = self.send("GET", place)["meta"]
        self.assertEqual((meta["versionId"], meta["tag"], meta["security"]), ("2", [self.TAG], [self.LABEL]))
        self.assertIn(place.split("/")[1], self.ids("Patient?_tag=study-7"))
        shown = self.send("GET", f"{place}/$meta")["parameter"][0]
        self.assertEqual((shown["name"], shown["valueMeta"]), ("return", meta))
        self.change(place, "$meta-delete", tag=[self.TAG])
        meta = self.send("GET", place)["meta"]
        self.assertEqual((meta["versionId"], "tag" in meta, meta["security"]), ("3", False, [self.LABEL]))
        self.assertEqual(self.send("GET", f"{place}/_history/1")["meta"].get("tag"), None)
        self.assertEqual(self.send("GET", f"{place}/_history/2")["meta"]["tag"], [self.TAG])

    def test_only_who_may_update_changes_it_and_only_who_may_read_sees_it(self):
        place = f"Patient/{self.patient()}"
        token = self.server.service("carrier", "loader")
        self.change(place, "$meta-add", 403, token, tag=[self.TAG])
        self.send("GET", f"{place}/$meta", status=403, token=token)
        self.assertEqual(self.send("GET", place)["meta"]["versionId"], "1")

    def test_what_is_no_such_change_is_refused(self):
        place = f"Patient/{self.patient()}"
        self.change(place, "$meta-add", 400, versionId="7")
        self.change(place, "$meta-add", 400, tag={"code": "x"})
        self.send("POST", f"{place}/$meta-add", {"resourceType": "Parameters"}, 400)
        self.change("Patient/nobody", "$meta-add", 404, tag=[self.TAG])
        self.send("GET", "Patient/nobody/$meta", status=404)
        self.assertEqual(self.send("GET", place)["meta"]["versionId"], "1")

    def test_what_a_type_and_the_system_use_is_listed_once_and_no_longer(self):
        server = self.new_server("classic").start()
        token, mine = server.admin(), []
        self.assertEqual(self.asked(server, "$meta", token), ([], [], []))

        def make(type_, **meta):
            reply = server.request("POST", f"/fhir/{type_}", {"resourceType": type_, "meta": meta}, token)
            self.assertEqual(reply.status, 201, reply.body)
            mine.append(f"{type_}/{harness.json_of(reply)['id']}")

        url = "http://example.org/StructureDefinition/p"
        other = {"system": "http://example.org/tags", "code": "study-8", "display": "Eight"}
        for _ in range(3):
            make("Patient", tag=[self.TAG, {"code": "bare"}], security=[self.LABEL], profile=[url, url + "|1"])
        make("Basic", tag=[other, self.TAG], profile=[url])
        make("Basic", tag=[{"system": "http://example.org/tags", "display": "no code"}])
        labels = [(self.LABEL["system"], "R")]
        bare, seven, eight = (None, "bare"), (self.TAG["system"], "study-7"), (self.TAG["system"], "study-8")
        self.assertEqual(self.asked(server, "Patient/$meta", token), ([url, url + "|1"], labels, [bare, seven]))
        self.assertEqual(self.asked(server, "Basic/$meta", token), ([url], [], [seven, eight]))
        self.assertEqual(self.asked(server, "Observation/$meta", token), ([], [], []))
        self.assertEqual(self.asked(server, "$meta", token), ([url, url + "|1"], labels, [bare, seven, eight]))
        xml = server.request("GET", "/fhir/$meta?_format=xml", token=token)
        self.assertIn(b'<code value="study-8"/>', xml.body)
        # What the last of them gives up is not in use.
        self.assertEqual(server.request("DELETE", "/fhir/" + mine[3], token=token).status, 204)
        self.assertEqual(self.asked(server, "$meta", token), ([url, url + "|1"], labels, [bare, seven]))
        for place in mine[:3]:
            body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [self.TAG], "profile": [url + "|1"]}}]}
            self.assertEqual(server.request("POST", f"/fhir/{place}/$meta-delete", body, token).status, 200)
        self.assertEqual(self.asked(server, "$meta", token), ([url], labels, [bare]))

    def asked(self, server, path, token):
        reply = server.request("GET", "/fhir/" + path, token=token)
        self.assertEqual(reply.status, 200, reply.body)
        meta, = [each["valueMeta"] for each in harness.json_of(reply).get("parameter", [])] or [{}]
        codes = {name: [(each.get("system"), each["code"]) for each in meta.get(name, [])] for name in ("security", "tag")}
        return meta.get("profile", []), codes["security"], codes["tag"]

    def test_C10_what_only_hidden_records_use_is_as_if_it_were_not(self):
        server = self.new_server("separated").start()
        doctor = server.token_of(server.person("dr", "doctor"))

        def make(resource):
            reply = server.request("POST", "/fhir/" + resource["resourceType"], resource, doctor)
            self.assertEqual(reply.status, 201, reply.body)
            return harness.json_of(reply)["id"]

        def coded(code):
            return {"tag": [{"system": "http://example.org/tags", "code": code}, {"system": "http://example.org/tags", "code": "all"}]}

        one, two = (make({"resourceType": "Patient", "meta": coded(name)}) for name in ("one", "two"))
        for of, code in ((one, "mine"), (two, "hers"), (two, "hers")):
            make({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "meta": coded(code),
                  "subject": {"reference": "Patient/" + of}})
        own = server.token_of(server.person("p1", "patient", "--patient", one))

        def tags(path, token):
            return [code for _, code in self.asked(server, path, token)[2]]

        self.assertEqual(tags("Observation/$meta", doctor), ["all", "hers", "mine"])
        self.assertEqual(tags("Observation/$meta", own), ["all", "mine"])
        self.assertEqual(tags("Patient/$meta", own), ["all", "one"])
        self.assertEqual(tags("$meta", own), ["all", "mine", "one"])
        self.assertEqual(tags("$meta", doctor), ["all", "hers", "mine", "one", "two"])
        before = server.audit_size()
        tags("Observation/$meta", own)
        tags("Observation/$meta", doctor)
        entries = [(each["event"], each["type"], each.get("patients", [])) for each in server.audit_after(before)]
        self.assertEqual(entries, [("search", "Observation", [one]), ("search", "Observation", [])])
        loader = server.service("carrier", "loader")
        for path in ("$meta", "Patient/$meta"):
            self.assertEqual(server.request("GET", "/fhir/" + path, token=loader).status, 403)
            self.assertEqual(server.request("GET", "/fhir/" + path).status, 401)

    def test_changes_at_once_lose_nothing(self):
        from concurrent.futures import ThreadPoolExecutor

        place = f"Patient/{self.patient()}"
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: self.change(place, "$meta-add", tag=[{"system": "http://example.org", "code": str(n)}]), range(32)))
        self.assertEqual({tag["code"] for tag in self.send("GET", place)["meta"]["tag"]}, {str(n) for n in range(32)})


class Everything(Operations):
    def test_start_and_end_choose_by_the_date_of_care(self):
        someone = self.patient()
        days = {day: self.observation(someone, "8867-4", f"2026-01-{day:02}") for day in (1, 10, 20)}
        undated = self.observation(someone, "8867-4")
        condition = self.make({"resourceType": "Condition", "subject": {"reference": f"Patient/{someone}"}, "onsetDateTime": "2025-06"})
        allergy = self.make({"resourceType": "AllergyIntolerance", "patient": {"reference": f"Patient/{someone}"}})
        always = {someone, undated, allergy}

        def found(query):
            return set(self.ids(f"Patient/{someone}/$everything?{query}"))

        self.assertEqual(found(""), always | {condition} | set(days.values()))
        self.assertEqual(found("start=2026-01-10"), always | {days[10], days[20]})
        self.assertEqual(found("end=2026-01-10"), always | {condition, days[1], days[10]})
        self.assertEqual(found("start=2026-01-02&end=2026-01-15"), always | {days[10]})
        self.assertEqual(found("start=2025&end=2025"), always | {condition})
        self.assertEqual(found("start=2026-01-02&_type=Observation"), {someone, undated, days[10], days[20]})
        pages, url = set(), f"Patient/{someone}/$everything?start=2026-01-10&_count=1"
        while url:
            bundle = self.send("GET", url)
            pages |= {entry["resource"]["id"] for entry in bundle.get("entry", [])}
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            url = links["next"].split("/fhir/", 1)[1] if "next" in links else None
        self.assertEqual(pages, always | {days[10], days[20]})

    def test_parameters_can_come_in_a_body(self):
        someone = self.patient()
        days = {day: self.observation(someone, "8867-4", f"2026-01-{day:02}") for day in (1, 10, 20)}
        self.make({"resourceType": "Condition", "subject": {"reference": f"Patient/{someone}"}, "onsetDateTime": "2026-01-10"})
        start, end = {"name": "start", "valueDate": "2026-01-02"}, {"name": "end", "valueDate": "2026-01-31"}
        types = [{"name": "_type", "valueCode": name} for name in ("Patient", "Observation")]

        def everything(*parameters, query="", **options):
            body = {"resourceType": "Parameters", **({"parameter": list(parameters)} if parameters else {})}
            return self.send("POST", f"Patient/{someone}/$everything{query}", body, **options)

        def found(bundle):
            return sorted(entry["resource"]["id"] for entry in bundle["entry"])
        self.assertEqual(len(everything()["entry"]), 5)
        self.assertEqual(len(self.send("POST", f"Patient/{someone}/$everything")["entry"]), 5)
        self.assertEqual(found(everything(start, end, *types)), sorted([someone, days[10], days[20]]))
        self.assertEqual(found(everything(start, query="?_type=Observation")), sorted([someone, days[10], days[20]]))
        since = self.send("GET", f"Observation/{days[20]}")["meta"]["lastUpdated"]
        self.assertEqual(found(everything({"name": "_since", "valueInstant": since}, types[1])), sorted([someone, days[20]]))
        bundle, pages = everything({"name": "_count", "valueInteger": 2}, *types), []
        self.assertEqual([link["url"].split("/fhir/")[1] for link in bundle["link"] if link["relation"] == "self"],
                         [f"Patient/{someone}/$everything?_count=2&_type=Patient&_type=Observation"])
        while True:
            pages += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not following:
                break
            bundle = self.send("GET", following[0].split("/fhir/", 1)[1])
        self.assertEqual(set(pages), {someone, *days.values()})
        for wrong in ({"name": "start", "valueDate": "yesterday"}, {"name": "unknown", "valueString": "x"},
                      {"name": "start", "valuePeriod": {"start": "2026"}}, {"name": "_count", "valueString": "many"},
                      {"name": "start", "part": [{"name": "x", "valueString": "y"}]}):
            everything(wrong, status=400)
        everything(*types * 600, status=413)
        self.send("POST", f"Patient/{someone}/$everything", {"resourceType": "Patient"}, 400)
        self.send("POST", f"Observation/{days[1]}/$everything", {"resourceType": "Parameters"}, 404)
        self.send("POST", f"Patient/{someone}/$everything", {"resourceType": "Parameters"}, 403, self.server.service("mover", "loader"))

    def test_A03_what_a_body_asks_stands_in_the_log(self):
        someone = self.patient()
        body = {"resourceType": "Parameters", "parameter": [{"name": "start", "valueDate": "2026-01-02"}]}
        for status, more in ((200, []), (400, [{"name": "unknown", "valueString": "a b"}])):
            before = self.server.audit_size()
            self.send("POST", f"Patient/{someone}/$everything", {**body, "parameter": body["parameter"] + more}, status)
            entry, = self.server.audit_after(before)
            self.assertEqual((entry["event"], entry["query"]), ("search", "start=2026-01-02" + ("&unknown=a%20b" if more else "")))

    def test_what_is_no_date_is_refused(self):
        someone = self.patient()
        for query in ("start=yesterday", "end=ge2020", "start=2020,2021", "start="):
            self.send("GET", f"Patient/{someone}/$everything?{query}", status=400)

    def test_the_capability_statement_names_the_operations(self):
        rest = self.send("GET", "metadata")["rest"][0]
        named = {each["type"]: {operation["name"] for operation in each.get("operation", [])} for each in rest["resource"]}
        self.assertLessEqual({"lastn", "meta", "meta-add", "meta-delete", "validate"}, named["Observation"])
        meta, = [each for each in rest["operation"] if each["name"] == "meta"]
        self.assertEqual(meta["definition"], "http://hl7.org/fhir/OperationDefinition/Resource-meta")
        self.assertNotIn("lastn", named["Patient"])
        self.assertNotIn("everything", named["Observation"])
        patient, = (each for each in rest["resource"] if each["type"] == "Patient")
        everything = [each for each in patient["operation"] if each["name"] == "everything"]
        self.assertEqual([each["definition"] for each in everything],
                         ["http://hl7.org/fhir/OperationDefinition/Patient-everything"])


if __name__ == "__main__":
    unittest.main()

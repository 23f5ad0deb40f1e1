"""Search parameters that are defined for a server, and what keeps its index complete (R4 searchparameter.html)."""

import json
import os
import threading
import time
import unittest

import harness

EYES = "http://example.org/eye-color"


def patient(color=None, **more):
    resource = {"resourceType": "Patient", "name": [{"family": "Grimes"}], **more}
    if color:
        resource["extension"] = [{"url": EYES, "valueCode": color}]
    return resource


def definition(**changes):
    return {"resourceType": "SearchParameter", "status": "active", "name": "eyes", "description": "color of the eyes",
            "url": "http://example.org/SearchParameter/eyes", "code": "eyes", "base": ["Patient"], "type": "token",
            "expression": f"Patient.extension.where(url = '{EYES}').value", **changes}


class Defined(harness.TestCase):
    serve = False

    def setUp(self):
        self.own = self.new_server(policy="classic")
        self.own.start()
        self.token = self.own.admin()

    def post(self, resource, status=201):
        reply = self.own.request("POST", "/fhir/" + resource["resourceType"], json.dumps(resource), self.token,
                                 {"Content-Type": "application/fhir+json"})
        self.assertEqual(reply.status, status, reply.body)
        return harness.json_of(reply)

    def put(self, resource):
        reply = self.own.request("PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", json.dumps(resource), self.token,
                                 {"Content-Type": "application/fhir+json"})
        self.assertIn(reply.status, (200, 201), reply.body)
        return harness.json_of(reply)

    def search(self, query, status=200):
        reply = self.own.request("GET", "/fhir/" + query, token=self.token, headers={"Prefer": "handling=strict"})
        self.assertEqual(reply.status, status, reply.body)
        return harness.json_of(reply)

    def ids(self, query):
        return {entry["resource"]["id"] for entry in self.search(query).get("entry", [])}

    def index(self):
        return json.loads(self.own.cli("status", "--data", self.own.data, "--json", check=True).stdout)["index"]

    def until(self, condition):
        end = time.monotonic() + harness.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, self.index())
            time.sleep(0.05)

    def until_complete(self, parameters):
        """Until the index holds so many parameters beside R4's own, all of them ready."""
        self.until(lambda: (lambda now: (now["state"], now["parameters"], now["awaited"]) == ("complete", parameters, 0))(self.index()))

    def well(self):
        found = self.own.verify()
        self.assertEqual(found.returncode, 0, found.stdout)

    def test_a_new_parameter_finds_what_was_there_before_and_what_comes(self):
        brown, blue = self.post(patient("brown"))["id"], self.post(patient("blue"))["id"]
        self.post(patient())
        self.search("Patient?eyes=brown", 400)
        self.post(definition())
        self.until_complete(1)
        self.assertEqual(self.ids("Patient?eyes=brown"), {brown})
        later = self.post(patient("brown"))["id"]
        self.assertEqual(self.ids("Patient?eyes=brown"), {brown, later})
        self.assertEqual(self.ids("Patient?eyes:missing=false"), {brown, blue, later})
        self.put(patient("green", id=brown))
        self.assertEqual((self.ids("Patient?eyes=brown"), self.ids("Patient?eyes=green")), ({later}, {brown}))
        self.own.request("DELETE", f"/fhir/Patient/{later}", token=self.token)
        self.assertEqual(self.ids("Patient?eyes=brown"), set())
        self.well()

    def test_it_serves_in_chains_sorts_conditions_and_bundles_as_any_other(self):
        self.post(definition())
        self.until_complete(1)
        one, two = self.post(patient("brown"))["id"], self.post(patient("amber"))["id"]
        seen = self.post({"resourceType": "Observation", "status": "final", "code": {"text": "sight"},
                          "subject": {"reference": f"Patient/{one}"}})["id"]
        self.assertEqual(self.ids("Observation?subject:Patient.eyes=brown"), {seen})
        self.assertEqual(self.ids("Observation?subject:Patient.eyes=amber"), set())
        ordered = [entry["resource"]["id"] for entry in self.search("Patient?_sort=eyes")["entry"]]
        self.assertEqual(ordered, [two, one])
        reply = self.own.request("POST", "/fhir/Patient", json.dumps(patient("amber")), self.token,
                                 {"Content-Type": "application/fhir+json", "If-None-Exist": "eyes=amber"})
        self.assertEqual(reply.status, 200)
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient?eyes=amber"}}]}
        reply = self.own.request("POST", "/fhir", json.dumps(bundle), self.token, {"Content-Type": "application/fhir+json"})
        inner = harness.json_of(reply)["entry"][0]["resource"]
        self.assertEqual([entry["resource"]["id"] for entry in inner["entry"]], [two])

    def test_references_that_it_finds_are_included_and_followed_back(self):
        link = "http://example.org/tutor"
        self.post(definition(code="tutor", type="reference", target=["Patient"],
                             expression=f"Patient.extension.where(url = '{link}').value"))
        self.until_complete(1)
        tutor = self.post(patient("brown"))["id"]
        pupil = self.post({"resourceType": "Patient", "extension": [{"url": link, "valueReference": {"reference": f"Patient/{tutor}"}}]})["id"]
        self.assertEqual(self.ids(f"Patient?tutor=Patient/{tutor}"), {pupil})
        self.assertEqual(self.ids(f"Patient?_id={pupil}&_include=Patient:tutor"), {pupil, tutor})
        self.assertEqual(self.ids(f"Patient?_id={tutor}&_revinclude=Patient:tutor"), {pupil, tutor})
        self.assertEqual(self.ids(f"Patient?_has:Patient:tutor:_id={pupil}"), {tutor})

    def test_contained_resources_are_found_through_their_holders(self):
        holder = {"resourceType": "Observation", "status": "final", "code": {"text": "sight"}, "contained": [patient("brown", id="p")],
                  "subject": {"reference": "#p"}}
        before = self.post(holder)["id"]
        self.post(definition())
        self.until_complete(1)
        after = self.post(holder)["id"]
        self.assertEqual(self.ids("Observation?subject:Patient.eyes=brown"), {before, after})
        self.well()

    def test_what_is_retired_changed_or_deleted_answers_no_more(self):
        brown = self.post(patient("brown"))["id"]
        kept = self.post(definition())
        self.until_complete(1)
        self.put({**kept, "status": "retired"})
        self.until_complete(0)
        self.search("Patient?eyes=brown", 400)
        self.put(patient("blue", id=brown))  # while nobody keeps its rows
        self.put(kept)
        self.until_complete(1)
        self.assertEqual((self.ids("Patient?eyes=brown"), self.ids("Patient?eyes=blue")), (set(), {brown}))
        self.well()
        self.put({**kept, "expression": "Patient.name.family", "type": "string"})
        strict = {"Prefer": "handling=strict"}
        self.until(lambda: b'"entry"' in self.own.request("GET", "/fhir/Patient?eyes=grimes", token=self.token, headers=strict).body)
        self.assertEqual((self.ids("Patient?eyes=grimes"), self.ids("Patient?eyes=blue")), ({brown}, set()))
        self.own.request("DELETE", f"/fhir/SearchParameter/{kept['id']}", token=self.token)
        self.until_complete(0)
        self.search("Patient?eyes=Grimes", 400)
        self.well()

    def test_it_outlives_a_restart_and_a_kill(self):
        brown = self.post(patient("brown"))["id"]
        self.post(definition())
        self.own.kill()  # wherever the work stood
        self.own.start()
        self.until_complete(1)
        self.assertEqual(self.ids("Patient?eyes=brown"), {brown})
        self.own.stop()
        self.own.start()
        self.assertEqual(self.ids("Patient?eyes=brown"), {brown})
        self.well()

    def test_writers_and_a_change_of_parameters_at_once_lose_nothing(self):
        colors = {}
        stop = threading.Event()

        def write(name):
            with self.own.connect() as connection:
                for n in range(10_000):
                    if stop.is_set():
                        return
                    color = f"{name}{n % 3}"
                    reply = connection.request("PUT", f"/fhir/Patient/{name}{n % 40}", json.dumps(patient(color, id=f"{name}{n % 40}")),
                                               self.token, {"Content-Type": "application/fhir+json"})
                    if reply.status in (200, 201):
                        colors[f"{name}{n % 40}"] = color

        writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for writer in writers:
            writer.start()
        try:
            kept = self.post(definition())
            self.until_complete(1)
            for status in ("retired", "active", "retired", "active"):
                self.put({**kept, "status": status})
                self.until_complete(1 if status == "active" else 0)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertGreater(len(colors), 100)
        for color in sorted(set(colors.values())):
            self.assertEqual(self.ids(f"Patient?eyes={color}&_count=1000"), {key for key, value in colors.items() if value == color})
        self.well()

    def test_what_cannot_be_indexed_is_refused_with_a_reason(self):
        for change, words in (({"expression": "Patient.where("}, "FHIRPath"), ({"expression": ""}, None), ({"base": ["Nobody"]}, None),
                              ({"code": "a.b"}, "URL"), ({"type": "special"}, "special"), ({"base": []}, None),
                              ({"type": "composite"}, "components")):
            resource = {key: value for key, value in definition(**change).items() if value != [] and value != ""}
            reply = self.own.request("POST", "/fhir/SearchParameter", json.dumps(resource), self.token,
                                     {"Content-Type": "application/fhir+json"})
            self.assertIn(reply.status, (400, 422), (change, reply.body))
            if words:
                self.assertIn(words, reply.body.decode())
        self.post(definition(status="draft", expression="Patient.where("))  # says nothing yet
        self.assertEqual(self.index()["parameters"], 0)

    def test_codes_of_r4_stay_what_they_are(self):
        self.post(definition(code="gender", expression="Patient.name.family", type="string"))
        self.post(definition(code="eyes"))
        self.post(definition(code="eyes", url="http://example.org/other", expression="Patient.gender"))
        self.until_complete(1)
        male = self.post(patient("brown", gender="male"))["id"]
        self.assertEqual(self.ids("Patient?gender=male"), {male})
        self.assertEqual(self.ids("Patient?eyes=brown"), {male})

    def test_the_capability_statement_names_it_to_those_who_have_signed_in(self):
        self.post(definition())
        self.until_complete(1)

        def names(token):
            statement = harness.json_of(self.own.request("GET", "/fhir/metadata", token=token))
            types = {each["type"]: each for each in statement["rest"][0]["resource"]}
            return {each["name"]: each["definition"] for each in types["Patient"]["searchParam"]}

        self.assertEqual(names(self.token).get("eyes"), "http://example.org/SearchParameter/eyes")
        self.assertNotIn("eyes", names(None))

    def test_the_index_is_written_again_while_searches_go_on(self):
        brown = self.post(patient("brown"))["id"]
        self.post(definition())
        self.until_complete(1)
        done = json.loads(self.own.cli("reindex", "--data", self.own.data, "--json", check=True).stdout)
        self.assertEqual((done["state"], done["answers"], done["parameters"]), ("complete", True, 1))
        self.assertEqual(self.ids("Patient?eyes=brown"), {brown})
        self.assertEqual(self.ids("Patient?family=grimes"), {brown})
        self.well()
        self.assertIn("index-changed", {entry["event"] for entry in self.own.audit()})

    def test_explain_shows_the_plan_to_who_may_see_it(self):
        self.post(patient("brown"))
        token = os.path.join(self.own.root, "explain-token")
        with open(token, "w", encoding="utf-8") as file:
            file.write(self.token)
        url = f"https://localhost:{self.own.port}/fhir"
        shown = self.own.cli("explain", "Patient?family=grimes&gender=male", "--url", url, "--ca", self.own.made["ca"], "--token-file", token, "--json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertTrue(any("rows" in step for step in json.loads(shown.stdout)["steps"]), shown.stdout)
        doctor = self.own.person("explainer", "doctor")
        with open(token, "w", encoding="utf-8") as file:
            file.write(self.own.token_of(doctor))
        refused = self.own.cli("explain", "Patient?family=grimes", "--url", url, "--ca", self.own.made["ca"], "--token-file", token)
        self.assertEqual(refused.returncode, 4, refused.stdout)


if __name__ == "__main__":
    unittest.main()

"""Random searches give exactly what a slow evaluator gives that shares no code with the server, in the order of _sort,
across pages of any size, while a writer changes other resources.

TACENDA_SEED repeats a run; TACENDA_QUERIES is the number of random queries of each test. What they are asked of: the
patients of samples/, or those whose bundles lie in the folder TACENDA_SYNTHEA, and the official examples that the server
takes.
"""

import collections
import json
import os
import pathlib
import random
import sys
import threading
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402
import search_case  # noqa: E402
from evaluator import Evaluator, Page, problems  # noqa: E402

SEED = int(os.environ.get("TACENDA_SEED") or random.randrange(2**31))
QUERIES = int(os.environ.get("TACENDA_QUERIES") or 200)
CHANGED = 40  # searched resources that change between two phases


class Writer(threading.Thread):
    """Creates, updates and deletes copies of stored resources that carry the tag of the noise, until it is stopped.

    They would be found by what they hold; they refer to noise alone, so no chain leads from them to the rest."""

    def __init__(self, server, token, models, seed):
        super().__init__(daemon=True)
        self.server, self.token, self.chance = server, token, random.Random(seed)
        self.models = [one for one in models if one["resourceType"] in ("Patient", "Practitioner", "Organization")]
        self.stopped, self.writes, self.problem = threading.Event(), 0, None

    def body(self, type_=None):
        model = self.chance.choice([one for one in self.models if type_ in (None, one["resourceType"])])
        kept = {name: value for name, value in model.items() if name not in ("id", "meta", "contained") and
                '"reference"' not in json.dumps(value)}
        return {**kept, "meta": {"tag": [search_case.NOISE]}}

    def run(self):
        try:
            with self.server.connect() as connection:
                living = []
                while not self.stopped.is_set():
                    self.write(connection, living)
                    self.writes += 1
        except Exception as problem:  # told by the test's own thread
            self.problem = problem

    def write(self, connection, living):
        if len(living) < 20 or self.chance.random() < 0.3:
            body = self.body()
            reply = connection.request("POST", "/fhir/" + body["resourceType"], body, self.token)
            living.append((body["resourceType"], harness.json_of(reply)["id"]))
        elif self.chance.random() < 0.5:
            type_, id_ = self.chance.choice(living)
            reply = connection.request("PUT", f"/fhir/{type_}/{id_}", {**self.body(type_), "id": id_}, self.token)
        else:
            type_, id_ = living.pop(self.chance.randrange(len(living)))
            reply = connection.request("DELETE", f"/fhir/{type_}/{id_}", token=self.token)
        if reply.status >= 400:
            raise AssertionError(f"a write failed: {reply}")


class SearchProperty(search_case.SearchCase):
    seed = f"seed {SEED}"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"seed {SEED}, {QUERIES} queries per test", file=sys.stderr)

    def check_random(self, resources, seed=SEED):
        evaluator = self.evaluator(resources)
        chance = random.Random(seed)
        failures, telling = [], 0
        with self.server.connect() as connection:
            for query in evaluator.ask(queries=QUERIES, seed=seed)["queries"]:
                count = chance.choice((1, 2, 7, 50, 1000, None))
                found, expected = self.wrong(connection, query, count, chance.random() < 0.25, evaluator)
                failures += found
                telling += 0 < expected["total"] < len(resources)
        self.assertGreater(telling, QUERIES // 4, "most queries find something")
        self.report(failures, QUERIES)

    def check_feeding(self, resources):
        """Each resource is found by each search parameter that its content feeds."""
        evaluator = self.evaluator(resources)
        places = collections.defaultdict(set)
        for row in evaluator.ask(feeding=SEED)["queries"]:
            places[row["query"]].add(row["place"])
        failures = []
        with self.server.connect() as connection:
            for query, fed in places.items():
                found, expected = self.wrong(connection, query, 1000, False, evaluator)
                failures += found
                self.assertLessEqual(fed, set(expected["ids"]), query)
        self.report(failures, len(places))

    def change(self, resources):
        """Gives some of the searched resources the content of others of their type."""
        chance = random.Random(SEED)
        changed = 0
        with self.server.connect() as connection:
            for one in chance.sample(resources, min(len(resources), 2 * CHANGED)):
                others = [each for each in resources if each["resourceType"] == one["resourceType"] and each is not one]
                if not others or changed == CHANGED:
                    continue
                place = search_case.place_of(one)
                body = {name: value for name, value in chance.choice(others).items() if name not in ("id", "meta")}
                reply = connection.request("PUT", "/fhir/" + place, {**body, "id": one["id"]}, self.token)
                self.assertEqual(reply.status, 200, reply.body[:500])
                resources[resources.index(one)] = self.read(connection, place)
                changed += 1
        self.assertGreater(changed, 0)

    def check_while_writing(self, load):
        with self.server.connect() as connection:
            resources = load(connection)
        writer = Writer(self.server, self.token, resources, SEED)
        writer.start()
        try:
            self.check_random(resources)
            self.change(resources)
            self.check_random(resources, SEED + 1)
        finally:
            writer.stopped.set()
            writer.join()
        if writer.problem:
            raise writer.problem
        self.assertGreater(writer.writes, 0)


class SyntheaSearch(SearchProperty):
    loaded = []
    loaded_samples = []

    def test_searches_of_synthea_patients_give_what_the_evaluator_gives_while_a_writer_runs(self):
        self.check_while_writing(self.load_samples)


class ExampleSearch(SearchProperty):
    archive = "fhir-r4-examples.tar.zst"
    loaded = []
    loaded_samples = []

    def test_searches_of_the_official_examples_give_what_the_evaluator_gives_while_a_writer_runs(self):
        self.check_while_writing(self.load_examples)

    def test_every_official_example_is_found_by_every_search_parameter_that_its_content_feeds(self):
        with self.server.connect() as connection:
            self.check_feeding(self.load_examples(connection))


class BundleSearch(SearchProperty):
    archive = "fhir-r4-examples.tar.zst"
    loaded = []

    IN_BUNDLES = {  # a query, and how many bundles of the examples it finds
        "Bundle?composition.title:contains=a": 1, "Bundle?composition.subject:missing=false": 1,
        "Bundle?composition.author.name=a": 1, "Bundle?composition=180f219f-97a8-486d-99d9-ed631fe4fc57": 1,
        "Bundle?composition._id=180f219f-97a8-486d-99d9-ed631fe4fc57": 1, "Bundle?composition.status:not=final": 0,
        "Bundle?composition._id:missing=false": 1, "Bundle?composition._lastUpdated=gt2000": 1, "Bundle?composition:below=1": 3,
        "Bundle?composition:Patient._id=example": 2, "Bundle?composition:Patient.name=chalmers": 4,
        "Bundle?message.source-uri:missing=false": 2, "Bundle?composition=Patient/example": 2,
        "Bundle?_include=*": 32, "Bundle?_include=Bundle:composition": 32,
        "Patient?_has:Bundle:composition:type=batch-response": 0, "Patient?_id=example&_revinclude=Bundle:composition": 1}

    def test_what_lies_in_a_bundle_is_looked_into_and_leads_to_no_resource_of_the_same_name(self):
        with self.server.connect() as connection:
            evaluator = self.evaluator(self.load_examples(connection))
            for query, expected in self.IN_BUNDLES.items():
                with self.subTest(query):
                    found, wanted = self.wrong(connection, query, 50, False, evaluator)
                    self.assertEqual((found, wanted["total"]), ([], expected))


class UsCoreSearch(SearchProperty):
    archive = "us-core-examples.tar.zst"
    loaded = []
    loaded_samples = []

    def test_every_us_core_example_is_found_by_every_search_parameter_that_its_content_feeds(self):
        with self.server.connect() as connection:
            self.check_feeding(self.load_examples(connection))


class Comparison(unittest.TestCase):
    """The comparison itself can fail."""

    QUERY = "Observation?_sort=date&_include=Observation:subject"

    def setUp(self):
        self.evaluator = Evaluator()
        self.addCleanup(self.evaluator.close)
        subject = {"reference": "Patient/p"}
        observations = [{"resourceType": "Observation", "id": f"o{number}", "subject": subject,
                         "effectiveDateTime": f"2020-01-0{number // 2 + 1}"} for number in range(6)]
        self.evaluator.load([*observations, {"resourceType": "Patient", "id": "p"}], "")
        self.expected = self.evaluator.ask(search=self.QUERY)

    def page(self, ids, includes=("Patient/p",), total=6):
        entries = [{"resource": {"resourceType": "Observation", "id": id_}, "search": {"mode": "match"}} for id_ in ids]
        for place in includes:
            type_, id_ = place.split("/")
            entries.append({"resource": {"resourceType": type_, "id": id_}, "search": {"mode": "include"}})
        return Page({"resourceType": "Bundle", "entry": entries, "total": total})

    def wrong(self, *pages):
        return problems(self.QUERY, 4, pages, self.expected, self.evaluator)

    def test_right_pages_are_right(self):
        self.assertEqual(self.wrong(self.page(["o1", "o0", "o2", "o3"]), self.page(["o5", "o4"])), [])

    def test_each_difference_is_seen(self):
        last = self.page(["o4", "o5"])
        for pages, word in (
            ((self.page(["o0", "o1", "o2"]), last), "missing"),
            ((self.page(["o0", "o1", "o2", "o3"]), self.page(["o4", "o5", "o9"])), "surplus"),
            ((self.page(["o0", "o1", "o2", "o3"]), self.page(["o3", "o4", "o5"])), "repeated"),
            ((self.page(["o0", "o2", "o1", "o3"]), last), "order"),
            ((self.page(["o0", "o1", "o2", "o3"], total=5), last), "total"),
            ((self.page(["o0", "o1", "o2", "o3"], includes=()), last), "includes: missing"),
            ((self.page(["o0", "o1", "o2", "o3"], includes=("Patient/p", "Patient/q")), last), "surplus"),
            ((self.page(["o0", "o1", "o2", "o3", "o4", "o5"]),), "on a page of"),
        ):
            self.assertIn(word, " ".join(self.wrong(*pages)), word)


del SearchProperty  # a base alone

if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

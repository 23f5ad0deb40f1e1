"""Random searches give exactly what a slow evaluator gives that shares no code with the server, in the order of _sort,
across pages of any size, while a writer changes other resources.

TACENDA_SEED repeats a run; TACENDA_QUERIES is the number of random queries of each test. What they are asked of: two
patients of samples/ and the official examples that the server takes.
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

    def check_random(self, resources):
        evaluator = self.evaluator(resources)
        chance = random.Random(SEED)
        failures, telling = [], 0
        with self.server.connect() as connection:
            for query in evaluator.ask(queries=QUERIES, seed=SEED)["queries"]:
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

    def check_while_writing(self, load):
        with self.server.connect() as connection:
            resources = load(connection)
        writer = Writer(self.server, self.token, resources, SEED)
        writer.start()
        try:
            self.check_random(resources)
        finally:
            writer.stopped.set()
            writer.join()
        if writer.problem:
            raise writer.problem
        self.assertGreater(writer.writes, 0)


class SyntheaSearch(SearchProperty):
    def test_searches_of_synthea_patients_give_what_the_evaluator_gives_while_a_writer_runs(self):
        self.check_while_writing(self.load_samples)


class ExampleSearch(SearchProperty):
    archive = "fhir-r4-examples.tar.zst"
    loaded = []

    def test_searches_of_the_official_examples_give_what_the_evaluator_gives_while_a_writer_runs(self):
        self.check_while_writing(self.load_examples)

    def test_every_official_example_is_found_by_every_search_parameter_that_its_content_feeds(self):
        with self.server.connect() as connection:
            self.check_feeding(self.load_examples(connection))


class UsCoreSearch(SearchProperty):
    archive = "us-core-examples.tar.zst"
    loaded = []

    def test_every_us_core_example_is_found_by_every_search_parameter_that_its_content_feeds(self):
        with self.server.connect() as connection:
            self.check_feeding(self.load_examples(connection))


def codings(value):
    """The codings with a system anywhere within a value."""
    if isinstance(value, list):
        return [coding for one in value for coding in codings(one)]
    if not isinstance(value, dict):
        return []
    own = [(value["system"], value["code"])] if "system" in value and "code" in value else []
    return own + [coding for one in value.values() for coding in codings(one)]


def terminology(systems):
    """R4's own code systems of these URLs, and its value sets that are made of them or list their codes."""
    with tarfile.open(fileobj=io.BytesIO(inflated((VECTORS / "fhir-r4-valuesets.tar.zst").read_bytes()))) as files:
        entries = [entry["resource"] for name in files.getnames()
                   for entry in json.loads(files.extractfile(name).read())["entry"]]
    # The evaluator does not follow the property `child`.
    known = {one["url"]: one for one in entries if one["resourceType"] == "CodeSystem" and one["url"] in systems and
             one["content"] == "complete" and '"child"' not in json.dumps(one.get("property", []))}
    parts = {one["url"]: [*one["compose"]["include"], *one["compose"].get("exclude", [])] for one in entries
             if one["resourceType"] == "ValueSet" and "compose" in one}
    sets = [one for one in entries if one["url"] in parts and
            all((part.get("system") in known or "concept" in part) and "valueSet" not in part for part in parts[one["url"]])]
    return list(known.values()), sets


class TerminologySearch(SearchProperty):
    archive = "fhir-r4-examples.tar.zst"
    loaded = []

    def store(self, connection, resources):
        stored = []
        for one in resources:
            one = {name: value for name, value in one.items() if name not in ("text", "meta")}
            reply = connection.request("PUT", "/fhir/" + place_of(one), one, self.token)
            self.assertIn(reply.status, (200, 201), reply.body[:500])
            stored.append(self.read(connection, place_of(one)))
        return stored

    def queries(self, resources, systems, sets, chance):
        """What asks for the codings of the resources by value sets and by subsumption."""
        statement = harness.json_of(self.server.request("GET", "/fhir/metadata", token=self.token))
        tokens = {(row["type"], one["name"]) for row in statement["rest"][0]["resource"] for one in row["searchParam"]
                  if one["type"] == "token"}
        by_system = collections.defaultdict(list)
        for one in sets:
            for part in one["compose"]["include"]:
                by_system[part["system"]].append(one["url"])
        known, made = {one["url"] for one in systems}, set()
        for resource in resources:
            for name, value in resource.items():
                key = (resource["resourceType"], name.lower())
                for system, code in codings(value) if key in tokens else []:
                    own = [f"{system}|{code}"] if system in known else []
                    for modifier, asked in (("in", by_system[system]), ("not-in", by_system[system]),
                                            ("below", own), ("above", own)):
                        if asked:
                            made.add(f"{key[0]}?{key[1]}:{modifier}={urllib.parse.quote(chance.choice(asked), safe='')}")
        return chance.sample(sorted(made), min(len(made), QUERIES))

    def test_searches_by_value_sets_and_subsumption_give_what_the_evaluator_gives(self):
        chance = random.Random(SEED)
        failures, telling = [], 0
        with self.server.connect() as connection:
            resources = self.load_examples(connection)
            systems, sets = terminology({system for system, _ in codings(resources)})
            definitions = self.store(connection, systems + sets)
            places = {place_of(one) for one in definitions}
            resources = [one for one in resources if place_of(one) not in places] + definitions
            evaluator = self.evaluator(resources)
            queries = self.queries(resources, systems, sets, chance)
            self.assertGreater(len(queries), 50)
            for query in queries:
                found, expected = self.wrong(connection, query, chance.choice((2, 50, None)), False, evaluator)
                failures += found
                telling += expected["total"] > 0
        self.assertGreater(telling, len(queries) // 2, "most queries find something")
        self.report(failures, len(queries))


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

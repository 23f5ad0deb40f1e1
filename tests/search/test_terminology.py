"""Searches by value sets and by subsumption (:in, :not-in, :below, :above) over R4's own examples, code systems and
value sets find what the slow evaluator finds, which shares no code with the server.

TACENDA_SEED repeats a run; TACENDA_QUERIES is the number of queries.
"""

import collections
import io
import json
import os
import pathlib
import random
import sys
import tarfile
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402
import search_case  # noqa: E402
from search_case import place_of  # noqa: E402

SEED = int(os.environ.get("TACENDA_SEED") or random.randrange(2**31))
QUERIES = int(os.environ.get("TACENDA_QUERIES") or 200)


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
    packed = (search_case.VECTORS / "fhir-r4-valuesets.tar.zst").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(search_case.inflated(packed))) as files:
        entries = [entry["resource"] for name in files.getnames()
                   for entry in json.loads(files.extractfile(name).read())["entry"]]
    # The evaluator does not follow the property `child`.
    known = {one["url"]: one for one in entries if one["resourceType"] == "CodeSystem" and one["url"] in systems and
             one["content"] == "complete" and '"child"' not in json.dumps(one.get("property", []))}
    parts = {one["url"]: [*one["compose"]["include"], *one["compose"].get("exclude", [])] for one in entries
             if one["resourceType"] == "ValueSet" and "compose" in one}
    sets = [one for one in entries if one["url"] in parts and
            all((part.get("system") in known or "concept" in part) and "valueSet" not in part
                for part in parts[one["url"]])]
    return list(known.values()), sets


class TerminologySearch(search_case.SearchCase):
    archive = "fhir-r4-examples.tar.zst"
    loaded = []
    loaded_samples = []
    seed = f"seed {SEED}"

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
                            picked = urllib.parse.quote(chance.choice(asked), safe="")
                            made.add(f"{key[0]}?{key[1]}:{modifier}={picked}")
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


if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

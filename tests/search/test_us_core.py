"""The 76 searches that US Core 3.1.1 requires of a server, asked as its conformance tests ask them, by values of
conformant resources: GET and POST, a reference with and without its type, a code with and without its system,
several values and comparators where they are required. Each answer is compared with the slow evaluator's."""

import itertools
import json
import pathlib
import sys
import unittest
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import npm  # noqa: E402
import search_case  # noqa: E402

SEARCHES = json.loads((search_case.VECTORS / "us-core-searches.json").read_text())
# The vital signs of FHIR itself are known by their code: an example need not name their profile.
CODES = {"bodyheight": "8302-2", "bodytemp": "8310-5", "bp": "85354-9", "bodyweight": "29463-7", "heartrate": "8867-4",
         "resprate": "9279-1"}
RESOURCES_MAX = 4  # of a profile whose values are asked for
# No example of this profile is published with the others.
ROLE = {"resourceType": "PractitionerRole", "id": "us-core-role",
        "meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitionerrole"]},
        "practitioner": {"reference": "Practitioner/practitioner-1"},
        "specialty": [{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "208D00000X"}]}],
        "telecom": [{"system": "phone", "value": "555-0100"}]}


def at(resource, path):
    """The values of an element, of a choice of types too."""
    for name, value in resource.items():
        if name == path or (name.startswith(path) and name[len(path):len(path) + 1].isupper()):
            yield from value if isinstance(value, list) else [value]


def spellings(value, kind):
    """The ways in which a conformance test asks for a value."""
    if kind == "Reference":
        reference = value.get("reference", "")
        return [reference, reference.split("/")[-1]] if "/" in reference else []
    if kind == "CodeableConcept":
        codings = [one for one in value.get("coding", []) if "code" in one]
        return [text for one in codings[:2] for text in
                (one["code"], *([f"{one['system']}|{one['code']}"] if "system" in one else []))]
    if kind == "Identifier":
        return [value["value"], f"{value['system']}|{value['value']}"] if "system" in value else [value["value"]]
    if kind == "HumanName":
        return [value[part] for part in ("family", "text") if part in value] + value.get("given", [])[:1]
    if kind == "Address":
        return [value[part] for part in ("text", "city", "state", "postalCode") if part in value]
    if kind == "Period" or isinstance(value, dict):
        return [value[part] for part in ("start", "end") if part in value]
    return [value]


def escaped(text):
    return "".join("\\" + one if one in "\\,$" else one for one in text)


def values(resource, parameter):
    """What is asked of a parameter by the content of a resource: plain values, then those with comparators."""
    plain = [text if "|" in text else escaped(text) for path in parameter["paths"] for value in at(resource, path)
             for text in spellings(value, parameter["type"])]
    dates = [prefix + plain[0][:10] for prefix in parameter["shall"]] if plain else []
    return list(dict.fromkeys([*plain[:4], *dates]))


def queries(row, resource):
    """Searches of one row by the content of one resource; the first value of each parameter varies the others."""
    columns = [values(resource, one) for one in row["parameters"]]
    names = [one["name"] for one in row["parameters"]]
    if not all(columns):
        return
    for picked in itertools.islice(itertools.product(*columns), 24):
        parts = [f"{name}={urllib.parse.quote(value, safe='')}" for name, value in zip(names, picked)]
        yield f"{row['resource']}?" + "&".join(parts)


class UsCore(search_case.SearchCase):
    archive = "us-core-examples.tar.zst"
    loaded = []
    loaded_samples = []

    def examples_of(self, row, resources):
        profile, code = row["profile"], CODES.get(row["group"])
        of_type = [one for one in resources if one["resourceType"] == row["resource"]]
        by_profile = [one for one in of_type if profile in
                      [name.split("|")[0] for name in one.get("meta", {}).get("profile", [])]]
        if code:
            by_profile = [one for one in of_type if code in
                          [coding.get("code") for coding in one["code"].get("coding", [])]]
        telling = ([one for one in group if any(queries(row, one))] for group in (by_profile, of_type))
        return next(filter(None, telling), [])[:RESOURCES_MAX]

    def test_the_searches_that_us_core_requires_find_what_the_evaluator_finds(self):
        with self.server.connect() as connection:
            resources = [*self.load_examples(connection), *self.load_samples(connection)]
            place = search_case.place_of(ROLE)
            connection.request("PUT", "/fhir/" + place, ROLE, self.token)
            resources.append(self.read(connection, place))
            evaluator = self.evaluator(resources)
            failures, asked = [], 0
            for number, row in enumerate(SEARCHES):
                hits = 0
                for resource in self.examples_of(row, resources):
                    for turn, query in enumerate(queries(row, resource)):
                        found, expected = self.wrong(connection, query, 50, turn % 2 == 1, evaluator)
                        failures += found
                        hits += resource["id"] in [place.split("/")[1] for place in expected["ids"]]
                        asked += 1
                if hits == 0:
                    failures.append(f"search {number} of {row['group']} finds no resource that conforms")
                failures += self.several(connection, row, resources, evaluator)
        self.assertGreater(asked, 5 * len(SEARCHES))
        self.report(failures, asked)

    def several(self, connection, row, resources, evaluator):
        """Several values of a parameter, where they are required."""
        failures = []
        for parameter in row["parameters"]:
            if not parameter["or"]:
                continue
            examples = self.examples_of(row, resources)
            others = [one for one in row["parameters"] if one is not parameter]
            many = ",".join(dict.fromkeys(values(one, parameter)[0] for one in examples)) + ",unknown"
            query = f"{row['resource']}?{parameter['name']}={many}" + "".join(
                f"&{one['name']}={urllib.parse.quote(values(examples[0], one)[0], safe='')}" for one in others)
            failures += self.wrong(connection, query, 50, False, evaluator)[0]
        return failures


if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

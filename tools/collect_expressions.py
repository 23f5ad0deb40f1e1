#!/usr/bin/env python3
"""Collects every FHIRPath expression of the R4 definitions for the tests of room fhirpath.

usage: collect_expressions.py DEFINITIONS OUT

DEFINITIONS is the folder that tools/reduce_definitions.py reads; OUT is tests/vectors/fhir-r4-expressions.json:
search parameters (id, base types, expression) and invariants (key, path of their element, expression).
"""
import json
import pathlib
import sys

FILES = ("Bundle-types.json", "Bundle-resources.json", "Bundle-profiles-others.json", "Bundle-extensions.json")
# Every element or resource repeats these.
INHERITED = (("ele-", "Element"), ("ext-", "Extension"), ("dom-", "DomainResource"))


def resources(folder, name, kind):
    for entry in json.loads((folder / name).read_text())["entry"]:
        if entry["resource"]["resourceType"] == kind:
            yield entry["resource"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    parameters = [{"id": each["id"], "base": each["base"], "expression": each["expression"]}
                  for each in resources(folder, "Bundle-searchParams.json", "SearchParameter") if "expression" in each]
    invariants = {}
    for name in FILES:
        for structure in resources(folder, name, "StructureDefinition"):
            core = structure.get("derivation") != "constraint" and structure["kind"] != "logical"
            for element in structure.get("snapshot", {}).get("element", []):
                for rule in element.get("constraint", []):
                    if "expression" not in rule:
                        continue
                    place = element["path"] if core else ""
                    place = next((base for start, base in INHERITED if rule["key"].startswith(start)), place)
                    invariants.setdefault((rule["key"], place, rule["expression"]), rule["severity"])
    rows = [{"key": key, "path": path, "severity": severity, "expression": expression}
            for (key, path, expression), severity in sorted(invariants.items())]
    lines = ['{"parameters":[', ",\n".join(json.dumps(row) for row in parameters), '],"invariants":[',
             ",\n".join(json.dumps(row) for row in rows), "]}", ""]
    pathlib.Path(sys.argv[2]).write_text("\n".join(lines))
    print(f"{len(parameters)} search parameters, {len(rows)} invariants")


if __name__ == "__main__":
    main()

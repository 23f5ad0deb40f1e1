#!/usr/bin/env python3
"""Turns the official FHIRPath Patch suite from XML into JSON, which the tests read; copies the JSON Patch suite.

usage: convert_patch_suite.py DEFINITIONS SUITE OUT

DEFINITIONS is the folder that tools/reduce_definitions.py reads; SUITE is r4/ of fhir-test-cases; OUT is
tests/vectors/fhir-test-cases. The same files always give the same output.
"""
import pathlib
import shutil
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import convert_fhirpath_suite  # noqa: E402
import reduce_definitions  # noqa: E402


def cases_of(suite, converter):
    """One row per case: a resource, the patch, and what comes out (nothing: the patch must fail)."""
    for case in suite.iter("case"):
        row = {"name": case.get("name"), "mode": case.get("mode")}
        for tag, name in (("input", "input"), ("diff", "patch"), ("output", "output")):
            if case.find(tag) is not None:
                row[name] = converter.resource(case.find(tag)[0])
        yield row


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    definitions = reduce_definitions.Definitions(pathlib.Path(sys.argv[1]))
    source, out = pathlib.Path(sys.argv[2]) / "patch", pathlib.Path(sys.argv[3])
    converter = convert_fhirpath_suite.Converter(definitions)
    cases = list(cases_of(ElementTree.parse(source / "fhir-patch-tests.xml").getroot(), converter))
    write = convert_fhirpath_suite.write
    (out / "fhir-patch-tests.json").write_text("[\n" + ",\n".join(write(row) for row in cases) + "\n]\n")
    shutil.copyfile(source / "json-patch-tests.json", out / "json-patch-tests.json")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()

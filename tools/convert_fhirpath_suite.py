#!/usr/bin/env python3
"""Turns the official FHIRPath suite and its inputs from XML into JSON, which the tests read.

usage: convert_fhirpath_suite.py DEFINITIONS SUITE OUT

DEFINITIONS is the folder that tools/reduce_definitions.py reads; SUITE is r4/ of fhir-test-cases; OUT is
tests/vectors/fhir-test-cases. The same files always give the same output. Numbers keep their text.
"""
import json
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import reduce_definitions  # noqa: E402

FHIR = "{http://hl7.org/fhir}"
XHTML = "http://www.w3.org/1999/xhtml"
NUMBERS = {"decimal", "integer", "positiveInt", "unsignedInt"}


class Number(str):
    """The text of a JSON number."""


class Converter:
    def __init__(self, definitions):
        self.nodes = {node.path: node for node in reduce_definitions.all_nodes(definitions)}

    def resource(self, element):
        kind = element.tag.removeprefix(FHIR)
        return {"resourceType": kind, **self.children(element, self.nodes[kind])}

    def children(self, element, node):
        rows = {row.name: row for row in node.elements}
        out = {name: value for name, value in element.attrib.items() if name in rows}
        for child in element:
            name = re.sub(r"\{.*\}", "", child.tag)
            row = rows[name]
            value, shadow = self.value(child, row)
            if not row.flags & reduce_definitions.REPEATS:
                if value is not None:
                    out[name] = value
                if shadow:
                    out["_" + name] = shadow
                continue
            out.setdefault(name, []).append(value)
            out.setdefault("_" + name, []).append(shadow or None)
        for name in [name for name in out if name.startswith("_") and isinstance(out[name], list)]:
            if not any(out[name]):
                del out[name]
            elif not any(value is not None for value in out[name[1:]]):
                del out[name[1:]]
        return out

    def value(self, element, row):
        """(value, `_` sibling) of one XML element."""
        if row.type == "xhtml":
            return self.xhtml(element), None
        if row.type == "Resource":
            return self.resource(element[0]), None
        if row.type in self.nodes:
            return self.children(element, self.nodes[row.type]), None
        text = element.get("value")
        shadow = self.children(element, self.nodes["Element"])
        if text is None:
            return None, shadow
        if row.type == "boolean":
            return {"true": True, "false": False}[text], shadow
        return (Number(text) if row.type in NUMBERS else text), shadow

    @staticmethod
    def xhtml(element):
        ElementTree.register_namespace("", XHTML)
        tail, element.tail = element.tail, None
        text = ElementTree.tostring(element, encoding="unicode")
        element.tail = tail
        return text


def write(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{write(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def cases_of(suite):
    """One row per test: where it stands, what it is evaluated on and what must come out."""
    for group in suite.iter("group"):
        for test in group.iter("test"):
            expression = test.find("expression")
            row = {"group": group.get("name"), "name": test.get("name"), "expression": expression.text}
            invalid = expression.get("invalid") or test.get("invalid")
            if test.get("inputfile"):
                row["input"] = pathlib.PurePath(test.get("inputfile")).stem + ".json"
            for name, value in (("invalid", invalid), ("mode", test.get("mode")), ("predicate", test.get("predicate")),
                                ("ordered", test.get("ordered"))):
                if value:
                    row[name] = value
            row["outputs"] = [{"type": output.get("type") or "", "value": output.text or ""}
                              for output in test.findall("output")]
            yield row


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    definitions = reduce_definitions.Definitions(pathlib.Path(sys.argv[1]))
    source, out = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    converter = Converter(definitions)
    suite = ElementTree.parse(source / "fhirpath" / "tests-fhir-r4.xml").getroot()
    cases = list(cases_of(suite))
    (out / "tests-fhir-r4.json").write_text("[\n" + ",\n".join(write(row) for row in cases) + "\n]\n")
    inputs = {test.get("inputfile") for test in suite.iter("test") if test.get("inputfile")}
    for name in sorted(inputs):
        if name.endswith(".json"):
            shutil.copyfile(source / name, out / name)
            continue
        resource = converter.resource(ElementTree.parse(source / name).getroot())
        (out / (pathlib.PurePath(name).stem + ".json")).write_text(write(resource) + "\n")
    print(f"{len(cases)} cases, {len(inputs)} inputs")


if __name__ == "__main__":
    main()

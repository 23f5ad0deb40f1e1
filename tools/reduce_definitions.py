#!/usr/bin/env python3
"""Reduces the FHIR R4 definitions to the tables that the server uses.

usage: reduce_definitions.py FOLDER [OUT]

FOLDER holds the unpacked definitions (npm package hl7.fhir.r4.examples@4.0.1, CC0-1.0): Bundle-resources.json,
Bundle-types.json, Bundle-searchParams.json and CompartmentDefinition-patient.json, and what reduce_rules.py
names (value sets, with their expansions). OUT is src/fhir/generated (the default). The same definitions always
give the same files.

What comes out:
  tables.cpp      resource types; element paths of the Patient compartment
  type_codes.hpp  one number per primitive type, and those of the types that the code names
  elements.cpp    every element of every resource type, data type and backbone: name, type, cardinality,
                  targets of references; read through fhir/elements.hpp
  rules.cpp, value_sets.cpp  what validation asks: see reduce_rules.py
"""
import dataclasses
import json
import pathlib
import re
import sys

import reduce_rules

SIMPLE_PATH = re.compile(r"[A-Za-z]+(\.[A-Za-z]+)+")
PROFILE = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"
WIDTH = 110

# Bits of Element::flags, as in src/fhir/elements.hpp.
REPEATS, ATTRIBUTE, CHOICE, SUMMARY, MODIFIER = 1, 2, 4, 8, 16
# Types that the code asks for by name.
NAMED_TYPES = ["Attachment", "CodeableConcept", "Coding", "Element", "Extension", "Identifier", "Meta", "Narrative", "Quantity", "Reference",
               "Resource"]


# --- reading ------------------------------------------------------------------------------------------

class Definitions:
    """The files of the specification, as far as they are read."""

    def __init__(self, folder):
        self.folder = folder
        self.compartment = self.load("CompartmentDefinition-patient.json")
        self.structures = {}  # name -> StructureDefinition; profiles and logical models left out
        for name in ("Bundle-types.json", "Bundle-resources.json"):
            for entry in self.load(name)["entry"]:
                resource = entry["resource"]
                if resource["resourceType"] != "StructureDefinition" or resource["kind"] == "logical":
                    continue
                if resource.get("derivation") != "constraint":
                    self.structures[resource["type"]] = resource
        self.parameters = {}  # (type, code) -> SearchParameter
        for entry in self.load("Bundle-searchParams.json")["entry"]:
            for base in entry["resource"]["base"]:
                self.parameters[(base, entry["resource"]["code"])] = entry["resource"]
        versions = {structure["fhirVersion"] for structure in self.structures.values()}
        if len(versions) != 1:
            sys.exit(f"definitions of several versions: {sorted(versions)}")
        self.version = versions.pop()

    def load(self, name):
        return json.loads((self.folder / name).read_text())

    def of_kind(self, kind):
        return sorted(name for name, structure in self.structures.items() if structure["kind"] == kind)

    def concrete_resources(self):
        return [name for name in self.of_kind("resource") if not self.structures[name]["abstract"]]


# --- search parameters and compartments -----------------------------------------------------------------

def paths_of(parameter, resource_type):
    """Element paths below the type. `resolve() is T` follows from the reference's own text, so it is dropped."""
    paths = set()
    for expression in parameter.get("expression", "").split("|"):
        expression = expression.strip().removesuffix(".where(resolve() is Patient)")
        if not re.search(rf"\b{resource_type}\b", expression):
            continue
        if not SIMPLE_PATH.fullmatch(expression) or not expression.startswith(resource_type + "."):
            sys.exit(f"{resource_type}: expression {expression!r} is beyond this tool")
        paths.add(expression.removeprefix(resource_type + "."))
    if not paths:
        sys.exit(f"{resource_type}: parameter {parameter['code']} has no path")
    return paths


def patient_compartment(definitions):
    rows = set()
    for resource in definitions.compartment["resource"]:
        for code in resource.get("param", []):
            for path in paths_of(definitions.parameters[(resource["code"], code)], resource["code"]):
                rows.add((resource["code"], code, path))
    rows.discard(("Patient", "link", "link.other"))  # a link is not a second compartment: see compartment.hpp
    rows.add(("Patient", "{def}", "id"))
    return sorted(rows)


# --- elements -------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Element:
    name: str      # as in JSON: "valueQuantity"
    type: str      # a primitive, a data type, or the path of a backbone: "Observation.component"
    slot: int      # ordinal of the definition in its node: all of value[x] share one
    stem: int      # length of the definition's name: 5 for value[x]
    flags: int
    targets: tuple


@dataclasses.dataclass
class Node:
    """What has properties: a resource type, a data type, or a backbone within one."""
    path: str
    elements: list
    required: int  # bit per slot


def type_of(definition, type_row):
    if type_row["code"] != SYSTEM_STRING:
        return type_row["code"]
    if definition["base"]["path"] == "Resource.id":
        return "id"  # the snapshot says string; resource.html says id
    return "uri" if definition["path"] == "Extension.url" else "string"


def targets_of(type_row):
    return tuple(sorted(url.removeprefix(PROFILE) for url in type_row.get("targetProfile", [])))


def elements_of(definition, slot, is_backbone):
    """The JSON properties of one ElementDefinition: several for a choice."""
    name = definition["path"].rsplit(".", 1)[1]
    stem = name.removesuffix("[x]")
    flags = REPEATS if definition["max"] == "*" else 0
    flags |= ATTRIBUTE if "xmlAttr" in definition.get("representation", []) else 0
    flags |= SUMMARY if definition.get("isSummary") else 0
    flags |= MODIFIER if definition.get("isModifier") else 0
    if "contentReference" in definition:
        return [Element(name, definition["contentReference"].removeprefix("#"), slot, len(stem), flags, ())]
    if is_backbone:
        return [Element(name, definition["path"], slot, len(stem), flags, ())]
    if name == stem:
        rows = definition["type"]
        if len(rows) != 1:
            sys.exit(f"{definition['path']}: several types, and no choice")
        kind = type_of(definition, rows[0])
        return [Element(name, kind, slot, len(stem), flags | (ATTRIBUTE if kind == "xhtml" else 0), targets_of(rows[0]))]
    return [Element(stem + row["code"][0].upper() + row["code"][1:], row["code"], slot, len(stem), flags | CHOICE,
                    targets_of(row)) for row in definition["type"]]


def nodes_of(structure):
    """The structure's own node and those of its backbones, in the order of the definition."""
    definitions = structure["snapshot"]["element"]
    parents = {definition["path"].rsplit(".", 1)[0] for definition in definitions[1:]}
    nodes = {}
    for definition in definitions:
        path = definition["path"]
        if path in parents:
            nodes[path] = Node(path, [], 0)
        if "." not in path or definition["max"] == "0":
            continue
        node = nodes[path.rsplit(".", 1)[0]]
        slot = node.elements[-1].slot + 1 if node.elements else 0
        node.elements += elements_of(definition, slot, path in parents)
        if definition["min"] > 1 or definition["max"] not in ("1", "*"):
            sys.exit(f"{path}: cardinality {definition['min']}..{definition['max']} is beyond this tool")
        node.required |= definition["min"] << slot
    for node in nodes.values():
        if len(node.elements) > 255 or node.elements[-1].slot > 63:
            sys.exit(f"{node.path}: too many elements for the table")
    return list(nodes.values())


def all_nodes(definitions):
    nodes = []
    for name in definitions.of_kind("complex-type") + definitions.of_kind("resource"):
        nodes += nodes_of(definitions.structures[name])
    return nodes


def hash_of(name):
    """fhir/elements.cpp computes the same."""
    data = name.encode()
    first = int.from_bytes(data[:8], "little")
    last = int.from_bytes(data[-8:], "little")
    mixed = (first ^ (last * 0x9E3779B97F4A7C15) ^ len(data)) * 0xD6E8FEB86659FD93
    return (mixed & 0xFFFFFFFFFFFFFFFF) >> 40


def slots_of(node):
    """Open addressing with linear probing, at most half full: 0 is empty, else the element's index + 1."""
    size = 1 << (2 * len(node.elements) - 1).bit_length()
    slots = [0] * size
    for index, element in enumerate(node.elements):
        place = hash_of(element.name) % size
        while slots[place]:
            place = (place + 1) % size
        slots[place] = index + 1
    return slots


# --- writing --------------------------------------------------------------------------------------------

class Pool:
    """Texts in one literal, each once; a text is known by its number."""

    def __init__(self):
        self.numbers = {}

    def number(self, text):
        return self.numbers.setdefault(text, len(self.numbers))


def wrapped(items, indent="    "):
    """Comma-separated items on lines of at most WIDTH."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > WIDTH:
            lines.append(line)
            line = indent
        line += item + ","
    return lines + [line]


def array(kind, name, items):
    return [f"constexpr {kind} {name}[] = {{", *wrapped(items), "};", ""]


def banner(definitions, *includes):
    return [f"// Generated by tools/reduce_definitions.py from the HL7 FHIR R4 definitions {definitions.version} "
            "(CC0-1.0). Do not edit.", "// clang-format off", *includes, ""]


def path_table(name, rows):
    return [f"constexpr Path {name}[] = {{", *[f'    {{"{kind}", "{code}", "{path}"}},' for kind, code, path in rows], "};", ""]


def tables_file(definitions):
    return [
        *banner(definitions, '#include "fhir/generated/tables.hpp"'),
        "namespace tacenda::fhir::generated {",
        "namespace {",
        "",
        "constexpr std::string_view kTypes[] = {",
        *[f'    "{name}",' for name in definitions.concrete_resources()],
        "};",
        "",
        *path_table("kPatientPaths", patient_compartment(definitions)),
        "}  // namespace",
        "",
        "std::span<std::string_view const> resource_types() { return kTypes; }",
        "std::span<Path const> patient_paths() { return kPatientPaths; }",
        "",
        "}  // namespace tacenda::fhir::generated",
    ]


def type_codes(definitions, nodes):
    """Primitive types first, then nodes in their order."""
    names = definitions.of_kind("primitive-type") + [node.path for node in nodes]
    return {name: code for code, name in enumerate(names)}


def constant(name):
    return "k" + name[0].upper() + name[1:]


def type_codes_file(definitions, nodes):
    codes = type_codes(definitions, nodes)
    primitives = definitions.of_kind("primitive-type")
    return [
        *banner(definitions, "#pragma once", "", "#include <cstdint>"),
        "namespace tacenda::fhir {",
        "",
        "/// Number of a type: a primitive type, or kFirstNode + index of a node (fhir/elements.hpp).",
        "enum class TypeCode : std::uint16_t {",
        *[f"  {constant(name)} = {codes[name]}," for name in primitives],
        f"  kFirstNode = {len(primitives)},",
        *[f"  {constant(name)} = {codes[name]}," for name in NAMED_TYPES],
        "};",
        "",
        "}  // namespace tacenda::fhir",
    ]


def elements_file(definitions, nodes):
    codes = type_codes(definitions, nodes)
    pool, target_sets = Pool(), {(): 0}
    element_lines, node_lines, slots, first = [], [], [], 0
    for node in nodes:
        rows = []
        for e in node.elements:
            targets = target_sets.setdefault(e.targets, len(target_sets))
            rows.append(f"{{{pool.number(e.name)},{codes[e.type]},{targets},{e.slot},{e.stem},{e.flags}}}")
        element_lines += [f"    // {node.path}", *wrapped(rows)]
        own = slots_of(node)
        node_lines.append(f"    {{{pool.number(node.path)},{first},{len(slots)},{len(own) - 1},{len(rows)},"
                          f"{node.required:#x}}},")
        first += len(rows)
        slots += own
    target_items, target_starts = [], []
    for targets in target_sets:
        target_starts.append(str(len(target_items)))
        target_items += [str(pool.number(name)) for name in targets]
    target_starts.append(str(len(target_items)))
    offsets, text = [], ""
    for name in pool.numbers:
        offsets.append(str(len(text)))
        text += name
    offsets.append(str(len(text)))
    concrete = definitions.concrete_resources()
    return [
        *banner(definitions, '#include "fhir/generated/element_tables.hpp"'),
        "namespace tacenda::fhir::generated {",
        "namespace {",
        "",
        "constexpr char kText[] =",
        *[f'    "{text[at:at + WIDTH - 6]}"' for at in range(0, len(text), WIDTH - 6)],
        "    ;",
        "",
        *array("std::uint16_t", "kTextStarts", offsets),
        "// {name, type, target set, slot, stem, flags}",
        "constexpr Element kElements[] = {",
        *element_lines,
        "};",
        "",
        "// {path, first element, first hash slot, hash mask, elements, required slots}",
        "constexpr Node kNodes[] = {",
        *node_lines,
        "};",
        "",
        *array("std::uint8_t", "kHashSlots", [str(slot) for slot in slots]),
        *array("std::uint16_t", "kTargetStarts", target_starts),
        *array("std::uint16_t", "kTargets", target_items),
        "// In the order of resource_types().",
        *array("std::uint16_t", "kResourceTypes", [str(codes[name]) for name in concrete]),
        "}  // namespace",
        "",
        f'std::string_view fhir_version() {{ return "{definitions.version}"; }}',
        "ElementTables const kTables = {kText, kTextStarts, kElements, kNodes, kHashSlots, kTargetStarts, kTargets,",
        "                               kResourceTypes};",
        "",
        "}  // namespace tacenda::fhir::generated",
    ]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    definitions = Definitions(pathlib.Path(sys.argv[1]))
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else "src/fhir/generated")
    nodes = all_nodes(definitions)
    rules = reduce_rules.all_rules(definitions, nodes)
    value_sets = reduce_rules.ValueSets(definitions.load)
    this = sys.modules[__name__]
    for name, lines in (("tables.cpp", tables_file(definitions)),
                        ("type_codes.hpp", type_codes_file(definitions, nodes)),
                        ("elements.cpp", elements_file(definitions, nodes)),
                        ("rules.cpp", reduce_rules.rules_file(definitions, nodes, rules, this)),
                        ("value_sets.cpp", reduce_rules.value_sets_file(definitions, rules, value_sets, this))):
        (out / name).write_text("\n".join(lines) + "\n")
    print(f"{len(definitions.concrete_resources())} resource types, {len(nodes)} nodes, "
          f"{sum(len(node.elements) for node in nodes)} elements, "
          f"{len(patient_compartment(definitions))} patient paths")


if __name__ == "__main__":
    main()

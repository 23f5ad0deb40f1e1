#!/usr/bin/env python3
"""Reduces the R4 SearchParameters to the table that the server uses.

usage: reduce_search_parameters.py FOLDER [OUT]

FOLDER holds the unpacked definitions (npm package hl7.fhir.r4.examples@4.0.1, CC0-1.0), of which
the search parameters, structures, value sets and compartments are read. OUT is src/fhir/generated (the default). The same
definitions always give the same file: search_parameters.cpp, one row for each base type and code, with the branches
of the expression that concern that base.
"""
import json
import pathlib
import re
import sys

TYPES = {"number": "kNumber", "date": "kDate", "string": "kString", "token": "kToken", "reference": "kReference",
         "composite": "kComposite", "quantity": "kQuantity", "uri": "kUri", "special": "kSpecial"}
ABSTRACT = ("Resource", "DomainResource")


def branches(expression):
    """The operands of the outermost unions."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(expression):
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "|" and depth == 0:
            parts.append(expression[start:index].strip())
            start = index + 1
    return parts + [expression[start:].strip()]


def expression_for(base, expression):
    """The branches that begin at the base. A branch that begins at no type concerns every base."""
    kept = []
    for branch in branches(expression):
        head = re.match(r"\(*([A-Za-z]+)", branch)
        if head is None:
            sys.exit(f"{base}: branch {branch!r} is beyond this tool")
        if head.group(1) == base or head.group(1)[0].islower():
            kept.append(branch)
    return " | ".join(kept)


def literal(text):
    return json.dumps(text)


class CodeSystems:
    """The code systems that a required binding implies for elements of type code."""

    def __init__(self, folder):
        def resources(name):
            return [entry["resource"] for entry in json.loads((folder / name).read_text())["entry"]]

        self.value_sets = {resource["url"]: resource
                           for name in ("Bundle-valuesets", "Bundle-v2-valuesets", "Bundle-v3-valuesets",
                                        "Bundle-terminologies")
                           for resource in resources(name + ".json") if resource["resourceType"] == "ValueSet"}
        self.elements = {}  # path -> ElementDefinition
        for name in ("Bundle-resources.json", "Bundle-types.json"):
            for resource in resources(name):
                if resource["resourceType"] == "StructureDefinition" and resource.get("derivation") != "constraint":
                    for element in resource["snapshot"]["element"]:
                        self.elements[element["path"]] = element

    def of_value_set(self, url, seen):
        bare = url.split("|")[0]
        if bare in seen or bare not in self.value_sets:
            return []
        seen.add(bare)
        found = []
        for include in self.value_sets[bare].get("compose", {}).get("include", []):
            if "system" in include:
                found.append(include["system"])
            else:
                for nested in include.get("valueSet", []):
                    found += self.of_value_set(nested, seen)
        return found

    def of_path(self, path):
        """Follows the names of `path` through the types; empty when it leads to no bound code."""
        names = path.split(".")
        place = names[0]
        for index, name in enumerate(names[1:]):
            element = self.elements.get(f"{place}.{name}")
            if element is None:
                return []
            if index + 2 == len(names):
                binding = element.get("binding", {})
                is_code = any(row["code"] == "code" for row in element.get("type", []))
                if not is_code or binding.get("strength") != "required" or "valueSet" not in binding:
                    return []
                return sorted(set(self.of_value_set(binding["valueSet"], set())))
            types = [row["code"] for row in element.get("type", [])]
            backbone = not types or types[0] in ("BackboneElement", "Element")
            place = element.get("contentReference", "#" + element["path"])[1:] if backbone else types[0]
        return []

    def of_expression(self, expression):
        found = set()
        for branch in branches(expression):
            if re.fullmatch(r"[A-Za-z]+(\.[A-Za-z]+)+", branch):
                found.update(self.of_path(branch))
        return tuple(sorted(found))


def compartments_of(folder, concrete):
    rows = set()
    for name in ("patient", "encounter", "practitioner", "relatedPerson", "device"):
        definition = json.loads((folder / f"CompartmentDefinition-{name}.json").read_text())
        for resource in definition["resource"]:
            for code in resource.get("param", []):
                if resource["code"] in concrete:
                    rows.add((definition["code"], resource["code"], code))
    return sorted(rows)


def rows_of(definitions, concrete, code_systems):
    by_url = {parameter["url"]: parameter for parameter in definitions}
    rows = []
    for parameter in definitions:
        for base in parameter["base"]:
            if base not in concrete and base not in ABSTRACT:
                continue
            expression = expression_for(base, parameter.get("expression", "")) if parameter.get("expression") else ""
            components = [(TYPES[by_url[component["definition"]]["type"]], component["expression"])
                          for component in parameter.get("component", [])]
            targets = parameter.get("target", [])
            if parameter["type"] == "reference" and (not targets or "Resource" in targets):
                targets = []
            rows.append((base, parameter["code"], TYPES[parameter["type"]], expression, parameter["url"],
                         tuple(sorted(set(targets))), tuple(components),
                         code_systems.of_expression(expression) if parameter["type"] == "token" else ()))
    rows.sort()
    names = [(row[0], row[1]) for row in rows]
    if len(set(names)) != len(names):
        sys.exit("a base has two parameters of one code")
    return rows


def file_of(rows, compartments, version):
    targets, components, systems = {}, {}, {}
    target_items, component_items, system_items = [], [], []
    for row in rows:
        if row[5] not in targets:
            targets[row[5]] = (len(target_items), len(row[5]))
            target_items += row[5]
        if row[6] not in components:
            components[row[6]] = (len(component_items), len(row[6]))
            component_items += row[6]
        if row[7] not in systems:
            systems[row[7]] = (len(system_items), len(row[7]))
            system_items += row[7]
    lines = [
        f"// Generated by tools/reduce_search_parameters.py from the HL7 FHIR R4 definitions {version} (CC0-1.0). "
        "Do not edit.",
        "// clang-format off",
        '#include "fhir/generated/search_parameters.hpp"',
        "",
        "namespace tacenda::fhir::generated {",
        "namespace {",
        "",
        "constexpr std::string_view kTargets[] = {",
        *[f"    {literal(item)}," for item in target_items],
        "};",
        "",
        "constexpr SearchComponent kComponents[] = {",
        *[f"    {{SearchType::{kind}, {literal(expression)}}}," for kind, expression in component_items],
        "};",
        "",
        "constexpr std::string_view kSystems[] = {",
        *[f"    {literal(item)}," for item in system_items],
        "};",
        "",
        "constexpr std::span<std::string_view const> kTargetSpan(kTargets);",
        "constexpr std::span<std::string_view const> kSystemSpan(kSystems);",
        "constexpr std::span<SearchComponent const> kComponentSpan(kComponents);",
        "",
        "constexpr SearchParameter kParameters[] = {",
    ]
    for base, code, kind, expression, url, target, component, system in rows:
        first, count = targets[target]
        first_system, system_count = systems[system]
        first_component, component_count = components[component]
        lines.append(f"    {{{literal(base)}, {literal(code)}, SearchType::{kind}, {literal(expression)}, "
                     f"{literal(url)}, kTargetSpan.subspan({first}, {count}), "
                     f"kComponentSpan.subspan({first_component}, {component_count}), "
                     f"kSystemSpan.subspan({first_system}, {system_count})}},")
    return lines + [
        "};",
        "",
        "constexpr CompartmentParameter kCompartments[] = {",
        *[f"    {{{literal(name)}, {literal(base)}, {literal(code)}}}," for name, base, code in compartments],
        "};",
        "",
        "}  // namespace",
        "",
        "std::span<SearchParameter const> search_parameters() { return kParameters; }",
        "std::span<CompartmentParameter const> compartment_parameters() { return kCompartments; }",
        "",
        "}  // namespace tacenda::fhir::generated",
    ]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else "src/fhir/generated")
    definitions = [entry["resource"] for entry in json.loads((folder / "Bundle-searchParams.json").read_text())["entry"]]
    structures = [entry["resource"] for entry in json.loads((folder / "Bundle-resources.json").read_text())["entry"]]
    concrete = {structure["type"] for structure in structures
                if structure["resourceType"] == "StructureDefinition" and structure["kind"] == "resource"
                and not structure["abstract"]}
    versions = {structure["fhirVersion"] for structure in structures if "fhirVersion" in structure}
    rows = rows_of(definitions, concrete, CodeSystems(folder))
    compartments = compartments_of(folder, concrete)
    (out / "search_parameters.cpp").write_text("\n".join(file_of(rows, compartments, versions.pop())) + "\n")
    print(f"{len(rows)} search parameters of {len({row[0] for row in rows})} base types, "
          f"{len(compartments)} of compartments")


if __name__ == "__main__":
    main()

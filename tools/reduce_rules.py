"""What validation asks of the FHIR R4 definitions beyond the element table: bindings, invariants, value sets.

Used by reduce_definitions.py. Writes
  rules.cpp       invariants of every node, and of every element its binding and invariants; read through
                  fhir/validate_rules.hpp
  value_sets.cpp  system and code of every value set that has a required or extensible binding and whose
                  expansion is whole; read through fhir/validate_codes.hpp
"""
import dataclasses
import sys

PROFILE = "http://hl7.org/fhir/StructureDefinition/"
VALUE_SET_FILES = ["Bundle-valuesets.json", "Bundle-v2-valuesets.json", "Bundle-v3-valuesets.json",
                   "Bundle-terminologies.json"]
EXPANSIONS = "Bundle-valueset-expansions.json"
MAX_VALUE_SET = PROFILE + "elementdefinition-maxValueSet"
STRENGTHS = {"example": 0, "preferred": 1, "extensible": 2, "required": 3}  # BindingStrength in validate_rules.hpp
# fhir/validate.cpp holds these in code (they stand on every element, or need no expression), dom-2 is a
# question of structure.
BUILT_IN = {"ele-1", "ext-1", "ref-1", "dom-2", "sqty-1"}
SIMPLE_QUANTITY = PROFILE + "SimpleQuantity"
# Systems whose codes the definitions do not list, while the expansion of HL7 does, in whole.
WHOLE_SYSTEMS = {"urn:iso:std:iso:4217"}


# --- value sets -----------------------------------------------------------------------------------------

class ValueSets:
    """Codes of value sets, where the expansion that HL7 publishes is the whole set."""

    def __init__(self, load):
        self.systems, self.sets = {}, {}
        for name in VALUE_SET_FILES:
            for resource in (entry["resource"] for entry in load(name)["entry"]):
                if resource["resourceType"] == "CodeSystem":
                    self.systems[resource["url"]] = resource
                elif resource["resourceType"] == "ValueSet":
                    self.sets[resource["url"]] = resource
        self.expansions = {entry["resource"]["url"]: entry["resource"] for entry in load(EXPANSIONS)["entry"]}

    def codes(self, url):
        """Sorted (code, system) of the set; None when they are not known in whole."""
        if not self._is_whole(url, set()):
            return None
        found = set()
        rows = list(self.expansions[url]["expansion"].get("contains", []))
        while rows:
            row = rows.pop()
            rows += row.get("contains", [])
            if "code" in row and not row.get("abstract"):
                found.add((row["code"], row["system"]))
        return sorted(found, key=lambda pair: (pair[0].encode(), pair[1].encode())) or None

    def _is_whole(self, url, above):
        definition, expanded = self.sets.get(url), self.expansions.get(url)
        if definition is None or expanded is None or url in above:
            return False
        marks = {extension["url"].rsplit("/", 1)[1] for extension in expanded["expansion"].get("extension", [])}
        if marks & {"valueset-toocostly", "valueset-unclosed"}:
            return False
        for include in definition.get("compose", {}).get("include", []):
            if any(not self._is_whole(part.split("|")[0], above | {url}) for part in include.get("valueSet", [])):
                return False
            system = include.get("system")
            if system and "concept" not in include and system not in WHOLE_SYSTEMS and (
                    self.systems.get(system, {}).get("content") != "complete"):
                return False
        return "compose" in definition


# --- rules ----------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Rule:
    """What an element must hold beyond its shape."""
    slot: int
    strength: int = 0
    value_set: str = ""
    constraints: tuple = ()
    simple_quantity: bool = False

    def says_something(self):
        return bool(self.value_set or self.constraints or self.simple_quantity)


def constraints_of(definition):
    return tuple((row["key"], row["severity"] == "warning", row["human"], row["expression"])
                 for row in definition.get("constraint", []) if row["key"] not in BUILT_IN)


def binding_of(definition):
    """Strength and value set. A maximum value set is one that is required."""
    binding = definition.get("binding")
    if binding is None or "valueSet" not in binding:
        return 0, ""
    strength, url = STRENGTHS[binding["strength"]], binding["valueSet"]
    for extension in binding.get("extension", []):
        if extension["url"] == MAX_VALUE_SET and strength < 3:
            strength, url = 3, extension["valueCanonical"]
    return (strength, url.split("|")[0]) if strength else (0, "")


def rules_of(structure, nodes):
    """Node path -> (constraints, rules), for the nodes of one definition."""
    found = {path: [(), []] for path in nodes}
    for definition in structure["snapshot"]["element"]:
        path = definition["path"]
        if path in nodes:
            found[path][0] = constraints_of(definition)
            continue
        if "." not in path or definition["max"] == "0" or "contentReference" in definition:
            continue
        parent, name = path.rsplit(".", 1)
        stem = name.removesuffix("[x]")
        slots = {e.slot for e in nodes[parent].elements if e.name[:e.stem] == stem}
        if len(slots) != 1:
            sys.exit(f"{path}: no slot of its own")
        strength, value_set = binding_of(definition)
        profiles = {url for row in definition["type"] for url in row.get("profile", [])}
        if profiles - {SIMPLE_QUANTITY}:
            sys.exit(f"{path}: profile {profiles} is beyond this tool")
        rule = Rule(slots.pop(), strength, value_set, constraints_of(definition), bool(profiles))
        if rule.says_something():
            found[parent][1].append(rule)
    return found


def all_rules(definitions, nodes):
    by_path = {node.path: node for node in nodes}
    found = {}
    for name, structure in definitions.structures.items():
        own = {path: node for path, node in by_path.items() if path == name or path.startswith(name + ".")}
        if own:
            found.update(rules_of(structure, own))
    return found


# --- writing --------------------------------------------------------------------------------------------

class Texts:
    """Texts in one literal, each once. A text is (start, size)."""

    def __init__(self):
        self.numbers, self.data, self.starts = {}, b"", []

    def number(self, text):
        if text not in self.numbers:
            self.numbers[text] = len(self.starts)
            self.starts.append(len(self.data))
            self.data += text.encode()
        return self.numbers[text]

    def lines(self, out):
        """The literal in pieces (a piece ends no escape), and where each text starts."""
        pieces, piece = [], ""
        for byte in self.data:
            if byte in b'"\\?':
                piece += "\\" + chr(byte)
            elif 32 <= byte < 127:
                piece += chr(byte)
            else:
                piece += f"\\{byte:03o}"
            if len(piece) >= out.WIDTH - 10:
                pieces.append(piece)
                piece = ""
        return ["constexpr char kText[] =", *[f'    "{part}"' for part in [*pieces, piece]], "    ;", "",
                *out.array("std::uint32_t", "kTextStarts", [str(at) for at in [*self.starts, len(self.data)]])]


def bound_sets(rules):
    """URL -> the strongest binding to it."""
    found = {}
    for _, rows in rules.values():
        for rule in rows:
            if rule.value_set:
                found[rule.value_set] = max(found.get(rule.value_set, 0), rule.strength)
    return dict(sorted(found.items(), key=lambda item: item[0].encode()))


def rules_file(definitions, nodes, rules, out):
    texts = Texts()
    sets = {url: index for index, url in enumerate(bound_sets(rules))}
    constraints, groups = {}, {(): 0}

    def group_of(rows):
        for row in rows:
            constraints.setdefault(row, len(constraints))
        return groups.setdefault(rows, len(groups))

    node_rows, rule_rows = [], []
    for node in nodes:
        own, rows = rules[node.path]
        node_rows.append(f"{{{group_of(own)},{len(rule_rows)},{len(rows)}}}")
        for rule in sorted(rows, key=lambda rule: rule.slot):
            number = sets[rule.value_set] if rule.value_set else 0
            rule_rows.append(f"{{{number},{group_of(rule.constraints)},{rule.slot},{rule.strength},"
                             f"{int(rule.simple_quantity)}}}")
    constraint_rows = [f"{{{texts.number(key)},{texts.number(human)},{texts.number(expression)},{int(warning)}}}"
                       for key, warning, human, expression in constraints]
    members, starts = [], []
    for group in groups:
        starts.append(str(len(members)))
        members += [str(constraints[row]) for row in group]
    starts.append(str(len(members)))
    return [
        *out.banner(definitions, '#include "fhir/generated/rule_tables.hpp"'),
        "namespace tacenda::fhir::generated {", "namespace {", "",
        *texts.lines(out),
        "// {key, human, expression, is a warning}",
        *out.array("ConstraintRow", "kConstraints", constraint_rows),
        *out.array("std::uint16_t", "kGroupStarts", starts),
        *out.array("std::uint16_t", "kGroups", members),
        "// {value set, group of constraints, slot, strength, simple quantity}",
        *out.array("RuleRow", "kRules", rule_rows),
        "// {group of constraints, first rule, rules}; in the order of the nodes",
        *out.array("NodeRules", "kNodeRules", node_rows),
        "}  // namespace", "",
        "RuleTables const kRuleTables = {kText, kTextStarts, kConstraints, kGroupStarts, kGroups, kRules, kNodeRules};",
        "", "}  // namespace tacenda::fhir::generated",
    ]


def value_sets_file(definitions, rules, value_sets, out):
    texts, set_rows, code_rows = Texts(), [], []
    for url, strength in bound_sets(rules).items():
        codes = (value_sets.codes(url) or []) if strength >= STRENGTHS["extensible"] else []
        set_rows.append(f"{{{texts.number(url)},{len(code_rows)},{len(codes)}}}")
        code_rows += [f"{{{texts.number(code)},{texts.number(system)}}}" for code, system in codes]
    return [
        *out.banner(definitions, '#include "fhir/generated/rule_tables.hpp"'),
        "namespace tacenda::fhir::generated {", "namespace {", "",
        *texts.lines(out),
        "// {url, first code, codes}; sorted by url; no codes: not known here",
        *out.array("ValueSetRow", "kValueSets", set_rows),
        "// {code, system}; sorted by code within a set",
        *out.array("CodeRow", "kCodes", code_rows),
        "}  // namespace", "",
        "ValueSetTables const kValueSetTables = {kText, kTextStarts, kValueSets, kCodes};",
        "", "}  // namespace tacenda::fhir::generated",
    ]

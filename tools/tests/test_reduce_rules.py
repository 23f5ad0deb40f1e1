"""tools/reduce_rules.py: bindings and invariants become rows; a value set counts only when it is known in whole."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import reduce_definitions as definitions_tool  # noqa: E402
import reduce_rules as tool  # noqa: E402

SYSTEM = {"resourceType": "CodeSystem", "url": "http://e/system", "content": "complete"}


def element(path, **more):
    return {"path": path, "min": 0, "max": "1", "type": [{"code": "code"}], "base": {"path": path}, **more}


def constraint(key, severity="error"):
    return {"key": key, "severity": severity, "human": f"human of {key}", "expression": "true"}


def value_set(*includes):
    return {"resourceType": "ValueSet", "url": "http://e/set", "compose": {"include": list(includes)}}


def expansion(*codes, **more):
    return {"resourceType": "ValueSet", "url": "http://e/set",
            "expansion": {"contains": [{"system": "http://e/system", "code": code} for code in codes], **more}}


def codes_of(definition, expanded, system=SYSTEM):
    def load(name):
        resources = {tool.VALUE_SET_FILES[0]: [definition, system], tool.EXPANSIONS: [expanded]}.get(name, [])
        return json.loads(json.dumps({"entry": [{"resource": resource} for resource in resources]}))
    return tool.ValueSets(load).codes("http://e/set")


class ReduceRules(unittest.TestCase):
    def rules(self, *elements):
        structure = {"type": "Basic", "kind": "resource", "snapshot": {"element": [
            element("Basic", constraint=[constraint("bas-1"), constraint("ele-1")]), *elements]}}
        nodes = {node.path: node for node in definitions_tool.nodes_of(structure)}
        return tool.rules_of(structure, nodes)["Basic"]

    def test_invariants_of_a_node_are_its_own_without_those_that_stand_in_code(self):
        constraints, _ = self.rules(element("Basic.code"))
        self.assertEqual([row[0] for row in constraints], ["bas-1"])

    def test_an_element_that_says_nothing_has_no_rule(self):
        _, rules = self.rules(element("Basic.code"), element("Basic.kind", constraint=[constraint("b-2", "warning")]))
        self.assertEqual([(rule.slot, rule.constraints) for rule in rules],
                         [(1, (("b-2", True, "human of b-2", "true"),))])

    def test_a_binding_is_its_value_set_without_version_and_an_example_is_none(self):
        _, rules = self.rules(
            element("Basic.code", binding={"strength": "required", "valueSet": "http://e/set|4.0.1"}),
            element("Basic.kind", binding={"strength": "example", "valueSet": "http://e/set"}))
        self.assertEqual([(rule.slot, rule.strength, rule.value_set) for rule in rules], [(0, 3, "http://e/set")])

    def test_a_maximum_value_set_is_required(self):
        extension = {"url": tool.MAX_VALUE_SET, "valueCanonical": "http://e/all"}
        _, rules = self.rules(element("Basic.code", binding={
            "strength": "preferred", "valueSet": "http://e/set", "extension": [extension]}))
        self.assertEqual((rules[0].strength, rules[0].value_set), (3, "http://e/all"))

    def test_a_profile_that_is_no_simple_quantity_stops_the_tool(self):
        with self.assertRaises(SystemExit):
            self.rules(element("Basic.code", type=[{"code": "code", "profile": ["http://e/profile"]}]))

    def test_codes_are_sorted_with_their_systems(self):
        self.assertEqual(codes_of(value_set({"system": "http://e/system"}), expansion("b", "a")),
                         [("a", "http://e/system"), ("b", "http://e/system")])

    def test_a_set_that_is_not_whole_has_no_codes(self):
        whole = value_set({"system": "http://e/system"})
        mark = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "valueBoolean": True}
        self.assertIsNone(codes_of(whole, expansion("a", extension=[mark])))
        self.assertIsNone(codes_of(whole, expansion("a"), {**SYSTEM, "content": "fragment"}))
        self.assertIsNone(codes_of(value_set({"system": "http://e/other"}), expansion("a")))
        self.assertIsNone(codes_of(value_set({"valueSet": ["http://e/unknown"]}), expansion("a")))
        self.assertIsNone(codes_of(value_set({"valueSet": ["http://e/set"]}), expansion("a")))
        self.assertIsNone(codes_of(whole, {**expansion("a"), "url": "http://e/other"}))

    def test_listed_codes_are_whole_whatever_their_system(self):
        listed = value_set({"system": "http://e/other", "concept": [{"code": "a"}]})
        self.assertEqual(codes_of(listed, expansion("a")), [("a", "http://e/system")])


if __name__ == "__main__":
    unittest.main()

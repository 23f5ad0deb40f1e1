"""tools/reduce_definitions.py: choices, backbones and cardinalities become rows; what it cannot reduce stops it."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import reduce_definitions as tool  # noqa: E402
from tree import TreeTest  # noqa: E402


def element(path, kind=None, low=0, high="1", **more):
    types = [{"code": code} for code in kind.split()] if kind else []
    return {"path": path, "min": low, "max": high, "base": {"path": more.pop("base", path)}, "type": types, **more}


def structure(name, kind, *elements, abstract=False):
    return {"resourceType": "StructureDefinition", "type": name, "kind": kind, "abstract": abstract,
            "derivation": "specialization", "fhirVersion": "4.0.1",
            "snapshot": {"element": [element(name), *elements]}}


OBSERVATION = structure(
    "Observation", "resource",
    element("Observation.id", tool.SYSTEM_STRING, base="Resource.id"),
    element("Observation.subject", "Reference"),
    element("Observation.value[x]", "string Reference", low=1),
    element("Observation.component", "BackboneElement", high="*"),
    element("Observation.component.code", "code", low=1),
    element("Observation.component.component", high="*", contentReference="#Observation.component"))


class ReduceDefinitions(TreeTest):
    def definitions(self, *structures, parameters=()):
        def bundle(resources):
            return json.dumps({"entry": [{"resource": resource} for resource in resources]})
        primitives = [structure(name, "primitive-type") for name in ("code", "id", "string")]
        self.write("Bundle-types.json", bundle([*primitives, structure("Reference", "complex-type",
                                                                       element("Reference.reference", "string"))]))
        self.write("Bundle-resources.json", bundle(structures))
        self.write("Bundle-searchParams.json", bundle(parameters))
        self.write("CompartmentDefinition-patient.json", json.dumps(
            {"resource": [{"code": "Observation", "param": ["subject"]}, {"code": "Basic"}]}))
        return tool.Definitions(self.root)

    def observation(self):
        return {node.path: node for node in tool.all_nodes(self.definitions(OBSERVATION))}

    def test_a_choice_is_one_slot_with_a_name_for_each_type(self):
        rows = {e.name: e for e in self.observation()["Observation"].elements}
        self.assertEqual(list(rows), ["id", "subject", "valueString", "valueReference", "component"])
        self.assertEqual(rows["valueString"].slot, rows["valueReference"].slot)
        self.assertEqual(rows["valueString"].stem, len("value"))
        self.assertEqual(self.observation()["Observation"].required, 1 << rows["valueString"].slot)

    def test_the_id_of_a_resource_is_an_id(self):
        self.assertEqual(self.observation()["Observation"].elements[0].type, "id")

    def test_a_backbone_is_a_node_and_may_refer_to_itself(self):
        component = self.observation()["Observation.component"]
        self.assertEqual([(e.name, e.type) for e in component.elements],
                         [("code", "code"), ("component", "Observation.component")])
        self.assertEqual(component.elements[1].flags, tool.REPEATS)

    def test_every_element_is_found_by_its_hash(self):
        for node in self.observation().values():
            slots = tool.slots_of(node)
            for index, row in enumerate(node.elements):
                place = tool.hash_of(row.name) % len(slots)
                while slots[place] != index + 1:
                    self.assertNotEqual(slots[place], 0, row.name)
                    place = (place + 1) % len(slots)

    def test_a_parameter_is_reduced_to_the_paths_of_its_type(self):
        parameter = {"base": ["Observation"], "code": "subject", "resourceType": "SearchParameter",
                     "expression": "Basic.subject | Observation.subject.where(resolve() is Patient)"}
        definitions = self.definitions(OBSERVATION, parameters=[parameter])
        self.assertEqual(tool.patient_compartment(definitions),
                         [("Observation", "subject", "subject"), ("Patient", "{def}", "id")])

    def test_an_expression_beyond_a_path_stops_the_tool(self):
        for expression in ("(Observation.subject as Reference)", "Observation.subject.first()", "Basic.subject"):
            with self.assertRaises(SystemExit):
                tool.paths_of({"code": "subject", "expression": expression}, "Observation")

    def test_a_cardinality_beyond_the_table_stops_the_tool(self):
        two = structure("Basic", "resource", element("Basic.code", "code", high="2"))
        with self.assertRaises(SystemExit):
            tool.all_nodes(self.definitions(two))

    def test_definitions_of_two_versions_stop_the_tool(self):
        with self.assertRaises(SystemExit):
            self.definitions({**OBSERVATION, "fhirVersion": "5.0.0"})

    def test_no_line_is_longer_than_the_tree_allows(self):
        for line in tool.wrapped([str(number) for number in range(1000)]):
            self.assertLessEqual(len(line), tool.WIDTH)
        self.assertEqual(re.sub(r"\s", "", "".join(tool.wrapped(["1", "2"]))), "1,2,")


if __name__ == "__main__":
    unittest.main()

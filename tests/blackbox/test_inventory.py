"""The CapabilityStatement and what is really served are the same, crawled both ways (W-08)."""

import collections
import unittest

import harness
from harness import json_of

NOTHING = "there is nothing at this address"

# Every interaction of FHIR R4 (http.html), by its code.
OF_TYPE = {
    "read": ("GET", "{type}/x"),
    "vread": ("GET", "{type}/x/_history/1"),
    "update": ("PUT", "{type}/x"),
    "patch": ("PATCH", "{type}/x"),
    "delete": ("DELETE", "{type}/x"),
    "history-instance": ("GET", "{type}/x/_history"),
    "history-type": ("GET", "{type}/_history"),
    "create": ("POST", "{type}"),
    "search-type": ("GET", "{type}"),
}
OF_SYSTEM = {
    "transaction": ("POST", ""),
    "batch": ("POST", ""),
    "search-system": ("GET", "?_type=Patient"),
    "history-system": ("GET", "_history"),
}

# Every operation that R4 and the guides beside it define (operationslist.html; Bulk Data; IPS), and some that nobody does.
OPERATIONS = """versions convert graphql validate meta meta-add meta-delete conforms implements subset apply data-requirements
    lookup validate-code subsumes find-matches document translate closure everything find evaluate-measure care-gaps submit
    submit-data collect-data process-message transform expand lastn stats match merge questionnaire snapshot populate
    preferred-id export export-poll-status import summary docref purge reindex delete-history diff stats debug admin
    break-glass member-match""".split()
# What has operations in the specification, and one that has none.
OPERATED = ("Patient", "Observation", "ValueSet", "CodeSystem", "Group", "Bundle", "ConceptMap", "Encounter", "Measure",
            "StructureDefinition", "PlanDefinition", "Basic")


class Inventory(harness.TestCase):
    policy = "classic"  # its administrator may do everything: what he is refused is not there for anybody
    config = harness.UNLIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()
        rest, = json_of(cls.server.request("GET", "/fhir/metadata", token=cls.token))["rest"]
        cls.rest = rest
        cls.types = {each["type"]: each for each in rest["resource"]}
        cls.connection = cls.server.connect()
        cls.addClassCleanup(cls.connection.close)

    def is_served(self, method, path):
        """Is there something at this address for this method, for whoever may do everything?"""
        body = None if method in ("GET", "DELETE") else "{}"
        kind = {"PATCH": "application/json-patch+json"}.get(method, "application/fhir+json")
        reply = self.connection.request(method, "/fhir/" + path, body, self.token, {"Content-Type": kind} if body else None)
        self.assertLess(reply.status, 500, (method, path, reply))
        self.assertNotEqual(reply.status, 401, (method, path, reply))
        if reply.status in (403, 405):
            # The one thing that is there and not his: it is for who treats.
            return b"may not break the glass" in reply.body
        if reply.status == 404:
            return json_of(reply)["issue"][0].get("diagnostics") != NOTHING
        return True

    def served(self, templates, type_=""):
        return {code for code, (method, path) in templates.items() if self.is_served(method, path.format(type=type_))}

    @staticmethod
    def declared(of, what="interaction"):
        return collections.Counter(each["code" if what == "interaction" else "name"].removeprefix("$") for each in of.get(what, []))

    def test_W08_each_type_serves_the_interactions_that_are_declared_and_no_other(self):
        self.assertGreater(len(self.types), 140)
        for type_, resource in self.types.items():
            declared = self.declared(resource)
            self.assertEqual(set(declared), self.served(OF_TYPE, type_), type_)
            self.assertEqual(set(declared.values()), {1}, type_)

    def test_W08_the_system_serves_the_interactions_that_are_declared_and_no_other(self):
        self.assertEqual(set(self.declared(self.rest)), self.served(OF_SYSTEM))

    def test_W08_what_is_no_declared_type_is_not_served(self):
        for type_ in ("Citation", "DomainResource", "Resource", "patient", "Patients", "User", "admin", "_id", "Element"):
            self.assertNotIn(type_, self.types)
            self.assertEqual(self.served(OF_TYPE, type_), set(), type_)

    def operations(self, *places):
        return {name for name in OPERATIONS for method in ("GET", "POST") for place in places
                if self.is_served(method, f"{place}${name}")}

    def test_W08_the_system_has_the_operations_that_are_declared_and_no_other(self):
        self.assertEqual(set(self.declared(self.rest, "operation")), self.operations(""))

    def test_W08_types_have_the_operations_that_are_declared_and_no_other(self):
        for type_ in OPERATED:
            self.assertEqual(set(self.declared(self.types[type_], "operation")),
                             self.operations(f"{type_}/", f"{type_}/x/"), type_)

    def test_W08_every_declared_operation_is_known_to_this_test(self):
        known = set(OPERATIONS)
        for type_, resource in self.types.items():
            names = set(self.declared(resource, "operation"))
            self.assertLessEqual(names, known, type_)
            for name in names:  # by every type, and not only by those above
                served = any(self.is_served(method, f"{type_}/{place}${name}") for method in ("GET", "POST") for place in ("", "x/"))
                self.assertTrue(served, (type_, name))

    def test_W08_methods_and_addresses_that_are_no_interaction_are_not_served(self):
        for method, path in (("DELETE", ""), ("PUT", ""), ("PATCH", ""), ("POST", "Patient/x"), ("PUT", "Patient/x/_history/1"),
                             ("DELETE", "Patient/x/_history"), ("DELETE", "Patient/x/_history/1"), ("DELETE", "_history"),
                             ("POST", "metadata"), ("GET", "admin/users"), ("GET", "Patient/x/_history/1/more"),
                             ("GET", "$reindex"), ("POST", "$purge"), ("TRACE", "Patient"), ("GET", "_admin")):
            self.assertFalse(self.is_served(method, path), (method, path))


if __name__ == "__main__":
    unittest.main()

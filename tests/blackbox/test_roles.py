"""Every role, verb and type against the table of what the policy gives (REQUIREMENTS O-01, S-01, W-04)."""

import unittest

import harness
from harness import json_of

TYPES = {"Patient": {}, "Observation": {"status": "final", "code": {"text": "x"}},
         "MedicationRequest": {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "x"}},
         "Organization": {"name": "x"}, "Basic": {"code": {"text": "x"}}, "ValueSet": {"status": "draft"}}
VERBS = ("create", "read", "vread", "search", "history", "update", "delete")
ALL, LOOK, WORK, NONE = set(VERBS), {"read", "vread", "search"}, set(VERBS) - {"delete"}, set()
# PRODUCT row M3: patient records, prescriptions, directory, other.
TABLE = {
    "administrator": (ALL, ALL, ALL, ALL),
    "doctor": (WORK, WORK, LOOK, NONE),
    "nurse": (WORK, NONE, LOOK, NONE),
    "auditor": (NONE, NONE, NONE, NONE),
    "loader": ({"create"}, {"create"}, {"create"}, {"create"}),
}
GROUP = {"Patient": 0, "Observation": 0, "Basic": 0, "MedicationRequest": 1, "Organization": 2, "ValueSet": 3}


class Matrix(harness.TestCase):
    policy = "classic"
    config = harness.UNLIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        cls.tokens = {role: server.service("loader", role) if role == "loader" else
                      server.token_of(server.person("the." + role, role)) for role in TABLE}

    def made(self, kind):
        body = {"resourceType": kind, **TYPES[kind]}
        if kind in ("Observation", "MedicationRequest", "Basic"):
            body["subject"] = {"reference": "Patient/" + self.made("Patient")["id"]}
        id_ = self.server.create(body, self.tokens["administrator"])
        return json_of(self.server.request("GET", f"/fhir/{kind}/{id_}", token=self.tokens["administrator"]))

    def tries(self, verb, resource):
        kind, place = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
        fresh = {name: value for name, value in resource.items() if name not in ("id", "meta")}
        return {"create": ("POST", kind, fresh), "read": ("GET", place, None), "vread": ("GET", place + "/_history/1", None),
                "search": ("GET", f"{kind}?_id={resource['id']}", None), "history": ("GET", place + "/_history", None),
                "update": ("PUT", place, resource), "delete": ("DELETE", place, None)}[verb]

    def test_O01_each_role_may_what_the_table_says_and_nothing_else(self):
        for role, rights in TABLE.items():
            for kind, group in GROUP.items():
                resource = self.made(kind)
                for verb in VERBS:
                    method, path, body = self.tries(verb, resource)
                    status = self.server.request(method, "/fhir/" + path, body, self.tokens[role]).status
                    allowed = verb in rights[group]
                    with self.subTest(role=role, type=kind, verb=verb):
                        self.assertEqual(status in (200, 201, 204), allowed, status)
                        if not allowed:
                            self.assertIn(status, (403, 404))

    def test_W04_administration_is_no_route_of_the_listener_whatever_the_role(self):
        for role, token in {**self.tokens, "stranger": None}.items():
            for method, path in (("GET", "/admin/users"), ("POST", "/admin/users"), ("GET", "/admin/audit"),
                                 ("POST", "/admin/policy"), ("POST", "/admin/seal"), ("GET", "/admin/status"),
                                 ("POST", "/admin/tokens"), ("GET", "/fhir/../admin/users"), ("GET", "//admin/users")):
                reply = self.server.request(method, path, {} if method == "POST" else None, token)
                self.assertIn(reply.status, (400, 401, 403, 404), f"{role} {method} {path}")
                self.assertNotIn(b"the.", reply.body)


if __name__ == "__main__":
    unittest.main()

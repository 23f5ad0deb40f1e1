"""What PATCH does, seen over HTTP: JSON Patch, FHIRPath Patch, conditions, bundles, many callers at once."""

import base64
import json
import unittest
import uuid

import harness
from harness import json_of
from test_concurrency import at_once

JSON_PATCH = "application/json-patch+json"


def replace(path, value):
    return [{"op": "replace", "path": path, "value": value}]


class Patches(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def ask(self, method, path, body=None, headers=None, expect=None, token=None):
        reply = self.server.request(method, path, body, token or self.token, headers)
        if expect is not None:
            self.assertEqual(reply.status, expect, (method, path, reply.body[:500]))
        return reply

    def create(self, **members):
        return json_of(self.ask("POST", "/fhir/Patient", {"resourceType": "Patient", **members}, expect=201))["id"]

    def patch(self, id_, body, expect, headers=None, kind=JSON_PATCH, token=None):
        headers = {"Content-Type": kind, **(headers or {})}
        return self.ask("PATCH", f"/fhir/Patient/{id_}", body, headers, expect, token)

    def read(self, id_):
        return json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))


class JsonPatch(Patches):
    def test_a_patch_makes_the_next_version_and_leaves_the_rest_as_it_was(self):
        id_ = self.create(gender="male", birthDate="1970-02-03", name=[{"family": "A", "given": ["B"]}])
        reply = self.patch(id_, replace("/gender", "female") + [{"op": "add", "path": "/name/0/given/-", "value": "C"}],
                           200)
        self.assertEqual(reply.headers["etag"], 'W/"2"')
        self.assertTrue(reply.headers["location"].endswith(f"/Patient/{id_}/_history/2"))
        read = self.read(id_)
        self.assertEqual(read, json_of(reply))
        self.assertEqual((read["gender"], read["birthDate"], read["name"]),
                         ("female", "1970-02-03", [{"family": "A", "given": ["B", "C"]}]))
        before = json_of(self.ask("GET", f"/fhir/Patient/{id_}/_history/1", expect=200))
        self.assertEqual((before["gender"], before["name"]), ("male", [{"family": "A", "given": ["B"]}]))

    def test_numbers_keep_their_text_through_a_patch(self):
        body = ('{"resourceType":"Observation","status":"final","code":{"text":"w"},'
                '"valueQuantity":{"value":1.50,"unit":"kg"}}')
        id_ = json_of(self.ask("POST", "/fhir/Observation", body, expect=201))["id"]
        self.ask("PATCH", f"/fhir/Observation/{id_}", replace("/status", "amended"), {"Content-Type": JSON_PATCH}, 200)
        self.assertIn(b'"value":1.50', self.ask("GET", f"/fhir/Observation/{id_}", expect=200).body)

    def test_a_patch_that_does_not_fit_changes_nothing(self):
        id_ = self.create(gender="male")
        for operation in ([{"op": "test", "path": "/gender", "value": "female"}], replace("/name/0/family", "x"),
                          [{"op": "remove", "path": "/birthDate"}], replace("/gender", 7), replace("/gender", ""),
                          [{"op": "add", "path": "/nonsense", "value": 1}], replace("", {"resourceType": "Patient"}),
                          replace("", []), replace("/id", "other"), [{"op": "remove", "path": "/id"}],
                          replace("/resourceType", "Observation"), [{"op": "add", "path": "/birthDate", "value": "2000-13"}],
                          replace("/gender", "female") + [{"op": "test", "path": "/gender", "value": "male"}]):
            reply = self.patch(id_, operation, 422)
            self.assertEqual(json_of(reply)["resourceType"], "OperationOutcome")
        self.assertEqual((self.read(id_)["gender"], self.read(id_)["meta"]["versionId"]), ("male", "1"))

    def test_what_is_no_patch_is_refused(self):
        id_ = self.create(gender="male")
        for body in ("", "{", "{}", '{"op":"add","path":"/x","value":1}', '"x"', '[{"op":"fly","path":"/x"}]', "[1]",
                     '[{"op":"replace","path":"gender","value":1}]', '[{"op":"add","path":"/gender"}]'):
            self.patch(id_, body, 400)
        for kind in ("application/xml-patch+xml", "application/merge-patch+json", "text/plain",
                     "application/json-patch+json; charset=iso-8859-1"):
            self.patch(id_, "[]", 415, kind=kind)
        self.assertEqual(self.read(id_)["meta"]["versionId"], "1")

    def test_the_content_type_may_name_its_charset(self):
        id_ = self.create(gender="male")
        for kind in ("application/json-patch+json; charset=utf-8", 'application/json-patch+json;charset="UTF-8"'):
            self.patch(id_, replace("/gender", "other"), 200, kind=kind)

    def test_if_match_lets_only_the_named_version_be_patched(self):
        id_ = self.create(gender="male")
        self.patch(id_, replace("/gender", "female"), 412, {"If-Match": 'W/"2"'})
        self.patch(id_, replace("/gender", "female"), 200, {"If-Match": 'W/"1"'})
        self.patch(id_, [{"op": "test", "path": "/gender", "value": "male"}], 412, {"If-Match": 'W/"1"'})
        self.patch(id_, replace("/gender", "other"), 400, {"If-Match": "nonsense"})
        self.assertEqual(self.read(id_)["gender"], "female")

    def test_what_is_not_there_cannot_be_patched(self):
        self.patch(uuid.uuid4(), replace("/gender", "female"), 404)
        id_ = self.create(gender="male")
        self.ask("DELETE", f"/fhir/Patient/{id_}", expect=204)
        self.patch(id_, replace("/gender", "female"), 410)

    def test_prefer_chooses_the_answer(self):
        id_ = self.create(gender="male")
        for wish in ("return=representation", "return=presentation"):
            reply = self.patch(id_, replace("/gender", "other"), 200, {"Prefer": wish})
            self.assertEqual(json_of(reply)["gender"], "other", wish)
        self.assertEqual(self.patch(id_, replace("/gender", "male"), 200, {"Prefer": "return=minimal"}).body, b"")
        outcome = json_of(self.patch(id_, replace("/gender", "male"), 200, {"Prefer": "return=OperationOutcome"}))
        self.assertEqual((outcome["resourceType"], outcome["issue"][0]["severity"]),
                         ("OperationOutcome", "information"))

    def test_a_conditional_patch_changes_the_one_match(self):
        mark = str(uuid.uuid4())
        criteria = f"identifier=http://example.org/mrn|{mark}"
        headers = {"Content-Type": JSON_PATCH}
        self.ask("PATCH", f"/fhir/Patient?{criteria}", replace("/gender", "other"), headers, 404)
        identifier = [{"system": "http://example.org/mrn", "value": mark}]
        id_ = self.create(gender="male", identifier=identifier)
        reply = self.ask("PATCH", f"/fhir/Patient?{criteria}", replace("/gender", "other"), headers, 200)
        self.assertEqual((json_of(reply)["id"], json_of(reply)["gender"]), (id_, "other"))
        wrong = {**headers, "If-Match": 'W/"1"'}
        self.ask("PATCH", f"/fhir/Patient?{criteria}", replace("/gender", "male"), wrong, 412)
        self.create(gender="male", identifier=identifier)
        self.ask("PATCH", f"/fhir/Patient?{criteria}", replace("/gender", "female"), headers, 412)
        self.ask("PATCH", "/fhir/Patient", replace("/gender", "female"), headers, 400)
        self.assertEqual(self.read(id_)["gender"], "other")

    def test_narrative_that_no_longer_holds_goes(self):
        def text(status):
            return {"status": status, "div": '<div xmlns="http://www.w3.org/1999/xhtml">male</div>'}

        id_ = self.create(gender="male", text=text("generated"))
        self.patch(id_, [{"op": "add", "path": "/meta/tag", "value": [{"code": "x"}]}], 200)
        self.assertIn("text", self.read(id_))
        self.patch(id_, replace("/gender", "female"), 200)
        self.assertNotIn("text", self.read(id_))
        id_ = self.create(gender="male", text=text("additional"))
        self.patch(id_, replace("/gender", "female"), 422)
        changed = text("additional") | {"div": '<div xmlns="http://www.w3.org/1999/xhtml">female</div>'}
        self.patch(id_, replace("/gender", "female") + replace("/text", changed), 200)
        self.assertEqual(self.read(id_)["text"], changed)

    def test_thirty_two_patches_at_once_lose_none(self):
        id_ = self.create(identifier=[{"value": "start"}])

        def add(number, go):
            body = [{"op": "add", "path": "/identifier/-", "value": {"value": str(number)}}]
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                return connection.request("PATCH", f"/fhir/Patient/{id_}", body, self.token,
                                          {"Content-Type": JSON_PATCH}).status

        self.assertEqual(at_once(32, add), [200] * 32)
        read = self.read(id_)
        self.assertEqual(sorted(each["value"] for each in read["identifier"]),
                         sorted(["start"] + [str(number) for number in range(32)]))
        self.assertEqual(read["meta"]["versionId"], "33")

    def test_a_patch_is_audited_as_one(self):
        id_ = self.create(gender="male")
        size = self.server.audit_size()
        self.patch(id_, replace("/gender", "other"), 200)
        self.patch(id_, replace("/name", "other"), 422)
        events = [each for each in self.server.audit_after(size) if id_ in json.dumps(each)]
        self.assertEqual([(each["event"], each["outcome"]) for each in events], [("patch", 0), ("patch", 4)], events)


def operation(kind, path, **parts):
    """One operation of a FHIRPath Patch; a part is (suffix of value[x], value)."""
    parts = {"type": ("Code", kind), "path": ("String", path), **parts}
    return {"name": "operation", "part": [{"name": name, "value" + type_: value} for name, (type_, value) in parts.items()]}


def parameters(*operations):
    return {"resourceType": "Parameters", **({"parameter": list(operations)} if operations else {})}


class FhirPathPatch(Patches):
    def test_parameters_patch_a_resource(self):
        id_ = self.create(gender="male", name=[{"family": "A", "given": ["B"]}])
        body = parameters(operation("replace", "Patient.gender", value=("Code", "female")),
                          operation("insert", "Patient.name.given", index=("Integer", 0), value=("String", "Z")),
                          operation("add", "Patient", name=("String", "birthDate"), value=("Date", "1970-01-01")),
                          operation("delete", "Patient.name.where(family = 'A').family"))
        for kind in ("application/fhir+json", "application/json"):
            reply = self.patch(id_, body if kind.endswith("fhir+json") else parameters(), 200, kind=kind)
        read = self.read(id_)
        self.assertEqual(json_of(reply), read)
        self.assertEqual((read["gender"], read["birthDate"], read["name"], read["meta"]["versionId"]),
                         ("female", "1970-01-01", [{"given": ["Z", "B"]}], "3"))

    def test_what_does_not_fit_changes_nothing(self):
        id_ = self.create(gender="male")
        for body in (parameters(operation("replace", "Patient.birthDate", value=("Date", "1970-01-01"))),
                     parameters(operation("replace", "Patient.id", value=("String", "other"))),
                     parameters(operation("replace", "Patient.gender", value=("Integer", 1))),
                     parameters(operation("delete", "Patient.gender"), operation("delete", "Patient"))):
            self.patch(id_, body, 422, kind="application/fhir+json")
        for body in ({"resourceType": "Patient"}, parameters({"name": "x", "valueString": "y"}),
                     parameters(operation("delete", "Patient.(")), parameters(operation("fly", "Patient"))):
            self.patch(id_, body, 400, kind="application/fhir+json")
        self.assertEqual((self.read(id_)["gender"], self.read(id_)["meta"]["versionId"]), ("male", "1"))


def binary(patch, kind=JSON_PATCH):
    data = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


class Bundles(Patches):
    def send(self, kind, *entries, expect=200):
        made = [{"request": {"method": method, "url": url, **more}, **({"resource": resource} if resource else {}),
                 **({"fullUrl": full_url} if full_url else {})}
                for method, url, resource, full_url, more in entries]
        return json_of(self.ask("POST", "/fhir", {"resourceType": "Bundle", "type": kind, "entry": made}, expect=expect))

    def statuses(self, reply):
        return [each["response"]["status"] for each in reply["entry"]]

    def test_a_transaction_patches_and_links_what_it_makes(self):
        id_, other = self.create(gender="male"), self.create(gender="male")
        mark = str(uuid.uuid4())
        third = self.create(gender="male", identifier=[{"system": "http://example.org/mrn", "value": mark}])
        urn = f"urn:uuid:{uuid.uuid4()}"
        link = [{"op": "add", "path": "/generalPractitioner", "value": [{"reference": urn}]}]
        reply = self.send(
            "transaction", ("PATCH", f"Patient/{id_}", binary(link), None, {"ifMatch": 'W/"1"'}),
            ("PATCH", f"Patient/{other}", parameters(operation("replace", "Patient.gender", value=("Code", "female"))),
             None, {}),
            ("PATCH", f"Patient?identifier=http://example.org/mrn|{mark}", binary(replace("/gender", "other")), None, {}),
            ("POST", "Practitioner", {"resourceType": "Practitioner"}, urn, {}))
        self.assertEqual(self.statuses(reply), ["200", "200", "200", "201"])
        made = reply["entry"][3]["response"]["location"].split("/_history")[0]
        self.assertEqual(self.read(id_)["generalPractitioner"], [{"reference": made}])
        self.assertEqual((self.read(other)["gender"], self.read(third)["gender"]), ("female", "other"))
        self.assertEqual(self.read(other)["meta"]["versionId"], "2")

    def test_a_transaction_with_a_patch_that_does_not_fit_changes_nothing(self):
        id_, other = self.create(gender="male"), self.create(gender="male")
        good = ("PATCH", f"Patient/{id_}", binary(replace("/gender", "female")), None, {})
        for status, wrong in ((422, ("PATCH", f"Patient/{other}", binary(replace("/x/y", 1)), None, {})),
                              (412, ("PATCH", f"Patient/{other}", binary(replace("/gender", "other")), None,
                                     {"ifMatch": 'W/"7"'})),
                              (404, ("PATCH", f"Patient/{uuid.uuid4()}", binary(replace("/gender", "other")), None, {})),
                              (404, ("PATCH", f"Patient?identifier={uuid.uuid4()}", binary([]), None, {})),
                              (400, ("PATCH", f"Patient/{other}", {"resourceType": "Patient"}, None, {})),
                              (400, ("PATCH", f"Patient/{other}", binary([], "text/plain"), None, {})),
                              (400, ("PATCH", f"Patient/{other}", None, None, {})),
                              (400, good)):
            self.send("transaction", good, wrong, expect=status)
            self.assertEqual(self.read(id_)["meta"]["versionId"], "1")

    def test_entries_of_a_batch_are_patches_of_their_own(self):
        id_ = self.create(gender="male")
        reply = self.send("batch", ("GET", f"Patient/{id_}", None, None, {}),
                          ("PATCH", f"Patient/{id_}", binary(replace("/gender", "female")), None, {}),
                          ("PATCH", f"Patient/{id_}", binary(replace("/x/y", "female")), None, {}),
                          ("PATCH", f"Patient/{id_}", parameters(operation("delete", "Patient.birthDate")), None,
                           {"ifMatch": 'W/"2"'}))
        self.assertEqual(self.statuses(reply), ["200", "200", "422", "200"])
        self.assertEqual((reply["entry"][0]["resource"]["gender"], self.read(id_)["meta"]["versionId"]), ("female", "3"))


if __name__ == "__main__":
    unittest.main()

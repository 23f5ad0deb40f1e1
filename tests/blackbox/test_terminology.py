"""Code systems and value sets that are stored: $expand, $validate-code, $lookup, $subsumes, the search modifiers :in,
:not-in, :below and :above, required bindings, and who may do what."""

import json
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of
from test_fhir import bundle, entry

ANIMALS = "http://example.org/animals"
PETS = "http://example.org/ValueSet/pets"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def code_system(url=ANIMALS, **more):
    return {"resourceType": "CodeSystem", "url": url, "version": "2.0", "name": "Animals", "status": "active",
            "content": "complete", "caseSensitive": True, "hierarchyMeaning": "is-a",
            "property": [{"code": "legs", "type": "integer"}],
            "concept": [{"code": "animal", "display": "Animal", "property": [{"code": "notSelectable", "valueBoolean": True}],
                         "concept": [
                             {"code": "mammal", "display": "Mammal", "definition": "It gives milk", "concept": [
                                 {"code": "cat", "display": "Cat", "property": [{"code": "legs", "valueInteger": 4}],
                                  "designation": [{"language": "de", "value": "Katze"}]},
                                 {"code": "dog", "display": "Dog", "property": [{"code": "legs", "valueInteger": 4}]}]},
                             {"code": "bird", "display": "Bird", "property": [
                                 {"code": "legs", "valueInteger": 2}, {"code": "inactive", "valueBoolean": True}]}]}],
            **more}


def value_set(compose=None, url=PETS, **more):
    return {"resourceType": "ValueSet", "url": url, "version": "1", "name": "Pets", "status": "active",
            "compose": compose or {"include": [{"system": ANIMALS, "filter": [
                {"property": "concept", "op": "is-a", "value": "mammal"}]}]}, **more}


def parameters(**values):
    kinds = {str: "valueString", bool: "valueBoolean", int: "valueInteger"}
    made = []
    for name, value in values.items():
        name = name.replace("_", "-")
        if isinstance(value, dict):
            member = "resource" if "resourceType" in value else "valueCodeableConcept" if "coding" in value else "valueCoding"
        else:
            member = kinds[type(value)]
        made.append({"name": name, member: value})
    return {"resourceType": "Parameters", **({"parameter": made} if made else {})}


def values_of(answer):
    return {p["name"]: next((v for k, v in p.items() if k.startswith("value")), None) for p in answer["parameter"]
            if "part" not in p}


def query(**values):
    return urllib.parse.urlencode({name.replace("__", ":"): value for name, value in values.items()})


class Case(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.token_of(cls.server.person("root.terms", "administrator"))
        cls.doctor = cls.server.token_of(cls.server.person("dr.terms", "doctor"))
        for resource in (code_system(id="animals"), value_set(id="pets")):
            reply = cls.server.request("PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", resource, cls.token)
            assert reply.status == 201, reply.body

    def ask(self, method, path, body=None, expect=200, token=None, headers=None):
        reply = self.server.request(method, path, body, token or self.token, headers)
        self.assertEqual(reply.status, expect, (method, path, reply.body[:1000]))
        return reply

    def get(self, path, expect=200, token=None, **values):
        return json_of(self.ask("GET", path + ("?" + query(**values) if values else ""), expect=expect, token=token))

    def post(self, path, expect=200, **values):
        return json_of(self.ask("POST", path, parameters(**values), expect))

    def put(self, resource):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        reply = self.server.request("PUT", path, resource, self.token)
        self.assertIn(reply.status, (200, 201), reply.body[:1000])

    def issue(self, answer):
        self.assertEqual(answer["resourceType"], "OperationOutcome", answer)
        return answer["issue"][0]["code"]

    def codes(self, answer):
        self.assertEqual(answer["resourceType"], "ValueSet", answer)
        return [c["code"] for c in answer["expansion"].get("contains", [])]


class Expand(Case):
    def test_by_url_by_id_and_by_value(self):
        for answer in (self.get("/fhir/ValueSet/$expand", url=PETS), self.get("/fhir/ValueSet/pets/$expand"),
                       self.post("/fhir/ValueSet/$expand", url=PETS), self.post("/fhir/ValueSet/pets/$expand"),
                       self.get("/fhir/ValueSet/$expand", url=PETS + "|1"),
                       self.get("/fhir/ValueSet/$expand", url=PETS, valueSetVersion="1"),
                       self.post("/fhir/ValueSet/$expand", valueSet=value_set(url="http://example.org/not-stored"))):
            self.assertEqual(self.codes(answer), ["mammal", "cat", "dog"])
            self.assertEqual(answer["expansion"]["total"], 3)
            self.assertIn({"name": "version", "valueUri": ANIMALS + "|2.0"}, answer["expansion"]["parameter"])
        self.assertEqual(answer["expansion"]["contains"][1], {"system": ANIMALS, "code": "cat", "display": "Cat"})

    def test_in_xml(self):
        body = f'<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="url"/><valueUri value="{PETS}"/></parameter></Parameters>'
        reply = self.ask("POST", "/fhir/ValueSet/$expand", body, headers={
            "Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"})
        self.assertIn(b'<code value="dog"/>', reply.body)

    def test_pages_words_and_languages(self):
        everything = {"url": "http://example.org/ValueSet/all"}
        self.put(value_set({"include": [{"system": ANIMALS}]}, id="all", **everything))
        ask = lambda **more: self.get("/fhir/ValueSet/$expand", **everything, **more)  # noqa: E731
        self.assertEqual(self.codes(ask()), ["animal", "mammal", "cat", "dog", "bird"])
        self.assertEqual([c.get("abstract") for c in ask()["expansion"]["contains"]], [True, None, None, None, None])
        self.assertEqual(self.codes(ask(excludeNested="true")), ["mammal", "cat", "dog", "bird"])
        self.assertEqual(self.codes(ask(activeOnly="true")), ["animal", "mammal", "cat", "dog"])
        page = ask(offset=1, count=2)
        self.assertEqual((self.codes(page), page["expansion"]["total"], page["expansion"]["offset"]), (["mammal", "cat"], 5, 1))
        self.assertEqual((self.codes(ask(count=0)), self.codes(ask(offset=9))), ([], []))
        self.assertEqual(self.codes(ask(filter="MAM")), ["mammal"])
        german = ask(displayLanguage="de", includeDesignations="true", filter="katze")["expansion"]["contains"]
        self.assertEqual(german, [{"system": ANIMALS, "code": "cat", "display": "Katze",
                                   "designation": [{"language": "de", "value": "Katze"}]}])
        self.assertIn("compose", ask(includeDefinition="true"))

    def test_the_base_value_sets_need_no_resource(self):
        answer = self.get("/fhir/ValueSet/$expand", url="http://hl7.org/fhir/ValueSet/administrative-gender")
        self.assertEqual(sorted(self.codes(answer)), ["female", "male", "other", "unknown"])

    def test_a_part_of_a_code_system_makes_an_unclosed_expansion(self):
        url = "http://example.org/part"
        self.put(code_system(url, id="part", content="fragment"))
        answer = self.post("/fhir/ValueSet/$expand", valueSet=value_set({"include": [{"system": url}]}))
        self.assertEqual(answer["expansion"]["extension"][0]["valueBoolean"], True)

    def test_what_cannot_be_expanded_is_said_clearly(self):
        def inline(compose, expect):
            return self.issue(self.post("/fhir/ValueSet/$expand", expect, valueSet=value_set(compose)))

        self.assertEqual(self.issue(self.get("/fhir/ValueSet/$expand", 404, url="http://example.org/none")), "not-found")
        self.assertEqual(self.issue(self.get("/fhir/ValueSet/none/$expand", 404)), "not-found")
        self.assertEqual(self.issue(self.get("/fhir/ValueSet/$expand", 400)), "invalid")
        self.assertEqual(self.issue(self.get("/fhir/ValueSet/$expand", 400, url=PETS, count="x")), "invalid")
        self.assertEqual(self.issue(self.get("/fhir/ValueSet/$expand", 400, url=PETS, date="2020")), "not-supported")
        self.assertEqual(inline({"include": [{"system": "http://example.org/none"}]}, 404), "not-found")
        self.assertEqual(inline({"include": [{"valueSet": ["http://example.org/none"]}]}, 404), "not-found")
        self.assertEqual(inline({"include": [{"system": ANIMALS, "filter": [
            {"property": "wings", "op": "=", "value": "2"}]}]}, 422), "business-rule")
        self.assertEqual(inline({"include": [{"system": ANIMALS, "filter": [
            {"property": "code", "op": "regex", "value": "(" * 200}]}]}, 422), "business-rule")
        self.ask("POST", "/fhir/ValueSet/$expand", {"resourceType": "Patient"}, 400)
        self.ask("POST", "/fhir/ValueSet/$expand", "{", 400)
        self.ask("DELETE", "/fhir/ValueSet/$expand", expect=405)
        self.ask("GET", "/fhir/Patient/$expand", expect=404)

    def test_circles_and_size_end_in_an_error(self):
        a, b = "http://example.org/ValueSet/a", "http://example.org/ValueSet/b"
        self.put(value_set({"include": [{"valueSet": [b]}]}, url=a, id="circle-a"))
        self.put(value_set({"include": [{"valueSet": [a]}]}, url=b, id="circle-b"))
        self.assertEqual(self.issue(self.get("/fhir/ValueSet/$expand", 422, url=a)), "business-rule")
        many = [{"code": f"c{n}"} for n in range(100_001)]
        answer = self.post("/fhir/ValueSet/$expand", 400,
                           valueSet=value_set({"include": [{"system": ANIMALS, "concept": many}]}))
        self.assertEqual(self.issue(answer), "too-costly")

    def test_a_change_holds_for_the_next_request(self):
        url, system = "http://example.org/ValueSet/changing", "http://example.org/changing"
        compose = {"include": [{"system": system}]}
        ask = lambda **more: self.codes(self.get("/fhir/ValueSet/$expand", **{"url": url, **more}))  # noqa: E731
        self.put(code_system(system, id="changing", concept=[{"code": "one"}]))
        self.put(value_set(compose, url=url, id="changing"))
        self.assertEqual(ask(), ["one"])
        self.put(code_system(system, id="changing", concept=[{"code": "two"}]))
        self.assertEqual(ask(), ["two"])
        self.put(value_set({"include": [{"system": system, "concept": [{"code": "three"}]}]}, url=url, id="changing"))
        self.assertEqual(ask(), ["three"])
        self.put(value_set(compose, url=url, id="changing-10", version="10"))
        self.assertEqual((ask(), ask(url=url + "|1")), (["two"], ["three"]))
        self.ask("DELETE", "/fhir/ValueSet/changing-10", expect=204)
        self.assertEqual(ask(), ["three"])


class Codes(Case):
    def judged(self, path, **values):
        answer = values_of(self.post(path, **values))
        by_url = all(isinstance(v, str) for v in values.values())
        if by_url:
            self.assertEqual(values_of(self.get(path, **values)), answer)
        return answer["result"], answer.get("display"), answer.get("message", "")

    def test_codes_of_a_value_set(self):
        path = "/fhir/ValueSet/$validate-code"
        good = (True, "Cat", "")
        self.assertEqual(self.judged(path, url=PETS, system=ANIMALS, code="cat"), good)
        self.assertEqual(self.judged(path, url=PETS, code="cat"), good)
        self.assertEqual(self.judged("/fhir/ValueSet/pets/$validate-code", system=ANIMALS, code="cat"), good)
        self.assertEqual(self.judged(path, url=PETS, coding={"system": ANIMALS, "code": "cat", "display": "Katze"}), good)
        self.assertEqual(self.judged(path, url=PETS, codeableConcept={"coding": [
            {"system": ANIMALS, "code": "bird"}, {"system": ANIMALS, "code": "cat"}]}), good)
        self.assertEqual(self.judged(path, valueSet=value_set(), system=ANIMALS, code="cat", display="CAT"), good)
        result, display, message = self.judged(path, url=PETS, system=ANIMALS, code="cat", display="Dog")
        self.assertEqual((result, display), (False, "Cat"))
        self.assertIn("display", message)
        for wrong in ({"system": ANIMALS, "code": "bird"}, {"system": "http://example.org/other", "code": "cat"},
                      {"system": ANIMALS, "code": "CAT"}):
            self.assertEqual(self.judged(path, url=PETS, **wrong)[0], False, wrong)

    def test_headings_where_they_are_not_wanted(self):
        ask = {"url": ANIMALS, "code": "animal"}
        self.assertEqual(self.judged("/fhir/CodeSystem/$validate-code", **ask)[0], True)
        self.assertEqual(self.judged("/fhir/CodeSystem/$validate-code", **ask, abstract=False)[0], False)

    def test_codes_of_a_code_system(self):
        path = "/fhir/CodeSystem/$validate-code"
        self.assertEqual(self.judged(path, url=ANIMALS, code="bird"), (True, "Bird", ""))
        self.assertEqual(self.judged(path, coding={"system": ANIMALS, "code": "bird"}), (True, "Bird", ""))
        self.assertEqual(self.judged("/fhir/CodeSystem/animals/$validate-code", code="bird"), (True, "Bird", ""))
        self.assertEqual(self.judged(path, url=ANIMALS, code="fish")[0], False)
        self.assertEqual(self.issue(self.get(path, 404, url="http://example.org/none", code="x")), "not-found")
        self.assertEqual(self.issue(self.get(path, 404, url=ANIMALS, version="1", code="x")), "not-found")
        self.assertEqual(self.issue(self.get(path, 400, url=ANIMALS)), "invalid")

    def test_what_cannot_be_known_is_not_good(self):
        unknown = value_set({"include": [{"system": "http://example.org/none"}]})
        result, _, message = self.judged("/fhir/ValueSet/$validate-code", valueSet=unknown, code="x",
                                         system="http://example.org/none")
        self.assertFalse(result)
        self.assertIn("cannot be told", message)

    def test_lookup(self):
        answer = self.get("/fhir/CodeSystem/$lookup", system=ANIMALS, code="cat")
        self.assertEqual(values_of(answer), {"name": "Animals", "version": "2.0", "display": "Cat"})
        told = [(p["name"], {q["name"]: next(v for k, v in q.items() if k != "name") for q in p["part"]})
                for p in answer["parameter"] if "part" in p]
        self.assertEqual(told, [("designation", {"language": "de", "value": "Katze"}),
                                ("property", {"code": "inactive", "value": False}),
                                ("property", {"code": "parent", "value": "mammal"}),
                                ("property", {"code": "legs", "value": 4})])
        only = self.get("/fhir/CodeSystem/$lookup", system=ANIMALS, code="mammal", property="child")
        self.assertEqual([p["part"][1]["valueCode"] for p in only["parameter"] if "part" in p], ["cat", "dog"])
        self.assertEqual(values_of(self.post("/fhir/CodeSystem/$lookup", coding={"system": ANIMALS, "code": "cat"},
                                             displayLanguage="de"))["display"], "Katze")
        self.assertEqual(self.issue(self.get("/fhir/CodeSystem/$lookup", 404, system=ANIMALS, code="fish")), "not-found")
        self.assertEqual(self.issue(self.get("/fhir/CodeSystem/$lookup", 404, system="http://none", code="x")), "not-found")

    def test_subsumes(self):
        def compared(a, b):
            answers = [self.get("/fhir/CodeSystem/$subsumes", system=ANIMALS, codeA=a, codeB=b),
                       self.get("/fhir/CodeSystem/animals/$subsumes", codeA=a, codeB=b),
                       self.post("/fhir/CodeSystem/$subsumes", codingA={"system": ANIMALS, "code": a},
                                 codingB={"system": ANIMALS, "code": b})]
            said = {values_of(answer)["outcome"] for answer in answers}
            self.assertEqual(len(said), 1)
            return said.pop()

        self.assertEqual(compared("animal", "cat"), "subsumes")
        self.assertEqual(compared("cat", "mammal"), "subsumed-by")
        self.assertEqual(compared("cat", "dog"), "not-subsumed")
        self.assertEqual(compared("cat", "cat"), "equivalent")
        self.assertEqual(self.issue(self.get("/fhir/CodeSystem/$subsumes", 404, system=ANIMALS, codeA="cat", codeB="fish")),
                         "not-found")
        answer = self.post("/fhir/CodeSystem/$subsumes", 400, codingA={"system": ANIMALS, "code": "cat"},
                           codingB={"system": "http://example.org/x", "code": "cat"})
        self.assertEqual(self.issue(answer), "invalid")


class Rights(Case):
    def test_who_may_not_read_them_is_refused_and_that_is_recorded(self):
        for path in ("/fhir/ValueSet/$expand?url=" + PETS, "/fhir/ValueSet/pets/$validate-code?code=cat",
                     f"/fhir/CodeSystem/$lookup?system={ANIMALS}&code=cat", "/fhir/CodeSystem/animals/$subsumes?codeA=cat&codeB=dog"):
            mark = self.server.audit_size()
            self.ask("GET", path, expect=403, token=self.doctor)
            self.assertEqual(self.server.request("GET", path).status, 401)
            self.ask("GET", path)
            events = [(e["event"], e["outcome"] == 0 or e.get("http_status")) for e in self.server.audit_after(mark)
                      if e["event"] != "authentication-failed"]
            self.assertEqual(events, [("terminology", 403), ("terminology", True)])

    def test_a_search_uses_what_its_asker_may_read_and_the_base_definitions(self):
        gender = {"gender__in": "http://hl7.org/fhir/ValueSet/administrative-gender"}
        self.get("/fhir/Patient", token=self.doctor, **gender)
        refused = self.get("/fhir/Observation", 400, token=self.doctor, code__in=PETS)
        unknown = self.get("/fhir/Observation", 400, token=self.doctor, code__in="http://example.org/none")
        self.assertEqual(refused, unknown)

    def test_the_capabilities_tell_the_operations(self):
        stated = self.get("/fhir/metadata")
        offered = {r["type"]: {o["name"]: o["definition"].rsplit("/", 1)[1] for o in r.get("operation", [])}
                   for r in stated["rest"][0]["resource"]}
        everywhere = {"validate": "Resource-validate", "meta": "Resource-meta", "meta-add": "Resource-meta-add",
                      "meta-delete": "Resource-meta-delete"}
        self.assertEqual(offered["ValueSet"], everywhere | {
            "expand": "ValueSet-expand", "validate-code": "ValueSet-validate-code"})
        self.assertEqual(offered["CodeSystem"], everywhere | {
            "lookup": "CodeSystem-lookup", "subsumes": "CodeSystem-subsumes",
            "validate-code": "CodeSystem-validate-code"})
        self.assertEqual(offered["Patient"], everywhere | {
            "everything": "Patient-everything", "export": "patient-export", "break-glass": "break-glass"})
        self.assertEqual(offered["Device"], everywhere)


class Search(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mark = uuid.uuid4().hex
        entries = [entry("PUT", "Patient/owner", {"resourceType": "Patient", "id": "owner", "gender": "male"})]
        for code in ("animal", "mammal", "cat", "dog", "bird", "stone"):
            entries.append(entry("PUT", "Observation/" + code, {
                "resourceType": "Observation", "id": code, "status": "final", "subject": {"reference": "Patient/owner"},
                "identifier": [{"value": cls.mark}], "code": {"coding": [{"system": ANIMALS, "code": code}]}}))
        entries.append(entry("PUT", "Observation/other", {
            "resourceType": "Observation", "id": "other", "status": "final", "identifier": [{"value": cls.mark}],
            "code": {"coding": [{"system": "http://example.org/other", "code": "cat"}]}}))
        reply = cls.server.request("POST", "/fhir", bundle("transaction", *entries), cls.token)
        assert reply.status == 200, reply.body

    def found(self, **values):
        answer = self.get("/fhir/Observation", identifier=self.mark, _count=100, **values)
        return {e["resource"]["id"] for e in answer.get("entry", []) if e["search"]["mode"] == "match"}

    def test_in_and_not_in(self):
        pets = {"mammal", "cat", "dog"}
        rest = {"animal", "bird", "stone", "other"}
        for name in (PETS, PETS + "|1", "ValueSet/pets", f"https://127.0.0.1:{self.server.port}/fhir/ValueSet/pets"):
            self.assertEqual(self.found(code__in=name), pets)
            self.assertEqual(self.found(**{"code__not-in": name}), rest)
        other = "http://example.org/ValueSet/stones"
        self.put(value_set({"include": [{"system": ANIMALS, "concept": [{"code": "stone"}]}]}, url=other, id="stones"))
        self.assertEqual(self.found(code__in=PETS + "," + other), pets | {"stone"})
        self.put(value_set({"include": [{"system": ANIMALS, "concept": [{"code": "bird"}]}]}, url=other, id="stones"))
        self.assertEqual(self.found(code__in=other), {"bird"})

    def test_below_and_above(self):
        self.assertEqual(self.found(code__below=ANIMALS + "|mammal"), {"mammal", "cat", "dog"})
        self.assertEqual(self.found(code__above=ANIMALS + "|cat"), {"animal", "mammal", "cat"})
        self.assertEqual(self.found(code__below=f"{ANIMALS}|cat,{ANIMALS}|bird"), {"cat", "bird"})
        self.assertEqual(self.found(code__below=ANIMALS + "|stone"), {"stone"})

    def test_below_and_above_of_a_uri_are_as_before(self):
        self.assertIn("pets", {e["resource"]["id"] for e in self.get(
            "/fhir/ValueSet", url__below="http://example.org/ValueSet")["entry"]})
        self.assertEqual({e["resource"]["id"] for e in self.get("/fhir/ValueSet", url__above=PETS + "/x")["entry"]}, {"pets"})

    def test_media_types_are_below_their_beginning(self):
        reference = {"resourceType": "DocumentReference", "status": "current", "content": [
            {"attachment": {"contentType": "image/png", "url": "http://example.org/picture"}}]}
        made = json_of(self.ask("POST", "/fhir/DocumentReference", reference, 201))["id"]
        for name, value, expected in (("below", "image/", [made]), ("below", "text", []), ("above", "image/png;q", [made]),
                                      ("above", "image/jpeg", [])):
            answer = self.get("/fhir/DocumentReference", **{"contenttype__" + name: value})
            self.assertEqual([e["resource"]["id"] for e in answer.get("entry", [])], expected, (name, value))

    def test_criteria_of_conditional_interactions_take_them(self):
        mark = uuid.uuid4().hex
        resource = {"resourceType": "Observation", "status": "final", "identifier": [{"system": "urn:mark", "value": mark}],
                    "code": {"coding": [{"system": ANIMALS, "code": "cat"}]}}

        def path(**more):
            return "/fhir/Observation?" + query(identifier="urn:mark|" + mark, **more)
        made = json_of(self.ask("POST", "/fhir/Observation", resource, 201))["id"]
        criteria = path(code__in=PETS).split("?")[1]
        matched = self.ask("POST", "/fhir/Observation", resource, headers={"If-None-Exist": criteria})
        self.assertEqual(json_of(matched)["id"], made)
        updated = json_of(self.ask("PUT", path(code__below=ANIMALS + "|mammal"), {**resource, "status": "amended"}))
        self.assertEqual((updated["id"], updated["status"]), (made, "amended"))
        change = [{"op": "replace", "path": "/status", "value": "corrected"}]
        patched = json_of(self.ask("PATCH", path(code__above=ANIMALS + "|cat"), json.dumps(change),
                                   headers={"Content-Type": "application/json-patch+json"}))
        self.assertEqual((patched["id"], patched["status"]), (made, "corrected"))
        answer = json_of(self.ask("POST", "/fhir", bundle("transaction", {
            "resource": resource, "request": {"method": "POST", "url": "Observation", "ifNoneExist": criteria}})))
        self.assertIn(made, answer["entry"][0]["response"]["location"])
        self.ask("DELETE", path(**{"code__not-in": PETS}), expect=204)
        self.ask("GET", "/fhir/Observation/" + made)
        self.assertEqual(self.issue(json_of(self.ask("DELETE", path(code__in="http://example.org/none"), expect=400))), "invalid")
        self.ask("DELETE", path(code__in=PETS), expect=204)
        self.ask("GET", "/fhir/Observation/" + made, expect=410)

    def test_through_chains_forms_and_bundles(self):
        gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
        self.assertEqual(self.found(**{"subject:Patient.gender:in": gender}),
                         {"animal", "mammal", "cat", "dog", "bird", "stone"})
        answer = self.get("/fhir/Patient", **{"_has:Observation:subject:code:in": PETS})
        self.assertEqual([e["resource"]["id"] for e in answer["entry"]], ["owner"])
        form = query(identifier=self.mark, code__in=PETS)
        answer = json_of(self.ask("POST", "/fhir/Observation/_search", form, headers=FORM))
        self.assertEqual(len(answer["entry"]), 3)
        answer = json_of(self.ask("POST", "/fhir", bundle("batch", entry("GET", "Observation?" + form))))
        self.assertEqual(len(answer["entry"][0]["resource"]["entry"]), 3)

    def test_pages_neither_repeat_nor_drop(self):
        path, seen = "/fhir/Observation?" + query(identifier=self.mark, code__in=PETS, _count=1), []
        while path:
            page = json_of(self.ask("GET", path))
            seen += [e["resource"]["id"] for e in page["entry"]]
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            path = urllib.parse.urlparse(following[0])._replace(scheme="", netloc="").geturl() if following else None
        self.assertEqual(sorted(seen), ["cat", "dog", "mammal"])

    def test_a_large_value_set_finds_and_too_large_a_one_is_refused(self):
        url = "http://example.org/ValueSet/large"

        def store(count):
            codes = [{"code": f"c{n}"} for n in range(count)] + [{"code": "cat"}]
            self.put(value_set({"include": [{"system": ANIMALS, "concept": codes}]}, url=url, id="large"))

        store(5_000)
        self.assertEqual(self.found(code__in=url), {"cat"})
        self.assertEqual(self.found(**{"code__not-in": url}), {"animal", "mammal", "dog", "bird", "stone", "other"})
        store(30_000)
        self.assertEqual(self.issue(self.get("/fhir/Observation", 400, code__in=url)), "too-costly")

    def test_what_is_not_known_is_refused_and_not_left_out(self):
        for wrong in ({"code__in": "http://example.org/none"}, {"code__not-in": "ValueSet/none"},
                      {"code__below": "http://example.org/none|x"}, {"code__above": "cat"}, {"code__below": "|cat"}):
            self.assertEqual(self.issue(self.get("/fhir/Observation", 400, **wrong)), "invalid", wrong)
        part = "http://example.org/part-of-it"
        self.put(code_system(part, id="part-of-it", content="example"))
        self.put(value_set({"include": [{"system": part}]}, url=part + "/set", id="part-of-it"))
        self.get("/fhir/Observation", 400, code__in=part + "/set")


class Bindings(Case):
    config = '[validation]\ndefault = "enforce"\n[validation.types]\nValueSet = "off"\nCodeSystem = "off"\nStructureDefinition = "off"\n'
    profile = "http://example.org/StructureDefinition/pet"

    def store_profile(self, strength):
        def element(path, least=0, most="*", **more):
            return {"id": path, "path": path, "min": least, "max": most, "definition": "As in the base.",
                    "base": {"path": path, "min": 0, "max": most}, **more}
        self.put({"resourceType": "StructureDefinition", "id": "pet", "url": self.profile, "version": "1", "name": "Pet",
                  "status": "active", "kind": "resource", "abstract": False, "type": "Observation", "derivation": "constraint",
                  "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
                  "snapshot": {"element": [element("Observation"), element("Observation.code", 1, "1", binding={
                      "strength": strength, "valueSet": PETS + "|1"})]}})

    def said(self, code, system=ANIMALS):
        resource = {"resourceType": "Observation", "status": "final", "meta": {"profile": [self.profile]},
                    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
                    "code": {"coding": [{"system": system, "code": code}]}}
        answer = json_of(self.ask("POST", "/fhir/Observation/$validate", resource))
        stored = self.server.request("POST", "/fhir/Observation", resource, self.doctor).status
        return [(i["severity"], i["code"], i["expression"][0]) for i in answer["issue"] if "expression" in i], stored

    def test_required_and_extensible_bindings_are_held_to_stored_value_sets(self):
        place = "Observation.code"
        self.store_profile("required")
        self.assertEqual(self.said("cat"), ([], 201))
        self.assertEqual(self.said("bird"), ([("error", "code-invalid", place)], 422))
        self.assertEqual(self.said("cat", "http://example.org/other"), ([("error", "code-invalid", place)], 422))
        self.store_profile("extensible")
        self.assertEqual(self.said("cat"), ([], 201))
        self.assertEqual(self.said("bird"), ([("warning", "code-invalid", place)], 201))
        self.store_profile("required")
        # A changed value set holds for the next write; one that is gone says nothing.
        self.put(value_set({"include": [{"system": ANIMALS, "concept": [{"code": "bird"}]}]}, id="pets"))
        self.assertEqual(self.said("bird"), ([], 201))
        self.assertEqual(self.said("cat")[1], 422)
        self.ask("DELETE", "/fhir/ValueSet/pets", expect=204)
        self.assertEqual(self.said("cat"), ([("information", "not-supported", place)], 201))


if __name__ == "__main__":
    unittest.main()

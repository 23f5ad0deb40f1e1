"""Searches that are meant to hurt: each ends in a clear refusal or in a right answer, in bounded memory, and the server
goes on. What broke in peers holds here (HAPI #1819, #6469, #8183)."""

import concurrent.futures
import pathlib
import re
import threading
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of

MEMORY_MB = 100  # what hostile searches may take beside what signing in took before


def query(pairs):
    return urllib.parse.urlencode(pairs)


class Hostile(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.server.token_of(cls.server.person("root.hostile", "administrator"))
        cls.doctor = cls.server.token_of(cls.server.person("dr.hostile", "doctor"))
        cls.patient = json_of(cls.request("POST", "/fhir/Patient", {"resourceType": "Patient", "name": [{"family": "a" * 200}]}))["id"]
        # A circle of three, and one that refers to itself.
        ring = [f"urn:uuid:{uuid.uuid4()}" for _ in range(4)]
        following = [ring[1], ring[2], ring[0], ring[3]]
        entries = [{"fullUrl": own, "request": {"method": "POST", "url": "Observation"}, "resource": {
            "resourceType": "Observation", "status": "final", "code": {"text": "ring"},
            "subject": {"reference": "Patient/" + cls.patient}, "hasMember": [{"reference": next_}]}}
            for own, next_ in zip(ring, following)]
        made = json_of(cls.request("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": entries}))
        cls.ring = [entry["response"]["location"].split("/")[1] for entry in made["entry"]]
        cls.baseline = cls.peak_mb()

    @classmethod
    def request(cls, method, path, body=None, headers=None, token=None):
        reply = cls.server.request(method, path, body, token or cls.doctor, headers)
        assert reply.status < 300, reply
        return reply

    @classmethod
    def peak_mb(cls):
        status = pathlib.Path(f"/proc/{cls.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) // 1024

    def tearDown(self):
        self.assertEqual(self.server.request("GET", "/fhir/Patient/" + self.patient, token=self.doctor).status, 200)
        self.assertLess(self.peak_mb() - self.baseline, MEMORY_MB)

    def get(self, path, token=None):
        """The answer of a search: never a failure of the server, and a refusal says why."""
        reply = self.server.request("GET", "/fhir/" + path, token=token or self.doctor)
        self.assertIn(reply.status, (200, 400, 403, 404, 413, 414, 422, 431), (path[:100], reply.body[:300]))
        if reply.status != 200 and reply.body:
            outcome = json_of(reply)
            self.assertEqual(outcome["resourceType"], "OperationOutcome")
            self.assertTrue(outcome["issue"][0].get("diagnostics") or outcome["issue"][0].get("details"))
        return reply

    def post(self, type_, pairs):
        body = pairs if isinstance(pairs, str) else query(pairs)
        reply = self.server.request("POST", f"/fhir/{type_}/_search", body, self.doctor,
                                    {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertIn(reply.status, (200, 400, 413, 422), reply.body[:300])
        return reply

    def found(self, reply):
        self.assertEqual(reply.status, 200, reply.body[:300])
        return sorted(entry["resource"]["id"] for entry in json_of(reply).get("entry", []))

    # --- much of everything ---

    def test_a_thousand_includes(self):
        include = [("_include", "Observation:has-member")] * 1000
        for pairs in (include, [("_include:iterate", "Observation:has-member")] * 1000,
                      [("_revinclude:iterate", f"{type_}:{code}") for type_, code in
                       (("Observation", "has-member"), ("Observation", "subject"), ("Condition", "subject"))] * 300):
            reply = self.post("Observation", [("_id", self.ring[0]), *pairs])
            if reply.status == 200:
                self.assertIn(self.ring[0], self.found(reply))

    def test_chains_and_has_without_end(self):
        for depth in (5, 20, 50, 400):
            self.get(query([("has-member." * depth + "status", "final")]).join(("Observation?", "")))
            self.get(query([("has-member:Observation." * depth + "code:text", "ring")]).join(("Observation?", "")))
            self.get("Observation?" + query([("_has:Observation:has-member:" * depth + "status", "final")]))
        self.assertEqual(self.found(self.get("Observation?has-member.has-member.has-member.status=final&_count=50")), sorted(self.ring))

    def test_counts_that_no_page_has(self):
        for count in ("1e9", "1000000000", "99999999999999999999999999", "-1", "0", "", "x", "1.5", "0x10", "%00"):
            reply = self.get(f"Observation?code:text=ring&_count={count}")
            if reply.status == 200 and count.strip("0"):
                self.assertEqual(self.found(reply), sorted(self.ring), count)

    def test_long_parameters(self):
        long = "x" * 100_000
        self.assertIn(self.get("Patient?name=" + long).status, (400, 413, 414, 431))
        for name in ("name", "name:exact", "name:contains", "identifier", "_id", "birthdate", "general-practitioner", "_tag",
                     "name:missing", long, "_has:" + long, "_include", "_sort", "_elements", "_page"):
            self.post("Patient", [(name, long)])
        self.assertEqual(self.found(self.post("Patient", [("name", long)])), [])
        # The family is there, and longer than what is asked and shorter than what is not.
        self.assertEqual(self.found(self.post("Patient", [("name", "a" * 199)])), [self.patient])
        self.assertEqual(self.found(self.post("Patient", [("name", "a" * 201)])), [])

    def test_ten_thousand_parameters_and_alternatives(self):
        self.post("Patient", [("name", f"n{number}") for number in range(10_000)])
        self.post("Patient", [(f"unknown{number}", "x") for number in range(10_000)])
        reply = self.post("Patient", [("name", ",".join(f"n{number}" for number in range(100_000)))])
        if reply.status == 200:
            self.assertEqual(self.found(reply), [])
        self.post("Patient", [("_sort", ",".join(["name", "-birthdate"] * 5_000))])
        self.post("Patient", [("_elements", ",".join(f"e{number}" for number in range(50_000)))])
        self.post("Patient", "&" * 200_000)
        self.post("Patient", "=" * 200_000)
        self.post("Patient", "%" * 100_000)

    # --- values that are made to break parsers ---

    def test_patterns_are_text(self):
        for bomb in ("(q+)+$", "(q|q)*" * 30, "q{1,1000}{1,1000}", "[" * 5_000, "(" * 5_000, "\\" * 5_001, ".*" * 3_000, "^(([q-z])+.)+$"):
            for name in ("name", "name:contains", "name:exact", "identifier", "identifier:text", "_profile:below", "_source:above"):
                reply = self.post("Patient", [(name, bomb)])
                # Punctuation does not count in a string (R4 search.html#string): what is nothing else finds every name.
                if reply.status == 200 and any(letter in bomb for letter in "qz"):
                    self.assertEqual(self.found(reply), [], (name, bomb[:20]))

    def test_numbers_and_dates_without_bounds(self):
        numbers = ("1e999999999", "-1e999999999", "1e-999999999", "0." + "0" * 30_000 + "1", "9" * 30_000, "NaN", "Infinity", "--1", "1e", "0x1p3",
                   "1_000", "+1", "１")
        for number in numbers:
            self.post("RiskAssessment", [("probability", number)])
            self.post("Observation", [("value-quantity", number)])
            self.post("Observation", [("value-quantity", f"{number}|http://unitsofmeasure.org|{'k' * 1000}g")])
            self.post("Observation", [("value-quantity", f"ap{number}||{'((' * 500}m")])
        for date in ("9" * 1000, "0000-00-00", "2020-02-30", "10000-01-01", "-2020", "2020-01-01T25:61:61Z", "2020-01-01T00:00:00+99:99",
                     "ap9999", "eb0001", "sa9999-12-31T23:59:59.999999999999999999Z", "ap0001-01-01"):
            for prefix in ("", "ge", "ap", "ne", "xx"):
                self.post("Patient", [("birthdate", prefix + date)])
                self.post("Patient", [("_lastUpdated", prefix + date)])

    def test_bytes_that_are_no_text(self):
        for value in ("%00", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%FF%FE", "%25%30%30", "%2525", "a%00b", "%E2%80%AE", "%0d%0aX:%20y", "%", "%1", "%zz"):
            for name in ("name", "name:contains", "_id", "identifier", "_tag", "birthdate", "_include", "_sort", "_page", value):
                self.get(f"Patient?{name}={value}")
                self.post("Patient", f"{name}={value}")

    def test_unknown_modifiers_and_shapes(self):
        for name in ("name:", "name::", ":exact", "name:exact:exact", "name:above", "birthdate:contains", "_id:missing:x", "_has", "_has:", "_has:::",
                     "_has:Observation:", "_has:Observation:subject", "_has:Nothing:subject:code", "general-practitioner:Patient.name",
                     "general-practitioner:.name", "general-practitioner..name", ".name", "_include:iterate:x", "_filter", "_query", "_text"):
            self.get("Patient?" + query([(name, "x")]))
        for include in ("*", "Patient", "Patient:", "Patient:*", "Patient:nothing", "Nothing:x", "Patient:general-practitioner:Nothing", ":", "::", "Patient:a:b:c"):
            self.get("Patient?" + query([("_include", include)]))
            self.get("Patient?" + query([("_revinclude:iterate", include)]))

    # --- resources that are made to cost the index ---

    def create(self, resource):
        reply = self.server.request("POST", "/fhir/" + resource["resourceType"], resource, self.root)
        self.assertIn(reply.status, (201, 400, 413, 422), reply.body[:300])
        return reply

    def test_many_references_to_one_contained_resource_cost_it_once(self):
        mark = uuid.uuid4().hex
        contained = {"resourceType": "Patient", "id": "a", "identifier": [{"value": f"{mark}{number}"} for number in range(3000)]}
        made = self.create({"resourceType": "List", "status": "current", "mode": "working", "contained": [contained],
                            "entry": [{"item": {"reference": "#a"}}] * 3000})
        self.assertEqual(made.status, 201)
        found = self.get(f"List?item:Patient.identifier={mark}7", self.root)
        self.assertEqual(self.found(found), [json_of(made)["id"]])

    def test_contained_resources_are_not_followed_into_themselves(self):
        inner = {"resourceType": "List", "id": "a", "status": "current", "mode": "working"}
        for _ in range(28):
            link = {"reference": "#a"}
            inner = {"resourceType": "List", "id": "a", "status": "current", "mode": "working", "contained": [inner],
                     "subject": link, "source": link, "encounter": link, "entry": [{"item": link}]}
        self.create(inner)

    def test_combinations_of_long_values_are_bounded(self):
        codings = [{"system": "urn:c", "code": f"c{number}"} for number in range(1000)]
        self.create({"resourceType": "Observation", "status": "final", "code": {"coding": codings},
                     "valueString": "long " * 200_000})

    def test_an_expression_of_a_search_parameter_is_bounded_with_its_parts(self):
        ten = "(1|2|3|4|5|6|7|8|9|10)"
        costly = f"{ten}.select({ten}.select({ten}.select({ten}))).where($this = 11)"
        parameter = {"resourceType": "SearchParameter", "status": "active", "url": "urn:costly:" + uuid.uuid4().hex, "name": "Costly",
                     "description": "x", "code": "costly-parts", "base": ["Basic"], "type": "composite",
                     "expression": "Basic.descendants()", "component": [
                         {"definition": "http://hl7.org/fhir/SearchParameter/clinical-code", "expression": costly}] * 100}
        made = self.create(parameter)
        for code in ("identifier", "_everything"):
            self.assertEqual(self.create({**parameter, "code": code}).status, 422)
        self.assertEqual(self.create({**parameter, "component": [{**parameter["component"][0], "expression": "x." * 1500 + "y"}] * 20}).status, 422)
        for _ in range(3):
            self.assertEqual(self.create({"resourceType": "Basic", "code": {"text": "x"}, "extension": [
                {"url": "urn:x", "valueString": str(number)} for number in range(300)]}).status, 201)
        if made.status == 201:
            self.server.request("DELETE", "/fhir/SearchParameter/" + json_of(made)["id"], token=self.root)

    # --- circles ---

    def test_circles_end(self):
        circle = sorted(self.ring[:3])
        path = f"Observation?_id={self.ring[0]}&_include:iterate=Observation:has-member&_include=Observation:has-member"
        self.assertEqual(self.found(self.get(path)), circle)
        back = path.replace("_include", "_revinclude")
        self.assertEqual(self.found(self.get(back)), circle)
        own = f"Observation?_id={self.ring[3]}&_include:iterate=*&_revinclude:iterate=Observation:has-member"
        self.assertIn(self.ring[3], self.found(self.get(own)))
        self.assertEqual(self.found(self.get("Observation?_has:Observation:has-member:_id=" + self.ring[3])), [self.ring[3]])

    # --- page tokens ---

    def test_page_tokens_are_taken_as_they_were_given_or_not_at_all(self):
        bundle = json_of(self.get("Observation?code:text=ring&_count=1"))
        link = urllib.parse.urlparse([one["url"] for one in bundle["link"] if one["relation"] == "next"][0])
        token = urllib.parse.parse_qs(link.query)["_page"][0]
        self.assertEqual(self.get("Observation?_page=" + token).status, 200)
        mangled = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:] for at in range(0, len(token), 7)]
        mangled += [token[:-1], token[1:], token + "A", token + "=", token * 2, "", "A", token.swapcase(), token[: len(token) // 2]]
        for each in mangled:
            if each != token:
                self.assertEqual(self.get("Observation?_page=" + each).status, 400, each)
        self.assertNotEqual(self.get("Observation?_page=" + token, token=self.root).status, 200)
        self.assertNotEqual(self.get("Condition?_page=" + token).status, 200)

    # --- together ---

    def test_who_asks_kindly_is_answered_beside_who_does_not(self):
        costly = [("name:contains", "a"), ("_sort", "-_lastUpdated,name"), ("_count", "1000"), ("_total", "accurate"),
                  ("_revinclude:iterate", "Observation:subject"), ("_include:iterate", "Observation:has-member")]
        stop, refused = threading.Event(), []

        def hurt():
            while not stop.is_set():
                refused.append(self.post("Patient", costly).status)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            hurting = [pool.submit(hurt) for _ in range(8)]
            try:
                with self.server.connect() as kind:
                    answers = [kind.request("GET", "/fhir/Patient/" + self.patient, token=self.doctor).status for _ in range(50)]
            finally:
                stop.set()
        for each in hurting:
            each.result()
        self.assertEqual(set(answers), {200})
        self.assertEqual(set(refused), {200})


class Peers(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.server.token_of(cls.server.person("root.peers", "administrator"))

    def ask(self, method, path, body=None, headers=None):
        return self.server.request(method, path, body, self.root, headers)

    def bundle(self, entries):
        return self.ask("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def test_bundles_in_opposite_orders_never_deadlock(self):
        """HAPI #1819."""
        ids = [f"d{number}-{uuid.uuid4().hex[:8]}" for number in range(20)]

        def put(id_, writer):
            return {"request": {"method": "PUT", "url": "Patient/" + id_},
                    "resource": {"resourceType": "Patient", "id": id_, "name": [{"family": f"w{writer}"}]}}
        self.assertEqual(self.bundle([put(id_, "first") for id_ in ids]).status, 200)

        def write(writer):
            order = ids if writer % 2 else ids[::-1]
            return [self.bundle([put(id_, f"{writer}.{turn}") for id_ in order]).status for turn in range(5)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = [status for done in pool.map(write, range(8)) for status in done]
        self.assertLessEqual(set(statuses), {200, 409})
        # What was answered 200 is one version of every resource, and all of them were written by the same one at last.
        versions = {json_of(self.ask("GET", "/fhir/Patient/" + id_))["meta"]["versionId"] for id_ in ids}
        names = {json_of(self.ask("GET", "/fhir/Patient/" + id_))["name"][0]["family"] for id_ in ids}
        self.assertEqual((versions, len(names)), ({str(1 + statuses.count(200))}, 1))

    def test_conditional_updates_at_once_are_none_of_them_dropped(self):
        """HAPI #8183."""
        mark = uuid.uuid4().hex

        def update(number):
            body = {"resourceType": "Patient", "identifier": [{"value": mark}], "name": [{"family": f"n{number}"}]}
            return self.ask("PUT", f"/fhir/Patient?identifier={mark}", body).status
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(update, range(32)))
        self.assertLessEqual(set(statuses), {200, 201, 409, 412})
        found = json_of(self.ask("GET", f"/fhir/Patient?identifier={mark}"))
        self.assertEqual((found["total"], statuses.count(201)), (1, 1))
        history = json_of(self.ask("GET", f"/fhir/Patient/{found['entry'][0]['resource']['id']}/_history?_count=100"))
        self.assertEqual(len(history["entry"]), statuses.count(200) + statuses.count(201))

    def test_a_long_answer_is_read_page_by_page_in_bounded_memory(self):
        """HAPI #6469, in small; bench/search_curve.py does it with a million."""
        count, at_once = 20_000, 4_000
        for first in range(0, count, at_once):
            entries = [{"request": {"method": "POST", "url": "Basic"}, "resource": {
                "resourceType": "Basic", "code": {"coding": [{"system": "urn:long", "code": "many"}]},
                "identifier": [{"value": str(number)}]}} for number in range(first, first + at_once)]
            self.assertEqual(self.bundle(entries).status, 200)
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status")

        def resident_mb():
            return int(re.search(r"VmRSS:\s+(\d+)", status.read_text()).group(1)) // 1024
        path, seen, before, most = "/fhir/Basic?code=urn:long|many&_count=500", set(), resident_mb(), 0
        while path:
            page = json_of(self.ask("GET", path))
            seen |= {entry["resource"]["identifier"][0]["value"] for entry in page["entry"]}
            most = max(most, resident_mb())
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            path = urllib.parse.urlparse(following[0])._replace(scheme="", netloc="").geturl() if following else None
        self.assertEqual(len(seen), count)
        self.assertLess(most - before, 150)


if __name__ == "__main__":
    unittest.main()

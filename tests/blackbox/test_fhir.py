"""What the FHIR interactions do: versions, history, batches and transactions, seen over HTTP."""

import json
import re
import time
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, full_url=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def identified(value):
    return {"resourceType": "Patient", "identifier": [{"system": "http://example.org/mrn", "value": value}]}


def place(text):
    """(type, id, version) of a location, absolute or relative."""
    return re.search(r"([A-Za-z]+)/([^/]+)/_history/(\d+)$", text).groups()


class Fhir(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()  # under "classic" administrators read and write records

    def ask(self, method, path, body=None, headers=None, expect=None):
        reply = self.server.request(method, path, body, self.token, headers)
        if expect is not None:
            self.assertEqual(reply.status, expect, (method, path, reply.body[:500]))
        return reply

    def create(self, resource):
        return json_of(self.ask("POST", "/fhir/" + resource["resourceType"], resource, expect=201))

    # --- one resource ---

    def test_a_created_resource_is_read_back_with_its_numbers_as_written(self):
        body = ('{"resourceType":"Observation","status":"final","code":{"text":"weight"},'
                '"valueQuantity":{"value":1.50,"unit":"kg"},"component":[{"code":{"text":"x"},'
                '"valueQuantity":{"value":0.000000000000000100}},{"code":{"text":"y"},"valueQuantity":{"value":1e-3}}]}')
        reply = self.ask("POST", "/fhir/Observation", body, expect=201)
        kind, id_, version = place(reply.headers["location"])
        self.assertEqual((kind, version, reply.headers["etag"]), ("Observation", "1", 'W/"1"'))
        read = self.ask("GET", f"/fhir/Observation/{id_}", expect=200)
        self.assertEqual(read.headers["etag"], 'W/"1"')
        self.assertIn("last-modified", read.headers)
        got = json_of(read)
        self.assertEqual(got["meta"]["versionId"], "1")
        del got["id"], got["meta"]
        self.assertEqual(got, json.loads(body, parse_float=str))

    def test_each_change_makes_a_version_and_every_version_stays_readable(self):
        id_ = self.create({"resourceType": "Patient", "birthDate": "2001"})["id"]
        for number in range(2, 6):
            body = {"resourceType": "Patient", "id": id_, "birthDate": f"200{number}"}
            reply = self.ask("PUT", f"/fhir/Patient/{id_}", body, expect=200)
            self.assertEqual(reply.headers["etag"], f'W/"{number}"')
        for number in range(1, 6):
            version = json_of(self.ask("GET", f"/fhir/Patient/{id_}/_history/{number}", expect=200))
            self.assertEqual((version["birthDate"], version["meta"]["versionId"]), (f"200{number}", str(number)))
        for wrong in ("0", "6", "x", "99999999999999999999999"):
            self.ask("GET", f"/fhir/Patient/{id_}/_history/{wrong}", expect=404)

    def test_if_match_lets_only_the_named_version_be_changed(self):
        id_ = self.create({"resourceType": "Patient"})["id"]
        body = {"resourceType": "Patient", "id": id_, "gender": "other"}
        self.ask("PUT", f"/fhir/Patient/{id_}", body, {"If-Match": 'W/"2"'}, expect=412)
        self.ask("PUT", f"/fhir/Patient/{id_}", body, {"If-Match": 'W/"1"'}, expect=200)
        self.ask("PUT", f"/fhir/Patient/{id_}", body, {"If-Match": 'W/"1"'}, expect=412)
        self.ask("PUT", f"/fhir/Patient/{id_}", body, {"If-Match": "nonsense"}, expect=400)
        self.ask("DELETE", f"/fhir/Patient/{id_}", headers={"If-Match": 'W/"1"'}, expect=412)
        self.ask("GET", f"/fhir/Patient/{id_}", expect=200)
        self.ask("DELETE", f"/fhir/Patient/{id_}", headers={"If-Match": 'W/"2"'}, expect=204)

    def test_a_deleted_resource_is_gone_and_comes_back_with_the_next_version(self):
        id_ = self.create({"resourceType": "Patient", "gender": "female"})["id"]
        self.ask("DELETE", f"/fhir/Patient/{id_}", expect=204)
        self.ask("GET", f"/fhir/Patient/{id_}", expect=410)
        self.ask("GET", f"/fhir/Patient/{id_}/_history/2", expect=410)
        self.assertEqual(json_of(self.ask("GET", f"/fhir/Patient/{id_}/_history/1", expect=200))["gender"], "female")
        again = self.ask("PUT", f"/fhir/Patient/{id_}", {"resourceType": "Patient", "id": id_}, expect=201)
        self.assertEqual(again.headers["etag"], 'W/"3"')
        self.ask("GET", f"/fhir/Patient/{id_}", expect=200)

    def test_deleting_what_is_not_there_is_no_error(self):
        self.ask("DELETE", f"/fhir/Patient/{uuid.uuid4()}", expect=204)

    def test_an_update_may_create_under_the_clients_id(self):
        id_ = "chosen.by-the-client.1"
        reply = self.ask("PUT", f"/fhir/Patient/{id_}", {"resourceType": "Patient", "id": id_}, expect=201)
        self.assertEqual(place(reply.headers["location"]), ("Patient", id_, "1"))

    def test_an_update_whose_id_or_type_differs_from_the_url_is_refused(self):
        self.ask("PUT", "/fhir/Patient/a1", {"resourceType": "Patient", "id": "a2"}, expect=400)
        self.ask("PUT", "/fhir/Patient/a1", {"resourceType": "Observation", "id": "a1"}, expect=400)
        self.ask("POST", "/fhir/Patient", {"resourceType": "Observation"}, expect=400)
        self.ask("PUT", "/fhir/Patient/" + "x" * 65, {"resourceType": "Patient", "id": "x" * 65}, expect=400)

    def test_W02_what_only_the_server_may_set_is_ignored(self):
        meta = {"versionId": "77", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [{"system": "s", "code": "kept"}]}
        made = self.create({"resourceType": "Patient", "id": "mine", "meta": meta, "gender": "male"})
        self.assertNotEqual(made["id"], "mine")
        for number in (1, 2):
            got = json_of(self.ask("GET", f"/fhir/Patient/{made['id']}", expect=200))
            self.assertEqual(got["meta"]["versionId"], str(number))
            self.assertNotIn("1999", got["meta"]["lastUpdated"])
            self.assertEqual(got["meta"]["tag"], meta["tag"])
            self.ask("PUT", f"/fhir/Patient/{made['id']}",
                     {"resourceType": "Patient", "id": made["id"], "meta": meta}, expect=200)

    def test_bodies_that_are_no_resources_are_refused(self):
        for body in ("", "{", "[]", "null", "1", '"Patient"', "{}", '{"resourceType":"Nonsense"}', '{"resourceType":7}',
                     '{"resourceType":"Patient","resourceType":"Patient"}', '{"resourceType":"Patient"} x',
                     b'{"resourceType":"Patient","gender":"\xff"}', '{"resourceType":"Patient","multipleBirthInteger":01}'):
            self.ask("POST", "/fhir/Patient", body, expect=400)
        for kind in ("text/plain", "application/fhir+turtle", "multipart/form-data"):
            self.ask("POST", "/fhir/Patient", '{"resourceType":"Patient"}', {"Content-Type": kind}, expect=415)
        self.ask("GET", "/fhir/Patient/1", headers={"Accept": "application/fhir+turtle"}, expect=406)

    def test_prefer_chooses_what_a_write_answers(self):
        sent = {"resourceType": "Patient", "gender": "male"}
        minimal = self.ask("POST", "/fhir/Patient", sent, {"Prefer": "return=minimal"}, expect=201)
        self.assertEqual(minimal.body, b"")
        full = self.ask("POST", "/fhir/Patient", sent, {"Prefer": "return=representation"}, expect=201)
        self.assertEqual(json_of(full)["gender"], "male")

    # --- conditional read ---

    def test_a_client_that_has_the_version_is_sent_nothing(self):
        made = self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}, expect=201)
        path = f"/fhir/Patient/{json_of(made)['id']}"
        tag, time = made.headers["etag"], made.headers["last-modified"]
        for headers in ({"If-None-Match": tag}, {"If-None-Match": '"1"'}, {"If-None-Match": f'W/"9", {tag}'},
                        {"If-None-Match": "*"}, {"If-Modified-Since": time},
                        {"If-None-Match": tag, "If-Modified-Since": "Mon, 05 Jan 1970 00:00:00 GMT"}):
            reply = self.ask("GET", path, headers=headers, expect=304)
            self.assertEqual((reply.body, reply.headers["etag"], reply.headers["last-modified"]), (b"", tag, time))
        for headers in ({"If-None-Match": 'W/"2"'}, {"If-None-Match": "1"}, {"If-None-Match": "nonsense"},
                        {"If-Modified-Since": "Mon, 05 Jan 1970 00:00:00 GMT"}, {"If-Modified-Since": "yesterday"},
                        {"If-None-Match": 'W/"2"', "If-Modified-Since": time}):
            self.assertIn(b"Patient", self.ask("GET", path, headers=headers, expect=200).body)
        self.ask("DELETE", path, expect=204)
        self.ask("GET", path, headers={"If-None-Match": "*"}, expect=410)

    def test_a_read_that_is_answered_by_304_is_audited(self):
        id_ = self.create({"resourceType": "Patient"})["id"]
        size = self.server.audit_size()
        self.ask("GET", f"/fhir/Patient/{id_}", headers={"If-None-Match": 'W/"1"'}, expect=304)
        self.assertEqual([(e["event"], e["id"]) for e in self.server.audit_after(size)], [("read", id_)])

    def test_reads_of_a_bundle_may_be_conditional(self):
        made = self.create({"resourceType": "Patient"})
        url = f"Patient/{made['id']}"
        since = made["meta"]["lastUpdated"]
        for kind in ("batch", "transaction"):
            sent = bundle(kind, entry("GET", url, ifNoneMatch='W/"1"'), entry("GET", url, ifNoneMatch='W/"2"'),
                          entry("GET", url, ifModifiedSince=since),
                          entry("GET", url, ifModifiedSince="2001-01-01T00:00:00Z"))
            entries = json_of(self.ask("POST", "/fhir", sent, expect=200))["entry"]
            self.assertEqual([e["response"]["status"] for e in entries], ["304", "200", "304", "200"])
            self.assertEqual(["resource" in e for e in entries], [False, True, False, True])

    # --- parts of a resource ---

    def test_a_read_may_ask_for_a_part_of_the_resource(self):
        sent = {"resourceType": "Patient", "birthDate": "1970-01-01", "gender": "male", "contact": [{"name": {"family": "B"}}],
                "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'}}
        id_ = self.create(sent)["id"]
        for path in (f"/fhir/Patient/{id_}", f"/fhir/Patient/{id_}/_history/1"):
            whole = self.ask("GET", path, expect=200)
            for query, parts in (("_elements=birthDate", {"birthDate"}), ("_elements=gender,birthDate", {"gender", "birthDate"}),
                                 ("_summary=text", {"text"}), ("_summary=true", {"birthDate", "gender"}),
                                 ("_summary=data&_pretty=true", {"birthDate", "gender", "contact"})):
                reply = self.ask("GET", f"{path}?{query}", expect=200)
                part = json_of(reply)
                self.assertEqual(set(part), {"resourceType", "id", "meta"} | parts, query)
                self.assertEqual([tag["code"] for tag in part["meta"]["tag"]], ["SUBSETTED"])
                self.assertEqual(part["meta"]["versionId"], "1")
                for name in ("etag", "last-modified"):
                    self.assertEqual(reply.headers[name], whole.headers[name])
                as_xml = self.ask("GET", f"{path}?{query}&_format=xml", expect=200).body.decode()
                self.assertIn("SUBSETTED", as_xml)
                self.assertEqual("<contact>" in as_xml, "contact" in parts)
            for query in ("", "?_summary=false", "?_elements=", "?unknown=1"):
                self.assertEqual(self.ask("GET", path + query, expect=200).body, whole.body, query)
            for query in ("_summary=count", "_summary=perhaps"):
                self.ask("GET", f"{path}?{query}", expect=400)
        self.ask("GET", f"/fhir/Patient/{id_}?_elements=gender", headers={"If-None-Match": 'W/"1"'}, expect=304)
        self.assertNotIn("tag", json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))["meta"])

    def test_a_binary_is_always_read_whole(self):
        made = self.create({"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="})
        self.assertEqual(self.ask("GET", f"/fhir/Binary/{made['id']}?_summary=true", expect=200).body, b"hello")
        whole = self.ask("GET", f"/fhir/Binary/{made['id']}?_elements=contentType&_format=json", expect=200)
        self.assertEqual(json_of(whole)["data"], "aGVsbG8=")

    def test_preferences_may_come_in_lists(self):
        reply = self.ask("POST", "/fhir/Patient", {"resourceType": "Patient"}, {"Prefer": "handling=strict, return=minimal"}, expect=201)
        self.assertEqual(reply.body, b"")
        self.ask("GET", "/fhir/Patient?shoe-size=44", headers={"Prefer": "return=minimal, handling=strict"}, expect=400)

    # --- history ---

    def pages(self, path):
        entries = []
        while path:
            page = json_of(self.ask("GET", path, expect=200))
            self.assertEqual((page["resourceType"], page["type"]), ("Bundle", "history"))
            entries += page.get("entry", [])
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            path = urllib.parse.urlparse(following[0])._replace(scheme="", netloc="").geturl() if following else None
        return entries

    def test_history_pages_give_every_version_once_and_newest_first(self):
        id_ = self.create({"resourceType": "Patient"})["id"]
        for _ in range(6):
            self.ask("PUT", f"/fhir/Patient/{id_}", {"resourceType": "Patient", "id": id_}, expect=200)
        self.ask("DELETE", f"/fhir/Patient/{id_}", expect=204)
        entries = self.pages(f"/fhir/Patient/{id_}/_history?_count=3")
        self.assertEqual([e["response"]["etag"] for e in entries], [f'W/"{n}"' for n in range(8, 0, -1)])
        self.assertEqual([e["request"]["method"] for e in entries], ["DELETE"] + ["PUT"] * 6 + ["POST"])
        self.assertNotIn("resource", entries[0])

    def test_history_of_a_type_and_of_the_system_holds_what_was_changed(self):
        made = {self.create({"resourceType": "Basic", "code": {"text": str(n)}})["id"] for n in range(5)}
        for path in ("/fhir/Basic/_history?_count=2", "/fhir/_history?_count=7"):
            listed = self.pages(path)
            keys = [(e["fullUrl"], e["response"]["etag"]) for e in listed]
            self.assertEqual(len(keys), len(set(keys)), path)
            self.assertLessEqual(made, {e["fullUrl"].rsplit("/", 1)[1] for e in listed}, path)
            times = [e["response"]["lastModified"] for e in listed]
            self.assertEqual(times, sorted(times, reverse=True), path)

    def versions(self, path, **query):
        entries = self.pages(path + "?" + urllib.parse.urlencode(query))
        return [(e["fullUrl"].rsplit("/", 1)[1], int(re.search(r"\d+", e["response"]["etag"])[0])) for e in entries]

    def create_later(self, resource):
        time.sleep(0.01)  # versions of one millisecond cannot be told apart by _since
        return self.create(resource)

    def test_history_since_and_at_a_time(self):
        ids = [self.create_later({"resourceType": "Flag", "status": "active", "code": {"text": "x"},
                                  "subject": {"display": "x"}})["id"] for _ in range(2)]
        for id_ in ids * 2:
            time.sleep(0.01)
            body = json_of(self.ask("GET", f"/fhir/Flag/{id_}", expect=200))
            self.ask("PUT", f"/fhir/Flag/{id_}", body, expect=200)
        a, b = ids
        order = [(b, 3), (a, 3), (b, 2), (a, 2), (b, 1), (a, 1)]
        when = {(id_, number): json_of(self.ask("GET", f"/fhir/Flag/{id_}/_history/{number}"))["meta"]["lastUpdated"]
                for id_, number in order}
        for count in (1, 2, 100):
            for path in ("/fhir/Flag/_history", "/fhir/_history"):
                for i, version in enumerate(order):
                    self.assertEqual(self.versions(path, _since=when[version], _count=count), order[:i + 1])
            self.assertEqual(self.versions("/fhir/Flag/_history", _at=when[b, 2], _count=count), [(b, 2), (a, 2)])
            self.assertEqual(self.versions("/fhir/Flag/_history", _at=when[a, 3], _count=count), [(a, 3), (b, 2)])
            self.assertEqual(self.versions("/fhir/Flag/_history", _at=when[a, 3], _since=when[a, 3], _count=count),
                             [(a, 3)])
            self.assertEqual(self.versions(f"/fhir/Flag/{a}/_history", _since=when[a, 2], _count=count),
                             [(a, 3), (a, 2)])
            self.assertEqual(self.versions(f"/fhir/Flag/{a}/_history", _at=when[b, 2], _count=count), [(a, 2)])
        for path in ("/fhir/Flag/_history", f"/fhir/Flag/{a}/_history"):
            self.assertEqual(self.versions(path, _at="2001"), [])
            self.assertEqual(self.versions(path, _since="2999-01-01"), [])
            self.assertEqual(self.versions(path, _at=when[a, 1][:4]),
                             [each for each in order if each[0] == a or "/Flag/_" in path])
            self.ask("GET", path + "?_since=yesterday", expect=400)
            self.ask("GET", path + "?_at=", expect=400)

    def pages_token(self):
        page = json_of(self.ask("GET", "/fhir/Patient/_history?_count=1", expect=200))
        return [link["url"] for link in page["link"] if link["relation"] == "next"][0]

    def test_a_page_token_is_good_for_its_own_address_and_person_only(self):
        self.create({"resourceType": "Patient"})
        self.create({"resourceType": "Patient"})
        url = urllib.parse.urlparse(self.pages_token())
        token = urllib.parse.parse_qs(url.query)["_page"][0]
        self.ask("GET", "/fhir/Observation/_history?_page=" + token, expect=400)
        flipped = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
        self.ask("GET", "/fhir/Patient/_history?_page=" + flipped, expect=400)
        other = self.server.token_of(self.server.person("dr.page", "doctor"))
        reply = self.server.request("GET", "/fhir/Patient/_history?_page=" + token, token=other)
        self.assertEqual(reply.status, 400)

    # --- batches and transactions ---

    def test_a_transaction_resolves_its_own_references_wherever_they_stand(self):
        patient, doctor = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"
        observation = {
            "resourceType": "Observation", "status": "final", "code": {"text": patient},
            "subject": {"reference": patient}, "performer": [{"reference": doctor}],
            "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{patient}">p</a></div>'},
        }
        sent = bundle("transaction", entry("POST", "Observation", observation),
                      entry("POST", "Patient", {"resourceType": "Patient"}, patient),
                      entry("POST", "Practitioner", {"resourceType": "Practitioner"}, doctor))
        answer = json_of(self.ask("POST", "/fhir", sent, expect=200))
        self.assertEqual(answer["type"], "transaction-response")
        places = [place(e["response"]["location"]) for e in answer["entry"]]
        self.assertEqual([p[0] for p in places], ["Observation", "Patient", "Practitioner"])
        got = json_of(self.ask("GET", f"/fhir/Observation/{places[0][1]}", expect=200))
        self.assertEqual(got["subject"]["reference"], f"Patient/{places[1][1]}")
        self.assertEqual(got["performer"][0]["reference"], f"Practitioner/{places[2][1]}")
        self.assertEqual(got["code"]["text"], patient, "a text that looks like a reference is none")

    def test_a_conditional_reference_names_the_one_match(self):
        mark = str(uuid.uuid4())
        target = self.create(identified(mark))["id"]
        search = "Patient?identifier=http://example.org/mrn|" + mark
        resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                    "subject": {"reference": search}}
        answer = json_of(self.ask("POST", "/fhir", bundle("transaction", entry("POST", "Observation", resource)), expect=200))
        id_ = place(answer["entry"][0]["response"]["location"])[1]
        self.assertEqual(json_of(self.ask("GET", f"/fhir/Observation/{id_}"))["subject"]["reference"], f"Patient/{target}")

        self.create(identified(mark))  # now there are two
        self.ask("POST", "/fhir", bundle("transaction", entry("POST", "Observation", resource)), expect=412)
        resource["subject"]["reference"] = "Patient?identifier=http://example.org/mrn|nobody"
        self.ask("POST", "/fhir", bundle("transaction", entry("POST", "Observation", resource)), expect=412)

    def test_if_none_exist_creates_once(self):
        mark = str(uuid.uuid4())
        criteria = "identifier=http://example.org/mrn|" + mark
        first = self.ask("POST", "/fhir/Patient", identified(mark), {"If-None-Exist": criteria}, expect=201)
        second = self.ask("POST", "/fhir/Patient", identified(mark), {"If-None-Exist": criteria}, expect=200)
        self.assertEqual(first.headers["location"], second.headers["location"])
        sent = bundle("transaction", entry("POST", "Patient", identified(mark), ifNoneExist=criteria))
        answer = json_of(self.ask("POST", "/fhir", sent, expect=200))["entry"][0]["response"]
        self.assertTrue(answer["status"].startswith("200"))
        self.assertEqual(place(answer["location"]), place(first.headers["location"]))
        self.create(identified(mark))
        self.ask("POST", "/fhir/Patient", identified(mark), {"If-None-Exist": criteria}, expect=412)
        self.ask("POST", "/fhir/Patient", identified(mark), {"If-None-Exist": "shoe-size=x"}, expect=400)

    def test_a_transaction_is_done_whole_or_not_at_all(self):
        kept = self.create({"resourceType": "Patient", "gender": "male"})["id"]
        mark = str(uuid.uuid4())
        changed = {"resourceType": "Patient", "id": kept, "gender": "female"}
        wrong = [
            entry("PUT", "Patient/other", {"resourceType": "Patient", "id": "another"}),
            entry("PUT", f"Patient/{kept}-2", {"resourceType": "Patient", "id": f"{kept}-2"}, ifMatch='W/"9"'),
            entry("POST", "Observation", {"resourceType": "Patient"}),
            entry("GET", f"Patient/{uuid.uuid4()}"),
            entry("PUT", f"Patient/{kept}", changed),  # the same resource twice
        ]
        for last in wrong:
            sent = bundle("transaction", entry("POST", "Patient", identified(mark)),
                          entry("PUT", f"Patient/{kept}", changed), last)
            self.assertIn(self.ask("POST", "/fhir", sent).status, (400, 404, 409, 412), last)
            self.assertEqual(json_of(self.ask("GET", f"/fhir/Patient/{kept}"))["meta"]["versionId"], "1")
        # Nobody has the identifier: a conditional create still creates.
        self.ask("POST", "/fhir/Patient", identified(mark), {"If-None-Exist": f"identifier=http://example.org/mrn|{mark}"},
                 expect=201)

    def test_deletes_of_a_transaction_come_before_its_creates_and_updates(self):
        mark = str(uuid.uuid4())
        old = self.create(identified(mark))["id"]
        sent = bundle("transaction",
                      entry("POST", "Patient", identified(mark), ifNoneExist=f"identifier=http://example.org/mrn|{mark}"),
                      entry("DELETE", f"Patient/{old}"))
        answer = json_of(self.ask("POST", "/fhir", sent, expect=200))
        self.assertTrue(answer["entry"][0]["response"]["status"].startswith("201"))
        self.assertTrue(answer["entry"][1]["response"]["status"].startswith("204"))
        self.ask("GET", f"/fhir/Patient/{old}", expect=410)

    def test_entries_of_a_batch_stand_alone(self):
        here = self.create({"resourceType": "Patient"})["id"]
        sent = bundle("batch", entry("POST", "Patient", {"resourceType": "Patient"}),
                      entry("GET", f"Patient/{uuid.uuid4()}"), entry("GET", f"Patient/{here}"),
                      entry("PUT", "Patient/x", {"resourceType": "Patient", "id": "y"}),
                      entry("DELETE", f"Patient/{uuid.uuid4()}"))
        answer = json_of(self.ask("POST", "/fhir", sent, expect=200))
        self.assertEqual(answer["type"], "batch-response")
        self.assertEqual([e["response"]["status"][:3] for e in answer["entry"]], ["201", "404", "200", "400", "204"])
        self.assertEqual(answer["entry"][2]["resource"]["id"], here)

    def test_bundles_that_are_none_of_both_are_refused(self):
        for body in (bundle("collection"), bundle("searchset"), {"resourceType": "Bundle"}, {"resourceType": "Patient"},
                     bundle("transaction", {"resource": {"resourceType": "Patient"}}),
                     bundle("transaction", entry("PATCH", "Patient/1")), bundle("transaction", entry("POST", "Nonsense", {}))):
            self.assertIn(self.ask("POST", "/fhir", body).status, (400, 404), body)


if __name__ == "__main__":
    unittest.main()

"""What an entry of a batch or transaction may read, and that it is answered and recorded as it would be alone."""

import json
import unittest
import urllib.parse
import uuid

import harness
from harness import json_of

STRICT = {"Prefer": "handling=strict"}
LOINC = "http://loinc.org"


def path_of(url):
    return urllib.parse.urlparse(url)._replace(scheme="", netloc="").geturl()


def links_of(bundle):
    return {link["relation"]: link["url"] for link in bundle["link"]}


class Entries(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.server.token_of(cls.server.person("root.entries", "administrator"))

    def ask(self, method, path, body=None, headers=None, expect=200, token=None):
        reply = self.server.request(method, path, body, token=token or self.root, headers=headers)
        self.assertEqual(reply.status, expect, (method, path, reply.body[:500]))
        return reply

    def create(self, resource):
        return json_of(self.ask("POST", "/fhir/" + resource["resourceType"], resource, expect=201))["id"]

    def patient(self, mark=None):
        identifier = {"identifier": [{"system": "urn:mark", "value": mark}]} if mark else {}
        return self.create({"resourceType": "Patient", "name": [{"family": "Entry"}], **identifier})

    def observation(self, patient, code="8867-4", **more):
        return self.create({"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
                            "code": {"coding": [{"system": LOINC, "code": code}]}, **more})

    def bundle(self, *urls, kind="batch", headers=None, expect=200, path="/fhir"):
        entries = [each if isinstance(each, dict) else {"request": {"method": "GET", "url": each}} for each in urls]
        return self.ask("POST", path, {"resourceType": "Bundle", "type": kind, "entry": entries}, headers, expect)

    def answers(self, *urls, **options):
        return json_of(self.bundle(*urls, **options))["entry"]

    def resources(self, *urls, **options):
        entries = self.answers(*urls, **options)
        self.assertEqual([entry["response"]["status"][:3] for entry in entries], ["200"] * len(urls), entries)
        return [entry["resource"] for entry in entries]

    def base(self):
        return f"https://{self.server.host}:{self.server.port}/fhir"

    def events(self, reply, *names):
        """What the log says of a request, as far as it does not tell when and under which id it came."""
        id_ = reply.headers["x-request-id"]
        return [{name: entry.get(name) for name in ("event", "type", "id", "version", "patients", "query", "outcome")}
                for entry in self.server.audit() if entry.get("request_id") == id_ and (not names or entry["event"] in names)]


class Links(Entries):
    def walk(self, bundle):
        """The ids of all pages from this one on, each of which is asked for by itself."""
        found = []
        while True:
            found += [(entry["resource"]["id"], entry["resource"]["meta"]["versionId"]) for entry in bundle.get("entry", [])]
            if "next" not in links_of(bundle):
                return found
            bundle = json_of(self.ask("GET", path_of(links_of(bundle)["next"])))

    def test_the_pages_behind_a_search_of_an_entry_can_be_reached(self):
        mark = str(uuid.uuid4())
        ids = [self.patient(mark) for _ in range(7)]
        made = [self.observation(ids[0]) for _ in range(5)]
        urls = [f"Patient?identifier=urn:mark%7C{mark}&_count=3", f"Patient/{ids[0]}/Observation?_count=2",
                f"?_type=Patient&_id={','.join(ids)}&_count=3", f"Patient/{ids[0]}/$everything?_count=2",
                f"/Patient?identifier={mark}"]
        for kind in ("batch", "transaction"):
            found = self.resources(*urls, kind=kind)
            self.assertEqual([each["type"] for each in found], ["searchset"] * 5)
            self.assertEqual([links_of(each)["self"] for each in found],
                             [self.base() + ("" if url[0] in "/?" else "/") + url for url in urls])
            for each, expected in zip(found, (ids, made, ids, [ids[0], *made], ids)):
                # $everything shows whom it is of beside what refers to him, on each page.
                self.assertEqual({id_ for id_, _ in self.walk(each)}, set(expected))
            self.assertNotIn(mark, links_of(found[0])["next"])
            self.assertNotIn("next", links_of(found[4]))

    def test_the_pages_behind_a_history_of_an_entry_can_be_reached(self):
        id_ = self.create({"resourceType": "Basic", "code": {"text": "x"}})
        for _ in range(6):
            self.ask("PUT", f"/fhir/Basic/{id_}", {"resourceType": "Basic", "id": id_, "code": {"text": "x"}})
        since = json_of(self.ask("GET", f"/fhir/Basic/{id_}/_history/3"))["meta"]["lastUpdated"].replace("+", "%2B")
        versions = [(id_, str(number)) for number in range(7, 0, -1)]
        urls = [f"Basic/{id_}/_history?_count=2", f"Basic/{id_}/_history?_count=2&_since={since}",
                f"Basic/_history?_count=2&_since={since}", f"_history?_count=2&_since={since}"]
        for kind in ("batch", "transaction"):
            found = self.resources(*urls, kind=kind)
            self.assertEqual([links_of(each)["self"] for each in found], [f"{self.base()}/{url}" for url in urls])
            self.assertEqual([len(each["entry"]) for each in found], [2] * 4)
            self.assertEqual(self.walk(found[0]), versions)
            for each in found[1:]:
                self.assertEqual(self.walk(each)[-5:], versions[:5])
                self.assertIn("_count=2&", links_of(each)["next"])

    def test_an_answer_in_XML_has_links_and_the_next_page_is_XML_too(self):
        mark = str(uuid.uuid4())
        for _ in range(2):
            self.patient(mark)
        body = self.bundle(f"Patient?identifier={mark}&_count=1", path="/fhir?_format=xml")
        self.assertTrue(body.headers["content-type"].startswith("application/fhir+xml"), body.headers)
        self.assertNotIn(b'<url value=""', body.body)
        self.assertIn(b'<relation value="next"/>', body.body)
        self.assertIn(b"&amp;_format=xml", body.body)

    def test_links_of_an_entry_are_good_for_their_owner_and_address_only(self):
        mark = str(uuid.uuid4())
        for _ in range(2):
            self.patient(mark)
        found, = self.resources(f"Patient?identifier={mark}&_count=1")
        path = path_of(links_of(found)["next"])
        other = self.server.token_of(self.server.person("dr.other", "doctor"))
        self.ask("GET", path, token=other, expect=400)
        self.ask("GET", path.replace("/Patient", "/Observation"), expect=400)
        # Inside of a bundle it would begin again: it is refused.
        entry, = self.answers(path.removeprefix("/fhir/"))
        self.assertEqual(entry["response"]["status"], "400")

    def test_A03_later_pages_of_an_entry_have_the_text_of_its_search(self):
        marks = [str(uuid.uuid4()) for _ in range(2)]
        for mark in marks * 2:
            self.patient(mark)
        texts = [f"identifier={mark}&_count=1" for mark in marks]
        for kind in ("batch", "transaction"):
            for text, found in zip(texts, self.resources(*("Patient?" + text for text in texts), kind=kind)):
                reply = self.ask("GET", path_of(links_of(found)["next"]))
                self.assertEqual([each["query"] for each in self.events(reply)], [text])


class Interactions(Entries):
    def test_A03_A04_an_entry_is_answered_and_recorded_as_if_it_were_alone(self):
        mark = str(uuid.uuid4())
        someone, other = self.patient(mark), self.patient(mark)
        self.observation(someone, effectiveDateTime="2026-01-02")
        self.observation(someone, "1-1", effectiveDateTime="2026-01-01")
        self.ask("PUT", f"/fhir/Patient/{other}", {"resourceType": "Patient", "id": other})
        system = "http://example.org/codes/" + mark
        codes = self.create({"resourceType": "CodeSystem", "status": "active", "url": system, "content": "complete",
                             "concept": [{"code": "a", "display": "A", "concept": [{"code": "b", "display": "B"}]}]})
        values = self.create({"resourceType": "ValueSet", "status": "active", "url": system + "/all",
                              "compose": {"include": [{"system": system}]}})
        urls = [f"Patient/{someone}", f"Patient/{other}/_history/1", f"Patient/{someone}?_elements=name",
                f"Patient/{other}/_history?_count=1", "Patient/_history?_count=3", "_history?_count=3",
                "Patient/_history?_at=2001", f"Patient?identifier={mark}", f"?_type=Patient,Observation&_id={someone}",
                f"Patient/{someone}/Observation?status=final", f"Patient/{someone}/*", "Patient?family=nobody",
                f"Patient/{someone}/$everything?start=2026-01-02", f"Observation/$lastn?patient={someone}",
                f"Patient/{someone}/$meta", f"Patient/{someone}/$validate",
                f"ValueSet/$expand?url={system}/all", f"ValueSet/{values}/$expand?filter=b",
                f"ValueSet/$validate-code?url={system}/all&system={system}&code=a",
                f"CodeSystem/{codes}/$validate-code?code=z", f"CodeSystem/$lookup?system={system}&code=b",
                f"CodeSystem/$subsumes?system={system}&codeA=a&codeB=b",
                # what is refused, too
                f"Patient/{uuid.uuid4()}", "Patient/_history?_since=yesterday", "Patient/_history?name=x",
                f"Patient/{someone}/$everything?shoe-size=44", "Observation/$lastn?max=1", "CodeSystem/$lookup?unknown=1",
                f"Patient/{someone}?_summary=count", f"Patient/{someone}/Organization", "?_type=Nothing"]
        for url in urls:
            alone = self.server.request("GET", "/fhir" + ("" if url[0] == "?" else "/") + url, token=self.root)
            kinds = ("batch", "transaction") if alone.status == 200 else ("batch",)
            for kind in kinds:
                with self.subTest(url=url, kind=kind):
                    reply = self.bundle(url, kind=kind)
                    entry, = json_of(reply)["entry"]
                    self.assertEqual(int(entry["response"]["status"][:3]), alone.status, entry)
                    body = entry["resource"] if alone.status == 200 else entry["response"]["outcome"]
                    self.assertEqual(comparable(body), comparable(json_of(alone)))
                    self.assertEqual(self.events(reply), self.events(alone))

    def test_what_cannot_be_an_entry_is_refused_by_its_reason(self):
        form = {"request": {"method": "POST", "url": "Patient/_search"}}
        operation = {"request": {"method": "POST", "url": "Patient/$validate"}, "resource": {"resourceType": "Patient"}}
        urls = ("$export", "Patient/$export", "metadata", "Patient/1/$nothing", "Observation/1/$everything", "Observation/1/Patient",
                "Nothing/_history", "Patient/1/_history/1/2")
        for entry in self.answers(form, operation):
            self.assertEqual((entry["response"]["status"], entry["response"]["outcome"]["issue"][0]["code"]), ("400", "not-supported"))
        for url, entry in zip(urls, self.answers(*urls)):
            self.assertEqual(entry["response"]["status"], "404", url)

    def test_what_a_role_may_not_do_alone_it_may_not_do_in_a_bundle(self):
        token = self.server.service("carrier.entries", "loader")
        someone = self.patient()
        urls = (f"Patient/{someone}/Observation", "?_type=Patient", "Patient/_history", "_history", f"Patient/{someone}/$everything",
                f"Patient/{someone}/$meta", "ValueSet/$expand?url=x", f"Observation/$lastn?patient={someone}")
        body = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": url}} for url in urls]}
        for url, entry in zip(urls, json_of(self.ask("POST", "/fhir", body, token=token))["entry"]):
            alone = self.server.request("GET", "/fhir" + ("" if url[0] == "?" else "/") + url, token=token)
            self.assertEqual((entry["response"]["status"], alone.status), ("403", 403), url)

    def test_a_transaction_that_writes_reads_single_resources_only(self):
        someone = self.patient()
        write = {"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}}
        entries = self.answers(write, f"Patient/{someone}", f"Patient/{someone}/$meta", f"Patient/{someone}?_summary=text",
                               f"Patient/{someone}/_history?_count=1", kind="transaction")
        self.assertEqual([entry["response"]["status"] for entry in entries], ["201", "200", "200", "200", "200"])
        for url in ("Patient?_id=x", "Patient/_history", f"Patient/{someone}/$everything", "_history", "?_type=Patient"):
            self.bundle(write, url, kind="transaction", expect=400)

    def test_entries_honour_the_handling_that_the_bundle_asks_for(self):
        urls = ("Patient?shoe-size=44&_count=1", "?_type=Patient&shoe-size=44&_count=1")
        for entry in self.answers(*urls):
            self.assertEqual(entry["response"]["status"], "200")
        for entry in self.answers(*urls, headers=STRICT):
            self.assertEqual(entry["response"]["status"], "400")
        self.bundle(*urls, kind="transaction", headers=STRICT, expect=400)

    def test_the_pages_of_a_strict_search_stay_strict(self):
        mark = str(uuid.uuid4())
        for _ in range(2):
            self.patient(mark)
        found, = self.resources(f"Patient?identifier={mark}&_count=1", headers=STRICT)
        self.ask("GET", path_of(links_of(found)["next"]))

    def test_if_match_of_a_conditional_delete_is_honoured(self):
        mark = str(uuid.uuid4())
        id_ = self.patient(mark)
        criteria = f"Patient?identifier=urn:mark%7C{mark}"

        def delete(version):
            return {"request": {"method": "DELETE", "url": criteria, "ifMatch": f'W/"{version}"'}}
        self.ask("DELETE", "/fhir/" + criteria, headers={"If-Match": 'W/"2"'}, expect=412)
        self.assertEqual(self.answers(delete(2))[0]["response"]["status"], "412")
        self.bundle(delete(2), kind="transaction", expect=412)
        self.ask("GET", f"/fhir/Patient/{id_}")
        self.ask("DELETE", "/fhir/" + criteria, headers={"If-Match": "nonsense"}, expect=400)
        self.ask("DELETE", "/fhir/" + criteria, headers={"If-Match": 'W/"1"'}, expect=204)
        self.ask("GET", f"/fhir/Patient/{id_}", expect=410)
        # Nothing has the version that is named.
        self.ask("DELETE", "/fhir/" + criteria, headers={"If-Match": 'W/"1"'}, expect=412)
        self.assertEqual(self.answers(delete(1))[0]["response"]["status"], "412")
        self.bundle(delete(1), kind="transaction", expect=412)
        self.ask("DELETE", "/fhir/" + criteria, expect=204)
        again = self.patient(mark)
        self.assertEqual(self.answers(delete(1))[0]["response"]["status"], "204")
        self.ask("GET", f"/fhir/Patient/{again}", expect=410)


def comparable(body):
    """Without what is new each time: the time of an expansion and the tokens of pages, which are sealed anew."""
    body.get("expansion", {}).pop("timestamp", None)
    text = json.dumps(body, sort_keys=True)
    start = text.find("_page=")
    while start >= 0:
        end = min(text.index(mark, start) for mark in ('"', "&") if mark in text[start:])
        text = text[:start] + text[end:]
        start = text.find("_page=")
    return text


if __name__ == "__main__":
    unittest.main()

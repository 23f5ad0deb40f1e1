"""What the searching tests share: the resources that are searched, and the comparison with the evaluator."""

import json
import os
import pathlib
import sys
import unittest
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
from examples import NOT_WRITTEN, VECTORS, inflated, place_of, resources  # noqa: E402,F401
from evaluator import Evaluator, Page, problems  # noqa: E402

SAMPLES = harness.REPOSITORY / "samples"
# Bundles of patients that are searched: those of samples/, or any number of others.
PATIENTS = pathlib.Path(os.environ.get("TACENDA_SYNTHEA") or SAMPLES)
PAGES_MAX = 5000
FAILURES_SHOWN = 10
NOISE = {"system": "http://tacenda.example/tags", "code": "noise"}
WITHOUT_NOISE = "_tag:not=" + urllib.parse.quote(f"{NOISE['system']}|{NOISE['code']}", safe="")


class SearchCase(harness.TestCase):
    policy = "classic"
    seed = "no seed"  # said when a search is wrong

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()
        cls.base = f"https://{cls.server.host}:{cls.server.port}/fhir"
        cls.require_search()

    @classmethod
    def require_search(cls):
        statement = harness.json_of(cls.server.request("GET", "/fhir/metadata", token=cls.token))
        patient = next(row for row in statement["rest"][0]["resource"] if row["type"] == "Patient")
        if "search-type" not in [row["code"] for row in patient["interaction"]]:
            raise unittest.SkipTest("the server's CapabilityStatement declares no search-type")

    def evaluator(self, resources):
        found = Evaluator()
        self.addCleanup(found.close)
        found.load(resources, self.base)
        return found

    # --- what is searched ---

    def load_samples(self, connection):
        """Sends the patients' bundles as transactions; gives the stored resources."""
        stored = self.loaded_samples
        if stored:
            return stored
        for file in sorted(PATIENTS.glob("*.json")):
            reply = connection.request("POST", "/fhir", file.read_bytes(), self.token)
            self.assertEqual(reply.status, 200, reply.body[:500])
            for entry in harness.json_of(reply)["entry"]:
                place = "/".join(entry["response"]["location"].split("/_history/")[0].split("/")[-2:])
                stored.append(self.read(connection, place))
        self.assertGreater(len(stored), 0, f"there are no bundles in {PATIENTS}")
        return stored

    def load_examples(self, connection):
        """Stores the examples of the archive; gives them as they are stored: all but those that nobody may write."""
        if not self.loaded:
            sent, refused = resources(self.archive), {}
            for place, resource in sent.items():
                reply = connection.request("PUT", "/fhir/" + place, resource, self.token)
                if reply.status in (200, 201):
                    self.loaded.append(self.read(connection, place))
                else:
                    refused[place] = reply.status
            self.assertEqual(refused, dict.fromkeys(NOT_WRITTEN & set(sent), 405))
        return self.loaded

    def read(self, connection, place):
        # A Binary is given as what it holds to whoever does not ask for FHIR.
        reply = connection.request("GET", "/fhir/" + place, token=self.token, headers={"Accept": "application/fhir+json"})
        self.assertEqual(reply.status, 200, place)
        return json.loads(reply.body)

    # --- searching ---

    def pages(self, connection, query, count, by_post):
        path, parameters = query.split("?", 1)
        parameters += f"&_count={count}"
        if by_post:
            target = f"/fhir/{path}/_search" if path else "/fhir/_search"
            reply = connection.request("POST", target, parameters, self.token,
                                       {"Content-Type": "application/x-www-form-urlencoded"})
        else:
            reply = connection.request("GET", f"/fhir/{path}?{parameters}", token=self.token)
        found = []
        while True:
            if reply.status != 200:
                raise AssertionError(f"page {len(found) + 1}: {reply.status} {reply.body[:500]}")
            found.append(Page(json.loads(reply.body)))
            if not found[-1].next or len(found) > PAGES_MAX:
                return found
            address = urllib.parse.urlsplit(found[-1].next)
            self.assertEqual(address.netloc, f"{self.server.host}:{self.server.port}")
            reply = connection.request("GET", f"{address.path}?{address.query}", token=self.token)

    def wrong(self, connection, made, count, by_post, evaluator):
        """What is wrong with the answer to a query, and how many it has to find."""
        query = f"{made}&{WITHOUT_NOISE}" if not made.endswith("?") else made + WITHOUT_NOISE
        expected = evaluator.ask(search=query)
        if "refused" in expected:
            raise AssertionError(f"the generator made a query that is none: {query}: {expected['refused']}")
        if count is None:
            count = max(100, expected["total"] // 10)
        try:
            pages = self.pages(connection, query, count, by_post)
            found = problems(query, count, pages, expected, evaluator)
        except AssertionError as problem:
            found = [str(problem)]
        return [f"{query} (_count {count}): {one}" for one in found], expected

    def report(self, failures, asked):
        shown = "\n".join(failures[:FAILURES_SHOWN])
        self.assertEqual(len(failures), 0, f"of {asked} queries, {self.seed}:\n{shown}")

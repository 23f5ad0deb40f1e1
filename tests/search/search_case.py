"""What the searching tests share: the resources that are searched, and the comparison with the evaluator."""

import ctypes
import ctypes.util
import io
import json
import os
import pathlib
import sys
import tarfile
import unittest
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402
from evaluator import Evaluator, Page, problems  # noqa: E402

VECTORS = harness.REPOSITORY / "tests" / "vectors"
SAMPLES = harness.REPOSITORY / "samples"
# Bundles of patients that are searched: those of samples/, or any number of others.
PATIENTS = pathlib.Path(os.environ.get("TACENDA_SYNTHEA") or SAMPLES)
PAGES_MAX = 5000
INFLATED_MAX = 1 << 28
FAILURES_SHOWN = 10
NOISE = {"system": "http://tacenda.example/tags", "code": "noise"}
WITHOUT_NOISE = "_tag:not=" + urllib.parse.quote(f"{NOISE['system']}|{NOISE['code']}", safe="")


def examples(archive):
    """The resources with an id that an archive holds; of several with one id the last."""
    with tarfile.open(fileobj=io.BytesIO(inflated((VECTORS / archive).read_bytes()))) as files:
        names = sorted(name for name in files.getnames() if name.endswith(".json"))
        found = [json.loads(files.extractfile(name).read()) for name in names]
    return {place_of(one): one for one in found if one.get("resourceType") and one.get("id")}


def inflated(packed):
    """What a zstd archive holds. The library is there: the server uses it."""
    library = ctypes.util.find_library("zstd")
    if not library:
        npm.skip("libzstd is not installed")
    zstd = ctypes.CDLL(library)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    buffer = ctypes.create_string_buffer(INFLATED_MAX)
    made = zstd.ZSTD_decompress(buffer, ctypes.c_size_t(INFLATED_MAX), packed, ctypes.c_size_t(len(packed)))
    if zstd.ZSTD_isError(ctypes.c_size_t(made)):
        raise AssertionError("the archive is damaged")
    return buffer.raw[:made]


def place_of(resource):
    return f"{resource['resourceType']}/{resource['id']}"


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
        if self.loaded:
            return self.loaded
        stored = self.loaded
        for file in sorted(PATIENTS.glob("*.json")):
            reply = connection.request("POST", "/fhir", file.read_bytes(), self.token)
            self.assertEqual(reply.status, 200, reply.body[:500])
            for entry in harness.json_of(reply)["entry"]:
                place = "/".join(entry["response"]["location"].split("/_history/")[0].split("/")[-2:])
                stored.append(self.read(connection, place))
        self.assertGreater(len(stored), 0, f"there are no bundles in {PATIENTS}")
        return stored

    def load_examples(self, connection):
        """Stores the examples of the archive; gives those that the server takes, as they are stored."""
        if not self.loaded:
            sent = examples(self.archive)
            for place, resource in sent.items():
                reply = connection.request("PUT", "/fhir/" + place, resource, self.token)
                if reply.status in (200, 201):
                    self.loaded.append(self.read(connection, place))
            self.assertGreater(len(self.loaded), 0.95 * len(sent), "the server takes most of the examples")
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

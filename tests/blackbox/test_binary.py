"""Binary as what it holds: its own content type, raw writes, ranges, whose it is (R4 binary.html, RFC 9110)."""

import base64
import http.client
import json
import os
import socket
import ssl
import time
import unittest

import harness

FHIR = {"Accept": "application/fhir+json"}
CANARY = "canary words in a letter about a rare disease"


class Binaries(harness.TestCase):
    policy = "classic"

    def setUp(self):
        self.token = self.server.admin()

    def send(self, content, kind, method="POST", path="/fhir/Binary", **headers):
        return self.server.request(method, path, content, self.token, {"Content-Type": kind, **headers})

    def made(self, content, kind="application/pdf", **headers):
        """The path of a Binary made of raw content."""
        reply = self.send(content, kind, **headers)
        self.assertEqual((reply.status, reply.body), (201, b""), reply)
        return reply.headers["location"].split("/_history")[0].split(str(self.server.port), 1)[1]

    def get(self, path, **headers):
        return self.server.request("GET", path, token=self.token, headers=headers)

    def test_content_of_any_bytes_comes_back_as_it_was_sent(self):
        for size in (0, 1, 2, 3, 1000, 3_000_000):
            content = os.urandom(size)
            path = self.made(content)
            reply = self.get(path, Accept="application/pdf")
            self.assertEqual((reply.status, reply.body, reply.headers["content-type"]), (200, content, "application/pdf"))
            self.assertEqual(reply.headers["etag"], 'W/"1"')
            resource = harness.json_of(self.get(path, **FHIR))
            self.assertEqual((resource["resourceType"], resource["contentType"]), ("Binary", "application/pdf"))
            self.assertEqual(base64.b64decode(resource.get("data", "")), content)
            self.assertEqual(self.get(path + "/_history/1").body, content)

    def test_accept_decides_between_the_resource_and_its_content(self):
        content = b"\x89PNG not really"
        path = self.made(content, "image/png")
        for accept in (None, "*/*", "image/png", "image/*", "application/pdf", "text/html, */*;q=0.5"):
            reply = self.get(path, **({"Accept": accept} if accept else {}))
            self.assertEqual((reply.status, reply.body, reply.headers["content-type"]), (200, content, "image/png"), accept)
        for accept, kind in (("application/fhir+json", "application/fhir+json"), ("application/json", "application/fhir+json"),
                             ("application/fhir+xml", "application/fhir+xml")):
            reply = self.get(path, Accept=accept)
            self.assertEqual((reply.status, reply.headers["content-type"].split(";")[0]), (200, kind))
        self.assertEqual(harness.json_of(self.get(path + "?_format=json"))["resourceType"], "Binary")
        listed = harness.json_of(self.get(path + "/_history"))
        self.assertEqual(base64.b64decode(listed["entry"][0]["resource"]["data"]), content)

    def test_a_binary_resource_is_taken_as_one_and_other_json_and_xml_as_content(self):
        resource = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"words").decode()}
        for kind in ("application/fhir+json", "application/json"):
            reply = self.send(json.dumps(resource), kind)
            self.assertEqual(reply.status, 201)
            path = "/fhir/Binary/" + harness.json_of(reply)["id"]
            self.assertEqual(self.get(path).body, b"words")
        for text, kind in ((b'{"a": 1}', "application/json"), (b"<a/>", "application/xml"), (b"<a/>", "text/xml"),
                           (b'{"resourceType":"Patient"}', "application/json")):
            path = self.made(text, kind)
            reply = self.get(path, Accept=kind)
            self.assertEqual((reply.body, reply.headers["content-type"]), (text, kind))
        self.assertEqual(self.send(b'{"resourceType":"Patient"}', "application/fhir+json").status, 400)
        self.assertEqual(self.send(b"no json", "application/fhir+json").status, 400)
        self.assertEqual(self.send(b"x", "nothing").status, 415)

    def test_an_update_by_put_makes_a_new_version(self):
        path = self.made(b"first", "text/plain")
        reply = self.send(b"second", "text/csv", "PUT", path)
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["etag"], 'W/"2"')
        self.assertEqual((self.get(path).body, self.get(path + "/_history/1").body), (b"second", b"first"))
        self.assertEqual(self.send(b"third", "text/csv", "PUT", path, **{"If-Match": 'W/"1"'}).status, 412)
        self.assertEqual(self.send(b"new", "text/csv", "PUT", "/fhir/Binary/chosen").status, 201)
        self.assertEqual(self.get("/fhir/Binary/chosen").body, b"new")
        reply = self.get(path, **{"If-None-Match": 'W/"2"'})
        self.assertEqual((reply.status, reply.body), (304, b""))

    def test_one_range_is_served_and_one_that_is_not_there_refused(self):
        content = bytes(range(256)) * 4
        path = self.made(content, "application/octet-stream")
        self.assertEqual(self.get(path).headers["accept-ranges"], "bytes")
        for spec, first, last in (("0-0", 0, 0), ("10-19", 10, 19), ("1000-", 1000, 1023), ("-5", 1019, 1023),
                                  ("0-99999", 0, 1023), ("-99999", 0, 1023), ("1023-1023", 1023, 1023)):
            reply = self.get(path, Range="bytes=" + spec)
            self.assertEqual((reply.status, reply.body), (206, content[first : last + 1]), spec)
            self.assertEqual(reply.headers["content-range"], f"bytes {first}-{last}/1024")
        for spec in ("1024-", "5000-6000", "-0"):
            reply = self.get(path, Range="bytes=" + spec)
            self.assertEqual((reply.status, reply.body, reply.headers["content-range"]), (416, b"", "bytes */1024"), spec)
        for field in ("bytes=0-1,4-5", "lines=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0x1-2"):
            reply = self.get(path, Range=field)
            self.assertEqual((reply.status, reply.body), (200, content), field)
        reply = self.get(path, **{"Range": "bytes=0-1", "If-Range": 'W/"1"'})
        self.assertEqual((reply.status, reply.body), (200, content), "a weak ETag passes no strong comparison")
        empty = self.made(b"", "text/plain")
        self.assertEqual(self.get(empty, Range="bytes=0-").status, 416)

    def test_the_security_context_puts_it_into_the_patients_compartment(self):
        patient = harness.json_of(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, self.token))["id"]
        path = self.made(CANARY.encode(), "text/plain", **{"X-Security-Context": "Patient/" + patient})
        reply = self.get(path)
        self.assertEqual(reply.headers["x-security-context"], "Patient/" + patient)
        self.assertEqual(harness.json_of(self.get(path, **FHIR))["securityContext"], {"reference": "Patient/" + patient})
        told = [e for e in self.server.audit() if e["event"] in ("create", "read") and e.get("id") == path.rsplit("/", 1)[1]]
        self.assertEqual([e["patients"] for e in told], [[patient]] * 3)
        self.assertEqual(harness.find_canaries([self.server.data, self.server.out, self.server.err], [CANARY]), [])

    def test_W11_a_browser_runs_nothing_of_it(self):
        path = self.made(b"<script>alert(1)</script>", "text/html")
        with self.server.connect() as connection:
            connection.http.request("GET", path, headers={"Authorization": "Bearer " + self.token})
            response = connection.http.getresponse()
            response.read()
            fields = [(k.lower(), v) for k, v in response.getheaders()]
        self.assertIn(("content-disposition", "attachment"), fields)
        self.assertIn(("x-content-type-options", "nosniff"), fields)
        self.assertIn(("content-security-policy", "sandbox"), fields)

    def test_a_content_type_of_a_resource_ends_no_header_field(self):
        for kind in ("text/plain\nx-evil: 1", "text/plain\tx", "nothing"):
            reply = self.server.request("POST", "/fhir/Binary", {"resourceType": "Binary", "contentType": kind, "data": "QUJD"}, self.token)
            if reply.status != 201:
                continue
            reply = self.get("/fhir/Binary/" + harness.json_of(reply)["id"])
            self.assertEqual((reply.headers["content-type"], reply.body), ("application/octet-stream", b"ABC"))
            self.assertNotIn("x-evil", reply.headers)

    def test_S01_who_may_not_read_the_resource_gets_no_content(self):
        path = self.made(b"words", "text/plain")
        nurse = self.server.token_of(self.server.person("nurse.of.no.binary", "nurse"))
        self.assertEqual(self.server.request("GET", path, token=nurse).status, 403)
        self.assertEqual(self.server.request("GET", path).status, 401)
        self.assertEqual(self.server.request("POST", "/fhir/Binary", b"x", nurse, {"Content-Type": "text/plain"}).status, 403)

    def test_W03_a_resource_beyond_the_body_limit_is_refused(self):
        with self.server.connect() as connection:
            # The head alone is refused: nobody waits for the body. What comes as content has a limit of its own.
            connection.http.putrequest("POST", "/fhir/Binary")
            for name, value in (("Authorization", "Bearer " + self.token), ("Content-Type", "application/json"),
                                ("Content-Length", str(17 * 1024 * 1024))):
                connection.http.putheader(name, value)
            connection.http.endheaders()
            self.assertEqual(connection.http.getresponse().status, 413)
        content = os.urandom(15 * 1024 * 1024)
        path = self.made(content)
        self.assertEqual(self.get(path).body, content)
        self.assertEqual(self.get(path, Range="bytes=-10").body, content[-10:])

    def test_a_range_of_a_large_content_comes_from_wherever_it_lies(self):
        content = os.urandom(700_001)
        path = self.made(content)
        edge = 64 * 1024
        for first, last in ((0, 0), (edge - 1, edge), (edge, 2 * edge - 1), (1, 600_000), (256 * 1024 - 5, 700_000)):
            reply = self.get(path, Range=f"bytes={first}-{last}")
            self.assertEqual((reply.status, reply.body == content[first : last + 1]), (206, True), (first, last))
            self.assertEqual(reply.headers["content-range"], f"bytes {first}-{last}/700001")
        self.assertEqual(self.get(path, Range="bytes=700001-").status, 416)
        with self.server.connect() as connection:
            for _ in range(2):  # the connection stays in step
                reply = connection.request("GET", path, token=self.token)
                self.assertEqual((reply.status, reply.body == content), (200, True))
            reply = connection.request("HEAD", path, token=self.token)
            self.assertEqual((reply.body, reply.headers.get("content-length", "700001")), (b"", "700001"))

    def test_a_large_content_is_in_every_answer_that_has_the_resource(self):
        content = os.urandom(200_000)
        data = base64.b64encode(content).decode()
        resource = {"resourceType": "Binary", "contentType": "text/plain", "data": data, "language": "en"}
        made = harness.json_of(self.server.request("POST", "/fhir/Binary", resource, self.token))
        self.assertEqual(made["data"], data)
        path = "/fhir/Binary/" + made["id"]
        tag = {"meta": {"tag": [{"system": "http://example.org", "code": "x"}]}}
        parameters = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": tag["meta"]}]}
        self.assertEqual(self.server.request("POST", path + "/$meta-add", parameters, self.token).status, 200)
        patch = [{"op": "replace", "path": "/contentType", "value": "text/csv"}]
        reply = self.server.request("PATCH", path, patch, self.token, {"Content-Type": "application/json-patch+json"})
        self.assertEqual(reply.status, 200)
        for version in ("1", "2", "3"):
            self.assertEqual(self.get(f"{path}/_history/{version}").body, content)
        self.assertEqual(self.get(path).headers["content-type"], "text/csv")
        for seen in (harness.json_of(self.get(path, **FHIR)),
                     harness.json_of(self.get("/fhir/Binary?_id=" + made["id"]))["entry"][0]["resource"],
                     *[e["resource"] for e in harness.json_of(self.get(path + "/_history"))["entry"]]):
            self.assertEqual((seen["data"], seen["language"]), (data, "en"))
        self.assertIn(data.encode(), self.get(path, Accept="application/fhir+xml").body)
        self.assertEqual(self.server.request("DELETE", path, token=self.token).status, 204)
        self.assertEqual(self.get(path).status, 410)
        self.assertEqual(self.get(path + "/_history/2").body, content)
        checked = self.server.verify()
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_nothing_of_a_large_content_can_be_read_in_any_file(self):
        self.made((CANARY * 5000).encode(), "text/plain")
        self.assertEqual(harness.find_canaries([self.server.data, self.server.out, self.server.err], [CANARY * 3]), [])


class Download:
    """A GET of which as much is fetched as is asked for; the client's own buffer is small."""

    def __init__(self, server, path, token):
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        raw.connect((server.host, server.port))
        raw.settimeout(harness.PATIENCE)
        self.http = http.client.HTTPSConnection(server.host, server.port)
        self.http.sock = server.tls_context().wrap_socket(raw, server_hostname=server.host)
        self.http.request("GET", path, headers={"Authorization": "Bearer " + token})
        self.response = self.http.getresponse()

    def read(self, size=None):
        return self.response.read(size)

    def close(self):
        self.response.close()
        self.http.close()


class Downloads(harness.TestCase):
    policy = "classic"
    config = "[storage]\ncache-mib = 16\n" + harness.UNLIMITED

    def setUp(self):
        self.token = self.server.admin()

    @staticmethod
    def make(server, token, size):
        content = os.urandom(size)
        reply = server.request("POST", "/fhir/Binary", content, token, {"Content-Type": "application/pdf"})
        return reply.headers["location"].split("/_history")[0].split(str(server.port), 1)[1], content

    def forget_peak(self):
        """proc(5): the peak of the resident set becomes what it is now."""
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as refs:
            refs.write("5")

    def peak(self):
        """The most memory that the server has had since, in bytes."""
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

    @unittest.skipIf(harness.SANITIZED, "the sanitizer keeps what was freed: its memory would be measured")
    def test_W03_downloads_are_not_held_in_memory(self):
        size, count = 10 * 1024 * 1024, 6
        path, content = self.make(self.server, self.token, size)
        # Anew: what the upload needed is not the question.
        self.server.stop()
        self.server.start()
        # Fills the cache of the engine, which has its own bound.
        self.assertEqual(self.server.request("GET", path, token=self.token).body, content)
        self.forget_peak()
        before = self.peak()
        downloads = [Download(self.server, path, self.token) for _ in range(count)]
        for download in downloads:
            self.addCleanup(download.close)
            self.assertEqual(download.read(1), content[:1])
        for download in downloads:
            self.assertEqual(download.read(), content[1:])
        # All of them at once would be six times the content, and each in base64 beside it.
        self.assertLess(self.peak() - before, 2 * size)

    def test_sealing_waits_for_no_download_and_cuts_it_off(self):
        server = self.new_server(policy="classic").start()
        token = server.admin()
        path, content = self.make(server, token, 15 * 1024 * 1024)
        download = Download(server, path, token)
        self.addCleanup(download.close)
        self.assertEqual(download.response.status, 200)
        server.cli("seal", "--data", server.data, check=True)
        end = time.monotonic() + harness.PATIENCE
        while server.request("GET", "/fhir/metadata").status != 503:
            self.assertLess(time.monotonic(), end)
        with self.assertRaises((http.client.IncompleteRead, ConnectionError, ssl.SSLError)) as cut:
            download.read()
        if isinstance(cut.exception, http.client.IncompleteRead):
            self.assertTrue(content.startswith(cut.exception.partial))


if __name__ == "__main__":
    unittest.main()

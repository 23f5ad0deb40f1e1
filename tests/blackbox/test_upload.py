"""Uploads of large Binaries: stored while they come, seen by nobody before their version, and gone when they break off."""

import hashlib
import http.client
import re
import socket
import ssl
import subprocess
import time
import unittest

import harness

MIB = 1024 * 1024
CANARY = b"canary words in an image of somebody rare "
KIND = {"Content-Type": "application/dicom"}


class Stream:
    """`size` bytes that differ everywhere, made when they are read, and their SHA-256."""

    def __init__(self, size, seed=b"seed"):
        self.left, self.hash, self.counter, self.seed = size, hashlib.sha256(), 0, seed

    def read(self, count=MIB):
        count = min(count, self.left)
        made = b""
        while len(made) < count:
            block = hashlib.sha256(self.seed + self.counter.to_bytes(8, "big")).digest() * 2048
            self.counter += 1
            made += block[: count - len(made)]
        self.left -= count
        self.hash.update(made)
        return made


class Upload:
    """A request whose body is sent as the test says."""

    def __init__(self, server, token, length=None, path="/fhir/Binary", method="POST", **headers):
        self.http = http.client.HTTPSConnection(server.host, server.port, context=server.tls_context(), timeout=harness.PATIENCE)
        self.chunked = length is None
        self.http.putrequest(method, path)
        fields = {"Authorization": "Bearer " + token, **KIND, **headers}
        fields.update({"Transfer-Encoding": "chunked"} if self.chunked else {"Content-Length": str(length)})
        for name, value in fields.items():
            self.http.putheader(name, value)
        self.http.endheaders()

    def send(self, content):
        self.http.send(b"%x\r\n%b\r\n" % (len(content), content) if self.chunked else content)

    def end(self):
        """The reply, after all was sent."""
        if self.chunked:
            self.http.send(b"0\r\n\r\n")
        return self.reply()

    def reply(self):
        response = self.http.getresponse()
        reply = harness.Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        self.http.close()
        return reply

    def break_off(self):
        """As when the machine of the client goes: without a farewell."""
        self.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.http.close()


def path_of(server, reply):
    return reply.headers["location"].split("/_history")[0].split(str(server.port), 1)[1]


class Cases(harness.TestCase):
    policy = "classic"
    config = "[storage]\ncache-mib = 16\n[limits]\nupload-mib = 512\nuploads = 3\nuploads-per-user = 2\n" + harness.UNLIMITED

    def setUp(self):
        self.token = self.server.admin()
        self.before = self.server.audit_size()

    def told(self, *kinds, server=None):
        """Entries of these kinds since the test began."""
        return [e for e in (server or self.server).audit_after(self.before) if e["event"] in kinds]

    def await_told(self, kind, count=1):
        end = time.monotonic() + harness.PATIENCE
        while len(found := self.told(kind)) < count:
            self.assertLess(time.monotonic(), end, f"no {kind}")
            time.sleep(0.1)
        return found

    def get_hash(self, path):
        """SHA-256 of what a Binary holds, read in a stream."""
        connection = http.client.HTTPSConnection(self.server.host, self.server.port, context=self.server.tls_context())
        connection.request("GET", path, headers={"Authorization": "Bearer " + self.token})
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        found = hashlib.sha256()
        while piece := response.read(MIB):
            found.update(piece)
        connection.close()
        return found.hexdigest()

    def upload(self, size, **options):
        stream = Stream(size)
        upload = Upload(self.server, self.token, size, **options)
        while stream.left:
            upload.send(stream.read())
        return upload.end(), stream.hash.hexdigest()

    def curl(self, *options):
        """An upload over HTTP/2 of what is written to its standard input."""
        command = ["curl", "-sSk", "--http2", "-T", "-", "-X", "POST", *options, "-H", "Authorization: Bearer " + self.token,
                   "-H", "Content-Type: application/dicom", f"https://127.0.0.1:{self.server.port}/fhir/Binary"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def assert_sound(self, server=None):
        checked = (server or self.server).verify()
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


class Uploads(Cases):
    def test_a_large_content_comes_back_as_it_was_sent(self):
        for size in (MIB + 1, 20 * MIB, 33 * MIB + 5):
            reply, expected = self.upload(size)
            self.assertEqual((reply.status, reply.body, reply.headers["etag"]), (201, b"", 'W/"1"'))
            self.assertEqual(self.get_hash(path_of(self.server, reply)), expected)
        begun, made = self.told("upload-begun"), self.told("create")
        self.assertEqual([len(begun), len(made)], [3, 3])
        self.assertEqual({e["user"] for e in begun + made}, {"alice"})
        self.assertEqual(self.told("upload-removed"), [])
        self.assert_sound()

    def test_a_body_of_chunks_of_any_size_is_the_same(self):
        for size in (0, 1, 1000, MIB, MIB + 1, 5 * MIB):
            stream = Stream(size)
            upload = Upload(self.server, self.token)
            while stream.left:
                upload.send(stream.read(99_999))
            reply = upload.end()
            self.assertEqual((reply.status, reply.body), (201, b""))
            self.assertEqual(self.get_hash(path_of(self.server, reply)), stream.hash.hexdigest())

    def test_the_head_alone_is_refused_when_it_tells_enough(self):
        nurse = self.server.token_of(self.server.person("nurse.of.no.upload", "nurse"))
        cases = (("no such token", {}, 401), (nurse, {}, 403), (self.token, {"X-Security-Context": "a\tb"}, 400),
                 (self.token, {"If-Match": 'W/"7"', "method": "PUT", "path": "/fhir/Binary/of-seven"}, 412))
        for token, options, status in cases:
            upload = Upload(self.server, token, 300 * MIB, **options, **{"Expect": "100-continue"})
            reply = upload.reply()
            self.assertEqual((reply.status, reply.headers.get("connection")), (status, "close"))
            self.assertEqual(harness.json_of(reply)["resourceType"], "OperationOutcome")
        self.assertEqual(self.told("upload-begun"), [])
        self.assertEqual({e["http_status"] for e in self.told("create", "update", "authentication-failed")}, {401, 403, 400, 412})

    def test_expect_continue_is_granted_and_the_upload_taken(self):
        upload = Upload(self.server, self.token, 2 * MIB, **{"Expect": "100-continue"})
        upload.send(Stream(2 * MIB).read(2 * MIB))
        self.assertEqual(upload.reply().status, 201)

    def test_W03_what_is_larger_than_configured_is_refused(self):
        reply = Upload(self.server, self.token, 513 * MIB).reply()
        self.assertEqual((reply.status, harness.json_of(reply)["issue"][0]["code"]), (413, "too-long"))
        server = self.new_server(policy="classic", config="[limits]\nupload-mib = 2\n" + harness.UNLIMITED).start()
        token = server.admin()
        upload = Upload(server, token)
        stream = Stream(3 * MIB)
        with self.assertRaises((ConnectionError, ssl.SSLError, AssertionError)):
            while stream.left:
                upload.send(stream.read(100_000))
            self.assertEqual(upload.end().status, 201)
        end = time.monotonic() + harness.PATIENCE
        while not any(e["event"] == "upload-removed" for e in server.audit()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.assert_sound(server)

    def test_what_broke_off_is_removed_and_was_never_seen(self):
        upload = Upload(self.server, self.token, 100 * MIB)
        upload.send(CANARY * (6 * MIB // len(CANARY)))
        begun = self.await_told("upload-begun")[0]
        self.assertEqual((begun["user"], begun["type"]), ("alice", "Binary"))
        total = harness.json_of(self.server.request("GET", "/fhir/Binary?_summary=count", token=self.token))["total"]
        self.assert_sound()  # under way, it is no damage
        upload.break_off()
        removed = self.await_told("upload-removed")[0]
        self.assertEqual(removed["user"], "system")
        self.assertEqual(harness.json_of(self.server.request("GET", "/fhir/Binary?_summary=count", token=self.token))["total"], total)
        self.assertEqual(self.told("create"), [])
        self.assertEqual(harness.find_canaries([self.server.data, self.server.out, self.server.err], [CANARY * 2]), [])
        self.assert_sound()

    def test_what_broke_off_over_http2_is_removed(self):
        with self.curl() as curl:
            curl.stdin.write(Stream(4 * MIB).read(4 * MIB))
            curl.stdin.flush()
            self.await_told("upload-begun")
            curl.kill()
            curl.stdin = None  # not flushed: nobody reads it
        self.await_told("upload-removed")
        self.assertEqual(self.told("create"), [])
        self.assert_sound()

    def test_a_conditional_create_that_matches_stores_nothing(self):
        tag = "http://example.org/upload|once"
        made = {"resourceType": "Binary", "contentType": "text/plain", "data": "QQ==",
                "meta": {"tag": [{"system": "http://example.org/upload", "code": "once"}]}}
        before = harness.json_of(self.server.request("POST", "/fhir/Binary", made, self.token))["id"]
        reply, _ = self.upload(3 * MIB, **{"If-None-Exist": "_tag=" + tag})
        self.assertEqual((reply.status, reply.headers["etag"]), (200, 'W/"1"'))
        self.await_told("upload-removed")
        self.assertEqual(self.server.request("GET", "/fhir/Binary/" + before, token=self.token).body, b"A")
        reply, _ = self.upload(3 * MIB, **{"If-None-Exist": "_tag=http://example.org/upload|never", "Prefer": "return=representation"})
        self.assertEqual((reply.status, reply.body), (201, b""))

    def test_who_was_disabled_meanwhile_stores_nothing(self):
        upload = Upload(self.server, self.server.service("modality.that.goes", "loader"), 100 * MIB)
        stream = Stream(100 * MIB)
        upload.send(stream.read(8 * MIB))
        self.await_told("upload-begun")
        self.server.cli("user", "disable", "modality.that.goes", "--data", self.server.data, check=True)
        try:
            while stream.left:
                upload.send(stream.read())
            self.assertEqual(upload.reply().status, 401)
        except (ConnectionError, ssl.SSLError):
            pass  # the answer came while it was being sent, and the connection went with it
        self.await_told("upload-removed")
        self.assertEqual({e["http_status"] for e in self.told("create")}, {401})

    def test_who_signed_out_or_may_not_come_from_there_any_more_stores_nothing(self):
        server = self.server
        person = server.token_of(server.person("dr.leaves", "administrator"))
        service = server.service("modality.that.moves", "loader")
        ends = {person: lambda: server.request("POST", "/auth/logout", {}, person),
                service: lambda: server.cli("user", "networks", "modality.that.moves", "--allow", "10.0.0.0/8",
                                            "--data", server.data, check=True)}
        for token, end in ends.items():
            upload = Upload(server, token, 5 * MIB)
            stream = Stream(5 * MIB)
            upload.send(stream.read(2 * MIB))
            end()
            try:
                while stream.left:
                    upload.send(stream.read())
                self.assertIn(upload.reply().status, (401, 403))
            except (ConnectionError, ssl.SSLError):
                pass  # the answer came while it was being sent, and the connection went with it
        self.await_told("upload-removed")
        self.assertNotIn(201, {e["http_status"] for e in self.told("create")})

    def test_A09_what_the_head_alone_is_told_is_recorded(self):
        made = path_of(self.server, self.upload(100)[0])
        before = self.server.audit_size()
        upload = Upload(self.server, self.token, 2 * MIB, path=made, method="PUT", **{"Expect": "100-continue", "If-Match": 'W/"1"'})
        self.assertIn(b"100", upload.http.sock.recv(1024))
        upload.break_off()
        self.assertIn("upload-begun", [e["event"] for e in self.server.audit_after(before)])

    def test_a_version_that_was_made_meanwhile_is_a_conflict_at_the_end(self):
        path = "/fhir/Binary/raced"
        self.assertEqual(self.server.request("PUT", path, b"1", self.token, KIND).status, 201)
        upload = Upload(self.server, self.token, 3 * MIB, path, "PUT", **{"If-Match": 'W/"1"'})
        stream = Stream(3 * MIB)
        upload.send(stream.read(2 * MIB))
        self.await_told("upload-begun")
        self.assertEqual(self.server.request("PUT", path, b"2", self.token, KIND).status, 200)
        upload.send(stream.read())
        self.assertEqual(upload.end().status, 412)
        self.await_told("upload-removed")
        self.assertEqual(self.server.request("GET", path, token=self.token).body, b"2")
        upload = Upload(self.server, self.token, 3 * MIB, path, "PUT", **{"If-Match": 'W/"2"'})
        stream = Stream(3 * MIB)
        upload.send(stream.read(3 * MIB))
        reply = upload.end()
        self.assertEqual((reply.status, reply.headers["etag"]), (200, 'W/"3"'))
        self.assertEqual(self.get_hash(path), stream.hash.hexdigest())
        self.assertEqual(self.server.request("GET", path + "/_history/2", token=self.token).body, b"2")
        self.assert_sound()

    def test_it_is_in_the_record_of_the_patient_whom_it_names(self):
        patient = harness.json_of(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, self.token))["id"]
        reply, _ = self.upload(3 * MIB, **{"X-Security-Context": "Patient/" + patient})
        self.assertEqual(reply.status, 201)
        for entry in self.told("upload-begun") + [e for e in self.told("create") if e["id"] in reply.headers["location"]]:
            self.assertEqual(entry["patients"], [patient])

    def test_a_user_and_all_users_have_so_many_at_once(self):
        other = self.server.service("modality", "loader")
        uploads = []
        for token in (self.token, self.token, other):
            uploads.append(Upload(self.server, token, 3 * MIB, **{"Expect": "100-continue"}))
            uploads[-1].send(Stream(2 * MIB).read(2 * MIB))
        self.await_told("upload-begun", 3)
        for token, status in ((self.token, 429), (other, 503)):
            reply = Upload(self.server, token, 3 * MIB, **{"Expect": "100-continue"}).reply()
            self.assertEqual((reply.status, reply.headers["retry-after"]), (status, "30"))
        for upload in uploads:
            upload.break_off()
        end = time.monotonic() + harness.PATIENCE
        while sum(e.get("count", 1) for e in self.told("upload-removed")) < 3:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.assertEqual(self.upload(2 * MIB)[0].status, 201)

    def test_its_resource_is_given_without_what_is_too_large_for_it(self):
        reply, expected = self.upload(20 * MIB)
        path = path_of(self.server, reply)
        fhir = {"Accept": "application/fhir+json"}
        resource = harness.json_of(self.server.request("GET", path, token=self.token, headers=fhir))
        self.assertNotIn("data", resource)
        self.assertEqual([t["code"] for t in resource["meta"]["tag"]], ["SUBSETTED"])
        self.assertEqual(self.server.request("PUT", path, resource, self.token).status, 409)
        patch = [{"op": "replace", "path": "/contentType", "value": "text/csv"}]
        reply = self.server.request("PATCH", path, patch, self.token, {"Content-Type": "application/json-patch+json"})
        self.assertEqual(reply.status, 422)
        self.assertEqual(self.get_hash(path), expected)


class Memory(Cases):
    def peak_of(self, send):
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w") as refs:
            refs.write("5")
        send()
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

    @unittest.skipIf(harness.SANITIZED, "the sanitizer keeps what was freed: its memory would be measured")
    def test_W03_uploads_are_not_held_in_memory(self):
        def over_http1(size):
            reply, expected = self.upload(size)
            self.assertEqual(self.get_hash(path_of(self.server, reply)), expected)

        def over_http2(size):
            stream = Stream(size)
            with self.curl("-w", "%{http_version} %{http_code} ", "-D", "-") as curl:
                while stream.left:
                    curl.stdin.write(stream.read())
                curl.stdin.close()
                said = curl.stdout.read().decode()
            self.assertIn("2 201 ", said)
            path = re.search(r"location: https://[^/]*(/fhir/Binary/[^/\s]+)", said).group(1)
            self.assertEqual(self.get_hash(path), stream.hash.hexdigest())

        over_http1(200 * MIB)  # the tables in memory of the engine fill and are written out: they have their own bound
        first = self.peak_of(lambda: over_http1(50 * MIB))
        for more in (over_http1, over_http2):
            peak = self.peak_of(lambda: more(250 * MIB))
            self.assertLess(peak - first, 40 * MIB)


class Crashes(Cases):
    def test_A15_after_a_crash_nothing_is_left_of_an_upload(self):
        upload = Upload(self.server, self.token, 100 * MIB)
        upload.send(CANARY * (9 * MIB // len(CANARY)))
        self.await_told("upload-begun")
        whole = Stream(3 * MIB)
        done = Upload(self.server, self.token, 3 * MIB)
        done.send(whole.read(3 * MIB))
        path = path_of(self.server, done.end())
        self.server.kill()
        checked = self.server.verify()
        self.assertEqual(checked.returncode, 0, "what is under way is no damage: " + checked.stdout + checked.stderr)
        self.server.start()
        self.await_told("upload-removed")
        self.assertEqual(self.get_hash(path), whole.hash.hexdigest())
        self.assert_sound()

    def test_sealing_waits_for_no_upload_and_the_next_start_removes_it(self):
        server = self.new_server(policy="classic").start()
        token = server.admin()
        upload = Upload(server, token, 100 * MIB)
        stream = Stream(100 * MIB)
        upload.send(stream.read(3 * MIB))
        server.cli("seal", "--data", server.data, check=True)
        end = time.monotonic() + harness.PATIENCE
        while server.request("GET", "/fhir/metadata").status != 503:
            self.assertLess(time.monotonic(), end)
        try:
            while stream.left:
                upload.send(stream.read())
            self.assertEqual(upload.reply().status, 503)
        except (ConnectionError, ssl.SSLError):
            pass
        server.stop()
        server.start()
        end = time.monotonic() + harness.PATIENCE
        while not any(e["event"] == "upload-removed" for e in server.audit()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.assert_sound(server)


if __name__ == "__main__":
    unittest.main()

"""The edge: limits, header fields, malformed and ambiguous requests (W-03, W-07, W-10)."""

import json
import re
import socket
import ssl
import subprocess
import time
import unittest

import harness
from harness import json_of

PAGE_MAX = 1_000  # entries of a page, whatever is asked for
VECTORS = harness.REPOSITORY / "tests" / "vectors" / "smuggling"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def bytes_of(text):
    """The bytes that a vector stands for: line ends count for nothing, escapes are bytes."""
    out, at = b"", 0
    text = text.replace("\n", "")
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            out += bytes.fromhex(text[at + 2 : at + 4])
            at += 4
        else:
            out += ESCAPES[text[at + 1]]
            at += 2
    return out


def open_tls(server):
    raw = socket.create_connection((server.host, server.port), harness.PATIENCE)
    return server.tls_context().wrap_socket(raw, server_hostname=server.host)


def read_to_end(connection):
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except (ConnectionResetError, ssl.SSLEOFError):
        pass
    return data


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


class Edge(harness.TestCase):
    config = "[limits]\nheader-seconds = 1\nbody-seconds = 1\nidle-seconds = 2\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.token_of(cls.server.person("dr.edge", "doctor"))

    def exchange(self, data):
        with open_tls(self.server) as connection:
            connection.sendall(data)
            return read_to_end(connection)

    def test_W10_every_ambiguous_request_is_refused_and_the_connection_closed(self):
        files = sorted(VECTORS.glob("*.txt"))
        self.assertGreaterEqual(len(files), 60)
        for path in files:
            comment, expected, rest = path.read_text().split("\n", 2)
            with self.subTest(path.name, what=comment):
                answer = self.exchange(bytes_of(rest))
                status = expected.removeprefix("expect: ").encode()
                self.assertEqual(answer[:12], b"HTTP/1.1 " + status)
                self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d\d\d", answer)), 1, "one answer: the second request is not served")
                self.assertIn(b"connection: close", answer.lower())

    def test_W10_an_ambiguous_request_leaves_an_entry(self):
        server = self.new_server().start()
        server.admin()
        mark = server.audit_size()
        with open_tls(server) as connection:
            connection.sendall(b"POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            read_to_end(connection)
        entries = server.audit_after(mark)
        self.assertEqual([e["event"] for e in entries], ["malformed-request"])

    def test_W03_a_body_of_a_gigabyte_is_refused_before_it_is_sent(self):
        head = (f"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.token}\r\n"
                "Content-Type: application/fhir+json\r\nContent-Length: 1073741824\r\n\r\n").encode()
        answer = self.exchange(head)
        self.assertEqual(answer[:12], b"HTTP/1.1 413")

    def test_W03_a_chunked_body_without_end_is_cut_off_and_memory_stays_bounded(self):
        before = resident_kib(self.server.process.pid)
        head = (f"POST /fhir HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.token}\r\n"
                "Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        sent = 0
        with open_tls(self.server) as connection:
            connection.sendall(head)
            try:
                for _ in range(1024):
                    connection.sendall(chunk)
                    sent += 1
            except OSError:
                pass
            answer = b""
            try:
                answer = read_to_end(connection)
            except OSError:
                pass
        self.assertLess(sent, 1024, "the server stopped reading long before a gigabyte")
        # The reply may be lost when the server closes while bytes are still on their way.
        self.assertIn(answer[:12], (b"HTTP/1.1 413", b"HTTP/1.1 408", b""))
        grown = resident_kib(self.server.process.pid) - before
        self.assertLess(grown, 400 * 1024, "a bundle may take 96 MiB, and its buffers")

    def test_W03_without_a_token_only_a_small_body_is_read(self):
        reply = self.server.request("POST", "/auth/login", b" " * (1 << 17))
        self.assertEqual(reply.status, 413)

    def test_W03_json_of_ten_thousand_levels_is_refused(self):
        for deep in ("[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000):
            for path in ("/fhir/Patient", "/fhir"):
                body = '{"resourceType":"Patient","x":' + deep + "}"
                self.assertEqual(self.server.request("POST", path, body, self.token).status, 400)

    def test_W03_header_fields_without_end_are_refused(self):
        many = b"".join(b"X-%d: y\r\n" % n for n in range(5000))
        for head in (b"GET / HTTP/1.1\r\nHost: a\r\n" + many, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * (1 << 20),
                     b"GET /" + b"y" * (1 << 20)):
            try:
                answer = self.exchange(head)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                continue  # closed while we were still writing
            self.assertIn(answer[:12], (b"HTTP/1.1 431", b"HTTP/1.1 414", b"HTTP/1.1 400", b""))
        self.assertEqual(self.server.request("GET", "/healthz").status, 200)

    def test_W03_slow_senders_are_closed(self):
        slow = [b"", b"GET / HTTP/1.1\r\nHos", b"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{"]
        connections = [open_tls(self.server) for _ in range(60)]
        for number, connection in enumerate(connections):
            connection.sendall(slow[number % 3])
        try:
            self.assertEqual(self.server.request("GET", "/healthz").status, 200, "others are served meanwhile")
            for connection in connections:
                answer = read_to_end(connection)  # ends only because the server closes
                self.assertIn(answer[:12], (b"", b"HTTP/1.1 408"))
        finally:
            for connection in connections:
                connection.close()

    def test_W03_a_header_sent_a_byte_at_a_time_does_not_stretch_its_time(self):
        with open_tls(self.server) as connection:
            try:
                for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)
            except OSError:
                return
            self.fail("1,000 seconds of header were accepted")

    def test_W03_a_page_size_without_measure_is_capped(self):
        entry = {"request": {"method": "POST", "url": "Basic"}, "resource": {"resourceType": "Basic", "code": {"text": "page"}}}
        made = {"resourceType": "Bundle", "type": "transaction", "entry": [entry] * (PAGE_MAX + 1)}
        self.assertEqual(self.server.request("POST", "/fhir", made, self.token).status, 200)
        for path in ("/fhir/Basic/_history?", "/fhir/Basic?", "/fhir?_type=Basic&"):
            for count in ("1000000000", "9" * 40):
                reply = self.server.request("GET", f"{path}_count={count}", token=self.token)
                self.assertEqual(reply.status, 200, path)
                bundle = json_of(reply)
                self.assertEqual(len(bundle["entry"]), PAGE_MAX, path)
                following, = (link["url"] for link in bundle["link"] if link["relation"] == "next")
                rest = json_of(self.server.request("GET", "/fhir" + following.split("/fhir", 1)[1], token=self.token))
                self.assertGreaterEqual(len(rest["entry"]), 1, "the next page goes on")
            self.assertEqual(self.server.request("GET", f"{path}_count=1e9", token=self.token).status, 400, "no number")

    def test_W07_answers_carry_the_safety_fields_and_no_version(self):
        with self.server.connect() as connection:
            replies = [
                connection.request("GET", "/fhir/metadata"),
                connection.request("GET", "/fhir/Patient/nobody", token=self.token),
                connection.request("GET", "/fhir/Patient/1"),
                connection.request("GET", "/nothing"),
                connection.request("POST", "/auth/login", "{"),
                connection.request("POST", "/fhir/Patient", "{", self.token),
                connection.request("GET", "/healthz"),
            ]
        for reply in replies:
            self.assertEqual(reply.headers.get("cache-control"), "no-store")
            self.assertEqual(reply.headers.get("x-content-type-options"), "nosniff")
            self.assertIn("max-age=", reply.headers.get("strict-transport-security", ""))
            self.assertIn("default-src 'none'", reply.headers.get("content-security-policy", ""))
            for name in ("server", "x-powered-by", "via", "x-aspnet-version"):
                self.assertNotIn(name, reply.headers)
            everything = json.dumps(reply.headers) + reply.body.decode()
            for word in ("OpenSSL", "RocksDB", "nghttp2", "llhttp", "Boost", "/src/", ".cpp", "0x"):
                self.assertNotIn(word, everything)

    def test_W07_trace_and_other_methods_are_off(self):
        for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG"):
            answer = self.exchange(f"{method} /fhir/metadata HTTP/1.1\r\nHost: a\r\nX-Secret: echo\r\n"
                                   "Connection: close\r\n\r\n".encode())
            self.assertRegex(answer[:12], rb"HTTP/1.1 (400|404|405|501)", method)
            self.assertNotIn(b"echo", answer)

    def test_W07_an_error_says_nothing_of_what_was_sent(self):
        canary = "CANARY-in-a-broken-body-8841"
        bodies = ['{"resourceType":"Patient","name":[{"family":"%s"' % canary, '{"resourceType":"%s"}' % canary,
                  '{"resourceType":"Patient","id":"%s !"}' % canary]
        for body in bodies:
            reply = self.server.request("POST", "/fhir/Patient", body, self.token)
            self.assertNotIn(canary.encode(), reply.body)
        self.server.request("GET", f"/fhir/Patient/{canary}?x={canary}", token=self.token)
        self.assertNotIn(canary, self.server.err.read_text() + self.server.out.read_text())

    def test_http2_is_spoken_with_the_same_answers(self):
        base = f"https://{self.server.host}:{self.server.port}"
        curl = ["curl", "-sS", "--cacert", self.server.made["ca"], "-o", "-", "-w", "\n%{http_version} %{http_code}"]
        for more, code in (([base + "/fhir/metadata"], "200"), ([base + "/fhir/Patient/1"], "401"),
                           (["-X", "POST", "-d", '{"user":"x"}', base + "/auth/login"], "401")):
            said = subprocess.run([*curl, "--http2", *more], capture_output=True, text=True, check=True).stdout
            self.assertTrue(said.endswith("2 " + code), said[-200:])
            plain = subprocess.run([*curl, "--http1.1", *more], capture_output=True, text=True, check=True).stdout
            self.assertEqual(plain.rsplit("\n", 1)[0], said.rsplit("\n", 1)[0])

    def test_W07_only_new_tls_is_spoken(self):
        for version in ("-tls1", "-tls1_1", "-tls1_2"):
            ended = subprocess.run(
                ["openssl", "s_client", "-connect", f"{self.server.host}:{self.server.port}", version, "-brief",
                 "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertNotIn("CONNECTION ESTABLISHED", ended.stderr + ended.stdout, version)


if __name__ == "__main__":
    unittest.main()

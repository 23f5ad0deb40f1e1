"""A proxy that is named speaks the PROXY protocol, version 1 or 2: lists and networks count whom it names, a stranger's word
counts for nothing, and the log keeps the peer of the connection (REQUIREMENTS N-05)."""

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import struct
import time
import unittest

import harness
from harness import json_of

PROXY, STRANGER = "127.0.0.9", "127.0.0.8"
INSIDE, OUTSIDE, INSIDE6 = "198.51.100.7", "203.0.113.1", "2001:db8::7"
NETWORKS = '"198.51.100.0/24", "2001:db8::/32"'
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version1(client, target="127.0.0.1"):
    family = "TCP6" if ":" in client else "TCP4"
    return f"PROXY {family} {client} {target if family == 'TCP4' else '2001:db8::1'} 4711 443\r\n".encode()


def version2(client, command=1, more=b""):
    address = ipaddress.ip_address(client)
    target = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "2001:db8::1")
    body = address.packed + target.packed + struct.pack(">HH", 4711, 443) + more
    return SIGNATURE + bytes([0x20 | command, 0x11 if address.version == 4 else 0x21]) + struct.pack(">H", len(body)) + body


class ProxyProtocol(harness.TestCase):
    policy = "classic"
    config = f'[listener]\ntrusted-proxies = ["{PROXY}"]\nproxy-protocol = true\n' + harness.UNLIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.change_policy("[roles.nurse]\n", f"[roles.nurse]\nnetworks = [{NETWORKS}]\n")
        cls.nurse, cls.doctor = server.person("nurse", "nurse"), server.person("dr", "doctor")
        cls.anywhere = server.token_of(cls.doctor)
        cls.patient = server.create({"resourceType": "Patient"}, cls.anywhere)
        reply = cls.behind(version1(INSIDE), "POST", "/auth/login", {"user": "nurse", "password": cls.nurse.password,
                                                                     "totp": cls.nurse.code()})
        assert reply.status == 200, reply
        cls.token = json_of(reply)["access_token"]

    @classmethod
    def connect(cls, header, source=PROXY, server=None):
        """A connection that begins with `header`."""
        server = server or cls.server
        raw = socket.create_connection((server.host, server.port), harness.PATIENCE, (source, 0))
        try:
            raw.sendall(header)
            connection = http.client.HTTPSConnection(server.host, server.port)
            connection.sock = server.tls_context().wrap_socket(raw, server_hostname=server.host)
            return connection
        finally:
            raw.close()  # what was wrapped is another object

    @classmethod
    def ask(cls, connection, method, path, body=None, token=None, headers=None):
        fields = {**({"Authorization": "Bearer " + token} if token else {}), **(headers or {})}
        if body is not None:
            fields["Content-Type"] = "application/fhir+json"
        connection.request(method, path, None if body is None else json.dumps(body), fields)
        response = connection.getresponse()
        return harness.Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    @classmethod
    def behind(cls, header, method="GET", path=None, body=None, token=None, headers=None, **where):
        """The reply to one request behind `header`; None: the connection was ended before there was any."""
        try:
            connection = cls.connect(header, **where)
            with contextlib.closing(connection):
                return cls.ask(connection, method, path or "/fhir/Patient/" + cls.patient, body, token, headers)
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            return None

    def status(self, header, **options):
        reply = self.behind(header, token=self.token, **options)
        return None if reply is None else reply.status

    def test_N05_the_networks_of_a_role_are_asked_of_whom_the_proxy_names(self):
        for header in (version1(INSIDE), version2(INSIDE), version1(INSIDE6), version2(INSIDE6),
                       version2(INSIDE, more=b"\x04\x00\x02xx")):
            self.assertEqual(self.status(header), 200, header)
        mark = self.server.audit_size()
        headers = [version1(OUTSIDE), version2(OUTSIDE), version1("2001:db9::7"), version2("2001:db9::7"),
                   # Of nobody: the proxy itself asks (a look at its health), and is not of the networks.
                   b"PROXY UNKNOWN\r\n", version2(INSIDE, command=0)]
        for header in headers:
            self.assertEqual(self.status(header), 403, header)
        refused = [e for e in self.server.audit_after(mark) if e["event"] == "address-refused"]
        self.assertEqual(len(refused), len(headers))
        self.assertEqual({e["network"] for e in refused}, {PROXY}, "the log keeps the peer of the connection")

    def test_N05_signing_in_is_held_to_them_too(self):
        for header, expected in ((version1(OUTSIDE), 401), (version2(INSIDE), 200)):
            body = {"user": "nurse", "password": self.nurse.password, "totp": self.nurse.code()}
            self.assertEqual(self.behind(header, "POST", "/auth/login", body).status, expected, header)

    def test_N05_what_a_client_writes_himself_changes_nothing(self):
        for header, expected in ((version1(OUTSIDE), 403), (version1(INSIDE), 200)):
            lied = INSIDE if expected == 403 else OUTSIDE
            for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
                value = f"for={lied}" if name == "Forwarded" else lied
                self.assertEqual(self.status(header, headers={name: value}), expected, (header, name))

    def test_N05_a_stranger_names_nobody(self):
        mark = self.server.audit_size()
        for header in (version1(INSIDE), version2(INSIDE), version1(INSIDE6)):
            self.assertIsNone(self.status(header, source=STRANGER), header)
        entries = self.server.audit_after(mark)
        self.assertNotIn("read", [e["event"] for e in entries])
        # Without a header he is who he is, and the role is not for him.
        self.assertEqual(self.status(b"", source=STRANGER), 403)
        self.assertEqual(self.behind(b"", token=self.anywhere, source=STRANGER).status, 200)

    def test_N05_a_named_proxy_that_says_nothing_or_nonsense_is_not_heard(self):
        self.assertIsNone(self.status(b""), "TLS where a header is due")
        for header in (b"PROXY TCP4 198.51.100.7 127.0.0.1 4711\r\n", b"PROXY TCP4 198.51.100.300 127.0.0.1 4711 443\r\n",
                       b"PROXY TCP4 2001:db8::7 2001:db8::1 4711 443\r\n", b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 70000\r\n",
                       b"PROXY TCP4 " + b"1" * 200 + b"\r\n", b"proxy TCP4 198.51.100.7 127.0.0.1 4711 443\r\n",
                       b"GET /fhir/metadata HTTP/1.1\r\n\r\n", SIGNATURE + b"\x11\x11\x00\x0c" + b"\0" * 12,
                       SIGNATURE + b"\x21\x11\x00\x04" + b"\0" * 4, SIGNATURE + b"\x2f\x11\x00\x0c" + b"\0" * 12):
            self.assertIsNone(self.status(header), header)
        self.assertEqual(self.status(version1(INSIDE)), 200, "and goes on with who speaks rightly")

    def test_N05_a_header_that_comes_in_pieces_or_twice(self):
        for header in (version1(INSIDE), version2(INSIDE)):
            raw = socket.create_connection((self.server.host, self.server.port), harness.PATIENCE, (PROXY, 0))
            with raw:
                for at in range(0, len(header), 7):
                    raw.sendall(header[at:at + 7])
                with self.server.tls_context().wrap_socket(raw, server_hostname=self.server.host) as held:
                    held.sendall(f"GET /fhir/Patient/{self.patient} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n"
                                 "Connection: close\r\n\r\n".encode())
                    self.assertTrue(held.recv(64).startswith(b"HTTP/1.1 200"), header)
            self.assertIsNone(self.status(header + version1(OUTSIDE)), "the second one is no TLS")

    def test_N05_rates_count_whom_the_proxy_names(self):
        server = self.new_server(config=f'[listener]\ntrusted-proxies = ["{PROXY}"]\nproxy-protocol = true\n[rates]\naddress = 1\n')
        server.start()

        with contextlib.ExitStack() as opened:
            one, again, other = (opened.enter_context(contextlib.closing(self.connect(version1(client), server=server)))
                                 for client in (OUTSIDE, OUTSIDE, INSIDE))
            begun = time.monotonic()
            statuses = [self.ask(each, "GET", "/fhir/metadata").status for _ in range(40) for each in (one, again)]
            # Ten seconds' worth, and what came in meanwhile: of both connections of the client together.
            self.assertLessEqual(statuses.count(200), 10 + (time.monotonic() - begun) + 1, statuses)
            self.assertEqual((statuses[0], set(statuses)), (200, {200, 429}))
            self.assertEqual(self.ask(other, "GET", "/fhir/metadata").status, 200, "another client behind the same proxy")


class AddressList(harness.TestCase):
    config = f'[listener]\nallow = ["127.0.0.1", "198.51.100.0/24"]\ntrusted-proxies = ["{PROXY}"]\nproxy-protocol = true\n'
    connect, ask, behind = (classmethod(each.__func__) for each in (ProxyProtocol.connect, ProxyProtocol.ask, ProxyProtocol.behind))

    def test_N05_the_list_of_the_listener_is_asked_of_whom_the_proxy_names(self):
        for header in (version1(INSIDE), version2(INSIDE)):
            self.assertEqual(self.behind(header, path="/healthz").status, 200, header)
        mark = self.server.audit_size()
        for header in (version1(OUTSIDE), version2(OUTSIDE), version1(INSIDE6)):
            self.assertIsNone(self.behind(header, path="/healthz"), header)
        # Who is not on it and names himself one who is: he is no proxy.
        self.assertIsNone(self.behind(version1(INSIDE), path="/healthz", source=STRANGER))
        entries = self.server.audit_after(mark)
        self.assertEqual([e["event"] for e in entries], ["address-refused"] * 4)


if __name__ == "__main__":
    unittest.main()

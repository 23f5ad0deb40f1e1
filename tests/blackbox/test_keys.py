"""Keys of applications at an address of their own (F-13): asked for over verified TLS, at no address that the operator
has not opened, kept within bounds; what cannot be had opens nothing, and keeps nobody else waiting."""

import http.server
import pathlib
import shutil
import socket
import ssl
import tempfile
import threading
import unittest

import applications
import harness
from applications import Client, Key, openssl
from harness import json_of


def certificate(folder, name):
    """An authority and a certificate of localhost by it: the paths of the authority, the certificate and its key."""
    authority, key, request, made = (folder / f"{name}.{kind}" for kind in ("ca", "key", "csr", "pem"))
    authority_key = folder / f"{name}.cakey"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", authority_key, "-out",
            authority, "-subj", "/CN=" + name, "-days", "30")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj",
            "/CN=localhost")
    extensions = folder / f"{name}.cnf"
    extensions.write_text("basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-out", made, "-extfile",
            extensions, "-days", "5")
    return authority, made, key


class KeyServer:
    """What an application shows its keys on: https on 127.0.0.1. `answer` maps a path to (status, headers, body)."""

    def __init__(self, made, key):
        outer, self.asked, self.answers, self.held, self.reached = self, [], {}, threading.Event(), threading.Event()
        self.held.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.reached.set()
                if not outer.held.is_set():
                    outer.held.wait(harness.PATIENCE)
                status, headers, body = outer.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # a client that hangs up is what some tests want
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path, host="localhost"):
        return f"https://{host}:{self.http.server_address[1]}{path}"

    def shows(self, path, *keys, **headers):
        body = applications.json.dumps({"keys": [key.jwk() for key in keys]}).encode()
        self.answers[path] = (200, {"Content-Type": "application/json", **headers}, body)

    def close(self):
        self.held.set()
        self.http.shutdown()
        self.http.server_close()


class FarClient(Client):
    """A backend service whose keys are at an address."""

    def __init__(self, server, name, key, url):
        self.server, self.name, self.key = server, name, key
        server.admin()
        server.cli("client", "add", name, "--jwks-url", url, "--scope", "system/*.rs", "--role", "doctor", "--data", server.data,
                   check=True)


class Keys(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-keys-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.pair = certificate(cls.folder, "hospital")
        cls.config = f'[oauth]\nkeys-networks = ["127.0.0.0/8"]\nkeys-ca = "{cls.pair[0]}"\n'
        super().setUpClass()
        cls.key = Key(cls.folder)
        cls.far = KeyServer(*cls.pair[1:])
        cls.addClassCleanup(cls.far.close)

    def refused(self, reply, error="temporarily_unavailable"):
        self.assertEqual(json_of(reply)["error"], error, reply.body)
        self.assertEqual(reply.status, 503 if error == "temporarily_unavailable" else 401)

    def events(self, name):
        return [entry for entry in self.server.audit() if entry["event"] == "client-keys-fetched" and entry["target"] == name]

    def test_F13_a_key_at_an_address_opens_the_door(self):
        self.far.shows("/a", self.key)
        lab = FarClient(self.server, "a", self.key, self.far.url("/a"))
        self.assertEqual(self.far.asked.count("/a"), 0)
        for _ in range(3):
            self.assertEqual(lab.ask().status, 200)
        self.assertEqual(self.far.asked.count("/a"), 1)
        fetched, = self.events("a")
        self.assertEqual((fetched["new_value"].split(",")[0], fetched["outcome"]), ("keys: k1", 0))
        # The address that a header names is the registered one, or nothing comes of it.
        named = lambda url: self.key.jws(lab.header(jku=url), lab.claims())
        self.assertEqual(lab.ask(named(self.far.url("/a"))).status, 200)
        self.refused(lab.ask(named(self.far.url("/other"))), "invalid_client")
        self.assertNotIn("/other", self.far.asked)
        listed = json_of(self.server.socket_request("GET", "/admin/clients", token=self.server.admin()))
        self.assertEqual([each["jwks_url"] for each in listed["clients"] if each["client_id"] == "a"], [self.far.url("/a")])

    def test_F13_a_foreign_key_and_an_unknown_kid_open_nothing(self):
        self.far.shows("/b", self.key)
        lab = FarClient(self.server, "b", self.key, self.far.url("/b"))
        self.assertEqual(lab.ask().status, 200)
        self.refused(lab.ask(Key(self.folder).jws(lab.header(), lab.claims())), "invalid_client")
        for number in range(5):
            self.refused(lab.ask(self.key.jws(lab.header(kid=f"guess-{number}"), lab.claims())), "invalid_client")
        self.assertEqual(self.far.asked.count("/b"), 1)

    def test_F13_what_is_no_set_of_keys_opens_nothing(self):
        body = self.far.shows("/good", self.key) or self.far.answers["/good"][2]
        large = body[:-1] + b" " * 70_000 + b"}"
        self.far.answers.update({
            "/error": (500, {}, body), "/moved": (302, {"Location": "/good"}, b""), "/html": (200, {}, b"<html>"),
            "/large": (200, {}, large), "/empty": (200, {}, b'{"keys":[]}')})
        for number, path in enumerate(("/error", "/moved", "/html", "/large", "/empty", "/none")):
            lab = FarClient(self.server, f"c{number}", self.key, self.far.url(path))
            self.refused(lab.ask())
            self.refused(lab.ask())  # and is left alone for a time
            self.assertEqual(self.far.asked.count(path), 1, path)
            failed, = self.events(f"c{number}")
            self.assertEqual(failed["outcome"], 4)
        self.assertNotIn("/good", self.far.asked)

    def test_F13_a_server_that_nobody_vouches_for_opens_nothing(self):
        stranger = KeyServer(*certificate(self.folder, "stranger")[1:])
        self.addCleanup(stranger.close)
        stranger.shows("/k", self.key)
        self.refused(FarClient(self.server, "d", self.key, stranger.url("/k")).ask())
        self.assertEqual(stranger.asked, [])
        self.assertEqual(self.events("d")[0]["reason"], "certificate not trusted")
        # The certificate is of another name.
        self.refused(FarClient(self.server, "e", self.key, self.far.url("/a", "127.0.0.2")).ask())

    def test_F13_an_address_that_does_not_answer_holds_nobody_else_up(self):
        slow = KeyServer(*self.pair[1:])
        self.addCleanup(slow.close)
        slow.held.clear()
        slow.shows("/k", self.key)
        self.far.shows("/quick", self.key)
        lab, quick = (FarClient(self.server, name, self.key, url)
                      for name, url in (("slow", slow.url("/k")), ("quick", self.far.url("/quick"))))
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(lab.ask())) for _ in range(8)]
        for thread in threads:
            thread.start()
        self.assertTrue(slow.reached.wait(harness.PATIENCE))
        self.assertEqual(quick.ask().status, 200)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=quick.token()).status, 200)
        slow.held.set()
        for thread in threads:
            thread.join()
        self.assertEqual({reply.status for reply in replies} - {200, 503}, set())
        self.assertEqual(slow.asked, ["/k"])

    def test_F13_keys_and_their_address_take_each_others_place(self):
        other = Key(self.folder, "k2")
        self.far.shows("/f", self.key)
        lab = FarClient(self.server, "f", self.key, self.far.url("/f"))
        old = lab.assertion()
        self.server.cli("client", "keys", "f", "--jwks", other.jwks_file(), "--data", self.server.data, check=True)
        self.refused(lab.ask(old), "invalid_client")
        lab.key = other
        self.assertEqual(lab.ask().status, 200)
        self.server.cli("client", "keys", "f", "--jwks-url", self.far.url("/f"), "--data", self.server.data, check=True)
        self.refused(lab.ask(), "invalid_client")
        lab.key = self.key
        self.assertEqual(lab.ask().status, 200)
        changed = [entry["new_value"] for entry in self.server.audit() if entry["event"] == "client-keys-changed"]
        self.assertEqual(changed, ["keys: k2", "keys at " + self.far.url("/f")])

    def test_F13_only_https_is_registered(self):
        for url in ("http://localhost/k", "file:///etc/passwd", "https://a@localhost/k", "https://localhost/k#x", "localhost/k"):
            refused = self.server.cli("client", "add", "g", "--jwks-url", url, "--scope", "system/*.rs", "--role", "doctor",
                                      "--data", self.server.data)
            self.assertNotEqual(refused.returncode, 0, url)
        both = self.server.cli("client", "add", "g", "--jwks-url", "https://localhost/k", "--jwks", self.key.jwks_file(), "--scope",
                               "system/*.rs", "--role", "doctor", "--data", self.server.data)
        self.assertNotEqual(both.returncode, 0)


class Inside(harness.TestCase):
    """Without a word of the operator an application cannot have the server ask what only the server can reach."""

    def test_F13_no_address_of_the_inside_is_connected_to(self):
        with applications.folder() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
            key, port = Key(folder), listener.getsockname()[1]
            hosts = ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "169.254.169.254", "10.0.0.1", "192.168.0.1")
            for number, host in enumerate(hosts):
                lab = FarClient(self.server, f"lab{number}", key, f"https://{host}:{port}/k")
                reply = lab.ask()
                self.assertEqual((reply.status, json_of(reply)["error"]), (503, "temporarily_unavailable"), host)
            listener.settimeout(0)
            with self.assertRaises(BlockingIOError):
                listener.accept()
            reasons = {entry["reason"] for entry in self.server.audit() if entry["event"] == "client-keys-fetched"}
            self.assertEqual(reasons, {"an address that may not be connected to"})


if __name__ == "__main__":
    unittest.main()

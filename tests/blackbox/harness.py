"""Runs the real `tacenda` binary for a test: a store of its own, a server on a free port, people who sign in.

The binary's path is the environment variable TACENDA_BINARY (set by CMake). Nothing here knows the inside
of the product: it speaks HTTPS, the administration socket and the command line, and looks at files.
"""

import base64
import collections
import ctypes
import ctypes.util
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import zlib

BINARY = os.environ.get("TACENDA_BINARY", "")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
STEP_SECONDS = 30
PATIENCE = 60  # seconds until something that must come counts as lost; never a measure of speed

Reply = collections.namedtuple("Reply", "status headers body")


def json_of(reply):
    """The body of a reply as JSON; numbers keep their text."""
    return json.loads(reply.body, parse_float=str) if reply.body else None


def totp(secret, step):
    """RFC 6238 with SHA-1, six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF) % 10**6)


# For measurements: nobody is held to a rate.
UNLIMITED = "[rates]\nperson = 0\naddress = 0\n"


# libfaketime and the sanitizers both stand in for functions of libc, and do not get on.
SANITIZED = any(name in pathlib.Path(BINARY or "/dev/null").read_bytes() for name in (b"__asan_init", b"__tsan_init"))


class Person:
    """Somebody with a password and a second factor. A code is good once, so steps only go forward."""

    def __init__(self, name, password):
        self.name, self.password, self.secret, self.last_step = name, password, "", 0
        self.id = ""

    def take_step(self, now=time.time):
        """A step the server accepts now and was not used; waits when all three were."""
        while True:
            current = int(now()) // STEP_SECONDS
            # The step before is taken only when it does not run out on the way.
            first = current - 1 if now() % STEP_SECONDS < STEP_SECONDS - 8 else current
            step = max(self.last_step + 1, first)
            if step <= current + 1:
                self.last_step = step
                return step
            time.sleep(0.5)

    def code(self, now=time.time):
        return totp(self.secret, self.take_step(now))


class Connection:
    """One connection to a server, kept open between requests."""

    def __init__(self, server, source=None, context=None, timeout=PATIENCE):
        self.server = server
        address = (source, 0) if source else None
        self.http = http.client.HTTPSConnection(
            server.host, server.port, context=context or server.tls_context(), source_address=address, timeout=timeout
        )

    def request(self, method, path, body=None, token=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        fields = {} if body is None else {"Content-Type": "application/fhir+json"}
        if token:
            fields["Authorization"] = "Bearer " + token
        fields.update(headers or {})
        self.http.request(method, path, body=body, headers=fields)
        response = self.http.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """A store in a folder of its own and the server on it."""

    def __init__(self, policy="separated", config=None, binary=None, approvals=1):
        """`approvals`: as the configuration says it; None: it says nothing."""
        self.binary = binary or BINARY
        if not self.binary:
            raise RuntimeError("set TACENDA_BINARY to the path of the tacenda program")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-test-"))
        self.data = self.root / "data"
        self.keys = self.root / "keys"
        self.keys.mkdir(mode=0o700)
        self.key_file = self.keys / "key"
        self.temporary = self.root / "tmp"
        self.temporary.mkdir()
        self.out, self.err = self.root / "serve.out", self.root / "serve.err"
        self.config = self.root / "tacenda.toml"
        self.configure(config or "", approvals)
        self.process = None
        self.host, self.port = "127.0.0.1", 0
        self.admin_person = None
        self.admin_token = ""
        made = self.cli("init", "--data", self.data, "--key-file", self.key_file, "--admin", "alice",
                        "--policy", policy, "--json", check=True)
        self.made = json.loads(made.stdout)

    def configure(self, config, approvals):
        """Writes the configuration for the next start."""
        said = "" if approvals is None else f"approvals = {approvals}\n"
        self.config.write_text(said + config)

    # --- life of the process ---

    def start(self, with_key=True, env=None, more=()):
        """Starts the server and waits until it says that it is ready. `more`: arguments of `serve`."""
        before = self.out.stat().st_size if self.out.exists() else 0
        command = [self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"]
        if with_key:
            command += ["--key-file", self.key_file]
        command += ["--config", self.config]
        command += more
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, env=env or {**os.environ, "TMPDIR": str(self.temporary)})
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            said = self.out.read_bytes()[before:].decode()
            if said.startswith("ready ") and said.endswith("\n"):
                url = urllib.parse.urlparse(said.split()[1])
                self.port = url.port
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("the server did not start: " + self.err.read_text()[-2000:])

    def start_at(self, offset):
        """Starts it anew with its clock moved by so many seconds; gives what tells that time."""
        self.stop()
        # Not by the command `faketime`: it runs the program as a child, and signals would miss it.
        moved = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME": f"{offset:+d}s",
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.start(env={**os.environ, "TMPDIR": str(self.temporary), **(moved if offset else {})})
        return lambda: time.time() + offset

    def start_with_moving_clock(self):
        """Starts it anew with a clock that moves while it runs; gives what moves it to so many seconds ahead, and
        answers with what tells that time."""
        self.stop()
        offset = self.root / "clock"

        def move(seconds):
            # At once or not at all: the server may read it at any time.
            following = offset.with_suffix(".next")
            following.write_text(f"{seconds:+d}s\n")
            following.rename(offset)
            return lambda: time.time() + seconds

        move(0)
        self.start(env={**os.environ, "TMPDIR": str(self.temporary), "FAKETIME_NO_CACHE": "1",
                        "LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                        "FAKETIME_TIMESTAMP_FILE": str(offset)})
        return move

    def stop(self):
        """Ends the server cleanly; gives its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None
        return code

    def kill(self):
        """kill -9: no chance to write anything more."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self):
        if self.process is not None:
            self.kill()
        # The administrator's session lies outside the store; it dies with the server's store.
        name = "tacenda-" + hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:16] + ".session"
        for folder in (f"/run/user/{os.geteuid()}", f"/tmp/tacenda-{os.geteuid()}"):
            pathlib.Path(folder, name).unlink(missing_ok=True)
        shutil.rmtree(self.root, ignore_errors=True)

    # --- speaking to it ---

    def tls_context(self, certificate=None, key=None):
        context = ssl.create_default_context(cafile=self.made["ca"])
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

    def connect(self, **options):
        return Connection(self, **options)

    def request(self, method, path, body=None, token=None, headers=None, source=None):
        with self.connect(source=source) as connection:
            return connection.request(method, path, body, token, headers)

    def socket_request(self, method, path, body=None, token=""):
        """One request over the administration socket."""
        connection = UnixConnection(self.data / "admin.sock")
        fields = {"Content-Type": "application/json"}
        if token:
            fields["Authorization"] = "Bearer " + token
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=fields)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def cli(self, *arguments, stdin="", check=False, env=None):
        result = subprocess.run([self.binary, *map(str, arguments)], input=stdin, capture_output=True, text=True,
                                timeout=10 * PATIENCE, env=env)
        if check and result.returncode != 0:
            raise AssertionError(f"{arguments}: exit {result.returncode}: {result.stdout} {result.stderr}")
        return result

    def create(self, resource, token):
        """The id of what was made of it."""
        reply = self.request("POST", "/fhir/" + resource["resourceType"], resource, token)
        assert reply.status == 201, reply
        return json_of(reply)["id"]

    def let_the_administrator_read(self, *rights):
        """Under `hospital` the administrator has none of these, and the harness reads the log as him."""
        more = "".join(f'"{right}", ' for right in ("read-audit", *rights))
        self.change_policy('admin = ["manage-users"', f'admin = [{more}"manage-users"')

    def change_policy(self, old, new):
        """Puts `new` where `old` is in the policy."""
        self.admin()
        shown = self.cli("policy", "show", "--data", self.data, check=True).stdout
        if old not in shown:
            raise AssertionError(f"the policy has no {old!r}")
        path = self.root / "policy.toml"
        path.write_text(shown.replace(old, new))
        self.cli("policy", "set", path, "--data", self.data, check=True)

    # --- people ---

    def enrol(self, name, code, password=PASSWORD):
        person = Person(name, password)
        reply = self.request("POST", "/auth/enrol", {"code": code, "password": password})
        if reply.status != 200:
            raise AssertionError(f"enrol: {reply}")
        uri = urllib.parse.urlparse(json_of(reply)["otpauth"])
        person.secret = urllib.parse.parse_qs(uri.query)["secret"][0]
        reply = self.request("POST", "/auth/enrol/confirm", {"code": code, "totp": person.code()})
        if reply.status != 200:
            raise AssertionError(f"confirm: {reply}")
        return person

    def log_in(self, person, source=None, **changes):
        """Tries to log in; `changes` replace what is sent."""
        body = {"user": person.name, "password": person.password, **changes}
        if "totp" not in body:
            body["totp"] = person.code()
        return self.request("POST", "/auth/login", body, source=source)

    def admin(self):
        """Enrols and signs in the first administrator for the command line; gives his token."""
        if self.admin_person is None:
            self.admin_person = self.enrol("alice", self.made["enrolment_code"])
        if not self.admin_token:
            self.sign_in_admin()
        return self.admin_token

    def sign_in_admin(self, now=time.time):
        person = self.admin_person
        self.cli("login", "--admin", "--data", self.data, "--user", person.name,
                 stdin=f"{person.password}\n{person.code(now)}\n", check=True)
        name = "tacenda-" + hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:16] + ".session"
        for folder in (f"/run/user/{os.geteuid()}", f"/tmp/tacenda-{os.geteuid()}"):
            path = pathlib.Path(folder, name)
            if path.exists():
                self.admin_token = path.read_text().strip()
        return self.admin_token

    def invite(self, name, role, *more):
        """Adds a person; gives the answer with the enrolment code."""
        self.admin()
        added = self.cli("user", "add", name, "--role", role, "--data", self.data, "--json", *more, check=True)
        return json.loads(added.stdout)

    def person(self, name, role, *more, password=PASSWORD):
        """Adds and enrols a person."""
        added = self.invite(name, role, *more)
        person = self.enrol(name, added["enrolment_code"], password)
        person.id = added["id"]
        return person

    def token_of(self, person):
        reply = self.log_in(person)
        if reply.status != 200:
            raise AssertionError(f"log-in of {person.name}: {reply}")
        return json_of(reply)["access_token"]

    def service(self, name, role):
        """Adds a service account; gives an access token."""
        self.admin()
        self.cli("user", "add", name, "--role", role, "--service", "--data", self.data, check=True)
        return self.service_token(name)

    def service_token(self, name):
        issued = self.cli("token", "issue", "--user", name, "--expires", "1h", "--json", "--data", self.data,
                          check=True)
        return json.loads(issued.stdout)["access_token"]

    # --- the audit log ---

    def audit(self, *arguments):
        """All entries, as `tacenda audit list --json` prints them, in order."""
        self.admin()
        listed = self.cli("audit", "list", "--all", "--json", "--data", self.data, *arguments, check=True)
        return sorted(json.loads(listed.stdout), key=lambda entry: entry["sequence"])

    def audit_after(self, sequence):
        """What was recorded after `sequence`, without the reading of the log itself and what is found in it."""
        beside = ("audit-read", "alert-raised", "log-examined")
        return [e for e in self.audit() if e["sequence"] > sequence and e["event"] not in beside]

    def audit_size(self):
        """Number of the newest entry, with nothing of before still to come: failures of strangers beyond a rate are
        counted, and their sum is recorded up to a second after the second they fell into (FailureMeter)."""
        entries = self.audit()
        if any(entry["outcome"] != 0 for entry in entries[-50:]):
            time.sleep(2.2)
            entries = self.audit()
        return entries[-1]["sequence"]

    def verify(self):
        return self.cli("verify", "--data", self.data, "--key-file", self.key_file, "--json")


# --- canaries -----------------------------------------------------------------------------------------


def spellings(text):
    """The ways a text could lie in a file: raw, UTF-16LE, hex, base64 at each of its three alignments."""
    raw = text.encode() if isinstance(text, str) else text
    found = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    if isinstance(text, str):
        found.add(text.encode("utf-16-le"))
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        # The first and last characters depend on the neighbours.
        inner = encoded[4 if shift else 0 : len(encoded) - 4]
        found.add(inner)
        found.add(inner.replace(b"+", b"-").replace(b"/", b"_"))
    return found


def _inflated(data):
    """What zlib, gzip and zstd streams inside `data` hold."""
    for magic in (b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        at = data.find(magic)
        while at >= 0:
            try:
                yield zlib.decompressobj(47).decompress(data[at : at + (1 << 20)], 1 << 22)
            except zlib.error:
                pass
            at = data.find(magic, at + 1)
    name = ctypes.util.find_library("zstd")
    if not name:
        return
    zstd = ctypes.CDLL(name)
    zstd.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    buffer = ctypes.create_string_buffer(1 << 22)
    at = data.find(b"\x28\xb5\x2f\xfd")
    while at >= 0:
        frame = data[at:]
        size = zstd.ZSTD_findFrameCompressedSize(frame, ctypes.c_size_t(len(frame)))
        if not zstd.ZSTD_isError(ctypes.c_size_t(size)):
            made = zstd.ZSTD_decompress(buffer, ctypes.c_size_t(len(buffer)), frame, ctypes.c_size_t(size))
            if not zstd.ZSTD_isError(ctypes.c_size_t(made)):
                yield buffer.raw[:made]
        at = data.find(b"\x28\xb5\x2f\xfd", at + 1)


def find_canaries(paths, canaries):
    """Every place under `paths` where a canary can be read, also after inflating; [] when there is none."""
    wanted = [(canary, spelling) for canary in canaries for spelling in spellings(canary)]
    found, vanished = [], False
    for path in files_under(paths):
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # a running server compacts: what was in it is in another file by now
            vanished = True
            continue
        for text in (str(path).encode(), data, *_inflated(data)):
            found += [f"{path}: {canary!r}" for canary, spelling in wanted if spelling in text]
    return found or (find_canaries(paths, canaries) if vanished else [])


def files_under(paths):
    for path in map(pathlib.Path, paths):
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


class TestCase(unittest.TestCase):
    """One server for all tests of a class, unless a test makes its own with `new_server`."""

    policy = "separated"
    config = None
    serve = True

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.policy, cls.config)
        cls.addClassCleanup(cls.server.close)
        if cls.serve:
            cls.server.start()

    def new_server(self, *arguments, **options):
        server = Server(*arguments, **options)
        self.addCleanup(server.close)
        return server

"""A client of the token endpoint as its developer would write it: Python, and `openssl` for keys and signatures."""

import base64
import concurrent.futures
import html.parser
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def at_once(count, what):
    """What `what` gives, called by so many threads at the same time."""
    start = threading.Barrier(count)

    def run(_):
        start.wait()
        return what()
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout


class Key:
    """A key pair of a client: RSA for RS384, or P-384 for ES384."""

    def __init__(self, folder, kid="k1", kind="RSA"):
        self.kid, self.kind = kid, kind
        self.algorithm = "RS384" if kind == "RSA" else "ES384"
        self.file = pathlib.Path(folder) / f"{kid}-{uuid.uuid4().hex}.pem"
        options = ("-pkeyopt", "rsa_keygen_bits:2048") if kind == "RSA" else ("-pkeyopt", "ec_paramgen_curve:P-384")
        openssl("genpkey", "-algorithm", kind, *options, "-out", self.file)
        self.public_pem = openssl("pkey", "-in", self.file, "-pubout")

    def jwk(self):
        key = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.kind == "RSA":
            modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().split("=")[1]
            return {**key, "kty": "RSA", "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}
        point = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-96:]
        return {**key, "kty": "EC", "crv": "P-384", "x": b64(point[:48]), "y": b64(point[48:])}

    def jwks_file(self):
        path = self.file.with_suffix(".jwks.json")
        path.write_text(json.dumps({"keys": [self.jwk()]}))
        return path

    def sign(self, text, digest="sha384"):
        signature = openssl("dgst", "-" + digest, "-sign", self.file, stdin=text.encode())
        return signature if self.kind == "RSA" else joined(signature)

    def jws(self, header, claims, digest="sha384"):
        text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
        return text + "." + b64(self.sign(text, digest))


def joined(der):
    """R || S of an ECDSA signature (RFC 7518 section 3.4)."""
    at, halves = 2 if der[1] < 128 else 3, b""
    for _ in range(2):
        size = der[at + 1]
        halves += der[at + 2 : at + 2 + size].lstrip(b"\0").rjust(48, b"\0")
        at += 2 + size
    return halves


class Client:
    """A registered application that acts for itself."""

    def __init__(self, server, name, key, scope, role):
        self.server, self.name, self.key = server, name, key
        server.admin()
        server.cli("client", "add", name, "--jwks", key.jwks_file(), "--scope", scope, "--role", role,
                   "--data", server.data, check=True)

    def token_url(self):
        return f"https://{self.server.host}:{self.server.port}/oauth/token"

    def claims(self, **changes):
        made = {"iss": self.name, "sub": self.name, "aud": self.token_url(), "exp": int(time.time()) + 240,
                "jti": uuid.uuid4().hex, **changes}
        return {name: value for name, value in made.items() if value is not None}

    def header(self, **changes):
        made = {"alg": self.key.algorithm, "kid": self.key.kid, "typ": "JWT", **changes}
        return {name: value for name, value in made.items() if value is not None}

    def assertion(self, **changes):
        return self.key.jws(self.header(), self.claims(**changes))

    def ask(self, assertion=None, scope="system/*.rs", **more):
        fields = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": JWT_BEARER,
                  "client_assertion": assertion or self.assertion(), **more}
        return self.server.request("POST", "/oauth/token", urllib.parse.urlencode(fields), headers=FORM)

    def token(self, scope="system/*.rs"):
        reply = self.ask(scope=scope)
        if reply.status != 200:
            raise AssertionError(f"token of {self.name}: {reply}")
        return json.loads(reply.body)["access_token"]


def folder():
    return tempfile.TemporaryDirectory(prefix="tacenda-keys-")


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REDIRECT = "https://app.example.org/cb"


class Page(html.parser.HTMLParser):
    """A page as somebody without a script sees it: its form, its texts."""

    def __init__(self, reply):
        super().__init__()
        self.status, self.action, self.fields, self.boxes, self.text = reply.status, None, {}, {}, ""
        self.headers = reply.headers
        self.feed(reply.body.decode())

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "form":
            self.action, self.method = named["action"], named["method"]
        elif tag == "input" and named.get("type") == "checkbox":
            self.boxes[named["name"]] = ""
            self.last_box = named["name"]
        elif tag == "input" and "name" in named:
            self.fields[named["name"]] = named.get("value", "")

    def handle_data(self, data):
        self.text += data
        if self.boxes and not self.boxes[self.last_box]:
            self.boxes[self.last_box] = data.strip()


class App:
    """An application that sends people to the server, and the browser that they use for it."""

    def __init__(self, server, name, scope, *more, redirect=REDIRECT):
        self.server, self.name, self.redirect, self.cookies = server, name, redirect, {}
        server.admin()
        server.cli("client", "add", name, "--scope", scope, "--redirect-uri", redirect, *(more or ("--public",)),
                   "--data", server.data, check=True)

    @property
    def base(self):
        return f"https://{self.server.host}:{self.server.port}"

    def request(self, **changes):
        """The parameters of a right request; None takes one out."""
        made = {"response_type": "code", "client_id": self.name, "redirect_uri": self.redirect,
                "scope": "launch/patient patient/*.rs", "state": "a state & more", "aud": self.base + "/fhir",
                "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes}
        return {name: value for name, value in made.items() if value is not None}

    def send(self, method, path, fields=None, cookie=True):
        headers = dict(FORM) if fields is not None else {}
        if cookie and self.cookies:
            headers["Cookie"] = "; ".join(["other=1", *(f"{name}={value}" for name, value in self.cookies.items())])
        body = urllib.parse.urlencode(fields) if fields is not None else None
        reply = self.server.request(method, path, body, headers=headers)
        if "set-cookie" in reply.headers:
            name, value = reply.headers["set-cookie"].split(";")[0].split("=", 1)
            self.cookies[name] = value
        return reply

    def begin(self, **changes):
        return self.send("GET", "/oauth/authorize?" + urllib.parse.urlencode(self.request(**changes)))

    def sign_in(self, person, page, **changes):
        fields = {**page.fields, "user": person.name, "password": person.password, **changes}
        if "factor" not in changes:
            fields["factor"] = self.factor_of(person)
        return self.send("POST", page.action, fields)

    def factor_of(self, person):
        """A recovery code: there is but one TOTP code in 30 seconds, and tests sign in oftener."""
        if not getattr(person, "spare", None):
            while (reply := self.server.request("POST", "/auth/recovery-codes", {},
                                                getattr(person, "session", None))).status == 401:
                person.session = self.server.token_of(person)
            person.spare = json.loads(reply.body)["recovery_codes"]
        return person.spare.pop()

    def decide(self, page, decision="allow", untick=(), **more):
        fields = {**page.fields, **{name: "1" for name, text in page.boxes.items() if not any(u in text for u in untick)},
                  "decision": decision, **more}
        return self.send("POST", page.action, fields)

    @staticmethod
    def answer_of(reply):
        """What the redirect tells the application."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlparse(reply.headers["location"]).query))

    def code(self, person, untick=(), patient=None, **changes):
        page = Page(self.sign_in(person, Page(self.begin(**changes))))
        decided = self.decide(page, untick=untick, **({"patient": patient} if patient else {}))
        assert decided.status == 303, decided
        return self.answer_of(decided)["code"]

    def fetch(self, code, **changes):
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect,
                  "client_id": self.name, "code_verifier": VERIFIER, **changes}
        return self.post("token", fields)

    def refresh(self, token, **changes):
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.name,
                                   **changes})

    def post(self, where, fields):
        fields = {name: value for name, value in fields.items() if value is not None}
        return self.server.request("POST", "/oauth/" + where, urllib.parse.urlencode(fields), headers=FORM)

    def launch(self, person, **options):
        """Everything from the request to the token answer."""
        reply = self.fetch(self.code(person, **options))
        assert reply.status == 200, reply
        return json.loads(reply.body)

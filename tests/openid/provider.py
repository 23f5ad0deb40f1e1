"""A certified OpenID provider of others, oidc-provider, over TLS with an authority of its own, for tests."""

import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent
PATIENCE = 60
SECRET = "a secret of the test, with + and %"
MFA = "urn:example:mfa"
ORIGIN = "https://records.example.org"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def new_key(kid):
    """A signing key as oidc-provider takes it."""
    program = ('const k=require("crypto").generateKeyPairSync("rsa",{modulusLength:2048}).privateKey.export({format:"jwk"});'
               'console.log(JSON.stringify({...k,use:"sig",alg:"RS256"}))')
    made = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    return {**json.loads(made.stdout), "kid": kid}


class Provider:
    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.issuer = f"https://127.0.0.1:{self.port}"
        self.ca = folder / "provider-ca.pem"
        self.make_certificate()

    def make_certificate(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.folder)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *key, "-keyout", "provider-ca.key", "-out", self.ca, "-subj", "/CN=test", "-days", 2)
        openssl("req", *key, "-keyout", "provider.key", "-out", "provider.csr", "-subj", "/CN=provider")
        (self.folder / "provider.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "provider.csr", "-CA", self.ca, "-CAkey", "provider-ca.key", "-CAcreateserial",
                "-out", "provider.pem", "-days", 2, "-extfile", "provider.ext")

    def start(self, key, origin=ORIGIN):
        config = {"issuer": self.issuer, "port": self.port, "cert": str(self.folder / "provider.pem"),
                  "key": str(self.folder / "provider.key"), "jwks": {"keys": [key]},
                  "clients": [{"client_id": "tacenda", "client_secret": SECRET, "response_types": ["code"],
                               "grant_types": ["authorization_code"], "redirect_uris": [origin + "/auth/openid/callback"]}]}
        path = self.folder / "provider.json"
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(["node", str(FOLDER / "provider.mjs"), str(path)], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the OpenID provider did not start")

    def configuration(self, secret_file):
        return (f'[openid]\nissuer = "{self.issuer}"\nclient-id = "tacenda"\nclient-secret-file = "{secret_file}"\n'
                f'ca-file = "{self.ca}"\naccount-claim = "oid"\nsecond-factor-acr = ["{MFA}"]\n')

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def sign_in(self, url, account, external_id="", acr=MFA):
        """What a browser does there; gives what it brings back."""
        jar, fields = {}, {"x-account": account, "x-external-id": external_id, "x-acr": acr}
        context = ssl.create_default_context(cafile=str(self.ca))
        for _ in range(10):
            if url.startswith(ORIGIN):
                return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
            parts = urllib.parse.urlsplit(url)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=PATIENCE)
            connection.request("GET", parts.path + ("?" + parts.query if parts.query else ""), headers={
                **fields, "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())})
            response = connection.getresponse()
            body = response.read()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    cookie, _, rest = value.partition(";")
                    key, _, content = cookie.partition("=")
                    jar[key] = content
            url = urllib.parse.urljoin(url, response.getheader("location") or "")
            connection.close()
            if response.status not in (302, 303):
                raise AssertionError(f"{response.status} {body[:500]}")
        raise AssertionError("the provider sends the browser round in circles")

"""Client certificates of applications (F-19, RFC 8705): who is known by one, and tokens that are good with it alone."""

import base64
import hashlib
import pathlib
import shutil
import ssl
import tempfile
import unittest
import urllib.parse

import applications
import harness
from applications import App, Client, Key
from harness import json_of
from test_certificates import CONFIG, Authority, sha256_of


class Bound(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-bound-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        authority = Authority(folder, "hospital")
        own = Authority(folder, "own")  # a certificate that signs itself
        cls.own = own.certificate, own.key
        trusted = folder / "trusted.pem"
        trusted.write_text(authority.certificate.read_text() + own.certificate.read_text())
        cls.config = CONFIG % trusted
        super().setUpClass()
        cls.mine, cls.theirs = authority.issue("mine"), authority.issue("theirs")
        cls.server.admin()
        cls.key = Key(folder)
        cls.server.cli("client", "add", "lab", "--certificate", cls.mine[0], "--scope", "system/*.cruds", "--role", "doctor",
                       "--data", cls.server.data, check=True)
        cls.server.cli("client", "add", "strong", "--jwks", cls.key.jwks_file(), "--bound-tokens", "--scope", "system/*.rs",
                       "--role", "doctor", "--data", cls.server.data, check=True)
        cls.strong = Client.__new__(Client)
        cls.strong.server, cls.strong.name, cls.strong.key = cls.server, "strong", cls.key

    def send(self, pair, method, path, body=None, token=None, headers=None):
        context = self.server.tls_context(*pair) if pair else self.server.tls_context()
        with self.server.connect(context=context) as connection:
            return connection.request(method, path, body, token, headers)

    def post(self, pair, where, headers=None, **fields):
        return self.send(pair, "POST", "/oauth/" + where, urllib.parse.urlencode(fields),
                         headers={**applications.FORM, **(headers or {})})

    def ask(self, pair, headers=None, **changes):
        return self.post(pair, "token", headers, **{"grant_type": "client_credentials", "client_id": "lab",
                                                    "scope": "system/*.rs", **changes})

    def assert_bound(self, token):
        """Good with the certificate, and in no other hands."""
        self.assertEqual(self.send(self.mine, "GET", "/fhir/Patient", token=token).status, 200)
        for pair in (None, self.theirs):
            reply = self.send(pair, "GET", "/fhir/Patient", token=token)
            self.assertEqual(reply.status, 401)
            self.assertIn("Bearer", reply.headers["www-authenticate"])

    def test_F19_a_client_is_known_by_its_certificate_and_its_token_is_bound_to_it(self):
        before = self.server.audit_size()
        reply = self.ask(self.mine)
        self.assertEqual(reply.status, 200, reply.body)
        issued, = self.server.audit_after(before)
        self.assertEqual((issued["event"], issued["target"], issued["authentication"]), ("token-issued", "lab", "certificate"))
        self.assert_bound(json_of(reply)["access_token"])
        caught = self.server.audit_after(-1)[-1]
        self.assertEqual((caught["event"], caught["reason"]),
                         ("authentication-failed", "the token is bound to another client certificate"))
        for pair in (None, self.theirs):
            refused = self.ask(pair)
            self.assertEqual((refused.status, json_of(refused)["error"]), (401, "invalid_client"))
        self.assertEqual(self.ask(self.mine, client_id="strong").status, 401)

    def test_F19_a_certificate_that_signs_itself_is_one_too(self):
        self.server.cli("client", "add", "own", "--certificate", self.own[0], "--scope", "system/*.rs", "--role", "doctor", "--data",
                        self.server.data, check=True)
        token = json_of(self.ask(self.own, client_id="own"))["access_token"]
        self.assertEqual(self.send(self.own, "GET", "/fhir/Patient", token=token).status, 200)
        self.assertEqual(self.send(self.mine, "GET", "/fhir/Patient", token=token).status, 401)
        self.assertEqual(self.ask(self.mine, client_id="own").status, 401)

    def test_F19_no_header_stands_for_a_certificate(self):
        der = ssl.PEM_cert_to_DER_cert(self.mine[0].read_text())
        pem = urllib.parse.quote(self.mine[0].read_text())
        spoofed = {"X-SSL-Client-Cert": pem, "X-Client-Cert": pem, "X-Forwarded-Client-Cert": "Hash=" + hashlib.sha256(der).hexdigest(),
                   "Client-Cert": ":" + base64.b64encode(der).decode() + ":", "X-SSL-Client-Verify": "SUCCESS"}
        self.assertEqual(self.ask(None, spoofed).status, 401)
        token = json_of(self.ask(self.mine))["access_token"]
        self.assertEqual(self.send(None, "GET", "/fhir/Patient", token=token, headers=spoofed).status, 401)

    def test_F19_a_token_for_an_assertion_is_bound_to_the_connection(self):
        fields = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion_type": applications.JWT_BEARER}
        self.assert_bound(json_of(self.post(self.mine, "token", client_assertion=self.strong.assertion(), **fields))["access_token"])
        without = self.post(None, "token", client_assertion=self.strong.assertion(), **fields)
        self.assertEqual((without.status, json_of(without)["error"]), (400, "invalid_request"))

    def test_F14_F19_introspection_names_the_certificate(self):
        token = json_of(self.ask(self.mine))["access_token"]
        said = json_of(self.post(self.mine, "introspect", client_id="lab", token=token))
        thumbprint = base64.urlsafe_b64encode(bytes.fromhex(sha256_of(self.mine[0]))).decode().rstrip("=")
        self.assertEqual((said["active"], said["cnf"]), (True, {"x5t#S256": thumbprint}))
        self.assertEqual(self.post(self.theirs, "introspect", client_id="lab", token=token).status, 401)

    def test_F19_a_restart_and_a_bundle_loosen_nothing(self):
        token = json_of(self.ask(self.mine))["access_token"]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient"}}]}
        self.assertEqual(self.send(self.mine, "POST", "/fhir", bundle, token).status, 200)
        self.assertEqual(self.send(None, "POST", "/fhir", bundle, token).status, 401)
        self.server.stop()
        self.server.start()
        self.assert_bound(token)

    def test_F19_a_page_keeps_its_refresh_token_to_itself(self):
        doctor = self.server.person("dr", "doctor")
        app = App(self.server, "page", "user/*.rs offline_access", "--public", "--bound-tokens")
        code = lambda: app.code(doctor, scope="user/*.rs offline_access")
        fields = {"grant_type": "authorization_code", "redirect_uri": applications.REDIRECT, "client_id": "page",
                  "code_verifier": applications.VERIFIER}
        self.assertEqual(self.post(None, "token", code=code(), **fields).status, 400)
        answer = json_of(self.post(self.mine, "token", code=code(), **fields))
        self.assert_bound(answer["access_token"])
        again = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": "page"}
        for pair in (None, self.theirs):
            reply = self.post(pair, "token", **again)
            self.assertEqual((reply.status, json_of(reply)["error"]), (400, "invalid_grant"))
        self.assert_bound(json_of(self.post(self.mine, "token", **again))["access_token"])

    def test_F19_it_is_discovered_and_listed(self):
        said = json_of(self.server.request("GET", "/fhir/.well-known/smart-configuration"))
        self.assertIs(said["tls_client_certificate_bound_access_tokens"], True)
        self.assertIn("self_signed_tls_client_auth", said["token_endpoint_auth_methods_supported"])
        listed = json_of(self.server.socket_request("GET", "/admin/clients", token=self.server.admin()))["clients"]
        lab = next(each for each in listed if each["client_id"] == "lab")
        self.assertEqual((lab["certificate"], lab["bound_tokens"]), (sha256_of(self.mine[0]), True))
        for command in (("--certificate", "beef"), ("--certificate", self.mine[0], "--jwks", self.key.jwks_file())):
            refused = self.server.cli("client", "add", "x", *command, "--scope", "system/*.rs", "--role", "doctor", "--data",
                                      self.server.data)
            self.assertNotEqual(refused.returncode, 0, command)

    def test_F19_another_certificate_takes_the_place_of_the_first(self):
        self.server.cli("client", "add", "moves", "--certificate", sha256_of(self.mine[0]), "--scope", "system/*.rs", "--role",
                        "doctor", "--data", self.server.data, check=True)
        self.assertEqual(self.ask(self.mine, client_id="moves").status, 200)
        self.server.cli("client", "keys", "moves", "--certificate", self.theirs[0], "--data", self.server.data, check=True)
        self.assertEqual(self.ask(self.mine, client_id="moves").status, 401)
        self.assertEqual(self.ask(self.theirs, client_id="moves").status, 200)


class WithoutCertificates(harness.TestCase):
    def test_F19_a_listener_that_takes_none_does_not_promise_it(self):
        said = json_of(self.server.request("GET", "/fhir/.well-known/smart-configuration"))
        self.assertIs(said["tls_client_certificate_bound_access_tokens"], False)
        self.assertNotIn("self_signed_tls_client_auth", said["token_endpoint_auth_methods_supported"])


if __name__ == "__main__":
    unittest.main()

"""Client certificates of service accounts (S-08, A-09)."""

import hashlib
import http.client
import ssl
import subprocess
import tempfile
import pathlib
import unittest

import harness

CONFIG = '[listener]\nclient-certificate = "optional"\nclient-ca = "%s"\n'


class Authority:
    """A certificate authority made with openssl."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
                     "-out", self.certificate, "-subj", f"/CN={name}", "-days", "30")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def issue(self, name, *validity):
        """Gives the paths of a client's certificate and key."""
        key, request, certificate = (self.folder / f"{self.name}-{name}.{kind}" for kind in ("key", "csr", "pem"))
        extensions = self.folder / f"{self.name}-{name}.cnf"
        extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                     "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-out",
                     certificate, "-extfile", extensions, *(validity or ("-days", "5")))
        return certificate, key


def sha256_of(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()


class Certificates(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-ca-"))
        cls.addClassCleanup(harness.shutil.rmtree, folder)
        cls.authority, cls.other = Authority(folder, "hospital"), Authority(folder, "stranger")
        cls.config = CONFIG % cls.authority.certificate
        super().setUpClass()
        cls.server.admin()
        cls.bound = cls.authority.issue("lab")
        cls.server.cli("user", "add", "lab", "--role", "loader", "--service", "--data", cls.server.data, check=True)
        cls.server.cli("user", "certificate", "lab", "--sha256", sha256_of(cls.bound[0]), "--data", cls.server.data,
                       check=True)

    def ask_with(self, pair, method="POST", path="/fhir/Patient"):
        context = self.server.tls_context(*pair) if pair else self.server.tls_context()
        with self.server.connect(context=context) as connection:
            return connection.request(method, path, {"resourceType": "Patient"} if method == "POST" else None)

    def refused_with(self, pair):
        mark = self.server.audit_size()
        # TLS 1.3: the client hears of it with its first read.
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.ask_with(pair)
        entries = self.server.audit_after(mark)
        self.assertEqual(len(entries), 1, entries)
        self.assertIn(entries[0]["event"], ("client-certificate-failed", "tls-failed"))
        self.assertEqual((entries[0]["outcome"], entries[0]["network"]), (4, "127.0.0.1"))

    def test_S08_the_bound_certificate_is_the_service_account(self):
        mark = self.server.audit_size()
        self.assertEqual(self.ask_with(self.bound).status, 201)
        entry, = self.server.audit_after(mark)
        self.assertEqual((entry["user"], entry["role"], entry["authentication"]), ("lab", "loader", "certificate"))

    def test_S08_the_accounts_role_holds_for_its_certificate(self):
        self.assertEqual(self.ask_with(self.bound, "GET", "/fhir/Patient/1").status, 403)

    def test_S08_a_certificate_that_belongs_to_no_account_opens_nothing(self):
        self.assertEqual(self.ask_with(self.authority.issue("unbound")).status, 401)
        self.assertEqual(self.ask_with(None).status, 401)

    def test_S08_a_certificate_of_another_authority_fails_the_handshake(self):
        self.refused_with(self.other.issue("lab"))

    def test_S08_an_expired_certificate_fails_the_handshake(self):
        self.refused_with(self.authority.issue("old", "-days", "-1"))

    def test_S08_a_certificate_dies_with_its_account(self):
        pair = self.authority.issue("leaver")
        data = ["--data", self.server.data]
        self.server.cli("user", "add", "leaver", "--role", "loader", "--service", *data, check=True)
        self.server.cli("user", "certificate", "leaver", "--sha256", sha256_of(pair[0]), *data, check=True)
        self.assertEqual(self.ask_with(pair).status, 201)
        self.server.cli("user", "disable", "leaver", *data, check=True)
        self.assertEqual(self.ask_with(pair).status, 401)

    def test_S08_people_sign_in_and_have_no_certificates(self):
        self.server.person("dr.cert", "doctor")
        bound = self.server.cli("user", "certificate", "dr.cert", "--sha256", "00" * 32, "--data", self.server.data)
        self.assertNotEqual(bound.returncode, 0)


if __name__ == "__main__":
    unittest.main()

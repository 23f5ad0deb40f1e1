"""What a browser keeps of the records that were read in it, when its person has signed out: nothing (O-05)."""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import threading
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
STEPS = ["control", "signed in", "read by script", "read as documents", "signed out"]


def key_of(certificate):
    """The digest of its public key, as Chromium names a certificate that is good for a test."""
    public = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=certificate.encode(), capture_output=True,
                            check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public, capture_output=True,
                         check=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Control(http.server.BaseHTTPRequestHandler):
    """A page of somebody who says that it may be kept."""

    text = b""

    def do_GET(self):
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Cache-Control", "max-age=3600"),
                            ("Content-Length", len(self.text))):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_):
        pass


class Device(harness.TestCase):
    def control(self, canary):
        certificate, key = self.server.root / "control.pem", self.server.root / "control.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True)
        kind = type("Kept", (Control,), {"text": f"<title>c</title><p>{canary}</p>".encode() + b" " * 2000})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"https://localhost:{server.server_address[1]}/", key_of(certificate.read_text())

    def test_O05_a_browser_keeps_nothing_of_what_was_read_in_it(self):
        doctor = self.server.person("dr.device", "doctor")
        token = self.server.token_of(doctor)
        kept = "Canaryofthecontrol"
        canaries = {name: f"Canary{name}xq" for name in ("family", "note", "attachment")}
        patient = self.server.create({"resourceType": "Patient", "name": [{"family": canaries["family"]}]}, token)
        observation = self.server.create({"resourceType": "Observation", "status": "final", "code": {"text": "c"},
                                                       "subject": {"reference": "Patient/" + patient},
                                                       "note": [{"text": canaries["note"]}]}, token)
        content = base64.b64encode(canaries["attachment"].encode()).decode()
        document = self.server.create({"resourceType": "DocumentReference", "status": "current",
                                       "subject": {"reference": "Patient/" + patient},
                                       "content": [{"attachment": {"contentType": "text/plain", "data": content}}]}, token)
        paths = ["/fhir/Patient/" + patient, "/fhir/Observation?patient=" + patient,
                 f"/fhir/Observation/{observation}/_history", f"/fhir/Patient/{patient}/$everything",
                 f"/fhir/Patient/{patient}?_format=xml", "/fhir/DocumentReference/" + document]
        url, key = self.control(kept)
        own = key_of(ssl.get_server_certificate((self.server.host, self.server.port)))
        profile = self.server.root / "profile"
        environment = {**os.environ, "TACENDA_ORIGIN": f"https://localhost:{self.server.port}", "TACENDA_USER": doctor.name,
                       "TACENDA_PASSWORD": doctor.password, "TACENDA_FACTOR": doctor.code(), "TACENDA_TOKEN": token,
                       "TACENDA_PATHS": json.dumps(paths), "TACENDA_CONTROL": url, "TACENDA_PROFILE": str(profile),
                       "TACENDA_KEYS": f"{own},{key}", "TACENDA_CHROMIUM": CHROMIUM}
        done = subprocess.run(["node", str(FOLDER / "device.mjs")], capture_output=True, text=True,
                              timeout=10 * harness.PATIENCE, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertEqual([json.loads(line)["step"] for line in done.stdout.splitlines()], STEPS)
        # A browser that keeps what it may: else the rest would show nothing.
        self.assertNotEqual(harness.find_canaries([profile], [kept]), [])
        self.assertEqual(harness.find_canaries([profile], [*canaries.values(), token, doctor.password]), [])


if __name__ == "__main__":
    if CHROMIUM is None:
        npm.skip("Chromium is not installed: apt install chromium")
    npm.require(FOLDER)
    npm.main()

"""Nothing that was stored or typed can be read from the disk (S-05), and nonces do not repeat (K-07)."""

import base64
import collections
import gzip
import json
import math
import pathlib
import threading
import time
import unittest

import harness


NAMES = ["Canarysdottir-Quaxlebrand", "CANARYmrn-7719-0042", "canary narrative of a rare disease", "Kanarienvögelchen Åsgård",
         "canary note: the patient fears needles", "http://canary.example.org/mrn"]


def resources(number, patient):
    yield {"resourceType": "Patient", "id": patient, "gender": "female",
           "name": [{"family": NAMES[0], "given": [NAMES[3], f"n{number}"]}],
           "identifier": [{"system": NAMES[5], "value": f"{NAMES[1]}-{number}"}],
           "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAMES[2]}</div>'}}
    yield {"resourceType": "Observation", "status": "final", "code": {"text": "c"},
           "subject": {"reference": "Patient/" + patient}, "note": [{"text": NAMES[4] + " " * 300 + NAMES[4]}]}
    yield {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/" + patient},
           "content": [{"attachment": {"data": base64.b64encode(NAMES[2].encode()).decode()}}]}


def entropy(data):
    counts = collections.Counter(data)
    return -sum(n / len(data) * math.log2(n / len(data)) for n in counts.values())


class Sealed(harness.TestCase):
    policy = "classic"

    def test_S05_after_writes_kills_and_restarts_no_canary_can_be_read_anywhere(self):
        server = self.server
        token = server.admin()
        secrets = [server.admin_person.password, server.admin_person.secret, server.made["enrolment_code"], token]
        person = server.person("dr.canarybird", "doctor", password="canary pass phrase 4471 of the doctor")
        secrets += [person.password, person.secret]
        doctor = server.token_of(person)
        service = server.service("canary.loader", "loader")
        pending = server.invite("canary.pending", "nurse")["enrolment_code"]
        secrets += [doctor, service, pending, "dr.canarybird", "canary.loader", "canary.pending"]
        number = 0
        for _ in range(3):
            stop = threading.Event()

            def write(first):
                nonlocal number
                try:
                    with server.connect() as connection:
                        while not stop.is_set():
                            number += 1
                            patient = f"canarypatientid-{first}-{number}"
                            entries = [{"request": {"method": "PUT", "url": f"{r['resourceType']}/{patient}"},
                                        "resource": {**r, "id": patient}} for r in resources(number, patient)]
                            sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                            connection.request("POST", "/fhir", sent, token)
                            connection.request("GET", f"/fhir/Patient/{patient}?canaryquery=1", token=token)
                            connection.request("DELETE", f"/fhir/DocumentReference/{patient}", token=token)
                            connection.request("GET", "/fhir/_history?_count=5", token=token)
                except (OSError, harness.http.client.HTTPException):
                    pass  # killed in the middle

            threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(1.5)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            self.look_for(NAMES + secrets)
            server.start()
        self.assertGreater(number, 10)
        self.look_for(NAMES + secrets)
        server.stop()
        self.look_for(NAMES + secrets)
        self.assertEqual(server.verify().returncode, 0)
        for path in harness.files_under([server.data]):
            data = path.read_bytes()
            if len(data) > 65536:
                self.assertGreater(entropy(data), 7.9, path)
        server.start()

    def look_for(self, canaries):
        places = [self.server.data, self.server.out, self.server.err]
        self.assertEqual(harness.find_canaries(places, [*canaries, "canarypatientid", "canaryquery"]), [])
        self.assertEqual(list(self.server.temporary.iterdir()), [], "no temporary files")

    def test_S05_the_search_for_canaries_finds_each_spelling(self):
        for number, data in enumerate((b"xx" + NAMES[0].encode(), NAMES[0].encode("utf-16-le"),
                                       NAMES[0].encode().hex().encode(), base64.b64encode(b"x" + NAMES[0].encode()),
                                       base64.b64encode(b"yz" + NAMES[0].encode() + b"1"), base64.b64encode(NAMES[0].encode()),
                                       b"head" + gzip.compress(NAMES[0].encode()))):
            path = self.server.root / f"planted{number}"
            path.write_bytes(data)
            self.assertEqual(len(harness.find_canaries([path], NAMES[:1])), 1, data)

    def test_S05_a_crash_leaves_no_picture_of_the_memory(self):
        process = pathlib.Path("/proc", str(self.server.process.pid))
        limits = (process / "limits").read_text()
        line, = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        self.assertEqual(line.split()[4:6], ["0", "0"])
        # What is not dumpable belongs to root, and to nobody else's debugger.
        self.assertEqual((process / "environ").stat().st_uid, 0)
        self.assertEqual((process / "environ").stat().st_mode & 0o077, 0)

    def test_K07_nonces_of_stored_entries_never_repeat_over_writes_and_kills(self):
        """The outer layer of an audit entry is what an outsider can see of sealed data by way of the server:
        version, algorithm and term stand before its nonce (docs/data-file.md). Envelopes of records are
        counted in the tests beside the code (crypto/nonce_test.cpp)."""
        server = self.new_server("classic").start()
        token = server.admin()
        for _ in range(4):
            with server.connect() as connection:
                for _ in range(40):
                    connection.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token)
            server.kill()
            server.start()
        size = server.audit_size()
        nonces = []
        for sequence in range(size):
            reply = server.socket_request("GET", f"/admin/audit/proof?sequence={sequence}", token=token)
            entry = base64.b64decode(json.loads(reply.body)["entry"])
            nonces.append(entry[64 + 6 : 64 + 30])
        self.assertGreater(size, 160)
        self.assertEqual(len(set(nonces)), len(nonces))


if __name__ == "__main__":
    unittest.main()

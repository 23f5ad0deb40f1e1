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
import urllib.parse

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


def transaction(number, patient):
    entries = [{"request": {"method": "PUT", "url": f"{each['resourceType']}/{patient}"}, "resource": {**each, "id": patient}}
               for each in resources(number, patient)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def named(name):
    return urllib.parse.urlencode({"name": name})


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
        exporter = server.service("canary.exporter", "exporter")
        pending = server.invite("canary.pending", "nurse")["enrolment_code"]
        secrets += [doctor, service, exporter, pending, "canary.exporter", "dr.canarybird", "canary.loader", "canary.pending"]
        self.assertEqual(server.request("POST", "/fhir", transaction(0, "canarypatientid-0"), token).status, 200)
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
                            connection.request("POST", "/fhir", transaction(number, patient), token)
                            connection.request("GET", f"/fhir/Patient/{patient}?canaryquery=1", token=token)
                            connection.request("GET", f"/fhir/Patient?{named(NAMES[0])}", token=token)
                            connection.request("DELETE", f"/fhir/DocumentReference/{patient}", token=token)
                            connection.request("GET", "/fhir/_history?_count=5", token=token)
                except (OSError, harness.http.client.HTTPException):
                    pass  # killed in the middle

            threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            self.ask_for_canaries(token)
            status = self.start_export(exporter)
            time.sleep(0.5)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            self.look_for(NAMES + secrets)
            server.start()
        self.assertGreater(number, 10)
        self.ask_for_canaries(token)
        self.take_export(self.start_export(exporter), exporter)
        self.look_for(NAMES + secrets)
        self.assertIn(server.request("GET", status, token=exporter).status, (200, 202))  # begun before the kill
        self.look_for(NAMES + secrets)
        server.stop()
        self.look_for(NAMES + secrets)
        self.assertEqual(server.verify().returncode, 0)
        for path in harness.files_under([server.data]):
            data = path.read_bytes()
            if len(data) > 65536:
                self.assertGreater(entropy(data), 7.9, path)
        server.start()

    def ask_for_canaries(self, token):
        """Searches whose terms are canaries, in URLs and in forms, with their further pages."""
        server = self.server
        identifier = urllib.parse.quote(f"{NAMES[5]}|{NAMES[1]}-0", safe="")
        by_name, by_note = named(NAMES[0]), urllib.parse.urlencode({"given:contains": NAMES[3]})
        for path, asked, is_found in (
                ("Patient", by_name, True), ("Patient", f"{by_note}&_sort=-_lastUpdated", True),
                ("Patient", f"identifier={identifier}", True), ("Patient", f"identifier={urllib.parse.quote(NAMES[5])}|", True),
                ("Patient", urllib.parse.urlencode({"_tag": NAMES[2], "name": NAMES[4]}), False),
                ("Observation", urllib.parse.urlencode({"subject:Patient.family": NAMES[0]}), True),
                ("Observation", urllib.parse.urlencode({"code:text": NAMES[4], "subject.identifier": NAMES[1]}), False),
                ("Patient", urllib.parse.urlencode({"_has:Observation:subject:code": NAMES[2]}), False),
                ("", urllib.parse.urlencode({"_type": "Patient,Observation", "_tag": NAMES[1]}), False)):
            for reply in (server.request("GET", f"/fhir/{path}?{asked}&_count=2", token=token),
                          server.request("POST", f"/fhir/{path}/_search".replace("//", "/"), f"{asked}&_count=2", token,
                                         {"Content-Type": "application/x-www-form-urlencoded"})):
                self.assertEqual(reply.status, 200, (path, asked, reply.body))
                bundle = json.loads(reply.body)
                self.assertEqual(any(e["search"]["mode"] == "match" for e in bundle.get("entry", [])), is_found, (path, asked))
                for _ in range(3):
                    following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
                    if not following:
                        break
                    # An address of a page says nothing of what is searched for.
                    for canary in NAMES:
                        for spelling in harness.spellings(canary):
                            self.assertNotIn(spelling, urllib.parse.unquote_to_bytes(following[0]))
                    reply = server.request("GET", "/fhir" + following[0].split("/fhir", 1)[1], token=token)
                    self.assertEqual(reply.status, 200, reply.body)
                    bundle = json.loads(reply.body)
        made = server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token,
                              {"If-None-Exist": f"identifier={identifier}"})
        self.assertEqual(made.status, 200, made.body)

    def start_export(self, token):
        """An export whose filters are canaries; gives the path of its status."""
        filters = urllib.parse.quote(f"Patient?{named(NAMES[0])}", safe="")
        reply = self.server.request("GET", f"/fhir/$export?_type=Patient,Observation&_typeFilter={filters}", token=token,
                                    headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})
        self.assertEqual(reply.status, 202, reply.body)
        return urllib.parse.urlparse(reply.headers["content-location"]).path

    def take_export(self, status, token):
        end = time.monotonic() + harness.PATIENCE
        while (reply := self.server.request("GET", status, token=token)).status == 202 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(reply.status, 200, reply.body)
        lines = b"".join(self.server.request("GET", urllib.parse.urlparse(file["url"]).path, token=token).body
                         for file in json.loads(reply.body)["output"])
        self.assertIn(NAMES[0].encode(), lines)

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

"""FHIR client libraries of others, unchanged, against the real server over TLS: fhir-kit-client, fhirclient (SMART on
FHIR) and @medplum/core. What they do stands in scenario.mjs."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import harness  # noqa: E402
import npm  # noqa: E402

STEPS = ["create", "read", "update", "vread", "patch", "history", "transaction", "batch", "search by GET",
         "search by POST", "paging", "_include", "delete", "bad token"]


class Clients(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()  # under "classic" administrators read and write records

    def run_library(self, library, **changes):
        environment = {**os.environ, "TACENDA_URL": f"https://{self.server.host}:{self.server.port}/fhir",
                       "TACENDA_TOKEN": self.token, "NODE_EXTRA_CA_CERTS": self.server.made["ca"], **changes}
        return subprocess.run(["node", str(FOLDER / "run.mjs"), library], capture_output=True, text=True,
                              timeout=5 * harness.PATIENCE, env=environment)

    def check(self, library):
        done = self.run_library(library)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        told = {row["step"]: row for row in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(list(told), STEPS)
        self.assertEqual({step: row["problem"] for step, row in told.items() if "problem" in row}, {})
        skipped = {step: row["skipped"] for step, row in told.items() if "skipped" in row}
        if skipped:
            self.skipTest(f"the other steps of {library} pass; not there yet: {skipped}")

    def test_fhir_kit_client(self):
        self.check("fhir-kit-client")

    def test_fhirclient(self):
        self.check("fhirclient")

    def test_medplum_core(self):
        self.check("@medplum/core")

    def test_F17_fhirclient_launches(self):
        doctor = self.server.token_of(self.server.person("dr", "doctor"))

        def make(resource):
            reply = self.server.request("POST", "/fhir/" + resource["resourceType"], resource, doctor)
            self.assertEqual(reply.status, 201, reply.body)
            return harness.json_of(reply)["id"]
        patient, other = (make({"resourceType": "Patient"}) for _ in range(2))
        for of in (patient, other):
            make({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                  "subject": {"reference": "Patient/" + of}})
        person = self.server.person("pat", "patient", "--patient", patient)
        redirect = "http://127.0.0.1:4000/cb"
        self.server.cli("client", "add", "app", "--public", "--redirect-uri", redirect, "--scope",
                        "launch/patient openid fhirUser patient/*.rs offline_access", "--data", self.server.data, check=True)
        environment = {**os.environ, "TACENDA_URL": f"https://{self.server.host}:{self.server.port}/fhir",
                       "TACENDA_USER": person.name, "TACENDA_PASSWORD": person.password, "TACENDA_FACTOR": person.code(),
                       "TACENDA_PATIENT": patient, "TACENDA_CLIENT": "app", "TACENDA_REDIRECT": redirect,
                       "NODE_EXTRA_CA_CERTS": self.server.made["ca"]}
        done = subprocess.run(["node", str(FOLDER / "launch.mjs")], capture_output=True, text=True,
                              timeout=5 * harness.PATIENCE, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertEqual(len(done.stdout.splitlines()), 8, done.stdout)

    def test_a_client_that_does_not_know_the_authority_of_the_certificate_gets_nothing(self):
        done = self.run_library("fhir-kit-client", NODE_EXTRA_CA_CERTS="")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?i)certificate")


if __name__ == "__main__":
    npm.require(FOLDER)
    npm.main()

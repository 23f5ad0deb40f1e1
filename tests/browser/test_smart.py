"""SMART App Launch in Chromium: a page of another origin with fhirclient, standalone and started from an EHR (F-17, F-18)."""

import functools
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "blackbox"))
import applications  # noqa: E402
import harness  # noqa: E402
import npm  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LIBRARY = FOLDER / "node_modules" / "fhirclient" / "build" / "fhir-client.min.js"
NAME = "records.example.org"
SCOPE = "launch launch/patient openid fhirUser patient/*.rs offline_access"
PAGES = {
    "launch.html": f"""<!doctype html><title>starts</title><script src="fhir-client.js"></script>
<script>FHIR.oauth2.authorize({{ clientId: 'chart', scope: '{SCOPE}', redirectUri: 'app.html', pkceMode: 'required' }});</script>
""",
    "app.html": """<!doctype html><title>chart</title><pre id="found" hidden></pre><script src="fhir-client.js"></script>
<script>
(async () => {
  const client = await FHIR.oauth2.ready();
  const patient = await client.patient.read();
  const found = await client.request('Observation?_count=10');
  const before = client.state.tokenResponse.access_token;
  const refreshed = await client.refresh();
  await client.patient.read();
  const foreign = await client.request('Patient').then((bundle) => (bundle.entry ?? []).map((entry) => entry.resource.id));
  return {
    patient: patient.id, encounter: client.encounter.id, fhirUser: client.getFhirUser(), foreign,
    observations: (found.entry ?? []).map((entry) => entry.resource.subject.reference),
    refreshed: refreshed.tokenResponse.access_token !== before, banner: client.state.tokenResponse.need_patient_banner ?? null,
  };
})().catch((problem) => ({ problem: String(problem?.stack ?? problem) })).then((found) => {
  document.getElementById('found').textContent = JSON.stringify(found);
  document.getElementById('found').hidden = false;
});
</script>
""",
}


class Smart(harness.TestCase):
    config = f'[oauth]\norigin = "https://{NAME}"\n[passkeys]\nrp-id = "{NAME}"\norigins = ["https://{NAME}"]\n'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-page-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        for name, text in PAGES.items():
            (folder / name).write_text(text)
        shutil.copy(LIBRARY, folder / "fhir-client.js")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass
        pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        cls.addClassCleanup(pages.server_close)
        cls.addClassCleanup(pages.shutdown)
        cls.page = f"http://127.0.0.1:{pages.server_address[1]}/"
        cls.doctor = cls.server.person("dr", "doctor")
        cls.doctor.session = cls.server.token_of(cls.doctor)
        cls.p1, cls.p2 = (cls.make({"resourceType": "Patient"}) for _ in range(2))
        for of in (cls.p1, cls.p2):
            cls.make({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                      "subject": {"reference": "Patient/" + of}})
        cls.encounter = cls.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"},
                                  "subject": {"reference": "Patient/" + cls.p2}})
        cls.patient = cls.server.person("pat", "patient", "--patient", cls.p1)
        cls.app = applications.App(cls.server, "chart", SCOPE, redirect=cls.page + "app.html")

    @classmethod
    def make(cls, resource):
        reply = cls.server.request("POST", "/fhir/" + resource["resourceType"], resource, cls.doctor.session)
        assert reply.status == 201, reply
        return harness.json_of(reply)["id"]

    def run_steps(self, *steps):
        environment = {**os.environ, "TACENDA_CHROMIUM": CHROMIUM, "TACENDA_FHIR": f"https://{NAME}/fhir",
                       "TACENDA_RESOLVE": f"MAP {NAME}:443 {self.server.host}:{self.server.port}", "TACENDA_APP": self.page,
                       "TACENDA_STEPS": json.dumps(steps)}
        done = subprocess.run(["node", str(FOLDER / "smart.mjs")], capture_output=True, text=True, timeout=10 * harness.PATIENCE,
                              env=environment)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def as_(self, person, step, **more):
        return {"step": step, "user": person.name, "password": person.password, "factor": self.app.factor_of(person), **more}

    def test_F17_F18_fhirclient_in_a_browser_is_launched_standalone_and_from_an_ehr(self):
        started = self.server.request("POST", "/oauth/launch", {"client_id": "chart", "patient": self.p2,
                                                                "encounter": self.encounter, "need_patient_banner": False},
                                      self.doctor.session)
        launch = harness.json_of(started)["launch"]
        own, chosen, ehr = self.run_steps(self.as_(self.patient, "own"), self.as_(self.doctor, "chosen", patient=self.p1),
                                          self.as_(self.doctor, "ehr", launch=launch))
        for found, patient in ((own, self.p1), (chosen, self.p1), (ehr, self.p2)):
            self.assertEqual((found["patient"], found["observations"], found["foreign"], found["refreshed"]),
                             (patient, ["Patient/" + patient], [patient], True), found)
        self.assertEqual(own["fhirUser"], "Patient/" + self.p1)
        self.assertEqual((ehr["encounter"], ehr["banner"]), (self.encounter, False))
        self.assertEqual((own["encounter"], own["banner"]), (None, None))
        events = [entry["event"] for entry in self.server.audit()]
        self.assertEqual(events.count("authorization-granted"), 3)
        self.assertNotIn("authorization-refused", events)

    def test_K04_somebody_signs_in_for_an_application_with_a_passkey(self):
        found, = self.run_steps(self.as_(self.doctor, "passkey", patient=self.p2, passkey=True))
        self.assertEqual((found["patient"], found["refreshed"]), (self.p2, True))
        login = [entry for entry in self.server.audit() if entry["event"] == "login"][-1]
        self.assertEqual((login["authentication"], login["client"]), ("passkey", "chart"))


if __name__ == "__main__":
    if CHROMIUM is None:
        npm.skip("Chromium is not installed: apt install chromium")
    npm.require(FOLDER)
    npm.main()

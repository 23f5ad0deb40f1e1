"""SMART App Launch from an EHR: somebody who works with a patient starts an application for him; the handle that the
application gets is good for that person, application, browser and decision, and for no other."""

import json
import unittest

import applications
import harness
from applications import App, Client, Key, Page
from harness import json_of

SCOPE = "launch launch/patient openid fhirUser patient/*.rs user/*.rs offline_access"


class EhrLaunch(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.doctor, cls.other = (cls.server.person(name, "doctor") for name in ("dr", "locum"))
        cls.token = cls.doctor.session = cls.server.token_of(cls.doctor)
        cls.p1, cls.p2 = (cls.make({"resourceType": "Patient"}) for _ in range(2))
        cls.e1, cls.e2 = (cls.make({"resourceType": "Encounter", "status": "in-progress",
                                    "class": {"code": "AMB"}, "subject": {"reference": "Patient/" + of}})
                          for of in (cls.p1, cls.p2))
        cls.o1 = cls.make({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                           "subject": {"reference": "Patient/" + cls.p1}})
        cls.patient = cls.server.person("pat", "patient", "--patient", cls.p1)
        cls.app = App(cls.server, "growth", SCOPE)
        cls.second = App(cls.server, "second", SCOPE)

    @classmethod
    def make(cls, resource):
        reply = cls.server.request("POST", "/fhir/" + resource["resourceType"], resource, cls.token)
        assert reply.status == 201, reply
        return json_of(reply)["id"]

    def start(self, token=None, **changes):
        body = {"client_id": "growth", "patient": self.p1, **changes}
        return self.server.request("POST", "/oauth/launch", body, token or self.token)

    def handle(self, **changes):
        reply = self.start(**changes)
        self.assertEqual(reply.status, 200, reply.body)
        return json_of(reply)["launch"]

    def asked(self, launch, app=None, **changes):
        return (app or self.app).begin(launch=launch, **{"scope": "launch patient/*.rs", **changes})

    def refused(self, reply):
        """An error for the application, at its own address."""
        self.assertEqual(reply.status, 303, reply.body)
        told = self.app.answer_of(reply)
        self.assertEqual((told["error"], told["state"]), ("invalid_request", "a state & more"))
        self.assertNotIn("code", told)

    # --- the whole way ---

    def test_F17_an_application_learns_for_whom_it_was_started(self):
        before = self.server.audit_size()
        reply = self.start(encounter=self.e1, intent="reconcile-medications", need_patient_banner=False)
        self.assertEqual((reply.status, reply.headers["cache-control"]), (200, "no-store"))
        started = json_of(reply)
        self.assertEqual((started["iss"], started["expires_in"]), (self.app.base + "/fhir", 300))
        self.assertGreaterEqual(len(started["launch"]), 43)
        page = Page(self.asked(started["launch"], scope="launch openid fhirUser patient/*.rs offline_access"))
        self.assertEqual(page.action, "/oauth/sign-in")
        consent = Page(self.app.sign_in(self.doctor, page))
        self.assertEqual(consent.action, "/oauth/consent")
        self.assertNotIn("patient", consent.fields)  # chosen already
        self.assertIn(self.p1, consent.text)
        # Whatever his browser sends, it is about the patient of the launch.
        decided = self.app.decide(consent, patient=self.p2)
        self.assertEqual(decided.status, 303, decided.body)
        answer = json_of(self.app.fetch(self.app.answer_of(decided)["code"]))
        context = {"patient": self.p1, "encounter": self.e1, "intent": "reconcile-medications",
                   "need_patient_banner": False}
        self.assertEqual({name: answer.get(name) for name in context}, context)
        self.assertIn("launch", answer["scope"].split())
        token = answer["access_token"]
        self.assertEqual(self.server.request("GET", "/fhir/Observation/" + self.o1, token=token).status, 200)
        self.assertEqual(self.server.request("GET", "/fhir/Patient/" + self.p2, token=token).status, 404)
        again = json_of(self.app.refresh(answer["refresh_token"]))
        self.assertEqual({name: again.get(name) for name in context}, context)
        # It is good once.
        self.refused(self.asked(started["launch"]))
        events = self.server.audit_after(before)
        launched = events[0]
        self.assertEqual((launched["event"], launched["user"], launched["target"], launched["patients"],
                          launched["new_value"]),
                         ("launch-started", "dr", "growth", [self.p1], "Encounter/" + self.e1))
        self.assertNotIn(started["launch"], json.dumps(events))

    def test_F17_the_context_outlives_a_restart_with_the_refresh_token(self):
        server = self.new_server()
        server.start()
        doctor = server.person("dr", "doctor")
        doctor.session = server.token_of(doctor)
        app = App(server, "growth", SCOPE)
        made = server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, doctor.session)
        patient = json_of(made)["id"]
        launch = json_of(server.request("POST", "/oauth/launch", {"client_id": "growth", "patient": patient},
                                        doctor.session))["launch"]
        answer = app.launch(doctor, launch=launch, scope="launch patient/*.rs offline_access")
        self.assertNotIn("encounter", answer)
        self.assertIs(answer["need_patient_banner"], True)
        server.kill()
        server.start()
        again = json_of(app.refresh(answer["refresh_token"]))
        self.assertEqual((again["patient"], again["need_patient_banner"]), (patient, True))
        # A handle that was not used ended with the process.
        self.assertEqual(json_of(app.refresh(again["refresh_token"]))["patient"], patient)

    def test_F17_a_patient_starts_one_for_himself_alone(self):
        session = self.server.token_of(self.patient)
        self.assertEqual(self.start(session, patient=self.p2).status, 422)
        answer = self.app.launch(self.patient, launch=json_of(self.start(session))["launch"],
                                 scope="launch patient/*.rs")
        self.assertEqual(answer["patient"], self.p1)

    def test_F17_it_is_discovered(self):
        said = json_of(self.server.request("GET", "/fhir/.well-known/smart-configuration"))
        for capability in ("launch-ehr", "context-ehr-patient", "context-ehr-encounter", "context-banner"):
            self.assertIn(capability, said["capabilities"])
        self.assertIn("launch", said["scopes_supported"])

    # --- a handle ---

    def test_F17_a_handle_is_of_its_application(self):
        handle = self.handle()
        self.refused(self.asked(handle, self.second))
        self.assertEqual(Page(self.asked(handle)).action, "/oauth/sign-in")

    def test_F17_a_handle_is_of_the_browser_that_showed_it_first(self):
        handle = self.handle()
        self.assertEqual(Page(self.asked(handle)).action, "/oauth/sign-in")
        self.assertEqual(Page(self.asked(handle)).action, "/oauth/sign-in")  # loaded again
        thief = App.__new__(App)
        thief.__dict__.update(self.app.__dict__, cookies={})
        self.refused(self.asked(handle, thief))

    def test_F17_a_handle_is_of_the_person_who_started(self):
        page = Page(self.asked(self.handle()))
        before = self.server.audit_size()
        reply = self.app.sign_in(self.other, page)
        self.assertEqual(reply.status, 401)
        self.assertEqual(Page(reply).action, "/oauth/sign-in")
        self.assertIn("somebody else", Page(reply).text)
        tried = self.server.audit_after(before)[-1]
        self.assertEqual((tried["event"], tried["reason"]),
                         ("login-failed", "this was started by somebody else: sign in as who started it"))
        # With a wrong factor nobody learns that.
        wrong = self.app.sign_in(self.other, page, factor="000000")
        self.assertNotIn("somebody else", Page(wrong).text)
        self.assertEqual(Page(self.app.sign_in(self.doctor, page)).action, "/oauth/consent")

    def test_F17_of_many_decisions_at_once_one_gets_a_code(self):
        handle = self.handle()
        pages = [Page(self.app.sign_in(self.doctor, Page(self.asked(handle)))) for _ in range(3)]
        self.assertEqual({page.action for page in pages}, {"/oauth/consent"})
        waiting = list(pages)
        replies = applications.at_once(3, lambda: self.app.decide(waiting.pop()))
        self.assertEqual(sorted(reply.status for reply in replies), [303, 400, 400])

    def test_F17_denying_uses_a_handle_up(self):
        handle = self.handle()
        decided = self.app.decide(Page(self.app.sign_in(self.doctor, Page(self.asked(handle)))), "deny")
        self.assertEqual(self.app.answer_of(decided)["error"], "access_denied")
        self.refused(self.asked(handle))

    def test_F17_what_is_no_handle_is_an_error(self):
        handle = self.handle()
        for wrong in ("x", "A" * 43, handle[:-1] + ("A" if handle[-1] != "A" else "B"), handle + "A"):
            self.refused(self.asked(wrong))
        self.refused(self.asked(handle, scope="patient/*.rs"))  # without the scope launch
        self.assertEqual(Page(self.asked(handle)).action, "/oauth/sign-in")
        # Applications ask for the scope wherever they are started: without a launch it stands for nothing.
        answer = self.app.launch(self.doctor, patient=self.p2, scope="launch launch/patient patient/*.rs")
        self.assertEqual((answer["patient"], answer["scope"]), (self.p2, "launch/patient patient/*.rs"))
        self.assertNotIn("need_patient_banner", answer)

    # --- who may start ---

    def test_F17_only_for_what_he_may_see_and_for_applications_that_take_it(self):
        App(self.server, "standalone", "launch/patient patient/*.rs")
        for changes in ({"client_id": "standalone"}, {"client_id": "nobody"}, {"client_id": None}, {"intent": "two words"},
                        {"need_patient_banner": "no"}):
            self.assertEqual(self.start(**changes).status, 400, changes)
        for changes in ({"patient": "nobody"}, {"patient": "../x"}, {"patient": None}, {"patient": self.o1},
                        {"encounter": self.e2}, {"encounter": self.o1}, {"encounter": "no such"}):
            self.assertEqual(self.start(**changes).status, 422, changes)
        self.assertEqual(self.server.request("POST", "/oauth/launch", {"client_id": "growth", "patient": self.p1}).status, 401)

    def test_F17_an_application_starts_others_only_when_it_was_allowed_to(self):
        ehr = App(self.server, "ehr", "__start_applications user/*.rs patient/*.rs launch/patient")
        allowed = ehr.launch(self.doctor, scope="__start_applications user/*.rs")["access_token"]
        launch = json_of(self.start(allowed))["launch"]
        self.assertEqual(self.app.launch(self.doctor, launch=launch, scope="launch patient/*.rs")["patient"], self.p1)
        without = ehr.launch(self.doctor, scope="user/*.rs")["access_token"]
        self.assertEqual(self.start(without).status, 403)
        # Its own scopes bind it.
        narrow = ehr.launch(self.doctor, patient=self.p1, scope="__start_applications launch/patient patient/*.rs")
        self.assertEqual(self.start(narrow["access_token"]).status, 200)
        self.assertEqual(self.start(narrow["access_token"], patient=self.p2).status, 422)
        with applications.folder() as folder:
            service = Client(self.server, "lab", Key(folder), "system/*.rs", "doctor")
            self.assertEqual(self.start(service.token()).status, 403)

    def test_F17_what_he_may_not_see_any_more_is_not_given(self):
        patient = self.make({"resourceType": "Patient"})
        encounter = self.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"},
                               "subject": {"reference": "Patient/" + self.p1}})
        page = Page(self.app.sign_in(self.doctor, Page(self.asked(self.handle(patient=patient)))))
        moved = Page(self.app.sign_in(self.doctor, Page(self.asked(self.handle(encounter=encounter)))))
        officer = self.server.token_of(self.server.person("office", "records-officer"))
        self.assertEqual(self.server.request("DELETE", "/fhir/Encounter/" + encounter, token=officer).status, 204)
        self.assertEqual(self.app.decide(moved).status, 400)
        self.assertEqual(self.server.request("DELETE", "/fhir/Patient/" + patient, token=officer).status, 204)
        self.assertEqual(self.app.decide(page).status, 400)


if __name__ == "__main__":
    unittest.main()

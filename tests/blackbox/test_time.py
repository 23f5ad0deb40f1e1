"""What runs out does run out: the clock of the server is moved with libfaketime (N-02, K-04)."""

import os
import pathlib
import time
import unittest

import harness
from harness import json_of


@unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
class Time(harness.TestCase):
    serve = False

    def setUp(self):
        # A store of its own for each: no test may meet the times that another one left behind.
        self.server = self.new_server("classic")

    def at(self, offset):
        return self.server.start_at(offset)

    def test_N02_an_administrative_act_needs_a_second_factor_of_the_last_five_minutes(self):
        self.at(0)
        token = self.server.admin()
        self.assertEqual(self.server.socket_request("GET", "/admin/users", token=token).status, 200)
        self.at(6 * 60)
        self.assertIn(self.server.socket_request("GET", "/admin/users", token=token).status, (401, 403))
        listed = self.server.cli("user", "list", "--data", self.server.data)
        self.assertEqual(listed.returncode, 4, listed.stderr)
        # Reading a record with the same session goes on: the act asks for more, the session has not ended.
        self.assertEqual(self.server.request("GET", "/fhir/Patient/nobody", token=token).status, 404)

    def test_N02_an_export_by_a_person_needs_a_second_factor_of_the_last_five_minutes(self):
        def kick_off(held):
            return self.server.request("GET", "/fhir/$export?_type=Patient", token=held,
                                       headers={"Prefer": "respond-async", "Accept": "application/fhir+json"})

        self.at(0)
        token = self.server.admin()
        self.assertEqual(kick_off(token).status, 202)
        now = self.at(6 * 60)
        refused = kick_off(token)
        self.assertEqual(refused.status, 401)
        self.assertIn("insufficient_user_authentication", refused.headers["www-authenticate"])
        person = self.server.admin_person
        stepped = self.server.request("POST", "/auth/step-up", {"totp": person.code(now)}, token=token)
        self.assertEqual(stepped.status, 200)
        self.assertEqual(kick_off(json_of(stepped)["access_token"]).status, 202)

    def test_K04_sessions_tokens_and_invitations_end(self):
        server = self.server
        self.at(0)
        token = server.admin()
        service = server.service("ending", "doctor")
        code = server.invite("dr.tardy", "doctor")["enrolment_code"]
        asked = lambda held: server.request("GET", "/fhir/Patient/nobody", token=held).status  # noqa: E731
        self.assertEqual((asked(token), asked(service)), (404, 404))
        self.at(16 * 60)
        self.assertEqual((asked(token), asked(service)), (401, 404), "a session that nobody uses ends after 15 minutes")
        self.at(61 * 60)
        self.assertEqual(asked(service), 401, "a token ends after its hour")
        self.at(25 * 3600)
        reply = server.request("POST", "/auth/enrol", {"code": code, "password": harness.PASSWORD})
        self.assertEqual(reply.status, 401, "an invitation ends after a day")

    def test_K04_a_clock_that_was_set_back_opens_no_used_code(self):
        server = self.server
        self.at(0)
        server.admin()
        now = self.at(20 * 60)
        person = server.admin_person
        code = person.code(now)
        self.assertEqual(server.log_in(person, totp=code).status, 200)
        self.at(0)
        for step in (-1, 0, 1):
            old = harness.totp(person.secret, int(time.time()) // 30 + step)
            self.assertEqual(server.log_in(person, totp=old, source="127.0.2.7").status, 401)


if __name__ == "__main__":
    unittest.main()

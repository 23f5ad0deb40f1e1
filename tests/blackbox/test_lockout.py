"""Guessing passwords: what is recorded, and when it stops (S-13, K-03)."""

import json
import unittest

import harness


class Lockout(harness.TestCase):
    def test_S13_six_bad_sign_ins_leave_six_entries(self):
        person = self.server.person("dr.six", "doctor")
        mark = self.server.audit_size()
        for number in range(6):
            reply = self.server.log_in(person, password=f"wrong password {number}", totp="000000", source="127.0.3.1")
            self.assertEqual(reply.status, 401)
        entries = self.server.audit_after(mark)
        self.assertEqual(len(entries), 6)
        for entry in entries:
            self.assertIn(entry["event"], ("login-failed", "locked"))
            self.assertIn(entry["outcome"], (4, 8))
            self.assertEqual(entry["network"], "127.0.3.1")
            self.assertEqual(entry["user_id"], person.id)
            self.assertNotIn("dr.six", json.dumps(entry), "the name tried is kept hashed")
        self.assertEqual([e["event"] for e in entries].count("locked"), 1)

    def test_K03_after_five_failures_another_address_still_gets_in(self):
        person = self.server.person("dr.locked", "doctor")
        for _ in range(5):
            self.server.log_in(person, password="wrong and wrong again", totp="000000", source="127.0.6.1")
        code = person.code()
        blocked = self.server.log_in(person, totp=code, source="127.0.6.1")
        self.assertEqual(blocked.status, 401, "the right answer does not open a locked pair of name and address")
        self.assertEqual(self.server.log_in(person, totp=code, source="127.0.6.2").status, 200)

    def test_K03_a_hundred_failures_stop_the_account_until_it_is_unlocked(self):
        person = self.server.person("dr.hundred", "doctor")
        for number in range(100):
            source = f"127.0.7.{number // 4 + 1}"
            reply = self.server.log_in(person, password="wrong and wrong again", totp="000000", source=source)
            self.assertEqual(reply.status, 401)
        code = person.code()
        reply = self.server.log_in(person, totp=code, source="127.0.8.1")
        self.assertEqual(reply.status, 401, "the 101st try, though right")
        self.server.cli("user", "unlock", person.name, "--data", self.server.data, check=True)
        self.assertEqual(self.server.log_in(person, totp=code, source="127.0.8.2").status, 200)

    def test_K03_strangers_cannot_lock_the_only_administrator_out_of_his_own_server(self):
        server = self.new_server().start()
        server.admin()
        person = server.admin_person
        for number in range(100):
            server.log_in(person, password="wrong and wrong again", totp="000000", source=f"127.0.7.{number // 4 + 1}")
        code = person.code()
        self.assertEqual(server.log_in(person, totp=code, source="127.0.8.1").status, 401, "stopped on the network")
        body = {"user": person.name, "password": person.password, "totp": code}
        for number in range(4):
            reply = server.socket_request("POST", "/admin/login", {**body, "password": f"wrong {number}"})
            self.assertEqual(reply.status, 401)
        self.assertEqual(server.socket_request("POST", "/admin/login", body).status, 200)
        self.assertEqual(server.log_in(person, source="127.0.8.2").status, 200, "his success ends the stop")
        for number in range(5):
            server.socket_request("POST", "/admin/login", {**body, "password": f"wrong {number}"})
        body["totp"] = person.code()
        self.assertEqual(server.socket_request("POST", "/admin/login", body).status, 401, "15 minutes hold there too")

    def test_K03_an_address_that_fails_without_end_is_told_to_wait(self):
        for number in range(60):
            body = {"user": f"guess{number}", "password": "guess guess guess", "totp": "000000"}
            reply = self.server.request("POST", "/auth/login", body, source="127.0.9.1")
            if reply.status == 429:
                break
            self.assertEqual(reply.status, 401)
        self.assertEqual(reply.status, 429)
        self.assertGreater(int(reply.headers["retry-after"]), 0)


if __name__ == "__main__":
    unittest.main()

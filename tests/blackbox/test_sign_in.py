"""Proof of who is asking: passwords, second factors, enrolment (S-08, N-02, K-01, K-02, K-04)."""

import json
import time
import unittest

import harness
from harness import PASSWORD, json_of, totp


class SignIn(harness.TestCase):
    def test_S08_every_wrong_sign_in_looks_the_same(self):
        person = self.server.person("dr.same", "doctor")
        right = {"user": person.name, "password": PASSWORD}
        attempts = [
            {**right, "password": "not the password at all", "totp": person.code()},
            {**right, "totp": "000000"},
            {**right, "totp": ""},
            {**right, "recovery_code": "AAAA-BBBB-CCCC-DDDD"},
            {"user": "nobody.at.all", "password": PASSWORD, "totp": "123456"},
            {"user": "", "password": "", "totp": ""},
        ]
        seen = set()
        for number, body in enumerate(attempts):
            reply = self.server.request("POST", "/auth/login", body, source=f"127.0.2.{number + 1}")
            self.assertEqual(reply.status, 401, body)
            fields = {k: v for k, v in reply.headers.items() if k not in ("date", "x-request-id")}
            seen.add((reply.body, json.dumps(fields, sort_keys=True)))
        self.assertEqual(len(seen), 1, seen)

    def test_N02_a_password_alone_opens_nothing(self):
        person = self.server.person("dr.alone", "doctor")
        for more in ({}, {"totp": None}, {"totp": 123456}, {"totp": ""}):
            body = {"user": person.name, "password": PASSWORD, **more}
            reply = self.server.request("POST", "/auth/login", body, source="127.0.4.1")
            self.assertEqual(reply.status, 401, more)
            self.assertNotIn(b"access_token", reply.body)

    def test_K04_an_invitation_is_a_link_to_a_page_of_the_server_with_the_code_in_its_fragment(self):
        added = self.server.invite("dr.linked", "doctor")
        page, code = added["enrolment_link"].split("#")
        self.assertEqual(code, added["enrolment_code"])
        self.assertEqual(page, f"https://127.0.0.1:{self.server.port}/auth/enrol")
        mark = self.server.audit_size()
        for path, kind in (("", "text/html"), (".js", "text/javascript"), (".css", "text/css")):
            reply = self.server.request("GET", "/auth/enrol" + path)
            self.assertEqual((reply.status, reply.headers["content-type"].split(";")[0]), (200, kind))
            self.assertEqual(reply.headers["cache-control"], "no-store")
            policy = reply.headers["content-security-policy"]
            self.assertIn("default-src 'none'; script-src 'self'", policy)
            self.assertNotIn("unsafe", policy)
        self.assertEqual(self.server.audit_after(mark), [], "the page is the same for everyone and tells nothing")
        html = self.server.request("GET", "/auth/enrol").body.decode()
        self.assertNotIn("<script>", html)
        self.assertNotIn("style=", html)

    def test_N02_an_enrolment_that_was_not_confirmed_opens_nothing(self):
        code = self.server.invite("dr.half", "doctor")["enrolment_code"]
        reply = self.server.request("POST", "/auth/enrol", {"code": code, "password": PASSWORD})
        self.assertEqual(reply.status, 200)
        secret = json_of(reply)["otpauth"].split("secret=")[1].split("&")[0]
        good = totp(secret, int(time.time()) // 30)
        body = {"user": "dr.half", "password": PASSWORD, "totp": good}
        self.assertEqual(self.server.request("POST", "/auth/login", body, source="127.0.4.2").status, 401)

    def test_N02_administration_needs_a_session_of_an_administrator(self):
        doctor = self.server.token_of(self.server.person("dr.curious", "doctor"))
        for path in ("/admin/users", "/admin/audit", "/admin/audit/checkpoint"):
            self.assertEqual(self.server.socket_request("GET", path).status, 401)
            self.assertEqual(self.server.socket_request("GET", path, token=doctor).status, 403)

    def test_N02_a_person_gets_no_token_from_an_administrator(self):
        self.server.person("dr.tokenless", "doctor")
        issued = self.server.cli("token", "issue", "--user", "dr.tokenless", "--expires", "1h", "--json", "--data",
                                 self.server.data)
        self.assertEqual(issued.returncode, 4, issued.stderr)
        self.assertNotIn("access_token", issued.stdout)

    def test_K04_a_code_is_good_once(self):
        person = self.server.person("dr.once", "doctor")
        code = person.code()
        self.assertEqual(self.server.log_in(person, totp=code).status, 200)
        self.assertEqual(self.server.log_in(person, totp=code).status, 401)

    def test_K04_a_code_of_two_minutes_ago_or_ahead_is_refused(self):
        person = self.server.person("dr.late", "doctor")
        now = int(time.time())
        for shift in (-120, 120, 3600):
            code = totp(person.secret, (now + shift) // 30)
            self.assertEqual(self.server.log_in(person, totp=code, source="127.0.5.1").status, 401, shift)

    def test_K04_an_enrolment_code_is_good_once(self):
        added = self.server.invite("dr.twice", "doctor")
        code = added["enrolment_code"]
        self.server.enrol("dr.twice", code)
        for path, body in (("/auth/enrol", {"code": code, "password": "another good long phrase"}),
                           ("/auth/enrol/confirm", {"code": code, "totp": "123456"})):
            self.assertEqual(self.server.request("POST", path, body, source="127.0.5.2").status, 401)

    def test_K04_an_enrolment_needs_the_right_code_of_the_second_factor(self):
        code = self.server.invite("dr.wrong", "doctor")["enrolment_code"]
        self.server.request("POST", "/auth/enrol", {"code": code, "password": PASSWORD})
        reply = self.server.request("POST", "/auth/enrol/confirm", {"code": code, "totp": "000000"}, source="127.0.5.3")
        self.assertEqual(reply.status, 401)


class Passwords(harness.TestCase):
    """K-01, over HTTP: what may be a password, and that the whole of it counts."""

    ACCEPTED = [
        "correct horse battery staple",
        "x9!kQ2#vLp0$",
        "8Zq%tR4w",  # eight characters are enough beside a second factor
        "Grüße aus dem Süden 47",
        "пароль который никто не знает",
        "秘密の合言葉は誰にも言わない",
        "🦊🐙🎻🧭🪐🍋🧩🪁",
        "  leading and trailing spaces  ",
        "a sentence, with punctuation: yes! (and more)",
        " !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~",
        "Kq7vT2xW9mZ4pL8nR3sY6bD1fG5hJ0cEaUiOwVtXyBzNqMkSjPlQrHdFgCuWe4T7",  # 64
        "long " * 40 + "enough 91x",
        "onlylowercaseletterswithoutanydigit qzj",
        "73519028465193746",
    ]
    REFUSED = [
        "",
        "short7!",
        "1234567",
        "🦊🐙🎻🧭🪐🍋🧩",  # seven code points, 28 bytes
        "password",
        "Password1",
        "Password1234567",
        "qwertyuiop",
        "12345678",
        "aaaaaaaaaaaaaaaa",
        "iloveyou",
        "letmein123",
        "abcdefgh",
        "tacenda1",
        "with a \0 in the middle of it",
        "x" * 1100,
    ]

    def test_K01_table_of_passwords(self):
        code = self.server.invite("dr.table", "doctor")["enrolment_code"]
        for password in self.ACCEPTED:
            reply = self.server.request("POST", "/auth/enrol", {"code": code, "password": password})
            self.assertEqual(reply.status, 200, password)
        for password in self.REFUSED:
            reply = self.server.request("POST", "/auth/enrol", {"code": code, "password": password})
            self.assertEqual(reply.status, 422, password)
            issue = json_of(reply)["issue"][0]
            self.assertIn("the password", issue["diagnostics"], "the reason is told")
            if len(password) > 8:
                self.assertNotIn(password, issue["diagnostics"])

    def test_K01_all_of_a_long_password_counts(self):
        long = "72 bytes of a long password that some hashes would silently cut off here" + " and its own end"
        person = self.server.person("dr.long", "doctor", password=long)
        code = person.code()
        for wrong in (long[:72], long[:-1], long + "x", long.upper()):
            self.assertEqual(self.server.log_in(person, password=wrong, totp=code, source="127.0.2.9").status, 401)
        self.assertEqual(self.server.log_in(person, totp=code).status, 200)

    def test_K01_the_same_text_typed_in_another_unicode_form_is_the_same_password(self):
        composed, decomposed = "Gr\u00fc\u00dfe aus Z\u00fcrich 88", "Gru\u0308\u00dfe aus Zu\u0308rich 88"
        person = self.server.person("dr.unicode", "doctor", password=composed)
        self.assertEqual(self.server.log_in(person, password=decomposed).status, 200)

    def test_K02_nothing_in_the_data_folder_can_check_a_password(self):
        person = self.server.person("dr.pepper", "doctor", password="a phrase of the pepper test 5512")
        self.assertEqual(self.server.log_in(person).status, 200)
        self.server.stop()
        try:
            found = harness.find_canaries([self.server.data, self.server.out, self.server.err],
                                          ["$argon2", "argon2id", person.secret, person.password,
                                           "$pbkdf2", "dr.pepper"])
            self.assertEqual(found, [])
        finally:
            self.server.start()
        self.assertEqual(self.server.log_in(person).status, 200)


if __name__ == "__main__":
    unittest.main()

"""The alert feed: what the audit log is found to tell, once each, also across kill -9; who answers it (C-13, C-16, S-13)."""

import base64
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import unittest
import uuid

import harness
from harness import json_of
from test_decisions import label, observation


def until(find):
    """What `find` gives once it gives something."""
    end = time.monotonic() + harness.PATIENCE
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


def alerts(server, *arguments):
    server.admin()
    return json.loads(server.cli("alerts", "list", "--json", "--data", server.data, *arguments, check=True).stdout)


def caught_up(server):
    """All that was recorded before is looked at, and what it repeats is stored."""
    server.admin()
    size = json_of(server.socket_request("GET", "/admin/status"))["audit_entries"]
    until(lambda: int(json_of(server.socket_request("GET", "/admin/status"))["alerts"]["looked_at"]) >= int(size))


class Feed(harness.TestCase):
    policy = "hospital"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.let_the_administrator_read("review-access")
        cls.loader = server.service("loader", "loader")
        cls.tokens, cls.people, cls.practitioners = {}, {}, {}
        for name, role in (("dr", "doctor"), ("dr2", "doctor"), ("officer", "privacy-officer"), ("auditor", "auditor")):
            cls.people[name] = server.person(name, role)
            cls.tokens[name] = server.token_of(cls.people[name])
            if role != "doctor":
                continue
            cls.practitioners[name] = server.create({"resourceType": "Practitioner", "active": True}, cls.loader)
            server.cli("user", "practitioner", name, "--id", cls.practitioners[name], "--data", server.data, check=True)

    def make(self, resource):
        return self.server.create(resource, self.loader)

    def treated(self, *names):
        patient = self.make({"resourceType": "Patient", "name": [{"family": "F" + uuid.uuid4().hex}]})
        for name in names:
            self.make({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"},
                       "subject": {"reference": "Patient/" + patient},
                       "participant": [{"individual": {"reference": "Practitioner/" + self.practitioners[name]}}]})
        return patient

    def ask(self, who, path, method="GET", body=None):
        return self.server.request(method, "/fhir/" + path, body, self.tokens[who])

    def list_user(self, patient, name):
        self.server.cli("access-list", "add", "--patient", patient, "--user", name, "--data", self.server.data, check=True)

    def break_glass(self, patient, who="dr"):
        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        reply = self.ask(who, f"Patient/{patient}/$break-glass", "POST", body)
        self.assertEqual(reply.status, 200, reply)
        return [p["valueId"] for p in json_of(reply)["parameter"] if p["name"] == "emergency"][0]

    def of(self, patient, *rules):
        return [a for a in alerts(self.server, "--patient", patient) if not rules or a["rule"] in rules]

    # --- C-13 ---

    def test_C13_broken_glass_is_an_alert_and_on_the_patients_record(self):
        patient, other = self.treated(), self.treated()
        emergency = self.break_glass(patient)
        self.break_glass(other)
        alert = until(lambda: self.of(patient, "emergency"))[0]
        self.assertEqual((alert["severity"], alert["state"], alert["user"], alert["patient"], alert["emergency"]),
                         ("high", "open", "dr", patient, emergency))
        entry = [e for e in self.server.audit("--patient", patient) if e["event"] == "emergency-begun"][0]
        self.assertEqual(int(alert["sequence"]), entry["sequence"], "the alert leads to its entry")
        raised = until(lambda: [e for e in self.server.audit("--patient", patient) if e["event"] == "alert-raised"])
        self.assertEqual([e["target"] for e in raised], [alert["id"]])
        # The officer finds it by patient; the review closes it.
        listing = ("emergency", "list", "--json", "--patient", patient, "--data", self.server.data)
        listed = json.loads(self.server.cli(*listing, check=True).stdout)["emergencies"]
        self.assertEqual([e["id"] for e in listed], [emergency])
        self.server.cli("emergency", "review", emergency, "--finding", "was right", "--data", self.server.data, check=True)
        closed = until(lambda: [a for a in self.of(patient, "emergency") if a["state"] == "closed"])
        self.assertEqual((closed[0]["id"], closed[0]["answered_by"]), (alert["id"], "alice"))

    def test_C13_the_patient_sees_it_in_his_own_log(self):
        patient = self.treated()
        self.break_glass(patient)
        name = "patient-" + uuid.uuid4().hex[:8]
        token = self.server.token_of(self.server.person(name, "patient", "--patient", patient))
        reply = self.server.request("GET", "/fhir/AuditEvent", token=token)
        self.assertEqual(reply.status, 200, reply)
        seen = [e["resource"] for e in json_of(reply)["entry"]]
        begun = [e for e in seen if "emergency-begun" in [c["code"] for c in e["subtype"]]]
        self.assertEqual([e["purposeOfEvent"][0]["coding"][0]["code"] for e in begun], ["BTG"])
        self.assertIn("dr", [agent.get("name") for agent in begun[0]["agent"]])

    def test_C13_who_may_answer_and_who_may_not(self):
        patient = self.treated()
        self.break_glass(patient)
        alert = until(lambda: self.of(patient, "emergency"))[0]
        answer = {"id": alert["id"], "state": "acknowledged", "note": "asked the ward"}

        def post(who, body=answer):
            return self.server.socket_request("POST", "/admin/alerts/answer", body, self.tokens[who]).status

        self.assertEqual(post("dr"), 403)
        self.assertEqual(post("auditor"), 403, "an auditor looks and does not answer")
        self.assertEqual(self.server.socket_request("GET", "/admin/alerts", token=self.tokens["dr"]).status, 403)
        self.assertEqual(self.server.socket_request("GET", "/admin/alerts", token=self.tokens["auditor"]).status, 200)
        self.assertEqual(self.server.socket_request("GET", "/admin/alerts").status, 401)
        self.assertEqual(post("officer", {**answer, "note": ""}), 422)
        self.assertEqual(post("officer", {**answer, "id": "1-nothing"}), 400)
        self.assertEqual(post("officer", {**answer, "id": "999999999-emergency"}), 404)
        self.assertEqual(post("officer"), 200)
        self.assertEqual(post("officer"), 409)
        told = self.server.cli("alerts", "list", "--patient", patient, "--data", self.server.data, check=True).stdout
        self.assertIn("officer: asked the ward", told)
        ids = [a["id"] for a in alerts(self.server, "--open")]
        self.assertNotIn(alert["id"], ids)
        close = ("alerts", "close", alert["id"], "--note", "was needed", "--data", self.server.data)
        refused = self.server.cli(*close)
        self.assertNotEqual(refused.returncode, 0, "an answer is no review")
        self.assertIn("tacenda emergency review", refused.stderr)
        answered = [e for e in self.server.audit() if e["event"] == "alert-answered" and e["target"] == alert["id"]]
        self.assertEqual(len([e for e in answered if e["outcome"] == 0]), 1)
        self.assertIn("acknowledged: asked the ward", [e.get("new_value") for e in answered])

    def test_C13_status_counts_and_follow_tells_what_comes(self):
        patient = self.treated()
        open_before = int(json_of(self.server.socket_request("GET", "/admin/status"))["alerts"]["open"])
        self.server.admin()
        command = [self.server.binary, "alerts", "follow", "--json", "--data", str(self.server.data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
            try:
                self.break_glass(patient)
                for line in follower.stdout:
                    if json.loads(line).get("patient") == patient:
                        break
            finally:
                follower.kill()
        status = json_of(self.server.socket_request("GET", "/admin/status"))
        self.assertGreater(int(status["alerts"]["open"]), open_before)

    # --- C-16 ---

    def test_C16_every_access_to_a_very_restricted_record_alerts_and_is_flagged(self):
        for code in ("V", "CEL"):
            patient = self.treated("dr", "dr2")
            self.list_user(patient, "dr")
            secret = "Observation/" + self.make(observation(patient, meta=label(code)))
            before = self.server.audit_size()
            self.assertEqual(self.ask("dr", secret).status, 200)
            self.assertEqual(self.ask("dr2", secret).status, 404, f"{code}: not on the list")
            read, refused = [e for e in self.server.audit_after(before) if e["event"] == "read"]
            self.assertEqual((read["labels"], read["user"]), (code + " VIP", "dr"))
            self.assertEqual((refused["labels"], refused["user"], refused["patients"]), (code + " VIP", "dr2", [patient]))
            self.assertEqual(refused["outcome"], 4)
            found = until(lambda: len(self.of(patient, "watched-record-denied")) == 1
                          and [a for a in self.of(patient, "watched-record") if a["user"] == "dr"])
            self.assertEqual(len(found), 1)
            denied = self.of(patient, "watched-record-denied")[0]
            self.assertEqual((denied["user"], denied["severity"]), ("dr2", "high"))
            self.assertEqual(int(denied["sequence"]), refused["sequence"])

    def test_C16_whose_record_is_watched_is_watched_whatever_is_read_of_it(self):
        patient = self.treated("dr", "dr2")
        finding = self.make(observation(patient))
        before = self.server.audit_size()
        self.ask("dr", "Observation/" + finding)
        self.list_user(patient, "dr")
        self.ask("dr", "Observation/" + finding)
        self.ask("dr2", "Observation?subject=Patient/" + patient)
        self.ask("dr", f"Observation/{finding}/_history")
        self.ask("dr2", f"Patient/{patient}/$everything")
        events = [e for e in self.server.audit_after(before) if e["event"] in ("read", "search", "history-instance")]
        self.assertEqual([e.get("labels") for e in events], [None, "VIP", "VIP", "VIP", "VIP"])
        users = until(lambda: sorted({a["user"] for a in self.of(patient, "watched-record")}) == ["dr", "dr2"])
        self.assertTrue(users)

    def test_C16_no_way_around_goes_unseen(self):
        patient = self.treated("dr2")
        id_ = self.make(observation(patient, meta=label("V")))
        before = self.server.audit_size()
        entry = {"request": {"method": "GET", "url": "Observation/" + id_}}
        self.ask("dr2", "", "POST", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})
        self.ask("dr2", "", "POST", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        self.ask("dr2", f"Observation/{id_}/_history")
        self.ask("dr2", f"Observation/{id_}/_history/1")
        self.ask("dr2", f"Observation/{id_}/$meta")
        self.ask("dr2", "Observation/" + id_, "PUT", {**observation(patient), "id": id_})
        self.ask("dr2", "Observation/" + id_, "DELETE")
        # That of the transaction as a whole stands beside that of its entry.
        events = [e for e in self.server.audit_after(before) if e["outcome"] != 0 and e["event"] != "transaction"]
        self.assertEqual(len(events), 7, events)
        for event in events:
            self.assertEqual(event.get("labels"), "V", event)
        alert = until(lambda: [a for a in self.of(patient, "watched-record-denied") if int(a["count"]) == 7])
        self.assertEqual(len(alert), 1, "the same user and patient: one alert that counts them")

    def test_C16_a_flood_is_one_alert_that_counts_it(self):
        patient = self.treated("dr")
        self.list_user(patient, "dr")
        for _ in range(40):
            self.ask("dr", "Patient/" + patient)
        found = until(lambda: [a for a in self.of(patient, "watched-record") if a["user"] == "dr" and int(a["count"]) == 40])
        self.assertEqual(len(found), 1)
        for word in ("ack", "close"):
            answer = ("alerts", word, found[0]["id"], "--note", "his ward", "--data", self.server.data)
            self.server.cli(*answer, check=True)
        self.assertEqual([a["state"] for a in self.of(patient) if a["id"] == found[0]["id"]], ["closed"])

    def test_C16_what_is_not_watched_raises_nothing(self):
        patient = self.treated("dr")
        self.assertEqual(self.ask("dr", "Patient/" + patient).status, 200)
        self.assertEqual(self.ask("dr2", "Patient/" + patient).status, 404)
        caught_up(self.server)
        self.assertEqual(self.of(patient), [])

    def test_C16_the_log_over_fhir_has_the_label(self):
        patient = self.treated("dr")
        self.list_user(patient, "dr")
        secret = self.make(observation(patient, meta=label("V")))
        self.ask("dr", "Observation/" + secret)
        sequence = [e for e in self.server.audit("--patient", patient) if e["event"] == "read"][0]["sequence"]
        event = json_of(self.ask("officer", f"AuditEvent/{sequence}"))
        codes = {c["code"] for entity in event["entity"] for c in entity.get("securityLabel", [])}
        self.assertEqual(codes, {"V", "VIP"})

    # --- S-13 ---

    def test_S13_six_bad_sign_ins_are_one_alert(self):
        person = self.server.person("dr.guessed", "doctor")
        for number in range(6):
            self.server.log_in(person, password=f"wrong password {number}", totp="000000", source="127.0.3.1")

        def of_person():
            return [a for a in alerts(self.server) if a["rule"] == "account-locked" and a["user"] == "dr.guessed"]

        self.assertEqual(len(until(of_person)), 1)
        caught_up(self.server)
        self.assertEqual([a["severity"] for a in of_person()], ["warning"])

    def test_S13_a_sign_in_from_a_new_network_is_flagged(self):
        person = self.server.person("dr.travels", "doctor")

        def sign_in(source):
            self.assertEqual(self.server.log_in(person, source=source).status, 200)

        def flagged():
            return [a for a in alerts(self.server) if a["rule"] == "new-network" and a["user"] == "dr.travels"]

        sign_in("127.0.20.1")
        sign_in("127.0.20.2")
        caught_up(self.server)
        self.assertEqual(flagged(), [], "the first network, and the same again")
        sign_in("127.0.21.1")
        found = until(flagged)
        self.assertEqual([a["severity"] for a in found], ["info"])

    def test_a_change_of_rights_is_an_alert(self):
        self.server.person("dr.promoted", "doctor")
        self.server.cli("user", "role", "dr.promoted", "--role", "nurse", "--data", self.server.data, check=True)
        found = until(lambda: [a for a in alerts(self.server) if a["rule"] == "rights-changed" and a.get("user") == "alice"])
        self.assertEqual(found[0]["severity"], "info")


class Ends(harness.TestCase):
    """What an end of the process at any moment leaves of the feed."""

    policy = "classic"
    serve = False

    def setUp(self):
        self.server = self.new_server("classic")

    def at(self, offset):
        self.server.stop()
        moved = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME": f"{offset:+d}s",
                 "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.server.start(env={**os.environ, "TMPDIR": str(self.server.temporary), **(moved if offset else {})})
        self.server.admin_token = ""
        return lambda: time.time() + offset

    def test_C13_nothing_is_missed_and_nothing_is_raised_twice_across_kill_9(self):
        server = self.server.start()
        token = server.service("doctor-app", "doctor")
        patients = [server.create({"resourceType": "Patient"}, token) for _ in range(3)]
        listing = ("--user", "doctor-app", "--data", server.data)
        for patient in patients:
            server.cli("access-list", "add", "--patient", patient, *listing, check=True)
        begun = 0
        for _ in range(4):
            for patient in patients:
                self.assertEqual(server.request("GET", "/fhir/Patient/" + patient, token=token).status, 200)
                begun += 1
            server.kill()
            server.start()
            server.admin_token = ""
        watched = lambda: [a for a in alerts(server) if a["rule"] == "watched-record"]  # noqa: E731
        until(lambda: sum(int(a["count"]) for a in watched()) >= begun)
        server.kill()
        server.start()
        server.admin_token = ""
        caught_up(server)
        self.assertEqual(sum(int(a["count"]) for a in watched()), begun)
        self.assertEqual(sorted(a["patient"] for a in watched()), sorted(patients), "one each")
        raised = [e["target"] for e in server.audit() if e["event"] == "alert-raised"]
        self.assertEqual(len(raised), len(set(raised)))
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout)

    @unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
    def test_C13_what_nobody_reviews_for_48_hours_escalates_once(self):
        self.at(0)
        server = self.server
        doctor = server.token_of(server.person("dr.quick", "doctor"))
        patient = server.create({"resourceType": "Patient"}, doctor)
        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        for _ in range(2):
            reply = server.request("POST", f"/fhir/Patient/{patient}/$break-glass", body, doctor)
            self.assertEqual(reply.status, 200, reply)
        begun = until(lambda: len(alerts(server, "--patient", patient)) == 2 and alerts(server, "--patient", patient))
        first = begun[0]["emergency"]
        server.cli("emergency", "review", first, "--finding", "was right", "--data", server.data, check=True)

        def escalated(now):
            server.admin_token = server.admin_token or self.sign_in(now)
            return [a for a in alerts(server, "--patient", patient) if a["rule"] == "emergency-unreviewed"]

        now = self.at(47 * 3600)
        self.sign_in(now)
        caught_up(server)
        self.assertEqual(escalated(now), [])
        now = self.at(48 * 3600 + 60)
        self.sign_in(now)
        found = until(lambda: escalated(now))
        self.assertEqual([(a["emergency"], a["severity"], a["state"]) for a in found],
                         [(begun[1]["emergency"], "critical", "open")])
        now = self.at(49 * 3600)
        self.sign_in(now)
        caught_up(server)
        self.assertEqual(len(escalated(now)), 1)
        server.cli("emergency", "review", begun[1]["emergency"], "--finding", "late", "--data", server.data, check=True)
        until(lambda: [a["state"] for a in escalated(now)] == ["closed"])

    def sign_in(self, now):
        person = self.server.admin_person
        self.server.cli("login", "--admin", "--data", self.server.data, "--user", person.name,
                        stdin=f"{person.password}\n{person.code(now)}\n", check=True)
        self.server.admin_token = "signed in"
        return self.server.admin_token


class MailServer:
    """A mail server that keeps what it is given: SMTP (RFC 5321) behind TLS, or with STARTTLS, or with neither."""

    def __init__(self, certificate, key, starttls=False, tls=True, port=0):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.starttls, self.tls = starttls, tls
        self.mails, self.logins, self.in_clear = [], [], []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        if self.listener.fileno() < 0:
            return
        # Wakes the thread that waits for somebody to connect.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            connection.settimeout(harness.PATIENCE)
            if self.tls and not self.starttls:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.converse(connection)
        except (OSError, ssl.SSLError, ValueError):
            connection.close()  # of a client that goes away

    def converse(self, connection):
        lines = connection.makefile("rb")
        say = lambda text: connection.sendall(text.encode() + b"\r\n")  # noqa: E731
        is_sealed = self.tls and not self.starttls
        say("220 mail.test ESMTP")
        mail = {}
        while line := lines.readline().decode().rstrip("\r\n"):
            word = line.split(" ")[0].upper()
            if not is_sealed:
                self.in_clear.append(line)
            if word == "EHLO":
                offers = ["mail.test", "AUTH PLAIN"] + (["STARTTLS"] if self.starttls and not is_sealed else [])
                for offer in offers[:-1]:
                    say("250-" + offer)
                say("250 " + offers[-1])
            elif word == "STARTTLS":
                say("220 go on")
                connection = self.context.wrap_socket(connection, server_side=True)
                lines, is_sealed = connection.makefile("rb"), True
            elif word == "AUTH":
                text = line.split(" ")[2] if line.count(" ") > 1 else ""
                if not text:
                    say("334 ")
                    text = lines.readline().decode().strip()
                self.logins.append(base64.b64decode(text).split(b"\0")[1:])
                say("235 welcome")
            elif word == "MAIL":
                mail = {"from": line, "to": []}
                say("250 ok")
            elif word == "RCPT":
                mail["to"].append(line)
                say("250 ok")
            elif word == "DATA":
                say("354 go on")
                text = []
                while (part := lines.readline().decode().rstrip("\r\n")) != ".":
                    text.append(part)
                mail["text"] = "\n".join(text)
                self.mails.append(mail)
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                break
            else:
                say("500 what?")
        connection.close()


class Mail(harness.TestCase):
    serve = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.server.root
        cls.certificate, cls.key, cls.credentials = folder / "mail.pem", folder / "mail.key", folder / "mail.login"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", cls.key, "-out", cls.certificate, "-days", "30", "-subj", "/CN=mail.test",
                        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
        cls.credentials.write_text("tacenda\nthe password of the mail server\n")

    def mail_server(self, **options):
        server = MailServer(self.certificate, self.key, **options)
        self.addCleanup(server.close)
        return server

    def hospital(self, url, ca=None):
        config = ('[alerts]\nmail-to = ["privacy@hospital.example", "it@hospital.example"]\n'
                  f'mail-from = "tacenda@hospital.example"\nsmtp = "{url}"\n'
                  f'credentials-file = "{self.credentials}"\nca-file = "{ca or self.certificate}"\n')
        return self.new_server("classic", config)

    def break_glass(self, server):
        doctor = server.person("dr.mailed", "doctor")
        token = server.token_of(doctor)
        patient = server.create({"resourceType": "Patient", "name": [{"family": "Geheim"}]}, token)
        body = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "bewusstlos"}]}
        self.assertEqual(server.request("POST", f"/fhir/Patient/{patient}/$break-glass", body, token).status, 200)
        return doctor, patient

    def told(self, mails):
        """The mails that tell of the emergency."""
        return [mail for mail in mails.mails if "-emergency\n" in mail["text"]]

    def test_C13_the_officer_is_told_by_mail_and_the_mail_names_nobody(self):
        for starttls in (False, True):
            mails = self.mail_server(starttls=starttls)
            server = self.hospital(f"smtp{'' if starttls else 's'}://localhost:{mails.port}").start()
            doctor, patient = self.break_glass(server)
            mail = until(lambda: self.told(mails))[0]
            alert = [a for a in alerts(server) if a["rule"] == "emergency"][0]
            text = mail["text"]
            self.assertIn(alert["id"], text)
            self.assertIn("Subject: Tacenda: ", text)
            self.assertIn(alert["first"], text)
            self.assertIn("high", text)
            for secret in (patient, doctor.name, doctor.id, "Geheim", "bewusstlos", alert["emergency"], "alice"):
                self.assertNotIn(secret, text)
            self.assertEqual(mail["from"], "MAIL FROM:<tacenda@hospital.example>")
            self.assertEqual(mail["to"], ["RCPT TO:<privacy@hospital.example>", "RCPT TO:<it@hospital.example>"])
            self.assertEqual(mails.logins[0], [b"tacenda", b"the password of the mail server"])
            self.assertFalse([line for line in mails.in_clear if line.split(" ")[0] in ("AUTH", "MAIL", "DATA")])
            until(lambda: [e for e in server.audit() if e["event"] == "alert-sent" and alert["id"] in e["target"]])

    def test_C13_without_tls_or_with_a_certificate_of_somebody_else_no_mail_leaves(self):
        plain = self.mail_server(tls=False)
        other = self.mail_server()
        for url, ca, mails in ((f"smtp://localhost:{plain.port}", None, plain),
                               (f"smtps://localhost:{other.port}", self.server.made["ca"], other)):
            server = self.hospital(url, ca).start()
            self.break_glass(server)
            # The feed has it all the same.
            until(lambda: [a for a in alerts(server) if a["rule"] == "emergency"])
            until(lambda: "TLS" in server.err.read_text() or "not trusted" in server.err.read_text())
            self.assertEqual(mails.mails, [])
            self.assertEqual(mails.logins, [])

    def test_C13_a_mail_server_that_is_down_loses_nothing_and_blocks_nothing_also_across_kill_9(self):
        mails = self.mail_server()
        port = mails.port
        mails.close()
        server = self.hospital(f"smtps://localhost:{port}").start()
        self.break_glass(server)
        until(lambda: [a for a in alerts(server) if a["rule"] == "emergency"])
        until(lambda: "connection refused" in server.err.read_text())
        server.kill()
        mails = self.mail_server(port=port)
        server.start()
        self.assertEqual(len(until(lambda: self.told(mails))), 1)


if __name__ == "__main__":
    unittest.main()

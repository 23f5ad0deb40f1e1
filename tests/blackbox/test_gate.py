"""The gate under pressure: rights that end while a request runs, what a refusal gives away, what a flood leaves."""

import pathlib
import shutil
import ssl
import tempfile
import threading
import time
import unittest
import uuid

import harness
from harness import json_of
from test_certificates import Authority

SYSTEM = "http://example.org/mrn"


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, **request):
    made = {"request": {"method": method, "url": url, **request}}
    return {**made, "resource": resource} if resource else made


def patient(mark=None):
    made = {"resourceType": "Patient"}
    return {**made, "identifier": [{"system": SYSTEM, "value": mark}]} if mark else made


class Rights(harness.TestCase):
    """Patients p1 and p2, a doctor, and each patient's own sign-in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.doctor = cls.server.token_of(cls.server.person("dr", "doctor"))
        cls.p1, cls.p2 = (cls.make(patient(name)) for name in ("one", "two"))
        cls.own = {id_: cls.server.token_of(cls.server.person(f"patient{i}", "patient", "--patient", id_))
                   for i, id_ in enumerate((cls.p1, cls.p2))}

    @classmethod
    def make(cls, resource):
        reply = cls.server.request("POST", "/fhir/" + resource["resourceType"], resource, cls.doctor)
        assert reply.status == 201, reply
        return json_of(reply)["id"]

    @staticmethod
    def observation(of, value="secret-finding"):
        return {"resourceType": "Observation", "status": "final", "code": {"text": value},
                "subject": {"reference": "Patient/" + of}}

    def ask(self, path, token, method="GET", body=None, headers=None):
        return self.server.request(method, path, body, token, headers)

    # --- a record that changes hands ---

    def test_W01_a_record_put_under_its_right_patient_leaves_the_wrong_one_no_version(self):
        id_ = self.make(self.observation(self.p1))
        path = f"/fhir/Observation/{id_}"
        self.assertEqual(self.ask(path + "/_history/1", self.own[self.p1]).status, 200)
        moved = {**self.observation(self.p2), "id": id_}
        reply = self.ask(path, self.doctor, "PUT", moved)
        self.assertEqual(reply.status, 403, reply.body)
        self.server.change_policy("[roles.nurse]\n", "[roles.nurse]\nmoves-records = true\n")
        nurse = self.server.token_of(self.server.person("corrects", "nurse"))
        self.assertEqual(self.ask(path, nurse, "PUT", moved).status, 200)
        for what in ("", "/_history", "/_history/1", "/_history/2"):
            self.assertEqual(self.ask(path + what, self.own[self.p1]).status, 404, what)
        self.assertEqual(self.ask(path + "/_history/2", self.own[self.p2]).status, 200)
        self.assertEqual(self.ask(path + "/_history/1", self.own[self.p2]).status, 404, "it was of p1 then")
        self.assertEqual(self.ask(path + "/_history/1", self.doctor).status, 200)

    # --- a patient's reach ---

    def test_C11_no_way_leads_a_patient_to_the_record_of_another(self):
        mark = uuid.uuid4().hex
        theirs = self.make(self.observation(self.p2, mark))
        self.make(self.observation(self.p1, "own" + mark))
        listed = self.make({"resourceType": "List", "status": "current", "mode": "working",
                            "subject": {"reference": "Patient/" + self.p1},
                            "entry": [{"item": {"reference": "Observation/" + theirs}}]})
        # p1's own record refers to p2's.
        linking = self.make({**self.observation(self.p1, "link"),
                             "derivedFrom": [{"reference": "Observation/" + theirs}]})
        token = self.own[self.p1]
        for path in (f"Observation/{theirs}", f"Observation/{theirs}/_history", f"Observation/{theirs}/_history/1",
                     f"Patient/{self.p2}"):
            self.assertEqual(self.ask("/fhir/" + path, token).status, 404, path)
        for path in (f"Observation?_id={theirs}", f"Observation?patient={self.p2}", f"Observation?_id:not=x&_sort=-code",
                     f"Patient/{self.p2}/$everything", f"Patient/{self.p2}/Observation", f"Patient/{self.p2}/*",
                     f"Observation?_list={listed}", f"Observation?_id={linking}&_include=Observation:derived-from",
                     f"Observation?_id={linking}&_include:iterate=*", f"Patient?_id={self.p1}&_revinclude=Observation:*",
                     f"Observation?derived-from.code:text={mark}", f"Observation?derived-from:Observation.subject=Patient/{self.p2}",
                     f"Patient?_has:Observation:patient:code:text={mark}", f"Patient?identifier={SYSTEM}|two",
                     f"Observation?subject:Patient.identifier={SYSTEM}|two", f"?_type=Patient,Observation&_id={theirs},{self.p2}",
                     f"Observation?_id={theirs}&_elements=id", f"Observation?code:text={mark}&_total=accurate"):
            path = "/fhir" + path if path.startswith("?") else "/fhir/" + path
            reply = self.ask(path, token)
            self.assertEqual(reply.status, 200, (path, reply.body))
            found = json_of(reply)
            full = [e["resource"] for e in found.get("entry", [])]
            ids = {resource["id"] for resource in full}
            self.assertFalse(ids & {theirs, self.p2}, path)
        for path in (f"Observation?_id={theirs}&_summary=count", f"Observation?patient={self.p2}&_total=accurate&_count=1",
                     f"Observation?derived-from.code:text={mark}&_total=accurate",
                     f"Patient?_has:Observation:patient:code:text={mark}&_summary=count"):
            self.assertEqual(int(json_of(self.ask("/fhir/" + path, token))["total"]), 0, path)
        for method, path in (("GET", "/fhir/_history"), ("GET", "/fhir/Observation/_history"),
                             ("DELETE", f"/fhir/Observation/{theirs}"), ("GET", f"/fhir/Observation/{theirs}/$validate?x")):
            self.assertIn(self.ask(path, token, method).status, (400, 403, 404), path)

    def test_C10_a_transaction_tells_a_hidden_record_from_none_no_more_than_a_read_does(self):
        hidden, absent = f"Patient/{self.p2}", f"Patient/{uuid.uuid4()}"
        for kind in ("transaction", "batch"):
            said = []
            for url in (hidden, absent):
                reply = self.ask("/fhir", self.own[self.p1], "POST", bundle(kind, entry("GET", url)))
                said.append((reply.status, reply.body))
            self.assertEqual(said[0], said[1], kind)
        alone = [self.ask("/fhir/" + url, self.own[self.p1]) for url in (hidden, absent)]
        self.assertEqual((alone[0].status, alone[0].body), (alone[1].status, alone[1].body))

    # --- criteria of who may not read ---

    def test_P01_a_loader_may_name_a_resource_and_learns_nothing_else_of_it(self):
        loader = self.server.service("asker", "loader")
        self.make({**self.observation(self.p2, "asked"), "status": "amended"})
        for criteria, kind in ((f"subject=Patient/{self.p2}", self.observation(self.p1)),
                               (f"status=amended&patient={self.p2}", self.observation(self.p1)),
                               ("identifier:missing=false", patient()), ("name:missing=true", patient()),
                               ("birthdate=gt1900-01-01", patient()), (f"identifier={SYSTEM}|", patient())):
            path = "/fhir/" + kind["resourceType"]
            reply = self.ask(path, loader, "POST", kind, {"If-None-Exist": criteria})
            self.assertEqual(reply.status, 403, (criteria, reply.body))
            sent = bundle("transaction", entry("POST", kind["resourceType"], kind, ifNoneExist=criteria))
            self.assertEqual(self.ask("/fhir", loader, "POST", sent).status, 403, criteria)
            linked = self.observation(self.p1)
            linked["subject"]["reference"] = kind["resourceType"] + "?" + criteria
            sent = bundle("transaction", entry("POST", "Observation", linked))
            self.assertEqual(self.ask("/fhir", loader, "POST", sent).status, 403, criteria)
        named = {"If-None-Exist": f"identifier={SYSTEM}|two"}
        self.assertEqual(self.ask("/fhir/Patient", loader, "POST", patient("two"), named).status, 200)
        sent = bundle("transaction", entry("POST", "Patient", patient("two"), ifNoneExist=f"identifier={SYSTEM}|two"))
        self.assertEqual(self.ask("/fhir", loader, "POST", sent).status, 200)

    # --- what was asked stands in the log ---

    def queries_of(self, reply):
        request = reply.headers["x-request-id"]
        return [e["query"] for e in self.server.audit() if e.get("request_id") == request and "query" in e]

    def test_A03_what_was_asked_stands_in_the_log_however_it_was_asked(self):
        mark = uuid.uuid4().hex
        criteria = f"identifier={SYSTEM}|{mark}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for name, act in {
            "conditional create": lambda: self.ask("/fhir/Patient", self.doctor, "POST", patient(mark), {"If-None-Exist": criteria}),
            "one that matches": lambda: self.ask("/fhir/Patient", self.doctor, "POST", patient(mark), {"If-None-Exist": criteria}),
            "a form": lambda: self.ask("/fhir/Patient/_search", self.doctor, "POST", criteria, form),
            "a refused form": lambda: self.ask("/fhir/Practitioner/_search", self.own[self.p1], "POST", criteria, form),
            "a refused entry": lambda: self.ask("/fhir", self.own[self.p1], "POST",
                                                bundle("batch", entry("GET", "Practitioner?" + criteria))),
            "an entry of a batch": lambda: self.ask("/fhir", self.doctor, "POST",
                                                    bundle("batch", entry("POST", "Patient", patient(mark), ifNoneExist=criteria))),
            "an entry of a transaction": lambda: self.ask("/fhir", self.doctor, "POST",
                                                          bundle("transaction", entry("PUT", "Patient?" + criteria, patient(mark)))),
        }.items():
            self.assertEqual(self.queries_of(act()), [criteria], name)

    # --- rights that end ---

    def test_S11_a_batch_that_runs_stops_with_its_account(self):
        mark = uuid.uuid4().hex
        token = self.server.token_of(self.server.person("leaver." + mark[:6], "doctor"))
        sent = bundle("batch", *[entry("POST", "Patient", patient(mark)) for _ in range(20_000)])
        replies = []
        worker = threading.Thread(target=lambda: replies.append(self.ask("/fhir", token, "POST", sent)))
        admin = self.server.admin()
        worker.start()
        counted = f"/fhir/Patient?identifier={mark}&_summary=count"
        end = time.monotonic() + harness.PATIENCE
        while json_of(self.ask(counted, self.doctor))["total"] in (0, "0"):
            self.assertLess(time.monotonic(), end)
        done = self.server.socket_request("POST", "/admin/users/disable", {"name": "leaver." + mark[:6]}, admin)
        self.assertEqual(done.status, 200)
        worker.join()
        self.assertEqual(replies[0].status, 401)
        entries = self.server.audit()
        ended = [e["sequence"] for e in entries if e["event"] == "user-disabled"][-1]
        later = [e for e in entries if e["sequence"] > ended and e.get("user") == "leaver." + mark[:6] and e["outcome"] == 0]
        self.assertLessEqual(len(later), 1, "one entry was on its way")

    def test_S11_a_transaction_that_runs_does_not_commit_after_its_account_ended(self):
        mark = uuid.uuid4().hex
        name = "goner." + mark[:6]
        token = self.server.token_of(self.server.person(name, "doctor"))
        sent = bundle("transaction", *[entry("POST", "Patient", patient(mark)) for _ in range(8_000)])
        worker = threading.Thread(target=lambda: self.ask("/fhir", token, "POST", sent))
        admin = self.server.admin()
        worker.start()
        time.sleep(1.0)
        self.server.socket_request("POST", "/admin/users/disable", {"name": name}, admin)
        worker.join()
        entries = self.server.audit()
        ended = [e["sequence"] for e in entries if e["event"] == "user-disabled"][-1]
        self.assertEqual([e["event"] for e in entries if e["sequence"] > ended and e.get("user") == name and e["outcome"] == 0], [])


    def test_S11_of_many_reads_at_once_none_stands_in_the_log_behind_the_end_of_its_account(self):
        id_ = self.server.request("POST", "/fhir/Patient", patient(uuid.uuid4().hex), token=self.doctor)
        path = "/fhir/Patient/" + json_of(id_)["id"]
        name = "reader." + uuid.uuid4().hex[:6]
        token = self.server.token_of(self.server.person(name, "doctor"))
        admin = self.server.admin()
        answers = []

        def read():
            with self.server.connect() as connection:
                while not answers or answers[-1] == 200:
                    answers.append(connection.request("GET", path, token=token).status)

        workers = [threading.Thread(target=read) for _ in range(8)]
        for worker in workers:
            worker.start()
        while len(answers) < 200:
            time.sleep(0.01)
        self.server.socket_request("POST", "/admin/users/disable", {"name": name}, admin)
        for worker in workers:
            worker.join()
        self.assertEqual(set(answers) - {200, 401, 503}, set())
        self.assertIn(401, answers + [self.server.request("GET", path, token=token).status])
        entries = self.server.audit()
        ended = [e["sequence"] for e in entries if e["event"] == "user-disabled"][-1]
        self.assertEqual([e["event"] for e in entries if e["sequence"] > ended and e.get("user") == name and e["outcome"] == 0], [])


class Floods(harness.TestCase):
    """What strangers do without end fills no log (SECURITY_DESIGN section 3)."""

    def entries_of(self, act, event):
        mark = self.server.audit_size()
        act()
        # What was counted is written once its second is over.
        end = time.monotonic() + harness.PATIENCE
        while time.monotonic() < end:
            found = [e for e in self.server.audit_after(mark) if e["event"] == event]
            if sum(e.get("count", 1) for e in found) >= self.asked:
                break
            time.sleep(0.5)
        self.assertEqual(sum(e.get("count", 1) for e in found), self.asked, "none is lost")
        return found

    def test_a_statement_asked_for_without_end_is_counted(self):
        self.asked = 600

        def flood():
            with self.server.connect() as connection:
                started = time.monotonic()
                for number in range(self.asked):
                    kind = "xml" if number % 2 else "json"
                    reply = connection.request("GET", f"/fhir/metadata?_format={kind}")
                    self.assertEqual(reply.status, 200)
                    self.assertIn(b"CapabilityStatement", reply.body)
                    self.assertEqual(reply.headers["content-type"].split(";")[0], f"application/fhir+{kind}")
                    self.assertEqual(reply.headers["cache-control"], "no-store")
                self.seconds = time.monotonic() - started

        found = self.entries_of(flood, "metadata")
        self.assertLessEqual(len(found), 21 * (self.seconds + 2))

    def test_log_ins_behind_the_lock_of_an_address_are_counted(self):
        body = {"user": "nobody", "password": "guess guess guess", "totp": "000000"}
        with self.server.connect(source="127.0.7.1") as connection:
            for _ in range(60):
                if connection.request("POST", "/auth/login", body).status == 429:
                    break
        self.asked = 600

        def flood():
            with self.server.connect(source="127.0.7.1") as connection:
                started = time.monotonic()
                for _ in range(self.asked):
                    reply = connection.request("POST", "/auth/login", body)
                    self.assertEqual(reply.status, 429)
                    self.assertGreater(int(reply.headers["retry-after"]), 0)
                self.seconds = time.monotonic() - started

        found = self.entries_of(flood, "login-failed")
        self.assertLessEqual(len(found), 21 * (self.seconds + 2))


class Unsealed(unittest.TestCase):
    def test_S08_a_listener_that_demands_certificates_demands_them_after_an_unseal(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-ca-"))
        self.addCleanup(shutil.rmtree, folder)
        authority = Authority(folder, "hospital")
        config = f'[listener]\nclient-certificate = "required"\nclient-ca = "{authority.certificate}"\n'
        server = harness.Server(config=config)
        self.addCleanup(server.close)
        phrase = "a passphrase that opens the store"
        server.cli("slot", "add", "--data", server.data, "--key-file", server.key_file, stdin=f"{phrase}\n{phrase}\n", check=True)
        server.key_file.rename(folder / "key")
        server.start()
        refused = (ssl.SSLError, ConnectionError)
        with self.assertRaises(refused, msg="sealed"):
            server.request("GET", "/healthz")
        server.cli("unseal", "--data", server.data, stdin=phrase + "\n", check=True)
        with self.assertRaises(refused, msg="unsealed"):
            server.request("GET", "/fhir/metadata")
        with server.connect(context=server.tls_context(*authority.issue("lab"))) as connection:
            self.assertEqual(connection.request("GET", "/fhir/metadata").status, 200)


if __name__ == "__main__":
    unittest.main()

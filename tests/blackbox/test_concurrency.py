"""Many callers at once: no lost update, dense versions, one resource for one identity."""

import json
import threading
import unittest
import uuid

import harness
from harness import json_of


def at_once(count, act):
    """Runs act(number, go) in `count` threads; `go` waits until all are there. Gives what they return."""
    barrier = threading.Barrier(count, timeout=harness.PATIENCE)
    results, problems = [None] * count, []

    def run(number):
        try:
            results[number] = act(number, barrier.wait)
        except Exception as problem:  # raised again in the test's own thread
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


class Concurrency(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def create(self):
        return json_of(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, self.token))["id"]

    def test_sixty_four_conditional_creates_at_once_make_one_resource(self):
        mark = str(uuid.uuid4())
        criteria = "identifier=http://example.org/mrn|" + mark
        body = {"resourceType": "Patient", "identifier": [{"system": "http://example.org/mrn", "value": mark}]}

        def create(_, go):
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                return connection.request("POST", "/fhir/Patient", body, self.token, {"If-None-Exist": criteria})

        replies = at_once(64, create)
        self.assertEqual(sorted(r.status for r in replies), [200] * 63 + [201])
        self.assertEqual(len({r.headers["location"] for r in replies}), 1)

    def test_transactions_that_create_the_same_patient_at_once_share_him(self):
        mark = str(uuid.uuid4())

        def send(number, go):
            urn = f"urn:uuid:{uuid.uuid4()}"
            sent = {"resourceType": "Bundle", "type": "transaction", "entry": [
                {"fullUrl": urn, "request": {"method": "POST", "url": "Patient",
                                             "ifNoneExist": f"identifier=http://example.org/mrn|{mark}"},
                 "resource": {"resourceType": "Patient",
                              "identifier": [{"system": "http://example.org/mrn", "value": mark}]}},
                {"request": {"method": "POST", "url": "Observation"},
                 "resource": {"resourceType": "Observation", "status": "final", "code": {"text": str(number)},
                              "subject": {"reference": urn}}}]}
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                return connection.request("POST", "/fhir", sent, self.token)

        replies = [json_of(r) for r in at_once(16, send)]
        patients = {r["entry"][0]["response"]["location"] for r in replies}
        self.assertEqual(len(patients), 1, patients)
        patient = patients.pop().rsplit("/_history", 1)[0]
        for reply in replies:
            path = "/fhir/" + reply["entry"][1]["response"]["location"].rsplit("/_history", 1)[0]
            got = json_of(self.server.request("GET", path, token=self.token))
            self.assertEqual(got["subject"]["reference"], patient)

    def test_thirty_two_updates_at_once_leave_dense_versions_and_lose_none(self):
        id_ = self.create()

        def update(number, go):
            body = {"resourceType": "Patient", "id": id_, "name": [{"family": f"writer {number}"}]}
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                return connection.request("PUT", f"/fhir/Patient/{id_}", body, self.token)

        replies = at_once(32, update)
        told = {}
        for number, reply in enumerate(replies):
            self.assertEqual(reply.status, 200, reply.body)
            told[int(reply.headers["etag"][3:-1])] = f"writer {number}"
        self.assertEqual(sorted(told), list(range(2, 34)), "every version once, none missing")
        for version, family in told.items():
            got = json_of(self.server.request("GET", f"/fhir/Patient/{id_}/_history/{version}", token=self.token))
            self.assertEqual(got["name"][0]["family"], family)
        history = json_of(self.server.request("GET", f"/fhir/Patient/{id_}/_history", token=self.token))
        self.assertEqual([e["response"]["etag"] for e in history["entry"]], [f'W/"{n}"' for n in range(33, 0, -1)])

    def test_of_updates_with_the_same_if_match_exactly_one_wins(self):
        id_ = self.create()

        def update(number, go):
            body = {"resourceType": "Patient", "id": id_, "name": [{"family": f"writer {number}"}]}
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                return connection.request("PUT", f"/fhir/Patient/{id_}", body, self.token, {"If-Match": 'W/"1"'})

        statuses = sorted(r.status for r in at_once(32, update))
        self.assertEqual(statuses[0], 200)
        self.assertEqual(set(statuses[1:]), {412})

    def test_a_counter_changed_under_if_match_counts_every_change(self):
        """Read, add one, write with If-Match, try again when somebody was faster: no change may be lost."""
        id_ = self.create()
        path = f"/fhir/Patient/{id_}"

        def count(_, go):
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                for _ in range(5):
                    while True:
                        read = connection.request("GET", path, token=self.token)
                        got = json_of(read)
                        number = int(got.get("multipleBirthInteger", "0")) + 1
                        body = {"resourceType": "Patient", "id": id_, "multipleBirthInteger": number}
                        reply = connection.request("PUT", path, body, self.token, {"If-Match": read.headers["etag"]})
                        if reply.status == 200:
                            break
                        if reply.status not in (409, 412):
                            raise AssertionError(reply)

        at_once(8, count)
        self.assertEqual(json_of(self.server.request("GET", path, token=self.token))["multipleBirthInteger"], 40)

    def test_readers_meanwhile_see_whole_versions_only(self):
        id_ = self.create()
        path = f"/fhir/Patient/{id_}"

        def act(number, go):
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                for turn in range(20):
                    if number == 0:
                        body = {"resourceType": "Patient", "id": id_, "name": [{"family": str(turn)}] * 50}
                        connection.request("PUT", path, body, self.token)
                    else:
                        got = json_of(connection.request("GET", path, token=self.token))
                        families = {n["family"] for n in got.get("name", [])}
                        if len(families) > 1 or (families and int(got["meta"]["versionId"]) != int(families.pop()) + 2):
                            raise AssertionError(json.dumps(got)[:300])
            return True

        self.assertEqual(at_once(6, act), [True] * 6)

    def test_verify_through_the_server_finds_nothing_while_others_write(self):
        ids = [self.create() for _ in range(6)]
        done = threading.Event()

        def act(number, go):
            if number == len(ids):
                go()
                try:
                    return [self.server.verify() for _ in range(10)]
                finally:
                    done.set()
            with self.server.connect() as connection:
                connection.request("GET", "/healthz")
                go()
                while not done.is_set():
                    body = {"resourceType": "Patient", "id": ids[number], "name": [{"family": "x" * 5000}]}
                    connection.request("PUT", f"/fhir/Patient/{ids[number]}", body, self.token)
            return []

        for verified in at_once(len(ids) + 1, act)[-1]:
            self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)


if __name__ == "__main__":
    unittest.main()

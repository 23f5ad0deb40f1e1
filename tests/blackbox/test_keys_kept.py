"""The keys of a store: listed, rotated and ended while the server serves (K-08)."""

import json
import re
import threading
import time
import unittest

import harness
from harness import json_of

PURPOSES = ("record", "file", "audit", "auth", "token", "state")
TELLS = {"resourceType": "Patient", "name": [{"family": "Kept"}]}


def patient(family):
    return {"resourceType": "Patient", "name": [{"family": family}]}


class Keys:
    """`tacenda keys` on one server."""

    def __init__(self, server):
        self.server = server

    def run(self, *arguments, check=True):
        return self.server.cli("keys", *arguments, "--data", self.server.data, "--json", check=check)

    def list(self):
        return {key["id"]: key for key in json.loads(self.run("list").stdout)["keys"]}

    def of(self, purpose):
        return [key for key in self.list().values() if key["purpose"] == purpose]

    def root(self):
        return self.of("root")[0]["id"]

    def rotate(self, *what):
        return json.loads(self.run("rotate", *what).stdout)["rotated"]

    def wait_job(self, id, state):
        end = time.monotonic() + harness.PATIENCE
        while self.list()[id].get("job", {}).get("state") != state:
            if time.monotonic() > end:
                raise AssertionError(self.list()[id])
            time.sleep(0.1)

    def wait_destroyed(self, *ids):
        end = time.monotonic() + harness.PATIENCE
        while True:
            keys = self.list()
            if all(keys[id]["state"] == "destroyed" for id in ids):
                return keys
            if time.monotonic() > end:
                raise AssertionError([keys[id] for id in ids])
            time.sleep(0.1)


class Load:
    """Writers and readers that note whatever did not succeed, until they are told to stop."""

    def __init__(self, server, token, count=6):
        self.server, self.token = server, token
        self.stopped, self.failed, self.done = threading.Event(), [], 0
        self.written = {}
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def expect(self, reply, status):
        with self.lock:
            self.done += 1
            if reply.status != status:
                self.failed.append(reply)
        return reply

    def run(self, number):
        try:
            with self.server.connect() as connection:
                turn = 0
                while not self.stopped.is_set():
                    turn += 1
                    family = f"Load{number}x{turn}"
                    made = self.expect(connection.request("POST", "/fhir/Patient", patient(family), self.token), 201)
                    id = json_of(made)["id"]
                    with self.lock:
                        self.written[id] = family
                    self.expect(connection.request("GET", "/fhir/Patient/" + id, token=self.token), 200)
                    changed = {**patient(family), "id": id, "active": True}
                    self.expect(connection.request("PUT", "/fhir/Patient/" + id, changed, self.token), 200)
                    found = self.expect(connection.request("GET", "/fhir/Patient?_count=1&_sort=family", token=self.token), 200)
                    more = [link["url"] for link in json_of(found)["link"] if link["relation"] == "next"]
                    if more:
                        path = "/fhir" + more[0].split("/fhir", 1)[1]
                        self.expect(connection.request("GET", path, token=self.token), 200)
        except Exception as problem:  # told by the test's own thread
            self.failed.append(problem)

    def wait(self, more):
        """Until so many requests more are answered."""
        until = self.done + more
        end = time.monotonic() + harness.PATIENCE
        while self.done < until and not self.failed:
            if time.monotonic() > end:
                raise AssertionError("the load stands still")
            time.sleep(0.01)


class Listed(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.admin()
        cls.keys = Keys(cls.server)

    def test_K08_lists_id_algorithm_created_state_and_uses_of_every_key(self):
        keys = self.keys.list()
        self.assertLessEqual({f"{purpose}/1" for purpose in PURPOSES}, set(keys))
        for key in keys.values():
            self.assertEqual(key["algorithm"], "XAES-256-GCM")
            self.assertIn(key["state"], ("active", "deactivated", "compromised", "destroyed"))
            self.assertTrue(key["uses"])
            if key["purpose"] != "vault":
                self.assertRegex(key["created"], r"^\d{4}-\d\d-\d\dT")
            if key["state"] == "active" and key["purpose"] != "vault":
                self.assertFalse(key["overdue"])
                self.assertEqual(key["age_days"], 0)
        root, = self.keys.of("root")
        self.assertEqual([slot["kind"] for slot in root["slots"]], ["key file"])
        self.assertIn("pepper", keys["auth/1"]["derives"])
        self.assertFalse(keys["audit/1"]["can_be_destroyed"])
        vault, = self.keys.of("vault")
        before = vault["wrapped"]
        self.server.create(TELLS, self.server.admin_token)
        self.assertGreater(self.keys.of("vault")[0]["wrapped"], before)
        shown = self.server.cli("keys", "list", "--data", self.server.data, check=True).stdout
        for word in ("auth/1", "active", "derives for good", "slot", root["id"]):
            self.assertIn(word, shown)
        self.assertEqual(self.server.audit_after(-1)[-1]["event"], "keys-read")

    def test_K08_the_secrets_of_the_keyring_are_named(self):
        secrets = {secret["id"]: secret for secret in json.loads(self.keys.run("list").stdout)["secrets"]}
        self.assertLessEqual({"checkpoint", "openid-signing-key", "tls-chain", "tls-key"}, set(secrets))
        for secret in secrets.values():
            self.assertNotIn("unknown", secret["algorithm"], secret)
            self.assertTrue(secret["uses"])
        shown = self.server.cli("keys", "list", "--data", self.server.data, check=True).stdout
        for id in secrets:
            self.assertIn(id, shown)

    def test_K08_no_key_is_in_what_is_shown_or_logged(self):
        secret = self.server.key_file.read_bytes()
        said = [self.keys.run("list").stdout, self.keys.run("rotate", "--purpose", "token").stdout,
                self.keys.run("rotate", "--root").stdout, self.keys.run("list").stdout,
                self.server.cli("keys", "list", "--data", self.server.data).stdout,
                self.server.err.read_text(), json.dumps(self.server.audit())]
        for text in said:
            for spelling in harness.spellings(secret):
                self.assertNotIn(spelling, text.encode())
        # Whatever is 128 bits long or more would be a key's.
        for text in said[:5]:
            self.assertEqual(re.findall(r"[0-9a-fA-F]{17,}|[A-Za-z0-9+/]{22,}", text), [])

    def test_K08_what_cannot_be_sealed_anew_is_said_and_not_destroyed(self):
        for purpose in ("audit", "file"):
            active = max(key["term"] for key in self.keys.of(purpose))
            self.assertEqual(self.keys.rotate("--purpose", purpose)[0]["active"], f"{purpose}/{active + 1}")
            refused = self.server.socket_request("POST", "/admin/keys/retire", {"purpose": purpose, "term": active},
                                                 self.server.admin_token)
            self.assertEqual(refused.status, 409, refused)
            marked = self.server.socket_request(
                "POST", "/admin/keys/compromised", {"purpose": purpose, "term": active, "reason": "a copy was lost"},
                self.server.admin_token)
            self.assertEqual((marked.status, json_of(marked)["will_be_destroyed"]), (200, False))
            self.assertEqual(self.keys.list()[f"{purpose}/{active}"]["state"], "compromised")
            if purpose == "audit":  # alerts, holds and erasures lie in rows
                self.keys.wait_job(f"{purpose}/{active}", "sealed anew, but for what stays under it")

    def test_K08_what_is_asked_wrongly_changes_nothing(self):
        before = {id: key["state"] for id, key in self.keys.list().items()}
        for path, body in (
            ("rotate", {}),
            ("rotate", {"purposes": ["nothing"]}),
            ("rotate", {"purposes": ["auth", 7]}),
            ("retire", {"purpose": "auth", "term": 99}),
            ("retire", {"purpose": "auth", "term": "1"}),
            ("retire", {"purpose": "vault", "term": 1}),
            ("compromised", {"purpose": "auth", "term": 1}),
            ("compromised", {"purpose": "auth", "term": 1, "reason": " "}),
            ("compromised", {"purpose": "auth", "term": -1, "reason": "x"}),
        ):
            reply = self.server.socket_request("POST", "/admin/keys/" + path, body, self.server.admin_token)
            self.assertIn(reply.status, (400, 404), (path, body, reply))
        self.assertEqual({id: key["state"] for id, key in self.keys.list().items()}, before)


class Rotated(harness.TestCase):
    policy = "classic"
    config = harness.UNLIMITED

    def readable(self, server, written, token):
        with server.connect() as connection:
            for id, family in written.items():
                reply = connection.request("GET", "/fhir/Patient/" + id, token=token)
                self.assertEqual(reply.status, 200, reply)
                self.assertEqual(json_of(reply)["name"][0]["family"], family)

    def test_K08_under_load_no_request_fails_old_keys_are_destroyed_and_all_is_readable(self):
        server = self.server
        token = server.admin()
        keys = Keys(server)
        doctor = server.person("dr.kept", "doctor")
        first_root, first_vault = keys.root(), keys.of("vault")[0]["id"]
        with Load(server, token) as load:
            load.wait(30)
            for purpose in PURPOSES:
                done, = keys.rotate("--purpose", purpose)
                self.assertEqual(done, {"purpose": purpose, "before": f"{purpose}/1", "active": f"{purpose}/2"})
                load.wait(30)
            keys.rotate("--purpose", "vault")
            load.wait(30)
            keys.rotate("--root")
            load.wait(30)
            self.assertEqual(len(keys.rotate("--all")), len(PURPOSES) + 1)
            load.wait(30)
            for purpose in ("record", "auth", "state"):
                for term in ("1", "2"):
                    keys.run("retire", "--purpose", purpose, "--term", term)
            # Links that were handed out are good for an hour: this term waits for them.
            keys.run("retire", "--purpose", "token", "--term", "1")
            gone = [f"{purpose}/{term}" for purpose in ("record", "auth", "state") for term in (1, 2)]
            states = keys.wait_destroyed(*gone)
            load.wait(60)
        self.assertEqual(load.failed, [])
        self.assertGreater(load.done, 200)
        keys.wait_job("token/1", "waits for what was handed out")
        self.assertEqual(states["auth/3"]["state"], "active")
        self.assertEqual(states["audit/1"]["state"], "deactivated")
        self.assertNotEqual(keys.root(), first_root)
        self.assertNotEqual(keys.of("vault")[0]["id"], first_vault)
        self.entries_until_destroyed(server, "auth/1")
        events = [e for e in server.audit() if e["event"] == "key-operation"]
        told = {(e["target"], e.get("old_value"), e.get("new_value")) for e in events}
        self.assertIn(("auth", "auth/1", "to be rotated"), told)
        self.assertIn(("auth", "auth/1", "auth/2"), told)
        self.assertIn(("auth/1", "deactivated", "to be retired"), told)
        self.assertIn(("auth/1", "deactivated", "to be destroyed"), told)
        self.assertIn(("auth/1", "deactivated", "destroyed"), told)
        self.assertIn(("root", first_root, keys.root()), told)
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        server.start()
        self.readable(server, load.written, server.token_of(server.admin_person))
        server.token_of(doctor)  # password and second factor are what they were
        server.sign_in_admin()
        self.assertEqual(keys.list()["auth/1"]["state"], "destroyed", "the row stays as a record")

    def test_K08_a_compromised_key_forces_all_under_it_to_be_sealed_anew(self):
        server = self.new_server("classic", harness.UNLIMITED).start()
        token = server.admin()
        keys = Keys(server)
        people = [server.person(f"nurse{n}", "nurse") for n in range(3)]
        id = server.create(TELLS, token)
        for n in range(3):
            server.create(patient(f"Page{n}"), token)
        page = json_of(server.request("GET", "/fhir/Patient?_count=1", token=token))
        more, = [link["url"] for link in page["link"] if link["relation"] == "next"]
        for purpose in ("auth", "token", "record", "state"):
            done = json.loads(keys.run("compromised", "--purpose", purpose, "--term", "1",
                                       "--reason", "a copy of the keyring was lost").stdout)
            self.assertEqual(done, {"active": f"{purpose}/2", "will_be_destroyed": True})
        keys.wait_destroyed("auth/1", "token/1", "record/1", "state/1")
        # Who knows the key could have made such a link: none that was made under it is believed any more.
        self.assertEqual(server.request("GET", "/fhir" + more.split("/fhir", 1)[1], token=token).status, 400)
        self.assertEqual(server.request("GET", "/fhir/Patient/" + id, token=token).status, 200)
        entry = self.entries_until_destroyed(server, "auth/1")
        self.assertEqual([e["new_value"] for e in entry], [
            "to be marked compromised", "compromised; auth/2 is active", "being destroyed", "destroyed"])
        for told in entry[:2]:
            self.assertEqual(told["reason"], "a copy of the keyring was lost")
        again = keys.run("compromised", "--purpose", "auth", "--term", "1", "--reason", "again", check=False)
        self.assertNotEqual(again.returncode, 0)
        server.kill()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        server.start()
        for person in people:
            server.token_of(person)
        self.assertEqual(server.request("GET", "/fhir/Patient/" + id, token=token).status, 200)

    def entries_until_destroyed(self, server, id):
        """Those about one key; the last comes just behind the destruction."""
        end = time.monotonic() + harness.PATIENCE
        while True:
            entries = [e for e in server.audit() if e.get("target") == id]
            if entries[-1].get("new_value") == "destroyed" or time.monotonic() > end:
                return entries
            time.sleep(0.1)

    def test_K08_a_job_that_was_killed_goes_on_at_the_next_start(self):
        server = self.new_server("classic", harness.UNLIMITED).start()
        token = server.admin()
        keys = Keys(server)
        id = server.create(TELLS, token)
        keys.rotate("--purpose", "auth")
        keys.run("retire", "--purpose", "auth", "--term", "1")
        server.kill()
        server.start()
        server.sign_in_admin()
        keys.wait_destroyed("auth/1")
        self.assertEqual(server.request("GET", "/fhir/Patient/" + id, token=server.admin_token).status, 200)

    def test_K08_killed_while_the_root_key_changes_the_store_opens(self):
        server = self.new_server("classic", harness.UNLIMITED).start()
        server.admin()
        keys = Keys(server)
        id = server.create(TELLS, server.admin_token)
        for pause in (0.0, 0.002, 0.005, 0.01, 0.02, 0.04):
            threads = [threading.Thread(target=self.rotate_root, args=(server,))]
            threads[0].start()
            time.sleep(pause)
            server.kill()
            threads[0].join()
            server.start()
            server.sign_in_admin()
            self.assertEqual(server.request("GET", "/fhir/Patient/" + id, token=server.admin_token).status, 200)
        keys.rotate("--root")
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    @staticmethod
    def rotate_root(server):
        try:
            server.socket_request("POST", "/admin/keys/rotate", {"root": True}, server.admin_token)
        except OSError:
            pass  # it was killed meanwhile
        except Exception:  # http.client: the answer broke off
            pass

    def test_K08_a_passphrase_is_dropped_only_when_that_is_asked_for(self):
        server = self.new_server("classic", harness.UNLIMITED)
        server.cli("slot", "add", "--data", server.data, "--key-file", server.key_file,
                   stdin="a long passphrase in the safe\na long passphrase in the safe\n", check=True)
        server.cli("slot", "add", "--shares", "3", "--threshold", "2", "--data", server.data, "--key-file", server.key_file,
                   check=True)
        server.start()
        server.admin()
        keys = Keys(server)
        slots = keys.of("root")[0]["slots"]
        self.assertEqual([slot["kind"] for slot in slots], ["key file", "passphrase", "shares"])
        before = keys.root()
        refused = keys.run("rotate", "--root", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("dropped", refused.stderr)
        self.assertEqual(keys.root(), before)
        dropped = f"slot {slots[1]['id']} (passphrase), slot {slots[2]['id']} (shares)"
        done, = keys.rotate("--root", "--drop-slots")
        self.assertEqual(done, {"purpose": "root", "before": before, "active": keys.root(), "dropped": dropped})
        self.assertEqual([slot["kind"] for slot in keys.of("root")[0]["slots"]], ["key file"])
        # Who could open the store and cannot any more: both before it and behind it.
        told = [(e["old_value"], e["new_value"]) for e in server.audit() if e.get("target") == "root" and e["outcome"] == 0]
        self.assertEqual(told[-2:], [(f"{before}; dropped: {dropped}", "to be rotated"),
                                     (f"{before}; dropped: {dropped}", keys.root())])
        usage = server.cli("keys", "rotate", "--help").stdout
        self.assertIn("passphrases and shares", usage)

    def test_K08_a_key_that_changed_though_the_command_failed_is_recorded_with_both_ids(self):
        server = self.new_server("classic", harness.UNLIMITED).start()
        server.admin()
        keys = Keys(server)
        before = keys.root()
        # Nothing takes the place of a folder with something in it.
        previous = server.data / "keyring.previous"
        previous.unlink(missing_ok=True)
        previous.mkdir()
        (previous / "in-the-way").touch()
        refused = keys.run("rotate", "--root", check=False)
        self.assertNotEqual(refused.returncode, 0)
        after = keys.root()
        self.assertNotEqual(after, before, "it is in force")
        entry = [e for e in server.audit() if e.get("target") == "root"][-1]
        self.assertEqual((entry["old_value"], entry["new_value"]), (before, after))
        self.assertNotEqual(entry["outcome"], 0)
        # A change of the keyring does what is left first, and cannot.
        failed = keys.run("rotate", "--purpose", "auth", check=False)
        self.assertNotEqual(failed.returncode, 0)
        entry = [e for e in server.audit() if e.get("target") == "auth"][-1]
        self.assertEqual((entry["old_value"], entry.get("new_value", "")), ("auth/1", ""))
        # Once it can, it is done.
        (previous / "in-the-way").unlink()
        previous.rmdir()
        self.assertEqual(keys.rotate("--purpose", "auth")[0]["active"], "auth/2")
        self.assertFalse((server.data / "keyring.next").exists())
        server.stop()
        verified = server.verify()
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)


class Rights(harness.TestCase):
    PATHS = (("GET", "/admin/keys", None), ("POST", "/admin/keys/rotate", {"all": True}),
             ("POST", "/admin/keys/retire", {"purpose": "auth", "term": 1}),
             ("POST", "/admin/keys/compromised", {"purpose": "auth", "term": 1, "reason": "x"}))

    def test_N02_S12_who_has_no_right_to_keys_gets_403_and_who_is_nobody_401(self):
        self.server.admin()
        keys = Keys(self.server)
        auditor = self.server.person("auditor", "auditor")
        token = self.server.token_of(auditor)
        for method, path, body in self.PATHS:
            self.assertEqual(self.server.socket_request(method, path, body, token).status, 403, path)
            self.assertEqual(self.server.socket_request(method, path, body).status, 401, path)
            self.assertEqual(self.server.request(method, path, body, self.server.admin_token).status, 404, path)
        self.assertEqual({key["state"] for key in keys.list().values()}, {"active"})
        denied = [e for e in self.server.audit() if e["event"] in ("admin-denied", "key-operation")]
        self.assertGreaterEqual(len(denied), 2 * len(self.PATHS))

    @unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
    def test_N02_a_second_factor_of_more_than_five_minutes_is_too_old_for_keys(self):
        server = self.new_server().start()
        token = server.admin()
        server.start_at(6 * 60)
        for method, path, body in self.PATHS:
            self.assertEqual(server.socket_request(method, path, body, token).status, 401, path)

    @unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
    def test_K08_the_key_of_links_is_destroyed_when_the_last_of_them_is_too_old(self):
        server = self.new_server().start()
        token = server.admin()
        keys = Keys(server)
        keys.rotate("--purpose", "token")
        keys.run("retire", "--purpose", "token", "--term", "1")
        keys.wait_job("token/1", "waits for what was handed out")
        now = server.start_at(3700)
        person = server.admin_person
        token = json_of(server.log_in(person, totp=person.code(now)))["access_token"]
        end = time.monotonic() + harness.PATIENCE
        while True:
            listed = json_of(server.socket_request("GET", "/admin/keys", token=token))["keys"]
            state = {key["id"]: key["state"] for key in listed}["token/1"]
            if state == "destroyed":
                break
            self.assertLess(time.monotonic(), end, state)
            time.sleep(0.1)

    @unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
    def test_K08_a_key_that_seals_for_too_long_is_said_to_be_overdue(self):
        server = self.new_server().start()
        server.admin()
        now = server.start_at(400 * 24 * 3600)
        person = server.admin_person
        reply = server.log_in(person, totp=person.code(now))
        server.admin_token = json_of(reply)["access_token"]

        def listed():
            answer = server.socket_request("GET", "/admin/keys", token=server.admin_token)
            return {key["id"]: key for key in json_of(answer)["keys"]}

        self.assertTrue(listed()["auth/1"]["overdue"])
        self.assertGreaterEqual(listed()["auth/1"]["age_days"], 399)
        server.socket_request("POST", "/admin/keys/rotate", {"purposes": ["auth"]}, server.admin_token)
        self.assertFalse(listed()["auth/2"]["overdue"])
        self.assertNotIn("overdue", listed()["auth/1"])


if __name__ == "__main__":
    unittest.main()

"""What gives rights or a way in takes two persons (REQUIREMENTS S-12; docs/operating/accounts.md, "Two persons")."""

import json
import threading
import time
import unittest
import uuid

import harness
from harness import json_of

FRESH = 200  # seconds until somebody signs in anew: an administrative act takes a second factor of five minutes


class Two:
    """Administrators of a server, each with a session of his own on its administration socket."""

    def __init__(self, server):
        self.server, self.people, self.sessions = server, {}, {}
        server.admin()
        self.people["alice"] = server.admin_person
        self.sessions["alice"] = (server.admin_token, time.monotonic())

    def token(self, name):
        held, since = self.sessions.get(name, ("", 0))
        if not held or time.monotonic() - since > FRESH:
            held = self.server.token_of(self.people[name])
            self.sessions[name] = (held, time.monotonic())
        return held

    def ask(self, who, method, path, body=None):
        return self.server.socket_request(method, "/admin/" + path, body, self.token(who))

    def post(self, who, path, **body):
        return self.ask(who, "POST", path, body)

    def decide(self, who, deed, id_, **more):
        return self.post(who, "approvals/" + deed, id=id_, **more)

    def request(self, id_, who="bob"):
        return json_of(self.ask(who, "GET", "approvals?id=" + id_))

    def user(self, name, who="alice"):
        users = json_of(self.ask(who, "GET", "users"))["users"]
        return next((each for each in users if each["name"] == name), None)

    def enrolled(self, name, code, id_=""):
        self.people[name] = self.server.enrol(name, code)
        self.people[name].id = id_
        return self.people[name]

    def invited(self, name, role, by="alice", agreed="bob", **more):
        """Adds a person with a second one's agreement, and enrols him."""
        asked = json_of(self.post(by, "users", name=name, role=role, **more))
        self.decide(agreed, "approve", asked["approval"])
        made = json_of(self.decide(by, "collect", asked["approval"]))
        return self.enrolled(name, made["enrolment_code"], made["id"])


def entries(server, token, **wanted):
    """Entries of the log that are so, in order."""
    reply = server.socket_request("GET", "/admin/audit?limit=10000", token=token)
    assert reply.status == 200, reply
    found = sorted(json_of(reply)["entries"], key=lambda entry: entry["sequence"])
    return [e for e in found if all(e.get(name) == value for name, value in wanted.items())]


def name_of(prefix):
    return prefix + "." + uuid.uuid4().hex[:8]


class Approvals(harness.TestCase):
    policy = "hospital"

    @classmethod
    def setUpClass(cls):
        cls.server = harness.Server(cls.policy, approvals=None)  # nothing is said: two
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.two = two = Two(cls.server)
        for name, role in (("bob", "administrator"), ("officer", "privacy-officer")):
            reply = two.post("alice", "users", name=name, role=role)
            if reply.status == 202:  # bob can agree from his enrolment on
                id_ = json_of(reply)["approval"]
                assert two.decide("bob", "approve", id_).status == 200
                reply = two.decide("alice", "collect", id_)
            assert reply.status == 200, reply
            two.enrolled(name, json_of(reply)["enrolment_code"], json_of(reply)["id"])

    def entries(self, **wanted):
        """What the log has of a request or account; by the officer, who may read it."""
        return entries(self.server, self.two.token("officer"), **wanted)

    def waiting(self, reply):
        self.assertEqual(reply.status, 202, reply)
        answer = json_of(reply)
        self.assertEqual(set(answer), {"approval", "expires", "others"})
        return answer["approval"]

    def done(self, reply, state="done"):
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(json_of(reply)["state"], state)

    def test_S12_a_clinical_role_takes_a_second_person_and_the_person_is_told(self):
        two, name = self.two, name_of("florence")
        person = two.invited(name, "nurse")
        session = self.server.token_of(person)
        id_ = self.waiting(two.post("alice", "users/role", name=name, role="doctor"))
        self.assertEqual(two.user(name)["role"], "nurse", "nothing is given before")
        own = two.decide("alice", "approve", id_)
        self.assertEqual(own.status, 403, own)
        self.assertEqual(two.decide("alice", "refuse", id_, reason="x").status, 403)
        shown = two.request(id_)
        self.assertEqual((shown["state"], shown["act"], shown["target"], shown["old"], shown["new"], shown["asked_by"]),
                         ("waiting", "role-changed", name, "nurse", "doctor", "alice"))
        self.assertEqual(shown["body"], {"name": name, "role": "doctor"})
        self.done(two.decide("officer", "approve", id_))
        self.assertEqual(two.user(name)["role"], "doctor")
        for again in ("approve", "refuse"):
            self.assertEqual(two.decide("bob", again, id_, reason="late").status, 409)
        self.assertEqual(two.decide("alice", "withdraw", id_).status, 409)
        told = json_of(self.server.request("GET", "/auth/account", token=session))["notices"]
        self.assertIn("an administrator changed the role of the account", [each["text"] for each in told])
        self.assertIn("notices", json_of(self.server.log_in(person)), "and at the next sign-in")
        asked, = self.entries(event="approval-asked", target=id_)
        self.assertEqual((asked["user"], asked["old_value"], asked["new_value"]),
                         ("alice", "nurse", f"role-changed {name}: doctor"))
        given = self.entries(event="approval-given", target=id_, outcome=0)
        changed = self.entries(event="role-changed", target=name)
        self.assertEqual(([e["user"] for e in given], [e["user"] for e in changed]), (["officer"], ["officer"]))
        self.assertEqual(changed[0]["sequence"], given[0]["sequence"] + 1, "one commit")
        self.assertEqual((changed[0]["old_value"], changed[0]["new_value"]), ("nurse", "doctor"))
        self.assertEqual(changed[0]["reason"], f"request {id_}, asked by alice, approved by officer")

    def test_S12_an_administrator_cannot_give_himself_a_clinical_role(self):
        two = self.two
        id_ = self.waiting(two.post("alice", "users/role", name="alice", role="doctor"))
        self.assertEqual(two.decide("alice", "approve", id_).status, 403)
        self.assertEqual(two.user("alice")["role"], "administrator")
        self.assertEqual(two.decide("bob", "refuse", id_).status, 422, "a refusal says why")
        self.assertEqual(two.decide("bob", "refuse", id_, reason="who would administer?").status, 200)
        self.assertEqual(two.request(id_, "alice")["reason"], "who would administer?")
        self.assertEqual(two.decide("officer", "approve", id_).status, 409)
        self.assertEqual(two.user("alice")["role"], "administrator")
        self.assertEqual(two.post("alice", "users", name=name_of("second"), role="administrator").status, 202,
                         "nor make himself a second administrator")

    def test_S12_S03_a_printed_credential_takes_two_persons_and_is_for_who_asked(self):
        two, name = self.two, name_of("er")
        credentials = []
        for path, body in (("users", {"name": name, "role": "doctor", "emergency": True}), ("users/reseal", {"name": name})):
            id_ = self.waiting(two.post("alice", path, **body))
            self.assertEqual(two.decide("alice", "collect", id_).status, 409)
            self.done(two.decide("officer", "approve", id_), "approved")
            self.assertIn(two.decide("officer", "collect", id_).status, (403, 404))
            told = two.decide("alice", "collect", id_)
            self.assertEqual(told.status, 200, told)
            made = json_of(told)
            self.assertEqual(len(made["codes"]), 10)
            credentials.append(made["passphrase"])
            self.assertEqual(two.decide("alice", "collect", id_).status, 409)
        self.assertNotEqual(*credentials)
        self.assertEqual(two.post("alice", "users/reseal", name="bob").status, 404)

    def test_S12_a_link_is_for_who_asked_after_the_approval_and_once(self):
        two, name = self.two, name_of("house")
        id_ = self.waiting(two.post("alice", "users", name=name, role="doctor"))
        self.assertIsNone(two.user(name))
        self.assertEqual(two.decide("alice", "collect", id_).status, 409, "nobody has approved it")
        approved = two.decide("bob", "approve", id_)
        self.done(approved, "approved")
        self.assertNotIn(b"enrolment", approved.body)
        self.assertEqual(two.decide("bob", "collect", id_).status, 403)
        made = two.decide("alice", "collect", id_)
        self.assertEqual(made.status, 200, made)
        self.assertEqual(two.decide("alice", "collect", id_).status, 409)
        self.assertEqual(two.request(id_)["state"], "done")
        self.assertNotIn("enrolment_code", json.dumps(two.request(id_)))
        two.enrolled(name, json_of(made)["enrolment_code"])
        self.assertEqual(two.user(name)["role"], "doctor")
        added, = self.entries(event="user-added", target=name)
        self.assertEqual((added["user"], added["reason"]),
                         ("alice", f"request {id_}, asked by alice, approved by bob"))

    def test_S12_new_factors_take_a_second_person_who_is_not_their_owner(self):
        two = self.two
        reply = two.post("alice", "users/renew", name="officer")
        id_ = self.waiting(reply)
        able = len([u for u in json_of(two.ask("alice", "GET", "users"))["users"] if u["enabled"] and u["enrolled"]
                    and u["role"] in ("administrator", "privacy-officer")])
        self.assertEqual(json_of(reply)["others"], able - 2, "neither who asked nor whose account it is")
        self.assertEqual(two.decide("officer", "approve", id_).status, 403, "it would be anybody who has the link")
        self.assertEqual(two.decide("officer", "refuse", id_, reason="I have lost nothing").status, 200)
        self.assertEqual(two.decide("alice", "collect", id_).status, 409)
        name = name_of("forgetful")
        person = two.invited(name, "nurse")
        id_ = self.waiting(two.post("bob", "users/renew", name=name))
        self.done(two.decide("alice", "approve", id_), "approved")
        made = json_of(two.decide("bob", "collect", id_))
        told = json_of(self.server.log_in(person))["notices"]
        self.assertTrue(any("invitation" in each["text"] for each in told), told)
        two.enrolled(name, made["enrolment_code"])
        self.assertEqual(self.server.log_in(person).status, 401)

    def test_S12_service_accounts_their_tokens_and_certificates_take_a_second_person(self):
        two, name = self.two, name_of("loader")
        id_ = self.waiting(two.post("alice", "users", name=name, role="loader", service=True))
        self.done(two.decide("bob", "approve", id_))
        id_ = self.waiting(two.post("alice", "tokens", user=name, expires_seconds=600))
        self.done(two.decide("bob", "approve", id_), "approved")
        self.assertEqual(two.user(name)["live_tokens"], 0)
        token = json_of(two.decide("alice", "collect", id_))["access_token"]
        self.assertEqual(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token).status, 201)
        self.assertEqual(two.decide("alice", "collect", id_).status, 409)
        self.waiting(two.post("alice", "users/certificate", name=name, sha256="ab" * 32))
        self.assertEqual(two.post("alice", "tokens", user=name, expires_seconds=9999).status, 400,
                         "what would be refused is not asked for")

    def test_S12_an_application_with_a_role_takes_a_second_person_and_so_do_its_keys(self):
        two, name = self.two, name_of("app")
        body = {"client_id": name, "scope": "system/*.rs", "role": "doctor", "certificate": "cd" * 32}
        id_ = self.waiting(two.post("alice", "clients", **body))
        self.assertEqual(two.request(id_)["body"], body)
        self.done(two.decide("bob", "approve", id_))
        self.assertEqual(two.user(name)["role"], "doctor")
        id_ = self.waiting(two.post("alice", "clients/keys", client_id=name, certificate="ef" * 32))
        self.assertEqual((two.request(id_)["old"], two.request(id_)["new"]),
                         ("certificate " + "cd" * 32, "certificate " + "ef" * 32))
        self.done(two.decide("bob", "approve", id_))
        kept = next(c for c in json_of(two.ask("bob", "GET", "clients"))["clients"] if c["client_id"] == name)
        self.assertEqual(kept["certificate"], "ef" * 32)

    def test_S12_a_policy_takes_a_second_person_and_ends_what_was_asked_under_the_old_one(self):
        two, name = self.two, name_of("pupil")
        two.invited(name, "nurse")
        role = self.waiting(two.post("alice", "users/role", name=name, role="lab"))
        link = self.waiting(two.post("alice", "users", name=name_of("early"), role="nurse"))
        self.done(two.decide("bob", "approve", link), "approved")
        before = json_of(two.ask("bob", "GET", "policy"))
        more = before["toml"].replace("[roles.lab]", '[roles.lab]\nsystem = ["history-system"]')
        id_ = self.waiting(two.post("alice", "policy", toml=more))
        listed = next(e for e in json_of(two.ask("bob", "GET", "approvals"))["approvals"] if e["id"] == id_)
        self.assertNotIn("new", listed, "a list is short")
        self.assertEqual((two.request(id_)["old"], two.request(id_)["new"]), (before["toml"], more))
        self.assertEqual(two.decide("alice", "approve", id_).status, 403)
        self.done(two.decide("bob", "approve", id_))
        self.assertEqual(json_of(two.ask("bob", "GET", "policy"))["version"], before["version"] + 1)
        stale = two.decide("bob", "approve", role)
        self.assertEqual(stale.status, 409, "the role means more than when it was asked")
        self.assertIn("ask again", stale.body.decode())
        self.assertEqual(two.decide("alice", "collect", link).status, 409)
        self.assertEqual(two.user(name)["role"], "nurse")
        other = self.waiting(two.post("alice", "policy", toml=before["toml"]))
        third = self.waiting(two.post("alice", "policy", toml=more + "\n"))
        self.done(two.decide("bob", "approve", other))
        self.assertEqual(two.decide("bob", "approve", third).status, 409)
        self.assertEqual(two.decide("alice", "withdraw", third).status, 200)

    def test_S12_what_changed_meanwhile_is_not_approved(self):
        two = self.two
        for change in ({"path": "users/disable"}, {"path": "users/until", "until": "2100-01-01"}):
            name = name_of("moving")
            two.invited(name, "nurse")
            id_ = self.waiting(two.post("alice", "users/role", name=name, role="doctor"))
            path = change.pop("path")
            self.assertEqual(two.post("alice", path, name=name, **change).status, 200)
            refused = two.decide("bob", "approve", id_)
            self.assertIn(refused.status, (403, 409), refused)
            self.assertEqual(two.user(name)["role"], "nurse")
        name = name_of("moving")
        two.invited(name, "nurse")
        ids = [self.waiting(two.post("alice", "users/role", name=name, role=role)) for role in ("doctor", "lab")]
        self.done(two.decide("bob", "approve", ids[0]))
        self.assertEqual(two.decide("bob", "approve", ids[1]).status, 409)
        self.assertEqual(two.user(name)["role"], "doctor")

    def test_S12_who_asked_or_would_approve_and_was_disabled_does_neither(self):
        two, asker, approver = self.two, name_of("asker"), name_of("approver")
        for name in (asker, approver):
            two.invited(name, "administrator")
            two.token(name)
        id_ = self.waiting(two.post(asker, "users", name=name_of("friend"), role="doctor"))
        kept = self.waiting(two.post("alice", "users", name=name_of("other"), role="doctor", service=True))
        self.assertEqual(two.post("alice", "users/disable", name=asker).status, 200)
        self.assertEqual(two.decide("bob", "approve", id_).status, 409)
        self.assertEqual(two.post("alice", "users/disable", name=approver).status, 200)
        self.assertEqual(two.decide(approver, "approve", kept).status, 401)
        self.done(two.decide("bob", "approve", kept))

    def test_S12_a_later_end_is_given_and_an_earlier_one_taken(self):
        two, name = self.two, name_of("locum")
        two.invited(name, "doctor", until="2100-01-01")
        self.assertEqual(two.post("alice", "users/until", name=name, until="2099-01-01").status, 200)
        self.waiting(two.post("alice", "users/until", name=name, until="2099-01-02"))
        self.waiting(two.post("alice", "users/until", name=name))
        self.assertEqual(two.post("alice", "users/disable", name=name).status, 200)

    def test_S12_who_somebody_is_and_who_sees_what_nobody_else_sees_takes_a_second_person(self):
        two, name = self.two, name_of("treats")
        two.invited(name, "doctor")
        user = two.user(name)["id"]
        waits = [self.waiting(two.post("alice", "users/practitioner", name=name, practitioner="pr-1")),
                 self.waiting(two.post("alice", "access-lists", patient="vip-1", user=name, listed=True))]

        def listed():
            lists = json_of(two.ask("officer", "GET", "access-lists"))["lists"]
            return [each for each in lists if each.get("user") == name]

        self.assertEqual(listed(), [], "nothing is given before")
        for id_ in waits:
            self.assertEqual(two.decide("alice", "approve", id_).status, 403)
            self.done(two.decide("officer", "approve", id_))
        linked, = self.entries(event="practitioner-linked", target=name)
        self.assertEqual((linked["user"], linked["new_value"]), ("officer", "pr-1"))
        put, = self.entries(event="access-list-changed", target=name)
        self.assertEqual((put["old_value"], put["new_value"], put["patients"]), ("not listed", "listed", ["vip-1"]))
        self.assertEqual([each["patient"] for each in listed()], ["vip-1"])
        # Another Practitioner is given anew; the same one, and none, is not.
        other = self.waiting(two.post("alice", "users/practitioner", name=name, practitioner="pr-2"))
        self.assertEqual(two.post("alice", "users/practitioner", name=name, practitioner="pr-1").status, 200)
        self.assertEqual(two.post("bob", "users/practitioner", name=name).status, 200, "what takes waits for nobody")
        self.assertEqual(two.decide("officer", "approve", other).status, 409, "it is not what it was when it was asked")
        # The last one of a patient's list takes with him that every access to the record is watched.
        second = name_of("second")
        two.invited(second, "doctor")
        self.done(two.decide("officer", "approve",
                             self.waiting(two.post("alice", "access-lists", patient="vip-1", user=second, listed=True))))
        self.assertEqual(two.post("alice", "access-lists", patient="vip-1", user=name, listed=False).status, 200)
        last = self.waiting(two.post("alice", "access-lists", patient="vip-1", user=second, listed=False))
        self.done(two.decide("bob", "approve", last))
        self.assertEqual(listed(), [])
        self.assertTrue(user)

    def test_S12_nobody_agrees_to_what_is_about_his_own_account(self):
        two = self.two
        id_ = self.waiting(two.post("alice", "users/practitioner", name="officer", practitioner="pr-9"))
        self.assertEqual(two.decide("officer", "approve", id_).status, 403)
        self.assertEqual(two.decide("officer", "refuse", id_, reason="I treat nobody").status, 200)

    def test_S12_N05_a_wider_list_of_networks_takes_a_second_person_and_a_narrower_one_does_not(self):
        two, name, client = self.two, name_of("placed"), name_of("app")
        two.invited(name, "clerk")
        self.assertEqual(two.post("alice", "clients", client_id=client, scope="user/*.rs",
                                  redirect_uris=["https://app.example.org/cb"]).status, 200)

        def held(path):
            if path == "users/networks":
                return two.user(name).get("networks")
            clients = json_of(two.ask("alice", "GET", "clients"))["clients"]
            return next(each for each in clients if each["client_id"] == client).get("networks")

        for path, who, event in (("users/networks", {"name": name}, "role-changed"),
                                 ("clients/networks", {"client_id": client}, "client-networks-changed")):
            set_to = lambda networks: two.post("alice", path, **who, **({"networks": networks} if networks else {}))  # noqa: E731
            self.assertEqual(set_to(["10.0.0.0/8", "192.0.2.0/24"]).status, 200, path)
            self.assertEqual(set_to(["10.1.0.0/16", "10.2.0.0/16"]).status, 200, path)
            for wider in (None, ["0.0.0.0/0"], ["10.0.0.0/15"], ["10.1.0.0/16", "203.0.113.9"]):
                id_ = self.waiting(set_to(wider))
                self.assertEqual(held(path), ["10.1.0.0/16", "10.2.0.0/16"], path)
                self.assertEqual(two.decide("alice", "withdraw", id_).status, 200)
            late = self.waiting(set_to(["0.0.0.0/0"]))
            self.assertEqual(set_to(["10.1.0.0/16"]).status, 200, path)
            self.assertEqual(two.decide("bob", "approve", late).status, 409, "the list was another one")
            id_ = self.waiting(set_to(["0.0.0.0/0"]))
            self.done(two.decide("bob", "approve", id_))
            self.assertEqual(held(path), ["0.0.0.0/0"], path)
            target = next(iter(who.values()))
            changed = [e for e in self.entries(event=event, target=target) if e.get("old_value") == "networks: 10.1.0.0/16"]
            self.assertEqual([(e["user"], e["new_value"]) for e in changed], [("bob", "networks: 0.0.0.0/0")])

    def test_S12_of_many_reviews_and_links_at_once_one_counts(self):
        two, name = self.two, name_of("raced")
        two.invited(name, "doctor")
        ids = [self.waiting(two.post("alice", "users/practitioner", name=name, practitioner=each)) for each in ("a", "b", "c")]
        statuses = []
        threads = [threading.Thread(target=lambda id_=id_: statuses.append(two.decide("bob", "approve", id_).status))
                   for id_ in ids]
        two.token("bob")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(statuses), [200, 409, 409])
        linked = self.entries(event="practitioner-linked", target=name)
        self.assertEqual([e.get("old_value", "") for e in linked], [""])

    def test_S12_of_many_decisions_at_once_one_counts(self):
        two, name = self.two, name_of("racer")
        two.invited(name, "nurse")
        for name_ in ("alice", "bob", "officer"):
            two.token(name_)
        for role in ("doctor", "lab", "clerk"):
            id_ = self.waiting(two.post("alice", "users/role", name=name, role=role))
            barrier, statuses = threading.Barrier(7), []

            def decide(who, deed):
                barrier.wait()
                statuses.append((two.decide(who, deed, id_, reason="no").status, deed))

            threads = [threading.Thread(target=decide, args=each) for each in
                       (("bob", "approve"), ("officer", "approve"), ("bob", "approve"), ("bob", "refuse"),
                        ("officer", "refuse"), ("alice", "withdraw"), ("alice", "approve"))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            won = [deed for status, deed in statuses if status == 200]
            self.assertEqual(len(won), 1, statuses)
            self.assertTrue({s for s, _ in statuses} <= {200, 403, 404, 409}, statuses)
            self.assertEqual(two.user(name)["role"] == role, won == ["approve"], statuses)
            if won == ["approve"]:
                break
        log = [e for e in self.entries(target=id_, outcome=0) if e["event"] not in ("approval-asked", "approvals-read")]
        self.assertEqual(len(log), 1, log)

    def test_S12_so_many_wait_and_no_more(self):
        two, name = self.two, name_of("greedy")
        two.invited(name, "administrator")
        ids = [self.waiting(two.post(name, "users", name=f"{name}{i}", role="nurse")) for i in range(32)]
        self.assertEqual(two.post(name, "users", name=name + "more", role="nurse").status, 429)
        self.assertEqual(two.post("alice", "users", name=name_of("fine"), role="nurse").status, 202)
        self.assertEqual(two.decide(name, "withdraw", ids[0]).status, 200)
        self.assertEqual(two.request(ids[0]).get("id"), None)
        self.waiting(two.post(name, "users", name=name + "more", role="nurse"))
        for id_ in ids[1:]:
            self.assertEqual(two.decide("bob", "withdraw", id_).status, 403)
        self.assertEqual(two.post("alice", "users/disable", name=name).status, 200)

    def test_S12_who_administers_nothing_sees_and_decides_nothing(self):
        two, name = self.two, name_of("curious")
        two.invited(name, "doctor")
        id_ = self.waiting(two.post("alice", "users", name=name_of("x"), role="nurse"))
        self.assertEqual(two.ask(name, "GET", "approvals").status, 403)
        for deed in ("approve", "refuse", "withdraw", "collect"):
            self.assertEqual(two.decide(name, deed, id_, reason="x").status, 403)
            self.assertEqual(self.server.socket_request("POST", "/admin/approvals/" + deed, {"id": id_}).status, 401)
        self.assertEqual(two.request(id_)["state"], "waiting")
        self.assertEqual(two.decide("bob", "approve", str(uuid.uuid4())).status, 404)
        self.assertEqual(two.decide("bob", "approve", "").status, 404)

    def test_S12_the_command_line_says_what_waits(self):
        server, two, name = self.server, self.two, name_of("typed")
        server.sign_in_admin()
        data = ("--data", server.data)
        asked = server.cli("user", "add", name, "--role", "nurse", "--json", *data)
        self.assertEqual(asked.returncode, 6, asked)
        id_ = json.loads(asked.stdout)["approval"]
        self.assertIn("tacenda approvals approve " + id_, asked.stderr)
        listed = server.cli("approvals", "list", *data, check=True).stdout
        self.assertIn(id_, listed)
        shown = server.cli("approvals", "show", id_, *data, check=True).stdout
        self.assertIn("new: nurse", shown)
        self.assertEqual(server.cli("approvals", "approve", id_, *data).returncode, 4)
        self.done(two.decide("bob", "approve", id_), "approved")
        collected = server.cli("approvals", "collect", id_, *data, check=True).stdout
        self.assertIn("/auth/enrol#", collected)
        self.assertEqual(server.cli("approvals", "withdraw", id_, *data).returncode, 1)
        two.sessions["alice"] = (server.admin_token, time.monotonic())

    def test_S12_kill_9_between_leaves_nothing_half_done(self):
        server, two, name = self.server, self.two, name_of("lasting")
        two.invited(name, "nurse")
        role = self.waiting(two.post("alice", "users/role", name=name, role="doctor"))
        link = self.waiting(two.post("alice", "users", name=name + "2", role="nurse"))
        server.kill()
        server.start()
        self.assertEqual(two.request(role)["state"], "waiting")
        self.done(two.decide("bob", "approve", role))
        self.done(two.decide("bob", "approve", link), "approved")
        server.kill()
        server.start()
        self.assertEqual(two.user(name)["role"], "doctor")
        self.assertEqual(two.decide("bob", "approve", role).status, 409)
        code = json_of(two.decide("alice", "collect", link))["enrolment_code"]
        server.kill()
        server.start()
        self.assertEqual(two.decide("alice", "collect", link).status, 409)
        two.enrolled(name + "2", code)
        # Killed while it decides: it is done with its entries, or waits.
        for _ in range(3):
            role = self.waiting(two.post("alice", "users", name=name_of("svc"), role="loader", service=True))
            target = two.request(role)["target"]

            def approve():
                try:
                    two.decide("bob", "approve", role)
                except OSError:
                    pass

            thread = threading.Thread(target=approve)
            thread.start()
            time.sleep(0.003)
            server.kill()
            thread.join()
            server.start()
            is_done = two.request(role)["state"] == "done"
            self.assertEqual(two.user(target) is not None, is_done)
            self.assertEqual(len(self.entries(event="user-added", target=target)), int(is_done))
            self.assertEqual(len(self.entries(event="approval-given", target=role)), int(is_done))


class Bootstrap(harness.TestCase):
    serve = False

    def test_S12_the_first_administrator_makes_the_second_alone_and_gets_nothing_by_disabling_him(self):
        server = self.new_server(approvals=None).start()
        two = Two(server)
        self.assertEqual(json_of(two.ask("alice", "GET", "status"))["approvals"], 2)
        self.assertEqual(two.post("alice", "users", name="early", role="nurse").status, 200)
        made = two.post("alice", "users", name="bob", role="administrator")
        self.assertEqual(made.status, 200, made)
        self.assertEqual(two.post("alice", "users", name="late", role="nurse").status, 200, "who is invited is nobody yet")
        added = [e for e in server.audit() if e["event"] == "user-added" and e["target"] == "late"]
        self.assertEqual([e["reason"] for e in added], ["sole administrator"])
        two.enrolled("bob", json_of(made)["enrolment_code"])
        self.assertEqual(two.post("alice", "users/disable", name="bob").status, 200, "an end waits for nobody")
        alone = two.post("alice", "users", name="mole", role="doctor")
        self.assertEqual(alone.status, 202, alone)
        self.assertEqual(json_of(alone)["others"], 0)
        server.kill()
        server.start()
        self.assertEqual(two.post("alice", "users/role", name="alice", role="doctor").status, 202)
        self.assertEqual(two.decide("alice", "approve", json_of(alone)["approval"]).status, 403)
        demanded = [e for e in server.audit() if e["event"] == "approvals-demanded"]
        self.assertEqual(len(demanded), 1)
        # The way out is the operating system's owner's, and the log says that it was taken.
        server.stop()
        server.configure("", 1)
        server.start()
        self.assertEqual(two.post("alice", "users", name="carol", role="administrator").status, 200)
        said = [e["new_value"] for e in server.audit() if e["event"] == "unsealed"]
        self.assertEqual((said[0], said[-1]), ("approvals = 2", "approvals = 1"))
        server.stop()
        server.configure("", 2)
        server.start()
        self.assertEqual(two.post("alice", "users", name="mole", role="doctor").status, 202, "what was remembered stays")

    def test_S12_taking_the_role_or_the_end_of_the_other_administrator_gives_nothing_either(self):
        server = self.new_server(approvals=2).start()
        two = Two(server)
        shown = json_of(two.ask("alice", "GET", "policy"))["toml"]
        made = json_of(two.post("alice", "users", name="bob", role="administrator"))
        plain = shown + '\n[roles.porter]\npurposes = ["HOPERAT"]\ndirectory = ["read"]\n'
        self.assertEqual(two.post("alice", "policy", toml=plain).status, 200)
        two.enrolled("bob", made["enrolment_code"])
        self.assertEqual(two.post("alice", "users/role", name="bob", role="porter").status, 200, "it takes, and gives nothing")
        self.assertEqual(two.post("alice", "users", name="mole", role="doctor").status, 202)
        self.assertEqual(two.post("alice", "policy", toml=shown).status, 202)
        self.assertEqual(two.post("alice", "users", name="porter", role="porter").status, 200, "a role without patients' data")
        self.assertEqual(two.post("alice", "users/renew", name="porter").status, 202)

    def test_S12_with_one_person_grants_are_done_at_once(self):
        server = self.new_server(approvals=1).start()
        two = Two(server)
        two.enrolled("bob", json_of(two.post("alice", "users", name="bob", role="administrator"))["enrolment_code"])
        self.assertEqual(two.post("alice", "users/role", name="alice", role="doctor").status, 200)
        self.assertEqual(two.user("alice", "bob")["role"], "doctor")

    def test_S12_other_numbers_are_no_configuration(self):
        for number in (0, 3, '"2"'):
            server = self.new_server(approvals=number)
            with self.assertRaisesRegex(RuntimeError, "approvals must be a whole number from 1 to 2"):
                server.start()


@unittest.skipIf(harness.SANITIZED, "libfaketime does not work with a sanitizer")
class Ends(harness.TestCase):
    serve = False

    def test_S12_a_request_ends_after_a_day_and_a_decision_takes_a_fresh_second_factor(self):
        server = self.new_server(approvals=2).start()
        two = Two(server)
        two.enrolled("bob", json_of(two.post("alice", "users", name="bob", role="administrator"))["enrolment_code"])
        ids = [json_of(two.post("alice", "users", name=name, role="nurse"))["approval"] for name in ("one", "two", "three")]
        old = two.token("bob")
        now = server.start_at(6 * 60)
        stale = server.socket_request("POST", "/admin/approvals/approve", {"id": ids[0]}, old)
        self.assertEqual(stale.status, 401, stale)

        def sign_in(name, clock):
            reply = server.log_in(two.people[name], totp=two.people[name].code(clock))
            self.assertEqual(reply.status, 200, reply)
            return json_of(reply)["access_token"]

        def decide(token, deed, id_):
            return server.socket_request("POST", "/admin/approvals/" + deed, {"id": id_, "reason": "late"}, token)

        bob = sign_in("bob", now)
        for id_ in ids[:2]:
            self.assertEqual(decide(bob, "approve", id_).status, 200)
        now = server.start_at(24 * 3600 + 3 * 60)
        alice, bob = sign_in("alice", now), sign_in("bob", now)
        for deed in ("approve", "refuse"):
            self.assertEqual(decide(bob, deed, ids[2]).status, 409, deed)
        self.assertEqual(decide(alice, "withdraw", ids[2]).status, 409)
        self.assertEqual(decide(alice, "collect", ids[0]).status, 200, "what was approved has a day of its own")
        now = server.start_at(25 * 3600)
        alice = sign_in("alice", now)
        self.assertEqual(decide(alice, "collect", ids[1]).status, 409)
        listed = json_of(server.socket_request("GET", "/admin/approvals", token=alice))["approvals"]
        self.assertEqual({each["id"]: each["state"] for each in listed},
                         {ids[0]: "done", ids[1]: "expired", ids[2]: "expired"})
        ended, end = set(), time.monotonic() + harness.PATIENCE
        while ended != set(ids[1:]) and time.monotonic() < end:  # the server looks once a second
            ended = {e["target"] for e in entries(server, alice, event="approval-expired")}
            time.sleep(0.2)
        self.assertEqual(ended, set(ids[1:]))


if __name__ == "__main__":
    unittest.main()

"""Accounts and groups that the hospital's identity provider keeps over SCIM 2.0 (RFC 7643, RFC 7644; S-02, S-11, S-12)."""

import json
import unittest

import applications
import harness
from harness import json_of

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
RULES = """
[provisioning]
roles = ["doctor", "nurse"]
[[provisioning.groups]]
group = "Doctors"
role = "doctor"
[[provisioning.groups]]
group = "g-nurses"
role = "nurse"
"""


class Scim(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.service("idp", "provisioner")
        shown = cls.server.cli("policy", "show", "--data", cls.server.data, check=True).stdout
        cls.policy_text = shown
        cls.set_policy(shown + RULES)
        cls.number = 0

    @classmethod
    def set_policy(cls, text, check=True):
        path = cls.server.root / "policy.toml"
        path.write_text(text)
        return cls.server.cli("policy", "set", path, "--data", cls.server.data, check=check)

    def call(self, method, path, body=None, token=None, **more):
        return self.server.request(method, "/scim/v2" + path, body, token=token or self.token, **more)

    def fresh(self, stem):
        type(self).number += 1
        return f"{stem}{self.number}"

    def user(self, name=None, **more):
        reply = self.call("POST", "/Users", {"schemas": [USER], "userName": name or self.fresh("dr."), **more})
        self.assertEqual(reply.status, 201, reply.body)
        return json_of(reply)

    def group(self, name, members=(), **more):
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members], **more}
        reply = self.call("POST", "/Groups", body)
        self.assertEqual(reply.status, 201, reply.body)
        return json_of(reply)

    def patch(self, path, *operations, **more):
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **more)

    def roles(self, user):
        reply = self.call("GET", "/Users/" + user["id"])
        return [role["value"] for role in json_of(reply).get("roles", [])]

    def doctors(self):
        found = json_of(self.call("GET", "/Groups?filter=displayName%20eq%20%22Doctors%22"))["Resources"]
        return found[0] if found else self.group("Doctors")

    def signed_in(self, user):
        """The user with factors of his own, and an access token."""
        renewed = self.server.cli("user", "renew", user["userName"], "--data", self.server.data, "--json", check=True)
        person = self.server.enrol(user["userName"], json.loads(renewed.stdout)["enrolment_code"])
        return person, self.server.token_of(person)

    def refusal(self, reply, status, kind=None):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers["content-type"], "application/scim+json")
        body = json_of(reply)
        self.assertEqual(body["schemas"], ["urn:ietf:params:scim:api:messages:2.0:Error"])
        self.assertEqual(body["status"], str(status))
        self.assertEqual(body.get("scimType"), kind)

    def test_S01_only_a_service_that_provisions_gets_in_and_it_does_nothing_else(self):
        for path in ("/Users", "/Groups", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes"):
            self.assertEqual(self.server.request("GET", "/scim/v2" + path).status, 401)
        loader = self.server.service(self.fresh("loader"), "loader")
        for token in (self.server.admin(), loader, self.server.token_of(self.server.person("dr.curious", "doctor"))):
            for method, path, body in (("GET", "/Users", None), ("POST", "/Users", {"userName": "x"}),
                                       ("DELETE", "/Users/x", None), ("GET", "/ServiceProviderConfig", None)):
                self.refusal(self.call(method, path, body, token), 403)
        # A person with the role has no right either.
        person = self.server.person("dr.provisioner", "provisioner")
        self.refusal(self.call("GET", "/Users", token=self.server.token_of(person)), 403)
        for method, path in (("GET", "/fhir/Patient"), ("POST", "/fhir/Patient"), ("GET", "/fhir/AuditEvent"),
                             ("GET", "/fhir/$export"), ("GET", "/auth/account")):
            body = {"resourceType": "Patient"} if method == "POST" else None
            self.assertEqual(self.server.request(method, path, body, token=self.token).status, 403, path)
        self.assertEqual(self.server.socket_request("GET", "/admin/users", token=self.token).status, 403)

    def test_it_says_what_it_can(self):
        config = json_of(self.call("GET", "/ServiceProviderConfig"))
        self.assertEqual([config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag", "changePassword")],
                         [True, False, True, False, True, False])
        types = json_of(self.call("GET", "/ResourceTypes"))
        self.assertEqual([one["endpoint"] for one in types["Resources"]], ["/Users", "/Groups"])
        for one in types["Resources"]:
            self.assertEqual(json_of(self.call("GET", "/ResourceTypes/" + one["id"])), one)
            schema = json_of(self.call("GET", "/Schemas/" + one["schema"]))
            self.assertEqual(schema["id"], one["schema"])
        self.refusal(self.call("GET", "/Schemas/urn:nothing"), 404)
        self.refusal(self.call("POST", "/Bulk", {"Operations": []}), 400)
        self.refusal(self.call("GET", "/Me"), 404)
        self.refusal(self.call("DELETE", "/Users"), 405)

    def test_a_user_is_made_found_replaced_and_patched(self):
        name = self.fresh("Ada.") + "@Example.org"
        made = self.call("POST", "/Users", {"schemas": [USER], "userName": name, "externalId": name + "-e", "password": "x" * 20,
                                            "emails": [{"value": "ada@example.org"}], "displayName": "Ada"})
        self.assertEqual(made.status, 201, made.body)
        user = json_of(made)
        self.assertEqual(made.headers["location"], user["meta"]["location"])
        self.assertEqual(made.headers["etag"], user["meta"]["version"])
        self.assertEqual((user["active"], user["userName"], "emails" in user, "password" in user), (True, name, False, False))
        self.assertEqual(json_of(self.call("GET", "/Users/" + user["id"])), user)
        for text in (f'userName eq "{name.upper()}"', f'externalId eq "{name}-e" and active eq true',
                     f'id eq "{user["id"]}"', f'userName sw "ada." and meta.lastModified gt "2020-01-01T00:00:00Z" and externalId pr'
                     f' and userName ew "{name}"'):
            found = json_of(self.call("GET", "/Users?filter=" + harness.urllib.parse.quote(text)))
            self.assertEqual([one["id"] for one in found["Resources"]], [user["id"]], text)
        self.assertEqual(json_of(self.call("GET", "/Users?filter=userName%20eq%20%22nobody%22"))["totalResults"], 0)
        replaced = self.call("PUT", "/Users/" + user["id"], {"schemas": [USER], "userName": name, "displayName": "Ada King"})
        self.assertEqual(replaced.status, 200, replaced.body)
        self.assertEqual((json_of(replaced).get("externalId"), json_of(replaced)["displayName"]), (None, "Ada King"))
        stale = {"If-Match": user["meta"]["version"]}
        self.refusal(self.patch("/Users/" + user["id"], {"op": "replace", "path": "displayName", "value": "A"}, headers=stale), 412)
        fresh = {"If-Match": replaced.headers["etag"]}
        patched = self.patch("/Users/" + user["id"], {"op": "Replace", "path": "displayName", "value": "A"}, headers=fresh)
        self.assertEqual((patched.status, json_of(patched)["displayName"]), (200, "A"))
        self.assertEqual(set(json_of(self.call("GET", f"/Users/{user['id']}?attributes=userName"))), {"schemas", "id", "meta", "userName"})

    def test_lists_come_in_pages(self):
        stem = self.fresh("page")
        ids = sorted(self.user(f"{stem}.{i}")["id"] for i in range(5))
        query = f"/Users?filter=userName%20sw%20%22{stem}.%22"
        seen = []
        for start in (1, 3, 5):
            page = json_of(self.call("GET", query + f"&startIndex={start}&count=2"))
            self.assertEqual((page["totalResults"], page["startIndex"], page["itemsPerPage"]), (5, start, len(page["Resources"])))
            seen += [one["id"] for one in page["Resources"]]
        self.assertEqual(seen, ids)
        self.assertEqual(json_of(self.call("GET", query + "&count=0"))["Resources"], [])
        self.assertEqual(json_of(self.call("GET", query + "&startIndex=-3&count=-1"))["itemsPerPage"], 0)
        self.refusal(self.call("GET", query + "&count=many"), 400, "invalidValue")

    def test_what_is_wrong_is_told_in_words_of_the_standard(self):
        user = self.user()
        self.refusal(self.call("POST", "/Users", {"userName": user["userName"].upper()}), 409, "uniqueness")
        self.refusal(self.call("POST", "/Users", {"userName": "alice"}), 409, "uniqueness")
        self.refusal(self.call("POST", "/Users", {"displayName": "x"}), 400, "invalidValue")
        self.refusal(self.call("POST", "/Users", "{"), 400, "invalidSyntax")
        self.refusal(self.call("POST", "/Users", " " * (2 << 20) + "{}"), 413, "tooMany")
        self.refusal(self.call("GET", "/Users?filter=userName%20is%20x"), 400, "invalidFilter")
        self.refusal(self.call("GET", "/Users?filter=" + "(" * 100), 413, "invalidFilter")
        self.refusal(self.patch("/Users/" + user["id"], {"op": "replace", "path": "roles", "value": "administrator"}), 400, "mutability")
        self.refusal(self.patch("/Users/" + user["id"], {"op": "replace", "path": "a[", "value": 1}), 400, "invalidPath")
        self.refusal(self.patch("/Users/nobody", {"op": "replace", "path": "active", "value": False}), 404)

    def test_S12_groups_give_the_roles_of_the_policy_and_no_others(self):
        user = self.user()
        self.assertEqual(self.roles(user), [])
        self.group(self.fresh("Gardeners "), [user["id"]])
        administrators = self.group("administrator", [user["id"]])
        self.assertEqual(self.roles(user), [])
        person, token = self.signed_in(user)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)
        doctors, mark = self.doctors(), self.server.audit_size()
        self.assertEqual(self.patch("/Groups/" + doctors["id"], {"op": "Add", "path": "members", "value": [{"value": user["id"]}]}).status, 200)
        self.assertEqual(self.roles(user), ["doctor"])
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
        told = [e for e in self.server.audit_after(mark) if e["event"] == "role-changed"]
        self.assertEqual([(e["target"], e["old_value"], e["new_value"]) for e in told],
                         [(user["userName"], "not in Doctors, role none", "in Doctors, role doctor")])
        nurses = self.group("Ward", [user["id"]], externalId="g-nurses")
        self.assertEqual(self.roles(user), ["doctor"], "the first rule counts")
        reply = self.patch("/Groups/" + doctors["id"], {"op": "Remove", "path": "members", "value": [{"value": user["id"]}]})
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.roles(user), ["nurse"])
        self.assertEqual(self.patch("/Groups/" + nurses["id"], {"op": "remove", "path": f'members[value eq "{user["id"]}"]'}).status, 200)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)
        # An administrator gives no role beside the groups, and the policy is where the rules are.
        refused = self.server.cli("user", "role", user["userName"], "--role", "administrator", "--data", self.server.data)
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(self.patch("/Groups/" + doctors["id"], {"op": "add", "value": {"members": [{"value": user["id"]}]}}).status, 200)
        self.set_policy(self.policy_text)
        self.assertEqual(self.roles(user), [], "a rule that is gone gives nothing any more")
        self.set_policy(self.policy_text + RULES)
        self.assertEqual(self.roles(user), ["doctor"])
        for path in (doctors, administrators, nurses):
            self.assertEqual(self.call("DELETE", "/Groups/" + path["id"]).status, 204)
        self.refusal(self.call("GET", "/Groups/" + doctors["id"]), 404)
        self.assertEqual(self.roles(user), [])

    def test_a_policy_gives_no_role_by_groups_that_it_does_not_list(self):
        for rules in (RULES.replace('"doctor", "nurse"', '"nurse"'), RULES.replace('"nurse"]', '"nurse", "patient"]'),
                      RULES.replace('"nurse"]', '"nurse", "provisioner"]')):
            self.assertNotEqual(self.set_policy(self.policy_text + rules, check=False).returncode, 0)

    def test_S11_a_suspension_ends_everything_at_once(self):
        user = self.user()
        doctors = self.doctors()
        self.patch("/Groups/" + doctors["id"], {"op": "add", "path": "members", "value": [{"value": user["id"]}]})
        person, token = self.signed_in(user)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
        mark = self.server.audit_size()
        reply = self.patch("/Users/" + user["id"], {"op": "Replace", "path": "active", "value": "False"})
        self.assertEqual((reply.status, json_of(reply)["active"]), (200, False))
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
        self.assertEqual(self.server.log_in(person, source="127.0.4.1").status, 401)
        told = [e for e in self.server.audit_after(mark) if e["event"] == "user-disabled"]
        self.assertEqual([(e["target"], e["user"], e["old_value"], e["new_value"]) for e in told],
                         [(user["userName"], "idp", "active", "suspended")])
        # A replacement that says nothing of it does not bring him back.
        self.assertFalse(json_of(self.call("PUT", "/Users/" + user["id"], {"userName": user["userName"]}))["active"])
        self.assertTrue(json_of(self.patch("/Users/" + user["id"], {"op": "replace", "value": {"active": True}}))["active"])
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
        self.assertEqual(self.server.log_in(person, source="127.0.4.2").status, 200)

    def test_S02_a_deleted_user_is_gone_and_neither_id_nor_name_come_back(self):
        user = self.user()
        _, token = self.signed_in(user)
        mark = self.server.audit_size()
        self.assertEqual(self.call("DELETE", "/Users/" + user["id"]).status, 204)
        self.assertEqual(self.server.request("GET", "/auth/account", token=token).status, 401)
        self.assertIn("user-deleted", [e["event"] for e in self.server.audit_after(mark)])
        for method, body in (("GET", None), ("DELETE", None), ("PUT", {"userName": user["userName"]})):
            self.refusal(self.call(method, "/Users/" + user["id"], body), 404)
        again = self.user(user["userName"])
        self.assertNotEqual(again["id"], user["id"])
        listed = json.loads(self.server.cli("user", "list", "--json", "--data", self.server.data, check=True).stdout)["users"]
        names = {one["id"]: (one["name"], one["enabled"]) for one in listed}
        self.assertEqual(names[user["id"]], (user["userName"], False))
        self.assertEqual(names[again["id"]], (user["userName"] + "-2", True))

    def test_accounts_of_administrators_are_out_of_reach_until_one_is_linked(self):
        person = self.server.person("dr.local", "doctor")
        token = self.server.token_of(person)
        for method, body in (("GET", None), ("DELETE", None), ("PUT", {"userName": "dr.local", "active": False})):
            self.refusal(self.call(method, "/Users/" + person.id, body), 404)
        self.refusal(self.call("POST", "/Groups", {"displayName": self.fresh("g"), "members": [{"value": person.id}]}), 400, "invalidValue")
        self.assertEqual(json_of(self.call("GET", "/Users?filter=userName%20eq%20%22dr.local%22"))["totalResults"], 0)
        mark = self.server.audit_size()
        self.server.cli("user", "link", "dr.local", "--external-id", "e-local", "--data", self.server.data, check=True)
        self.assertIn("user-linked", [e["event"] for e in self.server.audit_after(mark)])
        found = json_of(self.call("GET", "/Users?filter=externalId%20eq%20%22e-local%22"))["Resources"]
        self.assertEqual([one["id"] for one in found], [person.id])
        self.assertEqual(self.roles(found[0]), ["doctor"], "the role stays the administrator's")
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 200)
        self.assertEqual(self.patch("/Users/" + person.id, {"op": "replace", "path": "active", "value": False}).status, 200)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 401)
        remove = ("user", "link", "dr.local", "--remove", "--data", self.server.data)
        self.assertEqual(self.server.cli(*remove).returncode, 1, "it would open what the provider has closed")
        self.assertEqual(self.patch("/Users/" + person.id, {"op": "replace", "path": "active", "value": True}).status, 200)
        self.server.cli(*remove, check=True)
        self.refusal(self.call("GET", "/Users/" + person.id), 404)

    def test_whom_an_administrator_disabled_nobody_opens(self):
        user = self.user()
        self.server.cli("user", "disable", user["userName"], "--data", self.server.data, check=True)
        self.assertFalse(json_of(self.call("GET", "/Users/" + user["id"]))["active"])
        self.refusal(self.patch("/Users/" + user["id"], {"op": "replace", "path": "active", "value": True}), 403)

    def test_a_long_token_is_for_provisioning_alone(self):
        self.server.cli("user", "add", "idp.long", "--role", "provisioner", "--service", "--data", self.server.data, check=True)
        issue = ("token", "issue", "--user", "idp.long", "--json", "--data", self.server.data, "--expires")
        token = json.loads(self.server.cli(*issue, "180d", check=True).stdout)["access_token"]
        self.assertNotEqual(self.server.cli(*issue, "181d").returncode, 0)
        self.assertEqual(self.call("GET", "/Users", token=token).status, 200)
        self.server.cli("user", "role", "idp.long", "--role", "loader", "--data", self.server.data, check=True)
        self.assertEqual(self.server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token=token).status, 403)
        self.assertNotEqual(self.server.cli(*issue, "2h").returncode, 0)
        self.server.cli("user", "disable", "idp.long", "--data", self.server.data, check=True)
        self.assertEqual(self.call("GET", "/Users", token=token).status, 401)

    def test_a_backend_service_needs_the_scope_scim(self):
        with applications.folder() as folder:
            key = applications.Key(folder)
            service = applications.Client(self.server, "idp.app", key, "scim", "provisioner")
            token = service.token("scim")
            self.assertEqual(self.call("GET", "/Users", token=token).status, 200)
            self.assertEqual(self.server.request("GET", "/fhir/Patient", token=token).status, 403)
            other = applications.Client(self.server, "idp.other", key, "system/*.rs", "provisioner")
            self.refusal(self.call("GET", "/Users", token=other.token("system/*.rs")), 403)
            self.assertEqual(other.ask(scope="scim").status, 400, "it is not registered for that")
        # People's applications are given no such thing.
        self.assertNotEqual(self.server.cli("client", "add", "idp.person", "--public", "--redirect-uri", "https://a.example.org/cb",
                                            "--scope", "scim openid", "--data", self.server.data).returncode, 0)

    def test_everything_is_there_behind_a_restart(self):
        server = self.new_server().start()
        token = server.service("idp", "provisioner")
        def call(method, path, body=None):
            return json_of(server.request(method, "/scim/v2" + path, body, token=token))
        users = [call("POST", "/Users", {"userName": f"u{i}", "externalId": f"e{i}", "active": i != 1}) for i in range(3)]
        group = call("POST", "/Groups", {"displayName": "Doctors", "members": [{"value": users[0]["id"]}, {"value": users[1]["id"]}]})
        server.request("DELETE", "/scim/v2/Users/" + users[2]["id"], token=token)
        before = (call("GET", "/Users"), call("GET", "/Groups"))
        self.assertEqual(before[0]["totalResults"], 2)
        self.assertEqual([member["value"] for member in before[1]["Resources"][0]["members"]],
                         sorted((users[0]["id"], users[1]["id"])))
        self.assertEqual(before[1]["Resources"][0]["id"], group["id"])
        server.stop()
        server.start()
        server.sign_in_admin()
        token = server.service_token("idp")
        after = (call("GET", "/Users"), call("GET", "/Groups"))
        # The address that the server names has another port now.
        def without_ports(lists):
            return [[{k: v for k, v in one.items() if k not in ("meta", "members", "groups")} for one in page["Resources"]]
                    for page in lists]
        self.assertEqual(without_ports(after), without_ports(before))
        self.assertEqual([m["value"] for m in after[1]["Resources"][0]["members"]],
                         [m["value"] for m in before[1]["Resources"][0]["members"]])


if __name__ == "__main__":
    unittest.main()

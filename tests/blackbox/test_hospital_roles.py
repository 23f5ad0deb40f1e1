"""Every role of the policy `hospital`, every verb and type against what its work needs (REQUIREMENTS O-01, S-01, P-01).

The table is written by hand, after docs/operating/access.md and what each role is there for, and not after the policy's
file: a right that somebody adds or takes away there is noticed here.
"""

import unittest

import harness
from harness import json_of
from test_decisions import ACT, InHospital, consent, label, observation

VERBS = {"C": "create", "R": "read", "V": "vread", "S": "search", "H": "history of one", "T": "history of the type",
         "U": "update", "D": "delete"}
TYPES = ("Patient", "Observation", "MedicationRequest", "Encounter", "ServiceRequest", "Consent", "Organization", "ValueSet")
# Records of care that a role keeps, one that it only looks at; nobody who treats deletes or walks through a type.
KEEP, LOOK, SEE = "CRVSHU", "RVSH", "RVS"
TABLE = {
    #                   Patient   Observation  Medication  Encounter  Service   Consent    Organization  ValueSet
    "doctor":          (KEEP,     KEEP,        KEEP,       KEEP,      KEEP,     LOOK,      SEE,          ""),
    "nurse":           (KEEP,     KEEP,        "",         KEEP,      KEEP,     LOOK,      SEE,          ""),
    # Registers and admits; takes the consent that is signed at the desk, and reads none.
    "clerk":           ("CRS",    "",          "",         "CRS",     "",       "C",       SEE,          ""),
    "pharmacist":      ("RS",     "",          KEEP,       "",        "",       "",        SEE,          ""),
    # Reads orders, brings findings, and changes none.
    "lab":             ("RS",     "CRS",       "",         "",        "RS",     "",        SEE,          ""),
    "auditor":         ("",       "",          "",         "",        "",       "",        "",           ""),
    # Corrects and removes what others made; makes no record of care himself.
    "privacy-officer": ("RVSHTUD", "RVSHTUD",  "RVSHTUD",  "RVSHTUD", "RVSHTUD", "CRVSHTUD", "CRVSHTUD", "CRVSHTUD"),
    "researcher":      ("RS",     "RS",        "RS",       "RS",      "RS",     "RS",      "",           ""),
    # His own record; its consents are his to give and to withdraw.
    "patient":         (LOOK,     LOOK,        LOOK,       LOOK,      LOOK,     "CRVSHU",  "",           ""),
    "proxy":           (LOOK,     LOOK,        LOOK,       LOOK,      LOOK,     "CRVSHU",  "",           ""),
    # Not of the ten: who runs the server reads nothing, who brings records in reads nothing either.
    "administrator":   ("",       "",          "",         "",        "",       "",        "",           ""),
    "loader":          ("C",      "C",         "C",        "C",       "C",      "C",       "C",          "C"),
}
ROLES = [role for role in TABLE if role not in ("administrator", "loader")]


class HospitalRoles(InHospital):
    config = harness.UNLIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = cls.willing("dr", "nurse")
        more = {"patient": ("--patient", cls.own), "proxy": ("--patient", cls.own, "--until", "2100-01-01")}
        cls.tokens.update({"loader": cls.loader, "administrator": cls.server.admin()})
        for role in ROLES:
            if role not in cls.people:
                cls.person("the." + role, role, *more.get(role, ()))
            cls.tokens[role] = cls.tokens[cls.people[role].name]

        # One connection for all that is asked: there is much of it.
        cls.held = cls.server.connect()
        cls.addClassCleanup(cls.held.close)

    def setUp(self):
        self.held.close()  # opened anew by the next request, before the server ends what was idle

    def ask(self, who, path, method="GET", body=None, headers=None):
        return self.held.request(method, "/fhir/" + path, body, self.tokens[who], headers)

    @classmethod
    def person(cls, name, role, *more):
        """Adds somebody; the first of a role stands for it."""
        person = cls.server.person(name, role, *more)
        cls.tokens[name] = cls.server.token_of(person)
        cls.people = {role: person, **getattr(cls, "people", {})}

    @classmethod
    def willing(cls, *names):
        """A patient whom they treat and who has consented to research."""
        patient = cls.make({"resourceType": "Patient"})
        for name in names:
            cls.make(cls.body("Encounter", patient, name))
        cls.make(cls.body("Consent", patient))
        return patient

    @classmethod
    def body(cls, kind, patient, name="dr"):
        needed = {
            "Patient": {},
            "Observation": observation(patient),
            "MedicationRequest": {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "x"}},
            "Encounter": {"status": "in-progress", "class": {"code": "IMP"},
                          "participant": [{"individual": {"reference": "Practitioner/" + cls.practitioners[name]}}]},
            "ServiceRequest": {"status": "active", "intent": "order", "code": {"text": "x"}},
            "Consent": consent(patient, "OPTIN", {"purpose": [{"system": ACT, "code": "HRESCH"}]}),
            "Organization": {"name": "x"}, "ValueSet": {"status": "draft"}}[kind]
        of_him = {} if kind in ("Patient", "Consent", "Organization", "ValueSet") else {
            "subject": {"reference": "Patient/" + patient}}
        return {"resourceType": kind, **needed, **of_him}

    def made(self, role, kind):
        """A resource of the type as the role meets it: of whom it treats, of who has consented, of the patient himself."""
        if kind == "Patient":
            id_ = self.own if role in ("patient", "proxy") else self.willing("dr", "nurse")
            return {"resourceType": "Patient", "id": id_}
        body = self.body(kind, self.own)
        return {**body, "id": self.make(body)}

    @staticmethod
    def ask_for(verb, resource):
        kind, place = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
        fresh = {name: value for name, value in resource.items() if name != "id"}
        return {"C": ("POST", kind, fresh), "R": ("GET", place, None), "V": ("GET", place + "/_history/1", None),
                "S": ("GET", f"{kind}?_id={resource['id']}", None), "H": ("GET", place + "/_history", None),
                "T": ("GET", kind + "/_history?_count=1", None), "U": ("PUT", place, resource),
                "D": ("DELETE", place, None)}[verb]

    def test_O01_each_role_of_the_hospital_may_what_the_table_says_and_nothing_else(self):
        for role, rights in TABLE.items():
            for kind, allowed in zip(TYPES, rights, strict=True):
                resource = self.made(role, kind)
                for verb, word in VERBS.items():
                    method, path, body = self.ask_for(verb, resource)
                    reply = self.ask(role, path, method, body)
                    with self.subTest(role=role, type=kind, verb=word):
                        if verb in allowed:
                            self.assertIn(reply.status, (200, 201, 204), reply.body)
                            if verb == "S":
                                self.assertEqual([e["resource"]["id"] for e in json_of(reply)["entry"]], [resource["id"]])
                        else:
                            self.assertIn(reply.status, (403, 404), reply.body)

    def test_O01_whose_records_each_role_sees(self):
        """Of a patient whom nobody treats, and who has consented to nothing."""
        stranger = self.make({"resourceType": "Patient"})
        finding = self.make(observation(stranger))
        order = self.make(self.body("MedicationRequest", stranger))
        seen = {"clerk": {"Patient"}, "pharmacist": {"Patient", "MedicationRequest"}, "lab": {"Patient", "Observation"},
                "privacy-officer": {"Patient", "Observation", "MedicationRequest"}}
        for role in ROLES:
            found = {path.split("/")[0] for path in ("Patient/" + stranger, "Observation/" + finding, "MedicationRequest/" + order)
                     if self.ask(role, path).status == 200}
            self.assertEqual(found, seen.get(role, set()), role)
            for path in (f"Observation?subject=Patient/{stranger}&_summary=count", f"Patient?_id={stranger}&_summary=count"):
                reply = self.ask(role, path)
                if reply.status == 200:
                    self.assertEqual(int(json_of(reply)["total"]), int(path.split("?")[0] in found), (role, path))

    def test_O01_how_secret_a_record_each_role_sees(self):
        """Of the patient himself: nothing of his own record is closed to him, and who acts for him is bound by labels."""
        seen = {"": set(ROLES) - {"clerk", "pharmacist", "auditor"}, "R": {"doctor", "lab", "privacy-officer", "patient"},
                "V": {"privacy-officer", "patient"}, "HIV": {"doctor", "lab", "privacy-officer", "patient"},
                "PSY": {"doctor", "privacy-officer", "patient"}, "PSYTHPN": {"privacy-officer", "patient"}}
        for code, roles in seen.items():
            finding = self.make(observation(self.own, **({"meta": label(code)} if code else {})))
            self.assertEqual({role for role in ROLES if self.ask(role, "Observation/" + finding).status == 200}, roles, code)

    def test_O01_what_is_no_type_of_record_is_for_few(self):
        mark = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "unconscious"}]}
        stranger = self.make({"resourceType": "Patient"})
        waiting = {"Prefer": "respond-async"}
        for role in ROLES:  # some of it is for a second factor of the last five minutes, whoever asks
            self.tokens[role] = self.server.token_of(self.people[role])
        self.held.close()
        for role in ROLES:
            asked = {"system history": self.ask(role, "_history?_count=1").status,
                     "export": self.ask(role, "$export", headers=waiting).status,
                     "export of patients": self.ask(role, "Patient/$export", headers=waiting).status,
                     "emergency": self.ask(role, f"Patient/{stranger}/$break-glass", "POST", mark).status,
                     "log": self.ask(role, "AuditEvent?_count=1").status}
            allowed = {name for name, status in asked.items() if status < 300}
            self.assertLessEqual(set(asked.values()), {200, 202, 403, 404}, (role, asked))
            self.assertEqual(allowed, {"privacy-officer": {"system history", "log"}, "auditor": {"log"},
                                       "doctor": {"emergency"}, "nurse": {"emergency"}, "patient": {"log"}, "proxy": {"log"}}
                             .get(role, set()), (role, asked))

    def test_W04_no_role_but_those_that_administer_does_so(self):
        """Over the socket: the rights of administration are the administrator's, and reviews the privacy officer's."""
        for role in ROLES:
            for method, path, body in (("POST", "/admin/users", {"name": "x", "role": "doctor"}), ("GET", "/admin/users", None),
                                       ("POST", "/admin/users/disable", {"name": "dr"}), ("POST", "/admin/seal", {})):
                reply = self.server.socket_request(method, path, body, self.tokens[role])
                self.assertIn(reply.status, (401, 403), (role, path))
        self.assertEqual(self.ask("dr", "Patient/" + self.own).status, 200)


if __name__ == "__main__":
    unittest.main()

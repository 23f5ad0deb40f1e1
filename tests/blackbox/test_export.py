"""Bulk Data $export: kick-off, status, files, cancel, expiry, restarts, whose it is, what is on the disk."""

import concurrent.futures
import datetime
import json
import threading
import time
import unittest
import urllib.parse

import bundles
import harness

SAMPLES = sorted((harness.REPOSITORY / "samples").glob("*.json"))
ASYNC = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
CONFIG = "[export]\nkeep-seconds = 3600\n"


def place_of(resource):
    return f"{resource['resourceType']}/{resource['id']}"


class Exports(harness.TestCase):
    policy = "classic"
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.loaded = load_samples(cls.server)
        cls.exporter = cls.server.service("exporter", "exporter")

    # --- the steps of an export ---

    def kick_off(self, path="/fhir/$export", token=None, server=None, headers=None, **options):
        reply = (server or self.server).request(options.get("method", "GET"), path, body=options.get("body"),
                                                token=token or self.exporter, headers={**ASYNC, **(headers or {})})
        return reply

    def start(self, path="/fhir/$export", **options):
        """Starts an export; gives the path of its status."""
        reply = self.kick_off(path, **options)
        self.assertEqual((reply.status, reply.body), (202, b""), reply)
        return urllib.parse.urlparse(reply.headers["content-location"]).path

    def wait(self, status, token=None, server=None):
        """The manifest."""
        end = time.monotonic() + harness.PATIENCE
        while time.monotonic() < end:
            reply = (server or self.server).request("GET", status, token=token or self.exporter)
            if reply.status != 202:
                break
            self.assertRegex(reply.headers["x-progress"], r"^\d+ resources prepared$")
            self.assertGreater(int(reply.headers["retry-after"]), 0)
            time.sleep(0.05)
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.headers["content-type"], "application/json")
        return harness.json_of(reply)

    def lines(self, manifest, token=None, server=None, part="output"):
        """Each line of each file as (type that the manifest says, text)."""
        found = []
        for file in manifest[part]:
            reply = (server or self.server).request("GET", urllib.parse.urlparse(file["url"]).path,
                                                    token=token or self.exporter,
                                                    headers={"Accept": "application/fhir+ndjson"})
            self.assertEqual((reply.status, reply.headers["content-type"]), (200, "application/fhir+ndjson"))
            texts = reply.body.decode().splitlines()
            self.assertTrue(reply.body.endswith(b"\n"))
            self.assertEqual(len(texts), file["count"])
            found += [(file["type"], text) for text in texts]
        return found

    def export(self, path="/fhir/$export", **options):
        """What an export of `path` gives, by place."""
        status = self.start(path, **options)
        manifest = self.wait(status)
        resources = {}
        for kind, text in self.lines(manifest):
            resource = json.loads(text)
            self.assertEqual(resource["resourceType"], kind)
            self.assertNotIn(place_of(resource), resources, "each resource once")
            resources[place_of(resource)] = text
        self.server.request("DELETE", status, token=self.exporter)
        return resources

    # --- what is exported ---

    def test_the_system_export_gives_every_resource_as_a_read_gives_it(self):
        found = self.export()
        self.assertEqual(set(found) & self.loaded, self.loaded)
        token = self.server.admin()
        with self.server.connect() as connection:
            for place, text in found.items():
                reply = connection.request("GET", "/fhir/" + place, token=token,
                                           headers={"Accept": "application/fhir+json"})
                self.assertEqual((reply.status, reply.body.decode()), (200, text))

    def test_C18_an_export_keeps_security_labels(self):
        system = "http://terminology.hl7.org/CodeSystem/"
        labels = [{"system": system + "v3-Confidentiality", "code": "R"},
                  {"system": system + "v3-ActCode", "code": "NORDSCLCD"}]
        token = self.server.admin()
        id_ = self.server.create({"resourceType": "Patient", "meta": {"security": labels}}, token)
        self.addCleanup(self.server.request, "DELETE", "/fhir/Patient/" + id_, token=token)
        found = self.export("/fhir/Patient/$export?_type=Patient")
        self.assertEqual(json.loads(found["Patient/" + id_])["meta"]["security"], labels)

    def test_C03_G01_an_export_is_for_the_purpose_it_was_asked_for(self):
        token = self.server.admin()
        willing, unwilling = (self.server.create({"resourceType": "Patient"}, token) for _ in range(2))
        privacy = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
        self.server.create({
            "resourceType": "Consent", "status": "active", "scope": privacy, "category": [{"text": "research"}],
            "patient": {"reference": "Patient/" + unwilling},
            "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
            "provision": {"provision": [{"type": "deny", "purpose": [
                {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}]}]}}, token)
        path = "/fhir/Patient/$export?_type=Patient"
        before = self.server.audit_size()
        for purpose, expected in (("HRESCH", {willing}), ("HOPERAT", {willing, unwilling})):
            status = self.start(path, headers={"X-Purpose-Of-Use": purpose})
            manifest = self.wait(status)
            found = {json.loads(text)["id"] for _, text in self.lines(manifest)}
            self.assertEqual(found & {willing, unwilling}, expected, purpose)
            file = urllib.parse.urlparse(manifest["output"][0]["url"]).path
            said = {name: self.server.request("GET", file, token=self.exporter,
                                              headers={"X-Purpose-Of-Use": name}).status
                    for name in ("HRESCH", "HOPERAT", "PUBHLTH")}
            self.assertEqual({name for name, code in said.items() if code == 200}, {purpose}, said)
            self.assertEqual(set(said.values()), {200, 403}, said)
        self.assertEqual(self.kick_off(path, headers={"X-Purpose-Of-Use": "TREAT"}).status, 403)
        entries = [e for e in self.server.audit_after(before) if e["event"] in ("export-started", "export-file")
                   and e["outcome"] == 0]
        self.assertEqual({e["purpose_of_use"] for e in entries}, {"HRESCH", "HOPERAT"})

    def test_the_manifest_has_what_the_guide_demands(self):
        path = "/fhir/$export?_type=Patient&_outputFormat=application%2Ffhir%2Bndjson"
        before = time.time()
        status = self.start(path)
        manifest = self.wait(status)
        self.assertEqual(set(manifest), {"transactionTime", "request", "requiresAccessToken", "output", "error"})
        self.assertTrue(manifest["request"].endswith(path))
        self.assertIs(manifest["requiresAccessToken"], True)
        self.assertEqual([(f["type"], f["count"]) for f in manifest["output"]],
                         [("Patient", sum(p.startswith("Patient/") for p in self.loaded) + self.more_patients())])
        stamp = manifest["transactionTime"].replace("Z", "+00:00")
        self.assertGreaterEqual(datetime.datetime.fromisoformat(stamp).timestamp(), before - 1)
        reply = self.server.request("GET", status, token=self.exporter)
        self.assertIn("GMT", reply.headers["expires"])

    def more_patients(self):
        token = self.server.admin()
        found = harness.json_of(self.server.request("GET", "/fhir/Patient?_summary=count", token=token))
        return found["total"] - sum(p.startswith("Patient/") for p in self.loaded)

    def test_type_and_type_filter_choose_by_the_search_of_the_server(self):
        token = self.server.admin()
        query = "Observation?code=8302-2,29463-7"
        path = "/fhir/$export?_type=Observation,Condition&_typeFilter=" + urllib.parse.quote(query, safe="")
        found = self.export(path)
        by_search = set()
        for kind, url in (("Observation", "/fhir/Observation?code=8302-2,29463-7&_count=1000"),
                          ("Condition", "/fhir/Condition?_count=1000")):
            reply = harness.json_of(self.server.request("GET", url, token=token))
            self.assertNotIn("next", [link["relation"] for link in reply["link"]])
            by_search |= {place_of(e["resource"]) for e in reply.get("entry", [])}
        self.assertEqual(set(found), by_search)
        self.assertTrue(any(p.startswith("Observation/") for p in found))

    def test_type_filters_ask_by_value_sets_and_by_subsumption(self):
        token = self.server.admin()
        system, url = "http://example.org/sizes", "http://example.org/ValueSet/large"

        def store(resource):
            place = f"/fhir/{resource['resourceType']}/{resource['id']}"
            self.assertEqual(self.server.request("PUT", place, resource, token=token).status, 201)
        store({"resourceType": "CodeSystem", "id": "sizes", "url": system, "status": "active", "content": "complete",
               "hierarchyMeaning": "is-a", "concept": [{"code": "any", "concept": [{"code": "large"}, {"code": "small"}]}]})
        store({"resourceType": "ValueSet", "id": "large", "url": url, "status": "active",
               "compose": {"include": [{"system": system, "concept": [{"code": "large"}]}]}})
        for code in ("large", "small", "other"):
            store({"resourceType": "Basic", "id": "of-" + code, "code": {"coding": [{"system": system, "code": code}]}})

        def found(criteria):
            path = "/fhir/$export?_type=Basic&_typeFilter=" + urllib.parse.quote("Basic?" + criteria, safe="")
            return {place for place in self.export(path) if place.startswith("Basic/of-")}  # not those of other tests
        self.assertEqual(found("code:in=" + url), {"Basic/of-large"})
        self.assertEqual(found("code:not-in=" + url), {"Basic/of-small", "Basic/of-other"})
        self.assertEqual(found(f"code:below={system}|any"), {"Basic/of-large", "Basic/of-small"})
        refused = self.kick_off("/fhir/$export?_type=Basic&_typeFilter=Basic%3Fcode:in=" + url + "/none")
        self.assertEqual(refused.status, 400, refused)

    def test_two_filters_of_one_type_are_alternatives(self):
        queries = "Observation?code=8302-2,Observation?code=29463-7,Patient?gender=female"
        found = self.export("/fhir/$export?_type=Observation,Patient&_typeFilter=" + urllib.parse.quote(queries, safe=""))
        one = self.export("/fhir/$export?_type=Observation&_typeFilter=Observation%3Fcode%3D8302-2")
        other = self.export("/fhir/$export?_type=Observation&_typeFilter=Observation%3Fcode%3D29463-7")
        self.assertEqual({p for p in found if p.startswith("Observation/")}, set(one) | set(other))
        self.assertTrue(one and other)
        self.assertTrue(all(json.loads(t)["gender"] == "female" for p, t in found.items() if p.startswith("Patient/")))

    def test_since_gives_what_changed_and_what_was_deleted(self):
        token = self.server.admin()
        kept = self.server.request("POST", "/fhir/Basic", {"resourceType": "Basic", "code": {"text": "x"}}, token)
        gone = self.server.request("POST", "/fhir/Basic", {"resourceType": "Basic", "code": {"text": "y"}}, token)
        first = self.wait(self.start("/fhir/$export?_type=Basic"))
        kept_id, gone_id = (harness.json_of(r)["id"] for r in (kept, gone))
        self.assertEqual({json.loads(t)["id"] for _, t in self.lines(first)}, {kept_id, gone_id})
        time.sleep(0.01)
        new = harness.json_of(self.server.request("POST", "/fhir/Basic", {"resourceType": "Basic", "code": {"text": "z"}}, token))
        self.assertEqual(self.server.request("DELETE", "/fhir/Basic/" + gone_id, token=token).status, 204)
        path = "/fhir/$export?_type=Basic&_since=" + urllib.parse.quote(first["transactionTime"])
        second = self.wait(self.start(path))
        self.assertEqual({json.loads(t)["id"] for _, t in self.lines(second)}, {new["id"]})
        (kind, text), = self.lines(second, part="deleted")
        self.assertEqual(kind, "Bundle")
        self.assertEqual(json.loads(text), {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"request": {"method": "DELETE", "url": "Basic/" + gone_id}}]})

    def test_A03_a_file_of_deletions_names_the_patients_whom_they_were_of(self):
        token = self.server.admin()

        def make(resource):
            return harness.json_of(self.server.request("POST", "/fhir/" + resource["resourceType"], resource, token))["id"]
        whose = make({"resourceType": "Patient"})
        gone = make({"resourceType": "Condition", "subject": {"reference": "Patient/" + whose}})
        first = self.wait(self.start("/fhir/$export?_type=Condition"))
        self.assertEqual(self.server.request("DELETE", "/fhir/Condition/" + gone, token=token).status, 204)
        second = self.wait(self.start("/fhir/$export?_type=Condition&_since=" + urllib.parse.quote(first["transactionTime"])))
        before = self.server.audit_size()
        (_, text), = self.lines(second, part="deleted")
        self.assertIn("Condition/" + gone, text)
        self.assertIn([whose], [e.get("patients") for e in self.server.audit_after(before) if e["event"] == "export-file"])

    def test_an_export_is_of_one_state_while_others_write(self):
        token = self.server.admin()
        stop = threading.Event()
        written = 0

        def write():
            nonlocal written
            with self.server.connect() as connection:
                while not stop.is_set():
                    # The two places are far from each other in the order of the export: by type.
                    entries = [{"request": {"method": "PUT", "url": f"{kind}/pair"},
                                "resource": {"resourceType": kind, "id": "pair", "code": {"text": str(written)}}}
                               for kind in ("Medication", "Substance")]
                    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                    if connection.request("POST", "/fhir", bundle, token).status != 200:
                        return
                    written += 1

        thread = threading.Thread(target=write)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)
        end = time.monotonic() + harness.PATIENCE
        while written == 0 and time.monotonic() < end:
            time.sleep(0.01)
        seen = set()
        for _ in range(5):
            found = self.export("/fhir/$export")
            texts = {json.loads(found[f"{kind}/pair"])["code"]["text"] for kind in ("Medication", "Substance")}
            self.assertEqual(len(texts), 1, "both of one transaction")
            seen |= texts
        self.assertGreater(len(seen), 1, "the writer did write between the exports")

    def test_patient_and_group_exports_hold_compartments_and_what_they_refer_to(self):
        token = self.server.admin()
        everything = self.export()
        alone = harness.json_of(self.server.request("POST", "/fhir/Organization",
                                                    {"resourceType": "Organization", "name": "nobody's"}, token))
        patients = sorted(p for p in self.loaded if p.startswith("Patient/"))
        group = harness.json_of(self.server.request("POST", "/fhir/Group", {
            "resourceType": "Group", "type": "person", "actual": True,
            "member": [{"entity": {"reference": patients[0]}},
                       {"entity": {"reference": patients[1]}, "inactive": True}]}, token))
        of_all = self.export("/fhir/Patient/$export")
        self.assertTrue(set(patients) <= set(of_all))
        self.assertNotIn("Organization/" + alone["id"], of_all)
        of_group = self.export(f"/fhir/Group/{group['id']}/$export")
        # By what a resource says itself, and not by the index.
        def speaks_of(text, patient):
            return f'"{patient}"' in text or place_of(json.loads(text)) == patient
        self.assertIn(patients[0], of_group)
        for place, text in everything.items():
            if speaks_of(text, patients[0]) and not place.startswith(("Group/", "Provenance/")):
                self.assertIn(place, of_group)
        for place, text in of_group.items():
            for other in patients[1:]:
                self.assertFalse(speaks_of(text, other), place)
        referred = {r for t in of_group.values() for r in references(json.loads(t))}
        outside = {p for p in of_group if p.startswith(("Practitioner/", "Organization/", "Location/"))}
        self.assertTrue(outside)
        self.assertTrue(outside <= referred)
        both = harness.json_of(self.server.request("POST", "/fhir/Appointment", {
            "resourceType": "Appointment", "status": "booked", "participant": [
                {"actor": {"reference": p}, "status": "accepted"} for p in patients[:2]]}, token))
        self.assertIn("Appointment/" + both["id"], self.export("/fhir/Patient/$export"))
        self.assertNotIn("Appointment/" + both["id"], self.export(f"/fhir/Group/{group['id']}/$export"),
                         "it is in the compartment of one who is no member as well")
        only = self.export(f"/fhir/Group/{group['id']}/$export?_type=Condition")
        self.assertEqual(set(only), {p for p in of_group if p.startswith("Condition/")})

    def test_a_post_names_patients_and_those_of_a_group_must_be_members(self):
        token = self.server.admin()
        patients = sorted(p for p in self.loaded if p.startswith("Patient/"))

        def parameters(*named):
            return {"resourceType": "Parameters", "parameter": [
                {"name": "_type", "valueString": "Patient"},
                *({"name": "patient", "valueReference": {"reference": p}} for p in named)]}

        status = self.start("/fhir/Patient/$export", method="POST", body=parameters(*patients[:2]))
        found = {place_of(json.loads(t)) for _, t in self.lines(self.wait(status))}
        self.assertEqual(found, set(patients[:2]))
        asked = [e for e in self.server.audit() if e.get("target") == status.rsplit("/", 1)[1] and e["event"] == "export-started"]
        self.assertEqual([e["patients"] for e in asked], [[p.split("/")[1]] for p in patients[:2]], "whoever is named")
        self.assertIn("_type=Patient&patient=Patient%2F", asked[0]["query"])
        mark = self.server.audit_size()
        self.assertEqual(self.kick_off("/fhir/Patient/$export", method="POST", body=parameters("Patient/nobody")).status, 400)
        refused, = self.server.audit_after(mark)
        self.assertEqual((refused["event"], "patient=Patient%2Fnobody" in refused["query"]), ("export-started", True))
        group = harness.json_of(self.server.request("POST", "/fhir/Group", {
            "resourceType": "Group", "type": "person", "actual": True,
            "member": [{"entity": {"reference": patients[0]}}]}, token))
        path = f"/fhir/Group/{group['id']}/$export"
        self.assertEqual(self.kick_off(path, method="POST", body=parameters(patients[1])).status, 400)
        status = self.start(path, method="POST", body=parameters(patients[0]))
        self.assertEqual([place_of(json.loads(t)) for _, t in self.lines(self.wait(status))], [patients[0]])

    def test_the_capability_statement_names_the_operations(self):
        statement = harness.json_of(self.server.request("GET", "/fhir/metadata"))
        self.assertEqual(statement["instantiates"], ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"])
        base = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
        rest = statement["rest"][0]
        self.assertIn({"name": "export", "definition": base + "export"}, rest["operation"])
        for kind in ("Patient", "Group", "Observation"):
            resource, = [r for r in rest["resource"] if r["type"] == kind]
            named = [o["definition"] for o in resource["operation"] if o["name"] == "export"]
            self.assertEqual(named, [base + kind.lower() + "-export"] if kind != "Observation" else [])

    # --- what is refused ---

    def test_a_kick_off_that_cannot_be_served_is_refused_or_says_what_was_left_out(self):
        self.assertEqual(self.server.request("GET", "/fhir/$export", token=self.exporter).status, 400, "no respond-async")
        for query in ("_outputFormat=csv", "_elements=id", "unknown=1", "_type=Nothing", "_since=yesterday",
                      "_typeFilter=Patient", "_typeFilter=Patient%3Funknown%3D1", "_type=Patient&_typeFilter=Basic%3Fcode%3Dx",
                      "_typeFilter=Patient%3F_sort%3D_id", "patient=Patient%2F1", "_typeFilter=Patient%3Fbirthdate%3Dx"):
            reply = self.kick_off("/fhir/$export?" + query)
            self.assertEqual(reply.status, 400, query)
            self.assertEqual(harness.json_of(reply)["resourceType"], "OperationOutcome")
        self.assertEqual(self.kick_off("/fhir/Group/none/$export").status, 404)
        self.assertEqual(self.kick_off("/fhir/Observation/$export").status, 404)
        status = self.start("/fhir/$export?_type=Basic,Nothing&unknown=1",
                            headers={"Prefer": "respond-async, handling=lenient"})
        manifest = self.wait(status)
        said = [json.loads(t) for _, t in self.lines(manifest, part="error")]
        self.assertEqual({o["resourceType"] for o in said}, {"OperationOutcome"})
        self.assertEqual(len(said), 2)

    def test_only_a_role_with_the_right_may_export(self):
        for role in ("doctor", "nurse"):
            token = self.server.token_of(self.server.person("dr." + role, role))
            for path in ("/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/x/$export"):
                self.assertEqual(self.kick_off(path, token=token).status, 403, (role, path))
        self.assertEqual(self.kick_off(token="wrong").status, 401)
        self.assertEqual(self.server.request("GET", "/fhir/Patient", token=self.exporter).status, 403,
                         "who may export may do nothing else")

    def test_an_export_is_found_by_who_asked_for_it_alone(self):
        status = self.start("/fhir/$export?_type=Patient")
        manifest = self.wait(status)
        file = urllib.parse.urlparse(manifest["output"][0]["url"]).path
        other = self.server.service("exporter.other", "exporter")
        for path in (status, file):
            self.assertEqual(self.server.request("GET", path).status, 401)
            reply = self.server.request("GET", path, token=other)
            self.assertEqual((reply.status, harness.json_of(reply)["resourceType"]), (404, "OperationOutcome"))
        self.assertEqual(self.server.request("DELETE", status, token=other).status, 404)
        self.assertEqual(self.server.request("GET", file, token=self.exporter).status, 200)
        for path in (status + "/99", status + "/x", status + "/-1", "/fhir/$export/none", "/fhir/$export/none/0"):
            self.assertEqual(self.server.request("GET", path, token=self.exporter).status, 404, path)

    # --- the trace ---

    def test_A11_each_file_that_is_fetched_names_every_patient_in_it(self):
        mark = self.server.audit_size()
        status = self.start("/fhir/$export?_type=Patient,Condition")
        manifest = self.wait(status)
        patients = sorted(p.split("/")[1] for p in self.loaded if p.startswith("Patient/"))
        self.lines(manifest)
        job = status.rsplit("/", 1)[1]
        told = [e for e in self.server.audit_after(mark) if e.get("target") == job]
        kinds = [e["event"] for e in told]
        self.assertEqual(kinds[0], "export-started")
        self.assertIn("export-ended", kinds)
        for number, file in enumerate(manifest["output"]):
            named = [e["patients"] for e in told if e["event"] == "export-file" and e["new_value"] == str(number)]
            self.assertTrue(all(len(one) == 1 for one in named), "one entry for each patient")
            if file["type"] == "Patient":
                self.assertTrue(set(patients) <= {one[0] for one in named})

    # --- ends ---

    def test_a_cancelled_export_is_gone_and_its_keys_are_destroyed(self):
        status = self.start()
        self.wait(status)
        self.assertEqual(self.server.request("DELETE", status, token=self.exporter).status, 202)
        reply = self.server.request("GET", status, token=self.exporter)
        self.assertEqual((reply.status, harness.json_of(reply)["resourceType"]), (404, "OperationOutcome"))
        self.assertEqual(self.server.request("GET", status + "/0", token=self.exporter).status, 404)
        self.assertEqual(self.server.request("DELETE", status, token=self.exporter).status, 404)
        wait_for_destruction(self, self.server, status)

    def test_an_export_that_is_cancelled_at_once_ends_as_well(self):
        status = self.start()
        self.assertEqual(self.server.request("DELETE", status, token=self.exporter).status, 202)
        self.assertEqual(self.server.request("GET", status, token=self.exporter).status, 404)
        wait_for_destruction(self, self.server, status)

    def tearDown(self):
        # Each test leaves room for the exports of the next.
        for entry in self.server.audit():
            if entry["event"] == "export-started" and entry.get("target"):
                self.server.request("DELETE", "/fhir/$export/" + entry["target"], token=self.exporter)


class Lives(harness.TestCase):
    """Exports that outlive something, or do not: servers of their own."""

    serve = False
    lines, wait, kick_off, start = Exports.lines, Exports.wait, Exports.kick_off, Exports.start

    def setUp(self):
        self.server = self.new_server("classic", CONFIG)
        self.server.start()
        self.loaded = load_samples(self.server)
        self.exporter = self.server.service("exporter", "exporter")

    def test_W03_too_many_exports_at_once_are_put_off(self):
        replies = [self.kick_off() for _ in range(40)]
        self.assertIn(429, [r.status for r in replies])
        self.assertIn("retry-after", next(r for r in replies if r.status == 429).headers)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            more = list(pool.map(lambda _: self.kick_off().status, range(16)))
        self.assertTrue(set(more) <= {202, 429})

    def test_S05_no_canary_of_an_export_is_on_the_disk_and_it_goes_on_after_a_kill(self):
        token = self.server.admin()
        canary = "Canarysdottir-Exportbrand"
        place = self.server.request("POST", "/fhir/Patient", {
            "resourceType": "Patient", "id": "x", "name": [{"family": canary}]}, token)
        self.loaded.add("Patient/" + harness.json_of(place)["id"])
        query = "/fhir/$export?_typeFilter=" + urllib.parse.quote("Patient?gender:not=canarysearchterm", safe="")
        for delay in (0.0, 0.2, 0.26, 0.32, 0.4):
            status = self.start(query)
            time.sleep(delay)
            self.server.kill()
            self.assertEqual(harness.find_canaries([self.server.data, self.server.out, self.server.err],
                                                   [canary, "canarysearchterm"]), [])
            self.server.start()
            manifest = self.wait(status)
            found = [place_of(json.loads(t)) for _, t in self.lines(manifest)]
            self.assertEqual(len(found), len(set(found)), "each resource once, whatever was prepared before")
            self.assertTrue(self.loaded <= set(found))
            self.assertEqual(self.server.request("DELETE", status, token=self.exporter).status, 202)
            wait_for_destruction(self, self.server, status)
        self.assertEqual(list(self.server.temporary.iterdir()), [], "no temporary files")
        self.server.stop()
        self.assertEqual(harness.find_canaries([self.server.data], [canary, "canarysearchterm"]), [])
        self.assertEqual(json.loads(self.server.verify().stdout).get("damage", []), [])

    def test_an_export_that_is_complete_outlives_a_restart(self):
        status = self.start("/fhir/$export?_type=Patient")
        before = self.wait(status)
        texts = self.lines(before)
        self.server.stop()
        self.server.start()
        after = self.wait(status)
        self.assertEqual([(f["type"], f["count"]) for f in after["output"]],
                         [(f["type"], f["count"]) for f in before["output"]])
        self.assertEqual(self.lines(after), texts)

    def test_S11_the_exports_of_a_disabled_user_end(self):
        status = self.start()
        self.wait(status)
        self.server.sign_in_admin()
        self.server.cli("user", "disable", "exporter", "--data", self.server.data, check=True)
        self.assertEqual(self.server.request("GET", status, token=self.exporter).status, 401)
        wait_for_destruction(self, self.server, status)

    def test_a_file_has_the_versions_of_its_moment(self):
        token = self.server.admin()
        place = harness.json_of(self.server.request("POST", "/fhir/Basic", {"resourceType": "Basic", "code": {"text": "x"}}, token))
        status = self.start("/fhir/$export?_type=Basic")
        manifest = self.wait(status)
        self.server.request("PUT", "/fhir/Basic/" + place["id"], {**place, "code": {"text": "changed"}}, token)
        (_, text), = self.lines(manifest)
        self.assertEqual(json.loads(text)["code"]["text"], "x", "the version of that moment")


class Expiry(harness.TestCase):
    policy = "classic"
    config = "[export]\nkeep-seconds = 3\n"
    lines, wait, kick_off, start = Exports.lines, Exports.wait, Exports.kick_off, Exports.start

    def test_an_export_that_has_expired_is_gone_and_its_keys_are_destroyed(self):
        server = self.server
        server.admin()
        self.exporter = server.service("exporter", "exporter")
        status = self.start()
        end = time.monotonic() + harness.PATIENCE
        while server.request("GET", status, token=self.exporter).status != 404 and time.monotonic() < end:
            time.sleep(0.2)
        self.assertEqual(server.request("GET", status, token=self.exporter).status, 404)
        wait_for_destruction(self, server, status)
        job = status.rsplit("/", 1)[1]
        self.assertIn("the export has expired",
                      [e.get("reason") for e in server.audit() if e.get("target") == job])


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def load_samples(server):
    """Loads the sample patients; gives the places of what is there."""
    server.admin()
    mark = server.audit_size()
    bundles.Loader(server).load(*SAMPLES)
    return {f"{e['type']}/{e['id']}" for e in bundles.creates_of(server.audit_after(mark))}


def wait_for_destruction(test, server, status):
    job = status.rsplit("/", 1)[1]
    end = time.monotonic() + harness.PATIENCE
    while time.monotonic() < end:
        if [e for e in server.audit() if e.get("target") == job and e["event"] == "export-ended"
                and e.get("reason") == "the keys of the export are destroyed"]:
            return
        time.sleep(0.2)
    test.fail("the keys of the export were not destroyed")


if __name__ == "__main__":
    unittest.main()

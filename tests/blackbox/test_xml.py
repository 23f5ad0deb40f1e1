"""FHIR XML beside JSON over HTTP: what is written in one format is read in the other; errors; negotiation.

XML is read here by Python's own parser, which shares nothing with the server's.
"""

import re
import unittest
import xml.etree.ElementTree as ElementTree

import harness
from harness import json_of

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"
XML = "application/fhir+xml"
PATIENT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a comment -->\n<Patient xmlns="http://hl7.org/fhir">\n'
    '  <text><status value="generated"/>'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">Zoë &amp; co<br /></p></div></text>\n'
    '  <contained><Organization><id value="o"/><name value="Acme"/></Organization></contained>\n'
    '  <extension url="http://example.org/weight"><valueDecimal value="1.50"/></extension>\n'
    '  <active value="true"/>\n'
    '  <name id="n1"><family value="O&apos;Neill &lt;x&gt;"/><given value="A"/>'
    '<given><extension url="http://example.org/unknown"><valueCode value="masked"/></extension></given></name>\n'
    '  <birthDate value="1970-03"><extension url="http://example.org/t"><valueString value="a&#10;b"/></extension>'
    '</birthDate>\n'
    '  <managingOrganization><reference value="#o"/></managingOrganization>\n</Patient>')
AS_JSON = {
    "resourceType": "Patient",
    "text": {"status": "generated",
             "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">Zoë &amp; co<br /></p></div>'},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Acme"}],
    "extension": [{"url": "http://example.org/weight", "valueDecimal": "1.50"}],
    "active": True,
    "name": [{"id": "n1", "family": "O'Neill <x>", "given": ["A", None],
              "_given": [None, {"extension": [{"url": "http://example.org/unknown", "valueCode": "masked"}]}]}],
    "birthDate": "1970-03",
    "_birthDate": {"extension": [{"url": "http://example.org/t", "valueString": "a\nb"}]},
    "managingOrganization": {"reference": "#o"},
}


def tree(reply):
    return ElementTree.fromstring(reply.body)


def values(element, path):
    """The value attributes at a path of names."""
    return [found.get("value") for found in element.findall("/".join(FHIR + name for name in path.split("/")))]


class Xml(harness.TestCase):
    policy = "classic"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def ask(self, method, path, body=None, headers=None, expect=None):
        reply = self.server.request(method, path, body, self.token, headers)
        if expect is not None:
            self.assertEqual(reply.status, expect, (method, path, reply.body[:500]))
        return reply

    def send(self, method, path, body, expect, **headers):
        return self.ask(method, path, body, {"Content-Type": XML, **headers}, expect)

    def create(self):
        reply = self.send("POST", "/fhir/Patient", PATIENT, 201)
        return re.search(r"Patient/([^/]+)/_history/1$", reply.headers["location"]).group(1)

    def assert_xml(self, reply, root):
        self.assertEqual(reply.headers["content-type"], XML + "; charset=utf-8")
        element = tree(reply)
        self.assertEqual(element.tag, FHIR + root)
        return element

    # --- one resource ---

    def test_what_is_created_in_xml_is_read_as_json_and_as_xml(self):
        id_ = self.create()
        got = json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))
        self.assertEqual(got.pop("id"), id_)
        self.assertEqual(got.pop("meta")["versionId"], "1")
        self.assertEqual(got, AS_JSON)

        reply = self.ask("GET", f"/fhir/Patient/{id_}", headers={"Accept": XML}, expect=200)
        self.assertEqual(reply.headers["etag"], 'W/"1"')
        patient = self.assert_xml(reply, "Patient")
        self.assertEqual([child.tag for child in patient],
                         [FHIR + name for name in ("id", "meta", "text", "contained", "extension", "active", "name",
                                                   "birthDate", "managingOrganization")])
        self.assertEqual(values(patient, "name/family"), ["O'Neill <x>"])
        self.assertEqual(values(patient, "name/given"), ["A", None])
        self.assertEqual(values(patient, "extension/valueDecimal"), ["1.50"])
        self.assertEqual(values(patient, "birthDate/extension/valueString"), ["a\nb"])
        self.assertEqual(values(patient, "contained/Organization/name"), ["Acme"])
        self.assertEqual(patient.find(f"{FHIR}text/{XHTML}div/{XHTML}p").get("class"), "x")

        # What was read is written back and is the same.
        self.send("PUT", f"/fhir/Patient/{id_}", reply.body, 200)
        again = json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))
        self.assertEqual({name: value for name, value in again.items() if name not in ("id", "meta")}, AS_JSON)

    def test_a_write_answers_in_the_format_that_was_asked_for(self):
        made = self.send("POST", "/fhir/Patient", PATIENT, 201, Accept=XML)
        self.assertEqual(values(self.assert_xml(made, "Patient"), "active"), ["true"])
        json_made = self.send("POST", "/fhir/Patient", PATIENT, 201)
        self.assertEqual(json_of(json_made)["resourceType"], "Patient")
        minimal = self.send("POST", "/fhir/Patient", PATIENT, 201, Accept=XML, Prefer="return=minimal")
        self.assertEqual(minimal.body, b"")

    def test_history_is_told_in_xml_and_its_links_keep_the_format(self):
        id_ = self.create()
        self.ask("PUT", f"/fhir/Patient/{id_}", {"resourceType": "Patient", "id": id_, "birthDate": "1999"}, expect=200)
        version = self.ask("GET", f"/fhir/Patient/{id_}/_history/1", headers={"Accept": "text/xml"}, expect=200)
        self.assertEqual(values(self.assert_xml(version, "Patient"), "birthDate"), ["1970-03"])
        reply = self.ask("GET", f"/fhir/Patient/{id_}/_history?_count=1&_format=xml", expect=200)
        page = self.assert_xml(reply, "Bundle")
        self.assertEqual(values(page, "type"), ["history"])
        self.assertEqual(values(page, "entry/resource/Patient/birthDate"), ["1999"])
        links = dict(zip(values(page, "link/relation"), values(page, "link/url")))
        following = links["next"].split("/fhir/", 1)[1]
        second = self.assert_xml(self.ask("GET", "/fhir/" + following, expect=200), "Bundle")
        self.assertEqual(values(second, "entry/resource/Patient/birthDate"), ["1970-03"])

    def test_a_narrative_of_json_cannot_become_elements_of_xml(self):
        div = '<div xmlns="http://www.w3.org/1999/xhtml">x</div></text><active value="false"/><text>'
        sent = {"resourceType": "Patient", "text": {"status": "empty", "div": div}}
        made = json_of(self.ask("POST", "/fhir/Patient", sent, expect=201))
        patient = self.assert_xml(self.ask("GET", f"/fhir/Patient/{made['id']}?_format=xml", expect=200), "Patient")
        self.assertEqual(values(patient, "active"), [])
        self.assertEqual(patient.find(f"{FHIR}text/{XHTML}div").text, div)

    # --- bundles ---

    def test_a_transaction_in_xml_makes_its_resources_and_links(self):
        bundle = (
            '<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/>'
            '<entry><fullUrl value="urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"/><resource><Patient>'
            '<active value="true"/></Patient></resource>'
            '<request><method value="POST"/><url value="Patient"/></request></entry>'
            '<entry><resource><Observation><status value="final"/><code><text value="weight"/></code>'
            '<subject><reference value="urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"/></subject>'
            '<valueQuantity><value value="405.70"/></valueQuantity></Observation></resource>'
            '<request><method value="POST"/><url value="Observation"/></request></entry></Bundle>')
        answer = self.assert_xml(self.send("POST", "/fhir", bundle, 200, Accept=XML), "Bundle")
        self.assertEqual(values(answer, "type"), ["transaction-response"])
        self.assertEqual([status[:3] for status in values(answer, "entry/response/status")], ["201", "201"])
        patient, observation = [place.split("/_history/")[0] for place in values(answer, "entry/response/location")]
        got = json_of(self.ask("GET", "/fhir/" + observation, expect=200))
        self.assertEqual(got["subject"]["reference"], patient)
        self.assertEqual(got["valueQuantity"]["value"], "405.70")

    def test_an_entry_of_a_batch_fails_alone_with_its_outcome_in_xml(self):
        bundle = (
            '<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/>'
            '<entry><resource><Patient><birthDate value="yesterday"/></Patient></resource>'
            '<request><method value="POST"/><url value="Patient"/></request></entry>'
            '<entry><resource><Patient><birthDate value="2001"/></Patient></resource>'
            '<request><method value="POST"/><url value="Patient"/></request></entry></Bundle>')
        answer = self.assert_xml(self.send("POST", "/fhir", bundle, 200, Accept=XML), "Bundle")
        self.assertEqual([status[:3] for status in values(answer, "entry/response/status")], ["400", "201"])
        self.assertEqual(values(answer, "entry/response/outcome/OperationOutcome/issue/severity"), ["error"])

    # --- patches and operations ---

    def patch_of(self, path, value):
        """A FHIRPath Patch that replaces what is at a path."""
        return (f'<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>'
                f'<part><name value="type"/><valueCode value="replace"/></part>'
                f'<part><name value="path"/><valueString value="{path}"/></part>'
                f'<part><name value="value"/>{value}</part></parameter></Parameters>')

    def test_a_fhirpath_patch_comes_in_xml(self):
        id_ = self.create()
        patch = self.patch_of("Patient.birthDate", '<valueDate value="1971-04-05"/>')
        reply = self.send("PATCH", f"/fhir/Patient/{id_}", patch, 200, Accept=XML)
        self.assertEqual(values(self.assert_xml(reply, "Patient"), "birthDate"), ["1971-04-05"])
        self.assertEqual(reply.headers["etag"], 'W/"2"')
        patch = self.patch_of("Patient.active", '<valueBoolean value="false"/>')
        self.send("PATCH", f"/fhir/Patient?_id={id_}", patch, 200)
        bundle = ('<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource>'
                  + self.patch_of("Patient.name[0].family", '<valueString value="New"/>').replace(
                      ' xmlns="http://hl7.org/fhir"', "") +
                  f'</resource><request><method value="PATCH"/><url value="Patient/{id_}"/></request></entry></Bundle>')
        self.send("POST", "/fhir", bundle, 200)
        got = json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))
        self.assertEqual((got["birthDate"], got["active"], got["name"][0]["family"], got["meta"]["versionId"]),
                         ("1971-04-05", False, "New", "4"))

    def test_what_is_no_patch_of_xml_is_refused_in_xml(self):
        id_ = self.create()
        for body, status in (("<", 400), (PATIENT, 400), ('<Parameters xmlns="http://hl7.org/fhir"><x/></Parameters>', 400),
                             (self.patch_of("Patient.deceased", '<valueBoolean value="true"/>'), 422)):
            reply = self.send("PATCH", f"/fhir/Patient/{id_}", body, status, Accept=XML)
            self.assertEqual(values(self.assert_xml(reply, "OperationOutcome"), "issue/severity"), ["error"])
        self.ask("PATCH", f"/fhir/Patient/{id_}", PATIENT, {"Content-Type": "application/xml-patch+xml"}, 415)
        self.assertEqual(json_of(self.ask("GET", f"/fhir/Patient/{id_}", expect=200))["meta"]["versionId"], "1")
        statement = json_of(self.ask("GET", "/fhir/metadata", expect=200))
        self.assertEqual(set(statement["patchFormat"]),
                         {"application/json-patch+json", "application/fhir+json", "application/fhir+xml"})

    def test_xml_is_validated_as_json_is(self):
        def said(path, body):
            reply = self.send("POST", path, body, 200, Accept=XML)
            outcome = self.assert_xml(reply, "OperationOutcome")
            self.assertNotIn(b"unheard-of", reply.body)  # no value of the record
            return {(values(issue, "code")[0], *values(issue, "expression")) for issue in outcome.findall(FHIR + "issue")
                    if values(issue, "severity") == ["error"]}

        space = 'xmlns="http://hl7.org/fhir"'
        self.assertEqual(said("/fhir/Patient/$validate", PATIENT), set())
        broken = '<Patient{}><gender value="unheard-of"/><contact><gender value="male"/></contact></Patient>'
        faults = {("code-invalid", "Patient.gender"), ("invariant", "Patient.contact[0]")}
        self.assertEqual(said("/fhir/Patient/$validate", broken.format(" " + space)), faults)
        wrapped = ('<Parameters {}><parameter><name value="resource"/><resource>{}</resource></parameter>'
                   '<parameter><name value="mode"/><valueCode value="{}"/></parameter></Parameters>')
        self.assertEqual(said("/fhir/Patient/$validate", wrapped.format(space, broken.format(""), "create")), faults)
        self.assertEqual(said("/fhir/Patient/$validate", wrapped.format(space, "<Patient><active value='true'/></Patient>",
                                                                        "update")), {("required", "Patient.id")})
        # What JSON has no words for is found by its place, too.
        self.assertEqual(said("/fhir/Patient/$validate",
                              f'<Patient {space}><active value="yes"/><name><unheard-of/></name></Patient>'),
                         {("structure", "Patient.name[0]")})
        for body in ("<", "{}", f"<Patient {space}>", f'<!DOCTYPE x><Patient {space}/>', f'<Observation {space}><status value="final"/></Observation>'):
            self.assert_xml(self.send("POST", "/fhir/Patient/$validate", body, 400, Accept=XML), "OperationOutcome")
        self.assertEqual(said(f"/fhir/Patient/{self.create()}/$validate", wrapped.format(space, "", "delete").replace(
            '<parameter><name value="resource"/><resource></resource></parameter>', "")), set())

    def test_who_may_not_write_does_not_validate_xml(self):
        reader = self.server.service("xml.reader", "auditor")
        for body in (PATIENT, '<Patient xmlns="http://hl7.org/fhir"><nothing/></Patient>'):
            refused = self.server.request("POST", "/fhir/Patient/$validate", body, reader, {"Content-Type": XML})
            self.assertEqual(refused.status, 403, refused.body)

    def test_every_interaction_is_spoken_in_xml(self):
        id_, gone = self.create(), self.create()
        code_system = ('<CodeSystem xmlns="http://hl7.org/fhir"><url value="http://example.org/xml"/><status value="active"/>'
                       '<content value="complete"/><concept><code value="a"/></concept></CodeSystem>')
        self.send("POST", "/fhir/CodeSystem", code_system, 201)
        asked = ('<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="{}"/><valueUri value="http://example.org/xml"/>'
                 '</parameter><parameter><name value="code"/><valueCode value="a"/></parameter></Parameters>')
        meta = ('<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="meta"/><valueMeta><tag>'
                '<system value="http://example.org"/><code value="t"/></tag></valueMeta></parameter></Parameters>')
        last = ('<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="patient"/>'
                f'<valueString value="{id_}"/></parameter></Parameters>')
        batch = ('<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><request><method value="GET"/>'
                 '<url value="{}"/></request></entry></Bundle>')
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for method, path, body, status, root in (
                ("GET", f"Patient/{id_}", None, 200, "Patient"), ("GET", f"Patient/{id_}/_history/1", None, 200, "Patient"),
                ("POST", "Patient", PATIENT, 201, "Patient"), ("PUT", "Patient/xml-new", PATIENT.replace(
                    "  <text>", '  <id value="xml-new"/><text>'), 201, "Patient"),
                ("PUT", f"Patient?_id={id_}", PATIENT, 200, "Patient"),
                ("PATCH", f"Patient/{id_}", self.patch_of("Patient.active", '<valueBoolean value="false"/>'), 200, "Patient"),
                ("GET", f"Patient/{id_}/_history", None, 200, "Bundle"), ("GET", "Patient/_history?_count=2", None, 200, "Bundle"),
                ("GET", "_history?_count=2", None, 200, "Bundle"), ("GET", f"Patient?_id={id_}", None, 200, "Bundle"),
                ("POST", "Patient/_search", f"_id={id_}", 200, "Bundle"), ("GET", f"?_type=Patient&_id={id_}", None, 200, "Bundle"),
                ("POST", "_search", f"_type=Patient&_id={id_}", 200, "Bundle"),
                ("GET", f"Patient/{id_}/Observation", None, 200, "Bundle"), ("GET", f"Patient/{id_}/*", None, 200, "Bundle"),
                ("GET", f"Patient/{id_}/$everything", None, 200, "Bundle"),
                ("GET", f"Observation/$lastn?patient={id_}", None, 200, "Bundle"), ("POST", "Observation/$lastn", last, 200, "Bundle"),
                ("POST", "", batch.format(f"Patient/{id_}"), 200, "Bundle"), ("POST", "", batch.format(f"Patient?_id={id_}"), 200, "Bundle"),
                ("POST", "", batch.format(f"Patient/{id_}/_history"), 200, "Bundle"),
                ("GET", f"Patient/{id_}/$meta", None, 200, "Parameters"), ("POST", f"Patient/{id_}/$meta-add", meta, 200, "Parameters"),
                ("POST", f"Patient/{id_}/$meta-delete", meta, 200, "Parameters"),
                ("GET", f"Patient/{id_}/$validate", None, 200, "OperationOutcome"),
                ("POST", f"Patient/{id_}/$validate", PATIENT, 200, "OperationOutcome"),
                ("POST", "CodeSystem/$lookup", asked.format("system"), 200, "Parameters"),
                ("POST", "CodeSystem/$validate-code", asked.format("url"), 200, "Parameters"),
                ("GET", "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender", None, 200, "ValueSet"),
                ("GET", "CodeSystem/$subsumes?system=http://example.org/xml&codeA=a&codeB=a", None, 200, "Parameters"),
                ("GET", "metadata", None, 200, "CapabilityStatement"), ("GET", "$export", None, 400, "OperationOutcome"),
                ("DELETE", f"Patient/{gone}", None, 204, None), ("DELETE", "Patient?_id=nobody", None, 204, None)):
            headers = {"Accept": XML, "Content-Type": XML, **(form if "_search" in path else {})}
            reply = self.ask(method, ("/fhir/" + path).rstrip("/") if path else "/fhir", body, headers, status)
            if root:
                self.assert_xml(reply, root)

    def test_a_form_can_ask_for_xml(self):
        id_ = self.create()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self.ask("POST", "/fhir/Patient/_search", f"_id={id_}&_format=xml", headers, 200)
        self.assertEqual(values(self.assert_xml(reply, "Bundle"), "entry/resource/Patient/id"), [id_])

    # --- errors ---

    def test_errors_are_told_in_the_format_that_was_asked_for(self):
        for method, path, body, status, code in (
                ("GET", "/fhir/Patient/nobody", None, 404, "not-found"),
                ("GET", "/fhir/Nonsense/1", None, 404, "not-supported"),
                ("POST", "/fhir/Patient", "{}", 400, "structure"),
                ("POST", "/fhir/metadata", "{}", 405, "not-supported")):
            outcome = self.assert_xml(self.ask(method, path, body, {"Accept": XML}, status), "OperationOutcome")
            self.assertEqual(values(outcome, "issue/code"), [code], (method, path))
            self.assertEqual(json_of(self.ask(method, path, body, None, status))["resourceType"], "OperationOutcome")
        refused = self.server.request("GET", "/fhir/Patient/1", headers={"Accept": XML})
        self.assertEqual(refused.status, 401)
        self.assertEqual(values(self.assert_xml(refused, "OperationOutcome"), "issue/code"), ["login"])

    def test_xml_that_is_no_resource_or_an_attack_is_refused(self):
        space = 'xmlns="http://hl7.org/fhir"'
        billion = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {chr(ord("a") + i)} "{("&" + chr(ord("a") + i - 1) + ";") * 10}">' for i in range(1, 10)) + "]>"
        for body in (
                "", "<", "x", "{}", "<Patient/>", f"<Patient {space}>", f"<Patient {space}/><Patient {space}/>",
                f"<Nonsense {space}/>", '<Patient xmlns="http://hl7.org/fhir/dstu2"/>',
                f'<Patient {space}><active value="true"/><active value="true"/></Patient>',
                f'<Patient {space}><birthDate value="1999"/><active value="true"/></Patient>',
                f'<Patient {space}><active value="yes"/></Patient>', f"<Patient {space}><active/></Patient>",
                f'<Patient {space}><active value="true" value="true"/></Patient>',
                f'<Patient {space}><active value="true" other="1"/></Patient>',
                f"<Patient {space}><unknown value='1'/></Patient>", f"<Patient {space}>text</Patient>",
                f'{billion}<Patient {space}><language value="&j;"/></Patient>',
                '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
                f'<Patient {space}><language value="&a;"/></Patient>',
                f'<!DOCTYPE Patient SYSTEM "http://127.0.0.1:1/x.dtd"><Patient {space}/>',
                f'<?xml-stylesheet href="x"?><Patient {space}/>', f"<Patient {space}>" + "<a>" * 100_000,
                f'<?xml version="1.0" encoding="UTF-16"?><Patient {space}/>', f"<Patient {space}/>".encode("utf-16"),
                f"<Patient {space}>".encode() + b'<language value="\xff"/></Patient>'):
            reply = self.send("POST", "/fhir/Patient", body, 400, Accept=XML)
            self.assert_xml(reply, "OperationOutcome")
            self.assertNotIn(b"root:", reply.body)

    # --- negotiation ---

    def test_format_is_chosen_by_parameter_then_by_accept(self):
        id_ = self.create()
        for query, accept, expected in (
                ("", None, "json"), ("", "*/*", "json"), ("", "application/xml", "xml"), ("", "text/xml", "xml"),
                ("", "application/fhir+json;q=0.1, application/fhir+xml;q=0.2", "xml"),
                ("?_format=xml", None, "xml"), ("?_format=json", XML, "json"), ("?_format=text/xml", "*/*", "xml"),
                ("?_format=application/fhir%2Bxml", "application/json", "xml"),
                ("?_format=application/fhir+json", XML, "json")):
            headers = {"Accept": accept} if accept else None
            reply = self.ask("GET", f"/fhir/Patient/{id_}{query}", headers=headers, expect=200)
            content_type = reply.headers["content-type"]
            self.assertEqual(content_type, f"application/fhir+{expected}; charset=utf-8", (query, accept))
        for query, accept in (("?_format=html", XML), ("?_format=ttl", XML), ("", "text/html"), ("", "x/y, */*;q=0")):
            self.ask("GET", f"/fhir/Patient/{id_}{query}", headers={"Accept": accept}, expect=406)

    def test_other_bodies_are_refused_by_their_type(self):
        for kind in ("text/html", "application/fhir+turtle", "application/fhir+xml; charset=iso-8859-1", "xml"):
            self.ask("POST", "/fhir/Patient", PATIENT, {"Content-Type": kind}, 415)
        for kind in ("application/xml", "text/xml; charset=utf-8", "application/fhir+xml"):
            self.ask("POST", "/fhir/Patient", PATIENT, {"Content-Type": kind}, 201)

    def test_the_capability_statement_lists_both_formats_in_both(self):
        self.assertLessEqual({"application/fhir+json", "application/fhir+xml"},
                             set(json_of(self.ask("GET", "/fhir/metadata", expect=200))["format"]))
        for reply in (self.ask("GET", "/fhir/metadata", headers={"Accept": XML}, expect=200),
                      self.ask("GET", "/fhir/metadata?_format=xml", expect=200)):
            self.assertLessEqual({"application/fhir+json", "application/fhir+xml"},
                                 set(values(self.assert_xml(reply, "CapabilityStatement"), "format")))
        self.ask("GET", "/fhir/metadata", headers={"Accept": "text/html"}, expect=406)


if __name__ == "__main__":
    unittest.main()

"""Every example of R4 and of US Core, created and read back: in JSON, in XML, across both, and by search in XML."""

import collections
import json
import unittest
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import examples
import harness

XML = "application/fhir+xml"
JSON = "application/fhir+json"
AT_ONCE = 16
SEARCHED_AT_ONCE = 25


class Forms(unittest.TestCase):
    """The comparison itself: what differs is told apart."""

    def test_what_says_the_same_in_both_formats_is_one(self):
        sent = examples.parsed(b'{"resourceType":"Patient","id":"p","active":true,"_active":{"id":"a"},"name":[{"given":["A",null],'
                               b'"_given":[null,{"extension":[{"url":"u","valueDecimal":1.50}]}]}],"contained":'
                               b'[{"resourceType":"Basic","id":"c"}],"text":{"div":"<div xmlns=\'http://www.w3.org/1999/xhtml\'>x</div>"}}')
        xml = ('<Patient xmlns="http://hl7.org/fhir"><id value="q"/><meta><versionId value="1"/></meta><text>'
               '<div xmlns="http://www.w3.org/1999/xhtml">x</div></text><contained><Basic><id value="c"/></Basic></contained>'
               '<active id="a" value="true"/><name><given value="A"/><given><extension url="u"><valueDecimal value="1.50"/>'
               '</extension></given></name></Patient>')
        expected = examples.form_of_resource(sent)
        self.assertEqual(examples.form_of_resource_in_xml(ElementTree.fromstring(xml)), expected)
        for a, b in (('"1.50"', '"1.5"'), ('"A"', '"B"'), ('"true"', '"false"'), ('id="a" ', ""), (">x<", ">y<"), ('url="u"', 'url="v"'),
                     ('<id value="c"/>', ""), ('<given value="A"/>', ""), ("Basic", "Basics"), ("<meta>", '<meta><source value="x"/>')):
            self.assertNotEqual(examples.form_of_resource_in_xml(ElementTree.fromstring(xml.replace(a, b))), expected, a)

    def test_numbers_are_compared_by_their_text(self):
        self.assertNotEqual(examples.parsed(b"[1.50]"), examples.parsed(b"[1.5]"))
        self.assertNotEqual(examples.parsed(b"[1]"), examples.parsed(b'["1"]'))
        self.assertEqual(examples.parsed(b"[1.50]"), examples.parsed(b"[1.50]"))


class Examples(harness.TestCase):
    policy = "classic"
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.server.admin()

    def create(self, connection, type_, body, kind):
        """The id, or the reply that refuses it."""
        reply = connection.request("POST", "/fhir/" + type_, body, self.token,
                                   {"Content-Type": kind, "Accept": JSON, "Prefer": "return=minimal"})
        return reply.headers["location"].split("/")[-3] if reply.status == 201 else reply

    def read(self, connection, place, kind):
        reply = connection.request("GET", "/fhir/" + place, token=self.token, headers={"Accept": kind})
        self.assertEqual((reply.status, reply.headers["content-type"]), (200, kind + "; charset=utf-8"), place)
        return reply.body

    def check(self, connection, name, text):
        """Creates as JSON and reads as both; creates as the XML that was read and reads as JSON."""
        sent = examples.parsed(text)
        type_ = sent["resourceType"]
        id_ = self.create(connection, type_, text, JSON)
        if not isinstance(id_, str):
            return id_
        expected = examples.without_place(sent)
        place = f"{type_}/{id_}"
        read = examples.parsed(self.read(connection, place, JSON))
        self.assertEqual(read["id"], id_, name)
        self.assertEqual(examples.without_place(read), expected, name)

        xml = self.read(connection, place, XML)
        element = ElementTree.fromstring(xml)
        self.assertEqual(element.tag, examples.FHIR + type_, name)
        self.assertEqual(examples.form_of_resource_in_xml(element), examples.form_of_resource(sent), name)

        again = self.create(connection, type_, xml, XML)
        self.assertIsInstance(again, str, (name, again))
        read = examples.parsed(self.read(connection, f"{type_}/{again}", JSON))
        self.assertEqual(examples.without_place(read), examples.canonical(expected), name)
        return (type_, id_, sent)

    def check_searches(self, stored):
        """What was stored, as searches in XML give it."""
        by_type = collections.defaultdict(dict)
        for type_, id_, sent in stored:
            by_type[type_][id_] = sent
        with self.server.connect() as connection:
            for type_, of_type in by_type.items():
                ids = list(of_type)
                for at in range(0, len(ids), SEARCHED_AT_ONCE):
                    asked = ids[at : at + SEARCHED_AT_ONCE]
                    bundle = ElementTree.fromstring(self.read(
                        connection, f"{type_}?_id={','.join(asked)}&_count={SEARCHED_AT_ONCE}", XML))
                    found = {}
                    for entry in bundle.findall(examples.FHIR + "entry"):
                        element = entry.find(f"{examples.FHIR}resource/{examples.FHIR}{type_}")
                        found[element.find(examples.FHIR + "id").get("value")] = element
                    self.assertEqual(sorted(found), sorted(asked))
                    for id_, element in found.items():
                        self.assertEqual(examples.form_of_resource_in_xml(element),
                                         examples.form_of_resource(of_type[id_]), (type_, id_))

    def check_all(self, archive, count, not_written):
        texts = examples.texts(archive)
        self.assertEqual(len(texts), count)

        def work(share):
            with self.server.connect() as connection:
                return [(name, self.check(connection, name, texts[name])) for name in share]

        names = sorted(texts)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = dict(sum(pool.map(work, [names[i::AT_ONCE] for i in range(AT_ONCE)]), []))
        refused = {examples.place_of(json.loads(texts[name])): reply.status
                   for name, reply in done.items() if isinstance(reply, harness.Reply)}
        self.assertEqual(refused, dict.fromkeys(not_written, 405))
        self.check_searches([each for each in done.values() if not isinstance(each, harness.Reply)])

    def test_every_example_of_R4_is_kept(self):
        self.check_all(examples.R4, 727, examples.NOT_WRITTEN)

    def test_every_example_of_US_Core_is_kept(self):
        self.check_all(examples.US_CORE, 231, ())


if __name__ == "__main__":
    unittest.main()

"""The examples of the specification and of US Core, and two readings of a resource that can be compared.

Nothing here shares code with the server: XML is read by Python's own parser, and what both formats say is put into
one form without looking at definitions.
"""

import ctypes
import ctypes.util
import io
import json
import tarfile
import xml.etree.ElementTree as ElementTree

import harness

VECTORS = harness.REPOSITORY / "tests" / "vectors"
R4, US_CORE = "fhir-r4-examples.tar.zst", "us-core-examples.tar.zst"
INFLATED_MAX = 1 << 28

# What nobody may write, by place: the server makes AuditEvents out of its log, and takes none from anybody.
NOT_WRITTEN = {"AuditEvent/" + id_ for id_ in (
    "example", "example-disclosure", "example-error", "example-login", "example-logout", "example-media",
    "example-pixQuery", "example-rest", "example-search")}
FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def inflated(packed):
    """What a zstd archive holds. The library is there: the server uses it."""
    library = ctypes.util.find_library("zstd")
    if not library:
        raise AssertionError("libzstd is not installed")
    zstd = ctypes.CDLL(library)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    buffer = ctypes.create_string_buffer(INFLATED_MAX)
    made = zstd.ZSTD_decompress(buffer, ctypes.c_size_t(INFLATED_MAX), packed, ctypes.c_size_t(len(packed)))
    if zstd.ZSTD_isError(ctypes.c_size_t(made)):
        raise AssertionError("the archive is damaged")
    return buffer.raw[:made]


def texts(archive):
    """The JSON files of an archive: name -> text."""
    with tarfile.open(fileobj=io.BytesIO(inflated((VECTORS / archive).read_bytes()))) as files:
        names = sorted(name for name in files.getnames() if name.endswith(".json"))
        return {name.split("/")[-1]: files.extractfile(name).read() for name in names}


def resources(archive):
    """The resources with an id that an archive holds, by their places; of several with one id the last."""
    found = [json.loads(text) for text in texts(archive).values()]
    return {place_of(one): one for one in found if one.get("resourceType") and one.get("id")}


def place_of(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def parsed(text):
    """JSON whose numbers keep their text."""
    return json.loads(text, parse_float=Number, parse_int=Number)


class Number(str):
    """The text of a number: equal to no string."""

    def __eq__(self, other):
        return isinstance(other, Number) and str.__eq__(self, other)

    __hash__ = str.__hash__


# --- one form of both formats: (value, children), the children sorted by their names, (name, form) ---

HOLDERS = ("contained", "resource", "outcome")  # elements that hold a resource


def form_of_json(value, extra=None):
    """`extra` is what stands under the name with '_'."""
    if isinstance(value, dict):
        return (None, _children(value))
    text = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return (text, _children(extra) if extra else [])


def _children(members):
    found = []
    for name, value in members.items():
        if name.startswith("_") and name[1:] in members:
            continue
        plain, extra = (name[1:], value) if name.startswith("_") else (name, members.get("_" + name))
        values = None if name.startswith("_") else value
        if isinstance(value, list):
            rows = max(len(values or []), len(extra or []))
            pairs = zip((values or []) + [None] * (rows - len(values or [])),
                        (extra or []) + [None] * (rows - len(extra or [])))
        else:
            pairs = [(values, extra)]
        for one, more in pairs:
            if plain in HOLDERS and isinstance(one, dict) and "resourceType" in one:
                inner = {key: each for key, each in one.items() if key != "resourceType"}
                found.append((plain, (None, [(one["resourceType"], form_of_json(inner))])))
            elif plain == "div" and isinstance(one, str):
                found.append((plain, _markup_of_text(one)))
            else:
                found.append((plain, form_of_json(one, more)))
    return sorted(found, key=lambda each: each[0])


def form_of_xml(element):
    """Attributes but `value` are children like any."""
    children = [(name, (text, [])) for name, text in element.attrib.items() if name != "value"]
    for child in element:
        if child.tag == XHTML + "div":
            children.append(("div", _markup(child)))
        else:
            assert child.tag.startswith(FHIR), child.tag
            children.append((child.tag.removeprefix(FHIR), form_of_xml(child)))
    return (element.get("value"), sorted(children, key=lambda each: each[0]))


def _markup(element):
    return (element.tag, sorted(element.attrib.items()), element.text or "",
            [(_markup(child), child.tail or "") for child in element])


def _markup_of_text(text):
    try:
        return _markup(ElementTree.fromstring(text))
    except ElementTree.ParseError:  # no XML: it stands in a div, as text
        return (XHTML + "div", [], text, [])


def without_place(resource):
    """A resource without what the server alone says: id, version, time."""
    left = {name: value for name, value in resource.items() if name not in ("id", "_id")}
    meta = {name: value for name, value in left.pop("meta", {}).items()
            if name not in ("versionId", "lastUpdated", "_versionId", "_lastUpdated")}
    return {**left, "meta": meta} if meta else left


def form_of_resource(resource):
    """Of JSON, without the type."""
    return form_of_json({name: value for name, value in without_place(resource).items() if name != "resourceType"})


def form_of_resource_in_xml(element):
    """The same of an element of XML."""
    value, children = form_of_xml(element)
    left = []
    for name, form in children:
        if name == "meta":
            form = (form[0], [each for each in form[1] if each[0] not in ("versionId", "lastUpdated")])
            if not form[1]:
                continue
        if name != "id":
            left.append((name, form))
    return (value, left)


def canonical(value):
    """JSON without what XML cannot say: nulls that no extension needs."""
    if isinstance(value, dict):
        return {name: canonical(each) for name, each in value.items()
                if not (isinstance(each, list) and all(one is None for one in each))}
    return [canonical(each) for each in value] if isinstance(value, list) else value

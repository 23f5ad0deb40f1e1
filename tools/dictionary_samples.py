#!/usr/bin/env python3
"""Writes single resources in the form in which records are stored, as samples to train a dictionary on.

usage: dictionary_samples.py BUNDLES OUT [--keep-identities]
       dictionary_samples.py --check BUNDLES DICTIONARY

BUNDLES is a folder of synthetic transaction bundles (Synthea, one patient per file). Each resource becomes one
file OUT/<type>-<number>.json: compact, with resourceType, id and meta first, references in the form Type/id, number
text as it was.

What tells one person, place or record from another is replaced by random text of the same length, so that training
finds nothing there that repeats: ids, names, addresses, telecoms, identifiers, notes on who it is. --keep-identities
leaves them as they are: samples to measure with, not to train on.

--check fails when any such text of the bundles is found in DICTIONARY.
"""
import json
import pathlib
import random
import re
import string
import sys

TAG = "\x01"  # marks a number's text while it passes through json as a string
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IDENTITY_MEMBERS = {"identifier", "telecom", "address", "contact", "photo", "serialNumber", "deviceIdentifier",
                    "udiCarrier", "lotNumber", "distinctIdentifier", "position"}
IDENTITY_CODES = {"system", "use", "type", "url"}  # inside the members above: codes, the same for everyone
PER_TYPE_MAX = 2_500  # what is rare is to have a place beside what is common


def load(path):
    tagged = lambda text: TAG + text + TAG
    return json.loads(path.read_text(), parse_float=tagged, parse_int=tagged)


def dump(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\\u0001([^"]*)\\u0001"', r"\1", text)


def stored_form(resource, types):
    first = {"resourceType": resource["resourceType"], "id": resource.get("id", ""), "meta": resource.get("meta", {})}
    rest = {name: value for name, value in resource.items() if name not in first}
    return json.loads(re.sub(r"urn:uuid:(" + UUID.pattern + ")",
                             lambda match: f"{types.get(match[1], 'urn:uuid')}/{match[1]}",
                             json.dumps({**first, **rest})))


def resources(folder):
    for path in sorted(folder.rglob("*.json")):
        bundle = load(path)
        entries = [entry["resource"] for entry in bundle.get("entry", [])]
        types = {one["id"]: one["resourceType"] for one in entries if "id" in one}
        for one in entries:
            yield stored_form(one, types)


def scrambled(text):
    """Random text of the same shape. Ids stay hexadecimal: the dictionary also holds how frequent each letter is."""
    if UUID.fullmatch(text):
        return re.sub("[0-9a-f]", lambda match: random.choice(string.hexdigits[:16]), text)
    if text.startswith("<div"):
        return re.sub(r">[^<]+", lambda match: ">" + scrambled(match[0][1:]), text)

    def other(c):
        if c.isdigit():
            return random.choice(string.digits)
        if c.isalpha():
            return random.choice(string.ascii_uppercase if c.isupper() else string.ascii_lowercase)
        return c
    return "".join(map(other, text))


def is_identity(name, holder, resource_type, inside):
    if inside:
        return name not in IDENTITY_CODES
    if name == "display":
        return holder.get("reference", "").startswith(("Patient/", "Practitioner/", "Organization/", "Location/"))
    if name == "name":
        return resource_type in ("Organization", "Location", "Practitioner")
    return name in ("family", "given", "prefix", "div", "data", "valueAddress")


def walk(value, change, resource_type, inside=False):
    """Calls change(text) for each text that is an identity, and puts its answer in the text's place."""
    if isinstance(value, list):
        return [walk(item, change, resource_type, inside) for item in value]
    if isinstance(value, dict):
        birthplace = value.get("url", "").endswith(("patient-birthPlace", "mothersMaidenName", "geolocation"))
        out = {}
        for name, child in value.items():
            deeper = name in IDENTITY_MEMBERS or (birthplace and name != "url") or is_identity(
                name, value, resource_type, inside)
            if isinstance(child, str):
                out[name] = change(child) if deeper and name not in IDENTITY_CODES else change_ids(child, change)
            else:
                out[name] = walk(child, change, resource_type, deeper)
        return out
    if not isinstance(value, str):
        return value
    return change(value) if inside else change_ids(value, change)


def change_ids(text, change):
    return UUID.sub(lambda match: change(match[0]), text)


def write_samples(folder, out, keep):
    random.seed(1)  # the same samples each time
    out.mkdir(parents=True, exist_ok=True)
    by_type = {}
    for resource in resources(folder):
        by_type.setdefault(resource["resourceType"], []).append(resource)
    for resource_type, of_type in sorted(by_type.items()):
        if len(of_type) > PER_TYPE_MAX and not keep:
            of_type = random.sample(of_type, PER_TYPE_MAX)
        for number, resource in enumerate(of_type):
            if not keep:
                resource = walk(resource, scrambled, resource_type)
            (out / f"{resource_type}-{number:06}.json").write_text(dump(resource))


def check(folder, dictionary):
    identities = set()

    def collect(text):
        identities.add(text)
        return text

    for resource in resources(folder):
        walk(resource, collect, resource["resourceType"])
    content = dictionary.read_bytes().decode("utf-8", "replace")
    # Shorter texts ("MA", "Dr.", "home") are words of the language and tell nobody apart.
    found = sorted(text for text in identities if len(text) > 5 and text.strip(TAG) in content)
    for text in found:
        print(f"in the dictionary: {text!r}", file=sys.stderr)
    return 1 if found else 0


def main():
    arguments = [one for one in sys.argv[1:] if not one.startswith("--")]
    if len(arguments) != 2:
        sys.exit(__doc__)
    source, target = map(pathlib.Path, arguments)
    if "--check" in sys.argv:
        sys.exit(check(source, target))
    write_samples(source, target, "--keep-identities" in sys.argv)


if __name__ == "__main__":
    main()

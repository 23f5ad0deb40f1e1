"""Bundles for `tacenda load`: made ones, and the comparison of what was sent with what is read back."""

import json
import uuid

# Numbers keep their text, and stay apart from strings.
NUMBERS = {"parse_float": lambda text: ("number", text), "parse_int": lambda text: ("number", text)}
SYSTEM = "http://example.org/mrn"


class Loader:
    """Loads files as a service account and knows which stored resource each entry became."""

    def __init__(self, server, name="loader"):
        self.server = server
        self.token_file = server.root / (name + ".token")
        self.token_file.write_text(server.service(name, "loader"))
        self.by_condition = {}  # "Type?criteria" -> "Type/id", of what ifNoneExist made or found

    def load(self, *inputs, parallel=1):
        """Loads in the order of the names; gives what the command printed."""
        loaded = self.server.cli("load", *inputs, "--url", f"https://127.0.0.1:{self.server.port}/fhir", "--ca",
                                 self.server.made["ca"], "--token-file", self.token_file, "--parallel", parallel,
                                 "--json", check=True)
        return json.loads(loaded.stdout)

    def places(self, entries, creates):
        """The place "Type/id" of each entry of a transaction; `creates` yields the audit log's creates in order."""
        found = []
        for entry in entries:
            event = next(creates)
            if event["type"] != entry["resource"]["resourceType"]:
                raise AssertionError(f"{event['type']} was created, {entry['resource']['resourceType']} was sent")
            found.append(f"{event['type']}/{event['id']}")
            condition = entry["request"].get("ifNoneExist")
            if condition and self.by_condition.setdefault(f"{event['type']}?{condition}", found[-1]) != found[-1]:
                raise AssertionError("a conditional create made a second resource")
        return found

    def differences(self, entries, places, token):
        """Entries that are not read back as they were sent, apart from id, meta and rewritten references."""
        new_of = {entry["fullUrl"]: place for entry, place in zip(entries, places)} | self.by_condition
        wrong = []
        with self.server.connect() as connection:
            for entry, place in zip(entries, places):
                reply = connection.request("GET", "/fhir/" + place, token=token)
                if reply.status != 200 or comparable(json.loads(reply.body, **NUMBERS)) != comparable(
                        linked(entry["resource"], new_of)):
                    wrong.append(place)
        return wrong


def creates_of(events):
    return ({"type": e["type"], "id": e["id"]} for e in events if e["event"] == "create")


def comparable(resource):
    """Without id, and without what the server sets in meta."""
    rest = {name: value for name, value in resource.items() if name != "id"}
    meta = {name: value for name, value in rest.pop("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**rest, "meta": meta} if meta else rest


def linked(value, new_of):
    """`value` as it must look once the bundle's own references are rewritten."""
    if isinstance(value, dict):
        return {name: linked(part, new_of) for name, part in value.items()}
    if isinstance(value, list):
        return [linked(part, new_of) for part in value]
    return new_of.get(value, value) if isinstance(value, str) else value


def read(path):
    return json.loads(path.read_text(), **NUMBERS)["entry"]


def write_bundle(path, mark, entries, filling=0):
    """A transaction of `entries` entries: one patient made by ifNoneExist of identifier `mark`, the rest
    observations, every other one of which names him by a conditional reference; decimals of many spellings."""
    urn = uuid.uuid4().urn
    decimals = ("1.0", "1.00", "0.10", "1E2", "-0.0", "120", "3.141592653589793238462643383279", "1e-7")
    with open(path, "w") as out:
        out.write('{"resourceType":"Bundle","type":"transaction","entry":[')
        out.write(json.dumps({
            "fullUrl": urn, "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={SYSTEM}|{mark}"},
            "resource": {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": mark}],
                         "birthDate": "1970-01-01"}}))
        for number in range(1, entries):
            subject = urn if number % 2 else f"Patient?identifier={SYSTEM}|{mark}"
            note = f',"note":[{{"text":"{"x" * filling}"}}]' if filling else ""
            out.write(f',{{"fullUrl":"{uuid.uuid4().urn}","request":{{"method":"POST","url":"Observation"}},'
                      '"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":'
                      f'"http://loinc.org","code":"8302-2"}}],"text":"{number}"}},"subject":{{"reference":"{subject}"}},'
                      f'"valueQuantity":{{"value":{decimals[number % len(decimals)]},"unit":"cm"}}{note}}}}}')
        out.write("]}")
    return path

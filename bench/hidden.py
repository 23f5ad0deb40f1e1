#!/usr/bin/env python3
"""Can what is hidden be told from what is not there by the time of the answer (REQUIREMENTS C-10, C-11)?

usage: hidden.py [--turns N] [--binary FILE] [--cold]

A doctor of the policy `hospital` asks in turn for records of patients whom he does not treat, or whose consent or label keeps
him out, and for ids that nothing has, as many of the one as of the other, on one connection, so that whatever else the
machine does meets both alike. Each row is the median of what is hidden beside the median of what is absent; the note has the
same of the fastest tenth of each, which a busy machine disturbs less, and of the first time that each was asked for.
docs/threat-model.md says what the measurements say.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "blackbox"))
POOL = 60  # patients of each kind, and as many who are not there
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def reference(kind, name):
    return {"reference": f"urn:uuid:{name}" if kind is None else f"{kind}/{name}"}


def entry(resource, name=None):
    made = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return {**made, "fullUrl": "urn:uuid:" + name} if name else made


def records_of_one(why, practitioner):
    """The entries of a patient whom nobody treats, whose consent denies it, or whose record has a label that does."""
    name, mark = str(uuid.uuid4()), uuid.uuid4().hex
    patient = reference(None, name)
    finding = {"resourceType": "Observation", "status": "final", "code": {"text": "finding"}, "identifier": [{"value": mark}],
               "subject": patient}
    if why == "labelled":
        finding["meta"] = {"security": [{"system": ACT, "code": "PSYTHPN"}]}
    entries = [entry({"resourceType": "Patient"}, name), entry(finding)]
    if why != "not treated":
        entries.append(entry({"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"}, "subject": patient,
                              "participant": [{"individual": reference("Practitioner", practitioner)}]}))
    if why == "denied by consent":
        entries.append(entry({
            "resourceType": "Consent", "status": "active", "patient": patient, "category": [{"text": "privacy"}],
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "policyRule": {"coding": [{"system": ACT, "code": "OPTOUT"}]}}))
    return mark, entries


def hidden_records(server, loader, practitioner, why, count):
    """[(patient, an Observation of his, its identifier)]."""
    made = [records_of_one(why, practitioner) for _ in range(count)]
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [one for _, entries in made for one in entries]}
    reply = server.request("POST", "/fhir", sent, loader)
    if reply.status != 200:
        sys.exit(f"bench: {reply.status} {reply.body[:300]}")
    ids = [one["response"]["location"].split("/fhir/")[-1].split("/")[1] for one in json.loads(reply.body)["entry"]]
    found, at = [], 0
    for mark, entries in made:
        found.append((ids[at], ids[at + 1], mark))
        at += len(entries)
    return found


QUESTIONS = {
    "read": "Observation/{finding}", "version": "Observation/{finding}/_history/1", "search by id": "Observation?_id={finding}",
    "search by identifier": "Observation?identifier={mark}", "search of a patient": "Observation?subject=Patient/{patient}",
    "count by a chain": "DiagnosticReport?result.identifier={mark}&_summary=count"}


def paths_of(question, pool):
    return ["/fhir/" + question.format(patient=patient, finding=finding, mark=mark) for patient, finding, mark in pool]


def times(connection, token, turns, hidden, absent):
    """Microseconds of each, asked in turn and first now one, now the other: the first time, and then again and again."""
    took = {"hidden": [], "absent": []}
    for turn in range(POOL + turns):
        order = [("hidden", hidden), ("absent", absent)]
        for name, paths in order if turn % 2 else order[::-1]:
            begun = time.perf_counter()
            reply = connection.request("GET", paths[turn % POOL], token=token)
            took[name].append(1e6 * (time.perf_counter() - begun))
            if reply.status not in (200, 404):
                sys.exit(f"bench: {paths[turn % POOL]}: {reply.status}")
    return took


def summary(took):
    """(median, fastest tenth, median of the first time)."""
    return statistics.median(took[POOL:]), statistics.quantiles(took[POOL:], n=10)[0], statistics.median(took[:POOL])


def measure(harness, turns, row, is_cold=False):
    """Calls row(name, microseconds, unit, yardstick, ratio, note) for each pair; on a store of its own."""
    server = harness.Server(policy="hospital", config=harness.UNLIMITED).start()
    try:
        loader = server.service("bench.loader", "loader")
        practitioner = server.create({"resourceType": "Practitioner", "active": True}, loader)
        doctor = server.person("dr.hidden", "doctor")
        server.cli("user", "practitioner", doctor.name, "--id", practitioner, "--data", server.data, check=True)
        token = server.token_of(doctor)
        # Others for each question: what was asked for once lies in memory the next time.
        hidden = {why: [hidden_records(server, loader, practitioner, why, POOL) for _ in QUESTIONS]
                  for why in ("not treated", "denied by consent", "labelled")}
        if is_cold:
            server.stop()
            server.start()
        with server.connect() as connection:
            for why, pools in hidden.items():
                for pool, (asked, question) in zip(pools, QUESTIONS.items(), strict=True):
                    absent = [(str(uuid.uuid4()), str(uuid.uuid4()), uuid.uuid4().hex) for _ in pool]
                    took = times(connection, token, turns, paths_of(question, pool), paths_of(question, absent))
                    (median, tenth, first), (of_absent, tenth_of, first_of) = map(summary, (took["hidden"], took["absent"]))
                    row(f"hidden: {asked}, {why}", median, "us", "absent", median / of_absent,
                        f"fastest tenth {tenth / tenth_of:.2f}, first {first / first_of:.2f}")
    finally:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--binary", default=str(ROOT / "build" / "release" / "tacenda"))
    parser.add_argument("--cold", action="store_true", help="the server is started anew before it is asked")
    options = parser.parse_args()
    os.environ["TACENDA_BINARY"] = options.binary
    import harness  # reads the binary's path when it is loaded

    measure(harness, options.turns, lambda name, value, unit, yardstick, ratio, note:
            print(f"{name:<46}{value:>10.0f} {unit}{ratio:>9.2f} of {yardstick}, {note}", flush=True), options.cold)


if __name__ == "__main__":
    main()

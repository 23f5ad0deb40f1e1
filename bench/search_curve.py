#!/usr/bin/env python3
"""How the cost of searches grows with the store: the same searches at each size, up to a million resources.

usage: search_curve.py [--sizes N,N,...] [--binary FILE] [--out FILE]

Made-up Observations of made-up patients, a hundred each, are loaded through the real API. Searches with an answer that
does not grow must not get slower; a count may grow with what it counts. Each figure is the median of several
requests on one connection, audited and decided like any other; the memory is the most that the server ever held. At the
end one search that finds everything is paged to its last hit. It fails when a search has a cliff (HAPI's million hits of
code and date: its cost grows more than CLIFF times as much as its answer), when a hit comes twice or not at all, or when
paging takes memory that grows with the hits (HAPI #6469).
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "blackbox"))
SYSTEM = "http://tacenda.example/codes"
PER_PATIENT = 100
RARE_IN_ALL = 40  # Observations of the code "rare", whatever the size
TURNS = 15
CLIFF = 10
PAGING_MB = 64  # the server may grow by while everything is paged


def patient(number):
    return {"resourceType": "Patient", "id": f"p{number}", "gender": ("female", "male")[number % 2],
            "identifier": [{"system": "http://tacenda.example/mrn", "value": f"mrn-{number}"}],
            "name": [{"family": f"Family{number % 5000}", "given": ["Given"]}], "birthDate": f"19{number % 90 + 10}-03-04"}


def observation(number, chance):
    rare = number < RARE_IN_ALL
    code = "rare" if rare else "common" if chance.random() < 0.25 else f"c{chance.randrange(300)}"
    day = datetime.date(2015, 1, 1) + datetime.timedelta(days=chance.randrange(3650))
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final",
            "category": [{"coding": [{"system": SYSTEM, "code": "laboratory"}]}],
            "code": {"coding": [{"system": SYSTEM, "code": code}]},
            "subject": {"reference": f"Patient/p{number // PER_PATIENT if not rare else number}"},
            "effectiveDateTime": f"{day}T08:30:00Z",
            "valueQuantity": {"value": chance.randrange(1000), "unit": "mg/dL", "system": "http://unitsofmeasure.org",
                              "code": "mg/dL"}}


def write_bundles(folder, first, last):
    chance = random.Random(first)
    for start in range(first, last, 2000):
        made = [observation(number, chance) for number in range(start, min(last, start + 2000))]
        # A transaction of patients comes with their first Observation.
        patients = [patient(n) for n in range(-(-start // PER_PATIENT), -(-min(last, start + 2000) // PER_PATIENT))]
        if start == 0:
            patients += [patient(n) for n in range(len(patients), RARE_IN_ALL)]
        entries = [{"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
                   for one in patients + made]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        (folder / f"{start:08}.json").write_text(json.dumps(body))


def queries():
    code = urllib.parse.quote(SYSTEM + "|", safe="")
    return {
        "one code of one patient": f"/fhir/Observation?subject=Patient/p3&code={code}common",
        "newest of one patient": "/fhir/Observation?subject=Patient/p3&_sort=-date&_count=10",
        "rare code": f"/fhir/Observation?code={code}rare",
        "rare code and date": f"/fhir/Observation?code={code}rare&date=ge2016",
        "common code, first page": f"/fhir/Observation?code={code}common&_count=20",
        "common code and one day": f"/fhir/Observation?code={code}common&date=2018-05-05",
        "common code and years, first page": f"/fhir/Observation?code={code}common&date=ge2016&_count=20",
        "chain to one patient": "/fhir/Observation?subject.identifier=http://tacenda.example/mrn|mrn-7",
        "chain to half, rare code": f"/fhir/Observation?subject.gender=female&code={code}rare",
        "chain to half, common code, first page": f"/fhir/Observation?subject.gender=female&code={code}common&_count=20",
        "patients who have the rare code": f"/fhir/Patient?_has:Observation:subject:code={code}rare&_count=100",
        "count of the common code": f"/fhir/Observation?code={code}common&_summary=count",
        "count of the common code of years": f"/fhir/Observation?code={code}common&date=ge2018&_summary=count",
        "count of all": "/fhir/Observation?_summary=count",
    }


def measure(server, token):
    rows = {}
    with server.connect() as connection:
        for name, query in queries().items():
            times = []
            while len(times) < TURNS and sum(times) < 10:
                begin = time.perf_counter()
                reply = connection.request("GET", query, token=token)
                times.append(time.perf_counter() - begin)
                if reply.status != 200:
                    sys.exit(f"curve: {query}: {reply.status} {reply.body[:300]}")
            found = json.loads(reply.body)
            rows[name] = {"ms": round(statistics.median(times) * 1000, 2), "found": found.get("total", len(found.get("entry", [])))}
    return rows


def peak_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) // 1024


def rss_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) // 1024


def page_through(server, token, size):
    """One search over every Observation, to the end; what it took and what was wrong about it."""
    seen, pages, grown, wrong = bytearray(size), 0, 0, []
    before, begin = rss_mb(server.process.pid), time.monotonic()
    with server.connect() as connection:
        path = "/fhir/Observation?_count=1000"
        while path:
            reply = connection.request("GET", path, token=token)
            if reply.status != 200:
                sys.exit(f"curve: page {pages}: {reply.status} {reply.body[:300]}")
            bundle = json.loads(reply.body)
            for entry in bundle.get("entry", ()):
                seen[int(entry["resource"]["id"][1:])] += 1
            following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            path = urllib.parse.urlsplit(following[0])._replace(scheme="", netloc="").geturl() if following else None
            pages += 1
            grown = max(grown, rss_mb(server.process.pid) - before)
    if seen != b"\1" * size:
        wrong.append(f"{seen.count(0)} hits were left out, {size - seen.count(0) - seen.count(1)} came more than once")
    if grown > PAGING_MB:
        wrong.append(f"paging {size:,} hits took {grown} MB")
    seconds = time.monotonic() - begin
    print(f"{size:,} hits in {pages:,} pages, each once: {seconds:.0f} s, {grown} MB more than before", flush=True)
    return {"hits": size, "pages": pages, "seconds": round(seconds), "grown_mb": grown}, wrong


def cliffs(curve):
    """The searches whose cost grew by far more than their answer, from the smallest store to the largest."""
    first, last = curve[0]["searches"], curve[-1]["searches"]
    grown = {name: (last[name]["ms"] / first[name]["ms"], last[name]["found"] / max(1, first[name]["found"])) for name in first}
    return [f"'{name}' takes {cost:.0f} times as long for {max(1, answer):.0f} times the answer"
            for name, (cost, answer) in grown.items() if cost > CLIFF * max(1, answer)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,300000,1000000")
    parser.add_argument("--binary", default=str(ROOT / "build" / "release" / "tacenda"))
    parser.add_argument("--out")
    options = parser.parse_args()
    os.environ["TACENDA_BINARY"] = options.binary
    import harness

    sizes = [int(one) for one in options.sizes.split(",")]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-bench-"))
    server = harness.Server(policy="classic", config=harness.UNLIMITED).start()
    curve, done = [], 0
    try:
        server.admin()
        token = server.token_of(server.person("bench", "administrator"))  # may choose ids, which a loader may not
        (folder / "token").write_text(token)
        for size in sizes:
            bundles = folder / f"to-{size}"
            bundles.mkdir()
            write_bundles(bundles, done, size)
            begin = time.monotonic()
            server.cli("load", bundles, "--url", f"https://{server.host}:{server.port}/fhir", "--ca", server.made["ca"],
                       "--token-file", folder / "token", "--parallel", "4", check=True)
            rate = (size - done) / (time.monotonic() - begin)
            shutil.rmtree(bundles)
            done = size
            stored = sum(f.stat().st_size for f in server.data.rglob("*") if f.is_file())
            kept = json.loads(server.cli("status", "--data", server.data, "--json", check=True).stdout)["stored_bytes"]
            curve.append({"resources": size, "loaded_per_s": round(rate), "bytes_per_resource": stored // size,
                          "index_bytes_per_resource": kept["index"] // size, "audit_bytes_per_resource": kept["audit"] // size,
                          "searches": measure(server, token), "peak_mb": peak_mb(server.process.pid)})
            print(f"{size:>9,} resources: {rate:,.0f}/s loaded, {stored // size} bytes each, "
                  f"{kept['index'] // size} of them index, {curve[-1]['peak_mb']} MB of memory at most", flush=True)
        paged, wrong = page_through(server, token, done)
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'milliseconds (found)':<42}" + "".join(f"{one['resources']:>18,}" for one in curve))
    for name in queries():
        cells = (one["searches"][name] for one in curve)
        print(f"{name:<42}" + "".join(f"{cell['ms']:>9,.1f} {'(' + format(cell['found'], ',') + ')':>8}" for cell in cells))
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps({"cores": os.cpu_count(), "curve": curve, "paged": paged}, indent=2) + "\n")
    wrong += cliffs(curve)
    if wrong:
        sys.exit("curve: " + "; ".join(wrong))


if __name__ == "__main__":
    main()

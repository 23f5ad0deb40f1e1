#!/usr/bin/env python3
"""Measures the server with everything on, each figure beside a yardstick of the same machine in the same run.

usage: run.py [--seconds N] [--binary FILE] [--decisions FILE] [--bundles FOLDER] [--out FILE] [--idle N] [--searched N] [--turns N]

Reads, creates, searches and new TLS connections are made by wrk; the yardsticks are nginx (a file of the same bytes over
TLS 1.3 on the same cores), fdatasync of the data folder's disk, and `openssl speed`. Results: a table on the
terminal and JSON in bench/results/. Only ratios travel between machines.
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

import hidden
import search_curve

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "blackbox"))
EVERYTHING = 10_000_000  # number of the patient with many resources
PATIENT = {"resourceType": "Patient", "name": [{"family": "Bench", "given": ["Ann", "Mary"]}], "gender": "female",
           "birthDate": "1970-01-01", "address": [{"line": ["1 Main Street"], "city": "Boston", "postalCode": "02108"}]}


TRANSACTION = {"resourceType": "Bundle", "type": "transaction", "entry": [
    {"fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", "resource": PATIENT,
     "request": {"method": "POST", "url": "Patient"}},
    {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "Bench"},
                  "subject": {"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"},
                  "valueQuantity": {"value": 1.5, "unit": "mg"}},
     "request": {"method": "POST", "url": "Observation"}}]}


def wrk(url, seconds, connections, headers=(), script=None):
    """Requests a second and the 99th percentile in ms; every answer must be a success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", str(script)]
    text = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        sys.exit("bench: some requests were refused:\n" + text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    return rate, float(p99.group(1)) * {"us": 0.001, "ms": 1, "s": 1000}[p99.group(2)]


def rss_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024


class Nginx:
    """Serves one file over TLS 1.3, two workers, no access log."""

    def __init__(self, body, folder):
        self.folder = folder / "nginx"
        (self.folder / "www").mkdir(parents=True)
        (self.folder / "www" / "file").write_bytes(body)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem", "-days", "2",
                        "-subj", "/CN=localhost"], check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = f"""
            worker_processes 2; daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;
            events {{ worker_connections 12000; }}
            http {{ access_log off; keepalive_requests 100000000;
              client_body_temp_path {self.folder}; proxy_temp_path {self.folder}; fastcgi_temp_path {self.folder};
              uwsgi_temp_path {self.folder}; scgi_temp_path {self.folder};
              server {{ listen 127.0.0.1:{self.port} ssl; ssl_protocols TLSv1.3; root {self.folder}/www;
                ssl_certificate {self.folder}/cert.pem; ssl_certificate_key {self.folder}/key.pem; }} }}"""
        (self.folder / "nginx.conf").write_text(config)
        for path in (self.folder, self.folder / "www"):
            path.chmod(0o755)
        self.process = subprocess.Popen(["nginx", "-c", self.folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        self.url = f"https://127.0.0.1:{self.port}/file"
        time.sleep(0.5)

    def close(self):
        self.process.terminate()
        self.process.wait()


def fdatasync_rate(folder, seconds=2):
    path = folder / "sync"
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        os.pwrite(file, b"x" * 512, 512 * (count % 128))
        os.fdatasync(file)
        count += 1
    os.close(file)
    return count / seconds


def openssl_rate():
    """AES-256-GCM of 1 KiB blocks on one core, MB/s."""
    text = subprocess.run(["openssl", "speed", "-seconds", "1", "-bytes", "1024", "-evp", "aes-256-gcm"],
                          capture_output=True, text=True, check=True).stdout
    return float(text.split()[-1].rstrip("k")) / 1000


def hold_idle(host, port, context, count):
    held = []
    for _ in range(count):
        held.append(context.wrap_socket(socket.create_connection((host, port)), server_hostname="localhost"))
    return held


def post_script(folder, token, body):
    path = folder / "post.lua"
    path.write_text("wrk.method = 'POST'\nwrk.body = [[" + json.dumps(body) + "]]\n"
                    "wrk.headers['Content-Type'] = 'application/fhir+json'\n"
                    f"wrk.headers['Authorization'] = 'Bearer {token}'\n")
    path.chmod(0o600)
    return path


def load_searched(options, folder, server):
    """Made-up Observations, a hundred for each patient, and one patient with 350 of them."""
    bundles = folder / "searched"
    bundles.mkdir()
    search_curve.write_bundles(bundles, 0, options.searched)
    many = [search_curve.patient(EVERYTHING)] + [
        search_curve.observation(n, random.Random(n)) | {"id": f"e{n}", "subject": {"reference": f"Patient/p{EVERYTHING}"}}
        for n in range(349)]
    entries = [{"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}} for one in many]
    (bundles / "everything.json").write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    token_file = folder / "searched.token"
    # May choose ids, which a loader may not.
    token_file.write_text(server.token_of(server.person("bench.loader", "administrator")))
    server.cli("load", bundles, "--url", f"https://{server.host}:{server.port}/fhir", "--ca", server.made["ca"],
               "--token-file", token_file, "--parallel", "4", check=True)
    shutil.rmtree(bundles)


def stored_bytes(server):
    return json.loads(server.cli("status", "--data", server.data, "--json", check=True).stdout)["stored_bytes"]


def measure_searches(options, folder, server, doctor, row):
    before, begin = stored_bytes(server), time.monotonic()
    load_searched(options, folder, server)
    count = options.searched * (1 + 1 / search_curve.PER_PATIENT)  # the patients, too
    row("load of what is searched", count / (time.monotonic() - begin), "resources/s", note=f"{count:,.0f} resources, PUT")
    after = stored_bytes(server)
    for name in ("versions", "index", "audit"):
        row(f"disk, {name}", (after[name] - before[name]) / count, "bytes/resource")
    base = f"https://{server.host}:{server.port}/fhir"
    code = f"code={urllib.parse.quote(search_curve.SYSTEM + '|', safe='')}common"
    bearer = "Authorization: Bearer " + doctor
    found = json.loads(server.request("GET", f"/fhir/Observation?{code}&_summary=count", token=doctor).body)["total"]
    for name, query in {
        "token search, first page of 20": f"/Observation?{code}&_count=20",
        "token search of one patient": f"/Observation?subject=Patient/p3&{code}",
        "newest 10 of one patient": "/Observation?subject=Patient/p3&_sort=-date&_count=10",
        "$everything of 350 resources": f"/Patient/p{EVERYTHING}/$everything?_count=1000",
    }.items():
        body = server.request("GET", "/fhir" + query, token=doctor).body
        place = pathlib.Path(tempfile.mkdtemp(dir=folder))
        place.chmod(0o755)
        nginx = Nginx(body, place)
        try:
            bytes_rate, _ = wrk(nginx.url, max(2, options.seconds // 2), 64)
        finally:
            nginx.close()
        rate, p99 = wrk(base + query, options.seconds, 64, [bearer])
        row(name, rate, "requests/s", "nginx", rate / bytes_rate, f"p99 {p99:.1f} ms, {len(body)} bytes")
    for name, query, counted in (("count over one code", f"/Observation?{code}&_summary=count", found),
                                 ("count of all", "/Observation?_summary=count", options.searched)):
        rate, p99 = wrk(base + query, options.seconds, 64, [bearer])
        row(name, rate, "requests/s", note=f"{rate * counted / 1e6:.0f} M resources/s of {counted:,}, p99 {p99:.1f} ms")


def consenting(number):
    """A patient whom nobody of this bench treats, his Consent, and ten labelled resources of his."""
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    patient = {"reference": f"Patient/c{number}"}
    made = [{"resourceType": "Patient", "id": f"c{number}"}, consent_of(patient, f"c{number}")]
    return made + [{"resourceType": "Observation", "id": f"c{number}-{n}", "status": "final", "code": {"text": "labelled"},
                    "subject": patient, "meta": {"security": [{"system": act, "code": ("HIV", "PSY")[n % 2]}]}} for n in range(10)]


def consent_of(patient, id_):
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    return {"resourceType": "Consent", "id": id_, "status": "active", "patient": patient, "category": [{"text": "privacy"}],
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "policyRule": {"coding": [{"system": act, "code": "OPTIN"}]},
            "provision": {"provision": [{"type": "deny", "securityLabel": [{"system": act, "code": "HIV"}]}]}}


def measure_decisions(options, server, doctor, patient, row):
    """The same read under `classic` without a Consent, and under `hospital` with a thousand, by who treats the patient."""
    url = f"https://{server.host}:{server.port}/fhir/Patient/{patient}"
    bearer = ["Authorization: Bearer " + doctor]
    before, _ = wrk(url, options.seconds, 64, bearer)
    token = server.token_of(server.person("bench.keeper", "administrator"))
    me = {"resourceType": "Practitioner", "id": "me"}
    mine = {"resourceType": "Encounter", "id": "mine", "status": "in-progress", "class": {"code": "IMP"},
            "subject": {"reference": "Patient/" + patient}, "participant": [{"individual": {"reference": "Practitioner/me"}}]}
    resources = [me, mine, consent_of({"reference": "Patient/" + patient}, "own")]
    resources += [one for number in range(1000) for one in consenting(number)]
    for first in range(0, len(resources), 1000):
        entries = [{"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
                   for one in resources[first:first + 1000]]
        reply = server.request("POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": entries}, token=token)
        if reply.status != 200:
            sys.exit(f"bench: {reply.status} {reply.body[:300]}")
    server.cli("user", "practitioner", "dr.bench", "--id", "me", "--data", server.data, check=True)
    server.cli("policy", "set", ROOT / "src/access/policies/hospital.toml", "--data", server.data, check=True)
    rate, p99 = wrk(url, options.seconds, 64, bearer)
    row("read by relation, consent, label", rate, "requests/s", "the read without", rate / before,
        f"p99 {p99:.1f} ms, 1,000 consents, 10,000 labelled")


def decision_cost(options, row):
    """A decision alone, without a request about it; goal: a p50 under 20 us."""
    text = subprocess.run([options.decisions], capture_output=True, text=True, check=True).stdout
    cost = re.search(r"^again: .* p50 ([\d.]+) us, p99 ([\d.]+) us", text, re.MULTILINE)
    row("one decision, p50", float(cost.group(1)), "us", note=f"p99 {cost.group(2)} us, 1,000 consents, 10,000 labelled")


def measure(options, folder, harness):
    rows = []

    def row(name, value, unit, yardstick="", ratio=None, note=""):
        rows.append({"name": name, "value": round(value, 1), "unit": unit, "yardstick": yardstick,
                     "ratio": None if ratio is None else round(ratio, 3), "note": note})
        print(f"{name:<48}{value:>12,.1f} {unit:<14}" + (f"{ratio:>8.1%} of {yardstick}" if ratio is not None else "")
              + ("  " + note if note else ""), flush=True)

    server = harness.Server(policy="classic", config=harness.UNLIMITED).start()
    try:
        server.admin()
        loader = server.service("loader", "loader")
        doctor = server.token_of(server.person("dr.bench", "doctor"))
        made = harness.json_of(server.request("POST", "/fhir/Patient", PATIENT, token=doctor))
        base = f"https://{server.host}:{server.port}"
        read_url = f"{base}/fhir/Patient/{made['id']}"
        bearer = "Authorization: Bearer " + doctor
        body = server.request("GET", f"/fhir/Patient/{made['id']}", token=doctor).body
        nginx = Nginx(body, folder)
        try:
            aes, sync = openssl_rate(), fdatasync_rate(folder)
            row("yardstick: openssl AES-256-GCM", aes, "MB/s")
            row("yardstick: fdatasync", sync, "1/s")
            nginx_rate, nginx_p99 = wrk(nginx.url, options.seconds, 64)
            row("yardstick: nginx, same bytes", nginx_rate, "requests/s", note=f"p99 {nginx_p99:.1f} ms, {len(body)} bytes")
            rate, p99 = wrk(read_url, options.seconds, 64, [bearer])
            row("Patient read, audited, 64 clients", rate, "requests/s", "nginx", rate / nginx_rate, f"p99 {p99:.1f} ms")
            again, _ = wrk(nginx.url, options.seconds, 64)
            row("yardstick: nginx, afterwards", again, "requests/s")
            rate, p99 = wrk(f"{base}/fhir/Patient", options.seconds, 64, script=post_script(folder, doctor, PATIENT))
            row("create, durable, 64 clients", rate, "requests/s", "fdatasync", rate / sync, f"p99 {p99:.1f} ms")
            for clients in (64, 1):
                rate, p99 = wrk(f"{base}/fhir", options.seconds, clients, script=post_script(folder, doctor, TRANSACTION))
                row(f"Patient + Observation, {clients} clients", rate, "transactions/s", "fdatasync", rate / sync,
                    f"p99 {p99:.1f} ms")
            close = ["Connection: close"]
            nginx_new, _ = wrk(nginx.url, options.seconds, 64, close)
            rate, _ = wrk(read_url, options.seconds, 64, [bearer, *close])
            row("new TLS connection + read", rate, "connections/s", "nginx", rate / nginx_new)
        finally:
            nginx.close()
        token_file = folder / "token"
        token_file.write_text(loader)
        loaded = server.cli("load", options.bundles, "--url", f"{base}/fhir", "--ca", server.made["ca"], "--token-file",
                            token_file, "--parallel", "4", check=True).stdout
        numbers = re.search(r"(\d+) resources, (\d+) resources/s", loaded)
        row("transaction load", float(numbers.group(2)), "resources/s", "fdatasync", float(numbers.group(2)) / sync,
            f"{numbers.group(1)} resources")
        measure_searches(options, folder, server, doctor, row)
        measure_decisions(options, server, doctor, made["id"], row)
        decision_cost(options, row)
        size = sum(f.stat().st_size for f in server.data.rglob("*") if f.is_file())
        row("data folder", size / 1e6, "MB")
        row("memory, serving", rss_mb(server.process.pid), "MB")
        before = rss_mb(server.process.pid)
        context = server.tls_context()
        context.check_hostname = False
        held = hold_idle(server.host, server.port, context, options.idle)
        row(f"memory, {len(held)} idle connections", rss_mb(server.process.pid), "MB",
            note=f"{(rss_mb(server.process.pid) - before) * 1024 / max(1, len(held)):.1f} KB each")
        alive = server.request("GET", f"/fhir/Patient/{made['id']}", token=doctor).status
        row("answer beside them", alive, "status")
        for connection in held:
            connection.close()
    finally:
        server.close()
    hidden.measure(harness, options.turns, row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--binary", default=str(ROOT / "build" / "release" / "tacenda"))
    parser.add_argument("--decisions", default=str(ROOT / "build" / "release" / "tests" / "decision_bench"))
    parser.add_argument("--bundles", default=str(ROOT / "samples"))
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--searched", type=int, default=100_000, help="resources in the store that is searched")
    parser.add_argument("--turns", type=int, default=500, help="answers about what is hidden and what is absent, each")
    parser.add_argument("--out")
    options = parser.parse_args()
    for tool in ("wrk", "nginx", "openssl"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} is not installed: ./dev setup bench")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ["TACENDA_BINARY"] = options.binary
    import harness  # reads the binary's path when it is loaded

    folder = pathlib.Path(tempfile.mkdtemp(prefix="tacenda-bench-"))
    folder.chmod(0o755)
    try:
        rows = measure(options, folder, harness)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    out = pathlib.Path(options.out) if options.out else ROOT / "bench" / "results" / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    out.write_text(json.dumps({"time": f"{now:%Y-%m-%dT%H:%M:%SZ}", "cpu": cpu.group(1) if cpu else "", "cores": os.cpu_count(),
                               "rows": rows}, indent=2) + "\n")
    print("written to", out)


if __name__ == "__main__":
    main()

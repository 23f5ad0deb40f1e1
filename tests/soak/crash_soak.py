#!/usr/bin/env python3
"""Kills the server without warning, again and again, and checks what it had promised (A-15).

Many clients write. Each notes what was acknowledged: resource, version, content, request id. Then kill -9 at
a random moment, restart, and compare:
  lost          an acknowledged version is not there, or is not what was sent
  half          of the two resources of one transaction, one has it and the other has not
  without_leaf  an acknowledged request has no entry in the audit log
  absent        the audit log tells of a write that is not there
  invented      a version that nobody wrote, a gap in the version numbers
  damaged       `tacenda verify` finds something, right after a kill or at the end
All must be 0, and no written word can be read on the disk.

    TACENDA_BINARY=... tests/soak/crash_soak.py --cycles 1000 --clients 32 [--seed N] [--json FILE]
"""

import argparse
import collections
import http.client
import json
import pathlib
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))
import harness  # noqa: E402

CANARY = "soakcanary"
VERSIONS_MAX = 25  # then a client begins a new resource, so that histories stay short
SIGN_IN_SECONDS = 240  # administration asks for a second factor that is not older than five minutes
VERIFY_EVERY = 10  # cycles: right after the kill, before any server has looked at the store
COUNTS = ("lost", "half", "without_leaf", "absent", "invented", "damaged")


class Kept:
    """What one client knows of one resource, or of the two that he only ever writes together."""

    def __init__(self, places):
        self.places = places  # [(type, id)]
        self.acknowledged = {}  # version -> marker; None: deleted
        self.unknown = []  # markers that were sent and not answered
        self.touched = True


class Client:
    """One caller. He alone writes his resources, so he knows what must be there."""

    def __init__(self, number, seed):
        self.number, self.random = number, random.Random(seed * 1000 + number)
        self.count = 0
        self.single = None
        self.pair = None
        self.all = []
        self.requests = []  # (request id, type, id, version) acknowledged since the last check
        self.failures = []

    def marker(self):
        self.count += 1
        return f"{CANARY}-{self.number}-{self.count}"

    def run(self, server, token, stop):
        try:
            with server.connect(timeout=30) as connection:
                while not stop.is_set():
                    self.step(connection, token)
        except (OSError, http.client.HTTPException):
            return  # the server was killed; what was on its way stays unknown
        except Exception as problem:  # a wrong answer: told at the next check
            self.failures.append(repr(problem))

    def step(self, connection, token):
        choice = self.random.random()
        if self.single is None or len(self.single.acknowledged) + len(self.single.unknown) > VERSIONS_MAX:
            self.create(connection, token)
        elif choice < 0.45:
            self.update(connection, token)
        elif choice < 0.55:
            self.delete(connection, token)
        elif choice < 0.85:
            self.write_pair(connection, token)
        else:
            self.read(connection, token)

    def expect(self, reply, *statuses):
        if reply.status not in statuses:
            raise AssertionError(f"{reply.status}: {reply.body[:300]}")
        return reply

    def acknowledge(self, kept, reply, versions, marker):
        for (kind, id_), version in zip(kept.places, versions):
            self.requests.append((reply.headers["x-request-id"], kind, id_, version))
        kept.acknowledged[versions[0]] = marker
        kept.unknown.pop()
        if len(set(versions)) != 1:
            raise AssertionError(f"the two of one pair have versions {versions}")

    def create(self, connection, token):
        marker = self.marker()
        body = {"resourceType": "Patient", "name": [{"family": marker}]}
        reply = self.expect(connection.request("POST", "/fhir/Patient", body, token), 201)
        kept = Kept([("Patient", harness.json_of(reply)["id"])])
        kept.unknown.append(marker)
        self.acknowledge(kept, reply, [1], marker)
        self.single = kept
        self.all.append(kept)

    def update(self, connection, token):
        kept, marker = self.single, self.marker()
        kept.unknown.append(marker)
        kept.touched = True
        id_ = kept.places[0][1]
        body = {"resourceType": "Patient", "id": id_, "name": [{"family": marker}]}
        reply = self.expect(connection.request("PUT", f"/fhir/Patient/{id_}", body, token), 200, 201)
        self.acknowledge(kept, reply, [int(reply.headers["etag"][3:-1])], marker)

    def delete(self, connection, token):
        kept = self.single
        if list(kept.acknowledged.values())[-1] is None or kept.unknown:
            return  # deleting what is deleted makes no version
        kept.unknown.append(None)
        kept.touched = True
        reply = self.expect(connection.request("DELETE", f"/fhir/Patient/{kept.places[0][1]}", token=token), 204)
        self.acknowledge(kept, reply, [int(reply.headers["etag"][3:-1])], None)

    def write_pair(self, connection, token):
        if self.pair is None or len(self.pair.acknowledged) + len(self.pair.unknown) > VERSIONS_MAX:
            name = f"pair-{self.number}-{self.count}"
            self.pair = Kept([("Patient", name), ("Observation", name)])
            self.all.append(self.pair)
        kept, marker = self.pair, self.marker()
        kept.unknown.append(marker)
        kept.touched = True
        id_ = kept.places[0][1]
        patient = {"resourceType": "Patient", "id": id_, "name": [{"family": marker}]}
        observation = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": marker},
                       "subject": {"reference": f"Patient/{id_}"}}
        sent = {"resourceType": "Bundle", "type": "transaction",
                "entry": [{"request": {"method": "PUT", "url": f"{r['resourceType']}/{id_}"}, "resource": r}
                          for r in (patient, observation)]}
        reply = self.expect(connection.request("POST", "/fhir", sent, token), 200)
        versions = [int(e["response"]["etag"][3:-1]) for e in harness.json_of(reply)["entry"]]
        self.acknowledge(kept, reply, versions, marker)

    def read(self, connection, token):
        kept = self.single
        if kept.unknown:
            return
        version, marker = list(kept.acknowledged.items())[-1]
        reply = connection.request("GET", f"/fhir/Patient/{kept.places[0][1]}", token=token)
        if marker is None:
            self.expect(reply, 410)
        elif marker_of(harness.json_of(self.expect(reply, 200))) != marker:
            raise AssertionError(f"version {version} was acknowledged and is not what is read")


def marker_of(resource):
    if resource["resourceType"] == "Patient":
        return resource["name"][0]["family"]
    return resource["code"]["text"]


class Soak:
    """One run: a server, its clients, and the counts of what went wrong."""

    def __init__(self, cycles, clients, seed, keep=None):
        self.cycles, self.random = cycles, random.Random(seed)
        self.clients = [Client(number, seed) for number in range(clients)]
        self.wrong = collections.Counter({name: 0 for name in COUNTS})
        self.examples = []
        self.keep = keep
        self.cycle = 0
        self.acknowledged = 0
        self.claims = {}
        self.after = 0  # sequence of the newest audit entry that was looked at
        self.server = harness.Server("classic", config=harness.UNLIMITED).start()
        self.signed_in = time.monotonic()
        self.server.admin()

    def close(self):
        self.server.close()

    def report(self, kind, text):
        self.wrong[kind] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {text}")

    def token(self):
        if time.monotonic() - self.signed_in > SIGN_IN_SECONDS:
            self.server.sign_in_admin()
            self.signed_in = time.monotonic()
        return self.server.admin_token

    def run(self, progress=lambda cycle: None):
        for cycle in range(self.cycles):
            self.one_cycle()
            progress(cycle + 1)
        for client in self.clients:
            for kept in client.all:
                kept.touched = True
        self.check_versions()
        self.server.stop()
        self.verify()
        canaries = harness.find_canaries([self.server.data, self.server.out, self.server.err], [CANARY])
        return {"cycles": self.cycles, "clients": len(self.clients), "acknowledged": self.acknowledged, **self.wrong,
                "canaries": len(canaries), "examples": self.examples}

    def verify(self):
        """Recomputes every proof of the stopped store; keeps a copy of one that does not hold."""
        verified = self.server.verify()
        if verified.returncode != 0:
            self.report("damaged", f"{verified.stdout[-2000:]} {verified.stderr[-2000:]}")
            if self.keep:
                shutil.copytree(self.server.root, pathlib.Path(self.keep) / f"damaged-{self.cycle}",
                                ignore=shutil.ignore_patterns("*.sock"))

    def one_cycle(self):
        stop, token = threading.Event(), self.token()
        threads = [threading.Thread(target=client.run, args=(self.server, token, stop)) for client in self.clients]
        for thread in threads:
            thread.start()
        time.sleep(self.random.uniform(0.05, 1.0))
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        self.cycle += 1
        if self.cycle % VERIFY_EVERY == 1:
            self.verify()
        self.server.start()
        for client in self.clients:
            for failure in client.failures:
                self.report("lost", failure)
            client.failures.clear()
        self.check_audit()
        self.check_versions()

    def check_audit(self):
        """Every acknowledged request has its entries, and every entry of a write its version."""
        told = collections.defaultdict(set)
        self.claims = collections.defaultdict(set)  # (type, id) -> versions that the log tells of
        while True:
            reply = self.server.socket_request("GET", f"/admin/audit?after={self.after}&limit=1000", token=self.token())
            entries = json.loads(reply.body)["entries"]
            for entry in entries:
                self.after = max(self.after, entry["sequence"])
                place = (entry.get("type"), entry.get("id"), entry.get("version"))
                told[entry.get("request_id")].add(place)
                if entry["event"] in ("create", "update", "delete") and entry["outcome"] == 0:
                    self.claims[place[:2]].add(place[2])
            if len(entries) < 1000:
                break
        for client in self.clients:
            self.acknowledged += len(client.requests)
            for request, kind, id_, version in client.requests:
                if (kind, id_, version) not in told[request]:
                    self.report("without_leaf", f"{kind}/{id_} version {version}")
            client.requests.clear()

    def check_versions(self):
        with self.server.connect() as connection:
            for client in self.clients:
                for kept in client.all:
                    if kept.touched:
                        self.check_one(connection, kept)
                        kept.touched = False
            # What is left was created by a request whose answer was cut off: only the log knows its id.
            for place in list(self.claims):
                self.check_claims(place, self.history(connection, *place))

    def check_claims(self, place, have):
        for version in self.claims.pop(place, ()):
            if version not in have:
                self.report("absent", f"{place} version {version}")

    def history(self, connection, kind, id_):
        """version -> marker of what is stored."""
        reply = connection.request("GET", f"/fhir/{kind}/{id_}/_history?_count=1000", token=self.token())
        if reply.status == 404:
            return {}
        if reply.status != 200:
            self.report("lost", f"history of {kind}/{id_}: {reply.status}")
            return {}
        entries = harness.json_of(reply).get("entry", [])
        return {int(e["response"]["etag"][3:-1]): marker_of(e["resource"]) if "resource" in e else None for e in entries}

    def check_one(self, connection, kept):
        stored = [self.history(connection, *place) for place in kept.places]
        for place, have in zip(kept.places, stored):
            self.check_claims(place, have)
        name = "/".join(kept.places[0])
        if stored[0] != stored[-1]:
            self.report("half", f"{name}: {stored}")
        have = stored[0]
        for version, marker in kept.acknowledged.items():
            if have.get(version, "nothing") != marker:
                self.report("lost", f"{name} version {version}: {have.get(version)} in place of {marker}")
        if sorted(have) != list(range(1, len(have) + 1)):
            self.report("invented", f"{name}: versions {sorted(have)}")
        for version, marker in sorted(have.items()):
            if version in kept.acknowledged:
                continue
            if marker in kept.unknown:
                kept.unknown.remove(marker)
                kept.acknowledged[version] = marker  # it is there now, and must stay
            else:
                self.report("invented", f"{name} version {version}: {marker}")
        kept.unknown.clear()  # what did not arrive never will
        kept.acknowledged = dict(sorted(kept.acknowledged.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", type=pathlib.Path, help="where to put the result")
    parser.add_argument("--keep", help="where to copy a store that verify finds damaged")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    soak = Soak(options.cycles, options.clients, options.seed, options.keep)
    try:
        result = soak.run(lambda cycle: print(f"\rcycle {cycle}/{options.cycles}  acknowledged {soak.acknowledged}  "
                                              f"wrong {sum(soak.wrong.values())}", end="", flush=True))
    finally:
        soak.close()
    print()
    result["seed"] = options.seed
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    well = not any(result[name] for name in COUNTS) and result["canaries"] == 0
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())

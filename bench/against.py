#!/usr/bin/env python3
"""The Patient read of this tree against that of another revision, turn by turn on one machine.

usage: against.py OTHER_TREE [--seconds N] [--rounds N]

OTHER_TREE is a checkout of that revision (`git worktree add`) with its own build/dev/tacenda (`./dev build`): each
server is started by the harness of its own tree. Both run all the time and are asked in turns, so that a machine that
becomes slower slows both; who begins changes with each round. Prints each round and the medians: requests a second,
the processor time that the server took for one, and the ratio within a round, which is disturbed least by what slows
the machine for a while. Many short rounds say more than a few long ones.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import run

ROOT = pathlib.Path(__file__).resolve().parents[1]
SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import harness
keys = {"config": harness.UNLIMITED} if hasattr(harness, "UNLIMITED") else {}
server = harness.Server(policy="classic", **keys).start()
try:
    server.admin()
    doctor = server.token_of(server.person("dr.bench", "doctor"))
    patient = json.loads(sys.argv[2])
    made = harness.json_of(server.request("POST", "/fhir/Patient", patient, token=doctor))
    print(json.dumps({"url": f"https://{server.host}:{server.port}/fhir/Patient/{made['id']}", "token": doctor,
                      "pid": server.process.pid}), flush=True)
    sys.stdin.read()
finally:
    server.close()
"""


def start(tree):
    binary = tree / "build" / "dev" / "tacenda"
    if not binary.exists():
        sys.exit(f"against: {binary} is not there: build it first")
    server = subprocess.Popen([sys.executable, "-c", SERVE, tree / "tests" / "blackbox", json.dumps(run.PATIENT)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "TACENDA_BINARY": str(binary)})
    line = server.stdout.readline()
    if not line:
        sys.exit(f"against: the server of {tree} did not start")
    return server, json.loads(line)


def processor_seconds(pid):
    """User and system time of all its threads (proc_pid_stat(5))."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    servers = {"other": start(options.other.resolve()), "this": start(ROOT)}
    rates, costs = ({name: [] for name in servers} for _ in range(2))
    try:
        for number in range(options.rounds):
            for name, (_, asked) in list(servers.items())[::1 if number % 2 == 0 else -1]:
                before = processor_seconds(asked["pid"])
                rate, _ = run.wrk(asked["url"], options.seconds, 64, ["Authorization: Bearer " + asked["token"]])
                rates[name].append(rate)
                costs[name].append(1e6 * (processor_seconds(asked["pid"]) - before) / (rate * options.seconds))
            print(f"round {number + 1}: other {rates['other'][-1]:,.0f}/s at {costs['other'][-1]:.1f} us, "
                  f"this {rates['this'][-1]:,.0f}/s at {costs['this'][-1]:.1f} us", flush=True)
    finally:
        for server, _ in servers.values():
            server.stdin.close()
            server.wait()
    for what, values in (("requests/s", rates), ("us of processor time", costs)):
        other, this = (statistics.median(values[name]) for name in ("other", "this"))
        print(f"median: other {other:,.1f}, this {this:,.1f} {what}, {this / other:.1%}")
    within = sorted(this / other for this, other in zip(rates["this"], rates["other"]))
    low, high = within[len(within) // 4], within[len(within) * 3 // 4]
    print(f"within a round: {statistics.median(within):.1%}, half of the rounds from {low:.1%} to {high:.1%}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""`./dev run`: the server with the sample patients, on this machine. See tools/dev/run.sh."""
import argparse
import contextlib
import ctypes
import hashlib
import json
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import dev_store
from dev_store import DATA, ROOT, Failure, State, tacenda

ADMINISTRATOR = "admin"
PEOPLE = {"dr.demo": "doctor", "nurse.demo": "nurse", "admin.demo": "administrator"}
LOADER = "loader"
PORT = 8443
PORTS_TRIED = 100
READY_SECONDS = 60
STOP_SECONDS = 30
SERVER_LOG = ROOT / ".dev" / "server.log"


class Server:
    """The running `tacenda serve`."""

    def __init__(self, state: State, port: int) -> None:
        self.state = state
        self.log = SERVER_LOG.open("ab")
        self.process = subprocess.Popen(
            [dev_store.PROGRAM, "serve", "--data", DATA, "--key-file", str(state.folder / "key"),
             "--listen", f"127.0.0.1:{port}", "--config", str(configuration(state))],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
            start_new_session=True,  # Ctrl-C reaches this script, which then ends the server
            preexec_fn=end_with_parent)

    def wait_until_ready(self) -> str:
        """The FHIR base that the server prints."""
        lines: queue.Queue[str] = queue.Queue()

        def read() -> None:
            for line in self.process.stdout:
                lines.put(line)

        threading.Thread(target=read, daemon=True).start()
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and (self.process.poll() is None or not lines.empty()):
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=0.2)
                if line.startswith("ready "):
                    return line.split()[1]
        tail = SERVER_LOG.read_text(errors="replace").splitlines()[-5:]
        raise Failure("the server did not come up:\n  " + "\n  ".join(tail))

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"the server did not end within {STOP_SECONDS} s and was killed") from None


def configuration(state: State) -> pathlib.Path:
    """One person tries it out: he grants alone what takes two persons elsewhere."""
    file = state.folder / "tacenda.toml"
    file.write_text("approvals = 1\n")
    return file


def end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: no server without this script


def free_port(first: int) -> int:
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if port != first:
                print(f"port {first} is taken; using {port}")
            return port
    raise Failure(f"no free port from {first} to {first + PORTS_TRIED - 1}")


def is_served() -> bool:
    # Exit code 1: no server has the folder open; 0 and 5: one has, open or sealed.
    done = subprocess.run([dev_store.PROGRAM, "status", "--data", DATA], cwd=ROOT, capture_output=True)
    return done.returncode in (0, 5)


def make_store(state: State) -> None:
    """`tacenda init`, once; what a cut-off one left behind is thrown away."""
    if state["initialised"] and (ROOT / DATA).exists():
        if not (state.folder / "key").exists():
            raise Failure(f"{DATA} is there, its key file {state.folder / 'key'} is not; ./dev run --fresh starts anew")
        return
    throw_away(state)
    print("making the store ...", flush=True)
    made = json.loads(tacenda("init", "--data", DATA, "--key-file", str(state.folder / "key"),
                              "--admin", ADMINISTRATOR, "--json"))
    state.set(initialised=True, administrator=ADMINISTRATOR, ca=made["ca"], enrolment_code=made["enrolment_code"])


def throw_away(state: State) -> None:
    shutil.rmtree(ROOT / DATA, ignore_errors=True)
    shutil.rmtree(state.folder, ignore_errors=True)
    state.values = {}
    (ROOT / DATA).parent.mkdir(mode=0o700, exist_ok=True)
    state.folder.mkdir(parents=True, mode=0o700, exist_ok=True)


def add_accounts(state: State) -> dict[str, str]:
    """Sees to the administrator's session and the demonstration accounts; enrolment codes by name."""
    if not (state.person(ADMINISTRATOR) or {}).get("enrolled"):
        dev_store.enrol(state, ADMINISTRATOR, state["enrolment_code"])
    dev_store.login_admin(state, ADMINISTRATOR)
    known = {user["name"]: user for user in json.loads(tacenda("user", "list", "--data", DATA, "--json"))["users"]}
    if LOADER not in known:
        tacenda("user", "add", LOADER, "--role", "loader", "--service", "--data", DATA, "--json")
    codes = {}
    for name, role in PEOPLE.items():
        if name not in known:
            codes[name] = json.loads(tacenda("user", "add", name, "--role", role, "--data", DATA, "--json"))["enrolment_code"]
        elif not known[name].get("enrolled"):
            # The code of the last run is known to nobody any more: the store keeps its hash alone.
            codes[name] = json.loads(tacenda("user", "renew", name, "--data", DATA, "--json"))["enrolment_code"]
    return codes


def samples() -> list[pathlib.Path]:
    found = sorted(path for path in (ROOT / "samples").rglob("*") if path.suffix in (".json", ".ndjson"))
    if not found:
        raise Failure("samples/ holds no patients")
    return found


def load_samples(state: State) -> None:
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in samples())).hexdigest()
    if state["loaded"] == digest:
        return
    token_file = state.folder / "loader.token"
    issued = json.loads(tacenda("token", "issue", "--user", LOADER, "--expires", "1h", "--data", DATA, "--json"))
    dev_store.write_private(token_file, issued["access_token"])
    try:
        done = json.loads(tacenda("load", "samples", "--url", state["url"], "--ca", state["ca"], "--token-file", str(token_file),
                                  "--journal", str(state.folder / "loaded.journal"), "--json", show=True))
    finally:
        token_file.unlink()
    if done["failed"]:
        raise Failure(f"{done['failed']} of the samples were not loaded")
    print(f"loaded {done['files']} files, {done['entries']} entries")
    state.set(loaded=digest, patient=first_patient())


def first_patient() -> str:
    """The logical id of a loaded Patient, out of the audit log: the administrator may not search records."""
    for entry in json.loads(tacenda("audit", "list", "--user", LOADER, "--all", "--json", "--data", DATA)):
        if entry.get("type") == "Patient" and entry.get("id"):
            return entry["id"]
        if entry.get("patients"):
            return entry["patients"][0]
    raise Failure("the audit log names no loaded patient")


def texts_of_patients() -> set[bytes]:
    """Names, addresses, numbers of the sample patients: none of them may be readable in the data folder."""
    found = set()
    for path in samples():
        for text in path.read_text().splitlines() if path.suffix == ".ndjson" else [path.read_text()]:
            document = json.loads(text) if text.strip() else {}
            for resource in [entry.get("resource", {}) for entry in document.get("entry", [])] or [document]:
                if resource.get("resourceType") != "Patient":
                    continue
                words = [identifier.get("value", "") for identifier in resource.get("identifier", [])]
                for name in resource.get("name", []):
                    words += [name.get("family", ""), *name.get("given", [])]
                for address in resource.get("address", []):
                    words += address.get("line", [])
                words += [telecom.get("value", "") for telecom in resource.get("telecom", [])]
                found.update(word.encode() for word in words if len(word) > 5)
    return found


def check(title: str, well: bool) -> None:
    print(f"  {'ok    ' if well else 'FAILED'} {title}")
    if not well:
        raise Failure(f"check failed: {title}")


def check_all(state: State, codes: dict[str, str]) -> None:
    """What --once shows: reads, refusals, the log, the proofs, and that the disk tells nothing."""
    path = f"/fhir/Patient/{state['patient']}"
    status, _ = request_as(state, None, path)
    check("a stranger's read is refused (401)", status == 401)
    for name in ("dr.demo", "nurse.demo"):
        if name in codes:
            dev_store.enrol(state, name, codes[name])
    status, patient = request_as(state, "dr.demo", path)
    check("the doctor reads a patient (200)", status == 200 and patient.get("id") == state["patient"])
    status, _ = request_as(state, "nurse.demo", "/fhir/MedicationRequest/00000000-0000-4000-8000-000000000000")
    check("the nurse is refused prescriptions (403)", status == 403)
    dev_store.login_admin(state, ADMINISTRATOR)
    log = json.loads(tacenda("audit", "list", "--patient", state["patient"], "--json", "--all", "--data", DATA))
    read = [entry for entry in log if entry.get("user") == "dr.demo" and entry.get("id") == state["patient"]]
    check("the audit log names the doctor's read", bool(read))
    found = json.loads(tacenda("verify", "--data", DATA, "--json"))
    check(f"verify: {found.get('resources')} resources, {found.get('audit_entries')} audit entries, no damage",
          found.get("ok") is True)
    texts = texts_of_patients()
    readable = [file for file in (ROOT / DATA).rglob("*")
                if file.is_file() and any(text in content for content in [file.read_bytes()] for text in texts)]
    check(f"none of {len(texts)} names, addresses and numbers is readable in the data folder", bool(texts) and not readable)


def request_as(state: State, name: str | None, path: str) -> tuple[int, dict]:
    return dev_store.request(state, "GET", path, token=dev_store.login(state, name) if name else None)


def print_welcome(state: State, codes: dict[str, str]) -> None:
    url, ca, patient = state["url"], state["ca"], state["patient"]
    doctor = "./dev login dr.demo" + (f" {codes['dr.demo']}" if "dr.demo" in codes else "")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(f"\nTacenda serves {url}\n")
    if codes:
        print("One-time enrolment, good for 24 hours; a browser opens the link once it trusts the ca.pem below:")
        for name, code in codes.items():
            print(f"  {name:11} {PEOPLE[name]:14} {url.removesuffix('/fhir')}/auth/enrol#{code}")
        print()
    print(f"""Try, in another terminal:
  1. a doctor reads a patient
     {doctor}
     curl -sS --cacert {ca} -H @{state.folder}/dr.demo.header {url}/Patient/{patient}
  2. a stranger is refused
     curl -sS --cacert {ca} {url}/Patient/{patient}
  3. the log shows both
     ./dev login {ADMINISTRATOR} && {dev_store.PROGRAM} audit list --data {DATA} --since {since}

Log: {SERVER_LOG.relative_to(ROOT)}   Keys: {state.folder}
Ctrl-C ends the server.""", flush=True)


def wait_for_end(server: Server) -> int:
    try:
        code = server.process.wait()
        print(f"the server ended by itself with exit code {code}; see {SERVER_LOG.relative_to(ROOT)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nending ...", flush=True)
        return 0


def interrupt(*_) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev run")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--port", type=int, default=PORT)
    arguments = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where the shell that started this ignores Ctrl-C
        signal.signal(ending, interrupt)

    if is_served():
        raise Failure("a server has this clone's store open already; end it first")
    state = State()
    if arguments.fresh:
        throw_away(state)
    make_store(state)
    server = Server(state, free_port(arguments.port))
    try:
        state.set(url=server.wait_until_ready())
        codes = add_accounts(state)
        load_samples(state)
        if arguments.once:
            check_all(state, codes)
            result = 0
        else:
            print_welcome(state, codes)
            result = wait_for_end(server)
    finally:
        stopped = server.stop()
    if stopped != 0:
        raise Failure(f"the server ended with exit code {stopped}; see {SERVER_LOG.relative_to(ROOT)}")
    return result


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"dev run: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

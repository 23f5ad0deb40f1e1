"""The store that `./dev run` keeps for a clone: where it lies, and the demonstration accounts in it.

The records lie in .dev/data of the clone. What opens them lies elsewhere, in a folder of the user's own
(0700): the key file with its companions, and state.json with the passwords and second factors that these
tools made up. That is for samples alone: whoever has that folder has the key file anyway.
"""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import secrets
import ssl
import struct
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "build/dev/tacenda"
DATA = ".dev/data"  # relative: the path of the administration socket in it must stay short
STEP_SECONDS = 30


class Failure(Exception):
    """Something went wrong that the user must be told; no programming error."""


def keys_folder() -> pathlib.Path:
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    clone = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return pathlib.Path(home) / "tacenda-dev" / clone


class State:
    """state.json; written at every change, so that a run that is cut off goes on where it was."""

    def __init__(self) -> None:
        self.folder = keys_folder()
        self.path = self.folder / "state.json"
        self.values: dict = json.loads(self.path.read_text()) if self.path.exists() else {}

    def __getitem__(self, name: str):
        return self.values.get(name)

    def set(self, **changes) -> None:
        self.values.update(changes)
        write_private(self.path, json.dumps(self.values, indent=1))

    def person(self, name: str) -> dict | None:
        return self.values.get("people", {}).get(name)

    def set_person(self, name: str, **changes) -> None:
        people = self.values.setdefault("people", {})
        people.setdefault(name, {}).update(changes)
        self.set()


def write_private(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)


def totp(uri: str, step: int) -> str:
    """The code of one 30 s step for an otpauth URI (RFC 6238)."""
    query = urllib.parse.parse_qs(urllib.parse.urlparse(uri).query)
    secret = query["secret"][0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    algorithm = query.get("algorithm", ["SHA1"])[0].lower()
    digits = int(query.get("digits", ["6"])[0])
    digest = hmac.new(key, struct.pack(">Q", step), algorithm).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset:offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def next_code(state: State, name: str) -> str:
    """A code that was not used yet: the server takes each step once, and one step ahead at most."""
    person = state.person(name)
    now = int(time.time()) // STEP_SECONDS
    step = max(now, person.get("last_step", 0) + 1)
    while step > now + 1:
        print(f"waiting for the next code of {name} ...", flush=True)
        time.sleep(STEP_SECONDS - time.time() % STEP_SECONDS + 0.1)
        now = int(time.time()) // STEP_SECONDS
    state.set_person(name, last_step=step)
    return totp(person["otpauth"], step)


def request(state: State, method: str, path: str, body: dict | None = None, token: str | None = None) -> tuple[int, dict]:
    """One HTTPS exchange with the running server; `path` starts behind the host."""
    address = urllib.parse.urlparse(state["url"])
    context = ssl.create_default_context(cafile=state["ca"])
    connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=60)
    headers = {"Accept": "application/fhir+json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
    except OSError as error:
        raise Failure(f"{state['url']} does not answer: {error}; is ./dev run running?") from error
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text or b"{}")
    except ValueError:
        return answer.status, {}


def explained(body: dict) -> str:
    for issue in body.get("issue", []):
        if issue.get("diagnostics"):
            return issue["diagnostics"]
    return json.dumps(body)


def enrol(state: State, name: str, code: str) -> None:
    """Uses a one-time enrolment code: makes up a password, takes the second factor, confirms it."""
    password = secrets.token_urlsafe(24)
    status, body = request(state, "POST", "/auth/enrol", {"code": code, "password": password})
    if status != 200:
        raise Failure(f"the enrolment of {name} was refused ({status}): {explained(body)}")
    state.set_person(name, password=password, otpauth=body["otpauth"], last_step=0)
    status, body = request(state, "POST", "/auth/enrol/confirm", {"code": code, "totp": next_code(state, name)})
    if status != 200:
        raise Failure(f"the second factor of {name} was refused ({status}): {explained(body)}")
    state.set_person(name, enrolled=True)


def login(state: State, name: str) -> str:
    """Signs in over HTTPS; the access token."""
    status, body = request(state, "POST", "/auth/login", {
        "user": name, "password": state.person(name)["password"], "totp": next_code(state, name)})
    if status != 200:
        raise Failure(f"the log-in of {name} was refused ({status}): {explained(body)}")
    return body["access_token"]


def tacenda(*words: str, secret_lines: str = "", show: bool = False) -> str:
    """Runs the command-line program; its standard output."""
    done = subprocess.run([PROGRAM, *words], cwd=ROOT, input=secret_lines, text=True,
                          stdout=subprocess.PIPE, stderr=None if show else subprocess.PIPE)
    if done.returncode != 0:
        said = "" if show else (done.stderr or "").strip()
        raise Failure(f"tacenda {words[0]} failed with exit code {done.returncode}{': ' if said else ''}{said}")
    return done.stdout


def login_admin(state: State, name: str) -> None:
    """Signs in for administration over the socket in the data folder, unless the last session still serves."""
    if subprocess.run([PROGRAM, "user", "list", "--data", DATA], cwd=ROOT, capture_output=True).returncode == 0:
        return
    tacenda("login", "--admin", "--data", DATA, "--user", name,
            secret_lines=f"{state.person(name)['password']}\n{next_code(state, name)}\n")

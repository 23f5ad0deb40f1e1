#!/usr/bin/env python3
"""Holds the bans of docs/architecture.md: words that a room, or all rooms, must not use.

usage: check_bans.py [TREE]

A ban is a row of BANS: what is searched for in the code (comments and texts are left out), which places may
use it nevertheless, and why others may not. A place is a room, a folder of one or a file. Tests, fuzz targets
and benchmarks are free of the bans marked so.
"""
import dataclasses
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cpp_source  # noqa: E402


@dataclasses.dataclass(frozen=True)
class Ban:
    name: str
    pattern: str
    reason: str
    allowed: str = ""  # places, separated by blanks
    only: str = ""     # when given: the ban holds in these places alone
    tests: bool = True  # tests may


BANS = [
    Ban("wall clock", r"system_clock::now|\bclock_gettime\s*\(|\bgettimeofday\s*\(|(?<![\w.>:])(?:std::|::)?time\s*\(\s*"
        r"(?:nullptr|NULL|0|&\w+)\s*\)", "time is passed in as a Clock, so that a test can run a day in a "
        "millisecond; net has the second for the Date header", "core net/internal/loop.cpp"),
    Ban("any clock", r"(?:steady_clock|high_resolution_clock)::now", "fhir, merkle and codec read no clock",
        only="fhir fhirpath merkle codec"),
    Ban("randomness", r"\bgetrandom\s*\(|\bgetentropy\s*\(|random_device|mt19937|(?<![\w.>:])s?rand\s*\(|\brandom\s*\(\s*\)|"
        r"\bRAND_(?:priv_)?bytes\s*\(|\brandombytes_buf\s*\(", "random bytes come from crypto::Random alone; the fault disk repeats a "
        "failure from its seed", "crypto storage/fault"),
    Ban("threads", r"\bstd::(?:j?thread)\b(?!::(?:id|hardware_concurrency))|\bstd::async\b|\bpthread_create\s*\(|\bfork\s*\(",
        "only net and start start threads, and the clients `tacenda load` and `bench`; a worker elsewhere has run(std::stop_token)",
        "net start main cli/load.cpp cli/bench.cpp"),
    Ban("bare mutex", r"\bstd::(?:shared_|recursive_|timed_)*mutex\b|\bstd::(?:lock_guard|unique_lock|scoped_lock|"
        r"shared_lock|condition_variable\w*)\b", "std::mutex is not annotated: core/mutex.hpp is checked by clang",
        "core"),
    Ban("sockets", r"(?<![\w.>])(?:::)(?:socket|bind|listen|accept4?|connect|recv|recvfrom|recvmsg|send|sendto|sendmsg|"
        r"getaddrinfo|setsockopt|socketpair)\s*\(", "only net touches sockets", "net"),
    Ban("fsync", r"\bf(?:data)?sync\s*\(|\bsync_file_range\s*\(|\bsyncfs\s*\(",
        "durability is storage's question: Files or Engine", "storage"),
    Ban("environment", r"\b(?:secure_)?getenv\s*\(|\bsetenv\s*\(|\benviron\b",
        "no setting and no secret comes from the environment"),
    Ban("printing", r"(?<![\w.>])(?:std::|fmt::|::)?(?:f|v|vf)?print(?:f|ln)?\s*\(|\bstd::(?:cout|cerr|clog)\b|\bputs\s*\(|"
        r"\bperror\s*\(", "what a person reads is printed by cli and start; the log is core/log.hpp",
        "cli start main"),
    Ban("revealed secret", r"\breveal(?:_mutable)?\s*\(", "a secret's bytes are for crypto, vault and identity; storage "
        "uses file keys, net the TLS key and the password of the mail server, audit the seed of its signing key, cli what was typed, start the new "
        "TLS key",
        "core/secret.hpp crypto vault identity storage net/internal/tls_context.cpp net/mail.cpp audit/log_open.cpp "
        "cli/sign_in.cpp cli/internal start/tls.cpp"),
    Ban("I/O", r"\bstd::(?:[io]?fstream|filesystem|cin)\b|\bfopen\s*\(|(?<![\w.>])::(?:open|read|write|pread|pwrite)\s*\(",
        "fhir, fhirpath, merkle and codec do no I/O", only="fhir fhirpath merkle codec"),
    Ban("other programs", r"(?<![\w.>])(?:std::|::)?(?:system|popen|exec[lv]p?e?|posix_spawnp?)\s*\(",
        "the server starts no other program"),
    Ban("std::regex", r"\bstd::(?:regex|basic_regex)\b", "its matcher recurses over the input: use re2"),
    Ban("throw", r"\bthrow\b", "failures are Results; nothing throws across a room's border"),
    Ban("coroutine", r"\bco_(?:await|yield|return)\b", "not with this compiler (CODE_STYLE 6)", tests=False),
    Ban("C random temp", r"\bmkstemp\s*\(|\btmpfile\s*\(|\btmpnam\s*\(|temp_directory_path\s*\(",
        "nothing of a patient goes to the system's temporary folder"),
    Ban("TOML conversion", r"\bvalue<(?:std::)?u?int\w*>\s*\(", "toml++ converts a float that no integer holds, which is "
        "undefined: value_exact"),
    Ban("unsafe copy", r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(", "has no limit", tests=False),
]

NAMES = re.compile(r"(^|_)(utils?|helpers?|common|manager|misc)(_|$)")
LINES_MAX = {".cpp": 500, ".hpp": 200}


def is_in(path: pathlib.PurePosixPath, places: str) -> bool:
    inside = str(path).removeprefix("src/")
    return any(inside == place or inside.startswith(place + "/") for place in places.split()) or (
        cpp_source.room_of(path) == "main" and "main" in places.split())


def has_comment(source: cpp_source.Source, index: int) -> bool:
    return bool(source.comments[index].strip()) or (index > 0 and bool(source.comments[index - 1].strip()))


def check_bans(source: cpp_source.Source) -> list[str]:
    bad = []
    test = cpp_source.is_test(source.path)
    for ban in BANS:
        if (test and ban.tests) or is_in(source.path, ban.allowed) or (ban.only and not is_in(source.path, ban.only)):
            continue
        for index, line in enumerate(source.code):
            if re.search(ban.pattern, line):
                bad.append(f"{source.path}:{index + 1}: {ban.name}: {ban.reason}")
    return bad


def check_comments(source: cpp_source.Source) -> list[str]:
    """What needs a reason beside it, and what must not be left in a comment."""
    bad = []
    for index, line in enumerate(source.code):
        number = index + 1
        if re.search(r"catch\s*\(\s*\.\.\.\s*\)", line):
            after = "".join(source.comments[index:index + 2])
            if not after.strip() and not has_comment(source, index):
                bad.append(f"{source.path}:{number}: catch (...): a comment names what may be thrown")
        discards = re.search(r"\(\s*void\s*\)\s*[A-Za-z_:]", line)
        if discards and not cpp_source.is_test(source.path) and not has_comment(source, index):
            bad.append(f"{source.path}:{number}: (void): a comment says why the result is not wanted")
        comment = source.comments[index]
        if re.search(r"\bFIXME\b", comment):
            bad.append(f"{source.path}:{number}: FIXME: fix it, or open an issue and write TODO(#number)")
        if re.search(r"\bTODO\b(?!\(#\d+\))", comment):
            bad.append(f"{source.path}:{number}: TODO: name the issue, TODO(#number)")
    return bad


def check_file(source: cpp_source.Source) -> list[str]:
    bad = []
    lines = len(source.raw) - 1
    limit = LINES_MAX[source.path.suffix]
    if source.path.parts[0] == "src" and lines > limit and not (
            cpp_source.is_test(source.path) and source.path.suffix == ".hpp" and lines <= LINES_MAX[".cpp"]):
        bad.append(f"{source.path}:{lines}: {lines} lines, at most {limit}: does it still hold one idea?")
    if NAMES.search(source.path.stem):
        bad.append(f"{source.path}:1: name the file after the thing it holds")
    if source.path.suffix == ".hpp":
        if not any(re.match(r"#pragma once", line) for line in source.code):
            bad.append(f"{source.path}:1: no #pragma once")
        for index, line in enumerate(source.code):
            if re.search(r"\busing namespace\b", line):
                bad.append(f"{source.path}:{index + 1}: using namespace in a header")
    return bad


def check(root: pathlib.Path) -> list[str]:
    bad = []
    for source in cpp_source.files(root, "src", "tests", "bench"):
        bad += check_bans(source) + check_comments(source) + check_file(source)
    return bad


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    bad = check(root)
    print("\n".join(bad) if bad else "no banned word")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

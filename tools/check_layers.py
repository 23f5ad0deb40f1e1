#!/usr/bin/env python3
"""Holds the walls between the rooms of src/ (docs/architecture.md).

usage: check_layers.py [TREE]

Fails when
  - a room's DEPENDS names a room that the table below does not open to it,
  - a file includes from a room that its module's DEPENDS does not name, or from another room's internal/,
  - a third-party header is included outside the room that wraps it, or is not in the table at all.
The order of the includes is held by .clang-format.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cpp_source  # noqa: E402

# Which rooms a room may include from at most, `core` always among them. An entry "vault/write_set.hpp" opens
# this one header and not the room. A new arrow is a decision: docs/adr/.
OPEN = {
    "core": "",
    "codec": "",
    "crypto": "",
    "net": "",
    "storage": "crypto",
    "merkle": "crypto",
    "fhir": "codec",
    "fhirpath": "fhir codec",
    "vault": "crypto storage",
    "records": "vault fhir fhirpath codec",
    "audit": "merkle vault crypto fhir codec",
    "identity": "vault crypto codec",
    "access": "identity records vault fhir codec",
    "authorization": "access identity vault crypto codec net",
    "operations": "records access identity/principal.hpp audit vault/write_set.hpp fhir fhirpath codec",
    "privacy": "records access audit vault fhir codec",
    "delivery": "records access audit vault crypto fhir codec net",
    "recovery": "records access audit vault codec",
    "monitor": "audit identity access records vault fhir codec net",
    "api": "operations privacy delivery recovery monitor access authorization identity audit records vault fhir "
           "codec net",
    "console_assets": "net",
    "cli": "privacy recovery monitor records access identity audit merkle vault codec net",
}
# Composition: makes the objects, in order. May include every room.
COMPOSITION = {"start", "main"}

# First pattern that matches decides: header -> places that may include it ("*": everywhere). A place is a
# room or a folder of one. Tests, fuzz targets and benchmarks are free of this wall.
THIRD_PARTY = [
    (r"openssl/(ssl|tls1|ssl3|dtls1|srtp|quic)\.h", "net"),
    (r"openssl/(bio|err|pem|x509|x509v3|x509_vfy|crypto|opensslv|types)\.h", "crypto net"),
    (r"openssl/", "crypto"),
    (r"(sodium|argon2|oath|liboath/oath)\.h", "crypto"),
    (r"(boost|nghttp2|curl)/", "net"),
    (r"rocksdb/", "storage/embedded storage/fault"),
    (r"(libpq-fe|libpq/.*)\.h", "storage/postgres"),
    (r"(simdjson|zstd|zdict|zstd_errors|zlib|expat|pugixml\.hpp)(\.h)?$", "codec"),
    (r"(zxcvbn\.h|fido\.h|cbor\.h|fido/.*)", "identity"),
    (r"(unicode/|utf8proc\.h)", "identity fhir fhirpath records codec"),
    (r"roaring/", "records"),
    (r"re2/", "codec fhir fhirpath records"),
    (r"date/", "codec"),
    (r"qrencode\.h", "cli"),
    (r"CLI/", "cli"),
    (r"toml\+\+/", "codec"),
    (r"spdlog/", "core"),
    (r"prometheus/", "monitor"),
    (r"(seccomp|cap-ng|systemd/.*)\.h", "start"),
    (r"fmt/", "*"),
    (r"(gtest|gmock|benchmark|rapidcheck)[/.]", ""),
]
POSIX = re.compile(
    r"(sys|linux|netinet|arpa|net|asm)/[\w/-]+\.h|(assert|ctype|dirent|dlfcn|errno|fcntl|fnmatch|glob|grp|inttypes|"
    r"langinfo|limits|locale|math|netdb|poll|pthread|pwd|sched|semaphore|signal|spawn|stdalign|stddef|stdint|stdio|"
    r"stdlib|string|strings|syslog|termios|time|unistd|ucontext|execinfo|immintrin|cpuid)\.h")

def is_third_party(header: str) -> bool:
    return not POSIX.fullmatch(header) and not re.fullmatch(r"[a-z_0-9]+", header)


class Module:
    """One tacenda_module() call."""

    def __init__(self, lists: pathlib.Path):
        self.name = lists.parent.name
        text = re.sub(r"#[^\n]*", "", lists.read_text(encoding="utf-8"))
        call = re.search(r"tacenda_module\(\s*(\w+)(.*?)\)", text, re.S)
        self.declared = call is not None and call.group(1) == self.name
        depends = re.search(r"\bDEPENDS\s+((?:[a-z_0-9]+\s*)*)", call.group(2)) if call else None
        self.depends = depends.group(1).split() if depends else []


def opened(room: str) -> tuple[set[str], set[str]]:
    """Rooms that are open to `room`, and single headers of rooms that are not."""
    words = OPEN.get(room, "").split()
    return {"core", *(word for word in words if "/" not in word)}, {word for word in words if "/" in word}


def check_module(module: Module, rooms: set[str]) -> list[str]:
    place = f"src/{module.name}/CMakeLists.txt:1"
    if not module.declared:
        return [f"{place}: no tacenda_module({module.name} ...) call"]
    if module.name in COMPOSITION:
        return []
    if module.name not in OPEN:
        return [f"{place}: room {module.name} is not in the table of tools/check_layers.py; write an ADR first"]
    whole, headers = opened(module.name)
    reachable = whole | {header.split("/")[0] for header in headers}
    return [f"{place}: {module.name} may not depend on {room}" for room in module.depends
            if room not in reachable or room not in rooms | set(OPEN)]


def check_room_include(source: cpp_source.Source, header: str, depends: dict[str, list[str]]) -> str | None:
    room = cpp_source.room_of(source.path)
    target = header.split("/")[0]
    if target == room:
        return None
    if "/internal/" in header and source.path.parts[0] == "src":
        return f"{header} is internal to {target}"
    if room in COMPOSITION or source.path.parts[0] != "src":
        return None
    if target not in depends.get(room, []) and not (cpp_source.is_test(source.path) and target == "core"):
        return f"{room} may not include {header}: {target} is not in its DEPENDS"
    whole, headers = opened(room)
    if target not in whole and header not in headers and not cpp_source.is_test(source.path):
        return f"{room} may not include {header}: only {', '.join(sorted(headers))} are open to it"
    return None


def check_third_party(source: cpp_source.Source, header: str) -> str | None:
    room = cpp_source.room_of(source.path)
    for pattern, places in THIRD_PARTY:
        if not re.match(pattern, header):
            continue
        if cpp_source.is_test(source.path) or places == "*":
            return None
        inside = str(source.path).removeprefix("src/")
        if any(inside.startswith(place + "/") or room == place for place in places.split()):
            return None
        return f"{room} may not include <{header}>: only {places or 'tests'} may"
    return f"<{header}> is not in the table of tools/check_layers.py: which room wraps it?"


def includes_of(source: cpp_source.Source) -> list[tuple[int, str, bool]]:
    """(line, header, quoted) of each include."""
    found = []
    for number, line in enumerate(source.code, 1):
        include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if include:
            found.append((number, include.group(2), include.group(1) == '"'))
    return found


def check(root: pathlib.Path) -> list[str]:
    modules = [Module(lists) for lists in sorted((root / "src").glob("*/CMakeLists.txt"))]
    depends = {module.name: [*module.depends, "core"] for module in modules}
    bad = [problem for module in modules for problem in check_module(module, set(depends))]
    for source in cpp_source.files(root, "src", "tests", "bench"):
        room = cpp_source.room_of(source.path)
        if source.path.parts[0] == "src" and room not in depends and room != "main":
            continue  # a room without its CMakeLists.txt is not built
        for line, header, quoted in includes_of(source):
            if quoted and "/" in header:
                problem = check_room_include(source, header, depends)
            elif quoted:
                problem = f'"{header}": name the room too, as in "core/error.hpp"'
            else:
                problem = check_third_party(source, header) if is_third_party(header) else None
            if problem:
                bad.append(f"{source.path}:{line}: {problem}")
    return bad


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    bad = check(root)
    print("\n".join(bad) if bad else "the walls stand")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

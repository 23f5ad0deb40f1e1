#!/usr/bin/env python3
"""Fails when docs/regulations.md or docs/threat-model.md names a test that does not exist.

usage: check_regulations.py [TREE]

A test is named in backticks: `Suite.Name` of a TEST in src/ or tests/, `refused.<name>` or `fuzz.<name>` or
`check.<name>` as ctest knows them, or a path below tests/ (with ::name for a text that must stand in it). In
regulations.md a row id stands once, a row that is shown names a test, and its rooms are folders of src/ unless the row
says "not there".
"""
import pathlib
import re
import sys


def known_tests(root: pathlib.Path) -> set[str]:
    names = set()
    for folder in ("src", "tests"):
        for path in (root / folder).rglob("*.cpp"):
            for suite, name in re.findall(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", path.read_text(), re.M):
                names.add(f"{suite}.{name}")
            if path.stem.endswith("_fuzz"):
                names.add(f"fuzz.{path.stem}")
        for path in (root / folder).rglob("CMakeLists.txt"):
            names.update(f"refused.{name}" for name in re.findall(r"tacenda_must_not_compile\(\s*(\w+)", path.read_text()))
    for path in (root / "tools").glob("check_*.py"):
        names.add(f"check.{path.stem.removeprefix('check_')}")
    return names


def exists(root: pathlib.Path, tests: set[str], name: str) -> bool:
    if "/" in name:
        path, _, text = name.partition("::")
        return (root / path).exists() and (not text or text in (root / path).read_text())
    return name in tests


def cited(text: str) -> list[str]:
    return re.findall(r"`((?:[A-Za-z]\w*\.[A-Za-z]\w*)|tests/[^`]+)`", text)


def check(root: pathlib.Path) -> list[str]:
    tests = known_tests(root)
    bad, rows = [], set()
    for document in ("docs/regulations.md", "docs/threat-model.md"):
        path = root / document
        if not path.exists():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if not cells:
                continue
            # The last cell names tests; the others may name files and programs.
            bad += [f"{document}:{number}: there is no test {name}" for name in cited(cells[-1])
                    if not exists(root, tests, name)]
            if document != "docs/regulations.md" or not re.fullmatch(r"[A-Z]-\d+", cells[0]):
                continue
            if len(cells) != 6:
                bad.append(f"{document}:{number}: a row has six cells")
                continue
            row, _, _, rooms, state, names = cells
            if row in rows:
                bad.append(f"{document}:{number}: row {row} stands twice")
            rows.add(row)
            if not re.match(r"(shown$|partly: .|not there$)", state):
                bad.append(f"{document}:{number}: state of {row} is shown, \"partly: ...\" or not there")
            if state == "shown" and not cited(names):
                bad.append(f"{document}:{number}: {row} is shown, and names no test")
            if state != "not there":
                bad += [f"{document}:{number}: there is no room {room}" for room in re.split(r",\s*", rooms)
                        if not (root / "src" / room).is_dir()]
    if not rows:
        bad.append("docs/regulations.md: no row")
    return bad


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    bad = check(root)
    print("\n".join(bad) if bad else "every test that the documents name exists")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

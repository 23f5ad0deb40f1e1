#!/usr/bin/env python3
"""Fails when docs/regulations.md or docs/threat-model.md names a test that does not exist.

usage: check_regulations.py [TREE]

A test is named in backticks: `Suite.Name` of a TEST in src/ or tests/, `test_file.test_name` of a script below tests/
(`test_file.test_S01_*` for all that begin so), or `refused.<name>`, `fuzz.<name>`, `check.<name>` as ctest knows
them. In regulations.md a row id stands once, a row that is shown names a test, its rooms are folders of src/ unless
the row says "not there", and every row that a script's test names (test_S01_...) stands there.
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
    for path in (root / "tests").rglob("test_*.py"):
        names.update(f"{path.stem}.{name}" for name in re.findall(r"^\s*def (test_\w+)", path.read_text(), re.M))
    for path in (root / "tools").glob("check_*.py"):
        names.add(f"check.{path.stem.removeprefix('check_')}")
    return names


def exists(tests: set[str], name: str) -> bool:
    if name.endswith("*"):
        return any(test.startswith(name[:-1]) for test in tests)
    return name in tests


def cited(text: str) -> list[str]:
    return re.findall(r"`([A-Za-z]\w*\.[A-Za-z]\w*\*?)`", text)


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
                    if not exists(tests, name)]
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
    named = {f"{found[1]}-{found[2]}" for found in (re.search(r"\.test_([A-Z])(\d\d)_", test) for test in tests) if found}
    bad += [f"docs/regulations.md: tests name row {row}, which is missing" for row in sorted(named - rows)]
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

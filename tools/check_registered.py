#!/usr/bin/env python3
"""Fails when a test file is run by nobody, or when a test is registered whose file is not there.

usage: check_registered.py [TREE]

A script tests/<folder>/test_<name>.py is registered in tests/CMakeLists.txt: one of blackbox/ by its name in the list
`blackbox_tests`, any other as `<folder>.<name>`. A *_test.cpp of src/<room>/ or tests/<folder>/ is named in the
CMakeLists.txt of the room or folder, or in that of tests/. Fixtures of the tools themselves (tools/tests) are found by
a glob.
"""
import pathlib
import re
import sys


def without_comments(path: pathlib.Path) -> str:
    return re.sub(r"#.*", "", path.read_text(encoding="utf-8")) if path.exists() else ""


def check_scripts(root: pathlib.Path) -> list[str]:
    text = without_comments(root / "tests/CMakeLists.txt")
    listed = re.search(r"set\(\s*blackbox_tests\b([^)]*)\)", text)
    words = listed[1].split() if listed else []
    blackbox = set(words)
    loops = [word for found in re.findall(r"foreach\(\s*\w+\s+IN\s+LISTS\s+([^)]*)\)|foreach\(\s*\w+\s+([^)]*)\)", text)
             for word in found[1].split()]
    registered = {f"blackbox.{name}" for name in blackbox} | {word for word in loops if re.fullmatch(r"\w+\.\w+", word)}
    there = {f"{path.parent.name}.{path.stem.removeprefix('test_')}": path
             for path in (root / "tests").glob("*/test_*.py")}
    bad = [f"tests/CMakeLists.txt: {there[name].relative_to(root)} is not registered" for name in sorted(there.keys() - registered)]
    bad += [f"tests/CMakeLists.txt: there is no tests/{name.replace('.', '/test_')}.py" for name in sorted(registered - there.keys())]
    bad += [f"tests/CMakeLists.txt: {name} is registered twice" for name in sorted(blackbox) if words.count(name) > 1]
    return bad


def check_programs(root: pathlib.Path) -> list[str]:
    bad = []
    for folder in ("src", "tests"):
        for path in sorted((root / folder).rglob("*_test.cpp")):
            inside = path.relative_to(root / folder)
            room = root / folder / inside.parts[0]
            named = [(room / "CMakeLists.txt", str(path.relative_to(room))), (root / folder / "CMakeLists.txt", str(inside))]
            if not any(re.search(rf"(?<![\w/.]){re.escape(name)}(?![\w.])", without_comments(file)) for file, name in named):
                bad.append(f"{path.relative_to(root)}: no CMakeLists.txt names it")
    return bad


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    bad = check_scripts(root) + check_programs(root)
    print("\n".join(bad) if bad else "every test is registered")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

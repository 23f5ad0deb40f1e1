#!/usr/bin/env python3
"""Sums up results: JUnit files of ctest, and text files with lines `pass NAME` or `fail NAME`.

usage: test_summary.py RESULTS...
Prints what failed with the end of its output, the slowest tests, what was skipped, and as its last line
`N passed, N failed`. Exit code 0 only when tests ran and none failed.
"""
import pathlib
import sys
import xml.etree.ElementTree

OUTPUT_LINES = 40


def read_junit(path: pathlib.Path) -> list[tuple[str, str, float, str]]:
    """(state, name, seconds, output) of each test. A test that could not run counts as failed."""
    rows = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        state = {"run": "pass", "fail": "fail", "disabled": "skip"}.get(case.get("status", ""), "fail")
        skipped = case.find("skipped")
        if case.get("status") == "notrun" and skipped is not None and "SKIP_" in skipped.get("message", ""):
            state = "skip"
        rows.append((state, case.get("name", "?"), float(case.get("time") or 0), case.findtext("system-out") or ""))
    return rows


def read(path: pathlib.Path) -> list[tuple[str, str, float, str]]:
    if not path.exists():
        return [("fail", f"no results in {path}", 0.0, "")]
    if path.suffix == ".xml":
        return read_junit(path)
    return [(line.split()[0], line.split()[1], 0.0, "") for line in path.read_text().splitlines() if line]


def main() -> int:
    rows = [row for path in sys.argv[1:] for row in read(pathlib.Path(path))]
    failed = [row for row in rows if row[0] == "fail"]
    skipped = [row for row in rows if row[0] == "skip"]
    passed = len(rows) - len(failed) - len(skipped)
    for _, name, _, output in failed:
        print(f"FAILED {name}")
        print("".join(f"    {line}\n" for line in output.strip().splitlines()[-OUTPUT_LINES:]), end="")
    slow = sorted(rows, key=lambda row: -row[2])[:5]
    print("slowest: " + ", ".join(f"{name} {seconds:.1f} s" for _, name, seconds, _ in slow if seconds >= 1))
    if skipped:
        print(f"skipped ({len(skipped)}): " + ", ".join(row[1] for row in skipped[:20]))
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if rows and passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

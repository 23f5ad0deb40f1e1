#!/usr/bin/env python3
"""Runs clang-tidy-19 over source files of src/; any finding fails.

usage: check_tidy.py [--all] [FILE ...]

Without files: those that differ from the main branch (or from the last commit, on main itself); --all: every
file. A file is not looked at again while it, the headers it includes and .clang-tidy are unchanged: what passed
is remembered in build/clang/tidy.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

BUILD = pathlib.Path("build/clang")


def changed_files() -> set[str]:
    def git(*words: str) -> list[str]:
        return subprocess.run(["git", *words], capture_output=True, text=True).stdout.split()

    base = (git("merge-base", "HEAD", "origin/main") or git("merge-base", "HEAD", "main") or ["HEAD"])[0]
    if [base] == git("rev-parse", "HEAD"):
        base = (git("rev-parse", "HEAD~1") or ["HEAD"])[0]
    return set(git("diff", "--name-only", "--diff-filter=d", base, "--", "src")) | set(
        git("ls-files", "--others", "--exclude-standard", "--", "src"))


def commands() -> dict[str, list[str]]:
    """Compile command of each source file of src/, by its path from the root."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = os.path.relpath(entry["file"])
        if path.startswith("src/"):
            words = shlex.split(entry["command"])
            start = max(index for index, word in enumerate(words) if re.search(r"clang\+\+[-\d]*$", word))
            found[path] = words[start:]
    return found


def fingerprint(words: list[str]) -> str:
    """Of the file as the compiler sees it, and of the rules."""
    words = list(words)
    output = words.index("-o")
    del words[output:output + 2]
    seen = subprocess.run([*words, "-E", "-o", "-"], cwd=BUILD, capture_output=True).stdout
    return hashlib.sha256(pathlib.Path(".clang-tidy").read_bytes() + seen).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()

    known = commands()
    wanted = set(arguments.files) or (set(known) if arguments.all else changed_files())
    files = sorted(wanted & set(known))
    passed = BUILD / "tidy"
    passed.mkdir(parents=True, exist_ok=True)

    def tidy(path: str) -> str:
        mark = passed / fingerprint(known[path])
        if mark.exists():
            return ""
        # Path analysis of test macros takes most of a minute a file and has nothing to find.
        less = ["--checks=-clang-analyzer-*"] if path.endswith("_test.cpp") else []
        done = subprocess.run(["clang-tidy-19", "-p", str(BUILD), "--quiet", *less, path], capture_output=True, text=True)
        if done.returncode == 0 and not done.stdout.strip():
            mark.touch()
            return ""
        return done.stdout or done.stderr

    findings: set[str] = set()  # a finding in a header is reported once
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for count, (path, said) in enumerate(zip(files, pool.map(tidy, files)), 1):
            for finding in re.findall(r"^\S+:\d+:\d+: (?:warning|error): .*$(?:\n(?!\S+:\d+:\d+: (?:warning|error)).*)*",
                                      said, re.M) or ([said] if said else []):
                if finding not in findings:
                    print(finding, flush=True)
                findings.add(finding)
            if sys.stdout.isatty():
                print(f"\r{count}/{len(files)} {path}\033[K", end="\r", flush=True)
    print(f"{len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

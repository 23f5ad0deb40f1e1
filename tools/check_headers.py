#!/usr/bin/env python3
"""Compiles each header of src/ alone: a header includes all that it uses.

usage: check_headers.py [TREE] [--compiler g++]
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

FLAGS = ["-std=c++23", "-DTACENDA_SOURCE_DIR=\"\"", "-fsyntax-only", "-x", "c++", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?", default=".", type=pathlib.Path)
    parser.add_argument("--compiler", default="g++")
    arguments = parser.parse_args()
    source = (arguments.tree / "src").resolve()
    headers = [str(path.relative_to(source)) for path in sorted(source.rglob("*.hpp"))]
    flags = FLAGS + (["-Wno-gnu-statement-expression"] if "clang" in arguments.compiler else [])

    def compile_alone(header: str) -> str:
        # A second include shows that the guard works.
        text = f'#include "{header}"\n#include "{header}"\n'
        done = subprocess.run([arguments.compiler, *flags, f"-I{source}", "-"], input=text, capture_output=True, text=True)
        return done.stderr if done.returncode != 0 else ""

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for count, (header, error) in enumerate(zip(headers, pool.map(compile_alone, headers)), 1):
            if sys.stdout.isatty():
                print(f"\r{count}/{len(headers)} ", end="", flush=True)
            if error:
                first = re.search(r"^.*error.*$", error, re.M)
                print(f"src/{header}: does not compile alone: {first.group(0) if first else error}")
                bad += 1
    print(f"{len(headers) - bad} of {len(headers)} headers compile alone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Passes when the compiler accepts a file as it stands and refuses it with one macro defined.

Used by tacenda_must_not_compile() of cmake/TacendaModule.cmake. The command line is the one that the
build itself would use for the file, so a change of the flags changes the test with it.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys


def compile_command(commands: pathlib.Path, target: str) -> tuple[list[str], str]:
    """The command that compiles the one file of `target`, turned into a syntax check."""
    for entry in json.loads(commands.read_text()):
        words = shlex.split(entry["command"])
        if f"CMakeFiles/{target}.dir/" not in entry["command"]:
            continue
        start = max(index for index, word in enumerate(words) if re.search(r"(g\+\+|clang\+\+)[-\d.]*$", word))
        words = words[start:]  # without the compiler cache
        output = words.index("-o")
        del words[output:output + 2]
        return [*words, "-fsyntax-only", "-fdiagnostics-color=never"], entry["directory"]
    sys.exit(f"{target} is not in {commands}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=pathlib.Path, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--macro", required=True)
    parser.add_argument("--pattern", required=True)
    arguments = parser.parse_args()

    command, folder = compile_command(arguments.commands, arguments.target)
    plain_quotes = dict(os.environ, LC_ALL="C")
    right = subprocess.run(command, cwd=folder, env=plain_quotes, capture_output=True, text=True)
    if right.returncode != 0:
        print(f"without {arguments.macro} the file must compile, and does not:\n{right.stderr}")
        return 1
    wrong = subprocess.run([*command, f"-D{arguments.macro}"], cwd=folder, env=plain_quotes,
                           capture_output=True, text=True)
    if wrong.returncode == 0:
        print(f"with {arguments.macro} the file compiles: the mistake is not refused")
        return 1
    errors = "\n".join(line for line in wrong.stderr.splitlines() if " error: " in line)
    if not re.search(arguments.pattern, errors):
        print(f"refused, but not for the reason /{arguments.pattern}/:\n{wrong.stderr}")
        return 1
    print(errors)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Fails when clang-format-19 would change a C++ file of the tree; --fix changes it.

usage: check_format.py [TREE] [--fix]
Exit code 77: clang-format-19 is not installed.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    fix = "--fix" in sys.argv
    root = pathlib.Path(words[0] if words else ".").resolve()
    if shutil.which("clang-format-19") is None:
        print("clang-format-19 is not installed: ./dev setup")
        return 77
    files = [str(path.relative_to(root)) for folder in ("src", "tests", "bench")
             for path in sorted((root / folder).rglob("*.[hc]pp")) if "generated" not in path.parts]

    def unlike(path: str) -> bool:
        before = (root / path).read_bytes()
        after = subprocess.run(["clang-format-19", path], cwd=root, capture_output=True, check=True).stdout
        if before != after and fix:
            (root / path).write_bytes(after)
        return before != after

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        changed = [path for path, is_unlike in zip(files, pool.map(unlike, files)) if is_unlike]
    for path in changed:
        print(f"{path}: {'formatted' if fix else 'clang-format-19 would change it: ./dev fmt'}")
    if not changed:
        print(f"{len(files)} files are formatted")
    return 1 if changed and not fix else 0


if __name__ == "__main__":
    sys.exit(main())

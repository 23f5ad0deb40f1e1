"""Reads C++ files the way the checks need them: code without comments and texts, comments by line."""
import dataclasses
import pathlib
import re

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")"""
    r"""|(?P<text>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<letter>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""",
    re.S | re.X,
)


@dataclasses.dataclass
class Source:
    """One file. `code[i]` is line i + 1 with comments gone and texts emptied; `comments[i]` is what stood in
    comments on that line; `raw[i]` is the line as written."""

    path: pathlib.PurePosixPath  # relative to the checked tree
    raw: list[str]
    code: list[str]
    comments: list[str]


def parse(path: pathlib.PurePosixPath, text: str) -> Source:
    code: list[str] = []
    comments: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        code.append(text[at:found.start()])
        comments.append(re.sub(r"[^\n]", "", text[at:found.start()]))
        whole = found.group(0)
        lines = "\n" * whole.count("\n")
        if found.group("comment"):
            code.append(lines)
            comments.append(whole)
        else:
            is_include = re.search(r"#\s*include\s*$", text[:found.start()].rsplit("\n", 1)[-1])
            code.append(whole if is_include else whole[0] + lines + whole[-1])
            comments.append(lines)
        at = found.end()
    code.append(text[at:])
    comments.append(re.sub(r"[^\n]", "", text[at:]))
    return Source(path, text.split("\n"), "".join(code).split("\n"), "".join(comments).split("\n"))


def files(root: pathlib.Path, *folders: str) -> list[Source]:
    """All C++ files below the given folders of `root`, build folders and generated tables left out."""
    found = []
    for folder in folders:
        for path in sorted((root / folder).rglob("*.[hc]pp")):
            relative = pathlib.PurePosixPath(path.relative_to(root))
            if "generated" not in relative.parts:
                found.append(parse(relative, path.read_text(encoding="utf-8")))
    return found


def room_of(path: pathlib.PurePosixPath) -> str:
    """The room a file of src/ belongs to; src/main.cpp is a room of its own, `main`."""
    if path.parts[0] != "src":
        return path.parts[0]
    return "main" if len(path.parts) == 2 else path.parts[1]


def is_test(path: pathlib.PurePosixPath) -> bool:
    """Code that never reaches the product: tests, fuzz targets, benchmarks and what only they include."""
    return path.parts[0] == "tests" or bool(
        re.search(r"(_test|_fuzz|_bench|_testing|test_support|test_store|_soak|test_[a-z_]+)\.[hc]pp$", path.name)
        or path.name.startswith(("fake_", "soak_")))

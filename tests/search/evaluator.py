"""The slow search evaluator (reference/server.mjs) as a process, and the comparison of the server's pages with it."""

import json
import pathlib
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
LOAD_AT_ONCE = 100


class Evaluator:
    def __init__(self):
        self.process = subprocess.Popen(["node", str(FOLDER / "reference" / "server.mjs")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the evaluator ended: {request}")
        return json.loads(line)

    def load(self, resources, base):
        for start in range(0, len(resources), LOAD_AT_ONCE):
            self.ask(load=resources[start : start + LOAD_AT_ONCE], base=base)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Page:
    """One page of a search result: places "Type/id" of its matches and includes, and what it says of itself."""

    def __init__(self, bundle):
        self.matches, self.includes = [], []
        for entry in bundle.get("entry", []):
            resource = entry["resource"]
            mode = entry.get("search", {}).get("mode")
            if mode != "outcome":
                places = self.includes if mode == "include" else self.matches
                places.append(f"{resource['resourceType']}/{resource['id']}")
        self.total = bundle.get("total")
        self.next = next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), None)


def problems(query, count, pages, expected, evaluator):
    """What is wrong with the pages of a search; [] when they are what the evaluator says."""
    found = []
    matches = [place for page in pages for place in page.matches]
    if any(page.total not in (None, expected["total"]) for page in pages):
        found.append(f"total {[page.total for page in pages]}, expected {expected['total']}")
    if pages[0].total is None and (expected["isCountOnly"] or "_total=accurate" in query):
        found.append("the total that was asked for is missing")
    if expected["isCountOnly"]:
        return found + (["entries where only the number was wanted"] if matches else [])
    if len(set(matches)) != len(matches):
        found.append(f"repeated: {sorted({one for one in matches if matches.count(one) > 1})}")
    missing, surplus = set(expected["ids"]) - set(matches), set(matches) - set(expected["ids"])
    if missing or surplus:
        found.append(f"missing {sorted(missing)[:5]} ({len(missing)}), surplus {sorted(surplus)[:5]} ({len(surplus)})")
    elif not follows(matches, expected["order"]):
        found.append(f"order {matches[:10]}, expected {expected['order'][:10]}")
    for page in pages:
        if len(page.matches) > count:
            found.append(f"{len(page.matches)} matches on a page of {count}")
        if not page.matches and page is not pages[0]:
            found.append("a page without matches")
        found += include_problems(query, page, evaluator)
    return found


def follows(matches, order):
    """Whether the matches come group after group; within a group any order is right."""
    start = 0
    for group in order:
        if set(matches[start : start + len(group)]) != set(group):
            return False
        start += len(group)
    return start == len(matches)


def include_problems(query, page, evaluator):
    """A page holds what its own matches include; what is a match on another page may be missing or there."""
    if "include" not in query:
        return ["includes that nobody asked for"] if page.includes else []
    if set(page.matches) & set(page.includes):
        return ["a resource is both match and include"]
    wanted, got = set(evaluator.ask(includes=query, matches=page.matches)["includes"]), set(page.includes)
    if wanted == got and len(got) == len(page.includes):
        return []
    return [f"includes: missing {sorted(wanted - got)[:5]}, surplus {sorted(got - wanted)[:5]}"]

#!/usr/bin/env python3
"""Loads bundles by `tacenda load`, reads every resource back and compares it with what was sent.

Loaded are the bundles of --bundles DIR (default: samples/), a hundred made bundles with conditional references and
ifNoneExist, each twice, and one large bundle. All must load without an error, the history of the whole store must
hold as many versions as there were creates, and every resource must come back as it was sent, apart from id, meta and
rewritten references, decimals byte for byte.

    TACENDA_BINARY=... tests/soak/load_soak.py [--bundles DIR] [--entries 25000] [--megabytes 60] [--json FILE]
"""

import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "blackbox"))
import bundles  # noqa: E402
import harness  # noqa: E402


def versions_in_store(server, token):
    """Entries of the system history, page by page."""
    count, path = 0, "/fhir/_history?_count=1000"
    while path:
        page = json.loads(server.request("GET", path, token=token).body)
        count += len(page.get("entry", []))
        following = [link["url"] for link in page.get("link", []) if link["relation"] == "next"]
        path = following[0].split(str(server.port), 1)[1] if following else None
    return count


def run(arguments):
    server = harness.Server("classic", config=harness.UNLIMITED)
    try:
        server.start()
        made = server.root / "made"
        made.mkdir()
        for number in range(100):
            for turn in "ab":
                bundles.write_bundle(made / f"{number:03d}{turn}.json", f"mrn-{number}", 30)
        # An entry without filling takes about 380 bytes.
        filling = max(0, arguments.megabytes * 1_000_000 // arguments.entries - 380)
        large = bundles.write_bundle(server.root / "large.json", "mrn-large", arguments.entries, filling)
        # In the order in which `tacenda load` takes them.
        files = sorted([*pathlib.Path(arguments.bundles).resolve().glob("*.json"), *made.glob("*.json"), large])
        loader = bundles.Loader(server)
        began = time.monotonic()
        said = loader.load(*files)
        seconds = time.monotonic() - began
        server.sign_in_admin()
        events = list(bundles.creates_of(server.audit()))
        creates = iter(events)
        wrong, entries_sent = [], 0
        for file in files:
            entries = bundles.read(file)
            entries_sent += len(entries)
            wrong += loader.differences(entries, loader.places(entries, creates), server.admin_token)
        stored = len({(e["type"], e["id"]) for e in events})
        server.sign_in_admin()
        result = {
            "files": len(files), "failed": said["failed"], "entries": entries_sent, "loaded": said["entries"],
            "large_bytes": large.stat().st_size, "resources": stored,
            "versions": versions_in_store(server, server.admin_token), "different": len(wrong),
            "examples": wrong[:10], "seconds": round(seconds, 1), "verify_exit": server.verify().returncode,
        }
        good = (result["failed"] == 0 and result["loaded"] == entries_sent and not wrong
                and result["versions"] == stored and result["verify_exit"] == 0)
        return result, good
    finally:
        server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundles", default=os.environ.get("TACENDA_BUNDLES", harness.REPOSITORY / "samples"))
    parser.add_argument("--entries", type=int, default=25_000)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--json", help="write the result to this file")
    arguments = parser.parse_args()
    result, good = run(arguments)
    print(json.dumps(result, indent=2))
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

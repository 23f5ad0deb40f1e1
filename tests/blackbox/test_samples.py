"""The sample patients are loaded by `tacenda load` and come back as they were."""

import json
import unittest

import harness

SAMPLES = harness.REPOSITORY / "samples"
# Numbers keep their text, and stay apart from strings.
NUMBERS = {"parse_float": lambda text: ("number", text), "parse_int": lambda text: ("number", text)}


class Samples(harness.TestCase):
    policy = "classic"

    def load(self, *files):
        token_file = self.server.root / "token"
        token_file.write_text(self.server.service_token("loader"))
        loaded = self.server.cli("load", *files, "--url", f"https://127.0.0.1:{self.server.port}/fhir", "--ca",
                                 self.server.made["ca"], "--token-file", token_file, "--json", check=True)
        return json.loads(loaded.stdout)

    def test_a_sample_is_read_back_equal_apart_from_id_meta_and_references(self):
        files = sorted(SAMPLES.glob("*.json"))
        self.assertTrue(files, "samples/ holds bundles")
        token = self.server.admin()
        self.server.service("loader", "loader")
        for file in files[:2]:
            entries = json.loads(file.read_text(), **NUMBERS)["entry"]
            mark = self.server.audit_size()
            said = self.load(file)
            self.assertEqual((said["failed"], said["entries"]), (0, len(entries)))
            places = [(e["type"], e["id"]) for e in self.server.audit_after(mark) if e["event"] == "create"]
            self.assertEqual([kind for kind, _ in places], [e["resource"]["resourceType"] for e in entries])
            new_of = {e["fullUrl"]: "/".join(place) for e, place in zip(entries, places)}
            with self.server.connect() as connection:
                for entry, (kind, id_) in zip(entries, places):
                    reply = connection.request("GET", f"/fhir/{kind}/{id_}", token=token)
                    got = json.loads(reply.body, **NUMBERS)
                    want = self.linked(entry["resource"], new_of)
                    for name in ("versionId", "lastUpdated"):
                        got["meta"].pop(name)
                        want.get("meta", {}).pop(name, None)
                    if not got["meta"]:
                        del got["meta"]
                    del got["id"]
                    want.pop("id", None)
                    self.assertEqual(got, want, f"{kind}/{id_}")

    def linked(self, value, new_of):
        """`value` as it must look once the bundle's own references are rewritten."""
        if isinstance(value, dict):
            return {name: self.linked(part, new_of) for name, part in value.items()}
        if isinstance(value, list):
            return [self.linked(part, new_of) for part in value]
        return new_of.get(value, value) if isinstance(value, str) else value

    def test_what_was_loaded_is_not_loaded_again(self):
        files = sorted(SAMPLES.glob("*.json"))
        token = self.server.admin()
        self.server.cli("user", "add", "again", "--role", "loader", "--service", "--data", self.server.data, check=True)
        token_file = self.server.root / "again"
        token_file.write_text(self.server.service_token("again"))
        arguments = ["load", files[0], "--url", f"https://127.0.0.1:{self.server.port}/fhir", "--ca",
                     self.server.made["ca"], "--token-file", token_file, "--json"]
        first = json.loads(self.server.cli(*arguments, check=True).stdout)
        second = json.loads(self.server.cli(*arguments, check=True).stdout)
        self.assertEqual((first["files"], first["skipped"]), (1, 0))
        self.assertEqual((second["entries"], second["skipped"]), (0, 1))
        self.assertTrue(token)


if __name__ == "__main__":
    unittest.main()

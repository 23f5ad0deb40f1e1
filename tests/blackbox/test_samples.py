"""Sample patients and made bundles are loaded by `tacenda load` and come back as they were. The long run is
tests/soak/load_soak.py."""

import unittest

import bundles
import harness

SAMPLES = harness.REPOSITORY / "samples"


class Samples(harness.TestCase):
    policy = "classic"

    def read_back(self, loader, file):
        """Loads a file and gives the entries that are not read back as they were sent."""
        entries = bundles.read(file)
        mark = self.server.audit_size()
        said = loader.load(file)
        self.assertEqual((said["failed"], said["entries"]), (0, len(entries)))
        creates = bundles.creates_of(self.server.audit_after(mark))
        return loader.differences(entries, loader.places(entries, creates), self.server.admin())

    def test_a_sample_is_read_back_equal_apart_from_id_meta_and_references(self):
        files = sorted(SAMPLES.glob("*.json"))
        self.assertTrue(files, "samples/ holds bundles")
        loader = bundles.Loader(self.server)
        for file in files[:2]:
            self.assertEqual(self.read_back(loader, file), [])

    def test_conditional_references_and_creates_are_loaded_and_their_decimals_keep_their_text(self):
        loader = bundles.Loader(self.server, "conditional")
        first = bundles.write_bundle(self.server.root / "first.json", "mrn-1", 40)
        # The patient is there by now: both his entry and the references find him.
        second = bundles.write_bundle(self.server.root / "second.json", "mrn-1", 40)
        for file in (first, second):
            mark = self.server.audit_size()
            self.assertEqual(self.read_back(loader, file), [])
            patient = loader.by_condition[f"Patient?identifier={bundles.SYSTEM}|mrn-1"].split("/")[1]
            told = [e.get("patients") for e in self.server.audit_after(mark) if e["event"] == "create"]
            self.assertEqual(told, [[patient]] * 40, "finding him is told of him, too")

    def test_what_was_loaded_is_not_loaded_again(self):
        files = sorted(SAMPLES.glob("*.json"))
        loader = bundles.Loader(self.server, "again")
        first, second = loader.load(files[0]), loader.load(files[0])
        self.assertEqual((first["files"], first["skipped"]), (1, 0))
        self.assertEqual((second["entries"], second["skipped"]), (0, 1))

    def test_a_difference_would_be_seen(self):
        loader = bundles.Loader(self.server, "oracle")
        file = bundles.write_bundle(self.server.root / "oracle.json", "mrn-2", 4)
        mark = self.server.audit_size()
        loader.load(file)
        places = loader.places(bundles.read(file), bundles.creates_of(self.server.audit_after(mark)))
        file.write_text(file.read_text().replace('"value":1.00,', '"value":1.0,'))
        self.assertEqual(loader.differences(bundles.read(file), places, self.server.admin()), [places[1]])


if __name__ == "__main__":
    unittest.main()

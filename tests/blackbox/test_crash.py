"""What was acknowledged outlives kill -9, with its audit entry (A-15). The long run is tests/soak/crash_soak.py."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
import crash_soak  # noqa: E402


class Crash(unittest.TestCase):
    def test_A15_nothing_acknowledged_is_lost_when_the_server_is_killed(self):
        soak = crash_soak.Soak(cycles=6, clients=8, seed=20231)
        self.addCleanup(soak.close)
        result = soak.run()
        for name in crash_soak.COUNTS:
            self.assertEqual(result[name], 0, (name, result["examples"]))
        self.assertEqual(result["canaries"], 0)
        self.assertGreater(result["acknowledged"], 100, "the clients did write")

    def test_the_oracle_can_fail(self):
        soak = crash_soak.Soak(cycles=1, clients=3, seed=9)
        self.addCleanup(soak.close)
        soak.one_cycle()
        self.assertEqual(sum(soak.wrong.values()), 0, soak.examples)
        client = next(c for c in soak.clients if c.all)
        kept = client.all[0]
        kept.touched = True
        kept.acknowledged[max(kept.acknowledged) + 1] = "never written"
        client.requests.append(("no such request", *kept.places[0], 1))
        soak.claims[kept.places[0]] = {999}
        soak.check_versions()
        soak.claims = {}
        soak.check_audit()
        self.assertEqual((soak.wrong["lost"], soak.wrong["without_leaf"], soak.wrong["absent"]), (1, 1, 1), soak.examples)

    def test_A15_a_second_crash_while_starting_loses_nothing(self):
        soak = crash_soak.Soak(cycles=2, clients=4, seed=5)
        self.addCleanup(soak.close)
        soak.one_cycle()
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
            soak.server.kill()
            # Killed again before it is ready, wherever that finds it.
            process = crash_soak.harness.subprocess.Popen(
                [soak.server.binary, "serve", "--data", soak.server.data, "--key-file", soak.server.key_file, "--listen",
                 "127.0.0.1:0"], stdout=crash_soak.harness.subprocess.DEVNULL,
                stderr=crash_soak.harness.subprocess.DEVNULL)
            crash_soak.time.sleep(delay)
            process.kill()
            process.wait()
            soak.server.start()
        result = soak.run()
        self.assertEqual({name: result[name] for name in crash_soak.COUNTS}, dict.fromkeys(crash_soak.COUNTS, 0),
                         result["examples"])


if __name__ == "__main__":
    unittest.main()

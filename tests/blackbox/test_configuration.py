"""Settings cannot weaken the server (N-01), and keys stay where they belong (K-09)."""

import base64
import json
import os
import pathlib
import subprocess
import unittest

import harness


class Configuration(harness.TestCase):
    serve = False

    def serve_with(self, config):
        """Starts the server with the text of a configuration, or the path of one."""
        path = config
        if isinstance(config, str):
            path = self.server.root / "bad.toml"
            path.write_text(config)
        return subprocess.run(
            [self.server.binary, "serve", "--data", self.server.data, "--key-file", self.server.key_file, "--listen",
             "127.0.0.1:0", "--config", path],
            capture_output=True, text=True, timeout=harness.PATIENCE)

    def test_N01_a_setting_that_would_turn_protection_off_refuses_to_start(self):
        nearest = {
            'tls = "off"': "listener.tls12",
            "[listener]\ntls = false": "listener.tls12",
            "[listener]\nplaintext = true": "",
            "[listener]\ntls13 = false": "listener.tls12",
            "[listener]\nclient-certificates = 'none'": "listener.client-certificate",
            "[listener]\nalow = ['0.0.0.0/0']": "listener.allow",
            "[storage]\nencryption = 'none'": "storage.",
            "[storage]\ncache-mb = 8": "storage.cache-mib",
            "encryption = false": "",
            "[audit]\nenabled = false": "",
            "[limits]\nconnection = 5": "limits.connections",
        }
        for text, key in nearest.items():
            ended = self.serve_with(text)
            self.assertEqual(ended.returncode, 2, text)
            self.assertIn("did you mean " + key, ended.stderr, text)
            self.assertNotIn("ready", ended.stdout, text)

    def test_N01_a_value_of_the_wrong_kind_refuses_to_start(self):
        for text in ('[listener]\nport = "8443"', "[listener]\nport = 65536", "[listener]\nallow = 'all'",
                     "[listener]\ntls12 = 'yes'", "[listener]\nclient-certificate = 'maybe'",
                     "[listener]\nclient-certificate = 'required'", "[limits]\nconnections = 0", "not toml ="):
            ended = self.serve_with(text)
            self.assertEqual(ended.returncode, 2, text)
            self.assertNotIn("ready", ended.stdout, text)

    def test_N01_no_option_of_the_command_line_turns_protection_off(self):
        for option in ("--no-tls", "--plaintext", "--insecure", "--tls=off", "--no-audit", "--no-encryption"):
            ended = self.server.cli("serve", "--data", self.server.data, "--key-file", self.server.key_file, option)
            self.assertEqual(ended.returncode, 2, option)

    def test_N01_a_configuration_that_is_no_file_is_not_taken_for_an_empty_one(self):
        (self.server.root / "folder").mkdir()
        ended = self.serve_with(self.server.root / "folder")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("cannot be read", ended.stderr)

    def test_N01_a_list_of_networks_that_cannot_be_read_lets_nobody_in(self):
        ended = self.serve_with("[listener]\nallow = ['127.0.0.1', 'everyone']")
        self.assertNotEqual(ended.returncode, 0)
        self.assertNotIn("ready", ended.stdout)


class Keys(harness.TestCase):
    def test_K09_the_key_is_in_no_argument_no_variable_and_not_in_the_data(self):
        key = self.server.key_file.read_bytes()
        self.assertEqual(len(key), 32)
        process = pathlib.Path("/proc", str(self.server.process.pid))
        for name in ("cmdline", "environ"):
            text = (process / name).read_bytes()
            for spelling in harness.spellings(key):
                self.assertNotIn(spelling, text, name)
        self.assertEqual(harness.find_canaries([self.server.data, self.server.out, self.server.err], [key]), [])

    def test_K09_key_files_are_their_owners_alone(self):
        for path in [*harness.files_under([self.server.keys])]:
            if path.name != "ca.pem":
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.assertEqual(self.server.data.stat().st_mode & 0o077, 0)

    def test_K09_what_init_makes_is_its_owners_alone_whatever_the_mask(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        server = self.new_server()
        for path in [*harness.files_under([server.data]), *harness.files_under([server.keys])]:
            if path.name != "ca.pem":
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_K09_init_does_not_overwrite_a_key(self):
        before = self.server.key_file.read_bytes()
        ended = self.server.cli("init", "--data", self.server.root / "other", "--key-file", self.server.key_file,
                                "--admin", "mallory")
        self.assertNotEqual(ended.returncode, 0)
        self.assertEqual(self.server.key_file.read_bytes(), before)

    def test_K09_without_its_key_the_server_starts_sealed_and_serves_nothing(self):
        server = self.new_server().start()
        token = server.token_of(server.person("dr.sealed", "doctor"))
        made = server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token)
        path = "/fhir/Patient/" + harness.json_of(made)["id"]
        server.stop()

        server.start(with_key=False)
        context = harness.ssl._create_unverified_context()  # its certificate lies in the vault
        with server.connect(context=context) as connection:
            for method, target in (("GET", path), ("GET", "/fhir/metadata"), ("POST", "/auth/login")):
                reply = connection.request(method, target, {} if method == "POST" else None, token)
                self.assertEqual(reply.status, 503, target)
                self.assertIn("retry-after", reply.headers)
        status = server.cli("status", "--data", server.data, "--json")
        self.assertEqual((status.returncode, json.loads(status.stdout)["state"]), (5, "sealed"))
        listed = server.cli("audit", "list", "--data", server.data)
        self.assertNotEqual(listed.returncode, 0)
        server.stop()

        server.start()
        self.assertEqual(server.request("GET", path, token=token).status, 200)

    def test_status_tells_what_takes_the_room(self):
        server = self.new_server().start()
        self.addCleanup(server.stop)
        token = server.service("room", "loader")

        def stored_bytes():
            server.stop()
            server.start()  # until then some of it is an estimate
            return json.loads(server.cli("status", "--data", server.data, "--json", check=True).stdout)["stored_bytes"]

        before = stored_bytes()
        for _ in range(4):  # a block more or less is not counted
            body = base64.b64encode(os.urandom(300_000)).decode()
            for resource in ({"resourceType": "Binary", "contentType": "application/pdf", "data": body},
                             {"resourceType": "Basic", "code": {"text": body}}):
                self.assertEqual(server.request("POST", "/fhir/" + resource["resourceType"], resource, token).status, 201)
        after = stored_bytes()
        grown = {name: after[name] - before[name] for name in after}
        self.assertGreater(grown["contents"], 900_000)
        self.assertGreater(grown["versions"], 600_000)
        self.assertGreater(grown["index"], 0)
        self.assertGreater(after["audit"], 0)
        self.assertGreater(grown["all"], 1_200_000)

    def test_K09_a_foreign_key_does_not_open_the_store(self):
        other = self.new_server()
        ended = self.server.cli("verify", "--data", other.data, "--key-file", self.server.key_file)
        self.assertNotEqual(ended.returncode, 0)
        wrong = other.root / "wrong"
        wrong.mkdir(mode=0o700)
        for path in other.keys.iterdir():
            (wrong / path.name).write_bytes(path.read_bytes())
        (wrong / "key").write_bytes(bytes(32))
        (wrong / "key").chmod(0o600)
        ended = other.cli("serve", "--data", other.data, "--key-file", wrong / "key", "--listen", "127.0.0.1:0")
        self.assertNotEqual(ended.returncode, 0)
        self.assertNotIn("ready", ended.stdout)

    def test_K09_sealing_takes_the_keys_away_at_once(self):
        server = self.new_server().start()
        server.admin()
        server.cli("seal", "--data", server.data, check=True)
        end = harness.time.monotonic() + harness.PATIENCE
        while server.request("GET", "/fhir/metadata").status != 503:
            self.assertLess(harness.time.monotonic(), end)
        self.assertEqual(server.cli("status", "--data", server.data).returncode, 5)


if __name__ == "__main__":
    unittest.main()

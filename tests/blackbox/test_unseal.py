"""Ways to open a store (K-09): shares of which so many open it, brought one by one to a sealed server; none of them can be
read anywhere but where it was given out."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import time
import unicodedata
import unittest

import harness

SHARE = re.compile(r"TCS1(-[0-9A-HJKMNP-TV-Z]{4}){18}")
WAITS, SEALED, DENIED, USAGE = 6, 5, 4, 2


def with_shares(case, *arguments, shares=5, threshold=3, **options):
    """A stopped server whose store any `threshold` of the returned shares open."""
    server = case.new_server(**options)
    made = server.cli("slot", "add", "--shares", shares, "--threshold", threshold, "--data", server.data, "--key-file",
                      server.key_file, *arguments, check=True)
    texts = made.stdout.split()
    case.assertEqual(len(texts), 0 if arguments else shares)
    for text in texts:
        case.assertRegex(text, SHARE)
    return server, texts


def give(server, share):
    return server.cli("unseal", "--data", server.data, stdin=share + "\n")


def other_digit(text, at):
    return text[:at] + ("7" if text[at] != "7" else "8") + text[at + 1:]


class Shares(harness.TestCase):
    serve = False

    def lose_the_key_file(self, server):
        server.key_file.rename(server.root / "key.elsewhere")

    def state(self, server):
        return server.cli("status", "--data", server.data, "--json").returncode

    def https_status(self, server, path="/fhir/metadata"):
        context = harness.ssl._create_unverified_context()  # sealed, its certificate lies in the vault
        with server.connect(context=context) as connection:
            return connection.request("GET", path).status

    def test_K09_a_sealed_server_is_opened_by_three_of_five_shares(self):
        server, shares = with_shares(self)
        server.start()
        token = server.token_of(server.person("dr.shares", "doctor"))
        made = server.request("POST", "/fhir/Patient", {"resourceType": "Patient"}, token)
        path = "/fhir/Patient/" + harness.json_of(made)["id"]
        server.stop()
        self.lose_the_key_file(server)

        server.start()
        for target in ("/healthz", "/fhir/metadata", path):
            self.assertEqual(self.https_status(server, target), 503, target)
        for share, said in ((shares[4], "1 of 3"), (shares[1], "2 of 3")):
            for _ in range(2):  # the same share again does not count
                given = give(server, share)
                self.assertEqual((given.returncode, given.stdout.strip()), (WAITS, said + " shares"))
            self.assertEqual(self.https_status(server), 503)
            status = server.cli("status", "--data", server.data, "--json")
            self.assertEqual(json.loads(status.stdout), {"state": "sealed", "shares": said})
        third = give(server, shares[2].lower().replace("-", " "))
        self.assertEqual((third.returncode, third.stdout.strip()), (0, "unsealed"))
        self.assertEqual(server.request("GET", path, token=token).status, 200)
        again = give(server, shares[0])
        self.assertEqual(again.returncode, 1)
        self.assertIn("is unsealed", again.stderr)
        unsealed = [entry for entry in server.audit() if entry["event"] == "unsealed"][-1]
        self.assertEqual(unsealed["target"], "shares 2, 3, 5 of slot 1")

        server.stop()
        server.start()
        self.assertEqual(self.state(server), SEALED)
        self.assertEqual(give(server, shares[2]).stdout.strip(), "1 of 3 shares")
        server.cli("unseal", "--reset", "--data", server.data, check=True)
        self.assertEqual(give(server, shares[3]).stdout.strip(), "1 of 3 shares")

    def test_K09_a_wrong_share_opens_nothing_and_is_not_named(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        stranger, foreign = with_shares(self, shares=3, threshold=2)
        self.lose_the_key_file(server)
        server.start()
        mistyped = give(server, other_digit(shares[0], 30))
        self.assertEqual(mistyped.returncode, 1)
        self.assertIn("mistyped", mistyped.stderr)
        self.assertNotIn(shares[0][30:40], mistyped.stderr)
        another = give(server, foreign[0])
        self.assertEqual(another.returncode, 1)
        self.assertIn("of another store", another.stderr)
        self.assertEqual(self.state(server), SEALED)

        self.assertEqual(give(server, shares[0]).returncode, WAITS)
        wrong = give(server, self.forged(shares[1]))
        self.assertEqual(wrong.returncode, DENIED)
        self.assertIn("at least one is wrong", wrong.stderr)
        self.assertEqual(self.state(server), SEALED)
        self.assertEqual(self.https_status(server), 503)
        # All of them are given again.
        self.assertEqual(give(server, shares[2]).stdout.strip(), "1 of 2 shares")
        self.assertEqual(give(server, shares[0]).returncode, 0)
        failed = [entry for entry in server.audit() if entry["event"] == "key-operation" and "failed" in entry["target"]]
        self.assertEqual([entry["new_value"] for entry in failed], ["1"])

    def forged(self, text):
        """What a holder would give who wants it to fail: another secret, with the check that belongs to it."""
        digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        number = 0
        for digit in text[5:].replace("-", ""):
            number = number * 32 + digits.index(digit)
        content = bytearray(number.to_bytes(45, "big")[:40])
        content[39] ^= 1
        raw = bytes(content) + harness.hashlib.sha256(b"tacenda/share/1" + content).digest()[:5]
        number, made = int.from_bytes(raw, "big"), ""
        for _ in range(72):
            number, digit = divmod(number, 32)
            made = digits[digit] + made
        return "TCS1-" + "-".join(made[at : at + 4] for at in range(0, 72, 4))

    def test_K09_nobody_guesses_for_long(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        self.lose_the_key_file(server)
        server.start()
        for _ in range(5):
            self.assertEqual(give(server, shares[0]).returncode, WAITS)
            self.assertEqual(give(server, self.forged(shares[1])).returncode, DENIED)
        throttled = give(server, shares[0])
        self.assertEqual(throttled.returncode, 1)
        self.assertIn("15 minutes", throttled.stderr)

    def test_K09_no_share_can_be_read_where_it_does_not_belong(self):
        folder = pathlib.Path(harness.tempfile.mkdtemp(prefix="tacenda-shares-"))
        self.addCleanup(harness.shutil.rmtree, folder)
        server, _ = with_shares(self, "--out", folder / "out", shares=3, threshold=2)
        files = sorted((folder / "out").iterdir())
        self.assertEqual([path.name for path in files], [f"share-{n}-of-3.txt" for n in (1, 2, 3)])
        self.assertEqual({path.stat().st_mode & 0o777 for path in files}, {0o600})
        key = server.key_file.read_bytes()
        self.lose_the_key_file(server)
        server.start()
        given = [server.cli("unseal", "--data", server.data, "--share-file", path) for path in files[:2]]
        self.assertEqual([each.returncode for each in given], [WAITS, 0])

        texts = [path.read_text().strip() for path in files]
        secrets = [key, *texts, *(text[5:].replace("-", "") for text in texts), *(text[30:60] for text in texts)]
        process = pathlib.Path("/proc", str(server.process.pid))
        for name in ("cmdline", "environ"):
            content = (process / name).read_bytes()
            for secret in secrets:
                for spelling in harness.spellings(secret):
                    self.assertNotIn(spelling, content, name)
        said = "".join(each.stdout + each.stderr for each in given)
        for secret in secrets[1:]:
            self.assertNotIn(secret, said)
        places = [server.data, server.out, server.err, server.keys, server.temporary]
        self.assertEqual(harness.find_canaries(places, secrets), [])

    def test_K09_shares_are_not_written_into_the_store_nor_over_others(self):
        server = self.new_server()
        add = ("slot", "add", "--shares", "3", "--data", server.data, "--key-file", server.key_file, "--out")
        inside = server.cli(*add, server.data / "shares")
        self.assertEqual(inside.returncode, 1)
        self.assertFalse((server.data / "shares").exists())
        server.cli(*add, server.root / "shares", check=True)
        before = (server.root / "shares" / "share-1-of-3.txt").read_bytes()
        self.assertEqual(server.cli(*add, server.root / "shares").returncode, 1)
        self.assertEqual((server.root / "shares" / "share-1-of-3.txt").read_bytes(), before)
        self.assertEqual(len(self.slots(server)), 2, "the second one was not added")

    def slots(self, server):
        return json.loads(server.cli("slot", "list", "--data", server.data, "--json", check=True).stdout)

    def test_K09_slots_are_listed_and_removed_but_not_the_last_that_works(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        at = ("--data", server.data, "--key-file", server.key_file)
        key, made = self.slots(server)
        self.assertEqual((key["kind"], made["kind"], made["threshold"], made["shares"]), ("key file", "shares", 2, 3))
        self.assertNotIn("opened", made)
        refused = server.cli("slot", "remove", key["id"], *at)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no other slot has opened the store yet", refused.stderr)

        doctor = server.cli("doctor", *at)
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("have opened the store yet", doctor.stdout)
        self.lose_the_key_file(server)
        verified = server.cli("verify", *at, stdin=f"{shares[0]}\n{shares[2]}\n")
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("opened", self.slots(server)[1])
        doctor = server.cli("doctor", *at)
        self.assertNotIn("have opened the store yet", doctor.stdout)
        self.assertEqual(doctor.returncode, 0, doctor.stdout)
        self.assertRegex(doctor.stdout, "WARNING +the key file is not there")

        server.cli("slot", "remove", key["id"], *at, stdin=f"{shares[1]}\n{shares[2]}\n", check=True)
        (server.root / "key.elsewhere").rename(server.key_file)
        refused = server.cli("verify", *at)
        self.assertEqual(refused.returncode, DENIED)
        self.lose_the_key_file(server)
        last = server.cli("slot", "remove", made["id"], *at, stdin=f"{shares[1]}\n{shares[2]}\n")
        self.assertEqual(last.returncode, 1)

        server.start()
        for share in shares[:2]:
            give(server, share)
        operations = [(entry["target"], entry["new_value"]) for entry in server.audit() if entry["event"] == "key-operation"]
        by = f"by uid {os.getuid()}"
        self.assertEqual(operations, [
            ("slot 1 (shares, 2 of 3) added", "opened with slot 0 (key file) " + by),
            ("slot 0 (key file) removed", "opened with slot 1 (shares, 2 of 3) " + by)])
        verified, = [entry for entry in server.audit() if entry.get("target") == "verify, with shares"]
        self.assertEqual((verified["event"], verified["new_value"]), ("unsealed", by))
        doctor = server.cli("doctor", *at)
        self.assertIn("no key file opens the store", doctor.stdout)
        self.assertEqual(doctor.returncode, 0, doctor.stdout)

    def test_K09_the_vault_root_belongs_to_every_way_in(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        at = ("--data", server.data, "--key-file", server.key_file)
        root, elsewhere = server.keys / "key.root", server.root / "root.elsewhere"
        self.lose_the_key_file(server)
        root.rename(elsewhere)
        verified = server.cli("verify", *at, stdin=f"{shares[0]}\n{shares[1]}\n")
        self.assertEqual(verified.returncode, 1)
        self.assertIn("<key file>.root, is not there", verified.stderr)
        doctor = server.cli("doctor", *at)
        self.assertEqual(doctor.returncode, 1)
        self.assertRegex(doctor.stdout, f"BAD +the vault root {re.escape(str(root))} is not there: every slot needs it")
        # Nobody is called in the night to bring a share to a server that it cannot open.
        with self.assertRaisesRegex(RuntimeError, "<key file>.root, is not there"):
            server.start()
        elsewhere.rename(root)
        self.assertNotIn("the vault root " + str(root), server.cli("doctor", *at).stdout)

        server.start()
        root.rename(elsewhere)
        self.assertEqual(give(server, shares[0]).returncode, WAITS)
        refused = give(server, shares[2])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("<key file>.root, is not there", refused.stderr)
        elsewhere.rename(root)
        self.assertEqual(give(server, shares[2]).returncode, 0, "the first holder need not come again")

    def test_K09_a_fault_of_the_configuration_does_not_cost_the_holders_their_shares(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        self.lose_the_key_file(server)
        secret = server.root / "client.secret"
        server.configure('[openid]\nissuer = "https://127.0.0.1:9"\nclient-id = "tacenda"\n'
                         f'client-secret-file = "{secret}"\nsecond-factor-acr = ["urn:example:mfa"]\n', 1)
        with self.assertRaisesRegex(RuntimeError, "openid.client-secret-file cannot be read"):
            server.start()
        login = server.root / "mail.login"
        server.configure('[alerts]\nmail-to = ["officer@hospital.example"]\nmail-from = "tacenda@hospital.example"\n'
                         f'smtp = "smtps://localhost:9"\ncredentials-file = "{login}"\n', 1)
        with self.assertRaisesRegex(RuntimeError, "alerts.credentials-file cannot be read"):
            server.start()

        login.write_text("tacenda\nthe password of the mail server\n")
        login.chmod(0o600)
        server.start()
        login.unlink()
        self.assertEqual(give(server, shares[0]).returncode, WAITS)
        for _ in range(2):
            refused = give(server, shares[1])
            self.assertEqual(refused.returncode, 1)
            self.assertIn("alerts.credentials-file cannot be read", refused.stderr)
        status = server.cli("status", "--data", server.data, "--json")
        self.assertEqual(json.loads(status.stdout), {"state": "sealed", "shares": "2 of 2"})
        login.write_text("tacenda\nthe password of the mail server\n")
        self.assertEqual(give(server, shares[1]).returncode, 0)
        failed = [entry for entry in server.audit() if entry["event"] == "key-operation" and "failed" in entry["target"]]
        self.assertEqual(failed, [], "nobody guessed")

    def test_K09_a_slot_that_reached_one_copy_alone_is_not_said_to_be_absent(self):
        server = self.new_server()
        hindrance = server.keys / "key.slots.new"
        hindrance.mkdir()  # where the second copy would be written
        made = server.cli("slot", "add", "--shares", "3", "--threshold", "2", "--data", server.data, "--key-file",
                          server.key_file)
        self.assertEqual(made.returncode, 1)
        self.assertIn("keep the shares as secret as if they opened the store", made.stderr)
        self.assertNotIn("opens nothing", made.stderr)
        hindrance.rmdir()
        self.assertEqual([slot["kind"] for slot in self.slots(server)], ["key file", "shares"])
        self.lose_the_key_file(server)
        server.start()
        for share, code in zip(made.stdout.split()[1:], (WAITS, 0)):
            self.assertEqual(give(server, share).returncode, code)

    def test_K09_a_new_key_file_takes_the_place_of_one_that_others_may_have(self):
        server, shares = with_shares(self, shares=3, threshold=2)
        at = ("--data", server.data, "--key-file", server.key_file)
        add = ("slot", "add", "--new-key-file", *at)
        before = server.key_file.read_bytes()
        refused = server.cli(*add)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("move it away first", refused.stderr)
        self.assertEqual(server.key_file.read_bytes(), before)
        self.lose_the_key_file(server)
        server.cli(*add, stdin=f"{shares[0]}\n{shares[2]}\n", check=True)
        self.assertEqual(server.key_file.stat().st_mode & 0o777, 0o600)
        self.assertNotEqual(server.key_file.read_bytes(), before)
        server.cli("slot", "remove", "0", *at, check=True)
        server.start()
        # With its slot, the root key can be rotated again. The shares end with it, and are made anew.
        server.admin()
        server.cli("keys", "rotate", "--root", "--drop-slots", "--data", server.data, check=True)
        server.stop()
        server.start()
        self.assertEqual([slot["kind"] for slot in self.slots(server)], ["key file"])
        server.stop()
        server.key_file.write_bytes(before)
        self.assertEqual(server.cli("verify", *at).returncode, DENIED)

    def test_K09_a_passphrase_is_the_same_whatever_keyboard_it_is_typed_on(self):
        server = self.new_server()
        at = ("--data", server.data, "--key-file", server.key_file)
        composed = 'a "p\u00e2t\u00e9" \\ of {Zo\u00eb}: 2\u00b2'
        decomposed = unicodedata.normalize("NFD", composed)
        self.assertNotEqual(composed, decomposed)
        server.cli("slot", "add", *at, stdin=f"{decomposed}\n{decomposed}\n", check=True)
        self.lose_the_key_file(server)
        for typed in (composed, decomposed):
            server.cli("verify", *at, stdin=typed + "\n", check=True)
            server.start()
            self.assertEqual(give(server, typed).returncode, 0)
            server.stop()
        server.start()
        self.assertEqual(give(server, composed + " ").returncode, DENIED)

    def test_K09_a_passphrase_is_text_and_long_enough_in_characters(self):
        server = self.new_server()
        add = [server.binary, "slot", "add", "--data", server.data, "--key-file", server.key_file]
        for typed, why in ((b"caf\xe9 caf\xe9 caf\xe9 caf\xe9", b"not UTF-8"), ("\u00e9\u00e8".encode() * 7, b"15 characters"),
                           (b"fourteen chars", b"15 characters")):
            refused = harness.subprocess.run(list(map(str, add)), input=(typed + b"\n") * 2, capture_output=True, check=False)
            self.assertEqual(refused.returncode, USAGE, typed)
            self.assertIn(why, refused.stderr)
        self.assertEqual(len(self.slots(server)), 1)

    def test_S05_no_command_that_holds_a_key_leaves_a_picture_of_its_memory(self):
        server, _ = with_shares(self, shares=3, threshold=2)
        at = ("--data", server.data, "--key-file", server.key_file)
        other = server.root / "other.key"
        self.assert_no_picture(server, "init", "--data", server.root / "other", "--key-file", other, "--admin", "alice",
                               until=other)
        self.assert_no_picture(server, "slot", "add", *at)
        self.lose_the_key_file(server)
        for command in (("slot", "add"), ("slot", "remove", "0"), ("verify",)):
            self.assert_no_picture(server, *command, *at)
        server.start()
        self.assert_no_picture(server, "unseal", "--data", server.data)
        self.assert_no_picture(server, "login", "--admin", "--data", server.data, "--user", "alice")

    def assert_no_picture(self, server, *command, until=None):
        """`command` waits for what is typed; or is stopped once the file `until` is there."""
        process = harness.subprocess.Popen([server.binary, *map(str, command)], stdin=harness.subprocess.PIPE,
                                           stdout=harness.subprocess.PIPE, stderr=harness.subprocess.PIPE)
        try:
            seen = pathlib.Path("/proc", str(process.pid))
            end = time.monotonic() + harness.PATIENCE
            while time.monotonic() < end and not (until.exists() if until else self.dumps_no_core(seen)):
                self.assertIsNone(process.poll(), command)
                time.sleep(0 if until else 0.02)
            process.send_signal(signal.SIGSTOP)
            self.assertTrue(self.dumps_no_core(seen), command)
            # What is not dumpable belongs to root, and to nobody else's debugger.
            self.assertEqual(((seen / "environ").stat().st_uid, (seen / "environ").stat().st_mode & 0o077), (0, 0), command)
        finally:
            process.kill()
            process.communicate()

    def dumps_no_core(self, process):
        line, = [line for line in (process / "limits").read_text().splitlines() if line.startswith("Max core file size")]
        return line.split()[4:6] == ["0", "0"]

    def test_K09_a_passphrase_and_shares_open_one_store_each_by_itself(self):
        server, shares = with_shares(self, shares=2, threshold=2)
        phrase = "a passphrase that opens the store"
        at = ("--data", server.data, "--key-file", server.key_file)
        server.cli("slot", "add", *at, stdin=f"{phrase}\n{phrase}\n", check=True)
        like_a_share = f"{shares[0]}\n" * 2
        self.assertEqual(server.cli("slot", "add", *at, stdin=like_a_share).returncode, 1)
        self.lose_the_key_file(server)
        server.start()
        self.assertEqual(give(server, shares[0]).returncode, WAITS)
        self.assertEqual(give(server, "another passphrase, a wrong one").returncode, DENIED)
        self.assertEqual(give(server, phrase).returncode, 0)
        self.assertEqual(server.request("GET", "/fhir/metadata").status, 200)
        server.stop()
        server.start()
        for share, code in zip(shares, (WAITS, 0)):
            self.assertEqual(give(server, share).returncode, code)

    def test_K09_a_terminal_shows_one_share_at_a_time_and_does_not_echo_what_is_typed(self):
        server = self.new_server()
        terminal = Terminal(self, server.binary, "slot", "add", "--shares", "2", "--data", server.data, "--key-file",
                            server.key_file)
        self.assertNotRegex(terminal.read_until("press Enter"), SHARE)
        shares = []
        for number in (1, 2):
            terminal.type("")
            shown = terminal.read_until("taken off the screen")
            shares += [match.group() for match in SHARE.finditer(shown)]
            self.assertEqual(len(shares), number)
            terminal.type("")
            self.assertIn("\x1b[2J", terminal.read_until("\x1b[H"))
            terminal.read_until("press Enter" if number == 1 else "Try it")
        self.assertEqual(terminal.close(), 0)

        self.lose_the_key_file(server)
        server.start()
        for share, word, code in zip(shares, ("1 of 2", "unsealed"), (WAITS, 0)):
            terminal = Terminal(self, server.binary, "unseal", "--data", server.data)
            shown = terminal.read_until("share: ")
            terminal.type(share)
            self.assertNotIn(share, shown + terminal.read_until(word))
            self.assertEqual(terminal.close(), code)


class Terminal:
    """A program that believes it talks to a person."""

    def __init__(self, case, *command):
        self.case, self.rest = case, ""
        self.process, self.end = pty.fork()
        if self.process == 0:
            os.execv(command[0], list(map(str, command)))

    def type(self, line):
        os.write(self.end, line.encode() + b"\n")

    def read_until(self, wanted):
        """All up to `wanted` and with it; what comes behind it is kept for the next time."""
        while wanted not in self.rest:
            ready, _, _ = select.select([self.end], [], [], harness.PATIENCE)
            self.case.assertTrue(ready, self.rest)
            try:
                piece = os.read(self.end, 4096)
            except OSError:  # Linux: the other end is closed
                piece = b""
            self.case.assertTrue(piece, self.rest)
            self.rest += piece.decode()
        at = self.rest.index(wanted) + len(wanted)
        seen, self.rest = self.rest[:at], self.rest[at:]
        return seen

    def close(self):
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        os.close(self.end)
        return code


if __name__ == "__main__":
    unittest.main()

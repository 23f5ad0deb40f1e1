"""tools/check_bans.py names each banned word, in the room where it is banned, and nothing else."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tree import TreeTest  # noqa: E402


class CheckBans(TreeTest):
    def problems(self) -> list[str]:
        """What the tool says, as `file:line: name of the ban`."""
        code, lines = self.run_tool("check_bans.py")
        clean = lines == ["no banned word"]
        self.assertEqual(code, 0 if clean else 1)
        return [] if clean else [":".join(line.split(":")[:3]) for line in lines]

    def expect(self, path: str, text: str, *bans: str) -> None:
        self.write(path, text)
        self.assertEqual(self.problems(), [f"{path}:{ban}" for ban in bans])
        (self.root / path).unlink()

    def test_time_is_read_in_core_alone(self):
        code = "auto a = std::chrono::system_clock::now();\nauto b = ::time(nullptr);\n"
        self.expect("src/vault/term.cpp", code, "1: wall clock", "2: wall clock")
        self.expect("src/core/clock.cpp", code)
        self.expect("src/vault/term_test.cpp", code)

    def test_a_member_named_time_is_no_clock(self):
        self.expect("src/audit/receipt.cpp", "Time time() const;\nauto t = receipt.time();\nauto w = lifetime(0);\n")

    def test_fhir_reads_no_clock_at_all(self):
        self.expect("src/fhir/types.cpp", "auto t = std::chrono::steady_clock::now();\n", "1: any clock")
        self.expect("src/net/loop.cpp", "auto t = std::chrono::steady_clock::now();\n")

    def test_random_bytes_come_from_crypto(self):
        code = "std::mt19937 g(1);\nint r = rand();\n"
        self.expect("src/identity/sign_in.cpp", code, "1: randomness", "2: randomness")
        self.expect("src/crypto/random.cpp", "::getrandom(p, n, 0);\n")

    def test_threads_start_in_net_and_start(self):
        self.expect("src/audit/log.cpp", "std::jthread t;\nstd::thread::id id;\n", "1: threads")
        self.expect("src/net/worker_pool.cpp", "std::jthread t;\n")
        self.expect("src/audit/log_test.cpp", "std::jthread t;\n")

    def test_mutexes_are_annotated(self):
        self.expect("src/vault/keys.cpp", "std::mutex m;\nstd::lock_guard l(m);\n", "1: bare mutex", "2: bare mutex")

    def test_sockets_are_net_s(self):
        self.expect("src/cli/connection.cpp", "int s = ::socket(1, 2, 3);\nauto b = std::bind(f);\n", "1: sockets")
        self.expect("src/net/sockets.cpp", "int s = ::socket(1, 2, 3);\n")

    def test_fsync_is_storage_s(self):
        self.expect("src/vault/keyring.cpp", "::fsync(fd);\nfdatasync(fd);\n", "1: fsync", "2: fsync")
        self.expect("src/storage/posix_files.cpp", "::fsync(fd);\n")

    def test_nothing_reads_the_environment(self):
        self.expect("src/start/config.cpp", 'auto a = std::getenv("HOME");\n', "1: environment")

    def test_printing_is_for_cli_and_start(self):
        code = 'std::cout << 1;\nstd::printf("x");\nfmt::print("x");\nstd::snprintf(b, 1, "x");\n'
        self.expect("src/records/store.cpp", code, "1: printing", "2: printing", "3: printing")
        self.expect("src/cli/audit.cpp", code)

    def test_secrets_are_revealed_where_keys_are_used(self):
        self.expect("src/api/sign_in.cpp", "use(password.reveal());\n", "1: revealed secret")
        self.expect("src/records/store.cpp", "key.reveal_mutable();\n", "1: revealed secret")
        self.expect("src/net/server.cpp", "key.reveal();\n", "1: revealed secret")
        self.expect("src/net/internal/tls_context.cpp", "key.reveal();\n")
        self.expect("src/crypto/aead.cpp", "key.reveal();\n")

    def test_the_rooms_that_know_do_no_input_or_output(self):
        self.expect("src/codec/json.cpp", "std::ifstream in(path);\n", "1: I/O")
        self.expect("src/merkle/tree.cpp", "::open(path, 0);\n", "1: I/O")

    def test_no_other_program_is_started(self):
        self.expect("src/start/init.cpp", 'std::system("openssl");\n', "1: other programs")

    def test_nothing_throws(self):
        self.expect("src/fhir/parse.cpp", "throw 1;\n", "1: throw")

    def test_catch_all_needs_a_comment(self):
        self.expect("src/net/pool.cpp", "} catch (...) {\n  stop();\n", "1: catch (...)")
        self.expect("src/net/pool.cpp", "} catch (...) {  // std::bad_alloc\n  stop();\n")
        self.expect("src/net/pool.cpp", "} catch (...) {\n  // asio throws system_error\n  stop();\n")

    def test_a_dropped_result_needs_a_comment(self):
        self.expect("src/net/pool.cpp", "(void)close(fd);\n", "1: (void)")
        self.expect("src/net/pool.cpp", "(void)close(fd);  // nothing can be done about it\n")

    def test_unfinished_work_has_a_number(self):
        self.expect("src/vault/a.cpp", "// TODO: later\n// TODO(#12): rows of both\n// FIXME\n", "1: TODO", "3: FIXME")

    def test_comments_and_texts_are_not_code(self):
        self.expect("src/vault/a.cpp", 'auto t = "std::cout << throw";\n// std::thread throw\n/* fsync(\n */\n'
                                       'auto r = R"(throw)";\nauto c = \'"\';\nauto n = 1\'000;\n')

    def test_code_behind_a_comment_or_text_is_code(self):
        self.expect("src/vault/a.cpp", '/* why */ throw 1;\nf("a", throw 2);\nauto c = \'"\'; throw 3;\n',
                    "1: throw", "2: throw", "3: throw")

    def test_files_are_short_and_named_after_a_thing(self):
        self.expect("src/vault/pages.cpp", "int i;\n" * 501, "501: 501 lines, at most 500")
        self.expect("src/vault/key_helpers.cpp", "int i;\n", "1: name the file after the thing it holds")

    def test_headers_guard_themselves_and_open_no_namespace(self):
        self.expect("src/vault/pages.hpp", "using namespace std;\n", "1: no #pragma once",
                    "1: using namespace in a header")


if __name__ == "__main__":
    unittest.main()

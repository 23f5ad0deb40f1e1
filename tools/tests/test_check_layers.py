"""tools/check_layers.py names each breach of a wall, and nothing else."""
import itertools
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers  # noqa: E402
from tree import TreeTest  # noqa: E402


class CheckLayers(TreeTest):
    def room(self, name: str, depends: str, files: dict[str, str]) -> None:
        self.write(f"src/{name}/CMakeLists.txt", f"tacenda_module({name}\n  DEPENDS {depends}\n  SOURCES thing.cpp)\n")
        for file, text in files.items():
            self.write(f"src/{name}/{file}", text)

    def problems(self) -> list[str]:
        code, lines = self.run_tool("check_layers.py")
        self.assertEqual(code, 1 if lines != ["the walls stand"] else 0)
        return lines

    def test_accepts_what_is_declared_and_open(self):
        self.room("vault", "core crypto storage", {
            "vault.cpp": '#include "vault/vault.hpp"\n\n#include <fcntl.h>\n\n#include <vector>\n\n#include <fmt/core.h>\n\n'
                         '#include "storage/engine.hpp"\n#include "vault/internal/page.hpp"\n'})
        self.assertEqual(self.problems(), ["the walls stand"])

    def test_names_an_include_that_depends_does_not_declare(self):
        self.room("vault", "core crypto", {"vault.cpp": '#include "core/id.hpp"\n#include "storage/engine.hpp"\n'})
        self.assertEqual(self.problems(), [
            "src/vault/vault.cpp:2: vault may not include storage/engine.hpp: storage is not in its DEPENDS"])

    def test_names_a_declaration_that_the_table_does_not_open(self):
        self.room("records", "core vault storage", {"store.cpp": '#include "storage/engine.hpp"\n'})
        self.assertIn("src/records/CMakeLists.txt:1: records may not depend on storage", self.problems())

    def test_names_a_room_that_is_not_in_the_table(self):
        self.room("helpers", "core", {})
        self.assertIn("helpers is not in the table", self.problems()[0])

    def test_names_a_folder_without_its_module_call(self):
        self.write("src/vault/CMakeLists.txt", "add_library(vault vault.cpp)\n")
        self.assertEqual(self.problems(), ["src/vault/CMakeLists.txt:1: no tacenda_module(vault ...) call"])

    def test_names_the_inside_of_another_room(self):
        self.room("vault", "core crypto storage", {"vault.cpp": '#include "storage/internal/file_calls.hpp"\n'})
        self.assertEqual(self.problems(), [
            "src/vault/vault.cpp:1: storage/internal/file_calls.hpp is internal to storage"])

    def test_opens_single_headers_of_a_room(self):
        self.room("operations", "core identity", {
            "read.cpp": '#include "identity/principal.hpp"\n', "write.cpp": '#include "identity/directory.hpp"\n'})
        problems = self.problems()
        self.assertEqual(len(problems), 1)
        self.assertIn("src/operations/write.cpp:1: operations may not include identity/directory.hpp", problems[0])

    def test_lets_composition_include_all(self):
        self.room("start", "core", {"server.cpp": '#include "storage/engine.hpp"\n'})
        self.write("src/main.cpp", '#include "vault/vault.hpp"\n')
        self.assertEqual(self.problems(), ["the walls stand"])

    def test_holds_the_wall_of_third_party_headers(self):
        self.room("vault", "core crypto storage", {"vault.cpp": "#include <openssl/evp.h>\n#include <rocksdb/db.h>\n"})
        self.room("crypto", "core", {"aead.cpp": "#include <openssl/evp.h>\n#include <openssl/ssl.h>\n"})
        self.room("net", "core", {"tls.cpp": "#include <openssl/ssl.h>\n#include <openssl/evp.h>\n"})
        self.room("storage", "core crypto", {"embedded/engine.cpp": "#include <rocksdb/db.h>\n",
                                             "open.cpp": "#include <rocksdb/db.h>\n"})
        self.assertEqual(self.problems(), [
            "src/crypto/aead.cpp:2: crypto may not include <openssl/ssl.h>: only net may",
            "src/net/tls.cpp:2: net may not include <openssl/evp.h>: only crypto may",
            "src/storage/open.cpp:1: storage may not include <rocksdb/db.h>: only storage/embedded storage/fault may",
            "src/vault/vault.cpp:1: vault may not include <openssl/evp.h>: only crypto may",
            "src/vault/vault.cpp:2: vault may not include <rocksdb/db.h>: only storage/embedded storage/fault may"])

    def test_knows_every_third_party_header_or_asks(self):
        self.room("codec", "core", {"yaml.cpp": "#include <yaml-cpp/yaml.h>\n"})
        self.assertIn("<yaml-cpp/yaml.h> is not in the table", self.problems()[0])

    def test_does_not_take_a_comment_for_an_include(self):
        self.room("codec", "core", {"json.cpp": '// #include "storage/engine.hpp"\n/*\n#include <rocksdb/db.h>\n*/\n'})
        self.assertEqual(self.problems(), ["the walls stand"])


class Table(unittest.TestCase):
    def test_has_no_cycle(self):
        reach = {room: {word.split("/")[0] for word in words.split()} for room, words in check_layers.OPEN.items()}
        for _ in reach:
            for room, seen in reach.items():
                seen.update(*(reach[other] for other in list(seen)))
        self.assertEqual([room for room, seen in reach.items() if room in seen], [])

    def test_names_only_rooms_it_knows(self):
        named = set(itertools.chain(*(words.split() for words in check_layers.OPEN.values())))
        self.assertEqual({word.split("/")[0] for word in named} - set(check_layers.OPEN), set())

    def test_opens_storage_to_the_vault_alone(self):
        self.assertEqual([room for room, words in check_layers.OPEN.items() if "storage" in words.split()], ["vault"])


if __name__ == "__main__":
    unittest.main()

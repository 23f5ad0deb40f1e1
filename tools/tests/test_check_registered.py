"""tools/check_registered.py names each test file that nobody runs, and each that is registered and not there."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tree import TreeTest  # noqa: E402

LISTS = """set(blackbox_tests
    access
    audit)
foreach(name IN LISTS blackbox_tests)
endforeach()
foreach(name browser.smart)  # and browser.gone
endforeach()
"""


class CheckRegistered(TreeTest):
    def setUp(self) -> None:
        super().setUp()
        for name in ("blackbox/test_access.py", "blackbox/test_audit.py", "browser/test_smart.py", "blackbox/harness.py"):
            self.write("tests/" + name, "")
        self.write("tests/CMakeLists.txt", LISTS + "add_executable(t interactions/write_test.cpp)\n")
        self.write("tests/interactions/write_test.cpp", "")
        self.write("src/vault/CMakeLists.txt", "tacenda_module(vault TESTS key_test.cpp internal/tree_test.cpp)\n")
        self.write("src/vault/key_test.cpp", "")
        self.write("src/vault/internal/tree_test.cpp", "")

    def problems(self) -> list[str]:
        code, lines = self.run_tool("check_registered.py")
        well = lines == ["every test is registered"]
        self.assertEqual(code, 0 if well else 1)
        return [] if well else lines

    def test_accepts_a_tree_whose_tests_all_run(self):
        self.assertEqual(self.problems(), [])

    def test_names_scripts_that_nobody_runs(self):
        self.write("tests/blackbox/test_erase.py", "")
        self.write("tests/browser/test_gone.py", "")  # a comment registers nothing
        self.assertEqual(self.problems(), [
            "tests/CMakeLists.txt: tests/blackbox/test_erase.py is not registered",
            "tests/CMakeLists.txt: tests/browser/test_gone.py is not registered"])

    def test_names_registrations_without_a_file(self):
        self.write("tests/CMakeLists.txt", LISTS.replace("audit)", "audit\n    audit\n    erase)") +
                   "add_executable(t interactions/write_test.cpp)\n")
        self.assertEqual(self.problems(), [
            "tests/CMakeLists.txt: there is no tests/blackbox/test_erase.py",
            "tests/CMakeLists.txt: audit is registered twice"])

    def test_names_programs_that_nobody_builds(self):
        self.write("src/vault/other_key_test.cpp", "")
        self.write("src/vault/tree_test.cpp", "")  # not that of internal/
        self.write("tests/interactions/read_test.cpp", "")
        self.assertEqual(self.problems(), [
            "src/vault/other_key_test.cpp: no CMakeLists.txt names it",
            "src/vault/tree_test.cpp: no CMakeLists.txt names it",
            "tests/interactions/read_test.cpp: no CMakeLists.txt names it"])


if __name__ == "__main__":
    unittest.main()

"""tools/check_regulations.py names each test, row and room that is not there."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tree import TreeTest  # noqa: E402

HEAD = "| row | clause | what | rooms | state | tests |\n| --- | --- | --- | --- | --- | --- |\n"


class CheckRegulations(TreeTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("src/vault/key_test.cpp", "TEST(KeyVault, RefusesAShreddedKey) {}\n  TEST_P(Engine, Keeps) {}\n")
        self.write("tests/compile/CMakeLists.txt", "tacenda_must_not_compile(permit_copied permit.cpp)\n")
        self.write("tests/blackbox/test_erase.py", "class A:\n    def test_G07_all_is_gone(self): pass\n")

    def problems(self, rows: str, threats: str = "") -> list[str]:
        self.write("docs/regulations.md", HEAD + rows)
        self.write("docs/threat-model.md", threats)
        code, lines = self.run_tool("check_regulations.py")
        well = lines == ["every test that the documents name exists"]
        self.assertEqual(code, 0 if well else 1)
        return [] if well else lines

    def test_accepts_tests_that_exist(self):
        self.assertEqual(self.problems(
            "| S-01 | a | b | vault | shown | `KeyVault.RefusesAShreddedKey`, `Engine.Keeps`, `refused.permit_copied` |\n"
            "| G-07 | a | b | vault | partly: c | `test_erase.test_G07_*`, `test_erase.test_G07_all_is_gone` |\n"
            "| S-03 | a | | monitor | not there | |\n"), [])

    def test_names_tests_that_do_not(self):
        self.assertEqual(self.problems(
            "| S-01 | a | b | vault | shown | `KeyVault.Refuses` |\n"
            "| G-07 | a | b | vault | shown | `test_erase.test_G08_*` |\n"), [
                "docs/regulations.md:3: there is no test KeyVault.Refuses",
                "docs/regulations.md:4: there is no test test_erase.test_G08_*"])

    def test_names_rows_that_tests_name_and_the_document_does_not(self):
        self.assertEqual(self.problems("| S-03 | a | | x | not there | |\n"),
                         ["docs/regulations.md: tests name row G-07, which is missing"])

    def test_looks_into_the_threat_model_too(self):
        self.assertEqual(
            self.problems("| G-07 | a | | x | not there | |\n", "| wants | what | `Nothing.AtAll` |\n"),
            ["docs/threat-model.md:1: there is no test Nothing.AtAll"])

    def test_names_rows_without_proof_twice_or_without_a_room(self):
        self.assertEqual(self.problems(
            "| S-01 | a | b | vault | shown | |\n| S-01 | a | b | nowhere | partly: c | |\n"
            "| G-07 | a | b | vault | done | |\n"), [
                "docs/regulations.md:3: S-01 is shown, and names no test",
                "docs/regulations.md:4: row S-01 stands twice",
                "docs/regulations.md:4: there is no room nowhere",
                'docs/regulations.md:5: state of G-07 is shown, "partly: ..." or not there'])


if __name__ == "__main__":
    unittest.main()

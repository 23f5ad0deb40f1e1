"""tools/must_not_compile.py passes only for a mistake that is refused for the expected reason."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).parent.parent / "must_not_compile.py"


class MustNotCompile(unittest.TestCase):
    def run_tool(self, code: str, pattern: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.cpp").write_text(code)
            (root / "commands.json").write_text(json.dumps([{
                "directory": folder, "file": "a.cpp",
                "command": "/usr/bin/cmake -E env /usr/bin/g++ -Werror -o CMakeFiles/refused.dir/a.cpp.o -c a.cpp"}]))
            done = subprocess.run(
                [sys.executable, TOOL, "--commands", root / "commands.json", "--target", "refused",
                 "--macro", "TACENDA_MISTAKE", "--pattern", pattern], capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def test_passes_when_the_mistake_is_refused_for_its_reason(self):
        code, said = self.run_tool("#ifdef TACENDA_MISTAKE\nint a = \"text\";\n#endif\n", "invalid conversion")
        self.assertEqual(code, 0, said)

    def test_fails_when_the_mistake_compiles(self):
        code, said = self.run_tool("#ifdef TACENDA_MISTAKE\nint a = 1;\n#endif\n", "invalid conversion")
        self.assertEqual(code, 1)
        self.assertIn("the mistake is not refused", said)

    def test_fails_when_it_is_refused_for_another_reason(self):
        code, said = self.run_tool("#ifdef TACENDA_MISTAKE\nint a = b;\n#endif\n", "invalid conversion")
        self.assertEqual(code, 1)
        self.assertIn("not for the reason", said)

    def test_fails_when_the_file_does_not_compile_without_the_mistake(self):
        code, said = self.run_tool("int a = b;\n", "was not declared")
        self.assertEqual(code, 1)
        self.assertIn("must compile, and does not", said)


if __name__ == "__main__":
    unittest.main()

# ./dev fmt
# Formats every C++ file with clang-format-19.

setup test
python3 tools/check_format.py . --fix

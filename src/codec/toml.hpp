#pragma once

// A heavy header: include it in a .cpp only.

#include <expected>
#include <string>
#include <string_view>

// toml++ as this program uses it: errors are values, and whatever a file says is an error of the file. Its
// own asserts end the process at a table name that starts with a sign (3.3, parse_key), where the code behind
// them gives the error as it should; the fuzzer found it.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

namespace tacenda::codec {

struct TomlProblem {
  std::size_t line = 0;  // from 1
  std::string text;      // about the file's syntax; may quote it
};

/// Reads a TOML file. Only lines that are comments may hold characters beyond ASCII.
std::expected<toml::table, TomlProblem> parse_toml(std::string_view text);

}  // namespace tacenda::codec

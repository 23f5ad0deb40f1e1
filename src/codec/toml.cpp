#include "codec/toml.hpp"

#include <algorithm>

namespace tacenda::codec {
namespace {

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

// toml++ 3.3 runs into undefined behaviour at some letters beyond ASCII outside of strings (U+048F among
// them; the fuzzer found it). It is never shown one.
std::expected<toml::table, TomlProblem> parse_toml(std::string_view text) {
  std::string plain(text);
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < plain.size(); ++number) {
    std::size_t const end = std::min(plain.find('\n', begin), plain.size());
    std::string_view const line = std::string_view(plain).substr(begin, end - begin);
    auto const first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] == '#') {
      for (std::size_t i = begin; i < end; ++i) {
        if (!is_ascii(plain[i])) plain[i] = '?';
      }
    } else if (!std::ranges::all_of(line, is_ascii)) {
      return std::unexpected(
          TomlProblem{number, "a character beyond ASCII: only lines that are comments may have one"});
    }
    begin = end + 1;
  }
  auto parsed = toml::parse(plain);
  if (!parsed) {
    return std::unexpected(
        TomlProblem{parsed.error().source().begin.line, std::string(parsed.error().description())});
  }
  return std::move(parsed).table();
}

}  // namespace tacenda::codec

#include "codec/toml.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

TEST(Toml, ReadsATableAndAnyLetterInALineOfComment) {
  auto const table = parse_toml("# Größe, \xD2\x8F\n  \t# ü\n[a]\nb = \"c # d\"\n");
  ASSERT_TRUE(table.has_value()) << table.error().text;
  EXPECT_EQ((*table)["a"]["b"].value<std::string>(), "c # d");
}

TEST(Toml, NamesTheLineOfWhatIsWrong) {
  struct Case {
    std::string_view text;
    std::size_t line;
  };
  for (auto const& [text, line] :
       {Case{"a = 1\nb\n", 2}, Case{"\n\n[!x]\n", 3}, Case{"a = 1\n[r\xD2\x8F]\n", 2},
        Case{"a = \"\xC3\xA9\"", 1}, Case{"a = 1 # \xC3\xA9", 1}, Case{"\xEF\xBB\xBF", 1}}) {
    auto const table = parse_toml(text);
    ASSERT_FALSE(table.has_value()) << text;
    EXPECT_EQ(table.error().line, line) << text;
    EXPECT_FALSE(table.error().text.empty());
  }
}

}  // namespace
}  // namespace tacenda::codec

#include "codec/json.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace tacenda::codec {
namespace {

std::filesystem::path suite() {
  return std::filesystem::path(TACENDA_SOURCE_DIR) / "tests/vectors/JSONTestSuite";
}

std::string read(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// JSONTestSuite (nst/JSONTestSuite, MIT): y_ must be accepted, n_ must be rejected, i_ may be either.
TEST(ParseJson, AcceptsAllOfJsonTestSuiteThatMustBeAcceptedAndRejectsAllThatMustNot) {
  int accepted = 0;
  int rejected = 0;
  // RFC 8259 section 4 leaves duplicate names to the reader; a record server must refuse what two readers
  // would read differently.
  std::set<std::string> const stricter{"y_object_duplicated_key.json",
                                       "y_object_duplicated_key_and_value.json"};
  for (auto const& entry : std::filesystem::directory_iterator(suite() / "test_parsing")) {
    auto const name = entry.path().filename().string();
    bool const ok = parse_json(read(entry.path())).has_value();
    if (name.starts_with("y_")) {
      EXPECT_EQ(ok, !stricter.contains(name)) << name;
      ++accepted;
    } else if (name.starts_with("n_")) {
      EXPECT_FALSE(ok) << name;
      ++rejected;
    }
  }
  EXPECT_EQ(accepted, 95);
  EXPECT_EQ(rejected, 188);
}

TEST(ParseJson, DecidesTheOpenCasesOfJsonTestSuite) {
  // Accepted: numbers of any size (their text is kept). Rejected: what is not UTF-8, half surrogates, a
  // byte-order mark, nesting beyond the limit.
  std::set<std::string> accepted;
  int count = 0;
  for (auto const& entry : std::filesystem::directory_iterator(suite() / "test_parsing")) {
    auto const name = entry.path().filename().string();
    if (!name.starts_with("i_")) continue;
    ++count;
    if (parse_json(read(entry.path())).has_value()) accepted.insert(name);
  }
  EXPECT_EQ(count, 35);
  for (auto const& name : accepted) EXPECT_TRUE(name.starts_with("i_number_")) << name;
  EXPECT_EQ(accepted.size(), 10U);
}

TEST(Json, KeepsNumberTextAndOrder) {
  std::string const text =
      R"({"z":405.70,"a":1.50,"n":-0,"big":12345678901234567890123,"e":1E+2,"list":[null,true,"x"]})";
  auto const json = parse_json(text);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->find("z")->number_text(), "405.70");
  EXPECT_EQ(json->find("big")->number_text(), "12345678901234567890123");
  EXPECT_EQ(write_json(*json), text);
}

TEST(Json, WritesWhatItReadsForEveryKindOfCharacter) {
  auto const json = parse_json(R"(["\u0000\u001f\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00 ä"])");
  ASSERT_TRUE(json.has_value());
  auto const again = parse_json(write_json(*json));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*json, *again);
  EXPECT_EQ(json->items().front().as_string().substr(0, 2), std::string_view("\0\x1f", 2));
}

TEST(ParseJson, RefusesTwoMembersOfOneNameHoweverTheyAreWritten) {
  EXPECT_FALSE(parse_json(R"({"a":1,"\u0061":2})").has_value());
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += "\"m" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(parse_json(many + "\"last\":0}").has_value());
  EXPECT_FALSE(parse_json(many + "\"m77\":0}").has_value());
}

TEST(ParseJson, RefusesWhatIsDeeperOrLargerThanItsLimits) {
  auto const nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(100)).has_value());
  EXPECT_EQ(parse_json(nested(101)).error().kind(), ErrorKind::kInvalid);
  EXPECT_FALSE(parse_json(nested(10'000)).has_value());
  EXPECT_EQ(parse_json("[1,2]", {.depth = 2, .size_bytes = 4}).error().kind(), ErrorKind::kTooLarge);
}

TEST(ParseJson, RefusesEveryCutOffText) {
  std::string const whole = R"({"a":[1.5e-3,"\u00e4\n",{"b":null}],"c":true})";
  ASSERT_TRUE(parse_json(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_json(whole.substr(0, size)).has_value()) << size;
}

TEST(Json, SetReplacesInPlaceAndRemoveTakesOut) {
  auto json = *parse_json(R"({"a":1,"b":2})");
  json.set("a", Json::string("x"));
  json.set("c", Json::boolean(false));
  EXPECT_EQ(write_json(json), R"({"a":"x","b":2,"c":false})");
  EXPECT_TRUE(json.remove("b"));
  EXPECT_FALSE(json.remove("b"));
  EXPECT_EQ(write_json(json), R"({"a":"x","c":false})");
}

TEST(Json, NumberTextTakesNumbersOnly) {
  EXPECT_TRUE(Json::number_text("1.50").has_value());
  for (auto const* text : {"", "01", "1.", ".5", "+1", "1 ", "NaN", "-", "1e", "0x1"}) {
    EXPECT_FALSE(Json::number_text(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tacenda::codec

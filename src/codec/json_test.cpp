#include "codec/json.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

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
  // Numbers of any size, since their text is kept. All others are refused: what is not UTF-8, half
  // surrogates, a byte-order mark, nesting beyond the limit.
  std::set<std::string> const accepted{
      "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
      "i_number_neg_int_huge_exp.json",    "i_number_pos_double_huge_exp.json",
      "i_number_real_neg_overflow.json",   "i_number_real_pos_overflow.json",
      "i_number_real_underflow.json",      "i_number_too_big_neg_int.json",
      "i_number_too_big_pos_int.json",     "i_number_very_big_negative_int.json"};
  int count = 0;
  for (auto const& entry : std::filesystem::directory_iterator(suite() / "test_parsing")) {
    auto const name = entry.path().filename().string();
    if (!name.starts_with("i_")) continue;
    ++count;
    EXPECT_EQ(parse_json(read(entry.path())).has_value(), accepted.contains(name)) << name;
  }
  EXPECT_EQ(count, 35);
}

TEST(ParseJson, ChangesNothingInWhatJsonTestSuiteShowsToBeChanged) {
  std::set<std::string> const refused{
      "object_same_key_different_values.json", "object_same_key_same_value.json",
      "object_same_key_unclear_values.json",   "string_1_escaped_invalid_codepoint.json",
      "string_1_invalid_codepoint.json",       "string_2_escaped_invalid_codepoints.json",
      "string_2_invalid_codepoints.json",      "string_3_escaped_invalid_codepoints.json",
      "string_3_invalid_codepoints.json"};
  int count = 0;
  for (auto const& entry : std::filesystem::directory_iterator(suite() / "test_transform")) {
    auto const name = entry.path().filename().string();
    std::string text = read(entry.path());
    auto const json = parse_json(text);
    ++count;
    EXPECT_EQ(json.has_value(), !refused.contains(name)) << name;
    while (text.ends_with('\n')) text.pop_back();
    if (json.has_value()) {
      EXPECT_EQ(write_json(*json), text) << name;
    }
  }
  EXPECT_EQ(count, 22);
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

TEST(ParseJson, RefusesMoreValuesThanItsLimit) {
  EXPECT_TRUE(parse_json("[1,{\"a\":2}]", {.values = 4}).has_value());
  EXPECT_EQ(parse_json("[1,{\"a\":2}]", {.values = 3}).error().kind(), ErrorKind::kTooLarge);
}

TEST(ParseJson, RefusesAStringThatIsTooLong) {
  std::string const most(limits::kJsonStringBytes - 1, 'x');
  EXPECT_TRUE(parse_json('"' + most + "x\"").has_value());
  EXPECT_EQ(parse_json('"' + most + "xx\"").error().kind(), ErrorKind::kTooLarge);
  EXPECT_TRUE(parse_json('"' + most + "\\n\"").has_value());
  EXPECT_EQ(parse_json('"' + most + "\\n\\n\"").error().kind(), ErrorKind::kTooLarge);
}

TEST(ParseJson, NeverGoesDeeperThanCopyingCan) {
  std::string const deep = std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']');
  auto const json = parse_json(deep, {.depth = 1'000'000});
  ASSERT_TRUE(json.has_value());
  Json copy;
  copy = *json;
  EXPECT_EQ(copy, *json);
  EXPECT_EQ(write_json(copy), deep);
  EXPECT_EQ(parse_json('[' + deep + ']', {.depth = 1'000'000}).error().kind(), ErrorKind::kInvalid);
}

TEST(ParseJson, FindsControlCharactersQuotesAndBackslashesAtEveryPlace) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, '\x7f');
      text[at] = '\x1f';
      EXPECT_FALSE(parse_json('"' + text + '"').has_value()) << size << " " << at;
      text[at] = '"';
      EXPECT_FALSE(parse_json('"' + text + '"').has_value()) << size << " " << at;
      EXPECT_EQ(parse_json(write_json(Json::string(text))).value().as_string(), text) << size << " " << at;
      text[at] = '\\';
      EXPECT_EQ(parse_json(write_json(Json::string(text))).value().as_string(), text) << size << " " << at;
    }
  }
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

TEST(Json, IsDestroyedAtAnyDepth) {
  Json list = Json::array();
  Json object = Json::object();
  for (int i = 0; i < 1'000'000; ++i) {
    Json outer = Json::array();
    outer.push(std::move(list));
    list = std::move(outer);
    Json outer_object = Json::object();
    outer_object.set("a", std::move(object));
    object = std::move(outer_object);
  }
  EXPECT_TRUE(list.is_array());
  EXPECT_TRUE(object.is_object());
}

TEST(Json, TakesTheValueOfItsOwnChild) {
  std::string const long_text(100, 'x');
  auto json = *parse_json(R"({"a":{"b":["kept",")" + long_text + R"("]}})");
  json = std::move(*json.find("a"));
  json = Json(*json.find("b"));
  EXPECT_EQ(write_json(json), R"(["kept",")" + long_text + R"("])");
  json = std::move(json.items()[1]);
  EXPECT_EQ(json.as_string(), long_text);
}

TEST(Json, KeepsTextsOfEveryLengthThroughCopyAndMove) {
  for (std::size_t size : {0U, 1U, 29U, 30U, 31U, 254U, 255U, 256U, 1000U}) {
    std::string const text(size, 'y');
    Json first = Json::string(text);
    Json const copy = first;
    Json const moved = std::move(first);
    EXPECT_EQ(copy.as_string(), text);
    EXPECT_EQ(moved, copy);
    EXPECT_FALSE(moved == Json::string(text + "z"));
  }
}

TEST(Json, NumberTextTakesNumbersOnly) {
  EXPECT_TRUE(Json::number_text("1.50").has_value());
  for (auto const* text : {"", "01", "1.", ".5", "+1", "1 ", "NaN", "-", "1e", "0x1"}) {
    EXPECT_FALSE(Json::number_text(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tacenda::codec

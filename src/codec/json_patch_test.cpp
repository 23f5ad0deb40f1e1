#include "codec/json_patch.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "codec/json_equal.hpp"

namespace tacenda::codec {
namespace {

Json json(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.has_value() ? *std::move(value) : Json();
}

/// The result as text, or the kind of the error.
std::string patched(std::string_view document, std::string_view patch, JsonPatchLimits const& limits = {}) {
  auto const result = apply_json_patch(json(document), json(patch), limits);
  if (result.has_value()) return write_json(*result);
  switch (result.error().kind()) {
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kUnprocessable:
      return "unprocessable";
    case ErrorKind::kTooLarge:
      return "too large";
    default:
      return "unexpected error";
  }
}

/// The texts of the records of a file of the suite. Not by parse_json: one record has two members "op", which
/// is what it tests and what parse_json refuses.
std::vector<std::string> records(std::string_view name) {
  std::ifstream file(std::filesystem::path(TACENDA_SOURCE_DIR) / "tests/vectors/json-patch-tests" / name);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> found;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      for (++i; text[i] != '"'; ++i) i += text[i] == '\\' ? 1U : 0U;
    } else if (text[i] == '{' || text[i] == '[') {
      if (++depth == 2) begin = i;
    } else if (text[i] == '}' || text[i] == ']') {
      if (--depth == 1) found.push_back(text.substr(begin, i + 1 - begin));
    }
  }
  return found;
}

struct Counts {
  int results = 0;
  int failures = 0;
  int repeated_members = 0;
};

void check_record(std::string const& text, Counts& counts) {
  auto const record = parse_json(text);
  if (!record.has_value()) {
    // "patch has two 'op' members": the reader of the patch refuses it before a patch exists.
    EXPECT_EQ(record.error().message(), "a JSON object has two members of one name") << text;
    ++counts.repeated_members;
    return;
  }
  Json const& document = *record->find("doc");
  Json const before = document;
  auto const result = apply_json_patch(document, *record->find("patch"));
  EXPECT_EQ(document, before) << text;
  if (record->find("error") != nullptr) {
    EXPECT_FALSE(result.has_value()) << text;
    ++counts.failures;
    return;
  }
  ASSERT_TRUE(result.has_value()) << text;
  Json const* const expected = record->find("expected");
  // A record without either says only that the patch applies ("Whole document", a lone test).
  EXPECT_TRUE(equal_by_value(*result, expected != nullptr ? *expected : document))
      << text << write_json(*result);
  ++counts.results;
}

// json-patch/json-patch-tests (Apache-2.0), those marked disabled included. The marks are for implementations
// that cannot patch a whole document of any kind, or whose reader lets two members of one name pass.
TEST(JsonPatch, AnswersAllOfJsonPatchTests) {
  Counts counts;
  for (std::string_view const name : {"tests.json", "spec_tests.json"}) {
    for (auto const& record : records(name)) check_record(record, counts);
  }
  EXPECT_EQ(counts.results, 76);
  EXPECT_EQ(counts.failures, 34);
  EXPECT_EQ(counts.repeated_members, 2);
}

// RFC 6901 section 5.
TEST(JsonPointer, FindsTheValuesOfTheExampleOfTheStandard) {
  Json const document = json(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6,)"
                             R"(" ":7,"m~n":8})");
  auto const at = [&document](std::string_view pointer) {
    Json const* const found = find_at(document, parse_json_pointer(pointer).value());
    return found != nullptr ? write_json(*found) : "none";
  };
  EXPECT_EQ(at(""), write_json(document));
  EXPECT_EQ(at("/foo"), R"(["bar","baz"])");
  EXPECT_EQ(at("/foo/0"), R"("bar")");
  EXPECT_EQ(at("/"), "0");
  EXPECT_EQ(at("/a~1b"), "1");
  EXPECT_EQ(at("/c%d"), "2");
  EXPECT_EQ(at("/e^f"), "3");
  EXPECT_EQ(at("/g|h"), "4");
  EXPECT_EQ(at("/i\\j"), "5");
  EXPECT_EQ(at("/k\"l"), "6");
  EXPECT_EQ(at("/ "), "7");
  EXPECT_EQ(at("/m~0n"), "8");
}

TEST(JsonPointer, FindsNothingWhereThereIsNothing) {
  Json const document = json(R"({"a":[1,2],"b":"text"})");
  for (std::string_view const pointer : {"/c", "/a/2", "/a/-", "/a/00", "/a/01", "/a/+1", "/a/1 ", "/a/1e0",
                                         "/a/", "/a/18446744073709551616", "/b/0", "/a/0/0"}) {
    EXPECT_EQ(find_at(document, parse_json_pointer(pointer).value()), nullptr) << pointer;
  }
}

TEST(JsonPointer, ResolvesEscapesOnceAndRefusesUnknownOnes) {
  EXPECT_EQ(parse_json_pointer("/~01").value(), JsonPointer{"~1"});  // RFC 6901 section 4: not "/"
  for (std::string_view const text : {"a", "a/b", "#/a", "/~", "/~2", "/a~", "/~~0"}) {
    EXPECT_FALSE(parse_json_pointer(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_json_pointer(std::string(kJsonDepthMax + 1, '/')).has_value());
}

TEST(JsonPatch, KeepsTheTextOfNumbersAndTheOrderOfMembers) {
  EXPECT_EQ(patched(R"({"z":1.50,"a":{"y":1e2},"b":0.0})", R"([{"op":"test","path":"/z","value":1.5},
                    {"op":"replace","path":"/a/y","value":2.00},{"op":"copy","from":"/z","path":"/c"}])"),
            R"({"z":1.50,"a":{"y":2.00},"b":0.0,"c":1.50})");
}

TEST(JsonPatch, FailsAsAWholeAndLeavesTheDocument) {
  Json const document = json(R"({"a":1})");
  auto const result = apply_json_patch(
      document, json(R"([{"op":"add","path":"/b","value":2},{"op":"test","path":"/a","value":3}])"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind(), ErrorKind::kUnprocessable);
  EXPECT_EQ(write_json(document), R"({"a":1})");
}

TEST(JsonPatch, TellsAMalformedPatchFromOneThatDoesNotFitTheDocument) {
  for (std::string_view const patch :
       {"{}", "[1]", "[{}]", R"([{"op":"add","path":"/a"}])", R"([{"op":"add","value":1}])",
        R"([{"op":"ADD","path":"/a","value":1}])", R"([{"op":1,"path":"/a","value":1}])",
        R"([{"op":"move","path":"/a"}])", R"([{"op":"copy","path":"/a","from":2}])",
        R"([{"op":"remove","path":"a"}])", R"([{"op":"move","from":"/a","path":"/a/b"}])",
        R"([{"op":"move","from":"","path":"/b"}])"}) {
    EXPECT_EQ(patched(R"({"a":{}})", patch), "invalid") << patch;
  }
  for (std::string_view const patch :
       {R"([{"op":"remove","path":"/b"}])", R"([{"op":"replace","path":"/b","value":1}])",
        R"([{"op":"add","path":"/b/c","value":1}])", R"([{"op":"move","from":"/b","path":"/b"}])",
        R"([{"op":"remove","path":""}])", R"([{"op":"test","path":"/b","value":null}])",
        R"([{"op":"remove","path":"/l/-"}])", R"([{"op":"replace","path":"/l/1","value":1}])",
        R"([{"op":"add","path":"/l/2","value":1}])", R"([{"op":"add","path":"/l/0/x","value":1}])"}) {
    EXPECT_EQ(patched(R"({"a":{},"l":[0]})", patch), "unprocessable") << patch;
  }
}

TEST(JsonPatch, MovesWithinOneArrayByThePositionAfterTheRemoval) {
  EXPECT_EQ(patched("[1,2,3]", R"([{"op":"move","from":"/0","path":"/2"}])"), "[2,3,1]");
  EXPECT_EQ(patched("[1,2,3]", R"([{"op":"move","from":"/0","path":"/-"}])"), "[2,3,1]");
  EXPECT_EQ(patched("[1,2,3]", R"([{"op":"move","from":"/0","path":"/3"}])"), "unprocessable");
  EXPECT_EQ(patched("[1,2,3]", R"([{"op":"move","from":"/1","path":"/1"}])"), "[1,2,3]");
  EXPECT_EQ(patched(R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/a"}])"), R"({"a":1})");
}

TEST(JsonPatch, CopiesAValueIntoItself) {
  EXPECT_EQ(patched(R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])"),
            R"({"a":{"b":1,"c":{"b":1}}})");
  EXPECT_EQ(patched(R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])"), R"({"a":1,"b":{"a":1}})");
  EXPECT_EQ(patched("[1]", R"([{"op":"copy","from":"/0","path":""}])"), "1");
}

std::string repeated(std::string_view operation, int times) {
  std::string patch = "[";
  for (int i = 0; i < times; ++i) patch.append(i == 0 ? "" : ",").append(operation);
  return patch + "]";
}

TEST(JsonPatch, BoundsTheNumberOfOperations) {
  std::string_view const operation = R"({"op":"add","path":"/a","value":1})";
  EXPECT_EQ(patched("{}", repeated(operation, 1'000)), R"({"a":1})");
  EXPECT_EQ(patched("{}", repeated(operation, 1'001)), "too large");
}

TEST(JsonPatch, BoundsTheSizeOfADocumentThatCopiesDouble) {
  std::string_view const doubles = R"({"op":"copy","from":"","path":"/-"})";
  EXPECT_EQ(patched(R"(["text"])", repeated(doubles, 90)), "too large");
  std::string_view const wide = R"({"op":"copy","from":"/0","path":"/0/-"})";
  EXPECT_EQ(patched(R"([["text"]])", repeated(wide, 90)), "too large");
}

TEST(JsonPatch, BoundsSizeValuesDepthAndWork) {
  auto const patch = R"([{"op":"add","path":"/a","value":["0123456789"]}])";
  EXPECT_EQ(patched("{}", patch), R"({"a":["0123456789"]})");
  EXPECT_EQ(patched("{}", patch, {.size_bytes = 12}), "too large");
  EXPECT_EQ(patched("{}", patch, {.values = 2}), "too large");
  EXPECT_EQ(patched("{}", patch, {.values = 3}), R"({"a":["0123456789"]})");
  EXPECT_EQ(patched("{}", patch, {.depth = 1}), "too large");
  EXPECT_EQ(patched("{}", patch, {.depth = 2}), R"({"a":["0123456789"]})");
  EXPECT_EQ(patched("{}", patch, {.work = 1}), "too large");
}

TEST(JsonPatch, BoundsTheWorkOfASmallPatchOnALargeArray) {
  std::string document = "[0";
  for (int i = 0; i < 200'000; ++i) document += ",0";
  document += "]";
  EXPECT_EQ(patched(document, repeated(R"({"op":"add","path":"/0","value":1})", 1'000)), "too large");
}

TEST(JsonPatch, CountsWhatARemovalGivesBack) {
  std::string const both = R"({"op":"add","path":"/a","value":"0123456789"},{"op":"remove","path":"/a"})";
  EXPECT_EQ(patched("{}", repeated(both, 100), {.size_bytes = 40}), "{}");
  std::string const move = R"({"op":"move","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/a"})";
  EXPECT_EQ(patched(R"({"a":"0123456789"})", repeated(move, 100), {.size_bytes = 40}),
            R"({"a":"0123456789"})");
}

}  // namespace
}  // namespace tacenda::codec

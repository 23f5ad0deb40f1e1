#include "codec/json_equal.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

bool equal(std::string_view a, std::string_view b) {
  auto const left = parse_json(a);
  auto const right = parse_json(b);
  EXPECT_TRUE(left.has_value() && right.has_value()) << a << " " << b;
  if (!left.has_value() || !right.has_value()) return false;
  EXPECT_EQ(equal_by_value(*left, *right), equal_by_value(*right, *left)) << a << " " << b;
  return equal_by_value(*left, *right);
}

// RFC 6902 section 4.6: "numbers: are considered equal if their values are numerically equal".
TEST(EqualByValue, ComparesNumbersByValue) {
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("100", "1e2"));
  EXPECT_TRUE(equal("1E+2", "1000e-1"));
  EXPECT_TRUE(equal("0.00120", "1.2e-3"));
  EXPECT_TRUE(equal("0", "-0.0e7"));
  EXPECT_TRUE(equal("0e99999999999999999999", "0"));
  EXPECT_TRUE(equal("1e0000000000000000000000002", "100"));
  EXPECT_TRUE(equal("0.1", "0.10"));
  EXPECT_FALSE(equal("1", "-1"));
  EXPECT_FALSE(equal("1", "10"));
  EXPECT_FALSE(equal("9007199254740993", "9007199254740992"));  // one double for both
  EXPECT_FALSE(equal("1e400", "1e401"));
  EXPECT_FALSE(equal("1", "\"1\""));
}

TEST(EqualByValue, ComparesNumbersByTextWhenTheirExponentsAreEndless) {
  EXPECT_TRUE(equal("1e9999999999999999999", "1e9999999999999999999"));
  EXPECT_FALSE(equal("1e9999999999999999999", "10e9999999999999999998"));
  EXPECT_FALSE(equal("1e-9999999999999999999", "0"));
}

TEST(EqualByValue, ComparesObjectsWhateverTheOrderOfTheirMembers) {
  EXPECT_TRUE(equal(R"({"a":1,"b":[2,{"c":3.0}]})", R"({"b":[2.0,{"c":3}],"a":1})"));
  EXPECT_FALSE(equal(R"({"a":1,"b":2})", R"({"a":2,"b":1})"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"b":1})"));
}

TEST(EqualByValue, ComparesAllElseByContent) {
  EXPECT_TRUE(equal(R"(["\u00e9",null,true])", "[\"\xC3\xA9\",null,true]"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal("[1,2]", "[1,2,3]"));
  EXPECT_FALSE(equal("true", "false"));
  EXPECT_FALSE(equal("null", "false"));
  EXPECT_FALSE(equal("[]", "{}"));
  EXPECT_FALSE(equal(R"("a")", R"("A")"));
}

}  // namespace
}  // namespace tacenda::codec

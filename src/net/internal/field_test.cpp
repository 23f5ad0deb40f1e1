#include "net/internal/field.hpp"

#include <gtest/gtest.h>

namespace tacenda::net {
namespace {

using namespace std::string_view_literals;

TEST(Field, TellsTokensFromOtherText) {
  for (auto const text : {"GET"sv, "x-a_b.c~1"sv, "!#$%&'*+-.^_`|~"sv}) EXPECT_TRUE(is_token(text)) << text;
  for (auto const text :
       {""sv, "a b"sv, "a:"sv, "(a)"sv, "a\0"sv, "\x7f"sv, "\xc3\xa9"sv, "a\t"sv, "\"a\""sv}) {
    EXPECT_FALSE(is_token(text)) << text;
  }
}

TEST(Field, TakesValuesWithoutControlBytesAndOuterBlanks) {
  for (auto const text : {""sv, "a"sv, "a b\tc"sv, "\xc3\xa9"sv}) EXPECT_TRUE(is_field_value(text)) << text;
  for (auto const text : {" a"sv, "a "sv, "\ta"sv, "a\r"sv, "a\nb"sv, "a\0b"sv, "a\x7f"sv, "\x1f"sv}) {
    EXPECT_FALSE(is_field_value(text)) << text;
  }
}

TEST(Field, TakesHostsWithAndWithoutPorts) {
  for (auto const text :
       {"a"sv, "a.example:443"sv, "127.0.0.1:1"sv, "[::1]"sv, "[2001:db8::1]:65535"sv, "a_b"sv}) {
    EXPECT_TRUE(is_authority(text)) << text;
  }
  for (auto const text : {""sv, ":443"sv, "a:"sv, "a:0"sv, "a:65536"sv, "a:1x"sv, "a:+1"sv, "a b"sv, "u@a"sv,
                          "a/b"sv, "[::1"sv, "[]"sv, "[::1]x"sv, "[::g]"sv, "a,b"sv, "a\0"sv, "a%20b"sv}) {
    EXPECT_FALSE(is_authority(text)) << text;
  }
  EXPECT_FALSE(is_authority(std::string(256, 'a')));
}

TEST(Field, ReadsContentLengthsOfDigitsOnly) {
  EXPECT_EQ(parse_content_length("0"), 0U);
  EXPECT_EQ(parse_content_length("003"), 3U);
  EXPECT_EQ(parse_content_length("9223372036854775807"), 9'223'372'036'854'775'807U);
  for (auto const text : {""sv, "9223372036854775808"sv, "18446744073709551621"sv, "+1"sv, "-1"sv, "1,1"sv,
                          " 1"sv, "0x1"sv, "1e1"sv}) {
    EXPECT_EQ(parse_content_length(text), std::nullopt) << text;
  }
}

TEST(Field, FindsMembersOfListsInAnyCase) {
  EXPECT_TRUE(list_contains("keep-alive, Close", "close"));
  EXPECT_TRUE(list_contains(" close\t,x", "close"));
  EXPECT_FALSE(list_contains("closed, not-close", "close"));
  EXPECT_FALSE(list_contains("", "close"));
}

}  // namespace
}  // namespace tacenda::net

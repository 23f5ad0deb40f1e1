#include "codec/field_text.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

TEST(FieldText, IsTrimmedOfBlanksAtItsEndsAlone) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("\t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\r\na"), "\r\na");
}

TEST(FieldText, KnowsNoCaseOfAsciiLettersAlone) {
  EXPECT_TRUE(equal_ignoring_case("Application/FHIR+json", "application/fhir+JSON"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

TEST(FieldText, FindsTheTypeBeforeItsParameters) {
  EXPECT_EQ(media_type_of("text/plain ; charset=utf-8"), "text/plain");
  EXPECT_EQ(media_type_of("text/plain"), "text/plain");
  EXPECT_EQ(media_type_of(";q=1"), "");
}

}  // namespace
}  // namespace tacenda::codec

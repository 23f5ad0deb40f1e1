#include "fhir/internal/primitive.hpp"

#include <gtest/gtest.h>

namespace tacenda::fhir {
namespace {

using codec::Json;

bool is(TypeCode type, std::string_view text) {
  return !fault_of(type, Json::string(text)).has_value();
}

bool is_numeral(TypeCode type, std::string_view text) {
  return !fault_of(type, Json::number_text(text).value()).has_value();
}

// The grammars are those of R4 datatypes.html#primitive.
TEST(Primitive, DateIsAYearAMonthOrADayOfTheCalendar) {
  for (auto const* text : {"0001", "2018", "1973-06", "1905-08-23", "2000-02-29", "9999-12-31"}) {
    EXPECT_TRUE(is(TypeCode::kDate, text)) << text;
  }
  for (auto const* text : {"0000", "18", "2018-1", "2018-00", "2018-13", "2018-01-00", "2018-01-32",
                           "1900-02-29", "2018-04-31", "2018-", "2018-01-", " 2018", "2018 ", "-2018",
                           "2018-01-01T00:00:00Z", "2018/01/01", "20180101", "２０１８"}) {
    EXPECT_FALSE(is(TypeCode::kDate, text)) << text;
  }
}

TEST(Primitive, DateTimeWithATimeHasSecondsAndAnOffset) {
  for (auto const* text :
       {"2018", "1973-06", "1905-08-23", "2015-02-07T13:28:17-05:00", "2017-01-01T00:00:00.000Z",
        "2016-12-31T23:59:60Z", "2015-02-07T13:28:17.239142+14:00"}) {
    EXPECT_TRUE(is(TypeCode::kDateTime, text)) << text;
  }
  for (auto const* text :
       {"2015-02-07T13:28Z", "2015-02-07T13:28:17", "2015-02-07T24:00:00Z", "2015-02-07T13:60:00Z",
        "2015-02-07T13:28:61Z", "2015-02-07T13:28:17.Z", "2015-02-07T13:28:17+14:01",
        "2015-02-07T13:28:17+0500", "2015-02T13:28:17Z", "2015-02-07 13:28:17Z", "2015-02-07T13:28:17z",
        "2015-02-30T13:28:17Z", "2015-02-07T"}) {
    EXPECT_FALSE(is(TypeCode::kDateTime, text)) << text;
  }
}

TEST(Primitive, InstantHasATime) {
  EXPECT_TRUE(is(TypeCode::kInstant, "2015-02-07T13:28:17.239+02:00"));
  EXPECT_TRUE(is(TypeCode::kInstant, "2017-01-01T00:00:00Z"));
  EXPECT_FALSE(is(TypeCode::kInstant, "2017-01-01"));
  EXPECT_FALSE(is(TypeCode::kInstant, "2017-01-01T00:00:00"));
}

TEST(Primitive, TimeHasSecondsAndNoOffset) {
  EXPECT_TRUE(is(TypeCode::kTime, "00:00:00"));
  EXPECT_TRUE(is(TypeCode::kTime, "23:59:60.5"));
  for (auto const* text : {"24:00:00", "12:00", "12:00:00Z", "1:00:00", "12:00:00."}) {
    EXPECT_FALSE(is(TypeCode::kTime, text)) << text;
  }
}

TEST(Primitive, IntegersHave32BitsAndTheirSign) {
  EXPECT_TRUE(is_numeral(TypeCode::kInteger, "-2147483648"));
  EXPECT_TRUE(is_numeral(TypeCode::kInteger, "2147483647"));
  EXPECT_FALSE(is_numeral(TypeCode::kInteger, "2147483648"));
  EXPECT_FALSE(is_numeral(TypeCode::kInteger, "-2147483649"));
  EXPECT_TRUE(is_numeral(TypeCode::kUnsignedInt, "0"));
  EXPECT_FALSE(is_numeral(TypeCode::kUnsignedInt, "-1"));
  EXPECT_TRUE(is_numeral(TypeCode::kPositiveInt, "1"));
  EXPECT_FALSE(is_numeral(TypeCode::kPositiveInt, "0"));
  for (auto const* text : {"1.0", "1e2", "-0", "99999999999999999999"}) {
    EXPECT_FALSE(is_numeral(TypeCode::kInteger, text)) << text;
  }
  EXPECT_FALSE(is(TypeCode::kInteger, "1"));
}

TEST(Primitive, DecimalIsAnyNumberAndNoText) {
  for (auto const* text : {"0", "-0.0", "1.50", "1e-20", "123456789012345678.90"}) {
    EXPECT_TRUE(is_numeral(TypeCode::kDecimal, text)) << text;
  }
  EXPECT_FALSE(is(TypeCode::kDecimal, "1.50"));
}

TEST(Primitive, BooleanIsNoText) {
  EXPECT_FALSE(fault_of(TypeCode::kBoolean, Json::boolean(false)).has_value());
  EXPECT_FALSE(is(TypeCode::kBoolean, "true"));
  EXPECT_FALSE(is_numeral(TypeCode::kBoolean, "1"));
}

TEST(Primitive, CodeHasNoOuterAndNoDoubleBlanks) {
  EXPECT_TRUE(is(TypeCode::kCode, "final"));
  EXPECT_TRUE(is(TypeCode::kCode, "two words"));
  for (auto const* text : {" final", "final ", "two  words", " ", "two \nwords"}) {
    EXPECT_FALSE(is(TypeCode::kCode, text)) << text;
  }
}

TEST(Primitive, IdOidAndUuidFollowTheirGrammars) {
  EXPECT_TRUE(is(TypeCode::kId, std::string(64, 'a')));
  EXPECT_FALSE(is(TypeCode::kId, std::string(65, 'a')));
  EXPECT_FALSE(is(TypeCode::kId, "a_b"));
  EXPECT_FALSE(is(TypeCode::kId, "a/b"));
  EXPECT_TRUE(is(TypeCode::kOid, "urn:oid:1.2.3.4.5"));
  EXPECT_TRUE(is(TypeCode::kOid, "urn:oid:2.16.840.1.113883"));
  for (auto const* text : {"urn:oid:", "urn:oid:1", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1.",
                           "urn:oid:1..2", "1.2.3", "urn:oid:1.2a"}) {
    EXPECT_FALSE(is(TypeCode::kOid, text)) << text;
  }
  EXPECT_TRUE(is(TypeCode::kUuid, "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"));
  for (auto const* text :
       {"c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873dec9a4326a141556f43239520",
        "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "urn:uuid:c757873d-ec9a-4326-a141-55"}) {
    EXPECT_FALSE(is(TypeCode::kUuid, text)) << text;
  }
}

TEST(Primitive, UriHasNoBlanks) {
  for (auto const type : {TypeCode::kUri, TypeCode::kUrl, TypeCode::kCanonical}) {
    EXPECT_TRUE(is(type, "http://example.org/a?b=c#d|1"));
    EXPECT_FALSE(is(type, "http://example.org/a b"));
    EXPECT_FALSE(is(type, " http://example.org"));
    EXPECT_FALSE(is(type, ""));
  }
}

TEST(Primitive, Base64HasWholeGroups) {
  for (auto const* text : {"AAAA", "AA==", "AAA=", "QUJD\nREVG", " AAAA "}) {
    EXPECT_TRUE(is(TypeCode::kBase64Binary, text)) << text;
  }
  for (auto const* text : {"AAA", "A===", "AA=A", "AA-_", "", "  ", "AA==AAAA"}) {
    EXPECT_FALSE(is(TypeCode::kBase64Binary, text)) << text;
  }
}

TEST(Primitive, TextsAreNotEmptyWithoutControlCharactersAndBounded) {
  for (auto const type : {TypeCode::kString, TypeCode::kMarkdown}) {
    EXPECT_TRUE(is(type, "a\tb\r\nc"));
    EXPECT_FALSE(is(type, ""));
    EXPECT_FALSE(is(type, std::string_view("a\0b", 3)));
    EXPECT_FALSE(is(type, "a\x1b[31m"));
  }
  std::string text;
  for (int i = 0; i < 1024 * 1024; ++i) text += "é";  // two bytes each
  EXPECT_TRUE(is(TypeCode::kString, text));
  EXPECT_EQ(fault_of(TypeCode::kString, Json::string(text + "x"))->kind, IssueKind::kTooLong);
  EXPECT_TRUE(is(TypeCode::kBase64Binary, std::string(2 * 1024 * 1024, 'A')));
}

TEST(Primitive, NarrativeIsNotEmpty) {
  EXPECT_TRUE(is(TypeCode::kXhtml, "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"));
  EXPECT_FALSE(is(TypeCode::kXhtml, ""));
  EXPECT_FALSE(is(TypeCode::kXhtml, " \n"));
}

}  // namespace
}  // namespace tacenda::fhir

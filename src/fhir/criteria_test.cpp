#include "fhir/criteria.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"

namespace tacenda::fhir {
namespace {

/// "name=system|code,..." with "*" for any system.
std::string shown(std::string_view query) {
  std::string text;
  auto const criteria = parse_criteria(query).value();
  for (auto const& criterion : criteria) {
    text += (text.empty() ? "" : " ") + criterion.name + "=";
    bool first = true;
    for (auto const& token : criterion.tokens) {
      text += (first ? "" : ",") + token.system.value_or("*") + "|" + token.code;
      first = false;
    }
  }
  return text;
}

TEST(Criteria, HaveTheFourFormsOfATokenParameter) {
  EXPECT_EQ(shown("identifier=http://a|1"), "identifier=http://a|1");
  EXPECT_EQ(shown("identifier=1"), "identifier=*|1");
  EXPECT_EQ(shown("identifier=|1"), "identifier=|1");
  EXPECT_EQ(shown("identifier=http://a|"), "identifier=http://a|");
}

TEST(Criteria, HaveSeveralParametersAndAlternatives) {
  EXPECT_EQ(shown("identifier=http://a|1,2&_id=3"), "identifier=http://a|1,*|2 _id=*|3");
  EXPECT_EQ(shown("?_id=3"), "_id=*|3");
}

TEST(Criteria, ResolvePercentEscapesBeforeThoseOfSearch) {
  EXPECT_EQ(shown("identifier=http%3A%2F%2Fa%7C1%2C2"), "identifier=http://a|1,*|2");
  EXPECT_EQ(shown(R"(identifier=http://a|1\,2\|3\$4\\5)"), R"(identifier=http://a|1,2|3$4\5)");
  EXPECT_EQ(shown(R"(identifier=a\|b)"), "identifier=*|a|b");
  EXPECT_EQ(shown("identifier=a%5C%2Cb"), "identifier=*|a,b");
}

TEST(Criteria, KeepTheValueAsItCame) {
  auto const criteria = parse_criteria(R"(name:exact=a\,b%2Cc)").value();
  ASSERT_EQ(criteria.size(), 1U);
  EXPECT_EQ(criteria[0].name, "name:exact");
  EXPECT_EQ(criteria[0].value, R"(a\,b,c)");
}

TEST(Criteria, ThatSayNothingAreRefused) {
  for (auto const* query : {"", "?", "&", "identifier", "identifier=", "identifier=|", "identifier=a,",
                            "identifier=,a", "=a", "identifier=a&_id="}) {
    auto const criteria = parse_criteria(query);
    ASSERT_FALSE(criteria.has_value()) << query;
    EXPECT_EQ(criteria.error().kind(), ErrorKind::kInvalid) << query;
  }
}

TEST(Criteria, WithABrokenEscapeAreRefused) {
  for (auto const* query : {R"(identifier=a\)", R"(identifier=a\b)", "identifier=a%", "identifier=a%2",
                            "identifier=%zz", "identifier=%00", "identifier=%ff"}) {
    EXPECT_FALSE(parse_criteria(query).has_value()) << query;
  }
}

TEST(Criteria, AreBounded) {
  std::string const query = "identifier=" + std::string(limits::kUriBytes, 'a');
  EXPECT_EQ(parse_criteria(query).error().kind(), ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::fhir

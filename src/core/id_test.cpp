#include "core/id.hpp"

#include <concepts>

#include <gtest/gtest.h>

namespace tacenda {
namespace {

TEST(Id, AcceptsWhatTheFhirIdGrammarAllows) {
  EXPECT_TRUE(PatientId::parse("a").has_value());
  EXPECT_TRUE(PatientId::parse("A-1.b").has_value());
  EXPECT_TRUE(PatientId::parse(std::string(64, 'x')).has_value());
}

TEST(Id, RefusesEverythingElse) {
  using std::string_view_literals::operator""sv;
  for (auto const text : {""sv, "a/b"sv, "a b"sv, "a_b"sv, "\xC3\xA4"sv, "a\0b"sv, "../x"sv, "a%2F"sv}) {
    EXPECT_EQ(PatientId::parse(text).error().kind(), ErrorKind::kInvalid);
  }
  EXPECT_FALSE(PatientId::parse(std::string(65, 'x')).has_value());
}

static_assert(!std::convertible_to<std::string, PatientId>);
static_assert(!std::convertible_to<PatientId, UserId> && !std::constructible_from<UserId, PatientId>);

}  // namespace
}  // namespace tacenda

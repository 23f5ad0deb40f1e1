#include "fhir/validate_codes.hpp"

#include <gtest/gtest.h>

namespace tacenda::fhir {
namespace {

Membership member(std::string_view url, std::string_view code,
                  std::optional<std::string_view> system = std::nullopt) {
  auto const number = find_base_value_set(url);
  return number.has_value() ? base_membership(*number, {system, code}) : Membership::kUnknown;
}

TEST(BaseValueSets, KnowTheCodesOfRequiredBindings) {
  constexpr auto kGender = "http://hl7.org/fhir/ValueSet/administrative-gender";
  EXPECT_EQ(member(kGender, "male"), Membership::kIn);
  EXPECT_EQ(member(kGender, "Male"), Membership::kOut);
  EXPECT_EQ(member(kGender, ""), Membership::kOut);
  EXPECT_EQ(member("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", "unknown"), Membership::kIn);
  EXPECT_EQ(member("http://hl7.org/fhir/ValueSet/currencies", "CHF"), Membership::kIn);
}

TEST(BaseValueSets, HoldACodeToItsSystem) {
  constexpr auto kStatus = "http://hl7.org/fhir/ValueSet/condition-clinical";
  EXPECT_EQ(member(kStatus, "active", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
            Membership::kIn);
  EXPECT_EQ(member(kStatus, "active", "http://example.org"), Membership::kOut);
  EXPECT_EQ(member(kStatus, "active", ""), Membership::kOut);
}

TEST(BaseValueSets, JudgeLanguagesAndMediaTypesByTheirGrammar) {
  constexpr auto kLanguages = "http://hl7.org/fhir/ValueSet/all-languages";
  for (auto const* tag : {"en", "de-CH", "zh-Hant-TW", "es-419", "x-private"}) {
    EXPECT_EQ(member(kLanguages, tag), Membership::kIn) << tag;
  }
  for (auto const* tag : {"", "-", "en-", "en_US", "12", "abcdefghi"}) {
    EXPECT_EQ(member(kLanguages, tag), Membership::kOut) << tag;
  }
  constexpr auto kMedia = "http://hl7.org/fhir/ValueSet/mimetypes";
  for (auto const* type : {"text/plain", "application/fhir+json", "text/plain; charset=utf-8"}) {
    EXPECT_EQ(member(kMedia, type), Membership::kIn) << type;
  }
  for (auto const* type : {"", "pdf", "/pdf", "text/", "text/pl ain", "a/b/c"}) {
    EXPECT_EQ(member(kMedia, type), Membership::kOut) << type;
  }
}

TEST(BaseValueSets, SayWhenTheyDoNotKnow) {
  EXPECT_EQ(find_base_value_set("http://example.org/ValueSet/mine"), std::nullopt);
  EXPECT_EQ(find_base_value_set(""), std::nullopt);
  EXPECT_EQ(member("http://hl7.org/fhir/ValueSet/ucum-units", "mg"), Membership::kUnknown);
}

}  // namespace
}  // namespace tacenda::fhir

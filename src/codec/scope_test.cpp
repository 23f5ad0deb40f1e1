#include "codec/scope.hpp"

#include <array>

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

struct Row {
  std::string_view text;
  std::string_view normal;  // "-": refused
};

// F-06: what SMART App Launch 2.2 defines, and what looks like it and is not.
constexpr auto kRows = std::to_array<Row>({
    {"", ""},
    {"openid", "openid"},
    {"openid fhirUser", "fhirUser openid"},
    {"launch launch/patient", "launch launch/patient"},
    {"offline_access", "offline_access"},
    {"patient/Patient.r", "patient/Patient.r"},
    {"patient/Patient.rs", "patient/Patient.rs"},
    {"patient/Patient.cruds", "patient/Patient.cruds"},
    {"patient/Patient.cud", "patient/Patient.cud"},
    {"patient/Patient.s", "patient/Patient.s"},
    {"user/Observation.c", "user/Observation.c"},
    {"user/Observation.u", "user/Observation.u"},
    {"user/Observation.d", "user/Observation.d"},
    {"system/*.rs", "system/*.rs"},
    {"system/*.cruds", "system/*.cruds"},
    {"patient/*.read", "patient/*.rs"},
    {"patient/*.write", "patient/*.cud"},
    {"patient/*.*", "patient/*.cruds"},
    {"user/Patient.read", "user/Patient.rs"},
    {"user/Patient.write", "user/Patient.cud"},
    {"system/Patient.*", "system/Patient.cruds"},
    {"patient/Patient.read patient/Patient.write", "patient/Patient.cruds"},
    {"user/Patient.r user/Patient.s user/Patient.r", "user/Patient.rs"},
    {"user/Patient.r patient/Patient.s", "patient/Patient.s user/Patient.r"},
    {"patient/Observation.rs?category=http://x|laboratory",
     "patient/Observation.rs?category=http://x|laboratory"},
    {"patient/Observation.rs?category=a&code=b", "patient/Observation.rs?category=a&code=b"},
    {"user/Patient.r user/Patient.s?name=x", "user/Patient.r user/Patient.s?name=x"},
    {"patient/Patient.dus", "-"},
    {"patient/Patient.sr", "-"},
    {"patient/Patient.rr", "-"},
    {"patient/Patient.rd ", "-"},
    {"patient/Patient.ru", "patient/Patient.ru"},
    {"patient/Patient.Read", "-"},
    {"patient/Patient.reads", "-"},
    {"patient/Patient.", "-"},
    {"patient/Patient", "-"},
    {"patient/.r", "-"},
    {"patient/patient.r", "-"},
    {"patient/Pat ient.r", "-"},
    {"patient/Patient*.r", "-"},
    {"patient/**.r", "-"},
    {"patient/Patient.r.s", "-"},
    {"patient/Patient.*s", "-"},
    {"patient/Patient.x", "-"},
    {"patient/Patient.rs?", "-"},
    {"patient/Patient.rs?category", "-"},
    {"patient/Patient.rs?category=", "-"},
    {"patient/Patient.rs?=x", "-"},
    {"patient/Patient.rs?a=b&", "-"},
    {"patient/Patient.read?category=x", "-"},
    {" openid", "-"},
    {"openid  fhirUser", "-"},
    {"open\"id", "-"},
    {"open\\id", "-"},
    {"openid\tfhirUser", "-"},
    {"\xc3\xa4", "-"},
});

TEST(Scopes, AreReadAsSmartDefinesThem) {
  static_assert(kRows.size() >= 40);
  for (auto const& [text, normal] : kRows) {
    SCOPED_TRACE(text);
    auto const scopes = parse_scopes(text);
    if (normal == "-") {
      EXPECT_FALSE(scopes.has_value());
      continue;
    }
    ASSERT_TRUE(scopes.has_value());
    EXPECT_EQ(write_scopes(*scopes), normal);
    EXPECT_EQ(parse_scopes(normal).value(), *scopes);
  }
}

TEST(Scopes, HaveALimit) {
  std::string text = "a";
  for (int i = 0; i < 200; ++i) text += " w" + std::to_string(i);
  EXPECT_EQ(parse_scopes(text).error().kind(), ErrorKind::kTooLarge);
  EXPECT_EQ(parse_scopes(std::string(kScopeBytesMax + 1, 'a')).error().kind(), ErrorKind::kTooLarge);
}

TEST(Scopes, WordsAreFoundWhole) {
  auto const scopes = parse_scopes("openid patient/Patient.r").value();
  EXPECT_TRUE(has_word(scopes, "openid"));
  EXPECT_FALSE(has_word(scopes, "open"));
  EXPECT_FALSE(has_word(scopes, ""));
}

}  // namespace
}  // namespace tacenda::codec

#include "identity/password_rules.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tacenda::identity {
namespace {

Result<void> check(std::string_view typed, std::string_view name = "dr.house") {
  auto const normalized = normalize_password(SecretBuffer(as_bytes(typed)));
  if (!normalized) return std::unexpected(normalized.error());
  return check_new_password(*normalized, name);
}

struct Row {
  std::string password;
  bool accepted;
  std::string_view why;
};

// REQUIREMENTS K-01: no rule of composition, every character, whole length; common passwords refused.
std::vector<Row> table() {
  return {
      {"correct horse battery staple", true, "words and spaces"},
      {"tulpenmanie in de polder", true, "lower case alone"},
      {"93857105629384", true, "digits alone"},
      {"        x7!qRw        ", true, "leading and trailing spaces"},
      {std::string(16, ' ') + "umbrella vortex", true, "many spaces"},
      {"zJ4#mQ9v", true, "8 characters"},
      {"vK7?pLw2xN", true, "10 characters"},
      {std::string("grapefruit-lantern-quilt-7-") + std::string("vesper-oxbow-thimble-juniper-kelp-zebra"),
       true, "64 characters and more"},
      {"\xF0\x9F\x90\xA2\xF0\x9F\x8C\xB5\xF0\x9F\x9A\xB2\xF0\x9F\x8E\xBB"
       "\xF0\x9F\xA6\x89\xF0\x9F\x8D\x8B\xF0\x9F\xA7\xAD\xF0\x9F\xAA\x81",
       true, "8 emoji"},
      {"\xD0\xBF\xD0\xB5\xD1\x81\xD0\xBD\xD1\x8F \xD0\xBE \xD0\xB3\xD0\xBE\xD1\x80\xD0\xB5", true,
       "Cyrillic"},
      {"\xE6\x98\xA5\xE7\x9C\xA0\xE4\xB8\x8D\xE8\xA6\xBA\xE6\x9B\x89\xE8\x99\x95", false,
       "6 characters, 18 bytes"},
      {"Password1234567", false, "common with digits behind"},
      {"password", false, "the commonest"},
      {"12345678", false, "a row of digits"},
      {"qwertyuiop", false, "a row of keys"},
      {"letmein123", false, "common"},
      {"aaaaaaaaaaaaaaaa", false, "one character repeated"},
      {"abcdefgh", false, "the alphabet"},
      {"P@ssw0rd", false, "common, spelled with signs"},
      {"iloveyou", false, "common"},
      {"sunshine1", false, "common with a digit"},
      {"dr.house", false, "the user's own name"},
      {"tacenda1", false, "the product's name"},
      {"short7!", false, "7 characters"},
      {"", false, "nothing"},
  };
}

TEST(PasswordRules, HoldOverATableOf25) {
  ASSERT_EQ(table().size(), 25U);
  for (auto const& row : table()) {
    auto const result = check(row.password);
    EXPECT_EQ(result.has_value(), row.accepted) << row.why << ": " << row.password;
    EXPECT_TRUE(result || result.error().kind() == ErrorKind::kUnprocessable) << row.why;
  }
}

TEST(PasswordRules, TellWhyAPasswordIsRefused) {
  EXPECT_EQ(check("Password1234567").error().message(),
            "the password is among the common or easily guessed ones");
  EXPECT_EQ(check("short7!").error().message(), "the password is shorter than 8 characters");
  EXPECT_EQ(check(std::string(1'025, 'x')).error().message(), "the password is too long");
  EXPECT_EQ(check("\xC3\x28 not UTF-8 at all").error().message(), "the password is not UTF-8");
  EXPECT_FALSE(check(std::string_view("nul\0inside the word", 19)).has_value());
}

TEST(PasswordRules, TwoWaysToTypeOneCharacterAreOnePassword) {
  auto const composed = normalize_password(SecretBuffer(as_bytes("caf\xC3\xA9 noir au lait")));
  auto const decomposed = normalize_password(SecretBuffer(as_bytes("cafe\xCC\x81 noir au lait")));
  EXPECT_TRUE(*composed == *decomposed);
}

TEST(PasswordRules, NothingIsCutOff) {
  auto const long_one = normalize_password(SecretBuffer(as_bytes(std::string(1'000, 'x') + "a")));
  auto const other = normalize_password(SecretBuffer(as_bytes(std::string(1'000, 'x') + "b")));
  EXPECT_FALSE(*long_one == *other);
  EXPECT_EQ(long_one->size(), 1'001U);
}

}  // namespace
}  // namespace tacenda::identity

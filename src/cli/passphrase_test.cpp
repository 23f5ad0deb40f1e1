#include "cli/passphrase.hpp"

#include <gtest/gtest.h>

namespace tacenda::cli {
namespace {

SecretBuffer typed(std::string_view text) {
  return SecretBuffer(as_bytes(text));
}

constexpr std::string_view kComposed = "zo\xC3\xAB and fourteen others";
constexpr std::string_view kDecomposed = "zoe\xCC\x88 and fourteen others";

TEST(Passphrases, K09OfANewSlotHaveFifteenCharactersAndNotBytes) {
  EXPECT_TRUE(new_passphrase(typed("fifteen letters")));
  EXPECT_FALSE(new_passphrase(typed("fourteen chars")).has_value());
  std::string accents;
  for (int i = 0; i < 14; ++i) accents += "\xC3\xA9";
  EXPECT_FALSE(new_passphrase(typed(accents)).has_value());
  EXPECT_TRUE(new_passphrase(typed(accents + "e")));
}

TEST(Passphrases, K09OfANewSlotAreText) {
  auto const refused = new_passphrase(typed("a caf\xE9 in latin-1, long enough"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kInvalid);
}

TEST(Passphrases, K09AreTheSameWhateverKeyboardTheyComeFrom) {
  EXPECT_TRUE(*new_passphrase(typed(kDecomposed)) == typed(kComposed));
  EXPECT_TRUE(*unlock_by(typed(kDecomposed)).passphrase == typed(kComposed));
}

// A slot that was made of it when nobody looked must not be lost.
TEST(Passphrases, K09OpenAsTheyAreTyped) {
  EXPECT_TRUE(*unlock_by(typed(kDecomposed)).passphrase_as_typed == typed(kDecomposed));
  EXPECT_FALSE(unlock_by(typed(kComposed)).passphrase_as_typed.has_value()) << "one try is enough";
  auto const latin = unlock_by(typed("caf\xE9"));
  EXPECT_TRUE(*latin.passphrase == typed("caf\xE9"));
  EXPECT_FALSE(latin.passphrase_as_typed.has_value());
}

}  // namespace
}  // namespace tacenda::cli

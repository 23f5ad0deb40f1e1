#include "crypto/totp.hpp"

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::from_hex;

SecretBuffer rfc_seed() {
  return SecretBuffer(as_bytes("12345678901234567890"));
}

// A code of more digits is the same number modulo a larger power of ten (RFC 4226 section 5.3), so its
// last six digits are the product's code.
std::string last_six(std::string const& code) {
  return code.substr(code.size() - kTotpDigits);
}

TEST(Totp, GivesTheAnswersOfRfc4226) {
  auto const count = testing::for_each_botan(
      {"hotp.vec", "SHA-1", "OTP", testing::BotanFile::Values::kInherited}, [](auto const& values) {
        SecretBuffer const seed{ByteView(from_hex(values.at("Key")))};
        EXPECT_EQ(totp_code(seed, std::stoull(values.at("Counter"))), last_six(values.at("OTP")));
      });
  EXPECT_EQ(count, 20U);
}

TEST(Totp, GivesTheAnswersOfRfc6238) {
  auto const count = testing::for_each_botan(
      {"totp.vec", "SHA-1", "OTP", testing::BotanFile::Values::kInherited}, [](auto const& values) {
        std::string const& text = values.at("Timestamp");  // 2005-03-18T01:58:29; one has a colon for the T
        auto const part = [&](std::size_t at, std::size_t size) { return std::stoi(text.substr(at, size)); };
        using namespace std::chrono;
        sys_days const day = year(part(0, 4)) / part(5, 2) / part(8, 2);
        Time const time = day + hours(part(11, 2)) + minutes(part(14, 2)) + seconds(part(17, 2));
        SecretBuffer const seed{ByteView(from_hex(values.at("Key")))};
        EXPECT_EQ(totp_code(seed, totp_step(time)), last_six(values.at("OTP")));
      });
  EXPECT_EQ(count, 3U);
}

TEST(Totp, StepsEveryThirtySeconds) {
  EXPECT_EQ(totp_step(Time(std::chrono::milliseconds(29'999))), 0U);
  EXPECT_EQ(totp_step(Time(std::chrono::milliseconds(30'000))), 1U);
}

TEST(Totp, MatchesTheStepsOfTheWindowAndNamesThem) {
  SecretBuffer const seed = rfc_seed();
  constexpr std::uint64_t kNow = 41'152'263;
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow), kNow), kNow);
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow - 1), kNow), kNow - 1);
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow + 1), kNow), kNow + 1);
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow - 2), kNow), std::nullopt);
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow + 2), kNow), std::nullopt);
  EXPECT_EQ(match_totp(seed, totp_code(seed, kNow - 1), kNow, {.before = 0, .after = 0}), std::nullopt);
}

TEST(Totp, RefusesWhatIsNoCode) {
  SecretBuffer const seed = rfc_seed();
  std::string const code = totp_code(seed, 5);
  EXPECT_EQ(match_totp(seed, "", 5), std::nullopt);
  EXPECT_EQ(match_totp(seed, code.substr(0, 5), 5), std::nullopt);
  EXPECT_EQ(match_totp(seed, code + "0", 5), std::nullopt);
  EXPECT_EQ(match_totp(seed, " " + code, 5), std::nullopt);
}

TEST(Totp, WindowEndsAtTheFirstAndTheLastStep) {
  SecretBuffer const seed = rfc_seed();
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(match_totp(seed, "755224", 0), 0U);  // RFC 4226 appendix D, counter 0
  EXPECT_EQ(match_totp(seed, totp_code(seed, kLast), kLast), kLast);
}

}  // namespace
}  // namespace tacenda::crypto

#include "access/rate_limiter.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"

namespace tacenda::access {
namespace {

using Kind = RateLimiter::Kind;

class RateLimit : public ::testing::Test {
 protected:
  std::size_t taken(RateLimiter& limiter, Kind kind, std::string_view who, std::size_t tries) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tries; ++i) count += limiter.take(kind, who) ? 0U : 1U;
    return count;
  }
  ManualClock clock{from_unix_ms(1'800'000'000'000)};
};

TEST_F(RateLimit, W03LetsABurstThroughAndThenTheRate) {
  RateLimiter limiter(clock, {.person = 5, .service = 0, .address = 0});
  std::size_t const burst = 5 * limits::kRateBurstSeconds;
  EXPECT_EQ(taken(limiter, Kind::kPerson, "ada", burst + 20), burst);
  EXPECT_EQ(limiter.take(Kind::kPerson, "ada").value(), std::chrono::seconds(1));
  EXPECT_FALSE(limiter.take(Kind::kPerson, "bob").has_value()) << "each has a bucket of his own";
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(taken(limiter, Kind::kPerson, "ada", 100), 10U);
}

TEST_F(RateLimit, W03TellsHowLongToWait) {
  RateLimiter limiter(clock, {.person = 1, .service = 0, .address = 0});
  EXPECT_EQ(taken(limiter, Kind::kPerson, "ada", 100), limits::kRateBurstSeconds);
  auto const wait = limiter.take(Kind::kPerson, "ada");
  ASSERT_TRUE(wait.has_value());
  clock.advance(*wait);
  EXPECT_FALSE(limiter.take(Kind::kPerson, "ada").has_value());
}

TEST_F(RateLimit, W03AServiceIsHeldAsAnApplicationByDefault) {
  RateLimiter limiter(clock, {});
  EXPECT_EQ(taken(limiter, Kind::kService, "loader", 200'000),
            limits::kRateService * limits::kRateBurstSeconds);
  EXPECT_EQ(limits::kRateService, limits::kRateApplication);
  RateLimiter unlimited(clock, {.service = 0});
  EXPECT_EQ(taken(unlimited, Kind::kService, "loader", 200'000), 200'000U);
}

TEST_F(RateLimit, W03AnApplicationHasABucketBesideThoseOfPeopleWithItsName) {
  RateLimiter limiter(clock, {.person = 2, .service = 3, .address = 0, .application = 5});
  std::size_t const burst = 5 * limits::kRateBurstSeconds;
  EXPECT_EQ(taken(limiter, Kind::kApplication, "growth", burst + 20), burst);
  EXPECT_TRUE(limiter.take(Kind::kApplication, "growth").has_value());
  EXPECT_FALSE(limiter.take(Kind::kApplication, "other").has_value());
  EXPECT_FALSE(limiter.take(Kind::kPerson, "growth").has_value());
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(taken(limiter, Kind::kApplication, "growth", 100), 5U);
  RateLimiter unlimited(clock, {.application = 0});
  EXPECT_EQ(taken(unlimited, Kind::kApplication, "growth", 200'000), 200'000U);
}

TEST_F(RateLimit, W03CountsAnIpv6NetworkAsOne) {
  RateLimiter limiter(clock, {.person = 0, .service = 0, .address = 1});
  std::size_t count = 0;
  for (int i = 1; i <= 100; ++i) {
    std::string const address = "2001:db8:0:1::" + std::to_string(i);
    count += limiter.take(Kind::kAddress, address) ? 0U : 1U;
  }
  EXPECT_EQ(count, limits::kRateBurstSeconds);
  EXPECT_FALSE(limiter.take(Kind::kAddress, "2001:db8:0:2::1").has_value());
  EXPECT_FALSE(limiter.take(Kind::kAddress, "192.0.2.1").has_value());
}

TEST_F(RateLimit, W03AFloodOfAddressesGivesNobodyAFullBucket) {
  RateLimiter limiter(clock, {.person = 1, .service = 1, .address = 1, .application = 1});
  for (auto const kind : {Kind::kPerson, Kind::kService, Kind::kApplication})
    EXPECT_EQ(taken(limiter, kind, "ada", 100), limits::kRateBurstSeconds);
  for (std::size_t i = 0; i < 2 * limits::kRateKeys; ++i)
    (void)limiter.take(Kind::kAddress, "host" + std::to_string(i));
  for (auto const kind : {Kind::kPerson, Kind::kService, Kind::kApplication})
    EXPECT_TRUE(limiter.take(kind, "ada").has_value());
}

TEST_F(RateLimit, W03StaysBoundedUnderAFloodOfAddresses) {
  RateLimiter limiter(clock, {.person = 0, .service = 0, .address = 1});
  for (std::size_t i = 0; i < 3 * limits::kRateKeys; ++i)
    (void)limiter.take(Kind::kAddress, "host" + std::to_string(i));
  EXPECT_LE(limiter.size(), limits::kRateKeys);
  EXPECT_EQ(taken(limiter, Kind::kAddress, "last", 100), limits::kRateBurstSeconds);
}

}  // namespace
}  // namespace tacenda::access

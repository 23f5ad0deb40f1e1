#include "identity/internal/throttle.hpp"

#include <gtest/gtest.h>

namespace tacenda::identity {
namespace {

constexpr std::chrono::minutes kBlock{15};
Time at(std::chrono::seconds offset) {
  return from_unix_ms(1'800'000'000'000) + offset;
}

TEST(Throttle, BlocksAKeyAtItsLastFailureAndTellsOnce) {
  Throttle throttle(3, kBlock);
  EXPECT_FALSE(throttle.fail("a", at(std::chrono::seconds(0))));
  EXPECT_FALSE(throttle.fail("a", at(std::chrono::seconds(1))));
  EXPECT_FALSE(throttle.is_blocked("a", at(std::chrono::seconds(1))));
  EXPECT_TRUE(throttle.fail("a", at(std::chrono::seconds(2))));
  EXPECT_TRUE(throttle.is_blocked("a", at(std::chrono::seconds(2))));
  EXPECT_FALSE(throttle.is_blocked("b", at(std::chrono::seconds(2))));
}

TEST(Throttle, LetsAKeyInAgainAfterTheBlock) {
  Throttle throttle(1, kBlock);
  throttle.fail("a", at(std::chrono::seconds(0)));
  EXPECT_TRUE(throttle.is_blocked("a", at(kBlock - std::chrono::seconds(1))));
  EXPECT_FALSE(throttle.is_blocked("a", at(kBlock)));
}

TEST(Throttle, ForgetsFailuresAfterASuccess) {
  Throttle throttle(2, kBlock);
  throttle.fail("a", at(std::chrono::seconds(0)));
  throttle.succeed("a");
  throttle.fail("a", at(std::chrono::seconds(1)));
  EXPECT_FALSE(throttle.is_blocked("a", at(std::chrono::seconds(1))));
}

TEST(Throttle, StaysBoundedUnderAFloodOfKeys) {
  Throttle throttle(1, kBlock);
  for (int i = 0; i < 250'000; ++i) throttle.fail(std::to_string(i), at(std::chrono::seconds(0)));
  throttle.fail("last", at(std::chrono::seconds(0)));
  EXPECT_TRUE(throttle.is_blocked("last", at(std::chrono::seconds(1))));
}

}  // namespace
}  // namespace tacenda::identity

#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace tacenda {
namespace {

TEST(Deadline, ExpiresAtItsMomentAndNotBefore) {
  ManualClock clock(from_unix_ms(1'000));
  Deadline const deadline(clock, std::chrono::milliseconds(50));
  clock.advance(std::chrono::milliseconds(49));
  EXPECT_FALSE(deadline.is_expired());
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(deadline.is_expired());
}

TEST(Time, RoundTripsUnixMilliseconds) {
  EXPECT_EQ(to_unix_ms(from_unix_ms(1'700'000'000'123)), 1'700'000'000'123U);
}

}  // namespace
}  // namespace tacenda

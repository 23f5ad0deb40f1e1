#include "crypto/fresh_key.hpp"

#include <array>
#include <set>

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using Key = std::array<std::byte, 32>;

constexpr Key bytes_of(unsigned char byte) {
  Key key{};
  key.fill(std::byte{byte});
  return key;
}

Key mixed(Key const& kernel, Key const& drawn, FreshKeyMoment const& moment) {
  Key key{};
  mix_fresh_key(kernel, drawn, moment, key);
  return key;
}

// The machine was cloned or went back to a snapshot, and the kernel's generator with it.
TEST(FreshKey, DiffersByTheMomentWhenEverySourceRepeats) {
  Key const kernel = bytes_of(1);
  Key const drawn = bytes_of(2);
  std::set<Key> const seen{
      mixed(kernel, drawn, {}),
      mixed(kernel, drawn, {.counter = 1}),
      mixed(kernel, drawn, {.process = 1}),
      mixed(kernel, drawn, {.wall_ms = 1}),
      mixed(kernel, drawn, {.monotonic_ns = 1}),
  };
  EXPECT_EQ(seen.size(), 5U);
}

TEST(FreshKey, IsAsGoodAsEitherSource) {
  EXPECT_NE(mixed(bytes_of(1), bytes_of(2), {}), mixed(bytes_of(3), bytes_of(2), {}));
  EXPECT_NE(mixed(bytes_of(1), bytes_of(2), {}), mixed(bytes_of(1), bytes_of(3), {}));
}

TEST(FreshKey, NeverRepeatsWithAFrozenSource) {
  testing::FrozenRandom random;
  ManualClock const clock(from_unix_ms(1'800'000'000'000));
  std::set<Key> seen;
  for (int i = 0; i < 2'000; ++i) {
    Key key{};
    ASSERT_TRUE(fresh_key(random, clock, key));
    seen.insert(key);
  }
  EXPECT_EQ(seen.size(), 2'000U);
}

TEST(FreshKey, FailsWhenTheSourceDoes) {
  testing::BrokenRandom random;
  ManualClock const clock(from_unix_ms(1'800'000'000'000));
  Key key{};
  EXPECT_EQ(fresh_key(random, clock, key).error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tacenda::crypto

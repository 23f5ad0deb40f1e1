#include "monitor/networks.hpp"

#include <gtest/gtest.h>

namespace tacenda::monitor {
namespace {

using Verdict = Networks::Verdict;
constexpr Time kStart = Time(std::chrono::milliseconds(1'800'000'000'000));

TEST(NetworkOf, IsTheSlash24OrTheSlash64) {
  EXPECT_EQ(network_of("192.0.2.77"), "192.0.2.0/24");
  EXPECT_EQ(network_of("::ffff:192.0.2.1"), "192.0.2.0/24");
  EXPECT_EQ(network_of("2001:db8:1:2:3:4:5:6"), network_of("2001:db8:1:2::"));
  EXPECT_NE(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
  EXPECT_EQ(network_of(""), std::nullopt);
  EXPECT_EQ(network_of("uid:0"), std::nullopt);
}

TEST(Networks, KnowsTheFirstAndTellsANewOne) {
  Networks networks;
  EXPECT_EQ(networks.see("192.0.2.0/24", kStart), Verdict::kFirst);
  EXPECT_EQ(networks.see("192.0.2.0/24", kStart + std::chrono::hours(1)), Verdict::kKnown);
  EXPECT_EQ(networks.see("198.51.100.0/24", kStart), Verdict::kNew);
  EXPECT_EQ(networks.see("198.51.100.0/24", kStart), Verdict::kKnown);
  EXPECT_EQ(networks.see("192.0.2.0/24", kStart + Networks::kFresh), Verdict::kRenewed);
}

TEST(Networks, ForgetsWhatWasNotSeenForLong) {
  Networks networks;
  networks.see("192.0.2.0/24", kStart);
  EXPECT_FALSE(networks.forget(kStart + Networks::kKept));
  EXPECT_TRUE(networks.forget(kStart + Networks::kKept + std::chrono::milliseconds(1)));
  EXPECT_TRUE(networks.empty());
}

TEST(Networks, KeepsABoundedNumberAndDropsTheOneNotSeenForLongest) {
  Networks networks;
  for (std::size_t i = 0; i <= Networks::kMax; ++i)
    networks.see("10.0." + std::to_string(i) + ".0/24", kStart + std::chrono::minutes(i));
  auto const later = kStart + std::chrono::hours(2);
  EXPECT_EQ(networks.see("10.0.1.0/24", later), Verdict::kKnown);
  EXPECT_EQ(networks.see("10.0.0.0/24", later), Verdict::kNew);
}

TEST(Networks, ComeBackFromTheirRow) {
  Networks networks;
  networks.see("192.0.2.0/24", kStart);
  networks.see("2001:db8::/64", kStart + std::chrono::hours(1));
  auto const row = networks.encode();
  auto back = Networks::decode(row);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->encode(), row);
  EXPECT_EQ(back->see("2001:db8::/64", kStart + std::chrono::hours(2)), Verdict::kKnown);
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(Networks::decode(ByteView(row).first(size)).has_value()) << size;
}

}  // namespace
}  // namespace tacenda::monitor

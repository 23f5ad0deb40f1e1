#include "access/address_list.hpp"

#include <gtest/gtest.h>

namespace tacenda::access {
namespace {

AddressList list(std::vector<std::string> const& networks) {
  auto parsed = AddressList::parse(networks);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message());
  return parsed.value_or(AddressList());
}

TEST(AddressList, LetsEveryoneInWhenNoneIsConfigured) {
  EXPECT_TRUE(AddressList().contains("203.0.113.9"));
}

TEST(AddressList, LetsNobodyInWhenItIsEmpty) {
  EXPECT_FALSE(list({}).contains("127.0.0.1"));
}

TEST(AddressList, N05CoversWhatLiesWithinOneOfItsNetworks) {
  auto const wide = list({"10.0.0.0/8", "fd00::/8"});
  EXPECT_TRUE(wide.covers(list({"10.1.0.0/16", "fd00:1::/32"})));
  EXPECT_TRUE(wide.covers(wide));
  EXPECT_TRUE(wide.covers(list({})));
  EXPECT_TRUE(wide.covers(list({"::ffff:10.0.0.0/104"})));
  EXPECT_FALSE(list({"10.1.0.0/16"}).covers(wide));
  EXPECT_FALSE(wide.covers(list({"10.1.0.0/16", "192.0.2.7"})));
  EXPECT_FALSE(wide.covers(AddressList()));
  EXPECT_TRUE(AddressList().covers(AddressList()));
  EXPECT_TRUE(AddressList().covers(wide));
  EXPECT_FALSE(list({}).covers(list({"192.0.2.7"})));
  // Two halves hold the whole, and the answer is no: the safe side.
  EXPECT_FALSE(list({"10.0.0.0/9", "10.128.0.0/9"}).covers(list({"10.0.0.0/8"})));
}

TEST(AddressList, HoldsNetworksOfAnyPrefix) {
  auto const allowed = list({"10.1.0.0/16", "192.0.2.7", "203.0.113.128/25", "fd00:1::/32"});
  for (auto const* address : {"10.1.0.0", "10.1.255.255", "192.0.2.7", "203.0.113.128", "203.0.113.255",
                              "fd00:1::1", "fd00:1:ffff::"})
    EXPECT_TRUE(allowed.contains(address)) << address;
  for (auto const* address : {"10.0.255.255", "10.2.0.0", "192.0.2.6", "192.0.2.8", "203.0.113.127",
                              "fd00:2::1", "fd00::1", "::1", "::"})
    EXPECT_FALSE(allowed.contains(address)) << address;
}

TEST(AddressList, AnAddressAndItsMappedFormAreTheSame) {
  EXPECT_TRUE(list({"192.0.2.0/24"}).contains("::ffff:192.0.2.9"));
  EXPECT_FALSE(list({"192.0.2.0/24"}).contains("::ffff:192.0.3.9"));
  EXPECT_FALSE(list({"192.0.2.0/24"}).contains("::192.0.2.9")) << "compatible, not mapped";
  EXPECT_TRUE(list({"::ffff:192.0.2.0/120"}).contains("192.0.2.9"));
}

TEST(AddressList, AllOfIpv4IsNotAllOfIpv6) {
  EXPECT_TRUE(list({"0.0.0.0/0"}).contains("8.8.8.8"));
  EXPECT_FALSE(list({"0.0.0.0/0"}).contains("2001:db8::1"));
}

TEST(AddressList, IsNotDeceivedByText) {
  auto const allowed = list({"10.0.0.0/8", "fe80::/10"});
  using namespace std::string_view_literals;
  for (auto const address : {""sv, "10.0.0.1\0.evil"sv, "10.0.0.1 "sv, " 10.0.0.1"sv, "10.0.0"sv, "10.1"sv,
                             "010.0.0.1"sv, "0x0a.0.0.1"sv, "10.0.0.256"sv, "10.0.0.1:80"sv, "10.0.0.1/8"sv,
                             "fe80::1%eth0"sv, "[fe80::1]"sv, "localhost"sv, "10.0.0.1\n"sv})
    EXPECT_FALSE(allowed.contains(address)) << address;
}

TEST(AddressList, RefusesWhatIsNoNetwork) {
  using namespace std::string_literals;
  for (std::string const& text : {""s, "10.0.0.0/33"s, "10.0.0.0/"s, "10.0.0.0/-1"s, "10.0.0.0/+8"s,
                                  "10.0.0.0/8x"s, "10.0.0.0/8/8"s, "/8"s, "fd00::/129"s, "host.example"s,
                                  "10.0.0.1/8"s, "fd00::1/64"s, "10.0.0.0/99999999999"s, "10.0.0.0\0/8"s}) {
    auto const parsed = AddressList::parse(std::vector{text});
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid);
  }
}

}  // namespace
}  // namespace tacenda::access

#include "core/ip_address.hpp"

#include <gtest/gtest.h>

namespace tacenda {
namespace {

std::string text_of(std::string_view text) {
  auto const parsed = IpAddress::parse(text);
  return parsed ? parsed->text() : "none";
}

TEST(IpAddresses, HaveOneText) {
  EXPECT_EQ(text_of("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(text_of("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(text_of("::FFFF:c000:0201"), "192.0.2.1");
  // RFC 5952 section 1.
  for (auto const* text :
       {"2001:db8:0:0:1:0:0:1", "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "2001:DB8:0:0:1::1"})
    EXPECT_EQ(text_of(text), "2001:db8::1:0:0:1") << text;
  EXPECT_TRUE(IpAddress::parse("::ffff:192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::192.0.2.1")->is_v4());
}

TEST(IpAddresses, OfTheInternetAreThoseOutsideTheSpecialOnes) {
  for (auto const* text :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "2606:4700::1111", "2001:200::1", "2a00:1450::1", "::ffff:1.1.1.1"})
    EXPECT_TRUE(IpAddress::parse(text)->is_public()) << text;
  for (auto const* text : {"0.0.0.0",
                           "10.1.2.3",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.1.1.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::7f00:1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:0:127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:10::1",
                           "2001:db8::1",
                           "2002:7f00:1::1",
                           "3fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1",
                           "4000::1"})
    EXPECT_FALSE(IpAddress::parse(text)->is_public()) << text;
}

TEST(IpAddresses, AreNothingElse) {
  using namespace std::string_view_literals;
  for (auto const text : {""sv, "localhost"sv, "192.0.2.1:80"sv, "[::1]"sv, "fe80::1%eth0"sv, "192.0.2.256"sv,
                          "192.0.2"sv, "192.0.2.1\0"sv, " 192.0.2.1"sv, "1:2:3:4:5:6:7:8:9"sv})
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
}

TEST(IpAddresses, AreCountedBySubscriber) {
  EXPECT_EQ(subscriber_of("2001:db8:1:2:3:4:5:6"), subscriber_of("2001:db8:1:2::"));
  EXPECT_NE(subscriber_of("2001:db8:1:2::1"), subscriber_of("2001:db8:1:3::1"));
  EXPECT_EQ(subscriber_of("::ffff:192.0.2.1"), subscriber_of("192.0.2.1"));
  EXPECT_NE(subscriber_of("::ffff:192.0.2.1"), subscriber_of("::ffff:192.0.2.2"));
  EXPECT_EQ(subscriber_of("a socket"), "a socket");
}

}  // namespace
}  // namespace tacenda

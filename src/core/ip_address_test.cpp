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

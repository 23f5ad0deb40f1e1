#include "access/forwarded.hpp"

#include <gtest/gtest.h>

namespace tacenda::access {
namespace {

AddressList proxies() {
  std::vector<std::string> const networks{"10.0.0.0/24", "fd00::1"};
  return AddressList::parse(networks).value();
}
std::string of(std::string_view peer, std::vector<std::string_view> const& fields) {
  return forwarded_address(proxies(), peer, fields);
}

TEST(ForwardedAddress, IsThePeersUnlessThePeerIsATrustedProxy) {
  EXPECT_EQ(of("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
  EXPECT_EQ(of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7"}), "198.51.100.7");
  EXPECT_EQ(of("fd00::1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(of("fd00::1", {"2001:DB8:0::0:7"}), "2001:db8::7") << "in one form";
  EXPECT_EQ(of("fd00::1", {"::ffff:198.51.100.7"}), "198.51.100.7");
}

TEST(ForwardedAddress, IsWalkedFromTheRightAndNeverPastAStranger) {
  EXPECT_EQ(of("10.0.0.1", {"203.0.113.1, 198.51.100.7"}), "198.51.100.7")
      << "the left one is the client's word";
  EXPECT_EQ(of("10.0.0.1", {"203.0.113.1, 198.51.100.7, 10.0.0.2"}), "198.51.100.7");
  EXPECT_EQ(of("10.0.0.1", {"203.0.113.1", "198.51.100.7,10.0.0.2"}), "198.51.100.7")
      << "several fields are one";
  EXPECT_EQ(of("10.0.0.1", {"10.0.0.3, 10.0.0.2"}), "10.0.0.3");
}

TEST(ForwardedAddress, StopsAtWhatIsNoAddress) {
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7, unknown"}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {""}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7,"}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {std::string_view("198.51.100.7\0", 13)}), "10.0.0.1");
  EXPECT_EQ(of("10.0.0.1", {"[2001:db8::7"}), "10.0.0.1");
}

TEST(ForwardedAddress, LeavesAPortOut) {
  EXPECT_EQ(of("10.0.0.1", {"198.51.100.7:4711"}), "198.51.100.7");
  EXPECT_EQ(of("10.0.0.1", {"[2001:db8::7]:4711"}), "2001:db8::7");
}

TEST(ForwardedAddress, LooksAtABoundedNumberOfHops) {
  std::string many = "198.51.100.7";
  for (int i = 0; i < 1'000; ++i) many += ",10.0.0.2";
  EXPECT_EQ(of("10.0.0.1", {many}), "10.0.0.2");
}

}  // namespace
}  // namespace tacenda::access

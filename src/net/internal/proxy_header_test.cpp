#include "net/internal/proxy_header.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"

namespace tacenda::net {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

/// A header of version 2 with these bytes behind its length.
std::string binary(std::string_view command_and_family, std::string_view addresses) {
  std::string header(kSignature);
  header.append(command_and_family);
  header.push_back(static_cast<char>(addresses.size() >> 8U));
  header.push_back(static_cast<char>(addresses.size()));
  return header.append(addresses);
}
std::string client_of(std::string_view header) {
  auto const client = client_of_proxy_header(header);
  return client.has_value() ? *client : "refused";
}
std::string const kV4("\xC6\x33\x64\x07\x0A\x00\x00\x01\x12\x67\x01\xBB",
                      12);  // 198.51.100.7:4711 -> 10.0.0.1:443

TEST(ProxyHeader, NamesTheClientOfTheExamplesInTheSpecification) {
  EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255");
  EXPECT_EQ(client_of("PROXY TCP6 ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "refused");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"), "2001:db8::7");
  EXPECT_EQ(client_of("PROXY TCP6 ::FFFF:198.51.100.7 2001:db8::1 4711 443\r\n"), "198.51.100.7");
  EXPECT_EQ(client_of("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "192.168.0.1");
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "");
}

TEST(ProxyHeader, ReadsVersion2) {
  EXPECT_EQ(client_of(binary("\x21\x11", kV4)), "198.51.100.7");
  EXPECT_EQ(client_of(binary("\x21\x11", kV4 + std::string("\x04\x00\x01x", 4))), "198.51.100.7")
      << "with more fields";
  std::string v6(36, '\0');
  v6[0] = '\x20';
  v6[1] = '\x01';
  v6[15] = '\x07';
  EXPECT_EQ(client_of(binary("\x21\x21", v6)), "2001::7");
  std::string mapped(36, '\0');
  mapped.replace(10, 6, "\xFF\xFF\xC6\x33\x64\x07");
  EXPECT_EQ(client_of(binary("\x21\x21", mapped)), "198.51.100.7");
  EXPECT_EQ(client_of(binary(std::string_view("\x20\x00", 2), "")), "")
      << "LOCAL: the proxy's own health check";
  EXPECT_EQ(client_of(binary(std::string_view("\x21\x00", 2), "")), "");
}

TEST(ProxyHeader, NeverAsksForAByteOfWhatFollows) {
  for (auto const& header :
       {std::string("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), std::string("PROXY UNKNOWN\r\n"),
        binary("\x21\x11", kV4), binary(std::string_view("\x20\x00", 2), "")}) {
    std::string got;
    for (int round = 0; round < 200; ++round) {
      auto const missing = missing_of_proxy_header(got);
      ASSERT_TRUE(missing.has_value()) << got;
      if (*missing == 0) break;
      ASSERT_LE(got.size() + *missing, header.size());
      got += header.substr(got.size(), *missing);
    }
    EXPECT_EQ(got, header);
  }
}

TEST(ProxyHeader, RefusesEverythingElse) {
  for (auto const* text :
       {"GET / HTTP/1.1\r\n", "PROXY TCP4 192.0.2.1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "proxy TCP4 "})
    EXPECT_EQ(client_of(text), "refused") << text;
  EXPECT_FALSE(missing_of_proxy_header("\x16\x03\x01").has_value()) << "TLS";
  EXPECT_FALSE(missing_of_proxy_header("PROXY TCP4 " + std::string(96, 'x')).has_value())
      << "107 bytes without an end";
  EXPECT_EQ(client_of(binary("\x21\x11", kV4.substr(0, 11))), "refused");
  EXPECT_EQ(client_of(binary("\x11\x11", kV4)), "refused") << "version 1 in binary";
  EXPECT_EQ(client_of(binary("\x22\x11", kV4)), "refused") << "an unknown command";
  EXPECT_EQ(client_of(binary("\x21\x12", kV4)), "refused") << "UDP";
  EXPECT_EQ(client_of(binary("\x21\x11", std::string(limits::kProxyHeaderBytes, '\0'))), "refused")
      << "too long";
}

}  // namespace
}  // namespace tacenda::net

#include "codec/web_address.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

bool is_outside(std::string_view url) {
  auto const host = host_of_https(url);
  return host && is_public_host(*host);
}

TEST(WebAddress, TellsTheHostOfAnHttpsUrl) {
  EXPECT_EQ(host_of_https("https://example.org"), "example.org");
  EXPECT_EQ(host_of_https("https://Example.org:8443/a?b#c"), "Example.org");
  EXPECT_EQ(host_of_https("https://example.org?b@c"), "example.org");
  EXPECT_EQ(host_of_https("https://[2606:4700::1111]:443/"), "[2606:4700::1111]");
}

TEST(WebAddress, W06AUserOrAnythingElseBesideAHostIsNone) {
  for (auto const* url : {"",
                          "https://",
                          "https:///x",
                          "http://example.org",
                          "HTTPS://example.org",
                          "ftp://example.org",
                          "https://user@example.org",
                          "https://user:pass@example.org",
                          "https://example.org:x",
                          "https://example.org:123456",
                          "https://example.org:",
                          "https://a b.org",
                          "https://example.org\\@x.org",
                          "https://ex%61mple.org",
                          "https://\xC3\xA4.org",
                          "https://[::1",
                          "https://[::1]x",
                          "https://[1.2.3.4]",
                          "https://[fe80::1%25eth0]/",
                          "https:example.org",
                          "//example.org"}) {
    EXPECT_EQ(host_of_https(url), std::nullopt) << url;
  }
}

TEST(WebAddress, W06IsPublicWhereAnybodyCouldHaveIt) {
  for (auto const* url :
       {"https://example.org/x", "https://sub.example.co.uk", "https://biliwatch.com/customers/on-result",
        "https://8.8.8.8/", "https://[2606:4700::1111]/", "https://example.org.", "https://0x7f.example.org",
        "https://notlocalhost.org", "https://local.example.org", "https://mylocal.net",
        "https://1.example.org"}) {
    EXPECT_TRUE(is_outside(url)) << url;
  }
}

TEST(WebAddress, W06IsNotPublicInWhateverNotationItPointsInside) {
  for (auto const* url : {"https://169.254.169.254/latest",
                          "https://127.0.0.1",
                          "https://127.1",
                          "https://127.0.0.1.",
                          "https://2130706433/",
                          "https://0x7f000001",
                          "https://0x7f.0.0.1",
                          "https://0177.0.0.1",
                          "https://0",
                          "https://127.0.0.0x1",
                          "https://010.0.0.1",
                          "https://10.1.2.3",
                          "https://172.16.0.1",
                          "https://192.168.1.1",
                          "https://100.64.0.1",
                          "https://[::1]",
                          "https://[::ffff:127.0.0.1]",
                          "https://[::ffff:169.254.169.254]",
                          "https://[fd00::1]",
                          "https://[fe80::1]",
                          "https://[64:ff9b::7f00:1]",
                          "https://localhost",
                          "https://LocalHost.:8443",
                          "https://a.localhost",
                          "https://printer.local",
                          "https://metadata.google.internal",
                          "https://intranet",
                          "https://a.home.arpa",
                          "https://a..org",
                          "https://.org",
                          "https://-a.org",
                          "https://8.8.8.8.8",
                          "https://256.1.1.1",
                          "https://example.1"}) {
    EXPECT_FALSE(is_outside(url)) << url;
  }
}

}  // namespace
}  // namespace tacenda::codec

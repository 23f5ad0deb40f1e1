#include "codec/text.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

TEST(Base64, GivesTheVectorsOfRfc4648) {
  std::pair<std::string_view, std::string_view> const vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (auto const& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    EXPECT_EQ(as_text(base64_decode(encoded).value()), plain);
    auto const stripped = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(base64url_encode(as_bytes(plain)), stripped);
    EXPECT_EQ(as_text(base64url_decode(stripped).value()), plain);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (auto const* text : {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm-v", "A"}) {
    EXPECT_FALSE(base64_decode(text).has_value()) << text;
  }
  for (auto const* text : {"A", "Zh", "Zm9", "Zg==", "Zm+v"})
    EXPECT_FALSE(base64url_decode(text).has_value()) << text;
}

TEST(Base32, GivesTheVectorsOfRfc4648WithoutPadding) {
  EXPECT_EQ(base32_encode(as_bytes("f")), "MY");
  EXPECT_EQ(base32_encode(as_bytes("fooba")), "MZXW6YTB");
  EXPECT_EQ(base32_encode(as_bytes("foobar")), "MZXW6YTBOI");
}

TEST(Hex, RoundTripsAndRefuses) {
  EXPECT_EQ(hex_encode(as_bytes("\x01\xAB")), "01ab");
  EXPECT_EQ(as_text(hex_decode("01aB").value()), "\x01\xAB");
  EXPECT_FALSE(hex_decode("0").has_value());
  EXPECT_FALSE(hex_decode("0g").has_value());
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndWhatIsCutOff) {
  EXPECT_TRUE(is_utf8("\xF0\x9F\x98\x80 \xC3\xA4"));
  for (auto const* text : {"\xED\xA0\x80", "\xC0\x80", "\xE0\x80\x80", "\xF4\x90\x80\x80", "\xC3", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Percent, RoundTripsAndRefuses) {
  EXPECT_EQ(percent_decode("a%20b%C3%A4+").value(), "a b\xC3\xA4+");
  EXPECT_EQ(percent_encode("a b/\xC3\xA4~"), "a%20b%2F%C3%A4~");
  for (auto const* text : {"%", "%2", "%zz", "%00", "%C3", "a%ff"})
    EXPECT_FALSE(percent_decode(text).has_value()) << text;
}

TEST(Query, SplitsAndDecodes) {
  auto const query = parse_query("a=1&b=x+y%26&c&=v&&d=1=2").value();
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(query, (std::vector<Pair>{{"a", "1"}, {"b", "x y&"}, {"c", ""}, {"", "v"}, {"d", "1=2"}}));
}

TEST(Uuid, HasVersionAndVariant) {
  EXPECT_EQ(format_uuid_v4({}), "00000000-0000-4000-8000-000000000000");
  std::array<std::byte, 16> ones{};
  ones.fill(std::byte{0xFF});
  EXPECT_EQ(format_uuid_v4(ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  std::array<std::byte, 16> counted;
  for (std::size_t i = 0; i < counted.size(); ++i) counted[i] = static_cast<std::byte>(i);
  EXPECT_EQ(format_uuid_v4(counted), "00010203-0405-4607-8809-0a0b0c0d0e0f");
}

}  // namespace
}  // namespace tacenda::codec

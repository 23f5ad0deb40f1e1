#include "crypto/signature.hpp"

#include <set>

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::array_of;
using testing::hex_of;

TEST(Ed25519, GivesTheAnswersOfWycheproof) {
  auto const count = testing::for_each_wycheproof("ed25519_test.json", [](auto group, auto test) {
    auto const key = array_of<Ed25519PublicKey>(hex_of(group["publicKey"], "pk"));
    EXPECT_EQ(ed25519_verify(key, hex_of(test, "msg"), hex_of(test, "sig")), testing::is_valid(test));
    return true;
  });
  EXPECT_EQ(count, 151U);
}

// How strict: as ref10 and so OpenSSL, Go and most others verify. S must be below the group order (RFC 8032
// section 5.1.7, no malleable signature); R is compared as bytes, so a non-canonical R never verifies; the
// equation is the one without the cofactor, so a low-order residue never does. Low-order and non-canonical
// public keys are accepted, against RFC 8032 section 5.1.3: that is of no use to an attacker here, because
// every public key comes out of the keyring or the configuration and none from the signature's sender.
TEST(Ed25519, JudgesEdgeCasesOfCctvAsRef10Does) {
  simdjson::dom::parser parser;
  simdjson::dom::element const root = parser.load(testing::vector_path("cctv/ed25519vectors.json"));
  std::size_t count = 0;
  std::size_t accepted = 0;
  for (simdjson::dom::element const vector : simdjson::dom::array(root)) {
    SCOPED_TRACE("number " + std::to_string(std::int64_t(vector["number"])));
    std::set<std::string_view> flags;
    if (simdjson::dom::array list; vector["flags"].get(list) == simdjson::SUCCESS) {
      for (auto const flag : list) flags.insert(std::string_view(flag));
    }
    bool const expected = !flags.contains("non_canonical_R") && !flags.contains("low_order_residue");
    bool const verified = ed25519_verify(array_of<Ed25519PublicKey>(hex_of(vector, "key")),
                                         as_bytes(std::string_view(vector["msg"])), hex_of(vector, "sig"));
    EXPECT_EQ(verified, expected);
    accepted += verified;
    ++count;
  }
  EXPECT_EQ(count, 914U);
  EXPECT_GT(accepted, 0U);
}

// RFC 8032 section 7.1, test 3: seed, public key, message and signature.
TEST(Ed25519, SignsAsRfc8032Does) {
  auto const seed = testing::secret_of<Ed25519Seed>(
      testing::from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  auto const signer = Ed25519Signer::create(seed);
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(testing::to_hex(signer->public_key()),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  auto const signature = signer->sign(testing::from_hex("af82"));
  ASSERT_TRUE(signature.has_value());
  EXPECT_EQ(testing::to_hex(*signature),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
  EXPECT_TRUE(ed25519_verify(signer->public_key(), testing::from_hex("af82"), *signature));
}

TEST(Ed25519, RefusesASignatureThatIsTooShortTooLongOrOfAnotherMessage) {
  SystemRandom random;
  auto const seed = random_secret<Ed25519Seed>(random);
  ASSERT_TRUE(seed.has_value());
  auto const signer = Ed25519Signer::create(SecretBuffer(seed->reveal()));
  ASSERT_TRUE(signer.has_value());
  Bytes const signature = to_bytes(ByteView(signer->sign(as_bytes("text")).value()));
  auto const key = signer->public_key();
  EXPECT_TRUE(ed25519_verify(key, as_bytes("text"), signature));
  EXPECT_FALSE(ed25519_verify(key, as_bytes("test"), signature));
  EXPECT_FALSE(ed25519_verify(key, as_bytes("text"), ByteView(signature).first(63)));
  EXPECT_FALSE(ed25519_verify(key, as_bytes("text"), {}));
  Bytes longer = signature;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(ed25519_verify(key, as_bytes("text"), longer));
}

TEST(Ed25519, RefusesASeedOfAnotherLength) {
  EXPECT_EQ(Ed25519Signer::create(SecretBuffer(31)).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(Ed25519Signer::create(SecretBuffer()).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace tacenda::crypto

#include "crypto/web_signature.hpp"

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::from_hex;
using testing::hex_of;

Bytes without_sign(Bytes number) {
  while (!number.empty() && number.front() == std::byte{0}) number.erase(number.begin());
  return number;
}

Result<WebPublicKey> rsa_of(simdjson::dom::element group) {
  return WebPublicKey::rsa(without_sign(hex_of(group["publicKey"], "modulus")),
                           without_sign(hex_of(group["publicKey"], "publicExponent")));
}

/// The number of answers under keys that we take: not of the groups with the exponent 3.
std::size_t check_rsa(std::string_view file, WebAlgorithm algorithm) {
  return testing::for_each_wycheproof(file, [&](auto group, auto test) {
    auto const key = rsa_of(group);
    bool const is_small = hex_of(group["publicKey"], "publicExponent").size() < 3;
    EXPECT_EQ(key.has_value(), !is_small);
    if (is_small) return false;
    // "acceptable": a DigestInfo without its NULL parameter, which RFC 8017 has and we insist on.
    EXPECT_EQ(key->verify(algorithm, hex_of(test, "msg"), hex_of(test, "sig")), testing::is_valid(test));
    return true;
  });
}

TEST(WebSignature, GivesTheRsaAnswersOfWycheproof) {
  EXPECT_EQ(check_rsa("rsa_signature_2048_sha256_test.json", WebAlgorithm::kRs256), 257U);
  EXPECT_EQ(check_rsa("rsa_signature_2048_sha384_test.json", WebAlgorithm::kRs384), 258U);
}

struct EcCase {
  std::string_view file;
  Curve curve;
  WebAlgorithm algorithm;
  std::size_t field;
};

std::size_t check_ec(EcCase const& wanted) {
  return testing::for_each_wycheproof(wanted.file, [&](auto group, auto test) {
    Bytes const point = hex_of(group["publicKey"], "uncompressed");
    auto const key = WebPublicKey::ec(wanted.curve, ByteView(point).subspan(1, wanted.field),
                                      ByteView(point).subspan(1 + wanted.field));
    EXPECT_TRUE(key.has_value());
    EXPECT_EQ(key->verify(wanted.algorithm, hex_of(test, "msg"), hex_of(test, "sig")),
              testing::is_valid(test));
    return true;
  });
}

TEST(WebSignature, GivesTheEcdsaAnswersOfWycheproof) {
  EXPECT_EQ(check_ec({"ecdsa_secp256r1_sha256_p1363_test.json", Curve::kP256, WebAlgorithm::kEs256, 32}),
            262U);
  EXPECT_EQ(check_ec({"ecdsa_secp384r1_sha384_p1363_test.json", Curve::kP384, WebAlgorithm::kEs384, 48}),
            280U);
}

TEST(WebSignature, RefusesKeysThatAreTooWeak) {
  Bytes modulus = RsaSigner::generate()->modulus();
  Bytes const exponent = from_hex("010001");
  EXPECT_TRUE(WebPublicKey::rsa(modulus, exponent).has_value());
  EXPECT_FALSE(WebPublicKey::rsa(ByteView(modulus).first(255), exponent).has_value());
  EXPECT_FALSE(WebPublicKey::rsa(modulus, from_hex("03")).has_value());
  EXPECT_FALSE(WebPublicKey::rsa(modulus, from_hex("010000")).has_value());
  EXPECT_FALSE(WebPublicKey::rsa(modulus, {}).has_value());
  modulus.back() ^= std::byte{1};  // even
  EXPECT_FALSE(WebPublicKey::rsa(modulus, exponent).has_value());
  EXPECT_FALSE(WebPublicKey::rsa(Bytes(2'000, std::byte{0xff}), exponent).has_value());
}

TEST(WebSignature, RefusesPointsThatAreNotOnTheCurve) {
  Bytes const x = from_hex("2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838");
  Bytes y = from_hex("c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e");
  EXPECT_TRUE(WebPublicKey::ec(Curve::kP256, x, y).has_value());
  EXPECT_FALSE(WebPublicKey::ec(Curve::kP384, x, y).has_value());  // wrong curve
  EXPECT_FALSE(WebPublicKey::ec(Curve::kP256, ByteView(x).subspan(1), y).has_value());
  y.back() ^= std::byte{1};
  EXPECT_FALSE(WebPublicKey::ec(Curve::kP256, x, y).has_value());
}

TEST(RsaSigner, SignsWhatItsPublicKeyVerifies) {
  auto const made = RsaSigner::generate();
  ASSERT_TRUE(made.has_value());
  auto const read = RsaSigner::parse(made->der());
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(equal(read->modulus(), made->modulus()));
  auto const signature = read->sign(as_bytes("message"));
  ASSERT_TRUE(signature.has_value());
  auto const key = WebPublicKey::rsa(made->modulus(), made->exponent());
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->verify(WebAlgorithm::kRs256, as_bytes("message"), *signature));
  EXPECT_FALSE(key->verify(WebAlgorithm::kRs256, as_bytes("massage"), *signature));
  // The algorithm is part of what was agreed: another digest and another family are refused.
  EXPECT_FALSE(key->verify(WebAlgorithm::kRs384, as_bytes("message"), *signature));
  EXPECT_FALSE(key->verify(WebAlgorithm::kEs256, as_bytes("message"), *signature));
  EXPECT_FALSE(RsaSigner::parse(SecretBuffer(as_bytes("no key"))).has_value());
}

}  // namespace
}  // namespace tacenda::crypto

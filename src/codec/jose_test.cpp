#include "codec/jose.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

std::string jws_of(std::string_view header, std::string_view payload = "{}") {
  return base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload)) + ".AAAA";
}

Json vector_of(std::string const& name) {
  std::ifstream in(TACENDA_SOURCE_DIR "/tests/vectors/jose-cookbook/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return parse_json(text.str()).value();
}

std::string set_of(Json const& key) {
  return R"({"keys":[)" + write_json(key) + "]}";
}

TEST(Jws, IsTakenApart) {
  auto const text = jws_of(R"({"alg":"RS384","kid":"k","typ":"JWT"})", "payload");
  auto const jws = parse_jws(text);
  ASSERT_TRUE(jws.has_value());
  EXPECT_EQ(jws->algorithm(), "RS384");
  EXPECT_EQ(jws->key_id(), "k");
  EXPECT_EQ(as_text(jws->payload), "payload");
  EXPECT_EQ(jws->signature.size(), 3U);
  EXPECT_EQ(jws->signed_text, std::string_view(text).substr(0, text.rfind('.')));
}

TEST(Jws, IsRefusedWhenItIsAmbiguous) {
  EXPECT_FALSE(parse_jws("").has_value());
  EXPECT_FALSE(parse_jws("a.b").has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256"})") + ".x").has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"none","alg":"RS256"})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"kid":"k"})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":["RS256"]})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256","kid":1})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256","crit":["exp"]})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256","b64":false})")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"(["RS256"])")).has_value());
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256"})") + "=").has_value());  // padded
  EXPECT_FALSE(parse_jws(jws_of(R"({"alg":"RS256"})") + "\n").has_value());
  EXPECT_EQ(parse_jws(std::string(kJwsBytesMax + 1, 'a')).error().kind(), ErrorKind::kTooLarge);
}

// RFC 7520: every compact form of the cookbook's section 4 is one; the multiple and flattened ones are not.
TEST(Jws, OfTheCookbookIsRead) {
  for (auto const* name : {"4_1.rsa_v15_signature", "4_2.rsa-pss_signature", "4_3.ecdsa_signature",
                           "4_4.hmac-sha2_integrity_protection"}) {
    auto const vector = vector_of("jws/" + std::string(name) + ".json");
    std::string const compact(vector.find("output")->text_of("compact"));
    auto const jws = parse_jws(compact);
    ASSERT_TRUE(jws.has_value()) << name;
    EXPECT_EQ(jws->algorithm(), vector.find("input")->text_of("alg")) << name;
    EXPECT_EQ(as_text(jws->payload), vector.find("input")->text_of("payload")) << name;
    EXPECT_EQ(jws_signing_input(jws->header, jws->payload), jws->signed_text) << name;
  }
}

// RFC 7520 section 3: public RSA is read; P-521 is a curve we have no use for; private and symmetric keys
// have no place in a set of public ones.
TEST(Jwks, OfTheCookbook) {
  auto const rsa = parse_jwks(set_of(vector_of("jwk/3_3.rsa_public_key.json")));
  ASSERT_TRUE(rsa.has_value());
  ASSERT_EQ(rsa->size(), 1U);
  EXPECT_EQ(rsa->front().key_id, "bilbo.baggins@hobbiton.example");
  EXPECT_EQ(rsa->front().modulus.size(), 256U);
  EXPECT_EQ(parse_jwks(set_of(vector_of("jwk/3_1.ec_public_key.json")))->size(), 0U);
  EXPECT_FALSE(parse_jwks(set_of(vector_of("jwk/3_2.ec_private_key.json"))).has_value());
  EXPECT_FALSE(parse_jwks(set_of(vector_of("jwk/3_4.rsa_private_key.json"))).has_value());
  EXPECT_FALSE(parse_jwks(set_of(vector_of("jwk/3_5.symmetric_key_mac_computation.json"))).has_value());
}

TEST(Jwks, LeavesOutKeysThatDoNotSignAndRefusesWhatIsNone) {
  EXPECT_EQ(parse_jwks(R"({"keys":[{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]})")->size(), 0U);
  EXPECT_EQ(parse_jwks(R"({"keys":[{"kty":"RSA","key_ops":["encrypt"],"n":"AQAB","e":"AQAB"}]})")->size(),
            0U);
  EXPECT_EQ(parse_jwks(R"({"keys":[{"kty":"RSA","key_ops":["verify"],"n":"AQAB","e":"AQAB"}]})")->size(), 1U);
  EXPECT_EQ(parse_jwks(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})")->size(), 0U);
  EXPECT_FALSE(
      parse_jwks(R"({"keys":[{"kty":"RSA","kid":"a","kid":"b","n":"AQAB","e":"AQAB"}]})").has_value());
  EXPECT_FALSE(parse_jwks(R"({"keys":{}})").has_value());
  EXPECT_FALSE(parse_jwks(R"([])").has_value());
  std::string many = R"({"keys":[)";
  for (std::size_t i = 0; i <= kJwksKeysMax; ++i) many += R"({"kty":"OKP"},)";
  many.back() = ']';
  EXPECT_EQ(parse_jwks(many + "}").error().kind(), ErrorKind::kTooLarge);
}

// RFC 7517 section 5: of a set with keys that we cannot use the others are good.
TEST(Jwks, OneKeyThatIsNoneTakesNoOtherWithIt) {
  for (auto const* broken :
       {R"({"kty":"RSA","n":"AQAB"})", R"({"kty":"RSA","n":"!","e":"AQAB"})",
        R"({"kty":"RSA","n":1,"e":"AQAB"})", R"({"kty":"RSA","kid":1,"n":"AQAB","e":"AQAB"})",
        R"({"kty":"RSA","alg":[],"n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"P-384","x":"AQAB"})",
        R"({"kty":1})", R"({})", "1", "null", "[]"}) {
    auto const keys = parse_jwks(R"({"keys":[)" + std::string(broken) +
                                 R"(,{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]})");
    ASSERT_TRUE(keys.has_value()) << broken;
    ASSERT_EQ(keys->size(), 1U) << broken;
    EXPECT_EQ(keys->front().key_id, "a");
  }
  // Whoever gives a private key away is told, whatever else it is.
  EXPECT_FALSE(parse_jwks(R"({"keys":[{"kty":"OKP","d":"AQAB"}]})").has_value());
}

// RFC 7638 section 3.1.
TEST(Jwks, ThumbprintIsThatOfTheStandard) {
  auto const modulus = base64url_decode(
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
      "BJECPebWKRXjBZCiFV4n3"
      "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
      "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
      "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-"
      "csFCur-"
      "kEgU8awapJzKnqDKgw");
  EXPECT_EQ(rsa_thumbprint_input(*modulus, *base64url_decode("AQAB")).substr(0, 40),
            R"({"e":"AQAB","kty":"RSA","n":"0vx7agoebGc)");
}

}  // namespace
}  // namespace tacenda::codec

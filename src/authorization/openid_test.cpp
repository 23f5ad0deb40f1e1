#include "authorization/openid.hpp"

#include <gtest/gtest.h>

#include "authorization/discovery.hpp"
#include "codec/jose.hpp"
#include "codec/text.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::authorization {
namespace {

/// RS256 by OpenSSL and the published set alone.
bool verifies(std::string_view token, std::string const& jwks) {
  auto const keys = codec::parse_jwks(jwks).value();
  auto const jws = codec::parse_jws(token).value();
  if (keys.size() != 1 || jws.key_id() != keys.front().key_id || jws.algorithm() != "RS256") return false;
  auto const key = crypto::WebPublicKey::rsa(keys.front().modulus, keys.front().exponent).value();
  return key.verify(crypto::WebAlgorithm::kRs256, as_bytes(jws.signed_text), jws.signature);
}

class OpenIdTest : public ::testing::Test {
 protected:
  OpenId::Identity identity() {
    return {"https://records.example.org",
            "app",
            "user-1",
            "n-1",
            "https://records.example.org/fhir/Patient/1",
            store.clock.now() - std::chrono::seconds(5),
            store.clock.now()};
  }
  vault::testing::TestStore store;
};

TEST_F(OpenIdTest, F16AnIdTokenSaysWhoSignedIn) {
  auto const openid = OpenId::open(*store.vault).value();
  auto const token = openid.id_token(identity()).value();
  EXPECT_TRUE(verifies(token, openid.jwks()));
  auto const claims = codec::parse_json(as_text(codec::parse_jws(token)->payload)).value();
  EXPECT_EQ(
      codec::write_json(claims),
      R"({"iss":"https://records.example.org","sub":"user-1","aud":"app","iat":1800000000,"exp":1800000900,)"
      R"("auth_time":1799999995,"nonce":"n-1","fhirUser":"https://records.example.org/fhir/Patient/1"})");
  auto changed = token;
  changed[changed.find('.') + 5] ^= 1;
  EXPECT_FALSE(codec::parse_jws(changed).has_value() && verifies(changed, openid.jwks()));
}

TEST_F(OpenIdTest, F16TheKeyIsTheStoresOwnAndStays) {
  auto const before = OpenId::open(*store.vault).value().jwks();
  ASSERT_TRUE(store.reopen().has_value());
  EXPECT_EQ(OpenId::open(*store.vault).value().jwks(), before);
  EXPECT_FALSE(before.contains("\"d\""));
  vault::testing::TestStore other(2);
  EXPECT_NE(OpenId::open(*other.vault).value().jwks(), before);
}

TEST(Discovery, SaysTheSameInBothDocuments) {
  auto const smart = codec::parse_json(smart_configuration("https://records.example.org", true)).value();
  auto const openid = codec::parse_json(openid_configuration("https://records.example.org", true)).value();
  for (auto const* name : {"issuer", "jwks_uri", "authorization_endpoint", "token_endpoint"}) {
    EXPECT_EQ(smart.text_of(name), openid.text_of(name));
    EXPECT_TRUE(smart.text_of(name).starts_with("https://records.example.org"));
  }
  EXPECT_TRUE(smart.find("tls_client_certificate_bound_access_tokens")->as_boolean());
  EXPECT_FALSE(codec::parse_json(smart_configuration("https://records.example.org", false))
                   ->find("tls_client_certificate_bound_access_tokens")
                   ->as_boolean());
}

}  // namespace
}  // namespace tacenda::authorization

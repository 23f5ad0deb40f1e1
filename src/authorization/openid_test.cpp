#include "authorization/openid.hpp"

#include <gtest/gtest.h>

#include "authorization/discovery.hpp"
#include "authorization/people_testing.hpp"
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

class SignInAge : public testing::PeopleTest {
 protected:
  SignInAge() {
    auto added = server->clients().add(
        {"reader", "", Client::Kind::kPublic, "", "openid patient/*.rs", {}, {testing::kRedirect}});
    expect_committed(added);
  }
  static std::map<std::string, std::string> asks(std::string const& max_age) {
    return {{"client_id", "reader"}, {"scope", "openid patient/*.rs"}, {"max_age", max_age}};
  }
};

TEST_F(SignInAge, F16AuthTimeIsThatOfTheSignInAndNotOfTheDecision) {
  auto const signed_in = principal().second_factor_at();
  store.clock.advance(std::chrono::minutes(7));
  auto const reply = fetch(code(asks("")), {{"client_id", "reader"}});
  ASSERT_FALSE(reply.refusal);
  auto const token = codec::parse_jws(reply.body.text_of("id_token")).value();
  auto const claims = codec::parse_json(as_text(token.payload)).value();
  EXPECT_EQ(claims.find("auth_time")->number_text(), std::to_string(to_unix_ms(signed_in) / 1'000));
}

TEST_F(SignInAge, F16ASignInThatIsOlderThanTheApplicationTakesIsNotTaken) {
  store.clock.advance(std::chrono::minutes(7));
  auto const allowed = [&](std::string const& max_age) {
    auto const begun = server->begin(asking(asks(max_age)), browser_);
    auto const opened = server->open(server->seal(*begun.request).value(), browser_).value().request;
    return server->allow(opened, principal(), {opened.scopes, "p1"}).has_value();
  };
  EXPECT_TRUE(allowed(""));
  EXPECT_TRUE(allowed("420"));
  EXPECT_FALSE(allowed("60"));
  EXPECT_FALSE(allowed("0"));
  EXPECT_TRUE(allowed("4294967295"));
  // How long he decides about it makes it no older.
  auto const begun = server->begin(asking(asks("420")), browser_);
  store.clock.advance(std::chrono::minutes(2));
  EXPECT_TRUE(server->allow(*begun.request, principal(), {begun.request->scopes, "p1"}).has_value());
  for (auto const* text : {"soon", "-1", "1.5", "4294967296", "60 "})
    EXPECT_EQ(server->begin(asking(asks(text)), browser_).refusal->error, OAuthError::kInvalidRequest)
        << text;
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

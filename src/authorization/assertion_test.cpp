#include "authorization/assertion.hpp"

#include <gtest/gtest.h>

#include "authorization/server_testing.hpp"

namespace tacenda::authorization {
namespace {

using namespace std::chrono_literals;
using testing::TestKey;

class AssertionTest : public testing::ServerTest {
 protected:
  AssertionTest() { add_service("lab", key.jwks("k1")); }

  Result<Assertion> check(std::string const& text) {
    return check_assertion(server->clients(), registered_key, text, testing::kTokenEndpoint,
                           store.clock.now());
  }
  bool takes(std::string const& text) { return check(text).has_value(); }
  bool takes_claims(std::map<std::string, std::string> const& changes) {
    return takes(key.jws(kHeader, claims(changes)));
  }
};

TEST_F(AssertionTest, F12OfRs384AndOfEs384IsTaken) {
  EXPECT_TRUE(takes(key.jws(kHeader, claims())));
  auto const ec = TestKey::ec();
  add_service("edge", ec.jwks("e1"));
  auto const checked = check(ec.jws(R"({"alg":"ES384","kid":"e1","typ":"jwt"})",
                                    claims({{"iss", R"("edge")"}, {"sub", R"("edge")"}})));
  ASSERT_TRUE(checked.has_value()) << checked.error().message();
  EXPECT_EQ(checked->client->id, "edge");
}

TEST_F(AssertionTest, F12WithoutASignatureIsRefused) {
  auto const payload = claims();
  for (auto const* algorithm : {"none", "None", "NONE", "nOnE"}) {
    std::string const header = R"({"alg":")" + std::string(algorithm) + R"(","kid":"k1","typ":"JWT"})";
    EXPECT_FALSE(takes(TestKey::unsigned_jws(header, payload) + ".")) << algorithm;
    EXPECT_FALSE(takes(key.jws(header, payload))) << algorithm;
  }
  EXPECT_FALSE(takes(TestKey::unsigned_jws(kHeader, payload) + "."));
  EXPECT_FALSE(takes(TestKey::unsigned_jws(kHeader, payload)));
}

// The public key is no secret: who takes it for one of an HMAC lets everybody in.
TEST_F(AssertionTest, F12AnHmacUnderThePublicKeyIsRefused) {
  for (auto const* algorithm : {"HS384", "RS384"}) {
    auto const text = TestKey::unsigned_jws(
        R"({"alg":")" + std::string(algorithm) + R"(","kid":"k1","typ":"JWT"})", claims());
    for (auto const& secret : {key.public_der(), to_bytes(key.jwks("k1"))})
      EXPECT_FALSE(takes(text + "." + codec::base64url_encode(testing::hmac_sha384(secret, text))));
  }
}

TEST_F(AssertionTest, F12TheAlgorithmIsThatOfTheRegistration) {
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS256","kid":"k1","typ":"JWT"})", claims(), "SHA256")));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS512","kid":"k1","typ":"JWT"})", claims(), "SHA512")));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"ES384","kid":"k1","typ":"JWT"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"PS384","kid":"k1","typ":"JWT"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"rs384","kid":"k1","typ":"JWT"})", claims())));
  // The header says RS384 and another digest was signed.
  EXPECT_FALSE(takes(key.jws(kHeader, claims(), "SHA256")));
}

TEST_F(AssertionTest, F12AForeignKeyIsRefusedWhateverItSays) {
  auto const foreign = TestKey::rsa();
  EXPECT_FALSE(takes(foreign.jws(kHeader, claims())));
  // One that is registered, but for somebody else.
  add_service("other", foreign.jwks("k1"));
  EXPECT_FALSE(takes(foreign.jws(kHeader, claims())));
  EXPECT_TRUE(takes(foreign.jws(kHeader, claims({{"iss", R"("other")"}, {"sub", R"("other")"}}))));
  // One that it brings along.
  auto const jwk = codec::write_json(foreign.jwk("k1"));
  EXPECT_FALSE(takes(foreign.jws(R"({"alg":"RS384","kid":"k1","typ":"JWT","jwk":)" + jwk + "}", claims())));
  for (auto const* name : {"jku", "x5u", "x5c", "jwk"}) {
    std::string const header =
        R"({"alg":"RS384","kid":"k1","typ":"JWT",")" + std::string(name) + R"(":"https://evil.example/k"})";
    EXPECT_FALSE(takes(key.jws(header, claims()))) << name;
  }
}

TEST_F(AssertionTest, F12TheHeaderNamesARegisteredKey) {
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","typ":"JWT"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","kid":"k2","typ":"JWT"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","kid":"../k1","typ":"JWT"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","kid":"k1"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","kid":"k1","typ":"at+jwt"})", claims())));
  EXPECT_FALSE(takes(key.jws(R"({"alg":"RS384","kid":"k1","typ":"JWT","crit":["exp"]})", claims())));
}

TEST_F(AssertionTest, F12WhatIsSignedCannotBeChanged) {
  auto const text = key.jws(kHeader, claims());
  for (std::size_t at = 0; at < text.size(); at += 7) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(takes(changed)) << at;
  }
  auto const signature = text.substr(text.rfind('.'));
  EXPECT_FALSE(takes(TestKey::unsigned_jws(kHeader, claims({{"jti", R"("other")"}})) + signature));
}

TEST_F(AssertionTest, F12TheAudienceIsTheTokenEndpointAndNothingElse) {
  for (auto const* audience :
       {R"("https://records.example.org")", R"("https://records.example.org/oauth/token/")",
        R"("https://records.example.org/oauth/token?x")", R"("https://RECORDS.example.org/oauth/token")",
        R"("http://records.example.org/oauth/token")", R"("https://evil.example/oauth/token")", R"("")", "1",
        "null", "{}", "[]", R"(["https://evil.example/oauth/token"])",
        R"(["https://records.example.org/oauth/token","https://evil.example/oauth/token"])", ""}) {
    EXPECT_FALSE(takes_claims({{"aud", audience}})) << audience;
  }
  EXPECT_TRUE(takes_claims({{"aud", R"(["https://records.example.org/oauth/token"])"}}));
}

TEST_F(AssertionTest, F12ItsTimeIsNowAndShort) {
  auto const at = [&](std::chrono::seconds ahead) { return std::to_string(seconds(ahead)); };
  EXPECT_TRUE(takes_claims({{"exp", at(300s)}}));
  EXPECT_TRUE(takes_claims({{"exp", at(330s)}}));
  EXPECT_FALSE(takes_claims({{"exp", at(331s)}}));
  EXPECT_FALSE(takes_claims({{"exp", at(24h)}}));
  EXPECT_TRUE(takes_claims({{"exp", at(-29s)}}));
  EXPECT_FALSE(takes_claims({{"exp", at(-30s)}}));
  EXPECT_FALSE(takes_claims({{"exp", ""}}));
  for (auto const* text : {R"("1800000000")", "true", "null", "-1", "1e30", "99999999999999999999",
                           "9223372036854775807", "[1800000000]"}) {
    EXPECT_FALSE(takes_claims({{"exp", text}})) << text;
  }
  EXPECT_TRUE(takes_claims({{"exp", at(60s) + ".5"}}));
  for (auto const* name : {"nbf", "iat"}) {
    EXPECT_TRUE(takes_claims({{name, at(30s)}}));
    EXPECT_FALSE(takes_claims({{name, at(31s)}})) << name;
    EXPECT_FALSE(takes_claims({{name, R"("soon")"}})) << name;
  }
}

TEST_F(AssertionTest, F12IssuerAndSubjectAreTheClient) {
  EXPECT_FALSE(takes_claims({{"iss", R"("other")"}}));
  EXPECT_FALSE(takes_claims({{"sub", R"("other")"}}));
  EXPECT_FALSE(takes_claims({{"iss", ""}}));
  EXPECT_FALSE(takes_claims({{"sub", ""}}));
  EXPECT_FALSE(takes_claims({{"iss", R"("nobody")"}, {"sub", R"("nobody")"}}));
  EXPECT_FALSE(takes_claims({{"iss", "1"}, {"sub", "1"}}));
  EXPECT_FALSE(takes_claims({{"jti", ""}}));
  EXPECT_FALSE(takes_claims({{"jti", R"("")"}}));
  EXPECT_FALSE(takes_claims({{"jti", "7"}}));
  EXPECT_FALSE(takes_claims({{"jti", '"' + std::string(257, 'a') + '"'}}));
  // A claim twice: which one counts?
  auto twice = claims();
  twice.insert(1, R"("aud":"https://evil.example/oauth/token",)");
  EXPECT_FALSE(takes(key.jws(kHeader, twice)));
}

TEST_F(AssertionTest, F12ADisabledClientIsRefusedAndSoIsAnEndedKey) {
  auto const next = TestKey::rsa();
  auto changed = server->clients().replace_keys("lab", {next.jwks("k2"), ""});
  expect_committed(changed);
  EXPECT_FALSE(takes(key.jws(kHeader, claims())));
  EXPECT_TRUE(takes(next.jws(R"({"alg":"RS384","kid":"k2","typ":"JWT"})", claims())));
  auto disabled = server->clients().disable("lab");
  EXPECT_FALSE(takes(next.jws(R"({"alg":"RS384","kid":"k2","typ":"JWT"})", claims())));
  expect_committed(disabled);
}

TEST_F(AssertionTest, AnybodyMayHearWhatIsWrongWithItsTimeAndNobodyWhoExists) {
  EXPECT_EQ(check(key.jws(kHeader, claims({{"exp", "1"}}))).error().kind(), ErrorKind::kInvalid);
  auto const unknown =
      check(key.jws(kHeader, claims({{"iss", R"("nobody")"}, {"sub", R"("nobody")"}}))).error().kind();
  EXPECT_EQ(unknown, ErrorKind::kUnauthenticated);
  EXPECT_EQ(check(TestKey::rsa().jws(kHeader, claims())).error().kind(), unknown);
}

}  // namespace
}  // namespace tacenda::authorization

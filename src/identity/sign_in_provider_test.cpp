#include "identity/sign_in_provider.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "codec/jose.hpp"
#include "codec/text.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/web_signature.hpp"

namespace tacenda::identity {
namespace {

using codec::Json;

constexpr char kIssuer[] = "https://login.example.org";
constexpr char kClient[] = "tacenda";

Json texts(std::initializer_list<std::string_view> items) {
  Json list = Json::array();
  for (auto const item : items) list.push(Json::string(item));
  return list;
}

/// A provider whose every word the test chooses. The real one is in tests/openid.
class SignInProviderTest : public ::testing::Test {
 protected:
  SignInProviderTest() : signer(crypto::RsaSigner::generate().value()) {
    ProviderSettings settings{.issuer = kIssuer,
                              .client_id = kClient,
                              .client_secret = SecretBuffer(as_bytes(std::string_view("s+e c%"))),
                              .hosts = {"keys.example.org"},
                              .account_claim = "oid",
                              .factor_acr = {"urn:mfa"},
                              .factor_amr = {"mfa", "hwk"}};
    provider =
        SignInProvider::create(
            std::move(settings), [this](ProviderCall const& call) { return answer(call); }, clock, random)
            .value();
    provider->serve("https://records.example.org");
    metadata.set("issuer", Json::string(kIssuer));
    metadata.set("authorization_endpoint", Json::string("https://login.example.org/auth"));
    metadata.set("token_endpoint", Json::string("https://login.example.org/token"));
    metadata.set("jwks_uri", Json::string("https://keys.example.org/jwks"));
    metadata.set("authorization_response_iss_parameter_supported", Json::boolean(true));
  }

  Result<ProviderAnswer> answer(ProviderCall const& call) {
    ++calls[call.url];
    if (is_down) return fail(ErrorKind::kUnavailable, "connection refused");
    if (call.url == "https://login.example.org/.well-known/openid-configuration")
      return ProviderAnswer{200, codec::write_json(metadata)};
    if (call.url == "https://keys.example.org/jwks") return ProviderAnswer{200, jwks()};
    last = call;
    if (meanwhile) meanwhile();
    Json body = Json::object();
    body.set("id_token", Json::string(token));
    return ProviderAnswer{token_status, codec::write_json(body)};
  }
  std::string jwks() const {
    Json key = Json::object();
    key.set("kty", Json::string("RSA"));
    key.set("kid", Json::string(key_id));
    key.set("use", Json::string("sig"));
    key.set("n", Json::string(codec::base64url_encode(signer.modulus())));
    key.set("e", Json::string(codec::base64url_encode(signer.exponent())));
    Json keys = Json::array();
    keys.push(std::move(key));
    Json set = Json::object();
    set.set("keys", std::move(keys));
    return codec::write_json(set);
  }

  static std::string parameter(std::string const& url, std::string_view name) {
    auto const query = codec::parse_query(url.substr(url.find('?') + 1)).value();
    for (auto const& [key, value] : query) {
      if (key == name) return value;
    }
    return {};
  }
  SignInProvider::Begun begin(std::optional<std::chrono::seconds> max_age = std::nullopt) {
    auto begun = provider->begin("192.0.2.1", {}, max_age);
    EXPECT_TRUE(begun.has_value()) << (begun ? "" : begun.error().message());
    return begun.value_or(SignInProvider::Begun{});
  }
  std::int64_t now_seconds() const { return static_cast<std::int64_t>(to_unix_ms(clock.now()) / 1'000); }
  /// Claims that hold, for this sign-in.
  Json claims(SignInProvider::Begun const& begun) const {
    Json json = Json::object();
    json.set("iss", Json::string(kIssuer));
    json.set("sub", Json::string("s1"));
    json.set("oid", Json::string("e1"));
    json.set("aud", Json::string(kClient));
    json.set("nonce", Json::string(parameter(begun.url, "nonce")));
    json.set("exp", Json::number(now_seconds() + 300));
    json.set("iat", Json::number(now_seconds()));
    json.set("auth_time", Json::number(now_seconds() - 30));
    json.set("amr", texts({"pwd", "mfa"}));
    return json;
  }
  std::string signed_by(crypto::RsaSigner const& key, std::string_view kid, Json const& payload,
                        std::string_view algorithm = "RS256") const {
    Json header = Json::object();
    header.set("alg", Json::string(algorithm));
    if (!kid.empty()) header.set("kid", Json::string(kid));
    auto const input = codec::jws_signing_input(header, as_bytes(codec::write_json(payload)));
    return input + "." + codec::base64url_encode(key.sign(as_bytes(input)).value());
  }
  Result<Asserted> finish(SignInProvider::Begun const& begun, std::string_view issuer = kIssuer) {
    auto const state = parameter(begun.url, "state");
    return provider->finish({begun.browser, state, "code", issuer}, "192.0.2.1");
  }
  /// What a sign-in comes to when the provider says these claims.
  Result<Asserted> with(std::string_view name, std::optional<Json> value) {
    auto const begun = begin();
    auto said = claims(begun);
    if (value) {
      said.set(name, std::move(*value));
    } else {
      said.remove(name);
    }
    token = signed_by(signer, key_id, said);
    return finish(begun);
  }
  ErrorKind refusal(std::string_view name, std::optional<Json> value) {
    auto const asserted = with(name, std::move(value));
    EXPECT_FALSE(asserted.has_value()) << name;
    return asserted.has_value() ? ErrorKind::kBug : asserted.error().kind();
  }

  ManualClock clock{from_unix_ms(1'790'000'000'000)};
  crypto::SystemRandom random;
  crypto::RsaSigner signer;
  std::string key_id = "k1";
  Json metadata = Json::object();
  std::string token;
  std::uint16_t token_status = 200;
  bool is_down = false;
  std::function<void()> meanwhile;  // while the provider is asked for a token
  ProviderCall last;
  std::map<std::string, int> calls;
  std::unique_ptr<SignInProvider> provider;
};

TEST_F(SignInProviderTest, SendsTheBrowserWithStateNonceAndChallenge) {
  auto const begun = begin();
  EXPECT_TRUE(begun.url.starts_with("https://login.example.org/auth?"));
  EXPECT_EQ(parameter(begun.url, "response_type"), "code");
  EXPECT_EQ(parameter(begun.url, "client_id"), kClient);
  EXPECT_EQ(parameter(begun.url, "redirect_uri"), "https://records.example.org/auth/openid/callback");
  EXPECT_EQ(parameter(begun.url, "code_challenge_method"), "S256");
  EXPECT_EQ(parameter(begun.url, "acr_values"), "urn:mfa");
  EXPECT_FALSE(begun.url.contains(begun.browser));
  EXPECT_EQ(parameter(begun.url, "max_age"), "43200");
  EXPECT_EQ(parameter(begin(std::chrono::seconds(60)).url, "max_age"), "60");
  EXPECT_EQ(parameter(begin(std::chrono::hours(24)).url, "max_age"), "43200")
      << "no older than it ever may be";
  auto const other = begin();
  for (auto const* name : {"state", "nonce", "code_challenge"})
    EXPECT_NE(parameter(begun.url, name), parameter(other.url, name)) << name;
}

TEST_F(SignInProviderTest, TakesWhoTheProviderSaysWithTheVerifierOfTheChallenge) {
  auto const begun = begin();
  token = signed_by(signer, "k1", claims(begun));
  auto const asserted = finish(begun);
  ASSERT_TRUE(asserted.has_value()) << asserted.error().message();
  EXPECT_EQ(asserted->issuer, kIssuer);
  EXPECT_EQ(asserted->subject, "s1");
  EXPECT_EQ(asserted->account, "e1");
  EXPECT_EQ(asserted->authenticated, clock.now() - std::chrono::seconds(30));
  EXPECT_EQ(last.authorization,
            "Basic " + codec::base64_encode(as_bytes(std::string_view("tacenda:s%2Be%20c%25"))));
  auto const verifier = parameter("?" + last.form, "code_verifier");
  EXPECT_EQ(codec::base64url_encode(crypto::sha256(as_bytes(verifier))),
            parameter(begun.url, "code_challenge"));
  EXPECT_EQ(parameter("?" + last.form, "redirect_uri"), "https://records.example.org/auth/openid/callback");
}

TEST_F(SignInProviderTest, AStateIsGoodOnceForItsBrowserAndNotForLong) {
  auto const begun = begin();
  token = signed_by(signer, "k1", claims(begun));
  auto const other = begin();
  EXPECT_EQ(provider->finish({other.browser, parameter(begun.url, "state"), "code", kIssuer}, "192.0.2.1")
                .error()
                .kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(provider->finish({begun.browser, "AAAA", "code", kIssuer}, "192.0.2.1").error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(provider->finish({begun.browser, "", "code", kIssuer}, "192.0.2.1").error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(provider->finish({begun.browser, parameter(begun.url, "state"), "", kIssuer}, "192.0.2.1")
                .error()
                .kind(),
            ErrorKind::kInvalid);
  EXPECT_TRUE(last.url.empty()) << "the provider is not asked for what nobody began";
  EXPECT_TRUE(finish(begun).has_value());
  EXPECT_EQ(finish(begun).error().kind(), ErrorKind::kInvalid);
  clock.advance(std::chrono::minutes(6));
  EXPECT_EQ(finish(other).error().kind(), ErrorKind::kInvalid);
}

TEST_F(SignInProviderTest, AnAnswerOfAnotherIssuerIsRefused) {
  for (auto const* issuer : {"https://evil.example.org", "https://login.example.org/", ""}) {
    auto const begun = begin();
    token = signed_by(signer, "k1", claims(begun));
    EXPECT_EQ(finish(begun, issuer).error().kind(), ErrorKind::kUnauthenticated) << issuer;
  }
  EXPECT_TRUE(last.url.empty()) << "no code is shown to anybody";
}

TEST_F(SignInProviderTest, HoldsEveryClaim) {
  using K = ErrorKind;
  EXPECT_TRUE(with("name", Json::string("Ada")).has_value());
  EXPECT_EQ(refusal("iss", Json::string("https://login.example.org/")), K::kUnauthenticated);
  EXPECT_EQ(refusal("iss", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("aud", Json::string("another")), K::kUnauthenticated);
  EXPECT_EQ(refusal("aud", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("aud", texts({kClient, "another"})), K::kUnauthenticated);
  EXPECT_EQ(refusal("aud", texts({})), K::kUnauthenticated);
  EXPECT_TRUE(with("aud", texts({kClient})).has_value());
  EXPECT_EQ(refusal("azp", Json::string("another")), K::kUnauthenticated);
  EXPECT_EQ(refusal("azp", Json::number(7)), K::kUnauthenticated);
  EXPECT_TRUE(with("azp", Json::string(kClient)).has_value());
  EXPECT_EQ(refusal("nonce", Json::string("another")), K::kUnauthenticated);
  EXPECT_EQ(refusal("nonce", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("exp", Json::number(now_seconds() - 61)), K::kUnauthenticated);
  EXPECT_EQ(refusal("exp", Json::string("never")), K::kUnauthenticated);
  EXPECT_EQ(refusal("exp", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("iat", Json::number(now_seconds() + 120)), K::kUnauthenticated);
  EXPECT_EQ(refusal("iat", Json::number(now_seconds() - 700)), K::kUnauthenticated);
  EXPECT_EQ(refusal("iat", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("sub", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("sub", Json::string("")), K::kUnauthenticated);
  EXPECT_EQ(refusal("sub", Json::string(std::string(256, 's'))), K::kUnauthenticated);
  EXPECT_EQ(refusal("auth_time", std::nullopt), K::kUnauthenticated);
  EXPECT_EQ(refusal("auth_time", Json::number(now_seconds() - 13 * 3600)), K::kUnauthenticated);
  EXPECT_EQ(refusal("auth_time", Json::number(now_seconds() + 600)), K::kUnauthenticated);
}

TEST_F(SignInProviderTest, ASecondFactorMustHaveBeenShownThatCounts) {
  EXPECT_EQ(refusal("amr", texts({"pwd"})), ErrorKind::kUnauthenticated);
  EXPECT_EQ(refusal("amr", std::nullopt), ErrorKind::kUnauthenticated);
  EXPECT_EQ(refusal("amr", Json::string("mfa")), ErrorKind::kUnauthenticated) << "amr is a list";
  EXPECT_TRUE(with("amr", texts({"hwk"})).has_value());
  auto const begun = begin();
  auto said = claims(begun);
  said.remove("amr");
  said.set("acr", Json::string("urn:mfa"));
  token = signed_by(signer, "k1", said);
  EXPECT_TRUE(finish(begun).has_value());
}

TEST_F(SignInProviderTest, TakesNoTokenThatTheProviderDidNotSign) {
  auto const stranger = crypto::RsaSigner::generate().value();
  auto const refused = [&](auto const& make) {
    auto const begun = begin();
    token = make(claims(begun));
    auto const asserted = finish(begun);
    return !asserted.has_value() && asserted.error().kind() == ErrorKind::kUnauthenticated;
  };
  EXPECT_TRUE(refused([&](Json const& said) { return signed_by(stranger, "k1", said); }));
  EXPECT_TRUE(refused([&](Json const& said) { return signed_by(stranger, "k2", said); })) << "an unknown kid";
  EXPECT_TRUE(refused([&](Json const& said) { return signed_by(signer, "k1", said, "RS512"); }));
  EXPECT_TRUE(refused([&](Json const& said) { return signed_by(signer, "k1", said, "ES256"); }));
  EXPECT_TRUE(refused([](Json const& said) {
    Json header = Json::object();
    header.set("alg", Json::string("none"));
    return codec::jws_signing_input(header, as_bytes(codec::write_json(said))) + ".";
  }));
  EXPECT_TRUE(refused([&](Json const& said) {
    // The public key taken for a secret.
    Json header = Json::object();
    header.set("alg", Json::string("HS256"));
    header.set("kid", Json::string("k1"));
    auto const input = codec::jws_signing_input(header, as_bytes(codec::write_json(said)));
    return input + "." + codec::base64url_encode(crypto::Hmac(signer.modulus()).sign({as_bytes(input)}));
  }));
  EXPECT_TRUE(refused([](Json const&) { return std::string("no token"); }));
  EXPECT_TRUE(refused([](Json const&) { return std::string(); }));
  EXPECT_FALSE(refused([&](Json const& said) { return signed_by(signer, "", said); }))
      << "there is one key alone";
}

TEST_F(SignInProviderTest, FollowsNewKeysAndNotMoreOftenThanHalfAMinute) {
  auto begun = begin();
  token = signed_by(signer, "k1", claims(begun));
  ASSERT_TRUE(finish(begun).has_value());
  signer = crypto::RsaSigner::generate().value();
  key_id = "k2";
  begun = begin();
  token = signed_by(signer, "k2", claims(begun));
  EXPECT_FALSE(finish(begun).has_value()) << "asked for a moment ago";
  EXPECT_EQ(calls["https://keys.example.org/jwks"], 1);
  clock.advance(std::chrono::seconds(31));
  begun = begin();
  token = signed_by(signer, "k2", claims(begun));
  EXPECT_TRUE(finish(begun).has_value());
  EXPECT_EQ(calls["https://keys.example.org/jwks"], 2);
  EXPECT_EQ(calls["https://login.example.org/.well-known/openid-configuration"], 1);
}

TEST_F(SignInProviderTest, OneAddressTakesNotAllTurns) {
  std::vector<SignInProvider::Begun> const begun{begin(), begin(), begin(), begin()};
  int waiting = 0;
  std::optional<Error> third;
  std::optional<Error> of_another;
  meanwhile = [&] {
    ++waiting;
    if (waiting == 1) (void)finish(begun[1]);
    if (waiting != 2) return;
    third = finish(begun[2]).error();
    of_another =
        provider
            ->finish({begun[3].browser, parameter(begun[3].url, "state"), "code", kIssuer}, "198.51.100.7")
            .error();
  };
  (void)finish(begun[0]);
  ASSERT_TRUE(third && of_another);
  EXPECT_EQ(third->kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(of_another->kind(), ErrorKind::kUnauthenticated) << "it was asked, and its token does not hold";
  meanwhile = nullptr;
  token = signed_by(signer, key_id, claims(begun[2]));
  EXPECT_TRUE(finish(begun[2]).has_value()) << "who had to wait can try again";
}

TEST_F(SignInProviderTest, AProviderThatIsDownIsToldAndNotAskedAgainAtOnce) {
  is_down = true;
  EXPECT_EQ(provider->begin("192.0.2.1").error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(provider->begin("192.0.2.1").error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(calls["https://login.example.org/.well-known/openid-configuration"], 1);
  is_down = false;
  clock.advance(std::chrono::seconds(6));
  auto const begun = begin();
  is_down = true;
  EXPECT_EQ(finish(begun).error().kind(), ErrorKind::kUnavailable);
}

TEST_F(SignInProviderTest, ACodeThatIsNotTakenIsNobody) {
  auto const begun = begin();
  token_status = 400;
  EXPECT_EQ(finish(begun).error().kind(), ErrorKind::kUnauthenticated);
  auto const other = begin();
  token_status = 503;
  EXPECT_EQ(finish(other).error().kind(), ErrorKind::kUnavailable);
}

TEST_F(SignInProviderTest, WhatTheProviderSaysOfItselfIsHeldToItsIssuerAndHosts) {
  auto const wrong = [&](std::string_view name, std::string_view value) {
    Json const before = metadata;
    metadata.set(name, Json::string(value));
    clock.advance(std::chrono::seconds(6));
    auto const begun = provider->begin("192.0.2.1");
    metadata = before;
    return !begun.has_value() && begun.error().kind() == ErrorKind::kUnavailable;
  };
  EXPECT_TRUE(wrong("issuer", "https://login.example.org/"));
  EXPECT_TRUE(wrong("issuer", "https://evil.example.org"));
  EXPECT_TRUE(wrong("authorization_endpoint", "http://login.example.org/auth"));
  EXPECT_TRUE(wrong("token_endpoint", "https://evil.example.org/token"));
  EXPECT_TRUE(wrong("token_endpoint", "https://login.example.org@evil.example.org/token"));
  EXPECT_TRUE(wrong("token_endpoint", "https://login.example.org\\@evil.example.org/token"));
  EXPECT_TRUE(wrong("jwks_uri", "https://login.example.org.evil.example/jwks"));
  EXPECT_TRUE(wrong("jwks_uri", "https://127.0.0.1/jwks"));
  EXPECT_TRUE(wrong("jwks_uri", ""));
  EXPECT_FALSE(wrong("jwks_uri", "https://keys.example.org:8443/jwks"));
}

}  // namespace
}  // namespace tacenda::identity

// What people allow applications: requests, codes, tokens, refresh tokens and their ends.
#include <gtest/gtest.h>

#include "authorization/people_testing.hpp"
#include "core/application_limits.hpp"
#include "crypto/hash.hpp"
#include "identity/own_account.hpp"

namespace tacenda::authorization {
namespace {

using namespace std::chrono_literals;
using testing::kChallenge;
using testing::kRedirect;
using testing::kVerifier;
using testing::TestKey;
using People = testing::PeopleTest;

TEST_F(People, F03NobodyIsSentWhereTheApplicationIsNot) {
  for (auto const* uri :
       {"https://app.example.org/cb/", "https://app.example.org/cb?x=1", "https://app.example.org/CB",
        "https://app.example.org:444/cb", "https://evil.example/cb", "https://app.example.org/",
        "https://app.example.org/cb#x", ""}) {
    auto const begun = server->begin(asking({{"redirect_uri", uri}}), browser_);
    EXPECT_FALSE(begun.request) << uri;
    EXPECT_TRUE(begun.redirect.empty()) << uri;
  }
  auto const unknown = server->begin(asking({{"client_id", "nobody"}}), browser_);
  EXPECT_FALSE(unknown.client);
  EXPECT_TRUE(unknown.redirect.empty());
  add_service("lab", key.jwks("k1"));
  EXPECT_FALSE(server->begin(asking({{"client_id", "lab"}}), browser_).client);
}

TEST_F(People, F02F04F06F20WhatIsWrongIsToldToTheApplication) {
  struct Row {
    std::map<std::string, std::string> changes;
    std::string_view error;
  };
  std::vector<Row> const rows{
      {{{"code_challenge", ""}}, "invalid_request"},
      {{{"code_challenge", "short"}}, "invalid_request"},
      {{{"code_challenge_method", "plain"}}, "invalid_request"},
      {{{"code_challenge_method", ""}}, "invalid_request"},
      {{{"aud", ""}}, "invalid_request"},
      {{{"aud", "https://evil.example/fhir"}}, "invalid_request"},
      {{{"aud", "https://records.example.org/fhir/"}}, "invalid_request"},
      {{{"response_type", "token"}}, "unsupported_response_type"},
      {{{"response_type", ""}}, "invalid_request"},
      {{{"request_uri", "https://evil.example/r"}}, "invalid_request"},
      {{{"scope", ""}}, "invalid_scope"},
      {{{"scope", "patient/Patient.dus"}}, "invalid_scope"},
      {{{"scope", "system/*.rs"}}, "invalid_scope"},
      {{{"scope", "user/Patient.rs"}}, "invalid_scope"},
      {{{"scope", "offline_access"}}, "invalid_scope"},
  };
  for (auto const& [changes, error] : rows) {
    auto const begun = server->begin(asking(changes), browser_);
    ASSERT_FALSE(begun.request) << error;
    auto const told =
        Form::parse(std::string_view(begun.redirect).substr(begun.redirect.find('?') + 1)).value();
    EXPECT_TRUE(begun.redirect.starts_with(std::string(kRedirect) + "?"));
    EXPECT_EQ(told.of("error"), error) << changes.begin()->first;
    EXPECT_EQ(told.of("state"), "a state");
    EXPECT_FALSE(told.has("code"));
  }
}

TEST_F(People, ARequestIsOfItsBrowserAndItsTime) {
  auto const request = *server->begin(asking(), browser_).request;
  auto const sealed = server->seal(request).value();
  auto const opened = server->open(sealed, browser_);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->request.state, "a state");
  EXPECT_EQ(opened->client->title, "An app");
  EXPECT_FALSE(server->open(sealed, browser_of("another cookie")).has_value());
  EXPECT_FALSE(server->open(sealed, browser_of("")).has_value());
  for (std::size_t at = 0; at < sealed.size(); at += 11) {
    auto changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(server->open(changed, browser_).has_value()) << at;
  }
  EXPECT_FALSE(server->open("", browser_).has_value());
  store.clock.advance(limits::kAuthorizationTime);
  EXPECT_FALSE(server->open(sealed, browser_).has_value());
}

TEST_F(People, ACodeBringsATokenForWhatWasAllowed) {
  auto const reply = fetch(code());
  ASSERT_FALSE(reply.refusal);
  EXPECT_EQ(reply.body.text_of("scope"), "launch/patient offline_access patient/*.rs");
  EXPECT_EQ(reply.body.text_of("patient"), "p1");
  EXPECT_EQ(reply.body.find("expires_in")->number_text(), "900");
  auto const found = directory->authenticate_token(access_of(reply)).value();
  EXPECT_EQ(found.name(), "ada");
  EXPECT_EQ(found.application()->client, "app");
  EXPECT_EQ(found.application()->patient, "p1");
  EXPECT_FALSE(refresh_of(reply).empty());
  // Without a scope that asks for it there is nothing to refresh by.
  EXPECT_TRUE(refresh_of(fetch(code({{"scope", "patient/*.rs"}}))).empty());
}

TEST_F(People, MoreThanWasAskedForIsNeverAllowed) {
  auto const request = *server->begin(asking({{"scope", "patient/Observation.rs"}}), browser_).request;
  auto const scopes = [](char const* text) { return codec::parse_scopes(text).value(); };
  EXPECT_FALSE(server->allow(request, principal(), {scopes("patient/*.rs"), "p1"}).has_value());
  EXPECT_FALSE(server->allow(request, principal(), {scopes("patient/Observation.cruds"), "p1"}).has_value());
  EXPECT_FALSE(server->allow(request, principal(), {{}, "p1"}).has_value());
  EXPECT_FALSE(
      server->allow(request, principal(), {scopes("patient/Observation.rs"), std::nullopt}).has_value());
  EXPECT_TRUE(server->allow(request, principal(), {scopes("patient/Observation.rs"), "p1"}).has_value());
}

TEST_F(People, F05ACodeIsGoodOnceAndItsReuseEndsWhatCameOfIt) {
  auto const shown = code();
  auto const first = fetch(shown);
  ASSERT_TRUE(is_good(access_of(first)));
  auto const again = fetch(shown);
  ASSERT_TRUE(again.refusal);
  EXPECT_EQ(again.refusal->error, OAuthError::kInvalidGrant);
  EXPECT_TRUE(again.reused);
  EXPECT_FALSE(is_good(access_of(first)));
  EXPECT_TRUE(refresh(refresh_of(first)).refusal);
  restart_server();
  EXPECT_FALSE(is_known(access_of(first)));
  EXPECT_TRUE(refresh(refresh_of(first)).refusal);
}

TEST_F(People, F05ACodeThatIsShownTwiceAtOnceBringsNothing) {
  auto const shown = code({{"scope", "patient/*.rs offline_access"}});
  auto const fields = form({{"grant_type", "authorization_code"},
                            {"client_id", "app"},
                            {"redirect_uri", kRedirect},
                            {"code_verifier", kVerifier},
                            {"code", shown}});
  auto one = server->token(fields, {""});
  auto two = server->token(fields, {""});
  EXPECT_FALSE(one.refusal);
  EXPECT_TRUE(two.refusal && two.reused);
  EXPECT_TRUE(commit(two.pending).has_value());
  EXPECT_FALSE(commit(one.pending).has_value());
  EXPECT_FALSE(is_known(access_of(one)));
  EXPECT_TRUE(refresh(refresh_of(one)).refusal);
}

TEST_F(People, F05ACodeLivesAMinute) {
  auto const shown = code();
  store.clock.advance(limits::kCodeLife);
  EXPECT_EQ(fetch(shown).refusal->error, OAuthError::kInvalidGrant);
  auto const other = code();
  restart_server();
  EXPECT_EQ(fetch(other).refusal->error, OAuthError::kInvalidGrant);
}

TEST_F(People, W03CodesOfOnePersonLeaveRoomForThoseOfOthers) {
  auto const request = *server->begin(asking(), browser_).request;
  auto const allows = [&](identity::Principal const& who) {
    auto const location = server->allow(request, who, {request.scopes, "p1"});
    return location.has_value() ? std::nullopt : std::optional(location.error().kind());
  };
  for (std::size_t i = 0; i < limits::kCodesPerUser; ++i) ASSERT_EQ(allows(principal()), std::nullopt);
  EXPECT_EQ(allows(principal()), ErrorKind::kThrottled);
  auto const secret = person("bob");
  EXPECT_EQ(allows(directory->authenticate_token(login("bob", secret)).value()), std::nullopt);
  // Those that nobody fetched are forgotten when they are good no more.
  store.clock.advance(limits::kCodeLife);
  EXPECT_EQ(allows(principal()), std::nullopt);
}

TEST_F(People, F02F05ACodeIsOfItsClientItsAddressAndItsVerifier) {
  add_app("other");
  auto const refused = [&](std::map<std::string, std::string> const& changes) {
    auto const shown = code();
    bool const is_refused = fetch(shown, changes).refusal.has_value();
    // Whatever was wrong with it, it is used up.
    EXPECT_TRUE(fetch(shown).refusal.has_value());
    return is_refused;
  };
  EXPECT_TRUE(refused({{"client_id", "other"}}));
  EXPECT_TRUE(refused({{"redirect_uri", "https://app.example.org/other"}}));
  EXPECT_TRUE(refused({{"redirect_uri", ""}}));
  EXPECT_TRUE(refused({{"code_verifier", ""}}));
  EXPECT_TRUE(refused({{"code_verifier", kChallenge}}));  // as if it were "plain"
  EXPECT_TRUE(refused({{"code_verifier", std::string(kVerifier) + "x"}}));
  EXPECT_FALSE(refused({}));
}

TEST_F(People, AnApplicationWithAKeyShowsIt) {
  add_app("strong", key.jwks("k1"));
  auto const shown = [&] { return code({{"client_id", "strong"}}); };
  EXPECT_EQ(fetch(shown(), {{"client_id", "strong"}}).refusal->error, OAuthError::kInvalidClient);
  auto const signed_claims = key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
  std::map<std::string, std::string> const with_key{
      {"client_id", "strong"},
      {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
      {"client_assertion", signed_claims}};
  EXPECT_FALSE(fetch(shown(), with_key).refusal);
  // The assertion of one is no key to the code of another.
  auto other = with_key;
  other["client_assertion"] = key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
  other["client_id"] = "";
  EXPECT_TRUE(fetch(code(), other).refusal);
}

TEST_F(People, F12ACodeThatBringsNothingUsesItsAssertionUp) {
  add_app("strong", key.jwks("k1"));
  for (std::size_t i = 0; i < limits::kGrantsPerUser; ++i) {
    if (i % limits::kCodesPerUser == 0) {
      store.clock.advance(limits::kCodeMemory);
      session_ = login("ada", secret_);
    }
    ASSERT_FALSE(fetch(code()).refusal) << i;
  }
  store.clock.advance(limits::kCodeMemory);
  session_ = login("ada", secret_);
  auto const signed_claims = key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
  std::map<std::string, std::string> const with_key{
      {"client_id", "strong"},
      {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
      {"client_assertion", signed_claims}};
  auto const refused = fetch(code({{"client_id", "strong"}}), with_key);
  ASSERT_TRUE(refused.refusal);
  EXPECT_EQ(refused.refusal->error, OAuthError::kInvalidGrant);
  EXPECT_TRUE(access_of(refused).empty());
  restart_server();
  EXPECT_EQ(fetch("any", with_key).refusal->error, OAuthError::kInvalidClient) << "it was used before";
}

TEST_F(People, F11ARefreshTokenIsGoodOnceAndItsReuseEndsTheFamily) {
  auto const first = fetch(code());
  auto const second = refresh(refresh_of(first));
  ASSERT_FALSE(second.refusal);
  EXPECT_NE(refresh_of(second), refresh_of(first));
  EXPECT_TRUE(is_good(access_of(second)));
  EXPECT_EQ(second.body.text_of("patient"), "p1");
  restart_server();
  auto const third = refresh(refresh_of(second));
  ASSERT_FALSE(third.refusal);
  auto const stolen = refresh(refresh_of(first));
  EXPECT_EQ(stolen.refusal->error, OAuthError::kInvalidGrant);
  EXPECT_TRUE(stolen.reused);
  EXPECT_TRUE(refresh(refresh_of(third)).refusal);
  EXPECT_FALSE(is_good(access_of(third)));
  EXPECT_FALSE(is_good(access_of(first)));
}

TEST_F(People, F11APublicClientNeedNotSayWhoItIsAndOneWithAKeyMust) {
  EXPECT_FALSE(refresh(refresh_of(fetch(code())), {{"client_id", ""}}).refusal);
  add_app("strong", key.jwks("k1"));
  auto const assertion = [&] {
    return key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
  };
  std::string const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
  auto const first =
      fetch(code({{"client_id", "strong"}}),
            {{"client_id", "strong"}, {"client_assertion_type", type}, {"client_assertion", assertion()}});
  EXPECT_EQ(refresh(refresh_of(first), {{"client_id", ""}}).refusal->error, OAuthError::kInvalidClient);
  EXPECT_EQ(refresh(refresh_of(first), {{"client_id", "strong"}}).refusal->error, OAuthError::kInvalidClient);
  EXPECT_FALSE(
      refresh(refresh_of(first),
              {{"client_id", ""}, {"client_assertion_type", type}, {"client_assertion", assertion()}})
          .refusal);
}

TEST_F(People, F11OfTwoAtOnceOneIsAReuse) {
  auto const first = fetch(code());
  auto const fields =
      form({{"grant_type", "refresh_token"}, {"client_id", "app"}, {"refresh_token", refresh_of(first)}});
  auto one = server->token(fields, {""});
  auto two = server->token(fields, {""});
  EXPECT_FALSE(one.refusal);
  EXPECT_TRUE(two.refusal && two.reused);
  EXPECT_TRUE(commit(two.pending).has_value());
  EXPECT_FALSE(commit(one.pending).has_value());  // ended meanwhile
  EXPECT_FALSE(is_good(access_of(one)));
}

TEST_F(People, F11ScopesOnlyShrink) {
  auto const first = fetch(code());
  auto const narrow = refresh(refresh_of(first), {{"scope", "patient/Observation.rs"}});
  EXPECT_EQ(narrow.body.text_of("scope"), "patient/Observation.rs");
  EXPECT_EQ(refresh(refresh_of(narrow), {{"scope", "user/Observation.rs"}}).refusal->error,
            OAuthError::kInvalidScope);
  EXPECT_EQ(refresh(refresh_of(narrow)).body.text_of("scope"), "launch/patient offline_access patient/*.rs");
}

TEST_F(People, F11ForgedRefreshTokensEndNothing) {
  auto const first = fetch(code());
  auto const token = refresh_of(first);
  for (std::size_t at = 0; at < token.size(); ++at) {
    auto forged = token;
    forged[at] = forged[at] == 'A' ? 'B' : 'A';
    EXPECT_TRUE(refresh(forged).refusal) << at;
    EXPECT_FALSE(refresh(forged).reused) << at;
  }
  EXPECT_TRUE(refresh("").refusal);
  EXPECT_TRUE(refresh(access_of(first)).refusal);
  add_app("other");
  EXPECT_TRUE(refresh(token, {{"client_id", "other"}}).refusal);
  EXPECT_FALSE(refresh(token).refusal);
}

TEST_F(People, O19ARefreshTokenLastsThreeMonthsAndNotForEver) {
  auto last = refresh_of(fetch(code()));
  for (int i = 0; i < 4; ++i) {
    store.clock.advance(24h * 95);
    auto const reply = refresh(last);
    ASSERT_FALSE(reply.refusal) << i;
    last = refresh_of(reply);
  }
  store.clock.advance(24h * 30);
  EXPECT_TRUE(refresh(last).refusal);  // 410 days after he allowed it
}

TEST_F(People, S11WhatEndsAPersonsSessionsEndsItsApplications) {
  auto const first = fetch(code());
  auto disabled = directory->disable_user("ada");
  EXPECT_FALSE(is_known(access_of(first)));
  expect_committed(disabled);
  EXPECT_EQ(refresh(refresh_of(first)).refusal->error, OAuthError::kInvalidGrant);
}

TEST_F(People, K06ANewPasswordEndsItsApplications) {
  auto const first = fetch(code());
  auto const unused = code();
  store.clock.advance(30s);
  auto const me = directory->authenticate_token(session_).value();
  SecretBuffer const present(as_bytes(identity::testing::kPassword));
  SecretBuffer const chosen(as_bytes("another horse battery staple"));
  auto attempt = identity::OwnAccount(*directory)
                     .change_password(me, {present, {code_of(secret_)}, chosen, identity::testing::kHome});
  ASSERT_TRUE(attempt.has_value() && attempt->principal);
  ASSERT_TRUE(commit(attempt->pending).has_value());
  EXPECT_FALSE(is_known(access_of(first)));
  EXPECT_TRUE(refresh(refresh_of(first)).refusal);
  EXPECT_TRUE(fetch(unused).refusal);
}

TEST_F(People, DisablingAClientEndsItsGrants) {
  auto const first = fetch(code());
  auto disabled = server->clients().disable("app");
  expect_committed(disabled);
  EXPECT_FALSE(is_good(access_of(first)));
  EXPECT_EQ(refresh(refresh_of(first)).refusal->error, OAuthError::kInvalidClient);
  EXPECT_FALSE(server->begin(asking(), browser_).client);
}

TEST_F(People, F15RevocationEndsTheTokenOrAllThatCameOfTheGrant) {
  auto const first = fetch(code());
  add_app("other");
  EXPECT_FALSE(revoke(access_of(first), "other").refusal);  // no error, and nothing happens
  EXPECT_FALSE(revoke(refresh_of(first), "other").refusal);
  EXPECT_TRUE(is_good(access_of(first)));
  EXPECT_FALSE(revoke("nonsense").refusal);
  EXPECT_EQ(revoke(access_of(first), "nobody").refusal->error, OAuthError::kInvalidClient);
  revoke(access_of(first));
  EXPECT_FALSE(is_known(access_of(first)));
  auto const second = refresh(refresh_of(first));
  EXPECT_FALSE(second.refusal);
  revoke(refresh_of(second));
  EXPECT_FALSE(is_known(access_of(second)));
  EXPECT_TRUE(refresh(refresh_of(second)).refusal);
  EXPECT_TRUE(server->grants().of(principal().id()).empty());
}

TEST_F(People, F14IntrospectionTellsOfAClientsOwnTokensAlone) {
  add_app("strong", key.jwks("k1"));
  auto const introspect = [&](std::string const& token) {
    auto const assertion = key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
    auto reply = server->introspect(
        form({{"token", token},
              {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
              {"client_assertion", assertion}}),
        {""});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return std::move(reply.body);
  };
  auto const shown = code({{"client_id", "strong"}});
  auto const assertion = key.jws(kHeader, claims({{"iss", R"("strong")"}, {"sub", R"("strong")"}}));
  auto const own = access_of(
      fetch(shown, {{"client_id", "strong"},
                    {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                    {"client_assertion", assertion}}));
  auto const answer = introspect(own);
  EXPECT_TRUE(answer.find("active")->as_boolean());
  EXPECT_EQ(answer.text_of("client_id"), "strong");
  EXPECT_EQ(answer.text_of("patient"), "p1");
  EXPECT_EQ(answer.find("exp")->number_text(), std::to_string(seconds(15min)));
  auto const foreign = introspect(access_of(fetch(code())));
  EXPECT_EQ(codec::write_json(foreign), R"({"active":false})");
  EXPECT_EQ(codec::write_json(introspect(session_)), R"({"active":false})");
  EXPECT_EQ(server->introspect(form({{"client_id", "app"}, {"token", own}}), {""}).refusal->error,
            OAuthError::kInvalidClient);
}

TEST_F(People, AGrantIsReadAsItWasWritten) {
  Grant grant(UserId::parse("u").value());
  grant.client = "app";
  grant.account_epoch = 7;
  grant.scopes = codec::parse_scopes("patient/*.rs").value();
  grant.patient = "p1";
  grant.refresh = Grant::Refresh::kOffline;
  grant.generation = 3;
  auto const row = encode_grant(grant);
  auto const read = decode_grant(row);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(equal(encode_grant(*read), row));
  EXPECT_EQ(read->generation, 3U);
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_grant(ByteView(row).first(size)).has_value()) << size;
}

TEST(Redirects, AreMadeOfWhatWasRegistered) {
  EXPECT_EQ(redirect_with("https://a.example/cb", {{"code", "x y"}, {"state", ""}}),
            "https://a.example/cb?code=x%20y");
  EXPECT_EQ(redirect_with("https://a.example/cb?x=1", {{"code", "c"}, {"state", "a&b"}}),
            "https://a.example/cb?x=1&code=c&state=a%26b");
  EXPECT_EQ(policy_source_of("https://a.example:8443/cb?x"), "https://a.example:8443");
  EXPECT_EQ(policy_source_of("http://127.0.0.1:9/cb"), "http://127.0.0.1:9");
  EXPECT_EQ(policy_source_of("com.example.app:/cb"), "com.example.app:");
}

}  // namespace
}  // namespace tacenda::authorization

#include "authorization/server.hpp"

#include <gtest/gtest.h>

#include "authorization/server_testing.hpp"
#include "core/application_limits.hpp"

namespace tacenda::authorization {
namespace {

using namespace std::chrono_literals;
using testing::TestKey;

class TokenEndpoint : public testing::ServerTest {
 protected:
  TokenEndpoint() { add_service("lab", key.jwks("k1")); }

  std::string assertion() { return key.jws(kHeader, claims()); }
  std::optional<OAuthError> refusal(Form const& form) {
    auto const reply = ask(form);
    return reply.refusal ? std::optional(reply.refusal->error) : std::nullopt;
  }
};

TEST_F(TokenEndpoint, F12GivesAShortTokenForTheScopesThatWereRegistered) {
  add_service("narrow", TestKey::ec().jwks("e"), "system/Patient.rs");
  auto const reply = ask(form_of(assertion(), "system/*.read"));
  ASSERT_FALSE(reply.refusal);
  EXPECT_EQ(reply.body.text_of("token_type"), "Bearer");
  EXPECT_EQ(reply.body.find("expires_in")->number_text(), "300");
  EXPECT_EQ(reply.body.text_of("scope"), "system/*.rs");
  EXPECT_EQ(reply.body.find("refresh_token"), nullptr);
  auto const principal = directory->authenticate_token(reply.body.text_of("access_token")).value();
  EXPECT_EQ(principal.name(), "lab");
  EXPECT_EQ(principal.role(), "loader");
  EXPECT_TRUE(principal.is_service());
  EXPECT_EQ(codec::write_scopes(principal.application()->scopes), "system/*.rs");
  EXPECT_EQ(reply.trace.token_id, principal.token_id());
  store.clock.advance(300s);
  EXPECT_FALSE(is_known(reply.body.text_of("access_token")));
}

TEST_F(TokenEndpoint, F12AnAssertionIsGoodOnceAlsoBehindARestart) {
  auto const shown = assertion();
  EXPECT_FALSE(token(shown).empty());
  EXPECT_TRUE(token(shown).empty());
  restart_server();
  EXPECT_TRUE(token(shown).empty());
  EXPECT_FALSE(token(assertion()).empty());
  // As long as it could be taken.
  store.clock.advance(4min + 29s);
  EXPECT_TRUE(token(shown).empty());
}

TEST_F(TokenEndpoint, F12AJtiIsItsClientsOwn) {
  auto const other = TestKey::ec();
  add_service("edge", other.jwks("e"));
  EXPECT_FALSE(token(key.jws(kHeader, claims({{"jti", R"("same")"}}))).empty());
  EXPECT_FALSE(token(other.jws(R"({"alg":"ES384","kid":"e","typ":"JWT"})",
                               claims({{"iss", R"("edge")"}, {"sub", R"("edge")"}, {"jti", R"("same")"}})))
                   .empty());
}

TEST_F(TokenEndpoint, F12ARefusedRequestUsesItsAssertionUp) {
  auto const shown = assertion();
  EXPECT_EQ(refusal(form_of(shown, "system/Nonsense.rs")), OAuthError::kInvalidScope);
  EXPECT_TRUE(token(shown).empty());
  restart_server();
  EXPECT_TRUE(token(shown).empty());
}

TEST_F(TokenEndpoint, F12AForgedAssertionUsesNobodysUp) {
  auto const payload = claims();
  EXPECT_TRUE(token(TestKey::rsa().jws(kHeader, payload)).empty());
  EXPECT_FALSE(token(key.jws(kHeader, payload)).empty());
}

TEST_F(TokenEndpoint, WhatIsRememberedOfAssertionsHasALimitAndAnEnd) {
  UsedAssertions used(*store.vault);
  Time now = store.clock.now();
  for (std::size_t i = 0; i < limits::kAssertionsPerClient; ++i)
    ASSERT_TRUE(used.use("lab", std::to_string(i), now + 1min, now).has_value());
  EXPECT_EQ(used.use("lab", "one more", now + 1min, now).error().kind(), ErrorKind::kThrottled);
  EXPECT_TRUE(used.use("edge", "of another", now + 1min, now).has_value());
  now += 1min + 2 * limits::kAssertionSkew + 1s;
  EXPECT_TRUE(used.use("lab", "one more", now + 1min, now).has_value());
}

TEST_F(TokenEndpoint, NothingThatIsLeftOfAScopeIsAnError) {
  EXPECT_EQ(refusal(form_of(assertion(), "")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "user/*.rs")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "system/Patient.sr")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "system/Patient.rs?name:contains=x")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "system/Patient.rs?_id=x")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "openid")), OAuthError::kInvalidScope);
  EXPECT_EQ(refusal(form_of(assertion(), "system/Observation.rs?category=laboratory")), std::nullopt);
}

TEST_F(TokenEndpoint, F20OtherGrantsAreNotThere) {
  for (auto const* grant : {"password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"}) {
    EXPECT_EQ(refusal(Form::parse("grant_type=" + codec::percent_encode(grant)).value()),
              OAuthError::kUnsupportedGrantType);
  }
  EXPECT_EQ(refusal(Form::parse("").value()), OAuthError::kInvalidRequest);
  EXPECT_EQ(refusal(Form::parse("grant_type=client_credentials&client_id=lab&client_secret=x").value()),
            OAuthError::kInvalidClient);
}

TEST_F(TokenEndpoint, AFormWithAParameterTwiceIsRefused) {
  EXPECT_FALSE(Form::parse("scope=a&scope=b").has_value());
  EXPECT_FALSE(Form::parse("scope=a&%73cope=b").has_value());
  EXPECT_FALSE(Form::parse("scope=%zz").has_value());
  std::string many = "a=1";
  for (std::size_t i = 0; i < limits::kFormFields; ++i) many += "&b" + std::to_string(i) + "=1";
  EXPECT_FALSE(Form::parse(many).has_value());
}

TEST_F(TokenEndpoint, S11DisablingAClientEndsItsTokensAndGivesNoMore) {
  auto const issued = token(assertion());
  ASSERT_TRUE(is_known(issued));
  auto const application = directory->authenticate_token(issued)->application();
  EXPECT_TRUE(server->confirm(*application).has_value());
  auto disabled = server->clients().disable("lab");
  EXPECT_FALSE(is_known(issued));  // before the commit
  EXPECT_FALSE(server->confirm(*application).has_value());
  expect_committed(disabled);
  restart_server();
  EXPECT_FALSE(is_known(issued));
  EXPECT_TRUE(token(assertion()).empty());
  EXPECT_FALSE(server->clients().find("lab")->enabled);
}

TEST_F(TokenEndpoint, S11ATokenUnderWayWhenItsClientEndsIsNotGiven) {
  auto reply = server->token(form_of(assertion()), {identity::testing::kHome});
  ASSERT_FALSE(reply.refusal);
  auto disabled = server->clients().disable("lab");
  expect_committed(disabled);
  EXPECT_EQ(commit(reply.pending).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_FALSE(is_known(reply.body.text_of("access_token")));
}

TEST_F(TokenEndpoint, AnAccountThatIsDisabledEndsItsClientToo) {
  auto disabled = directory->disable_user("lab");
  expect_committed(disabled);
  EXPECT_EQ(refusal(form_of(assertion())), OAuthError::kInvalidClient);
}

TEST_F(TokenEndpoint, S02AClientIdIsNeverGivenTwice) {
  EXPECT_EQ(server->clients()
                .add({"lab", "", Client::Kind::kService, "loader", testing::kScope, {key.jwks("k1"), ""}, {}})
                .error()
                .kind(),
            ErrorKind::kConflict);
  auto disabled = server->clients().disable("lab");
  expect_committed(disabled);
  EXPECT_FALSE(server->clients()
                   .add({"lab", "", Client::Kind::kPublic, "", "patient/*.rs", {}, {"https://a.example/"}})
                   .has_value());
  // Nor is the name of an account, and one that could not be added leaves nothing behind.
  service("taken");
  EXPECT_FALSE(
      server->clients()
          .add({"taken", "", Client::Kind::kService, "loader", testing::kScope, {key.jwks("k1"), ""}, {}})
          .has_value());
  EXPECT_EQ(server->clients().find("taken"), nullptr);
  {
    auto dropped = server->clients().add(
        {"late", "", Client::Kind::kService, "loader", testing::kScope, {key.jwks("k1"), ""}, {}});
  }
  EXPECT_EQ(server->clients().find("late"), nullptr);
  EXPECT_FALSE(directory->find_user("late").has_value());
  add_service("late", key.jwks("k1"));
}

TEST_F(TokenEndpoint, ARegistrationThatCouldNotBeHeldToIsRefused) {
  auto const refused = [&](Clients::Registration registration) {
    return !server->clients().add(registration).has_value();
  };
  using Kind = Client::Kind;
  auto const keys = key.jwks("k1");
  EXPECT_TRUE(refused({"a", "", Kind::kService, "loader", "user/*.rs", {keys, ""}, {}}));
  EXPECT_TRUE(refused({"a", "", Kind::kService, "loader", "system/*.rs openid", {keys, ""}, {}}));
  EXPECT_TRUE(refused({"a", "", Kind::kService, "loader", "", {keys, ""}, {}}));
  EXPECT_TRUE(refused({"a", "", Kind::kService, "loader", "system/*.rs", {}, {}}));
  EXPECT_TRUE(
      refused({"a", "", Kind::kService, "loader", "system/*.rs", {keys, ""}, {"https://a.example/"}}));
  EXPECT_TRUE(refused({"A b", "", Kind::kService, "loader", "system/*.rs", {keys, ""}, {}}));
  EXPECT_TRUE(refused({"a", "", Kind::kPublic, "", "patient/*.rs", {}, {}}));
  EXPECT_TRUE(refused({"a", "", Kind::kPublic, "", "patient/*.rs", {keys, ""}, {"https://a.example/"}}));
  EXPECT_TRUE(refused({"a", "", Kind::kPublic, "", "system/*.rs", {}, {"https://a.example/"}}));
  EXPECT_TRUE(refused({"a", "", Kind::kPublic, "", "patient/*.rs magic", {}, {"https://a.example/"}}));
  EXPECT_TRUE(refused({"a", "two\nlines", Kind::kPublic, "", "patient/*.rs", {}, {"https://a.example/"}}));
  EXPECT_FALSE(refused({"a", "", Kind::kPublic, "", "patient/*.rs", {}, {"https://a.example/"}}));
}

}  // namespace
}  // namespace tacenda::authorization

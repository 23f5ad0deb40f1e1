#pragma once

#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "authorization/server_testing.hpp"

namespace tacenda::authorization::testing {

inline constexpr char kRedirect[] = "https://app.example.org/cb";
inline constexpr char kVerifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636 appendix B
inline constexpr char kChallenge[] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// `app`, an application of people, and `ada`, who is signed in; for tests only.
class PeopleTest : public ServerTest {
 protected:
  PeopleTest() {
    add_app("app");
    secret_ = person("ada");
    session_ = login("ada", secret_);
  }

  void add_app(std::string const& id, std::string const& jwks = "") {
    auto added = server->clients().add(
        {id,
         "An app",
         jwks.empty() ? Client::Kind::kPublic : Client::Kind::kConfidential,
         "",
         "launch/patient patient/*.rs user/Observation.cruds offline_access online_access",
         {jwks, ""},
         {kRedirect, "https://app.example.org/other"}});
    expect_committed(added);
  }

  /// The parameters of a right request; `changes` replace them, and an empty text takes one out.
  static Form asking(std::map<std::string, std::string> const& changes = {}) {
    std::map<std::string, std::string> fields{
        {"response_type", "code"},      {"client_id", "app"},
        {"redirect_uri", kRedirect},    {"scope", "launch/patient patient/*.rs offline_access"},
        {"state", "a state"},           {"aud", "https://records.example.org/fhir"},
        {"code_challenge", kChallenge}, {"code_challenge_method", "S256"}};
    for (auto const& [name, value] : changes) fields.insert_or_assign(name, value);
    return form(fields);
  }
  static Form form(std::map<std::string, std::string> const& fields) {
    std::string text;
    for (auto const& [name, value] : fields) {
      if (!value.empty()) text += name + "=" + codec::percent_encode(value) + "&";
    }
    if (!text.empty()) text.pop_back();
    return Form::parse(text).value();
  }

  identity::Principal principal() { return directory->authenticate_token(session_).value(); }

  /// Ada allows all of it; gives the code.
  std::string code(std::map<std::string, std::string> const& changes = {}) {
    auto const begun = server->begin(asking(changes), browser_);
    EXPECT_TRUE(begun.request) << (begun.refusal ? begun.refusal->description.view() : "");
    auto const location = server->allow(*begun.request, principal(), {begun.request->scopes, "p1"});
    EXPECT_TRUE(location.has_value());
    auto const answered = Form::parse(std::string_view(*location).substr(location->find('?') + 1)).value();
    EXPECT_EQ(answered.of("state"), begun.request->state);
    EXPECT_EQ(answered.of("iss"), kOrigin);
    return std::string(answered.of("code"));
  }
  TokenReply fetch(std::string const& code, std::map<std::string, std::string> const& changes = {}) {
    std::map<std::string, std::string> fields{{"grant_type", "authorization_code"},
                                              {"client_id", "app"},
                                              {"redirect_uri", kRedirect},
                                              {"code_verifier", kVerifier},
                                              {"code", code}};
    for (auto const& [name, value] : changes) fields.insert_or_assign(name, value);
    return ask(form(fields));
  }
  TokenReply refresh(std::string_view token, std::map<std::string, std::string> const& changes = {}) {
    std::map<std::string, std::string> fields{
        {"grant_type", "refresh_token"}, {"client_id", "app"}, {"refresh_token", std::string(token)}};
    for (auto const& [name, value] : changes) fields.insert_or_assign(name, value);
    return ask(form(fields));
  }
  TokenReply revoke(std::string_view token, std::string const& client = "app") {
    auto reply = server->revoke(form({{"client_id", client}, {"token", std::string(token)}}), {""});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  }
  static std::string access_of(TokenReply const& reply) {
    return std::string(reply.body.text_of("access_token"));
  }
  static std::string refresh_of(TokenReply const& reply) {
    return std::string(reply.body.text_of("refresh_token"));
  }
  /// May something be done with it now?
  bool is_good(std::string const& token) {
    auto const found = directory->authenticate_token(token);
    return found.has_value() && server->confirm(*found->application()).has_value();
  }

  SecretBuffer secret_;
  std::string session_;
  Digest const browser_ = browser_of("a cookie");
};

}  // namespace tacenda::authorization::testing

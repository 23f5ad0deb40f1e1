// Clients that are known by a certificate, and tokens that are bound to one (RFC 8705).
#include <gtest/gtest.h>

#include "authorization/people_testing.hpp"

namespace tacenda::authorization {
namespace {

using testing::kRedirect;
using testing::kVerifier;

constexpr char kHex[] = "0707070707070707070707070707070707070707070707070707070707070707";

Digest digest(int value) {
  Digest made;
  made.fill(static_cast<std::byte>(value));
  return made;
}
Caller with(int certificate) {
  return {identity::testing::kHome, digest(certificate)};
}
Caller without() {
  return {identity::testing::kHome};
}

class Certified : public testing::PeopleTest {
 protected:
  Certified() {
    using Kind = Client::Kind;
    add({"tls", "", Kind::kService, "loader", testing::kScope, {"", "", kHex}, {}});
    add({"bound", "", Kind::kService, "loader", testing::kScope, {key.jwks("k1"), ""}, {}, true});
    add({"page", "", Kind::kPublic, "", "user/Observation.rs offline_access", {}, {kRedirect}, true});
    add({"portal",
         "",
         Kind::kConfidential,
         "",
         "user/Observation.rs offline_access",
         {"", "", kHex},
         {kRedirect}});
  }
  void add(Clients::Registration const& registration) {
    auto added = server->clients().add(registration);
    expect_committed(added);
  }
  TokenReply ask_as(Form const& form, Caller const& caller) {
    auto reply = server->token(form, caller);
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  }
  static Form credentials(std::string const& client) {
    return form({{"grant_type", "client_credentials"}, {"client_id", client}, {"scope", "system/*.rs"}});
  }
  std::optional<Digest> bound_to(TokenReply const& reply) {
    EXPECT_FALSE(reply.refusal) << reply.refusal->reason.view();
    return directory->authenticate_token(access_of(reply)).value().application()->certificate;
  }
  TokenReply fetch_as(std::string const& client, std::string const& shown, Caller const& caller) {
    return ask_as(form({{"grant_type", "authorization_code"},
                        {"client_id", client},
                        {"redirect_uri", kRedirect},
                        {"code_verifier", kVerifier},
                        {"code", shown}}),
                  caller);
  }
  TokenReply refresh_as(std::string const& client, std::string_view token, Caller const& caller) {
    std::map<std::string, std::string> fields{{"grant_type", "refresh_token"},
                                              {"refresh_token", std::string(token)}};
    if (!client.empty()) fields["client_id"] = client;
    return ask_as(form(fields), caller);
  }
  std::string code_of_person(std::string const& client) {
    return code({{"client_id", client}, {"scope", "user/Observation.rs offline_access"}});
  }
};

TEST_F(Certified, F19AClientIsKnownByTheCertificateThatItRegistered) {
  auto const reply = ask_as(credentials("tls"), with(7));
  EXPECT_EQ(bound_to(reply), digest(7));
  EXPECT_EQ(reply.trace.authentication, "certificate");
  for (auto const& caller : {with(8), without()}) {
    auto const refused = ask_as(credentials("tls"), caller);
    ASSERT_TRUE(refused.refusal);
    EXPECT_EQ(refused.refusal->error, OAuthError::kInvalidClient);
    EXPECT_TRUE(refused.trace.client.empty());
  }
  // Another client's certificate is no certificate of its own, and who has a key shows it.
  EXPECT_TRUE(ask_as(credentials("bound"), with(7)).refusal);
  EXPECT_TRUE(ask_as(credentials("nobody"), with(7)).refusal);
  auto const disabled = server->clients().disable("tls");
  EXPECT_TRUE(ask_as(credentials("tls"), with(7)).refusal);
}

TEST_F(Certified, F19WhoIsKnownByHisCertificateCannotAssert) {
  auto const assertion = key.jws(kHeader, claims({{"iss", R"("tls")"}, {"sub", R"("tls")"}}));
  EXPECT_TRUE(ask_as(form_of(assertion), with(7)).refusal);
  // An assertion that is none is not passed over for the certificate.
  auto fields = form({{"grant_type", "client_credentials"},
                      {"client_id", "tls"},
                      {"scope", "system/*.rs"},
                      {"client_assertion", "x.y.z"}});
  EXPECT_TRUE(ask_as(fields, with(7)).refusal);
}

TEST_F(Certified, F19TokensAreBoundWhereTheRegistrationSaysSo) {
  auto const assertion = [&](char const* id) {
    auto const name = '"' + std::string(id) + '"';
    return form_of(key.jws(kHeader, claims({{"iss", name}, {"sub", name}})));
  };
  EXPECT_EQ(bound_to(ask_as(assertion("bound"), with(9))), digest(9));
  EXPECT_EQ(ask_as(assertion("bound"), without()).refusal->error, OAuthError::kInvalidRequest);
  add_service("lab", key.jwks("k1"));
  EXPECT_FALSE(bound_to(ask_as(assertion("lab"), with(9))));
}

TEST_F(Certified, F19ARefreshTokenOfAPublicClientIsBoundToo) {
  auto const first = fetch_as("page", code_of_person("page"), with(9));
  EXPECT_EQ(bound_to(first), digest(9));
  EXPECT_TRUE(fetch_as("page", code_of_person("page"), without()).refusal);
  auto const token = refresh_of(first);
  for (auto const& caller : {with(8), without()}) {
    for (auto const* client : {"page", ""}) {
      auto const caught = refresh_as(client, token, caller);
      EXPECT_EQ(caught.refusal->error, OAuthError::kInvalidGrant);
      EXPECT_FALSE(caught.reused);
    }
  }
  restart_server();  // what it is bound to stands in its row
  EXPECT_TRUE(refresh_as("page", token, with(8)).refusal);
  EXPECT_EQ(bound_to(refresh_as("page", token, with(9))), digest(9));
}

TEST_F(Certified, F19AConfidentialClientMayChangeItsCertificate) {
  auto const first = fetch_as("portal", code_of_person("portal"), with(7));
  EXPECT_EQ(bound_to(first), digest(7));
  EXPECT_TRUE(refresh_as("portal", refresh_of(first), without()).refusal);
  auto replaced = server->clients().replace_keys("portal", {"", "", std::string(64, '9')});
  expect_committed(replaced);
  EXPECT_TRUE(refresh_as("portal", refresh_of(first), with(7)).refusal);
  auto const renewed = digest(0x99);
  EXPECT_EQ(bound_to(refresh_as("portal", refresh_of(first), {identity::testing::kHome, renewed})), renewed);
}

TEST_F(Certified, F14F19IntrospectionTellsWhatATokenIsBoundTo) {
  auto const token = access_of(ask_as(credentials("tls"), with(7)));
  auto const asked = form({{"client_id", "tls"}, {"token", token}});
  auto reply = server->introspect(asked, with(7));
  EXPECT_TRUE(commit(reply.pending).has_value());
  // RFC 8705 section 3.2: base64url of SHA-256.
  EXPECT_EQ(reply.body.find("cnf")->text_of("x5t#S256"), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
  EXPECT_TRUE(server->introspect(asked, with(8)).refusal);
}

TEST_F(Certified, ACertificateIsOneAndOnlyOne) {
  using Kind = Client::Kind;
  auto const refused = [&](Clients::KeySet keys, Kind kind = Kind::kService) {
    bool const is_public = kind == Kind::kPublic;
    return !server->clients()
                .add({"x", "", kind, is_public ? "" : "loader", is_public ? "user/*.rs" : testing::kScope,
                      std::move(keys),
                      is_public ? std::vector<std::string>{kRedirect} : std::vector<std::string>{}})
                .has_value();
  };
  for (auto const* text : {"07", "zz", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
    EXPECT_TRUE(refused({"", "", text})) << text;
  EXPECT_TRUE(refused({key.jwks("k1"), "", kHex}));
  EXPECT_TRUE(refused({"", "", kHex}, Kind::kPublic));
  EXPECT_FALSE(refused({"", "", kHex}));
}

}  // namespace
}  // namespace tacenda::authorization

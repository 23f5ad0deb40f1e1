#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "net/internal/test_support.hpp"
#include "net/internal/tls_context.hpp"

namespace tacenda::net {
namespace {

using testing::echo;
using ::testing::HasSubstr;
using testing::Identity;
using ::testing::IsEmpty;
using testing::make_authority;
using testing::make_identity;
using testing::RawClient;
using ::testing::StartsWith;
using testing::test_authority;
using testing::test_identity;
using testing::TestServer;
using testing::tls_options;

constexpr char kGet[] = "GET /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

TlsOptions with_tls12() {
  auto options = tls_options();
  options.allow_tls12 = true;
  return options;
}

TlsOptions with_clients(TlsOptions::ClientCertificate mode, Identity const& authority) {
  auto options = tls_options();
  options.client_certificate = mode;
  options.client_ca_pem = authority.certificate_pem;
  return options;
}

/// TLS 1.3 clients are done before the server has judged their certificate: what counts is the answer.
std::string get_as(std::uint16_t port, Identity const* identity) {
  RawClient::Options options;
  options.identity = identity;
  RawClient client(port, options);
  client.send(kGet);
  return client.receive_all();
}

Response tell_certificate(Request&& request) {
  Response response;
  response.status = 200;
  auto const& digest = request.peer.certificate;
  response.body = digest ? std::string(as_text(*digest)) : "none";
  return response;
}

TEST(Tls, SpeaksVersion13AndNothingElseByDefault) {
  TestServer server(echo);
  RawClient client(server.port, RawClient::Options{});
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(client.version(), "TLSv1.3");
  for (int const version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION}) {
    RawClient::Options options;
    options.version_min = options.version_max = version;
    EXPECT_FALSE(RawClient(server.port, options).is_connected()) << version;
  }
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTlsHandshake));
}

TEST(Tls, SpeaksVersion12BySwitchAndNothingOlder) {
  TestServer server(echo, {}, {1, 1, 8}, with_tls12());
  for (int const version : {TLS1_VERSION, TLS1_1_VERSION}) {
    RawClient::Options options;
    options.version_min = options.version_max = version;
    EXPECT_FALSE(RawClient(server.port, options).is_connected()) << version;
  }
  RawClient::Options options;
  options.version_max = TLS1_2_VERSION;
  RawClient client(server.port, options);
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(client.version(), "TLSv1.2");
  client.send(kGet);
  EXPECT_THAT(client.receive_all(), HasSubstr("GET /x "));
}

TEST(Tls, Version12HasSuitesWithForwardSecrecyAndAeadOnly) {
  TestServer server(echo, {}, {1, 1, 8}, with_tls12());
  auto const is_taken = [&](std::string const& suite) {
    RawClient::Options options;
    options.version_max = TLS1_2_VERSION;
    options.suites = suite + ":@SECLEVEL=0";
    return RawClient(server.port, options).is_connected();
  };
  for (auto const* suite :
       {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_TRUE(is_taken(suite)) << suite;
  }
  for (auto const* suite :
       {"ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-CCM", "AES256-GCM-SHA384", "AES128-GCM-SHA256",
        "AES256-SHA256", "AES128-SHA", "DHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-NULL-SHA", "NULL-SHA256",
        "AECDH-AES256-SHA", "PSK-AES256-GCM-SHA384"}) {
    EXPECT_FALSE(is_taken(suite)) << suite;
  }
}

TEST(Tls, GivesNoSessionToResume) {
  TestServer server(echo, {}, {1, 1, 8}, with_tls12());
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  static int sessions = 0;
  sessions = 0;
  SSL_CTX_sess_set_new_cb(context, [](SSL*, SSL_SESSION*) { return (++sessions, 0); });
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL* const tls = SSL_new(context);
  BIO* const bio = BIO_new_connect(("127.0.0.1:" + std::to_string(server.port)).c_str());
  SSL_set_bio(tls, bio, bio);
  ASSERT_EQ(SSL_connect(tls), 1);
  ASSERT_GT(SSL_write(tls, kGet, sizeof kGet - 1), 0);
  char part[256];
  while (SSL_read(tls, part, sizeof part) > 0) {
  }
  EXPECT_EQ(sessions, 0);
  EXPECT_EQ(SSL_session_reused(tls), 0);
  SSL_free(tls);
  SSL_CTX_free(context);
}

TEST(Tls, ChoosesTheProtocolByAlpnAndEndsWithoutACommonOne) {
  TestServer server(echo);
  auto const chosen = [&](std::vector<std::string> const& offered) {
    RawClient::Options options;
    options.protocols = offered;
    RawClient client(server.port, options);
    return client.is_connected() ? client.protocol() : "refused";
  };
  EXPECT_EQ(chosen({"http/1.1", "h2"}), "h2");
  EXPECT_EQ(chosen({"h2"}), "h2");
  EXPECT_EQ(chosen({"http/1.1"}), "http/1.1");
  EXPECT_EQ(chosen({}), "");
  EXPECT_EQ(chosen({"spdy/3", "http/1.0"}), "refused");
}

TEST(Tls, ClosesAPlainHttpConnectionWithoutAnAnswer) {
  TestServer server(echo);
  RawClient client(server.port);
  client.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  auto const answer = client.receive_all();
  EXPECT_THAT(answer, ::testing::Not(HasSubstr("HTTP/1.1")));
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTlsHandshake));
}

TEST(ClientCertificate, IsNotAskedForByDefault) {
  TestServer server(tell_certificate);
  auto const client = make_identity("client", test_authority());
  EXPECT_THAT(get_as(server.port, &client), HasSubstr("none"));
}

TEST(ClientCertificate, RequiredAndTrustedIsNamedByItsDigest) {
  auto const authority = make_authority("client authority");
  auto const client = make_identity("client", authority);
  TestServer server(tell_certificate, {}, {1, 1, 8},
                    with_clients(TlsOptions::ClientCertificate::kRequired, authority));
  EXPECT_THAT(get_as(server.port, &client), HasSubstr(as_text(testing::digest_of(client.certificate_pem))));
  EXPECT_THAT(server.failures(), IsEmpty());
}

TEST(ClientCertificate, RequiredAndMissingFailsTheHandshake) {
  auto const authority = make_authority("client authority");
  TestServer server(tell_certificate, {}, {1, 1, 8},
                    with_clients(TlsOptions::ClientCertificate::kRequired, authority));
  EXPECT_EQ(get_as(server.port, nullptr), "");
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kClientCertificate));
}

TEST(ClientCertificate, OptionalMayBeMissing) {
  auto const authority = make_authority("client authority");
  TestServer server(tell_certificate, {}, {1, 1, 8},
                    with_clients(TlsOptions::ClientCertificate::kOptional, authority));
  EXPECT_THAT(get_as(server.port, nullptr), HasSubstr("none"));
  auto const client = make_identity("client", authority);
  EXPECT_THAT(get_as(server.port, &client), HasSubstr(as_text(testing::digest_of(client.certificate_pem))));
}

TEST(ClientCertificate, OfAnotherAuthorityFailsEvenWhereOptional) {
  auto const authority = make_authority("client authority");
  auto const stranger = make_identity("client", make_authority("client authority"));  // same name, other key
  for (auto const mode :
       {TlsOptions::ClientCertificate::kOptional, TlsOptions::ClientCertificate::kRequired}) {
    TestServer server(tell_certificate, {}, {1, 1, 8}, with_clients(mode, authority));
    EXPECT_EQ(get_as(server.port, &stranger), "");
    EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kClientCertificate));
  }
}

TEST(ClientCertificate, ExpiredFails) {
  auto const authority = make_authority("client authority");
  auto const expired = make_identity("client", authority, testing::Validity::kExpired);
  TestServer server(tell_certificate, {}, {1, 1, 8},
                    with_clients(TlsOptions::ClientCertificate::kOptional, authority));
  EXPECT_EQ(get_as(server.port, &expired), "");
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kClientCertificate));
}

TEST(Tls, RenewedCertificateServesNewConnectionsWhileOldOnesGoOn) {
  TestServer server(echo);
  RawClient before(server.port, RawClient::Options{});
  ASSERT_TRUE(
      server.server
          ->renew_tls(server.port, with_clients(TlsOptions::ClientCertificate::kRequired, test_authority()))
          .has_value());
  EXPECT_EQ(get_as(server.port, nullptr), "");
  before.send(kGet);
  EXPECT_THAT(before.receive_all(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(server.server->renew_tls(1, tls_options()).error().kind(), ErrorKind::kNotFound);
}

TEST(TlsContext, RefusesWhatCannotBeServedWith) {
  auto const kind_of = [](TlsOptions const& options) { return make_tls_context(options).error().kind(); };
  auto const broken = [](auto change) {
    auto options = tls_options();
    change(options);
    return options;
  };
  EXPECT_EQ(kind_of(broken([](auto& o) { o.certificate_chain_pem = ""; })), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(broken([](auto& o) { o.certificate_chain_pem = "-----BEGIN CERTIFICATE-----\nxx\n"; })),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(broken([](auto& o) { o.private_key_pem = SecretBuffer(); })), ErrorKind::kInvalid);
  auto const other = make_identity("localhost", test_authority());
  EXPECT_EQ(kind_of(broken([&](auto& o) { o.private_key_pem = SecretBuffer(as_bytes(other.key_pem)); })),
            ErrorKind::kInvalid);
  EXPECT_EQ(kind_of(broken([](auto& o) { o.client_certificate = TlsOptions::ClientCertificate::kRequired; })),
            ErrorKind::kInvalid);
  EXPECT_TRUE(make_tls_context(tls_options()).has_value());
}

}  // namespace
}  // namespace tacenda::net

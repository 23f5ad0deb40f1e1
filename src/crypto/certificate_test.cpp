#include "crypto/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/hash.hpp"
#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {
namespace {

using X509Ptr = internal::Owned<X509, X509_free>;

Time const kNow = std::chrono::sys_days(std::chrono::year(2026) / 1 / 15);

X509Ptr read(std::string const& pem) {
  internal::Owned<BIO, BIO_free_all> const bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

struct Check {
  std::string host = {};
  std::string ip = {};
  int purpose = X509_PURPOSE_SSL_SERVER;
  Time at = kNow + std::chrono::hours(1);
};

// What `openssl verify -x509_strict` does. Gives X509_V_OK or the reason.
int verify(Identity const& leaf, Identity const& authority, Check const& check) {
  X509Ptr const certificate = read(leaf.certificate_pem);
  X509Ptr const root = read(authority.certificate_pem);
  internal::Owned<X509_STORE, X509_STORE_free> const store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root.get());
  internal::Owned<X509_STORE_CTX, X509_STORE_CTX_free> const context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_purpose(parameters, check.purpose);
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(to_unix_ms(check.at) / 1'000));
  if (!check.host.empty()) X509_VERIFY_PARAM_set1_host(parameters, check.host.data(), check.host.size());
  if (!check.ip.empty()) X509_VERIFY_PARAM_set1_ip_asc(parameters, check.ip.c_str());
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

Identity authority(std::string const& name = "Tacenda test CA") {
  return make_certificate_authority(name, kNow, 365).value();
}

CertificateRequest server_request() {
  return {.common_name = "records.example.org",
          .dns_names = {"records.example.org", "*.wards.example.org"},
          .ip_addresses = {"127.0.0.1", "::1"},
          .use = CertificateUse::kServer,
          .not_before = kNow,
          .days = 30};
}

TEST(Certificate, OfAServerIsAcceptedStrictlyUnderItsNamesOnly) {
  Identity const ca = authority();
  Identity const server = issue_certificate(ca, server_request()).value();
  EXPECT_EQ(verify(server, ca, {.host = "records.example.org"}), X509_V_OK);
  EXPECT_EQ(verify(server, ca, {.host = "a.wards.example.org"}), X509_V_OK);
  EXPECT_EQ(verify(server, ca, {.ip = "127.0.0.1"}), X509_V_OK);
  EXPECT_EQ(verify(server, ca, {.ip = "::1"}), X509_V_OK);
  EXPECT_EQ(verify(server, ca, {.host = "other.example.org"}), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(server, ca, {.ip = "127.0.0.2"}), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST(Certificate, IsGoodForItsUseOnly) {
  Identity const ca = authority();
  CertificateRequest request = server_request();
  Identity const server = issue_certificate(ca, request).value();
  request.use = CertificateUse::kClient;
  Identity const client = issue_certificate(ca, request).value();
  EXPECT_EQ(verify(client, ca, {.purpose = X509_PURPOSE_SSL_CLIENT}), X509_V_OK);
  EXPECT_EQ(verify(client, ca, {.purpose = X509_PURPOSE_SSL_SERVER}), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(verify(server, ca, {.purpose = X509_PURPOSE_SSL_CLIENT}), X509_V_ERR_INVALID_PURPOSE);
}

TEST(Certificate, IsGoodForItsDaysOnly) {
  using namespace std::chrono_literals;
  Identity const ca = authority();
  Identity const server = issue_certificate(ca, server_request()).value();
  EXPECT_EQ(verify(server, ca, {.at = kNow + std::chrono::days(30) - 2s}), X509_V_OK);
  EXPECT_EQ(verify(server, ca, {.at = kNow + std::chrono::days(30) + 1s}), X509_V_ERR_CERT_HAS_EXPIRED);
  CertificateRequest later = server_request();
  later.not_before = kNow + std::chrono::days(2);
  EXPECT_EQ(verify(issue_certificate(ca, later).value(), ca, {}), X509_V_ERR_CERT_NOT_YET_VALID);
}

TEST(Certificate, IsRefusedUnderAnotherAuthorityOfTheSameName) {
  Identity const server = issue_certificate(authority(), server_request()).value();
  EXPECT_NE(verify(server, authority(), {}), X509_V_OK);
}

TEST(Certificate, OfAServerIssuesNone) {
  Identity const server = issue_certificate(authority(), server_request()).value();
  EXPECT_EQ(issue_certificate(server, server_request()).error().kind(), ErrorKind::kInvalid);
}

TEST(Certificate, HasAKeyOfItsOwnThatFits) {
  Identity const ca = authority();
  Identity const one = issue_certificate(ca, server_request()).value();
  Identity const two = issue_certificate(ca, server_request()).value();
  EXPECT_FALSE(one.private_key_pem == two.private_key_pem);
  EXPECT_TRUE(as_text(one.private_key_pem.reveal()).starts_with("-----BEGIN PRIVATE KEY-----\n"));
  ByteView const pem = one.private_key_pem.reveal();
  internal::Owned<BIO, BIO_free_all> const bio(BIO_new_mem_buf(pem.data(), internal::int_size(pem)));
  internal::Key const key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  EXPECT_EQ(X509_check_private_key(read(one.certificate_pem).get(), key.get()), 1);
  EXPECT_NE(X509_check_private_key(read(two.certificate_pem).get(), key.get()), 1);
}

TEST(Certificate, RefusesMalformedRequests) {
  Identity const ca = authority();
  auto const kind = [&](auto change) {
    CertificateRequest request = server_request();
    change(request);
    auto const issued = issue_certificate(ca, request);
    EXPECT_FALSE(issued.has_value());
    return issued ? ErrorKind::kBug : issued.error().kind();
  };
  EXPECT_EQ(kind([](auto& r) { r.common_name = ""; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.common_name = std::string(65, 'a'); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.common_name = "\xff"; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.days = 0; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.days = 36'500; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.dns_names = {""}; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.dns_names = {"a,IP:10.0.0.1"}; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.dns_names = {std::string("a\0b", 3)}; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.ip_addresses = {"10.0.0"}; }), ErrorKind::kInvalid);
  EXPECT_EQ(kind([](auto& r) { r.ip_addresses = {"10.0.0.1/8"}; }), ErrorKind::kInvalid);
}

TEST(Certificate, RefusesAnAuthorityThatCannotBeRead) {
  Identity broken = authority();
  broken.certificate_pem = "no certificate";
  EXPECT_EQ(issue_certificate(broken, server_request()).error().kind(), ErrorKind::kInvalid);
  Identity mixed = authority();
  mixed.private_key_pem = std::move(authority().private_key_pem);
  EXPECT_EQ(issue_certificate(mixed, server_request()).error().kind(), ErrorKind::kInvalid);
}

TEST(CertificateDigest, IsThatOfTheDer) {
  Identity const ca = authority();
  X509Ptr const certificate = read(ca.certificate_pem);
  unsigned char* der = nullptr;
  int const size = i2d_X509(certificate.get(), &der);
  ASSERT_GT(size, 0);
  Digest const expected = sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  ::OPENSSL_free(der);
  EXPECT_EQ(certificate_digest(ca.certificate_pem).value(), expected);
}

TEST(CertificateDigest, RefusesWhatIsNoCertificate) {
  EXPECT_EQ(certificate_digest("").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(
      certificate_digest("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").error().kind(),
      ErrorKind::kInvalid);
  EXPECT_EQ(certificate_digest(std::string(as_text(authority().private_key_pem.reveal()))).error().kind(),
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace tacenda::crypto

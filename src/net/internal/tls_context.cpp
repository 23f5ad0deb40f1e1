#include "net/internal/tls_context.hpp"

#include <array>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace tacenda::net {
namespace {

using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })>;
using Certificate = std::unique_ptr<X509, decltype([](X509* certificate) { X509_free(certificate); })>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

constexpr char kTls12Suites[] =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kTls13Suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// No password prompt: a key that is encrypted cannot be read here.
int refuse_password(char*, int, int, void*) {
  return -1;
}

Bio read_only(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate next_certificate(BIO* pem) {
  return Certificate(PEM_read_bio_X509(pem, nullptr, refuse_password, nullptr));
}

Result<void> use_identity(SSL_CTX* context, TlsOptions const& options) {
  auto const chain = read_only(options.certificate_chain_pem);
  auto const leaf = next_certificate(chain.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return fail(ErrorKind::kInvalid, "TLS certificate cannot be read");
  }
  while (auto const issuer = next_certificate(chain.get())) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) {
      return fail(ErrorKind::kInvalid, "TLS certificate chain cannot be used");
    }
  }
  auto const key_pem = read_only(as_text(options.private_key_pem.reveal()));
  PrivateKey const key(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, refuse_password, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(ErrorKind::kInvalid, "TLS private key cannot be read or is not that of the certificate");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorKind::kInvalid, "TLS private key is not that of the certificate");
  }
  return {};
}

Result<void> use_client_authorities(SSL_CTX* context, TlsOptions const& options) {
  using Mode = TlsOptions::ClientCertificate;
  if (options.client_certificate == Mode::kNone) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  auto const pem = read_only(options.client_ca_pem);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  std::size_t count = 0;
  while (auto const anchor = next_certificate(pem.get())) {
    if (X509_STORE_add_cert(store, anchor.get()) != 1 || SSL_CTX_add_client_CA(context, anchor.get()) != 1) {
      return fail(ErrorKind::kInvalid, "client certificate authority cannot be used");
    }
    ++count;
  }
  if (count == 0)
    return fail(ErrorKind::kInvalid, "client certificates are asked for, but no authority is named");
  int const required = options.client_certificate == Mode::kRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  SSL_CTX_set_verify_depth(context, 5);
  return {};
}

int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* chosen_size,
                    unsigned char const* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* selected = nullptr;
  // RFC 7301 section 3.2: offers without any of ours end the handshake (no_application_protocol).
  if (SSL_select_next_proto(&selected, chosen_size, kOurs, sizeof kOurs - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void TlsContextFree::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void TlsFree::operator()(ssl_st* tls) const {
  SSL_free(tls);
}

Result<TlsContext> make_tls_context(TlsOptions const& options) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail(ErrorKind::kUnavailable, "TLS is not available");
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(raw, 0);
  SSL_CTX_set_mode(
      raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(raw, 1);  // one read call per record in place of two
  SSL_CTX_set_security_level(raw, 2);
  bool const configured =
      SSL_CTX_set_min_proto_version(raw, options.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(raw, kTls12Suites) == 1 && SSL_CTX_set_ciphersuites(raw, kTls13Suites) == 1 &&
      SSL_CTX_set1_groups_list(raw, "X25519:P-256:P-384") == 1;
  if (!configured) return fail(ErrorKind::kUnavailable, "TLS suites are not available");
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  TACENDA_TRY_VOID(use_identity(raw, options));
  TACENDA_TRY_VOID(use_client_authorities(raw, options));
  ERR_clear_error();
  return context;
}

Tls make_tls(ssl_ctx_st& context, int fd) {
  Tls tls(SSL_new(&context));
  if (!tls || SSL_set_fd(tls.get(), fd) != 1) return nullptr;
  SSL_set_accept_state(tls.get());
  return tls;
}

std::optional<Digest> peer_certificate_digest(ssl_st& tls) {
  X509 const* const certificate = SSL_get0_peer_certificate(&tls);
  if (certificate == nullptr || SSL_get_verify_result(&tls) != X509_V_OK) return std::nullopt;
  Digest digest;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size) != 1) {
    return std::nullopt;
  }
  return digest;
}

bool is_http2_chosen(ssl_st& tls) {
  unsigned char const* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(&tls, &name, &size);
  return size == 2 && name[0] == 'h' && name[1] == '2';
}

}  // namespace tacenda::net

#include "start/tls.hpp"

#include <unistd.h>

#include <array>

#include "crypto/certificate.hpp"

namespace tacenda::start {
namespace {

constexpr std::size_t kPemBytesMax = 256 * 1024;
constexpr int kAuthorityDays = 3650;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

crypto::CertificateRequest request_for(std::string const& host, Time now) {
  crypto::CertificateRequest request;
  request.common_name = host;
  request.dns_names = {"localhost"};
  if (host != "localhost") request.dns_names.push_back(host);
  request.ip_addresses = {"127.0.0.1", "::1"};
  request.not_before = now - std::chrono::hours(1);
  return request;
}

}  // namespace

Result<std::filesystem::path> keep_tls(vault::Vault& vault, storage::Files& files,
                                       cli::InitOptions const& options, Clock const& clock) {
  if (!options.tls_cert.empty()) {
    auto const chain = TACENDA_TRY(files.read(options.tls_cert, kPemBytesMax));
    auto const key = TACENDA_TRY(files.read(options.tls_key, kPemBytesMax));
    TACENDA_TRY_VOID(crypto::certificate_digest(std::string(as_text(chain))));
    TACENDA_TRY_VOID(vault.keep_secret("tls-chain", SecretBuffer(chain)));
    TACENDA_TRY_VOID(vault.keep_secret("tls-key", SecretBuffer(key)));
    return options.tls_cert;
  }
  Time const now = clock.now();
  auto const authority = TACENDA_TRY(crypto::make_certificate_authority(
      "Tacenda development authority", now - std::chrono::hours(1), kAuthorityDays));
  auto const server = TACENDA_TRY(crypto::issue_certificate(authority, request_for(host_name(), now)));
  TACENDA_TRY_VOID(vault.keep_secret("tls-chain", SecretBuffer(as_bytes(server.certificate_pem))));
  TACENDA_TRY_VOID(vault.keep_secret("tls-key", SecretBuffer(server.private_key_pem.reveal())));
  // The authority's key is not kept: nobody can make another certificate that its users would trust.
  std::filesystem::path ca = options.key_file.parent_path() / "ca.pem";
  TACENDA_TRY_VOID(files.replace(ca, as_bytes(authority.certificate_pem)));
  return ca;
}

Result<net::TlsOptions> kept_tls(vault::Vault const& vault) {
  net::TlsOptions tls;
  auto const chain = TACENDA_TRY(vault.kept_secret("tls-chain"));
  tls.certificate_chain_pem = as_text(chain.reveal());
  tls.private_key_pem = TACENDA_TRY(vault.kept_secret("tls-key"));
  return tls;
}

Result<net::TlsOptions> passing_tls(Clock const& clock) {
  Time const now = clock.now();
  auto const authority =
      TACENDA_TRY(crypto::make_certificate_authority("sealed", now - std::chrono::hours(1), 30));
  auto request = request_for("localhost", now);
  request.days = 30;
  auto server = TACENDA_TRY(crypto::issue_certificate(authority, request));
  net::TlsOptions tls;
  tls.certificate_chain_pem = std::move(server.certificate_pem);
  tls.private_key_pem = std::move(server.private_key_pem);
  return tls;
}

}  // namespace tacenda::start

#pragma once

#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"

namespace tacenda::crypto {

/// A certificate with its private key, both PEM (ECDSA P-256).
struct Identity {
  std::string certificate_pem;
  SecretBuffer private_key_pem;
};

/// Makes a self-signed certificate authority for development: CA:true pathlen 0, keyCertSign.
Result<Identity> make_certificate_authority(std::string const& common_name, Time not_before, int days);

/// Issues a server (or client) certificate under `authority` for DNS names and IP addresses.
enum class CertificateUse : std::uint8_t { kServer, kClient };
struct CertificateRequest {
  std::string common_name = {};
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
  CertificateUse use = CertificateUse::kServer;
  Time not_before = {};
  int days = 397;
};
Result<Identity> issue_certificate(Identity const& authority, CertificateRequest const& request);

/// SHA-256 over the DER of the first certificate in `pem`. Errors: kInvalid.
Result<Digest> certificate_digest(std::string const& pem);

}  // namespace tacenda::crypto

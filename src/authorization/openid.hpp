#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "crypto/web_signature.hpp"
#include "vault/vault.hpp"

namespace tacenda::authorization {

/// Says to an application who signed in, by id_tokens under an RSA key of the server that is kept in the
/// vault's keyring. Thread-safe. Source: OpenID Connect Core 1.0 sections 2 and 3.1; SMART App Launch 2.2,
/// scopes-and-launch-context.html.
class OpenId {
 public:
  /// Makes the key when the store has none. Errors: kUnavailable, kCorrupt.
  static Result<OpenId> open(vault::Vault& vault);

  struct Identity {
    std::string issuer;
    std::string client;                    // aud
    std::string user;                      // sub
    std::string nonce;                     // empty: none
    std::optional<std::string> fhir_user;  // URL of a Patient or Practitioner
    Time signed_in{};
    Time now{};
  };
  /// Errors: kUnavailable.
  Result<std::string> id_token(Identity const& identity) const;

  /// The public half as a JWKS.
  std::string const& jwks() const { return jwks_; }

 private:
  explicit OpenId(crypto::RsaSigner signer);

  crypto::RsaSigner signer_;
  std::string key_id_;  // RFC 7638 thumbprint
  std::string jwks_;
};

}  // namespace tacenda::authorization

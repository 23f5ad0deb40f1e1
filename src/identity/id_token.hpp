#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/jose.hpp"
#include "codec/json.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "crypto/web_signature.hpp"

namespace tacenda::identity {

/// A key that an OpenID provider signs with.
struct ProviderKey {
  std::string key_id;                             // empty: it has no name
  std::optional<crypto::WebAlgorithm> algorithm;  // the only one it signs by; nullopt: it does not say
  crypto::WebPublicKey key;
};

/// Those of a JWKS that an id_token may be signed with: RSA of 2,048 bits or more, P-256 and P-384. Others,
/// and weak ones, are passed over. Errors: kInvalid (no JWKS, a private key in it).
Result<std::vector<ProviderKey>> provider_keys(std::string_view jwks);

/// A subject as it may stand in a row and in the log: a line of 1 to 255 bytes (OpenID Connect Core section
/// 2).
bool is_subject(std::string_view text);

/// Checks that one of `keys` signed it, by RS256, RS384, ES256 or ES384 and nothing else. Errors:
/// kUnauthenticated, kNotFound (no key of its kid, or none of that algorithm: the keys may have changed).
/// Source: RFC 7515 section 5.2, RFC 7518 section 3.1.
Result<void> check_signature(codec::Jws const& jws, std::span<ProviderKey const> keys);

/// What an id_token is held to.
struct IdTokenRules {
  std::string_view issuer;
  std::string_view client_id;
  std::string_view nonce;
  std::chrono::seconds sign_in_age;  // how long ago the person may have signed in there
  Time now;
};

/// What an id_token says, once all of it holds.
struct IdToken {
  std::string subject;
  Time authenticated;  // when the person signed in there
  codec::Json claims;  // an object
};

/// Checks an id_token: signature by one of `keys` under RS256, RS384, ES256 or ES384 and nothing else, iss,
/// aud (this client alone), azp, exp, iat, nonce, auth_time. Errors: kUnauthenticated (the message tells what
/// does not hold), kNotFound (no key of its kid: the keys may have changed). Source: OpenID Connect Core 1.0
/// sections 2 and 3.1.3.7.
Result<IdToken> check_id_token(std::string_view token, std::span<ProviderKey const> keys,
                               IdTokenRules const& rules);

}  // namespace tacenda::identity

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/address_list.hpp"
#include "codec/scope.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/id.hpp"
#include "crypto/web_signature.hpp"

namespace tacenda::authorization {

/// A key that a client signs its assertions with.
struct ClientKey {
  std::string key_id;
  // From the registration: what the header of an assertion says of it is compared and never believed.
  crypto::WebAlgorithm algorithm = crypto::WebAlgorithm::kRs384;
  crypto::WebPublicKey key;
};

/// The keys of a JWKS that assertions may be signed with: RSA of 2,048 bits or more for RS384, P-384 for
/// ES384, each with a `kid`. Others of the set are passed over. Errors: kInvalid (no JWKS, a private key in
/// it, two keys of one `kid`; none that is left), kTooLarge (limits::kClientKeys). Source: SMART App
/// Launch 2.2, client-confidential-asymmetric.html.
Result<std::vector<ClientKey>> client_keys(std::string_view jwks);

/// How an algorithm is called in a header: "RS384".
std::string_view name_of(crypto::WebAlgorithm algorithm);

/// An application that may ask for tokens. Immutable once shared.
struct Client {
  /// The number is stored: never reuse one.
  enum class Kind : std::uint8_t {
    kService = 1,       // acts for itself: SMART Backend Services
    kConfidential = 2,  // acts for people, and signs with a key of its own
    kPublic = 3,        // acts for people, and has no secret
  };
  std::string id;     // client_id
  std::string title;  // what people are shown
  Kind kind = Kind::kService;
  bool enabled = true;
  std::optional<UserId> account;  // kService: whose role it has
  Time created{};
  std::vector<codec::Scope> scopes;  // all that it may ever be given
  std::string jwks;                  // as it was registered; empty: kPublic, or they are elsewhere
  std::vector<ClientKey> keys;       // of it
  std::string jwks_url;              // where its keys are, in the place of `jwks`; empty: there
  std::vector<std::string> redirect_uris;
  // SHA-256 of the DER of the certificate by which it authenticates, in the place of keys. What it is bound
  // to is in each token.
  std::optional<Digest> certificate;
  bool binds_tokens = false;  // to the certificate of the connection on which they are asked for
  // From where alone it may ask for tokens and use them (N-05); nullopt: from anywhere.
  std::optional<std::vector<std::string>> networks;
  access::AddressList allowed;  // of them
  std::uint32_t revision = 0;   // of the row: each change counts it up
};

/// 1 to 64 of [a-z0-9._@-], and no hyphen first: a client_id.
bool is_client_id(std::string_view text);
/// May a browser be sent there with a code? https, a loopback address, or a scheme of an application's own
/// (RFC 8252 section 7); no fragment, and nothing that could end a header field or a policy.
bool is_redirect_uri(std::string_view uri);

/// May keys be asked for there? https, a host that is a name or an IPv4 address, no user, no fragment.
bool is_keys_url(std::string_view url);

// Row of a client (docs/data-file.md, "Authorization rows").
Bytes encode_client(Client const& client);
/// Errors: kCorrupt.
Result<Client> decode_client(ByteView row);

}  // namespace tacenda::authorization

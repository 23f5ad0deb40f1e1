#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/scope.hpp"
#include "core/bytes.hpp"

namespace tacenda::identity {

/// The application that uses a token in the name of its principal, and how far it may go: what it was
/// granted. It never widens what the principal may do; what it leaves of that is access' question. Immutable
/// once shared.
struct Application {
  std::string client;                  // client_id
  std::string grant;                   // random id of the authorization that the token came from; no secret
  std::vector<codec::Scope> scopes;    // in normal form
  std::optional<std::string> patient;  // whom scopes of the level patient/ are about
  // The token is good on connections with this client certificate alone (SHA-256 of its DER); nullopt: on
  // any. Source: RFC 8705 section 3.
  std::optional<Digest> certificate = {};
};

}  // namespace tacenda::identity

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "authorization/launch.hpp"
#include "codec/scope.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace tacenda::authorization {

/// What an application asks a person for, from its first request to the decision. It is kept by nobody: the
/// pages carry it sealed, bound to the browser that began it, so that no flood of requests fills anything and
/// no form of another page or person fits.
struct AuthorizationRequest {
  std::string client;
  std::string redirect_uri;
  std::string state;                 // the application's own, given back as it came
  std::string challenge;             // PKCE, S256
  std::string nonce;                 // OpenID Connect; empty: none
  std::vector<codec::Scope> scopes;  // asked for and registered
  Time expires{};
  std::optional<std::chrono::seconds> max_age;  // OpenID Connect: an older sign-in does not do
  Digest browser{};                             // SHA-256 of the cookie of the browser that began it
  std::string session;                          // access token of who signed in; empty: nobody yet
  std::optional<ShownLaunch> launch;            // nullopt: the application was started by nobody here
};

/// Plaintext of the sealed form. Errors of the parser: kCorrupt.
Bytes encode_request(AuthorizationRequest const& request);
Result<AuthorizationRequest> decode_request(ByteView bytes);

/// Is a sign-in of then new enough for what the application asks? It is as old as it was when the request
/// came. Source: OpenID Connect Core 1.0 section 3.1.2.1, max_age.
bool takes_sign_in(AuthorizationRequest const& request, Time signed_in);
inline constexpr Literal kSignInTooOld("the application asks for a newer sign-in: sign in again");

/// What a browser is known by, of the cookie that it shows.
Digest browser_of(std::string_view cookie);

/// Where a browser is sent with an answer: `parameters` (name, value) behind those that the URI has.
std::string redirect_with(std::string_view redirect_uri,
                          std::vector<std::pair<std::string_view, std::string>> const& parameters);

/// The origin of a redirect URI as a Content-Security-Policy names it: "https://app.example.org:8443", or
/// "com.example.app:".
std::string policy_source_of(std::string_view redirect_uri);

}  // namespace tacenda::authorization

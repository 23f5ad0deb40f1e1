#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "net/http.hpp"
#include "vault/vault.hpp"

/// What a browser is known by between the pages of the authorization server: a random cookie, which is bound
/// to this host, to TLS and to no path (RFC 6265bis section 4.1.3), so that no neighbour can plant one.
namespace tacenda::api {

/// The cookie of the browser, as far as it has the form that we give; empty: there is none.
std::string_view browser_cookie(net::Request const& request);
/// The same, or a new one. Errors: kUnavailable.
Result<std::string> browser_cookie_or_new(net::Request const& request, vault::Vault const& vault);
net::Header set_browser_cookie(std::string_view value);

/// The sealed request that waits while its person is at the OpenID provider; empty: there is none.
std::string_view waiting_request(net::Request const& request);
/// Errors: kTooLarge (more than browsers keep).
Result<net::Header> set_waiting_request(std::string_view sealed);

}  // namespace tacenda::api

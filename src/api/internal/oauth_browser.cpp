#include "api/internal/oauth_browser.hpp"

#include <algorithm>

#include "codec/text.hpp"

namespace tacenda::api {
namespace {

constexpr std::string_view kBrowser = "__Host-tacenda-oauth";
constexpr std::size_t kBrowserBytes = 43;  // base64url of 32 bytes
constexpr std::string_view kRequest = "__Host-tacenda-request";
constexpr std::size_t kCookieBytes =
    4'096;  // RFC 6265bis section 5.6: name and value that browsers must keep

/// The first cookie of this name whose value `is_ours`; empty: there is none.
std::string_view cookie(net::Request const& request, std::string_view name,
                        bool (*is_ours)(std::string_view value)) {
  for (auto const& field : request.headers) {
    if (field.name != "cookie") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      auto const end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (!pair.starts_with(name) || !pair.substr(name.size()).starts_with('=')) continue;
      auto const value = pair.substr(name.size() + 1);
      if (is_ours(value)) return value;
    }
  }
  return {};
}

net::Header set_cookie(std::string_view name, std::string_view value) {
  return {"set-cookie", std::string(name) + "=" + std::string(value) +
                            "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"};
}

}  // namespace

std::string_view browser_cookie(net::Request const& request) {
  return cookie(request, kBrowser, [](std::string_view value) {
    return value.size() == kBrowserBytes && codec::base64url_decode(value).has_value();
  });
}

net::Header set_browser_cookie(std::string_view value) {
  return set_cookie(kBrowser, value);
}

std::string_view waiting_request(net::Request const& request) {
  return cookie(request, kRequest, [](std::string_view value) { return !value.empty(); });
}

Result<net::Header> set_waiting_request(std::string_view sealed) {
  if (kRequest.size() + sealed.size() > kCookieBytes)
    return fail(ErrorKind::kTooLarge, "the application asks for more than can wait for the OpenID provider");
  return set_cookie(kRequest, sealed);
}

Result<std::string> browser_cookie_or_new(net::Request const& request, vault::Vault const& vault) {
  if (auto const shown = browser_cookie(request); !shown.empty()) return std::string(shown);
  Bytes random;
  append(random, TACENDA_TRY(vault.random_bytes16()));
  append(random, TACENDA_TRY(vault.random_bytes16()));
  return codec::base64url_encode(random);
}

}  // namespace tacenda::api

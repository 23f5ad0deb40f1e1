#include "api/internal/oauth_browser.hpp"

#include <algorithm>

#include "codec/text.hpp"

namespace tacenda::api {
namespace {

constexpr std::string_view kCookie = "__Host-tacenda-oauth";
constexpr std::size_t kCookieBytes = 43;  // base64url of 32 bytes

}  // namespace

std::string_view browser_cookie(net::Request const& request) {
  for (auto const& field : request.headers) {
    if (field.name != "cookie") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      auto const end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (!pair.starts_with(kCookie) || !pair.substr(kCookie.size()).starts_with('=')) continue;
      auto const value = pair.substr(kCookie.size() + 1);
      if (value.size() == kCookieBytes && codec::base64url_decode(value).has_value()) return value;
    }
  }
  return {};
}

Result<std::string> browser_cookie_or_new(net::Request const& request, vault::Vault const& vault) {
  if (auto const shown = browser_cookie(request); !shown.empty()) return std::string(shown);
  Bytes random;
  append(random, TACENDA_TRY(vault.random_bytes16()));
  append(random, TACENDA_TRY(vault.random_bytes16()));
  return codec::base64url_encode(random);
}

net::Header set_browser_cookie(std::string_view value) {
  return {"set-cookie", std::string(kCookie) + "=" + std::string(value) +
                            "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"};
}

}  // namespace tacenda::api

// What a browser sends to the pages of applications, and texts that stand on them; the first byte chooses
// which.
#include "api/internal/oauth_pages.hpp"

#include <cstddef>
#include <cstdint>

#include "api/internal/oauth_browser.hpp"
#include "api/internal/passkey_json.hpp"
#include "codec/text.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  auto const text = as_text(std::as_bytes(std::span(data + 1, size - 1)));
  switch (data[0] % 3) {
    case 0: {
      net::Request request;
      request.headers.push_back({"cookie", std::string(text)});
      auto const cookie = api::browser_cookie(request);
      TACENDA_ASSERT(cookie.empty() || (cookie.size() == 43 && codec::base64url_decode(cookie).has_value()));
      break;
    }
    case 1: {
      auto const json = codec::parse_json(text, {.depth = 4, .size_bytes = 64 * 1024});
      if (!json.has_value()) break;
      auto const answer = api::PasskeyAnswer::of(*json);
      TACENDA_ASSERT(!answer.has_value() || codec::base64url_encode(answer->id) == json->text_of("id"));
      break;
    }
    default: {
      auto const escaped = api::escaped(text);
      TACENDA_ASSERT(escaped.find_first_of("<>\"'") == std::string::npos && escaped.size() >= text.size());
    }
  }
  return 0;
}

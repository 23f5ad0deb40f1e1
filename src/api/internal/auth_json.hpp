#pragma once

#include <span>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/limits.hpp"
#include "core/secret.hpp"
#include "identity/directory.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// The body of a request to /auth as a JSON object. Errors: kInvalid, kTooLarge.
inline Result<codec::Json> object_of(net::Request const& request) {
  auto json = TACENDA_TRY(
      codec::parse_json(request.body, {.depth = 4, .size_bytes = limits::kUnauthenticatedBodyBytes}));
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "the body is not a JSON object");
  return json;
}

/// JSON that no cache keeps (RFC 6749 section 5.1; `Cache-Control` is added with the other safety headers).
inline net::Response json_text_response(std::string json) {
  net::Response response;
  response.status = 200;
  response.body = std::move(json);
  response.headers.push_back({"content-type", "application/json"});
  response.headers.push_back({"pragma", "no-cache"});
  return response;
}
inline net::Response json_response(codec::Json const& json) {
  return json_text_response(codec::write_json(json));
}

/// How long a browser lets its owner take; the challenge lasts as long.
inline constexpr std::int64_t kPasskeyTimeoutMs =
    std::chrono::milliseconds(limits::kPasskeyChallenge).count();

codec::Json texts_json(std::span<std::string const> texts);
codec::Json notices_json(std::span<identity::Notice const> notices);
/// The second factor that a body shows; views it.
identity::SecondFactor factor_of(codec::Json const& json);

inline SecretBuffer secret_of(codec::Json const& json, std::string_view name) {
  return SecretBuffer(as_bytes(json.text_of(name)));
}

}  // namespace tacenda::api

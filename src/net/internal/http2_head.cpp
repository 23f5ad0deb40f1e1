#include "net/internal/http2_head.hpp"

#include <algorithm>
#include <array>

#include "net/internal/field.hpp"
#include "net/internal/http2_session.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kMethodBytes = 32;
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE

bool is_connection_specific(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames{"connection", "keep-alive", "proxy-connection",
                                                          "transfer-encoding", "upgrade"};
  return std::ranges::find(kNames, name) != kNames.end();
}

/// Sets a pseudo-header field; false when it is unknown or there already. Their order nghttp2 checks.
bool set_pseudo(Http2Stream& stream, std::string_view name, std::string_view value) {
  auto& request = stream.request;
  std::string* target = nullptr;
  if (name == ":method") target = &request.method;
  if (name == ":path") target = &request.path;
  if (name == ":scheme") target = &stream.scheme;
  if (name == ":authority") target = &request.authority;
  if (target == nullptr || !target->empty() || value.empty()) return false;
  *target = value;
  return true;
}

bool add_regular(Http2Stream& stream, std::string_view name, std::string_view value) {
  bool const is_lower = std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_lower || !is_token(name) || !is_field_value(value) || is_connection_specific(name)) return false;
  if (name == "te" && value != "trailers") return false;
  auto& fields = stream.request.headers;
  if (is_singleton(name)) {
    auto const earlier = std::ranges::find(fields, name, &Header::name);
    if (earlier != fields.end()) {
      if (name != "cookie") return false;
      earlier->value.append("; ").append(value);  // RFC 9113 section 8.2.3
      return true;
    }
  }
  fields.push_back({std::string(name), std::string(value)});
  return true;
}

}  // namespace

void add_http2_field(Http2Stream& stream, std::string_view name, std::string_view value,
                     Limits const& limits) {
  stream.header_bytes += name.size() + value.size() + kFieldOverhead;
  if (stream.header_bytes > limits.header_bytes || stream.request.headers.size() >= limits.header_fields) {
    stream.refusal = 431;
  }
  if (stream.is_malformed || stream.refusal != 0) return;
  if (stream.is_trailer) {
    stream.is_malformed = name.starts_with(':') || !is_token(name) || !is_field_value(value) ||
                          is_singleton(name) || is_connection_specific(name);
  } else {
    stream.is_malformed =
        !(name.starts_with(':') ? set_pseudo(stream, name, value) : add_regular(stream, name, value));
  }
}

void check_http2_head(Http2Stream& stream, Limits const& limits) {
  auto& request = stream.request;
  if (stream.is_malformed || stream.refusal != 0) return;
  stream.is_malformed = true;
  bool const is_line_valid = request.method.size() <= kMethodBytes && is_token(request.method) &&
                             request.method != "CONNECT" && request.path.starts_with('/') &&
                             is_target_text(request.path) && stream.scheme == "https";
  if (!is_line_valid) return;
  if (auto const host = request.header("host")) {
    if (request.authority.empty()) request.authority = *host;
    std::string lower(*host);
    make_lower(lower);
    if (!equals_ignoring_case(request.authority, lower)) return;
  }
  if (!is_authority(request.authority)) return;
  if (auto const length = request.header("content-length"); length && !parse_content_length(*length)) return;
  stream.is_malformed = false;
  if (request.path.size() > limits.uri_bytes) {
    stream.refusal = 414;
    return;
  }
  if (auto const question = request.path.find('?'); question != std::string::npos) {
    request.query = request.path.substr(question + 1);
    request.path.resize(question);
  }
  auto const expect = request.header("expect");
  stream.expects_continue = expect && equals_ignoring_case(*expect, "100-continue");
}

}  // namespace tacenda::net

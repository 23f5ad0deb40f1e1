#include "net/internal/http1_head.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/internal/field.hpp"

namespace tacenda::net {
namespace {

constexpr std::size_t kMethodBytes = 32;

std::unexpected<Refusal> refuse(std::uint16_t status) {
  return std::unexpected(Refusal{status});
}

std::size_t find(std::string_view bytes, char wanted, std::size_t from, std::size_t to) {
  if (from >= to) return std::string_view::npos;
  auto const* found = static_cast<char const*>(std::memchr(bytes.data() + from, wanted, to - from));
  return found == nullptr ? std::string_view::npos : static_cast<std::size_t>(found - bytes.data());
}

/// Splits "http://host/path?query" into its authority and its origin form.
std::expected<std::pair<std::string_view, std::string_view>, Refusal> split_absolute(std::string_view target,
                                                                                     Scheme scheme) {
  std::string_view const prefix = scheme == Scheme::kHttps ? "https://" : "http://";
  if (target.size() <= prefix.size() || !equals_ignoring_case(target.substr(0, prefix.size()), prefix)) {
    return refuse(400);
  }
  target.remove_prefix(prefix.size());
  auto const authority_end = std::min(target.find_first_of("/?"), target.size());
  return std::pair(target.substr(0, authority_end), target.substr(authority_end));
}

/// "GET /path HTTP/1.1": exactly one space between the parts.
std::expected<void, Refusal> parse_request_line(std::string_view line, Limits const& limits, Scheme scheme,
                                                Request& request) {
  auto const method_end = line.find(' ');
  if (method_end > kMethodBytes ||  // npos too
      !is_token(line.substr(0, method_end))) {
    return refuse(400);
  }
  request.method = line.substr(0, method_end);
  line.remove_prefix(method_end + 1);

  auto const target_end = line.find(' ');
  if (target_end == std::string_view::npos) return refuse(400);
  auto const target = line.substr(0, target_end);
  auto const version = line.substr(target_end + 1);
  if (target.size() > limits.uri_bytes) return refuse(414);
  if (!is_target_text(target)) return refuse(400);
  bool const is_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                          version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
  if (!is_version) return refuse(400);
  if (version != "HTTP/1.1") return refuse(505);

  // "*" and the authority form of CONNECT name nothing that this server has.
  std::string_view origin = target;
  if (target.front() != '/') {
    auto const parts = split_absolute(target, scheme);
    if (!parts) return std::unexpected(parts.error());
    if (!is_authority(parts->first)) return refuse(400);
    request.authority = parts->first;
    origin = parts->second;
  }
  auto const path_end = std::min(origin.find('?'), origin.size());
  request.path = path_end == 0 ? std::string_view("/") : origin.substr(0, path_end);
  if (path_end < origin.size()) request.query = origin.substr(path_end + 1);
  return {};
}

std::expected<void, Refusal> parse_field(std::string_view line, Request& request) {
  // Also refuses obs-fold (a line that starts with a blank) and a blank before the colon.
  auto const colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return refuse(400);
  auto const value = trim_blanks(line.substr(colon + 1));
  if (!is_field_value(value)) return refuse(400);
  auto& field = request.headers.emplace_back();
  field.name = line.substr(0, colon);
  make_lower(field.name);
  field.value = value;
  return {};
}

/// What the fields together say: one Host, at most one kind of framing.
std::expected<void, Refusal> interpret_fields(Http1Head& head) {
  unsigned seen = 0;  // one bit per singleton
  enum : unsigned { kHost = 1, kLength = 2, kTransfer = 4 };
  auto const& fields = head.request.headers;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto const& [name, value] = fields[i];
    if (name == "connection") {
      head.close = head.close || list_contains(value, "close");
      continue;
    }
    if (!is_singleton(name)) continue;
    auto const earlier = std::ranges::find(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(i),
                                           name, &Header::name);
    if (earlier != fields.begin() + static_cast<std::ptrdiff_t>(i)) return refuse(400);
    if (name == "host") {
      seen |= kHost;
      if (!is_authority(value)) return refuse(400);
      auto& authority = head.request.authority;
      // RFC 9112 section 3.2.2 lets the target win; two names for one request are refused instead.
      std::string lower(value);
      make_lower(lower);
      if (!authority.empty() && !equals_ignoring_case(authority, lower)) return refuse(400);
      authority = value;
    } else if (name == "content-length") {
      seen |= kLength;
      auto const length = parse_content_length(value);
      if (!length) return refuse(400);
      head.length = *length;
      head.framing = Http1Head::Framing::kLength;
    } else if (name == "transfer-encoding") {
      seen |= kTransfer;
      if (!equals_ignoring_case(value, "chunked")) return refuse(400);
      head.framing = Http1Head::Framing::kChunked;
    } else if (name == "expect") {
      head.expects_continue = equals_ignoring_case(value, "100-continue");
    }
  }
  if ((seen & kHost) == 0 || ((seen & kLength) != 0 && (seen & kTransfer) != 0)) return refuse(400);
  if (head.framing == Http1Head::Framing::kLength && head.length == 0)
    head.framing = Http1Head::Framing::kNone;
  return {};
}

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view bytes) {
  while (true) {
    auto const newline = find(bytes, '\n', scanned_, bytes.size());
    auto const line_end = newline == std::string_view::npos ? bytes.size() : newline;
    // The last byte of the part already scanned may have been the CR of this line.
    auto const carriage = find(bytes, '\r', std::max(line_, scanned_ == 0 ? 0 : scanned_ - 1), line_end);
    if (newline == std::string_view::npos) {
      scanned_ = bytes.size();
      bool const bare_cr = carriage != std::string_view::npos && carriage + 1 != bytes.size();
      return bare_cr ? State::kMalformed : State::kIncomplete;
    }
    if (newline == 0 || carriage == std::string_view::npos || carriage + 1 != newline)
      return State::kMalformed;
    bool const is_empty = carriage == line_;
    bool const is_first = line_ == begin_;
    line_ = scanned_ = newline + 1;
    if (!is_empty) continue;
    if (!is_first) return State::kComplete;
    if (begin_ != 0) return State::kMalformed;
    begin_ = line_;
  }
}

std::expected<Http1Head, Refusal> parse_http1_head(std::string_view head, Limits const& limits,
                                                   Scheme scheme) {
  Http1Head result;
  auto line_end = head.find("\r\n");
  if (line_end == std::string_view::npos) return refuse(400);
  if (auto const parsed = parse_request_line(head.substr(0, line_end), limits, scheme, result.request);
      !parsed) {
    return std::unexpected(parsed.error());
  }
  if (head.size() > limits.header_bytes) return refuse(431);
  head.remove_prefix(line_end + 2);

  result.request.headers.reserve(16);
  while (!head.starts_with("\r\n")) {
    line_end = head.find("\r\n");
    if (line_end == std::string_view::npos) return refuse(400);
    if (result.request.headers.size() == limits.header_fields) return refuse(431);
    if (auto const parsed = parse_field(head.substr(0, line_end), result.request); !parsed) {
      return std::unexpected(parsed.error());
    }
    head.remove_prefix(line_end + 2);
  }
  if (auto const understood = interpret_fields(result); !understood)
    return std::unexpected(understood.error());
  return result;
}

}  // namespace tacenda::net

#include "net/internal/response_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/log.hpp"
#include "net/internal/field.hpp"

namespace tacenda::net {
namespace {

void append_number(std::string& out, std::size_t value) {
  std::array<char, 20> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::string_view reason_of(std::uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

bool is_written_by_net(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames{"connection", "content-length",   "date",
                                                          "keep-alive", "proxy-connection", "trailer",
                                                          "upgrade",    "transfer-encoding"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view known) { return equals_ignoring_case(name, known); });
}

bool is_sendable(Response const& response) {
  if (response.status < 200 || response.status > 599) return false;
  return std::ranges::all_of(response.headers, [](Header const& field) {
    return is_token(field.name) && is_field_value(field.value);
  });
}

bool has_body(std::uint16_t status) {
  return status != 204 && status != 304;
}

void append_http1_head(std::string& out, Response const& response, std::string_view date,
                       std::size_t const* content_length, bool close) {
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\ndate: ";
  out += date;
  for (auto const& [name, value] : response.headers) {
    if (is_written_by_net(name)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (content_length != nullptr) {
    out += "\r\ncontent-length: ";
    append_number(out, *content_length);
  }
  if (close) out += "\r\nconnection: close";
  out += "\r\n\r\n";
}

void note_unsendable() {
  log(LogLevel::kError, "response refused: a status or field that would break its framing");
}

}  // namespace tacenda::net

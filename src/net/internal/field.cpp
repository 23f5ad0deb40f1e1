#include "net/internal/field.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace tacenda::net {
namespace {

enum : std::uint8_t { kToken = 1, kValue = 2, kTarget = 4, kHost = 8, kHex = 16 };

constexpr bool is_between(int byte, char low, char high) {
  return byte >= low && byte <= high;
}

constexpr std::uint8_t classify(int byte) {
  bool const alphanumeric =
      is_between(byte, '0', '9') || is_between(byte, 'a', 'z') || is_between(byte, 'A', 'Z');
  auto const among = [&](std::string_view set) {
    return byte < 0x80 && set.find(static_cast<char>(byte)) != std::string_view::npos;
  };
  unsigned classes = 0;
  if (alphanumeric || (byte != 0 && among("!#$%&'*+-.^_`|~"))) classes |= kToken;
  if (byte == '\t' || (byte >= 0x20 && byte != 0x7f)) classes |= kValue;
  if (byte > 0x20 && byte < 0x7f && byte != '#') classes |= kTarget;
  if (alphanumeric || (byte != 0 && among("-._~"))) classes |= kHost;
  if (is_between(byte, '0', '9') || is_between(byte, 'a', 'f') || is_between(byte, 'A', 'F')) classes |= kHex;
  return static_cast<std::uint8_t>(classes);
}

constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int byte = 0; byte < 256; ++byte) classes[static_cast<std::size_t>(byte)] = classify(byte);
  return classes;
}();

bool all_of_class(std::string_view text, unsigned wanted) {
  return std::ranges::all_of(text,
                             [&](char c) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; });
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value >= 1 && value <= 65'535;
}

/// The inside of "[...]": hexadecimal groups and an optional IPv4 tail. Whether the groups add up is of
/// no use to anyone here, the name is only compared.
bool is_ipv6(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return false;
  return std::ranges::count(text, ':') >= 2 && std::ranges::all_of(text, [](char c) {
           return c == ':' || c == '.' || (kClasses[static_cast<unsigned char>(c)] & kHex) != 0;
         });
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_of_class(text, kToken);
}

bool is_field_value(std::string_view text) {
  if (text.empty()) return true;
  return !is_blank(text.front()) && !is_blank(text.back()) && all_of_class(text, kValue);
}

bool is_target_text(std::string_view text) {
  return !text.empty() && all_of_class(text, kTarget);
}

bool is_authority(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  std::size_t host_end = 0;
  if (text.front() == '[') {
    auto const bracket = text.find(']');
    if (bracket == std::string_view::npos || !is_ipv6(text.substr(1, bracket - 1))) return false;
    host_end = bracket + 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if (host_end == 0 || !all_of_class(text.substr(0, host_end), kHost)) return false;
  }
  if (host_end == text.size()) return true;
  return text[host_end] == ':' && is_port(text.substr(host_end + 1));
}

bool equals_ignoring_case(std::string_view a, std::string_view lower_case_b) {
  return std::ranges::equal(a, lower_case_b, [](char x, char y) { return to_lower(x) == y; });
}

void make_lower(std::string& text) {
  std::ranges::transform(text, text.begin(), to_lower);
}

std::optional<std::uint64_t> parse_content_length(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t value = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    auto const digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool is_singleton(std::string_view lower_case_name) {
  static constexpr std::array<std::string_view, 8> kNames{"authorization", "content-length",   "content-type",
                                                          "cookie",        "expect",           "host",
                                                          "origin",        "transfer-encoding"};
  return std::ranges::find(kNames, lower_case_name) != kNames.end();
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool list_contains(std::string_view list, std::string_view lower_case_member) {
  while (!list.empty()) {
    auto const comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim_blanks(list.substr(0, comma)), lower_case_member)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace tacenda::net

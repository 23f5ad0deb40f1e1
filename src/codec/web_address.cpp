#include "codec/web_address.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/ip_address.hpp"

namespace tacenda::codec {
namespace {

constexpr std::string_view kHttps = "https://";
constexpr std::size_t kNameBytesMax = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr std::size_t kLabelBytesMax = 63;

// What ends a name that is of no use on the internet, or is another machine in each network.
constexpr auto kInsideNames =
    std::to_array<std::string_view>({"localhost", "localdomain", "local", "internal", "intranet", "private",
                                     "corp", "home", "lan", "home.arpa", "test", "invalid", "alt", "onion"});

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.';
}

constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// ":8443"; nothing is no port, and fits.
bool is_port_or_nothing(std::string_view text) {
  constexpr std::size_t kDigitsMax = 5;
  if (text.empty()) return true;
  return text.front() == ':' && text.size() > 1 && text.size() <= kDigitsMax + 1 &&
         std::ranges::all_of(text.substr(1), is_digit);
}

/// Would a reader of URLs take a name with this last label for an IPv4 address?
bool is_number(std::string_view label) {
  if (label.starts_with("0x")) return std::ranges::all_of(label.substr(2), is_hex_digit);
  return std::ranges::all_of(label, is_digit);
}

bool ends_in(std::string_view name, std::string_view end) {
  return name == end || (name.ends_with(end) && name.at(name.size() - end.size() - 1) == '.');
}

bool are_labels(std::string_view name) {
  while (true) {
    auto const dot = name.find('.');
    auto const label = name.substr(0, dot);
    if (label.empty() || label.size() > kLabelBytesMax || label.front() == '-' || label.back() == '-')
      return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_public_address(std::string_view text) {
  auto const address = IpAddress::parse(text);
  return address && address->is_public();
}

}  // namespace

std::optional<std::string_view> host_of_authority(std::string_view authority) {
  bool const is_bracketed = authority.starts_with('[');
  auto const end = is_bracketed ? authority.find(']') : authority.find(':');
  if (is_bracketed && end == std::string_view::npos) return std::nullopt;
  auto const host = authority.substr(0, is_bracketed ? end + 1 : end);
  if (host.empty() || !is_port_or_nothing(authority.substr(host.size()))) return std::nullopt;
  if (!is_bracketed) return std::ranges::all_of(host, is_name_character) ? std::optional(host) : std::nullopt;
  auto const address = IpAddress::parse(host.substr(1, host.size() - 2));
  return address && host.contains(':') ? std::optional(host) : std::nullopt;
}

std::optional<std::string_view> host_of_https(std::string_view url) {
  if (!url.starts_with(kHttps)) return std::nullopt;
  auto const rest = url.substr(kHttps.size());
  return host_of_authority(rest.substr(0, rest.find_first_of("/?#")));
}

bool is_public_host(std::string_view host) {
  if (host.starts_with('[')) return is_public_address(host.substr(1, host.size() - 2));
  std::string name(host);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.ends_with('.')) name.pop_back();  // of the root: the same name
  if (name.size() > kNameBytesMax || !are_labels(name)) return false;
  auto const dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  if (is_number(std::string_view(name).substr(dot + 1))) return is_public_address(name);
  return std::ranges::none_of(kInsideNames, [&](auto const end) { return ends_in(name, end); });
}

}  // namespace tacenda::codec

#include "access/forwarded.hpp"

#include <ranges>
#include <vector>

#include "codec/field_text.hpp"
#include "core/ip_address.hpp"
#include "core/limits.hpp"

namespace tacenda::access {
namespace {

using codec::trim;

/// The address of a hop, as some proxies write it with its port: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string_view without_port(std::string_view hop) {
  if (hop.starts_with('[')) {
    auto const end = hop.find(']');
    return end == std::string_view::npos ? std::string_view() : hop.substr(1, end - 1);
  }
  auto const colon = hop.find(':');
  bool const is_v4 = colon != std::string_view::npos && hop.find(':', colon + 1) == std::string_view::npos;
  return is_v4 ? hop.substr(0, colon) : hop;
}

/// From right to left, at most limits::kForwardedHops.
std::vector<std::string_view> hops_of(std::span<std::string_view const> fields) {
  std::vector<std::string_view> hops;
  for (std::string_view field : std::views::reverse(fields)) {
    while (hops.size() < limits::kForwardedHops) {
      auto const comma = field.rfind(',');
      hops.push_back(without_port(trim(field.substr(comma == std::string_view::npos ? 0 : comma + 1))));
      if (comma == std::string_view::npos) break;
      field = field.substr(0, comma);
    }
  }
  return hops;
}

}  // namespace

std::string forwarded_address(AddressList const& trusted, std::string_view peer,
                              std::span<std::string_view const> x_forwarded_for) {
  std::string client(peer);
  for (auto const hop : hops_of(x_forwarded_for)) {
    auto const address = IpAddress::parse(hop);
    if (!trusted.contains(client) || !address) break;
    client = address->text();
  }
  return client;
}

}  // namespace tacenda::access

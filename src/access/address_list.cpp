#include "access/address_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tacenda::access {
namespace {

struct Parsed {
  std::array<std::uint8_t, 16> bytes{};
  bool v4 = false;
};

std::optional<Parsed> parse_address(std::string_view text) {
  // inet_pton wants a C string, and would not see what stands behind a NUL.
  if (text.contains('\0')) return std::nullopt;
  std::string const copy(text);
  Parsed parsed;
  std::array<std::uint8_t, 4> v4{};
  if (::inet_pton(AF_INET, copy.c_str(), v4.data()) == 1) {
    parsed.v4 = true;
    parsed.bytes[10] = parsed.bytes[11] = 0xFF;  // RFC 4291 section 2.5.5.2
    std::ranges::copy(v4, parsed.bytes.begin() + 12);
    return parsed;
  }
  if (::inet_pton(AF_INET6, copy.c_str(), parsed.bytes.data()) == 1) return parsed;
  return std::nullopt;
}

bool matches(std::array<std::uint8_t, 16> const& a, std::array<std::uint8_t, 16> const& b, unsigned bits) {
  for (unsigned i = 0; i < bits; ++i) {
    unsigned const shift = 7U - i % 8U;
    if (((static_cast<unsigned>(a[i / 8U] ^ b[i / 8U]) >> shift) & 1U) != 0) return false;
  }
  return true;
}

}  // namespace

Result<AddressList> AddressList::parse(std::span<std::string const> networks) {
  AddressList list;
  list.everyone_ = false;
  for (std::string_view const text : networks) {
    auto const slash = text.find('/');
    auto const address = parse_address(text.substr(0, slash));
    if (!address) return fail(ErrorKind::kInvalid, "an address list has an entry that is no address");
    unsigned const width = address->v4 ? 32 : 128;
    unsigned bits = width;
    if (slash != std::string_view::npos) {
      auto const digits = text.substr(slash + 1);
      auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      if (error != std::errc() || end != digits.data() + digits.size() || bits > width) {
        return fail(ErrorKind::kInvalid, "an address list has a prefix length that does not fit");
      }
    }
    Network network{address->bytes, bits + (address->v4 ? 96U : 0U)};
    for (unsigned i = network.prefix_bits; i < 128; ++i) {
      if ((network.address[i / 8U] >> (7U - i % 8U) & 1U) != 0) {
        return fail(ErrorKind::kInvalid, "an address list has a network with bits beyond its prefix");
      }
    }
    list.networks_.push_back(network);
  }
  return list;
}

bool AddressList::contains(std::string_view address) const {
  if (everyone_) return true;
  auto const parsed = parse_address(address);
  return parsed && std::ranges::any_of(networks_, [&](Network const& network) {
           return matches(parsed->bytes, network.address, network.prefix_bits);
         });
}

}  // namespace tacenda::access

#include "access/address_list.hpp"

#include <algorithm>
#include <charconv>

#include "core/ip_address.hpp"

namespace tacenda::access {
namespace {

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
    auto const address = IpAddress::parse(text.substr(0, slash));
    if (!address) return fail(ErrorKind::kInvalid, "an address list has an entry that is no address");
    // As it is written: a mapped address has the prefix of an IPv6 address.
    bool const is_v4 = !text.contains(':');
    unsigned const width = is_v4 ? 32 : 128;
    unsigned bits = width;
    if (slash != std::string_view::npos) {
      auto const digits = text.substr(slash + 1);
      auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      if (error != std::errc() || end != digits.data() + digits.size() || bits > width) {
        return fail(ErrorKind::kInvalid, "an address list has a prefix length that does not fit");
      }
    }
    Network network{address->bytes(), bits + (is_v4 ? 96U : 0U)};
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
  auto const parsed = IpAddress::parse(address);
  return parsed && std::ranges::any_of(networks_, [&](Network const& network) {
           return matches(parsed->bytes(), network.address, network.prefix_bits);
         });
}

bool AddressList::covers(AddressList const& other) const {
  if (everyone_) return true;
  return !other.everyone_ && std::ranges::all_of(other.networks_, [&](Network const& inner) {
    return std::ranges::any_of(networks_, [&](Network const& outer) {
      return outer.prefix_bits <= inner.prefix_bits &&
             matches(inner.address, outer.address, outer.prefix_bits);
    });
  });
}

}  // namespace tacenda::access

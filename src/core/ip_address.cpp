#include "core/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace tacenda {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr std::array<std::uint8_t, kMappedBytes> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t kTextKept = 64;

struct Special {
  std::array<std::uint8_t, 4> first;
  unsigned bits;
};
constexpr auto kSpecialV4 = std::to_array<Special>({
    {{0, 0, 0, 0}, 8},
    {{10, 0, 0, 0}, 8},
    {{100, 64, 0, 0}, 10},
    {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16},
    {{172, 16, 0, 0}, 12},
    {{192, 0, 0, 0}, 24},
    {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24},
    {{192, 168, 0, 0}, 16},
    {{198, 18, 0, 0}, 15},
    {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24},
    {{224, 0, 0, 0}, 4},
    {{240, 0, 0, 0}, 4},
});
// Of 2000::/3, outside of which nothing is given out: IETF protocols (with Teredo and ORCHID),
// documentation twice, 6to4, which stands for an IPv4 address.
constexpr auto kSpecialV6 = std::to_array<Special>({
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x01, 0x0D, 0xB8}, 32},
    {{0x20, 0x02, 0x00, 0x00}, 16},
    {{0x3F, 0xFF, 0x00, 0x00}, 20},
});

std::uint32_t word_of(std::uint8_t const* bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U |
         bytes[3];
}

bool is_in(Special const& special, std::uint32_t word) {
  return ((word ^ word_of(special.first.data())) >> (32 - special.bits)) == 0;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton wants a C string, and would not see what stands behind a NUL.
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.contains('\0')) return std::nullopt;
  std::string const copy(text);
  IpAddress address;
  if (::inet_pton(AF_INET, copy.c_str(), address.bytes_.data() + kMappedBytes) == 1) {
    std::ranges::copy(kMapped, address.bytes_.begin());
    return address;
  }
  if (::inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

bool IpAddress::is_public() const {
  if (is_v4()) {
    auto const word = word_of(bytes_.data() + kMappedBytes);
    return std::ranges::none_of(kSpecialV4, [&](Special const& special) { return is_in(special, word); });
  }
  auto const word = word_of(bytes_.data());
  return word >> 29U == 1 &&
         std::ranges::none_of(kSpecialV6, [&](Special const& special) { return is_in(special, word); });
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  bool const v4 = is_v4();
  // It fails for too small a buffer alone.
  (void)::inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? kMappedBytes : 0), text.data(),
                    text.size());
  return text.data();
}

std::string IpAddress::subscriber() const {
  if (is_v4()) return text();
  IpAddress network = *this;
  std::fill(network.bytes_.begin() + 8, network.bytes_.end(), std::uint8_t{0});
  return network.text();
}

std::string subscriber_of(std::string_view address) {
  auto const parsed = IpAddress::parse(address);
  return parsed ? parsed->subscriber() : std::string(address.substr(0, kTextKept));
}

}  // namespace tacenda

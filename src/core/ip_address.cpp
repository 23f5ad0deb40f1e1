#include "core/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace tacenda {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr std::array<std::uint8_t, kMappedBytes> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t kTextKept = 64;

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

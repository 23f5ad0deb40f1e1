#include "identity/internal/throttle.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

namespace tacenda::identity {

std::string network_of(std::string_view address) {
  std::string text(address);
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0,    0,
                                                  0, 0, 0, 0, 0xFF, 0xFF};  // an IPv4 address
  if (std::ranges::equal(kMapped, std::span(bytes).first(kMapped.size()))) return text;
  std::ranges::fill(std::span(bytes).last(8), 0);
  std::array<char, INET6_ADDRSTRLEN> network{};
  ::inet_ntop(AF_INET6, bytes.data(), network.data(), network.size());  // fits: it cannot fail
  return std::string(network.data()) + "/64";
}

}  // namespace tacenda::identity

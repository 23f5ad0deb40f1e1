#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tacenda {

/// An IP address in one form, whoever wrote it down and how: an IPv4 address is the same as the IPv6 address
/// that stands for it (::ffff:192.0.2.1).
class IpAddress {
 public:
  /// nullopt: no address (a port, brackets and a zone are none of it).
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  /// Is it one that anybody on the internet may have: no loopback, link-local, private, shared,
  /// documentation, multicast or reserved address, and none that stands for an IPv4 address by way of a
  /// translator? Source: RFC 6890; the IANA registries of special-purpose addresses.
  bool is_public() const;
  /// Network byte order; an IPv4 address is mapped (RFC 4291 section 2.5.5.2).
  std::array<std::uint8_t, 16> const& bytes() const { return bytes_; }
  /// "192.0.2.1"; of an IPv6 address the text of RFC 5952.
  std::string text() const;
  /// What one subscriber is given, and so what is counted as one: the IPv4 address, or the /64 of an IPv6
  /// address, as "2001:db8::".
  std::string subscriber() const;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

/// The subscriber of an address in text; of a text that is none (a client of the socket) its beginning.
std::string subscriber_of(std::string_view address);

}  // namespace tacenda

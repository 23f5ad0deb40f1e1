#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tacenda::access {

/// Networks from which a connection is let in (M14, N-05). An IPv4 address and its IPv4-mapped IPv6 form are
/// the same. Immutable; thread-safe.
class AddressList {
 public:
  /// Lets everyone in: the list of a listener for which none is configured.
  AddressList() = default;
  /// `networks`: "10.0.0.0/8", "192.168.1.7", "fd00::/8". An empty list lets nobody in.
  /// Errors: kInvalid (no address, bits beyond the prefix set).
  static Result<AddressList> parse(std::span<std::string const> networks);

  /// False for a text that is no address.
  bool contains(std::string_view address) const;
  /// Does it surely let in whoever `other` lets in? Each network of `other` must lie within one of this: of
  /// two halves that together hold it the answer is no.
  bool covers(AddressList const& other) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> address;
    unsigned prefix_bits;
  };
  bool everyone_ = true;
  std::vector<Network> networks_;
};

}  // namespace tacenda::access

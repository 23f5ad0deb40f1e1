#pragma once

#include <span>
#include <string>
#include <string_view>

#include "access/address_list.hpp"

namespace tacenda::access {

/// Who asks, when proxies stand in between: the values of X-Forwarded-For are walked from the right, and each
/// is believed only when the one behind it, at first the peer of the connection, is a trusted proxy. What a
/// client wrote himself stands further left than the first proxy that is not trusted to pass it on, and so is
/// never reached. A value that is no address ends the walk.
/// Source: RFC 7239 section 8.1; REQUIREMENTS N-05.
std::string forwarded_address(AddressList const& trusted, std::string_view peer,
                              std::span<std::string_view const> x_forwarded_for);

}  // namespace tacenda::access

#pragma once

#include <optional>
#include <string_view>

namespace tacenda::codec {

/// The host of "host:port" or "host": letters, digits, hyphens and dots, or an IPv6 address in its brackets.
/// nullopt: anything else, above all a user before it.
/// Source: RFC 3986 section 3.2.
std::optional<std::string_view> host_of_authority(std::string_view authority);

/// The host of an https URL. nullopt: it is none, or its authority is not as host_of_authority wants it.
std::optional<std::string_view> host_of_https(std::string_view url);

/// Could this host be anybody's on the internet, by its text? Not so: an address that IpAddress::is_public
/// does not take, or one that is written in another way than its usual one (octal, hexadecimal, one number,
/// fewer parts); "localhost" and other names that mean something inside a network alone; a single label. What
/// a name resolves to is not asked: whoever connects asks that of the address. Source: WHATWG URL section 3.5
/// ("ends in a number"); RFC 6761, 6762, 8375, 9476.
bool is_public_host(std::string_view host);

}  // namespace tacenda::codec

#pragma once

#include <string>

namespace tacenda::api {

/// When the CapabilityStatement last changed by hand.
inline constexpr char kCapabilityDate[] = "2026-11-23";

/// The CapabilityStatement, made from the route table. `base_url` without a slash at its end.
/// Source: R4 capabilitystatement.html, http.html#capabilities.
std::string capability_statement(std::string const& base_url, std::string const& version,
                                 std::string const& date);

}  // namespace tacenda::api

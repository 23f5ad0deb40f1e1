#pragma once

#include <string>

#include "fhir/search_parameters.hpp"

namespace tacenda::api {

/// When the CapabilityStatement last changed by hand.
inline constexpr char kCapabilityDate[] = "2026-11-29";

/// Without a slash at their ends.
struct ServerAddresses {
  std::string base_url;  // of FHIR, as the request named it
  std::string origin;    // under which applications get their tokens
};

/// The CapabilityStatement, made from the route table. `known`: the search parameters that it lists.
/// Source: R4 capabilitystatement.html, http.html#capabilities.
std::string capability_statement(ServerAddresses const& addresses, std::string const& version,
                                 std::string const& date,
                                 fhir::SearchParameters const& known = fhir::r4_parameters());

}  // namespace tacenda::api

#pragma once

#include <string>

#include "fhir/search_parameters.hpp"

namespace tacenda::api {

/// When the CapabilityStatement last changed by hand.
inline constexpr char kCapabilityDate[] = "2026-11-23";

/// The CapabilityStatement, made from the route table. `base_url` without a slash at its end;
/// `known`: the search parameters that it lists.
/// Source: R4 capabilitystatement.html, http.html#capabilities.
std::string capability_statement(std::string const& base_url, std::string const& version,
                                 std::string const& date,
                                 fhir::SearchParameters const& known = fhir::r4_parameters());

}  // namespace tacenda::api

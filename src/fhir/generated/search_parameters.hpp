#pragma once

#include <span>

#include "fhir/search_parameter.hpp"

namespace tacenda::fhir::generated {

/// Every search parameter of R4, sorted by base type and code.
std::span<SearchParameter const> search_parameters();

}  // namespace tacenda::fhir::generated

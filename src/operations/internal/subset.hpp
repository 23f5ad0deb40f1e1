#pragma once

#include <string>
#include <vector>

#include "core/error.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::operations {

/// A resource with the elements that `_summary` or `_elements` leave, tagged SUBSETTED when it is not whole;
/// what must be there by the definition always stays. Errors: kCorrupt (no JSON). Source: R4
/// search.html#summary, #elements.
Result<std::string> subset(std::string json, fhir::Summary summary, std::vector<std::string> const& elements);

}  // namespace tacenda::operations

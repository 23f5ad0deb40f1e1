#pragma once

#include <vector>

#include "records/internal/condition.hpp"

namespace tacenda::records {

/// The terms that answer a value, as ranges_of gives them, and of :below and :above of a reference those of
/// what lies below or above it: by its type's parameter for what a resource is part of (R4
/// search.html#reference, #recursive). What the permits hide leads nowhere. Errors: as ranges_of; kTooCostly,
/// kCorrupt.
Result<std::vector<TermRange>> ranges_within(SearchState const& state, fhir::SearchParameter const& parameter,
                                             fhir::Modifier modifier, fhir::SearchValue const& value);

}  // namespace tacenda::records

#pragma once

#include <span>
#include <string_view>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::records {

/// Do all the criteria hold for this one resource, by what a search would find in it? They are of the kind
/// kValue and of R4's own parameters of its type (asserted); no other resource is looked at. Thread-safe.
/// Errors: kNotSupported, kInvalid (a criterion that no term answers); kBug.
Result<bool> meets(codec::Json const& resource, std::string_view type,
                   std::span<fhir::SearchCriterion const> criteria);

}  // namespace tacenda::records

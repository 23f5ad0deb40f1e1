#pragma once

#include <cstdint>
#include <vector>

#include "core/error.hpp"
#include "fhir/search_query.hpp"
#include "records/internal/condition.hpp"

namespace tacenda::records {

/// Sorts documents of a type by the keys, then by their number. A resource without a value stands behind
/// those with one, whatever the direction; of several values the least counts, descending the greatest.
/// Errors: kTooCostly, kCorrupt. Source: R4 search.html#sort.
Result<std::vector<std::uint64_t>> sorted(SearchState& state, std::string_view type,
                                          std::vector<fhir::SortKey> const& keys,
                                          std::vector<std::uint64_t> documents);

}  // namespace tacenda::records

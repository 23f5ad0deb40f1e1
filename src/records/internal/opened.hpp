#pragma once

#include <vector>

#include "records/internal/condition.hpp"
#include "records/internal/row.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {

/// All terms of a stored version, those among them that facts do not keep. Whether its resource may be seen
/// is the caller's question. Errors: kCorrupt, kGone (its keys were destroyed), kTooCostly.
Result<std::vector<Term>> terms_of_version(SearchState const& state, RowPlace const& place,
                                           RowHeader const& header);

}  // namespace tacenda::records

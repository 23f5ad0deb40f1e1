#pragma once

#include <cstddef>

#include "operations/search.hpp"

namespace tacenda::operations {

inline constexpr std::size_t kLastNObservations = 20'000;  // that one request looks at

/// Observation/$lastn: of the observations that a search finds, the newest of each code, `max` of them
/// (default 1) and as many more as are of the same time as the last. Codes are one when observations have a
/// coding, or else the text, in common. The search must name whose: patient or subject. One that the asker
/// may not see is as if it were not. Errors: as search; kInvalid (nobody is named, or max is no number),
/// kTooCostly (more than kLastNObservations are found). Source: R4 observation-operation-lastn.html.
Result<Outcome> last_n(Context const& context, SearchRequest request);

}  // namespace tacenda::operations

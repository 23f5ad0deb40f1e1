#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "records/internal/condition.hpp"

namespace tacenda::records {

// Where canonicals lead (R4 references.html#canonical): to every resource that has the URL and, where the
// canonical names a version, that version. What they lead to is not judged here. All give kCorrupt,
// kTooCostly.

struct LinkTarget {
  std::string_view type;  // as it was given
  std::uint64_t document = 0;
};

/// True for the bytes of a term that a canonical made.
bool is_canonical(std::string_view bytes);
/// The term with the value of its row at `document`.
Result<Term> with_row(SearchState const& state, KeptTerm const& term, std::uint64_t document);
/// Documents of `types` that a canonical leads to; `term` has its row's value.
Result<std::vector<LinkTarget>> canonical_targets(SearchState const& state, Term const& term,
                                                  std::vector<std::string_view> const& types);
/// Gives `visit` the documents that refer by `parameter` to `target`, literally or by its URL, until it says
/// false.
Result<void> visit_referrers(SearchState const& state, std::uint32_t parameter, Candidate& target,
                             std::function<Result<bool>(std::uint64_t)> const& visit);
/// True when any resource has a canonical in `parameter`; `inside` as ChainCondition has it.
Result<bool> has_canonicals(SearchState const& state, std::uint32_t parameter, std::string_view inside);

TermRange reference_to(std::string_view type, std::string_view id);
TermRange nested_as(std::string_view type, std::string_view id);

}  // namespace tacenda::records

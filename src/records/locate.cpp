// Resources by criteria, without a look at their content.
#include "core/limits.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/matcher.hpp"
#include "records/store.hpp"

namespace tacenda::records {

Result<std::vector<Located>> Store::locate(PermitSource const& permits, std::string_view type,
                                           std::vector<fhir::SearchCriterion> const& criteria,
                                           std::size_t limit) const {
  auto const extractor = TACENDA_TRY(answering_index());
  auto const at = vault_->read_point();
  Budget budget(limits::kSearchRows);
  SearchState const state(*vault_, view_, at, *extractor, {}, permits, budget);
  auto const matcher = TACENDA_TRY(Matcher::make(state, type, criteria));
  auto const stream = TACENDA_TRY(matcher->open(Matcher::Walk::kPart));
  std::vector<Located> found;
  for (std::uint64_t from = 0; found.size() < limit;) {
    auto const document = TACENDA_TRY(stream->at_or_after(from));
    if (!document) break;
    from = *document + 1;
    Candidate candidate(state, *document);
    auto const* facts = TACENDA_TRY(candidate.facts());
    found.push_back({facts->id, facts->version});
  }
  return found;
}

}  // namespace tacenda::records

// What the resources of a type have in their meta, from the index rows of _profile, _tag and _security.
#include <algorithm>

#include "core/limits.hpp"
#include "fhir/search_parameter.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"
#include "records/store.hpp"

namespace tacenda::records {
namespace {

// What a look at a document's facts, or for the next term, costs in rows that are read one after the other.
constexpr std::uint64_t kRowsPerLook = 24;
// Profiles, tags and labels that one answer lists.
constexpr std::size_t kValues = 10'000;

/// Which documents of one type may be seen. Each is judged once, however many values it has.
class Seen {
 public:
  Seen(SearchState const& state, std::string_view type, std::set<std::string>& patients)
      : state_(state),
        permit_(state.permit(type)),
        all_(permit_ != nullptr && permit_->judges_all(type)),
        patients_(patients) {}

  bool is_any() const { return permit_ != nullptr; }

  Result<bool> shows(std::uint64_t document) {
    if (all_ || shown_.contains(document)) return true;
    if (hidden_.contains(document)) return false;
    TACENDA_TRY_VOID(state_.index().budget.spend(kRowsPerLook));
    Candidate candidate(state_, document);
    auto const* facts = TACENDA_TRY(candidate.facts());
    bool const shown = TACENDA_TRY(state_.shows(*permit_, *facts));
    (shown ? shown_ : hidden_).add(document);
    if (shown) patients_.insert(facts->patients.begin(), facts->patients.end());
    return shown;
  }

 private:
  SearchState const& state_;
  Permit const* permit_;  // nullptr: nothing may be seen
  bool all_;
  DocumentSet shown_;
  DocumentSet hidden_;
  std::set<std::string>& patients_;
};

/// Calls `take` with each term of a section that a resource has which may be seen, without its section. Costs
/// one look for each term, and a row for each resource that may not be seen.
Result<void> each_term(IndexReader const& index, Seen& seen, std::uint32_t parameter, Section section,
                       std::function<Result<void>(std::string_view term)> const& take) {
  auto const range = whole_section(static_cast<char>(section));
  auto cursor =
      index.view.cursor(index_prefix(parameter, range.from), index_prefix(parameter, range.to), index.at);
  while (cursor.valid()) {
    TACENDA_TRY_VOID(index.budget.spend(1));
    auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
    if (!TACENDA_TRY(seen.shows(row.document))) {
      cursor.next();
      continue;
    }
    std::string const term(row.bytes);
    TACENDA_TRY_VOID(take(std::string_view(term).substr(1)));
    TACENDA_TRY_VOID(index.budget.spend(kRowsPerLook));
    cursor.seek(index_prefix(parameter, after_prefix(term)));
  }
  return cursor.status();
}

/// The values of all types.
class Collected {
 public:
  explicit Collected(MetaInUse& found) : found_(found) {}

  Result<void> profile(std::string_view term) {
    found_.profiles.insert(TACENDA_TRY(take_text(term)));
    return check();
  }
  static Result<MetaInUse::Label> label(std::string_view term) {
    std::string code = TACENDA_TRY(take_text(term));
    return MetaInUse::Label{TACENDA_TRY(take_text(term)), std::move(code)};
  }
  Result<void> tag(std::string_view term) {
    found_.tags.insert(TACENDA_TRY(label(term)));
    return check();
  }
  Result<void> security(std::string_view term) {
    found_.security.insert(TACENDA_TRY(label(term)));
    return check();
  }

 private:
  Result<void> check() const {
    if (found_.profiles.size() + found_.tags.size() + found_.security.size() <= kValues) return {};
    return fail(ErrorKind::kTooCostly, "more profiles, tags and labels are in use than one answer may list");
  }

  MetaInUse& found_;
};

}  // namespace

Result<MetaInUse> Store::meta_in_use(PermitSource const& permits, std::span<std::string const> types,
                                     Watch watch) const {
  auto const extractor = TACENDA_TRY(answering_index());
  auto const at = vault_->read_point();
  Budget budget(limits::kSearchRows, std::move(watch));
  SearchState const state(*vault_, view_, at, *extractor, {}, permits, budget);
  MetaInUse found;
  Collected collected(found);
  for (auto const& type : types) {
    Seen seen(state, type, found.patients);
    if (!seen.is_any()) continue;
    for (auto const* parameter : fhir::search_parameters_of(type)) {
      auto const number = number_of(type, *parameter);
      if (parameter->code == "_profile") {
        TACENDA_TRY_VOID(each_term(state.index(), seen, number, Section::kUri,
                                   [&](std::string_view term) { return collected.profile(term); }));
      } else if (parameter->code == "_tag") {
        TACENDA_TRY_VOID(each_term(state.index(), seen, number, Section::kToken,
                                   [&](std::string_view term) { return collected.tag(term); }));
      } else if (parameter->code == "_security") {
        TACENDA_TRY_VOID(each_term(state.index(), seen, number, Section::kToken,
                                   [&](std::string_view term) { return collected.security(term); }));
      }
    }
  }
  return found;
}

}  // namespace tacenda::records

// Criteria of conditional interactions and references (R4 http.html#ccreate, #cond-update, #trules).
#include <algorithm>
#include <set>

#include "core/limits.hpp"
#include "fhir/types.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/matcher.hpp"
#include "records/transaction.hpp"

namespace tacenda::records {
namespace {

using Kind = fhir::SearchCriterion::Kind;

bool is_plain(fhir::SearchCriterion const& criterion) {
  return criterion.kind == Kind::kValue && criterion.parameter->code != "_lastUpdated" &&
         !fhir::is_hierarchy(criterion);
}

/// Every value is one exact token, reference or URI: the criteria depend on the terms they name and on no
/// others.
bool names_terms(fhir::SearchCriterion const& criterion) {
  if (criterion.kind != Kind::kValue || criterion.modifier != fhir::Modifier::kNone) return false;
  switch (criterion.parameter->type) {
    case fhir::SearchType::kToken:
      return std::ranges::none_of(criterion.values, [](auto const& value) { return value.text.empty(); });
    case fhir::SearchType::kReference:
    case fhir::SearchType::kUri:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<void> Transaction::expect(std::string_view type, std::string_view id, fhir::Resource const& resource) {
  expected_[std::string(type)].push_back({std::string(id),
                                          TACENDA_TRY(extractor_->terms_of(resource.json()))});
  return {};
}

bool Transaction::is_indexed(std::string_view type, fhir::SearchCriterion const& criterion) const {
  // The parameter of _has is that of the type that refers.
  auto const owner = criterion.kind == Kind::kHas ? std::string_view(criterion.links.front().first) : type;
  if (criterion.parameter) {
    auto const known = extractor_->parameters().find(owner, criterion.parameter->code);
    if (!known || number_of(owner, *known) != number_of(owner, *criterion.parameter)) return false;
  }
  return std::ranges::all_of(criterion.links,
                             [&](auto const& link) { return is_indexed(link.first, *link.second); });
}

void Transaction::depend(std::string_view type, fhir::SearchCriterion const& criterion) {
  if (criterion.kind == Kind::kValue && criterion.parameter->code == "_id") return;  // the rows' own guards
  if (!names_terms(criterion)) {
    set_.depends_on(view_.guard(type_guard(type)));
    for (auto const& [target, linked] : criterion.links) depend(target, *linked);
    if (!fhir::is_hierarchy(criterion)) return;
    // The parts of what the value names: it may name any type.
    for (auto const target : fhir::resource_types()) set_.depends_on(view_.guard(type_guard(target)));
    return;
  }
  std::uint32_t const number = number_of(type, *criterion.parameter);
  for (auto const& value : criterion.values) {
    if (criterion.parameter->type == fhir::SearchType::kToken) {
      std::string code(1, static_cast<char>(Section::kToken));
      append_text(code, value.text);
      set_.depends_on(view_.guard(term_guard(number, code)));
      continue;
    }
    auto const ranges =
        ranges_of({}, *criterion.parameter, criterion.parameter->type, criterion.modifier, value);
    if (!ranges.has_value()) continue;
    for (auto const& range : *ranges) set_.depends_on(view_.guard(term_guard(number, range.from)));
  }
}

Result<bool> Transaction::answers(Expected const& expected, std::string_view type,
                                  fhir::SearchCriterion const& criterion) const {
  if (!is_plain(criterion)) {
    return fail(ErrorKind::kNotSupported, "these criteria cannot be asked of what the same bundle writes");
  }
  if (criterion.parameter->code == "_id") {
    return std::ranges::any_of(criterion.values,
                               [&](auto const& value) { return value.text == expected.id; });
  }
  return records::answers({}, expected.terms, type, criterion);
}

Result<std::vector<std::string>> Transaction::match(PermitSource const& permits, std::string_view type,
                                                    std::vector<fhir::SearchCriterion> const& criteria,
                                                    std::size_t limit) {
  if (criteria.empty()) return fail(ErrorKind::kInvalid, "the criteria are empty");
  if (!index_answers_) return fail(ErrorKind::kUnavailable, "the search index is being written anew");
  for (auto const& criterion : criteria) {
    if (!is_indexed(type, criterion))
      return fail(ErrorKind::kConflict, "the search parameters changed while the request ran");
    depend(type, criterion);
  }

  std::vector<std::string> matches;
  auto const expected = expected_.find(type);
  std::set<std::string_view> written;
  if (expected != expected_.end()) {
    for (auto const& each : expected->second) {
      written.insert(each.id);
      bool all = true;
      for (auto const& criterion : criteria) all = all && TACENDA_TRY(answers(each, type, criterion));
      if (all) matches.push_back(each.id);
      if (matches.size() == limit) return matches;
    }
  }
  Budget budget(limits::kSearchRows, watch_);
  SearchState const state(*vault_, view_, at_, *extractor_, {}, permits, budget);
  auto const matcher = TACENDA_TRY(Matcher::make(state, type, criteria));
  auto const stream = TACENDA_TRY(matcher->open(Matcher::Walk::kPart));
  for (std::uint64_t from = 0; matches.size() < limit;) {
    auto const document = TACENDA_TRY(stream->at_or_after(from));
    if (!document) break;
    from = *document + 1;
    Candidate candidate(state, *document);
    std::string const id = TACENDA_TRY(candidate.facts())->id;
    if (written.contains(id)) continue;
    // Also makes the set depend on the resource itself.
    Current const* current = TACENDA_TRY(load(type, id));
    if (!current->deleted) matches.push_back(id);
  }
  return matches;
}

}  // namespace tacenda::records

// Search (R4 search.html): matches, their order and pages, and what is included with them.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/limits.hpp"
#include "core/process.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/cut.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/links.hpp"
#include "records/internal/row.hpp"
#include "records/internal/search_lists.hpp"
#include "records/store.hpp"

namespace tacenda::records {
namespace {

// Documents that all kept orders have together: 32 MB.
constexpr std::size_t kListedDocuments = 4'000'000;
// What a list is counted as besides: many short ones would take more memory than they hold, and long to look
// through.
constexpr std::size_t kListOverhead = 1'000;

/// In order of creation: no more is read than the page needs.
Result<Cut> cut_streams(Matchers& matchers, SearchScope const& scope, SearchPosition const& position) {
  Cut cut;
  cut.is_judged = true;
  std::uint64_t rest = 0;
  bool const whole = scope.wants_total || scope.count == 0;
  for (std::size_t i = position.query; i < matchers.size(); ++i) {
    auto const stream = TACENDA_TRY(matchers[i]->open(whole ? Matcher::Walk::kWhole : Matcher::Walk::kPart));
    std::uint64_t from = i > position.query || position.after == 0 ? 0 : position.after + 1;
    while (cut.documents.size() < scope.count) {
      auto const document = TACENDA_TRY(stream->at_or_after(from));
      if (!document) break;
      cut.documents.push_back(*document);
      from = *document + 1;
    }
    if (cut.documents.size() < scope.count) continue;
    bool const more = TACENDA_TRY(stream->at_or_after(from)).has_value();
    if (more && !cut.next && scope.count > 0) {
      // A page that ended with a query goes on at the beginning of the next.
      bool const within = from > 0 && !cut.documents.empty() && from == cut.documents.back() + 1;
      cut.next = SearchPosition();
      cut.next->query = i;
      if (within) cut.next->after = cut.documents.back();
    }
    if (whole) {
      rest += TACENDA_TRY(stream->count(from));
    } else if (cut.next) {
      break;
    }
  }
  std::uint64_t const shown = position.shown + cut.documents.size();
  if (cut.next) cut.next->shown = shown;
  if (whole || !cut.next) cut.total = shown + rest;
  return cut;
}

/// Follows the includes of a query from the matches of a page.
class Includer {
 public:
  Includer(SearchState const& state, fhir::SearchQuery const& query) : state_(state), query_(query) {}

  /// Errors: kCorrupt, kTooCostly.
  Result<void> run(std::vector<std::uint64_t> const& matches) {
    seen_.insert(matches.begin(), matches.end());
    std::vector<std::uint64_t> from = matches;
    for (bool first = true; !from.empty() && !cut_; first = false) {
      std::vector<std::uint64_t> found;
      for (auto const document : from) {
        Candidate candidate(state_, document);
        for (auto const& include : query_.includes) {
          if (!first && !include.iterate) continue;
          TACENDA_TRY_VOID(include.reverse ? follow_back(include, candidate, found)
                                           : follow(include, candidate, found));
        }
      }
      included_.insert(included_.end(), found.begin(), found.end());
      from = std::move(found);
    }
    return {};
  }

  std::vector<std::uint64_t> const& included() const { return included_; }
  bool was_cut() const { return cut_; }

 private:
  Result<void> follow(fhir::Include const& include, Candidate& source, std::vector<std::uint64_t>& found) {
    auto const& facts = *TACENDA_TRY(source.facts());
    if (!include.source.empty() && include.source != facts.type) return {};
    std::uint32_t const number = include.parameter == nullptr ? 0 : number_of(facts.type, *include.parameter);
    for (auto const& term : facts.terms) {
      if (include.parameter != nullptr && term.parameter != number) continue;
      if (is_canonical(term.bytes)) {
        TACENDA_TRY_VOID(
            follow_canonical(include, facts.type,
                             TACENDA_TRY(with_row(state_, term, source.document())), found));
      }
      auto const target = target_of(term.bytes);
      if (!target || (!include.target.empty() && target->first != include.target)) continue;
      if (!followed_.emplace(term.bytes).second) continue;  // many refer to the same
      auto const document = TACENDA_TRY(state_.document_of(target->first, target->second));
      if (document) TACENDA_TRY_VOID(add(*document, found));
    }
    return {};
  }

  Result<void> follow_canonical(fhir::Include const& include, std::string_view type, Term const& term,
                                std::vector<std::uint64_t>& found) {
    for (auto const& parameter : state_.extractor().parameters().of(type)) {
      if (number_of(type, *parameter) != term.parameter) continue;
      std::vector<std::string_view> types(parameter->targets.begin(), parameter->targets.end());
      if (!include.target.empty())
        std::erase_if(types, [&](std::string_view each) { return each != include.target; });
      for (auto const& target : TACENDA_TRY(canonical_targets(state_, term, types)))
        TACENDA_TRY_VOID(add(target.document, found));
      break;
    }
    return {};
  }

  Result<void> follow_back(fhir::Include const& include, Candidate& target,
                           std::vector<std::uint64_t>& found) {
    auto const* facts = TACENDA_TRY(target.facts());
    if (!include.target.empty() && include.target != facts->type) return {};
    for (auto const& parameter : state_.extractor().parameters().of(include.source)) {
      if (include.parameter != nullptr && parameter->code != include.parameter->code) continue;
      if (parameter->type != fhir::SearchType::kReference) continue;
      TACENDA_TRY_VOID(visit_referrers(state_, number_of(include.source, *parameter), target,
                                       [&](std::uint64_t document) -> Result<bool> {
                                         TACENDA_TRY_VOID(add(document, found));
                                         return !cut_;
                                       }));
    }
    return {};
  }

  Result<void> add(std::uint64_t document, std::vector<std::uint64_t>& found) {
    if (cut_ || seen_.contains(document)) return {};
    Candidate candidate(state_, document);
    auto const* facts = TACENDA_TRY(candidate.facts());
    Permit const* permit = state_.permit(facts->type);
    if (permit == nullptr || !TACENDA_TRY(state_.shows(*permit, *facts))) return {};
    if (included_.size() + found.size() == limits::kSearchIncluded) {
      cut_ = true;
      return {};
    }
    seen_.insert(document);
    found.push_back(document);
    return {};
  }

  SearchState const& state_;
  fhir::SearchQuery const& query_;
  std::unordered_set<std::uint64_t> seen_;
  std::unordered_set<std::string> followed_;  // references
  std::vector<std::uint64_t> included_;
  bool cut_ = false;
};

}  // namespace

void SearchLists::put(Key const& key, List list) {
  MutexLock const lock(mutex_);
  documents_ += list->size() + kListOverhead;
  lists_.emplace_back(key, std::move(list));
  while (documents_ > kListedDocuments && lists_.size() > 1) {
    documents_ -= lists_.front().second->size() + kListOverhead;
    lists_.pop_front();
  }
}

SearchLists::List SearchLists::get(Key const& key) const {
  MutexLock const lock(mutex_);
  auto const found = std::ranges::find(lists_, key, &std::pair<Key, List>::first);
  return found == lists_.end() ? nullptr : found->second;
}

Result<std::vector<StoredVersion>> Store::open_all(SearchState const& state,
                                                   std::span<std::uint64_t const> documents,
                                                   bool judged) const {
  std::vector<std::shared_ptr<DocumentFacts const>> living;
  std::vector<Bytes> keys;
  for (auto const document : documents) {
    auto facts = TACENDA_TRY(state.facts_of(document));
    if (!facts) continue;
    Permit const* permit = state.permit(facts->type);
    if (permit == nullptr) continue;
    if (!judged && !permit->judges_all(facts->type) && !TACENDA_TRY(state.shows(*permit, *facts))) continue;
    keys.push_back(current_key(facts->type, facts->id));
    living.push_back(std::move(facts));
  }
  auto const rows = TACENDA_TRY(view_.get_many(keys, state.index().at));
  std::vector<StoredVersion> versions;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
    auto version = TACENDA_TRY(open(living[i]->type, living[i]->id, *rows[i]));
    versions.push_back(TACENDA_TRY(shown(*state.permit(living[i]->type), std::move(version))));
  }
  return versions;
}

Result<SearchPage> Store::search(SearchScope const& scope, std::span<fhir::SearchQuery const> queries,
                                 SearchPosition const& position) const {
  auto const extractor = TACENDA_TRY(answering_index());
  auto const at = vault_->read_point();
  Budget budget(limits::kSearchRows, scope.watch);
  SearchState state(*vault_, view_, at, *extractor, {scope.base_urls, scope.now}, scope.permits, budget);
  TACENDA_ASSERT(!queries.empty());
  fhir::SearchQuery const& query = queries.front();
  Matchers matchers;
  for (auto const& each : queries) {
    matchers.push_back(TACENDA_TRY(Matcher::make(state, each.type, each.criteria)));
  }
  auto const cut = query.sort.empty() || scope.count == 0
                       ? TACENDA_TRY(cut_streams(matchers, scope, position))
                       : TACENDA_TRY(cut_sorted(state, *lists_, matchers, queries, scope, position));

  SearchPage page;
  page.total = cut.total;
  page.next = cut.next;
  TACENDA_TRY_VOID(state.read_ahead(cut.documents));
  page.matches = TACENDA_TRY(open_all(state, cut.documents, cut.is_judged));
  if (!query.includes.empty()) {
    Includer includer(state, query);
    std::vector<std::uint64_t> living;
    // What is not shown leads nowhere.
    std::set<std::pair<std::string_view, std::string_view>> shown_matches;
    for (auto const& match : page.matches) shown_matches.emplace(match.type, match.id);
    for (auto const document : cut.documents) {
      auto const facts = TACENDA_TRY(state.facts_of(document));
      if (facts && shown_matches.contains({facts->type, facts->id})) living.push_back(document);
    }
    TACENDA_TRY_VOID(includer.run(living));
    page.included = TACENDA_TRY(open_all(state, includer.included(), true));
    page.includes_cut = includer.was_cut();
  }
  page.steps = cut.steps;
  for (auto const& matcher : matchers) {
    for (auto const& step : matcher->steps()) page.steps.push_back({step.kind, step.use, step.rows});
  }
  page.rows_read = budget.spent();
  return page;
}

}  // namespace tacenda::records

#include "records/walk.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/process.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/matcher.hpp"

namespace tacenda::records {

struct Walk::State {
  State(Store const& the_store, vault::Vault const& vault, vault::View the_view,
        std::shared_ptr<Extractor const> the_extractor, WalkScope the_scope,
        std::vector<fhir::SearchQuery> the_queries, vault::ReadPoint const& moment)
      : store(the_store),
        extractor(std::move(the_extractor)),
        view(std::move(the_view)),
        scope(std::move(the_scope)),
        queries(std::move(the_queries)),
        at(moment),
        budget(limits::kExportRows, scope.watch),
        search(vault, view, at, *extractor, {scope.base_urls, scope.now}, scope.permits, budget) {}

  bool is_wanted(DocumentFacts const& facts) const {
    if (scope.ids && !scope.ids->contains(facts.id)) return false;
    if (scope.in_a_compartment && facts.patients.empty()) return false;
    return !scope.patients ||
           std::ranges::all_of(facts.patients, [&](auto const& id) { return scope.patients->contains(id); });
  }

  void tell_references(DocumentFacts const& facts) const {
    if (!scope.refers_to) return;
    for (auto const& term : facts.terms) {
      if (auto const target = target_of(term.bytes)) scope.refers_to(target->first, target->second);
    }
  }

  Store const& store;
  std::shared_ptr<Extractor const> extractor;
  vault::View view;
  WalkScope scope;
  std::vector<fhir::SearchQuery> queries;  // conditions may look into their criteria
  vault::ReadPoint at;
  Budget budget;
  SearchState search;
  std::vector<std::unique_ptr<Matcher>> matchers;
  std::unique_ptr<DocumentStream> documents;
  std::uint64_t from = 0;
  std::uint64_t unreadable = 0;
};

Walk::Walk(std::unique_ptr<State> state) : state_(std::move(state)) {}
Walk::~Walk() = default;

std::uint64_t Walk::unreadable() const {
  return state_->unreadable;
}

Result<std::optional<StoredVersion>> Walk::next() {
  State& state = *state_;
  for (;;) {
    auto const document = TACENDA_TRY(state.documents->at_or_after(state.from));
    if (!document) return std::nullopt;
    state.from = *document + 1;
    auto const facts = TACENDA_TRY(state.search.facts_of(*document));
    if (!facts) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
    if (!state.is_wanted(*facts)) continue;
    auto const row = TACENDA_TRY(state.view.get(current_key(facts->type, facts->id), &state.at));
    if (!row) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
    auto stored = state.store.open(facts->type, facts->id, *row);
    if (stored.has_value()) {
      Permit const* permit = state.scope.permits(facts->type);
      if (permit == nullptr) continue;
      state.tell_references(*facts);
      return TACENDA_TRY(shown(*permit, std::move(*stored)));
    }
    // Gone: the keys of its patient were destroyed, which holds for copies of older states as well.
    if (stored.error().kind() == ErrorKind::kGone) continue;
    if (stored.error().kind() != ErrorKind::kCorrupt) return std::unexpected(stored.error());
    ++state.unreadable;
  }
}

vault::ReadPoint Store::read_point() const {
  return vault_->read_point();
}

Result<std::unique_ptr<Walk>> Store::walk(WalkScope scope, std::vector<fhir::SearchQuery> any_of,
                                          vault::ReadPoint const& at) const {
  TACENDA_ASSERT(!any_of.empty());
  auto state = std::make_unique<Walk::State>(*this, *vault_, view_,
                                             TACENDA_TRY(answering_index()), std::move(scope),
                                             std::move(any_of), at);
  std::vector<std::unique_ptr<DocumentStream>> streams;
  for (auto const& query : state->queries) {
    TACENDA_ASSERT(query.type == state->queries.front().type);
    state->matchers.push_back(TACENDA_TRY(Matcher::make(state->search, query.type, query.criteria)));
    streams.push_back(TACENDA_TRY(state->matchers.back()->open(Matcher::Walk::kWhole)));
  }
  state->documents = union_stream(std::move(streams));
  return std::unique_ptr<Walk>(new Walk(std::move(state)));
}

}  // namespace tacenda::records

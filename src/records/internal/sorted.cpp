// Pages of sorted searches (R4 search.html#sort, http.html#paging). The order is that of one moment, the
// first page's: what was created later is not in it, and what was changed later stays where it stood, by the
// version of that moment. So any page can be made from the place of the last match on the page before.
#include <algorithm>

#include "core/limits.hpp"
#include "records/internal/cut.hpp"
#include "records/internal/key_walk.hpp"
#include "records/internal/order.hpp"

namespace tacenda::records {
namespace {

// So few matches are sorted rather than looked for along the order.
constexpr std::uint64_t kFewMatches = 256;
// So many resources are looked at along the order, if there are as many, until sorting all matches is the
// better way.
constexpr std::size_t kWalkTests = 8'192;
// What the values of a place may take in a page link.
constexpr std::size_t kPlaceBytes = 1'500;
// Matches that a later page looks at, from its end, for one that tells its place.
constexpr std::size_t kPlacesTried = 64;

std::size_t size_of(SortValues const& values) {
  std::size_t size = 0;
  for (auto const& value : values) size += value.value_or("").size();
  return size;
}

class SortedSearch {
 public:
  SortedSearch(SearchState& state, SearchLists& lists, Matchers& matchers,
               std::span<fhir::SearchQuery const> queries, SearchScope const& scope,
               SearchPosition const& position)
      : state_(state),
        lists_(lists),
        matchers_(matchers),
        queries_(queries),
        keys_(queries.front().sort),
        scope_(scope),
        position_(position),
        is_first_(position.as_of == 0) {
    if (is_first_) position_.as_of = state.index().at.sequence();
    if (!is_first_ && !position.values.empty()) place_ = SortedRow{position.after, position.values};
  }

  Result<Cut> run() {
    if (position_.list != SearchLists::Key{}) {
      if (auto const list = lists_.get(position_.list)) return page_of(*list);
    }
    position_.list = {};
    if (!is_first_ && !place_) {
      return fail(ErrorKind::kGone, "this page is not kept any more: search again");
    }
    for (auto const& matcher : matchers_) {
      TACENDA_TRY_VOID(add_changes(state_, *matcher, keys_, position_.as_of, changes_));
    }
    std::erase_if(changes_.rows, [&](SortedRow const& row) { return !is_ahead(row); });
    if (auto const rows = TACENDA_TRY(walk())) return TACENDA_TRY(page_of_walk(*rows));
    return sort_all();
  }

 private:
  bool is_ahead(SortedRow const& row) const { return !place_ || comes_before(keys_, *place_, row); }
  /// False for what was not there at the moment of the order, or was another then.
  bool is_as_then(std::uint64_t document) const {
    return document <= position_.as_of && !changes_.changed.contains(document);
  }

  /// The rows of this page and one more, found along the first key; nullopt: that is not the way.
  Result<std::optional<std::vector<SortedRow>>> walk() {
    if (matchers_.size() != 1 || !KeyWalk::serves(keys_.front())) return std::nullopt;
    // The values of a token are read all at once.
    bool const has_token = std::ranges::any_of(keys_, [](fhir::SortKey const& key) {
      return key.parameter->type == fhir::SearchType::kToken && key.parameter->code != "_id";
    });
    if (has_token) return std::nullopt;
    if (place_ && !place_->values.front()) return std::nullopt;  // among those without a value
    Matcher& matcher = *matchers_.front();
    std::uint64_t const matches_max = TACENDA_TRY(matcher.count_rows(kWalkTests));
    if (matches_max < kFewMatches) return std::nullopt;
    auto const from = place_ ? place_->values.front() : std::nullopt;
    auto along = TACENDA_TRY(KeyWalk::make(state_, matcher.type(), keys_.front(), from));
    std::vector<SortedRow> rows;
    for (std::size_t tests = 0; rows.size() <= scope_.count;) {
      auto group = TACENDA_TRY(along.next(kWalkTests));
      if (!group || !group->is_whole) return std::nullopt;
      std::erase_if(group->documents, [&](std::uint64_t document) { return !is_as_then(document); });
      tests += group->documents.size();
      if (tests > matches_max) return std::nullopt;
      TACENDA_TRY_VOID(add_matches(matcher, *group, rows));
    }
    rows.insert(rows.end(), changes_.rows.begin(), changes_.rows.end());
    std::ranges::sort(rows, [&](auto const& a, auto const& b) { return comes_before(keys_, a, b); });
    rows.resize(scope_.count + 1);
    if (size_of(rows[scope_.count - 1].values) > kPlaceBytes) return std::nullopt;
    return rows;
  }

  Result<void> add_matches(Matcher& matcher, KeyWalk::Group const& group, std::vector<SortedRow>& rows) {
    TACENDA_TRY_VOID(state_.read_ahead(group.documents));
    std::vector<std::uint64_t> matches;
    for (auto const document : group.documents) {
      Candidate candidate(state_, document);
      if (TACENDA_TRY(matcher.holds(candidate))) matches.push_back(document);
    }
    std::size_t const begin = rows.size();
    for (auto& row : TACENDA_TRY(rows_of(state_, matcher.type(), keys_, matches))) {
      // Of several values one counts: the others are passed by.
      if (row.values.front() == group.value && is_ahead(row)) rows.push_back(std::move(row));
    }
    std::ranges::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end(),
                      [&](auto const& a, auto const& b) { return comes_before(keys_, a, b); });
    return {};
  }

  Result<Cut> page_of_walk(std::vector<SortedRow> const& rows) {
    Cut cut;
    for (std::size_t i = 0; i < scope_.count; ++i) cut.documents.push_back(rows[i].document);
    cut.next = behind(rows[scope_.count - 1], scope_.count);
    cut.steps.push_back({"order", "walked", 0});
    if (scope_.wants_total) {
      auto const matcher =
          TACENDA_TRY(Matcher::make(state_, queries_.front().type, queries_.front().criteria));
      auto const stream = TACENDA_TRY(matcher->open(Matcher::Walk::kWhole));
      cut.total = TACENDA_TRY(stream->count(0));
    }
    return cut;
  }

  SearchPosition behind(SortedRow const& row, std::size_t shown) const {
    SearchPosition next = position_;
    next.after = row.document;
    next.values = size_of(row.values) > kPlaceBytes ? SortValues() : row.values;
    next.shown += shown;
    return next;
  }

  /// All matches, sorted; what is behind this page is kept for the next ones.
  Result<Cut> sort_all() {
    std::vector<SortedRow> rows = changes_.rows;
    std::size_t passed = 0;
    for (auto& matcher : matchers_) {
      std::vector<std::uint64_t> documents;
      auto const stream = TACENDA_TRY(matcher->open(Matcher::Walk::kWhole));
      for (std::uint64_t from = 0;;) {
        auto const document = TACENDA_TRY(stream->at_or_after(from));
        if (!document) break;
        from = *document + 1;
        if (!is_as_then(*document)) continue;
        if (documents.size() + rows.size() + passed == limits::kSearchSorted)
          return fail(ErrorKind::kTooCostly, "this search finds too many resources to sort them");
        documents.push_back(*document);
      }
      for (auto& row : TACENDA_TRY(rows_of(state_, matcher->type(), keys_, documents))) {
        if (is_ahead(row)) {
          rows.push_back(std::move(row));
        } else {
          ++passed;
        }
      }
    }
    std::ranges::sort(rows, [&](auto const& a, auto const& b) { return comes_before(keys_, a, b); });
    Cut cut;
    cut.total = position_.shown + rows.size();
    std::size_t const size = std::min(rows.size(), scope_.count);
    for (std::size_t i = 0; i < size; ++i) cut.documents.push_back(rows[i].document);
    if (size == rows.size()) return cut;
    cut.next = behind(rows[size - 1], size);
    std::vector<std::uint64_t> rest;
    for (auto const& row : rows) rest.push_back(row.document);
    cut.next->list = TACENDA_TRY(state_.vault().random_bytes16());
    cut.next->list_at = size;
    lists_.put(cut.next->list, std::make_shared<std::vector<std::uint64_t> const>(std::move(rest)));
    return cut;
  }

  Result<Cut> page_of(std::vector<std::uint64_t> const& list) {
    std::size_t const begin = std::min<std::size_t>(position_.list_at, list.size());
    std::size_t const size = std::min(list.size() - begin, scope_.count);
    Cut cut;
    cut.documents.assign(list.begin() + static_cast<std::ptrdiff_t>(begin),
                         list.begin() + static_cast<std::ptrdiff_t>(begin + size));
    cut.total = position_.shown + list.size() - begin;
    if (begin + size == list.size() || size == 0) return cut;
    cut.next = position_;
    cut.next->shown += size;
    cut.next->list_at = begin + size;
    // The last one that is still there tells the place; those behind it are gone for good.
    if (size > kPlacesTried) cut.next->values.clear();
    for (std::size_t back = 0; back < std::min(size, kPlacesTried); ++back) {
      std::uint64_t const document = cut.documents[size - 1 - back];
      auto const values = TACENDA_TRY(values_then(state_, keys_, document, position_.as_of));
      if (!values) continue;
      auto const at = behind({document, *values}, 0);
      cut.next->after = at.after;
      cut.next->values = at.values;
      break;
    }
    return cut;
  }

  SearchState& state_;
  SearchLists& lists_;
  Matchers& matchers_;
  std::span<fhir::SearchQuery const> queries_;
  std::vector<fhir::SortKey> const& keys_;
  SearchScope const& scope_;
  SearchPosition position_;
  bool is_first_;
  std::optional<SortedRow> place_;  // of the last match that was shown
  Changes changes_;
};

}  // namespace

Result<Cut> cut_sorted(SearchState& state, SearchLists& lists, Matchers& matchers,
                       std::span<fhir::SearchQuery const> queries, SearchScope const& scope,
                       SearchPosition const& position) {
  return SortedSearch(state, lists, matchers, queries, scope, position).run();
}

}  // namespace tacenda::records

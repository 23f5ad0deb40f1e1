#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "records/internal/matcher.hpp"
#include "records/internal/search_lists.hpp"
#include "records/store.hpp"

namespace tacenda::records {

/// The documents of one page, and where the next one begins.
struct Cut {
  std::vector<std::uint64_t> documents;
  bool is_judged = false;  // the Permits show all of them now; an order of an earlier moment may name others
  std::optional<std::uint64_t> total;
  std::optional<SearchPosition> next;
  std::vector<SearchStep> steps;  // beside those of the matchers
};

using Matchers = std::vector<std::unique_ptr<Matcher>>;

/// A page in the order of `query.sort`, as that order was at the first page (ADR 9). Errors: kTooCostly,
/// kGone (the order cannot go on), kCorrupt.
Result<Cut> cut_sorted(SearchState& state, SearchLists& lists, Matchers& matchers,
                       std::span<fhir::SearchQuery const> queries, SearchScope const& scope,
                       SearchPosition const& position);

}  // namespace tacenda::records

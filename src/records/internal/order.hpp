#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/search_query.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/matcher.hpp"
#include "records/internal/row.hpp"
#include "records/stored.hpp"

/// How resources are sorted: by the keys, then by their document number. A resource without a value stands
/// behind those with one, whatever the direction; of several values the least counts, descending the
/// greatest. Source: R4 search.html#sort.
namespace tacenda::records {

struct SortedRow {
  std::uint64_t document = 0;
  SortValues values;
};

bool comes_before(std::vector<fhir::SortKey> const& keys, SortedRow const& a, SortedRow const& b);

/// What a term is sorted by; nullopt: nothing (the same value again in another form).
std::optional<std::string> sortable(std::string_view term);

/// What documents of a type are sorted by now, in the order they are given. Errors: kTooCostly, kCorrupt.
Result<std::vector<SortedRow>> rows_of(SearchState& state, std::string_view type,
                                       std::vector<fhir::SortKey> const& keys,
                                       std::vector<std::uint64_t> const& documents);

/// What a stored version is sorted by. Errors: as terms_of_version.
Result<SortValues> values_of(SearchState const& state, std::vector<fhir::SortKey> const& keys,
                             RowPlace const& place, RowHeader const& header);

/// What a living document was sorted by at `as_of`; nullopt: that is not known any more.
Result<std::optional<SortValues>> values_then(SearchState const& state,
                                              std::vector<fhir::SortKey> const& keys, std::uint64_t document,
                                              std::uint64_t as_of);

/// What others wrote since an order was first shown. It stays where it was, so that later pages neither
/// repeat nor drop it.
struct Changes {
  DocumentSet changed;
  std::vector<SortedRow> rows;  // of those that match, as they were sorted then
};
/// Errors: kGone (too much was written for pages of that order to go on), as Matcher::holds.
Result<void> add_changes(SearchState const& state, Matcher& matcher, std::vector<fhir::SortKey> const& keys,
                         std::uint64_t as_of, Changes& changes);

}  // namespace tacenda::records

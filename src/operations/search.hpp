#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/search_query.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

struct SearchRequest {
  std::string type;  // empty: the whole system, or the types of _type
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, in their order
  std::string raw;                                              // as they came, for the audit log
  fhir::Handling handling = fhir::Handling::kLenient;
  records::SearchPosition position;
  std::optional<std::uint64_t> first_entry;  // of a later page: the audit entry that has `raw`
  // Of a compartment search: whose. `type` may then be empty for every type in it.
  std::string compartment;
  std::string compartment_id;
  // Beside the matches everything that they refer to.
  bool with_referenced = false;
  // Of $everything: dates between which the care took place; what tells no such date is in it. Empty: open.
  std::string care_from;
  std::string care_until;
};

/// search-type and search-system: GET and POST [base]/[type]/_search. One audit event for each patient whose
/// resources the page holds. Source: R4 search.html. Errors: as fhir::parse_search and
/// records::Store::search; kForbidden (no right to search that type).
Result<Outcome> search(Context const& context, SearchRequest const& request);

/// A query as the log keeps it: without the value of _page, which holds another query, sealed for its owner.
std::string recorded_query(std::string_view raw);

/// The search that Patient/[id]/$everything is: the patient's compartment and what its resources refer to, as
/// far as the asker may search those types. `parameters` may have start, end, _since, _type and _count.
/// Errors: kInvalid, kNotSupported (others). Source: R4 patient-operation-everything.html.
Result<SearchRequest> everything(ResourceId const& patient,
                                 std::vector<std::pair<std::string, std::string>> const& parameters);

}  // namespace tacenda::operations

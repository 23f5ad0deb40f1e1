#pragma once

#include <string>
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
  SearchPlace place;
};

/// search-type and search-system: GET and POST [base]/[type]/_search. One audit event for each patient whose resources
/// the page holds. Source: R4 search.html. Errors: as fhir::parse_search and records::Store::search; kForbidden (no
/// right to search that type).
Result<Outcome> search(Context const& context, SearchRequest const& request);

}  // namespace tacenda::operations

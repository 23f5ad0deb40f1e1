#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "fhir/search_query.hpp"
#include "operations/context.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::api {

/// Where a listing goes on, sealed so that a client can neither read nor make one; bound to the principal and
/// to the listing, and good for an hour (SECURITY_DESIGN section 4).
struct PageScope {
  std::string principal;
  std::string listing;  // path of the request
};
struct HistoryListing {
  records::HistoryPosition position;
  records::HistoryWindow window;
};
Result<std::string> seal_page(vault::Vault const& vault, PageScope const& scope,
                              HistoryListing const& listing, Time now);
/// Errors: kInvalid (not one of ours, of another listing or person, or too old).
Result<HistoryListing> open_page(vault::Vault const& vault, PageScope const& scope, std::string_view token,
                                 Time now);

/// The same for a search: the token holds the whole query, so that no address shows a search term.
struct SearchListing {
  std::string raw;  // parameters as they came
  fhir::Handling handling = fhir::Handling::kLenient;
  records::SearchPosition position;
  std::uint64_t first_entry = 0;  // audit entry of the first page: it has the query
};
Result<std::string> seal_search(vault::Vault const& vault, PageScope const& scope,
                                SearchListing const& listing, Time now);
/// Errors: as open_page.
Result<SearchListing> open_search(vault::Vault const& vault, PageScope const& scope, std::string_view token,
                                  Time now);

}  // namespace tacenda::api

#pragma once

#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::api {

/// Where a listing goes on, sealed so that a client can neither read nor make one; bound to the principal and
/// to the listing, and good for an hour (SECURITY_DESIGN section 4).
struct PageScope {
  std::string principal;
  std::string listing;  // path of the request
};
Result<std::string> seal_page(vault::Vault const& vault, PageScope const& scope,
                              records::HistoryPosition position, Time now);
/// Errors: kInvalid (not one of ours, of another listing or person, or too old).
Result<records::HistoryPosition> open_page(vault::Vault const& vault, PageScope const& scope,
                                           std::string_view token, Time now);

}  // namespace tacenda::api

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "identity/principal.hpp"
#include "identity/provisioned.hpp"

namespace tacenda::identity {

struct DigestHash {
  std::size_t operator()(Digest const& digest) const {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof(value); ++i)
      value = value << 8U | std::to_integer<std::size_t>(digest[i]);
    return value;  // of a SHA-256: evenly spread already
  }
};

/// Rows of one account that a change writes; its counters always.
struct AccountRows {
  bool account = false;
  bool factors = false;
  bool standing = false;
  bool provisioned = false;
  bool provider = false;
  bool sealed = false;
};

/// How a new token is to be.
struct TokenPlan {
  std::chrono::milliseconds lifetime{};
  bool idles = true;
  Method method = Method::kSession;
  std::string address = {};
  std::optional<AccountRows> written = {};              // rows of the account that travel with it
  std::shared_ptr<ProviderLink const> link = {};        // who its owner is from then on; nullptr: as before
  std::vector<Digest> ended = {};                       // tokens that end with it
  std::shared_ptr<Application const> application = {};  // shared: see Token
  std::optional<Time> second_factor_at = {};            // nullopt: now, of a session
  std::optional<Time> begun = {};                       // of a session that goes on; nullopt: now
};

}  // namespace tacenda::identity

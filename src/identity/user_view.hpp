#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "identity/emergency_mode.hpp"
#include "identity/provisioned.hpp"
#include "identity/standing.hpp"

namespace tacenda::identity {

/// An account as administration sees it.
struct UserView {
  std::string id;
  std::string name;
  std::string role;
  bool is_service = false;
  bool enabled = true;    // and not over
  bool enrolled = false;  // has password and second factor
  std::optional<std::string> patient;
  Time created;
  std::optional<Time> last_login;
  std::size_t live_tokens = 0;
  std::size_t passkeys = 0;
  std::size_t recovery_codes = 0;                       // not yet used
  std::shared_ptr<Standing const> standing;             // shared: requests in flight keep theirs
  std::shared_ptr<Provisioned const> provisioned = {};  // shared: as standing; nullptr: it is local
  std::shared_ptr<ProviderLink const> provider = {};    // the same
  std::shared_ptr<Sealed const> sealed = {};            // the same; nullptr: no emergency account
};

}  // namespace tacenda::identity

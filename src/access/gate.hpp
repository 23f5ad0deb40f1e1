#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/address_list.hpp"
#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "core/permit.hpp"
#include "identity/principal.hpp"

namespace tacenda::access {

/// Says yes or no. The only maker of Permits. Deny by default: an unknown role, type or action is denied.
///
/// Owner: start. Thread-safe. Source: PRODUCT row M3, REQUIREMENTS S-01, O-01.
class Gate {
 public:
  /// `listeners`: address list by listener name ("fhir"); one that is not named lets everyone in.
  explicit Gate(std::shared_ptr<Policy const> policy,
                std::map<std::string, AddressList, std::less<>> listeners = {});

  /// Permit for one interaction on `type` (empty: the system level). Its filter then judges each record.
  /// Errors: kForbidden.
  Result<Permit> authorize(identity::Principal const& principal, Action action, std::string_view type) const;

  /// Errors: kForbidden (no right), kUnauthenticated (second factor older than limits::kStepUpAge at `now`).
  Result<void> authorize_admin(identity::Principal const& principal, AdminAction action, Time now) const;

  /// May the account be used from this address, by its own list and by its role's? Asked before anything is
  /// told (N-05). An empty address is the administration socket: no list is about it. Errors: kForbidden.
  Result<void> admits(identity::Principal const& principal, std::string_view address) const;
  /// Has he signed in with a second factor that his role takes, and read what it must have read? Until then
  /// he may look after his own account and nothing else. Errors: kForbidden (the message tells what to do).
  Result<void> is_complete(identity::Principal const& principal, Time now) const;

  /// A Permit of the server itself for verification; whoever uses it leaves an audit event with the reason.
  Permit system_permit(Action action) const;

  /// May this address connect to that listener? Checked before TLS (N-05).
  bool admits(std::string_view listener, std::string_view address) const;

  /// Rights of a role, for tables and checks. nullopt: no such role.
  std::optional<Role> role(std::string_view name) const;
  std::vector<std::string> roles() const;

  /// Takes effect for the next decision.
  void replace(std::shared_ptr<Policy const> policy);

 private:
  std::shared_ptr<Policy const> policy() const;

  mutable Mutex mutex_;
  std::shared_ptr<Policy const> policy_
      TACENDA_GUARDED_BY(mutex_);  // shared: decisions in flight keep theirs
  std::map<std::string, AddressList, std::less<>> const listeners_;
};

}  // namespace tacenda::access

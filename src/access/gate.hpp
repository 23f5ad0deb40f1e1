#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/policy.hpp"
#include "core/error.hpp"
#include "core/permit.hpp"
#include "identity/principal.hpp"

namespace tacenda::access {

/// Acts on the server rather than on records; each is a right of its own in the policy.
enum class AdminAction : std::uint8_t {
  kManageUsers, kIssueTokens, kReadAudit, kVerify, kSeal, kReadStatus, kManagePolicy, kManageKeys,
};

/// Says yes or no. The only maker of Permits. Deny by default: an unknown role, type or action is denied.
///
/// Owner: start. Thread-safe. Source: PRODUCT row M3, REQUIREMENTS S-01, O-01.
class Gate {
 public:
  explicit Gate(std::shared_ptr<Policy const> policy);
  ~Gate();

  /// Permit for one interaction on `type` (empty for the system level). The Permit's filter then judges each
  /// record. Errors: kForbidden.
  Result<Permit> authorize(identity::Principal const& principal, Action action, std::string_view type) const;

  /// Errors: kForbidden (no right), kUnauthenticated (second factor older than limits::kStepUpAge at `now`).
  Result<void> authorize_admin(identity::Principal const& principal, AdminAction action, Time now) const;

  /// A Permit of the server itself, for work that is audited by its caller under `reason` (verify, reindex).
  Permit system_permit(Action action, Literal reason) const;

  /// May this address connect to that listener ("fhir", "admin")? Checked before TLS (N-05).
  bool admits(std::string_view listener, std::string_view address) const;

  /// True when the policy has the role.
  bool has_role(std::string_view role) const;
  std::vector<std::string> roles() const;

  /// Takes effect for the next decision.
  void replace(std::shared_ptr<Policy const> policy);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::access

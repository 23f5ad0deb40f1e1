#include "access/gate.hpp"

#include <algorithm>
#include <optional>

#include "core/limits.hpp"
#include "core/process.hpp"

namespace tacenda::access {
namespace {

/// Judges each record by the role's right to its type and, for patients, by their own compartment.
class RoleFilter final : public RecordFilter {
 public:
  RoleFilter(std::shared_ptr<Policy const> policy, Role const& role, std::optional<std::string> own_patient)
      : policy_(std::move(policy)), role_(&role), own_patient_(std::move(own_patient)) {}

  bool judge(Action action, RecordFacts const& facts) const override {
    // A system history meets records of every type: each needs the right to its type's history as well.
    Action const needed = action == Action::kHistorySystem ? Action::kHistoryType : action;
    if (!role_->may(needed, facts.type)) return false;
    if (!role_->own_record_only) return true;
    return own_patient_ && facts.patients.size() == 1 && facts.patients.front() == *own_patient_;
  }

  bool judges_all(Action action, std::string_view type) const override {
    Action const needed = action == Action::kHistorySystem ? Action::kHistoryType : action;
    return !role_->own_record_only && role_->may(needed, type);
  }

 private:
  std::shared_ptr<Policy const> policy_;  // shared: keeps role_ alive while a Permit lives
  Role const* role_;
  std::optional<std::string> own_patient_;
};

/// The server's own work sees every record.
class SystemFilter final : public RecordFilter {
 public:
  bool judge(Action, RecordFacts const&) const override { return true; }
  bool judges_all(Action, std::string_view) const override { return true; }
};

}  // namespace

Gate::Gate(std::shared_ptr<Policy const> policy, std::map<std::string, AddressList, std::less<>> listeners)
    : policy_(std::move(policy)), listeners_(std::move(listeners)) {}

std::shared_ptr<Policy const> Gate::policy() const {
  MutexLock const lock(mutex_);
  return policy_;
}

Result<Permit> Gate::authorize(identity::Principal const& principal, Action action,
                               std::string_view type) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr || !role->may(action, type)) {
    return fail(ErrorKind::kForbidden, "this role has no right to this interaction on this type");
  }
  std::optional<std::string> own;
  if (role->own_record_only && principal.patient()) own = principal.patient()->view();
  auto filter = std::make_shared<RoleFilter const>(current, *role, std::move(own));
  return Permit(principal.id(), action, current->epoch(), std::move(filter));
}

Result<void> Gate::authorize_admin(identity::Principal const& principal, AdminAction action, Time now) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr || !role->may(action)) {
    return fail(ErrorKind::kForbidden, "this role has no right to this administrative act");
  }
  auto const age = now - principal.second_factor_at();
  if (age > limits::kStepUpAge || age < std::chrono::seconds(0)) {
    return fail(ErrorKind::kUnauthenticated, "the second factor is too old for this act: log in again");
  }
  return {};
}

Permit Gate::system_permit(Action action) const {
  auto const id = UserId::parse("system");
  TACENDA_ASSERT(id.has_value());
  return Permit(*id, action, policy()->epoch(), std::make_shared<SystemFilter const>());
}

bool Gate::admits(std::string_view listener, std::string_view address) const {
  auto const found = listeners_.find(listener);
  return found == listeners_.end() || found->second.contains(address);
}

std::optional<Role> Gate::role(std::string_view name) const {
  auto const current = policy();
  Role const* role = current->role(name);
  return role == nullptr ? std::nullopt : std::optional(*role);
}

std::vector<std::string> Gate::roles() const {
  return policy()->roles();
}

void Gate::replace(std::shared_ptr<Policy const> policy) {
  MutexLock const lock(mutex_);
  policy_ = std::move(policy);
}

}  // namespace tacenda::access

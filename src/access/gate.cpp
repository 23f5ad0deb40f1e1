#include "access/gate.hpp"

#include <algorithm>
#include <optional>

#include "access/internal/decision.hpp"
#include "core/limits.hpp"
#include "core/process.hpp"
#include "identity/own_account.hpp"

namespace tacenda::access {
namespace {

/// The server's own work sees every record.
class SystemFilter final : public RecordFilter {
 public:
  bool judge(Action, RecordFacts const&) const override { return true; }
  bool judges_all(Action, std::string_view) const override { return true; }
  std::optional<std::string> view(std::string_view, std::string_view json) const override {
    return std::string(json);
  }
  bool views_whole(std::string_view) const override { return true; }
  bool could_not_tell() const override { return false; }
  bool may_choose_ids() const override { return true; }
};

constexpr std::string_view kEmergencyTreatment = "ETREAT";

Result<std::string> stated_purpose(identity::Principal const& principal, Role const& role) {
  if (principal.is_emergency()) {
    if (principal.purpose().empty() || principal.purpose() == kEmergencyTreatment)
      return std::string(kEmergencyTreatment);
    return fail(ErrorKind::kForbidden, "an emergency account is for the purpose ETREAT alone");
  }
  if (principal.purpose().empty()) return role.purposes.front();
  if (!role.may_ask_for(principal.purpose()))
    return fail(ErrorKind::kForbidden, "this role may not ask for this purpose");
  return principal.purpose();
}

}  // namespace

Gate::Gate(std::shared_ptr<Policy const> policy, std::map<std::string, AddressList, std::less<>> listeners)
    : policy_(std::move(policy)), listeners_(std::move(listeners)) {}

std::shared_ptr<Policy const> Gate::policy() const {
  MutexLock const lock(mutex_);
  return policy_;
}

Result<Permit> Gate::authorize(identity::Principal const& principal, Action action,
                               std::string_view type) const {
  return authorize(principal, action, type, MembersOfGroups::kJudged);
}

Result<Permit> Gate::authorize_group_export(identity::Principal const& principal) const {
  return authorize(principal, Action::kExport, "Group", MembersOfGroups::kJudgedApart);
}

Result<Permit> Gate::authorize(identity::Principal const& principal, Action action, std::string_view type,
                               MembersOfGroups members) const {
  auto const current = policy();
  auto asker = admit(*current, principal, action, type);
  if (!asker.has_value()) return fail(ErrorKind::kForbidden, asker.error().says);
  auto filter = std::make_shared<DecisionFilter const>(current, *current->role(principal.role()),
                                                       std::move(*asker), evidence_, assignments_, members);
  return Permit(principal.id(), action, current->epoch(), std::move(filter));
}

std::expected<Asker, Refusal> Gate::admit(Policy const& policy, identity::Principal const& principal,
                                          Action action, std::string_view type) const {
  auto const refused = [](Denial by, Literal says) { return std::unexpected(Refusal{by, says}); };
  Role const* role = policy.role(principal.role());
  if (role == nullptr || !role->may(action, type))
    return refused(Denial::kRight, "this role has no right to this interaction on this type");
  if (principal.is_emergency() && !is_reading(action))
    return refused(Denial::kEmergency, "an emergency account reads and searches, and does nothing else");
  auto purpose = stated_purpose(principal, *role);
  if (!purpose.has_value()) return refused(Denial::kPurpose, purpose.error().literal());
  auto asker = asker_of(principal, *role, std::move(*purpose));
  if (!asker.has_value()) return refused(Denial::kScope, asker.error().literal());
  if (asker->scopes && !asker->scopes->may(action, type))
    return refused(Denial::kScope, "the application's scopes do not cover this interaction on this type");
  return std::move(*asker);
}

Result<Asker> Gate::asker_of(identity::Principal const& principal, Role const& role,
                             std::string purpose) const {
  Asker asker;
  auto const bearer = principal.is_service() ? Bearer::kService : Bearer::kPerson;
  auto scopes = scopes_.of(principal.application(), bearer);
  if (!scopes.has_value())
    return fail(ErrorKind::kForbidden, "the application's scopes cannot be held to: it gets nothing");
  asker.scopes = std::move(*scopes);
  asker.user = principal.id().view();
  asker.role = principal.role();
  asker.purpose = std::move(purpose);
  asker.in_emergency = principal.is_emergency();
  if (role.own_record_only && principal.patient()) asker.own_patient = principal.patient()->view();
  if (assignments_ != nullptr) asker.practitioner = assignments_->practitioner_of(asker.user);
  if (clock_ != nullptr) asker.now = clock_->now();
  return asker;
}

void Gate::look_at(Evidence const& evidence, Assignments const& assignments, Clock const& clock) {
  evidence_ = &evidence;
  assignments_ = &assignments;
  clock_ = &clock;
}

Result<std::string> Gate::purpose_of(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr) return fail(ErrorKind::kForbidden, "this role has no right to anything");
  return stated_purpose(principal, *role);
}

bool Gate::shows_parameter(identity::Principal const& principal, std::string_view type,
                           fhir::SearchParameter const& parameter) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr) return false;
  auto const view = role->views.find(type);
  return view == role->views.end() || view->second.shows(parameter);
}

bool Gate::sees_whole(identity::Principal const& principal, std::string_view type) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr) return false;
  return type.empty() ? role->views.empty() : role->views.find(type) == role->views.end();
}

Gate::Explanation Gate::explain(identity::Principal const& principal,
                                std::span<std::string const> patients) const {
  Explanation explanation;
  if (patients.empty() || assignments_ == nullptr || principal.is_service()) return explanation;
  if (principal.is_emergency()) {
    explanation.relation = Relation::kEmergency;
    return explanation;
  }
  Time const now = clock_->now();
  auto const user = principal.id().view();
  auto const practitioner = assignments_->practitioner_of(user);
  auto const current = policy();
  auto const* role = current->role(principal.role());
  bool const acts_for_another = role != nullptr && role->acts_for_another;
  for (auto const& patient : patients) {
    Relation relation = Relation::kNone;
    if (principal.patient() && principal.patient()->view() == patient) {
      relation = acts_for_another ? Relation::kProxy : Relation::kSelf;
    } else if (assignments_->emergency(user, patient, now)) {
      explanation.emergency = true;
      relation = Relation::kEmergency;
    } else if (practitioner) {
      // Unknown is unexplained: what is said here must not be more than is known.
      relation = evidence_->relation(*practitioner, patient, now, current->bounds().relation)
                     .value_or(Relation::kNone);
    }
    if (relation == Relation::kNone) return {Relation::kNone, explanation.emergency};
    explanation.relation = relation;
  }
  return explanation;
}

Watch Gate::watch(std::span<std::string const> patients) const {
  Watch watch;
  watch.listed = assignments_ != nullptr && std::ranges::any_of(patients, [this](std::string const& patient) {
                   return assignments_->has_list(patient);
                 });
  return watch;
}

bool Gate::may_have_labels(std::string_view type) const {
  return evidence_ != nullptr && evidence_->has_labels(type).value_or(true);
}

Result<std::chrono::minutes> Gate::authorize_emergency(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  // Who breaks the glass is asked himself. To an emergency account it is broken.
  if (role == nullptr || !role->breaks_glass || principal.application() || principal.is_emergency())
    return fail(ErrorKind::kForbidden, "this role may not break the glass");
  return current->bounds().emergency_time;
}

std::vector<Label> Gate::labels_for(codec::Json const& resource) const {
  auto const current = policy();
  return current->bounds().label_rules.demanded_by(resource);
}

bool Gate::may_lower_labels(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  return role != nullptr && role->lowers_labels;
}

bool Gate::may_move_records(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  return role != nullptr && role->moves_records;
}

Result<void> Gate::authorize_admin(identity::Principal const& principal, AdminAction action, Time now) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr || !role->may(action) || principal.application() || principal.is_emergency()) {
    return fail(ErrorKind::kForbidden, "this role has no right to this administrative act");
  }
  if (identity::is_fresh(principal, now)) return {};
  return fail(ErrorKind::kUnauthenticated, "the second factor is too old for this act: log in again");
}

Result<void> Gate::authorize_provisioning(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  bool const has_scope =
      !principal.application() || codec::has_word(principal.application()->scopes, kProvisioningScope);
  if (role == nullptr || !role->provisions_users || !principal.is_service() || !has_scope)
    return fail(ErrorKind::kForbidden, "this role has no right to provision users");
  return {};
}

Result<void> Gate::admits_token(identity::Principal const& principal, Time now) const {
  if (!principal.is_service() || principal.method() != identity::Method::kToken ||
      principal.expires() - now <= limits::kServiceToken)
    return {};
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr || !role->provisions_users)
    return fail(ErrorKind::kForbidden, "this token was issued to provision users: issue another");
  return {};
}

Result<std::optional<std::string>> Gate::authorize_log(identity::Principal const& principal, Time now) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  // Who acts for a patient and may read his record looks after it as he would.
  bool const is_patient = role != nullptr && role->own_record_only &&
                          (!role->acts_for_another || role->may(Action::kRead, "Patient"));
  if (is_patient && principal.patient()) {
    auto const scopes = scopes_.of(principal.application(), Bearer::kPerson);
    // The log is listed without judging each entry by content.
    if (!scopes.has_value() || (*scopes && !((*scopes)->may_all(Action::kRead, "AuditEvent") &&
                                             (*scopes)->may_all(Action::kSearch, "AuditEvent"))))
      return fail(ErrorKind::kForbidden, "the application's scopes do not cover the log");
    return std::string(principal.patient()->view());
  }
  TACENDA_TRY_VOID(authorize_admin(principal, AdminAction::kReadAudit, now));
  return std::nullopt;
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

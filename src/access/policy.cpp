#include "access/policy.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "access/internal/concepts.hpp"
#include "access/internal/policy_words.hpp"
#include "access/internal/provisioning_rules.hpp"
#include "access/internal/role_demands.hpp"
#include "access/shipped_policies.hpp"
#include "codec/toml.hpp"
#include "core/limits.hpp"
#include "fhir/types.hpp"

namespace tacenda::access {
namespace {

constexpr auto kActions = std::to_array<Word<Action>>({
    {"read", Action::kRead},
    {"vread", Action::kVread},
    {"history-instance", Action::kHistoryInstance},
    {"history-type", Action::kHistoryType},
    {"search", Action::kSearch},
    {"create", Action::kCreate},
    {"update", Action::kUpdate},
    {"delete", Action::kDelete},
    {"export", Action::kExport},
});

constexpr auto kAdminActions = std::to_array<Word<AdminAction>>({
    {"manage-users", AdminAction::kManageUsers},
    {"issue-tokens", AdminAction::kIssueTokens},
    {"read-audit", AdminAction::kReadAudit},
    {"verify", AdminAction::kVerify},
    {"seal", AdminAction::kSeal},
    {"read-status", AdminAction::kReadStatus},
    {"manage-policy", AdminAction::kManagePolicy},
    {"manage-keys", AdminAction::kManageKeys},
    {"review-access", AdminAction::kReviewAccess},
    {"approve", AdminAction::kApprove},
    {"erase", AdminAction::kErase},
    {"legal-hold", AdminAction::kHold},
});

struct Switch {
  std::string_view name;
  bool Role::* member;
};
constexpr auto kSwitches = std::to_array<Switch>({
    {"own-record-only", &Role::own_record_only},
    {"acts-for-another", &Role::acts_for_another},
    {"over-consents", &Role::over_consents},
    {"restricted-without-relation", &Role::restricted_without_relation},
    {"over-lists", &Role::over_lists},
    {"break-glass", &Role::breaks_glass},
    {"chooses-ids", &Role::chooses_ids},
    {"lowers-labels", &Role::lowers_labels},
    {"moves-records", &Role::moves_records},
    {"provisions-users", &Role::provisions_users},
});

constexpr auto kGroups =
    std::to_array<std::string_view>({"patient-records", "prescriptions", "directory", "other"});

/// U to V are confidentialities; every other word is a sensitivity.
Label label_of(std::string word) {
  bool const is_level = parse_confidentiality(word).has_value();
  return {std::string(is_level ? kConfidentialitySystem : kActCodeSystem), std::move(word)};
}

Result<std::set<std::string, std::less<>>> set_of(toml::node const& node) {
  auto words = TACENDA_TRY(words_of(node));
  return std::set<std::string, std::less<>>(words.begin(), words.end());
}

Result<void> parse_views(toml::table const& table, Role& role) {
  for (auto const& [type, elements] : table) {
    auto view = TACENDA_TRY(ElementView::make(type.str(), TACENDA_TRY(words_of(elements))));
    role.views.emplace(std::string(type.str()), std::move(view));
  }
  return {};
}

Result<void> check_types(std::set<std::string, std::less<>> const& types) {
  if (std::ranges::all_of(types, [](auto const& type) { return fhir::is_resource_type(type); })) return {};
  return fail(ErrorKind::kInvalid, "a role names a type that is none of R4");
}

/// What a role says beside its rights. False: it is no such key.
Result<bool> parse_bounds(std::string_view name, toml::node const& node, Role& role) {
  if (name == "types") {
    role.types = TACENDA_TRY(set_of(node));
    TACENDA_TRY_VOID(check_types(role.types));
  } else if (name == "writes") {
    role.writes = TACENDA_TRY(set_of(node));
    TACENDA_TRY_VOID(check_types(role.writes));
  } else if (name == "purposes") {
    role.purposes = TACENDA_TRY(words_of(node));
    if (role.purposes.empty()) return fail(ErrorKind::kInvalid, "a role has no purpose");
  } else if (name == "clearance" && node.is_string()) {
    role.clearance = TACENDA_TRY(parse_confidentiality(*node.value<std::string_view>()));
  } else if (name == "sensitive") {
    role.sensitive = TACENDA_TRY(set_of(node));
  } else if (name == "relation" && node.is_string()) {
    auto const word = *node.value<std::string_view>();
    if (word != "required" && word != "recorded")
      return fail(ErrorKind::kInvalid, "a role's relation is required or recorded");
    role.needs_relation = word == "required";
  } else if (name == "views" && node.is_table()) {
    TACENDA_TRY_VOID(parse_views(*node.as_table(), role));
  } else {
    return false;
  }
  return true;
}

Result<Role> parse_role(toml::table const& table) {
  constexpr auto kSystem = std::to_array<Word<Action>>({{"history-system", Action::kHistorySystem}});
  constexpr auto kWrites = std::to_array<Word<Action>>(
      {{"create", Action::kCreate}, {"update", Action::kUpdate}, {"delete", Action::kDelete}});
  Role role;
  for (auto const& [key, node] : table) {
    std::string_view const name = key.str();
    auto const group = std::ranges::find(kGroups, name);
    if (group != kGroups.end()) {
      role.actions[group - kGroups.begin()] = TACENDA_TRY(bits_of(node, kActions));
      // Who may export records of any group may ask for an export; each record is judged by its own group.
      role.exports = role.exports || (role.actions[group - kGroups.begin()] & bit(Action::kExport)) != 0;
    } else if (name == "consents") {
      role.consent_actions = TACENDA_TRY(bits_of(node, kWrites));
    } else if (name == "system") {
      role.system_actions = TACENDA_TRY(bits_of(node, kSystem));
    } else if (name == "admin") {
      role.admin_actions = TACENDA_TRY(bits_of(node, kAdminActions));
    } else if (auto const* found = std::ranges::find(kSwitches, name, &Switch::name);
               found != kSwitches.end() && node.is_boolean()) {
      role.*found->member = *node.value<bool>();
    } else if (!TACENDA_TRY(parse_bounds(name, node, role)) && !TACENDA_TRY(parse_demand(name, node, role))) {
      return fail(ErrorKind::kInvalid, "a role has an unknown key");
    }
  }
  constexpr auto kApprovers =
      std::to_array({AdminAction::kManageUsers, AdminAction::kIssueTokens, AdminAction::kManagePolicy,
                     AdminAction::kReviewAccess, AdminAction::kErase});
  if (std::ranges::any_of(kApprovers, [&](AdminAction action) { return role.may(action); }))
    role.admin_actions |= bit(AdminAction::kApprove);
  TACENDA_TRY_VOID(check_provisioner(role));
  TACENDA_TRY_VOID(limit_sessions(table, role));
  for (auto const& [type, view] : role.views) {
    // What is seen in part would be written back without the rest (C-19).
    if (role.may(Action::kUpdate, type))
      return fail(ErrorKind::kInvalid, "a role may update what it sees in part");
    // Conditions of an export would tell what the view hides.
    if (role.may(Action::kExport, type))
      return fail(ErrorKind::kInvalid, "a role may export what it sees in part");
  }
  return role;
}

Result<LabelRules::Rule> parse_label_rule(toml::table const& table) {
  LabelRules::Rule rule;
  for (auto const& [key, node] : table) {
    if (key.str() == "system" && node.is_string()) {
      rule.system = *node.value<std::string>();
    } else if (key.str() == "code" && node.is_string()) {
      rule.code = *node.value<std::string>();
    } else if (key.str() == "labels") {
      for (auto& word : TACENDA_TRY(words_of(node))) rule.labels.push_back(label_of(std::move(word)));
    } else {
      return fail(ErrorKind::kInvalid, "a label rule has an unknown key");
    }
  }
  if (rule.code.empty() || rule.code == "*" || rule.labels.empty())
    return fail(ErrorKind::kInvalid, "a label rule needs a code and labels");
  return rule;
}

Result<void> parse_consent(toml::table const& table, Bounds& bounds) {
  for (auto const& [key, node] : table) {
    if (key.str() != "purposes-without") return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    bounds.without_consent = TACENDA_TRY(set_of(node));
  }
  return {};
}

Result<void> parse_labels(toml::table const& table, Bounds& bounds) {
  std::vector<LabelRules::Rule> rules;
  for (auto const& [key, node] : table) {
    if (key.str() == "sensitive") {
      bounds.sensitive = TACENDA_TRY(set_of(node));
    } else if (key.str() == "rules" && node.is_array()) {
      for (auto const& rule : *node.as_array()) {
        if (!rule.is_table()) return fail(ErrorKind::kInvalid, "a label rule is not a table");
        rules.push_back(TACENDA_TRY(parse_label_rule(*rule.as_table())));
      }
    } else {
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    }
  }
  bounds.label_rules = LabelRules(std::move(rules));
  return {};
}

Result<void> parse_emergency(toml::table const& table, Bounds& bounds) {
  for (auto const& [key, node] : table) {
    if (key.str() == "minutes" && node.is_integer()) {
      bounds.emergency_time = std::chrono::minutes(*node.value_exact<std::int64_t>());
      if (bounds.emergency_time < std::chrono::minutes(1) || bounds.emergency_time > limits::kEmergencyMax)
        return fail(ErrorKind::kInvalid, "an emergency lasts from 1 to 720 minutes");
    } else if (key.str() == "never") {
      bounds.never_in_emergency = TACENDA_TRY(set_of(node));
    } else if (key.str() == "with-disclosure-record") {
      bounds.recorded_in_emergency = TACENDA_TRY(set_of(node));
    } else if (key.str() == "overrides-denied-emergency" && node.is_boolean()) {
      bounds.emergency_overrides_denied = *node.value<bool>();
    } else {
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    }
  }
  return {};
}

Result<void> parse_relation(toml::table const& table, RelationTimes& times) {
  struct Days {
    std::string_view name;
    std::chrono::days RelationTimes::* member;
  };
  constexpr auto kDays =
      std::to_array<Days>({{"encounter-days", &RelationTimes::encounter},
                           {"care-team-days", &RelationTimes::care_team},
                           {"order-days", &RelationTimes::order},
                           {"general-practitioner-days", &RelationTimes::general_practitioner}});
  for (auto const& [key, node] : table) {
    auto const* found = std::ranges::find(kDays, key.str(), &Days::name);
    if (found == kDays.end() || !node.is_integer())
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    auto const count = *node.value_exact<std::int64_t>();
    if (count < 1 || count > limits::kRelationMax.count())
      return fail(ErrorKind::kInvalid, "a relation explains an access for 1 to 3650 days");
    times.*found->member = std::chrono::days(count);
  }
  return {};
}

}  // namespace

std::optional<Action> action_of(std::string_view word) {
  auto const* found = std::ranges::find(kActions, word, &Word<Action>::name);
  return found == kActions.end() ? std::nullopt : std::optional(found->value);
}

ResourceGroup group_of(std::string_view type) {
  constexpr auto kPrescriptions = std::to_array<std::string_view>(
      {"MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement"});
  constexpr auto kDirectory =
      std::to_array<std::string_view>({"Location", "Organization", "Practitioner", "PractitionerRole"});
  if (std::ranges::find(kPrescriptions, type) != kPrescriptions.end()) return ResourceGroup::kPrescriptions;
  if (std::ranges::find(kDirectory, type) != kDirectory.end()) return ResourceGroup::kDirectory;
  // The audit log is read by a right of its own, although the compartment lists AuditEvent.
  if (type != "AuditEvent" && fhir::in_patient_compartment(type)) return ResourceGroup::kPatientRecords;
  return ResourceGroup::kOther;
}

namespace {

/// By what a role's rights to each concrete type go. Asked several times for each record that is judged.
std::optional<ResourceGroup> group_of_concrete(std::string_view type) {
  static auto const groups = [] {
    std::unordered_map<std::string_view, ResourceGroup> made;
    for (auto const each : fhir::resource_types()) made.emplace(each, group_of(each));
    return made;
  }();
  auto const found = groups.find(type);
  return found == groups.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

bool Role::may_ask_for(std::string_view purpose) const {
  return std::ranges::find(purposes, purpose) != purposes.end();
}

bool Role::is_privileged() const {
  constexpr auto kPatientData =
      std::to_array({ResourceGroup::kPatientRecords, ResourceGroup::kPrescriptions, ResourceGroup::kOther});
  bool const reaches_patients = std::ranges::any_of(
      kPatientData, [&](ResourceGroup group) { return actions[static_cast<std::size_t>(group)] != 0; });
  return reaches_patients || consent_actions != 0 || system_actions != 0 || admin_actions != 0 || exports ||
         breaks_glass || provisions_users;
}

bool Role::may(Action action, std::string_view type) const {
  if (type.empty()) return action == Action::kExport ? exports : (system_actions & bit(action)) != 0;
  // Entries of the audit log are never written by a client and are read through the log alone (O-02).
  auto const group = group_of_concrete(type);
  if (!group || type == "AuditEvent") return false;
  bool const is_write = action == Action::kCreate || action == Action::kUpdate || action == Action::kDelete;
  // Who keeps records does not say thereby who may see them.
  if (type == "Consent" && is_write) return (consent_actions & bit(action)) != 0;
  if (!types.empty() && group != ResourceGroup::kDirectory && types.find(type) == types.end()) return false;
  if (is_write && !writes.empty() && group != ResourceGroup::kDirectory && writes.find(type) == writes.end())
    return false;
  return (actions[static_cast<std::size_t>(*group)] & bit(action)) != 0;
}

Result<std::shared_ptr<Policy const>> Policy::shipped(std::string_view name) {
  if (name == "separated") return parse(kSeparatedPolicy, 1);
  if (name == "classic") return parse(kClassicPolicy, 1);
  if (name == "hospital") return parse(kHospitalPolicy, 1);
  return fail(ErrorKind::kNotFound, "there is no such policy: use separated, classic or hospital");
}

Result<std::shared_ptr<Policy const>> Policy::parse(std::string_view text, std::uint64_t epoch) {
  auto const parsed = codec::parse_toml(text);
  if (!parsed) return fail(ErrorKind::kInvalid, "the policy is not TOML");
  auto policy = std::shared_ptr<Policy>(new Policy());  // make_shared cannot reach the private constructor
  policy->text_ = text;
  policy->epoch_ = epoch;
  bool versioned = false;
  toml::table const* provisioning = nullptr;
  for (auto const& [key, node] : *parsed) {
    if (key.str() == "version") {
      versioned = node.value_exact<std::int64_t>() == 1;
    } else if (key.str() == "name" && node.is_string()) {
      policy->name_ = *node.value<std::string>();
    } else if (key.str() == "roles" && node.is_table()) {
      for (auto const& [role, rights] : *node.as_table()) {
        if (!rights.is_table()) return fail(ErrorKind::kInvalid, "a role is not a table");
        policy->roles_.emplace(std::string(role.str()), TACENDA_TRY(parse_role(*rights.as_table())));
      }
    } else if (key.str() == "consent" && node.is_table()) {
      TACENDA_TRY_VOID(parse_consent(*node.as_table(), policy->bounds_));
    } else if (key.str() == "labels" && node.is_table()) {
      TACENDA_TRY_VOID(parse_labels(*node.as_table(), policy->bounds_));
    } else if (key.str() == "emergency" && node.is_table()) {
      TACENDA_TRY_VOID(parse_emergency(*node.as_table(), policy->bounds_));
    } else if (key.str() == "relation" && node.is_table()) {
      TACENDA_TRY_VOID(parse_relation(*node.as_table(), policy->bounds_.relation));
    } else if (key.str() == "provisioning" && node.is_table()) {
      provisioning = node.as_table();  // says something of roles: when all are known
    } else {
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    }
  }
  if (!versioned) return fail(ErrorKind::kInvalid, "the policy has no version this server knows");
  if (policy->roles_.empty()) return fail(ErrorKind::kInvalid, "the policy has no roles");
  if (provisioning != nullptr)
    policy->bounds_.group_roles = TACENDA_TRY(parse_provisioning(*provisioning, policy->roles_));
  return policy;
}

Role const* Policy::role(std::string_view name) const {
  auto const found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

identity::RoleTimes Policy::session_times() const {
  identity::RoleTimes times;
  for (auto const& [name, role] : roles_) times.emplace(name, role.session);
  return times;
}

std::vector<std::string> Policy::roles() const {
  std::vector<std::string> names;
  for (auto const& [name, role] : roles_) names.push_back(name);
  return names;
}

}  // namespace tacenda::access

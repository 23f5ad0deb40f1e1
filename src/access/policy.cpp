#include "access/policy.hpp"

#include <algorithm>
#include <array>

#include "access/shipped_policies.hpp"
#include "codec/toml.hpp"
#include "fhir/types.hpp"
#include "identity/awareness.hpp"

namespace tacenda::access {
namespace {

struct ActionName {
  std::string_view name;
  Action action;
};
constexpr auto kActions = std::to_array<ActionName>({
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

struct AdminName {
  std::string_view name;
  AdminAction action;
};
constexpr auto kAdminActions = std::to_array<AdminName>({
    {"manage-users", AdminAction::kManageUsers},
    {"issue-tokens", AdminAction::kIssueTokens},
    {"read-audit", AdminAction::kReadAudit},
    {"verify", AdminAction::kVerify},
    {"seal", AdminAction::kSeal},
    {"read-status", AdminAction::kReadStatus},
    {"manage-policy", AdminAction::kManagePolicy},
    {"manage-keys", AdminAction::kManageKeys},
});

struct FactorName {
  std::string_view name;
  Factor action;
};
constexpr auto kFactors = std::to_array<FactorName>({
    {"totp", Factor::kTotp},
    {"passkey", Factor::kPasskey},
    {"recovery-code", Factor::kRecoveryCode},
});

constexpr std::int64_t kGraceDaysMax = 365;

constexpr auto kGroups =
    std::to_array<std::string_view>({"patient-records", "prescriptions", "directory", "other"});

template <typename E>
constexpr std::uint32_t bit(E action) {
  return 1U << static_cast<unsigned>(action);
}

/// The bits of a list of words out of `names`. Errors: kInvalid.
template <typename Names>
Result<std::uint32_t> bits_of(toml::node const& node, Names const& names) {
  auto const* list = node.as_array();
  if (list == nullptr) return fail(ErrorKind::kInvalid, "a right of a role is not a list of actions");
  std::uint32_t bits = 0;
  for (auto const& item : *list) {
    auto const word = item.value<std::string_view>();
    auto const found =
        std::ranges::find_if(names, [&](auto const& entry) { return word && entry.name == *word; });
    if (found == names.end()) return fail(ErrorKind::kInvalid, "a role names an unknown action");
    bits |= bit(found->action);
  }
  return bits;
}

/// A list of texts. Errors: kInvalid.
Result<std::vector<std::string>> texts_of(toml::node const& node) {
  auto const* list = node.as_array();
  if (list == nullptr) return fail(ErrorKind::kInvalid, "a demand of a role is not a list of texts");
  std::vector<std::string> texts;
  for (auto const& item : *list) {
    auto const text = item.value<std::string>();
    if (!text || !item.is_string())
      return fail(ErrorKind::kInvalid, "a demand of a role is not a list of texts");
    texts.push_back(*text);
  }
  return texts;
}

/// What a role demands of who has it. False when `name` is none of these. Errors: kInvalid.
Result<bool> parse_demand(std::string_view name, toml::node const& node, Role& role) {
  if (name == "factors") {
    role.factors = TACENDA_TRY(bits_of(node, kFactors));
    if (role.factors == 0)
      return fail(ErrorKind::kInvalid, "a role takes no second factor: nobody could use it");
  } else if (name == "networks") {
    role.networks = TACENDA_TRY(AddressList::parse(TACENDA_TRY(texts_of(node))));
  } else if (name == "awareness") {
    role.awareness = TACENDA_TRY(texts_of(node));
    for (auto const& topic : role.awareness) {
      if (identity::find_awareness_topic(topic) == nullptr)
        return fail(ErrorKind::kInvalid, "a role demands an unknown awareness topic");
    }
  } else if (name == "awareness-grace-days") {
    auto const days = node.value<std::int64_t>();
    if (!node.is_integer() || *days < 0 || *days > kGraceDaysMax)
      return fail(ErrorKind::kInvalid, "a grace period is a whole number of days from 0 to 365");
    role.awareness_grace = std::chrono::days(*days);
  } else {
    return false;
  }
  return true;
}

Result<Role> parse_role(toml::table const& table) {
  constexpr auto kSystem = std::to_array<ActionName>({{"history-system", Action::kHistorySystem}});
  Role role;
  for (auto const& [key, node] : table) {
    std::string_view const name = key.str();
    auto const group = std::ranges::find(kGroups, name);
    if (group != kGroups.end()) {
      role.actions[group - kGroups.begin()] = TACENDA_TRY(bits_of(node, kActions));
      // Who may export records of any group may ask for an export; each record is judged by its own group.
      role.exports = role.exports || (role.actions[group - kGroups.begin()] & bit(Action::kExport)) != 0;
    } else if (name == "system") {
      role.system_actions = TACENDA_TRY(bits_of(node, kSystem));
    } else if (name == "admin") {
      role.admin_actions = TACENDA_TRY(bits_of(node, kAdminActions));
    } else if (name == "own-record-only" && node.is_boolean()) {
      role.own_record_only = *node.value<bool>();
    } else if (!TACENDA_TRY(parse_demand(name, node, role))) {
      return fail(ErrorKind::kInvalid, "a role has an unknown key");
    }
  }
  return role;
}

}  // namespace

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

bool Role::may(Action action, std::string_view type) const {
  if (type.empty()) return action == Action::kExport ? exports : (system_actions & bit(action)) != 0;
  // Entries of the audit log are never written by a client and are read through the log alone (O-02).
  if (!fhir::is_resource_type(type) || type == "AuditEvent") return false;
  return (actions[static_cast<std::size_t>(group_of(type))] & bit(action)) != 0;
}

Result<std::shared_ptr<Policy const>> Policy::shipped(std::string_view name) {
  if (name == "separated") return parse(kSeparatedPolicy, 1);
  if (name == "classic") return parse(kClassicPolicy, 1);
  return fail(ErrorKind::kNotFound, "there is no such policy: use separated or classic");
}

Result<std::shared_ptr<Policy const>> Policy::parse(std::string_view text, std::uint64_t epoch) {
  auto const parsed = codec::parse_toml(text);
  if (!parsed) return fail(ErrorKind::kInvalid, "the policy is not TOML");
  auto policy = std::shared_ptr<Policy>(new Policy());  // make_shared cannot reach the private constructor
  policy->text_ = text;
  policy->epoch_ = epoch;
  bool versioned = false;
  for (auto const& [key, node] : *parsed) {
    if (key.str() == "version") {
      versioned = node.value<std::int64_t>() == 1;
    } else if (key.str() == "name" && node.is_string()) {
      policy->name_ = *node.value<std::string>();
    } else if (key.str() == "roles" && node.is_table()) {
      for (auto const& [role, rights] : *node.as_table()) {
        if (!rights.is_table()) return fail(ErrorKind::kInvalid, "a role is not a table");
        policy->roles_.emplace(std::string(role.str()), TACENDA_TRY(parse_role(*rights.as_table())));
      }
    } else {
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    }
  }
  if (!versioned) return fail(ErrorKind::kInvalid, "the policy has no version this server knows");
  if (policy->roles_.empty()) return fail(ErrorKind::kInvalid, "the policy has no roles");
  return policy;
}

Role const* Policy::role(std::string_view name) const {
  auto const found = roles_.find(name);
  return found == roles_.end() ? nullptr : &found->second;
}

std::vector<std::string> Policy::roles() const {
  std::vector<std::string> names;
  for (auto const& [name, role] : roles_) names.push_back(name);
  return names;
}

}  // namespace tacenda::access

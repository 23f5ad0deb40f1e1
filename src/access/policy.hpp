#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/address_list.hpp"
#include "access/labels.hpp"
#include "access/relation.hpp"
#include "access/view.hpp"
#include "core/error.hpp"
#include "core/permit.hpp"
#include "identity/provisioned.hpp"
#include "identity/session_times.hpp"

namespace tacenda::access {

/// Acts on the server rather than on records; each is a right of its own in the policy.
enum class AdminAction : std::uint8_t {
  kManageUsers,
  kIssueTokens,
  kReadAudit,
  kVerify,
  kSeal,
  kReadStatus,
  kManagePolicy,
  kManageKeys,
  kReviewAccess,
  kApprove,  // what others ask for; who may grant, reviews accesses or erases, may (S-12)
  kErase,    // a patient's whole record, for good (G-07)
  kHold,     // to set and lift legal holds, which stand against an erasure (G-08)
};

/// The four groups that every concrete resource type falls into (PRODUCT row M3).
enum class ResourceGroup : std::uint8_t { kPatientRecords, kPrescriptions, kDirectory, kOther };
ResourceGroup group_of(std::string_view type);

/// What a policy calls an interaction with records of a type: "read", "history-type". nullopt: nothing by
/// that word.
std::optional<Action> action_of(std::string_view word);

/// A second factor by which a role may be told to sign in.
enum class Factor : std::uint8_t { kTotp, kPasskey, kRecoveryCode, kProvider };

/// The rights of one role.
struct Role {
  std::uint32_t actions[4] = {0, 0, 0, 0};  // by ResourceGroup: bit per Action
  // Of patient records, prescriptions and other these types alone; empty: all.
  std::set<std::string, std::less<>> types;
  // Of those, these alone are created, updated and deleted; empty: all.
  std::set<std::string, std::less<>> writes;
  std::uint32_t consent_actions = 0;  // create, update and delete of Consents, which decide what others see
  std::uint32_t system_actions = 0;   // interactions without a type
  std::uint32_t admin_actions = 0;    // bit per AdminAction
  bool own_record_only = false;
  bool acts_for_another = false;               // of own_record_only: a proxy, whom consents and labels bind
  bool exports = false;                        // records of at least one group
  std::vector<std::string> purposes{"TREAT"};  // codes of v3-ActReason; the first holds where none is stated
  Confidentiality clearance = Confidentiality::kN;  // sees records up to it
  std::set<std::string, std::less<>> sensitive;     // labels of Policy::sensitive that he sees
  bool over_consents = false;   // sees whatever consents say: an administrator of everything
  bool needs_relation = false;  // sees records of patients whom he treats
  bool breaks_glass = false;
  bool restricted_without_relation = false;  // sees level R also of patients whom he does not treat (C-15)
  bool over_lists =
      false;  // sees what is V or CEL without being on the patient's list; each such access alerts
  bool chooses_ids = false;       // may PUT under an id that is not there, and so learns which are (C-10)
  bool lowers_labels = false;     // may take a security label off (C-18)
  bool moves_records = false;     // may take a record away from its patient (W-01)
  bool provisions_users = false;  // keeps accounts and groups over SCIM, and does nothing else
  std::map<std::string, ElementView, std::less<>> views;  // by type: what he sees of it
  // What is demanded of who has the role (N-02, N-05, M17).
  std::uint32_t factors = 0;           // bit per Factor; 0: any
  AddressList networks;                // from which it may be used
  std::vector<std::string> awareness;  // topics to be acknowledged every year
  std::chrono::days awareness_grace{14};
  // How long its sessions last at most (K-05).
  identity::SessionTimes session{limits::kSessionIdleMax, limits::kSessionAbsoluteMax};

  bool may_ask_for(std::string_view purpose) const;

  bool may(Action action, std::string_view type) const;
  bool takes(Factor factor) const {
    return factors == 0 || (factors >> static_cast<unsigned>(factor) & 1U) != 0;
  }
  /// Does it reach patients' data, the administration, or other people's accounts? All but who sees nothing
  /// beyond the directory. Giving it to somebody may need a second person (S-12).
  bool is_privileged() const;
  bool may(AdminAction action) const { return (admin_actions >> static_cast<unsigned>(action) & 1U) != 0; }
};

/// What holds for every role.
struct Bounds {
  using Words = std::set<std::string, std::less<>>;
  std::optional<Words> without_consent;  // purposes that need no consent that speaks; nullopt: all
  Words sensitive;                       // labels that only roles which name them see (C-06)
  LabelRules label_rules;
  std::chrono::minutes emergency_time{60};  // how long the glass stays broken
  Words never_in_emergency{"PSYTHPN"};      // labels that no emergency opens (C-14)
  // Labels that one opens only with the record of 42 CFR 2.51 (EmergencyDisclosure).
  Words recorded_in_emergency{"42CFRPart2"};
  RelationTimes relation;                   // how long a relation explains an access
  bool emergency_overrides_denied = false;  // also what a consent denies for emergencies by name (ETREAT)
  identity::GroupRoles group_roles;         // what groups of the identity provider give

  /// True when a patient whose consents do not speak permits this purpose.
  bool permits_without_consent(std::string_view purpose) const {
    return !without_consent || without_consent->contains(purpose);
  }
};

/// Roles and their rights as data. Parsed from TOML; an unknown key or word is an error.
///
/// Immutable; shared by every decision made under one epoch.
class Policy {
 public:
  /// A policy that ships: "separated" (the default), "classic" or "hospital". Errors: kNotFound.
  static Result<std::shared_ptr<Policy const>> shipped(std::string_view name);
  /// Errors: kInvalid (the message tells what; the text's own words never stand in it).
  static Result<std::shared_ptr<Policy const>> parse(std::string_view toml, std::uint64_t epoch);

  /// nullptr: no such role, and so no right.
  Role const* role(std::string_view name) const;
  std::vector<std::string> roles() const;
  /// The TOML text it was made from, to be stored.
  std::string const& text() const { return text_; }
  std::string const& name() const { return name_; }
  std::uint64_t epoch() const { return epoch_; }

  Bounds const& bounds() const { return bounds_; }
  /// How long sessions of each role last at most.
  identity::RoleTimes session_times() const;

 private:
  Policy() = default;
  std::string text_;
  std::string name_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, Role, std::less<>> roles_;
  Bounds bounds_;
};

}  // namespace tacenda::access

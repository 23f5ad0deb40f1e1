#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/address_list.hpp"
#include "core/error.hpp"
#include "core/permit.hpp"

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
};

/// The four groups that every concrete resource type falls into (PRODUCT row M3).
enum class ResourceGroup : std::uint8_t { kPatientRecords, kPrescriptions, kDirectory, kOther };
ResourceGroup group_of(std::string_view type);

/// A second factor by which a role may be told to sign in.
enum class Factor : std::uint8_t { kTotp, kPasskey, kRecoveryCode };

/// The rights of one role.
struct Role {
  std::uint32_t actions[4] = {0, 0, 0, 0};  // by ResourceGroup: bit per Action
  std::uint32_t system_actions = 0;         // interactions without a type
  std::uint32_t admin_actions = 0;          // bit per AdminAction
  bool own_record_only = false;
  bool exports = false;  // records of at least one group
  // What is demanded of who has the role (N-02, N-05, M17).
  std::uint32_t factors = 0;           // bit per Factor; 0: any
  AddressList networks;                // from which it may be used
  std::vector<std::string> awareness;  // topics to be acknowledged every year
  std::chrono::days awareness_grace{14};

  bool may(Action action, std::string_view type) const;
  bool takes(Factor factor) const {
    return factors == 0 || (factors >> static_cast<unsigned>(factor) & 1U) != 0;
  }
  bool may(AdminAction action) const { return (admin_actions >> static_cast<unsigned>(action) & 1U) != 0; }
};

/// Roles and their rights as data. Parsed from TOML; an unknown key or word is an error.
///
/// Immutable; shared by every decision made under one epoch.
class Policy {
 public:
  /// A policy that ships with the product: "separated" (default) or "classic". Errors: kNotFound.
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

 private:
  Policy() = default;
  std::string text_;
  std::string name_;
  std::uint64_t epoch_ = 0;
  std::map<std::string, Role, std::less<>> roles_;
};

}  // namespace tacenda::access

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "identity/directory.hpp"
#include "vault/vault.hpp"

namespace tacenda::access {

/// The policy as the store keeps it, every version of it: rows `policy` (version and text of the one that
/// holds) and `p<version>` (docs/data-file.md, "Policy rows"). Errors: kCorrupt, kUnavailable; those of
/// Policy::parse. nullptr: there is none yet.
Result<std::shared_ptr<Policy const>> stored_policy(vault::Vault const& vault);

/// When a version of the policy came, and by whom.
struct PolicyMark {
  Time time{};
  std::string by;  // name of who asked for it; "system": the server, when the store was made
};

/// One that held, or holds.
struct PolicyVersion {
  std::uint64_t version = 0;
  std::optional<PolicyMark> mark;  // nullopt: it came before marks were kept; the audit log knows
  Digest digest{};                 // SHA-256 of its text
};
/// Every version that is kept, in order. Errors: kCorrupt, kUnavailable.
Result<std::vector<PolicyVersion>> policy_versions(vault::Vault const& vault);
/// The text of one. Errors: kNotFound, kCorrupt, kUnavailable.
Result<std::string> policy_text(vault::Vault const& vault, std::uint64_t version);

/// A policy that is to take the place of `before`.
struct PolicyChange {
  vault::WriteSet set;
  std::shared_ptr<Policy const> policy;
};
/// Two changes at once: one of them conflicts. Errors: kInvalid (the text is no policy; it has no role that
/// may manage the policy, so that nobody could change it again), kUnavailable.
Result<PolicyChange> policy_change(vault::Vault const& vault, Policy const& before, std::string_view toml,
                                   PolicyMark const& mark);

/// Has the directory hold to what a policy says of accounts: which groups give which role, and how long
/// sessions of each role last.
void hold_to(Policy const& policy, identity::Directory& directory);

}  // namespace tacenda::access

#include "access/stored_policy.hpp"

#include <algorithm>

#include "core/bytes.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::access {
namespace {

constexpr std::string_view kRow = "policy";
constexpr std::uint8_t kFormat = 1;

vault::SealedView rows_of(vault::Vault const& vault) {
  return vault.sealed_view(vault::Keeper::kPolicy, vault::Purpose::kAuth);
}

Bytes version_key(std::uint64_t version) {
  Bytes key;
  ByteWriter(key).u8('p').u8(0).u64(version);
  return key;
}

}  // namespace

Result<std::shared_ptr<Policy const>> stored_policy(vault::Vault const& vault) {
  auto const row = TACENDA_TRY(rows_of(vault).get(as_bytes(kRow)));
  if (!row) return nullptr;
  ByteReader reader(*row);
  if (TACENDA_TRY(reader.u8()) != kFormat) {
    // A store that was made before policies had versions holds the text alone.
    return Policy::parse(as_text(*row), 1);
  }
  auto const version = TACENDA_TRY(reader.u64());
  return Policy::parse(as_text(reader.rest()), version);
}

Result<PolicyChange> policy_change(vault::Vault const& vault, Policy const& before, std::string_view toml) {
  PolicyChange change;
  change.policy = TACENDA_TRY(Policy::parse(toml, before.epoch() + 1));
  bool const is_manageable = std::ranges::any_of(change.policy->roles(), [&](std::string const& name) {
    return change.policy->role(name)->may(AdminAction::kManagePolicy);
  });
  if (!is_manageable) return fail(ErrorKind::kInvalid, "no role of this policy could change it again");
  auto const rows = rows_of(vault);
  change.set.read_at(vault.order().committed());
  change.set.depends_on(rows.guard(as_bytes(kRow)));
  change.set.touches(rows.guard(as_bytes(kRow)));
  Bytes row;
  ByteWriter(row).u8(kFormat).u64(change.policy->epoch()).raw(as_bytes(toml));
  TACENDA_TRY_VOID(rows.put(change.set, as_bytes(kRow), row));
  TACENDA_TRY_VOID(rows.put(change.set, version_key(change.policy->epoch()), as_bytes(toml)));
  return change;
}

void hold_to(Policy const& policy, identity::Directory& directory) {
  identity::Provisioning(directory).use(policy.bounds().group_roles);
  directory.hold_sessions_to(policy.session_times());
}

}  // namespace tacenda::access

#include "access/stored_policy.hpp"

#include <algorithm>

#include "core/bytes.hpp"
#include "identity/provisioning.hpp"
#include "vault/digest.hpp"

namespace tacenda::access {
namespace {

constexpr std::string_view kRow = "policy";
constexpr std::uint8_t kFormat = 1;

vault::SealedView rows_of(vault::Vault const& vault) {
  return vault.sealed_view(vault::Keeper::kPolicy, vault::Purpose::kAuth);
}

Bytes versions_key() {
  Bytes key;
  ByteWriter(key).u8('p').u8(0);
  return key;
}

Bytes version_key(std::uint64_t version) {
  Bytes key = versions_key();
  ByteWriter(key).u64(version);
  return key;
}

struct VersionRow {
  std::optional<PolicyMark> mark;
  ByteView text;
};

/// A version that was stored before marks were kept is its text alone, which no format's byte begins.
Result<VersionRow> decode_version(ByteView row) {
  ByteReader reader(row);
  if (row.empty() || TACENDA_TRY(reader.u8()) != kFormat) return VersionRow{std::nullopt, row};
  PolicyMark mark;
  mark.time = from_unix_ms(TACENDA_TRY(reader.u64()));
  mark.by = as_text(TACENDA_TRY(reader.sized()));
  return VersionRow{std::move(mark), reader.rest()};
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

Result<std::vector<PolicyVersion>> policy_versions(vault::Vault const& vault) {
  std::vector<PolicyVersion> versions;
  TACENDA_TRY_VOID(rows_of(vault).scan(versions_key(), [&](ByteView key, ByteView row) -> Result<bool> {
    ByteReader reader(key.subspan(versions_key().size()));
    auto const version = TACENDA_TRY(reader.u64());
    auto decoded = TACENDA_TRY(decode_version(row));
    versions.push_back({version, std::move(decoded.mark), vault::digest(decoded.text)});
    return true;
  }));
  return versions;
}

Result<std::string> policy_text(vault::Vault const& vault, std::uint64_t version) {
  auto const row = TACENDA_TRY(rows_of(vault).get(version_key(version)));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such version of the policy");
  return std::string(as_text(TACENDA_TRY(decode_version(*row)).text));
}

Result<PolicyChange> policy_change(vault::Vault const& vault, Policy const& before, std::string_view toml,
                                   PolicyMark const& mark) {
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
  Bytes kept;
  ByteWriter(kept).u8(kFormat).u64(to_unix_ms(mark.time)).sized(mark.by).raw(as_bytes(toml));
  TACENDA_TRY_VOID(rows.put(change.set, version_key(change.policy->epoch()), kept));
  return change;
}

void hold_to(Policy const& policy, identity::Directory& directory) {
  identity::Provisioning(directory).use(policy.bounds().group_roles);
  directory.hold_sessions_to(policy.session_times());
}

}  // namespace tacenda::access

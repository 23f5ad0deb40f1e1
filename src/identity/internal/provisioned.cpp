// Rows of what an identity provider keeps, and which role its groups give.
#include <algorithm>
#include <ranges>
#include <utility>

#include "core/application_limits.hpp"
#include "identity/internal/account.hpp"
#include "identity/internal/row.hpp"

namespace tacenda::identity {
namespace {

enum Flag : std::uint8_t { kActive = 1, kDeleted = 2, kKeepsRole = 4, kLinkedByAdministrator = 8 };

std::uint8_t flags_of(Provisioned const& provisioned) {
  return static_cast<std::uint8_t>((provisioned.active ? kActive : 0) | (provisioned.deleted ? kDeleted : 0) |
                                   (provisioned.keeps_role ? kKeepsRole : 0) |
                                   (provisioned.linked_by_administrator ? kLinkedByAdministrator : 0));
}

}  // namespace

std::string GroupRoles::role_of(std::span<std::string_view const> names) const {
  for (auto const& rule : rules) {
    if (std::ranges::find(names, rule.group) != names.end()) return rule.role;
  }
  return {};
}

std::string GroupRoles::role_of(Provisioned const& provisioned, Groups const& groups) const {
  std::vector<std::string_view> names;
  for (auto const& id : provisioned.groups) {
    auto const group = groups.find(id);
    if (group == groups.end()) continue;
    names.emplace_back(group->second->display_name);
    if (!group->second->external_id.empty()) names.emplace_back(group->second->external_id);
  }
  return role_of(names);
}

bool same_name(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [lower](char x, char y) { return lower(x) == lower(y); });
}

Bytes encode_provisioned(Provisioned const& provisioned) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(row::kFormat).sized(provisioned.user_name).sized(provisioned.external_id);
  writer.sized(provisioned.display_name).u8(flags_of(provisioned));
  writer.u64(to_unix_ms(provisioned.modified)).u32(provisioned.version);
  writer.u32(static_cast<std::uint32_t>(provisioned.groups.size()));
  for (auto const& group : provisioned.groups) writer.sized(group);
  return row;
}

Result<std::shared_ptr<Provisioned const>> decode_provisioned(ByteView row) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  auto provisioned = std::make_shared<Provisioned>();
  provisioned->user_name = TACENDA_TRY(row::read_text(reader));
  provisioned->external_id = TACENDA_TRY(row::read_text(reader));
  provisioned->display_name = TACENDA_TRY(row::read_text(reader));
  std::uint8_t const flags = TACENDA_TRY(reader.u8());
  if (flags > (kActive | kDeleted | kKeepsRole | kLinkedByAdministrator))
    return fail(ErrorKind::kCorrupt, "a directory row says something unknown of an account");
  provisioned->active = (flags & kActive) != 0;
  provisioned->deleted = (flags & kDeleted) != 0;
  provisioned->keeps_role = (flags & kKeepsRole) != 0;
  provisioned->linked_by_administrator = (flags & kLinkedByAdministrator) != 0;
  provisioned->modified = from_unix_ms(TACENDA_TRY(reader.u64()));
  provisioned->version = TACENDA_TRY(reader.u32());
  for (auto left = TACENDA_TRY(row::read_count(reader, limits::kGroupsPerAccount)); left > 0; --left)
    provisioned->groups.push_back(TACENDA_TRY(row::read_text(reader)));
  TACENDA_TRY_VOID(row::check_end(reader));
  return provisioned;
}

Bytes encode_provider_link(ProviderLink const& link) {
  Bytes row;
  ByteWriter(row).u8(row::kFormat).sized(link.issuer).sized(link.subject);
  return row;
}

Result<std::shared_ptr<ProviderLink const>> decode_provider_link(ByteView row) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  auto link = std::make_shared<ProviderLink>();
  link->issuer = TACENDA_TRY(row::read_text(reader));
  link->subject = TACENDA_TRY(row::read_text(reader));
  TACENDA_TRY_VOID(row::check_end(reader));
  return link;
}

Bytes encode_group(Group const& group) {
  Bytes row;
  ByteWriter(row)
      .u8(row::kFormat)
      .sized(group.id)
      .sized(group.display_name)
      .sized(group.external_id)
      .u64(to_unix_ms(group.created))
      .u64(to_unix_ms(group.modified))
      .u32(group.version);
  return row;
}

Result<std::shared_ptr<Group const>> decode_group(ByteView row) {
  ByteReader reader(row);
  TACENDA_TRY_VOID(row::read_format(reader));
  auto group = std::make_shared<Group>();
  group->id = TACENDA_TRY(row::read_text(reader));
  group->display_name = TACENDA_TRY(row::read_text(reader));
  group->external_id = TACENDA_TRY(row::read_text(reader));
  group->created = from_unix_ms(TACENDA_TRY(reader.u64()));
  group->modified = from_unix_ms(TACENDA_TRY(reader.u64()));
  group->version = TACENDA_TRY(reader.u32());
  TACENDA_TRY_VOID(row::check_end(reader));
  return group;
}

}  // namespace tacenda::identity

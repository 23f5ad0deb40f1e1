#include "access/internal/provisioning_rules.hpp"

#include <algorithm>

namespace tacenda::access {
namespace {

constexpr std::size_t kRulesMax = 1'000;
constexpr std::size_t kGroupBytes = 256;

Result<std::set<std::string, std::less<>>> roles_of(toml::node const& node,
                                                    std::map<std::string, Role, std::less<>> const& roles) {
  auto const* list = node.as_array();
  if (list == nullptr) return fail(ErrorKind::kInvalid, "provisioning: roles is a list of roles");
  std::set<std::string, std::less<>> given;
  for (auto const& item : *list) {
    auto const name = item.value<std::string>();
    auto const role = name ? roles.find(*name) : roles.end();
    if (role == roles.end()) return fail(ErrorKind::kInvalid, "provisioning: there is no such role");
    // Whose record it would be, no group says; and who gives roles is given his by an administrator.
    if (role->second.own_record_only || role->second.provisions_users)
      return fail(ErrorKind::kInvalid, "provisioning: this role cannot be given by a group");
    given.insert(*name);
  }
  return given;
}

Result<identity::GroupRoles::Rule> rule_of(toml::node const& node,
                                           std::set<std::string, std::less<>> const& given) {
  auto const* table = node.as_table();
  if (table == nullptr) return fail(ErrorKind::kInvalid, "provisioning: a group is a table");
  identity::GroupRoles::Rule rule;
  for (auto const& [key, value] : *table) {
    if (key.str() == "group" && value.is_string()) {
      rule.group = *value.value<std::string>();
    } else if (key.str() == "role" && value.is_string()) {
      rule.role = *value.value<std::string>();
    } else {
      return fail(ErrorKind::kInvalid, "provisioning: a group has an unknown key");
    }
  }
  if (rule.group.empty() || rule.group.size() > kGroupBytes)
    return fail(ErrorKind::kInvalid, "provisioning: a group is named by 1 to 256 bytes");
  if (!given.contains(rule.role))
    return fail(ErrorKind::kInvalid, "provisioning: a group gives a role that is not in the list of roles");
  return rule;
}

}  // namespace

Result<identity::GroupRoles> parse_provisioning(toml::table const& table,
                                                std::map<std::string, Role, std::less<>> const& roles) {
  std::set<std::string, std::less<>> given;
  if (auto const* list = table.get("roles"); list != nullptr) given = TACENDA_TRY(roles_of(*list, roles));
  identity::GroupRoles rules;
  for (auto const& [key, node] : table) {
    if (key.str() == "roles") continue;
    if (key.str() != "groups" || !node.is_array())
      return fail(ErrorKind::kInvalid, "the policy has an unknown key");
    if (node.as_array()->size() > kRulesMax)
      return fail(ErrorKind::kInvalid, "provisioning: more groups than there can be");
    for (auto const& group : *node.as_array()) rules.rules.push_back(TACENDA_TRY(rule_of(group, given)));
  }
  return rules;
}

Result<void> check_provisioner(Role const& role) {
  if (!role.provisions_users) return {};
  bool const does_more = std::ranges::any_of(role.actions, [](auto bits) { return bits != 0; }) ||
                         role.system_actions != 0 || role.admin_actions != 0 || role.consent_actions != 0 ||
                         role.own_record_only || role.breaks_glass || role.over_consents;
  if (does_more) return fail(ErrorKind::kInvalid, "a role that provisions users has no other right");
  return {};
}

}  // namespace tacenda::access

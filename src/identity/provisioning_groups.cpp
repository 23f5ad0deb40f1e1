// Groups of an identity provider, and what they make of the roles of those in them.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "identity/internal/provisioning_steps.hpp"
#include "identity/internal/state.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {
namespace {

using Ids = std::set<std::string, std::less<>>;

bool is_in(Account const& account, std::string_view group) {
  return is_provisioned(account) && std::ranges::binary_search(account.provisioned->groups, group);
}

/// What the provider keeps of an account that is in a group, or in it no more.
Result<Provisioned> moved(Account const& account, std::string const& group, bool in, Time now) {
  Provisioned next = *account.provisioned;
  // A suspension that was not stored when it was asked for.
  if (account.suspended) next.active = false;
  std::erase(next.groups, group);
  if (in) next.groups.insert(std::ranges::lower_bound(next.groups, group), group);
  if (next.groups.size() > limits::kGroupsPerAccount)
    return fail(ErrorKind::kTooLarge, "a user is in more groups than there can be");
  next.modified = now;
  ++next.version;
  return next;
}

}  // namespace

Ids Provisioning::Steps::members_of(Directory::State const& state, std::string_view group) {
  Ids members;
  for (auto const& [id, account] : state.by_id) {
    if (is_in(*account, group)) members.insert(id);
  }
  return members;
}

std::vector<Provisioning::GroupView> Provisioning::groups() const {
  ReadLock const lock(state_.mutex);
  std::map<std::string, std::vector<std::string>, std::less<>> members;
  for (auto const& [id, account] : state_.by_id) {
    if (!is_provisioned(*account)) continue;
    for (auto const& group : account->provisioned->groups) members[group].push_back(id);
  }
  std::vector<GroupView> views;
  for (auto const& [id, group] : state_.groups) views.push_back({group, std::move(members[id])});
  return views;
}

Groups Provisioning::groups_by_id() const {
  ReadLock const lock(state_.mutex);
  return state_.groups;
}

Result<Provisioning::GroupView> Provisioning::group(std::string_view id) const {
  ReadLock const lock(state_.mutex);
  auto const found = state_.groups.find(id);
  if (found == state_.groups.end()) return fail(ErrorKind::kNotFound, "there is no such group");
  auto const members = Steps::members_of(state_, id);
  return GroupView{found->second, {members.begin(), members.end()}};
}

Result<Provisioning::GroupChange> Provisioning::add_group(WantedGroup const& wanted) {
  TACENDA_TRY_VOID(check_provisioned_texts(wanted.display_name, wanted.external_id, ""));
  auto group = std::make_shared<Group>();
  group->id = codec::format_uuid_v4(TACENDA_TRY(state_.vault.random_bytes16()));
  group->display_name = wanted.display_name;
  group->external_id = wanted.external_id;
  group->created = group->modified = state_.clock.now();
  return put_group(nullptr, std::move(group), wanted.members);
}

Result<Provisioning::GroupChange> Provisioning::change_group(std::string_view id, WantedGroup const& wanted) {
  TACENDA_TRY_VOID(check_provisioned_texts(wanted.display_name, wanted.external_id, ""));
  auto const before = TACENDA_TRY(group(id)).is;
  auto next = std::make_shared<Group>(*before);
  next->display_name = wanted.display_name;
  next->external_id = wanted.external_id;
  next->modified = state_.clock.now();
  ++next->version;
  return put_group(before, std::move(next), wanted.members);
}

Result<Provisioning::GroupChange> Provisioning::remove_group(std::string_view id) {
  return put_group(TACENDA_TRY(group(id)).is, nullptr, {});
}

Result<Provisioning::GroupChange> Provisioning::put_group(std::shared_ptr<Group const> before,
                                                          std::shared_ptr<Group const> after,
                                                          std::vector<std::string> const& members) {
  std::string const id = (after ? after : before)->id;
  Ids const wanted(members.begin(), members.end());
  WriteLock const lock(state_.mutex);
  if (before) {
    auto const held = state_.groups.find(id);
    if (held == state_.groups.end() || held->second != before)
      return fail(ErrorKind::kConflict, "this group was changed meanwhile");
  } else if (state_.groups.size() >= limits::kProvisionedGroups) {
    return fail(ErrorKind::kTooLarge, "there are as many groups as there can be");
  }
  for (auto const& [other, group] : state_.groups) {
    if (after && other != id && same_name(group->display_name, after->display_name))
      return fail(ErrorKind::kConflict, "there is a group of this name");
  }
  for (auto const& member : wanted) {
    auto const found = state_.by_id.find(member);
    if (found == state_.by_id.end() || !is_provisioned(*found->second))
      return fail(ErrorKind::kInvalid, "a member of a group is no user of the identity provider");
  }
  auto const present = Steps::members_of(state_, id);
  std::map<std::string, User, std::less<>> was;  // of all who are in it, or were
  for (auto const& list : {present, wanted}) {
    for (auto const& member : list)
      was.emplace(member, Steps::user_of(state_, *state_.by_id.find(member)->second));
  }
  std::map<std::string, std::shared_ptr<Provisioned const>, std::less<>> next;
  Time const now = state_.clock.now();
  for (auto const& [member, user] : was) {
    bool const in = wanted.contains(member);
    if (in == present.contains(member)) continue;
    auto const& account = *state_.by_id.find(member)->second;
    next.emplace(member, std::make_shared<Provisioned const>(TACENDA_TRY(moved(account, id, in, now))));
  }
  auto groups = state_.groups;
  if (after) {
    groups.insert_or_assign(id, after);
  } else {
    groups.erase(id);
  }
  // Who stays in it may have another role by its new name: then his row changes too, so that nothing of his
  // that is under way is committed by the old one.
  for (auto const& [member, user] : was) {
    auto const& account = *state_.by_id.find(member)->second;
    if (!next.contains(member) && Steps::user_with(state_, account, user.is, groups).role != user.role)
      next.emplace(member,
                   std::make_shared<Provisioned const>(
                       TACENDA_TRY(moved(account, id, wanted.contains(member), now))));
  }
  if (next.size() > limits::kMembersChangedAtOnce)
    return fail(ErrorKind::kTooLarge, "more members change than can change at once");
  Steps steps;
  steps.old_group = before;
  steps.new_group = after;
  GroupChange change;
  for (auto const& [member, provisioned] : next) {
    auto const& account = state_.by_id.find(member)->second;
    change.effects.push_back(
        {was.find(member)->second, Steps::user_with(state_, *account, provisioned, groups)});
    steps.take(state_, account, provisioned);
  }
  change.before = {before ? before : after, {present.begin(), present.end()}};
  change.after = {after ? after : before, {wanted.begin(), wanted.end()}};
  change.pending = steps.pending(state_);
  return change;
}

}  // namespace tacenda::identity

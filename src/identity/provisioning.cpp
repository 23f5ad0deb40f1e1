#include "identity/provisioning.hpp"

#include <algorithm>
#include <utility>

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "identity/internal/provisioning_steps.hpp"
#include "identity/internal/state.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kNamesTried = 100;  // log-in names for one user name
constexpr std::size_t kNameStemBytes = limits::kUserNameBytes - 4;

Result<void> check_text(std::string_view text) {
  bool const is_fit =
      text.size() <= limits::kProvisionedTextBytes && codec::is_utf8(text) &&
      std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  if (!is_fit) return fail(ErrorKind::kInvalid, "a name or id is a line of at most 256 bytes");
  return {};
}

/// A log-in name like a user name: what a log-in name cannot have becomes a hyphen.
std::string login_name_of(std::string_view user_name) {
  std::string name;
  for (char const c : user_name) {
    char const small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    bool const fits = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') ||
                      std::string_view("._@-").contains(small);
    if (name.size() < kNameStemBytes && !(name.empty() && (!fits || small == '-')))
      name.push_back(fits ? small : '-');
  }
  return name.empty() ? "user" : name;
}

}  // namespace

Result<void> check_provisioned_texts(std::string_view name, std::string_view external_id,
                                     std::string_view display_name) {
  if (name.empty()) return fail(ErrorKind::kInvalid, "a user or group has no name");
  TACENDA_TRY_VOID(check_text(name));
  TACENDA_TRY_VOID(check_text(external_id));
  return check_text(display_name);
}

Provisioning::User Provisioning::Steps::user_of(Directory::State const& state, Account const& account) {
  return {.id = std::string(account.id.view()),
          .name = account.name,
          .role = state.role_of(account),
          .active = account.is_active(state.clock.now()),
          .created = account.created,
          .is = account.provisioned};
}

Provisioning::User Provisioning::Steps::user_with(Directory::State const& state, Account const& account,
                                                  std::shared_ptr<Provisioned const> next,
                                                  Groups const& groups) {
  auto user = user_of(state, account);
  bool const keeps_role = !next || next->keeps_role;
  user.role = keeps_role ? account.role : state.group_roles.role_of(*next, groups);
  user.active = account.enabled && (!next || next->active) && !account.is_over(state.clock.now());
  user.is = std::move(next);
  return user;
}

void Provisioning::Steps::take(Directory::State& state, std::shared_ptr<Account> const& account,
                               std::shared_ptr<Provisioned const> next) {
  steps.push_back({account, account->provisioned, next});
  if (!next || next->active) return;
  // What disabling does (S-11), at once, and it stays so even when the commit fails: nothing that was opened
  // before opens anything, also when the account comes back. Also of one that is over already: its time may
  // be lengthened.
  account->suspended = true;
  if (next->deleted) account->enabled = false;
  ++account->token_epoch;
  account->enrolment.reset();
  auto const gone = state.end_tokens(*account);
  ended.insert(ended.end(), gone.begin(), gone.end());
}

Provisioning::Change Provisioning::Steps::only(Directory::State& state,
                                               std::shared_ptr<Account> const& account,
                                               std::shared_ptr<Provisioned const> next) {
  Change change;
  auto before = user_of(state, *account);
  Steps steps;
  steps.take(state, account, next);
  change.effects.push_back({std::move(before), user_with(state, *account, std::move(next), state.groups)});
  change.pending = steps.pending(state);
  return change;
}

Pending Provisioning::Steps::pending(Directory::State& state) {
  auto const all =
      std::make_shared<Provisioning::Steps>(std::move(*this));  // shared with the change of memory
  auto make = [&state, all]() -> Result<vault::WriteSet> {
    auto set = TACENDA_TRY(all->make_set(state));
    set.when_stored([&state, all] { all->receive(state); });
    return set;
  };
  return Pending(std::move(make), [&state, all](bool committed) { state.keep_dead(committed, all->ended); });
}

Result<vault::WriteSet> Provisioning::Steps::make_set(Directory::State& state) const {
  constexpr AccountRows kWritten{.account = true, .provisioned = true};
  vault::WriteSet set;
  set.read_at(state.vault.order().committed());
  ReadLock const lock(state.mutex);
  for (auto const& step : steps) {
    if (step.account->provisioned != step.old)
      return fail(ErrorKind::kConflict, "this account was changed meanwhile");
    TACENDA_TRY_VOID(state.put_account(set, *step.account, kWritten, {.provisioned = step.next}));
  }
  for (auto const& hash : ended) state.erase_token(set, hash);
  if (!old_group && !new_group) return set;
  auto const key = Directory::State::group_key((new_group ? new_group : old_group)->id);
  if (new_group) {
    TACENDA_TRY_VOID(state.rows.put(set, key, encode_group(*new_group)));
  } else {
    state.rows.erase(set, key);
  }
  return set;
}

/// Under one lock: nobody sees a group by its new name with the members of its old one.
void Provisioning::Steps::receive(Directory::State& state) const {
  WriteLock const lock(state.mutex);
  for (auto const& step : steps) step.account->receive({.provisioned = step.next});
  if (new_group) {
    state.groups.insert_or_assign(new_group->id, new_group);
  } else if (old_group) {
    state.groups.erase(old_group->id);
  }
}

Provisioning::Provisioning(Directory& directory) : state_(*directory.state_) {}

void Provisioning::use(GroupRoles roles) {
  WriteLock const lock(state_.mutex);
  state_.group_roles = std::move(roles);
}

std::vector<Provisioning::User> Provisioning::users() const {
  ReadLock const lock(state_.mutex);
  std::vector<User> users;
  for (auto const& [id, account] : state_.by_id) {
    if (is_provisioned(*account)) users.push_back(Steps::user_of(state_, *account));
  }
  return users;
}

Result<std::shared_ptr<Account>> Provisioning::find(std::string_view id) const {
  ReadLock const lock(state_.mutex);
  auto const found = state_.by_id.find(id);
  if (found == state_.by_id.end() || !is_provisioned(*found->second))
    return fail(ErrorKind::kNotFound, "there is no such user");
  return found->second;
}

Result<Provisioning::User> Provisioning::user(std::string_view id) const {
  auto const account = TACENDA_TRY(find(id));
  ReadLock const lock(state_.mutex);
  return Steps::user_of(state_, *account);
}

Result<void> Provisioning::Steps::check_unique(Directory::State const& state, Wanted const& wanted,
                                               Account const* self) {
  for (auto const& [id, account] : state.by_id) {
    if (account.get() == self) continue;
    if (!account->provisioned) {
      if (same_name(account->name, wanted.user_name))
        return fail(ErrorKind::kConflict, "an account of this name is not the identity provider's");
      continue;
    }
    if (account->provisioned->deleted) continue;
    if (same_name(account->provisioned->user_name, wanted.user_name))
      return fail(ErrorKind::kConflict, "there is a user of this name");
    if (!wanted.external_id.empty() && account->provisioned->external_id == wanted.external_id)
      return fail(ErrorKind::kConflict, "there is a user of this external id");
  }
  return {};
}

namespace {

Provisioned changed(Provisioned const& before, Provisioning::Wanted const& wanted, Time now) {
  Provisioned next = before;
  next.user_name = wanted.user_name;
  next.external_id = wanted.external_id;
  next.display_name = wanted.display_name;
  next.active = wanted.active;
  next.modified = now;
  ++next.version;
  return next;
}

bool same(Provisioned const& before, Provisioning::Wanted const& wanted) {
  return before.user_name == wanted.user_name && before.external_id == wanted.external_id &&
         before.display_name == wanted.display_name && before.active == wanted.active;
}

}  // namespace

Result<Provisioning::Added> Provisioning::add(Wanted const& wanted) {
  TACENDA_TRY_VOID(check_provisioned_texts(wanted.user_name, wanted.external_id, wanted.display_name));
  auto const id =
      TACENDA_TRY(UserId::parse(codec::format_uuid_v4(TACENDA_TRY(state_.vault.random_bytes16()))));
  auto account = std::make_shared<Account>(id);
  account->created = state_.clock.now();
  auto first = changed(Provisioned{}, wanted, account->created);
  account->provisioned = std::make_shared<Provisioned const>(std::move(first));
  account->suspended = !wanted.active;
  std::string const stem = login_name_of(wanted.user_name);
  WriteLock const lock(state_.mutex);
  TACENDA_TRY_VOID(Steps::check_unique(state_, wanted, nullptr));
  auto const known = std::ranges::count_if(
      state_.by_id, [](auto const& item) { return item.second->provisioned != nullptr; });
  if (static_cast<std::size_t>(known) >= limits::kProvisionedAccounts)
    return fail(ErrorKind::kTooLarge, "the identity provider keeps as many accounts as there can be");
  // A log-in name is never given twice (S-02): who comes after somebody of his name has another.
  account->name = stem;
  for (std::size_t i = 2; state_.by_name.contains(account->name) || account->name == "system"; ++i) {
    auto const other = state_.by_name.find(account->name);
    bool const is_ours = other != state_.by_name.end() && other->second->provisioned;
    if (!is_ours || i > kNamesTried)
      return fail(ErrorKind::kConflict, "an account of this name is not the identity provider's");
    account->name = stem + "-" + std::to_string(i);
  }
  Added added{{}, Steps::user_of(state_, *account)};
  auto const is_unique = [state = &state_, wanted]() TACENDA_REQUIRES_SHARED(state->mutex) {
    return Steps::check_unique(*state, wanted, nullptr);
  };
  added.pending = state_.pending_new(std::move(account), {.account = true, .provisioned = true}, is_unique);
  return added;
}

Result<Provisioning::Change> Provisioning::change(std::string_view id, Wanted const& wanted) {
  TACENDA_TRY_VOID(check_provisioned_texts(wanted.user_name, wanted.external_id, wanted.display_name));
  auto const account = TACENDA_TRY(find(id));
  WriteLock const lock(state_.mutex);
  if (!is_provisioned(*account)) return fail(ErrorKind::kNotFound, "there is no such user");
  TACENDA_TRY_VOID(Steps::check_unique(state_, wanted, account.get()));
  if (wanted.active && !account->enabled)
    return fail(ErrorKind::kForbidden, "an administrator has closed this account");
  // A suspension that was not stored holds in memory: then this is a change although it looks like none.
  if (same(*account->provisioned, wanted) && account->suspended == !wanted.active) return Change{};
  auto next = changed(*account->provisioned, wanted, state_.clock.now());
  return Steps::only(state_, account, std::make_shared<Provisioned const>(std::move(next)));
}

Result<Provisioning::Change> Provisioning::remove(std::string_view id) {
  auto const account = TACENDA_TRY(find(id));
  WriteLock const lock(state_.mutex);
  if (!is_provisioned(*account)) return fail(ErrorKind::kNotFound, "there is no such user");
  Provisioned next = *account->provisioned;
  next.active = false;
  next.deleted = true;
  next.groups.clear();
  next.modified = state_.clock.now();
  ++next.version;
  return Steps::only(state_, account, std::make_shared<Provisioned const>(std::move(next)));
}

Result<Provisioning::Change> Provisioning::link(std::string_view name, std::string_view external_id) {
  TACENDA_TRY_VOID(check_provisioned_texts(name, external_id, ""));
  auto const account = state_.find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  if (account->is_service)
    return fail(ErrorKind::kForbidden, "an identity provider keeps people, and no service accounts");
  Wanted const wanted{std::string(name), std::string(external_id), {}, true};
  WriteLock const lock(state_.mutex);
  if (account->sealed) return fail(ErrorKind::kForbidden, "an emergency account is no identity provider's");
  if (account->provisioned)
    return fail(ErrorKind::kConflict, "the identity provider knows this account already");
  if (!account->enabled) return fail(ErrorKind::kConflict, "this user is disabled");
  TACENDA_TRY_VOID(Steps::check_unique(state_, wanted, account.get()));
  auto next = changed(Provisioned{}, wanted, state_.clock.now());
  next.keeps_role = true;
  return Steps::only(state_, account, std::make_shared<Provisioned const>(std::move(next)));
}

Result<Provisioning::Change> Provisioning::unlink(std::string_view name) {
  auto const account = state_.find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  WriteLock const lock(state_.mutex);
  bool const is_linked =
      account->provisioned && account->provisioned->keeps_role && !account->provisioned->deleted;
  if (!is_linked) return fail(ErrorKind::kConflict, "this account is not linked to the identity provider");
  if (account->enabled && !account->provisioned->active)
    return fail(ErrorKind::kConflict,
                "the identity provider has suspended this user: disable the user here first");
  return Steps::only(state_, account, nullptr);
}

}  // namespace tacenda::identity

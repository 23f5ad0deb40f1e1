#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "identity/internal/state.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {

/// What one change of an identity provider does to accounts, and to one group. Made under the directory's
/// lock; what ends an account is effective in memory from then on, all else when it is stored. Owner: one
/// thread.
struct Provisioning::Steps {
  struct Step {
    std::shared_ptr<Account> account;  // shared: with the directory
    std::shared_ptr<Provisioned const> old;
    std::shared_ptr<Provisioned const> next;
  };
  std::vector<Step> steps;
  std::vector<Digest> ended;  // tokens
  std::shared_ptr<Group const> old_group;
  std::shared_ptr<Group const> new_group;

  /// Gives an account what it is to be.
  void take(Directory::State& state, std::shared_ptr<Account> const& account,
            std::shared_ptr<Provisioned const> next) TACENDA_REQUIRES(state.mutex);
  /// What is to be committed. Leaves this empty.
  Pending pending(Directory::State& state);

  /// A change of one account.
  static Change only(Directory::State& state, std::shared_ptr<Account> const& account,
                     std::shared_ptr<Provisioned const> next) TACENDA_REQUIRES(state.mutex);

  static User user_of(Directory::State const& state, Account const& account)
      TACENDA_REQUIRES_SHARED(state.mutex);
  /// What an account is once `next` is stored, when there are these groups.
  static User user_with(Directory::State const& state, Account const& account,
                        std::shared_ptr<Provisioned const> next, Groups const& groups)
      TACENDA_REQUIRES_SHARED(state.mutex);
  /// Is a user name or external id that of another account than `self`? Errors: kConflict.
  static Result<void> check_unique(Directory::State const& state, Wanted const& wanted, Account const* self)
      TACENDA_REQUIRES_SHARED(state.mutex);
  /// Whose account it is that the OpenID provider speaks of; nullptr, and why: nobody's.
  static std::shared_ptr<Account> account_of(Directory::State const& state, Asserted const& asserted,
                                             Literal& reason) TACENDA_REQUIRES_SHARED(state.mutex);
  /// Ids of who is in a group.
  static std::set<std::string, std::less<>> members_of(Directory::State const& state, std::string_view group)
      TACENDA_REQUIRES_SHARED(state.mutex);

 private:
  Result<vault::WriteSet> make_set(Directory::State& state) const;
  void receive(Directory::State& state) const;
};

/// Does the identity provider know of it?
inline bool is_provisioned(Account const& account) {
  return account.provisioned && !account.provisioned->deleted;
}

/// Errors: kInvalid.
Result<void> check_provisioned_texts(std::string_view name, std::string_view external_id,
                                     std::string_view display_name);

}  // namespace tacenda::identity

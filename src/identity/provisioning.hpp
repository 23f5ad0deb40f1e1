#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/asserted.hpp"
#include "identity/directory.hpp"
#include "identity/provisioned.hpp"

namespace tacenda::identity {

struct Account;

/// Accounts and groups that the hospital's identity provider makes, changes and ends. It reaches no account
/// but those that it made and those that an administrator linked. A change holds when it is stored: but what
/// ends an account holds from the call on, and stays. The provider's changes are to follow each other: of two
/// of one account at once, the later is refused.
///
/// Thread-safe; refers to the directory, which outlives it. Source: RFC 7643, RFC 7644; REQUIREMENTS S-02,
/// S-11.
class Provisioning {
 public:
  explicit Provisioning(Directory& directory);

  struct User {
    std::string id;
    std::string name;  // the log-in name: stays, whatever user_name becomes
    std::string role;  // that it has now; empty: none
    bool active = true;
    Time created;
    std::shared_ptr<Provisioned const> is;  // never nullptr
  };
  /// What the provider says of a user.
  struct Wanted {
    std::string user_name;
    std::string external_id;
    std::string display_name;
    bool active = true;
  };
  /// By id. Those that were deleted are not among them.
  std::vector<User> users() const;
  /// Errors: kNotFound (none that the provider may know of).
  Result<User> user(std::string_view id) const;

  /// What a change came to for one account.
  struct Effect {
    User before;
    User after;
  };
  struct Change {
    Pending pending;
    std::vector<Effect> effects;  // on accounts: none that stay as they are
  };

  struct Added {
    Pending pending;
    User user;
  };
  /// An account of a person who has neither password nor second factor, with the role of its groups: none
  /// yet. Its log-in name is made of `user_name`. Errors: kInvalid (a text is empty, too long or has control
  /// characters), kConflict (user name or external id are another account's), kTooLarge (there are too many).
  Result<Added> add(Wanted const& wanted);
  /// Errors: as add; kNotFound, kForbidden (active, when an administrator has closed the account).
  Result<Change> change(std::string_view id, Wanted const& wanted);
  /// Ends an account for good. Its id and log-in name are never given again (S-02). Errors: kNotFound.
  Result<Change> remove(std::string_view id);
  /// Lets the provider know of a person's account that it did not make, and end it; its role stays the
  /// administrator's. Errors: kNotFound, kForbidden (a service account), kConflict (it is known already, or
  /// the name is another's), kInvalid.
  Result<Change> link(std::string_view name, std::string_view external_id);
  /// Takes it back. Errors: kNotFound, kConflict (it is not linked, but made by the provider).
  Result<Change> unlink(std::string_view name);

  /// Signs in who the OpenID provider says he is: the account that is linked to his subject, or else the one
  /// that was made with his external id, which is linked from then on: but for one that an administrator has
  /// linked or taken the link from. Never by a name or a mail address.
  Result<Directory::Attempt> sign_in(Asserted const& asserted, std::string_view address);
  /// Says who an account is at the OpenID provider; nullopt: nobody. Ends its sessions. Errors: kNotFound,
  /// kForbidden (a service account), kInvalid (no subject), kConflict (it is another account's).
  Result<Pending> link_provider(std::string_view name, std::optional<ProviderLink> link);

  struct GroupView {
    std::shared_ptr<Group const> is;   // never nullptr
    std::vector<std::string> members;  // ids of accounts, sorted
  };
  std::vector<GroupView> groups() const;
  /// Without their members.
  Groups groups_by_id() const;
  /// Errors: kNotFound.
  Result<GroupView> group(std::string_view id) const;
  struct WantedGroup {
    std::string display_name;
    std::string external_id;
    std::vector<std::string> members;  // all of them; each counts once
  };
  struct GroupChange {
    Pending pending;
    GroupView before;  // of a group that is new: the same as `after`
    GroupView after;   // of a group that is gone: the same as `before`
    std::vector<Effect> effects;
  };
  /// Errors: kInvalid (a text; a member that is no account of the provider), kConflict (the display name is
  /// another group's), kTooLarge (groups, groups of one account, changes of members at once).
  Result<GroupChange> add_group(WantedGroup const& wanted);
  /// Errors: as add_group; kNotFound.
  Result<GroupChange> change_group(std::string_view id, WantedGroup const& wanted);
  Result<GroupChange> remove_group(std::string_view id);

  /// Which groups give which role, from now on.
  void use(GroupRoles roles);

 private:
  struct Steps;  // internal/provisioning_steps.hpp
  Result<std::shared_ptr<Account>> find(std::string_view id) const;
  Result<GroupChange> put_group(std::shared_ptr<Group const> before, std::shared_ptr<Group const> after,
                                std::vector<std::string> const& members);

  Directory::State& state_;
};

}  // namespace tacenda::identity

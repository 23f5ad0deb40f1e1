#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace tacenda::identity {

/// What the hospital's identity provider keeps of an account (SCIM, RFC 7643). Immutable once shared.
struct Provisioned {
  std::string user_name;  // unique among accounts that are not deleted, in any case of ASCII letters
  std::string external_id;
  std::string display_name;
  bool active = true;
  bool deleted = false;     // for good: the account stays for the log's sake
  bool keeps_role = false;  // its role is the administrator's, and not its groups': it was linked, not made
  // Who it is at the OpenID provider an administrator has said or taken back: its external id says it no
  // more.
  bool linked_by_administrator = false;
  std::vector<std::string> groups;  // ids, sorted
  Time modified{};
  std::uint32_t version = 0;  // the first is 1
};

/// Who an account is at the OpenID provider. Immutable once shared.
struct ProviderLink {
  std::string issuer;
  std::string subject;  // `sub`: never given to somebody else there (OpenID Connect Core section 2)
};

/// A group of the identity provider. Who is in it is said by the accounts. Immutable once shared.
struct Group {
  std::string id;            // a UUID; never given twice
  std::string display_name;  // unique in any case of ASCII letters
  std::string external_id;
  Time created;
  Time modified;
  std::uint32_t version = 1;
};

using Groups = std::map<std::string, std::shared_ptr<Group const>, std::less<>>;  // by id

/// Which groups of the identity provider give which role. What is not named gives none.
struct GroupRoles {
  struct Rule {
    std::string group;  // its display name or its external id
    std::string role;
    bool operator==(Rule const&) const = default;
  };
  std::vector<Rule> rules;  // an account in several groups has the role of the rule that comes first

  bool operator==(GroupRoles const&) const = default;
  /// The role of who is in groups of these names and external ids; empty: none.
  std::string role_of(std::span<std::string_view const> names) const;
  /// The role that an account has by its groups, of which there are these; empty: none.
  std::string role_of(Provisioned const& provisioned, Groups const& groups) const;
};

/// Are both the same but for the case of ASCII letters?
bool same_name(std::string_view a, std::string_view b);

}  // namespace tacenda::identity

#pragma once

#include "access/policy.hpp"
#include "codec/toml.hpp"

namespace tacenda::access {

/// The table [provisioning] of a policy: which roles an identity provider may give, and by which groups.
/// Errors: kInvalid (a key, a rule or a role that is none, or one that it may not give: a role of one
/// patient's record, one that provisions users, or one that the list of roles does not name).
Result<identity::GroupRoles> parse_provisioning(toml::table const& table,
                                                std::map<std::string, Role, std::less<>> const& roles);

/// Errors: kInvalid (a role that provisions users has another right).
Result<void> check_provisioner(Role const& role);

}  // namespace tacenda::access

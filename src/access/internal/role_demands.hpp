#pragma once

#include <string_view>

#include "access/policy.hpp"
#include "codec/toml.hpp"

namespace tacenda::access {

/// What a role demands of who has it. False when `name` is none of these. Errors: kInvalid.
Result<bool> parse_demand(std::string_view name, toml::node const& node, Role& role);

/// Who administers shows both factors again after 12 hours at most, and after 15 minutes without a request
/// (AAL3 of NIST SP 800-63B), whatever the server's configuration says. Errors: kInvalid (`table`, the
/// role's, says more).
Result<void> limit_sessions(toml::table const& table, Role& role);

}  // namespace tacenda::access

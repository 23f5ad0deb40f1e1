#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of administrators' sessions, beside core/limits.hpp.
namespace tacenda::limits {

// Authenticator assurance level 3 (NIST SP 800-63B-4 section 2.3.3): the default and the most
inline constexpr std::chrono::minutes kAdministratorIdle{15};
inline constexpr std::chrono::hours kAdministratorAbsolute{12};

}  // namespace tacenda::limits

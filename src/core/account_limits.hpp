#pragma once

#include <chrono>
#include <cstddef>

/// The bounds of administrators' sessions and of emergency mode, beside core/limits.hpp.
namespace tacenda::limits {

// Authenticator assurance level 3 (NIST SP 800-63B-4 section 2.3.3): the default and the most
inline constexpr std::chrono::minutes kAdministratorIdle{15};
inline constexpr std::chrono::hours kAdministratorAbsolute{12};

// Emergency mode (S-03)
inline constexpr std::chrono::hours kEmergencyMode{24};
inline constexpr std::chrono::hours kEmergencyModeMax{72};  // of one order
inline constexpr std::size_t kSealedPassphraseBytes = 20;   // 160 bits

}  // namespace tacenda::limits

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"

namespace tacenda::crypto {

inline constexpr std::uint64_t kTotpStepSeconds = 30;
inline constexpr std::size_t kTotpDigits = 6;

/// Number of the 30-second step that `time` lies in.
std::uint64_t totp_step(Time time);

/// The 6-digit code of a moving factor: HOTP with a counter, TOTP with a time step. HMAC-SHA-1, as every
/// authenticator app has it; its weakness to collisions does not touch HMAC.
/// Source: RFC 4226 section 5.3, RFC 6238.
std::string totp_code(SecretBuffer const& seed, std::uint64_t step);

/// How many steps before and after the current one a code may be of.
struct TotpWindow {
  std::uint64_t before = 1;
  std::uint64_t after = 1;
};

/// The latest step of the window that `code` is the code of; nullopt when there is none. Compares with every
/// step of the window in constant time. The caller refuses a step that is not above the last accepted one.
std::optional<std::uint64_t> match_totp(SecretBuffer const& seed, std::string_view code, std::uint64_t step,
                                        TotpWindow window = {});

}  // namespace tacenda::crypto

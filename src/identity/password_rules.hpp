#pragma once

#include <string_view>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace tacenda::identity {

/// The password in the form that is hashed: valid UTF-8, NFKC. Errors: kUnprocessable.
Result<SecretBuffer> normalize_password(SecretBuffer const& typed);

/// How many characters a person counts in it, or nearly so. `normalized`: UTF-8.
std::size_t code_points_of(SecretBuffer const& normalized);

/// Holds a new password (normalized) to the rules: 8 code points at least (a second factor is always
/// required), any characters, no composition rules, not among the common or easily guessed ones, not made of
/// the user's name. The message tells which rule and never the password.
/// Errors: kUnprocessable. Source: NIST SP 800-63B-4 section 3.1.1.2, REQUIREMENTS K-01.
Result<void> check_new_password(SecretBuffer const& normalized, std::string_view user_name);

/// How well a password stands up to guessing, for who is choosing one (M17).
struct PasswordStrength {
  int score = 0;                     // 0 (guessed at once) to 4 (strong), as zxcvbn counts
  Literal advice{"choose another"};  // what would make it better; never a part of it
};
/// Of a password as it was typed, whatever the rules say of it.
PasswordStrength password_strength(SecretBuffer const& typed, std::string_view user_name);

}  // namespace tacenda::identity

#include "cli/passphrase.hpp"

#include "identity/password_rules.hpp"

namespace tacenda::cli {
namespace {

// NIST SP 800-63B-4 section 3.1.1.2: what stands alone has 15 characters at least.
constexpr std::size_t kCharactersMin = 15;

}  // namespace

Result<SecretBuffer> new_passphrase(SecretBuffer const& typed) {
  auto normalized = identity::normalize_password(typed);
  if (!normalized.has_value())
    return fail(ErrorKind::kInvalid, "the passphrase is not UTF-8 text, has a NUL character or is too long");
  if (identity::code_points_of(*normalized) < kCharactersMin)
    return fail(ErrorKind::kInvalid, "a passphrase that opens a store has 15 characters at least");
  return normalized;
}

vault::Unlock unlock_by(SecretBuffer typed) {
  vault::Unlock unlock;
  auto normalized = identity::normalize_password(typed);
  if (!normalized.has_value() || *normalized == typed) {
    unlock.passphrase = std::move(typed);
    return unlock;
  }
  unlock.passphrase = std::move(*normalized);
  unlock.passphrase_as_typed = std::move(typed);
  return unlock;
}

}  // namespace tacenda::cli

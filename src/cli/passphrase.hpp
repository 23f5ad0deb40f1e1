#pragma once

#include "core/error.hpp"
#include "core/secret.hpp"
#include "vault/vault.hpp"

/// A typed passphrase that opens a store, the same bytes whatever keyboard it comes from.
namespace tacenda::cli {

/// The passphrase of a new slot: NFKC, as passwords are. Errors: kInvalid (not UTF-8, a NUL character, too
/// long; shorter than 15 characters). Source: NIST SP 800-63B-4 section 3.1.1.2.
Result<SecretBuffer> new_passphrase(SecretBuffer const& typed);

/// What a typed passphrase opens a store with. Any bytes are tried: a slot of before they were held to UTF-8
/// must go on opening.
vault::Unlock unlock_by(SecretBuffer typed);

}  // namespace tacenda::cli

#pragma once

#include "core/bytes.hpp"
#include "crypto/aead.hpp"
#include "crypto/nonce.hpp"

/// What the envelopes of the vault share: XAES-256-GCM with a hedged random nonce in front of the ciphertext.
namespace tacenda::vault {

inline constexpr std::uint8_t kEnvelopeVersion = 1;
inline constexpr std::uint8_t kXaes256Gcm = 1;  // algorithm byte
/// The same under a key that is derived anew for each text from several keys (Vault::seal_for_all).
inline constexpr std::uint8_t kXaes256GcmForAll = 2;

/// Appends nonce(24) | ciphertext | tag(16).
Result<void> seal_with(crypto::Xaes256Gcm const& aead, crypto::HedgedNonces& nonces, ByteView associated_data,
                       ByteView plaintext, Bytes& out);
/// The same under a key that seals seldom: its nonces are hedged as well, so that a resumed or cloned machine
/// repeats none.
Result<void> seal_once(crypto::AeadKey const& key, crypto::Random& random, ByteView associated_data,
                       ByteView plaintext, Bytes& out);
/// Errors: kCorrupt.
Result<void> open_with(crypto::Xaes256Gcm const& aead, ByteView associated_data, ByteView sealed,
                       Bytes& plaintext);
/// Reads ver(1) | alg(1). Errors: kCorrupt.
Result<void> check_envelope(ByteReader& reader);

/// 32 bytes derived from `key` for `label` (HKDF-SHA-256). The derived keys of one key do not tell of each
/// other.
crypto::MacKey derive_mac_key(ByteView key, std::string_view label);
crypto::AeadKey derive_aead_key(ByteView key, std::string_view label);

}  // namespace tacenda::vault

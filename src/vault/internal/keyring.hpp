#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "vault/internal/slots.hpp"
#include "vault/key_states.hpp"

/// The keyring: terms of the purpose keys and small secrets, sealed under a key derived from the Root Key
/// (docs/data-file.md, "Keyring"), format 2:
///
///   "TCNDRING" | version(2) = 2 | generation(8) | store id(16) | nonce(24) | ciphertext | tag(16)
///   plaintext: tenant id(16) | root made ms(8) | purposes(1) | {purpose(1) | terms(2) | {term}...}...
///              | secrets(2) | {name(4+n) | value(4+n)}...
///   term: term(4) | algorithm(1) | state(1) | flags(1) | created ms(8) | changed ms(8) | key(32), unless it
///         is destroyed | seed of derived keys(32), if flag 2 is set
///
/// Flags: 1 it is to be destroyed when nothing is under it any more, 2 it was destroyed and what was derived
/// from it goes on. The associated data is everything before the nonce. Format 1 has no algorithm, state,
/// flags, time of change and age of the root; its newest term is the active one.
namespace tacenda::vault {

struct Term {
  std::uint32_t number = 0;
  KeyState state = KeyState::kActive;
  bool is_to_be_destroyed = false;
  Time created{};
  Time changed{};                              // into the state that it has
  crypto::AeadKey key;                         // zeros once it is destroyed
  std::optional<crypto::MacKey> derivation{};  // of a destroyed first term: see derivation_seed
};

struct Keyring {
  std::uint64_t generation = 0;
  std::array<std::byte, 16> tenant_id{};
  Time root_made{};
  std::map<std::uint8_t, std::vector<Term>> purposes;  // in the order of their numbers; the last is active
  std::map<std::string, SecretBuffer, std::less<>> secrets;

  /// To be changed, and put in the place of this one when it is durable.
  Keyring clone() const;
};

/// What the keys for labels are made of that a term gives beside what it seals: the first half of HKDF (its
/// extract), from which nobody comes back to the key.
crypto::MacKey derivation_seed(Term const& term);
/// The same as derive_mac_key of the term's key and `label`, also when only the seed is left.
crypto::MacKey derive_from_seed(crypto::MacKey const& seed, std::string_view label);

Result<Keyring> make_keyring(crypto::Random& random, Time now);
Result<Bytes> seal_keyring(Keyring const& keyring, RootKey const& root,
                           std::array<std::byte, 16> const& store_id, crypto::Random& random);
/// Errors: kCorrupt, kUnsupported (newer version).
Result<Keyring> open_keyring(ByteView file, RootKey const& root, std::array<std::byte, 16> const& store_id);

}  // namespace tacenda::vault

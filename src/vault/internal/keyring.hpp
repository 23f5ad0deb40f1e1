#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/secret.hpp"
#include "crypto/aead.hpp"
#include "crypto/random.hpp"
#include "vault/internal/slots.hpp"

/// The keyring: terms of the purpose keys and small secrets, sealed under a key derived from the Root Key
/// (docs/data-file.md, "Keyring"), format 1:
///
///   "TCNDRING" | version(2) = 1 | generation(8) | store id(16) | nonce(24) | ciphertext | tag(16)
///   plaintext: tenant id(16) | purposes(1) | {purpose(1) | terms(2) | {term(4) | created ms(8) |
///   key(32)}...}...
///              | secrets(2) | {name(4+n) | value(4+n)}...
///
/// The associated data is everything before the nonce.
namespace tacenda::vault {

struct Term {
  std::uint32_t number = 0;
  Time created{};
  crypto::AeadKey key;
};

struct Keyring {
  std::uint64_t generation = 0;
  std::array<std::byte, 16> tenant_id{};
  std::map<std::uint8_t, std::vector<Term>> purposes;  // terms in the order of their numbers
  std::map<std::string, SecretBuffer, std::less<>> secrets;
};

Result<Keyring> make_keyring(crypto::Random& random, Time now);
Result<Bytes> seal_keyring(Keyring const& keyring, RootKey const& root,
                           std::array<std::byte, 16> const& store_id, crypto::Random& random);
/// Errors: kCorrupt, kUnsupported (newer version).
Result<Keyring> open_keyring(ByteView file, RootKey const& root, std::array<std::byte, 16> const& store_id);

}  // namespace tacenda::vault

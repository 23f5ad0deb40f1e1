#pragma once

#include <memory>

#include "core/bytes.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"

namespace tacenda::crypto {

using Ed25519Seed = Secret<struct Ed25519SeedTag, 32>;
using Ed25519PublicKey = std::array<std::byte, 32>;
using Ed25519Signature = std::array<std::byte, 64>;

/// Signs with Ed25519. Thread-safe. Source: RFC 8032.
class Ed25519Signer {
 public:
  /// Errors: kInvalid.
  static Result<Ed25519Signer> create(Ed25519Seed const& seed);
  /// The same for a seed out of a keyring. Errors: kInvalid (also when it is not 32 bytes).
  static Result<Ed25519Signer> create(SecretBuffer const& seed);
  ~Ed25519Signer();
  Ed25519Signer(Ed25519Signer&&) noexcept;
  Ed25519Signer& operator=(Ed25519Signer&&) noexcept;
  Ed25519PublicKey public_key() const;
  Result<Ed25519Signature> sign(ByteView message) const;

 private:
  struct State;
  explicit Ed25519Signer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// True when `signature` (any length: hostile) is one of `message` under `key`.
bool ed25519_verify(Ed25519PublicKey const& key, ByteView message, ByteView signature);

}  // namespace tacenda::crypto

#pragma once

#include <memory>

#include "core/bytes.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace tacenda::crypto {

/// Nonces that do not repeat even when the random source does: the first 24 bytes of
/// HMAC-SHA-256(nonce key, random(24) || counter(8) || SHA-256(associated data) || SHA-256(plaintext)).
/// A resumed or cloned machine repeats random and counter, yet two different messages then still get
/// different nonces; and one object never repeats because its counter moves. Thread-safe.
class HedgedNonces {
 public:
  /// `random` must outlive the object (made in main).
  HedgedNonces(MacKey const& nonce_key, Random& random);
  ~HedgedNonces();
  HedgedNonces(HedgedNonces&&) noexcept;
  HedgedNonces& operator=(HedgedNonces&&) noexcept;

  /// Errors: kUnavailable when the random source fails.
  Result<XaesNonce> next(ByteView associated_data, ByteView plaintext);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::crypto

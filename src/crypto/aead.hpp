#pragma once

#include <memory>

#include "core/bytes.hpp"
#include "core/secret.hpp"

namespace tacenda::crypto {

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kXaesNonceBytes = 24;
inline constexpr std::size_t kGcmNonceBytes = 12;

using AeadKey = Secret<struct AeadKeyTag, 32>;  // AES-256
using XaesNonce = std::array<std::byte, kXaesNonceBytes>;
using GcmNonce = std::array<std::byte, kGcmNonceBytes>;

/// XAES-256-GCM under one key, for any number of messages with random nonces. Holds the derived CMAC
/// subkey, so that a seal costs one AES block more than AES-GCM. Thread-safe (contexts are per thread).
/// Source: C2SP XAES-256-GCM.
class Xaes256Gcm {
 public:
  explicit Xaes256Gcm(AeadKey const& key);
  ~Xaes256Gcm();
  Xaes256Gcm(Xaes256Gcm&&) noexcept;
  Xaes256Gcm& operator=(Xaes256Gcm&&) noexcept;

  /// Appends ciphertext || 16-byte tag to `out`.
  void seal(XaesNonce const& nonce, ByteView associated_data, ByteView plaintext, Bytes& out) const;
  /// Appends the plaintext to `out`; on failure `out` is as before.
  /// Errors: kCorrupt when authentication fails or the input is shorter than a tag.
  Result<void> open(XaesNonce const& nonce, ByteView associated_data, ByteView sealed, Bytes& out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// AES-256-GCM with a 96-bit nonce that the caller never repeats: for files, where the nonce is a counter
/// under a key that is random per file. Thread-safe. Source: NIST SP 800-38D.
class Aes256Gcm {
 public:
  explicit Aes256Gcm(AeadKey const& key);
  ~Aes256Gcm();
  Aes256Gcm(Aes256Gcm&&) noexcept;
  Aes256Gcm& operator=(Aes256Gcm&&) noexcept;

  /// Writes ciphertext || tag to `out`, which must be plaintext.size() + kTagBytes long.
  void seal(GcmNonce const& nonce, ByteView associated_data, ByteView plaintext,
            std::span<std::byte> out) const;
  /// Writes the plaintext to `out`, which must be sealed.size() - kTagBytes long. Errors: kCorrupt.
  Result<void> open(GcmNonce const& nonce, ByteView associated_data, ByteView sealed,
                    std::span<std::byte> out) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::crypto

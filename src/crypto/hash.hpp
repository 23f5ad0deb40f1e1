#pragma once

#include <memory>

#include "core/bytes.hpp"
#include "core/secret.hpp"

namespace tacenda::crypto {

/// SHA-256. Source: FIPS 180-4.
Digest sha256(ByteView bytes);
/// SHA-256 over the concatenation of the parts.
Digest sha256(std::initializer_list<ByteView> parts);

using MacKey = Secret<struct MacKeyTag, 32>;

/// HMAC-SHA-256 under one key; the keyed state is computed once and copied per call (0.2 us in place of
/// 1.1). Thread-safe. Source: FIPS 198-1, RFC 2104.
class Hmac {
 public:
  explicit Hmac(MacKey const& key) : Hmac(ByteView(key.reveal())) {}
  explicit Hmac(ByteView key);  // any length, for known-answer tests and derived keys
  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;
  Digest sign(std::initializer_list<ByteView> parts) const;
  bool verify(std::initializer_list<ByteView> parts, ByteView mac) const;  // constant time

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Constant-time comparison of two byte strings of public length.
bool equal_constant_time(ByteView a, ByteView b);

enum class HkdfHash : std::uint8_t { kSha256, kSha512 };
/// HKDF extract-and-expand. Source: RFC 5869. Output at most 255 hash lengths (kInvalid beyond).
Result<SecretBuffer> hkdf(HkdfHash hash, ByteView input_key, ByteView salt, ByteView info,
                          std::size_t size_bytes);

}  // namespace tacenda::crypto

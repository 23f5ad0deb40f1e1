#pragma once

#include <memory>
#include <string_view>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"

namespace tacenda::crypto {

/// The signatures of RFC 7518 section 3.1 that the product takes: RSASSA-PKCS1-v1_5 and ECDSA. No `none`, no
/// HMAC: a verifier that knows only these cannot be talked into another.
enum class WebAlgorithm : std::uint8_t { kRs256, kRs384, kEs256, kEs384 };

enum class Curve : std::uint8_t { kP256, kP384 };

/// A public key of another party. Immutable; thread-safe; cheap to copy.
/// Source: RFC 7518 sections 6.2 and 6.3; NIST SP 800-131A (2,048 bits at least).
class WebPublicKey {
 public:
  static constexpr std::size_t kRsaBitsMin = 2'048;
  static constexpr std::size_t kRsaBitsMax = 8'192;

  /// `modulus` and `exponent`: big-endian. Errors: kInvalid (too small or large, an even modulus, an exponent
  /// that is even or below 65537).
  static Result<WebPublicKey> rsa(ByteView modulus, ByteView exponent);
  /// `x` and `y`: as long as the field. Errors: kInvalid (another length, not on the curve).
  static Result<WebPublicKey> ec(Curve curve, ByteView x, ByteView y);

  /// True when the key is of the kind that the algorithm signs with.
  bool fits(WebAlgorithm algorithm) const;
  /// ECDSA: `signature` is R || S (RFC 7518 section 3.4). False also when the key does not fit.
  bool verify(WebAlgorithm algorithm, ByteView message, ByteView signature) const;

 private:
  struct State;
  explicit WebPublicKey(std::shared_ptr<State const> state) : state_(std::move(state)) {}
  std::shared_ptr<State const> state_;  // shared: copies are one key
};

/// Signs with RS256 under a key of our own. Thread-safe.
class RsaSigner {
 public:
  /// A new key of 2,048 bits; takes a tenth of a second. Errors: kUnavailable.
  static Result<RsaSigner> generate();
  /// `der`: what `der()` gave. Errors: kInvalid.
  static Result<RsaSigner> parse(SecretBuffer const& der);
  ~RsaSigner();
  RsaSigner(RsaSigner&&) noexcept;
  RsaSigner& operator=(RsaSigner&&) noexcept;

  SecretBuffer der() const;  // PKCS #8
  Bytes modulus() const;     // big-endian, as the public exponent
  Bytes exponent() const;
  /// Errors: kUnavailable.
  Result<Bytes> sign(ByteView message) const;

 private:
  struct State;
  explicit RsaSigner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::crypto

#pragma once

#include <span>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace tacenda::crypto {

/// Where the product draws randomness from. Passed in, so that a test can freeze or break it. Thread-safe.
class Random {
 public:
  Random() = default;
  Random(Random const&) = delete;
  Random& operator=(Random const&) = delete;
  virtual ~Random() = default;
  /// Fills `out` with bytes nobody can predict. Errors: kUnavailable.
  virtual Result<void> fill(std::span<std::byte> out) = 0;
};

/// The operating system's generator through OpenSSL's DRBG, drawn in batches per thread (a batch is
/// thrown away after fork).
class SystemRandom final : public Random {
 public:
  Result<void> fill(std::span<std::byte> out) override;
};

template <typename Key>
Result<Key> random_secret(Random& random) {
  Key key;
  TACENDA_TRY_VOID(random.fill(key.reveal_mutable()));
  return key;
}

}  // namespace tacenda::crypto

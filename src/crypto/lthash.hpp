#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "crypto/hash.hpp"

namespace tacenda::crypto {

inline constexpr std::size_t kLtHashBytes = 2048;

/// The value of a multiset: 1,024 sums modulo 2^16. It is kept sealed; only a MAC of it may be shown.
class LtHashSum {
 public:
  static constexpr std::size_t kLanes = kLtHashBytes / 2;

  /// The empty multiset.
  LtHashSum() = default;
  /// Errors: kCorrupt when `bytes` is not 2,048 long.
  static Result<LtHashSum> parse(ByteView bytes);
  /// 2,048 bytes: the lanes, each little-endian.
  Bytes serialise() const;

  LtHashSum& operator+=(LtHashSum const& other);  // union of two multisets
  LtHashSum& operator-=(LtHashSum const& other);
  bool operator==(LtHashSum const&) const = default;

 private:
  friend class LtHash;
  std::array<std::uint16_t, kLanes> lanes_{};
};

/// Adds items to and removes them from a multiset hash in any order. Each item is expanded to 2,048 bytes
/// (AES-256-CTR of zeros under HMAC-SHA-256(key, item)), so that two equal sums mean the same multiset
/// unless someone with the key solves a short-vector problem. Thread-safe: holds only keyed state.
/// Source: Bellare-Micciancio 1997, "LtHash" of Lewi et al., eprint 2019/227.
class LtHash {
 public:
  explicit LtHash(MacKey const& key) : hmac_(key) {}

  void add(LtHashSum& sum, ByteView item) const { sum += expand(item); }
  /// Removing what was never added is not detected here; the sum then differs from every honest one.
  void remove(LtHashSum& sum, ByteView item) const { sum -= expand(item); }

 private:
  LtHashSum expand(ByteView item) const;
  Hmac hmac_;
};

}  // namespace tacenda::crypto

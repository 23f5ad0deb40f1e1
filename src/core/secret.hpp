#pragma once

#include <string.h>  // explicit_bzero

#include <array>
#include <cstddef>
#include <iosfwd>
#include <span>
#include <utility>

#include "core/bytes.hpp"

namespace tacenda {

/// `N` bytes that must not leak: move-only, wiped when moved from and when destroyed, not printable,
/// compared in constant time. `Tag` keeps two kinds of key from being mixed up.
template <typename Tag, std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;  // bytes

  Secret() = default;
  Secret(Secret const&) = delete;
  Secret& operator=(Secret const&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  /// The raw bytes. `reveal` is the word a reviewer greps for; only crypto/, vault/
  /// and identity/ may call it.
  std::span<std::byte const, N> reveal() const { return bytes_; }
  std::span<std::byte, N> reveal_mutable() { return bytes_; }

  friend bool operator==(Secret const& a, Secret const& b) {
    std::byte difference{0};
    for (std::size_t i = 0; i < N; ++i) difference |= a.bytes_[i] ^ b.bytes_[i];
    return difference == std::byte{0};
  }
  friend std::ostream& operator<<(std::ostream&, Secret const&) = delete;

 private:
  void wipe() { ::explicit_bzero(bytes_.data(), bytes_.size()); }

  std::array<std::byte, N> bytes_{};
};

/// A secret whose length is known at run time only: a typed password, a decrypted key file. Move-only,
/// wiped when moved from and when destroyed, not printable, compared in constant time.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  explicit SecretBuffer(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit SecretBuffer(std::size_t size_bytes) : bytes_(size_bytes) {}
  SecretBuffer(SecretBuffer const&) = delete;
  SecretBuffer& operator=(SecretBuffer const&) = delete;
  SecretBuffer(SecretBuffer&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBuffer& operator=(SecretBuffer&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~SecretBuffer() { wipe(); }

  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  ByteView reveal() const { return bytes_; }
  std::span<std::byte> reveal_mutable() { return bytes_; }

  friend bool operator==(SecretBuffer const& a, SecretBuffer const& b) {
    if (a.bytes_.size() != b.bytes_.size()) return false;
    std::byte difference{0};
    for (std::size_t i = 0; i < a.bytes_.size(); ++i) difference |= a.bytes_[i] ^ b.bytes_[i];
    return difference == std::byte{0};
  }
  friend std::ostream& operator<<(std::ostream&, SecretBuffer const&) = delete;

 private:
  void wipe() {
    if (!bytes_.empty()) ::explicit_bzero(bytes_.data(), bytes_.size());
  }

  Bytes bytes_;  // never grows after construction: a reallocation would leave an unwiped copy behind
};

}  // namespace tacenda

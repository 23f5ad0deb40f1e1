#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace tacenda::net {

/// How many bytes of request bodies may lie in memory at once. Thread-safe.
class Budget {
 public:
  explicit Budget(std::size_t limit_bytes) : limit_(limit_bytes) {}

  bool take(std::size_t bytes) {
    auto used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t const limit_;
  std::atomic<std::size_t> used_{0};
};

/// The share of a Budget that one request body holds, given back on destruction. It travels with the
/// request to its worker, because the body lives until the answer is made.
class Reservation {
 public:
  Reservation() = default;
  explicit Reservation(Budget& budget)
      : budget_(&budget) {}  // the budget is its listener's, which outlives requests
  Reservation(Reservation const&) = delete;
  Reservation& operator=(Reservation const&) = delete;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::exchange(other.budget_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Reservation() { release(); }

  /// Makes the share at least `bytes` large. Returns false when the budget does not have that much left.
  bool grow_to(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (budget_ == nullptr || !budget_->take(bytes - bytes_)) return false;
    bytes_ = bytes;
    return true;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void release() {
    if (budget_ != nullptr && bytes_ > 0) budget_->give_back(bytes_);
    bytes_ = 0;
  }

  Budget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tacenda::net

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/error.hpp"
#include "core/mutex.hpp"

namespace tacenda::identity {

/// Turns at Argon2: at most as many computations at once as there are cores, and a short queue behind them.
/// Owner: the directory. Thread-safe.
class HashTurns {
 public:
  /// One computation; given back with the scope.
  class Turn {
   public:
    explicit Turn(HashTurns& turns) : turns_(turns) {}
    ~Turn() { turns_.give_back(); }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

   private:
    HashTurns& turns_;
  };

  /// Waits for one. Errors: kThrottled (too many wait).
  Result<std::unique_ptr<Turn>> take();
  /// How many were ever taken: what a sign-in costs must not tell who exists (S-08).
  std::uint64_t taken() const { return taken_.load(); }

 private:
  void give_back();

  std::atomic<int> at_work_or_waiting_{0};
  std::atomic<std::uint64_t> taken_{0};
  Mutex mutex_;
  ConditionVariable free_;
  int running_ TACENDA_GUARDED_BY(mutex_) = 0;
};

}  // namespace tacenda::identity

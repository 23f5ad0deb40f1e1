#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "crypto/secret_sharing.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

/// True of what begins like a share, and is therefore no passphrase.
bool is_share(SecretBuffer const& typed);

/// Shares that their holders bring one after the other, until there are as many as open a slot. They lie in
/// memory that is wiped, and are gone when they opened the store or were wrong, after 15 minutes without
/// another one, and on `reset`. A fault that has nothing to do with them leaves them: holders who came
/// together in a night need not come again for a missing file. Nobody learns which share is wrong, not even
/// whether one is, before there are enough.
///
/// Owner: start, or cli. Thread-safe; refers to `files` and `clock`, which outlive it.
class ShareCollection {
 public:
  static constexpr std::chrono::minutes kPatience{15};
  /// Sets of shares that open nothing, until nobody may try for `kPatience`.
  static constexpr unsigned kFailuresMax = 5;

  ShareCollection(storage::Files& files, Places places, Clock const& clock)
      : files_(files), places_(std::move(places)), clock_(clock) {}

  struct Progress {
    unsigned have = 0;
    unsigned need = 0;            // 0: none was brought yet
    std::optional<Unlock> ready;  // of as many as are needed: call `settle` with what it came to
    std::string description;      // of `ready`: "shares 1, 3, 4 of slot 2"
  };
  /// Takes one more. The same one again changes nothing; when there are enough, they are tried again. Errors:
  /// kInvalid (no share, or mistyped), kNotFound (of another store, or of a slot that is not there),
  /// kConflict (of another slot than those before, or another one of the same number), kThrottled; those of
  /// list_slots.
  Result<Progress> add(SecretBuffer const& typed);
  /// Call with what `ready` came to: wipes them when they opened the store or are wrong, and leaves them on
  /// any other error. Errors in the place of kUnauthenticated: the same, in words that fit.
  Result<void> settle(Result<void> opened);
  Progress progress() const;
  /// Wipes all of them.
  void reset();
  /// Wipes them when their time is over. Call once a second.
  void tick();
  /// Sets that opened nothing, since the last call.
  unsigned take_failures();

 private:
  struct Of {
    std::uint32_t slot = 0;
    unsigned need = 0;
  };
  Result<Of> slot_of(SecretBuffer const& typed, crypto::Share& share) const;
  void wipe_overdue() TACENDA_REQUIRES(mutex_);

  storage::Files& files_;
  Places const places_;
  Clock const& clock_;
  mutable Mutex mutex_;
  std::vector<crypto::Share> shares_ TACENDA_GUARDED_BY(mutex_);
  Of of_ TACENDA_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point last_ TACENDA_GUARDED_BY(mutex_);
  unsigned failures_in_a_row_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point failed_ TACENDA_GUARDED_BY(mutex_);
  unsigned failures_ TACENDA_GUARDED_BY(mutex_) = 0;
};

}  // namespace tacenda::vault

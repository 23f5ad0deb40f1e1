#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "audit/event.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"

namespace tacenda::audit {

/// Keeps a flood of failures before authentication from filling the log or slowing a doctor's read: up to a
/// rate each failure is an entry of its own, beyond it one entry counts those of an address, kind and reason
/// in a second, and beyond a cap of those one entry counts the rest of the second.
///
/// Owner: start. Thread-safe.
/// Source: SECURITY_DESIGN section 3.
class FailureMeter {
 public:
  static constexpr std::size_t kSinglePerAddress = 20;  // a second
  static constexpr std::size_t kSingle = 1'000;  // a second, all addresses: a botnet stays below 20 each
  static constexpr std::size_t kCounted = 200;   // a second: entries that count
  static constexpr std::size_t kDue = 2'000;     // counted entries that wait for `take_due`

  explicit FailureMeter(Clock const& clock) : clock_(clock) {}

  /// Gives `failure` back when it must be committed before its answer leaves; nullopt when it was counted:
  /// its answer may leave at once.
  std::optional<Event> note(Event failure);

  /// Counted entries of the seconds that are over, to be committed; call at least once a second.
  std::vector<Event> take_due();
  /// The counted entries of the running second, too: at the end.
  std::vector<Event> take_all();

 private:
  using Key = std::tuple<std::string, EventKind, std::string>;  // address, kind, reason

  void turn_to(std::chrono::seconds second) TACENDA_REQUIRES(mutex_);
  void end_second() TACENDA_REQUIRES(mutex_);
  void count(Event&& failure) TACENDA_REQUIRES(mutex_);
  std::chrono::seconds second_now() const;

  Clock const& clock_;
  Mutex mutex_;
  std::chrono::seconds second_ TACENDA_GUARDED_BY(mutex_){0};
  std::size_t singles_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::size_t> singles_of_ TACENDA_GUARDED_BY(mutex_);
  std::map<Key, Event> counted_ TACENDA_GUARDED_BY(mutex_);
  std::uint64_t overflow_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::vector<Event> due_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::audit

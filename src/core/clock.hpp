#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tacenda {

/// Wall-clock time, UTC, milliseconds: the resolution of a FHIR instant as the product writes it.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::uint64_t to_unix_ms(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
inline Time from_unix_ms(std::uint64_t ms) {
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

/// Where the product reads time from. Passed in, so that a test runs a day in a millisecond.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual std::chrono::steady_clock::time_point monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
  std::chrono::steady_clock::time_point monotonic() const override;
};

/// A clock that stands still until it is moved. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_ms_(start.time_since_epoch().count()) {}
  Time now() const override { return Time(std::chrono::milliseconds(now_ms_.load())); }
  std::chrono::steady_clock::time_point monotonic() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_ms_.load()));
  }
  void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_ms_;
};

/// The moment at which a piece of work must be given up.
class Deadline {
 public:
  Deadline(Clock const& clock, std::chrono::milliseconds from_now)
      : clock_(&clock), at_(clock.monotonic() + from_now) {}
  bool is_expired() const { return clock_->monotonic() >= at_; }
  std::chrono::steady_clock::time_point at() const { return at_; }

 private:
  Clock const* clock_;  // outlives every request: made in main
  std::chrono::steady_clock::time_point at_;
};

}  // namespace tacenda

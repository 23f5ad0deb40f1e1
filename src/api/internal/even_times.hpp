#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>

#include "core/mutex.hpp"

namespace tacenda::api {

/// Answers that say that nothing is there leave at the same moments whether nothing is there or what is there
/// may not be seen: at the end of a span from when the request came. What had to be opened and judged takes
/// longer than what is not there, and the span is longer than either (REQUIREMENTS C-10).
///
/// Owner: Pipeline. Thread-safe. A job throws nothing.
class EvenTimes {
 public:
  using Job = std::move_only_function<void()>;
  using Instant = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kSpan{20};

  /// The end of the first span since `begun` that is not over at `now`.
  static Instant next(Instant begun, Instant now);

  void push(Instant at, Job job);
  /// Runs each job when its time has come; when it is stopped, those that are left at once. One thread.
  void run(std::stop_token const& stop);

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::multimap<Instant, Job> jobs_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::api

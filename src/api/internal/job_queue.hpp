#pragma once

#include <deque>
#include <functional>
#include <stop_token>

#include "core/mutex.hpp"

namespace tacenda::api {

/// Jobs for the threads that call `run`, begun in their order: what the committer's thread comes upon and
/// must not do itself, since it would wait for its own commit. Nothing bounds the queue but what fills it.
///
/// Owner: Pipeline. Thread-safe. A job throws nothing.
class JobQueue {
 public:
  using Job = std::move_only_function<void()>;

  void push(Job job);
  /// Returns when it is stopped and nothing waits any more.
  void run(std::stop_token const& stop);

 private:
  Mutex mutex_;
  ConditionVariable ready_;
  std::deque<Job> jobs_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::api

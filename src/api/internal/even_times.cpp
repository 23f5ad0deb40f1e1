#include "api/internal/even_times.hpp"

#include <utility>

namespace tacenda::api {

EvenTimes::Instant EvenTimes::next(Instant begun, Instant now) {
  return now <= begun ? begun + kSpan : begun + ((now - begun) / kSpan + 1) * kSpan;
}

void EvenTimes::push(Instant at, Job job) {
  {
    MutexLock const lock(mutex_);
    jobs_.emplace(at, std::move(job));
  }
  changed_.notify_one();
}

void EvenTimes::run(std::stop_token const& stop) {
  std::stop_callback const on_stop(stop, [this] {
    MutexLock const lock(mutex_);  // not between the runner's look at the token and its wait
    changed_.notify_one();
  });
  for (;;) {
    Job job;
    {
      MutexLock const lock(mutex_);
      while (jobs_.empty() && !stop.stop_requested()) changed_.wait(mutex_);
      if (jobs_.empty()) return;
      Instant const due = jobs_.begin()->first;
      if (std::chrono::steady_clock::now() < due && !stop.stop_requested()) {
        changed_.wait_until(mutex_, due);
        continue;
      }
      job = std::move(jobs_.begin()->second);
      jobs_.erase(jobs_.begin());
    }
    job();
  }
}

}  // namespace tacenda::api

#include "api/internal/serial_executor.hpp"

#include <utility>

namespace tacenda::api {

void SerialExecutor::push(Job job) {
  {
    MutexLock const lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void SerialExecutor::run(std::stop_token const& stop) {
  std::stop_callback const on_stop(stop, [this] {
    MutexLock const lock(mutex_);  // not between the runner's look at the token and its wait
    ready_.notify_one();
  });
  for (;;) {
    Job job;
    {
      MutexLock const lock(mutex_);
      while (jobs_.empty() && !stop.stop_requested()) ready_.wait(mutex_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace tacenda::api

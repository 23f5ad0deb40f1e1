#include "api/internal/job_queue.hpp"

#include <utility>

namespace tacenda::api {

void JobQueue::push(Job job) {
  {
    MutexLock const lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void JobQueue::run(std::stop_token const& stop) {
  std::stop_callback const on_stop(stop, [this] {
    MutexLock const lock(mutex_);  // not between the runner's look at the token and its wait
    ready_.notify_all();           // one of the others could be woken in its place
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

#include "audit/failure_meter.hpp"

#include <utility>

namespace tacenda::audit {

std::optional<Event> FailureMeter::note(Event failure) {
  MutexLock const lock(mutex_);
  turn_to(second_now());
  if (singles_ < kSingle) {
    std::size_t& of_address = singles_of_[failure.network];
    if (of_address < kSinglePerAddress) {
      ++of_address;
      ++singles_;
      return failure;
    }
  }
  count(std::move(failure));
  return std::nullopt;
}

std::vector<Event> FailureMeter::take_due() {
  MutexLock const lock(mutex_);
  turn_to(second_now());
  return std::exchange(due_, {});
}

std::vector<Event> FailureMeter::take_all() {
  MutexLock const lock(mutex_);
  end_second();
  return std::exchange(due_, {});
}

// Monotonic: a wall clock that stands or jumps must neither open nor close the gate.
std::chrono::seconds FailureMeter::second_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.monotonic().time_since_epoch());
}

void FailureMeter::turn_to(std::chrono::seconds second) {
  if (second == second_) return;
  end_second();
  second_ = second;
  singles_ = 0;
  singles_of_.clear();
}

void FailureMeter::end_second() {
  for (auto& [key, event] : counted_) {
    if (due_.size() < kDue) {
      due_.push_back(std::move(event));
    } else {
      overflow_ += event.count;
    }
  }
  counted_.clear();
  if (overflow_ == 0 || due_.size() > kDue) return;  // kept for a later second when nobody takes them
  Event rest;
  rest.kind = EventKind::kOverLimit;
  rest.outcome = Outcome::kMinorFailure;
  rest.reason = "further failures, too many to tell apart";
  rest.count = std::exchange(overflow_, 0);
  due_.push_back(std::move(rest));
}

void FailureMeter::count(Event&& failure) {
  Key key{failure.network, failure.kind, failure.reason};
  if (auto const found = counted_.find(key); found != counted_.end()) {
    ++found->second.count;
  } else if (counted_.size() < kCounted) {
    // What tells single requests apart means nothing in a sum.
    Event counted;
    counted.kind = failure.kind;
    counted.outcome = failure.outcome;
    counted.http_status = failure.http_status;
    counted.network = std::move(failure.network);
    counted.reason = std::move(failure.reason);
    counted_.emplace(std::move(key), std::move(counted));
  } else {
    ++overflow_;
  }
}

}  // namespace tacenda::audit

#include "identity/internal/hash_turns.hpp"

#include <algorithm>
#include <thread>

namespace tacenda::identity {
namespace {

constexpr int kHashQueue = 32;  // Argon2 computations that may wait; each takes about a tenth of a second

int hashes_at_once() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

Result<std::unique_ptr<HashTurns::Turn>> HashTurns::take() {
  if (at_work_or_waiting_.fetch_add(1) >= kHashQueue) {
    at_work_or_waiting_.fetch_sub(1);
    return fail(ErrorKind::kThrottled, "too many log-ins at once");
  }
  MutexLock const lock(mutex_);
  while (running_ >= hashes_at_once()) free_.wait(mutex_);
  ++running_;
  ++taken_;
  return std::make_unique<Turn>(*this);
}

void HashTurns::give_back() {
  {
    MutexLock const lock(mutex_);
    --running_;
  }
  free_.notify_one();
  at_work_or_waiting_.fetch_sub(1);
}

}  // namespace tacenda::identity

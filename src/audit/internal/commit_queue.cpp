#include "audit/internal/commit_queue.hpp"

namespace tacenda::audit {

bool CommitQueue::push(Pending& pending) {
  pending.bell = collecting_.load(std::memory_order_relaxed) % kBells;
  Pending* newest = newest_.load(std::memory_order_relaxed);
  do {
    if (newest == &closed_) return false;
    pending.next = newest;
  } while (
      !newest_.compare_exchange_weak(newest, &pending, std::memory_order_seq_cst, std::memory_order_relaxed));
  // Either this load sees that the committer sleeps, or the committer's check before it sleeps sees the push.
  if (asleep_.load(std::memory_order_seq_cst) != 0 && asleep_.exchange(0) != 0) interrupt();
  return true;
}

void CommitQueue::await(Pending const& pending) const {
  auto const& word = bells_[pending.bell].word;
  for (;;) {
    std::uint32_t const seen = word.load(std::memory_order_acquire);
    if (pending.finished.load(std::memory_order_acquire)) return;
    futex_wait(word, seen);
  }
}

void CommitQueue::interrupt() {
  work_.fetch_add(1, std::memory_order_release);
  futex_wake_one(work_);
}

Pending* CommitQueue::oldest_first(Pending* newest) {
  Pending* oldest = nullptr;
  while (newest != nullptr) {
    Pending* const following = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = following;
  }
  return oldest;
}

Pending* CommitQueue::take() {
  Pending const* const newest = newest_.load(std::memory_order_acquire);
  if (newest == nullptr || newest == &closed_) return nullptr;
  collecting_.fetch_add(1, std::memory_order_relaxed);
  return oldest_first(newest_.exchange(nullptr, std::memory_order_acquire));
}

void CommitQueue::wait(std::uint32_t ticket, std::optional<std::chrono::milliseconds> timeout) {
  asleep_.store(1, std::memory_order_seq_cst);
  if (newest_.load(std::memory_order_seq_cst) == nullptr) futex_wait(work_, ticket, timeout);
  asleep_.store(0, std::memory_order_relaxed);
}

Pending* CommitQueue::close() {
  Pending* const newest = newest_.exchange(&closed_, std::memory_order_acq_rel);
  return newest == &closed_ ? nullptr : oldest_first(newest);
}

void CommitQueue::reopen() {
  Pending* expected = &closed_;
  // Already open: nothing to do.
  (void)newest_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
}

void CommitQueue::finish(Pending& pending) {
  if (pending.done) {
    std::unique_ptr<Pending> const owned(&pending);
    if (owned->error) {
      owned->done(std::unexpected(*owned->error));
    } else {
      owned->done(owned->committed);
    }
    return;
  }
  to_ring_ |= 1U << pending.bell;
  pending.finished.store(true, std::memory_order_release);
}

void CommitQueue::ring() {
  for (std::uint32_t i = 0; to_ring_ != 0; ++i, to_ring_ >>= 1U) {
    if ((to_ring_ & 1U) == 0) continue;
    bells_[i].word.fetch_add(1, std::memory_order_release);
    futex_wake_all(bells_[i].word);
  }
}

}  // namespace tacenda::audit

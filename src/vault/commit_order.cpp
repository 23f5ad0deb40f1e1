#include "vault/commit_order.hpp"

#include <algorithm>

namespace tacenda::vault {

CommitOrder::Turn::Turn(CommitOrder& order) : order_(order) {
  MutexLock const waiting(order.next_);
  order.turn_.lock();
}

CommitOrder::Turn::~Turn() {
  order_.turn_.unlock();
}

bool CommitOrder::admits(WriteSet const& set) const {
  if (set.keys_found() && *set.keys_found() != erasures()) return false;
  if (set.dependencies().empty()) return true;
  // It depends on something and does not say as of when: nobody can tell whether it is stale.
  if (!set.read_sequence()) return false;
  std::uint64_t const read = *set.read_sequence();
  if (read < forgotten_) return false;
  return std::ranges::none_of(set.dependencies(), [&](Guard guard) {
    auto const found = last_touch_.find(static_cast<std::uint64_t>(guard));
    return found != last_touch_.end() && found->second > read;
  });
}

void CommitOrder::admit(WriteSet const& set, std::uint64_t sequence) {
  for (auto const guard : set.announced()) {
    announced_[static_cast<std::uint64_t>(guard) % kAnnounced].store(sequence, std::memory_order_release);
  }
  for (auto const guard : set.touched()) {
    auto const hash = static_cast<std::uint64_t>(guard);
    last_touch_[hash] = sequence;
    order_.emplace_back(hash, sequence);
  }
  while (order_.size() > kRemembered) {
    auto const [hash, touched_at] = order_.front();
    order_.pop_front();
    forgotten_ = std::max(forgotten_, touched_at);
    // A later touch of the same guard has an entry of its own further back.
    if (auto const found = last_touch_.find(hash);
        found != last_touch_.end() && found->second == touched_at) {
      last_touch_.erase(found);
    }
  }
}

void CommitOrder::start_at(std::uint64_t sequence) {
  last_touch_.clear();
  order_.clear();
  forgotten_ = 0;
  publish(sequence);
}

}  // namespace tacenda::vault

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "vault/write_set.hpp"

namespace tacenda::vault {

/// Optimistic concurrency control: remembers which guard was touched last by which commit, and refuses a
/// write set whose reads are older than that (docs/adr). Keeps the newest kRemembered touches; a set
/// whose reads are older than what was forgotten is refused as well.
///
/// Owner: the Vault. `committed` from any thread; the rest from the committer's thread alone.
class CommitOrder {
 public:
  static constexpr std::size_t kRemembered = 1'000'000;

  /// Number of leaves whose commits readers can surely see.
  std::uint64_t committed() const { return committed_.load(std::memory_order_acquire); }

  /// True when `set` may be committed after everything admitted before.
  bool admits(WriteSet const& set) const;
  /// Notes the guards of an admitted set that will end at `sequence` (the tree size after it).
  void admit(WriteSet const& set, std::uint64_t sequence);
  /// Readers may now rely on all commits up to `sequence`. Call after the batch is durable.
  void publish(std::uint64_t sequence) { committed_.store(sequence, std::memory_order_release); }
  /// At start: the size of the stored log.
  void start_at(std::uint64_t sequence);

 private:
  std::atomic<std::uint64_t> committed_{0};
  std::uint64_t forgotten_ = 0;  // touches up to this sequence may have been forgotten
  std::unordered_map<std::uint64_t, std::uint64_t> last_touch_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> order_;  // guard, sequence: oldest first
};

}  // namespace tacenda::vault

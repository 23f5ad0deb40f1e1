#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "core/mutex.hpp"
#include "vault/write_set.hpp"

namespace tacenda::vault {

/// Optimistic concurrency control: remembers which guard was touched last by which commit, and refuses a
/// write set whose reads are older than that (docs/adr). Keeps the newest kRemembered touches; a set
/// whose reads are older than what was forgotten is refused as well.
///
/// An erasure changes keys past the committer, and so refuses every set that found its keys before it: those
/// may be the destroyed ones, and what was sealed under them would be stored and never open.
///
/// Owner: the Vault. `committed`, `erasures` and Turn from any thread; the rest from the committer's thread
/// alone.
class CommitOrder {
 public:
  static constexpr std::size_t kRemembered = 1'000'000;

  /// Held by the committer from the first `admits` of a batch until the batch is stored, and by an erasure as
  /// a whole, so that neither comes between check and write of the other. Whoever waits is next.
  class Turn {
   public:
    // The analysis knows scoped locks, but not one that takes two in turn.
    explicit Turn(CommitOrder& order) TACENDA_ATTRIBUTE(no_thread_safety_analysis);
    ~Turn() TACENDA_ATTRIBUTE(no_thread_safety_analysis);
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

   private:
    CommitOrder& order_;
  };

  /// Counts erasures; moves before and after keys disappear from the caches. Ask before looking for keys.
  std::uint64_t erasures() const { return erasures_.load(); }
  /// Only with the Turn.
  void note_erasure(bool of_patient) {
    ++erasures_;
    if (of_patient) ++patient_erasures_;
  }
  /// Those of patients alone: other keys end more often, and at the wish of who made them.
  std::uint64_t patient_erasures() const { return patient_erasures_.load(); }

  /// Number of leaves whose commits readers can surely see.
  std::uint64_t committed() const { return committed_.load(std::memory_order_acquire); }

  /// Sequence of the newest commit that announced `guard` or, by chance, another one of the same place: what
  /// was read under `guard` when no more than that was committed may be stale. From any thread.
  std::uint64_t announced(Guard guard) const {
    return announced_[static_cast<std::uint64_t>(guard) % kAnnounced].load(std::memory_order_acquire);
  }

  /// True when `set` may be committed after everything admitted before.
  bool admits(WriteSet const& set) const;
  /// Notes the guards of an admitted set that will end at `sequence` (the tree size after it).
  void admit(WriteSet const& set, std::uint64_t sequence);
  /// Readers may now rely on all commits up to `sequence`. Call after the batch is durable.
  void publish(std::uint64_t sequence) { committed_.store(sequence, std::memory_order_release); }
  /// At start: the size of the stored log.
  void start_at(std::uint64_t sequence);

 private:
  Mutex next_;  // held while waiting for turn_: the lock alone would go to whoever just gave it up
  Mutex turn_;
  std::atomic<std::uint64_t> erasures_{0};
  std::atomic<std::uint64_t> patient_erasures_{0};
  std::atomic<std::uint64_t> committed_{0};
  static constexpr std::size_t kAnnounced = 65'536;
  std::vector<std::atomic<std::uint64_t>> announced_ = std::vector<std::atomic<std::uint64_t>>(kAnnounced);
  std::uint64_t forgotten_ = 0;  // touches up to this sequence may have been forgotten
  std::unordered_map<std::uint64_t, std::uint64_t> last_touch_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> order_;  // guard, sequence: oldest first
};

}  // namespace tacenda::vault

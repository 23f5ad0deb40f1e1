#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "audit/event.hpp"
#include "audit/internal/futex.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "crypto/lthash.hpp"
#include "vault/write_set.hpp"

namespace tacenda::audit {

/// What the committer tells a caller: where its events stand and when.
struct Committed {
  std::uint64_t first_sequence = 0;
  std::uint64_t time_ms = 0;
};

/// What a write set does to the multiset hash of the current state, worked out by its caller.
struct StateDelta {
  crypto::LtHashSum sum;
  std::int64_t count = 0;
};

/// A row of the log whose key ends in eight bytes for the sequence of its event.
struct LogRow {
  Bytes key;  // whole engine key
  Bytes value;
  std::uint32_t event = 0;  // index among the events of its commit
};

/// One commit on its way. Lies on its caller's stack, or on the heap when `done` is set; the committer
/// must not touch it after `finish`.
struct Pending {
  vault::WriteSet set;
  std::vector<Event> events;
  std::uint64_t keys_found = 0;  // CommitOrder::erasures before the events were sealed
  std::vector<LogRow> entries;   // one per event, in order
  std::vector<LogRow> index;     // index rows, long bodies and texts of requests
  std::size_t size_bytes = 0;
  bool is_unseen = false;                   // no event: rows that no reader can meet (Log::commit_unseen)
  std::unique_ptr<StateDelta> state_delta;  // null: changes nothing
  std::move_only_function<void(Result<Committed>)> done;

  Committed committed;  // filled in by the committer
  std::optional<Error> error;

  Pending* next = nullptr;  // the queue's
  std::uint32_t bell = 0;
  std::atomic<bool> finished{false};
};

/// Where callers wait for the committer and it for them. Pushing takes no lock, and waking a batch takes one
/// system call, not one per caller: the callers of a batch sleep on a shared word (a bell). A caller cannot
/// know which batch will take it, so that it picks the bell of the batch being collected; the committer
/// rings each bell that a finished batch used.
///
/// Owner: the Committer. `push`, `await` and `interrupt` from any thread, the rest from its thread.
class CommitQueue {
 public:
  /// False when closed: nothing was queued.
  bool push(Pending& pending);
  /// Sleeps until the committer finished `pending`.
  void await(Pending const& pending) const;
  /// Makes the committer look around: ends a `wait` whose ticket is older.
  void interrupt();

  std::uint32_t ticket() const { return work_.load(std::memory_order_acquire); }
  /// Everything that was pushed, oldest first; null when there is nothing. The next batch is collected from
  /// now on.
  Pending* take();
  /// Sleeps until there is something to take or, since `ticket` was drawn, someone interrupted. May return
  /// early.
  void wait(std::uint32_t ticket, std::optional<std::chrono::milliseconds> timeout);
  /// Refuses later pushes; gives what is left.
  Pending* close();
  void reopen();

  /// Lets the caller of `pending` go on at the next `ring`; runs `done` at once where there is one.
  void finish(Pending& pending);
  /// Wakes the callers of all that was finished since the last call.
  void ring();

 private:
  static constexpr std::size_t kBells = 4;
  struct alignas(64) Bell {
    std::atomic<std::uint32_t> word{0};
  };

  static Pending* oldest_first(Pending* newest);

  Pending closed_;  // stands in `newest_` when the queue is closed
  alignas(64) std::atomic<Pending*> newest_{nullptr};
  std::atomic<std::uint32_t> collecting_{0};  // number of the batch being collected
  alignas(64) std::atomic<std::uint32_t> work_{0};
  std::atomic<std::uint32_t> asleep_{0};
  mutable std::array<Bell, kBells> bells_;
  std::uint32_t to_ring_ = 0;  // one bit per bell
};

}  // namespace tacenda::audit

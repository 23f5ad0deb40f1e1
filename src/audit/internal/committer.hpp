#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <vector>

#include "audit/internal/anchor.hpp"
#include "audit/internal/commit_queue.hpp"
#include "audit/internal/entry_seal.hpp"
#include "audit/internal/growing_tree.hpp"
#include "audit/internal/state_hash.hpp"
#include "core/clock.hpp"
#include "merkle/checkpoint.hpp"
#include "vault/vault.hpp"

namespace tacenda::audit {

/// Where the log stands when the committer takes over.
struct LogEdge {
  GrowingTree tree;
  StateHash state;
  std::uint64_t time_ms = 0;  // of the newest entry
};

/// The one place where anything becomes durable: takes all waiting callers, gives their events sequence and
/// time, grows the tree, signs one checkpoint, writes one batch, then lets the callers go on.
///
/// Owner: the Log. `run` has one thread; `submit`, `size` and `failed` are for any.
/// Source: SECURITY_DESIGN section 3.
class Committer {
 public:
  /// `sealer` outlives the committer.
  Committer(vault::Vault& vault, Clock const& clock, EntrySealer const& sealer, merkle::NoteSigner signer,
            crypto::Hmac state_key, Anchor anchor, LogEdge edge);

  /// Tells those still queued that nothing will come of it.
  ~Committer() { finish_all(queue_.close(), Error(ErrorKind::kUnavailable, "audit log was closed")); }
  Committer(Committer const&) = delete;
  Committer& operator=(Committer const&) = delete;

  /// False when nothing can be committed any more: stopped, or failed.
  bool submit(Pending& pending) { return queue_.push(pending); }
  void await(Pending const& pending) const { queue_.await(pending); }

  void run(std::stop_token const& stop);

  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  Pending* commit_batch(Pending* oldest);
  Pending* admit(Pending* oldest);
  bool admit_one(Pending& pending);
  void add_log_rows(vault::WriteSet& own);
  Result<void> store(std::uint64_t first_sequence);
  Result<std::string> sign_head() const;
  void undo(LogEdge const& before);
  void finish_all(Pending* oldest, Error const& error);
  void refuse(Pending& pending, Error const& error);
  void sync_anchor_when_due();
  void sync_anchor();

  vault::Vault& vault_;
  Clock const& clock_;
  EntrySealer const& sealer_;
  vault::View rows_;
  vault::SealedView sealed_;
  merkle::NoteSigner signer_;
  crypto::Hmac state_key_;
  Anchor anchor_;
  LogEdge edge_;
  LogEdge before_;  // edge_ as the store has it, while a batch is being written

  std::uint64_t forgotten_before_ = 0;  // sets that read before it cannot be judged
  std::uint64_t monotonic_ns_ = 0;
  bool state_changed_ = false;
  std::vector<Pending*> batch_;  // admitted, in order
  std::vector<LogRow*> index_;   // their index rows, by key
  CommitQueue queue_;
  std::atomic<std::uint64_t> size_;
  std::atomic<bool> failed_{false};
};

}  // namespace tacenda::audit

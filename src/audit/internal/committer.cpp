#include "audit/internal/committer.hpp"

#include <algorithm>

#include "audit/internal/entry_header.hpp"
#include "audit/internal/rows.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace tacenda::audit {
namespace {

constexpr std::chrono::milliseconds kAnchorSync{1'000};

Error stopped() {
  return Error(ErrorKind::kUnavailable, "audit log takes no commits");
}

/// `first`, and behind it `second`; either may be null.
Pending* joined(Pending* first, Pending* second) {
  if (first == nullptr) return second;
  Pending* last = first;
  while (last->next != nullptr) last = last->next;
  last->next = second;
  return first;
}

}  // namespace

Committer::Committer(vault::Vault& vault, Clock const& clock, EntrySealer const& sealer,
                     merkle::NoteSigner signer, crypto::Hmac state_key, Anchor anchor, LogEdge edge)
    : vault_(vault),
      clock_(clock),
      sealer_(sealer),
      rows_(vault.view(vault::Keeper::kAudit)),
      sealed_(vault.sealed_view(vault::Keeper::kState, vault::Purpose::kState)),
      signer_(std::move(signer)),
      state_key_(std::move(state_key)),
      anchor_(std::move(anchor)),
      edge_(std::move(edge)),
      size_(edge_.tree.size()) {}

void Committer::run(std::stop_token const& stop) {
  if (failed()) return;
  std::stop_callback const on_stop(stop, [this] { queue_.interrupt(); });
  queue_.reopen();
  Pending* waiting = nullptr;
  while (!failed() && !stop.stop_requested()) {
    std::uint32_t const ticket = queue_.ticket();
    // Those that came meanwhile are looked at too: what has to wait must not hold them back.
    waiting = joined(waiting, queue_.take());
    if (waiting != nullptr) {
      waiting = commit_batch(waiting);
      continue;
    }
    sync_anchor_when_due();
    if (stop.stop_requested()) break;
    queue_.wait(ticket, anchor_.is_synced() ? std::nullopt : std::optional(kAnchorSync));
  }
  // What was queued before the stop is still committed; after a failure nothing is.
  while (waiting != nullptr && !failed()) waiting = commit_batch(waiting);
  if (waiting != nullptr) finish_all(waiting, stopped());
  waiting = queue_.close();
  while (waiting != nullptr && !failed()) waiting = commit_batch(waiting);
  if (waiting != nullptr) finish_all(waiting, stopped());
  sync_anchor();
}

/// Commits as many as fit into one batch. Returns those that must wait for the next one.
Pending* Committer::commit_batch(Pending* oldest) {
  vault::CommitOrder::Turn const turn(vault_.order());
  before_ = edge_;
  std::uint64_t const first_sequence = edge_.tree.size();
  edge_.time_ms = std::max(edge_.time_ms, to_unix_ms(std::max(clock_.now(), Time{})));
  monotonic_ns_ = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.monotonic().time_since_epoch()).count());
  Pending* const rest = admit(oldest);
  queue_.ring();  // the refused ones
  if (batch_.empty()) return rest;

  auto const stored = store(first_sequence);
  if (!stored) {
    undo(before_);
    if (!failed() && stored.error().kind() != ErrorKind::kNoSpace) {
      log(LogLevel::kError, stored.error());
    }
    for (Pending* const pending : batch_) refuse(*pending, stored.error());
  } else {
    for (Pending* const pending : batch_) queue_.finish(*pending);
  }
  batch_.clear();
  queue_.ring();
  sync_anchor_when_due();
  return rest;
}

Pending* Committer::admit(Pending* oldest) {
  std::size_t size_bytes = 0;
  bool has_chunks = false;
  Pending* left = nullptr;
  Pending** end = &left;
  while (oldest != nullptr) {
    Pending* const following = oldest->next;
    if (oldest->is_unseen && has_chunks) {
      // Chunks of one upload a batch: many uploads wait for each other and nobody waits for them.
      *end = oldest;
      end = &oldest->next;
      *end = nullptr;
      oldest = following;
      continue;
    }
    if (!batch_.empty() && size_bytes + oldest->size_bytes > limits::kBatchBytes) break;
    bool const is_unseen = oldest->is_unseen;
    std::size_t const size = oldest->size_bytes;
    if (admit_one(*oldest)) {
      size_bytes += size;
      has_chunks = has_chunks || is_unseen;
    }
    oldest = following;
  }
  *end = oldest;
  return left;
}

bool Committer::admit_one(Pending& pending) {
  vault::CommitOrder& order = vault_.order();
  auto const& set = pending.set;
  bool const forgotten =
      set.read_sequence() && *set.read_sequence() < forgotten_before_ && !set.dependencies().empty();
  if (forgotten || !order.admits(set)) {
    refuse(pending, Error(ErrorKind::kConflict, "another commit changed what this one read"));
    return false;
  }
  // A patient was erased since the events were sealed: entries under the destroyed keys could be read by
  // nobody. Sealed anew, they tell of him under the store's key, as all later ones do.
  if (!pending.is_unseen && pending.keys_found != order.erasures()) {
    if (auto const sealed = sealer_.seal_events(pending); !sealed) {
      refuse(pending, sealed.error());
      return false;
    }
  }
  // No record may change before the repair. Entries and sign-ins go on: without them nobody could read what
  // is whole.
  bool const is_of_records = pending.state_delta != nullptr || pending.is_unseen;
  if (is_of_records && vault_.engine().is_damaged()) {
    refuse(pending, Error(ErrorKind::kCorrupt, "a file is damaged: no record changes until it is repaired"));
    return false;
  }
  if (StateDelta const* const delta = pending.state_delta.get()) {
    std::uint64_t const count = edge_.state.count + static_cast<std::uint64_t>(delta->count);
    if (static_cast<std::int64_t>(count) < 0) {
      refuse(pending, Error(ErrorKind::kBug, "more items leave the current state than are in it"));
      return false;
    }
    edge_.state.count = count;
    edge_.state.sum += delta->sum;
    state_changed_ = true;
  }
  pending.committed = {edge_.tree.size(), edge_.time_ms};
  std::uint64_t const first = pending.committed.first_sequence;
  for (LogRow& entry : pending.entries) {
    std::uint64_t const sequence = first + entry.event;
    stamp_key(entry.key, sequence);
    stamp_entry(entry.value, sequence, edge_.time_ms, monotonic_ns_);
    edge_.tree.append(merkle::leaf_hash(entry.value));
  }
  for (LogRow& row : pending.index) stamp_key(row.key, first + row.event);
  if (!pending.is_unseen) order.admit(pending.set, edge_.tree.size());
  batch_.push_back(&pending);
  return true;
}

/// Entries in order, then index rows in the order of their keys, so that an engine that keeps its place
/// between inserts seldom has to look for it: with one caller's rows after the other's it always had to.
void Committer::add_log_rows(vault::WriteSet& own) {
  index_.clear();
  for (Pending* const pending : batch_) {
    for (LogRow& entry : pending->entries) own.add({std::move(entry.key), std::move(entry.value)});
    for (LogRow& row : pending->index) index_.push_back(&row);
  }
  std::ranges::sort(index_, [](LogRow const* a, LogRow const* b) { return less(a->key, b->key); });
  for (LogRow* const row : index_) own.add({std::move(row->key), std::move(row->value)});
}

Result<void> Committer::store(std::uint64_t first_sequence) {
  vault::WriteSet own;
  // Chunks alone change nothing that the log tells of.
  bool const has_entries = edge_.tree.size() > first_sequence;
  std::string note;
  if (has_entries) {
    add_log_rows(own);
    edge_.tree.store(rows_, own);
    if (state_changed_) {
      edge_.state.sequence = edge_.tree.size();
      TACENDA_TRY_VOID(sealed_.put(own, as_bytes(kStateRow), serialise(edge_.state)));
    }
    note = TACENDA_TRY(sign_head());
    rows_.put(own, rows::of(rows::kCheckpoint), to_bytes(note));
  }

  std::vector<vault::Vault::Stamped> stamped;
  stamped.reserve(batch_.size() + 1);
  for (Pending* const pending : batch_) {
    stamped.push_back({&pending->set, pending->committed.first_sequence, pending->committed.time_ms});
  }
  stamped.push_back({&own, first_sequence, edge_.time_ms});
  auto const when_damaged = state_changed_ ? storage::WhenDamaged::kRefuse : storage::WhenDamaged::kWrite;
  if (auto const written = vault_.commit(stamped, when_damaged); !written) {
    // A failed fsync may have lost data that a retry would call safe: nothing is acknowledged any more.
    bool const nothing_stored =
        written.error().kind() == ErrorKind::kNoSpace || written.error().kind() == ErrorKind::kCorrupt;
    if (!nothing_stored) failed_.store(true, std::memory_order_release);
    return written;
  }
  state_changed_ = false;
  size_.store(edge_.tree.size(), std::memory_order_release);
  vault_.order().publish(edge_.tree.size());
  if (has_entries) anchor_.remember(note);
  return {};
}

Result<std::string> Committer::sign_head() const {
  merkle::Checkpoint checkpoint;
  checkpoint.origin = signer_.verifier().name().text();
  checkpoint.head = edge_.tree.head();
  checkpoint.extensions.push_back(state_line(edge_.state, state_key_));
  return merkle::sign_checkpoint(checkpoint, signer_);
}

/// Nothing of the batch is stored: the sequences are given again. Touches that were noted for it must be
/// forgotten, or they would refuse later sets until the log has grown past them. Those of earlier commits go
/// with them, so that from now on sets that read before this moment are refused unseen.
void Committer::undo(LogEdge const& before) {
  state_changed_ = false;
  if (failed()) return;
  edge_ = before;
  forgotten_before_ = edge_.tree.size();
  vault_.order().start_at(forgotten_before_);
}

void Committer::refuse(Pending& pending, Error const& error) {
  bool const known = error.kind() == ErrorKind::kConflict || error.kind() == ErrorKind::kNoSpace ||
                     error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kBug;
  pending.error = known ? error : Error(ErrorKind::kUnavailable, "the audit log could not be written");
  queue_.finish(pending);
}

void Committer::finish_all(Pending* oldest, Error const& error) {
  while (oldest != nullptr) {
    Pending* const following = oldest->next;
    refuse(*oldest, error);
    oldest = following;
  }
  queue_.ring();
}

void Committer::sync_anchor_when_due() {
  if (anchor_.is_due(clock_.monotonic(), kAnchorSync)) sync_anchor();
}

void Committer::sync_anchor() {
  if (failed()) return;
  if (auto const synced = anchor_.sync(clock_.monotonic()); !synced) {
    log(LogLevel::kError, synced.error());
    if (synced.error().kind() != ErrorKind::kNoSpace) failed_.store(true, std::memory_order_release);
  }
}

}  // namespace tacenda::audit

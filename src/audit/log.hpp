#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "audit/event.hpp"
#include "audit/receipt.hpp"
#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "vault/chunk_batch.hpp"
#include "vault/vault.hpp"

namespace tacenda::audit {

struct LogState;

/// The audit log: sealed entries, an RFC 6962 tree over them, a signed checkpoint per commit batch, and
/// the one committer of the product. What is not here did not happen.
///
/// Owner: start. Thread-safe. `run` must be running before `commit` is called.
/// Source: SECURITY_DESIGN section 3; RFC 6962, C2SP tlog-checkpoint and signed-note.
class Log {
 public:
  /// Reads the tree back, checks the stored checkpoint's signature and root and that the anchor file
  /// (outside the data folder) names no larger and no different tree.
  /// Errors: kCorrupt (log cut, rolled back, or altered), kUnavailable.
  static Result<std::unique_ptr<Log>> open(vault::Vault& vault, Clock const& clock, crypto::Random& random);
  /// Opens a log that `open` refuses, to be looked at: `verify` names what is wrong, everything is as
  /// readable as it still is, and nothing can be committed.
  /// Errors: kNotFound (there never was a log), kUnavailable.
  static Result<std::unique_ptr<Log>> open_damaged(vault::Vault& vault);
  ~Log();
  Log(Log const&) = delete;
  Log& operator=(Log const&) = delete;

  /// Commits until asked to stop; what was queued before is still committed. One thread.
  void run(std::stop_token stop);

  /// Makes `set` and `events` (at least one) durable together, or neither; waits for the fsync.
  /// Seals the events on the caller's thread. Every subject an event names must have keys already or get
  /// them by `set`; an event whose patient has none is sealed under the tenant's audit key. The text of a
  /// request ends with the first of the patients whom it matched or names; when one of those it matched is
  /// erased already, it is not stored.
  /// Errors: kConflict (the set's reads are stale: run the request again), kCorrupt (the store is damaged and
  /// the set changes a record, or nothing can be written at all), kUnavailable and kNoSpace (nothing is
  /// stored; no answer may leave).
  Result<Receipt> commit(vault::WriteSet set, std::vector<Event> events);
  /// The same without waiting: `done` is called exactly once, on the committer's thread (on the caller's
  /// when nothing could be queued), and must be short.
  void commit_async(vault::WriteSet set, std::vector<Event> events,
                    std::move_only_function<void(Result<Receipt>)> done);
  /// Makes chunks durable that no record owns yet; waits for the fsync. The only commit without an event:
  /// nobody can see what it stores, and a ChunkBatch holds nothing else. Errors: kCorrupt (the store is
  /// damaged: nothing is added before the repair), kUnavailable and kNoSpace (nothing is stored).
  Result<void> commit_unseen(vault::ChunkBatch batch);

  /// True after a write failed for any reason but a full disk. Nothing is committed any more: the process
  /// must end, since a repeated fsync can report success for lost data.
  bool failed() const;

  /// The newest signed checkpoint, C2SP signed note.
  Result<std::string> checkpoint() const;
  std::uint64_t size() const;
  /// About how many bytes on disk its rows take. Errors: kUnavailable.
  Result<std::uint64_t> stored_bytes() const;
  /// Verifier key line of the log, C2SP signed-note vkey.
  std::string verifier_key() const;
  /// A C2SP signed note by the log's key over lines that begin with `kCertificateLine`, which no checkpoint
  /// begins with: neither can pass for the other. Errors: kInvalid (other lines).
  Result<std::string> certify(std::string_view lines) const;
  static constexpr std::string_view kCertificateLine = "tacenda erasure certificate 1\n";

  /// Hashes from leaf to root of the tree of `tree_size` leaves. Errors: kInvalid (beyond the tree).
  Result<std::vector<Digest>> inclusion_proof(std::uint64_t sequence, std::uint64_t tree_size) const;
  Result<std::vector<Digest>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const;
  /// The stored bytes of one entry (the leaf is their RFC 6962 hash).
  Result<Bytes> entry_bytes(std::uint64_t sequence) const;

  /// Whether the texts of requests are opened, too: for auditors. Never for patients (SECURITY_DESIGN section
  /// 3): a text may name others.
  enum class Texts : bool { kSealed, kOpened };
  struct Filter {
    std::optional<std::string> patient = {};  // logical id
    std::optional<std::string> user = {};     // UserId
    std::optional<Time> since = {};           // recorded at this time or later
    std::optional<Time> until = {};           // recorded before this time
    std::optional<std::uint64_t> after = {};  // sequence: continue a listing
    std::size_t limit = 1'000;                // at most kListMax
    bool newest_first = false;
    Texts texts = Texts::kSealed;
  };
  static constexpr std::size_t kListMax = 10'000;
  /// Entries that match, in order. Errors: kGone (the patient was erased: nothing leads to his entries),
  /// kCorrupt, kUnavailable.
  Result<std::vector<Entry>> list(Filter const& filter) const;
  /// Errors: kNotFound (beyond the log), kCorrupt, kUnavailable.
  Result<Entry> entry(std::uint64_t sequence, Texts texts = Texts::kSealed) const;

  /// What somebody who follows the log wants to see of it.
  struct Following {
    std::uint64_t from = 0;          // sequence
    std::size_t entries_max = 1;     // looked at
    std::size_t opened_max = 1'000;  // given
    /// By the clear header. Entries with labels are wanted in any case.
    std::function<bool(EventKind, Outcome)> wants;
  };
  struct Followed {
    std::vector<Entry> entries;  // those wanted, in order; one that does not open has `readable` false
    std::uint64_t next = 0;      // where to go on
    Time reached{};              // when the last entry was recorded that was looked at
  };
  /// The entries from `from` on that are wanted. The others cost a look at their header: they stay sealed.
  /// Errors: kCorrupt (a table of the log), kUnavailable.
  Result<Followed> follow(Following const& following) const;

  /// One thing `verify` found wrong, by what an operator can act on: object is e.g. "audit entry 17",
  /// "Patient/abc version 3", "file 000012.sst".
  struct Damage {
    std::string object;
    std::string problem;
  };
  /// What a recomputation of the whole log found: every leaf, every tile, checkpoint, anchor, indexes, state
  /// row, sequence and time order. `progress` is called with (done, total) leaves. Goes on after damage.
  /// Errors: kUnavailable.
  Result<std::vector<Damage>> verify(std::function<void(std::uint64_t, std::uint64_t)> const& progress) const;

  /// The multiset hash of the current state as committed last (sealed row and checkpoint extension agree).
  /// `recompute` gets a function to call with each current item; returns false when the result differs.
  /// `recompute` has seen every item also when row or checkpoint is damaged.
  /// While commits go on, both must look at one state: `at`.
  Result<bool> verify_state(
      std::function<Result<void>(std::function<void(ByteView item)> const&)> const& recompute,
      vault::ReadPoint const* at = nullptr) const;

 private:
  explicit Log(std::unique_ptr<LogState> state);
  std::unique_ptr<LogState> state_;
};

}  // namespace tacenda::audit

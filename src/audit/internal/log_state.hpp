#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "audit/internal/committer.hpp"
#include "audit/internal/entry_seal.hpp"
#include "audit/log.hpp"
#include "merkle/note.hpp"

namespace tacenda::audit {

/// Something that makes a log unfit to be opened, and what it is wrong with.
struct Finding {
  std::string object;
  Error error;
};

/// The keys of one log.
struct LogKeys {
  merkle::NoteSigner signer;
  crypto::Hmac state_key;  // of the MAC in the checkpoint
  crypto::LtHash items;    // of the multiset hash
};

/// Errors: kNotFound when the store never had a log, kCorrupt, kUnavailable.
Result<LogKeys> open_keys(vault::Vault& vault);
/// Makes the keys and the anchor of a log that has no entry yet.
/// Errors: kCorrupt when there are entries: their key is gone. kUnavailable.
Result<LogKeys> begin_log(vault::Vault& vault, crypto::Random& random);

/// The checkpoint of the stored rows; a head of size 0 when none is stored.
/// Errors: kCorrupt, kUnavailable.
Result<merkle::Checkpoint> stored_checkpoint(vault::View const& rows, merkle::NoteVerifier const& key,
                                             vault::ReadPoint const* at);
/// The newest note of the anchor file. Errors: kCorrupt (missing or unreadable), kUnavailable.
Result<Anchor::Found> read_anchor(vault::Vault const& vault, merkle::NoteVerifier const& key);
/// Checks that the anchor, read before `tree`, names no larger and no different log.
/// Errors: kCorrupt, kUnavailable.
Result<void> check_anchor(merkle::TreeHead const& anchored, StoredTree& tree);
/// The state row, when it is the one that the checkpoint speaks of. Errors: kCorrupt, kUnavailable.
Result<StateHash> stored_state(vault::Vault const& vault, LogKeys const& keys,
                               merkle::Checkpoint const& checkpoint, vault::ReadPoint const* at);

struct LoadedLog {
  LogEdge edge;
  unsigned anchor_slot = 0;
  std::vector<Finding> findings;  // empty: fit for commits
};
/// Reads back where the log stands. Errors: kUnavailable; damage is in the findings.
Result<LoadedLog> load_log(vault::Vault const& vault, LogKeys const& keys);

/// What a Log holds.
struct LogState {
  LogState(vault::Vault& the_vault, LogKeys the_keys)
      : vault(the_vault),
        rows(the_vault.view(vault::Keeper::kAudit)),
        sealer(the_vault),
        keys(std::move(the_keys)) {}

  vault::Vault& vault;
  vault::View rows;
  EntrySealer sealer;
  LogKeys keys;
  std::uint64_t damaged_size = 0;           // of a log that takes no commits
  std::atomic<std::size_t> not_waiting{0};  // commits on their way whose callers do not wait
  std::unique_ptr<Committer> committer;     // null: the log is damaged

  std::uint64_t size() const { return committer ? committer->size() : damaged_size; }
  merkle::NoteVerifier const& verifier() const { return keys.signer.verifier(); }
  /// Reads rows of long bodies as of `at`.
  EntrySealer::LongBody long_bodies(vault::ReadPoint const* at) const;
  /// Seals the events and works out what the set does to the current state.
  Result<void> prepare(Pending& pending) const;
};

}  // namespace tacenda::audit

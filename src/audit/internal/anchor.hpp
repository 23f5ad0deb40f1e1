#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "merkle/checkpoint.hpp"
#include "vault/vault.hpp"

namespace tacenda::audit {

/// The newest checkpoint, kept outside the data folder, so that a data folder that was cut or put back is
/// noticed. Two slots of 4,096 bytes, each a signed note filled up with zero bytes, written in turn: a power
/// cut can spoil the one being written, never both.
///
/// Written after the batch is durable and so never ahead of the log; an fsync each, so at most once a second
/// and at the end: detection reaches to the last second before a crash.
///
/// Owner: the Committer's thread.
class Anchor {
 public:
  static constexpr std::size_t kSlotBytes = 4'096;

  static std::filesystem::path path_of(vault::Places const& places);

  /// Makes the file. Replaces one that is there: only for a log that is about to begin.
  static Result<void> create(storage::Files& files, std::filesystem::path const& path, std::string_view note);

  struct Found {
    merkle::Checkpoint checkpoint;
    unsigned slot = 0;
  };
  /// The newest checkpoint in the file; nullopt when there is no file.
  /// Errors: kCorrupt when neither slot holds a note of this log, kUnavailable.
  static Result<std::optional<Found>> read(storage::Files& files, std::filesystem::path const& path,
                                           merkle::NoteVerifier const& key);

  /// `newest_slot` is overwritten last.
  Anchor(storage::Files& files, std::filesystem::path path, unsigned newest_slot)
      : files_(&files), path_(std::move(path)), next_slot_(1U - newest_slot) {}

  /// Notes what the next `sync` will write. The batch that the note is of must be durable.
  void remember(std::string note) { pending_ = std::move(note); }
  bool is_synced() const { return !pending_; }
  bool is_due(std::chrono::steady_clock::time_point now, std::chrono::milliseconds interval) const {
    return pending_ && (!synced_at_ || now - *synced_at_ >= interval);
  }
  /// Errors: kUnavailable (the log must stop), kNoSpace (the note is kept for a later call).
  Result<void> sync(std::chrono::steady_clock::time_point now);

 private:
  storage::Files* files_;
  std::filesystem::path path_;
  unsigned next_slot_;
  std::optional<std::string> pending_;
  std::optional<std::chrono::steady_clock::time_point> synced_at_;
};

}  // namespace tacenda::audit

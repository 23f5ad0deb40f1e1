#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/mutex.hpp"
#include "storage/embedded/folder.hpp"
#include "storage/embedded/log_writer.hpp"
#include "storage/embedded/marks.hpp"

namespace tacenda::storage {

// REGISTRY, byte layout version 1 (docs/data-file.md, "Sealed files"): a sealed log of kind 3 whose
// plaintext is a sequence of entries. A name is a 32-bit length and the file's name in the folder.
//     0 begin      registry id that MARKS may still speak of (16; zeros: none). First entry, once
//     1 bind       name, file id (16): the file's content is durable; its folder entry may not be yet
//     2 establish  name: the folder entry is durable too; from here on the file must be there
//     3 rename     from, to, file id (16): `to` may hold this file or the one before until `to` is
//     established 4 unbind     name: the file is about to be unlinked, or was renamed
// A bind is durable before anyone may rely on the file, an unbind before the file goes: a file of
// another id under a name, and an established name without a file, are damage and never an accident.

inline constexpr std::string_view kRegistryName = "REGISTRY";

/// One file that RocksDB knows. Shared by the registry and by the file's open writer.
struct FileState {
  FileId id;
  Bytes wrapped_key;
  std::optional<MarkSlot> slot;          // set for logs
  std::atomic<bool> bound{false};        // the registry says so durably
  std::atomic<bool> established{false};  // the folder entry is durable
  std::atomic<std::uint64_t> synced{0};  // for logs: file offset up to which an fsync succeeded
  std::atomic<std::uint64_t> plain{0};   // for logs: plaintext in whole groups below `synced`
};

/// Binds the names of the data folder to file ids.
///
/// Thread-safe. Holds its lock across writes and fsyncs of REGISTRY: the order of entries is the point.
/// The write path of the log takes the lock only for the first sync of a file.
class Registry {
 public:
  /// Reads REGISTRY and MARKS, compares the folder with them, removes what a crash left over and starts
  /// both files anew. A damaged table is noted in the folder's health and stays bound; any other damage
  /// refuses. Errors: kCorrupt, kNotFound (nothing there and not `create`), kNoSpace, kUnavailable.
  static Result<std::unique_ptr<Registry>> open(Folder& folder, bool create);

  std::shared_ptr<FileState> find(std::string_view name) const;
  std::vector<std::string> names() const;

  /// A new file was started in memory only.
  /// Errors of all below: kNoSpace, kUnavailable.
  Result<std::shared_ptr<FileState>> created(std::string_view name, FileHeader const& header);
  /// The file's content was fsynced up to `synced`.
  Result<void> synced(std::string_view name, FileState& state, std::uint64_t synced);
  /// Around a rename in the folder.
  Result<void> renaming(std::string_view from, std::string_view to);
  void renamed(std::string_view from, std::string_view to);
  void not_renamed(std::string_view from, std::string_view to);
  /// Around an unlink in the folder.
  Result<void> unlinking(std::string_view name);
  void unlinked(std::string_view name);
  /// True when a power cut may still bring an unlinked file of this name back.
  bool may_come_back(std::string_view name) const;

  /// What an fsync of the folder that starts now will make durable; hand it to `established` afterwards.
  struct Pending {
    std::vector<std::pair<std::string, std::shared_ptr<FileState>>> files;
    std::vector<std::string> renamed_from;
    std::vector<std::string> unlinked;
  };
  Pending pending() const;
  Result<void> established(Pending const& pending);

  /// Goes on in a new REGISTRY, under a key lent now. Errors: kNoSpace, kUnavailable.
  Result<void> renew();

  /// Adds the names of REGISTRY and MARKS to `damaged` when they do not read back whole.
  Result<void> verify(std::vector<std::string>& damaged) const;
  Result<void> close();

 private:
  struct Rename {
    std::string from;
    std::string to;
    std::shared_ptr<FileState> file;
    std::shared_ptr<FileState> before;  // null: there was none
    bool done = false;                  // in the folder; waits for its fsync
  };

  explicit Registry(Folder& folder) : folder_(folder) {}
  void append_lengths(Bytes& entries) const TACENDA_REQUIRES(mutex_);
  Result<void> rewrite(FileId const& known_to_marks) TACENDA_REQUIRES(mutex_);
  Result<void> rewrite_and_mark() TACENDA_REQUIRES(mutex_);
  Bytes snapshot(FileId const& known_to_marks) const TACENDA_REQUIRES(mutex_);
  Result<void> append(ByteView entries) TACENDA_REQUIRES(mutex_);
  Result<void> append_and_sync(ByteView entries) TACENDA_REQUIRES(mutex_);
  Result<void> note_mark(FileState const& state);

  Folder& folder_;
  std::unique_ptr<Marks> marks_;  // set once by open
  mutable Mutex mutex_;
  std::unique_ptr<LogWriter> log_ TACENDA_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<FileState>, std::less<>> files_ TACENDA_GUARDED_BY(mutex_);
  std::vector<Rename> renames_ TACENDA_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> unlinked_
      TACENDA_GUARDED_BY(mutex_);  // since the last fsync of the folder
};

/// The slot of a log of this name; nullopt: the name is not that of a log.
std::optional<MarkSlot> mark_slot_of(std::string_view name);
/// True for the name of a table, whose damage does not touch the other files.
bool is_table(std::string_view name);
/// True when the engine gives files such names.
bool is_engine_file(std::string_view name);

}  // namespace tacenda::storage

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"

namespace tacenda::storage {

/// What a system call does; faults are planned by it.
enum class DiskCall : std::uint8_t {
  kCreate,
  kWrite,
  kTruncate,
  kSync,
  kRead,
  kRename,
  kUnlink,
  kSyncFolder
};

/// What a file is for, told by its name.
enum class FileGroup : std::uint8_t {
  kWriteAheadLog,
  kTable,
  kManifest,
  kCurrent,
  kIdentity,
  kOptions,
  kRegistry,
  kMarks,
  kOther,
  kFolder,
  kFolderAfterCreate,
  kFolderAfterRename,  // of kSyncFolder: the folder, by the caller's reason
};

FileGroup group_of(std::string_view path);

/// A disk in memory that does what a real one may do at its worst: on a power cut, bytes, renames,
/// creations and unlinks that were not synced are lost, torn by sector or reordered, as the seed decides.
/// A failed fsync drops what it should have synced, and a later one says success all the same.
///
/// Folders are flat, made at once and durable. Thread-safe; one lock.
class FaultDisk {
 public:
  class Inode;
  /// An open file. Dead after a restart.
  struct Handle {
    std::shared_ptr<Inode> inode;  // shared with folder entries: an unlinked file stays readable
    std::uint64_t boot = 0;
  };

  explicit FaultDisk(std::uint64_t seed);
  ~FaultDisk();

  // Faults -------------------------------------------------------------------------------------
  /// The power goes at the `calls`-th changing call from now (1: the next): it and all later calls fail.
  void cut_power_in(std::uint64_t calls);
  void cut_power();
  bool power_is_cut() const;
  /// Decides what survived and starts anew. All handles and locks are gone. Faults planned are forgotten.
  void restart();
  /// The `nth` matching call from now fails with `kind` (kUnavailable: EIO, kNoSpace: ENOSPC).
  struct Fault {
    DiskCall call;
    std::optional<FileGroup> group;  // nullopt: any
    std::uint64_t nth = 1;
    ErrorKind kind = ErrorKind::kUnavailable;
  };
  void fail(Fault const& fault);
  /// All files together can hold so many bytes; nullopt: any number.
  void set_capacity(std::optional<std::uint64_t> bytes);
  /// fsync of this group says success and does nothing: the harness must notice (mutation test).
  void ignore_sync(FileGroup group);
  /// Changing calls so far.
  std::uint64_t calls() const;

  // What tests do to files behind the engine's back, durable at once ------------------------------
  std::vector<std::string> files() const;  // whole paths, sorted
  Bytes content(std::string const& path) const;
  void set_content(std::string const& path, Bytes content);
  void swap(std::string const& a, std::string const& b);
  void erase(std::string const& path);

  // System calls. Errors: kUnavailable (EIO, power), kNoSpace, kNotFound, kConflict -------------------
  Result<void> make_folder(std::string const& path);
  Result<bool> folder_exists(std::string const& path) const;
  Result<std::vector<std::string>> list(std::string const& folder) const;
  enum class Existing : std::uint8_t { kRefuse, kEmpty };
  Result<Handle> create(std::string const& path, Existing existing);
  Result<Handle> open(std::string const& path);
  Result<bool> exists(std::string const& path) const;
  Result<void> rename(std::string const& from, std::string const& to);
  Result<void> unlink(std::string const& path);
  Result<void> sync_folder(std::string const& folder, FileGroup reason = FileGroup::kFolder);
  Result<std::uint64_t> size(Handle const& handle) const;
  Result<std::size_t> read(Handle const& handle, std::uint64_t offset, std::span<std::byte> out);
  Result<void> write(Handle const& handle, std::uint64_t offset, ByteView bytes);
  Result<void> append(Handle const& handle, ByteView bytes);
  Result<void> truncate(Handle const& handle, std::uint64_t size);
  Result<void> sync(Handle const& handle);
  Result<std::uint64_t> free_bytes() const;
  Result<void> lock(std::string const& path);
  void unlock(std::string const& path);

 private:
  struct FolderState;
  Result<void> step(DiskCall call, FileGroup group) TACENDA_REQUIRES(mutex_);
  Result<void> alive(Handle const& handle) const TACENDA_REQUIRES(mutex_);
  Result<FolderState*> folder_of(std::string const& path) TACENDA_REQUIRES(mutex_);
  std::shared_ptr<Inode> find(std::string const& path) const TACENDA_REQUIRES(mutex_);
  Result<void> write_locked(Inode& inode, std::uint64_t offset, ByteView bytes) TACENDA_REQUIRES(mutex_);
  void survive(Inode& inode) TACENDA_REQUIRES(mutex_);
  void survive(FolderState& folder) TACENDA_REQUIRES(mutex_);
  std::uint64_t used_bytes() const TACENDA_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::mt19937_64 random_ TACENDA_GUARDED_BY(mutex_);
  std::map<std::string, FolderState> folders_ TACENDA_GUARDED_BY(mutex_);
  std::set<std::string> locks_ TACENDA_GUARDED_BY(mutex_);
  std::vector<Fault> faults_ TACENDA_GUARDED_BY(mutex_);
  std::set<FileGroup> ignored_ TACENDA_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> capacity_ TACENDA_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> cut_at_ TACENDA_GUARDED_BY(mutex_);
  std::uint64_t calls_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::uint64_t boot_ TACENDA_GUARDED_BY(mutex_) = 1;
  bool cut_ TACENDA_GUARDED_BY(mutex_) = false;
};

}  // namespace tacenda::storage

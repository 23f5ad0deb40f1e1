#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/file_system.h>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "crypto/random.hpp"
#include "storage/file_keys.hpp"

namespace tacenda::storage {

inline rocksdb::Slice to_slice(ByteView bytes) {
  if (bytes.empty()) return {};  // RocksDB asserts that even an empty slice points somewhere
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}
inline ByteView to_view(rocksdb::Slice const& slice) {
  return as_bytes({slice.data(), slice.size()});
}

/// RocksDB's way of saying what `error` says.
rocksdb::IOStatus to_io_status(Error const& error);
/// Our way of saying what a status that is not OK says: kCorrupt, kNoSpace, kNotFound (a file), else
/// kUnavailable.
Error to_error(rocksdb::Status const& status, std::source_location where = std::source_location::current());

/// What went wrong in the data folder since it was opened. Thread-safe.
class Health {
 public:
  /// An fsync failed, or it is unknown what a failed write left behind: nothing may be acknowledged any more.
  void stop() { stopped_.store(true); }
  bool is_stopped() const { return stopped_.load(); }

  /// Notes a damaged file and logs its name once.
  void note_damage(std::string_view name);
  std::vector<std::string> damaged() const;
  bool is_damaged() const { return is_damaged_.load(); }

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<bool> is_damaged_{false};
  mutable Mutex mutex_;
  std::set<std::string, std::less<>> damaged_ TACENDA_GUARDED_BY(mutex_);
};

/// Keeps every other process, and every other engine of this one, out of a data folder. Who has read REGISTRY
/// must hold it until nothing of his can write any more: another would put a REGISTRY of his own in its
/// place, and what was bound in the old one counts as left over at the next start. Shared by the engine and
/// by every database that it opened on the folder; the last one unlocks.
class FolderLock {
 public:
  /// Errors: kConflict (another holds it).
  static Result<std::shared_ptr<FolderLock const>> take(std::shared_ptr<rocksdb::FileSystem> base,
                                                        std::string const& path);
  FolderLock(FolderLock const&) = delete;
  FolderLock& operator=(FolderLock const&) = delete;
  ~FolderLock();

 private:
  FolderLock(std::shared_ptr<rocksdb::FileSystem> base, rocksdb::FileLock* lock)
      : base_(std::move(base)), lock_(lock) {}

  std::shared_ptr<rocksdb::FileSystem> base_;  // shared: as Folder's
  rocksdb::FileLock* lock_;                    // owned by `base_`, which frees it
};

inline constexpr std::string_view kLockName = "LOCK";

/// The data folder and what is needed to seal files in it. `keys` and `random` outlive it.
struct Folder {
  std::shared_ptr<rocksdb::FileSystem> base;  // shared: RocksDB's wrapper type holds it too
  std::string path;
  FileKeys& keys;
  crypto::Random& random;
  Health health;

  std::string path_of(std::string_view name) const { return path + "/" + std::string(name); }

  /// Passes `status` of an fsync on; a failed one stops the folder.
  rocksdb::IOStatus judge_sync(rocksdb::IOStatus status);
  /// fsync of the folder itself.
  rocksdb::IOStatus sync();
  /// The whole file `name`. Errors: kNotFound, kUnavailable.
  Result<Bytes> read_file(std::string_view name, std::size_t size_bytes_max = kWholeFileBytesMax) const;

  static constexpr std::size_t kWholeFileBytesMax = std::size_t{4} << 30U;
};

}  // namespace tacenda::storage

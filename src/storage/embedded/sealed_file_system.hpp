#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/file_system.h>

#include "core/mutex.hpp"
#include "storage/embedded/chunk_file.hpp"
#include "storage/embedded/registry.hpp"

namespace tacenda::storage {

/// The file system that RocksDB is given: every file of the data folder is sealed and its name bound to
/// its id. Only what RocksDB 7.8 needs is supported; all other calls are refused, so that no file is
/// ever written in clear. Thread-safe as RocksDB demands it.
class SealedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  /// `folder` and `registry` outlive it.
  SealedFileSystem(Folder& folder, Registry& registry);

  char const* Name() const override { return "TacendaSealedFileSystem"; }

  rocksdb::IOStatus NewSequentialFile(std::string const& path, rocksdb::FileOptions const& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(std::string const& path, rocksdb::FileOptions const& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(std::string const& path, rocksdb::FileOptions const& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  /// Recovery calls this on the last log to cut off preallocated space: it may say the size that the file
  /// has and close, and append nothing.
  rocksdb::IOStatus ReopenWritableFile(std::string const& path, rocksdb::FileOptions const& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(std::string const&, std::string const&, rocksdb::FileOptions const&,
                                      std::unique_ptr<rocksdb::FSWritableFile>*,
                                      rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewRandomRWFile(std::string const&, rocksdb::FileOptions const&,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>*,
                                    rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NewMemoryMappedFileBuffer(std::string const&,
                                              std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override;
  rocksdb::IOStatus NewDirectory(std::string const& path, rocksdb::IOOptions const& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewLogger(std::string const&, rocksdb::IOOptions const&,
                              std::shared_ptr<rocksdb::Logger>* result, rocksdb::IODebugContext*) override;

  rocksdb::IOStatus FileExists(std::string const& path, rocksdb::IOOptions const& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildren(std::string const& path, rocksdb::IOOptions const& options,
                                std::vector<std::string>* result, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildrenFileAttributes(std::string const& path, rocksdb::IOOptions const& options,
                                              std::vector<rocksdb::FileAttributes>* result,
                                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(std::string const& path, rocksdb::IOOptions const& options, uint64_t* size,
                                rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(std::string const& path, rocksdb::IOOptions const& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(std::string const& from, std::string const& to,
                               rocksdb::IOOptions const& options, rocksdb::IODebugContext* debug) override;
  /// The engine holds the folder's lock since before the registry was read (FolderLock): RocksDB, which would
  /// take it too late and give it back too early, is told that it has it.
  rocksdb::IOStatus LockFile(std::string const& path, rocksdb::IOOptions const&, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext*) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock* lock, rocksdb::IOOptions const&,
                               rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Truncate(std::string const&, size_t, rocksdb::IOOptions const&,
                             rocksdb::IODebugContext*) override;
  rocksdb::IOStatus LinkFile(std::string const&, std::string const&, rocksdb::IOOptions const&,
                             rocksdb::IODebugContext*) override;
  rocksdb::IOStatus NumFileLinks(std::string const&, rocksdb::IOOptions const&, uint64_t*,
                                 rocksdb::IODebugContext*) override;
  rocksdb::IOStatus AreFilesSame(std::string const&, std::string const&, rocksdb::IOOptions const&, bool*,
                                 rocksdb::IODebugContext*) override;

  /// Reads every byte of one file and checks it, while the engine goes on. A file that is not complete yet,
  /// or not there any more, has nothing to check. Errors: kCorrupt, kNotFound (gone without the engine),
  /// kUnavailable.
  Result<void> verify(std::string const& name) const;

  /// True once RocksDB could not read a log. Without paranoid checks it goes on as if that log were empty,
  /// and deletes it when it has put the rest in order: from this moment on no file is made, renamed or
  /// deleted.
  bool has_unreadable_log() const { return log_unreadable_.load(); }

 private:
  struct Opened;
  std::string name_of(std::string const& path) const;
  Result<Opened> open(std::string const& name) const;
  Result<Bytes> read_log_file(std::string const& name) const;
  Result<void> read_whole(std::string const& name) const;
  Result<std::unique_ptr<ChunkReader>> open_chunks(std::string const& name,
                                                   rocksdb::FileOptions const& options) const;
  rocksdb::IOStatus sync_folder();
  rocksdb::IOStatus refuse_after_unreadable_log() const;
  rocksdb::IOStatus failed(std::string const& name, Error const& error) const;

  Folder& folder_;
  Registry& registry_;
  // Held while a file and its name in the registry do not agree: inside a rename or an unlink. Taken before
  // the registry's own lock.
  mutable SharedMutex moving_;
  std::atomic<bool> log_unreadable_{false};
};

}  // namespace tacenda::storage

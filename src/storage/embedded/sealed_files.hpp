#pragma once

#include <memory>
#include <string>

#include <rocksdb/file_system.h>

#include "storage/embedded/chunk_file.hpp"
#include "storage/embedded/log_writer.hpp"
#include "storage/embedded/registry.hpp"

// The file objects that SealedFileSystem hands to RocksDB: thin translations, no format of their own.
namespace tacenda::storage {

/// A log that was opened whole.
class MemorySequentialFile final : public rocksdb::FSSequentialFile {
 public:
  explicit MemorySequentialFile(Bytes content) : content_(std::move(content)) {}
  rocksdb::IOStatus Read(size_t count, rocksdb::IOOptions const&, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Skip(uint64_t count) override;

 private:
  Bytes content_;
  std::size_t position_ = 0;
};

class ChunkSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  ChunkSequentialFile(Folder& folder, std::string name, std::unique_ptr<ChunkReader> reader)
      : folder_(folder), name_(std::move(name)), reader_(std::move(reader)) {}
  rocksdb::IOStatus Read(size_t count, rocksdb::IOOptions const&, rocksdb::Slice* result, char* scratch,
                         rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Skip(uint64_t count) override;

 private:
  Folder& folder_;
  std::string name_;
  std::unique_ptr<ChunkReader> reader_;
  std::uint64_t position_ = 0;
};

class ChunkRandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  ChunkRandomAccessFile(Folder& folder, std::string name, std::unique_ptr<ChunkReader> reader)
      : folder_(folder), name_(std::move(name)), reader_(std::move(reader)) {}
  rocksdb::IOStatus Read(uint64_t offset, size_t count, rocksdb::IOOptions const&, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext*) const override;

 private:
  Folder& folder_;
  std::string name_;
  std::unique_ptr<ChunkReader> reader_;
};

/// A log that is being written. The file is made at its first append and not before: RocksDB 7.8 takes a full
/// disk for fatal when it makes a log, and for passing when it writes one.
class LogWritableFile final : public rocksdb::FSWritableFile {
 public:
  LogWritableFile(Folder& folder, Registry& registry, std::string name, rocksdb::FileOptions const& options)
      : FSWritableFile(options),
        folder_(folder),
        registry_(registry),
        name_(std::move(name)),
        options_(options) {}
  using FSWritableFile::Append;
  rocksdb::IOStatus Append(rocksdb::Slice const& data, rocksdb::IOOptions const&,
                           rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Flush(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Sync(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Close(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  uint64_t GetFileSize(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override { return plain_; }
  /// Space is preallocated by the writer, at the offsets of the sealed file.
  void PrepareWrite(size_t, size_t, rocksdb::IOOptions const&, rocksdb::IODebugContext*) override {}

 private:
  Result<void> append(ByteView bytes);
  Result<void> make();

  Folder& folder_;
  Registry& registry_;
  std::string name_;
  rocksdb::FileOptions options_;
  std::shared_ptr<FileState> state_;  // shared with the registry, which may forget the file first
  std::unique_ptr<LogWriter> writer_;
  std::uint64_t plain_ = 0;
  bool failed_ = false;
};

class ChunkWritableFile final : public rocksdb::FSWritableFile {
 public:
  ChunkWritableFile(Registry& registry, std::string name, std::shared_ptr<FileState> state,
                    std::unique_ptr<ChunkWriter> writer, rocksdb::FileOptions const& options)
      : FSWritableFile(options),
        registry_(registry),
        name_(std::move(name)),
        state_(std::move(state)),
        writer_(std::move(writer)) {}
  using FSWritableFile::Append;
  rocksdb::IOStatus Append(rocksdb::Slice const& data, rocksdb::IOOptions const&,
                           rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Flush(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Sync(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus RangeSync(uint64_t, uint64_t, rocksdb::IOOptions const&,
                              rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Close(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  uint64_t GetFileSize(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override {
    return writer_->plain_bytes();
  }
  void PrepareWrite(size_t, size_t, rocksdb::IOOptions const&, rocksdb::IODebugContext*) override {}

 private:
  Registry& registry_;
  std::string name_;
  std::shared_ptr<FileState> state_;  // as above
  std::unique_ptr<ChunkWriter> writer_;
};

/// A finished file opened "for writing": may be cut to the size it has, and nothing else.
class FinishedFile final : public rocksdb::FSWritableFile {
 public:
  explicit FinishedFile(std::uint64_t size) : size_(size) {}
  using FSWritableFile::Append;
  rocksdb::IOStatus Append(rocksdb::Slice const&, rocksdb::IOOptions const&,
                           rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Truncate(uint64_t size, rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Flush(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Sync(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  rocksdb::IOStatus Close(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override;
  uint64_t GetFileSize(rocksdb::IOOptions const&, rocksdb::IODebugContext*) override { return size_; }

 private:
  std::uint64_t size_;
};

/// Tells the registry what an fsync of the folder has made durable.
class BoundDirectory final : public rocksdb::FSDirectory {
 public:
  BoundDirectory(Folder& folder, Registry& registry, std::unique_ptr<rocksdb::FSDirectory> base)
      : folder_(folder), registry_(registry), base_(std::move(base)) {}
  rocksdb::IOStatus Fsync(rocksdb::IOOptions const& options, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FsyncWithDirOptions(rocksdb::IOOptions const& options, rocksdb::IODebugContext* debug,
                                        rocksdb::DirFsyncOptions const& reason) override;
  rocksdb::IOStatus Close(rocksdb::IOOptions const& options, rocksdb::IODebugContext* debug) override;
  size_t GetUniqueId(char* id, size_t max_size) const override { return base_->GetUniqueId(id, max_size); }

 private:
  rocksdb::IOStatus settle(Registry::Pending const& pending, rocksdb::IOStatus synced);

  Folder& folder_;
  Registry& registry_;
  std::unique_ptr<rocksdb::FSDirectory> base_;
};

}  // namespace tacenda::storage

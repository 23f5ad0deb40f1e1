#pragma once

#include <memory>
#include <string>

#include "storage/embedded/folder.hpp"
#include "storage/embedded/sealed_format.hpp"

namespace tacenda::storage {

/// A fresh key, file id and header, and the base file that starts with them.
struct StartedFile {
  FileHeader header;
  HeaderBytes header_bytes;
  crypto::AeadKey key;
  std::unique_ptr<rocksdb::FSWritableFile> base;
};

/// Makes (or empties) the base file `name` and writes its header; not synced. Errors: kUnavailable, kNoSpace.
Result<StartedFile> start_file(Folder& folder, std::string_view name, FileKind kind, FileClass file_class,
                               rocksdb::FileOptions const& options);

/// Appends groups of sealed records to a new file. What is appended stays in memory until the group is
/// written, so that a group costs one write and one fsync. After an error every later call fails.
///
/// Owner: one thread at a time. `folder` outlives it.
class LogWriter {
 public:
  static Result<std::unique_ptr<LogWriter>> create(Folder& folder, std::string_view name, FileKind kind,
                                                   FileClass file_class,
                                                   rocksdb::FileOptions const& options = {});

  FileHeader const& header() const { return header_; }
  std::uint64_t size_bytes() const { return size_; }      // on disk
  std::uint64_t synced_bytes() const { return synced_; }  // of these, known to be durable
  bool is_broken() const { return broken_; }

  /// Adds to the current group.
  /// Errors of all three: kNoSpace (nothing of the group is in the file), kUnavailable.
  Result<void> append(ByteView bytes);
  /// Ends the group and writes it; a crash may still lose it, whole.
  Result<void> write_group();
  /// Ends the group and makes all groups durable.
  Result<void> sync();
  Result<void> close();

 private:
  LogWriter(Folder& folder, StartedFile file, crypto::MacKey const& nonce_key);
  Result<void> write_record(ByteView payload, GroupEnd end);
  Error give_up(rocksdb::IOStatus const& status);

  Folder& folder_;
  FileHeader header_;
  RecordSealer sealer_;
  std::unique_ptr<rocksdb::FSWritableFile> base_;
  Bytes pending_;               // appended, not yet sealed
  Bytes sealed_;                // buffer of write_record, kept to save allocations
  bool group_is_open_ = false;  // records of the group were written, its end was not
  std::uint64_t size_ = kHeaderBytes;
  std::uint64_t group_start_ = kHeaderBytes;
  std::uint64_t synced_ = 0;
  bool broken_ = false;
};

}  // namespace tacenda::storage

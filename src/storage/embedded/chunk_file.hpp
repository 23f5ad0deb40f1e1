#pragma once

#include <memory>
#include <string>

#include "storage/embedded/log_writer.hpp"

namespace tacenda::storage {

/// Writes a chunk file. The first sync (or the close) seals the last chunk: nothing can be appended after it,
/// because the last chunk would have to be sealed a second time under the same nonce.
///
/// Owner: one thread at a time.
class ChunkWriter {
 public:
  /// `file` was started with kind kChunks.
  ChunkWriter(Folder& folder, StartedFile file);

  FileHeader const& header() const { return header_; }
  std::uint64_t plain_bytes() const { return full_chunks_ * kChunkBytes + pending_.size(); }

  /// Errors: kNoSpace, kUnavailable; also when the file was synced before.
  Result<void> append(ByteView bytes);
  Result<void> sync();
  Result<void> close();
  /// Asks the operating system to start writing what was sealed so far.
  void start_writeback();

 private:
  Result<void> write_chunk(ChunkPlace place);
  Result<void> finish();

  Folder& folder_;
  FileHeader header_;
  ChunkCodec codec_;
  std::unique_ptr<rocksdb::FSWritableFile> base_;
  Bytes pending_;  // at most one chunk: a full one waits until it is known whether it is the last
  Bytes sealed_;   // buffer of write_chunk
  std::uint64_t full_chunks_ = 0;
  bool finished_ = false;
  bool broken_ = false;
};

/// Reads a chunk file at any place. Thread-safe.
class ChunkReader {
 public:
  /// Opens the last chunk first, so that a cut-off file shows at once.
  /// Errors: kCorrupt, kUnavailable.
  static Result<std::unique_ptr<ChunkReader>> open(Folder& folder, std::string_view name,
                                                   HeaderBytes const& header, crypto::AeadKey const& key,
                                                   rocksdb::FileOptions const& options);

  std::uint64_t plain_bytes() const { return plain_bytes_; }

  /// Fills `out` from `offset` on; returns how many bytes there were before the end of the file.
  /// Errors: kCorrupt (a chunk does not open), kUnavailable.
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  ChunkReader(std::unique_ptr<rocksdb::FSRandomAccessFile> base, ChunkCodec codec, std::uint64_t plain_bytes);
  Result<void> open_chunk(std::uint64_t index, ByteView sealed, std::span<std::byte> out) const;

  std::unique_ptr<rocksdb::FSRandomAccessFile> base_;
  ChunkCodec codec_;
  std::uint64_t plain_bytes_;
  std::uint64_t chunk_count_;
};

}  // namespace tacenda::storage

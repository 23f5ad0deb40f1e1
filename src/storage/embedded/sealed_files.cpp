#include "storage/embedded/sealed_files.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tacenda::storage {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

IOStatus to_io_status(Result<void> const& result) {
  return result ? IOStatus::OK() : storage::to_io_status(result.error());
}

IOStatus read_chunks(Folder& folder, std::string const& name, ChunkReader const& reader, std::uint64_t offset,
                     size_t count, Slice* result, char* scratch) {
  auto const size = reader.read(offset, std::as_writable_bytes(std::span(scratch, count)));
  if (!size) {
    if (size.error().kind() == ErrorKind::kCorrupt) folder.health.note_damage(name);
    *result = Slice(scratch, 0);
    return storage::to_io_status(size.error());
  }
  *result = Slice(scratch, *size);
  return IOStatus::OK();
}

}  // namespace

IOStatus MemorySequentialFile::Read(size_t count, IOOptions const&, Slice* result, char* scratch,
                                    IODebugContext*) {
  std::size_t const size = std::min(count, content_.size() - position_);
  if (size > 0) std::memcpy(scratch, content_.data() + position_, size);
  *result = Slice(scratch, size);
  position_ += size;
  return IOStatus::OK();
}

IOStatus MemorySequentialFile::Skip(uint64_t count) {
  position_ += static_cast<std::size_t>(std::min<std::uint64_t>(count, content_.size() - position_));
  return IOStatus::OK();
}

IOStatus ChunkSequentialFile::Read(size_t count, IOOptions const&, Slice* result, char* scratch,
                                   IODebugContext*) {
  auto const status = read_chunks(folder_, name_, *reader_, position_, count, result, scratch);
  position_ += result->size();
  // See SealedFileSystem::failed: an assert of RocksDB wants no Corruption for this one file.
  return name_ == "IDENTITY" && status.IsCorruption() ? IOStatus::IOError("damaged") : status;
}

IOStatus ChunkSequentialFile::Skip(uint64_t count) {
  position_ = std::min(position_ + count, reader_->plain_bytes());
  return IOStatus::OK();
}

IOStatus ChunkRandomAccessFile::Read(uint64_t offset, size_t count, IOOptions const&, Slice* result,
                                     char* scratch, IODebugContext*) const {
  return read_chunks(folder_, name_, *reader_, offset, count, result, scratch);
}

Result<void> LogWritableFile::make() {
  if (failed_) return fail(ErrorKind::kUnavailable, "log could not be made");
  auto writer = LogWriter::create(folder_, name_, FileKind::kLog, FileClass::kLog, options_);
  failed_ = !writer.has_value();
  writer_ = TACENDA_TRY(std::move(writer));
  state_ = TACENDA_TRY(registry_.created(name_, writer_->header()));
  return {};
}

Result<void> LogWritableFile::append(ByteView bytes) {
  if (!writer_) TACENDA_TRY_VOID(make());
  plain_ += bytes.size();
  return writer_->append(bytes);
}

IOStatus LogWritableFile::Append(Slice const& data, IOOptions const&, IODebugContext*) {
  return to_io_status(append(to_view(data)));
}

// Nothing is written before the sync: the group goes to the disk in one write, whole.
IOStatus LogWritableFile::Flush(IOOptions const&, IODebugContext*) {
  return IOStatus::OK();
}

IOStatus LogWritableFile::Sync(IOOptions const&, IODebugContext*) {
  if (!writer_) return failed_ ? to_io_status(make()) : IOStatus::OK();  // nothing was appended
  if (auto const synced = writer_->sync(); !synced) return to_io_status(synced);
  state_->plain.store(plain_);
  return to_io_status(registry_.synced(name_, *state_, writer_->synced_bytes()));
}

IOStatus LogWritableFile::Close(IOOptions const&, IODebugContext*) {
  return writer_ ? to_io_status(writer_->close()) : IOStatus::OK();
}

IOStatus ChunkWritableFile::Append(Slice const& data, IOOptions const&, IODebugContext*) {
  return to_io_status(writer_->append(to_view(data)));
}

IOStatus ChunkWritableFile::Flush(IOOptions const&, IODebugContext*) {
  return IOStatus::OK();
}

IOStatus ChunkWritableFile::Sync(IOOptions const&, IODebugContext*) {
  if (auto const synced = writer_->sync(); !synced) return to_io_status(synced);
  return to_io_status(registry_.synced(name_, *state_, 0));
}

IOStatus ChunkWritableFile::RangeSync(uint64_t, uint64_t, IOOptions const&, IODebugContext*) {
  writer_->start_writeback();
  return IOStatus::OK();
}

IOStatus ChunkWritableFile::Close(IOOptions const&, IODebugContext*) {
  return to_io_status(writer_->close());
}

IOStatus FinishedFile::Append(Slice const&, IOOptions const&, IODebugContext*) {
  return IOStatus::NotSupported("a sealed file is never appended to again");
}

IOStatus FinishedFile::Truncate(uint64_t size, IOOptions const&, IODebugContext*) {
  return size == size_ ? IOStatus::OK() : IOStatus::NotSupported("a sealed file is never cut");
}

IOStatus FinishedFile::Flush(IOOptions const&, IODebugContext*) {
  return IOStatus::OK();
}
IOStatus FinishedFile::Sync(IOOptions const&, IODebugContext*) {
  return IOStatus::OK();
}
IOStatus FinishedFile::Close(IOOptions const&, IODebugContext*) {
  return IOStatus::OK();
}

IOStatus BoundDirectory::Fsync(IOOptions const& options, IODebugContext* debug) {
  auto const pending = registry_.pending();  // before the fsync: what is renamed during it may not be covered
  return settle(pending, base_->Fsync(options, debug));
}

IOStatus BoundDirectory::FsyncWithDirOptions(IOOptions const& options, IODebugContext* debug,
                                             rocksdb::DirFsyncOptions const& reason) {
  auto const pending = registry_.pending();  // as above
  return settle(pending, base_->FsyncWithDirOptions(options, debug, reason));
}

IOStatus BoundDirectory::Close(IOOptions const& options, IODebugContext* debug) {
  return base_->Close(options, debug);
}

IOStatus BoundDirectory::settle(Registry::Pending const& pending, IOStatus synced) {
  if (auto const status = folder_.judge_sync(std::move(synced)); !status.ok()) return status;
  return to_io_status(registry_.established(pending));
}

}  // namespace tacenda::storage

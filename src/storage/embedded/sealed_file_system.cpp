#include "storage/embedded/sealed_file_system.hpp"

#include <algorithm>
#include <utility>

#include "core/log.hpp"
#include "storage/embedded/quiet_logger.hpp"
#include "storage/embedded/sealed_files.hpp"

namespace tacenda::storage {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

struct SealedFileSystem::Opened {
  std::shared_ptr<FileState> state;
  FileHeader header;
  HeaderBytes header_bytes;
  crypto::AeadKey key;
};

SealedFileSystem::SealedFileSystem(Folder& folder, Registry& registry)
    : FileSystemWrapper(folder.base), folder_(folder), registry_(registry) {}

// Empty for every path that is not a file directly in the data folder.
std::string SealedFileSystem::name_of(std::string const& path) const {
  if (!path.starts_with(folder_.path) || path.size() <= folder_.path.size() + 1) return {};
  std::string name = path.substr(folder_.path.size());
  name.erase(0, std::min(name.find_first_not_of('/'), name.size()));
  return name.find('/') == std::string::npos ? name : std::string();
}

Result<SealedFileSystem::Opened> SealedFileSystem::open(std::string const& name) const {
  auto state = registry_.find(name);
  if (!state) return fail(ErrorKind::kNotFound, "no such file in the data folder");
  Bytes const start = TACENDA_TRY(folder_.read_file(name, kHeaderBytes));
  FileHeader header = TACENDA_TRY(parse_header(start));
  FileKind const expected = mark_slot_of(name) ? FileKind::kLog : FileKind::kChunks;
  if (header.id != state->id || header.kind != expected) {
    return fail(ErrorKind::kCorrupt, "a file stands in the place of another");
  }
  Opened opened{.state = std::move(state), .header = std::move(header), .header_bytes = {}, .key = {}};
  std::ranges::copy(start, opened.header_bytes.begin());
  opened.key = TACENDA_TRY(folder_.keys.open(opened.header.wrapped_key));
  return opened;
}

Result<Bytes> SealedFileSystem::read_log_file(std::string const& name) const {
  Opened const opened = TACENDA_TRY(open(name));
  std::uint64_t const synced = opened.state->synced.load();  // before the read: the log may be growing
  Bytes const file = TACENDA_TRY(folder_.read_file(name));
  LogContent content = TACENDA_TRY(read_log(opened.key, file, synced));
  return std::move(content.plaintext);
}

Result<std::unique_ptr<ChunkReader>> SealedFileSystem::open_chunks(std::string const& name,
                                                                   FileOptions const& options) const {
  Opened const opened = TACENDA_TRY(open(name));
  return ChunkReader::open(folder_, name, opened.header_bytes, opened.key, options);
}

// Debian's RocksDB has asserts on, and one of them allows for IDENTITY only NotFound and IOError.
IOStatus SealedFileSystem::failed(std::string const& name, Error const& error) const {
  if (error.kind() == ErrorKind::kCorrupt) folder_.health.note_damage(name);
  if (name == "IDENTITY" && error.kind() == ErrorKind::kCorrupt) return IOStatus::IOError("damaged");
  return to_io_status(error);
}

IOStatus SealedFileSystem::refuse_after_unreadable_log() const {
  return log_unreadable_.load() ? IOStatus::IOError("a log could not be read") : IOStatus::OK();
}

Result<void> SealedFileSystem::verify(std::string const& name) const {
  while (true) {
    auto const state = registry_.find(name);
    if (!state || !state->bound.load()) return {};
    auto verified = read_whole(name);
    if (verified) return verified;
    // The engine goes on meanwhile: a file that was renamed, replaced or unlinked during the read is another
    // one.
    ReadLock const lock(moving_);
    if (registry_.find(name) == state && state->bound.load()) return verified;
  }
}

Result<void> SealedFileSystem::read_whole(std::string const& name) const {
  if (mark_slot_of(name)) {
    TACENDA_TRY_VOID(read_log_file(name));
    return {};
  }
  auto const reader = TACENDA_TRY(open_chunks(name, {}));
  Bytes buffer(64 * kChunkBytes);
  for (std::uint64_t offset = 0; offset < reader->plain_bytes(); offset += buffer.size()) {
    TACENDA_TRY_VOID(reader->read(offset, buffer));
  }
  return {};
}

IOStatus SealedFileSystem::NewSequentialFile(std::string const& path, FileOptions const& options,
                                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                                             IODebugContext*) {
  std::string const name = name_of(path);
  if (mark_slot_of(name)) {
    auto content = read_log_file(name);
    if (!content) {
      log_unreadable_.store(true);
      log(LogLevel::kError, "a log of the data folder cannot be read", {{"file", OperatorText{name}}});
      return failed(name, content.error());
    }
    *result = std::make_unique<MemorySequentialFile>(*std::move(content));
    return IOStatus::OK();
  }
  auto reader = open_chunks(name, options);
  if (!reader) return failed(name, reader.error());
  *result = std::make_unique<ChunkSequentialFile>(folder_, name, *std::move(reader));
  return IOStatus::OK();
}

IOStatus SealedFileSystem::NewRandomAccessFile(std::string const& path, FileOptions const& options,
                                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                               IODebugContext*) {
  std::string const name = name_of(path);
  auto reader = open_chunks(name, options);
  if (!reader) return failed(name, reader.error());
  *result = std::make_unique<ChunkRandomAccessFile>(folder_, name, *std::move(reader));
  return IOStatus::OK();
}

IOStatus SealedFileSystem::NewWritableFile(std::string const& path, FileOptions const& options,
                                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                                           IODebugContext* debug) {
  std::string const name = name_of(path);
  if (!is_engine_file(name)) return IOStatus::NotSupported("not a file of the engine");
  if (auto const status = refuse_after_unreadable_log(); !status.ok()) return status;
  if (registry_.find(name)) {
    if (auto const status = DeleteFile(path, options.io_options, debug); !status.ok()) return status;
  }
  if (registry_.may_come_back(name)) {
    // The unlink must be durable before the name gets another id.
    if (auto const status = sync_folder(); !status.ok()) return status;
  }
  if (mark_slot_of(name)) {
    *result = std::make_unique<LogWritableFile>(folder_, registry_, name, options);
    return IOStatus::OK();
  }
  auto const file_class = is_table(name) ? FileClass::kIndexOrData : FileClass::kBookkeeping;
  auto file = start_file(folder_, name, FileKind::kChunks, file_class, options);
  if (!file) return failed(name, file.error());
  auto state = registry_.created(name, file->header);
  if (!state) return failed(name, state.error());
  auto writer = std::make_unique<ChunkWriter>(folder_, *std::move(file));
  *result =
      std::make_unique<ChunkWritableFile>(registry_, name, *std::move(state), std::move(writer), options);
  return IOStatus::OK();
}

IOStatus SealedFileSystem::sync_folder() {
  auto const pending = registry_.pending();
  if (auto const status = folder_.sync(); !status.ok()) return status;
  auto const established = registry_.established(pending);
  return established ? IOStatus::OK() : to_io_status(established.error());
}

IOStatus SealedFileSystem::ReopenWritableFile(std::string const& path, FileOptions const& options,
                                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                                              IODebugContext* debug) {
  uint64_t size = 0;
  if (auto const status = GetFileSize(path, options.io_options, &size, debug); !status.ok()) return status;
  *result = std::make_unique<FinishedFile>(size);
  return IOStatus::OK();
}

IOStatus SealedFileSystem::NewDirectory(std::string const& path, IOOptions const& options,
                                        std::unique_ptr<rocksdb::FSDirectory>* result,
                                        IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> base;
  auto const status = target()->NewDirectory(path, options, &base, debug);
  if (status.ok()) *result = std::make_unique<BoundDirectory>(folder_, registry_, std::move(base));
  return status;
}

IOStatus SealedFileSystem::NewLogger(std::string const&, IOOptions const&,
                                     std::shared_ptr<rocksdb::Logger>* result, IODebugContext*) {
  *result = std::make_shared<QuietLogger>();
  return IOStatus::OK();
}

IOStatus SealedFileSystem::FileExists(std::string const& path, IOOptions const& options,
                                      IODebugContext* debug) {
  std::string const name = name_of(path);
  if (name.empty() || !is_engine_file(name)) return target()->FileExists(path, options, debug);
  return registry_.find(name) ? IOStatus::OK() : IOStatus::NotFound();
}

IOStatus SealedFileSystem::GetChildren(std::string const& path, IOOptions const& options,
                                       std::vector<std::string>* result, IODebugContext* debug) {
  if (path != folder_.path && path != folder_.path + "/")
    return target()->GetChildren(path, options, result, debug);
  *result = registry_.names();
  return IOStatus::OK();
}

IOStatus SealedFileSystem::GetChildrenFileAttributes(std::string const& path, IOOptions const& options,
                                                     std::vector<rocksdb::FileAttributes>* result,
                                                     IODebugContext* debug) {
  // The default goes through GetChildren and GetFileSize above, which give plaintext sizes.
  // NOLINTNEXTLINE(bugprone-parent-virtual-call): FileSystemWrapper's gives sealed sizes
  return FileSystem::GetChildrenFileAttributes(path, options, result, debug);
}

IOStatus SealedFileSystem::GetFileSize(std::string const& path, IOOptions const& options, uint64_t* size,
                                       IODebugContext* debug) {
  std::string const name = name_of(path);
  auto const state = registry_.find(name);
  if (!state) return IOStatus::PathNotFound("no such file in the data folder");
  if (mark_slot_of(name)) {
    if (state->plain.load() == 0) {
      auto const content = read_log_file(name);
      if (!content) return failed(name, content.error());
      state->plain.store(content->size());
    }
    *size = state->plain.load();
    return IOStatus::OK();
  }
  uint64_t sealed = 0;
  if (auto const status = target()->GetFileSize(path, options, &sealed, debug); !status.ok()) return status;
  auto const plain = plain_size(sealed);
  if (!plain && state->bound.load()) return failed(name, plain.error());
  *size = plain.value_or(0);  // RocksDB asks for the size of what it failed to write, to delete it
  return IOStatus::OK();
}

IOStatus SealedFileSystem::DeleteFile(std::string const& path, IOOptions const& options,
                                      IODebugContext* debug) {
  std::string const name = name_of(path);
  if (auto const status = refuse_after_unreadable_log(); !status.ok()) return status;
  WriteLock const lock(moving_);
  if (!registry_.find(name)) return IOStatus::PathNotFound("no such file in the data folder");
  if (auto const unlinking = registry_.unlinking(name); !unlinking) return to_io_status(unlinking.error());
  auto const status = target()->DeleteFile(path, options, debug);
  if (status.ok()) registry_.unlinked(name);
  return status;
}

IOStatus SealedFileSystem::RenameFile(std::string const& from, std::string const& to,
                                      IOOptions const& options, IODebugContext* debug) {
  std::string const old_name = name_of(from);
  std::string const new_name = name_of(to);
  // The kind is in the name: a log renamed to something else could not be read.
  if (!is_engine_file(old_name) || !is_engine_file(new_name) || mark_slot_of(old_name) ||
      mark_slot_of(new_name)) {
    return IOStatus::NotSupported("not a rename of the engine");
  }
  if (auto const status = refuse_after_unreadable_log(); !status.ok()) return status;
  // RocksDB syncs the folder only after the rename, and trusts that no file system keeps the new CURRENT and
  // loses the MANIFEST that it names.
  if (new_name == "CURRENT") {
    if (auto const status = sync_folder(); !status.ok()) return status;
  }
  WriteLock const lock(moving_);
  if (auto const renaming = registry_.renaming(old_name, new_name); !renaming)
    return to_io_status(renaming.error());
  auto const status = target()->RenameFile(from, to, options, debug);
  if (status.ok()) {
    registry_.renamed(old_name, new_name);
  } else {
    registry_.not_renamed(old_name, new_name);
  }
  return status;
}

IOStatus SealedFileSystem::ReuseWritableFile(std::string const&, std::string const&, FileOptions const&,
                                             std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("logs are not recycled");
}

IOStatus SealedFileSystem::NewRandomRWFile(std::string const&, FileOptions const&,
                                           std::unique_ptr<rocksdb::FSRandomRWFile>*, IODebugContext*) {
  return IOStatus::NotSupported("sealed files are not written in place");
}

IOStatus SealedFileSystem::NewMemoryMappedFileBuffer(std::string const&,
                                                     std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) {
  return IOStatus::NotSupported("sealed files are not mapped");
}

IOStatus SealedFileSystem::LockFile(std::string const& path, IOOptions const&, rocksdb::FileLock** lock,
                                    IODebugContext*) {
  if (name_of(path) != kLockName) return IOStatus::NotSupported("not the lock of the data folder");
  *lock = new rocksdb::FileLock;  // RocksDB gives it back to UnlockFile
  return IOStatus::OK();
}

IOStatus SealedFileSystem::UnlockFile(rocksdb::FileLock* lock, IOOptions const&, IODebugContext*) {
  std::unique_ptr<rocksdb::FileLock> const owned(lock);
  return IOStatus::OK();
}

IOStatus SealedFileSystem::Truncate(std::string const&, size_t, IOOptions const&, IODebugContext*) {
  return IOStatus::NotSupported("sealed files are not truncated");
}

IOStatus SealedFileSystem::LinkFile(std::string const&, std::string const&, IOOptions const&,
                                    IODebugContext*) {
  return IOStatus::NotSupported("sealed files have one name");
}

IOStatus SealedFileSystem::NumFileLinks(std::string const&, IOOptions const&, uint64_t* count,
                                        IODebugContext*) {
  *count = 1;
  return IOStatus::OK();
}

IOStatus SealedFileSystem::AreFilesSame(std::string const&, std::string const&, IOOptions const&, bool*,
                                        IODebugContext*) {
  return IOStatus::NotSupported("sealed files have one name");
}

}  // namespace tacenda::storage

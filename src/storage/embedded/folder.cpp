#include "storage/embedded/folder.hpp"

#include <algorithm>

#include "core/log.hpp"

namespace tacenda::storage {

rocksdb::IOStatus to_io_status(Error const& error) {
  rocksdb::Slice const message(error.message().data(), error.message().size());
  switch (error.kind()) {
    case ErrorKind::kCorrupt:
      return rocksdb::IOStatus::Corruption(message);
    case ErrorKind::kNoSpace:
      return rocksdb::IOStatus::NoSpace(message);
    case ErrorKind::kNotFound:
      return rocksdb::IOStatus::PathNotFound(message);
    default:
      return rocksdb::IOStatus::IOError(message);
  }
}

Error to_error(rocksdb::Status const& status, std::source_location where) {
  if (status.IsCorruption()) return {ErrorKind::kCorrupt, "data folder: a file is damaged", where};
  if (status.IsNoSpace()) return {ErrorKind::kNoSpace, "data folder: the disk is full", where};
  if (status.IsNotFound() || status.IsPathNotFound()) {
    return {ErrorKind::kNotFound, "data folder: a file is missing", where};
  }
  return {ErrorKind::kUnavailable, "data folder: input or output failed", where};
}

void Health::note_damage(std::string_view name) {
  {
    MutexLock const lock(mutex_);
    if (!damaged_.emplace(name).second) return;
    is_damaged_.store(true);
  }
  log(LogLevel::kError, "a file of the data folder is damaged", {{"file", OperatorText{name}}});
}

std::vector<std::string> Health::damaged() const {
  MutexLock const lock(mutex_);
  return {damaged_.begin(), damaged_.end()};
}

Result<std::shared_ptr<FolderLock const>> FolderLock::take(std::shared_ptr<rocksdb::FileSystem> base,
                                                           std::string const& path) {
  rocksdb::FileLock* lock = nullptr;
  auto const status = base->LockFile(path + "/" + std::string(kLockName), {}, &lock, nullptr);
  if (!status.ok()) return fail(ErrorKind::kConflict, "data folder is in use by another process");
  return std::shared_ptr<FolderLock const>(new FolderLock(std::move(base), lock));
}

FolderLock::~FolderLock() {
  // An unlock fails only when the lock was never ours.
  (void)base_->UnlockFile(lock_, {}, nullptr);
}

rocksdb::IOStatus Folder::judge_sync(rocksdb::IOStatus status) {
  if (!status.ok()) health.stop();
  return status;
}

rocksdb::IOStatus Folder::sync() {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  auto status = base->NewDirectory(path, {}, &directory, nullptr);
  if (status.ok()) status = directory->Fsync({}, nullptr);
  return judge_sync(status);
}

Result<Bytes> Folder::read_file(std::string_view name, std::size_t size_bytes_max) const {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  if (auto const status = base->NewSequentialFile(path_of(name), {}, &file, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  Bytes content;
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  Bytes buffer(std::min(kStep, size_bytes_max));
  while (content.size() < size_bytes_max) {
    rocksdb::Slice part;
    std::size_t const wanted = std::min(buffer.size(), size_bytes_max - content.size());
    auto const status = file->Read(wanted, {}, &part, reinterpret_cast<char*>(buffer.data()), nullptr);
    if (!status.ok()) return std::unexpected(to_error(status));
    append(content, to_view(part));
    if (part.size() < wanted) break;
  }
  return content;
}

}  // namespace tacenda::storage

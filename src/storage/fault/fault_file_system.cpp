#include "storage/fault/fault_file_system.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <rocksdb/system_clock.h>

#include "storage/fault/fault_disk.hpp"

namespace tacenda::storage {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(Error const& error) {
  switch (error.kind()) {
    case ErrorKind::kNoSpace:
      return IOStatus::NoSpace("fault disk");
    case ErrorKind::kNotFound:
      return IOStatus::PathNotFound("fault disk");
    default:
      return IOStatus::IOError("fault disk");
  }
}

template <typename T>
IOStatus status_of(Result<T> const& result) {
  return result ? IOStatus::OK() : status_of(result.error());
}

ByteView view_of(Slice const& slice) {
  return as_bytes({slice.data(), slice.size()});
}

IOStatus read_at(FaultDisk& disk, FaultDisk::Handle const& handle, std::uint64_t offset, size_t count,
                 Slice* result, char* scratch) {
  auto const size = disk.read(handle, offset, std::as_writable_bytes(std::span(scratch, count)));
  *result = Slice(scratch, size.value_or(0));
  return status_of(size);
}

class FaultSequentialFile final : public rocksdb::FSSequentialFile {
 public:
  FaultSequentialFile(std::shared_ptr<FaultDisk> disk, FaultDisk::Handle handle)
      : disk_(std::move(disk)), handle_(std::move(handle)) {}
  IOStatus Read(size_t count, IOOptions const&, Slice* result, char* scratch, IODebugContext*) override {
    auto const status = read_at(*disk_, handle_, position_, count, result, scratch);
    position_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t count) override {
    position_ += count;
    return IOStatus::OK();
  }

 private:
  std::shared_ptr<FaultDisk> disk_;  // shared: files may be closed after the engine's owner let go
  FaultDisk::Handle handle_;
  std::uint64_t position_ = 0;
};

class FaultRandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  FaultRandomAccessFile(std::shared_ptr<FaultDisk> disk, FaultDisk::Handle handle)
      : disk_(std::move(disk)), handle_(std::move(handle)) {}
  IOStatus Read(uint64_t offset, size_t count, IOOptions const&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return read_at(*disk_, handle_, offset, count, result, scratch);
  }

 private:
  std::shared_ptr<FaultDisk> disk_;  // as above
  FaultDisk::Handle handle_;
};

class FaultWritableFile final : public rocksdb::FSWritableFile {
 public:
  FaultWritableFile(std::shared_ptr<FaultDisk> disk, FaultDisk::Handle handle)
      : disk_(std::move(disk)), handle_(std::move(handle)) {}
  using FSWritableFile::Append;
  IOStatus Append(Slice const& data, IOOptions const&, IODebugContext*) override {
    return status_of(disk_->append(handle_, view_of(data)));
  }
  IOStatus Truncate(uint64_t size, IOOptions const&, IODebugContext*) override {
    return status_of(disk_->truncate(handle_, size));
  }
  IOStatus Close(IOOptions const&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(IOOptions const&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(IOOptions const&, IODebugContext*) override { return status_of(disk_->sync(handle_)); }
  uint64_t GetFileSize(IOOptions const&, IODebugContext*) override {
    return disk_->size(handle_).value_or(0);
  }

 private:
  std::shared_ptr<FaultDisk> disk_;  // as above
  FaultDisk::Handle handle_;
};

class FaultRandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  FaultRandomRWFile(std::shared_ptr<FaultDisk> disk, FaultDisk::Handle handle)
      : disk_(std::move(disk)), handle_(std::move(handle)) {}
  IOStatus Write(uint64_t offset, Slice const& data, IOOptions const&, IODebugContext*) override {
    return status_of(disk_->write(handle_, offset, view_of(data)));
  }
  IOStatus Read(uint64_t offset, size_t count, IOOptions const&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return read_at(*disk_, handle_, offset, count, result, scratch);
  }
  IOStatus Flush(IOOptions const&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(IOOptions const&, IODebugContext*) override { return status_of(disk_->sync(handle_)); }
  IOStatus Close(IOOptions const&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  std::shared_ptr<FaultDisk> disk_;  // as above
  FaultDisk::Handle handle_;
};

class FaultDirectory final : public rocksdb::FSDirectory {
 public:
  FaultDirectory(std::shared_ptr<FaultDisk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)) {}
  IOStatus Fsync(IOOptions const&, IODebugContext*) override { return status_of(disk_->sync_folder(path_)); }
  IOStatus FsyncWithDirOptions(IOOptions const&, IODebugContext*,
                               rocksdb::DirFsyncOptions const& reason) override {
    using Reason = rocksdb::DirFsyncOptions::FsyncReason;
    FileGroup group = FileGroup::kFolder;
    if (reason.reason == Reason::kNewFileSynced) group = FileGroup::kFolderAfterCreate;
    if (reason.reason == Reason::kFileRenamed) group = FileGroup::kFolderAfterRename;
    return status_of(disk_->sync_folder(path_, group));
  }
  IOStatus Close(IOOptions const&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  std::shared_ptr<FaultDisk> disk_;  // as above
  std::string path_;
};

class FaultLock final : public rocksdb::FileLock {
 public:
  explicit FaultLock(std::string path) : path_(std::move(path)) {}
  std::string const& path() const { return path_; }

 private:
  std::string path_;
};

/// Whatever is not overridden is asked of the operating system's file system: names and clocks, no files.
class FaultFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultFileSystem(std::shared_ptr<FaultDisk> disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(std::move(disk)) {}
  char const* Name() const override { return "TacendaFaultFileSystem"; }

  IOStatus NewSequentialFile(std::string const& path, FileOptions const&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    return opened<FaultSequentialFile>(disk_->open(path), result);
  }
  IOStatus NewRandomAccessFile(std::string const& path, FileOptions const&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return opened<FaultRandomAccessFile>(disk_->open(path), result);
  }
  IOStatus NewWritableFile(std::string const& path, FileOptions const&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    return opened<FaultWritableFile>(disk_->create(path, FaultDisk::Existing::kEmpty), result);
  }
  IOStatus NewRandomRWFile(std::string const& path, FileOptions const&,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* result, IODebugContext*) override {
    return opened<FaultRandomRWFile>(disk_->open(path), result);
  }
  IOStatus NewDirectory(std::string const& path, IOOptions const&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    if (!disk_->folder_exists(path).value_or(false)) return IOStatus::PathNotFound("fault disk");
    *result = std::make_unique<FaultDirectory>(disk_, path);
    return IOStatus::OK();
  }
  IOStatus FileExists(std::string const& path, IOOptions const&, IODebugContext*) override {
    bool const found = disk_->exists(path).value_or(false) || disk_->folder_exists(path).value_or(false);
    return found ? IOStatus::OK() : IOStatus::NotFound();
  }
  IOStatus IsDirectory(std::string const& path, IOOptions const&, bool* is_folder, IODebugContext*) override {
    *is_folder = disk_->folder_exists(path).value_or(false);
    return IOStatus::OK();
  }
  IOStatus GetChildren(std::string const& path, IOOptions const&, std::vector<std::string>* result,
                       IODebugContext*) override {
    auto names = disk_->list(path);
    if (names) *result = *names;
    return status_of(names);
  }
  IOStatus DeleteFile(std::string const& path, IOOptions const&, IODebugContext*) override {
    return status_of(disk_->unlink(path));
  }
  IOStatus CreateDir(std::string const& path, IOOptions const&, IODebugContext*) override {
    return status_of(disk_->make_folder(path));
  }
  IOStatus CreateDirIfMissing(std::string const& path, IOOptions const&, IODebugContext*) override {
    return disk_->folder_exists(path).value_or(false) ? IOStatus::OK() : status_of(disk_->make_folder(path));
  }
  IOStatus GetFileSize(std::string const& path, IOOptions const&, uint64_t* size, IODebugContext*) override {
    auto const handle = disk_->open(path);
    if (!handle) return status_of(handle);
    auto const found = disk_->size(*handle);
    *size = found.value_or(0);
    return status_of(found);
  }
  IOStatus GetFileModificationTime(std::string const&, IOOptions const&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(std::string const& from, std::string const& to, IOOptions const&,
                      IODebugContext*) override {
    return status_of(disk_->rename(from, to));
  }
  IOStatus LockFile(std::string const& path, IOOptions const&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    auto const locked = disk_->lock(path);
    if (locked) *lock = new FaultLock(path);  // RocksDB gives it back to UnlockFile
    return status_of(locked);
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, IOOptions const&, IODebugContext*) override {
    std::unique_ptr<FaultLock> const owned(static_cast<FaultLock*>(lock));
    disk_->unlock(owned->path());
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(std::string const& path, IOOptions const&, std::string* result,
                           IODebugContext*) override {
    *result = path;
    return IOStatus::OK();
  }
  IOStatus GetFreeSpace(std::string const&, IOOptions const&, uint64_t* free, IODebugContext*) override {
    *free = disk_->free_bytes().value_or(0);
    return IOStatus::OK();
  }

 private:
  template <typename File, typename Base>
  IOStatus opened(Result<FaultDisk::Handle> handle, std::unique_ptr<Base>* result) {
    if (handle) *result = std::make_unique<File>(disk_, *handle);
    return status_of(handle);
  }

  std::shared_ptr<FaultDisk> disk_;  // shared with the test and with the open files
};

class ImpatientClock final : public rocksdb::SystemClockWrapper {
 public:
  ImpatientClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  char const* Name() const override { return "TacendaImpatientClock"; }
  void SleepForMicroseconds(int us) override { SystemClockWrapper::SleepForMicroseconds(std::min(us, 500)); }
};

class ImpatientEnv final : public rocksdb::EnvWrapper {
 public:
  explicit ImpatientEnv(std::shared_ptr<rocksdb::FileSystem> const& files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<ImpatientClock>();
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> impatient_env(std::shared_ptr<rocksdb::FileSystem> const& files) {
  return std::make_unique<ImpatientEnv>(files);
}

std::shared_ptr<rocksdb::FileSystem> fault_file_system(std::shared_ptr<FaultDisk> disk) {
  return std::make_shared<FaultFileSystem>(std::move(disk));
}

}  // namespace tacenda::storage

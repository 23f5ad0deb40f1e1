#include <utility>

#include "storage/fault/fault_disk.hpp"
#include "storage/files.hpp"
#include "storage/internal/file_calls.hpp"

namespace tacenda::storage {
namespace {

class FaultFile final : public FileCalls::File {
 public:
  FaultFile(FaultDisk& disk, FaultDisk::Handle handle) : disk_(disk), handle_(std::move(handle)) {}
  Result<std::uint64_t> size() override { return disk_.size(handle_); }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    return disk_.read(handle_, offset, out);
  }
  Result<void> write(std::uint64_t offset, ByteView bytes) override {
    return disk_.write(handle_, offset, bytes);
  }
  Result<void> sync() override { return disk_.sync(handle_); }

 private:
  FaultDisk& disk_;  // outlives the file: held by FaultCalls
  FaultDisk::Handle handle_;
};

class FaultCalls final : public FileCalls {
 public:
  explicit FaultCalls(std::shared_ptr<FaultDisk> disk) : disk_(std::move(disk)) {}

  Result<std::unique_ptr<File>> open(std::filesystem::path const& path) override {
    return std::make_unique<FaultFile>(*disk_, TACENDA_TRY(disk_->open(path.string())));
  }
  Result<std::unique_ptr<File>> create(std::filesystem::path const& path, Existing existing) override {
    auto const how =
        existing == Existing::kRefuse ? FaultDisk::Existing::kRefuse : FaultDisk::Existing::kEmpty;
    return std::make_unique<FaultFile>(*disk_, TACENDA_TRY(disk_->create(path.string(), how)));
  }
  Result<void> rename(std::filesystem::path const& from, std::filesystem::path const& to) override {
    return disk_->rename(from.string(), to.string());
  }
  Result<void> unlink(std::filesystem::path const& path) override { return disk_->unlink(path.string()); }
  Result<void> sync_folder(std::filesystem::path const& folder) override {
    // Folders of this disk are flat and durable at once: a parent that it does not hold has nothing to sync.
    if (!TACENDA_TRY(disk_->folder_exists(folder.string()))) return {};
    return disk_->sync_folder(folder.string());
  }
  Result<bool> exists(std::filesystem::path const& path) override {
    if (TACENDA_TRY(disk_->folder_exists(path.string()))) return true;
    return disk_->exists(path.string());
  }
  Result<void> make_folder(std::filesystem::path const& path) override {
    return disk_->make_folder(path.string());
  }
  Result<bool> is_private(std::filesystem::path const& path) override {
    if (!TACENDA_TRY(disk_->exists(path.string()))) return fail(ErrorKind::kNotFound, "file does not exist");
    return true;  // this disk knows no modes: files are made with 0600
  }
  Result<bool> same_filesystem(std::filesystem::path const&, std::filesystem::path const&) override {
    return true;
  }

 private:
  std::shared_ptr<FaultDisk> disk_;  // shared with the test
};

}  // namespace

std::unique_ptr<Files> fault_files(std::shared_ptr<FaultDisk> disk) {
  return files_of(std::make_unique<FaultCalls>(std::move(disk)));
}

}  // namespace tacenda::storage

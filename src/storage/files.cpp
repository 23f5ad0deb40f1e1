#include "storage/files.hpp"

#include <utility>

#include "storage/internal/file_calls.hpp"

namespace tacenda::storage {
namespace {

std::filesystem::path folder_of(std::filesystem::path const& path) {
  auto const parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

class CallFiles final : public Files {
 public:
  explicit CallFiles(std::unique_ptr<FileCalls> calls) : calls_(std::move(calls)) {}

  Result<Bytes> read(std::filesystem::path const& path, std::size_t size_bytes_max) override {
    auto const file = TACENDA_TRY(calls_->open(path));
    std::uint64_t const size = TACENDA_TRY(file->size());
    if (size > size_bytes_max) return fail(ErrorKind::kTooLarge, "file is longer than expected");
    Bytes content(static_cast<std::size_t>(size));
    if (TACENDA_TRY(file->read(0, content)) != content.size()) {
      return fail(ErrorKind::kUnavailable, "file became shorter while it was read");
    }
    return content;
  }

  Result<void> create(std::filesystem::path const& path, ByteView content) override {
    TACENDA_TRY_VOID(write_whole(path, FileCalls::Existing::kRefuse, content));
    return calls_->sync_folder(folder_of(path));
  }

  Result<void> replace(std::filesystem::path const& path, ByteView content) override {
    auto fresh = path;
    fresh += ".new";
    TACENDA_TRY_VOID(write_whole(fresh, FileCalls::Existing::kEmpty, content));
    TACENDA_TRY_VOID(calls_->rename(fresh, path));
    return calls_->sync_folder(folder_of(path));
  }

  Result<void> overwrite(std::filesystem::path const& path, std::uint64_t offset, ByteView content) override {
    auto const file = TACENDA_TRY(calls_->open(path));
    std::uint64_t const size = TACENDA_TRY(file->size());
    if (offset > size || content.size() > size - offset) {
      return fail(ErrorKind::kInvalid, "region reaches past the end of the file");
    }
    TACENDA_TRY_VOID(file->write(offset, content));
    return file->sync();
  }

  Result<void> remove(std::filesystem::path const& path) override {
    TACENDA_TRY_VOID(calls_->unlink(path));
    return calls_->sync_folder(folder_of(path));
  }

  Result<bool> exists(std::filesystem::path const& path) override { return calls_->exists(path); }

  Result<void> make_folder(std::filesystem::path const& path) override {
    TACENDA_TRY_VOID(calls_->make_folder(path));
    return calls_->sync_folder(folder_of(path));
  }

  Result<bool> is_private(std::filesystem::path const& path) override { return calls_->is_private(path); }

  Result<bool> same_filesystem(std::filesystem::path const& a, std::filesystem::path const& b) override {
    return calls_->same_filesystem(a, b);
  }

 private:
  Result<void> write_whole(std::filesystem::path const& path, FileCalls::Existing existing,
                           ByteView content) {
    auto const file = TACENDA_TRY(calls_->create(path, existing));
    TACENDA_TRY_VOID(file->write(0, content));
    return file->sync();
  }

  std::unique_ptr<FileCalls> calls_;
};

}  // namespace

std::unique_ptr<Files> files_of(std::unique_ptr<FileCalls> calls) {
  return std::make_unique<CallFiles>(std::move(calls));
}

}  // namespace tacenda::storage

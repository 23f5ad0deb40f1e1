#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "storage/files.hpp"
#include "storage/internal/file_calls.hpp"

namespace tacenda::storage {
namespace {

std::unexpected<Error> failed(Literal message, std::source_location where = std::source_location::current()) {
  switch (errno) {
    case ENOENT:
      return fail(ErrorKind::kNotFound, "file does not exist", where);
    case EEXIST:
      return fail(ErrorKind::kConflict, "file exists", where);
    case ENOSPC:
    case EDQUOT:
      return fail(ErrorKind::kNoSpace, "disk is full", where);
    default:
      return fail(ErrorKind::kUnavailable, message, where);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    // Everything that matters was synced before: a close has nothing left to report.
    if (number_ >= 0) (void)::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

class PosixFile final : public FileCalls::File {
 public:
  explicit PosixFile(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  Result<std::uint64_t> size() override {
    struct ::stat about{};
    if (::fstat(descriptor_.number(), &about) != 0) return failed("file size cannot be read");
    return static_cast<std::uint64_t>(about.st_size);
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      auto const count = ::pread(descriptor_.number(), out.data() + done, out.size() - done,
                                 static_cast<::off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("file cannot be read");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  Result<void> write(std::uint64_t offset, ByteView bytes) override {
    while (!bytes.empty()) {
      auto const count =
          ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<::off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("file cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  // Never repeated, not even after EINTR: a second fsync can report success for pages that were dropped.
  Result<void> sync() override {
    if (::fsync(descriptor_.number()) != 0) return fail(ErrorKind::kUnavailable, "fsync of a file failed");
    return {};
  }

 private:
  Descriptor descriptor_;
};

class PosixCalls final : public FileCalls {
 public:
  Result<std::unique_ptr<File>> open(std::filesystem::path const& path) override {
    // Read-only files can be read, too: writing is asked for when it is needed and refused then.
    int number = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (number < 0 && (errno == EACCES || errno == EROFS)) {
      number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (number < 0) return failed("file cannot be opened");
    return std::make_unique<PosixFile>(Descriptor(number));
  }

  Result<std::unique_ptr<File>> create(std::filesystem::path const& path, Existing existing) override {
    int const how = existing == Existing::kRefuse ? O_EXCL : O_TRUNC;
    int const number = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, 0600);
    if (number < 0) return failed("file cannot be made");
    return std::make_unique<PosixFile>(Descriptor(number));
  }

  Result<void> rename(std::filesystem::path const& from, std::filesystem::path const& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("file cannot be renamed");
    return {};
  }

  Result<void> unlink(std::filesystem::path const& path) override {
    if (::unlink(path.c_str()) != 0) return failed("file cannot be removed");
    return {};
  }

  Result<void> sync_folder(std::filesystem::path const& folder) override {
    Descriptor const descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.number() < 0) return failed("folder cannot be opened");
    if (::fsync(descriptor.number()) != 0) return fail(ErrorKind::kUnavailable, "fsync of a folder failed");
    return {};
  }

  Result<bool> exists(std::filesystem::path const& path) override {
    struct ::stat about{};
    if (::lstat(path.c_str(), &about) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failed("file cannot be looked up");
  }

  Result<void> make_folder(std::filesystem::path const& path) override {
    if (::mkdir(path.c_str(), 0700) != 0) return failed("folder cannot be made");
    return {};
  }

  Result<bool> is_private(std::filesystem::path const& path) override {
    struct ::stat about{};
    if (::lstat(path.c_str(), &about) != 0) return failed("file cannot be looked up");
    return S_ISREG(about.st_mode) && (about.st_mode & 077U) == 0;
  }

  Result<bool> same_filesystem(std::filesystem::path const& a, std::filesystem::path const& b) override {
    struct ::stat about_a{};
    struct ::stat about_b{};
    if (::stat(a.c_str(), &about_a) != 0 || ::stat(b.c_str(), &about_b) != 0)
      return failed("path cannot be looked up");
    return about_a.st_dev == about_b.st_dev;
  }
};

}  // namespace

std::unique_ptr<Files> posix_files() {
  return files_of(std::make_unique<PosixCalls>());
}

}  // namespace tacenda::storage

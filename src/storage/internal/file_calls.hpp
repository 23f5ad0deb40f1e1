#pragma once

#include <memory>
#include <string>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "storage/files.hpp"

namespace tacenda::storage {

/// The system calls that Files is made of, so that the same steps run on the operating system and on a
/// disk that can lose power between any two of them. Errors: kNotFound, kConflict, kNoSpace, kUnavailable.
class FileCalls {
 public:
  class File {
   public:
    File() = default;
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    virtual ~File() = default;
    virtual Result<std::uint64_t> size() = 0;
    virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) = 0;
    virtual Result<void> write(std::uint64_t offset, ByteView bytes) = 0;
    virtual Result<void> sync() = 0;
  };
  enum class Existing : std::uint8_t { kRefuse, kEmpty };

  FileCalls() = default;
  FileCalls(FileCalls const&) = delete;
  FileCalls& operator=(FileCalls const&) = delete;
  virtual ~FileCalls() = default;

  virtual Result<std::unique_ptr<File>> open(std::filesystem::path const& path) = 0;
  virtual Result<std::unique_ptr<File>> create(std::filesystem::path const& path, Existing existing) = 0;
  virtual Result<void> rename(std::filesystem::path const& from, std::filesystem::path const& to) = 0;
  virtual Result<void> unlink(std::filesystem::path const& path) = 0;
  virtual Result<void> sync_folder(std::filesystem::path const& folder) = 0;
  virtual Result<bool> exists(std::filesystem::path const& path) = 0;
  virtual Result<void> make_folder(std::filesystem::path const& path) = 0;
  virtual Result<bool> is_private(std::filesystem::path const& path) = 0;
  virtual Result<bool> same_filesystem(std::filesystem::path const& a, std::filesystem::path const& b) = 0;
};

/// Files made of `calls`.
std::unique_ptr<Files> files_of(std::unique_ptr<FileCalls> calls);

}  // namespace tacenda::storage

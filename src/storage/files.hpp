#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace tacenda::storage {

class FaultDisk;

/// Single small files outside the engine: keyring, vault root, anchor. Each call that returns success
/// is durable (fsync of file and folder included); after a power cut a call that had not returned has
/// happened wholly or not at all, unless said otherwise. Files are made with mode 0600, folders 0700.
///
/// Thread-safe for different paths; two writers of one path are the caller's to keep apart.
/// Errors of every call: kUnavailable (I/O; after a failed fsync do not go on), kNoSpace.
class Files {
 public:
  Files() = default;
  Files(Files const&) = delete;
  Files& operator=(Files const&) = delete;
  virtual ~Files() = default;

  /// The whole file. Errors: kNotFound, kTooLarge when it is longer than `size_bytes_max`.
  virtual Result<Bytes> read(std::filesystem::path const& path, std::size_t size_bytes_max) = 0;

  /// Makes a file that must not exist yet. After a power cut during the call the file may exist with
  /// any part of the content. Errors: kConflict when it exists.
  virtual Result<void> create(std::filesystem::path const& path, ByteView content) = 0;

  /// Puts `content` in the place of what is there, or makes the file: new file `<path>.new`, fsync,
  /// rename, fsync of the folder.
  virtual Result<void> replace(std::filesystem::path const& path, ByteView content) = 0;

  /// Overwrites bytes of an existing file in place, which does not grow, and fsyncs. A power cut during
  /// the call may leave any mixture of old and new sectors within the region: keep two slots.
  /// Errors: kNotFound, kInvalid when the region reaches past the end.
  virtual Result<void> overwrite(std::filesystem::path const& path, std::uint64_t offset,
                                 ByteView content) = 0;

  /// Unlinks the file. Errors: kNotFound.
  virtual Result<void> remove(std::filesystem::path const& path) = 0;

  virtual Result<bool> exists(std::filesystem::path const& path) = 0;

  /// Makes one folder (0700); its parent must exist. Errors: kConflict when something is there.
  virtual Result<void> make_folder(std::filesystem::path const& path) = 0;

  /// True when the path is a regular file, no link, that only its owner may read or write. Errors: kNotFound.
  virtual Result<bool> is_private(std::filesystem::path const& path) = 0;

  /// True when both existing paths lie on one filesystem: keys beside data are taken with the data.
  virtual Result<bool> same_filesystem(std::filesystem::path const& a, std::filesystem::path const& b) = 0;
};

/// Files of the operating system.
std::unique_ptr<Files> posix_files();

/// Files of an in-memory disk that loses what was not synced (storage/fault/fault_disk.hpp).
std::unique_ptr<Files> fault_files(std::shared_ptr<FaultDisk> disk);

}  // namespace tacenda::storage

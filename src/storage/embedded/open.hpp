#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/error.hpp"
#include "crypto/random.hpp"
#include "storage/engine.hpp"
#include "storage/file_keys.hpp"

namespace tacenda::storage {

class FaultDisk;

struct EmbeddedOptions {
  std::filesystem::path folder;  // made (0700) when `create` and absent; its parent must exist
  bool create = false;           // start an empty store when the folder holds none
  std::size_t block_cache_bytes = std::size_t{256} << 20U;
  std::size_t memtable_bytes = std::size_t{64} << 20U;
  // With less room on the disk, writes are refused (kNoSpace) before RocksDB runs into the wall.
  std::uint64_t reserve_bytes = std::uint64_t{32} << 20U;
  // For tests: an in-memory disk in the place of the operating system's. Shared with the test.
  std::shared_ptr<FaultDisk> disk;
};

/// Opens the embedded engine: RocksDB over sealed files (docs/data-file.md). One process at a time.
/// `keys` and `random` outlive the engine.
///
/// A damaged table does not stop the engine: keys in it read as kCorrupt, the others read well, and writes
/// fail with kCorrupt: all when the damage was there at opening, those of WhenDamaged::kRefuse when a read
/// met it later. Every other damaged, exchanged or missing file is refused and named in the log. Errors:
/// kNotFound (no store and not `create`), kCorrupt, kConflict (in use by another process), kNoSpace,
/// kUnavailable; what FileKeys::open returns.
Result<std::unique_ptr<Engine>> open_embedded(EmbeddedOptions const& options, FileKeys& keys,
                                              crypto::Random& random);

}  // namespace tacenda::storage

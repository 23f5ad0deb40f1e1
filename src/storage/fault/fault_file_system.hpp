#pragma once

#include <memory>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace tacenda::storage {

class FaultDisk;

/// `disk` as RocksDB sees a file system: what the sealing layer stands on in tests.
std::shared_ptr<rocksdb::FileSystem> fault_file_system(std::shared_ptr<FaultDisk> disk);

/// An Env over `files` in which RocksDB does not sleep for a second after each failed background job.
std::unique_ptr<rocksdb::Env> impatient_env(std::shared_ptr<rocksdb::FileSystem> const& files);

}  // namespace tacenda::storage

#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace tacenda::storage {

class FaultDisk;

/// `disk` as RocksDB sees a file system: what the sealing layer stands on in tests.
std::shared_ptr<rocksdb::FileSystem> fault_file_system(std::shared_ptr<FaultDisk> disk);

}  // namespace tacenda::storage

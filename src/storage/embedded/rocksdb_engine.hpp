#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "storage/embedded/open.hpp"
#include "storage/embedded/sealed_file_system.hpp"

namespace tacenda::storage {

/// A RocksDB database and all that it stands on, destroyed in the right order. Shared by the engine, its
/// snapshots and cursors, so that none of them can outlive the database.
struct Database {
  std::unique_ptr<Folder> folder;
  std::unique_ptr<Registry> registry;
  std::shared_ptr<SealedFileSystem> file_system;  // shared: rocksdb::Env holds it too
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;
  std::atomic<bool> no_space{false};  // a write failed because the disk was full; it may have room again

  ~Database();
};

/// What RocksDB is told, for every engine. `database` has folder, registry, file system and env.
rocksdb::Options rocksdb_options(EmbeddedOptions const& options, Database& database);

class RocksDbEngine final : public Engine {
 public:
  /// `read_only`: a table is damaged, nothing may be written any more.
  RocksDbEngine(std::shared_ptr<Database> database, bool read_only);
  ~RocksDbEngine() override;

  Result<std::optional<Bytes>> get(ByteView key) const override;
  std::unique_ptr<Cursor> scan(Range const& range, Direction direction) const override;
  Result<void> write(WriteBatch const& batch) override;
  std::shared_ptr<Snapshot const> snapshot() const override;
  Result<void> compact(Range const& range) override;
  Result<std::vector<Damage>> verify_files() const override;
  Result<std::uint64_t> size_bytes() const override;
  Result<void> close() override;

 private:
  Result<void> refuse_when_stopped() const;
  Error write_failed(rocksdb::Status const& status);

  std::shared_ptr<Database> database_;
  bool const read_only_;
  std::atomic<bool> stopped_{false};
};

}  // namespace tacenda::storage

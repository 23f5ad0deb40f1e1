#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <rocksdb/db.h>

#include "storage/embedded/open.hpp"
#include "storage/embedded/sealed_file_system.hpp"

namespace tacenda::storage {

/// A RocksDB database and all that it stands on, destroyed in the right order. Shared by the engine, its
/// snapshots and cursors, so that none of them can outlive the database.
struct Database {
  std::shared_ptr<FolderLock const> lock;  // first: the last to go
  std::unique_ptr<Folder> folder;
  std::unique_ptr<Registry> registry;
  std::shared_ptr<SealedFileSystem> file_system;  // shared: rocksdb::Env holds it too
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;
  bool read_only = false;  // a table was damaged at opening: nothing may be written, whatever it is
  std::atomic<bool> background_full{false};    // a background job met a full disk
  std::atomic<bool> background_damage{false};  // a flush or compaction met a damaged file
  std::atomic<bool> background_other{false};   // a background job failed otherwise

  ~Database();
};

/// Makes the folder when it may, and locks it. Errors: as open_embedded.
Result<std::shared_ptr<FolderLock const>> lock_folder(EmbeddedOptions const& options);

/// Takes over the folder that `lock` is of and opens RocksDB on it. No other database on it may be left.
/// Errors: as open_embedded.
Result<std::shared_ptr<Database>> open_database(EmbeddedOptions const& options, FileKeys& keys,
                                                crypto::Random& random,
                                                std::shared_ptr<FolderLock const> lock);

/// What RocksDB is told, for every engine. `database` has folder, registry, file system and env.
rocksdb::Options rocksdb_options(EmbeddedOptions const& options, Database& database);

/// The engine. After a full disk it closes the database and opens it again instead of calling
/// rocksdb::DB::Resume, which in 7.8 can wait for ever for a flush that nobody runs.
///
/// Locks: `database_mutex_` is held over that, so that no reader starts in between; readers in flight
/// hold the database itself and are waited for. The folder stays locked meanwhile.
class RocksDbEngine final : public Engine {
 public:
  RocksDbEngine(EmbeddedOptions options, FileKeys& keys, crypto::Random& random,
                std::shared_ptr<FolderLock const> lock, std::shared_ptr<Database> database);
  ~RocksDbEngine() override;

  Result<std::optional<Bytes>> get(ByteView key) const override;
  Result<std::vector<std::optional<Bytes>>> get_many(std::span<Bytes const> keys) const override;
  std::unique_ptr<Cursor> scan(Range const& range, Direction direction) const override;
  Result<void> write(WriteBatch const& batch) override;
  bool is_damaged() const override;
  std::shared_ptr<Snapshot const> snapshot() const override;
  Result<void> compact(Range const& range) override;
  Result<void> begin_new_files() override;
  Result<std::optional<Time>> oldest_snapshot() const override;
  Result<std::vector<Damage>> verify_files() const override;
  Result<std::uint64_t> size_bytes() const override;
  Result<std::uint64_t> size_bytes(Range const& range) const override;
  Result<void> close() override;

 private:
  std::shared_ptr<Database> database() const;
  Result<void> refuse_when_stopped(Database const& database) const;
  Result<void> refuse_when_damaged(Database const& database, WhenDamaged when_damaged) const;
  Result<void> refuse_when_full(Database const& database, std::uint64_t wanted_bytes) const;
  Result<void> write_once(rocksdb::WriteBatch& changes, WhenDamaged when_damaged);
  Error write_failed(Database const& database, rocksdb::Status const& status);
  Result<void> reopen();

  EmbeddedOptions const options_;
  FileKeys& keys_;
  crypto::Random& random_;
  mutable SharedMutex database_mutex_;
  std::shared_ptr<FolderLock const> lock_ TACENDA_GUARDED_BY(database_mutex_);  // null: closed
  std::shared_ptr<Database> database_ TACENDA_GUARDED_BY(database_mutex_);  // null: the last reopen failed
  std::atomic<bool> was_full_{false};                                       // reopen before the next write
  std::atomic<bool> stopped_{false};
};

}  // namespace tacenda::storage

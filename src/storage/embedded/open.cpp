#include "storage/embedded/open.hpp"

#include <algorithm>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "storage/embedded/quiet_logger.hpp"
#include "storage/embedded/rocksdb_engine.hpp"
#include "storage/fault/fault_file_system.hpp"

namespace tacenda::storage {
namespace {

/// Keeps recovery from a full disk in our hands: RocksDB alone would retry on a timer, and would retry
/// more kinds of errors than a durable store may.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  explicit BackgroundErrors(Database& database) : database_(database) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    bool const job = reason == rocksdb::BackgroundErrorReason::kFlush ||
                     reason == rocksdb::BackgroundErrorReason::kCompaction;
    auto& met = status->IsNoSpace()             ? database_.background_full
                : job && status->IsCorruption() ? database_.background_damage
                                                : database_.background_other;
    met.store(true);
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  Database& database_;  // outlives its DB
};

rocksdb::BlockBasedTableOptions table_options(EmbeddedOptions const& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.block_size = 8 * 1024;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.metadata_cache_options.top_level_index_pinning = rocksdb::PinningTier::kAll;
  table.metadata_cache_options.partition_pinning = rocksdb::PinningTier::kAll;
  table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;
  table.format_version = 5;
  return table;
}

std::string path_of(EmbeddedOptions const& options) {
  std::string path = options.folder.lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::shared_ptr<rocksdb::FileSystem> base_of(EmbeddedOptions const& options) {
  return options.disk ? fault_file_system(options.disk) : rocksdb::FileSystem::Default();
}

Result<void> make_folder(EmbeddedOptions const& options, rocksdb::FileSystem& base, std::string const& path) {
  auto const exists = base.FileExists(path, {}, nullptr);
  if (exists.ok()) return {};
  if (!options.create) return fail(ErrorKind::kNotFound, "data folder does not exist");
  if (auto const status = base.CreateDir(path, {}, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  if (options.disk) return {};
  std::error_code error;
  std::filesystem::permissions(options.folder, std::filesystem::perms::owner_all, error);
  if (error) return fail(ErrorKind::kUnavailable, "data folder cannot be made private");
  return {};
}

Result<std::shared_ptr<Database>> take_over(EmbeddedOptions const& options, FileKeys& keys,
                                            crypto::Random& random, std::shared_ptr<FolderLock const> lock) {
  auto database = std::make_shared<Database>();
  database->lock = std::move(lock);
  database->folder.reset(new Folder{
      .base = base_of(options), .path = path_of(options), .keys = keys, .random = random, .health = {}});
  database->registry = TACENDA_TRY(Registry::open(*database->folder, options.create));
  database->file_system = std::make_shared<SealedFileSystem>(*database->folder, *database->registry);
  database->env =
      options.disk ? impatient_env(database->file_system) : rocksdb::NewCompositeEnv(database->file_system);
  return database;
}

bool only_tables_are_damaged(Folder const& folder) {
  return std::ranges::all_of(folder.health.damaged(), [](auto const& name) { return is_table(name); });
}

/// Whether what RocksDB made of the folder, `opened`, is the store. Errors: as open_database.
Result<void> judge(Database const& database, rocksdb::Status const& opened) {
  Folder const& folder = *database.folder;
  if (database.file_system->has_unreadable_log() && only_tables_are_damaged(folder)) {
    return fail(ErrorKind::kUnavailable, "data folder: a log cannot be read");
  }
  bool const damaged = !folder.health.damaged().empty();
  if (damaged && !(opened.ok() && only_tables_are_damaged(folder))) {
    return fail(ErrorKind::kCorrupt, "data folder is damaged: see the files named in the log");
  }
  if (opened.ok()) return {};
  Error const error = to_error(opened);
  if (error.kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kCorrupt, "data folder: a file is missing");
  return std::unexpected(error);
}

}  // namespace

rocksdb::Options rocksdb_options(EmbeddedOptions const& options, Database& database) {
  rocksdb::Options rocks;
  rocks.create_if_missing = options.create;
  rocks.env = database.env.get();
  rocks.info_log = std::make_shared<QuietLogger>();
  rocks.listeners = {std::make_shared<BackgroundErrors>(database)};
  rocks.max_bgerror_resume_count = 0;
  // Safety. MANIFEST is written anew at each change, so that it never keeps the bounds of deleted tables.
  rocks.paranoid_checks = true;
  rocks.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  // Not track_and_verify_wals_in_manifest: in 7.8 a log that is noted as synced after it became obsolete
  // stays in the MANIFEST for good when that was just rolled over, and the store does not open any more (the
  // power-loss replay finds it). The registry keeps the lengths of the logs in its place.
  rocks.track_and_verify_wals_in_manifest = false;
  rocks.verify_sst_unique_id_in_manifest = true;
  rocks.recycle_log_file_num = 0;
  rocks.max_manifest_file_size = 0;
  rocks.allow_mmap_reads = false;
  rocks.allow_mmap_writes = false;
  rocks.use_direct_reads = false;
  rocks.use_direct_io_for_flush_and_compaction = false;
  rocks.stats_dump_period_sec = 0;
  rocks.stats_persist_period_sec = 0;
  // Speed. Values arrive sealed and cannot be compressed.
  rocks.compression = rocksdb::kNoCompression;
  rocks.write_buffer_size = options.memtable_bytes;
  rocks.max_write_buffer_number = 4;
  rocks.max_background_jobs = 2;
  rocks.max_open_files = -1;
  rocks.max_total_wal_size = std::uint64_t{4} * options.memtable_bytes;
  rocks.target_file_size_base = std::max<std::uint64_t>(options.memtable_bytes, 1U << 20U);
  rocks.max_bytes_for_level_base = 4 * rocks.target_file_size_base;
  rocks.level_compaction_dynamic_level_bytes = true;
  rocks.compaction_readahead_size = std::size_t{2} << 20U;
  rocks.bytes_per_sync = std::uint64_t{1} << 20U;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(options)));
  return rocks;
}

Result<std::shared_ptr<FolderLock const>> lock_folder(EmbeddedOptions const& options) {
  auto base = base_of(options);
  std::string const path = path_of(options);
  TACENDA_TRY_VOID(make_folder(options, *base, path));
  return FolderLock::take(std::move(base), path);
}

Result<std::shared_ptr<Database>> open_database(EmbeddedOptions const& options, FileKeys& keys,
                                                crypto::Random& random,
                                                std::shared_ptr<FolderLock const> lock) {
  auto database = TACENDA_TRY(take_over(options, keys, random, std::move(lock)));
  rocksdb::Options rocks = rocksdb_options(options, *database);
  rocksdb::DB* db = nullptr;
  auto status = rocksdb::DB::Open(rocks, database->folder->path, &db);
  bool const a_table_is_damaged =
      !database->folder->health.damaged().empty() && only_tables_are_damaged(*database->folder);
  if (!status.ok() && a_table_is_damaged && !database->file_system->has_unreadable_log()) {
    // The table cannot even be opened. Without paranoid checks RocksDB opens it on the first read, which
    // fails. It would also pass over a log that it cannot read: SealedFileSystem stops it there.
    rocks.paranoid_checks = false;
    status = rocksdb::DB::Open(rocks, database->folder->path, &db);
  }
  database->db.reset(db);
  TACENDA_TRY_VOID(judge(*database, status));
  database->read_only = !database->folder->health.damaged().empty();
  return database;
}

Result<std::unique_ptr<Engine>> open_embedded(EmbeddedOptions const& options, FileKeys& keys,
                                              crypto::Random& random) {
  auto lock = TACENDA_TRY(lock_folder(options));
  auto database = TACENDA_TRY(open_database(options, keys, random, lock));
  return std::make_unique<RocksDbEngine>(options, keys, random, std::move(lock), std::move(database));
}

}  // namespace tacenda::storage

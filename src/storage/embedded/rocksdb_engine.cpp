#include "storage/embedded/rocksdb_engine.hpp"

#include <algorithm>
#include <utility>

namespace tacenda::storage {
namespace {

Error read_error(rocksdb::Status const& status) {
  Error const error = to_error(status);
  // A file that is gone while RocksDB needs it is damage to the caller, not a missing key.
  return error.kind() == ErrorKind::kNotFound ? Error(ErrorKind::kCorrupt, "data folder: a file is missing")
                                              : error;
}

Result<std::optional<Bytes>> get_from(Database const& database, rocksdb::ReadOptions const& options,
                                      ByteView key) {
  rocksdb::PinnableSlice value;
  auto const status = database.db->Get(options, database.db->DefaultColumnFamily(), to_slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return std::unexpected(read_error(status));
  return to_bytes(to_view(value));
}

class RocksDbCursor final : public Cursor {
 public:
  RocksDbCursor(std::shared_ptr<Database const> database, rocksdb::Snapshot const* snapshot, Range range,
                Direction direction)
      : database_(std::move(database)),
        range_(std::move(range)),
        lower_(to_slice(range_.begin)),
        upper_(to_slice(range_.end)),
        direction_(direction) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &lower_;
    if (!range_.end.empty()) options.iterate_upper_bound = &upper_;
    iterator_.reset(database_->db->NewIterator(options));
    if (direction_ == Direction::kForward) {
      iterator_->SeekToFirst();
    } else {
      iterator_->SeekToLast();
    }
  }

  bool valid() const override { return iterator_->Valid(); }
  Result<void> status() const override {
    auto const status = iterator_->status();
    return status.ok() ? Result<void>() : std::unexpected(read_error(status));
  }
  void next() override {
    if (direction_ == Direction::kForward) {
      iterator_->Next();
    } else {
      iterator_->Prev();
    }
  }
  void seek(ByteView key) override {
    // RocksDB clips a seek to the bound that lies ahead; the one that lies behind is the caller's.
    if (direction_ == Direction::kForward) {
      iterator_->Seek(less(key, range_.begin) ? lower_ : to_slice(key));
    } else if (!range_.end.empty() && !less(key, range_.end)) {
      iterator_->SeekToLast();
    } else {
      iterator_->SeekForPrev(to_slice(key));
    }
  }
  ByteView key() const override { return to_view(iterator_->key()); }
  ByteView value() const override { return to_view(iterator_->value()); }

 private:
  std::shared_ptr<Database const> database_;  // shared: see Database
  Range range_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  Direction direction_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDbSnapshot final : public Snapshot {
 public:
  explicit RocksDbSnapshot(std::shared_ptr<Database> database)
      : database_(std::move(database)), snapshot_(database_->db->GetSnapshot()) {}
  ~RocksDbSnapshot() override { database_->db->ReleaseSnapshot(snapshot_); }

  Result<std::optional<Bytes>> get(ByteView key) const override {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return get_from(*database_, options, key);
  }
  std::unique_ptr<Cursor> scan(Range const& range, Direction direction) const override {
    return std::make_unique<RocksDbCursor>(database_, snapshot_, range, direction);
  }

 private:
  std::shared_ptr<Database> database_;  // shared: see Database
  rocksdb::Snapshot const* snapshot_;
};

}  // namespace

Database::~Database() {
  db.reset();
  // A registry that was not closed is read back from its last synced entry: nothing to report here.
  if (registry) (void)registry->close();
}

RocksDbEngine::RocksDbEngine(std::shared_ptr<Database> database, bool read_only)
    : database_(std::move(database)), read_only_(read_only) {}

RocksDbEngine::~RocksDbEngine() {
  // The destructor is documented to close without the result.
  if (database_) (void)close();
}

Result<std::optional<Bytes>> RocksDbEngine::get(ByteView key) const {
  return get_from(*database_, rocksdb::ReadOptions(), key);
}

std::unique_ptr<Cursor> RocksDbEngine::scan(Range const& range, Direction direction) const {
  return std::make_unique<RocksDbCursor>(database_, nullptr, range, direction);
}

std::shared_ptr<Snapshot const> RocksDbEngine::snapshot() const {
  return std::make_shared<RocksDbSnapshot>(database_);
}

Result<void> RocksDbEngine::refuse_when_stopped() const {
  if (read_only_)
    return fail(ErrorKind::kCorrupt, "a table is damaged: the store is read-only until it is repaired");
  if (stopped_.load() || database_->folder->health.is_stopped()) {
    return fail(ErrorKind::kUnavailable, "the engine stopped writing after an error");
  }
  return {};
}

Result<void> RocksDbEngine::write(WriteBatch const& batch) {
  TACENDA_TRY_VOID(refuse_when_stopped());
  if (batch.empty()) return {};
  rocksdb::WriteBatch changes(batch.size_bytes() + 16 * batch.operations().size());
  for (auto const& operation : batch.operations()) {
    auto const status = operation.value ? changes.Put(to_slice(operation.key), to_slice(*operation.value))
                                        : changes.Delete(to_slice(operation.key));
    if (!status.ok()) return std::unexpected(to_error(status));
  }
  if (database_->no_space.exchange(false)) {
    if (auto const status = database_->db->Resume(); !status.ok())
      return std::unexpected(write_failed(status));
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  if (auto const status = database_->db->Write(options, &changes); !status.ok()) {
    return std::unexpected(write_failed(status));
  }
  // An fsync of another file may have failed meanwhile. This batch is durable, but from that moment on
  // nothing is acknowledged: the process is about to stop.
  return refuse_when_stopped();
}

Error RocksDbEngine::write_failed(rocksdb::Status const& status) {
  Error const error = to_error(status);
  bool const full = error.kind() == ErrorKind::kNoSpace || status.IsBusy();
  if (full && !database_->folder->health.is_stopped()) {
    database_->no_space.store(true);
    return {ErrorKind::kNoSpace, "the disk is full"};
  }
  stopped_.store(true);
  if (error.kind() == ErrorKind::kCorrupt) return error;
  return {ErrorKind::kUnavailable, "a write failed: the engine writes no more"};
}

Result<void> RocksDbEngine::compact(Range const& range) {
  TACENDA_TRY_VOID(refuse_when_stopped());
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  rocksdb::Slice const begin = to_slice(range.begin);
  rocksdb::Slice const end = to_slice(range.end);
  auto const status = database_->db->CompactRange(options, range.begin.empty() ? nullptr : &begin,
                                                  range.end.empty() ? nullptr : &end);
  if (!status.ok()) return std::unexpected(write_failed(status));
  return {};
}

Result<std::vector<Engine::Damage>> RocksDbEngine::verify_files() const {
  std::vector<std::string> damaged = database_->folder->health.damaged();
  for (auto const& name : database_->registry->names()) {
    auto const verified = database_->file_system->verify(name);
    if (verified || !database_->registry->find(name)) continue;  // whole, or unlinked meanwhile
    if (verified.error().kind() == ErrorKind::kUnavailable) return std::unexpected(verified.error());
    damaged.push_back(name);
  }
  TACENDA_TRY_VOID(database_->registry->verify(damaged));
  std::ranges::sort(damaged);
  damaged.erase(std::ranges::unique(damaged).begin(), damaged.end());
  std::vector<Damage> damages;
  for (auto& name : damaged) damages.push_back({std::move(name)});
  return damages;
}

Result<std::uint64_t> RocksDbEngine::size_bytes() const {
  Folder const& folder = *database_->folder;
  std::vector<std::string> names;
  if (auto const status = folder.base->GetChildren(folder.path, {}, &names, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  std::uint64_t total = 0;
  for (auto const& name : names) {
    std::uint64_t size = 0;
    // What is unlinked between the two calls has no size.
    if (folder.base->GetFileSize(folder.path_of(name), {}, &size, nullptr).ok()) total += size;
  }
  return total;
}

Result<void> RocksDbEngine::close() {
  auto const database = std::exchange(database_, nullptr);
  bool const writable = !read_only_ && !stopped_.load() && !database->folder->health.is_stopped();
  rocksdb::Status status;
  if (writable) status = database->db->Flush({});
  auto const closed = database->db->Close();
  if (status.ok()) status = closed;
  if (auto const registry = database->registry->close(); status.ok() && !registry) return registry;
  if (!status.ok()) return std::unexpected(to_error(status));
  return {};
}

}  // namespace tacenda::storage

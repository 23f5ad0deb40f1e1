#include "storage/embedded/rocksdb_engine.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace tacenda::storage {
namespace {

/// How everything is read. The engine deletes no ranges, and RocksDB 7.8 that looks for them loses the error
/// of a table behind a whole one: the walk just ends there, without the rest and as if all were well
/// (MergingIterator; flip_bits finds it).
rocksdb::ReadOptions read_options(rocksdb::Snapshot const* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.ignore_range_deletions = true;
  return options;
}

constexpr Literal kReadOnly = "a table is damaged: the store is read-only until it is repaired";
constexpr Literal kNotOpen = "the store is not open: the disk was full when it was opened anew";

Error read_error(rocksdb::Status const& status) {
  Error const error = to_error(status);
  // A file that is gone while RocksDB needs it is damage to the caller, not a missing key.
  return error.kind() == ErrorKind::kNotFound ? Error(ErrorKind::kCorrupt, "data folder: a file is missing")
                                              : error;
}

Result<std::optional<Bytes>> get_from(Database const& database, rocksdb::Snapshot const* snapshot,
                                      ByteView key) {
  rocksdb::PinnableSlice value;
  auto const status =
      database.db->Get(read_options(snapshot), database.db->DefaultColumnFamily(), to_slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return std::unexpected(read_error(status));
  return to_bytes(to_view(value));
}

Result<std::vector<std::optional<Bytes>>> many_from(Database const& database,
                                                    rocksdb::Snapshot const* snapshot,
                                                    std::span<Bytes const> keys) {
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (auto const& key : keys) slices.push_back(to_slice(key));
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database.db->MultiGet(read_options(snapshot), database.db->DefaultColumnFamily(), keys.size(),
                        slices.data(), found.data(), statuses.data());
  std::vector<std::optional<Bytes>> values(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return std::unexpected(read_error(statuses[i]));
    values[i] = to_bytes(to_view(found[i]));
  }
  return values;
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
    rocksdb::ReadOptions options = read_options(snapshot);
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
    return get_from(*database_, snapshot_, key);
  }
  Result<std::vector<std::optional<Bytes>>> get_many(std::span<Bytes const> keys) const override {
    return many_from(*database_, snapshot_, keys);
  }
  std::unique_ptr<Cursor> scan(Range const& range, Direction direction) const override {
    return std::make_unique<RocksDbCursor>(database_, snapshot_, range, direction);
  }

 private:
  std::shared_ptr<Database> database_;  // shared: see Database
  rocksdb::Snapshot const* snapshot_;
};

/// What is read while there is no database: nothing, and the walk says why.
class ClosedCursor final : public Cursor {
 public:
  bool valid() const override { return false; }
  Result<void> status() const override { return fail(ErrorKind::kUnavailable, kNotOpen); }
  void next() override {}
  void seek(ByteView) override {}
  ByteView key() const override { return {}; }
  ByteView value() const override { return {}; }
};

class ClosedSnapshot final : public Snapshot {
 public:
  Result<std::optional<Bytes>> get(ByteView) const override {
    return fail(ErrorKind::kUnavailable, kNotOpen);
  }
  std::unique_ptr<Cursor> scan(Range const&, Direction) const override {
    return std::make_unique<ClosedCursor>();
  }
};

}  // namespace

Database::~Database() {
  db.reset();
  // A registry that was not closed is read back from its last synced entry: nothing to report here.
  if (registry) (void)registry->close();
}

RocksDbEngine::RocksDbEngine(EmbeddedOptions options, FileKeys& keys, crypto::Random& random,
                             std::shared_ptr<FolderLock const> lock, std::shared_ptr<Database> database)
    : options_(std::move(options)),
      keys_(keys),
      random_(random),
      lock_(std::move(lock)),
      database_(std::move(database)) {}

RocksDbEngine::~RocksDbEngine() {
  // The destructor is documented to close without the result.
  if (database()) (void)close();
}

std::shared_ptr<Database> RocksDbEngine::database() const {
  ReadLock const lock(database_mutex_);
  return database_;
}

Result<std::optional<Bytes>> RocksDbEngine::get(ByteView key) const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  return get_from(*open, nullptr, key);
}

Result<std::vector<std::optional<Bytes>>> RocksDbEngine::get_many(std::span<Bytes const> keys) const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  return many_from(*open, nullptr, keys);
}

std::unique_ptr<Cursor> RocksDbEngine::scan(Range const& range, Direction direction) const {
  auto const open = database();
  if (!open) return std::make_unique<ClosedCursor>();
  return std::make_unique<RocksDbCursor>(open, nullptr, range, direction);
}

std::shared_ptr<Snapshot const> RocksDbEngine::snapshot() const {
  auto const open = database();
  if (!open) return std::make_shared<ClosedSnapshot>();
  return std::make_shared<RocksDbSnapshot>(open);
}

bool RocksDbEngine::is_damaged() const {
  auto const open = database();
  return open && open->folder->health.is_damaged();
}

Result<void> RocksDbEngine::refuse_when_damaged(Database const& database, WhenDamaged when_damaged) const {
  bool const refused =
      database.read_only || (when_damaged == WhenDamaged::kRefuse && database.folder->health.is_damaged());
  return refused ? fail(ErrorKind::kCorrupt, kReadOnly) : Result<void>();
}

Result<void> RocksDbEngine::refuse_when_stopped(Database const& database) const {
  if (stopped_.load() || database.folder->health.is_stopped()) {
    return fail(ErrorKind::kUnavailable, "the engine stopped writing after an error");
  }
  return {};
}

Result<void> RocksDbEngine::refuse_when_full(Database const& database, std::uint64_t wanted_bytes) const {
  std::uint64_t free = 0;
  auto const status = database.folder->base->GetFreeSpace(database.folder->path, {}, &free, nullptr);
  if (!status.ok()) return std::unexpected(to_error(status));
  if (free < wanted_bytes) return fail(ErrorKind::kNoSpace, "the disk is full");
  return {};
}

Result<void> RocksDbEngine::write(WriteBatch const& batch) {
  if (batch.empty()) return {};
  // In key order each row finds its place in memory beside the one before; operations on one key keep theirs.
  std::vector<WriteBatch::Operation const*> ordered;
  ordered.reserve(batch.operations().size());
  for (auto const& operation : batch.operations()) ordered.push_back(&operation);
  std::ranges::sort(ordered, [](auto const* one, auto const* other) {
    auto const order = as_text(one->key) <=> as_text(other->key);
    return order != 0 ? order < 0 : one < other;  // they lie in one array, in their order
  });
  rocksdb::WriteBatch changes(batch.size_bytes() + 16 * batch.operations().size());
  for (auto const* operation : ordered) {
    auto const status = operation->value ? changes.Put(to_slice(operation->key), to_slice(*operation->value))
                                         : changes.Delete(to_slice(operation->key));
    if (!status.ok()) return std::unexpected(to_error(status));
  }
  auto const written = write_once(changes, batch.when_damaged());
  if (written || written.error().kind() != ErrorKind::kNoSpace || !was_full_.load()) return written;
  // RocksDB met a full disk some time before, and says so only now; a batch that failed so is not in the
  // log (LogWriter::give_up). There may be room again.
  return write_once(changes, batch.when_damaged());
}

Result<void> RocksDbEngine::write_once(rocksdb::WriteBatch& changes, WhenDamaged when_damaged) {
  if (was_full_.load()) TACENDA_TRY_VOID(reopen());
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  TACENDA_TRY_VOID(refuse_when_stopped(*open));
  TACENDA_TRY_VOID(refuse_when_damaged(*open, when_damaged));
  TACENDA_TRY_VOID(refuse_when_full(*open, options_.reserve_bytes));
  rocksdb::WriteOptions options;
  options.sync = true;
  if (auto const status = open->db->Write(options, &changes); !status.ok()) {
    return std::unexpected(write_failed(*open, status));
  }
  // An fsync of another file may have failed meanwhile. This batch is durable, but from that moment on
  // nothing is acknowledged: the process is about to stop. Damage that a reader met meanwhile says nothing of
  // this batch.
  return refuse_when_stopped(*open);
}

Error RocksDbEngine::write_failed(Database const& database, rocksdb::Status const& status) {
  Error const error = to_error(status);
  // A write that waited for a background job says "incomplete" whatever that job died of.
  bool const full =
      error.kind() == ErrorKind::kNoSpace ||
      (status.IsIncomplete() && database.background_full.load() && !database.background_other.load());
  if (full && !database.folder->health.is_stopped()) {
    was_full_.store(true);
    return {ErrorKind::kNoSpace, "the disk is full"};
  }
  // RocksDB refuses every write, before it looks at it, once a background job met a damaged table.
  bool const refused = error.kind() == ErrorKind::kCorrupt && database.background_damage.load() &&
                       !database.background_other.load();
  if (refused && !database.folder->health.is_stopped()) return {ErrorKind::kCorrupt, kReadOnly};
  stopped_.store(true);
  return {ErrorKind::kUnavailable, "a write failed: the engine writes no more"};
}

// Everything acknowledged is in the logs; what is closed here is read back from them.
Result<void> RocksDbEngine::reopen() {
  constexpr auto kWaitMax =
      std::chrono::seconds(2);  // for readers in flight; then the next write tries again
  constexpr auto kStep = std::chrono::milliseconds(1);
  WriteLock const lock(database_mutex_);
  if (!was_full_.load()) return {};  // another writer was here first
  if (!lock_) return fail(ErrorKind::kUnavailable, "the store is closed");
  if (database_) {
    TACENDA_TRY_VOID(refuse_when_stopped(*database_));
    TACENDA_TRY_VOID(refuse_when_damaged(*database_, WhenDamaged::kRefuse));
    // Opening writes the logs out as tables: without that room even the reads would be gone.
    TACENDA_TRY_VOID(refuse_when_full(*database_, options_.reserve_bytes + 4 * options_.memtable_bytes));
  }
  auto const until = std::chrono::steady_clock::now() + kWaitMax;
  std::weak_ptr<Database> const old = std::exchange(database_, nullptr);
  // The last thing that a database lets go of is its share of the lock: a reader that has let go of the
  // database may still be closing it.
  while (lock_.use_count() > 1 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kStep);
  if (lock_.use_count() > 1) {
    database_ = old.lock();
    return fail(ErrorKind::kNoSpace, "the disk was full, and a reader keeps the store from opening anew");
  }
  database_ = TACENDA_TRY(open_database(options_, keys_, random_, lock_));
  was_full_.store(false);
  return {};
}

Result<void> RocksDbEngine::compact(Range const& range) {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  TACENDA_TRY_VOID(refuse_when_stopped(*open));
  TACENDA_TRY_VOID(refuse_when_damaged(*open, WhenDamaged::kRefuse));
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.exclusive_manual_compaction = false;  // it may take long, and writers must not wait for it
  rocksdb::Slice const begin = to_slice(range.begin);
  rocksdb::Slice const end = to_slice(range.end);
  auto const status = open->db->CompactRange(options, range.begin.empty() ? nullptr : &begin,
                                             range.end.empty() ? nullptr : &end);
  if (!status.ok()) return std::unexpected(write_failed(*open, status));
  return {};
}

Result<void> RocksDbEngine::begin_new_files() {
  // With nothing in memory RocksDB has nothing to flush, and goes on in the log that it has. No keeper has
  // this key.
  WriteBatch nothing;
  nothing.erase(Bytes(1));
  TACENDA_TRY_VOID(write(nothing));
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  // Gives the memtable a new log, and MANIFEST is written anew with every table.
  if (auto const status = open->db->Flush({}); !status.ok())
    return std::unexpected(write_failed(*open, status));
  return open->registry->renew();
}

Result<std::optional<Time>> RocksDbEngine::oldest_snapshot() const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  std::uint64_t seconds = 0;
  if (!open->db->GetIntProperty(rocksdb::DB::Properties::kOldestSnapshotTime, &seconds))
    return fail(ErrorKind::kUnavailable, "the engine does not tell of its snapshots");
  if (seconds == 0) return std::optional<Time>();
  return from_unix_ms(seconds * 1'000);
}

Result<std::vector<Engine::Damage>> RocksDbEngine::verify_files() const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  std::vector<std::string> damaged = open->folder->health.damaged();
  for (auto const& name : open->registry->names()) {
    auto const verified = open->file_system->verify(name);
    if (verified) continue;
    if (verified.error().kind() == ErrorKind::kUnavailable) return std::unexpected(verified.error());
    damaged.push_back(name);
  }
  TACENDA_TRY_VOID(open->registry->verify(damaged));
  std::ranges::sort(damaged);
  damaged.erase(std::ranges::unique(damaged).begin(), damaged.end());
  std::vector<Damage> damages;
  for (auto& name : damaged) damages.push_back({std::move(name)});
  return damages;
}

Result<std::uint64_t> RocksDbEngine::size_bytes() const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  Folder const& folder = *open->folder;
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

Result<std::uint64_t> RocksDbEngine::size_bytes(Range const& range) const {
  auto const open = database();
  if (!open) return fail(ErrorKind::kUnavailable, kNotOpen);
  // An empty end is the last key, which RocksDB has no word for: no key of ours is longer than this.
  Bytes const end = range.end.empty() ? Bytes(64, std::byte{0xff}) : range.end;
  rocksdb::Range const asked(to_slice(range.begin), to_slice(end));
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  std::uint64_t size = 0;
  auto const status =
      open->db->GetApproximateSizes(options, open->db->DefaultColumnFamily(), &asked, 1, &size);
  if (!status.ok()) return std::unexpected(to_error(status));
  return size;
}

Result<void> RocksDbEngine::close() {
  std::shared_ptr<FolderLock const> folder_lock;  // until all is closed
  std::shared_ptr<Database> open;
  {
    WriteLock const lock(database_mutex_);
    open = std::exchange(database_, nullptr);
    folder_lock = std::exchange(lock_, nullptr);
  }
  if (!open) return {};
  rocksdb::Status status;
  bool const writes = refuse_when_stopped(*open) && refuse_when_damaged(*open, WhenDamaged::kRefuse);
  if (writes && !was_full_.load()) status = open->db->Flush({});
  auto const closed = open->db->Close();
  if (status.ok()) status = closed;
  if (auto const registry = open->registry->close(); status.ok() && !registry) return registry;
  if (!status.ok()) return std::unexpected(to_error(status));
  return {};
}

}  // namespace tacenda::storage

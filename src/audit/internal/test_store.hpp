#pragma once

#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "audit/internal/anchor.hpp"
#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "crypto/random.hpp"
#include "vault/vault.hpp"

// What the tests of this room stand on: a store in memory that can be made to fail and whose rows can be
// changed behind the product's back.
namespace tacenda::audit::test {

struct LessBytes {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const { return less(a, b); }
};
using Rows = std::map<Bytes, Bytes, LessBytes>;

class MemoryCursor final : public storage::Cursor {
 public:
  MemoryCursor(std::shared_ptr<Rows const> rows, storage::Range range, storage::Direction direction)
      : rows_(std::move(rows)), range_(std::move(range)), direction_(direction) {
    auto const begin = rows_->lower_bound(range_.begin);
    auto const end = range_.end.empty() ? rows_->end() : rows_->lower_bound(range_.end);
    for (auto row = begin; row != end; ++row) keys_.push_back(&*row);
    if (direction_ == storage::Direction::kReverse) std::ranges::reverse(keys_);
  }
  bool valid() const override { return at_ < keys_.size(); }
  Result<void> status() const override { return {}; }
  void next() override { ++at_; }
  void seek(ByteView key) override {
    bool const forward = direction_ == storage::Direction::kForward;
    for (at_ = 0; at_ < keys_.size(); ++at_) {
      bool const before = forward ? less(keys_[at_]->first, key) : less(key, keys_[at_]->first);
      if (!before) return;
    }
  }
  ByteView key() const override { return keys_[at_]->first; }
  ByteView value() const override { return keys_[at_]->second; }

 private:
  std::shared_ptr<Rows const> rows_;
  storage::Range range_;
  storage::Direction direction_;
  std::vector<Rows::value_type const*> keys_;
  std::size_t at_ = 0;
};

class MemorySnapshot final : public storage::Snapshot {
 public:
  explicit MemorySnapshot(std::shared_ptr<Rows const> rows) : rows_(std::move(rows)) {}
  Result<std::optional<Bytes>> get(ByteView key) const override {
    auto const found = rows_->find(key);
    if (found == rows_->end()) return std::optional<Bytes>();
    return std::optional(found->second);
  }
  std::unique_ptr<storage::Cursor> scan(storage::Range const& range,
                                        storage::Direction direction) const override {
    return std::make_unique<MemoryCursor>(rows_, range, direction);
  }

 private:
  std::shared_ptr<Rows const> rows_;
};

/// The disk under a MemoryEngine: outlives it, so that a store can be opened again.
struct MemoryDisk {
  Mutex mutex;
  std::shared_ptr<Rows const> rows TACENDA_GUARDED_BY(mutex) = std::make_shared<Rows>();
  std::atomic<int> writes{0};
  std::atomic<bool> full{false};            // writes fail with kNoSpace
  std::atomic<bool> damaged{false};         // a table is damaged
  std::atomic<bool> damage_is_known{true};  // before a write meets it
  std::atomic<bool> broken{false};          // an fsync failed

  std::shared_ptr<Rows const> state() {
    MutexLock const lock(mutex);
    return rows;
  }
  /// Changes rows as somebody with the disk in his hands would.
  void tamper(std::function<void(Rows&)> const& change) {
    MutexLock const lock(mutex);
    auto copy = std::make_shared<Rows>(*rows);
    change(*copy);
    rows = std::move(copy);
  }
  void restore(std::shared_ptr<Rows const> old) {
    MutexLock const lock(mutex);
    rows = std::move(old);
  }
};

class MemoryEngine final : public storage::Engine {
 public:
  explicit MemoryEngine(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}
  Result<std::optional<Bytes>> get(ByteView key) const override {
    return MemorySnapshot(disk_->state()).get(key);
  }
  std::unique_ptr<storage::Cursor> scan(storage::Range const& range,
                                        storage::Direction direction) const override {
    return MemorySnapshot(disk_->state()).scan(range, direction);
  }
  Result<void> write(storage::WriteBatch const& batch) override {
    if (disk_->full) return fail(ErrorKind::kNoSpace, "disk is full");
    if (disk_->damaged && batch.when_damaged() == storage::WhenDamaged::kRefuse)
      return fail(ErrorKind::kCorrupt, "a table is damaged");
    if (disk_->broken) return fail(ErrorKind::kUnavailable, "fsync failed");
    ++disk_->writes;
    MutexLock const lock(disk_->mutex);
    // Copied only when a snapshot holds on to the old rows.
    auto copy = disk_->rows.use_count() == 1 ? std::const_pointer_cast<Rows>(disk_->rows)
                                             : std::make_shared<Rows>(*disk_->rows);
    for (auto const& operation : batch.operations()) {
      if (operation.value) {
        (*copy)[operation.key] = *operation.value;
      } else {
        copy->erase(operation.key);
      }
    }
    disk_->rows = std::move(copy);
    return {};
  }
  bool is_damaged() const override { return disk_->damaged && disk_->damage_is_known; }
  std::shared_ptr<storage::Snapshot const> snapshot() const override {
    return std::make_shared<MemorySnapshot>(disk_->state());
  }
  Result<void> compact(storage::Range const&) override { return {}; }
  Result<void> begin_new_files() override { return {}; }
  Result<std::optional<Time>> oldest_snapshot() const override { return std::nullopt; }
  Result<std::vector<Damage>> verify_files() const override { return std::vector<Damage>(); }
  Result<std::uint64_t> size_bytes() const override { return std::uint64_t{0}; }
  Result<std::uint64_t> size_bytes(storage::Range const&) const override { return std::uint64_t{0}; }
  Result<void> close() override { return {}; }

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

/// Files of a folder of their own, gone with this object.
class TestFiles final : public storage::Files {
 public:
  TestFiles() : real_(storage::posix_files()) {
    std::string pattern = testing::TempDir() + "audit-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~TestFiles() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::atomic<bool> broken{false};  // overwriting in place fails as after a failed fsync

  Result<Bytes> read(std::filesystem::path const& path, std::size_t size_bytes_max) override {
    return real_->read(path, size_bytes_max);
  }
  Result<void> create(std::filesystem::path const& path, ByteView content) override {
    return real_->create(path, content);
  }
  Result<void> replace(std::filesystem::path const& path, ByteView content) override {
    return real_->replace(path, content);
  }
  Result<void> overwrite(std::filesystem::path const& path, std::uint64_t offset, ByteView content) override {
    if (broken) return fail(ErrorKind::kUnavailable, "fsync failed");
    return real_->overwrite(path, offset, content);
  }
  Result<void> remove(std::filesystem::path const& path) override { return real_->remove(path); }
  Result<bool> exists(std::filesystem::path const& path) override { return real_->exists(path); }
  Result<void> make_folder(std::filesystem::path const& path) override { return real_->make_folder(path); }
  Result<bool> is_private(std::filesystem::path const& path) override { return real_->is_private(path); }
  Result<bool> same_filesystem(std::filesystem::path const& a, std::filesystem::path const& b) override {
    return real_->same_filesystem(a, b);
  }

 private:
  std::unique_ptr<storage::Files> real_;
};

inline constexpr Time kStart{std::chrono::milliseconds{1'800'000'000'000}};

/// A store with an open log and a running committer, which can be closed and opened again.
class Store {
 public:
  Store() {
    auto const made = vault::Vault::create(files, places, random, clock);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message());
    unseal();
  }
  ~Store() { stop(); }
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  /// Opens the log and starts its committer.
  Result<void> open() {
    log = TACENDA_TRY(Log::open(*vault, clock, random));
    runner = std::jthread([this](std::stop_token const& token) { log->run(token); });
    return {};
  }
  void stop() {
    if (runner.joinable()) {
      runner.request_stop();
      runner.join();
    }
  }
  /// Stops, seals and unseals: what a restart does.
  void close() {
    stop();
    log.reset();
    vault.reset();
    unseal();
  }
  Result<void> reopen() {
    close();
    return open();
  }

  TestFiles files;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  vault::Places places{files.folder / "data", files.folder / "store.key"};
  crypto::SystemRandom random;
  ManualClock clock{kStart};
  std::unique_ptr<vault::Vault> vault;
  std::unique_ptr<Log> log;
  std::jthread runner;

 private:
  void unseal() {
    auto opened = vault::Vault::unseal(files, places, {}, random, clock);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    vault = std::move(*opened);
    auto const attached = vault->attach(std::make_unique<MemoryEngine>(disk));
    ASSERT_TRUE(attached.has_value()) << attached.error().message();
  }
};

inline Event read_of(std::string const& patient,
                     std::string const& actor = "5c1d6cbe-6c3d-4f43-9d2a-0d3a8a6f3f10") {
  Event event;
  event.kind = EventKind::kRead;
  event.http_status = 200;
  event.actor_id = actor;
  event.actor_name = "dr.canary";
  event.role = "doctor";
  event.authentication = "password+totp";
  event.network = "192.0.2.7";
  event.request_id = "0b57a1be-6c3d-4f43-9d2a-0d3a8a6f3f10";
  event.resource_type = "Patient";
  event.resource_id = patient;
  event.resource_version = 1;
  event.patients = {patient};
  return event;
}

inline Result<Receipt> commit(Log& log, Event event) {
  std::vector<Event> events;
  events.push_back(std::move(event));
  return log.commit({}, std::move(events));
}

/// Gives `patient` keys, with an entry that says so.
inline void make_patient(Store& store, std::string const& patient) {
  vault::WriteSet set;
  auto const keys = store.vault->subject_for_write(vault::Subject::patient(patient), set);
  ASSERT_TRUE(keys.has_value()) << keys.error().message();
  Event event = read_of(patient);
  event.kind = EventKind::kCreate;
  std::vector<Event> events;
  events.push_back(std::move(event));
  auto const receipt = store.log->commit(std::move(set), std::move(events));
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message();
}

/// What the anchor file holds.
inline Bytes anchor_bytes(Store& store) {
  return store.files.read(Anchor::path_of(store.places), 1 << 20U).value();
}

/// The engine key of one of the audit keeper's rows.
inline Bytes engine_key(Store const& store, ByteView row_key) {
  return store.vault->view(vault::Keeper::kAudit).full_key(row_key);
}

}  // namespace tacenda::audit::test

// Two that want one data folder: the second must find it locked at every moment of the first one's life.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "core/log.hpp"
#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {
namespace {

/// Calls back whenever the engine opens a file key or makes one: in the middle of all that it does.
class ObservedKeys final : public FileKeys {
 public:
  std::function<void()> observe;

  Result<NewFileKey> make(FileClass file_class) override {
    if (observe) observe();
    return keys_.make(file_class);
  }
  Result<crypto::AeadKey> open(ByteView wrapped) override {
    if (observe) observe();
    return keys_.open(wrapped);
  }
  void destroyed(ByteView wrapped) override { keys_.destroyed(wrapped); }
  std::size_t destroyed_count() const { return keys_.destroyed_count(); }

 private:
  FixedFileKeys keys_;
};

Result<void> put(Engine& engine, std::string_view key, std::string_view value) {
  WriteBatch batch;
  batch.put(to_bytes(key), to_bytes(value));
  return engine.write(batch);
}

std::string get(Reader const& reader, std::string_view key) {
  auto const value = reader.get(as_bytes(key));
  if (!value) return "error";
  return *value ? std::string(as_text(**value)) : "none";
}

class FolderLocked : public testing::Test {
 protected:
  void SetUp() override { set_log_level(static_cast<LogLevel>(4)); }
  void TearDown() override { set_log_level(LogLevel::kInfo); }

  Result<std::unique_ptr<Engine>> try_open(FileKeys& keys) {
    return open_embedded({.folder = "/data",
                          .create = true,
                          .block_cache_bytes = 1U << 20U,
                          .memtable_bytes = 64 * 1024,
                          .reserve_bytes = 0,
                          .disk = disk_},
                         keys, random_);
  }
  std::unique_ptr<Engine> open() {
    auto engine = try_open(keys_);
    EXPECT_TRUE(engine.has_value()) << engine.error().message();
    return std::move(*engine);
  }
  /// Somebody else tries to open the folder from now on, again and again.
  void others_try() {
    keys_.observe = [this] {
      FixedFileKeys theirs;
      auto const opened = try_open(theirs);
      ++tried_;
      if (opened || opened.error().kind() != ErrorKind::kConflict) ++got_in_;
    };
  }
  /// As kill -9 leaves the store: with a write-ahead log.
  void crash(std::unique_ptr<Engine> engine) {
    disk_->cut_power();
    engine.reset();
    disk_->restart();
  }

  std::shared_ptr<FaultDisk> disk_ = std::make_shared<FaultDisk>(1);
  ObservedKeys keys_;
  crypto::SystemRandom random_;
  std::atomic<int> tried_{0};  // RocksDB's own threads open files, too
  std::atomic<int> got_in_{0};
};

TEST_F(FolderLocked, NobodyGetsInBetweenTheReadingOfTheRegistryAndTheFirstWrite) {
  {
    auto engine = open();
    ASSERT_TRUE(put(*engine, "old", "1").has_value());
    crash(std::move(engine));
  }
  others_try();
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "new", "1").has_value());
    ASSERT_TRUE(engine->compact({}).has_value());
    ASSERT_TRUE(engine->close().has_value());
  }
  EXPECT_GT(tried_.load(), 10);
  EXPECT_EQ(got_in_.load(), 0);
  keys_.observe = nullptr;
  auto const engine = open();
  EXPECT_EQ(get(*engine, "old"), "1");
  EXPECT_EQ(get(*engine, "new"), "1");
}

TEST_F(FolderLocked, NobodyGetsInWhileTheStoreIsOpenedAnewAfterAFullDisk) {
  auto engine = open();
  ASSERT_TRUE(put(*engine, "before", "1").has_value());
  disk_->set_capacity(1);
  ASSERT_EQ(put(*engine, "refused", "1").error().kind(), ErrorKind::kNoSpace);
  disk_->set_capacity(std::nullopt);
  others_try();
  ASSERT_TRUE(put(*engine, "after", "1").has_value());
  EXPECT_GT(tried_.load(), 10);
  EXPECT_EQ(got_in_.load(), 0);
  keys_.observe = nullptr;
  crash(std::move(engine));
  engine = open();
  EXPECT_EQ(get(*engine, "before"), "1");
  EXPECT_EQ(get(*engine, "after"), "1");
}

TEST_F(FolderLocked, AStoreThatCouldNotBeOpenedAnewStaysLockedAndTriesAgain) {
  auto const engine = open();
  ASSERT_TRUE(put(*engine, "before", "1").has_value());
  disk_->set_capacity(1);
  ASSERT_EQ(put(*engine, "refused", "1").error().kind(), ErrorKind::kNoSpace);
  disk_->set_capacity(std::nullopt);
  disk_->fail({.call = DiskCall::kRead, .group = FileGroup::kManifest, .nth = 1});
  ASSERT_FALSE(put(*engine, "k", "1").has_value());
  EXPECT_EQ(get(*engine, "before"), "error") << "there is no database now";
  FixedFileKeys theirs;
  auto const other = try_open(theirs);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().kind(), ErrorKind::kConflict);
  ASSERT_TRUE(put(*engine, "after", "1").has_value());
  EXPECT_EQ(get(*engine, "before"), "1");
}

TEST_F(FolderLocked, TheFolderIsFreeAfterCloseAndAfterAnOpeningThatFailed) {
  auto engine = open();
  ASSERT_TRUE(engine->close().has_value());
  ASSERT_TRUE(open()->close().has_value());  // while the closed one is still there
  disk_->fail({.call = DiskCall::kRead, .group = FileGroup::kManifest, .nth = 1});
  ASSERT_FALSE(try_open(keys_).has_value());
  EXPECT_TRUE(try_open(keys_).has_value());
}

/// Tries to open a folder whenever it is asked to. Forked before the folder is locked, as a process that was
/// started on its own would be: RocksDB keeps a table of locks in each process.
class OtherProcess {
 public:
  explicit OtherProcess(std::function<bool()> const& kept_out) {
    EXPECT_EQ(::pipe(asks_.data()), 0);
    EXPECT_EQ(::pipe(answers_.data()), 0);
    child_ = ::fork();
    if (child_ != 0) {
      ::close(asks_[0]);
      ::close(answers_[1]);
      return;
    }
    ::close(asks_[1]);
    ::alarm(60);  // once let in it may hang: RocksDB's threads are not forked with it
    char asked = 0;
    while (::read(asks_[0], &asked, 1) == 1) {
      char const answer = kept_out() ? 'k' : 'i';
      if (::write(answers_[1], &answer, 1) != 1) break;
    }
    ::_exit(0);
  }
  OtherProcess(OtherProcess const&) = delete;
  OtherProcess& operator=(OtherProcess const&) = delete;
  ~OtherProcess() {
    ::close(asks_[1]);
    ::close(answers_[0]);
    EXPECT_EQ(::waitpid(child_, nullptr, 0), child_);
  }
  bool is_kept_out() {
    char answer = 0;
    return ::write(asks_[1], "?", 1) == 1 && ::read(answers_[0], &answer, 1) == 1 && answer == 'k';
  }

 private:
  std::array<int, 2> asks_{};
  std::array<int, 2> answers_{};
  pid_t child_ = 0;
};

// The lock of the operating system, and not only that of the disk in memory.
TEST_F(FolderLocked, AnotherProcessIsKeptOutAtEveryMomentOfTheOpening) {
  auto const folder =
      std::filesystem::path(testing::TempDir()) / ("folder_lock_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  EmbeddedOptions const options{.folder = folder, .create = true, .disk = nullptr};
  {
    auto const engine = open_embedded(options, keys_, random_);
    ASSERT_TRUE(engine.has_value());
    ASSERT_TRUE(put(**engine, "old", "1").has_value());
  }
  OtherProcess other([&] {
    FixedFileKeys theirs;
    auto const opened = open_embedded(options, theirs, random_);
    return !opened && opened.error().kind() == ErrorKind::kConflict;
  });
  keys_.observe = [&] {
    ++tried_;
    if (got_in_.load() == 0 && !other.is_kept_out()) ++got_in_;
  };
  {
    auto const engine = open_embedded(options, keys_, random_);
    keys_.observe = nullptr;
    ASSERT_TRUE(engine.has_value()) << engine.error().message();
    ASSERT_TRUE(put(**engine, "new", "1").has_value());
  }
  EXPECT_GT(tried_.load(), 5);
  EXPECT_EQ(got_in_.load(), 0);
  auto const engine = open_embedded(options, keys_, random_);
  ASSERT_TRUE(engine.has_value());
  EXPECT_EQ(get(**engine, "old"), "1");
  EXPECT_EQ(get(**engine, "new"), "1");
  std::filesystem::remove_all(folder);
}

// What a second opener left of the first one's REGISTRY before there was one lock for all of the opening.
TEST_F(FolderLocked, AStoreThatDoesNotFitItsRegistryIsRefusedAndLosesNoFile) {
  Bytes old_registry;
  Bytes old_marks;
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "old", "1").has_value());
  }
  {
    auto const engine = open();
    old_registry = disk_->content("/data/REGISTRY");
    old_marks = disk_->content("/data/MARKS");
  }
  {
    auto engine = open();
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(put(*engine, std::to_string(i), std::string(2'000, 'x')).has_value());
    crash(std::move(engine));
  }
  Bytes const registry = disk_->content("/data/REGISTRY");
  Bytes const marks = disk_->content("/data/MARKS");
  disk_->set_content("/data/REGISTRY", old_registry);
  disk_->set_content("/data/MARKS", old_marks);
  auto const names = disk_->files();
  auto const destroyed = keys_.destroyed_count();
  auto const refused = try_open(keys_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(disk_->files(), names);
  EXPECT_EQ(keys_.destroyed_count(), destroyed);
  disk_->set_content("/data/REGISTRY", registry);
  disk_->set_content("/data/MARKS", marks);
  auto const engine = open();
  EXPECT_EQ(get(*engine, "old"), "1");
  EXPECT_EQ(get(*engine, "99"), std::string(2'000, 'x'));
}

}  // namespace
}  // namespace tacenda::storage

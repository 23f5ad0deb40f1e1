// What is done to the files of a store behind its back, and what the store says to it.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/log.hpp"
#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/bit_flips.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {
namespace {

class Damage : public testing::Test {
 protected:
  void SetUp() override { set_log_level(static_cast<LogLevel>(4)); }
  void TearDown() override { set_log_level(LogLevel::kInfo); }

  EmbeddedOptions options() const {
    return {.folder = "/data",
            .create = true,
            .block_cache_bytes = 1U << 20U,
            .memtable_bytes = 64 * 1024,
            .reserve_bytes = 0,
            .disk = disk_};
  }
  Result<std::unique_ptr<Engine>> try_open() { return open_embedded(options(), keys_, random_); }
  std::unique_ptr<Engine> open() {
    auto engine = try_open();
    EXPECT_TRUE(engine.has_value()) << engine.error().message();
    return std::move(*engine);
  }
  static Result<void> put(Engine& engine, std::string_view key, std::string_view value) {
    WriteBatch batch;
    batch.put(to_bytes(key), to_bytes(value));
    return engine.write(batch);
  }
  static std::string get(Reader const& reader, std::string_view key) {
    auto const value = reader.get(as_bytes(key));
    if (!value) return value.error().kind() == ErrorKind::kCorrupt ? "corrupt" : "error";
    return *value ? std::string(as_text(**value)) : "none";
  }
  std::vector<std::string> files_ending(std::string_view ending) const {
    std::vector<std::string> found;
    for (auto const& path : disk_->files()) {
      if (path.ends_with(ending)) found.push_back(path);
    }
    return found;
  }
  std::string only_file_with(std::string_view part) const {
    for (auto const& path : disk_->files()) {
      if (path.contains(part)) return path;
    }
    ADD_FAILURE() << "no file with " << part;
    return {};
  }
  /// Copies all files, as an attacker with a copy of the folder would.
  std::vector<std::pair<std::string, Bytes>> copy_folder() const {
    std::vector<std::pair<std::string, Bytes>> copy;
    for (auto const& path : disk_->files()) copy.emplace_back(path, disk_->content(path));
    return copy;
  }
  /// Two tables with one half of the keys each.
  void make_two_tables() {
    for (char const half : {'a', 'b'}) {
      auto const engine = open();
      for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(put(*engine, half + std::to_string(i), std::string(2'000, half)).has_value());
      }
      ASSERT_TRUE(engine->close().has_value());
    }
    ASSERT_EQ(files_ending(".sst").size(), 2U);
  }

  std::shared_ptr<FaultDisk> disk_ = std::make_shared<FaultDisk>(1);
  FixedFileKeys keys_;
  crypto::SystemRandom random_;
};

TEST_F(Damage, ATableWithADamagedBlockFailsForItsKeysAndTheOthersStayReadable) {
  make_two_tables();
  std::string const table = files_ending(".sst").front();
  Bytes content = disk_->content(table);
  content[1'000] ^= std::byte{1};  // first chunk: the first data blocks
  disk_->set_content(table, content);
  auto const engine = open();
  EXPECT_EQ(get(*engine, "a0"), "corrupt");
  EXPECT_EQ(get(*engine, "b0"), std::string(2'000, 'b'));
  auto const damages = engine->verify_files();
  ASSERT_TRUE(damages.has_value());
  ASSERT_EQ(damages->size(), 1U);
  EXPECT_EQ("/data/" + damages->front().file, table);
}

TEST_F(Damage, AWalkIntoADamagedTableOfALevelEndsWithItsError) {
  {
    auto const engine = open();
    for (int i = 0; i < 1'500; ++i) {
      ASSERT_TRUE(put(*engine, "k" + std::to_string(i), std::string(2'000, 'v')).has_value());
    }
    ASSERT_TRUE(engine->compact({}).has_value());
    ASSERT_TRUE(engine->close().has_value());
  }
  auto const tables = files_ending(".sst");
  ASSERT_GT(tables.size(), 1U) << "neighbours of one level";
  for (auto const& table : tables) {
    Bytes const whole = disk_->content(table);
    Bytes content = whole;
    content.back() ^= std::byte{1};
    disk_->set_content(table, content);
    auto const engine = open();
    auto const cursor = engine->scan({});
    while (cursor->valid()) cursor->next();
    ASSERT_FALSE(cursor->status().has_value()) << table;
    EXPECT_EQ(cursor->status().error().kind(), ErrorKind::kCorrupt);
    auto const backwards = engine->scan({}, Direction::kReverse);
    while (backwards->valid()) backwards->next();
    EXPECT_FALSE(backwards->status().has_value()) << table;
    disk_->set_content(table, whole);
  }
}

TEST_F(Damage, ATableThatCannotBeOpenedLeavesTheStoreReadOnlyAndTheOtherTablesReadable) {
  make_two_tables();
  std::string const table = files_ending(".sst").front();
  Bytes content = disk_->content(table);
  content.back() ^= std::byte{1};  // last chunk: footer and index
  disk_->set_content(table, content);
  auto const engine = open();
  EXPECT_EQ(get(*engine, "a0"), "corrupt");
  EXPECT_EQ(get(*engine, "b0"), std::string(2'000, 'b'));
  auto const written = put(*engine, "c", "1");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().kind(), ErrorKind::kCorrupt);
}

// RocksDB opens a store with such a table only without paranoid checks, and would then pass over the log.
TEST_F(Damage, ATableThatCannotBeOpenedBesideALogThatCannotBeReadRefusesAndKeepsTheLog) {
  make_two_tables();
  {
    auto engine = open();
    for (int i = 0; i < 20; ++i)
      ASSERT_TRUE(put(*engine, "b" + std::to_string(i), "acknowledged").has_value());
    disk_->cut_power();
  }
  disk_->restart();
  auto const store = copy_folder();
  std::string const table = files_ending(".sst").front();
  auto const logs = files_ending(".log");
  ASSERT_FALSE(logs.empty());
  int refused = 0;
  for (std::uint64_t read = 1; read <= 12; ++read) {
    for (bool const once : {true, false}) {
      FixedFileKeys keys;  // each its own: what one copy destroys, another needs
      disk_ = std::make_shared<FaultDisk>(1);
      ASSERT_TRUE(disk_->make_folder("/data").has_value());
      for (auto const& [path, content] : store) {
        ASSERT_TRUE(disk_->create(path, FaultDisk::Existing::kRefuse).has_value());
        disk_->set_content(path, content);
      }
      ASSERT_TRUE(disk_->sync_folder("/data").has_value());
      Bytes damaged = disk_->content(table);
      damaged.back() ^= std::byte{1};
      disk_->set_content(table, damaged);
      for (std::uint64_t later = read; later <= (once ? read : 40); ++later)
        disk_->fail({.call = DiskCall::kRead, .group = FileGroup::kWriteAheadLog, .nth = later});
      if (auto const engine = open_embedded(options(), keys, random_)) {
        EXPECT_EQ(get(**engine, "b7"), "acknowledged") << read;
        continue;
      }
      ++refused;
      for (auto const& log : logs) {
        EXPECT_FALSE(disk_->content(log).empty()) << read << " " << log;
      }
      disk_->restart();  // the disk is well again, and the table back
      disk_->set_content(table,
                         std::ranges::find(store, table, &std::pair<std::string, Bytes>::first)->second);
      auto const engine = open_embedded(options(), keys, random_);
      ASSERT_TRUE(engine.has_value()) << read << " " << engine.error().message();
      EXPECT_EQ(get(**engine, "a7"), std::string(2'000, 'a')) << read;
      EXPECT_EQ(get(**engine, "b7"), "acknowledged") << read;
    }
  }
  EXPECT_GT(refused, 4);
}

TEST_F(Damage, ATableFoundDamagedByAReadLeavesNothingWrittenButWhatReadingDependsOn) {
  make_two_tables();
  auto engine = open();
  ASSERT_TRUE(put(*engine, "before", "1").has_value());
  EXPECT_FALSE(engine->is_damaged());
  std::string const table = files_ending(".sst").front();
  Bytes content = disk_->content(table);
  content[1'000] ^= std::byte{1};
  disk_->set_content(table, content);
  EXPECT_EQ(get(*engine, "a0"), "corrupt");
  EXPECT_TRUE(engine->is_damaged());
  for (int i = 0; i < 3; ++i) {
    auto const refused = put(*engine, "refused", "1");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
    WriteBatch needed;
    needed.set_when_damaged(WhenDamaged::kWrite);
    needed.put(to_bytes("entry" + std::to_string(i)), to_bytes("1"));
    ASSERT_TRUE(engine->write(needed).has_value());
  }
  EXPECT_EQ(engine->compact({}).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(get(*engine, "b0"), std::string(2'000, 'b'));
  ASSERT_TRUE(engine->close().has_value());
  engine = open();
  EXPECT_EQ(get(*engine, "before"), "1");
  EXPECT_EQ(get(*engine, "entry2"), "1");
  EXPECT_EQ(get(*engine, "refused"), "none");
}

TEST_F(Damage, ATableFoundDamagedByACompactionLeavesTheStoreReadOnlyAndRefusesWithoutStopping) {
  make_two_tables();
  auto const engine = open();
  std::string const table = files_ending(".sst").front();
  Bytes content = disk_->content(table);
  content[1'000] ^= std::byte{1};
  disk_->set_content(table, content);
  auto const compacted = engine->compact({});
  ASSERT_FALSE(compacted.has_value());
  EXPECT_EQ(compacted.error().kind(), ErrorKind::kCorrupt) << compacted.error().message();
  EXPECT_TRUE(engine->is_damaged());
  EXPECT_EQ(put(*engine, "k", "1").error().kind(), ErrorKind::kCorrupt);
  for (int i = 0; i < 3; ++i) {
    WriteBatch needed;
    needed.set_when_damaged(WhenDamaged::kWrite);
    needed.put(to_bytes("k"), to_bytes("1"));
    auto const written = engine->write(needed);
    // RocksDB writes no more after a compaction that failed so; the engine must not take that for its own
    // end.
    EXPECT_TRUE(written || written.error().kind() == ErrorKind::kCorrupt) << written.error().message();
    EXPECT_EQ(get(*engine, "k"), written ? "1" : "none");
  }
  EXPECT_EQ(get(*engine, "b0"), std::string(2'000, 'b'));
}

TEST_F(Damage, ExchangedTablesAreFoundOutAndNamed) {
  make_two_tables();
  auto const tables = files_ending(".sst");
  disk_->swap(tables[0], tables[1]);
  auto const engine = open();
  EXPECT_EQ(get(*engine, "a0"), "corrupt");
  EXPECT_EQ(get(*engine, "b0"), "corrupt");
  EXPECT_FALSE(put(*engine, "c", "1").has_value());
  auto const damages = engine->verify_files();
  ASSERT_TRUE(damages.has_value());
  EXPECT_EQ(damages->size(), 2U);
}

TEST_F(Damage, ATableCutAtAChunkBoundaryIsFoundOut) {
  make_two_tables();
  std::string const table = files_ending(".sst").front();
  Bytes content = disk_->content(table);
  ASSERT_GT(content.size(), 512U + 16'400U);
  content.resize(512 + 16'400);
  disk_->set_content(table, content);
  EXPECT_EQ(get(*open(), "a0"), "corrupt");
}

TEST_F(Damage, AStoreWithoutOneOfItsFilesDoesNotOpen) {
  {
    auto const engine = open();
    for (int i = 0; i < 60; ++i)
      ASSERT_TRUE(put(*engine, "k" + std::to_string(i), std::string(2'000, 'x')).has_value());
  }
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "last", "1").has_value());
    auto const copy = copy_folder();  // as kill -9 leaves it: with a write-ahead log
    disk_->cut_power();
    for (auto const& [path, content] : copy) {
      if (content.empty()) continue;  // LOCK
      auto const disk = std::make_shared<FaultDisk>(1);
      ASSERT_TRUE(disk->make_folder("/data").has_value());
      for (auto const& [other, bytes] : copy) {
        ASSERT_TRUE(disk->create(other, FaultDisk::Existing::kRefuse).has_value());
        disk->set_content(other, bytes);
      }
      disk->erase(path);
      FixedFileKeys keys;
      auto wanting = options();
      wanting.disk = disk;
      auto const opened = open_embedded(wanting, keys, random_);
      ASSERT_FALSE(opened.has_value()) << path;
      EXPECT_EQ(opened.error().kind(), ErrorKind::kCorrupt) << path;
    }
  }
}

TEST_F(Damage, AnOlderCopyOfOneFileIsNotAccepted) {
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "k", "old").has_value());
  }
  std::string const current = only_file_with("CURRENT");
  Bytes const old_current = disk_->content(current);
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "k", "new").has_value());
  }
  disk_->set_content(current, old_current);
  EXPECT_FALSE(try_open().has_value());
}

TEST_F(Damage, AnOlderRegistryIsNotAccepted) {
  {
    auto const engine = open();
  }
  Bytes const old_registry = disk_->content("/data/REGISTRY");
  {
    auto const engine = open();
  }
  disk_->set_content("/data/REGISTRY", old_registry);
  EXPECT_FALSE(try_open().has_value());
}

TEST_F(Damage, AFileOfAnotherStoreIsNotAccepted) {
  make_two_tables();
  auto const other_disk = std::make_shared<FaultDisk>(2);
  FixedFileKeys other_keys;  // wraps under the same key: only the registry tells the files apart
  {
    auto other = options();
    other.disk = other_disk;
    auto const engine = open_embedded(other, other_keys, random_);
    ASSERT_TRUE(engine.has_value());
  }
  disk_->set_content("/data/REGISTRY", other_disk->content("/data/REGISTRY"));
  EXPECT_FALSE(try_open().has_value());
}

TEST_F(Damage, ALogCutAnywhereInItsSyncedPartIsRefused) {
  {
    auto const engine = open();
    for (int i = 0; i < 30; ++i)
      ASSERT_TRUE(put(*engine, "k" + std::to_string(i), std::string(300, 'x')).has_value());
    auto const copy = copy_folder();
    disk_->cut_power();
    disk_ = std::make_shared<FaultDisk>(1);
    ASSERT_TRUE(disk_->make_folder("/data").has_value());
    for (auto const& [path, content] : copy) {
      ASSERT_TRUE(disk_->create(path, FaultDisk::Existing::kRefuse).has_value());
      disk_->set_content(path, content);
    }
  }
  auto const copy = copy_folder();
  std::string const log = only_file_with(".log");
  Bytes const whole = disk_->content(log);
  ASSERT_GT(whole.size(), 4'096U);
  std::size_t refused = 0;
  for (std::size_t cut = 1; cut <= 4'096; ++cut) {
    for (auto const& [path, content] : copy) disk_->set_content(path, content);
    Bytes shorter = whole;
    shorter.resize(whole.size() - cut);
    disk_->set_content(log, shorter);
    auto const opened = try_open();
    ASSERT_FALSE(opened.has_value()) << cut;
    ASSERT_EQ(opened.error().kind(), ErrorKind::kCorrupt) << cut;
    ++refused;
  }
  EXPECT_EQ(refused, 4'096U);
}

TEST_F(Damage, FilesThatAreWrittenRenamedAndRemovedMeanwhileAreNotDamaged) {
  auto const engine = open();
  std::atomic<bool> enough{false};
  std::jthread const writer([&] {
    for (int i = 0; !enough.load(); ++i) {
      EXPECT_TRUE(put(*engine, std::to_string(i % 100), std::string(2'000, 'v')).has_value());
      if (i % 50 != 0) continue;
      EXPECT_TRUE(engine->compact({}).has_value());
    }
  });
  for (int i = 0; i < 300; ++i) {
    auto const damages = engine->verify_files();
    if (!damages || !damages->empty()) {
      ADD_FAILURE() << i << ": "
                    << (damages ? damages->front().file : std::string(damages.error().message()));
      break;
    }
  }
  enough = true;
}

TEST_F(Damage, NoBitFlipInAnyFileGivesAWrongAnswer) {
  FlipReport const report = flip_bits(7, 1'000);
  EXPECT_EQ(report.flips, 1'000U);
  EXPECT_EQ(report.wrong, 0U);
  EXPECT_EQ(report.unnamed, 0U);
  EXPECT_GT(report.refused, 100U);
  EXPECT_GT(report.unreadable, 50U);
}

double entropy_bits(ByteView bytes) {
  std::array<double, 256> counts{};
  for (std::byte const byte : bytes) counts[std::to_integer<std::size_t>(byte)] += 1;
  double bits = 0;
  for (double const count : counts) {
    double const share = count / static_cast<double>(bytes.size());
    if (count > 0) bits -= share * std::log2(share);
  }
  return bits;
}

// S-05.
TEST_F(Damage, NoFileHoldsAKeyOrAValueInClear) {
  constexpr std::string_view kCanary = "CanaryMrsMillicentTessaro";
  std::size_t large_files = 0;
  auto const search = [&] {
    for (auto const& path : disk_->files()) {
      Bytes const content = disk_->content(path);
      EXPECT_FALSE(as_text(content).contains(kCanary)) << path;
      EXPECT_FALSE(as_text(content).contains("BytewiseComparator")) << path;  // nor RocksDB's own text
      if (content.size() <= 64 * 1024) continue;
      ++large_files;
      EXPECT_GT(entropy_bits(content), 7.9) << path;
    }
  };
  {
    auto const engine = open();
    for (int i = 0; i < 200; ++i) {
      std::string const text = std::string(kCanary) + std::to_string(i);
      ASSERT_TRUE(put(*engine, text, std::string(1'000, ' ') + text).has_value());
    }
    search();
    ASSERT_TRUE(engine->compact({}).has_value());
    search();
    ASSERT_TRUE(put(*engine, std::string(kCanary), std::string(kCanary)).has_value());
    search();
  }
  auto const engine = open();
  EXPECT_EQ(get(*engine, kCanary), kCanary);
  search();
  EXPECT_GT(large_files, 0U);
}

TEST_F(Damage, KeysOfUnlinkedFilesAreHandedBack) {
  make_two_tables();
  auto const tables = files_ending(".sst");
  std::vector<Bytes> wrapped;
  for (auto const& table : tables)
    wrapped.push_back(to_bytes(ByteView(disk_->content(table)).subspan(28, 72)));
  auto const engine = open();
  ASSERT_TRUE(keys_.open(wrapped[0]).has_value());
  ASSERT_TRUE(engine->compact({}).has_value());
  for (auto const& key : wrapped) {
    auto const opened = keys_.open(key);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::kGone);
  }
}

}  // namespace
}  // namespace tacenda::storage

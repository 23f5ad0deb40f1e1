// Errors of the disk while the store runs.
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

class WriteError : public testing::Test {
 protected:
  std::unique_ptr<Engine> open() {
    auto engine = open_embedded({.folder = "/data",
                                 .create = true,
                                 .block_cache_bytes = 1U << 20U,
                                 .memtable_bytes = 64 * 1024,
                                 .reserve_bytes = 0,
                                 .disk = disk_},
                                keys_, random_);
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
    if (!value) return "error";
    return *value ? std::string(as_text(**value)) : "none";
  }

  std::shared_ptr<FaultDisk> disk_ = std::make_shared<FaultDisk>(1);
  FixedFileKeys keys_;
  crypto::SystemRandom random_;
};

TEST_F(WriteError, AfterAFailedFsyncOfTheLogNothingIsAcknowledgedAnyMore) {
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "before", "1").has_value());
    disk_->fail({.call = DiskCall::kSync, .group = FileGroup::kWriteAheadLog, .nth = 1});
    auto const failed = put(*engine, "at", "1");
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().kind(), ErrorKind::kUnavailable);
    for (int i = 0; i < 10; ++i) {
      auto const later = put(*engine, "later", "1");  // the disk is well again, and says so
      ASSERT_FALSE(later.has_value());
      EXPECT_EQ(later.error().kind(), ErrorKind::kUnavailable);
    }
    EXPECT_EQ(get(*engine, "before"), "1");
  }
  disk_->restart();
  auto const engine = open();
  EXPECT_EQ(get(*engine, "before"), "1");
  EXPECT_EQ(get(*engine, "later"), "none");
}

TEST_F(WriteError, AFailedFsyncOfAnyFileStopsTheEngine) {
  for (auto const group :
       {FileGroup::kTable, FileGroup::kManifest, FileGroup::kRegistry, FileGroup::kCurrent}) {
    disk_ = std::make_shared<FaultDisk>(1);
    auto const engine = open();
    disk_->fail({.call = DiskCall::kSync, .group = group, .nth = 1});
    bool stopped = false;
    for (int i = 0; i < 2'000 && !stopped; ++i)
      stopped = !put(*engine, std::to_string(i), std::string(1'000, 'x')).has_value();
    EXPECT_TRUE(stopped) << static_cast<int>(group);
    auto const later = put(*engine, "later", "1");
    ASSERT_FALSE(later.has_value());
    EXPECT_EQ(later.error().kind(), ErrorKind::kUnavailable);
  }
}

TEST_F(WriteError, AFailedWriteOfTheLogStopsTheEngine) {
  auto const engine = open();
  disk_->fail({.call = DiskCall::kWrite, .group = FileGroup::kWriteAheadLog, .nth = 1});
  EXPECT_EQ(put(*engine, "k", "1").error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(put(*engine, "k", "1").error().kind(), ErrorKind::kUnavailable);
}

TEST_F(WriteError, AFullDiskRefusesTheBatchWholeAndTheEngineGoesOnWhenThereIsRoom) {
  auto const engine = open();
  ASSERT_TRUE(put(*engine, "before", "1").has_value());
  disk_->set_capacity(1);  // no file can grow
  auto const refused = put(*engine, "refused", "1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(get(*engine, "refused"), "none");
  disk_->set_capacity(std::nullopt);
  ASSERT_TRUE(put(*engine, "after", "1").has_value());
  EXPECT_EQ(get(*engine, "before"), "1");
  EXPECT_EQ(get(*engine, "after"), "1");
}

// The disk fills up at many different moments: in the log, in a flush, in MANIFEST, in the registry.
TEST_F(WriteError, NothingAcknowledgedIsLostOnADiskThatFillsUpAndIsEmptiedAgain) {
  for (std::uint64_t room = 20'000; room <= 900'000; room += 40'000) {
    disk_ = std::make_shared<FaultDisk>(room);
    std::map<std::string, std::string> acknowledged;
    std::size_t refused = 0;
    {
      auto const engine = open();
      disk_->set_capacity(room);
      for (int i = 0; i < 400 && refused < 20; ++i) {
        std::string const key = "key" + std::to_string(i % 100);
        std::string const value = std::to_string(i) + std::string(3'000, 'x');
        auto const written = put(*engine, key, value);
        if (written) {
          acknowledged[key] = value;
          continue;
        }
        ASSERT_EQ(written.error().kind(), ErrorKind::kNoSpace) << room << written.error().message();
        ++refused;
      }
      ASSERT_GT(refused, 0U) << room;
      disk_->set_capacity(std::nullopt);
      auto const again = put(*engine, "again", "1");
      ASSERT_TRUE(again.has_value()) << room << " " << again.error().message();
      acknowledged["again"] = "1";
      for (auto const& [key, value] : acknowledged)
        ASSERT_TRUE(get(*engine, key) == value) << room << " " << key;
      disk_->cut_power();
    }
    disk_->restart();
    auto const engine = open();
    for (auto const& [key, value] : acknowledged)
      ASSERT_TRUE(get(*engine, key) == value) << room << " " << key;
  }
}

TEST_F(WriteError, AReadErrorIsNoMissingKey) {
  {
    auto const engine = open();
    ASSERT_TRUE(put(*engine, "k", "1").has_value());
  }
  auto const engine = open();
  disk_->fail({.call = DiskCall::kRead, .group = FileGroup::kTable, .nth = 1});
  EXPECT_EQ(engine->get(as_bytes("k")).error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(get(*engine, "k"), "1");
}

}  // namespace
}  // namespace tacenda::storage

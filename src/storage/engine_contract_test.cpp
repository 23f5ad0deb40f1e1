// One contract, run over every implementation of Engine.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {
namespace {

/// One store that can be opened several times.
class Store {
 public:
  Store() = default;
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;
  virtual ~Store() = default;
  virtual EmbeddedOptions options() = 0;

  std::unique_ptr<Engine> open() {
    auto engine = open_embedded(options(), keys_, random_);
    EXPECT_TRUE(engine.has_value()) << engine.error().message();
    return engine ? std::move(*engine) : nullptr;
  }

 private:
  FixedFileKeys keys_;
  crypto::SystemRandom random_;
};

class PosixStore final : public Store {
 public:
  PosixStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tacenda-storage-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PosixStore() override { std::filesystem::remove_all(folder_); }
  EmbeddedOptions options() override {
    return {.folder = folder_ / "data",
            .create = true,
            .block_cache_bytes = 8U << 20U,
            .reserve_bytes = 0,
            .disk = nullptr};
  }

 private:
  std::filesystem::path folder_;
};

class FaultStore final : public Store {
 public:
  EmbeddedOptions options() override {
    return {
        .folder = "/data", .create = true, .block_cache_bytes = 8U << 20U, .reserve_bytes = 0, .disk = disk_};
  }

 private:
  std::shared_ptr<FaultDisk> disk_ = std::make_shared<FaultDisk>(1);
};

struct Implementation {
  char const* name;
  std::function<std::unique_ptr<Store>()> make;
};

class EngineContract : public testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<Store> store_ = GetParam().make();
  std::unique_ptr<Engine> engine_ = store_->open();

  void reopen() {
    ASSERT_TRUE(engine_->close().has_value());
    engine_ = store_->open();
    ASSERT_NE(engine_, nullptr);
  }
  void put(std::string_view key, std::string_view value) {
    WriteBatch batch;
    batch.put(to_bytes(key), to_bytes(value));
    ASSERT_TRUE(engine_->write(batch).has_value());
  }
  static std::string get(Reader const& reader, std::string_view key) {
    auto const value = reader.get(as_bytes(key));
    if (!value) return "error";
    return *value ? std::string(as_text(**value)) : "none";
  }
  static std::string walk(Reader const& reader, Range const& range,
                          Direction direction = Direction::kForward) {
    std::string seen;
    auto const cursor = reader.scan(range, direction);
    for (; cursor->valid(); cursor->next()) {
      seen += std::string(as_text(cursor->key())) + "=" + std::string(as_text(cursor->value())) + " ";
    }
    EXPECT_TRUE(cursor->status().has_value());
    return seen;
  }
};

Range between(std::string_view begin, std::string_view end) {
  return {.begin = to_bytes(begin), .end = to_bytes(end)};
}

TEST_P(EngineContract, AnAbsentKeyHasNoValue) {
  EXPECT_EQ(get(*engine_, "k"), "none");
}

TEST_P(EngineContract, AnEmptyValueIsNotAnAbsentOne) {
  put("k", "");
  EXPECT_EQ(get(*engine_, "k"), "");
}

TEST_P(EngineContract, OperationsOfABatchApplyInOrder) {
  WriteBatch batch;
  batch.put(to_bytes("a"), to_bytes("1"));
  batch.erase(to_bytes("a"));
  batch.erase(to_bytes("b"));
  batch.put(to_bytes("b"), to_bytes("2"));
  ASSERT_TRUE(engine_->write(batch).has_value());
  EXPECT_EQ(get(*engine_, "a"), "none");
  EXPECT_EQ(get(*engine_, "b"), "2");
}

TEST_P(EngineContract, KeysSortByUnsignedByte) {
  put("\x7F", "low");
  put("\x80", "high");
  put(std::string_view("\x00", 1), "zero");
  auto const cursor = engine_->scan({});
  std::string seen;
  for (; cursor->valid(); cursor->next()) seen += std::string(as_text(cursor->value())) + " ";
  EXPECT_EQ(seen, "zero low high ");
}

TEST_P(EngineContract, ARangeIncludesItsBeginAndNotItsEnd) {
  for (auto const* key : {"a", "b", "c", "d"}) put(key, key);
  EXPECT_EQ(walk(*engine_, between("b", "d")), "b=b c=c ");
  EXPECT_EQ(walk(*engine_, between("b", "d"), Direction::kReverse), "c=c b=b ");
  EXPECT_EQ(walk(*engine_, between("c", "")), "c=c d=d ");
  EXPECT_EQ(walk(*engine_, between("c", ""), Direction::kReverse), "d=d c=c ");
  EXPECT_EQ(walk(*engine_, between("x", "")), "");
  EXPECT_EQ(walk(*engine_, between("", "a"), Direction::kReverse), "");
}

TEST_P(EngineContract, APrefixRangeHoldsAllKeysWithThePrefixAndNoOther) {
  std::string const highest = "p\xFF\xFF";
  for (auto const& key : {std::string("o"), std::string("p"), std::string("pq"), highest, std::string("q")})
    put(key, "");
  EXPECT_EQ(walk(*engine_, prefix_range(as_bytes("p"))), "p= pq= " + highest + "= ");
  EXPECT_EQ(walk(*engine_, prefix_range(as_bytes("p\xFF"))), highest + "= ");
}

TEST_P(EngineContract, SeekStopsAtTheNearestEntryInTheDirectionAndInTheRange) {
  for (auto const* key : {"b", "d", "f"}) put(key, key);
  auto const forward = engine_->scan(between("b", "f"), Direction::kForward);
  forward->seek(as_bytes("c"));
  ASSERT_TRUE(forward->valid());
  EXPECT_EQ(as_text(forward->key()), "d");
  forward->seek(as_bytes("a"));
  ASSERT_TRUE(forward->valid());
  EXPECT_EQ(as_text(forward->key()), "b");
  forward->seek(as_bytes("e"));
  EXPECT_FALSE(forward->valid());
  auto const reverse = engine_->scan(between("b", "f"), Direction::kReverse);
  reverse->seek(as_bytes("c"));
  ASSERT_TRUE(reverse->valid());
  EXPECT_EQ(as_text(reverse->key()), "b");
  reverse->seek(as_bytes("z"));
  ASSERT_TRUE(reverse->valid());
  EXPECT_EQ(as_text(reverse->key()), "d");
  reverse->seek(as_bytes("a"));
  EXPECT_FALSE(reverse->valid());
}

TEST_P(EngineContract, ASnapshotKeepsItsStateWhenLaterWritesCome) {
  put("a", "1");
  put("b", "1");
  auto const before = engine_->snapshot();
  WriteBatch batch;
  batch.put(to_bytes("a"), to_bytes("2"));
  batch.erase(to_bytes("b"));
  batch.put(to_bytes("c"), to_bytes("2"));
  ASSERT_TRUE(engine_->write(batch).has_value());
  EXPECT_EQ(walk(*before, {}), "a=1 b=1 ");
  EXPECT_EQ(get(*before, "b"), "1");
  EXPECT_EQ(walk(*engine_, {}), "a=2 c=2 ");
}

TEST_P(EngineContract, ACursorKeepsTheStateItWasMadeIn) {
  put("a", "1");
  auto const cursor = engine_->scan({});
  put("b", "2");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
}

TEST_P(EngineContract, WritesAreThereAfterReopening) {
  put("a", "1");
  put("b", std::string(100'000, 'x'));
  reopen();
  EXPECT_EQ(get(*engine_, "a"), "1");
  EXPECT_EQ(get(*engine_, "b"), std::string(100'000, 'x'));
}

TEST_P(EngineContract, NewFilesTakeWhatComesAndKeepWhatWas) {
  ASSERT_TRUE(engine_->begin_new_files()) << "with nothing in memory";
  put("a", "1");
  ASSERT_TRUE(engine_->begin_new_files());
  put("b", "2");
  EXPECT_EQ(get(*engine_, "a"), "1");
  reopen();
  EXPECT_EQ(get(*engine_, "a"), "1");
  EXPECT_EQ(get(*engine_, "b"), "2");
}

TEST_P(EngineContract, ABatchOfManyMegabytesIsStoredWhole) {
  WriteBatch batch;
  for (int i = 0; i < 64; ++i) batch.put(to_bytes("key" + std::to_string(i)), Bytes(100'000, std::byte(i)));
  ASSERT_TRUE(engine_->write(batch).has_value());
  reopen();
  for (int i = 0; i < 64; ++i) {
    auto const value = engine_->get(as_bytes("key" + std::to_string(i)));
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(*value, Bytes(100'000, std::byte(i)));
  }
}

TEST_P(EngineContract, CompactionKeepsWhatIsAliveAndDropsWhatIsNot) {
  Bytes const large(1'000'000, std::byte{7});
  WriteBatch batch;
  for (int i = 0; i < 8; ++i) batch.put(to_bytes("dead" + std::to_string(i)), large);
  batch.put(to_bytes("alive"), to_bytes("1"));
  ASSERT_TRUE(engine_->write(batch).has_value());
  reopen();
  WriteBatch erase;
  for (int i = 0; i < 8; ++i) erase.erase(to_bytes("dead" + std::to_string(i)));
  ASSERT_TRUE(engine_->write(erase).has_value());
  ASSERT_TRUE(engine_->compact({}).has_value());
  EXPECT_EQ(walk(*engine_, {}), "alive=1 ");
  auto const size = engine_->size_bytes();
  ASSERT_TRUE(size.has_value());
  EXPECT_LT(*size, 1'000'000U);
}

TEST_P(EngineContract, ARangeHasASizeOfItsOwn) {
  WriteBatch batch;
  for (int i = 0; i < 8; ++i) batch.put(to_bytes("large" + std::to_string(i)), Bytes(100'000, std::byte(i)));
  batch.put(to_bytes("small"), to_bytes("1"));
  ASSERT_TRUE(engine_->write(batch).has_value());
  reopen();
  ASSERT_TRUE(engine_->compact({}).has_value());
  auto const large = engine_->size_bytes(prefix_range(to_bytes("large")));
  auto const small = engine_->size_bytes(prefix_range(to_bytes("small")));
  auto const none = engine_->size_bytes(prefix_range(to_bytes("z")));
  auto const all = engine_->size_bytes({});
  ASSERT_TRUE(large.has_value() && small.has_value() && none.has_value() && all.has_value());
  EXPECT_GT(*large, 700'000U);
  EXPECT_LT(*large, 1'000'000U);
  EXPECT_LT(*small, 200'000U);
  EXPECT_EQ(*none, 0U);
  EXPECT_GE(*all, *large);
}

TEST_P(EngineContract, WholeFilesVerify) {
  put("a", "1");
  auto const fresh = engine_->verify_files();
  ASSERT_TRUE(fresh.has_value());
  EXPECT_TRUE(fresh->empty());
  reopen();
  put("b", "1");
  auto const reopened = engine_->verify_files();
  ASSERT_TRUE(reopened.has_value());
  EXPECT_TRUE(reopened->empty());
}

TEST_P(EngineContract, ASecondOpenerIsRefusedWhileTheFirstIsThere) {
  FixedFileKeys keys;
  crypto::SystemRandom random;
  auto const second = open_embedded(store_->options(), keys, random);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind(), ErrorKind::kConflict);
}

INSTANTIATE_TEST_SUITE_P(
    , EngineContract,
    testing::Values(Implementation{"Posix", [] { return std::make_unique<PosixStore>(); }},
                    Implementation{"FaultDisk", [] { return std::make_unique<FaultStore>(); }}),
    [](auto const& tested) { return tested.param.name; });

}  // namespace
}  // namespace tacenda::storage

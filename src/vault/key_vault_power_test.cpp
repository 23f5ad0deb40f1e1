// Power cuts and failing calls at every step of an erasure.
#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;

Subject const kAda = Subject::patient("ada");
Subject const kBen = Subject::patient("ben");

struct Sealed {
  Bytes ada;
  Bytes ben;
};

Sealed fill(TestStore& store) {
  store.make({kAda, kBen});
  Sealed sealed;
  EXPECT_TRUE(store.vault->subject(kAda).value()->seal_record({}, as_bytes("record"), sealed.ada));
  EXPECT_TRUE(store.vault->subject(kBen).value()->seal_record({}, as_bytes("record"), sealed.ben));
  return sealed;
}

bool opens(TestStore& store, Subject const& subject, Bytes const& sealed) {
  auto const keys = store.vault->subject(subject);
  Bytes plaintext;
  return keys.has_value() && (*keys)->open_record({}, sealed, plaintext).has_value();
}

/// What must be true of the store when it was opened after whatever happened to an erasure of ada.
void expect_sound(TestStore& store, Sealed const& sealed, bool acknowledged, std::string const& when) {
  EXPECT_TRUE(opens(store, kBen, sealed.ben)) << "a living subject was lost, " << when;
  EXPECT_TRUE(store.vault->verify_keys().has_value()) << when;
  auto const ada = store.vault->subject(kAda);
  EXPECT_TRUE(!acknowledged || (!ada && ada.error().kind() == ErrorKind::kGone)) << when;
  // Wholly erased or not at all.
  EXPECT_TRUE(opens(store, kAda, sealed.ada) || (!ada && ada.error().kind() == ErrorKind::kGone)) << when;
  auto const again = store.vault->shred(kAda);
  EXPECT_TRUE(again.has_value()) << again.error().message() << ", " << when;
  EXPECT_FALSE(opens(store, kAda, sealed.ada)) << when;
  EXPECT_TRUE(opens(store, kBen, sealed.ben)) << when;
}

TEST(Erasure, CutOffByAPowerCutAtAnyStepLosesNoLivingSubjectAndIsFinishedAtTheNextStart) {
  int steps = 0;
  for (std::uint64_t step = 1; step < 500; ++step, ++steps) {
    TestStore store(step);
    auto const sealed = fill(store);
    std::string const when = "cut at step " + std::to_string(step);
    store.disk->cut_power_in(step);
    bool const acknowledged = store.vault->shred(kAda).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    auto const opened = store.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
    expect_sound(store, sealed, acknowledged, when);
    if (!was_cut) break;
  }
  EXPECT_GE(steps, 4) << "slot, commit, fsync and the other slot";
  EXPECT_LT(steps, 499);
}

TEST(Erasure, AFailedWriteOrSyncAtAnyStepLosesNoLivingSubject) {
  for (auto const call : {storage::DiskCall::kWrite, storage::DiskCall::kSync}) {
    for (std::uint64_t nth = 1; nth < 50; ++nth) {
      TestStore store(nth);
      auto const sealed = fill(store);
      std::string const when = "call " + std::to_string(nth);
      store.disk->fail({call, std::nullopt, nth, ErrorKind::kUnavailable});
      bool const acknowledged = store.vault->shred(kAda).has_value();
      store.close();
      store.disk->cut_power();
      store.disk->restart();
      auto const opened = store.open();
      ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
      expect_sound(store, sealed, acknowledged, when);
      if (acknowledged) break;
    }
  }
}

/// Stores what it is told, and says that it failed: what an fsync of a neighbouring file that fails looks
/// like. As the contract wants, it then takes no more writes.
class LyingEngine final : public storage::Engine {
 public:
  LyingEngine(std::unique_ptr<storage::Engine> real, bool const& lies)
      : real_(std::move(real)), lies_(lies) {}
  Result<std::optional<Bytes>> get(ByteView key) const override { return real_->get(key); }
  std::unique_ptr<storage::Cursor> scan(storage::Range const& range,
                                        storage::Direction direction) const override {
    return real_->scan(range, direction);
  }
  Result<void> write(storage::WriteBatch const& batch) override {
    if (failed_) return fail(ErrorKind::kUnavailable, "takes no more writes");
    auto written = real_->write(batch);
    failed_ = lies_;
    return failed_ ? fail(ErrorKind::kUnavailable, "an fsync failed") : std::move(written);
  }
  bool is_damaged() const override { return real_->is_damaged(); }
  std::shared_ptr<storage::Snapshot const> snapshot() const override { return real_->snapshot(); }
  Result<void> compact(storage::Range const& range) override { return real_->compact(range); }
  Result<void> begin_new_files() override { return real_->begin_new_files(); }
  Result<std::optional<Time>> oldest_snapshot() const override { return real_->oldest_snapshot(); }
  Result<std::vector<Damage>> verify_files() const override { return real_->verify_files(); }
  Result<std::uint64_t> size_bytes() const override { return real_->size_bytes(); }
  Result<std::uint64_t> size_bytes(storage::Range const& range) const override {
    return real_->size_bytes(range);
  }
  Result<void> close() override { return real_->close(); }

 private:
  std::unique_ptr<storage::Engine> real_;
  bool const& lies_;
  bool failed_ = false;
};

TEST(Erasure, RepeatedAfterACommitThatWasDurableButReportedAsFailedLosesNoKeys) {
  TestStore store;
  auto const sealed = fill(store);
  // The write-ahead log is synced; the mark that says so is not written.
  store.disk->fail({storage::DiskCall::kWrite, storage::FileGroup::kMarks, 1, ErrorKind::kUnavailable});
  ASSERT_FALSE(store.vault->shred(kAda).has_value());
  for (int i = 0; i < 3; ++i) {
    auto const again = store.vault->shred(kAda);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind(), ErrorKind::kUnavailable);
    EXPECT_FALSE(store.vault->shred(kBen).has_value());
  }
  store.close();
  auto const opened = store.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  expect_sound(store, sealed, false, "after a restart");
}

TEST(Erasure, RepeatedAfterACommitThatIsVisibleButWasReportedAsFailedLosesNoKeys) {
  TestStore store;
  auto const sealed = fill(store);
  store.close();
  {
    bool lies = false;
    auto vault = Vault::unseal(*store.files, store.places, {}, store.random, store.clock).value();
    auto engine = std::make_unique<LyingEngine>(store.open_engine(*vault).value(), lies);
    ASSERT_TRUE(vault->attach(std::move(engine)));
    lies = true;
    ASSERT_FALSE(vault->shred(kAda).has_value());
    auto const again = vault->shred(kAda);
    ASSERT_FALSE(again.has_value()) << "it cannot know whether the erasure is stored";
    EXPECT_EQ(again.error().kind(), ErrorKind::kUnavailable);
    WriteSet set;
    auto const cleo = vault->subject_for_write(Subject::patient("cleo"), set);
    ASSERT_FALSE(cleo.has_value());
    EXPECT_EQ(cleo.error().kind(), ErrorKind::kUnavailable);
  }
  auto const opened = store.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  EXPECT_EQ(store.vault->subject(kAda).error().kind(), ErrorKind::kGone);
  expect_sound(store, sealed, false, "after a restart");
}

// The engine has the erasure, the other slot still holds the old root: the certificate must wait.
TEST(Erasure, IsAcknowledgedOnlyWhenTheOldRootIsOverwritten) {
  for (std::uint64_t nth = 1; nth < 50; ++nth) {
    TestStore store(nth);
    fill(store);
    store.disk->fail({storage::DiskCall::kSync, storage::FileGroup::kOther, nth, ErrorKind::kUnavailable});
    if (store.vault->shred(kAda).has_value()) {
      EXPECT_GE(nth, 3U) << "two slots were written and synced";
      return;
    }
    auto const ada = store.vault->subject(kAda);
    if (ada.has_value()) continue;  // failed before the commit
    Bytes const root = store.disk->content("/keys/store.key.root");
    ASSERT_TRUE(store.vault->shred(kAda)) << "the second call finishes what the first did not";
    Bytes const finished = store.disk->content("/keys/store.key.root");
    auto const generation_of = [](Bytes const& file, std::size_t slot) {
      return to_bytes(ByteView(file).subspan(slot * 4096 + 10, 8));
    };
    EXPECT_EQ(generation_of(finished, 0), generation_of(finished, 1));
  }
  FAIL() << "the erasure never got through";
}

/// Generations of the two slots of the vault root that lies at `path`.
std::array<std::uint64_t, 2> slots_of(TestStore& store) {
  Bytes const file = store.disk->content("/keys/store.key.root");
  std::array<std::uint64_t, 2> found{};
  for (std::size_t i = 0; i < 2; ++i)
    found[i] = ByteReader(ByteView(file).subspan(i * 4096 + 10)).u64().value();
  return found;
}

// A file shows what an fsync did not bring to the disk: looking at it proves nothing.
TEST(Erasure, IsNotAcknowledgedByWhatThePageCacheShowsAfterAFailedSync) {
  for (bool const restarts : {false, true}) {
    TestStore store;
    auto const sealed = fill(store);
    // 1: the new root beside the old one; 2: over the old one.
    store.disk->fail({storage::DiskCall::kSync, storage::FileGroup::kOther, 2, ErrorKind::kUnavailable});
    ASSERT_FALSE(store.vault->shred(kAda).has_value());
    ASSERT_EQ(store.vault->subject(kAda).error().kind(), ErrorKind::kGone);
    if (restarts) {
      ASSERT_TRUE(store.reopen());  // the process, not the machine
    }
    ASSERT_TRUE(store.vault->shred(kAda));
    store.close();
    store.disk->cut_power();
    store.disk->restart();
    EXPECT_EQ(slots_of(store), (std::array<std::uint64_t, 2>{2, 2})) << "the old root is still on the disk";
    ASSERT_TRUE(store.open());
    expect_sound(store, sealed, true, "after the power cut");
  }
}

// The root in force lies in one slot only, though both show it: the next erasure must not write over that
// one.
TEST(Erasure, AfterOneWhoseLastStepFailedLosesNoKeysAtAPowerCut) {
  for (std::uint64_t step = 1; step < 500; ++step) {
    TestStore store(step);
    auto const cleo = Subject::patient("cleo");
    auto const sealed = fill(store);
    store.make({cleo});
    store.disk->fail({storage::DiskCall::kSync, storage::FileGroup::kOther, 2, ErrorKind::kUnavailable});
    ASSERT_FALSE(store.vault->shred(cleo).has_value());
    store.disk->cut_power_in(step);
    bool const acknowledged = store.vault->shred(kAda).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    auto const opened = store.open();
    std::string const when = "cut at step " + std::to_string(step);
    ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
    expect_sound(store, sealed, acknowledged, when);
    if (!was_cut) return;
  }
  FAIL() << "the erasure never got through";
}

}  // namespace
}  // namespace tacenda::vault

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

}  // namespace
}  // namespace tacenda::vault

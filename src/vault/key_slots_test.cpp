// Ways to open a store: what is added, removed, listed; power cuts at every step.
#include "vault/key_slots.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "vault/internal/slots_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::change_of;
using testing::open_with;
using testing::shares_of;
using testing::TestStore;

constexpr char const* kFirst = "/data/slots";
constexpr char const* kSecond = "/keys/store.key.slots";

std::vector<std::string> some_of(std::vector<std::string> const& texts, unsigned chosen) {
  std::vector<std::string> some;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if ((chosen >> i & 1U) != 0) some.push_back(texts[i]);
  }
  return some;
}

TEST(KeySlots, K09AnyThreeOfFiveSharesOpenTheStoreAndNoTwo) {
  TestStore store;
  auto const store_id = store.vault->store_id();
  store.close();
  auto const texts = shares_of(store, {3, 5});
  ASSERT_EQ(texts.size(), 5U);
  for (unsigned chosen = 1; chosen < 32; ++chosen) {
    auto const opened = open_with(store, some_of(texts, chosen));
    EXPECT_EQ(opened.has_value(), std::popcount(chosen) >= 3) << chosen;
    if (!opened.has_value()) continue;
    EXPECT_EQ(store.vault->store_id(), store_id);
    store.close();
  }
  EXPECT_TRUE(store.open()) << "the key file opens it as before";
}

TEST(KeySlots, K09OpensWithSharesWhenTheKeyFileIsLost) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  store.disk->erase("/keys/store.key");
  EXPECT_FALSE(store.open().has_value());
  EXPECT_TRUE(open_with(store, {texts[2], texts[0]}).has_value());
}

TEST(KeySlots, K09SharesOfTwoSlotsDoNotMix) {
  TestStore store;
  store.close();
  auto const first = shares_of(store, {2, 2});
  auto const second = shares_of(store, {2, 2});
  auto const mixed = open_with(store, {first[0], second[1]});
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(open_with(store, second).has_value());
}

TEST(KeySlots, K09SharesOfARemovedSlotFitNoLaterOne) {
  TestStore store;
  store.close();
  auto const old = shares_of(store, {2, 2});
  ASSERT_TRUE(remove_slot(change_of(store), 1));
  auto const fresh = shares_of(store, {2, 2});
  auto const refused = open_with(store, old);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(open_with(store, fresh).has_value());
}

TEST(KeySlots, K09ASlotThatIsTamperedWithOpensNothing) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 2});
  auto const reaches = [&] { return open_with(store, texts).has_value(); };
  ASSERT_TRUE(reaches());
  store.close();
  Bytes const good = store.disk->content(kFirst);
  for (std::size_t at = 40; at < good.size() - 32; ++at) {
    Bytes changed = good;
    changed[at] ^= std::byte{1};
    store.disk->set_content(kFirst, changed);
    store.disk->set_content(kSecond, changed);
    bool const in_second_slot = at >= 40 + 149;
    if (reaches()) {
      EXPECT_FALSE(in_second_slot && at < 40 + 149 + 133) << "byte " << at;
      store.close();
    }
  }
}

TEST(KeySlots, AreListedWithTheirTimesAndWithoutASecret) {
  TestStore store;
  store.close();
  store.clock.advance(std::chrono::hours(1));
  auto const texts = shares_of(store, {3, 5});
  auto slots = list_slots(*store.files, store.places).value();
  ASSERT_EQ(slots.size(), 2U);
  EXPECT_EQ(slots[0].kind, SlotKind::kKeyFile);
  EXPECT_EQ(slots[0].opened, slots[0].created) << "it was opened when it was made";
  EXPECT_EQ(slots[1].kind, SlotKind::kShares);
  EXPECT_EQ(slots[1].counts.threshold, 3);
  EXPECT_EQ(slots[1].counts.shares, 5);
  EXPECT_EQ(slots[1].created, store.clock.now());
  EXPECT_FALSE(slots[1].opened.has_value());
  store.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(open_with(store, texts));
  slots = list_slots(*store.files, store.places).value();
  EXPECT_EQ(slots[1].opened, store.clock.now());
}

TEST(KeySlots, ThatOpenTheStoreAreWrittenOnceADay) {
  TestStore store;
  Bytes const content = store.disk->content(kFirst);
  store.clock.advance(std::chrono::hours(23));
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(store.disk->content(kFirst), content);
  store.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(store.reopen());
  EXPECT_NE(store.disk->content(kFirst), content);
  EXPECT_EQ(list_slots(*store.files, store.places)->front().opened, store.clock.now());
  EXPECT_TRUE(store.vault->verify_keys());
}

TEST(KeySlots, TheLastOneThatIsKnownToWorkStays) {
  TestStore store;
  store.close();
  auto const last = remove_slot(change_of(store), 0);
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().kind(), ErrorKind::kConflict);
  auto const texts = shares_of(store, {2, 3});
  auto const untried = remove_slot(change_of(store), 0);
  ASSERT_FALSE(untried.has_value());
  EXPECT_EQ(untried.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(remove_slot(change_of(store), 7).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(open_with(store, texts));
  store.close();
  ASSERT_TRUE(remove_slot(change_of(store), 0));
  EXPECT_FALSE(store.open().has_value()) << "the key file opens it no more";
  EXPECT_TRUE(open_with(store, texts));
}

/// What shares that open the store give together.
Unlock unlock_of(TestStore& store, std::vector<std::string> const& texts) {
  ShareCollection collection(*store.files, store.places, store.clock);
  for (auto const& text : texts) {
    auto progress = collection.add(testing::typed(text));
    if (progress.has_value() && progress->ready) return std::move(*progress->ready);
  }
  ADD_FAILURE() << "more shares are needed";
  return {};
}

// Its slot has the time of `init` for good, and without the file it opens nothing.
TEST(KeySlots, K09TheSlotOfALostKeyFileDoesNotCountAsOneThatWorks) {
  TestStore store;
  store.close();
  auto const old = shares_of(store, {2, 3});
  ASSERT_TRUE(open_with(store, old));
  store.close();
  Bytes const key = store.disk->content("/keys/store.key");
  store.disk->erase("/keys/store.key");
  auto const unlock = unlock_of(store, old);
  std::vector<std::string> fresh;
  HandOut const takes = [&](std::span<SecretBuffer const> made) -> Result<void> {
    for (auto const& text : made) fresh.emplace_back(as_text(text.reveal()));
    return {};
  };
  ASSERT_TRUE(add_shares(change_of(store, unlock), {2, 3}, takes));
  auto const refused = remove_slot(change_of(store, unlock), 1);
  ASSERT_FALSE(refused.has_value()) << "the key file is lost, and the new shares were never tried";
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  Bytes other = key;
  other[0] ^= std::byte{1};
  ASSERT_TRUE(store.files->create("/keys/store.key", other));
  EXPECT_FALSE(remove_slot(change_of(store, unlock), 1).has_value()) << "another file lies there";
  ASSERT_TRUE(open_with(store, old)) << "it is still there";
  store.close();

  store.disk->erase("/keys/store.key");
  ASSERT_TRUE(open_with(store, fresh));
  store.close();
  ASSERT_TRUE(remove_slot(change_of(store, unlock), 1)) << "the new ones were tried";
  EXPECT_TRUE(open_with(store, fresh));
}

TEST(KeySlots, TheKeyFileThatIsThereCountsAsOneThatWorks) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  auto const unlock = unlock_of(store, texts);
  ASSERT_TRUE(remove_slot(change_of(store, unlock), 1));
  EXPECT_TRUE(store.open());
}

TEST(KeySlots, K09ANewKeyFileTakesThePlaceOfALostOne) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  auto const unlock = unlock_of(store, texts);
  EXPECT_EQ(add_key_file(change_of(store)).error().kind(), ErrorKind::kConflict) << "there is one";
  Bytes const lost = store.disk->content("/keys/store.key");
  store.disk->erase("/keys/store.key");
  auto refuses = change_of(store, unlock);
  refuses.record = [](SlotAct const&) { return fail(ErrorKind::kUnavailable, "no log"); };
  EXPECT_FALSE(add_key_file(refuses).has_value());
  EXPECT_FALSE(store.disk->exists("/keys/store.key").value()) << "it would open nothing";

  auto const added = add_key_file(change_of(store, unlock));
  ASSERT_TRUE(added.has_value()) << added.error().message();
  EXPECT_EQ(*added, 2U);
  ASSERT_TRUE(store.open());
  store.close();
  ASSERT_TRUE(remove_slot(change_of(store), 0));
  EXPECT_TRUE(store.open());
  store.close();
  store.disk->set_content("/keys/store.key", lost);
  EXPECT_FALSE(store.open().has_value()) << "whoever found the old one";
}

// Before passphrases were normalised, a slot was made of the bytes that the keyboard gave.
TEST(KeySlots, OfAPassphraseAsItWasTypedGoOnOpening) {
  TestStore store;
  store.close();
  ASSERT_TRUE(add_passphrase(change_of(store), testing::typed("zoe\xCC\x88 and fourteen others")));
  Unlock unlock;
  unlock.passphrase = testing::typed("zo\xC3\xAB and fourteen others");
  unlock.passphrase_as_typed = testing::typed("zoe\xCC\x88 and fourteen others");
  EXPECT_TRUE(store.open(unlock).has_value());
}

TEST(KeySlots, K09NoneOpensTheStoreWithoutTheVaultRoot) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  Bytes const root = store.disk->content("/keys/store.key.root");
  store.disk->erase("/keys/store.key.root");
  for (auto const& opened : {store.open(), open_with(store, texts)}) {
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::kNotFound);
    EXPECT_TRUE(opened.error().message().contains("<key file>.root")) << opened.error().message();
  }
  ASSERT_TRUE(store.files->create("/keys/store.key.root", root));
  EXPECT_TRUE(open_with(store, texts));
}

TEST(KeySlots, AreRecordedWithTheWayTheStoreWasOpened) {
  TestStore store;
  store.close();
  auto const unlock = unlock_of(store, shares_of(store, {2, 3}));
  auto change = change_of(store, unlock);
  std::vector<SlotAct> acts;
  change.record = [&](SlotAct const& act) -> Result<void> {
    acts.push_back(act);
    return {};
  };
  ASSERT_TRUE(add_passphrase(change, testing::typed("a long passphrase in the safe")));
  ASSERT_TRUE(remove_slot(change, 0));
  ASSERT_EQ(acts.size(), 2U);
  EXPECT_EQ(acts[0].slot.id, 2U);
  EXPECT_EQ(acts[1].slot.kind, SlotKind::kKeyFile);
  for (auto const& act : acts) EXPECT_EQ(act.opened_with.id, 1U);
}

TEST(KeySlots, TheOneThatAChangeIsOpenedWithIsKnownToWork) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  auto const unlock = unlock_of(store, texts);
  store.disk->erase("/keys/store.key");
  ASSERT_TRUE(remove_slot(change_of(store, unlock), 0));
  EXPECT_TRUE(open_with(store, texts));
}

// Each change signs all slots anew: what was damaged before must not look like a way in that was tried.
TEST(KeySlots, K09ADamagedSlotDoesNotCountAsOneThatWorksOnceItIsSignedAnew) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  ASSERT_TRUE(open_with(store, texts));
  store.close();
  Bytes damaged = store.disk->content(kFirst);
  damaged[damaged.size() - 32 - 16 - 1] ^= std::byte{1};  // the last of the wrapped key, before its times
  store.disk->set_content(kFirst, damaged);
  store.disk->set_content(kSecond, damaged);
  ASSERT_FALSE(open_with(store, texts).has_value());
  ASSERT_EQ(shares_of(store, {2, 3}).size(), 3U);
  auto const slots = list_slots(*store.files, store.places).value();
  EXPECT_TRUE(slots[0].opened.has_value()) << "the one that was used";
  EXPECT_FALSE(slots[1].opened.has_value());
  auto const refused = remove_slot(change_of(store), 0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(store.open());
}

// The copy in the data folder is written first: with it the shares open the store, whatever comes then.
TEST(KeySlots, K09AChangeThatReachedOneCopyAloneIsNotSaidToBeUndone) {
  TestStore store;
  store.close();
  std::vector<std::string> texts;
  HandOut const takes = [&](std::span<SecretBuffer const> made) -> Result<void> {
    for (auto const& text : made) texts.emplace_back(as_text(text.reveal()));
    return {};
  };
  store.disk->fail({storage::DiskCall::kRename, std::nullopt, 2, ErrorKind::kNoSpace});
  auto const added = add_shares(change_of(store), {2, 3}, takes);
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().kind(), ErrorKind::kNoSpace);
  EXPECT_TRUE(added.error().message().contains("shows whether the change was made"))
      << added.error().message();
  EXPECT_TRUE(open_with(store, texts).has_value());
  store.close();
  store.disk->fail({storage::DiskCall::kRename, std::nullopt, 2, ErrorKind::kNoSpace});
  auto const removed = remove_slot(change_of(store), 1);
  ASSERT_FALSE(removed.has_value());
  EXPECT_TRUE(removed.error().message().contains("shows whether the change was made"));
  EXPECT_FALSE(open_with(store, texts).has_value());
}

TEST(KeySlots, AreNotChangedWhenItCannotBeRecordedOrTheSharesCannotBeGivenOut) {
  TestStore store;
  store.close();
  (void)shares_of(store, {2, 3});  // something to remove
  Bytes const before = store.disk->content(kFirst);
  auto refuses = change_of(store);
  refuses.record = [](SlotAct const&) { return fail(ErrorKind::kUnavailable, "no log"); };
  HandOut const takes = [](std::span<SecretBuffer const>) -> Result<void> { return {}; };
  HandOut const drops = [](std::span<SecretBuffer const>) {
    return fail(ErrorKind::kUnavailable, "nobody there");
  };
  EXPECT_FALSE(add_shares(refuses, {2, 3}, takes).has_value());
  EXPECT_FALSE(add_shares(change_of(store), {2, 3}, drops).has_value());
  EXPECT_FALSE(add_passphrase(refuses, testing::typed("a long passphrase in the safe")).has_value());
  EXPECT_FALSE(remove_slot(refuses, 1).has_value());
  EXPECT_EQ(store.disk->content(kFirst), before);
  EXPECT_EQ(store.disk->content(kSecond), before);
}

TEST(KeySlots, RefusesNumbersOfSharesThatCannotBeAndAPassphraseLikeAShare) {
  TestStore store;
  store.close();
  HandOut const takes = [](std::span<SecretBuffer const>) -> Result<void> { return {}; };
  for (crypto::ShareCounts const counts : {crypto::ShareCounts{1, 5}, {6, 5}, {2, 17}, {0, 0}})
    EXPECT_EQ(add_shares(change_of(store), counts, takes).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(add_passphrase(change_of(store), testing::typed("tcs1 is how it begins")).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(shares_of(store, {16, 16}).size(), 16U);
}

TEST(KeySlots, FilesOfSharesDoNotLieInTheStoreNorOverOthers) {
  TestStore store;
  store.close();
  std::vector<SecretBuffer> texts;
  for (auto const* text : {"one", "two"}) texts.push_back(testing::typed(text));
  auto const write = [&](char const* folder) {
    return write_share_files(*store.files, store.places, folder, texts);
  };
  for (auto const* folder : {"/data", "/data/shares", "/keys/../data/x"})
    EXPECT_EQ(write(folder).error().kind(), ErrorKind::kInvalid) << folder;
  ASSERT_TRUE(store.files->create("/keys/share-2-of-2.txt", as_bytes("another")));
  EXPECT_EQ(write("/keys").error().kind(), ErrorKind::kConflict);
  EXPECT_FALSE(store.disk->exists("/keys/share-1-of-2.txt").value()) << "the first one is of no use";
  ASSERT_TRUE(write("/shares"));
  EXPECT_EQ(as_text(store.disk->content("/shares/share-1-of-2.txt")), "one\n");
  EXPECT_EQ(as_text(store.disk->content("/shares/share-2-of-2.txt")), "two\n");
}

/// The store opens with the key file, its copies are alike, and there are `before` or `after` slots; `after`
/// when it was acknowledged.
void expect_sound(TestStore& store, std::size_t before, std::size_t after, bool acknowledged,
                  std::string const& when) {
  auto const opened = store.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
  EXPECT_TRUE(store.vault->verify_keys().has_value()) << when;
  auto const slots = list_slots(*store.files, store.places)->size();
  EXPECT_TRUE(slots == after || (!acknowledged && slots == before)) << slots << ", " << when;
  store.close();
}

TEST(KeySlots, K09APowerCutAtAnyStepOfAddingLosesNoSlot) {
  for (std::uint64_t step = 1; step < 100; ++step) {
    TestStore store(step);
    store.close();
    std::vector<std::string> texts;
    HandOut const takes = [&](std::span<SecretBuffer const> made) -> Result<void> {
      for (auto const& text : made) texts.emplace_back(as_text(text.reveal()));
      return {};
    };
    store.disk->cut_power_in(step);
    bool const acknowledged = add_shares(change_of(store), {2, 3}, takes).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.disk->restart();
    expect_sound(store, 1, 2, acknowledged, "cut at step " + std::to_string(step));
    EXPECT_TRUE(!acknowledged || open_with(store, texts).has_value());
    if (!was_cut) {
      EXPECT_GT(step, 6U) << "two files are made, synced and renamed";
      return;
    }
  }
  FAIL() << "the slot was never added";
}

TEST(KeySlots, K09APowerCutAtAnyStepOfRemovingLosesNoOtherSlot) {
  for (std::uint64_t step = 1; step < 100; ++step) {
    TestStore store(step);
    store.close();
    auto const texts = shares_of(store, {2, 3});
    store.disk->cut_power_in(step);
    bool const acknowledged = remove_slot(change_of(store), 1).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.disk->restart();
    expect_sound(store, 2, 1, acknowledged, "cut at step " + std::to_string(step));
    EXPECT_FALSE(acknowledged && open_with(store, texts).has_value());
    if (!was_cut) return;
  }
  FAIL() << "the slot was never removed";
}

TEST(KeySlots, K09AFailedCallAtAnyStepLosesNoSlot) {
  for (auto const call : {storage::DiskCall::kCreate, storage::DiskCall::kWrite, storage::DiskCall::kSync,
                          storage::DiskCall::kRename, storage::DiskCall::kSyncFolder}) {
    for (std::uint64_t nth = 1; nth < 20; ++nth) {
      TestStore store(nth);
      store.close();
      auto const texts = shares_of(store, {2, 3});
      store.disk->fail({call, std::nullopt, nth, ErrorKind::kUnavailable});
      bool const removed = remove_slot(change_of(store), 1).has_value();
      store.disk->cut_power();
      store.disk->restart();
      expect_sound(store, 2, 1, removed, "call " + std::to_string(nth));
      if (removed) break;
    }
  }
}

// The copy beside the key was written before the power went: what it still has, nobody may come in by.
TEST(KeySlots, K09ASlotThatOnlyTheOlderCopyHasOpensNothing) {
  TestStore store;
  store.close();
  auto const texts = shares_of(store, {2, 3});
  Bytes const older = store.disk->content(kSecond);
  ASSERT_TRUE(remove_slot(change_of(store), 1));
  ASSERT_TRUE(shares_of(store, {2, 3}).size() == 3);
  store.disk->set_content(kSecond, older);
  auto const refused = open_with(store, texts);
  ASSERT_FALSE(refused.has_value());
}

TEST(KeySlots, AreToldOfAStoreThatIsNotThere) {
  TestStore store;
  EXPECT_EQ(list_slots(*store.files, {"/nowhere", store.places.key_file}).error().kind(),
            ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tacenda::vault

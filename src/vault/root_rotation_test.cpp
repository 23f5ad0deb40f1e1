// Another Root Key (K-08), and a cut or a failed call at any step of it.
#include <gtest/gtest.h>

#include "vault/internal/keyring.hpp"
#include "vault/internal/slots_testing.hpp"
#include "vault/internal/vault_root.hpp"
#include "vault/key_rotation.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;
using OtherSlots = KeyRotation::OtherSlots;

Subject const kAda = Subject::patient("ada");
Subject const kCleo = Subject::patient("cleo");  // whose keys no test has in memory before it asks for them

struct Sealed {
  Bytes record;
  Bytes token;
};

Sealed fill(TestStore& store) {
  store.make({kAda, kCleo});
  Sealed sealed;
  EXPECT_TRUE(store.vault->subject(kAda).value()->seal_record({}, as_bytes("record"), sealed.record));
  sealed.token = store.vault->seal(Purpose::kToken, {}, as_bytes("token")).value();
  EXPECT_TRUE(store.vault->keep_secret("seed", SecretBuffer(as_bytes("secret"))).has_value());
  return sealed;
}

void expect_all(TestStore& store, Sealed const& sealed, std::string const& when) {
  Bytes plaintext;
  auto const keys = store.vault->subject(kAda);
  ASSERT_TRUE(keys.has_value()) << keys.error().message() << ", " << when;
  EXPECT_TRUE((*keys)->open_record({}, sealed.record, plaintext).has_value()) << when;
  EXPECT_TRUE(store.vault->open(Purpose::kToken, {}, sealed.token).has_value()) << when;
  EXPECT_TRUE(store.vault->kept_secret("seed").has_value()) << when;
  auto const verified = store.vault->verify_keys();
  EXPECT_TRUE(verified.has_value()) << verified.error().message() << ", " << when;
}

/// The store goes on as if nothing had been: keys are made, changed and erased.
void expect_works(TestStore& store, Sealed const& sealed, std::string const& when) {
  expect_all(store, sealed, when);
  store.make({Subject::patient("ben")});
  EXPECT_TRUE(store.vault->shred(Subject::patient("ben")).has_value()) << when;
  EXPECT_TRUE(KeyRotation(*store.vault).rotate(Purpose::kAuth).has_value()) << when;
  ASSERT_TRUE(store.reopen()) << when;
  expect_all(store, sealed, when);
}

/// The Root Key that the key file leads to by what lies there now.
RootKey root_of(TestStore& store) {
  auto const slots = decode_slots(store.disk->content("/data/slots")).value();
  return std::move(
      open_slots(slots, SlotKind::kKeyFile, store.disk->content("/keys/store.key")).value().root);
}

/// Those of keyrings, also what is left of one that was not written to its end.
std::vector<std::string> keyrings_of(TestStore& store) {
  auto paths = store.disk->files();
  std::erase_if(paths, [](std::string const& path) { return !path.contains("keyring"); });
  return paths;
}

void expect_nothing_under(TestStore& store, RootKey const& old, std::string const& when) {
  auto const& store_id = store.vault->store_id();
  for (auto const& path : keyrings_of(store))
    EXPECT_FALSE(open_keyring(store.disk->content(path), old, store_id).has_value()) << path << ", " << when;
  auto const roots = VaultRootFile(*store.files, "/keys/store.key.root", old, store_id).generations();
  ASSERT_TRUE(roots.has_value()) << when;
  EXPECT_FALSE((*roots)[0].has_value() || (*roots)[1].has_value()) << when;
}

/// Whether `record/1` is in any file that one of the keys opens.
void expect_destroyed_everywhere(TestStore& store, RootKey const& old, std::string const& when) {
  RootKey const now = root_of(store);
  for (auto const& path : keyrings_of(store)) {
    for (auto const* root : {&old, &now}) {
      auto const ring = open_keyring(store.disk->content(path), *root, store.vault->store_id());
      if (!ring.has_value()) continue;
      EXPECT_EQ(ring->purposes.at(static_cast<std::uint8_t>(Purpose::kRecord)).front().state,
                KeyState::kDestroyed)
          << path << ", " << when;
    }
  }
}

TEST(RootRotation, K08_TheStoreOpensUnderAnotherRootKeyAndNothingOldDoes) {
  TestStore store;
  auto const sealed = fill(store);
  auto const before = KeyRotation(*store.vault).keys().value();
  std::vector<std::pair<std::string, Bytes>> old;
  for (auto const* path : {"/data/slots", "/keys/store.key.slots", "/data/keyring", "/keys/store.key.keyring",
                           "/data/keyring.previous", "/keys/store.key.root"})
    old.emplace_back(path, store.disk->content(path));
  store.clock.advance(std::chrono::hours(24));
  auto const rotated = KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse);
  ASSERT_TRUE(rotated.has_value()) << rotated.error().message();
  auto const after = KeyRotation(*store.vault).keys().value();
  EXPECT_NE(after.root_id, before.root_id);
  EXPECT_EQ(after.root_made, store.clock.now());
  for (auto const& [path, content] : old) EXPECT_NE(store.disk->content(path), content) << path;
  EXPECT_FALSE(store.files->exists("/data/keyring.next").value());
  EXPECT_FALSE(store.files->exists("/keys/store.key.keyring.next").value());
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(KeyRotation(*store.vault).keys()->root_id, after.root_id);
  expect_works(store, sealed, "after the change");
  // Slots that were kept lead to the old Root Key, which opens nothing that lies there now.
  store.close();
  store.disk->set_content("/data/slots", old[0].second);
  store.disk->set_content("/keys/store.key.slots", old[1].second);
  EXPECT_FALSE(store.open().has_value());
}

TEST(RootRotation, K08_CutOffByAPowerCutAtAnyStepLosesNothing) {
  int steps = 0;
  bool was_old = false;
  bool was_new = false;
  for (std::uint64_t step = 1; step < 500; ++step, ++steps) {
    TestStore store(step);
    auto const sealed = fill(store);
    auto const before = KeyRotation(*store.vault).keys()->root_id;
    RootKey const old = root_of(store);
    std::string const when = "cut at step " + std::to_string(step);
    store.disk->cut_power_in(step);
    bool const acknowledged = KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    auto const opened = store.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
    bool const is_new = KeyRotation(*store.vault).keys()->root_id != before;
    (is_new ? was_new : was_old) = true;
    EXPECT_TRUE(is_new || !acknowledged) << when;
    EXPECT_FALSE(store.files->exists("/data/keyring.next").value()) << when;
    if (is_new) expect_nothing_under(store, old, when);
    expect_works(store, sealed, when);
    if (!was_cut) break;
  }
  EXPECT_TRUE(was_old && was_new);
  EXPECT_GE(steps, 20);
  EXPECT_LT(steps, 499);
}

struct FailedCall {
  storage::DiskCall call;
  std::uint64_t nth;
  ErrorKind kind;
  bool cuts;  // and then the power goes
};

/// False: the call came never, and the change got through.
bool fails(FailedCall const& planned) {
  TestStore store(planned.nth);
  auto const sealed = fill(store);
  auto const before = KeyRotation(*store.vault).keys()->root_id;
  RootKey const old = root_of(store);
  std::string const when = "call " + std::to_string(planned.nth);
  store.disk->fail({planned.call, storage::FileGroup::kOther, planned.nth, planned.kind});
  bool const acknowledged = KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse).has_value();
  // Before any start: whose keys are not in memory is read all the same, and new ones are made.
  auto const read = store.vault->subject(kCleo);
  EXPECT_TRUE(read.has_value()) << read.error().message() << ", " << when;
  store.make({Subject::patient("dora")});
  // What is changed or destroyed behind a failure must not be lost either.
  bool const kept = store.vault->keep_secret("later", SecretBuffer(as_bytes("x"))).has_value();
  bool const destroyed = KeyRotation(*store.vault).mark_compromised(Purpose::kRecord, 1).has_value() &&
                         KeyRotation(*store.vault).destroy(Purpose::kRecord, 1).has_value();
  EXPECT_TRUE(destroyed == kept || acknowledged) << when << ": the call that fails came later";
  if (destroyed) expect_destroyed_everywhere(store, old, when);
  store.close();
  if (planned.cuts) {
    store.disk->cut_power();
    store.disk->restart();
  }
  auto const opened = store.open();
  EXPECT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
  if (!opened.has_value()) return false;
  EXPECT_EQ(store.vault->kept_secret("later").has_value(), kept) << when;
  if (destroyed) expect_destroyed_everywhere(store, old, when);
  if (KeyRotation(*store.vault).keys()->root_id != before) expect_nothing_under(store, old, when);
  expect_works(store, sealed, when);
  return !acknowledged;
}

TEST(RootRotation, K08_AFailedCallAtAnyStepLosesNothing) {
  for (auto const call : {storage::DiskCall::kWrite, storage::DiskCall::kSync, storage::DiskCall::kRename}) {
    for (auto const kind : {ErrorKind::kUnavailable, ErrorKind::kNoSpace}) {
      for (bool const cuts : {false, true}) {
        std::uint64_t nth = 1;
        while (nth < 60 && fails({call, nth, kind, cuts})) ++nth;
        EXPECT_GT(nth, 5U);
        EXPECT_LT(nth, 60U);
      }
    }
  }
}

TEST(RootRotation, K08_WhatAChangeLeftUndoneIsFinishedWithoutARestart) {
  TestStore store;
  auto const sealed = fill(store);
  RootKey const old = root_of(store);
  auto const before = KeyRotation(*store.vault).keys()->root_id;
  // keyring.next twice, the slots twice, the keyring twice, and then the generation before.
  store.disk->fail({storage::DiskCall::kRename, storage::FileGroup::kOther, 7, ErrorKind::kNoSpace});
  ASSERT_FALSE(KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse).has_value());
  EXPECT_NE(KeyRotation(*store.vault).keys()->root_id, before) << "it is in force";
  EXPECT_TRUE(open_keyring(store.disk->content("/data/keyring.previous"), old, store.vault->store_id()));
  ASSERT_TRUE(KeyRotation(*store.vault).finish());
  expect_nothing_under(store, old, "after finish");
  EXPECT_FALSE(store.files->exists("/data/keyring.next").value());
  expect_works(store, sealed, "after finish");
}

TEST(RootRotation, K08_AChangeOfWhichNobodyKnowsIsNamedAndKeysAreChangedAfterTheNextStart) {
  TestStore store;
  auto const sealed = fill(store);
  store.disk->fail({storage::DiskCall::kRename, storage::FileGroup::kOther, 4, ErrorKind::kNoSpace});
  ASSERT_FALSE(KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse).has_value());
  auto const keys = KeyRotation(*store.vault).keys().value();
  EXPECT_EQ(keys.undecided_root.size(), 16U);
  EXPECT_NE(keys.undecided_root, keys.root_id);
  for (auto const& refused :
       {store.vault->shred(kCleo), store.vault->keep_secret("later", SecretBuffer(as_bytes("x")))}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind(), ErrorKind::kUnavailable);
  }
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(KeyRotation(*store.vault).keys()->root_id, keys.undecided_root) << "the first copy was written";
  EXPECT_TRUE(KeyRotation(*store.vault).keys()->undecided_root.empty());
  expect_works(store, sealed, "after a start");
}

TEST(RootRotation, K08_APassphraseIsNotDroppedUnasked) {
  TestStore store;
  auto const sealed = fill(store);
  store.close();
  SecretBuffer const phrase(as_bytes("a long passphrase in the safe"));
  ASSERT_TRUE(add_passphrase(testing::change_of(store), phrase));
  ASSERT_TRUE(store.open());
  EXPECT_EQ(KeyRotation(*store.vault).keys()->slots.size(), 2U);
  auto const before = KeyRotation(*store.vault).keys()->root_id;
  auto const refused = KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(KeyRotation(*store.vault).keys()->root_id, before);
  ASSERT_TRUE(KeyRotation(*store.vault).rotate_root(OtherSlots::kDrop));
  EXPECT_EQ(KeyRotation(*store.vault).keys()->slots.size(), 1U);
  store.close();
  Unlock by_phrase;
  by_phrase.passphrase.emplace(phrase.reveal());
  EXPECT_EQ(store.open(by_phrase).error().kind(), ErrorKind::kUnauthenticated);
  ASSERT_TRUE(store.open());
  expect_works(store, sealed, "after the passphrase went");
}

TEST(RootRotation, K08_WithoutItsKeyFileNothingChanges) {
  TestStore store;
  auto const sealed = fill(store);
  Bytes const key = store.disk->content("/keys/store.key");
  store.disk->set_content("/keys/store.key", Bytes(32, std::byte{9}));
  EXPECT_EQ(KeyRotation(*store.vault).rotate_root(OtherSlots::kRefuse).error().kind(),
            ErrorKind::kUnauthenticated);
  store.disk->set_content("/keys/store.key", key);
  ASSERT_TRUE(store.reopen());
  expect_works(store, sealed, "after a refusal");
}

}  // namespace
}  // namespace tacenda::vault

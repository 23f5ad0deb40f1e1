// New terms, states, and the end of old keys (K-08), also when the power is cut at any step.
#include "vault/key_rotation.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "storage/embedded/sealed_format.hpp"
#include "vault/internal/envelope.hpp"
#include "vault/internal/keyring.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;

Bytes const kData = to_bytes(std::string_view("associated data"));

class KeyRotationTest : public ::testing::Test {
 protected:
  KeyRotation rotation() { return KeyRotation(*store_.vault); }
  TermView term(Purpose purpose, std::uint32_t number) {
    for (auto const& view : rotation().terms()) {
      if (view.purpose == purpose && view.number == number) return view;
    }
    ADD_FAILURE() << "no such term";
    return {};
  }
  void put(std::string_view key, std::string_view text) {
    WriteSet set;
    ASSERT_TRUE(rows().put(set, as_bytes(key), as_bytes(text)));
    ASSERT_TRUE(store_.commit(std::move(set)));
  }
  std::string get(std::string_view key) {
    auto const row = rows().get(as_bytes(key));
    if (!row.has_value() || !*row) return "unreadable";
    return std::string(as_text(**row));
  }
  SealedView rows() { return store_.vault->sealed_view(Keeper::kIdentity, Purpose::kAuth); }
  void reseal_all(Purpose purpose, std::uint32_t number) {
    Bytes place;
    for (bool done = false; !done;) {
      auto const step = rotation().reseal_some(purpose, number, place);
      ASSERT_TRUE(step.has_value()) << step.error().message();
      done = step->is_done;
    }
  }
  TestStore store_;
};

TEST_F(KeyRotationTest, K08_ListsEveryKeyOfTheStoreWithItsState) {
  auto const keys = rotation().keys();
  ASSERT_TRUE(keys.has_value()) << keys.error().message();
  EXPECT_EQ(keys->root_id.size(), 16U);
  EXPECT_EQ(keys->root_made, store_.clock.now());
  ASSERT_EQ(keys->slots.size(), 1U);
  EXPECT_EQ(keys->slots[0].kind, "key file");
  ASSERT_EQ(keys->terms.size(), 6U);
  for (auto const& view : keys->terms) {
    EXPECT_EQ(view.number, 1U);
    EXPECT_EQ(view.state, KeyState::kActive);
    EXPECT_TRUE(view.derives);
    EXPECT_EQ(view.created, store_.clock.now());
  }
  EXPECT_EQ(keys->vault_root, 1U);
  EXPECT_EQ(keys->subjects, 1U) << "the tenant";
}

TEST_F(KeyRotationTest, K08_ANewTermSealsAndTheOldOneStillOpens) {
  for (auto const purpose : kPurposes) {
    auto const old = store_.vault->seal(purpose, kData, as_bytes("old")).value();
    store_.clock.advance(std::chrono::hours(1));
    ASSERT_EQ(rotation().rotate(purpose).value(), 2U);
    auto const fresh = store_.vault->seal(purpose, kData, as_bytes("new")).value();
    EXPECT_EQ(ByteReader(ByteView(fresh).subspan(2)).u32().value(), 2U);
    EXPECT_EQ(term(purpose, 1).state, KeyState::kDeactivated);
    EXPECT_EQ(term(purpose, 1).changed, store_.clock.now());
    EXPECT_EQ(term(purpose, 2).state, KeyState::kActive);
    EXPECT_FALSE(term(purpose, 2).derives);
    EXPECT_EQ(as_text(store_.vault->open(purpose, kData, old).value()), "old");
    ASSERT_TRUE(store_.reopen());
    EXPECT_EQ(as_text(store_.vault->open(purpose, kData, old).value()), "old");
    EXPECT_EQ(as_text(store_.vault->open(purpose, kData, fresh).value()), "new");
  }
  EXPECT_TRUE(store_.vault->verify_keys().has_value());
}

TEST_F(KeyRotationTest, K08_WhatIsDerivedStaysWhateverBecomesOfTheFirstTerm) {
  auto const pepper = store_.vault->derived_key(Purpose::kAuth, "password-pepper").value();
  ASSERT_TRUE(rotation().rotate(Purpose::kAuth));
  EXPECT_TRUE(store_.vault->derived_key(Purpose::kAuth, "password-pepper").value() == pepper);
  ASSERT_TRUE(rotation().retire(Purpose::kAuth, 1));
  ASSERT_TRUE(rotation().destroy(Purpose::kAuth, 1));
  EXPECT_TRUE(store_.vault->derived_key(Purpose::kAuth, "password-pepper").value() == pepper);
  ASSERT_TRUE(store_.reopen());
  EXPECT_TRUE(store_.vault->derived_key(Purpose::kAuth, "password-pepper").value() == pepper);
}

TEST_F(KeyRotationTest, K08_ATermThatCouldNotBeWrittenDoesNotSeal) {
  for (std::uint64_t nth = 1; nth <= 3; ++nth) {
    TestStore store(nth);
    store.disk->fail({storage::DiskCall::kRename, std::nullopt, nth, ErrorKind::kNoSpace});
    ASSERT_FALSE(KeyRotation(*store.vault).rotate(Purpose::kAuth).has_value());
    auto const sealed = store.vault->seal(Purpose::kAuth, kData, as_bytes("x")).value();
    EXPECT_EQ(ByteReader(ByteView(sealed).subspan(2)).u32().value(), 1U);
    ASSERT_TRUE(store.reopen());
    EXPECT_EQ(as_text(store.vault->open(Purpose::kAuth, kData, sealed).value()), "x");
  }
}

TEST_F(KeyRotationTest, K08_IsDurableWhereverThePowerIsCut) {
  int steps = 0;
  for (std::uint64_t step = 1; step < 200; ++step, ++steps) {
    TestStore store(step);
    auto const before = store.vault->seal(Purpose::kAuth, kData, as_bytes("before")).value();
    store.disk->cut_power_in(step);
    auto const rotated = KeyRotation(*store.vault).rotate(Purpose::kAuth);
    // Sealed under whatever the vault says is active: it must open after the cut.
    auto const after = store.vault->seal(Purpose::kAuth, kData, as_bytes("after")).value();
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    std::string const when = "cut at step " + std::to_string(step);
    auto const opened = store.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
    EXPECT_TRUE(store.vault->open(Purpose::kAuth, kData, before).has_value()) << when;
    EXPECT_TRUE(store.vault->open(Purpose::kAuth, kData, after).has_value()) << when;
    EXPECT_TRUE(store.vault->verify_keys().has_value()) << when;
    if (rotated.has_value()) {
      EXPECT_EQ(KeyRotation(*store.vault).terms().size(), 7U) << when;
    }
    if (!was_cut) break;
  }
  EXPECT_GE(steps, 9) << "three files, each written, synced, renamed";
  EXPECT_LT(steps, 199);
}

TEST_F(KeyRotationTest, K08_RowsAreSealedAnewAndTheTermIsDestroyed) {
  for (int i = 0; i < 600; ++i) put("u" + std::to_string(i), "row " + std::to_string(i));
  ASSERT_EQ(rotation().mark_compromised(Purpose::kAuth, 1).value(), 2U);
  EXPECT_EQ(term(Purpose::kAuth, 1).state, KeyState::kCompromised);
  EXPECT_TRUE(term(Purpose::kAuth, 1).is_to_be_destroyed);
  auto const early = rotation().destroy(Purpose::kAuth, 1);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().kind(), ErrorKind::kConflict) << "rows lie under it";
  EXPECT_EQ(get("u1"), "row 1");
  ASSERT_TRUE(store_.reopen()) << "what is to be done stands in the keyring";
  EXPECT_TRUE(term(Purpose::kAuth, 1).is_to_be_destroyed);
  reseal_all(Purpose::kAuth, 1);
  EXPECT_TRUE(rotation().readers_of_now().expired());
  auto const destroyed = rotation().destroy(Purpose::kAuth, 1);
  ASSERT_TRUE(destroyed.has_value()) << destroyed.error().message();
  EXPECT_EQ(term(Purpose::kAuth, 1).state, KeyState::kDestroyed);
  EXPECT_FALSE(term(Purpose::kAuth, 1).is_to_be_destroyed);
  for (int i = 0; i < 600; ++i) EXPECT_EQ(get("u" + std::to_string(i)), "row " + std::to_string(i));
  ASSERT_TRUE(store_.reopen());
  for (int i = 0; i < 600; ++i) EXPECT_EQ(get("u" + std::to_string(i)), "row " + std::to_string(i));
  EXPECT_EQ(term(Purpose::kAuth, 1).state, KeyState::kDestroyed) << "the row stays as a record";
  EXPECT_EQ(rotation().retire(Purpose::kAuth, 1).error().kind(), ErrorKind::kGone);
  EXPECT_EQ(rotation().mark_compromised(Purpose::kAuth, 1).error().kind(), ErrorKind::kGone);
  EXPECT_TRUE(store_.vault->verify_keys().has_value());
}

TEST_F(KeyRotationTest, K08_NoKeptGenerationOfTheKeyringHoldsADestroyedKey) {
  auto const sealed = store_.vault->seal(Purpose::kRecord, kData, as_bytes("x")).value();
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kRecord, 1));
  ASSERT_TRUE(rotation().destroy(Purpose::kRecord, 1));
  EXPECT_FALSE(store_.vault->open(Purpose::kRecord, kData, sealed).has_value());
  store_.close();
  // Each kept file alone.
  for (auto const* kept : {"/data/keyring", "/keys/store.key.keyring", "/data/keyring.previous"}) {
    Bytes const content = store_.disk->content(kept);
    for (auto const* path : {"/data/keyring", "/keys/store.key.keyring", "/data/keyring.previous"})
      store_.disk->set_content(path, content);
    ASSERT_TRUE(store_.open()) << kept;
    EXPECT_FALSE(store_.vault->open(Purpose::kRecord, kData, sealed).has_value()) << kept;
    store_.close();
  }
}

TEST_F(KeyRotationTest, K08_ADestructionThatWasCutOffIsFinishedOrDidNotHappen) {
  for (std::uint64_t step = 1; step < 200; ++step) {
    TestStore store(step);
    auto const sealed = store.vault->seal(Purpose::kRecord, kData, as_bytes("x")).value();
    KeyRotation rotation(*store.vault);
    ASSERT_TRUE(rotation.mark_compromised(Purpose::kRecord, 1));
    store.disk->cut_power_in(step);
    bool const acknowledged = rotation.destroy(Purpose::kRecord, 1).has_value();
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    std::string const when = "cut at step " + std::to_string(step);
    ASSERT_TRUE(store.open()) << when;
    bool const opens = store.vault->open(Purpose::kRecord, kData, sealed).has_value();
    EXPECT_FALSE(opens && acknowledged) << when;
    EXPECT_TRUE(store.vault->verify_keys().has_value()) << when;
    if (!opens) {
      // The generation before goes at the start, at the latest.
      store.close();
      store.disk->erase("/data/keyring");
      store.disk->erase("/keys/store.key.keyring");
      ASSERT_TRUE(store.open()) << when;
      EXPECT_FALSE(store.vault->open(Purpose::kRecord, kData, sealed).has_value()) << when;
    }
    if (!was_cut) return;
  }
  FAIL() << "the destruction never got through";
}

TEST_F(KeyRotationTest, K08_ADestructionThatFailedIsTriedAgainAndNoFileKeepsTheKey) {
  for (auto const call : {storage::DiskCall::kWrite, storage::DiskCall::kSync, storage::DiskCall::kRename}) {
    for (std::uint64_t nth = 1; nth <= 3; ++nth) {
      TestStore store(nth);
      std::string const when = "call " + std::to_string(nth);
      KeyRotation rotation(*store.vault);
      ASSERT_TRUE(rotation.mark_compromised(Purpose::kToken, 1));
      auto const slots = decode_slots(store.disk->content("/data/slots")).value();
      auto const root =
          open_slots(slots, SlotKind::kKeyFile, store.disk->content("/keys/store.key")).value().root;
      store.disk->fail({call, storage::FileGroup::kOther, nth, ErrorKind::kNoSpace});
      ASSERT_FALSE(rotation.destroy(Purpose::kToken, 1).has_value()) << when;
      auto const still = rotation.terms();
      EXPECT_TRUE(std::ranges::any_of(still, &TermView::is_to_be_destroyed)) << "who looks after it, goes on";
      ASSERT_TRUE(rotation.destroy(Purpose::kToken, 1).has_value()) << when;
      for (auto const& path : store.disk->files()) {
        if (!path.contains("keyring")) continue;
        auto const ring = open_keyring(store.disk->content(path), root, store.vault->store_id());
        ASSERT_TRUE(ring.has_value()) << path << ", " << when;
        auto const& terms = ring->purposes.at(static_cast<std::uint8_t>(Purpose::kToken));
        EXPECT_EQ(terms.front().state, KeyState::kDestroyed) << path << ", " << when;
      }
    }
  }
}

TEST_F(KeyRotationTest, K08_ACompromisedKeyOfTokensOpensNothingFromThatMomentOn) {
  auto const reader = store_.vault->read_point();
  auto const sealed = store_.vault->seal(Purpose::kToken, kData, as_bytes("x")).value();
  ASSERT_TRUE(rotation().rotate(Purpose::kToken));
  EXPECT_TRUE(store_.vault->open(Purpose::kToken, kData, sealed).has_value())
      << "what was handed out is good";
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kToken, 1));
  EXPECT_FALSE(store_.vault->open(Purpose::kToken, kData, sealed).has_value());
  // Who reads has no row of it in hand: nobody has to be waited for.
  EXPECT_FALSE(KeyRotation::has_rows(Purpose::kToken));
  EXPECT_FALSE(KeyRotation::has_rows(Purpose::kRecord));
  EXPECT_TRUE(KeyRotation::has_rows(Purpose::kAuth));
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kToken, 2));
  EXPECT_TRUE(rotation().destroy(Purpose::kToken, 1).has_value());
}

TEST_F(KeyRotationTest, K08_ACompromisedKeyOfTokensOpensNothingAfterAStartEither) {
  auto const sealed = store_.vault->seal(Purpose::kToken, kData, as_bytes("x")).value();
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kToken, 1));
  ASSERT_TRUE(store_.reopen());
  EXPECT_FALSE(store_.vault->open(Purpose::kToken, kData, sealed).has_value());
  EXPECT_TRUE(rotation().destroy(Purpose::kToken, 1).has_value());
}

/// The term that the key of a file of the engine lies under.
std::uint32_t term_of(TestStore& store, std::string const& path) {
  auto const header = storage::parse_header(store.disk->content(path)).value();
  return ByteReader(ByteView(header.wrapped_key).subspan(2)).u32().value();
}

/// Of the log that commits go to, and of the registry.
std::vector<std::uint32_t> terms_of_open_files(TestStore& store) {
  std::string log;
  for (auto const& path : store.disk->files()) {
    if (path.ends_with(".log")) log = std::max(log, path);
  }
  return {term_of(store, log), term_of(store, "/data/engine/REGISTRY")};
}

TEST_F(KeyRotationTest, K08_WhatIsCommittedBehindANewFileKeyLiesUnderIt) {
  put("u", "row");
  ASSERT_EQ(rotation().rotate(Purpose::kFile).value(), 2U);
  put("v", "row");
  EXPECT_EQ(terms_of_open_files(store_), (std::vector<std::uint32_t>{2, 2}));
  // With nothing in memory, too: the log goes on only where something is written.
  ASSERT_TRUE(store_.reopen());
  ASSERT_EQ(rotation().mark_compromised(Purpose::kFile, 2).value(), 3U);
  put("w", "row");
  EXPECT_EQ(terms_of_open_files(store_), (std::vector<std::uint32_t>{3, 3}));
  ASSERT_TRUE(store_.reopen());
  for (auto const* key : {"u", "v", "w"}) EXPECT_EQ(get(key), "row");
}

TEST_F(KeyRotationTest, K08_NewFilesThatCouldNotBeBegunAreBegunLater) {
  put("u", "row");
  store_.disk->fail({storage::DiskCall::kCreate, storage::FileGroup::kRegistry, 1, ErrorKind::kNoSpace});
  ASSERT_FALSE(rotation().rotate(Purpose::kFile).has_value());
  EXPECT_EQ(term(Purpose::kFile, 2).state, KeyState::kActive) << "it is in force all the same";
  ASSERT_TRUE(rotation().finish());
  put("v", "row");
  EXPECT_EQ(terms_of_open_files(store_), (std::vector<std::uint32_t>{2, 2}));
  ASSERT_TRUE(store_.reopen());
  EXPECT_EQ(get("v"), "row");
}

TEST_F(KeyRotationTest, K08_ATermIsNotDestroyedWhileAWriteUnderItIsOnItsWay) {
  WriteSet pending;
  ASSERT_TRUE(rows().put(pending, as_bytes("late"), as_bytes("row")));
  ASSERT_TRUE(rotation().rotate(Purpose::kAuth));
  ASSERT_TRUE(rotation().retire(Purpose::kAuth, 1));
  EXPECT_FALSE(rotation().is_idle(Purpose::kAuth, 1));
  reseal_all(Purpose::kAuth, 1);
  EXPECT_EQ(rotation().destroy(Purpose::kAuth, 1).error().kind(), ErrorKind::kConflict);
  ASSERT_TRUE(store_.commit(std::move(pending)));
  pending = WriteSet();
  EXPECT_TRUE(rotation().is_idle(Purpose::kAuth, 1));
  EXPECT_EQ(rotation().destroy(Purpose::kAuth, 1).error().kind(), ErrorKind::kConflict) << "it came behind";
  reseal_all(Purpose::kAuth, 1);
  EXPECT_TRUE(rotation().destroy(Purpose::kAuth, 1).has_value());
  EXPECT_EQ(get("late"), "row");
}

TEST_F(KeyRotationTest, K08_ReadersOfBeforeAreWaitedFor) {
  put("u", "row");
  auto at = std::make_unique<ReadPoint>(store_.vault->read_point());
  auto const readers = rotation().readers_of_now();
  EXPECT_FALSE(readers.expired());
  auto const later = store_.vault->read_point();
  auto const again = rotation().readers_of_now();
  at.reset();
  EXPECT_TRUE(readers.expired()) << "who came later has nothing of before";
  EXPECT_FALSE(again.expired());
}

TEST_F(KeyRotationTest, K08_AReaderOfBeforeIsWaitedForHoweverOftenItIsAsked) {
  auto at = std::make_unique<ReadPoint>(store_.vault->read_point());
  (void)rotation().readers_of_now();  // given up: he took too long
  auto const again = rotation().readers_of_now();
  EXPECT_FALSE(again.expired());
  at.reset();
  EXPECT_TRUE(again.expired());
}

TEST_F(KeyRotationTest, K08_WhoReadsForLongEndsHoweverOftenItIsAsked) {
  auto at = std::make_unique<ReadPoint>(store_.vault->read_point());
  for (int i = 0; i < 500'000; ++i) (void)rotation().readers_of_now();  // nobody waits for them
  at.reset();
  EXPECT_TRUE(rotation().readers_of_now().expired());
}

TEST_F(KeyRotationTest, K08_AlertsAndHoldsUnderACompromisedAuditKeyAreSealedAnew) {
  for (auto const keeper : {Keeper::kMonitor, Keeper::kPrivacy}) {
    WriteSet set;
    ASSERT_TRUE(store_.vault->sealed_view(keeper, Purpose::kAudit).put(set, as_bytes("a"), as_bytes("row")));
    ASSERT_TRUE(store_.commit(std::move(set)));
  }
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kAudit, 1));
  reseal_all(Purpose::kAudit, 1);
  for (auto const keeper : {Keeper::kMonitor, Keeper::kPrivacy}) {
    auto const row = store_.vault->view(keeper).get(as_bytes("a")).value().value();
    EXPECT_EQ(ByteReader(ByteView(row).subspan(2)).u32().value(), 2U);
    EXPECT_TRUE(store_.vault->sealed_view(keeper, Purpose::kAudit).get(as_bytes("a")).value().has_value());
  }
  EXPECT_EQ(term(Purpose::kAudit, 1).state, KeyState::kCompromised) << "the log lies under it";
}

TEST_F(KeyRotationTest, K08_WhatCannotBeSealedAnewIsNotDestroyed) {
  for (auto const purpose : {Purpose::kAudit, Purpose::kFile}) {
    EXPECT_EQ(rotation().retire(purpose, 1).error().kind(), ErrorKind::kConflict) << "it is active";
    ASSERT_TRUE(rotation().rotate(purpose));
    auto const retired = rotation().retire(purpose, 1);
    ASSERT_FALSE(retired.has_value());
    EXPECT_EQ(retired.error().kind(), ErrorKind::kConflict);
    ASSERT_EQ(rotation().mark_compromised(purpose, 1).value(), 2U);
    EXPECT_EQ(term(purpose, 1).state, KeyState::kCompromised);
    EXPECT_FALSE(term(purpose, 1).is_to_be_destroyed);
    EXPECT_EQ(rotation().destroy(purpose, 1).error().kind(), ErrorKind::kConflict);
    ASSERT_TRUE(store_.reopen());
  }
}

TEST_F(KeyRotationTest, K08_TheActiveTermIsNeitherRetiredNorDestroyed) {
  EXPECT_EQ(rotation().retire(Purpose::kState, 1).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(rotation().destroy(Purpose::kState, 1).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(rotation().retire(Purpose::kState, 7).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(rotation().mark_compromised(Purpose::kState, 7).error().kind(), ErrorKind::kNotFound);
}

TEST_F(KeyRotationTest, K08_ADamagedRowIsNamedAndItsTermKeptAndTheRowsBehindItAreSealedAnew) {
  put("u", "row");
  put("v", "behind");
  ASSERT_TRUE(rotation().rotate(Purpose::kAuth));
  ASSERT_TRUE(rotation().retire(Purpose::kAuth, 1));
  auto const view = store_.vault->view(Keeper::kIdentity);
  Bytes row = view.get(as_bytes("u")).value().value();
  row.back() ^= std::byte{1};
  storage::WriteBatch batch;
  batch.put(view.full_key(as_bytes("u")), row);
  ASSERT_TRUE(store_.engine->write(batch));
  Bytes place;
  auto const step = rotation().reseal_some(Purpose::kAuth, 1, place);
  ASSERT_TRUE(step.has_value()) << step.error().message();
  EXPECT_TRUE(step->is_done);
  EXPECT_EQ(step->damaged, 1U);
  EXPECT_EQ(step->damaged_of, Keeper::kIdentity);
  EXPECT_EQ(step->resealed, 1U);
  EXPECT_EQ(ByteReader(ByteView(*view.get(as_bytes("v")).value()).subspan(2)).u32().value(), 2U);
  EXPECT_EQ(view.get(as_bytes("u")).value(), row) << "it is left for whoever mends it";
  EXPECT_EQ(rotation().destroy(Purpose::kAuth, 1).error().kind(), ErrorKind::kConflict);
}

// As stores were written before terms had states.
TEST_F(KeyRotationTest, K08_AStoreOfBeforeOpensAndIsRotated) {
  put("u", "row");
  auto const pepper = store_.vault->derived_key(Purpose::kAuth, "password-pepper").value();
  StoreId const store_id = store_.vault->store_id();
  store_.close();
  auto const slots = decode_slots(store_.disk->content("/data/slots")).value();
  auto const root =
      open_slots(slots, SlotKind::kKeyFile, store_.disk->content("/keys/store.key")).value().root;
  auto const ring = open_keyring(store_.disk->content("/data/keyring"), root, store_id).value();
  Bytes plain;
  ByteWriter writer(plain);
  writer.raw(ring.tenant_id).u8(6);
  for (auto const& [purpose, terms] : ring.purposes)
    writer.u8(purpose).u16(1).u32(1).u64(to_unix_ms(terms[0].created)).raw(terms[0].key.reveal());
  writer.u16(0);
  Bytes file;
  ByteWriter(file).raw(as_bytes("TCNDRING")).u16(1).u64(ring.generation).raw(store_id);
  Bytes const header = file;
  auto const key = derive_aead_key(root.reveal(), "tacenda/keyring/1");
  ASSERT_TRUE(seal_once(key, store_.random, header, plain, file));
  for (auto const* path : {"/data/keyring", "/keys/store.key.keyring"}) store_.disk->set_content(path, file);

  ASSERT_TRUE(store_.open());
  EXPECT_EQ(get("u"), "row");
  EXPECT_TRUE(store_.vault->verify_keys().has_value());
  EXPECT_EQ(rotation().keys()->root_made, store_.clock.now());
  ASSERT_TRUE(rotation().rotate(Purpose::kAuth));
  ASSERT_TRUE(rotation().retire(Purpose::kAuth, 1));
  reseal_all(Purpose::kAuth, 1);
  ASSERT_TRUE(rotation().destroy(Purpose::kAuth, 1));
  ASSERT_TRUE(store_.reopen());
  EXPECT_EQ(get("u"), "row");
  EXPECT_TRUE(store_.vault->derived_key(Purpose::kAuth, "password-pepper").value() == pepper);
  EXPECT_EQ(store_.disk->content("/data/keyring")[9], std::byte{2});
}

// The key over the keys of patients.
TEST_F(KeyRotationTest, K08_AnotherVaultRootWrapsThePagesAndTheOldOneIsGone) {
  auto const ada = Subject::patient("ada");
  store_.make({ada});
  Bytes sealed;
  ASSERT_TRUE(store_.vault->subject(ada).value()->seal_record({}, as_bytes("record"), sealed));
  Bytes const page =
      store_.vault->view(Keeper::kKeys).get(Bytes{std::byte{'p'}, {}, {}, {}, std::byte{1}}).value().value();
  EXPECT_EQ(rotation().rotate_vault_root().value(), 2U);
  store_.make({Subject::patient("ben")});
  ASSERT_TRUE(store_.reopen());
  Bytes plaintext;
  ASSERT_TRUE(store_.vault->subject(ada).value()->open_record({}, sealed, plaintext).has_value());
  EXPECT_EQ(as_text(plaintext), "record");
  EXPECT_TRUE(store_.vault->verify_keys().has_value());
  EXPECT_EQ(rotation().keys()->vault_root, 2U);
  // A page that was kept from before opens no more.
  storage::WriteBatch batch;
  batch.put(store_.vault->view(Keeper::kKeys).full_key(Bytes{std::byte{'p'}, {}, {}, {}, std::byte{1}}),
            page);
  ASSERT_TRUE(store_.engine->write(batch));
  EXPECT_FALSE(store_.reopen().has_value());
}

TEST_F(KeyRotationTest, K08_AVaultRootThatWasCutOffLosesNobodysKeys) {
  for (std::uint64_t step = 1; step < 200; ++step) {
    TestStore store(step);
    auto const ada = Subject::patient("ada");
    store.make({ada});
    Bytes sealed;
    ASSERT_TRUE(store.vault->subject(ada).value()->seal_record({}, as_bytes("record"), sealed));
    store.disk->cut_power_in(step);
    (void)KeyRotation(*store.vault).rotate_vault_root();  // either is right
    bool const was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    std::string const when = "cut at step " + std::to_string(step);
    auto const opened = store.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message() << ", " << when;
    Bytes plaintext;
    EXPECT_TRUE(store.vault->subject(ada).value()->open_record({}, sealed, plaintext).has_value()) << when;
    EXPECT_TRUE(store.vault->verify_keys().has_value()) << when;
    EXPECT_TRUE(KeyRotation(*store.vault).rotate_vault_root().has_value()) << when;
    if (!was_cut) return;
  }
  FAIL() << "the rotation never got through";
}

}  // namespace
}  // namespace tacenda::vault

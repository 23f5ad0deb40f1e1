// Keys of data subjects through the public interface, on the real engine.
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;

Subject const kAda = Subject::patient("ada");
Subject const kBen = Subject::patient("ben");
Subject const kCleo = Subject::practitioner("cleo");

Bytes sealed_for(TestStore& store, Subject const& subject) {
  Bytes out;
  auto const keys = store.vault->subject(subject);
  EXPECT_TRUE(keys.has_value()) << (keys ? "" : keys.error().message());
  EXPECT_TRUE(keys && (*keys)->seal_record(as_bytes("place"), as_bytes("record"), out));
  return out;
}

/// The kind of the error, or nullopt when `sealed` opens.
std::optional<ErrorKind> opening(TestStore& store, Subject const& subject, ByteView sealed) {
  auto const keys = store.vault->subject(subject);
  if (!keys) return keys.error().kind();
  Bytes plaintext;
  auto const opened = (*keys)->open_record(as_bytes("place"), sealed, plaintext);
  if (!opened) return opened.error().kind();
  EXPECT_EQ(as_text(plaintext), "record");
  return std::nullopt;
}

/// The rows of the key vault as they lie in the engine.
std::vector<std::pair<Bytes, Bytes>> key_rows(TestStore& store, std::string_view prefix = "") {
  std::vector<std::pair<Bytes, Bytes>> rows;
  auto const view = store.vault->view(Keeper::kKeys);
  EXPECT_TRUE(view.scan(as_bytes(prefix), [&](ByteView key, ByteView value) -> Result<bool> {
    rows.emplace_back(view.full_key(key), to_bytes(value));
    return true;
  }));
  return rows;
}

void put_rows(TestStore& store, std::vector<std::pair<Bytes, Bytes>> const& rows) {
  storage::WriteBatch batch;
  for (auto const& [key, value] : rows) batch.put(key, value);
  ASSERT_TRUE(store.engine->write(batch));
}

TEST(KeyVault, FindsTheKeysOfASubjectAfterARestart) {
  TestStore store;
  store.make({kAda, kBen});
  auto const alias = store.vault->subject(kAda).value()->alias();
  Bytes const record = sealed_for(store, kAda);
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(opening(store, kAda, record), std::nullopt);
  EXPECT_EQ(opening(store, kBen, record), ErrorKind::kCorrupt);
  EXPECT_EQ(store.vault->subject_of(alias).value(), "Patient/ada");
  EXPECT_TRUE(store.vault->verify_keys().has_value());
}

TEST(KeyVault, HasNoKeysForASubjectThatWasNeverCommitted) {
  TestStore store;
  {
    WriteSet dropped;
    ASSERT_TRUE(store.vault->subject_for_write(kAda, dropped).has_value());
  }
  auto const found = store.vault->subject(kAda);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind(), ErrorKind::kNotFound);
}

TEST(KeyVault, GivesOneSubjectOneKeyWithinASet) {
  TestStore store;
  WriteSet set;
  auto const first = store.vault->subject_for_write(kAda, set).value();
  auto const second = store.vault->subject_for_write(kAda, set).value();
  EXPECT_EQ(first, second);
}

TEST(KeyVault, TheSecondMakerOfASubjectConflictsAndFindsTheKeysOfTheFirst) {
  TestStore store;
  WriteSet first;
  WriteSet second;
  auto const keys = store.vault->subject_for_write(kAda, first).value();
  ASSERT_TRUE(store.vault->subject_for_write(kAda, second).has_value());
  ASSERT_TRUE(store.commit(std::move(first)));
  auto const refused = store.commit(std::move(second));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  WriteSet again;
  EXPECT_EQ(store.vault->subject_for_write(kAda, again).value()->alias(), keys->alias());
  EXPECT_TRUE(again.empty());
}

TEST(KeyVault, ARowPutInThePlaceOfAnotherSubjectsIsCorrupt) {
  TestStore store;
  store.make({kAda, kBen});
  auto rows = key_rows(store, "sPatient/");
  ASSERT_EQ(rows.size(), 2U);
  std::swap(rows[0].second, rows[1].second);
  put_rows(store, rows);
  ASSERT_TRUE(store.reopen());
  for (auto const& subject : {kAda, kBen}) {
    auto const found = store.vault->subject(subject);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(store.vault->verify_keys().has_value());
}

TEST(KeyVault, NoFlippedByteOfARowOpens) {
  TestStore store;
  store.make({kAda});
  auto const rows = key_rows(store, "sPatient/");
  Bytes const record = sealed_for(store, kAda);
  for (std::size_t at = 0; at < rows[0].second.size(); ++at) {
    auto flipped = rows;
    flipped[0].second[at] ^= std::byte{1};
    put_rows(store, flipped);
    ASSERT_TRUE(store.reopen());
    EXPECT_NE(opening(store, kAda, record), std::nullopt) << at;
  }
}

TEST(KeyVault, VerifyFindsAMissingRowAWrongAliasAndAForgottenMember) {
  TestStore store;
  store.make({kAda, kBen});
  auto const good = key_rows(store);
  auto const erase = [&](std::string_view prefix) {
    storage::WriteBatch batch;
    auto const rows = key_rows(store, prefix);
    ASSERT_FALSE(rows.empty());
    batch.erase(rows[0].first);
    ASSERT_TRUE(store.engine->write(batch));
  };
  ASSERT_TRUE(store.vault->verify_keys().has_value());
  erase("sPatient/");
  EXPECT_FALSE(store.vault->verify_keys().has_value());
  put_rows(store, good);
  erase("m");
  EXPECT_FALSE(store.vault->verify_keys().has_value());
  put_rows(store, good);
  auto aliases = key_rows(store, "a");
  std::swap(aliases[0].second, aliases[1].second);
  put_rows(store, aliases);
  EXPECT_FALSE(store.vault->verify_keys().has_value());
}

TEST(KeyVault, RefusesEveryUseOfAShreddedSubjectAndKeepsTheOthers) {
  TestStore store;
  store.make({kAda, kBen, kCleo});
  auto const alias = store.vault->subject(kAda).value()->alias();
  Bytes const ada = sealed_for(store, kAda);
  Bytes const ben = sealed_for(store, kBen);
  Bytes const cleo = sealed_for(store, kCleo);
  ASSERT_TRUE(store.vault->shred(kAda));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(opening(store, kAda, ada), ErrorKind::kGone);
    EXPECT_EQ(opening(store, kBen, ben), std::nullopt);
    EXPECT_EQ(opening(store, kCleo, cleo), std::nullopt);
    EXPECT_EQ(store.vault->subject_of(alias).value(), std::nullopt);
    WriteSet set;
    auto const anew = store.vault->subject_for_write(kAda, set);
    ASSERT_FALSE(anew.has_value());
    EXPECT_EQ(anew.error().kind(), ErrorKind::kGone);
    EXPECT_TRUE(store.vault->verify_keys().has_value());
    ASSERT_TRUE(store.reopen());
  }
}

std::vector<std::shared_ptr<SubjectKeys const>> keys_of(TestStore& store,
                                                        std::initializer_list<Subject> subjects) {
  std::vector<std::shared_ptr<SubjectKeys const>> all;
  for (auto const& subject : subjects) all.push_back(store.vault->subject(subject).value());
  return all;
}

TEST(KeyVault, WhatIsSealedForAllOpensWithAllInAnyOrderAndWithNoOtherSet) {
  TestStore store;
  store.make({kAda, kBen, kCleo});
  auto const both = keys_of(store, {kAda, kBen});
  Bytes sealed;
  ASSERT_TRUE(store.vault->seal_for_all(Purpose::kAudit, both, as_bytes("place"), as_bytes("text"), sealed));
  auto const opens = [&](std::initializer_list<Subject> subjects) {
    auto const text =
        store.vault->open_for_all(Purpose::kAudit, keys_of(store, subjects), as_bytes("place"), sealed);
    return text.has_value() && as_text(*text) == "text";
  };
  EXPECT_TRUE(opens({kAda, kBen}));
  EXPECT_TRUE(opens({kBen, kAda, kBen}));
  EXPECT_FALSE(opens({}));
  EXPECT_FALSE(opens({kAda}));
  EXPECT_FALSE(opens({kBen}));
  EXPECT_FALSE(opens({kAda, kBen, kCleo}));
  EXPECT_FALSE(opens({kAda, kCleo}));
  EXPECT_FALSE(store.vault->open_for_all(Purpose::kAudit, both, as_bytes("elsewhere"), sealed));
  EXPECT_FALSE(store.vault->open_for_all(Purpose::kState, both, as_bytes("place"), sealed));
  ASSERT_TRUE(store.reopen());
  EXPECT_TRUE(opens({kAda, kBen}));
}

TEST(KeyVault, WhatIsSealedForNobodyNeedsTheStoreAlone) {
  TestStore store;
  Bytes sealed;
  ASSERT_TRUE(store.vault->seal_for_all(Purpose::kAudit, {}, {}, as_bytes("text"), sealed));
  EXPECT_EQ(as_text(store.vault->open_for_all(Purpose::kAudit, {}, {}, sealed).value()), "text");
  TestStore other;
  EXPECT_FALSE(other.vault->open_for_all(Purpose::kAudit, {}, {}, sealed));
}

TEST(KeyVault, EachTextThatIsSealedForAllHasAKeyOfItsOwn) {
  TestStore store;
  store.make({kAda});
  auto const all = keys_of(store, {kAda});
  Bytes one;
  Bytes two;
  ASSERT_TRUE(store.vault->seal_for_all(Purpose::kAudit, all, {}, as_bytes("text"), one));
  ASSERT_TRUE(store.vault->seal_for_all(Purpose::kAudit, all, {}, as_bytes("text"), two));
  // Behind version, algorithm and term: the commitment to the key.
  EXPECT_FALSE(equal(ByteView(one).subspan(6, 32), ByteView(two).subspan(6, 32)));
  for (std::size_t i = 0; i < one.size(); ++i) {
    Bytes flipped = one;
    flipped[i] ^= std::byte{1};
    EXPECT_FALSE(store.vault->open_for_all(Purpose::kAudit, all, {}, flipped)) << i;
    EXPECT_FALSE(store.vault->open_for_all(Purpose::kAudit, all, {}, ByteView(one).first(i))) << i;
  }
  EXPECT_FALSE(store.vault->open(Purpose::kAudit, {}, one)) << "taken for what lies under the term alone";
}

TEST(KeyVault, ShreddingTwiceChangesNothing) {
  TestStore store;
  store.make({kAda, kBen});
  ASSERT_TRUE(store.vault->shred(kAda));
  auto const rows = key_rows(store);
  ASSERT_TRUE(store.vault->shred(kAda));
  EXPECT_EQ(key_rows(store), rows);
}

TEST(KeyVault, DoesNotShredAnUnknownSubjectOrTheTenant) {
  TestStore store;
  EXPECT_EQ(store.vault->shred(kAda).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store.vault->shred(Subject::tenant()).error().kind(), ErrorKind::kForbidden);
  EXPECT_TRUE(store.vault->subject(Subject::tenant()).has_value());
}

TEST(KeyVault, RowsSavedBeforeAnErasureNeverOpenAgain) {
  TestStore store;
  store.make({kAda, kBen});
  Bytes const record = sealed_for(store, kAda);
  auto const saved = key_rows(store);
  ASSERT_TRUE(store.vault->shred(kAda));

  // All rows but the one that names the root: pages and subjects as a backup has them.
  std::vector<std::pair<Bytes, Bytes>> tree(saved.begin(), saved.end());
  std::erase_if(tree,
                [](auto const& row) { return row.first.size() == 18 && row.first.back() == std::byte{'r'}; });
  ASSERT_EQ(tree.size() + 1, saved.size());
  put_rows(store, tree);
  store.close();
  EXPECT_FALSE(store.open().has_value()) << "the tenant's keys are of another root";
}

TEST(KeyVault, AWholeKeyVaultOfBeforeAnErasureIsRefused) {
  TestStore store;
  store.make({kAda, kBen});
  auto const saved = key_rows(store);
  ASSERT_TRUE(store.vault->shred(kAda));
  put_rows(store, saved);
  store.close();
  auto const refused = store.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
}

TEST(KeyVault, AnOldRowUnderTheNewPageIsCorrupt) {
  TestStore store;
  store.make({kAda, kBen});
  auto const saved = key_rows(store, "sPatient/ada");
  ASSERT_TRUE(store.vault->shred(kAda));
  put_rows(store, saved);
  ASSERT_TRUE(store.reopen());
  auto const found = store.vault->subject(kAda);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
}

TEST(KeyVault, AVaultRootOfBeforeAnErasureIsRefused) {
  TestStore store;
  store.make({kAda});
  Bytes const saved = store.disk->content("/keys/store.key.root");
  ASSERT_TRUE(store.vault->shred(kAda));
  store.close();
  store.disk->set_content("/keys/store.key.root", saved);
  auto const refused = store.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
}

// A second root of the number that the store names: what is in the other slot may be all that is left of the
// right one.
TEST(KeyVault, ARootThatOpensNoPageIsRefusedAndOverwritesNothing) {
  TestStore store;
  store.make({kAda});
  auto pages = key_rows(store, "p");
  ASSERT_EQ(pages.size(), 1U);
  pages[0].second.back() ^= std::byte{1};
  put_rows(store, pages);
  store.close();
  Bytes root = store.disk->content("/keys/store.key.root");
  std::fill(root.begin() + 4096, root.end(), std::byte{7});
  store.disk->set_content("/keys/store.key.root", root);
  auto const refused = store.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(store.disk->content("/keys/store.key.root"), root) << "nothing was written over";
}

TEST(KeyVault, ASetThatFoundKeysBeforeAnErasureIsRefusedAfterIt) {
  TestStore store;
  store.make({kAda, kBen});
  std::vector<Subject> const both{kAda, kBen};
  WriteSet stale;
  stale.read_at(store.vault->order().committed());
  ASSERT_TRUE(store.vault->subjects_for_write(both, stale).has_value());
  WriteSet merged;
  merged.merge(std::move(stale), 0);
  ASSERT_TRUE(store.vault->shred(kAda));
  auto const refused = store.commit(std::move(merged));
  ASSERT_FALSE(refused.has_value()) << "what it sealed could never be opened";
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  WriteSet again;
  EXPECT_EQ(store.vault->subjects_for_write(both, again).error().kind(), ErrorKind::kGone);
  WriteSet alone;
  ASSERT_TRUE(store.vault->subject_for_write(kBen, alone).has_value());
  EXPECT_TRUE(store.commit(std::move(alone)));
}

TEST(KeyVault, AnErasureThatIsRefusedRefusesNobody) {
  TestStore store;
  store.make({kAda});
  WriteSet making;
  ASSERT_TRUE(store.vault->subject_for_write(kBen, making).has_value());
  EXPECT_FALSE(store.vault->shred(kAda).has_value());
  EXPECT_TRUE(store.commit(std::move(making)));
}

TEST(KeyVault, AnErasureThatADamagedFileRefusesLeavesAllKeysInUse) {
  TestStore store;
  store.make({kAda, kBen});
  ASSERT_TRUE(store.reopen());
  storage::WriteBatch beside;  // in a table of its own, before all that the vault looks for
  for (int i = 0; i < 20; ++i)
    beside.put(to_bytes("!beside" + std::to_string(i)), to_bytes(std::string(2'000, 'x')));
  ASSERT_TRUE(store.engine->write(beside));
  store.close();
  std::string table;
  for (auto const& path : store.disk->files()) {
    if (path.ends_with(".sst")) table = path;  // in order: the newest
  }
  Bytes content = store.disk->content(table);
  content.at(1'000) ^= std::byte{1};
  store.disk->set_content(table, content);
  ASSERT_TRUE(store.open());
  ASSERT_FALSE(store.engine->get(as_bytes("!beside0")).has_value());
  ASSERT_TRUE(store.engine->is_damaged());

  auto const refused = store.vault->shred(kAda);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(store.vault->subject(kAda).has_value()) << "nothing was stored";
  EXPECT_TRUE(store.vault->subject(kBen).has_value());
}

TEST(KeyVault, AnErasureWaitsForKeysThatAreBeingMadeOnItsPage) {
  TestStore store;
  store.make({kAda});
  WriteSet making;
  auto const keys = store.vault->subject_for_write(kBen, making).value();
  Bytes record;
  ASSERT_TRUE(keys->seal_record(as_bytes("place"), as_bytes("record"), record));
  auto const refused = store.vault->shred(kAda);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnavailable);
  ASSERT_TRUE(store.commit(std::move(making)));
  ASSERT_TRUE(store.vault->shred(kAda));
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(opening(store, kBen, record), std::nullopt);
}

TEST(KeyVault, KeysOfAPageThatIsToBeShreddedAreMadeOnAnother) {
  TestStore store;
  store.make({kAda});
  WriteSet first;
  ASSERT_TRUE(store.vault->subject_for_write(kBen, first).has_value());
  EXPECT_FALSE(store.vault->shred(kAda).has_value());
  WriteSet second;
  ASSERT_TRUE(store.vault->subject_for_write(kCleo, second).has_value());
  first = WriteSet();
  EXPECT_TRUE(store.vault->shred(kAda).has_value()) << "the set that is still open uses another page";
  ASSERT_TRUE(store.commit(std::move(second)));
  ASSERT_TRUE(store.reopen());
  EXPECT_TRUE(store.vault->subject(kCleo).has_value());
  EXPECT_TRUE(store.vault->verify_keys().has_value());
}

TEST(KeyVault, ReadersBesideAnErasureSeeEveryLivingSubjectAndNoErasedOne) {
  TestStore store;
  constexpr int kSubjects = 48;
  auto const subject = [](int i) { return Subject::patient("p" + std::to_string(i)); };
  WriteSet set;
  for (int i = 0; i < kSubjects; ++i)
    ASSERT_TRUE(store.vault->subject_for_write(subject(i), set).has_value());
  ASSERT_TRUE(store.commit(std::move(set)));
  for (int round = 0; round < 6; ++round) {
    ASSERT_TRUE(store.reopen());  // the cache of unwrapped keys is empty
    std::atomic<int> wrong{0};
    std::jthread reader([&] {
      for (int i = 0; i < kSubjects; ++i) {
        auto const found = store.vault->subject(subject(i));
        if (!found && (i > round || found.error().kind() != ErrorKind::kGone)) ++wrong;
      }
    });
    EXPECT_TRUE(store.vault->shred(subject(round)));
    auto const erased = store.vault->subject(subject(round));
    EXPECT_TRUE(!erased && erased.error().kind() == ErrorKind::kGone);
    reader.join();
    EXPECT_EQ(wrong.load(), 0);
  }
}

TEST(KeyVault, ManySubjectsFillMoreThanOnePageAndOneErasureKeepsThemAll) {
  TestStore store;
  WriteSet set;
  auto const subject = [](int i) { return Subject::binary("b" + std::to_string(i)); };
  for (int i = 0; i < 1'100; ++i) ASSERT_TRUE(store.vault->subject_for_write(subject(i), set).has_value());
  ASSERT_TRUE(store.commit(std::move(set)));
  EXPECT_EQ(key_rows(store, "p").size(), 2U);
  ASSERT_TRUE(store.reopen());
  ASSERT_TRUE(store.vault->shred(subject(3)));
  ASSERT_TRUE(store.reopen());
  for (int i = 0; i < 1'100; ++i) EXPECT_EQ(store.vault->subject(subject(i)).has_value(), i != 3) << i;
}

TEST(CombinedKeys, NeedEverySubject) {
  TestStore store;
  store.make({kAda, kBen});
  std::vector<Subject> const both{kAda, kBen};
  Bytes sealed;
  ASSERT_TRUE(store.vault->subjects(both).value()->seal_record({}, as_bytes("record"), sealed));
  Bytes plaintext;
  EXPECT_TRUE(store.vault->subjects(both).value()->open_record({}, sealed, plaintext));
  EXPECT_FALSE(store.vault->subject(kAda).value()->open_record({}, sealed, plaintext).has_value());
  ASSERT_TRUE(store.vault->shred(kBen));
  auto const gone = store.vault->subjects(both);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().kind(), ErrorKind::kGone);
}

TEST(CombinedKeys, AreTheSameInAnyOrder) {
  TestStore store;
  store.make({kAda, kBen});
  Bytes sealed;
  std::vector<Subject> const one{kAda, kBen};
  std::vector<Subject> const other{kBen, kAda, kBen};
  ASSERT_TRUE(store.vault->subjects(one).value()->seal_record({}, as_bytes("record"), sealed));
  Bytes plaintext;
  EXPECT_TRUE(store.vault->subjects(other).value()->open_record({}, sealed, plaintext));
  EXPECT_EQ(store.vault->subjects({}).error().kind(), ErrorKind::kInvalid);
}

TEST(SubjectKeys, KeepRecordsAndAuditEntriesApart) {
  TestStore store;
  store.make({kAda});
  auto const keys = store.vault->subject(kAda).value();
  Bytes sealed;
  ASSERT_TRUE(keys->seal_audit({}, as_bytes("entry"), sealed));
  Bytes plaintext;
  EXPECT_TRUE(keys->open_audit({}, sealed, plaintext));
  EXPECT_FALSE(keys->open_record({}, sealed, plaintext).has_value());
  EXPECT_FALSE(keys->open_audit(as_bytes("elsewhere"), sealed, plaintext).has_value());
}

}  // namespace
}  // namespace tacenda::vault

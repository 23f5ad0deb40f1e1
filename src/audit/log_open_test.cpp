// Opening a log: rows S-06, O-02 and A-16: truncation, rollback and alteration of what lies on the disk.
#include <gtest/gtest.h>

#include "audit/internal/anchor.hpp"
#include "audit/internal/rows.hpp"
#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::engine_key;
using test::read_of;
using test::Rows;
using test::Store;

void commit_some(Store& store, int count) {
  for (int i = 0; i < count; ++i) ASSERT_TRUE(commit(*store.log, read_of("p1")));
}

std::filesystem::path anchor_path(Store const& store) {
  return Anchor::path_of(store.places);
}

/// What `open` says; empty when it opens.
std::string refusal(Store& store) {
  auto const opened = store.open();
  if (opened) return "";
  EXPECT_EQ(opened.error().kind(), ErrorKind::kCorrupt);
  return std::string(opened.error().message());
}

bool mentions(std::string const& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

TEST(AuditLogOpen, MakesTheAnchorBeforeTheFirstEntry) {
  Store store;
  ASSERT_TRUE(store.open());
  EXPECT_TRUE(store.files.exists(anchor_path(store)).value());
  EXPECT_EQ(store.log->size(), 0U);
  EXPECT_EQ(store.log->checkpoint().error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(store.reopen()) << "an empty log opens again";
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogOpen, KeepsItsKeyForLife) {
  Store store;
  ASSERT_TRUE(store.open());
  std::string const key = store.log->verifier_key();
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(store.log->verifier_key(), key);
}

TEST(AuditLogOpen, O02RefusesALogThatWasRolledBack) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 3);
  store.stop();
  auto const old = store.disk->state();
  ASSERT_TRUE(store.reopen());
  commit_some(store, 3);
  store.close();
  store.disk->restore(old);
  EXPECT_TRUE(mentions(refusal(store), "rollback or truncation"));
  auto const found = Log::open_damaged(*store.vault).value()->verify({});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_TRUE(mentions(found->front().problem, "rollback or truncation"));
}

TEST(AuditLogOpen, O02RefusesALogThatWasEmptied) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 3);
  store.close();
  Bytes const prefix = engine_key(store, {});
  store.disk->tamper([&](Rows& rows) {
    std::erase_if(rows, [&](auto const& row) { return as_text(row.first).starts_with(as_text(prefix)); });
  });
  EXPECT_TRUE(mentions(refusal(store), "rollback or truncation"));
}

TEST(AuditLogOpen, RefusesAnotherHistoryOfTheSameLength) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 3);
  store.stop();
  auto const old_rows = store.disk->state();
  Bytes const old_anchor = test::anchor_bytes(store);
  ASSERT_TRUE(store.reopen());
  commit_some(store, 2);
  store.close();
  Bytes const anchor = test::anchor_bytes(store);
  store.disk->restore(old_rows);
  ASSERT_TRUE(store.files.replace(anchor_path(store), old_anchor));
  ASSERT_TRUE(store.open());
  commit_some(store, 5);  // other entries in the place of those that were cut off
  store.close();
  ASSERT_TRUE(store.files.replace(anchor_path(store), anchor));
  EXPECT_TRUE(mentions(refusal(store), "another history"));
}

TEST(AuditLogOpen, RefusesALogWithoutItsAnchor) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 1);
  store.close();
  ASSERT_TRUE(store.files.remove(anchor_path(store)));
  EXPECT_TRUE(mentions(refusal(store), "anchor is missing"));
}

TEST(AuditLogOpen, RefusesAnEmptyLogWithoutItsAnchor) {
  Store store;
  ASSERT_TRUE(store.open());
  store.close();
  ASSERT_TRUE(store.files.remove(anchor_path(store)));
  EXPECT_TRUE(mentions(refusal(store), "anchor is missing"));
}

TEST(AuditLogOpen, SurvivesATornWriteOfTheAnchor) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 1);
  ASSERT_TRUE(store.reopen());
  commit_some(store, 1);
  store.close();
  Bytes const whole = test::anchor_bytes(store);
  for (std::size_t const slot : {0U, 1U}) {
    Bytes torn = whole;
    std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(slot * Anchor::kSlotBytes + 40), 80, std::byte{0});
    ASSERT_TRUE(store.files.replace(anchor_path(store), torn));
    EXPECT_EQ(refusal(store), "") << slot;
    store.close();
  }
}

TEST(AuditLogOpen, RefusesAnAnchorOfWhichNothingIsReadable) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 1);
  store.close();
  ASSERT_TRUE(store.files.replace(anchor_path(store), Bytes(2 * Anchor::kSlotBytes)));
  EXPECT_TRUE(mentions(refusal(store), "holds no checkpoint"));
  ASSERT_TRUE(store.files.replace(anchor_path(store), Bytes(3 * Anchor::kSlotBytes)));
  EXPECT_TRUE(mentions(refusal(store), "malformed"));
}

TEST(AuditLogOpen, RefusesACheckpointThatIsNotSigned) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 1);
  store.close();
  store.disk->tamper([&](Rows& rows) {
    auto& note = rows.at(engine_key(store, rows::of(rows::kCheckpoint)));
    note[note.size() - 10] ^= std::byte{1};
  });
  EXPECT_TRUE(mentions(refusal(store), "signature"));
}

TEST(AuditLogOpen, RefusesATailEntryThatWasAltered) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 5);
  store.close();
  store.disk->tamper(
      [&](Rows& rows) { rows.at(engine_key(store, rows::of(rows::kEntry, 3))).back() ^= std::byte{1}; });
  EXPECT_TRUE(mentions(refusal(store), "do not add up"));
  // The operator then asks what it is.
  auto const damaged = Log::open_damaged(*store.vault);
  ASSERT_TRUE(damaged);
  auto const found = (*damaged)->verify({});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().object, "audit entry 3");
  EXPECT_TRUE((*damaged)->entry(2).has_value());
  EXPECT_FALSE((*damaged)->entry(3).has_value());
  EXPECT_EQ(commit(**damaged, read_of("p1")).error().kind(), ErrorKind::kUnavailable);
}

TEST(AuditLogOpen, RefusesEntriesBeyondTheCheckpoint) {
  Store store;
  ASSERT_TRUE(store.open());
  commit_some(store, 2);
  store.close();
  store.disk->tamper([&](Rows& rows) {
    rows[engine_key(store, rows::of(rows::kEntry, 2))] =
        rows.at(engine_key(store, rows::of(rows::kEntry, 1)));
  });
  EXPECT_TRUE(mentions(refusal(store), "beyond its checkpoint"));
}

TEST(AuditLogOpen, RefusesAStateRowOfAnotherTime) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const add = [&](std::string_view item) {
    vault::WriteSet set;
    set.change_state({to_bytes(item), true});
    return store.log->commit(std::move(set), {read_of("p1")}).has_value();
  };
  ASSERT_TRUE(add("a"));
  Bytes const key = store.vault->view(vault::Keeper::kState).full_key(as_bytes("state"));
  Bytes const old = store.disk->state()->at(key);
  ASSERT_TRUE(add("b"));
  store.close();
  store.disk->tamper([&](Rows& rows) { rows.at(key) = old; });
  EXPECT_TRUE(mentions(refusal(store), "current-state row"));
}

TEST(AuditLogOpen, OpensNothingDamagedWhereThereNeverWasALog) {
  Store store;
  EXPECT_EQ(Log::open_damaged(*store.vault).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tacenda::audit

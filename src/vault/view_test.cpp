#include "vault/view.hpp"

#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;

std::vector<std::string> keys_of(View const& view, std::string_view prefix, std::string_view from = "",
                                 storage::Direction direction = storage::Direction::kForward,
                                 ReadPoint const* at = nullptr) {
  std::vector<std::string> keys;
  EXPECT_TRUE(view.scan(
      as_bytes(prefix), as_bytes(from), direction,
      [&](ByteView key, ByteView) -> Result<bool> {
        keys.emplace_back(as_text(key));
        return true;
      },
      at));
  return keys;
}

TEST(View, SeesItsOwnKeepersRowsOnly) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  auto const state = store.vault->view(Keeper::kState);
  WriteSet set;
  records.put(set, as_bytes("x"), to_bytes(std::string_view("of records")));
  state.put(set, as_bytes("x"), to_bytes(std::string_view("of state")));
  state.put(set, as_bytes("\xff\xff"), Bytes());
  ASSERT_TRUE(store.commit(std::move(set)));
  EXPECT_EQ(as_text(*records.get(as_bytes("x")).value()), "of records");
  EXPECT_EQ(keys_of(records, ""), std::vector<std::string>{"x"});
  EXPECT_EQ(keys_of(records, "", "", storage::Direction::kReverse), std::vector<std::string>{"x"});
  EXPECT_EQ(keys_of(state, ""), (std::vector<std::string>{"x", "\xff\xff"}));
}

TEST(View, WhatIsHeldInMemoryChangesWhenTheSetIsStoredAndBeforeItsSequenceIsSeen) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  auto const guard = records.guard(as_bytes("x"));
  std::vector<std::string> changes;
  auto const set_of = [&](std::string const& name) {
    WriteSet set;
    set.read_at(store.vault->order().committed());
    set.depends_on(guard);
    set.touches(guard);
    records.put(set, as_bytes("x"), to_bytes(std::string_view(name)));
    auto const seen = store.vault->order().committed();
    set.when_stored([&changes, &store, &records, name, seen] {
      EXPECT_EQ(as_text(*records.get(as_bytes("x")).value()), name) << "stored";
      EXPECT_EQ(store.vault->order().committed(), seen) << "and not yet seen";
      changes.push_back(name);
    });
    return set;
  };
  auto stale = set_of("stale");
  {
    auto const dropped = set_of("dropped");
  }
  WriteSet joined;
  joined.merge(set_of("first"), 0);
  ASSERT_TRUE(store.commit(std::move(joined)));
  EXPECT_EQ(store.commit(std::move(stale)).error().kind(), ErrorKind::kConflict);
  ASSERT_TRUE(store.commit(set_of("second")));
  EXPECT_EQ(changes, (std::vector<std::string>{"first", "second"}));
}

TEST(View, AStartBeyondThePrefixDoesNotLeaveIt) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  auto const state = store.vault->view(Keeper::kState);
  WriteSet set;
  for (auto const* key : {"a1", "a2", "b1"}) records.put(set, as_bytes(key), Bytes());
  state.put(set, as_bytes("s"), Bytes());
  ASSERT_TRUE(store.commit(std::move(set)));
  EXPECT_EQ(keys_of(records, "a", "a2"), std::vector<std::string>{"a2"});
  EXPECT_EQ(keys_of(records, "a", "b1"), std::vector<std::string>{});
  EXPECT_EQ(keys_of(records, "b", "a1"), std::vector<std::string>{"b1"});
  EXPECT_EQ(keys_of(records, "a", "a1", storage::Direction::kReverse), std::vector<std::string>{"a1"});
}

TEST(View, AReadPointKeepsItsState) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  auto const at = store.vault->read_point();
  WriteSet set;
  records.put(set, as_bytes("x"), Bytes());
  ASSERT_TRUE(store.commit(std::move(set)));
  EXPECT_FALSE(records.get(as_bytes("x"), &at).value().has_value());
  EXPECT_TRUE(records.get(as_bytes("x")).value().has_value());
  EXPECT_TRUE(keys_of(records, "", "", storage::Direction::kForward, &at).empty());
  EXPECT_EQ(store.vault->read_point().sequence(), at.sequence() + 1);
}

TEST(View, GuardsOfTwoKeepersDiffer) {
  TestStore store;
  EXPECT_NE(store.vault->view(Keeper::kRecords).guard(as_bytes("x")),
            store.vault->view(Keeper::kState).guard(as_bytes("x")));
}

TEST(View, TheCommitterStampsValuesAndKeys) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  WriteSet first;
  records.put(first, as_bytes("seen"), Bytes());
  ASSERT_TRUE(store.commit(std::move(first)));  // sequence 0
  WriteSet set;
  Bytes value(16);
  append(value, "body");
  records.put_stamped_value(set, as_bytes("v"), value, 0);
  Bytes key = to_bytes(std::string_view("k"));
  key.resize(9);
  records.put_stamped_key(set, key, Bytes(), 0);
  ASSERT_TRUE(store.commit(std::move(set)));  // sequence 1
  Bytes expected;
  ByteWriter(expected).u64(1).u64(to_unix_ms(store.clock.now())).raw(as_bytes("body"));
  EXPECT_EQ(*records.get(as_bytes("v")).value(), expected);
  Bytes stamped = to_bytes(std::string_view("k"));
  ByteWriter(stamped).u64(1);
  EXPECT_TRUE(records.get(stamped).value().has_value());
}

TEST(View, StampsFollowTheEventOfAMergedSet) {
  TestStore store;
  auto const records = store.vault->view(Keeper::kRecords);
  WriteSet set;
  WriteSet other;
  records.put_stamped_value(other, as_bytes("v"), Bytes(16), 1);
  set.merge(std::move(other), 2);
  ASSERT_TRUE(VaultTestAccess::commit(*store.vault, set, 40, 9));
  Bytes expected;
  ByteWriter(expected).u64(43).u64(9);
  EXPECT_EQ(*records.get(as_bytes("v")).value(), expected);
}

class SealedViewTest : public ::testing::Test {
 protected:
  SealedViewTest() {
    WriteSet set;
    EXPECT_TRUE(rows_.put(set, as_bytes("one"), as_bytes("first")));
    EXPECT_TRUE(rows_.put(set, as_bytes("two"), as_bytes("second")));
    EXPECT_TRUE(store_.commit(std::move(set)));
  }
  TestStore store_;
  View const raw_ = store_.vault->view(Keeper::kIdentity);
  SealedView const rows_ = store_.vault->sealed_view(Keeper::kIdentity, Purpose::kAuth);
};

TEST_F(SealedViewTest, GivesBackWhatWasPutAndStoresNoPlaintext) {
  EXPECT_EQ(as_text(*rows_.get(as_bytes("one")).value()), "first");
  EXPECT_FALSE(as_text(*raw_.get(as_bytes("one")).value()).contains("first"));
  EXPECT_FALSE(rows_.get(as_bytes("three")).value().has_value());
  std::vector<std::string> seen;
  EXPECT_TRUE(rows_.scan({}, [&](ByteView, ByteView plaintext) -> Result<bool> {
    seen.emplace_back(as_text(plaintext));
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"first", "second"}));
}

TEST_F(SealedViewTest, ARowInThePlaceOfAnotherIsCorrupt) {
  WriteSet set;
  raw_.put(set, as_bytes("two"), *raw_.get(as_bytes("one")).value());
  ASSERT_TRUE(store_.commit(std::move(set)));
  auto const swapped = rows_.get(as_bytes("two"));
  ASSERT_FALSE(swapped.has_value());
  EXPECT_EQ(swapped.error().kind(), ErrorKind::kCorrupt);
  EXPECT_FALSE(rows_.scan({}, [](ByteView, ByteView) -> Result<bool> { return true; }).has_value());
}

TEST_F(SealedViewTest, ARowOfAnotherKeeperOrPurposeIsCorrupt) {
  auto const state = store_.vault->view(Keeper::kState);
  WriteSet set;
  state.put(set, as_bytes("one"), *raw_.get(as_bytes("one")).value());
  ASSERT_TRUE(store_.commit(std::move(set)));
  EXPECT_FALSE(store_.vault->sealed_view(Keeper::kState, Purpose::kAuth).get(as_bytes("one")).has_value());
  EXPECT_FALSE(
      store_.vault->sealed_view(Keeper::kIdentity, Purpose::kState).get(as_bytes("one")).has_value());
}

}  // namespace
}  // namespace tacenda::vault

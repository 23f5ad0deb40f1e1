// Following the log: what is wanted, what is watched, and nothing twice.
#include <algorithm>

#include <gtest/gtest.h>

#include "audit/internal/rows.hpp"
#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::engine_key;
using test::make_patient;
using test::read_of;
using test::Store;

Event event_of(EventKind kind) {
  Event event;
  event.kind = kind;
  return event;
}

bool is_lock(EventKind kind, Outcome) {
  return kind == EventKind::kLocked;
}

std::vector<std::uint64_t> sequences_of(Log::Followed const& followed) {
  std::vector<std::uint64_t> found;
  for (auto const& entry : followed.entries) found.push_back(entry.sequence);
  return found;
}

class LogFollow : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store.open().has_value()); }
  std::uint64_t add(Event event) {
    auto const receipt = commit(*store.log, std::move(event));
    EXPECT_TRUE(receipt.has_value());
    return receipt->first_sequence();
  }
  Event watched(std::string const& patient) {
    auto event = read_of(patient);
    event.labels = "V VIP";
    return event;
  }
  Log::Followed follow(Log::Following following) {
    auto followed = store.log->follow(following);
    EXPECT_TRUE(followed.has_value());
    return followed.has_value() ? std::move(*followed) : Log::Followed();
  }
  Store store;
};

TEST_F(LogFollow, GivesWhatIsWantedAndWhatIsWatchedInOrder) {
  make_patient(store, "p1");
  add(read_of("p1"));
  auto const lock = add(event_of(EventKind::kLocked));
  auto const secret = add(watched("p1"));
  add(event_of(EventKind::kLogin));
  auto const followed = follow({0, 100, 100, is_lock});
  EXPECT_EQ(sequences_of(followed), (std::vector{lock, secret}));
  EXPECT_EQ(followed.next, store.log->size());
  ASSERT_EQ(followed.entries.size(), 2U);
  EXPECT_EQ(followed.entries[1].event.labels, "V VIP");
  EXPECT_EQ(followed.entries[1].event.patients, std::vector<std::string>{"p1"});
}

TEST_F(LogFollow, GoesOnWhereItEndedAndGivesNothingTwice) {
  for (int i = 0; i < 10; ++i) add(event_of(i % 2 == 0 ? EventKind::kLocked : EventKind::kLogin));
  std::vector<std::uint64_t> found;
  for (Log::Following following{0, 3, 1, is_lock}; following.from < store.log->size();) {
    auto const followed = follow(following);
    ASSERT_GT(followed.next, following.from);
    ASSERT_LE(followed.entries.size(), 1U);
    std::ranges::copy(sequences_of(followed), std::back_inserter(found));
    following.from = followed.next;
  }
  EXPECT_EQ(found, (std::vector<std::uint64_t>{0, 2, 4, 6, 8}));
  auto const end = follow({store.log->size(), 100, 100, is_lock});
  EXPECT_TRUE(end.entries.empty());
  EXPECT_EQ(end.next, store.log->size());
}

TEST_F(LogFollow, GivesAnErasedPatientsEntryWithoutWhatNobodyCanRead) {
  make_patient(store, "p1");
  auto const secret = add(watched("p1"));
  ASSERT_TRUE(store.vault->shred(vault::Subject::patient("p1")).has_value());
  auto const followed = follow({0, 100, 100, is_lock});
  ASSERT_EQ(sequences_of(followed), std::vector{secret});
  EXPECT_FALSE(followed.entries[0].readable);
  EXPECT_EQ(followed.entries[0].event.kind, EventKind::kRead);
}

TEST_F(LogFollow, IsNotStoppedByAnEntryThatWasAltered) {
  auto const altered = add(event_of(EventKind::kLocked));
  auto const whole = add(event_of(EventKind::kLocked));
  auto const key = engine_key(store, rows::of(rows::kEntry, altered));
  store.disk->tamper([&](test::Rows& all) { all.find(key)->second.back() ^= std::byte{1}; });
  auto const followed = follow({0, 100, 100, is_lock});
  ASSERT_EQ(sequences_of(followed), (std::vector{altered, whole}));
  EXPECT_FALSE(followed.entries[0].readable);
  EXPECT_TRUE(followed.entries[1].readable);
}

TEST_F(LogFollow, VerifyMissesARowOfAWatchedEntryAndNamesAStray) {
  make_patient(store, "p1");
  auto const secret = add(watched("p1"));
  auto const plain = add(read_of("p1"));
  auto const damage = [&] {
    auto const found = store.log->verify([](std::uint64_t, std::uint64_t) {});
    EXPECT_TRUE(found.has_value());
    return found->size();
  };
  EXPECT_EQ(damage(), 0U);
  store.disk->tamper(
      [&](test::Rows& all) { all.erase(engine_key(store, rows::of(rows::kWatched, secret))); });
  EXPECT_EQ(damage(), 1U);
  store.disk->tamper([&](test::Rows& all) {
    all.emplace(engine_key(store, rows::of(rows::kWatched, secret)), Bytes());
    all.emplace(engine_key(store, rows::of(rows::kWatched, plain)), Bytes());
  });
  EXPECT_EQ(damage(), 1U);
}

}  // namespace
}  // namespace tacenda::audit

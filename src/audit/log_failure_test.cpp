// What happens when the disk, the clock's neighbours or other callers do not play along.
#include <thread>

#include <gtest/gtest.h>

#include "audit/internal/anchor.hpp"
#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"
#include "core/limits.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::read_of;
using test::Store;

/// Adds one to the row "counter", the way a keeper does: read, guard, write.
Result<Receipt> increment(Store& store) {
  auto const records = store.vault->view(vault::Keeper::kRecords);
  auto const at = store.vault->read_point();
  auto const row = TACENDA_TRY(records.get(as_bytes("counter"), &at));
  std::uint64_t const value = row ? ByteReader(*row).u64().value() : 0;
  vault::WriteSet set;
  set.read_at(at.sequence());
  set.depends_on(records.guard(as_bytes("counter")));
  set.touches(records.guard(as_bytes("counter")));
  Bytes next;
  ByteWriter(next).u64(value + 1);
  records.put(set, as_bytes("counter"), std::move(next));
  std::vector<Event> events{read_of("p1")};
  return store.log->commit(std::move(set), std::move(events));
}

std::uint64_t counter(Store& store) {
  auto const row = store.vault->view(vault::Keeper::kRecords).get(as_bytes("counter")).value();
  return row ? ByteReader(*row).u64().value() : 0;
}

void increment_until(Store& store, int wanted) {
  for (int done = 0; done < wanted;) {
    auto const receipt = increment(store);
    if (receipt) {
      ++done;
    } else {
      ASSERT_EQ(receipt.error().kind(), ErrorKind::kConflict);
    }
  }
}

TEST(AuditLogFailure, NoUpdateIsLostAmongManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  Store store;
  ASSERT_TRUE(store.open());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&] { increment_until(store, kEach); });
  }
  EXPECT_EQ(counter(store), static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_EQ(store.log->size(), static_cast<std::uint64_t>(kThreads * kEach))
      << "a refused set leaves no entry";
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogFailure, RefusesASetWhoseReadsAreStale) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(increment(store));
  auto const records = store.vault->view(vault::Keeper::kRecords);
  vault::WriteSet stale;
  stale.read_at(0);
  stale.depends_on(records.guard(as_bytes("counter")));
  records.put(stale, as_bytes("counter"), Bytes(8));
  std::vector<Event> events{read_of("p1")};
  EXPECT_EQ(store.log->commit(std::move(stale), std::move(events)).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(counter(store), 1U);
  EXPECT_EQ(store.log->size(), 1U);
}

TEST(AuditLogFailure, StoresNothingOnAFullDiskAndRecovers) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(increment(store));
  store.disk->full = true;
  for (int i = 0; i < 3; ++i) {
    auto const refused = increment(store);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::kNoSpace);
  }
  EXPECT_EQ(store.log->size(), 1U);
  EXPECT_EQ(counter(store), 1U);
  EXPECT_FALSE(store.log->failed());
  store.disk->full = false;
  auto const receipt = increment(store);
  ASSERT_TRUE(receipt) << "what was not stored must not count as a conflict: " << receipt.error().message();
  EXPECT_EQ(receipt->first_sequence(), 1U) << "sequences stay dense";
  EXPECT_EQ(counter(store), 2U);
  EXPECT_TRUE(store.log->verify({})->empty());
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(store.log->size(), 2U);
}

TEST(AuditLogFailure, ChangesNoRecordOfADamagedStoreAndGoesOnWithEntries) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const change = [&] {
    vault::WriteSet set;
    set.change_state({to_bytes("a"), true});
    std::vector<Event> events{read_of("p1")};
    return store.log->commit(std::move(set), std::move(events));
  };
  store.disk->damaged = true;
  for (bool const known : {true, false}) {
    store.disk->damage_is_known = known;  // or the engine meets it after the committer asked
    auto const refused = change();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::kCorrupt);
    EXPECT_FALSE(store.log->failed());
    EXPECT_TRUE(commit(*store.log, read_of("p1")));
  }
  EXPECT_EQ(store.log->size(), 2U) << "a refused set leaves no entry";
  store.disk->damaged = false;
  EXPECT_TRUE(change());
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogFailure, NoUpdateIsLostOverAFullDisk) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(increment(store));
  auto const records = store.vault->view(vault::Keeper::kRecords);
  vault::WriteSet early;  // reads the counter as 1
  early.read_at(store.vault->read_point().sequence());
  early.depends_on(records.guard(as_bytes("counter")));
  early.touches(records.guard(as_bytes("counter")));
  Bytes two;
  ByteWriter(two).u64(2);
  records.put(early, as_bytes("counter"), std::move(two));
  ASSERT_TRUE(increment(store));
  store.disk->full = true;
  ASSERT_EQ(increment(store).error().kind(), ErrorKind::kNoSpace);
  store.disk->full = false;
  EXPECT_EQ(store.log->commit(std::move(early), {read_of("p1")}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(counter(store), 2U);
}

TEST(AuditLogFailure, UndoesTheStateHashOfABatchThatWasNotStored) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const add = [&](std::string_view item) {
    vault::WriteSet set;
    set.change_state({to_bytes(item), true});
    std::vector<Event> events{read_of("p1")};
    return store.log->commit(std::move(set), std::move(events)).has_value();
  };
  ASSERT_TRUE(add("a"));
  store.disk->full = true;
  ASSERT_FALSE(add("b"));
  store.disk->full = false;
  ASSERT_TRUE(add("c"));
  EXPECT_TRUE(store.log
                  ->verify_state([](auto const& item) -> Result<void> {
                    item(as_bytes("a"));
                    item(as_bytes("c"));
                    return {};
                  })
                  .value());
}

TEST(AuditLogFailure, AcknowledgesNothingAfterAFailedFsync) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  store.disk->broken = true;
  EXPECT_EQ(commit(*store.log, read_of("p1")).error().kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(store.log->failed());
  store.disk->broken = false;  // a retry could report success for lost data
  EXPECT_EQ(commit(*store.log, read_of("p1")).error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(store.log->size(), 1U);
}

TEST(AuditLogFailure, TellsEveryWaitingCallerOfAFailedFsync) {
  Store store;
  ASSERT_TRUE(store.open());
  store.disk->broken = true;
  std::atomic<int> told{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 16; ++i) {
      callers.emplace_back([&] {
        auto const receipt = commit(*store.log, read_of("p1"));
        if (!receipt && receipt.error().kind() == ErrorKind::kUnavailable) ++told;
      });
    }
  }
  EXPECT_EQ(told.load(), 16);
}

TEST(AuditLogFailure, StopsWhenTheAnchorCannotBeWritten) {
  Store store;
  ASSERT_TRUE(store.open());
  store.files.broken = true;
  ASSERT_TRUE(commit(*store.log, read_of("p1"))) << "it is durable in the log";
  store.stop();
  EXPECT_TRUE(store.log->failed());
}

TEST(AuditLogFailure, TheAnchorIsNeverAheadOfTheLog) {
  Store store;
  ASSERT_TRUE(store.open());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(commit(*store.log, read_of("p1")));
    store.clock.advance(std::chrono::seconds(2));
  }
  store.disk->broken = true;
  ASSERT_FALSE(commit(*store.log, read_of("p1")));
  store.stop();
  auto const key = merkle::NoteVerifier::parse(store.log->verifier_key()).value();
  auto const anchor = Anchor::read(store.files, Anchor::path_of(store.places), key).value();
  ASSERT_TRUE(anchor);
  EXPECT_LE(anchor->checkpoint.head.size, 5U);
  store.disk->broken = false;
  ASSERT_TRUE(store.reopen());
  EXPECT_EQ(store.log->size(), 5U);
}

TEST(AuditLogFailure, CommitsWhatWasQueuedBeforeTheStop) {
  Store store;
  ASSERT_TRUE(store.open());
  std::atomic<int> kept{0};
  std::vector<Event> const events{read_of("p1")};
  for (int i = 0; i < 500; ++i) {
    store.log->commit_async({}, events,
                            [&](Result<Receipt> receipt) { kept += receipt.has_value() ? 1 : 0; });
  }
  store.stop();
  EXPECT_EQ(kept.load(), 500);
  EXPECT_EQ(store.log->size(), 500U);
}

TEST(AuditLogFailure, BoundsTheCommitsWhoseCallersDoNotWait) {
  Store store;
  ASSERT_TRUE(store.open());
  store.stop();
  store.log = Log::open(*store.vault, store.clock, store.random).value();  // nobody commits yet
  std::vector<Event> const events{read_of("p1")};
  std::atomic<std::size_t> kept{0};
  std::atomic<std::size_t> refused{0};
  for (std::size_t i = 0; i < limits::kWorkQueue + 3; ++i) {
    store.log->commit_async({}, events, [&](Result<Receipt> receipt) { ++(receipt ? kept : refused); });
  }
  EXPECT_EQ(refused.load(), 3U);
  store.runner = std::jthread([&](std::stop_token const& token) { store.log->run(token); });
  store.stop();
  EXPECT_EQ(kept.load(), limits::kWorkQueue);
}

TEST(AuditLogFailure, TellsWhoIsStillQueuedWhenTheLogIsClosed) {
  Store store;
  ASSERT_TRUE(store.open());
  store.stop();
  store.log = Log::open(*store.vault, store.clock, store.random).value();
  bool refused = false;
  store.log->commit_async({}, {read_of("p1")}, [&](Result<Receipt> receipt) { refused = !receipt; });
  store.log.reset();
  EXPECT_TRUE(refused);
}

TEST(AuditLogFailure, SplitsWhatIsTooMuchForOneBatch) {
  Store store;
  ASSERT_TRUE(store.open());
  store.stop();  // so that all of it waits together
  auto const records = store.vault->view(vault::Keeper::kRecords);
  int const before = store.disk->writes;
  std::atomic<int> kept{0};
  store.log.reset();
  auto opened = Log::open(*store.vault, store.clock, store.random);
  ASSERT_TRUE(opened);
  store.log = std::move(*opened);
  for (int i = 0; i < 4; ++i) {
    vault::WriteSet set;
    records.put(set, as_bytes("large " + std::to_string(i)), Bytes(limits::kBatchBytes / 2));
    store.log->commit_async(std::move(set), {read_of("p1")},
                            [&](Result<Receipt> r) { kept += r.has_value() ? 1 : 0; });
  }
  vault::WriteSet alone;
  records.put(alone, as_bytes("larger"), Bytes(2 * limits::kBatchBytes));
  store.log->commit_async(std::move(alone), {read_of("p1")},
                          [&](Result<Receipt> r) { kept += r.has_value() ? 1 : 0; });
  store.runner = std::jthread([&](std::stop_token const& token) { store.log->run(token); });
  store.stop();
  EXPECT_EQ(kept.load(), 5);
  EXPECT_EQ(store.disk->writes - before, 5) << "two halves and their entries do not fit together";
}

}  // namespace
}  // namespace tacenda::audit

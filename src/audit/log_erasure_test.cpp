// Commits that were prepared before the erasure of a patient they name and are stored after it.
#include <atomic>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::make_patient;
using test::read_of;
using test::Store;

/// Gives p1 and p2 keys; then the committer rests, until `store.open` starts one again.
void make_two_and_rest(Store& store) {
  ASSERT_TRUE(store.open());
  make_patient(store, "p1");
  make_patient(store, "p2");
  store.stop();
  store.log = Log::open(*store.vault, store.clock, store.random).value();
}

void run_committer(Store& store) {
  store.runner = std::jthread([&store](std::stop_token const& token) { store.log->run(token); });
  ASSERT_TRUE(commit(*store.log, read_of("nobody")));  // what was queued before is through
}

// Sealed under the keys of a patient who is erased before the commit: stored like this, nobody could ever
// read what was acknowledged.
TEST(AuditLogErasure, AWriteThatFoundTheKeysOfAPatientBeforeHisErasureIsRefusedAfterIt) {
  Store store;
  make_two_and_rest(store);
  std::optional<Result<Receipt>> result;
  vault::WriteSet set;
  set.read_at(store.vault->order().committed());
  auto const keys = store.vault->subject_for_write(vault::Subject::patient("p1"), set).value();
  Bytes sealed;
  ASSERT_TRUE(keys->seal_record({}, as_bytes("record"), sealed));
  auto const records = store.vault->view(vault::Keeper::kRecords);
  records.put(set, as_bytes("row"), std::move(sealed));
  store.log->commit_async(std::move(set), {read_of("p1")},
                          [&](Result<Receipt> got) { result = std::move(got); });
  ASSERT_TRUE(store.vault->shred(vault::Subject::patient("p1")));
  run_committer(store);
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value()) << "acknowledged, and never opens";
  EXPECT_EQ(result->error().kind(), ErrorKind::kConflict);
  EXPECT_FALSE(records.get(as_bytes("row")).value().has_value());
}

// A reader asks once and is not told to try again: the log sees to it that his entry can be read.
TEST(AuditLogErasure, AnEntrySealedBeforeTheErasureOfItsPatientAndCommittedAfterItCanBeRead) {
  Store store;
  make_two_and_rest(store);
  std::optional<Result<Receipt>> result;
  store.log->commit_async({}, {read_of("p1"), read_of("p2")},
                          [&](Result<Receipt> got) { result = std::move(got); });
  ASSERT_TRUE(store.vault->shred(vault::Subject::patient("p1")));
  run_committer(store);
  ASSERT_TRUE(result.has_value() && result->has_value());
  std::uint64_t const first = (*result)->first_sequence();
  for (std::uint64_t const sequence : {first, first + 1}) {
    auto const entry = store.log->entry(sequence).value();
    EXPECT_TRUE(entry.readable) << sequence;
    EXPECT_EQ(entry.event.patients, std::vector<std::string>{sequence == first ? "p1" : "p2"});
  }
  EXPECT_EQ(store.log->list({.patient = "p2"})->size(), 2U) << "creation and read";
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogErasure, ErasuresBesideReadsAndWritesFailNone) {
  Store store;
  ASSERT_TRUE(store.open());
  constexpr int kPatients = 12;
  for (int i = 0; i < kPatients; ++i) make_patient(store, "e" + std::to_string(i));
  make_patient(store, "p1");
  std::atomic<bool> done{false};
  std::atomic<int> failed{0};
  std::atomic<int> reads{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!done) {
        if (!commit(*store.log, read_of("p1"))) ++failed;
        ++reads;
      }
    });
  }
  for (int i = 0; i < kPatients; ++i) {
    EXPECT_TRUE(store.vault->shred(vault::Subject::patient("e" + std::to_string(i))));
  }
  done = true;
  callers.clear();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(reads.load(), 0);
  EXPECT_TRUE(store.log->verify({})->empty());
}

}  // namespace
}  // namespace tacenda::audit

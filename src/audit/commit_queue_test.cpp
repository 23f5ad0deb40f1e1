#include "audit/internal/commit_queue.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace tacenda::audit {
namespace {

TEST(CommitQueue, GivesTheOldestFirst) {
  CommitQueue queue;
  std::array<Pending, 3> pending;
  for (auto& one : pending) ASSERT_TRUE(queue.push(one));
  Pending* taken = queue.take();
  for (auto& one : pending) {
    ASSERT_EQ(taken, &one);
    taken = taken->next;
  }
  EXPECT_EQ(taken, nullptr);
  EXPECT_EQ(queue.take(), nullptr);
}

TEST(CommitQueue, RefusesPushesWhenClosedAndGivesWhatIsLeft) {
  CommitQueue queue;
  Pending early;
  Pending late;
  ASSERT_TRUE(queue.push(early));
  EXPECT_EQ(queue.close(), &early);
  EXPECT_FALSE(queue.push(late));
  EXPECT_EQ(queue.take(), nullptr);
  EXPECT_EQ(queue.close(), nullptr);
  queue.reopen();
  EXPECT_TRUE(queue.push(late));
  EXPECT_EQ(queue.take(), &late);
}

TEST(CommitQueue, RunsTheCallbackOfACallerThatDoesNotWait) {
  CommitQueue queue;
  std::uint64_t told = 0;
  auto pending = std::make_unique<Pending>();
  pending->done = [&told](Result<Committed> result) { told = result ? result->first_sequence : 0; };
  pending->committed.first_sequence = 17;
  ASSERT_TRUE(queue.push(*pending));
  ASSERT_EQ(queue.take(), pending.get());
  queue.finish(*pending.release());
  EXPECT_EQ(told, 17U);
}

TEST(CommitQueue, DoesNotSleepPastAnInterruptSinceItsTicket) {
  CommitQueue queue;
  auto const ticket = queue.ticket();
  queue.interrupt();
  queue.wait(ticket, std::nullopt);  // would never return
}

TEST(CommitQueue, WakesEveryCallerOfManyThreadsAndRounds) {
  constexpr int kThreads = 16;
  constexpr int kRounds = 2'000;
  CommitQueue queue;
  std::atomic<bool> stop{false};
  std::uint64_t finished = 0;
  std::thread committer([&] {
    while (!stop) {
      auto const ticket = queue.ticket();
      Pending* taken = queue.take();
      if (taken == nullptr) {
        queue.wait(ticket, std::nullopt);
        continue;
      }
      while (taken != nullptr) {
        Pending* const next = taken->next;
        taken->committed.first_sequence = finished++;
        queue.finish(*taken);
        taken = next;
      }
      queue.ring();
    }
  });
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < kThreads; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        Pending pending;
        ASSERT_TRUE(queue.push(pending));
        queue.await(pending);
        sum += pending.committed.first_sequence;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  stop = true;
  queue.interrupt();
  committer.join();
  constexpr std::uint64_t kAll = kThreads * kRounds;
  EXPECT_EQ(sum.load(), kAll * (kAll - 1) / 2) << "each caller was told a sequence of its own";
}

}  // namespace
}  // namespace tacenda::audit

#include "api/internal/job_queue.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::api {
namespace {

TEST(JobQueue, OfOneThreadRunsEveryJobInOrder) {
  std::vector<int> done;
  std::vector<std::thread::id> threads;
  JobQueue queue;
  std::thread::id runner_id;
  {
    std::jthread const runner([&](std::stop_token const& stop) { queue.run(stop); });
    runner_id = runner.get_id();
    for (int i = 0; i < 100; ++i) {
      queue.push([&, i] {
        done.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }  // what waits is run before the end
  ASSERT_EQ(done.size(), 100U);
  for (std::size_t i = 0; i < done.size(); ++i) {
    EXPECT_EQ(done[i], static_cast<int>(i));
    EXPECT_EQ(threads[i], runner_id);
  }
}

TEST(JobQueue, OfSeveralThreadsRunsEachJobOnceAndOneThatWaitsHoldsUpNoOther) {
  std::vector<std::atomic<int>> done(100);
  std::atomic<bool> is_released = false;
  JobQueue queue;
  {
    std::vector<std::jthread> runners;
    for (int i = 0; i < 3; ++i) runners.emplace_back([&](std::stop_token const& stop) { queue.run(stop); });
    queue.push([&] { is_released.wait(false); });
    for (auto& count : done) {
      queue.push([&] {
        ++count;
        count.notify_one();
      });
    }
    for (auto& count : done) count.wait(0);
    is_released = true;
    is_released.notify_one();
  }
  EXPECT_TRUE(std::ranges::all_of(done, [](auto const& count) { return count == 1; }));
}

TEST(JobQueue, AJobMayPushAnother) {
  bool done = false;
  JobQueue queue;
  {
    std::jthread const runner([&](std::stop_token const& stop) { queue.run(stop); });
    queue.push([&] { queue.push([&] { done = true; }); });
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tacenda::api

#include "api/internal/serial_executor.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::api {
namespace {

TEST(SerialExecutor, RunsEveryJobInOrderOnTheThreadThatRunsIt) {
  std::vector<int> done;
  std::vector<std::thread::id> threads;
  SerialExecutor executor;
  std::thread::id runner_id;
  {
    std::jthread const runner([&](std::stop_token const& stop) { executor.run(stop); });
    runner_id = runner.get_id();
    for (int i = 0; i < 100; ++i) {
      executor.push([&, i] {
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

TEST(SerialExecutor, AJobMayPushAnother) {
  bool done = false;
  SerialExecutor executor;
  {
    std::jthread const runner([&](std::stop_token const& stop) { executor.run(stop); });
    executor.push([&] { executor.push([&] { done = true; }); });
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace tacenda::api

#include "api/internal/even_times.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::api {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(EvenTimes, C10EveryDurationWithinASpanEndsAtTheSameMoment) {
  EvenTimes::Instant const begun{std::chrono::hours(7)};
  for (auto const took :
       {microseconds(0), microseconds(1), microseconds(900), microseconds(3'100), microseconds(19'999)})
    EXPECT_EQ(EvenTimes::next(begun, begun + took), begun + EvenTimes::kSpan) << took.count();
  for (auto const took : {microseconds(20'000), microseconds(20'001), microseconds(39'999)})
    EXPECT_EQ(EvenTimes::next(begun, begun + took), begun + 2 * EvenTimes::kSpan) << took.count();
}

TEST(EvenTimes, RunsJobsByTheirTimeAndNoneBefore) {
  std::vector<int> done;
  bool was_early = false;
  EvenTimes times;
  auto const now = std::chrono::steady_clock::now();
  auto const put = [&](milliseconds at, int number) {
    times.push(now + at, [&, at, number] {
      was_early = was_early || std::chrono::steady_clock::now() < now + at;
      done.push_back(number);
    });
  };
  put(milliseconds(30), 3);
  put(milliseconds(10), 1);
  std::jthread const runner([&](std::stop_token const& stop) { times.run(stop); });
  put(milliseconds(20), 2);
  Mutex mutex;
  ConditionVariable ended;
  bool has_ended = false;
  times.push(now + milliseconds(40), [&] {
    MutexLock const lock(mutex);
    has_ended = true;
    ended.notify_one();
  });
  MutexLock const lock(mutex);
  while (!has_ended) ended.wait(mutex);
  EXPECT_EQ(done, (std::vector{1, 2, 3}));
  EXPECT_FALSE(was_early);
}

TEST(EvenTimes, LeavesNothingBehindWhenItIsStopped) {
  int done = 0;
  EvenTimes times;
  {
    std::jthread const runner([&](std::stop_token const& stop) { times.run(stop); });
    for (int i = 0; i < 3; ++i)
      times.push(std::chrono::steady_clock::now() + std::chrono::hours(1), [&] { ++done; });
  }
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace tacenda::api

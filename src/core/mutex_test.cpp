#include "core/mutex.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace tacenda {
namespace {

struct Mailbox {
  Mutex mutex;
  ConditionVariable changed;
  bool full TACENDA_GUARDED_BY(mutex) = false;
};

TEST(ConditionVariable, WakesTheWaiterWhoStillHoldsTheLockAfterwards) {
  Mailbox box;
  std::jthread const writer([&box] {
    MutexLock const lock(box.mutex);
    box.full = true;
    box.changed.notify_one();
  });
  MutexLock const lock(box.mutex);
  while (!box.full) box.changed.wait(box.mutex);
  EXPECT_TRUE(box.full);
}

TEST(ConditionVariable, GivesUpAtTheMoment) {
  Mailbox box;
  MutexLock const lock(box.mutex);
  EXPECT_FALSE(box.changed.wait_until(box.mutex, std::chrono::steady_clock::now()));
}

}  // namespace
}  // namespace tacenda

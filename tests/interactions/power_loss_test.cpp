#include "interactions/power_loss.hpp"

#include <gtest/gtest.h>

#include "core/log.hpp"

namespace tacenda::operations::test {
namespace {

class PowerLoss : public testing::Test {
 protected:
  void SetUp() override { set_log_level(static_cast<LogLevel>(4)); }
  void TearDown() override { set_log_level(LogLevel::kInfo); }
};

TEST_F(PowerLoss, A15NoAcknowledgedTransactionIsLostHalvedOrWithoutItsAuditEntry) {
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    StorePowerLoss replay(seed);
    EXPECT_EQ(replay.run(2), "") << "seed " << seed;
    acknowledged += replay.acknowledged();
  }
  EXPECT_GT(acknowledged, 400U) << "the clients did write";
}

TEST_F(PowerLoss, AMissingFsyncOfTheLogIsFound) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 40 && !found; ++seed) {
    StorePowerLoss replay(seed);
    replay.ignore_sync(storage::FileGroup::kWriteAheadLog);
    found = !replay.run(2).empty();
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace tacenda::operations::test

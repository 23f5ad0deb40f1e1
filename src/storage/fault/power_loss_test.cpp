#include "storage/fault/power_loss.hpp"

#include <gtest/gtest.h>

#include "core/log.hpp"

namespace tacenda::storage {
namespace {

class PowerLoss : public testing::Test {
 protected:
  void SetUp() override { set_log_level(LogLevel::kError); }
};

TEST_F(PowerLoss, NeverLosesAnAcknowledgedBatchAndNeverKeepsHalfOfOne) {
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    PowerLossReplay replay(seed);
    ASSERT_EQ(replay.run(4), "") << "seed " << seed;
    acknowledged += replay.acknowledged();
  }
  EXPECT_GT(acknowledged, 5'000U);  // the replay did write
}

struct Mutation {
  char const* name;
  FileGroup group;
};

class MissingSync : public testing::TestWithParam<Mutation> {};

// Each group of fsyncs is left out in turn. If the replay still finds nothing, it would find nothing
// when someone deletes that fsync from the code either.
TEST_P(MissingSync, IsFoundByTheReplay) {
  set_log_level(static_cast<LogLevel>(4));  // the losses of this test are wanted: no line for each
  std::uint64_t found_at = 0;
  for (std::uint64_t seed = 1; seed <= 400 && found_at == 0; ++seed) {
    PowerLossReplay replay(seed);
    replay.ignore_sync(GetParam().group);
    if (!replay.run(4).empty()) found_at = seed;
  }
  set_log_level(LogLevel::kInfo);
  EXPECT_NE(found_at, 0U);
  RecordProperty("found_at_seed", static_cast<int>(found_at));
}

INSTANTIATE_TEST_SUITE_P(
    , MissingSync,
    testing::Values(Mutation{"WriteAheadLog", FileGroup::kWriteAheadLog},
                    Mutation{"Table", FileGroup::kTable}, Mutation{"Manifest", FileGroup::kManifest},
                    Mutation{"Current", FileGroup::kCurrent}, Mutation{"Identity", FileGroup::kIdentity},
                    Mutation{"Options", FileGroup::kOptions}, Mutation{"Registry", FileGroup::kRegistry},
                    Mutation{"Marks", FileGroup::kMarks}, Mutation{"Folder", FileGroup::kFolder},
                    Mutation{"FolderAfterCreate", FileGroup::kFolderAfterCreate},
                    Mutation{"FolderAfterRename", FileGroup::kFolderAfterRename}),
    [](auto const& tested) { return tested.param.name; });

}  // namespace
}  // namespace tacenda::storage

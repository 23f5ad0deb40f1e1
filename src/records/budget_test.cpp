#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "records/internal/documents.hpp"

namespace tacenda::records {
namespace {

TEST(Budget, EndsWithTheRowsThatMayBeRead) {
  Budget budget(10);
  EXPECT_TRUE(budget.spend(10).has_value());
  EXPECT_EQ(budget.spend(1).error().kind(), ErrorKind::kTooCostly);
}

TEST(Budget, AsksTheWatchAtTheFirstRowAndNotAtEachOne) {
  int asked = 0;
  Budget budget(1'000'000, [&]() -> Result<void> {
    ++asked;
    return {};
  });
  ASSERT_TRUE(budget.spend(1).has_value());
  EXPECT_EQ(asked, 1);
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(budget.spend(1).has_value());
  EXPECT_EQ(asked, 1);
}

TEST(Budget, EndsWhatIsUnderWayWhenTheTimeIsOver) {
  ManualClock clock(Time{});
  Deadline const deadline(clock, std::chrono::seconds(1));
  Budget budget(10'000'000, [&]() -> Result<void> {
    if (deadline.is_expired()) return fail(ErrorKind::kTooCostly, "over");
    return {};
  });
  Result<void> last;
  for (int i = 0; i < 100'000 && last.has_value(); ++i) {
    last = budget.spend(1);
    clock.advance(std::chrono::milliseconds(1));
  }
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().kind(), ErrorKind::kTooCostly);
  EXPECT_LT(budget.spent(), 10'000U);
}

}  // namespace
}  // namespace tacenda::records

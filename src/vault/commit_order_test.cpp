#include "vault/commit_order.hpp"

#include <gtest/gtest.h>

namespace tacenda::vault {
namespace {

WriteSet reader(std::uint64_t read_at, Guard guard) {
  WriteSet set;
  set.read_at(read_at);
  set.depends_on(guard);
  return set;
}

WriteSet writer(Guard guard) {
  WriteSet set;
  set.touches(guard);
  return set;
}

TEST(CommitOrder, AdmitsASetThatDependsOnNothing) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 5);
  EXPECT_TRUE(order.admits(WriteSet()));
}

TEST(CommitOrder, RefusesASetWhoseReadIsOlderThanATouchOfItsGuard) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 5);
  EXPECT_FALSE(order.admits(reader(4, Guard{1})));
  EXPECT_TRUE(order.admits(reader(5, Guard{1})));
}

TEST(CommitOrder, AdmitsASetWhoseGuardNobodyTouched) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 5);
  EXPECT_TRUE(order.admits(reader(0, Guard{2})));
}

TEST(CommitOrder, RefusesASetThatDependsWithoutSayingWhenItRead) {
  CommitOrder order;
  WriteSet set;
  set.depends_on(Guard{1});
  EXPECT_FALSE(order.admits(set));
}

TEST(CommitOrder, TellsTheNewestCommitThatAnnouncedAGuard) {
  CommitOrder order;
  EXPECT_EQ(order.announced(Guard{7}), 0U);
  WriteSet set;
  WriteSet other;
  other.announces(Guard{7});
  set.merge(std::move(other), 1);
  order.admit(set, 5);
  order.admit(writer(Guard{7}), 6);  // a touch is no announcement
  EXPECT_EQ(order.announced(Guard{7}), 5U);
  EXPECT_EQ(order.announced(Guard{8}), 0U);
}

TEST(CommitOrder, TheEarliestReadOfASetCounts) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 5);
  auto set = reader(7, Guard{1});
  set.read_at(3);
  EXPECT_FALSE(order.admits(set));
}

TEST(CommitOrder, AMergedSetKeepsDependenciesTouchesAndTheEarliestRead) {
  CommitOrder order;
  auto set = reader(9, Guard{1});
  auto other = reader(4, Guard{2});
  other.touches(Guard{3});
  set.merge(std::move(other), 1);
  EXPECT_EQ(set.read_sequence(), 4U);
  order.admit(writer(Guard{2}), 5);
  EXPECT_FALSE(order.admits(set));
  order.admit(set, 6);
  EXPECT_FALSE(order.admits(reader(5, Guard{3})));
}

TEST(CommitOrder, RefusesReadsOlderThanWhatItForgot) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 1);
  WriteSet many;
  for (std::uint64_t i = 0; i < CommitOrder::kRemembered; ++i) many.touches(Guard{i + 10});
  order.admit(many, 2);
  EXPECT_FALSE(order.admits(reader(0, Guard{1}))) << "the touch of guard 1 is forgotten, so nobody can tell";
  EXPECT_TRUE(order.admits(reader(1, Guard{1})));
  EXPECT_FALSE(order.admits(reader(1, Guard{10})));
}

TEST(CommitOrder, AGuardTouchedAgainIsNotForgottenWithItsFirstTouch) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 1);
  order.admit(writer(Guard{1}), 2);
  WriteSet many;
  for (std::uint64_t i = 0; i + 1 < CommitOrder::kRemembered; ++i) many.touches(Guard{i + 10});
  order.admit(many, 3);
  EXPECT_FALSE(order.admits(reader(1, Guard{1})));
  EXPECT_TRUE(order.admits(reader(2, Guard{1})));
}

TEST(CommitOrder, StartsAtTheSizeOfTheStoredLog) {
  CommitOrder order;
  order.admit(writer(Guard{1}), 5);
  order.start_at(40);
  EXPECT_EQ(order.committed(), 40U);
  EXPECT_TRUE(order.admits(reader(40, Guard{1})));
}

}  // namespace
}  // namespace tacenda::vault

// How long an application has what rests on a person's sign-in (K-05).
#include <gtest/gtest.h>

#include "authorization/people_testing.hpp"

namespace tacenda::authorization {
namespace {

using namespace std::chrono_literals;
using People = testing::PeopleTest;

TEST_F(People, OnlineAccessEndsWithTheDay) {
  auto const first = fetch(code({{"scope", "patient/*.rs online_access"}}));
  store.clock.advance(11h);
  auto const second = refresh(refresh_of(first));
  EXPECT_FALSE(second.refusal);
  store.clock.advance(1h);
  EXPECT_TRUE(refresh(refresh_of(second)).refusal);
}

TEST_F(People, K05OnlineAccessRestsOnTheSignInItCameOf) {
  auto const unused = code({{"scope", "patient/*.rs online_access"}});
  directory->hold_sessions_to({{"doctor", {.idle = 15min, .absolute = 60min}}});
  auto const first = fetch(unused);
  EXPECT_FALSE(first.refusal);
  store.clock.advance(50min);
  auto const second = refresh(refresh_of(first));
  ASSERT_FALSE(second.refusal);
  EXPECT_EQ(second.body.find("expires_in")->number_text(), "600") << "no longer than what it came of";
  store.clock.advance(10min);
  EXPECT_FALSE(is_known(access_of(second)));
  EXPECT_TRUE(refresh(refresh_of(second)).refusal);
}

}  // namespace
}  // namespace tacenda::authorization

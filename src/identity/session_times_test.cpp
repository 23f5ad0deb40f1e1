// How long sessions of a role last, whatever the configuration says (K-05).
#include "core/account_limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/own_account.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr SessionTimes kLongest{limits::kSessionIdleMax, limits::kSessionAbsoluteMax};
constexpr SessionTimes kStrict{limits::kAdministratorIdle, limits::kAdministratorAbsolute};

/// A server whose configuration goes to the bounds, and a policy whose administrators have less.
class Times : public testing::DirectoryTest {
 protected:
  Times() { reopen(); }
  void reopen() {
    directory.reset();
    auto opened = Directory::open(*store.vault, store.clock, store.random, testing::kCheap, kLongest);
    ASSERT_TRUE(opened.has_value());
    directory = std::move(*opened);
    directory->hold_sessions_to({{"administrator", kStrict}, {"doctor", kLongest}});
  }
  /// Uses a session every ten minutes for so long; false when it ended before.
  bool lasts(std::string_view token, minutes time) {
    for (minutes past{0}; past < time; past += minutes(10)) {
      store.clock.advance(minutes(10));
      if (!is_known(token)) return false;
    }
    return true;
  }
  Directory::Attempt step_up(std::string_view token, SecretBuffer const& secret) {
    store.clock.advance(seconds(30));
    auto const principal = directory->authenticate_token(token).value();
    auto attempt = OwnAccount(*directory).step_up(principal, {.totp = code_of(secret)}, testing::kHome);
    EXPECT_TRUE(attempt.has_value() && commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
};

TEST_F(Times, K05AnAdministratorIsAskedForBothFactorsAfter12Hours) {
  auto const secret = person("root", "administrator");
  auto const token = login("root", secret);
  EXPECT_TRUE(lasts(token, minutes(11 * 60 + 50)));
  store.clock.advance(minutes(10));
  EXPECT_FALSE(is_known(token)) << "despite activity";
}

TEST_F(Times, K05AnAdministratorIsAskedForBothFactorsAfter15MinutesWithoutARequest) {
  auto const secret = person("root", "administrator");
  auto const token = login("root", secret);
  store.clock.advance(minutes(15) - seconds(1));
  EXPECT_TRUE(is_known(token));
  store.clock.advance(minutes(15));
  EXPECT_FALSE(is_known(token));
}

TEST_F(Times, K05OthersHaveWhatTheConfigurationGives) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  store.clock.advance(minutes(59));
  EXPECT_TRUE(is_known(token));
  EXPECT_TRUE(lasts(token, hours(22)));
  store.clock.advance(minutes(61));
  EXPECT_FALSE(is_known(token)) << "24 hours";
}

TEST_F(Times, K05AStepUpMakesASessionNoLonger) {
  auto const secret = person("root", "administrator");
  auto const first = login("root", secret);
  EXPECT_TRUE(lasts(first, hours(11)));
  auto const stepped = step_up(first, secret);
  EXPECT_LE(stepped.expires, store.clock.now() + hours(1));
  EXPECT_TRUE(lasts(stepped.access_token, minutes(50)));
  store.clock.advance(minutes(10));
  EXPECT_FALSE(is_known(stepped.access_token));
}

TEST_F(Times, K05WhoBecomesAnAdministratorHasHisSessionAsOneFromItsBeginningOn) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  EXPECT_TRUE(lasts(token, hours(11)));
  auto const stepped = step_up(token, secret).access_token;  // the session goes on under another token
  auto promoted = directory->change_role("ada", "administrator");
  expect_committed(promoted);
  EXPECT_TRUE(lasts(stepped, minutes(50)));
  store.clock.advance(minutes(10));
  EXPECT_FALSE(is_known(stepped)) << "12 hours after both factors were shown";
}

TEST_F(Times, K05APolicyHoldsForSessionsThatAreOpen) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  store.clock.advance(minutes(20));
  directory->hold_sessions_to({{"doctor", kStrict}});
  EXPECT_FALSE(is_known(token));
}

TEST_F(Times, K05ARestartMakesASessionNoLonger) {
  auto const secret = person("root", "administrator");
  auto const token = login("root", secret);
  EXPECT_TRUE(lasts(token, hours(11)));
  auto const stepped = step_up(token, secret).access_token;
  directory.reset();
  ASSERT_TRUE(store.reopen());
  reopen();
  EXPECT_TRUE(is_known(stepped)) << "its owner was there a moment ago";
  EXPECT_TRUE(lasts(stepped, minutes(50)));
  store.clock.advance(minutes(10));
  EXPECT_FALSE(is_known(stepped));
}

TEST_F(Times, K05WhatAnApplicationIsToldOfAUserIsWhatHolds) {
  (void)person("root", "administrator");
  (void)person("ada");
  EXPECT_EQ(directory->session_times(*UserId::parse(directory->find_user("root")->id)).absolute, hours(12));
  EXPECT_EQ(directory->session_times(*UserId::parse(directory->find_user("ada")->id)).absolute, hours(24));
}

}  // namespace
}  // namespace tacenda::identity

#include "authorization/launch.hpp"

#include <gtest/gtest.h>

#include "authorization/people_testing.hpp"
#include "core/application_limits.hpp"

namespace tacenda::authorization {
namespace {

using testing::kRedirect;
using PeopleLaunch = testing::PeopleTest;

class LaunchesTest : public ::testing::Test {
 protected:
  static Launch launch(std::string user = "ada") {
    return {"app", std::move(user), "p1", {"e1", "reconcile", false}};
  }

  ManualClock clock{from_unix_ms(1'800'000'000'000)};
  Launches launches{clock};
  Digest const browser = browser_of("a cookie");
};

TEST_F(LaunchesTest, F17AHandleIsOfItsClientAndOfTheFirstBrowser) {
  ASSERT_TRUE(launches.add("handle", launch()).has_value());
  EXPECT_FALSE(launches.show("handle", "other", browser));
  EXPECT_FALSE(launches.show("handl", "app", browser));
  EXPECT_FALSE(launches.show("", "app", browser));
  auto const shown = launches.show("handle", "app", browser);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->user, "ada");
  EXPECT_EQ(shown->patient, "p1");
  EXPECT_EQ(shown->context, launch().context);
  EXPECT_FALSE(launches.show("handle", "app", browser_of("another cookie")));
  EXPECT_TRUE(launches.show("handle", "app", browser));  // its page was loaded again
}

TEST_F(LaunchesTest, F17AHandleIsGoodForOneDecision) {
  ASSERT_TRUE(launches.add("handle", launch()).has_value());
  auto const name = launches.show("handle", "app", browser)->name;
  EXPECT_TRUE(launches.take(name));
  EXPECT_FALSE(launches.take(name));
  EXPECT_FALSE(launches.show("handle", "app", browser));
}

TEST_F(LaunchesTest, F17AHandleEndsAndOneThatWasShownWaitsForTheDecision) {
  ASSERT_TRUE(launches.add("handle", launch()).has_value());
  auto const name = launches.show("handle", "app", browser)->name;
  clock.advance(limits::kLaunchLife);
  EXPECT_FALSE(launches.show("handle", "app", browser));
  EXPECT_TRUE(launches.take(name));  // somebody was still deciding
  ASSERT_TRUE(launches.add("late", launch()).has_value());
  auto const late = launches.show("late", "app", browser)->name;
  clock.advance(limits::kAuthorizationTime);
  EXPECT_FALSE(launches.show("late", "app", browser));
  ASSERT_TRUE(launches.add("next", launch()).has_value());
  ASSERT_TRUE(launches.show("next", "app", browser));
  EXPECT_FALSE(launches.take(late));
}

TEST_F(LaunchesTest, OneUserFillsNotThePlacesOfOthers) {
  for (std::size_t i = 0; i < limits::kLaunchesPerUser; ++i)
    ASSERT_TRUE(launches.add(std::to_string(i), launch()).has_value());
  EXPECT_EQ(launches.add("more", launch()).error().kind(), ErrorKind::kThrottled);
  EXPECT_TRUE(launches.add("of another", launch("bob")).has_value());
  clock.advance(limits::kLaunchLife);
  EXPECT_TRUE(launches.add("later", launch()).has_value());
}

TEST_F(PeopleLaunch, F17ALaunchIsOfWhoStartedItAndOfItsPatient) {
  auto added = server->clients().add(
      {"ehr-app", "", Client::Kind::kPublic, "", "launch patient/*.rs user/*.rs", {}, {kRedirect}});
  expect_committed(added);
  auto const start = [&](std::string user) {
    return server->start({"ehr-app", std::move(user), "p1", {"e1", "check", false}}).value();
  };
  auto const begin = [&](std::string const& handle) {
    return server->begin(
        asking({{"client_id", "ehr-app"}, {"scope", "launch patient/*.rs"}, {"launch", handle}}), browser_);
  };
  std::string const ada(principal().id().view());
  auto const request = *begin(start(ada)).request;
  // What the pages carry says the same behind the seal.
  auto const opened = server->open(server->seal(request).value(), browser_).value().request;
  EXPECT_EQ(opened.launch->user, ada);
  EXPECT_EQ(opened.launch->context, (LaunchContext{"e1", "check", false}));
  EXPECT_FALSE(server->allow(opened, principal(), {opened.scopes, "p2"}).has_value());
  EXPECT_FALSE(server->allow(opened, principal(), {opened.scopes, std::nullopt}).has_value());
  EXPECT_TRUE(server->allow(opened, principal(), {opened.scopes, "p1"}).has_value());
  EXPECT_FALSE(server->allow(opened, principal(), {opened.scopes, "p1"}).has_value());
  auto const of_another = *begin(start("another")).request;
  EXPECT_FALSE(server->allow(of_another, principal(), {of_another.scopes, "p1"}).has_value());
  EXPECT_FALSE(begin("no handle").request);
  EXPECT_FALSE(server->start({"app", ada, "p1", {}}).has_value());  // has not the scope launch
  EXPECT_FALSE(server->start({"nobody", ada, "p1", {}}).has_value());
}

TEST(Intent, IsAWord) {
  EXPECT_TRUE(is_intent("reconcile-medications"));
  EXPECT_TRUE(is_intent("urn:x/1_2.3"));
  for (auto const* text : {"", "two words", "\"", "a\n", "ä"}) EXPECT_FALSE(is_intent(text)) << text;
  EXPECT_FALSE(is_intent(std::string(limits::kIntentBytes + 1, 'a')));
}

}  // namespace
}  // namespace tacenda::authorization

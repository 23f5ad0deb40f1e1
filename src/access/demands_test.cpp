// What a role demands: second factors (N-02), networks (N-05), awareness (M17).
#include <gtest/gtest.h>

#include "access/gate.hpp"
#include "core/limits.hpp"
#include "identity/awareness.hpp"
#include "identity/directory_testing.hpp"
#include "identity/own_account.hpp"

namespace tacenda::access {
namespace {

class Demands : public identity::testing::DirectoryTest {
 protected:
  static Gate gate_of(std::string const& demands) {
    auto policy = Policy::parse("version = 1\n[roles.doctor]\npatient-records = [\"read\"]\n" + demands, 1);
    EXPECT_TRUE(policy.has_value()) << (policy ? "" : policy.error().message());
    return Gate(*policy);
  }
  static bool is_policy(std::string const& demands) {
    return Policy::parse("version = 1\n[roles.doctor]\n" + demands, 1).has_value();
  }
  identity::Principal doctor() {
    if (secret_.empty()) secret_ = person("ada");
    return directory->authenticate_token(login("ada", secret_)).value();
  }
  void acknowledge(identity::Principal const& principal, std::string const& topic, std::uint32_t version) {
    auto read = identity::OwnAccount(*directory).acknowledge(principal, {topic, version, store.clock.now()});
    expect_committed(read);
  }
  SecretBuffer secret_;
};

TEST_F(Demands, ARoleWithoutAnyIsMetByEverySignIn) {
  auto const gate = gate_of("");
  auto const ada = doctor();
  EXPECT_TRUE(gate.is_complete(ada, store.clock.now()).has_value());
  EXPECT_TRUE(gate.admits(ada, "203.0.113.9").has_value());
}

TEST_F(Demands, N02ARoleTakesTheSecondFactorsOfItsListAlone) {
  auto const ada = doctor();
  EXPECT_TRUE(gate_of("factors = [\"totp\", \"passkey\"]").is_complete(ada, store.clock.now()).has_value());
  auto const refused = gate_of("factors = [\"passkey\"]").is_complete(ada, store.clock.now());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kForbidden);
  EXPECT_FALSE(is_policy("factors = []")) << "nobody could use the role";
  EXPECT_FALSE(is_policy("factors = [\"sms\"]"));
  EXPECT_FALSE(is_policy("factors = \"totp\""));
}

TEST_F(Demands, N05ARoleAndAnAccountAreUsedFromTheirNetworksAlone) {
  auto const gate = gate_of("networks = [\"10.0.0.0/8\", \"fd00::/8\"]");
  auto const ada = doctor();
  EXPECT_TRUE(gate.admits(ada, "10.1.2.3").has_value());
  EXPECT_TRUE(gate.admits(ada, "fd00::7").has_value());
  EXPECT_FALSE(gate.admits(ada, "192.0.2.1").has_value());
  EXPECT_TRUE(gate.admits(ada, "").has_value()) << "the administration socket";
  auto restricted = directory->restrict_networks("ada", std::vector<std::string>{"10.9.0.0/16"});
  expect_committed(restricted);
  auto const again = doctor();
  EXPECT_TRUE(gate.admits(again, "10.9.0.1").has_value());
  EXPECT_FALSE(gate.admits(again, "10.1.2.3").has_value()) << "both lists hold";
  auto nowhere = directory->restrict_networks("ada", std::vector<std::string>{});
  expect_committed(nowhere);
  EXPECT_FALSE(gate.admits(doctor(), "10.9.0.1").has_value());
  EXPECT_FALSE(is_policy("networks = [\"10.0.0.1/8\"]"));
  EXPECT_FALSE(is_policy("networks = [7]"));
}

TEST_F(Demands, ATopicIsAskedForAfterItsGraceAndAgainAfterAYear) {
  auto const gate = gate_of("awareness = [\"phishing\"]\nawareness-grace-days = 7");
  auto const asked = [&] { return !gate.is_complete(doctor(), store.clock.now()).has_value(); };
  EXPECT_FALSE(asked());
  store.clock.advance(std::chrono::days(7));
  EXPECT_TRUE(asked());
  acknowledge(doctor(), "strong-passwords", 1);
  EXPECT_TRUE(asked()) << "another topic";
  acknowledge(doctor(), "phishing", identity::find_awareness_topic("phishing")->version);
  EXPECT_FALSE(asked());
  store.clock.advance(std::chrono::days(371));
  EXPECT_FALSE(asked());
  store.clock.advance(std::chrono::days(1));
  EXPECT_TRUE(asked());
}

TEST_F(Demands, AnEarlierTextCountsForNothing) {
  auto const gate = gate_of("awareness = [\"phishing\"]\nawareness-grace-days = 0");
  acknowledge(doctor(), "phishing", 0);
  EXPECT_FALSE(gate.is_complete(doctor(), store.clock.now()).has_value());
  EXPECT_FALSE(is_policy("awareness = [\"juggling\"]"));
  EXPECT_FALSE(is_policy("awareness-grace-days = 366"));
  EXPECT_FALSE(is_policy("awareness-grace-days = -1"));
}

TEST_F(Demands, K05WhoAdministersHasTheTimesOfAal3WhateverThePolicySays) {
  auto const times = [](std::string const& rights) {
    auto const policy = Policy::parse("version = 1\n[roles.a]\n" + rights, 1);
    EXPECT_TRUE(policy.has_value()) << rights;
    return policy ? (*policy)->session_times().at("a") : identity::SessionTimes();
  };
  using std::chrono::minutes;
  EXPECT_EQ(times("patient-records = [\"read\"]").absolute, limits::kSessionAbsoluteMax);
  EXPECT_EQ(times("patient-records = [\"read\"]").idle, limits::kSessionIdleMax);
  for (auto const* right : {"manage-users", "issue-tokens", "read-audit", "verify", "seal", "read-status",
                            "manage-policy", "manage-keys", "review-access", "erase", "legal-hold"}) {
    auto const administers = "admin = [\"" + std::string(right) + "\"]\n";
    EXPECT_EQ(times(administers).absolute, minutes(720)) << right;
    EXPECT_EQ(times(administers).idle, minutes(15)) << right;
    EXPECT_EQ(times(administers + "session-minutes = 60\nsession-idle-minutes = 5").absolute, minutes(60));
    EXPECT_EQ(times(administers + "session-minutes = 60\nsession-idle-minutes = 5").idle, minutes(5));
    EXPECT_FALSE(is_policy(administers + "session-minutes = 721"));
    EXPECT_FALSE(is_policy("session-idle-minutes = 16\n" + administers));
  }
  EXPECT_EQ(times("session-minutes = 1440\nsession-idle-minutes = 60").absolute, minutes(1440));
  for (auto const* wrong : {"session-minutes = 1441", "session-minutes = 0", "session-minutes = \"60\"",
                            "session-idle-minutes = 61", "session-idle-minutes = -1"})
    EXPECT_FALSE(is_policy(wrong)) << wrong;
}

TEST_F(Demands, K05EveryPolicyThatShipsHasItsAdministratorsTimes) {
  for (auto const* name : {"separated", "classic", "hospital"}) {
    auto const policy = Policy::shipped(name).value();
    for (auto const& role : policy->roles()) {
      bool const administers = policy->role(role)->admin_actions != 0;
      EXPECT_EQ(policy->session_times().at(role).absolute <= std::chrono::hours(12), administers) << role;
    }
  }
}

}  // namespace
}  // namespace tacenda::access

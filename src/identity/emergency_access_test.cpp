// Emergency accounts and the emergency mode in which alone they are signed in to (S-03).
#include "identity/emergency_access.hpp"

#include <algorithm>

#include "core/account_limits.hpp"
#include "core/limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Emergency : public testing::DirectoryTest {
 protected:
  struct Envelope {
    std::string passphrase;
    std::vector<std::string> codes;
  };
  Envelope sealed(std::string const& name) {
    auto made = EmergencyAccess(*directory).add({name, "doctor", false, std::nullopt});
    expect_committed(made);
    return {made->passphrase, made->codes};
  }
  Envelope reseal(std::string const& name) {
    auto made = EmergencyAccess(*directory).reseal(name);
    expect_committed(made);
    return {made->passphrase, made->codes};
  }
  EmergencyMode turn_on(hours lasts = limits::kEmergencyMode) {
    auto turned = EmergencyAccess(*directory).begin({"the provider is down", lasts, "admin"});
    expect_committed(turned);
    return turned->mode;
  }
  void turn_off() {
    auto turned = EmergencyAccess(*directory).end();
    expect_committed(turned);
  }
  Directory::Attempt open(std::string_view name, Envelope& envelope,
                          std::string_view address = testing::kHome) {
    auto const code = envelope.codes.back();
    envelope.codes.pop_back();
    return attempt(name, envelope.passphrase, code, address);
  }
  Directory::Attempt attempt(std::string_view name, std::string_view passphrase, std::string_view code,
                             std::string_view address = testing::kHome) {
    auto attempt =
        directory->login(name, SecretBuffer(as_bytes(passphrase)), {.recovery_code = code}, address);
    EXPECT_TRUE(attempt.has_value() && commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
};

TEST_F(Emergency, S03ItsCredentialIsGoodWhileEmergencyModeIsOnAndAtNoOtherTime) {
  auto envelope = sealed("er");
  auto const refused = open("er", envelope);
  EXPECT_FALSE(refused.principal);
  EXPECT_FALSE(refused.throttled);
  (void)turn_on();
  auto const attempt = open("er", envelope);
  ASSERT_TRUE(attempt.principal);
  EXPECT_TRUE(attempt.principal->is_emergency());
  EXPECT_EQ(attempt.principal->method(), Method::kSealed);
  EXPECT_EQ(attempt.emergency->reason, "the provider is down");
  EXPECT_TRUE(is_known(attempt.access_token));
  turn_off();
  EXPECT_FALSE(is_known(attempt.access_token));
  EXPECT_FALSE(open("er", envelope).principal);
}

TEST_F(Emergency, S03BothPartsAreNeededAndACodeIsGoodOnce) {
  auto envelope = sealed("er");
  auto other = sealed("icu");
  (void)turn_on();
  auto const code = envelope.codes.front();
  EXPECT_FALSE(attempt("er", envelope.passphrase, "").principal);
  EXPECT_FALSE(attempt("er", "", code).principal);
  EXPECT_FALSE(attempt("er", other.passphrase, code).principal);
  EXPECT_FALSE(attempt("er", envelope.passphrase, other.codes.front()).principal);
  EXPECT_TRUE(attempt("er", envelope.passphrase, code).principal);
  EXPECT_FALSE(attempt("er", envelope.passphrase, code).principal);
}

TEST_F(Emergency, ItIsTypedAsItIsReadFromPaper) {
  auto envelope = sealed("er");
  EXPECT_EQ(envelope.passphrase.size(), 39U) << "160 bits";
  (void)turn_on();
  auto lower = envelope.passphrase;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  std::erase(lower, '-');
  EXPECT_TRUE(attempt("er", lower, envelope.codes[0]).principal);
  std::ranges::replace(envelope.passphrase, '-', ' ');
  EXPECT_TRUE(attempt("er", envelope.passphrase, envelope.codes[1]).principal);
}

TEST_F(Emergency, S03WhatWasOpenedIsGoodInThatEmergencyAlone) {
  auto used = sealed("er");
  auto unused = sealed("icu");
  auto const first = turn_on();
  EXPECT_TRUE(open("er", used).principal);
  EXPECT_TRUE(open("er", used).principal) << "several times in one emergency";
  EXPECT_EQ(turn_on(hours(48)).id, first.id) << "prolonged, it is the same";
  EXPECT_TRUE(open("er", used).principal);
  turn_off();
  EXPECT_NE(turn_on().id, first.id);
  EXPECT_FALSE(open("er", used).principal);
  EXPECT_TRUE(open("icu", unused).principal);
  auto anew = reseal("er");
  EXPECT_FALSE(open("er", used).principal) << "the old envelope";
  EXPECT_TRUE(open("er", anew).principal);
}

TEST_F(Emergency, S03ResealingEndsWhatIsOpen) {
  auto envelope = sealed("er");
  (void)turn_on();
  auto const token = open("er", envelope).access_token;
  (void)reseal("er");
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(open("er", envelope).principal);
}

TEST_F(Emergency, S03ItIsLimitedInTimeAndLastsThroughARestart) {
  auto envelope = sealed("er");
  (void)turn_on(hours(2));
  auto const token = open("er", envelope).access_token;
  restart();
  EXPECT_TRUE(is_known(token));
  EXPECT_TRUE(EmergencyAccess(*directory).mode());
  EXPECT_TRUE(open("er", envelope).principal);
  store.clock.advance(hours(2) - minutes(5));
  auto const late = open("er", envelope).access_token;
  EXPECT_TRUE(is_known(late));
  store.clock.advance(minutes(5));
  EXPECT_FALSE(is_known(late));
  EXPECT_FALSE(EmergencyAccess(*directory).mode());
  EXPECT_TRUE(EmergencyAccess(*directory).is_to_close());
  EXPECT_FALSE(open("er", envelope).principal);
  EXPECT_EQ(EmergencyAccess(*directory).begin({"again", hours(1), ""}).error().kind(), ErrorKind::kConflict);
  turn_off();
  EXPECT_FALSE(EmergencyAccess(*directory).is_to_close());
  restart();
  EXPECT_FALSE(EmergencyAccess(*directory).is_to_close());
  EXPECT_FALSE(is_known(late));
}

TEST_F(Emergency, S03EverySessionEndsInTheCommitThatEndsTheMode) {
  auto envelope = sealed("er");
  (void)person("ada");
  (void)turn_on();
  auto const token = open("er", envelope).access_token;
  auto const rows = token_rows();
  {
    auto turned = EmergencyAccess(*directory).end();
    ASSERT_TRUE(turned.has_value());
    EXPECT_FALSE(is_known(token)) << "at once";
    ASSERT_TRUE(store.commit(turned->pending.set().value()));
  }
  EXPECT_EQ(token_rows(), rows - 1);
  // The process ends here, before it knows that this was committed.
  restart();
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(EmergencyAccess(*directory).mode());
}

TEST_F(Emergency, S03AnEndThatIsNotCommittedHoldsAndCanBeTriedAgain) {
  auto envelope = sealed("er");
  (void)turn_on();
  auto const token = open("er", envelope).access_token;
  {
    auto dropped = EmergencyAccess(*directory).end();
  }
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(open("er", envelope).principal);
  EXPECT_TRUE(EmergencyAccess(*directory).is_to_close());
  turn_off();
  EXPECT_FALSE(EmergencyAccess(*directory).is_to_close());
}

TEST_F(Emergency, S03ABeginningThatIsNotCommittedOpensNothing) {
  auto envelope = sealed("er");
  auto turned = EmergencyAccess(*directory).begin({"why", hours(1), ""});
  ASSERT_TRUE(turned.has_value());
  EXPECT_FALSE(open("er", envelope).principal);
  ASSERT_TRUE(store.commit(turned->pending.set().value()));
  EXPECT_FALSE(open("er", envelope).principal);
  turned->pending.committed();
  EXPECT_TRUE(open("er", envelope).principal);
}

TEST_F(Emergency, S03ASignInThatTheEndOvertakesIsNotCommitted) {
  auto envelope = sealed("er");
  (void)turn_on();
  auto under_way = directory->login("er", SecretBuffer(as_bytes(envelope.passphrase)),
                                    {.recovery_code = envelope.codes[0]}, testing::kHome);
  ASSERT_TRUE(under_way && under_way->principal);
  auto set = under_way->pending.set();
  ASSERT_TRUE(set.has_value());
  turn_off();
  EXPECT_EQ(store.commit(std::move(*set)).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(under_way->pending.set().error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_FALSE(is_known(under_way->access_token));
}

TEST_F(Emergency, NobodyLocksItBeforehand) {
  auto envelope = sealed("er");
  for (std::uint32_t i = 0; i <= limits::kFailuresUntilHardLock; ++i)
    (void)attempt("er", "a guess", "AAAA-BBBB-CCCC-DDDD", "198.51." + std::to_string(i) + ".1");
  (void)turn_on();
  EXPECT_TRUE(open("er", envelope).principal);
}

TEST_F(Emergency, WhoGuessesWhileItIsOnIsStoppedAndAnOrderForgivesIt) {
  auto envelope = sealed("er");
  (void)turn_on();
  for (std::uint32_t i = 0; i < limits::kFailuresUntilLock; ++i)
    (void)attempt("er", "a guess", "AAAA-BBBB-CCCC-DDDD", testing::kAway);
  EXPECT_FALSE(attempt("er", envelope.passphrase, envelope.codes[0], testing::kAway).principal)
      << "that address";
  for (std::uint32_t i = 0; i < limits::kFailuresUntilHardLock; ++i)
    (void)attempt("er", "a guess", "AAAA-BBBB-CCCC-DDDD", "198.51." + std::to_string(i) + ".1");
  EXPECT_FALSE(open("er", envelope).principal) << "stopped everywhere";
  (void)turn_on();
  EXPECT_TRUE(open("er", envelope).principal);
}

TEST_F(Emergency, TheLogTellsWhyAndCallersAreNotTold) {
  auto envelope = sealed("er");
  auto const refused = open("er", envelope);
  EXPECT_TRUE(refused.reason.view().contains("emergency"));
  EXPECT_FALSE(refused.locked_now);
}

TEST_F(Emergency, NoOtherWayIntoItIsMade) {
  auto envelope = sealed("er");
  EXPECT_EQ(directory->renew_enrolment("er").error().kind(), ErrorKind::kForbidden);
  Provisioning provisioning(*directory);
  EXPECT_EQ(provisioning.link("er", "7f3a").error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(provisioning.link_provider("er", ProviderLink{"https://login.example.org", "s"}).error().kind(),
            ErrorKind::kForbidden);
  EXPECT_EQ(EmergencyAccess(*directory).reseal("nobody").error().kind(), ErrorKind::kNotFound);
  (void)person("ada");
  EXPECT_EQ(EmergencyAccess(*directory).reseal("ada").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(EmergencyAccess(*directory).add({"svc", "loader", true, std::nullopt}).error().kind(),
            ErrorKind::kInvalid);
  auto disabled = directory->disable_user("er");
  expect_committed(disabled);
  (void)turn_on();
  EXPECT_FALSE(open("er", envelope).principal);
  EXPECT_EQ(EmergencyAccess(*directory).reseal("er").error().kind(), ErrorKind::kForbidden);
}

TEST_F(Emergency, AnAccountThatWasNotCommittedIsNotThere) {
  {
    auto dropped = EmergencyAccess(*directory).add({"er", "doctor", false, std::nullopt});
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_FALSE(directory->find_user("er"));
  auto envelope = sealed("er");
  auto const kept = directory->find_user("er");
  {
    auto dropped = EmergencyAccess(*directory).reseal("er");
  }
  (void)turn_on();
  EXPECT_TRUE(open("er", envelope).principal) << "the credential of before";
}

TEST_F(Emergency, OrdersHaveAReasonAndAnEnd) {
  EmergencyAccess access(*directory);
  EXPECT_EQ(access.begin({" ", hours(1), ""}).error().kind(), ErrorKind::kUnprocessable);
  EXPECT_EQ(access.begin({std::string(limits::kReasonBytes + 1, 'x'), hours(1), ""}).error().kind(),
            ErrorKind::kUnprocessable);
  EXPECT_EQ(access.begin({"why", hours(73), ""}).error().kind(), ErrorKind::kUnprocessable);
  EXPECT_EQ(access.begin({"why", seconds(0), ""}).error().kind(), ErrorKind::kUnprocessable);
  EXPECT_EQ(access.end().error().kind(), ErrorKind::kNotFound);
  auto const before = turn_on(hours(48));
  EXPECT_EQ(turn_on(hours(1)).until, before.until) << "an order makes it no shorter";
}

}  // namespace
}  // namespace tacenda::identity

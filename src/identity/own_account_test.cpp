// What people do with their own account: K-03, K-04, K-06, M17.
#include "identity/own_account.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/password_rules.hpp"

namespace tacenda::identity {
namespace {

using testing::kAway;
using testing::kHome;
using testing::kPassword;

constexpr char kNext[] = "an orchard of slow umbrellas";

class Own : public testing::DirectoryTest {
 protected:
  Principal principal_of(std::string_view token) { return directory->authenticate_token(token).value(); }
  OwnAccount own() { return OwnAccount(*directory); }
  Directory::Attempt change(std::string_view token, std::string_view password, std::string const& totp,
                            char const* chosen = kNext, char const* address = kHome) {
    auto attempt = own().change_password(
        principal_of(token),
        {SecretBuffer(as_bytes(password)), {.totp = totp}, SecretBuffer(as_bytes(chosen)), address});
    EXPECT_TRUE(attempt.has_value()) << (attempt ? "" : attempt.error().message());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
  std::vector<std::string> recovery_codes(std::string_view token) {
    auto made = own().make_recovery_codes(principal_of(token));
    expect_committed(made);
    return made->codes;
  }
  Directory::Attempt recover(std::string_view code, char const* address = kHome) {
    auto attempt =
        directory->login("ada", SecretBuffer(as_bytes(kPassword)), {.recovery_code = code}, address);
    EXPECT_TRUE(attempt.has_value());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
};

TEST_F(Own, AChangedPasswordEndsEverySessionAndGivesANewOne) {
  auto const secret = person("ada");
  auto const other = login("ada", secret);
  auto const token = login("ada", secret);
  store.clock.advance(std::chrono::seconds(30));
  auto const changed = change(token, kPassword, code_of(secret));
  ASSERT_TRUE(changed.principal.has_value()) << changed.reason.view();
  EXPECT_FALSE(is_known(other));
  EXPECT_FALSE(is_known(token));
  EXPECT_TRUE(is_known(changed.access_token));
  EXPECT_EQ(token_rows(), 1U);
  restart();
  EXPECT_TRUE(is_known(changed.access_token));
  EXPECT_FALSE(is_known(other));
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret)).principal.has_value());
  EXPECT_TRUE(try_login("ada", kNext, code_of(secret), kAway).principal.has_value());
}

TEST_F(Own, AnotherPasswordNeedsThePresentOneAndAFreshCode) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const used = code_of(secret);
  EXPECT_EQ(change(token, kPassword, used).reason.view(), "wrong second factor");
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_EQ(change(token, "wrong password!", code_of(secret)).reason.view(), "wrong password");
  EXPECT_EQ(change(token, kPassword, "").reason.view(), "wrong second factor");
  EXPECT_TRUE(is_known(token));
  EXPECT_TRUE(change(token, kPassword, code_of(secret)).principal.has_value());
}

TEST_F(Own, GuessingBehindASessionEndsIt) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  for (int i = 1; i <= 4; ++i) EXPECT_FALSE(change(token, "wrong password!", "0").locked_now) << i;
  auto step = own().step_up(principal_of(token), {.totp = "000000"}, kAway);
  expect_committed(step);
  EXPECT_TRUE(step->locked_now) << "the fifth, whatever was guessed at and from wherever";
  EXPECT_FALSE(is_known(token));
  restart();
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(login("ada", secret).empty()) << "and nobody is locked out by it";
}

TEST_F(Own, StrangersWhoGuessAtTheNameDoNotStandInTheWayOfWhoIsSignedIn) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  for (std::uint32_t i = 0; i < limits::kFailuresUntilHardLock; ++i)
    (void)try_login("ada", "wrong password!", "0", "203.0.113." + std::to_string(i));
  for (int i = 0; i < 60; ++i) (void)try_login("ada", "wrong password!", "0", kHome);
  store.clock.advance(std::chrono::seconds(30));
  auto stepped = own().step_up(principal_of(token), {.totp = code_of(secret)}, kHome);
  expect_committed(stepped);
  ASSERT_TRUE(stepped->principal.has_value()) << stepped->reason.view();
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_TRUE(change(stepped->access_token, kPassword, code_of(secret)).principal.has_value());
}

TEST_F(Own, ARefusedChoiceUsesNothingUp) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  store.clock.advance(std::chrono::seconds(30));
  auto const refused = own().change_password(principal_of(token), {SecretBuffer(as_bytes(kPassword)),
                                                                   {.totp = code_of(secret)},
                                                                   SecretBuffer(as_bytes("Password1")),
                                                                   kHome});
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnprocessable);
  EXPECT_TRUE(change(token, kPassword, code_of(secret)).principal.has_value());
}

TEST_F(Own, APasswordWhoseCommitFailsIsNotChanged) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  store.clock.advance(std::chrono::seconds(30));
  {
    auto const dropped = own().change_password(
        principal_of(token),
        {SecretBuffer(as_bytes(kPassword)), {.totp = code_of(secret)}, SecretBuffer(as_bytes(kNext)), kHome});
    ASSERT_TRUE(dropped && dropped->principal);
  }
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_FALSE(try_login("ada", kNext, code_of(secret)).principal.has_value());
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret)).principal.has_value());
}

TEST_F(Own, EnrolmentGivesTenRecoveryCodesOfEightyBitsEachGoodOnce) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  auto step = directory->enrol(added->enrolment_code, SecretBuffer(as_bytes(kPassword)), kHome);
  expect_committed(step);
  auto done =
      directory->confirm_enrolment(added->enrolment_code, code_of(secret_of(step->otpauth_uri)), kHome);
  expect_committed(done);
  std::set<std::string> const codes(done->recovery_codes.begin(), done->recovery_codes.end());
  ASSERT_EQ(codes.size(), 10U);
  for (auto const& code : codes) EXPECT_EQ(code.size(), 19U) << "16 of base32 in groups of 4";
  auto const first = recover(*codes.begin());
  ASSERT_TRUE(first.principal.has_value());
  EXPECT_EQ(first.principal->method(), Method::kRecoveryCode);
  EXPECT_FALSE(recover(*codes.begin()).principal.has_value());
  restart();
  EXPECT_FALSE(recover(*codes.begin(), kAway).principal.has_value()) << "after a restart too";
  EXPECT_EQ(directory->authenticate_token(first.access_token)->method(), Method::kRecoveryCode);
  EXPECT_TRUE(recover(*codes.rbegin()).principal.has_value());
  EXPECT_EQ(own().view(principal_of(first.access_token))->recovery_codes, 8U);
}

TEST_F(Own, ARecoveryCodeIsTakenAsItIsTypedAndWithThePasswordOnly) {
  auto const secret = person("ada");
  auto const codes = recovery_codes(login("ada", secret));
  std::string typed;
  for (char const c : codes[3]) {
    if (c != '-') typed.push_back(static_cast<char>(std::tolower(c)));
  }
  auto const attempt =
      directory->login("ada", SecretBuffer(as_bytes("wrong password!")), {.recovery_code = typed}, kHome);
  EXPECT_FALSE(attempt->principal.has_value());
  EXPECT_TRUE(recover(typed).principal.has_value()) << "and it was not used up by a wrong password";
  EXPECT_FALSE(recover(std::string(5'000, 'A')).principal.has_value());
}

TEST_F(Own, ASignInWithARecoveryCodeIsToldAtTheNextOne) {
  auto const secret = person("ada");
  auto const codes = recovery_codes(login("ada", secret));
  EXPECT_TRUE(recover(codes[0]).principal.has_value());
  store.clock.advance(std::chrono::seconds(30));
  auto const next = try_login("ada", kPassword, code_of(secret));
  ASSERT_FALSE(next.notices.empty());
  EXPECT_EQ(next.notices.back().kind, Notice::Kind::kRecoveryCodeUsed);
}

TEST_F(Own, RecoveryCodesAreMadeAnewWithAFreshSecondFactorAlone) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const old = recovery_codes(token);
  store.clock.advance(limits::kStepUpAge + std::chrono::seconds(1));
  EXPECT_EQ(own().make_recovery_codes(principal_of(token)).error().kind(), ErrorKind::kUnauthenticated);
  auto const again = recovery_codes(login("ada", secret));
  EXPECT_FALSE(recover(old[0]).principal.has_value()) << "the old ones are gone";
  EXPECT_TRUE(recover(again[0]).principal.has_value());
}

TEST_F(Own, AStepUpMakesTheSecondFactorFreshUnderANewToken) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const before = directory->find_user("ada")->live_tokens;
  store.clock.advance(std::chrono::minutes(10));
  EXPECT_FALSE(is_fresh(principal_of(token), store.clock.now()));
  auto stepped = own().step_up(principal_of(token), {.totp = code_of(secret)}, kHome);
  expect_committed(stepped);
  ASSERT_TRUE(stepped->principal.has_value()) << stepped->reason.view();
  EXPECT_TRUE(is_fresh(principal_of(stepped->access_token), store.clock.now()));
  EXPECT_FALSE(is_known(token));
  EXPECT_EQ(directory->find_user("ada")->live_tokens, before);
  EXPECT_LE(stepped->expires, store.clock.now() + limits::kSessionAbsolute - std::chrono::minutes(10))
      << "without a password it lasts no longer";
}

TEST_F(Own, NewRecoveryCodesEndTheOtherSessions) {
  auto const secret = person("ada");
  auto const other = login("ada", secret);
  auto const token = login("ada", secret);
  store.clock.advance(std::chrono::seconds(30));
  auto under_way =
      directory->login("ada", SecretBuffer(as_bytes(kPassword)), {.totp = code_of(secret)}, kAway);
  ASSERT_TRUE(under_way && under_way->principal);
  EXPECT_EQ(recovery_codes(token).size(), 10U);
  ASSERT_TRUE(commit(under_way->pending).has_value());
  EXPECT_FALSE(is_known(under_way->access_token)) << "a sign-in of before that is committed after";
  EXPECT_FALSE(is_known(other));
  EXPECT_TRUE(is_known(token));
  restart();
  EXPECT_FALSE(is_known(other));
  EXPECT_FALSE(is_known(under_way->access_token));
  EXPECT_TRUE(is_known(token));
}

TEST_F(Own, ASessionThatEndedMeanwhileChangesNothing) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const principal = principal_of(token);
  auto ended = directory->logout(token);
  expect_committed(ended);
  EXPECT_EQ(own().make_recovery_codes(principal).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(Own, AnEndWhoseCommitFailsIsMadeGoodWithTheNextSignIn) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const id = own().sessions(principal_of(token)).value().front().id;
  {
    auto const dropped = own().end_session(principal_of(token), id);
  }
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(login("ada", secret).empty());
  restart();
  EXPECT_FALSE(is_known(token));
}

TEST_F(Own, WhatHappenedIsToldForThirtyDaysAndLocksPushNothingOut) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  EXPECT_EQ(recovery_codes(token).size(), 10U);
  for (int i = 0; i < 40; ++i) {
    for (int guess = 0; guess < 5; ++guess) (void)try_login("ada", "wrong password!", "0", kAway);
    store.clock.advance(limits::kLockTime + std::chrono::seconds(1));
    EXPECT_FALSE(login("ada", secret).empty());
  }
  store.clock.advance(std::chrono::seconds(30));
  auto const told = try_login("ada", kPassword, code_of(secret)).notices;
  auto const count_of = [](std::vector<Notice> const& notices, Notice::Kind kind) {
    return std::ranges::count(notices, kind, &Notice::kind);
  };
  EXPECT_EQ(count_of(told, Notice::Kind::kLocked), 1);
  EXPECT_EQ(count_of(told, Notice::Kind::kRecoveryCodesMade), 1)
      << "who signed in before may have been another";
  store.clock.advance(limits::kNoticesToldFor);
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret)).notices.empty());
}

TEST_F(Own, S12WhoseRoleOrFactorsTheAdministrationTouchesIsTold) {
  auto const secret = person("ada", "nurse");
  auto const told = [&] {
    store.clock.advance(std::chrono::seconds(30));
    std::vector<Notice::Kind> kinds;
    for (auto const& notice : try_login("ada", kPassword, code_of(secret)).notices)
      kinds.push_back(notice.kind);
    std::erase(kinds, Notice::Kind::kEnrolled);
    return kinds;
  };
  {
    auto const dropped = directory->change_role("ada", "doctor");
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_TRUE(told().empty()) << "what was not committed did not happen";
  auto changed = directory->change_role("ada", "doctor");
  expect_committed(changed);
  restart();
  EXPECT_EQ(told(), std::vector{Notice::Kind::kRoleChanged});
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  EXPECT_EQ(told(), (std::vector{Notice::Kind::kRoleChanged, Notice::Kind::kInvitationRenewed}));
}

TEST_F(Own, SessionsAreListedAndEndedByTheirOwnerAlone) {
  auto const secret = person("ada");
  auto const bobs = person("bob");
  auto const first = login("ada", secret);
  auto const second = login("ada", secret, kAway);
  auto const other = login("bob", bobs);
  auto const listed = own().sessions(principal_of(second)).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_TRUE(listed[0].is_this);
  EXPECT_EQ(listed[0].address, kAway);
  EXPECT_FALSE(listed[1].is_this);
  EXPECT_EQ(own().end_session(principal_of(other), listed[1].id).error().kind(), ErrorKind::kNotFound);
  auto ended = own().end_session(principal_of(second), listed[1].id);
  expect_committed(ended);
  EXPECT_FALSE(is_known(first));
  EXPECT_TRUE(is_known(second));
  restart();
  EXPECT_FALSE(is_known(first));
  EXPECT_EQ(own().sessions(principal_of(second)).value().size(), 1U);
}

TEST_F(Own, IsNothingForAServiceAccount) {
  service("loader.one");
  auto issued = directory->issue_service_token("loader.one", std::chrono::minutes(5));
  expect_committed(issued);
  EXPECT_EQ(own().sessions(issued->principal).error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(own().make_recovery_codes(issued->principal).error().kind(), ErrorKind::kForbidden);
}

TEST_F(Own, SessionsLastAsLongAsTheServerIsToldTo) {
  directory.reset();
  auto opened = Directory::open(*store.vault, store.clock, store.random, testing::kCheap,
                                {.idle = std::chrono::seconds(5), .absolute = std::chrono::seconds(60)});
  ASSERT_TRUE(opened.has_value());
  directory = std::move(*opened);
  auto const secret = person("ada");
  auto const used = login("ada", secret);
  store.clock.advance(std::chrono::seconds(3));
  EXPECT_TRUE(is_known(used));
  store.clock.advance(std::chrono::seconds(5));
  EXPECT_FALSE(is_known(used)) << "idle";
  auto const active = login("ada", secret);
  for (int i = 0; i < 14; ++i) {
    store.clock.advance(std::chrono::seconds(4));
    EXPECT_TRUE(is_known(active)) << i;
  }
  store.clock.advance(std::chrono::seconds(4));
  EXPECT_FALSE(is_known(active)) << "over, despite activity";
}

TEST_F(Own, AcknowledgementsAndNetworksSurviveARestart) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto read = own().acknowledge(principal_of(token), {"phishing", 1, store.clock.now()});
  expect_committed(read);
  auto restricted = directory->restrict_networks("ada", std::vector<std::string>{"10.0.0.0/8"});
  expect_committed(restricted);
  restart();
  auto const standing = principal_of(token).standing();
  ASSERT_EQ(standing->acknowledgements.size(), 1U);
  EXPECT_EQ(standing->acknowledgements[0].topic, "phishing");
  EXPECT_EQ(standing->networks.value(), std::vector<std::string>{"10.0.0.0/8"});
}

TEST_F(Own, AnAccountEndsByItselfAlsoAfterARestart) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto limited = directory->limit_until("ada", store.clock.now() + std::chrono::minutes(5));
  expect_committed(limited);
  auto const principal = principal_of(token);
  EXPECT_TRUE(directory->confirm(principal).has_value());
  restart();
  EXPECT_TRUE(is_known(token));
  store.clock.advance(std::chrono::minutes(5));
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(directory->confirm(principal).has_value());
  EXPECT_FALSE(directory->principal_for_work(principal.id()).has_value());
  EXPECT_EQ(login("ada", secret), "");
  EXPECT_FALSE(directory->find_user("ada")->enabled);
  auto again = directory->limit_until("ada", std::nullopt);
  expect_committed(again);
  EXPECT_NE(login("ada", secret), "");
}

TEST_F(Own, AnAccountWithAnEndIsAddedWithIt) {
  auto const end = store.clock.now() + std::chrono::hours(1);
  auto added = directory->add_user({"guest", "proxy", false, std::nullopt, end});
  expect_committed(added);
  restart();
  EXPECT_EQ(directory->find_user("guest")->standing->until, end);
  EXPECT_EQ(directory->add_user({"late", "proxy", false, std::nullopt, store.clock.now()}).error().kind(),
            ErrorKind::kInvalid);
}

TEST(PasswordStrength, ScoresAsZxcvbnDoesAndAdvisesWithoutTellingThePassword) {
  auto const of = [](std::string_view typed) {
    return password_strength(SecretBuffer(as_bytes(typed)), "dr.house");
  };
  EXPECT_EQ(of("password").score, 0);
  EXPECT_EQ(of("").score, 0);
  EXPECT_EQ(of("correct horse battery staple").score, 4);
  EXPECT_LT(of("qwertyuiop").score, 2);
  EXPECT_TRUE(of("qwertyuiop").advice.view().contains("rows of keys") ||
              of("qwertyuiop").advice.view().contains("common word"));
  EXPECT_TRUE(of("dr.house").advice.view().contains("user name"));
}

}  // namespace
}  // namespace tacenda::identity

// Accounts, enrolment, tokens and certificates: SECURITY_DESIGN section 4, REQUIREMENTS S-02, S-04, S-11.
#include "identity/directory.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "identity/directory_testing.hpp"

namespace tacenda::identity {
namespace {

class DirectoryAccounts : public testing::DirectoryTest {};
class EnrolmentSteps : public testing::DirectoryTest {};
class Tokens : public testing::DirectoryTest {};
using testing::kHome;
using testing::kPassword;

SecretBuffer secret(std::string_view text) {
  return SecretBuffer(as_bytes(text));
}

TEST_F(DirectoryAccounts, TakesNamesOfItsAlphabetOnly) {
  for (std::string const& name : {std::string(), std::string("Ada"), std::string("a b"), std::string("-a"),
                                  std::string("system"), std::string(65, 'a'), std::string("a\n")}) {
    auto const added = directory->add_user({name, "doctor", false, std::nullopt});
    ASSERT_FALSE(added.has_value()) << name;
    EXPECT_EQ(added.error().kind(), ErrorKind::kInvalid);
  }
  EXPECT_TRUE(directory->add_user({std::string(64, 'a'), "doctor", false, std::nullopt}).has_value());
}

TEST_F(DirectoryAccounts, NeverGivesANameTwice) {
  person("ada");
  EXPECT_EQ(directory->add_user({"ada", "nurse", false, std::nullopt}).error().kind(), ErrorKind::kConflict);
  auto disabled = directory->disable_user("ada");
  expect_committed(disabled);
  EXPECT_EQ(directory->add_user({"ada", "nurse", false, std::nullopt}).error().kind(), ErrorKind::kConflict);
  restart();
  EXPECT_EQ(directory->add_user({"ada", "nurse", false, std::nullopt}).error().kind(), ErrorKind::kConflict);
}

TEST_F(DirectoryAccounts, AUserWhoseMakingWasNotCommittedDoesNotExist) {
  {
    auto const dropped = directory->add_user({"ada", "doctor", false, std::nullopt});
  }
  EXPECT_FALSE(directory->find_user("ada").has_value());
  EXPECT_TRUE(directory->add_user({"ada", "doctor", false, std::nullopt}).has_value());
}

TEST_F(DirectoryAccounts, SurviveARestartWithTheirTokens) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  ASSERT_TRUE(is_known(token));
  auto const before = *directory->find_user("ada");
  restart();
  ASSERT_TRUE(is_known(token));
  auto const after = *directory->find_user("ada");
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.role, "doctor");
  EXPECT_TRUE(after.enrolled);
  EXPECT_EQ(after.last_login, before.last_login);
  EXPECT_EQ(after.live_tokens, 1U);
  EXPECT_FALSE(login("ada", totp).empty());
}

TEST_F(DirectoryAccounts, ANewRoleCountsAtTheNextRequestAndOnlyWhenCommitted) {
  auto const totp = person("ada", "nurse");
  std::string const token = login("ada", totp);
  {
    auto const dropped = directory->change_role("ada", "administrator");
    EXPECT_EQ(directory->authenticate_token(token)->role(), "nurse");
  }
  EXPECT_EQ(directory->authenticate_token(token)->role(), "nurse");
  auto changed = directory->change_role("ada", "doctor");
  expect_committed(changed);
  EXPECT_EQ(directory->authenticate_token(token)->role(), "doctor");
  restart();
  EXPECT_EQ(directory->authenticate_token(token)->role(), "doctor");
}

TEST_F(DirectoryAccounts, TwoChangesOfOneAccountAtOnceBothLast) {
  person("ada");
  auto first = directory->change_role("ada", "nurse");
  auto stale = first->set();
  auto second = directory->disable_user("ada");
  ASSERT_TRUE(store.commit(second->set().value()));
  second->committed();
  EXPECT_EQ(store.commit(std::move(*stale)).error().kind(), ErrorKind::kConflict);
  expect_committed(first);
  restart();
  EXPECT_EQ(directory->find_user("ada")->role, "nurse");
  EXPECT_FALSE(directory->find_user("ada")->enabled);
}

TEST_F(DirectoryAccounts, NoOtherChangeOfAnAccountStoresWhatWasNotCommitted) {
  person("ada", "nurse");
  {
    auto const dropped = directory->change_role("ada", "administrator");
    auto renewed = directory->renew_enrolment("ada");
    expect_committed(renewed);
    auto disabled = directory->disable_user("ada");
    expect_committed(disabled);
  }
  restart();
  EXPECT_EQ(directory->find_user("ada")->role, "nurse");
  EXPECT_FALSE(directory->find_user("ada")->enabled);
}

TEST_F(DirectoryAccounts, ALaterEndAndMoreNetworksHoldWhenTheyAreCommittedAndNotBefore) {
  person("ada");
  auto const standing = [&] { return *directory->find_user("ada")->standing; };
  std::vector<std::string> const home{"192.0.2.0/24"};
  Time const soon = store.clock.now() + std::chrono::hours(1);
  {
    auto const dropped = directory->limit_until("ada", soon);
    EXPECT_EQ(standing().until, soon) << "the safe side";
    auto const also = directory->restrict_networks("ada", home);
    EXPECT_EQ(standing().networks, home);
  }
  auto ends = directory->limit_until("ada", soon);
  expect_committed(ends);
  auto narrowed = directory->restrict_networks("ada", home);
  expect_committed(narrowed);
  {
    auto const later = directory->limit_until("ada", soon + std::chrono::hours(1));
    auto const never = directory->limit_until("ada", std::nullopt);
    auto const wider = directory->restrict_networks("ada", std::vector<std::string>{"0.0.0.0/0"});
    auto const any = directory->restrict_networks("ada", std::nullopt);
    EXPECT_EQ(standing().until, soon);
    EXPECT_EQ(standing().networks, home);
  }
  EXPECT_EQ(standing().until, soon);
  EXPECT_EQ(standing().networks, home);
  auto never = directory->limit_until("ada", std::nullopt);
  auto any = directory->restrict_networks("ada", std::nullopt);
  expect_committed(any);
  expect_committed(never);
  EXPECT_FALSE(standing().until);
  EXPECT_FALSE(standing().networks) << "of two changes at once both last";
  restart();
  EXPECT_FALSE(standing().until);
  EXPECT_FALSE(standing().networks);
}

TEST_F(EnrolmentSteps, WorksOnce) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  enrol(added->enrolment_code);
  EXPECT_EQ(directory->enrol(added->enrolment_code, secret(kPassword), kHome).error().kind(),
            ErrorKind::kUnauthenticated);
  EXPECT_EQ(directory->confirm_enrolment(added->enrolment_code, "000000", kHome).error().kind(),
            ErrorKind::kUnauthenticated);
}

TEST_F(EnrolmentSteps, WhoseConfirmationWasNotStoredLeavesTheFactorsOfBefore) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  std::string const other = "another good passphrase";
  auto step = directory->enrol(renewed->enrolment_code, secret(other), kHome);
  expect_committed(step);
  auto const new_totp = secret_of(step->otpauth_uri);
  {
    auto const dropped = directory->confirm_enrolment(renewed->enrolment_code, code_of(new_totp), kHome);
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_FALSE(is_known(token)) << "what was ended stays ended";
  store.clock.advance(std::chrono::minutes(1));
  EXPECT_FALSE(login("ada", totp).empty()) << "with the password and the second factor of before";
  auto confirmed = directory->confirm_enrolment(renewed->enrolment_code, code_of(new_totp), kHome);
  ASSERT_TRUE(confirmed.has_value()) << "the invitation is good once more";
  ASSERT_TRUE(store.commit(confirmed->pending.set().value()));
  confirmed->pending.committed();
  restart();
  EXPECT_EQ(directory->confirm_enrolment(renewed->enrolment_code, code_of(new_totp), kHome).error().kind(),
            ErrorKind::kUnauthenticated);
}

TEST_F(EnrolmentSteps, ExpiresAfterADay) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  auto step = directory->enrol(added->enrolment_code, secret(kPassword), kHome);
  expect_committed(step);
  store.clock.advance(limits::kEnrolmentTime);
  EXPECT_FALSE(directory->enrol(added->enrolment_code, secret(kPassword), kHome).has_value());
  auto const code = code_of(secret_of(step->otpauth_uri));
  EXPECT_FALSE(directory->confirm_enrolment(added->enrolment_code, code, kHome).has_value());
}

TEST_F(EnrolmentSteps, GivesNoAccessBeforeItIsConfirmed) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  auto step = directory->enrol(added->enrolment_code, secret(kPassword), kHome);
  expect_committed(step);
  EXPECT_TRUE(login("ada", secret_of(step->otpauth_uri)).empty());
}

TEST_F(EnrolmentSteps, RefusesAWeakPasswordWithItsReason) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  auto const weak = directory->enrol(added->enrolment_code, secret("Password1234567"), kHome);
  ASSERT_FALSE(weak.has_value());
  EXPECT_EQ(weak.error().kind(), ErrorKind::kUnprocessable);
}

TEST_F(EnrolmentSteps, IsOverAfterTenWrongCodes) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  auto step = directory->enrol(added->enrolment_code, secret(kPassword), kHome);
  expect_committed(step);
  auto const totp = secret_of(step->otpauth_uri);
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(directory->confirm_enrolment(added->enrolment_code, "wrong", kHome).has_value());
  EXPECT_FALSE(directory->confirm_enrolment(added->enrolment_code, code_of(totp), kHome).has_value());
}

TEST_F(EnrolmentSteps, NewFactorsEndTheSessionsOfTheOldOnes) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  store.clock.advance(std::chrono::seconds(30));
  auto under_way = directory->login("ada", secret(kPassword), {code_of(totp)}, kHome);
  ASSERT_TRUE(under_way && under_way->principal);
  ASSERT_TRUE(store.commit(under_way->pending.set().value()));  // durable, and not yet said so
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  EXPECT_TRUE(is_known(token)) << "until the new factors are confirmed";
  enrol(renewed->enrolment_code, "another horse, another staple");
  under_way->pending.committed();
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(is_known(under_way->access_token));
  restart();
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(is_known(under_way->access_token));
}

TEST_F(Tokens, ASessionEndsAfter15MinutesWithoutARequest) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  std::string const other = login("ada", totp);
  EXPECT_TRUE(is_known(token));
  store.clock.advance(limits::kSessionIdle - std::chrono::seconds(1));
  EXPECT_TRUE(is_known(token));
  store.clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(is_known(token));
  EXPECT_FALSE(is_known(other)) << "activity on one session does not extend another";
  store.clock.advance(limits::kSessionIdle);
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(is_known(token)) << "a refused request does not revive it";
}

TEST_F(Tokens, ASessionEndsAfter12HoursDespiteActivity) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  for (auto past = std::chrono::minutes(10); past < limits::kSessionAbsolute;
       past += std::chrono::minutes(10)) {
    store.clock.advance(std::chrono::minutes(10));
    ASSERT_TRUE(is_known(token)) << past.count();
  }
  store.clock.advance(std::chrono::minutes(10));
  EXPECT_FALSE(is_known(token));
}

TEST_F(Tokens, ALoggedOutSessionStaysOut) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  auto out = directory->logout(token);
  expect_committed(out);
  EXPECT_FALSE(is_known(token));
  EXPECT_EQ(directory->logout(token).error().kind(), ErrorKind::kUnauthenticated);
  restart();
  EXPECT_FALSE(is_known(token));
}

TEST_F(Tokens, NothingButTheTokenItselfIsKnown) {
  auto const totp = person("ada");
  std::string token = login("ada", totp);
  EXPECT_FALSE(is_known(""));
  EXPECT_FALSE(is_known(token + "A"));
  EXPECT_FALSE(is_known(token.substr(1)));
  token[5] = token[5] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(is_known(token));
}

TEST_F(Tokens, DisablingAUserKillsThemAtOnceAndForGood) {
  auto const totp = person("ada");
  std::string const token = login("ada", totp);
  store.clock.advance(std::chrono::seconds(30));
  auto under_way = directory->login("ada", secret(kPassword), {code_of(totp)}, kHome);
  ASSERT_TRUE(under_way && under_way->principal);
  auto disabled = directory->disable_user("ada");
  EXPECT_FALSE(is_known(token)) << "before the commit";
  expect_committed(disabled);
  ASSERT_TRUE(commit(under_way->pending).has_value());
  EXPECT_FALSE(is_known(under_way->access_token));
  EXPECT_TRUE(login("ada", totp).empty());
  restart();
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(is_known(under_way->access_token));
}

TEST_F(Tokens, OfServiceAccountsLastAtMostAnHour) {
  service("loader.one");
  person("ada");
  EXPECT_EQ(directory->issue_service_token("ada", std::chrono::minutes(1)).error().kind(),
            ErrorKind::kForbidden);
  EXPECT_EQ(directory->issue_service_token("nobody", std::chrono::minutes(1)).error().kind(),
            ErrorKind::kNotFound);
  EXPECT_EQ(directory->issue_service_token("loader.one", std::chrono::seconds(3'601)).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(directory->issue_service_token("loader.one", std::chrono::seconds(0)).error().kind(),
            ErrorKind::kInvalid);
  auto issued = directory->issue_service_token("loader.one", limits::kServiceToken);
  ASSERT_TRUE(issued.has_value());
  EXPECT_FALSE(is_known(issued->access_token)) << "not before its commit";
  expect_committed(issued);
  store.clock.advance(std::chrono::minutes(59));
  auto const principal = directory->authenticate_token(issued->access_token);
  ASSERT_TRUE(principal.has_value()) << "it does not idle";
  EXPECT_TRUE(principal->is_service());
  EXPECT_EQ(principal->second_factor_at(), Time{}) << "no step-up";
  store.clock.advance(std::chrono::minutes(1));
  EXPECT_FALSE(is_known(issued->access_token));
}

TEST_F(Tokens, RowsOfDeadTokensGoWithTheNextTokenThatIsMade) {
  auto const totp = person("ada");
  std::string const first = login("ada", totp);
  login("ada", totp);
  EXPECT_EQ(token_rows(), 2U);
  store.clock.advance(std::chrono::hours(13));
  restart();
  EXPECT_EQ(token_rows(), 2U);
  EXPECT_FALSE(is_known(first));
  login("ada", totp);
  EXPECT_EQ(token_rows(), 1U);
  store.clock.advance(std::chrono::hours(13));
  login("ada", totp);
  EXPECT_EQ(token_rows(), 1U) << "also without a restart";
}

TEST_F(Tokens, ACertificateBelongsToOneServiceAccount) {
  service("loader.one");
  service("loader.two");
  person("ada");
  Digest const certificate = crypto::sha256(as_bytes("certificate"));
  EXPECT_EQ(directory->authenticate_certificate(certificate).error().kind(), ErrorKind::kUnauthenticated);
  {
    auto const dropped = directory->bind_certificate("loader.one", certificate);
    EXPECT_FALSE(directory->authenticate_certificate(certificate).has_value());
  }
  EXPECT_FALSE(directory->authenticate_certificate(certificate).has_value()) << "not without its commit";
  EXPECT_EQ(directory->bind_certificate("ada", certificate).error().kind(), ErrorKind::kForbidden);
  auto late = directory->bind_certificate("loader.two", certificate);
  auto bound = directory->bind_certificate("loader.one", certificate);
  expect_committed(bound);
  EXPECT_EQ(commit(*late).error().kind(), ErrorKind::kConflict) << "asked for at once";
  EXPECT_EQ(directory->bind_certificate("loader.two", certificate).error().kind(), ErrorKind::kConflict);
  restart();
  auto const principal = directory->authenticate_certificate(certificate);
  ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->name(), "loader.one");
  EXPECT_EQ(principal->method(), Method::kCertificate);
  auto disabled = directory->disable_user("loader.one");
  expect_committed(disabled);
  EXPECT_FALSE(directory->authenticate_certificate(certificate).has_value());
}

TEST_F(DirectoryAccounts, ConfirmsNobodyWhoWasDisabledRenewedOrGivenAnotherRoleSince) {
  auto const recognised = [&](std::string const& name) {
    auto const secret = person(name);
    auto principal = directory->authenticate_token(login(name, secret));
    EXPECT_TRUE(principal.has_value());
    return *principal;
  };
  auto const left = recognised("left");
  auto const moved = recognised("moved");
  auto const renewed = recognised("renewed");
  auto const stays = recognised("stays");
  for (auto const& each : {left, moved, renewed, stays}) EXPECT_TRUE(directory->confirm(each).has_value());

  auto disabled = directory->disable_user("left");
  expect_committed(disabled);
  auto role = directory->change_role("moved", "nurse");
  expect_committed(role);
  auto added = directory->renew_enrolment("renewed");
  expect_committed(added);
  EXPECT_TRUE(directory->confirm(renewed).has_value());
  (void)enrol(added->enrolment_code);

  EXPECT_EQ(directory->confirm(left).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(directory->confirm(moved).error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(directory->confirm(renewed).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_TRUE(directory->confirm(stays).has_value());
}

TEST_F(DirectoryAccounts, NothingIsCommittedForAnAccountThatEndedAfterItWasConfirmed) {
  auto const secret = person("ada");
  auto const principal = *directory->authenticate_token(login("ada", secret));
  auto const confirmed = [&] {
    vault::WriteSet set;
    EXPECT_TRUE(directory->confirm(principal, set).has_value());
    return set;
  };
  EXPECT_TRUE(store.commit(confirmed()).has_value());

  auto early = confirmed();
  (void)try_login("ada", "wrong", "000000");
  EXPECT_TRUE(store.commit(std::move(early)).has_value()) << "a failed log-in ends nothing";

  early = confirmed();
  auto disabled = directory->disable_user("ada");
  expect_committed(disabled);
  auto const late = store.commit(std::move(early));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict);
  vault::WriteSet again;
  EXPECT_EQ(directory->confirm(principal, again).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(DirectoryAccounts, S11NothingIsCommittedForAnAccountWhoseEndCameNearerAfterItWasConfirmed) {
  auto const principal = *directory->authenticate_token(login("ada", person("ada")));
  vault::WriteSet early;
  ASSERT_TRUE(directory->confirm(principal, early).has_value());
  auto ends = directory->limit_until("ada", store.clock.now());
  expect_committed(ends);
  EXPECT_EQ(store.commit(std::move(early)).error().kind(), ErrorKind::kConflict);
  vault::WriteSet again;
  EXPECT_EQ(directory->confirm(principal, again).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(DirectoryAccounts, S12PeopleAreThoseWhoCouldSignInWithSuchARole) {
  auto const is_admin = [](std::string_view role) { return role == "administrator"; };
  auto const count = [&] { return directory->people(is_admin).size(); };
  auto const alice = person("alice", "administrator");
  (void)person("dr", "doctor");
  auto robot = directory->add_user({"robot", "administrator", true, std::nullopt});
  expect_committed(robot);
  auto invited = directory->add_user({"bob", "administrator", false, std::nullopt});
  expect_committed(invited);
  EXPECT_EQ(count(), 1U) << "neither a service nor who has not enrolled";
  (void)enrol(invited->enrolment_code);
  EXPECT_EQ(count(), 2U);
  auto limited = directory->limit_until("bob", store.clock.now() + std::chrono::hours(1));
  expect_committed(limited);
  store.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(count(), 1U);
  auto disabled = directory->disable_user("alice");
  expect_committed(disabled);
  EXPECT_EQ(count(), 0U);
}

TEST_F(DirectoryAccounts, WhatWouldBeRefusedIsToldWithoutDoingIt) {
  (void)person("ada");
  service("loader");
  EXPECT_EQ(directory->check_new({"ada", "nurse", false, std::nullopt}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(directory->check_new({"A", "nurse", false, std::nullopt}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(directory->check_new({"new", "nurse", false, std::nullopt, store.clock.now()}).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_TRUE(directory->check_new({"new", "nurse", false, std::nullopt}).has_value());
  EXPECT_FALSE(directory->find_user("new").has_value());
  EXPECT_TRUE(directory->check_renewal("ada").has_value());
  EXPECT_EQ(directory->check_renewal("nobody").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(directory->check_renewal("loader").error().kind(), ErrorKind::kForbidden);
  auto const token = [&](std::string_view name, int seconds) {
    return directory->check_service_token(name, std::chrono::seconds(seconds), limits::kServiceToken);
  };
  EXPECT_TRUE(token("loader", 60).has_value());
  EXPECT_EQ(token("loader", 0).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(token("loader", 3601).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(token("ada", 60).error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(token("nobody", 60).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tacenda::identity

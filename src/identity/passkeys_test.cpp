// Passkeys against an authenticator in software: WebAuthn 7.1 and 7.2, K-03, K-04.
#include "identity/passkeys.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/internal/authenticator_testing.hpp"
#include "identity/own_account.hpp"

namespace tacenda::identity {
namespace {

using testing::kAway;
using testing::kHome;
using testing::kPassword;
using testing::SoftAuthenticator;

class PasskeyTest : public testing::DirectoryTest {
 protected:
  PasskeyTest() { serve(); }
  void serve() { passkeys().serve({"records.example.org", {"https://records.example.org"}}); }
  Passkeys passkeys() { return Passkeys(*directory); }
  Principal principal_of(std::string_view token) { return directory->authenticate_token(token).value(); }

  Result<Pending> try_add(std::string_view token, SoftAuthenticator& authenticator,
                          std::string const& challenge, std::string_view name = "key") {
    auto const client_data = authenticator.client_data("webauthn.create", challenge);
    auto const object = authenticator.attestation_object();
    return passkeys().add(principal_of(token), {name, client_data, object});
  }
  /// Registers the authenticator's credential for who holds `token`.
  void add(std::string_view token, SoftAuthenticator& authenticator) {
    auto const offer = passkeys().offer_registration(principal_of(token)).value();
    authenticator.user_handle = as_text(codec::base64url_decode(offer.user_id).value());
    auto added = try_add(token, authenticator, offer.challenge);
    expect_committed(added);
  }
  Directory::Attempt answer(SoftAuthenticator const& authenticator, std::string const& challenge) {
    auto const client_data = authenticator.client_data("webauthn.get", challenge);
    auto const data = authenticator.authenticator_data(false);
    auto const signature = authenticator.sign(data, client_data);
    auto attempt = passkeys().sign_in(
        {authenticator.credential_id, authenticator.user_handle, client_data, data, signature}, kHome);
    EXPECT_TRUE(attempt.has_value());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
  Directory::Attempt sign_in(SoftAuthenticator& authenticator) {
    ++authenticator.count;
    return answer(authenticator, passkeys().offer_sign_in()->challenge);
  }
};

TEST_F(PasskeyTest, SignsInAloneAndStaysAcrossARestart) {
  auto const secret = person("ada");
  SoftAuthenticator authenticator("credential one");
  add(login("ada", secret), authenticator);
  auto const first = sign_in(authenticator);
  ASSERT_TRUE(first.principal.has_value()) << first.reason.view();
  EXPECT_EQ(first.principal->name(), "ada");
  EXPECT_EQ(first.principal->method(), Method::kPasskey);
  EXPECT_TRUE(is_fresh(*first.principal, store.clock.now()));
  restart();
  serve();
  EXPECT_EQ(principal_of(first.access_token).method(), Method::kPasskey);
  EXPECT_TRUE(sign_in(authenticator).principal.has_value());
}

TEST_F(PasskeyTest, AChallengeIsAnsweredOnce) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  SoftAuthenticator authenticator("one");
  auto const offer = passkeys().offer_registration(principal_of(token)).value();
  authenticator.user_handle = as_text(codec::base64url_decode(offer.user_id).value());
  auto added = try_add(token, authenticator, offer.challenge);
  expect_committed(added);
  SoftAuthenticator another("two");
  EXPECT_EQ(try_add(token, another, offer.challenge).error().kind(), ErrorKind::kUnauthenticated);
  auto const challenge = passkeys().offer_sign_in()->challenge;
  authenticator.count = 9;
  EXPECT_TRUE(answer(authenticator, challenge).principal.has_value());
  authenticator.count = 10;
  EXPECT_FALSE(answer(authenticator, challenge).principal.has_value());
}

TEST_F(PasskeyTest, AChallengeIsForItsUserAndItsTime) {
  auto const secret = person("ada");
  auto const bobs = person("bob");
  auto const token = login("ada", secret);
  auto const other = login("bob", bobs);
  SoftAuthenticator authenticator("one");
  auto const offer = passkeys().offer_registration(principal_of(token)).value();
  EXPECT_FALSE(try_add(other, authenticator, offer.challenge).has_value()) << "another user's";
  EXPECT_FALSE(try_add(token, authenticator, passkeys().offer_sign_in()->challenge).has_value());
  add(token, authenticator);
  auto const challenge = passkeys().offer_sign_in()->challenge;
  store.clock.advance(limits::kPasskeyChallenge);
  authenticator.count = 5;
  EXPECT_FALSE(answer(authenticator, challenge).principal.has_value());
  EXPECT_TRUE(sign_in(authenticator).principal.has_value());
}

TEST_F(PasskeyTest, ACounterThatWentBackIsRefusedAndTold) {
  auto const secret = person("ada");
  SoftAuthenticator authenticator("one");
  add(login("ada", secret), authenticator);
  authenticator.count = 40;
  EXPECT_TRUE(sign_in(authenticator).principal.has_value());
  for (std::uint32_t const count : {40U, 3U, 0U}) {
    authenticator.count = count;
    auto const attempt = answer(authenticator, passkeys().offer_sign_in()->challenge);
    EXPECT_FALSE(attempt.principal.has_value()) << count;
    EXPECT_TRUE(attempt.counter_back) << count;
  }
  authenticator.count = 50;
  auto const next = sign_in(authenticator);
  ASSERT_TRUE(next.principal.has_value());
  EXPECT_EQ(next.notices.back().kind, Notice::Kind::kPasskeyCounterBack);
}

TEST_F(PasskeyTest, AnAuthenticatorThatDoesNotCountIsTaken) {
  auto const secret = person("ada");
  SoftAuthenticator authenticator("one");
  authenticator.count = 0;
  add(login("ada", secret), authenticator);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(answer(authenticator, passkeys().offer_sign_in()->challenge).principal.has_value());
}

TEST_F(PasskeyTest, RefusesAnotherPageAnotherServerAnUnverifiedUserAndAnotherKey) {
  auto const secret = person("ada");
  SoftAuthenticator right("one");
  add(login("ada", secret), right);
  auto const refused = [&](auto const& wrong) {
    SoftAuthenticator authenticator("one");
    std::swap(authenticator, right);
    authenticator.count += 10;
    auto const kept = std::pair(authenticator.origin, authenticator.rp_id);
    wrong(authenticator);
    bool const no = !answer(authenticator, passkeys().offer_sign_in()->challenge).principal.has_value();
    authenticator.origin = kept.first;
    authenticator.rp_id = kept.second;
    authenticator.flags = 0x05;
    std::swap(authenticator, right);
    return no;
  };
  EXPECT_TRUE(refused([](auto& it) { it.origin = "https://records.example.org.evil.example"; }));
  EXPECT_TRUE(refused([](auto& it) { it.rp_id = "evil.example"; }));
  EXPECT_TRUE(refused([](auto& it) { it.flags = 0x01; }));
  EXPECT_TRUE(refused([](auto& it) { it.flags = 0x04; }));
  SoftAuthenticator forged("one");
  forged.user_handle = right.user_handle;
  forged.count = 99;
  EXPECT_FALSE(answer(forged, passkeys().offer_sign_in()->challenge).principal.has_value());
  std::string const handle = std::exchange(right.user_handle, "somebody else");
  EXPECT_FALSE(sign_in(right).principal.has_value());
  right.user_handle = handle;
  EXPECT_TRUE(sign_in(right).principal.has_value());
}

TEST_F(PasskeyTest, LockingAnAccountLocksNoPasskeyOut) {
  auto const secret = person("ada");
  SoftAuthenticator authenticator("one");
  add(login("ada", secret), authenticator);
  for (std::uint32_t i = 0; i < limits::kFailuresUntilHardLock; ++i)
    (void)try_login("ada", "wrong password!", "0", "203.0.113." + std::to_string(i));
  for (int i = 0; i < 60; ++i) (void)try_login("user" + std::to_string(i), "wrong password!", "0", kHome);
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret), kAway).principal.has_value());
  EXPECT_TRUE(sign_in(authenticator).principal.has_value());
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret), kAway).principal.has_value())
      << "and it gives who guesses at the password no new tries";
}

TEST_F(PasskeyTest, ACredentialIsOnePersonsAlone) {
  auto const secret = person("ada");
  auto const bobs = person("bob");
  SoftAuthenticator authenticator("one");
  add(login("ada", secret), authenticator);
  auto const token = login("bob", bobs);
  auto const offer = passkeys().offer_registration(principal_of(token)).value();
  EXPECT_EQ(try_add(token, authenticator, offer.challenge).error().kind(), ErrorKind::kConflict);
}

TEST_F(PasskeyTest, APersonHasSeveralAndRemovesThemByName) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  SoftAuthenticator one("one");
  SoftAuthenticator two("two", SoftAuthenticator::Algorithm::kEdDsa);
  add(token, one);
  add(token, two);
  EXPECT_EQ(passkeys().offer_registration(principal_of(token))->known.size(), 2U);
  auto const session = sign_in(one).access_token;
  auto const listed = passkeys().list(principal_of(token)).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, codec::base64url_encode(as_bytes("one")));
  EXPECT_EQ(passkeys().remove(principal_of(token), "bm9uZQ").error().kind(), ErrorKind::kNotFound);
  auto removed = passkeys().remove(principal_of(token), listed[0].id);
  expect_committed(removed);
  EXPECT_FALSE(is_known(session)) << "what it opened ends with it";
  EXPECT_TRUE(is_known(token));
  EXPECT_FALSE(sign_in(one).principal.has_value());
  EXPECT_TRUE(sign_in(two).principal.has_value());
  restart();
  serve();
  EXPECT_FALSE(sign_in(one).principal.has_value());
}

TEST_F(PasskeyTest, AddingOrRemovingOneEndsTheOtherSessions) {
  auto const secret = person("ada");
  auto const other = login("ada", secret);
  auto const token = login("ada", secret);
  SoftAuthenticator one("one");
  add(token, one);
  EXPECT_FALSE(is_known(other));
  ++one.count;
  auto const challenge = passkeys().offer_sign_in()->challenge;
  auto const client_data = one.client_data("webauthn.get", challenge);
  auto const data = one.authenticator_data(false);
  auto const signature = one.sign(data, client_data);
  auto under_way =
      passkeys().sign_in({one.credential_id, one.user_handle, client_data, data, signature}, kAway);
  ASSERT_TRUE(under_way && under_way->principal);
  auto removed = passkeys().remove(principal_of(token), codec::base64url_encode(as_bytes("one")));
  expect_committed(removed);
  ASSERT_TRUE(commit(under_way->pending).has_value());
  EXPECT_FALSE(is_known(under_way->access_token)) << "signed in before, committed after";
  restart();
  EXPECT_FALSE(is_known(under_way->access_token));
  EXPECT_TRUE(is_known(token));
}

TEST_F(PasskeyTest, AWeakerSessionMakesTheFirstAndNoOther) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  auto const add_first = [&](SoftAuthenticator& authenticator) {
    auto const offer = passkeys().offer_registration(principal_of(token)).value();
    authenticator.user_handle = as_text(codec::base64url_decode(offer.user_id).value());
    auto const client_data = authenticator.client_data("webauthn.create", offer.challenge);
    auto const object = authenticator.attestation_object();
    return passkeys().add(principal_of(token), {"key", client_data, object, true});
  };
  SoftAuthenticator one("one");
  SoftAuthenticator two("two");
  auto first = add_first(one);
  expect_committed(first);
  EXPECT_EQ(add_first(two).error().kind(), ErrorKind::kForbidden);
}

TEST_F(PasskeyTest, WhatIsRefusedUsesNoChallengeUp) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  SoftAuthenticator one("one");
  add(token, one);
  auto const challenge = passkeys().offer_registration(principal_of(token))->challenge;
  EXPECT_EQ(try_add(token, one, challenge).error().kind(), ErrorKind::kConflict);
  SoftAuthenticator two("two");
  EXPECT_TRUE(try_add(token, two, challenge).has_value());
}

TEST_F(PasskeyTest, NeedsAFreshSecondFactorAndAName) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  SoftAuthenticator authenticator("one");
  auto const challenge = passkeys().offer_registration(principal_of(token))->challenge;
  EXPECT_EQ(try_add(token, authenticator, challenge, "").error().kind(), ErrorKind::kUnprocessable);
  EXPECT_EQ(try_add(token, authenticator, challenge, "two\nlines").error().kind(), ErrorKind::kUnprocessable);
  store.clock.advance(limits::kStepUpAge + std::chrono::seconds(1));
  EXPECT_EQ(passkeys().offer_registration(principal_of(token)).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(try_add(token, authenticator, challenge).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(PasskeyTest, ADisabledUserAndANewEnrolmentHaveNone) {
  auto const secret = person("ada");
  SoftAuthenticator authenticator("one");
  add(login("ada", secret), authenticator);
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  EXPECT_TRUE(sign_in(authenticator).principal.has_value()) << "until the new enrolment is complete";
  auto const again = enrol(renewed->enrolment_code);
  EXPECT_FALSE(sign_in(authenticator).principal.has_value());
  SoftAuthenticator other("two");
  add(login("ada", again), other);
  auto disabled = directory->disable_user("ada");
  expect_committed(disabled);
  EXPECT_FALSE(sign_in(other).principal.has_value());
}

TEST_F(PasskeyTest, ARegistrationWhoseCommitFailsLeavesNothing) {
  auto const secret = person("ada");
  auto const token = login("ada", secret);
  SoftAuthenticator authenticator("one");
  {
    auto const offer = passkeys().offer_registration(principal_of(token)).value();
    ASSERT_TRUE(try_add(token, authenticator, offer.challenge).has_value());
  }
  EXPECT_TRUE(passkeys().list(principal_of(token))->empty());
  add(token, authenticator);
  EXPECT_TRUE(sign_in(authenticator).principal.has_value());
}

TEST_F(PasskeyTest, ThereAreNoneBeforeTheServerHasAName) {
  restart();
  EXPECT_EQ(passkeys().offer_sign_in().error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tacenda::identity

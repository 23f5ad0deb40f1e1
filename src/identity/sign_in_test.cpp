// Log-in, second factor, locks: SECURITY_DESIGN section 4, REQUIREMENTS K-01..K-04, S-02, S-08.
#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/internal/state.hpp"

namespace tacenda::identity {

struct DirectoryTestAccess {
  static std::uint64_t hashes(Directory const& directory) { return directory.state_->hash_turns.taken(); }
};

namespace {

class SignIn : public testing::DirectoryTest {};
using testing::kAway;
using testing::kHome;
using testing::kPassword;

TEST_F(SignIn, TakesPasswordAndSecondFactorTogether) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::seconds(30));
  auto const attempt = try_login("ada", kPassword, code_of(secret));
  ASSERT_TRUE(attempt.principal.has_value());
  EXPECT_EQ(attempt.principal->name(), "ada");
  EXPECT_EQ(attempt.principal->role(), "doctor");
  EXPECT_EQ(attempt.expires, store.clock.now() + limits::kSessionAbsolute);
  auto const principal = directory->authenticate_token(attempt.access_token);
  ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->id(), attempt.principal->id());
  EXPECT_EQ(principal->second_factor_at(), store.clock.now());
  EXPECT_EQ(attempt.access_token.size(), 43U) << "256 bits";
}

TEST_F(SignIn, RefusesAWrongPartAndTellsWhichOnlyTheAuditLog) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::seconds(30));
  std::string const code = code_of(secret);
  std::string wrong = code;
  wrong[0] = wrong[0] == '9' ? '0' : static_cast<char>(wrong[0] + 1);
  EXPECT_EQ(try_login("ada", "wrong password!", code).reason.view(), "wrong password");
  EXPECT_EQ(try_login("ada", kPassword, wrong).reason.view(), "wrong second factor");
  EXPECT_EQ(try_login("ada", kPassword, "").reason.view(), "wrong second factor");
  auto const nobody = try_login("nobody", kPassword, code);
  EXPECT_EQ(nobody.reason.view(), "unknown or disabled user");
  EXPECT_TRUE(nobody.actor_id.empty());
  EXPECT_FALSE(nobody.principal.has_value());
  EXPECT_TRUE(try_login("ada", kPassword, code).principal.has_value()) << "no failure used the code up";
}

// S-08: an answer takes as long whatever is wrong, so that its time tells nothing about who exists.
TEST_F(SignIn, S08EveryFailureCostsOneArgon2Computation) {
  auto const secret = person("ada");
  service("loader");
  auto invited = directory->add_user({"invited", "doctor", false, std::nullopt});
  expect_committed(invited);
  person("gone");
  auto disabled = directory->disable_user("gone");
  expect_committed(disabled);
  store.clock.advance(std::chrono::seconds(30));
  int address = 1;  // a new one each: none of them is throttled, which costs nothing
  auto const cost_of = [&](std::string const& name, std::string const& password, std::string const& code) {
    auto const before = DirectoryTestAccess::hashes(*directory);
    auto const attempt = try_login(name, password, code, "203.0.113." + std::to_string(address++));
    EXPECT_FALSE(attempt.principal.has_value()) << name;
    return DirectoryTestAccess::hashes(*directory) - before;
  };
  EXPECT_EQ(cost_of("nobody", "wrong password!", "000000"), 1U);
  EXPECT_EQ(cost_of("ada", "wrong password!", "000000"), 1U);
  EXPECT_EQ(cost_of("ada", kPassword, ""), 1U);
  EXPECT_EQ(cost_of("ada", "wrong password!", code_of(secret)), 1U);
  EXPECT_EQ(cost_of("ada", "a\xff", "000000"), 1U) << "no text";
  EXPECT_EQ(cost_of("ada", "", "000000"), 1U);
  EXPECT_EQ(cost_of(std::string(1'000, 'a'), kPassword, "000000"), 1U) << "no name";
  for (auto const* name : {"loader", "invited", "gone"})
    EXPECT_EQ(cost_of(name, kPassword, "000000"), 1U) << name;
  // Also where the hash is due to be made anew, which costs a second one: only for who is right in every
  // part.
  restart({128, 1});
  EXPECT_EQ(cost_of("ada", kPassword, "000000"), 1U);
  EXPECT_EQ(cost_of("nobody", kPassword, "000000"), 1U);
}

TEST_F(SignIn, HasNoAccountThatComesWithTheProduct) {
  for (auto const* name : {"admin", "root", "administrator", "system"})
    EXPECT_FALSE(try_login(name, name, "000000").principal.has_value()) << name;
}

TEST_F(SignIn, APasswordThatDiffersBehindTheByte72IsAnother) {
  auto added = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(added);
  std::string const prefix = "a sentence of seventy-two bytes, which is where bcrypt stops to listen :";
  ASSERT_EQ(prefix.size(), 72U);
  auto const secret = enrol(added->enrolment_code, (prefix + "one").c_str());
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_FALSE(try_login("ada", prefix + "two", code_of(secret)).principal.has_value());
  EXPECT_TRUE(try_login("ada", prefix + "one", code_of(secret)).principal.has_value());
}

TEST_F(SignIn, ACodeIsTakenOnce) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::seconds(30));
  std::string const code = code_of(secret);
  EXPECT_TRUE(try_login("ada", kPassword, code).principal.has_value());
  EXPECT_EQ(try_login("ada", kPassword, code).reason.view(), "second factor used before");
  restart();
  EXPECT_EQ(try_login("ada", kPassword, code).reason.view(), "second factor used before")
      << "after a restart too";
}

TEST_F(SignIn, ACodeOfAnEarlierStepIsRefusedOnceALaterOneWasTaken) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::minutes(5));
  std::string const earlier = code_of(secret, -1);
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret)).principal.has_value());
  EXPECT_FALSE(try_login("ada", kPassword, earlier).principal.has_value());
}

TEST_F(SignIn, TakesCodesOfOneStepBeforeAndAfterAndNoOlder) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::minutes(5));
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret, -4)).principal.has_value()) << "120 s old";
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret, -2)).principal.has_value());
  EXPECT_FALSE(try_login("ada", kPassword, code_of(secret, 2)).principal.has_value());
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret, -1)).principal.has_value());
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret, 1)).principal.has_value());
}

TEST_F(SignIn, ACodeStaysUsedWhenTheCommitFails) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::seconds(30));
  std::string const code = code_of(secret);
  std::string token;
  {
    auto dropped = directory->login("ada", SecretBuffer(as_bytes(kPassword)), {code}, kHome);
    ASSERT_TRUE(dropped && dropped->principal);
    token = dropped->access_token;
  }
  EXPECT_FALSE(is_known(token)) << "no token lives without its commit";
  EXPECT_FALSE(try_login("ada", kPassword, code).principal.has_value());
}

TEST_F(SignIn, LocksAnAddressAfter5FailuresAndLetsAnotherIn) {
  auto const secret = person("ada");
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(try_login("ada", "wrong password!", "000000").locked_now, i == 5) << i;
  store.clock.advance(std::chrono::seconds(30));
  auto const locked = try_login("ada", kPassword, code_of(secret));
  EXPECT_FALSE(locked.principal.has_value());
  EXPECT_FALSE(locked.throttled) << "the caller is not told";
  EXPECT_EQ(locked.reason.view(), "locked after 5 failures from this address");
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret), kAway).principal.has_value());
}

TEST_F(SignIn, ALockEndsAlthoughItsAddressKeptTrying) {
  auto const secret = person("ada");
  for (int i = 0; i < 5; ++i) try_login("ada", "wrong password!", "000000");
  store.clock.advance(std::chrono::minutes(14));
  try_login("ada", "wrong password!", "000000");
  store.clock.advance(std::chrono::minutes(1));
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret)).principal.has_value());
}

TEST_F(SignIn, TriesBehindALockDoNotStopTheAccountEverywhere) {
  auto const secret = person("ada");
  for (int i = 0; i < 45; ++i) try_login("ada", "wrong password!", "000000");
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret), kAway).principal.has_value());
}

TEST_F(SignIn, CountsAllAddressesOfAnIpv6NetworkAsOne) {
  auto const secret = person("erika");
  auto const address = [](std::uint32_t i) { return "2001:db8:0:1::" + std::to_string(i + 1); };
  for (std::uint32_t i = 0; i < limits::kFailuresUntilLock; ++i)
    (void)try_login("erika", "wrong", "000000", address(i));
  EXPECT_TRUE(login("erika", secret, address(99)).empty());
  EXPECT_FALSE(login("erika", secret, "2001:db8:0:2::1").empty());
  for (std::uint32_t i = 0; i < limits::kFailuresPerAddress; ++i)
    (void)try_login("nobody" + std::to_string(i), "wrong", "000000", address(i));
  EXPECT_TRUE(try_login("somebody", "wrong", "000000", address(999)).throttled);
}

TEST_F(SignIn, CountsAnIpv4AddressAsOneHoweverItIsWritten) {
  auto const secret = person("ada");
  for (int i = 0; i < 5; ++i) (void)try_login("ada", "wrong password!", "0", "::ffff:198.51.100.9");
  EXPECT_TRUE(login("ada", secret, "198.51.100.9").empty());
  EXPECT_FALSE(login("ada", secret, "::ffff:198.51.100.10").empty()) << "another one";
}

TEST_F(SignIn, ACodeThatWasRightAndRefusedForItsNetworkIsUsedUp) {
  auto const secret = person("ada");
  store.clock.advance(std::chrono::seconds(30));
  auto const code = code_of(secret);
  {
    auto attempt = directory->login("ada", SecretBuffer(as_bytes(kPassword)), {.totp = code}, kAway);
    ASSERT_TRUE(attempt && attempt->principal);
    auto used = directory->keep_used(*attempt->principal);
    expect_committed(used);
    EXPECT_EQ(token_rows(), 0U);
  }
  restart();
  EXPECT_FALSE(try_login("ada", kPassword, code).principal.has_value());
}

TEST_F(SignIn, ThrottlesAnAddressThatTriesManyNames) {
  auto const secret = person("ada");
  for (std::uint32_t i = 0; i < limits::kFailuresPerAddress; ++i)
    EXPECT_FALSE(try_login("user" + std::to_string(i), "wrong password!", "0").throttled) << i;
  store.clock.advance(std::chrono::seconds(30));
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret)).throttled);
  EXPECT_TRUE(try_login("ada", kPassword, code_of(secret), kAway).principal.has_value());
}

TEST_F(SignIn, StopsAnAccountAfter100FailuresUntilItIsReset) {
  auto const secret = person("ada");
  int alerts = 0;
  for (std::uint32_t i = 0; i < limits::kFailuresUntilHardLock; ++i) {
    auto const attempt = try_login("ada", "wrong password!", "0", "203.0.113." + std::to_string(i));
    alerts += attempt.locked_now ? 1 : 0;
  }
  EXPECT_EQ(alerts, 1);
  store.clock.advance(std::chrono::hours(24));
  auto const right = try_login("ada", kPassword, code_of(secret), kAway);
  EXPECT_FALSE(right.principal.has_value());
  EXPECT_EQ(right.reason.view(), "stopped after 100 failures");
  restart();
  EXPECT_TRUE(login("ada", secret, kAway).empty()) << "the count survives a restart";
  auto unlocked = directory->unlock_user("ada");
  expect_committed(unlocked);
  EXPECT_FALSE(login("ada", secret, kAway).empty());
}

TEST_F(SignIn, AResetThatIsNotCommittedLeavesTheAccountStopped) {
  auto const secret = person("ada");
  for (std::uint32_t i = 0; i < limits::kFailuresUntilHardLock; ++i)
    try_login("ada", "wrong password!", "0", "203.0.113." + std::to_string(i));
  {
    auto const dropped = directory->unlock_user("ada");
    EXPECT_TRUE(login("ada", secret, kAway).empty()) << "nor before its commit";
  }
  EXPECT_TRUE(login("ada", secret, kAway).empty());
}

TEST_F(SignIn, HashesAgainAtALogInWhenTheCostWasRaised) {
  auto const secret = person("ada");
  auto const row_of_ada = [&] {
    std::string all;
    EXPECT_TRUE(store.vault->sealed_view(vault::Keeper::kIdentity, vault::Purpose::kAuth)
                    .scan(as_bytes("u"), [&](ByteView, ByteView plaintext) -> Result<bool> {
                      all += as_text(plaintext);
                      return true;
                    }));
    return all;
  };
  EXPECT_TRUE(row_of_ada().contains("m=64,t=1"));
  restart({128, 2});
  EXPECT_FALSE(login("ada", secret).empty());
  EXPECT_TRUE(row_of_ada().contains("m=128,t=2"));
  EXPECT_FALSE(login("ada", secret).empty());
}

TEST_F(SignIn, ANameOfAnyLengthIsRefusedLikeAnUnknownOne) {
  EXPECT_EQ(try_login(std::string(50'000, 'a'), kPassword, "0").reason.view(), "unknown or disabled user");
  EXPECT_EQ(try_login("ada\n192.0.2.1", kPassword, "0").reason.view(), "unknown or disabled user");
  EXPECT_EQ(try_login("", "", "").reason.view(), "unknown or disabled user");
}

TEST_F(SignIn, AServiceAccountHasNoPassword) {
  service("loader.one");
  EXPECT_FALSE(try_login("loader.one", "", "").principal.has_value());
}

TEST_F(SignIn, TheNameTriedIsHashedUnderAKeyThatSurvivesARestart) {
  std::string const ada = directory->hashed_name("ada");
  EXPECT_EQ(ada.size(), 32U);
  EXPECT_NE(ada, directory->hashed_name("bob"));
  restart();
  EXPECT_EQ(directory->hashed_name("ada"), ada);
}

}  // namespace
}  // namespace tacenda::identity

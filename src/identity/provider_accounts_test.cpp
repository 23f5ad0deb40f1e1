#include "identity/directory_testing.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {
namespace {

constexpr char kIssuer[] = "https://login.example.org";

class ProviderAccountsTest : public testing::DirectoryTest {
 protected:
  Provisioning::User provisioned(std::string const& name, std::string const& external_id) {
    auto added = Provisioning(*directory).add({name, external_id, "", true});
    expect_committed(added);
    return added->user;
  }
  Directory::Attempt try_sign_in(std::string const& subject, std::string const& account = "",
                                 std::string const& issuer = kIssuer) {
    auto attempt = Provisioning(*directory)
                       .sign_in({issuer, subject, account, store.clock.now() - std::chrono::seconds(90)},
                                testing::kHome);
    EXPECT_TRUE(attempt.has_value());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    return std::move(*attempt);
  }
  bool signs_in(std::string const& subject, std::string const& account = "",
                std::string const& issuer = kIssuer) {
    auto const attempt = try_sign_in(subject, account, issuer);
    EXPECT_EQ(attempt.principal.has_value(), is_known(attempt.access_token));
    return attempt.principal.has_value();
  }
  void link(std::string const& name, std::optional<ProviderLink> link) {
    auto linked = Provisioning(*directory).link_provider(name, std::move(link));
    expect_committed(linked);
  }
};

TEST_F(ProviderAccountsTest, ASubjectThatIsLinkedSignsInAndNoOther) {
  person("ada");
  EXPECT_FALSE(signs_in("s1", "ada")) << "a name is no link";
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_TRUE(signs_in("s1"));
  EXPECT_FALSE(signs_in("S1"));
  EXPECT_FALSE(signs_in("s1", "", "https://login.example.com")) << "a subject is one of its issuer's";
  restart();
  auto const attempt = try_sign_in("s1");
  ASSERT_TRUE(attempt.principal.has_value());
  EXPECT_EQ(attempt.principal->name(), "ada");
  EXPECT_EQ(attempt.principal->method(), Method::kProvider);
  EXPECT_EQ(attempt.principal->second_factor_at(), store.clock.now() - std::chrono::seconds(90));
  restart();
  EXPECT_EQ(directory->authenticate_token(attempt.access_token)->method(), Method::kProvider);
}

TEST_F(ProviderAccountsTest, AnExternalIdIsOfWhoComesFirst) {
  provisioned("ada", "e1");
  EXPECT_FALSE(signs_in("s1", "e2"));
  EXPECT_FALSE(signs_in("s1", ""));
  EXPECT_TRUE(signs_in("s1", "e1"));
  EXPECT_FALSE(signs_in("s2", "e1")) << "it is linked to s1";
  EXPECT_TRUE(signs_in("s1", "anything"));
  restart();
  EXPECT_FALSE(signs_in("s2", "e1"));
  EXPECT_TRUE(signs_in("s1"));
}

TEST_F(ProviderAccountsTest, AnAccountWithARoleOfItsOwnIsNotOpenedByAnExternalId) {
  person("ada", "administrator");
  auto linked = Provisioning(*directory).link("ada", "e1");
  expect_committed(linked);
  EXPECT_FALSE(signs_in("s1", "e1"));
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_TRUE(signs_in("s1", "e1"));
}

TEST_F(ProviderAccountsTest, ALinkThatWasNotCommittedIsTakenBack) {
  provisioned("ada", "e1");
  {
    auto dropped = Provisioning(*directory).sign_in({kIssuer, "s1", "e1", store.clock.now()}, testing::kHome);
    ASSERT_TRUE(dropped.has_value() && dropped->principal);
    EXPECT_FALSE(is_known(dropped->access_token));
  }
  EXPECT_TRUE(signs_in("s2", "e1"));
}

TEST_F(ProviderAccountsTest, WhoIsSuspendedDeletedOrDisabledDoesNotComeIn) {
  auto const ada = provisioned("ada", "e1");
  auto const token = try_sign_in("s1", "e1").access_token;
  Provisioning provisioning(*directory);
  auto suspended = provisioning.change(ada.id, {"ada", "e1", "", false});
  expect_committed(suspended);
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(signs_in("s1", "e1"));
  auto back = provisioning.change(ada.id, {"ada", "e1", "", true});
  expect_committed(back);
  EXPECT_TRUE(signs_in("s1", "e1"));
  auto removed = provisioning.remove(ada.id);
  expect_committed(removed);
  EXPECT_FALSE(signs_in("s1", "e1"));
  // Who is hired again has another account here and is the same one there.
  auto const anew = provisioned("ada", "e1");
  EXPECT_NE(anew.id, ada.id);
  auto const attempt = try_sign_in("s1", "e1");
  ASSERT_TRUE(attempt.principal.has_value());
  EXPECT_EQ(attempt.principal->id().view(), anew.id);
  EXPECT_FALSE(signs_in("s2", "e1"));
}

TEST_F(ProviderAccountsTest, AnAccountThatSomebodyUsesIsNotOpenedByAnExternalId) {
  auto const ada = provisioned("ada", "e1");
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  enrol(renewed->enrolment_code);
  EXPECT_FALSE(signs_in("s1", "e1")) << "an administrator links it";
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_TRUE(signs_in("s1", "e1"));
}

TEST_F(ProviderAccountsTest, ALinkOfAnAdministratorThatWasNotCommittedOpensNothing) {
  person("ada");
  {
    auto dropped = Provisioning(*directory).link_provider("ada", ProviderLink{kIssuer, "s1"});
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_FALSE(signs_in("s1"));
  EXPECT_EQ(Provisioning(*directory).link_provider("ada", ProviderLink{kIssuer, "a\nb"}).error().kind(),
            ErrorKind::kInvalid);
}

TEST_F(ProviderAccountsTest, TakingALinkBackEndsWhatCameByIt) {
  person("ada");
  link("ada", ProviderLink{kIssuer, "s1"});
  auto const token = try_sign_in("s1").access_token;
  ASSERT_TRUE(is_known(token));
  link("ada", std::nullopt);
  EXPECT_FALSE(is_known(token));
  EXPECT_FALSE(signs_in("s1"));
  restart();
  EXPECT_FALSE(signs_in("s1"));
}

// K-06: who was linked may be the one because of whom the factors are replaced.
TEST_F(ProviderAccountsTest, K06WhoEnrolsAgainIsNobodyAtTheProviderAnyMore) {
  person("ada");
  link("ada", ProviderLink{kIssuer, "s1"});
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  EXPECT_TRUE(signs_in("s1")) << "an invitation that nobody has used ends nothing";
  enrol(renewed->enrolment_code);
  EXPECT_FALSE(signs_in("s1"));
  EXPECT_FALSE(directory->find_user("ada")->provider);
  restart();
  EXPECT_FALSE(signs_in("s1"));
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_TRUE(signs_in("s1"));
}

TEST_F(ProviderAccountsTest, ALinkThatAnAdministratorTookBackComesBackByHimAlone) {
  auto const ada = provisioned("ada", "e1");
  EXPECT_TRUE(signs_in("s1", "e1"));
  auto taken_back = Provisioning(*directory).link_provider("ada", std::nullopt);
  ASSERT_TRUE(taken_back.has_value());
  EXPECT_FALSE(signs_in("s1", "e1")) << "before the commit already";
  expect_committed(taken_back);
  EXPECT_FALSE(signs_in("s1", "e1"));
  EXPECT_FALSE(signs_in("s2", "e1"));
  auto changed = Provisioning(*directory).change(ada.id, {"ada", "e1", "Ada", true});
  expect_committed(changed);
  restart();
  EXPECT_FALSE(signs_in("s1", "e1"));
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_TRUE(signs_in("s1", "e1"));
}

TEST_F(ProviderAccountsTest, ALinkOpensWhenItIsCommittedAndNotBefore) {
  person("ada");
  auto linked = Provisioning(*directory).link_provider("ada", ProviderLink{kIssuer, "s1"});
  ASSERT_TRUE(linked.has_value());
  EXPECT_FALSE(signs_in("s1"));
  expect_committed(linked);
  EXPECT_TRUE(signs_in("s1"));
}

TEST_F(ProviderAccountsTest, OfTwoWhoAreLinkedAtOnceTheFirstThatIsCommittedStays) {
  provisioned("ada", "e1");
  person("bob");
  auto const asserted = [&](std::string const& subject) {
    return Asserted{kIssuer, subject, "e1", store.clock.now()};
  };
  {
    auto late = Provisioning(*directory).sign_in(asserted("s1"), testing::kHome);
    ASSERT_TRUE(late.has_value() && late->principal);
    EXPECT_TRUE(signs_in("s2", "e1"));
    EXPECT_EQ(commit(late->pending).error().kind(), ErrorKind::kUnauthenticated);
    EXPECT_FALSE(is_known(late->access_token));
    EXPECT_TRUE(signs_in("s2", "e1"));
  }
  {
    auto bobs = Provisioning(*directory).link_provider("bob", ProviderLink{kIssuer, "s3"});
    link("ada", ProviderLink{kIssuer, "s3"});
    ASSERT_TRUE(bobs.has_value());
    EXPECT_EQ(commit(*bobs).error().kind(), ErrorKind::kConflict);
  }
  restart();
  EXPECT_EQ(try_sign_in("s3").principal->name(), "ada");
}

TEST_F(ProviderAccountsTest, ASubjectIsOfOnePerson) {
  service("lab");
  person("ada");
  person("bob");
  link("ada", ProviderLink{kIssuer, "s1"});
  EXPECT_EQ(Provisioning(*directory).link_provider("bob", ProviderLink{kIssuer, "s1"}).error().kind(),
            ErrorKind::kConflict);
  EXPECT_EQ(Provisioning(*directory).link_provider("lab", ProviderLink{kIssuer, "s2"}).error().kind(),
            ErrorKind::kForbidden);
  EXPECT_EQ(Provisioning(*directory).link_provider("bob", ProviderLink{kIssuer, ""}).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(Provisioning(*directory).link_provider("eve", ProviderLink{kIssuer, "s2"}).error().kind(),
            ErrorKind::kNotFound);
}

TEST_F(ProviderAccountsTest, ASignInThereSaysNothingOfWhoGuessesHere) {
  auto const secret = person("ada");
  link("ada", ProviderLink{kIssuer, "s1"});
  for (int i = 0; i < 4; ++i) try_login("ada", "wrong", "000000");
  EXPECT_TRUE(signs_in("s1"));
  EXPECT_TRUE(try_login("ada", "wrong", "000000").locked_now);
}

}  // namespace
}  // namespace tacenda::identity

#include "identity/provisioning.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/application_limits.hpp"
#include "identity/directory_testing.hpp"

namespace tacenda::identity {
namespace {

using testing::kPassword;

class ProvisioningTest : public testing::DirectoryTest {
 protected:
  Provisioning provisioning() { return Provisioning(*directory); }

  Provisioning::User add(std::string const& name, std::string const& external = "") {
    auto added = provisioning().add({name, external, "", true});
    expect_committed(added);
    return added->user;
  }
  Provisioning::GroupView group(std::string const& name, std::vector<std::string> members) {
    auto made = provisioning().add_group({name, "", std::move(members)});
    expect_committed(made);
    return made->after;
  }
  void use_roles() { provisioning().use({{{"Chiefs", "chief"}, {"Doctors", "doctor"}, {"g-7", "nurse"}}}); }
  std::string role_of(Provisioning::User const& user) { return provisioning().user(user.id)->role; }
  Result<Provisioning::Change> set_active(Provisioning::User const& user, bool active) {
    return provisioning().change(user.id,
                                 {user.is->user_name, user.is->external_id, user.is->display_name, active});
  }
};

TEST_F(ProvisioningTest, AnAccountThatIsMadeHasNoFactorAndNoRole) {
  use_roles();
  auto const ada = add("Ada.Lovelace@Example.org", "e1");
  EXPECT_EQ(ada.name, "ada.lovelace@example.org");
  EXPECT_EQ(ada.role, "");
  EXPECT_TRUE(ada.active);
  EXPECT_FALSE(directory->find_user(ada.name)->enrolled);
  EXPECT_EQ(try_login(ada.name, kPassword, "000000").access_token, "");
  restart();
  auto const after = provisioning().user(ada.id);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->is->user_name, "Ada.Lovelace@Example.org");
  EXPECT_EQ(after->is->external_id, "e1");
}

TEST_F(ProvisioningTest, UserNamesAndExternalIdsAreUnique) {
  add("ada", "e1");
  person("bob");
  EXPECT_EQ(provisioning().add({"ADA", "", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().add({"eve", "e1", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().add({"Bob", "", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().add({"system", "", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().add({"", "", "", true}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(provisioning().add({"a\nb", "", "", true}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(provisioning().add({"a\xff", "", "", true}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(provisioning().add({std::string(257, 'a'), "", "", true}).error().kind(), ErrorKind::kInvalid);
  auto const eve = add("eve", "e2");
  EXPECT_EQ(provisioning().change(eve.id, {"Ada", "e2", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().change(eve.id, {"eve", "e1", "", true}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().change(eve.id, {"bob", "e2", "", true}).error().kind(), ErrorKind::kConflict);
}

TEST_F(ProvisioningTest, ALogInNameIsMadeOfAnyUserName) {
  EXPECT_EQ(add("a+b#EXT#@x.org").name, "a-b-ext-@x.org");
  EXPECT_EQ(add("a/b#EXT#@x.org").name, "a-b-ext-@x.org-2");
  EXPECT_EQ(add("--Zoë").name, "zo--");
  EXPECT_EQ(add("日本").name, "user");
  EXPECT_LE(add(std::string(200, 'q')).name.size(), limits::kUserNameBytes);
}

// S-02: neither id nor log-in name is given again.
TEST_F(ProvisioningTest, S02WhoIsDeletedIsGoneForGoodAndHisNameIsHisOwn) {
  auto const first = add("ada", "e1");
  auto removed = provisioning().remove(first.id);
  expect_committed(removed);
  EXPECT_EQ(provisioning().user(first.id).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(provisioning().users().empty());
  EXPECT_FALSE(directory->find_user("ada")->enabled);
  auto const second = add("ada", "e1");
  EXPECT_NE(second.id, first.id);
  EXPECT_EQ(second.name, "ada-2");
  restart();
  EXPECT_EQ(provisioning().users().size(), 1U);
  EXPECT_EQ(provisioning().user(first.id).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(directory->find_user("ada")->enabled);
  EXPECT_EQ(provisioning().remove(first.id).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(set_active(first, true).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(directory->renew_enrolment("ada").error().kind(), ErrorKind::kForbidden);
}

// S-11: as disabling does, at once.
TEST_F(ProvisioningTest, S11SuspendingEndsWhatIsOpenAndComingBackRevivesNothing) {
  auto const ada = add("ada");
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  auto const secret = enrol(renewed->enrolment_code);
  auto const token = login("ada", secret);
  ASSERT_TRUE(is_known(token));
  auto const before = directory->authenticate_token(token);
  auto suspended = set_active(ada, false);
  ASSERT_TRUE(suspended.has_value());
  EXPECT_FALSE(is_known(token)) << "before the commit already";
  EXPECT_EQ(directory->confirm(*before).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_FALSE(directory->principal_for_work(before->id()).has_value());
  expect_committed(suspended);
  EXPECT_EQ(token_rows(), 0U);
  EXPECT_EQ(login("ada", secret), "");
  restart();
  EXPECT_EQ(login("ada", secret), "");
  auto back = set_active(ada, true);
  expect_committed(back);
  EXPECT_FALSE(is_known(token));
  EXPECT_EQ(directory->confirm(*before).error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_NE(login("ada", secret), "");
}

TEST_F(ProvisioningTest, ASuspensionThatWasNotCommittedHoldsAndARevivalDoesNot) {
  auto const ada = add("ada");
  {
    auto dropped = set_active(ada, false);
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_FALSE(provisioning().user(ada.id)->active) << "the safe side";
  auto again = set_active(ada, true);
  expect_committed(again);
  auto suspended = set_active(ada, false);
  expect_committed(suspended);
  {
    auto dropped = set_active(ada, true);
    ASSERT_TRUE(dropped.has_value());
  }
  EXPECT_FALSE(provisioning().user(ada.id)->active);
}

TEST_F(ProvisioningTest, S11ARevivalOpensWhenItIsCommittedAndNotBefore) {
  auto const ada = add("ada");
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  auto const secret = enrol(renewed->enrolment_code);
  auto suspended = set_active(ada, false);
  expect_committed(suspended);
  {
    auto dropped = set_active(ada, true);
    ASSERT_TRUE(dropped.has_value());
    EXPECT_TRUE(dropped->effects.at(0).after.active) << "what it will be";
    EXPECT_EQ(login("ada", secret), "");
  }
  EXPECT_EQ(login("ada", secret), "");
  auto back = set_active(ada, true);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(login("ada", secret), "");
  expect_committed(back);
  EXPECT_NE(login("ada", secret), "");
}

// What a sign-in would store of an account that is not stored itself, no directory could read.
TEST_F(ProvisioningTest, AnAccountIsNotThereBeforeItIsCommitted) {
  {
    auto added = provisioning().add({"ada", "e1", "", true});
    ASSERT_TRUE(added.has_value());
    auto attempt =
        provisioning().sign_in({"https://login.example.org", "s1", "e1", store.clock.now()}, testing::kHome);
    ASSERT_TRUE(attempt.has_value());
    EXPECT_FALSE(attempt->principal.has_value());
    EXPECT_TRUE(commit(attempt->pending).has_value());
    EXPECT_EQ(directory->limit_until("ada", store.clock.now()).error().kind(), ErrorKind::kNotFound);
    EXPECT_EQ(provisioning().user(added->user.id).error().kind(), ErrorKind::kNotFound);
    EXPECT_EQ(provisioning().add_group({"Doctors", "", {added->user.id}}).error().kind(),
              ErrorKind::kInvalid);
  }
  restart();
  EXPECT_TRUE(provisioning().users().empty());
  EXPECT_TRUE(directory->users().empty());
}

TEST_F(ProvisioningTest, S02OfTwoWhoGetOneNameAtOnceTheFirstThatIsCommittedHasIt) {
  auto by_provider = provisioning().add({"ada", "e1", "", true});
  auto by_administrator = directory->add_user({"ada", "doctor", false, std::nullopt});
  expect_committed(by_administrator);
  ASSERT_TRUE(by_provider.has_value());
  EXPECT_EQ(commit(by_provider->pending).error().kind(), ErrorKind::kConflict);
  restart();
  EXPECT_EQ(directory->users().size(), 1U);
  EXPECT_TRUE(provisioning().users().empty());
}

TEST_F(ProvisioningTest, ARoleByAGroupCountsWhenItIsCommittedAndNotBefore) {
  use_roles();
  auto const ada = add("ada");
  auto made = provisioning().add_group({"Doctors", "", {ada.id}});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->effects.at(0).after.role, "doctor") << "what it will be";
  EXPECT_EQ(role_of(ada), "");
  EXPECT_TRUE(provisioning().groups().empty());
  expect_committed(made);
  EXPECT_EQ(role_of(ada), "doctor");
}

TEST_F(ProvisioningTest, S11AGroupDoesNotReviveWhoseSuspensionWasNotCommitted) {
  auto const ada = add("ada");
  {
    auto dropped = set_active(ada, false);
    ASSERT_TRUE(dropped.has_value());
  }
  group("Doctors", {ada.id});
  EXPECT_FALSE(provisioning().user(ada.id)->active);
  restart();
  EXPECT_FALSE(provisioning().user(ada.id)->active);
}

TEST_F(ProvisioningTest, S11ADeletionThatWasNotCommittedIsAskedForAgain) {
  auto const ada = add("ada");
  {
    auto dropped = provisioning().remove(ada.id);
    ASSERT_TRUE(dropped.has_value());
  }
  ASSERT_TRUE(provisioning().user(ada.id).has_value()) << "it is not done, and must not look so";
  EXPECT_FALSE(provisioning().user(ada.id)->active);
  auto again = provisioning().remove(ada.id);
  expect_committed(again);
  restart();
  EXPECT_FALSE(provisioning().user(ada.id).has_value());
}

TEST_F(ProvisioningTest, S11SuspendingAnAccountThatIsOverEndsWhatWasOpen) {
  auto const ada = add("ada");
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  auto const token = login("ada", enrol(renewed->enrolment_code));
  ASSERT_TRUE(is_known(token));
  auto limited = directory->limit_until("ada", store.clock.now() + std::chrono::seconds(10));
  expect_committed(limited);
  store.clock.advance(std::chrono::seconds(20));
  EXPECT_FALSE(is_known(token));
  auto suspended = set_active(ada, false);
  expect_committed(suspended);
  auto longer = directory->limit_until("ada", std::nullopt);
  expect_committed(longer);
  auto back = set_active(ada, true);
  expect_committed(back);
  EXPECT_FALSE(is_known(token));
}

TEST_F(ProvisioningTest, WhomAnAdministratorClosedTheProviderDoesNotOpen) {
  auto const ada = add("ada");
  auto disabled = directory->disable_user("ada");
  expect_committed(disabled);
  EXPECT_FALSE(provisioning().user(ada.id)->active);
  EXPECT_EQ(set_active(ada, true).error().kind(), ErrorKind::kForbidden);
  auto suspended = set_active(ada, false);
  expect_committed(suspended);
  EXPECT_EQ(set_active(ada, true).error().kind(), ErrorKind::kForbidden);
}

TEST_F(ProvisioningTest, GroupsGiveTheRoleOfTheFirstRuleThatFits) {
  use_roles();
  auto const ada = add("ada");
  auto const doctors = group("Doctors", {ada.id});
  EXPECT_EQ(role_of(ada), "doctor");
  auto const chiefs = group("Chiefs", {ada.id});
  EXPECT_EQ(role_of(ada), "chief");
  group("Gardeners", {ada.id});
  EXPECT_EQ(role_of(ada), "chief");
  restart();
  EXPECT_EQ(role_of(ada), "") << "no rule is known";
  use_roles();
  EXPECT_EQ(role_of(ada), "chief");
  auto gone = provisioning().remove_group(chiefs.is->id);
  expect_committed(gone);
  EXPECT_EQ(role_of(ada), "doctor");
  EXPECT_EQ(provisioning().user(ada.id)->is->groups.size(), 2U);
  auto out = provisioning().change_group(doctors.is->id, {"Doctors", "", {}});
  expect_committed(out);
  EXPECT_EQ(role_of(ada), "");
  ASSERT_EQ(out->effects.size(), 1U);
  EXPECT_EQ(out->effects[0].before.role, "doctor");
  EXPECT_EQ(out->effects[0].after.role, "");
}

TEST_F(ProvisioningTest, AGroupIsFoundByItsExternalIdTooAndByNoOtherCase) {
  use_roles();
  auto const ada = add("ada");
  auto made = provisioning().add_group({"Ward 7", "g-7", {ada.id}});
  expect_committed(made);
  EXPECT_EQ(role_of(ada), "nurse");
  auto renamed = provisioning().change_group(made->after.is->id, {"doctors", "", {ada.id}});
  expect_committed(renamed);
  EXPECT_EQ(role_of(ada), "") << "a rule names a group letter by letter";
}

TEST_F(ProvisioningTest, ANewNameOfAGroupChangesTheRolesOfThoseInIt) {
  use_roles();
  auto const ada = add("ada");
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  auto const token = login("ada", enrol(renewed->enrolment_code));
  auto const made = group("Gardeners", {ada.id});
  auto const gardener = directory->authenticate_token(token);
  EXPECT_EQ(gardener->role(), "");
  auto renamed = provisioning().change_group(made.is->id, {"Doctors", "", {ada.id}});
  expect_committed(renamed);
  ASSERT_EQ(renamed->effects.size(), 1U);
  EXPECT_EQ(renamed->effects[0].after.role, "doctor");
  EXPECT_EQ(directory->authenticate_token(token)->role(), "doctor");
  EXPECT_EQ(directory->confirm(*gardener).error().kind(), ErrorKind::kForbidden) << "another role meanwhile";
}

TEST_F(ProvisioningTest, AGroupChangeThatWasNotCommittedIsTakenBack) {
  use_roles();
  auto const ada = add("ada");
  auto const made = group("Gardeners", {ada.id});
  {
    auto dropped = provisioning().change_group(made.is->id, {"Doctors", "", {ada.id}});
    ASSERT_TRUE(dropped.has_value());
    auto fresh = provisioning().add_group({"Chiefs", "", {}});
    ASSERT_TRUE(fresh.has_value());
  }
  EXPECT_EQ(role_of(ada), "");
  ASSERT_EQ(provisioning().groups().size(), 1U);
  EXPECT_EQ(provisioning().groups()[0].is->display_name, "Gardeners");
  EXPECT_EQ(provisioning().groups()[0].members, std::vector<std::string>{ada.id});
}

TEST_F(ProvisioningTest, AGroupHasUsersOfTheProviderAloneAndANameOfItsOwn) {
  person("bob");
  auto const bob = directory->find_user("bob")->id;
  auto const ada = add("ada");
  for (auto const& member : {bob, std::string("nobody"), std::string()})
    EXPECT_EQ(provisioning().add_group({"Doctors", "", {ada.id, member}}).error().kind(),
              ErrorKind::kInvalid);
  auto const made = group("Doctors", {ada.id, ada.id});
  EXPECT_EQ(made.members.size(), 1U);
  EXPECT_EQ(provisioning().add_group({"DOCTORS", "", {}}).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().add_group({"", "", {}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(provisioning().group("nothing").error().kind(), ErrorKind::kNotFound);
  auto removed = provisioning().remove(ada.id);
  expect_committed(removed);
  EXPECT_TRUE(provisioning().group(made.is->id)->members.empty());
}

TEST_F(ProvisioningTest, ItReachesNoAccountThatItDidNotMakeUnlessItIsLinked) {
  use_roles();
  auto const secret = person("bob", "administrator");
  auto const id = directory->find_user("bob")->id;
  EXPECT_EQ(provisioning().user(id).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(provisioning().remove(id).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(provisioning().change(id, {"bob", "", "", false}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(provisioning().unlink("bob").error().kind(), ErrorKind::kConflict);
  auto linked = provisioning().link("bob", "e7");
  expect_committed(linked);
  restart();
  use_roles();
  auto const bob = provisioning().user(id);
  ASSERT_TRUE(bob.has_value());
  EXPECT_EQ(bob->is->external_id, "e7");
  group("Doctors", {id});
  EXPECT_EQ(role_of(*bob), "administrator") << "its role is the administrator's business";
  auto const token = login("bob", secret);
  auto suspended = set_active(*bob, false);
  expect_committed(suspended);
  EXPECT_FALSE(is_known(token));
  EXPECT_EQ(provisioning().unlink("bob").error().kind(), ErrorKind::kConflict) << "it would open the account";
  auto back = set_active(*bob, true);
  expect_committed(back);
  auto unlinked = provisioning().unlink("bob");
  expect_committed(unlinked);
  restart();
  EXPECT_EQ(provisioning().user(id).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(directory->find_user("bob")->enabled);
}

TEST_F(ProvisioningTest, OnlyAPersonWhoIsNotKnownCanBeLinked) {
  service("lab");
  add("ada", "e1");
  person("bob");
  EXPECT_EQ(provisioning().link("nobody", "").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(provisioning().link("lab", "").error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(provisioning().link("ada", "").error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().link("bob", "e1").error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(provisioning().unlink("ada").error().kind(), ErrorKind::kConflict) << "it was made, not linked";
}

TEST_F(ProvisioningTest, AnAdministratorGivesNoRoleToWhomGroupsGiveOne) {
  add("ada");
  EXPECT_EQ(directory->change_role("ada", "administrator").error().kind(), ErrorKind::kConflict);
}

}  // namespace
}  // namespace tacenda::identity

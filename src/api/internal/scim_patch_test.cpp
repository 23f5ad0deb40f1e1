#include "api/internal/scim_patch.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/application_limits.hpp"

namespace tacenda::api {
namespace {

using identity::Provisioning;
using Type = ScimRefusal::Type;
using Members = std::vector<std::string>;

Provisioning::Wanted const kAda{"ada", "e1", "Ada", true};
Provisioning::WantedGroup const kDoctors{"Doctors", "g1", {"a", "b", "c"}};

std::string operations(std::string_view list) {
  return R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":)" + std::string(list) +
         "}";
}

Provisioning::Wanted user(std::string_view list) {
  auto const patched = patched_user(scim_object_of(operations(list)).value(), kAda);
  EXPECT_TRUE(patched.has_value()) << list << ": " << (patched ? "" : patched.error().error.message());
  return patched.value_or(Provisioning::Wanted{});
}
Provisioning::WantedGroup group(std::string_view list) {
  auto const patched = patched_group(scim_object_of(operations(list)).value(), kDoctors);
  EXPECT_TRUE(patched.has_value()) << list << ": " << (patched ? "" : patched.error().error.message());
  return patched.value_or(Provisioning::WantedGroup{});
}
Type user_refusal(std::string_view list) {
  auto const patched = patched_user(scim_object_of(operations(list)).value(), kAda);
  EXPECT_FALSE(patched.has_value()) << list;
  return patched.has_value() ? Type::kNone : patched.error().type;
}
Type group_refusal(std::string_view list) {
  auto const patched = patched_group(scim_object_of(operations(list)).value(), kDoctors);
  EXPECT_FALSE(patched.has_value()) << list;
  return patched.has_value() ? Type::kNone : patched.error().type;
}

TEST(ScimPatch, SuspendsAsTheStandardAsEntraAndAsOktaSayIt) {
  EXPECT_FALSE(user(R"([{"op":"replace","path":"active","value":false}])").active);
  EXPECT_FALSE(user(R"([{"op":"Replace","path":"active","value":"False"}])").active);
  EXPECT_FALSE(user(R"([{"op":"Add","path":"ACTIVE","value":"false"}])").active);
  EXPECT_FALSE(user(R"([{"op":"replace","value":{"active":false}}])").active);
  EXPECT_FALSE(
      user(R"([{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:active","value":false}])")
          .active);
}

TEST(ScimPatch, ChangesWhatIsKeptAndPassesOverTheRest) {
  auto const changed = user(R"([
    {"op":"replace","path":"userName","value":"ada.king"},
    {"op":"Replace","path":"emails[type eq \"work\"].value","value":"ada@example.org"},
    {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Lab"},
    {"op":"Replace","value":{"displayName":"Ada King","name.familyName":"King","title":"Countess"}},
    {"op":"remove","path":"externalId"}])");
  EXPECT_EQ(changed.user_name, "ada.king");
  EXPECT_EQ(changed.display_name, "Ada King");
  EXPECT_EQ(changed.external_id, "");
  EXPECT_TRUE(changed.active);
}

TEST(ScimPatch, RefusesWhatAUserCannotBecome) {
  EXPECT_EQ(user_refusal(R"([{"op":"remove","path":"userName"}])"), Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"remove","path":"active"}])"), Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"id","value":"x"}])"), Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"add","path":"groups","value":[{"value":"g"}]}])"), Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"add","path":"roles","value":[{"value":"administrator"}]}])"),
            Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"add","value":{"roles":[{"value":"administrator"}]}}])"),
            Type::kMutability);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"active","value":"perhaps"}])"), Type::kInvalidValue);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"active","value":0}])"), Type::kInvalidValue);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"userName","value":["a"]}])"), Type::kInvalidValue);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"userName"}])"), Type::kInvalidValue);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"userName.first","value":"a"}])"), Type::kInvalidPath);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"active[value eq true]","value":true}])"),
            Type::kInvalidPath);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":"emails[","value":"a"}])"), Type::kInvalidPath);
  EXPECT_EQ(user_refusal(R"([{"op":"replace","path":7,"value":"a"}])"), Type::kInvalidPath);
  EXPECT_EQ(user_refusal(R"([{"op":"move","path":"userName","value":"a"}])"), Type::kInvalidSyntax);
  EXPECT_EQ(user_refusal(R"([{"op":"remove"}])"), Type::kNoTarget);
  EXPECT_EQ(user_refusal("[]"), Type::kInvalidSyntax);
  EXPECT_EQ(user_refusal("[3]"), Type::kInvalidSyntax);
  std::string many = "[";
  for (std::size_t i = 0; i <= limits::kScimOperations; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"op":"replace","path":"active","value":true})";
  EXPECT_EQ(user_refusal(many + "]"), Type::kTooMany);
}

TEST(ScimPatch, AllOperationsHoldOrNone) {
  auto const body = scim_object_of(operations(
      R"([{"op":"replace","path":"displayName","value":"B"},{"op":"replace","path":"id","value":"x"}])"));
  EXPECT_FALSE(patched_user(body.value(), kAda).has_value());
}

TEST(ScimPatch, AddsAndRemovesMembersInEveryWayThatClientsHave) {
  EXPECT_EQ(group(R"([{"op":"Add","path":"members","value":[{"value":"d"},{"value":"a"}]}])").members,
            (Members{"a", "b", "c", "d"}));
  EXPECT_EQ(group(R"([{"op":"add","path":"members","value":{"value":"d","type":"User"}}])").members,
            (Members{"a", "b", "c", "d"}));
  EXPECT_EQ(group(R"([{"op":"add","value":{"members":[{"value":"d"}]}}])").members,
            (Members{"a", "b", "c", "d"}));
  EXPECT_EQ(group(R"([{"op":"remove","path":"members[value eq \"b\"]"}])").members, (Members{"a", "c"}));
  EXPECT_EQ(group(R"([{"op":"Remove","path":"members","value":[{"value":"a"},{"value":"c"}]}])").members,
            Members{"b"});
  EXPECT_EQ(group(R"([{"op":"remove","path":"members"}])").members, Members{});
  EXPECT_EQ(group(R"([{"op":"remove","path":"members[value eq \"a\" or value eq \"c\"]"}])").members,
            Members{"b"});
  EXPECT_EQ(group(R"([{"op":"replace","path":"members","value":[{"value":"z"}]}])").members, Members{"z"});
  EXPECT_EQ(group(R"([{"op":"replace","value":{"id":"g","displayName":"Chiefs"}}])").display_name, "Chiefs");
}

TEST(ScimPatch, RefusesWhatAGroupCannotBecome) {
  EXPECT_EQ(group_refusal(R"([{"op":"remove","path":"displayName"}])"), Type::kMutability);
  EXPECT_EQ(group_refusal(R"([{"op":"add","path":"members","value":[{"value":"g2","type":"Group"}]}])"),
            Type::kInvalidValue);
  EXPECT_EQ(group_refusal(R"([{"op":"add","path":"members","value":[{"display":"Ada"}]}])"),
            Type::kInvalidValue);
  EXPECT_EQ(group_refusal(R"([{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"z"}}])"),
            Type::kNoTarget);
  EXPECT_EQ(group_refusal(R"([{"op":"replace","path":"members[value eq \"a\"].display","value":"z"}])"),
            Type::kMutability);
}

TEST(ScimPatch, AFilterThatLooksAtTooMuchIsRefused) {
  Provisioning::WantedGroup large{"Large", "", {}};
  for (int i = 0; i < 50'000; ++i) large.members.push_back("m" + std::to_string(i));
  std::string list = "[";
  for (int i = 0; i < 100; ++i)
    list += std::string(i == 0 ? "" : ",") + R"({"op":"remove","path":"members[value sw \"x\"]"})";
  auto const patched = patched_group(scim_object_of(operations(list + "]")).value(), large);
  ASSERT_FALSE(patched.has_value());
  EXPECT_EQ(patched.error().type, Type::kTooMany);
}

TEST(ScimBody, ReplacesWhatItSaysAndRevivesNobodyBySilence) {
  Provisioning::Wanted const suspended{"ada", "e1", "Ada", false};
  auto const silent =
      user_of(scim_object_of(R"({"USERNAME":"ada","emails":[{"value":"x"}]})").value(), suspended);
  ASSERT_TRUE(silent.has_value());
  EXPECT_EQ(silent->user_name, "ada");
  EXPECT_EQ(silent->external_id, "");
  EXPECT_FALSE(silent->active);
  EXPECT_TRUE(user_of(scim_object_of(R"({"userName":"a","active":"True"})").value(), suspended)->active);
  EXPECT_FALSE(user_of(scim_object_of(R"({"userName":7})").value(), suspended).has_value());
}

TEST(ScimBody, IsAnObjectWithinItsBounds) {
  EXPECT_EQ(scim_object_of("[]").error().type, Type::kInvalidSyntax);
  EXPECT_EQ(scim_object_of("{").error().type, Type::kInvalidSyntax);
  EXPECT_EQ(scim_object_of(R"({"a":1,"a":2})").error().type, Type::kInvalidSyntax);
  EXPECT_EQ(scim_object_of(std::string(limits::kScimBodyBytes + 1, ' ')).error().error.kind(),
            ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::api

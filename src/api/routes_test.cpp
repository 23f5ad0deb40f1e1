#include "api/routes.hpp"

#include <gtest/gtest.h>

#include "fhir/types.hpp"

namespace tacenda::api {
namespace {

TEST(Match, FindsTheInteractionAndItsParts) {
  auto const found = match("GET", "/fhir/Patient/a-1/_history/3").value();
  ASSERT_NE(found.route, nullptr);
  EXPECT_EQ(found.route->interaction, Interaction::kVread);
  EXPECT_EQ(found.type, "Patient");
  EXPECT_EQ(found.id, "a-1");
  EXPECT_EQ(found.version, "3");
  EXPECT_EQ(match("HEAD", "/fhir/Patient/a")->route->interaction, Interaction::kRead);
  EXPECT_EQ(match("GET", "/fhir/_history")->route->interaction, Interaction::kHistorySystem);
  EXPECT_EQ(match("GET", "/fhir/metadata")->route->interaction, Interaction::kCapabilities);
  EXPECT_EQ(match("POST", "/fhir")->route->interaction, Interaction::kBundle);
}

TEST(Match, TellsAnExportOfEachLevelAndWhatFollowsIt) {
  for (auto const* path : {"/fhir/$export", "/fhir/%24export", "/fhir/Patient/$export"}) {
    EXPECT_EQ(match("GET", path)->route->interaction, Interaction::kExport) << path;
    EXPECT_EQ(match("POST", path)->route->interaction, Interaction::kExport) << path;
  }
  auto const group = match("GET", "/fhir/Group/7/$export").value();
  EXPECT_EQ(group.route->interaction, Interaction::kExport);
  EXPECT_EQ(group.id, "7");
  EXPECT_FALSE(match("GET", "/fhir/Observation/$export").has_value());
  EXPECT_FALSE(match("GET", "/fhir/Patient/7/$export").has_value());
  auto const file = match("GET", "/fhir/$export/a-b/3").value();
  EXPECT_EQ(file.route->interaction, Interaction::kExportFile);
  EXPECT_EQ(file.id + " " + file.version, "a-b 3");
  EXPECT_EQ(match("GET", "/fhir/$export/a-b")->route->interaction, Interaction::kExportStatus);
  EXPECT_EQ(match("DELETE", "/fhir/$export/a-b")->route->interaction, Interaction::kExportCancel);
  EXPECT_EQ(match("PUT", "/fhir/$export/a-b")->route, nullptr);
}

TEST(Match, O02NoMethodWritesTheLog) {
  for (auto const* method : {"PUT", "PATCH", "DELETE"}) {
    for (auto const* path : {"/fhir/AuditEvent", "/fhir/AuditEvent/1"}) {
      auto const found = match(method, path).value();
      EXPECT_EQ(found.route, nullptr) << method << path;
      EXPECT_EQ(found.methods, "GET, HEAD") << method << path;
    }
  }
  EXPECT_EQ(match("POST", "/fhir/AuditEvent")->route, nullptr);
  EXPECT_FALSE(match("POST", "/fhir/AuditEvent/1/$meta-add").has_value());
  EXPECT_NE(match("GET", "/fhir/AuditEvent/1")->route, nullptr);
}

TEST(Match, SaysWhichMethodsAPathHas) {
  EXPECT_EQ(match("POST", "/fhir/Patient/a")->methods, "GET, HEAD, PUT, PATCH, DELETE");
  EXPECT_EQ(match("DELETE", "/fhir/_history")->methods, "GET, HEAD");
  EXPECT_EQ(match("GET", "/fhir/Patient/a")->methods, "");
}

TEST(Match, TellsAKnownPathWithAnotherMethodFromAnUnknownPath) {
  EXPECT_EQ(match("PUT", "/fhir/Patient/a/_history")->route, nullptr);
  EXPECT_EQ(match("TRACE", "/fhir/Patient/a")->route, nullptr);
  for (auto const* path :
       {"/", "/fhir/Nothing/1", "/fhir/patient/1", "/admin/users", "/fhir/Patient/1/$nothing",
        "/fhir/Medication/1/Patient", "/fhir/Patient/1/Nothing", "/fhir/Patient/_history/1", "/fhir/../etc",
        "/FHIR/Patient/1", "/fhir/Patient/1/"}) {
    auto const result = match("GET", path);
    EXPECT_FALSE(result.has_value()) << path;
  }
  EXPECT_EQ(match("GET", "/fhir/Patient/%zz").error().kind(), ErrorKind::kInvalid);
}

// S-01: what is open is this list and nothing else.
TEST(Routes, AreClosedButForTheNamedOnes) {
  for (auto const& route : routes()) {
    bool const open =
        route.interaction == Interaction::kCapabilities || route.interaction == Interaction::kEnrol ||
        route.interaction == Interaction::kEnrolmentPage ||
        route.interaction == Interaction::kEnrolmentScript ||
        route.interaction == Interaction::kEnrolmentStyle ||
        route.interaction == Interaction::kConfirmEnrolment ||
        route.interaction == Interaction::kOfferPasskeySignIn ||
        route.interaction == Interaction::kPasskeySignIn || route.interaction == Interaction::kSignInPage ||
        route.interaction == Interaction::kSignInScript || route.interaction == Interaction::kLogin ||
        route.interaction == Interaction::kSmartConfiguration || route.interaction == Interaction::kToken ||
        route.interaction == Interaction::kOpenIdConfiguration || route.interaction == Interaction::kJwks ||
        route.interaction == Interaction::kAuthorize || route.interaction == Interaction::kAuthorizeSignIn ||
        route.interaction == Interaction::kAuthorizeConsent ||
        route.interaction == Interaction::kAuthorizePasskey ||
        route.interaction == Interaction::kAuthorizePasskeyScript ||
        route.interaction == Interaction::kAuthorizeProvider ||
        route.interaction == Interaction::kProviderCallback || route.interaction == Interaction::kProvider ||
        route.interaction == Interaction::kBeginProviderSignIn ||
        route.interaction == Interaction::kProviderSignIn || route.interaction == Interaction::kRevokeToken ||
        route.interaction == Interaction::kIntrospectToken || route.interaction == Interaction::kHealth;
    EXPECT_EQ(route.needs_sign_in, !open) << route.pattern;
    bool const on_records = route.pattern.contains("{type}");
    // What is sent to $validate says whether it is to be created, updated, read or deleted: the operation
    // asks the gate.
    bool const in_body = route.interaction == Interaction::kValidate && route.method == "POST";
    EXPECT_TRUE(!on_records || in_body || route.action.has_value()) << route.pattern;
  }
}

}  // namespace
}  // namespace tacenda::api

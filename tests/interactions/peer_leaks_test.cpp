// C-11: leaks that other FHIR servers had, by name, each as its report says it. What is hidden here is hidden
// by a consent, an application's scopes or a patient's own compartment.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

using test::TestServer;

/// Two patients with an Observation each; that of `open` is derived from that of `hidden`.
class PeerLeaks : public testing::Test {
 protected:
  void SetUp() override {
    auto const administrator = server_.sign_in("administrator");
    for (std::string const name : {"hidden", "open"}) {
      put(administrator,
          fmt::format(R"({{"resourceType":"Patient","id":"{0}","name":[{{"family":"{0}"}}]}})", name));
      put(administrator,
          fmt::format(R"({{"resourceType":"Observation","id":"of-{0}","status":"final",)"
                      R"("code":{{"coding":[{{"system":"http://s","code":"{0}"}}]}},)"
                      R"("subject":{{"reference":"Patient/{0}"}}{1}}})",
                      name,
                      name == "open" ? R"(,"derivedFrom":[{"reference":"Observation/of-hidden"}])" : ""));
    }
  }

  void opt_out() {
    put(server_.sign_in("administrator"),
        R"({"resourceType":"Consent","id":"no","status":"active","scope":{"coding":[{"system":)"
        R"("http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},)"
        R"("category":[{"text":"c"}],"patient":{"reference":"Patient/hidden"},"policyRule":{"coding":[{"system":)"
        R"("http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"}]}})");
  }

  void put(identity::Principal const& who, std::string const& json) {
    auto const written = server_.update(who, json);
    ASSERT_TRUE(written.has_value()) << written.error().message();
  }

  identity::Principal with_scopes(std::string_view role, std::string_view scopes) {
    auto application = std::make_shared<identity::Application>();
    application->client = "app";
    application->scopes = codec::parse_scopes(scopes).value();
    return server_.directory()
        .principal_for_work(server_.sign_in(std::string(role)).id(), application)
        .value();
  }

  /// "Patient/open", and what is included behind "+".
  std::vector<std::string> found(identity::Principal const& who, std::string const& type,
                                 std::string const& query) {
    auto const answer = server_.search(who, type, query);
    EXPECT_TRUE(answer.has_value()) << query << ": " << answer.error().message();
    std::vector<std::string> names;
    if (!answer.has_value()) return names;
    for (auto const& each : answer->matches) names.push_back(each.type + "/" + each.id);
    for (auto const& each : answer->included) names.push_back("+" + each.type + "/" + each.id);
    std::ranges::sort(names);
    return names;
  }

  TestServer server_{"classic"};
};

using Names = std::vector<std::string>;

// https://github.com/hapifhir/hapi-fhir/issues/6065: _has and chains were asked of what the caller may not
// see.
TEST_F(PeerLeaks, C11Hapi6065HasAndChainsAskNothingOfWhatIsHidden) {
  auto const doctor = server_.sign_in("doctor");
  std::array<std::pair<std::string, std::string>, 3> const questions{
      {{"Patient", "_has:Observation:patient:code=hidden"},
       {"Observation", "patient.family=hidden"},
       {"Observation", "derived-from.code=hidden"}}};
  for (auto const& [type, query] : questions) EXPECT_FALSE(found(doctor, type, query).empty()) << query;
  opt_out();
  for (auto const& [type, query] : questions) EXPECT_EQ(found(doctor, type, query), Names{}) << query;
}

// https://github.com/LinuxForHealth/FHIR/issues/2669: scopes were held to on what is put out, and not on what
// is asked.
TEST_F(PeerLeaks, C11LinuxForHealth2669ScopesHoldForWhatIsAskedToo) {
  auto const narrow = with_scopes("doctor", "system/Patient.rs system/Observation.rs?code=http://s|open");
  EXPECT_EQ(found(narrow, "Observation", "code=open"), Names{"Observation/of-open"});
  EXPECT_EQ(found(narrow, "Observation", "code=hidden"), Names{});
  EXPECT_EQ(found(narrow, "Patient", "_has:Observation:patient:code=hidden"), Names{});
  EXPECT_EQ(found(narrow, "Observation", "derived-from.code=hidden"), Names{});
  EXPECT_EQ(server_.search(narrow, "Observation", "_total=accurate").value().total, 1U);
}

// https://github.com/microsoft/fhir-server/pull/5683: includes led out of the patient's compartment.
TEST_F(PeerLeaks, C11MicrosoftFhir5683IncludesStayInTheCompartment) {
  auto const own = server_.sign_in("patient", PatientId::parse("open").value());
  EXPECT_EQ(found(own, "Observation", "_include=Observation:derived-from&_include=Observation:subject"),
            (Names{"+Patient/open", "Observation/of-open"}));
  EXPECT_EQ(found(own, "Patient", "_revinclude=Observation:subject"),
            (Names{"+Observation/of-open", "Patient/open"}));
  auto const other = server_.sign_in("patient", PatientId::parse("hidden").value());
  EXPECT_EQ(found(other, "Observation", "_revinclude=Observation:derived-from"),
            Names{"Observation/of-hidden"});
}

// https://github.com/hapifhir/hapi-fhir/issues/1507: Bundle.total counted what a consent then took out.
TEST_F(PeerLeaks, C11Hapi1507TotalsCountWhatIsShown) {
  auto const doctor = server_.sign_in("doctor");
  EXPECT_EQ(server_.search(doctor, "Observation", "_summary=count").value().total, 2U);
  opt_out();
  for (std::string const query : {"_summary=count", "_total=accurate", "_total=accurate&_count=1"})
    EXPECT_EQ(server_.search(doctor, "Observation", query).value().total, 1U) << query;
}

}  // namespace
}  // namespace tacenda::operations

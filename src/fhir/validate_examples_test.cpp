// The specification's own examples and the sample patients against the base definitions, and against the
// profiles and extensions of the specification that they claim.
#include <gtest/gtest.h>

#include "fhir/internal/validate_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using testing::List;

struct Fault {
  List findings;
  std::string_view reason;
};

/// Examples that break the specification that they are part of. Of a long list: the first finding and its
/// size.
std::map<std::string, Fault> const& faults() {
  static std::map<std::string, Fault> const kFaults = {
      {"Basic-referral.json",
       {{"extension Basic.modifierExtension[0]", "extension Basic.modifierExtension[1]",
         "extension Basic.modifierExtension[2]"},
        "modifier extensions of example.org, which no definition is published of"}},
      {"DeviceMetric-example.json",
       {{"structure DeviceMetric.parent"}, "leads to a DeviceDefinition; the element allows Device alone"}},
      {"DeviceUseStatement-example.json",
       {{"structure DeviceUseStatement.reasonReference[0]"}, "leads to a Procedure, which is not allowed"}},
      {"ImplementationGuide-fhir.json",
       {{"required ImplementationGuide.name", "required ImplementationGuide.status"}, "has neither"}},
      {"MedicationRequest-medrx0301.json",
       {{"structure MedicationRequest.dispenseRequest.performer"},
        "leads to a Practitioner; the element allows Organization alone"}},
      {"Observation-clinical-gender.json",
       {{"structure Observation.performer[0]"}, "leads to an Encounter, which performs nothing"}},
  };
  return kFaults;
}

constexpr std::string_view kManyFaults = "Questionnaire-qs1.json";  // 32 items without linkId

void expect_faults(std::string const& name, Report const& report) {
  auto const found = testing::findings(report);
  if (name == kManyFaults) {
    EXPECT_EQ(found.size(), 32U);
    for (auto const& each : found) EXPECT_TRUE(each.starts_with("required ") && each.ends_with(".linkId"));
    return;
  }
  auto const known = faults().find(name);
  EXPECT_EQ(found, known == faults().end() ? List{} : known->second.findings) << name;
}

TEST(ValidateExamples, HoldTheBaseDefinitions) {
  Validator const validator({});
  for (auto const& [name, text] : testing::examples()) {
    expect_faults(name, validator.validate(parse_resource(text).value()));
  }
}

TEST(ValidateExamples, HoldTheProfilesAndExtensionsThatTheyClaim) {
  Validator const validator(testing::specification_hooks());
  std::size_t claims = 0;
  for (auto const& [name, text] : testing::examples()) {
    auto const resource = parse_resource(text).value();
    expect_faults(name, validator.validate(resource));
    Json const* meta = resource.json().find("meta");
    Json const* list = meta == nullptr ? nullptr : meta->find("profile");
    if (list == nullptr) continue;
    for (auto const& url : list->items())
      claims += testing::profiles().contains(without_version(url.as_string()));
  }
  EXPECT_GT(claims, 10U);
}

TEST(ValidateExamples, SamplePatientsHoldTheBaseDefinitions) {
  Validator const validator({});
  for (auto const& text : testing::samples()) {
    EXPECT_EQ(testing::findings(validator.validate(parse_resource(text).value())), List{});
  }
}

}  // namespace
}  // namespace tacenda::fhir

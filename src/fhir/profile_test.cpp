#include "fhir/profile.hpp"

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

Profile profile_of(std::string const& name) {
  return Profile::parse(testing::profile_definitions().at(name)).value();
}

/// The element below another by its name and slice; nullptr when the profile does not say anything of it.
ProfileElement const* child(Profile const& profile, ProfileElement const& parent, std::string_view name,
                            std::string_view slice = "") {
  for (auto const index : profile.children_of(parent)) {
    auto const& element = profile[index];
    if (element.name != name) continue;
    if (slice.empty()) return &element;
    for (auto const each : element.slices) {
      if (profile[each].slice == slice) return &profile[each];
    }
  }
  return nullptr;
}

ErrorKind error_of(std::string_view text) {
  return Profile::parse(codec::parse_json(text).value()).error().kind();
}

std::string definition(std::string_view elements) {
  return R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"resource","type":"Patient",
             "snapshot":{"element":[)" +
         std::string(elements) + "]}}";
}

TEST(Profile, ReadsEveryProfileAndExtensionOfTheSpecification) {
  ASSERT_EQ(testing::profile_definitions().size(), 437U);
  for (auto const& [name, json] : testing::profile_definitions()) {
    auto const profile = Profile::parse(json);
    ASSERT_TRUE(profile.has_value()) << name << ": " << profile.error().message();
    EXPECT_EQ(profile->type(), json.text_of("type")) << name;
  }
}

TEST(Profile, HoldsOnlyWhatItSaysBeyondItsBase) {
  auto const profile = profile_of("bodyweight");
  EXPECT_EQ(testing::profile_definitions().at("bodyweight").find("snapshot")->find("element")->items().size(),
            82U);
  EXPECT_LT(profile.size(), 30U);
  EXPECT_EQ(child(profile, profile.root(), "identifier"), nullptr);
  auto const* subject = child(profile, profile.root(), "subject");
  ASSERT_NE(subject, nullptr);
  EXPECT_EQ(subject->min, 1U);
  EXPECT_EQ(subject->max, ProfileElement::kUnbounded);  // 1 in the base, too
  ASSERT_EQ(subject->types.size(), 1U);
  EXPECT_EQ(subject->types.front().target_profiles,
            std::vector<std::string>{"http://hl7.org/fhir/StructureDefinition/Patient"});
}

TEST(Profile, ReadsSlicesWithTheirDiscriminators) {
  auto const profile = profile_of("bp");
  auto const* component = child(profile, profile.root(), "component");
  ASSERT_NE(component, nullptr);
  EXPECT_EQ(component->min, 2U);
  ASSERT_EQ(component->slices.size(), 2U);
  ASSERT_TRUE(component->slicing.has_value());
  EXPECT_TRUE(component->slicing->is_decidable);
  EXPECT_EQ(component->slicing->rules, SlicingRules::kOpen);
  ASSERT_EQ(component->slicing->discriminators.size(), 2U);
  EXPECT_EQ(component->slicing->discriminators[0].steps.size(), 3U);
  auto const* systolic = child(profile, profile.root(), "component", "SystolicBP");
  ASSERT_NE(systolic, nullptr);
  EXPECT_EQ(systolic->min, 1U);
  EXPECT_EQ(systolic->max, 1U);
  auto const* code = child(profile, *child(profile, *systolic, "code"), "coding", "SBPCode");
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(child(profile, *code, "code")->fixed, Json::string("8480-6"));
}

TEST(Profile, ReadsWhereAnExtensionMayStand) {
  auto const profile = profile_of("patient-birthTime");
  ASSERT_EQ(profile.contexts().size(), 1U);
  EXPECT_EQ(profile.contexts().front().type, "element");
  EXPECT_EQ(profile.contexts().front().expression, "Patient.birthDate");
}

TEST(Profile, IsAStructureDefinitionWithASnapshot) {
  EXPECT_EQ(error_of(R"({"resourceType":"Patient"})"), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(R"({"resourceType":"StructureDefinition","kind":"resource","type":"Patient"})"),
            ErrorKind::kInvalid);
  EXPECT_EQ(
      error_of(
          R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"resource","type":"Patient"})"),
      ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"logical",
                         "type":"http://e/model"})"),
            ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"resource",
                         "type":"Patients"})"),
            ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(definition("")), ErrorKind::kUnsupported);
}

TEST(Profile, HasElementsOfItsBaseInTheirOrder) {
  EXPECT_EQ(error_of(definition(R"({"path":"Observation"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient.shoes"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient.name.family"})")),
            ErrorKind::kInvalid);
  EXPECT_EQ(
      error_of(definition(R"({"path":"Patient"},{"path":"Patient.link"},{"path":"Patient.name.family"})")),
      ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient.name","min":"one"})")),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient.name","max":"-1"})")),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of(definition(R"({"path":"Patient"},{"path":"Patient.name","contentReference":"#x"})")),
            ErrorKind::kInvalid);
  EXPECT_TRUE(Profile::parse(codec::parse_json(definition(R"({"path":"Patient"})")).value()).has_value());
}

TEST(Profile, HasLimits) {
  std::string many = R"({"path":"Patient"})";
  for (std::size_t i = 0; i < kProfileElementsMax; ++i) many += R"(,{"path":"Patient.name"})";
  EXPECT_EQ(error_of(definition(many)), ErrorKind::kTooLarge);
  std::string deep = R"({"path":"Patient"})";
  std::string path = "Patient";
  for (std::size_t i = 0; i <= kProfileDepthMax; ++i) {
    path += ".extension";
    deep += R"(,{"path":")" + path + R"("})";
  }
  EXPECT_EQ(error_of(definition(deep)), ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::fhir

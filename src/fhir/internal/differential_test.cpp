// Profiles of which the differential alone is known: beside the snapshots that HL7's own tools made of
// theirs, and small ones of our own.
#include <set>

#include <gtest/gtest.h>

#include "fhir/internal/validate_testing.hpp"
#include "fhir/profile.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using testing::findings;
using testing::List;

/// What a profile says, as text: an element a line, those below it and its slices indented.
std::string told(Profile const& profile, ProfileElement const& element, std::size_t depth = 0) {
  std::string text(2 * depth, ' ');
  text += element.name + ":" + element.slice + " " + std::to_string(element.min) + " " +
          std::to_string(element.max);
  for (auto const& type : element.types) {
    text += " " + type.code;
    for (auto const& url : type.profiles) text += " profile " + url;
    for (auto const& url : type.target_profiles) text += " target " + url;
  }
  for (auto const* value : {&element.fixed, &element.pattern, &element.min_value, &element.max_value})
    text += " " + codec::write_json(*value);
  text += " " + std::to_string(element.max_length) + " " + element.value_set;
  for (auto const& constraint : element.constraints) text += " " + constraint.key;
  if (element.slicing.has_value()) {
    text += " sliced " + std::to_string(element.slicing->discriminators.size()) + " " +
            std::to_string(static_cast<int>(element.slicing->rules));
  }
  text += "\n";
  if (element.content != ProfileElement::kNone) text += "content of " + profile[element.content].name + "\n";
  for (auto const index : element.children) text += told(profile, profile[index], depth + 1);
  for (auto const index : element.slices) text += told(profile, profile[index], depth + 2);
  return text;
}

// The definitions of HL7 have both views, made by HL7's own tools.
TEST(Differential, SaysWhatItsSnapshotSays) {
  // Of a profile of another profile (vitalsigns), or with slices of what nothing slices.
  std::set<std::string_view> const refused = {"bmi",
                                              "bodyheight",
                                              "bodytemp",
                                              "bodyweight",
                                              "bp",
                                              "catalog",
                                              "familymemberhistory-genetic",
                                              "headcircum",
                                              "heartrate",
                                              "oxygensat",
                                              "resprate",
                                              "vitalspanel"};
  // Their snapshots repeat what the type says already: preferred bindings, all targets of a reference, an
  // invariant of SimpleQuantity, what the profile of an extension says.
  std::set<std::string_view> const repeats = {"actualgroup",
                                              "cdshooksguidanceresponse",
                                              "cdshooksrequestgroup",
                                              "cdshooksserviceplandefinition",
                                              "cholesterol",
                                              "clinicaldocument",
                                              "computableplandefinition",
                                              "cqf-questionnaire",
                                              "cqllibrary",
                                              "devicemetricobservation",
                                              "diagnosticreport-genetics",
                                              "ehrsrle-auditevent",
                                              "ehrsrle-provenance",
                                              "elementdefinition-de",
                                              "groupdefinition",
                                              "hdlcholesterol",
                                              "hlaresult",
                                              "ldlcholesterol",
                                              "lipidprofile",
                                              "observation-genetics",
                                              "picoelement",
                                              "provenance-relevant-history",
                                              "servicerequest-genetics",
                                              "shareableactivitydefinition",
                                              "shareablecodesystem",
                                              "shareablelibrary",
                                              "shareablemeasure",
                                              "shareableplandefinition",
                                              "shareablevalueset",
                                              "synthesis",
                                              "triglyceride",
                                              "vitalsigns"};
  std::size_t compared = 0;
  for (auto const& [name, json] : testing::profile_definitions()) {
    Json alone = json;
    alone.remove("snapshot");
    auto const profile = Profile::parse(alone);
    if (refused.contains(name)) {
      ASSERT_FALSE(profile.has_value()) << name;
      EXPECT_EQ(profile.error().kind(), ErrorKind::kUnsupported) << name;
      continue;
    }
    ASSERT_TRUE(profile.has_value()) << name << ": " << profile.error().message();
    if (repeats.contains(name)) continue;
    auto const whole = Profile::parse(json).value();
    EXPECT_EQ(told(*profile, profile->root()), told(whole, whole.root())) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 393U);
}

std::string differential(std::string_view elements, std::string_view base = "Patient") {
  return R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"resource","type":"Patient",
             "baseDefinition":"http://hl7.org/fhir/StructureDefinition/)" +
         std::string(base) + R"(","differential":{"element":[)" + std::string(elements) + "]}}";
}

ErrorKind error_of(std::string const& text) {
  return Profile::parse(codec::parse_json(text).value()).error().kind();
}

TEST(Differential, IsRefusedWhereItCannotBeCompleted) {
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name"})", "other")), ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name","sliceName":"a"})")), ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(differential(R"({"path":"Observation.status"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.shoes"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential("{}")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential("7")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name"},{"path":"Patient.name"})")),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.deceased[x]","sliceName":"deceasedBoolean"},
                                     {"path":"Patient.deceasedBoolean"})")),
            ErrorKind::kInvalid);
  std::string deep = "Patient";
  for (std::size_t i = 0; i <= kProfileDepthMax; ++i) deep += ".extension";
  EXPECT_EQ(error_of(differential(R"({"path":")" + deep + R"("})")), ErrorKind::kTooLarge);
  std::string many = R"({"path":"Patient"})";
  for (std::size_t i = 0; i < kProfileElementsMax; ++i) many += R"(,{"path":"Patient.name"})";
  EXPECT_EQ(error_of(differential(many)), ErrorKind::kTooLarge);
}

List own_errors(Profile const& profile, std::string_view text) {
  Profile const* list[] = {&profile};
  return findings(Validator({}).validate(parse_resource(text).value(), list));
}

Profile own_differential(std::string_view type, std::string_view elements) {
  return Profile::parse(codec::parse_json(R"({"resourceType":"StructureDefinition","url":"http://e/own",
             "kind":"resource","type":")" +
                                          std::string(type) +
                                          R"(","baseDefinition":"http://hl7.org/fhir/StructureDefinition/)" +
                                          std::string(type) + R"(","differential":{"element":[)" +
                                          std::string(elements) + "]}}")
                            .value())
      .value();
}

TEST(Differential, IsCompleted) {
  // The elements above are left out; the path leads into the slice that was named last, or that the id names.
  auto const patient = own_differential("Patient", R"({"path":"Patient.identifier.system","min":1},
      {"path":"Patient.extension","sliceName":"race","min":1,"max":"1",
       "type":[{"code":"Extension","profile":["http://e/race"]}]})");
  EXPECT_EQ(
      own_errors(patient, R"({"resourceType":"Patient","extension":[{"url":"http://e/race","valueCode":"a"}],
      "identifier":[{"value":"1"}]})"),
      List{"required Patient.identifier[0].system"});
  EXPECT_EQ(
      own_errors(patient, R"({"resourceType":"Patient","extension":[{"url":"http://e/x","valueCode":"a"}]})"),
      List{"required Patient.extension"});
  auto const sliced_by_id = own_differential("Patient", R"(
      {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value",
       "path":"system"}],"rules":"open"}},
      {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"http://a"},
      {"id":"Patient.identifier:b.system","path":"Patient.identifier.system","min":1,"fixedUri":"http://b"},
      {"id":"Patient.identifier:a.value","path":"Patient.identifier.value","min":1})");
  EXPECT_EQ(own_errors(sliced_by_id, R"({"resourceType":"Patient","identifier":[{"system":"http://a"},
      {"system":"http://b"},{"system":"http://a","value":"1"}]})"),
            List{"required Patient.identifier[0].value"});
}

TEST(Differential, TakesATypeInAPathForTheOnlyOne) {
  auto const profile =
      own_differential("Observation", R"({"path":"Observation.valueQuantity.code","min":1})");
  auto const text = [](std::string_view value) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" + std::string(value) +
           "}";
  };
  EXPECT_EQ(own_errors(profile, text(R"("valueQuantity":{"value":1,"code":"kg"})")), List{});
  EXPECT_EQ(own_errors(profile, text(R"("valueQuantity":{"value":1})")),
            List{"required Observation.value.code"});
  EXPECT_FALSE(own_errors(profile, text(R"("valueString":"x")")).empty());
}

TEST(Differential, HoldsForContentThatStandsElsewhere) {
  auto const profile = own_differential("Questionnaire", R"({"path":"Questionnaire.item.text","min":1})");
  auto const nested =
      own_errors(profile, R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1",
      "type":"group","text":"a","item":[{"linkId":"2","type":"group","text":"b","item":[{"linkId":"3",
      "type":"display"}]}]}]})");
  EXPECT_EQ(nested, List{"required Questionnaire.item[0].item[0].item[0].text"});
}

}  // namespace
}  // namespace tacenda::fhir

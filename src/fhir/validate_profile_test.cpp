// Validation against profiles: those of the specification by their examples and mutations of them, and small
// ones of our own for what these do not use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fhir/internal/validate_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using testing::findings;
using testing::List;

Json example(std::string const& name) {
  return codec::parse_json(testing::examples().at(name)).value();
}

Report report_of(Json json, std::string_view profile) {
  Validator const validator(testing::specification_hooks());
  Profile const* list[] = {testing::profiles().find(profile)->second.get()};
  return validator.validate(Resource::parse(std::move(json)).value(), list);
}

constexpr std::string_view kBloodPressure = "http://hl7.org/fhir/StructureDefinition/bp";

List pressure_errors(void (*mutate)(Json&)) {
  Json json = example("Observation-blood-pressure.json");
  json.remove("meta");  // which claims another profile
  mutate(json);
  return findings(report_of(std::move(json), kBloodPressure));
}

Json& item(Json& json, std::string_view name, std::size_t index) {
  return json.find(name)->items().at(index);
}

TEST(ValidateProfile, AcceptsWhatConforms) {
  EXPECT_EQ(pressure_errors([](Json&) {}), List{});
  EXPECT_EQ(findings(report_of(example("Observation-body-temperature.json"),
                               "http://hl7.org/fhir/StructureDefinition/bodytemp")),
            List{});
}

TEST(ValidateProfile, FindsASliceThatIsMissing) {
  // without the diastolic pressure: fewer than two components, and none in that slice
  EXPECT_EQ(pressure_errors([](Json& json) { json.find("component")->items().pop_back(); }),
            (List{"required Observation.component", "required Observation.component"}));
  // with the code of another quantity it is in no slice, which is open
  EXPECT_EQ(pressure_errors([](Json& json) {
              for (auto& coding : item(json, "component", 1).find("code")->find("coding")->items()) {
                coding.set("code", Json::string("8867-4"));
              }
            }),
            List{"required Observation.component"});
}

TEST(ValidateProfile, HoldsTheValuesOfASliceToItsElements) {
  EXPECT_EQ(pressure_errors([](Json& json) {
              item(json, "component", 0).find("valueQuantity")->set("code", Json::string("kPa"));
            }),
            List{"value Observation.component[0].value.code"});
  EXPECT_EQ(
      pressure_errors([](Json& json) { item(json, "component", 0).find("valueQuantity")->remove("value"); }),
      List{"required Observation.component[0].value.value"});
  EXPECT_EQ(pressure_errors([](Json& json) {
              auto& component = item(json, "component", 0);
              component.remove("valueQuantity");
              component.set("valueString", Json::string("high"));
            }),
            List{"structure Observation.component[0].value"});
}

TEST(ValidateProfile, FindsMoreThanASliceMayHave) {
  EXPECT_EQ(pressure_errors([](Json& json) {
              Json again = item(json, "component", 0);
              json.find("component")->push(std::move(again));
            }),
            List{"structure Observation.component"});
}

TEST(ValidateProfile, HoldsReferencesToTheTypesOfTheProfile) {
  EXPECT_EQ(
      pressure_errors([](Json& json) { json.find("subject")->set("reference", Json::string("Group/1")); }),
      List{"structure Observation.subject"});
}

TEST(ValidateProfile, HoldsAChoiceToItsTypes) {
  EXPECT_EQ(pressure_errors([](Json& json) {
              json.remove("effectiveDateTime");
              json.set("effectiveInstant", Json::string("2020-01-01T00:00:00Z"));
            }),
            List{"structure Observation.effective"});
  EXPECT_EQ(pressure_errors([](Json& json) { json.set("valueString", Json::string("x")); }),
            (List{"structure Observation.value", "structure Observation.value"}));  // its type, and no slice
}

TEST(ValidateProfile, HoldsWhatMetaClaims) {
  auto text = codec::write_json(example("Observation-heart-rate.json"));
  Validator const validator(testing::specification_hooks());
  auto json = codec::parse_json(text).value();
  json.remove("subject");
  auto const report = validator.validate(Resource::parse(std::move(json)).value());
  EXPECT_EQ(findings(report), List{"required Observation.subject"});
  auto const patient = parse_resource(
                           R"({"resourceType":"Patient","meta":{"profile":["http://e/unknown",
      "http://hl7.org/fhir/StructureDefinition/Patient","http://hl7.org/fhir/StructureDefinition/Group",
      "http://hl7.org/fhir/StructureDefinition/vitalsigns"]}})")
                           .value();
  EXPECT_EQ(findings(validator.validate(patient)),
            (List{"structure Patient.meta.profile[2]", "structure Patient.meta.profile[3]"}));
  EXPECT_EQ(findings(validator.validate(patient), Severity::kWarning),
            List{"not-supported Patient.meta.profile[0]"});
}

TEST(ValidateProfile, HoldsExtensionsToTheirDefinitions) {
  Validator const validator(testing::specification_hooks());
  auto const errors = [&](std::string_view text) {
    return findings(validator.validate(parse_resource(text).value()));
  };
  EXPECT_EQ(errors(R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":
      "http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"2020-01-01T00:00:00Z"}]},
      "birthDate":"2020-01-01"})"),
            List{});
  EXPECT_EQ(errors(R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":
      "http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueString":"noon"}]},
      "birthDate":"2020-01-01"})"),
            List{"structure Patient.birthDate.extension[0].value"});
  EXPECT_EQ(errors(R"({"resourceType":"Patient","extension":[{"url":
      "http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"2020-01-01T00:00:00Z"}]})"),
            List{"extension Patient.extension[0]"});
  // patient-nationality has parts: code and period, at most one of each
  EXPECT_EQ(errors(R"({"resourceType":"Patient","extension":[{"url":
      "http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[
      {"url":"code","valueCodeableConcept":{"text":"x"}},{"url":"code","valueCodeableConcept":{"text":"y"}}]}]})"),
            List{"structure Patient.extension[0].extension"});
}

// --- small profiles of our own ---------------------------------------------------------------------------

Profile own_profile(std::string_view type, std::string_view elements) {
  return Profile::parse(codec::parse_json(R"({"resourceType":"StructureDefinition","url":"http://e/own",
                                              "kind":"resource","type":")" +
                                          std::string(type) + R"(","snapshot":{"element":[{"path":")" +
                                          std::string(type) + R"("},)" + std::string(elements) + "]}}")
                            .value())
      .value();
}

Report own_report(Profile const& profile, std::string_view text, ValidationHooks hooks = {},
                  std::size_t steps_max = Validator::kStepsMax) {
  Profile const* list[] = {&profile};
  return Validator(std::move(hooks), steps_max).validate(parse_resource(text).value(), list);
}

List own_errors(Profile const& profile, std::string_view text) {
  return findings(own_report(profile, text));
}

std::string identifiers(std::string_view list) {
  return R"({"resourceType":"Patient","identifier":[)" + std::string(list) + "]}";
}

/// Patient.identifier sliced by its system, with one slice "a" for http://a and one "b".
Profile sliced(std::string_view rules) {
  return own_profile("Patient", R"({"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value",
      "path":"system"}],)" + std::string(rules) +
                                    R"(}},
      {"path":"Patient.identifier","sliceName":"a","min":1,"max":"1"},
      {"path":"Patient.identifier.system","min":1,"fixedUri":"http://a"},
      {"path":"Patient.identifier.value","min":1,"maxLength":3},
      {"path":"Patient.identifier","sliceName":"b","min":0,"max":"1"},
      {"path":"Patient.identifier.system","min":1,"fixedUri":"http://b"})");
}

constexpr std::string_view kA = R"({"system":"http://a","value":"1"})";
constexpr std::string_view kB = R"({"system":"http://b"})";
constexpr std::string_view kOther = R"({"system":"http://c"})";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto const part : parts) text += (text.empty() ? "" : ",") + std::string(part);
  return text;
}

TEST(ValidateProfile, SlicesByValue) {
  auto const open = sliced(R"("rules":"open")");
  EXPECT_EQ(own_errors(open, identifiers(joined({kOther, kB, kA}))), List{});
  EXPECT_EQ(own_errors(open, identifiers(kB)), List{"required Patient.identifier"});
  EXPECT_EQ(own_errors(open, R"({"resourceType":"Patient"})"), List{"required Patient.identifier"});
  EXPECT_EQ(own_errors(open, identifiers(R"({"system":"http://a"})")),
            List{"required Patient.identifier[0].value"});
  EXPECT_EQ(own_errors(open, identifiers(R"({"system":"http://a","value":"1234"})")),
            List{"value Patient.identifier[0].value"});
}

TEST(ValidateProfile, KnowsClosedAndOrderedSlices) {
  auto const closed = sliced(R"("rules":"closed")");
  EXPECT_EQ(own_errors(closed, identifiers(joined({kB, kA}))), List{});
  EXPECT_EQ(own_errors(closed, identifiers(joined({kA, kOther}))), List{"structure Patient.identifier[1]"});
  auto const ordered = sliced(R"("rules":"open","ordered":true)");
  EXPECT_EQ(own_errors(ordered, identifiers(joined({kA, kOther, kB}))), List{});
  EXPECT_EQ(own_errors(ordered, identifiers(joined({kB, kA}))), List{"structure Patient.identifier[1]"});
  auto const at_end = sliced(R"("rules":"openAtEnd")");
  EXPECT_EQ(own_errors(at_end, identifiers(joined({kA, kB, kOther}))), List{});
  EXPECT_EQ(own_errors(at_end, identifiers(joined({kA, kOther, kB}))),
            List{"structure Patient.identifier[2]"});
}

TEST(ValidateProfile, NamesTheSlice) {
  auto const report = own_report(sliced(R"("rules":"open")"), identifiers(kB));
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report.begin()->rule, "http://e/own#a");
}

TEST(ValidateProfile, SlicesByPattern) {
  auto const profile =
      own_profile("Observation", R"({"path":"Observation.category","slicing":{"discriminator":
      [{"type":"pattern","path":"$this"}],"rules":"open"}},
      {"path":"Observation.category","sliceName":"laboratory","min":1,"max":"1",
       "patternCodeableConcept":{"coding":[{"system":"http://s","code":"laboratory"}]}})");
  auto const text = [](std::string_view code) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"category":[{"text":"x"},
              {"coding":[{"system":"http://t","code":"y"},{"display":"Lab","code":")" +
           std::string(code) + R"(","system":"http://s"}]}]})";
  };
  EXPECT_EQ(own_errors(profile, text("laboratory")), List{});
  EXPECT_EQ(own_errors(profile, text("imaging")), List{"required Observation.category"});
}

TEST(ValidateProfile, SlicesByWhatAPatternAboveTheDiscriminatorFixes) {
  auto const profile =
      own_profile("Observation", R"({"path":"Observation.component","slicing":{"discriminator":
      [{"type":"value","path":"code.coding.code"}],"rules":"closed"}},
      {"path":"Observation.component","sliceName":"one"},
      {"path":"Observation.component.code","patternCodeableConcept":{"coding":[{"code":"1"}]}})");
  auto const text = [](std::string_view code) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[{"code":{"coding":
              [{"system":"http://s","code":")" +
           std::string(code) + R"("}]},"valueInteger":1}]})";
  };
  EXPECT_EQ(own_errors(profile, text("1")), List{});
  EXPECT_EQ(own_errors(profile, text("2")), List{"structure Observation.component[0]"});
}

TEST(ValidateProfile, SlicesByExistence) {
  auto const profile = own_profile("Patient", R"({"path":"Patient.name","slicing":{"discriminator":
      [{"type":"exists","path":"period"}],"rules":"closed"}},
      {"path":"Patient.name","sliceName":"now","max":"1"},{"path":"Patient.name.period","max":"0"},
      {"path":"Patient.name","sliceName":"then"},{"path":"Patient.name.period","min":1},
      {"path":"Patient.name.use","min":1})");
  EXPECT_EQ(own_errors(profile, R"({"resourceType":"Patient","name":[{"family":"a"},
      {"family":"b","use":"old","period":{"end":"2000"}}]})"),
            List{});
  EXPECT_EQ(own_errors(profile, R"({"resourceType":"Patient","name":[{"family":"a"},{"family":"b"},
      {"family":"c","period":{"end":"2000"}}]})"),
            (List{"structure Patient.name", "required Patient.name[2].use"}));
}

TEST(ValidateProfile, SlicesByTypeOfResourceAndOfReference) {
  auto const entries = own_profile("Bundle", R"({"path":"Bundle.entry","slicing":{"discriminator":
      [{"type":"type","path":"resource"}],"rules":"closed"}},
      {"path":"Bundle.entry","sliceName":"patient","min":1,"max":"1"},
      {"path":"Bundle.entry.resource","min":1,"type":[{"code":"Patient"}]},
      {"path":"Bundle.entry.resource.birthDate","min":1})");
  auto const bundle = [](std::string_view resource) {
    return R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)" + std::string(resource) +
           "}]}";
  };
  EXPECT_EQ(own_errors(entries, bundle(R"({"resourceType":"Patient","birthDate":"2000"})")), List{});
  EXPECT_EQ(own_errors(entries, bundle(R"({"resourceType":"Patient"})")),
            List{"required Bundle.entry[0].resource.birthDate"});
  EXPECT_EQ(own_errors(entries, bundle(R"({"resourceType":"Basic","code":{"text":"x"}})")),
            (List{"structure Bundle.entry[0]", "required Bundle.entry"}));
  auto const performers =
      own_profile("Observation", R"x({"path":"Observation.performer","slicing":{"discriminator":
      [{"type":"type","path":"resolve()"}],"rules":"open"}},
      {"path":"Observation.performer","sliceName":"who","min":1,"type":[{"code":"Reference","targetProfile":
       ["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]})x");
  auto const observation = [](std::string_view reference) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"performer":[{"reference":")" +
           std::string(reference) + R"("}]})";
  };
  EXPECT_EQ(own_errors(performers, observation("Practitioner/1")), List{});
  EXPECT_EQ(own_errors(performers, observation("Patient/1")), List{"required Observation.performer"});
}

TEST(ValidateProfile, FollowsReferencesInTheDocument) {
  auto const profile = own_profile("DiagnosticReport", R"({"path":"DiagnosticReport.result","slicing":
      {"discriminator":[{"type":"value","path":"resolve().status"}],"rules":"open"}},
      {"path":"DiagnosticReport.result","sliceName":"final","min":1,"type":[{"code":"Reference",
       "targetProfile":["http://e/final"]}]})");
  ValidationHooks hooks;
  hooks.profile = [](std::string_view) -> std::shared_ptr<Profile const> {
    return std::make_shared<Profile const>(
        own_profile("Observation", R"({"path":"Observation.status","fixedCode":"final"})"));
  };
  auto const text = [](std::string_view status) {
    return R"({"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"contained":[
              {"resourceType":"Observation","id":"o","code":{"text":"x"},"status":")" +
           std::string(status) + R"("}],"result":[{"reference":"#o"}]})";
  };
  EXPECT_EQ(findings(own_report(profile, text("final"), hooks)), List{});
  EXPECT_EQ(findings(own_report(profile, text("amended"), hooks)), List{"required DiagnosticReport.result"});
}

TEST(ValidateProfile, SlicesASlice) {
  auto const profile =
      own_profile("Patient", R"({"path":"Patient.identifier","slicing":{"discriminator":[{"type":
      "value","path":"system"}],"rules":"open"}},
      {"path":"Patient.identifier","sliceName":"a","slicing":{"discriminator":[{"type":"value","path":"use"}],
       "rules":"closed"}},
      {"path":"Patient.identifier.system","min":1,"fixedUri":"http://a"},
      {"path":"Patient.identifier","sliceName":"a/old","max":"1"},
      {"path":"Patient.identifier.use","min":1,"fixedCode":"old"},
      {"path":"Patient.identifier","sliceName":"a/usual","min":1},
      {"path":"Patient.identifier.use","min":1,"fixedCode":"usual"})");
  constexpr std::string_view kOld = R"({"system":"http://a","use":"old"})";
  constexpr std::string_view kUsual = R"({"system":"http://a","use":"usual"})";
  EXPECT_EQ(own_errors(profile, identifiers(joined({kOther, kOld, kUsual}))), List{});
  EXPECT_EQ(own_errors(profile, identifiers(joined({kOld, kOld, kUsual, R"({"system":"http://a"})"}))),
            (List{"structure Patient.identifier[3]", "structure Patient.identifier"}));
}

TEST(ValidateProfile, SlicesByAnExtensionOfTheValue) {
  auto const profile =
      own_profile("Patient", R"x({"path":"Patient.name","slicing":{"discriminator":[{"type":"value",
      "path":"extension('http://e/kind').value"}],"rules":"open"}},
      {"path":"Patient.name","sliceName":"legal","min":1},
      {"path":"Patient.name.extension"},
      {"path":"Patient.name.extension","sliceName":"kind","min":1,
       "type":[{"code":"Extension","profile":["http://e/kind"]}]},
      {"path":"Patient.name.extension.value[x]","fixedCode":"legal"})x");
  auto const text = [](std::string_view kind) {
    return R"({"resourceType":"Patient","name":[{"family":"x"},{"family":"y","extension":[{"url":"http://e/other",
              "valueCode":"legal"},{"url":"http://e/kind","valueCode":")" +
           std::string(kind) + R"("}]}]})";
  };
  EXPECT_EQ(own_errors(profile, text("legal")), List{});
  EXPECT_EQ(own_errors(profile, text("other")), List{"required Patient.name"});
}

TEST(ValidateProfile, SlicesByProfile) {
  auto const profile =
      own_profile("Bundle", R"({"path":"Bundle.entry","slicing":{"discriminator":[{"type":"profile",
      "path":"resource"}],"rules":"open"}},
      {"path":"Bundle.entry","sliceName":"final","min":1},
      {"path":"Bundle.entry.resource","type":[{"code":"Observation","profile":["http://e/final"]}]})");
  ValidationHooks hooks;
  hooks.profile = [](std::string_view) -> std::shared_ptr<Profile const> {
    return std::make_shared<Profile const>(
        own_profile("Observation", R"({"path":"Observation.status","fixedCode":"final"})"));
  };
  auto const text = [](std::string_view status) {
    return R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation",
              "code":{"text":"x"},"status":")" +
           std::string(status) + R"("}}]})";
  };
  EXPECT_EQ(findings(own_report(profile, text("final"), hooks)), List{});
  EXPECT_EQ(findings(own_report(profile, text("amended"), hooks)), List{"required Bundle.entry"});
}

TEST(ValidateProfile, SaysWhenSlicesCannotBeToldApart) {
  auto const profile =
      own_profile("Patient", R"x({"path":"Patient.name","slicing":{"discriminator":[{"type":"value",
      "path":"family.where(true)"}],"rules":"closed"}},{"path":"Patient.name","sliceName":"a","min":1})x");
  auto const report = own_report(profile, R"({"resourceType":"Patient","name":[{"family":"x"}]})");
  EXPECT_TRUE(report.is_valid());
  EXPECT_EQ(findings(report, Severity::kInformation), List{"not-supported Patient.name"});
}

TEST(ValidateProfile, HoldsFixedValuesPatternsAndRanges) {
  auto const profile = own_profile("Observation", R"({"path":"Observation.status","fixedCode":"final"},
      {"path":"Observation.code","fixedCodeableConcept":{"coding":[{"system":"http://s","code":"c"}]}},
      {"path":"Observation.value[x]","minValueInteger":1,"maxValueInteger":10},
      {"path":"Observation.note","min":1,"max":"2"},
      {"path":"Observation.method","patternCodeableConcept":{"coding":[{"code":"m"}]}})");
  auto const text = [](std::string_view status, std::string_view code, std::string_view value,
                       std::string_view more) {
    return R"({"resourceType":"Observation","status":")" + std::string(status) +
           R"(","code":{"coding":[{"code":")" + std::string(code) +
           R"(","system":"http://s"}]},"valueInteger":)" + std::string(value) + std::string(more) + "}";
  };
  constexpr std::string_view kNote = R"(,"note":[{"text":"x"}])";
  EXPECT_EQ(own_errors(profile, text("final", "c", "10", kNote)), List{});
  EXPECT_EQ(own_errors(profile, text("amended", "d", "11", "")),
            (List{"value Observation.status", "value Observation.code", "value Observation.value",
                  "required Observation.note"}));
  EXPECT_EQ(own_errors(profile, text("final", "c", "0", kNote)), List{"value Observation.value"});
  EXPECT_EQ(
      own_errors(profile, text("final", "c", "1", R"(,"note":[{"text":"x"},{"text":"y"},{"text":"z"}])")),
      List{"structure Observation.note"});
  EXPECT_EQ(own_errors(profile, text("final", "c", "1",
                                     std::string(kNote) + R"(,"method":{"coding":[{"code":"x"}]})")),
            List{"value Observation.method"});
}

TEST(ValidateProfile, AsksForItsOwnInvariantsAndValueSets) {
  auto const profile = own_profile("Patient", R"x({"path":"Patient.name","constraint":[{"key":"own-1",
      "severity":"error","human":"A name has a family","expression":"family.exists()"}]},
      {"path":"Patient.gender","binding":{"strength":"required","valueSet":"http://e/genders"}})x");
  ValidationHooks hooks;
  hooks.invariant = [](InvariantContext const& context) -> Result<bool> {
    return context.expression != "family.exists()" || context.value->find("family") != nullptr;
  };
  hooks.membership = [](std::string_view url, BoundCode const& code) {
    return url != "http://e/genders" ? Membership::kUnknown
           : code.code == "female"   ? Membership::kIn
                                     : Membership::kOut;
  };
  auto const report = own_report(
      profile, R"({"resourceType":"Patient","gender":"male","name":[{"family":"x"},{"text":"x"}]})", hooks);
  EXPECT_EQ(findings(report), (List{"invariant Patient.name[1] own-1", "code-invalid Patient.gender"}));
  EXPECT_EQ(report.begin()->human, "A name has a family");
}

TEST(ValidateProfile, AppliesWhereAnElementRefersToAnother) {
  auto const profile = own_profile("Questionnaire", R"({"path":"Questionnaire.item"},
      {"path":"Questionnaire.item.text","min":1},
      {"path":"Questionnaire.item.item","contentReference":"#Questionnaire.item"})");
  EXPECT_EQ(own_errors(profile, R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1",
      "type":"group","text":"x","item":[{"linkId":"2","type":"group","text":"x","item":[{"linkId":"3",
      "type":"string"}]}]}]})"),
            List{"required Questionnaire.item[0].item[0].item[0].text"});
}

TEST(ValidateProfile, EndsWhenItCostsTooMuch) {
  std::string elements = R"({"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value",
      "path":"value"}],"rules":"open"}})";
  for (int i = 0; i < 100; ++i) {
    elements += R"(,{"path":"Patient.identifier","sliceName":")" + std::to_string(i) +
                R"("},{"path":"Patient.identifier.value","fixedString":"x)" + std::to_string(i) + R"("})";
  }
  std::string list;
  for (int i = 0; i < 100; ++i) list += (i == 0 ? "" : ",") + std::string(R"({"value":"y"})");
  auto const profile = own_profile("Patient", elements);
  EXPECT_EQ(findings(own_report(profile, identifiers(list))), List{});
  EXPECT_THAT(findings(own_report(profile, identifiers(list), {}, 1'000)),
              ::testing::ElementsAre(::testing::StartsWith("too-costly Patient")));
}

TEST(ValidateProfile, CirclesOfReferencesEnd) {
  auto const profile = own_profile("Basic", R"({"path":"Basic.subject","min":1,"type":[{"code":"Reference",
      "targetProfile":["http://e/own"]}]})");
  ValidationHooks hooks;
  hooks.profile = [&](std::string_view) { return std::make_shared<Profile const>(profile); };
  std::string text = R"({"resourceType":"Bundle","type":"collection","entry":[)";
  for (int i = 0; i < 50; ++i) {
    text += (i == 0 ? "" : ",") + std::string(R"({"fullUrl":"http://e/Basic/)") + std::to_string(i) +
            R"(","resource":{"resourceType":"Basic","code":{"text":"x"},"meta":{"profile":["http://e/own"]},
            "subject":{"reference":"http://e/Basic/)" +
            std::to_string((i + 1) % 50) + R"("}}})";
  }
  EXPECT_EQ(findings(Validator(hooks).validate(parse_resource(text + "]}").value())), List{});
}

}  // namespace
}  // namespace tacenda::fhir

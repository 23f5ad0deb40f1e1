#include "operations/fhirpath_patch.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "codec/json_equal.hpp"
#include "codec/json_patch.hpp"
#include "core/limits.hpp"
#include "fhir/resource.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

Json parsed(std::string_view text) {
  return codec::parse_json(text).value();
}

Json suite(std::string const& name) {
  std::ifstream in(TACENDA_SOURCE_DIR "/tests/vectors/fhir-test-cases/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return parsed(text.str());
}

/// A part with a value as JSON: part("index", "valueInteger", "1").
std::string part(std::string_view name, std::string_view type, std::string_view value) {
  return R"({"name":")" + std::string(name) + R"(",")" + std::string(type) + R"(":)" + std::string(value) +
         "}";
}

std::string operation(std::string_view type, std::string_view path, std::string const& more = "") {
  return R"({"name":"operation","part":[)" + part("type", "valueCode", "\"" + std::string(type) + "\"") +
         "," + part("path", "valueString", "\"" + std::string(path) + "\"") + (more.empty() ? "" : ",") +
         more + "]}";
}

std::string add(std::string_view path, std::string_view name, std::string const& value) {
  return operation("add", path, part("name", "valueString", "\"" + std::string(name) + "\"") + "," + value);
}

Result<Json> apply(std::string_view resource, std::string const& operations) {
  Json const patch = parsed(R"({"resourceType":"Parameters","parameter":[)" + operations + "]}");
  EXPECT_TRUE(fhir::Resource::check(patch).has_value()) << operations;
  return apply_fhirpath_patch(parsed(resource), patch);
}

/// What comes out as text; the error's kind as "error" and its number.
std::string applied(std::string_view resource, std::string const& operations) {
  auto const result = apply(resource, operations);
  return result.has_value() ? codec::write_json(*result) : "error";
}

ErrorKind error_of(std::string_view resource, std::string const& operations) {
  auto const result = apply(resource, operations);
  EXPECT_FALSE(result.has_value()) << operations;
  return result.has_value() ? ErrorKind::kBug : result.error().kind();
}

constexpr std::string_view kPatient =
    R"({"resourceType":"Patient","birthDate":"1970-01-01","name":[{"family":"A","given":["B","C"]}]})";

TEST(FhirPathPatch, AnswersTheOfficialSuite) {
  auto const cases = suite("fhir-patch-tests.json");
  ASSERT_EQ(cases.items().size(), 33U);
  for (auto const& each : cases.items()) {
    auto const result = apply_fhirpath_patch(*each.find("input"), *each.find("patch"));
    auto const* output = each.find("output");
    ASSERT_EQ(result.has_value(), output != nullptr)
        << each.text_of("name") << (result.has_value() ? "" : result.error().message());
    if (output == nullptr) continue;
    EXPECT_TRUE(codec::equal_by_value(*result, *output)) << each.text_of("name");
  }
}

TEST(JsonPatch, AnswersTheOfficialSuiteOfFhir) {
  auto const cases = suite("json-patch-tests.json");
  ASSERT_EQ(cases.items().size(), 16U);
  for (auto const& each : cases.items()) {
    auto const result = codec::apply_json_patch(*each.find("doc"), *each.find("patch"));
    auto const* expected = each.find("expected");
    ASSERT_EQ(result.has_value(), expected != nullptr) << each.text_of("comment");
    if (expected == nullptr) continue;
    EXPECT_TRUE(codec::equal_by_value(*result, *expected)) << each.text_of("comment");
  }
}

TEST(FhirPathPatch, GivesAChoiceTheNameOfItsType) {
  constexpr std::string_view kPlain = R"({"resourceType":"Patient"})";
  std::string const yes = add("Patient", "deceased", part("value", "valueBoolean", "true"));
  EXPECT_EQ(applied(kPlain, yes), R"({"resourceType":"Patient","deceasedBoolean":true})");
  std::string const then =
      operation("replace", "Patient.deceased", part("value", "valueDateTime", R"("2001-02-03")"));
  EXPECT_EQ(applied(kPlain, yes + "," + then),
            R"({"resourceType":"Patient","deceasedDateTime":"2001-02-03"})");
  EXPECT_EQ(
      error_of(kPlain, yes + "," + add("Patient", "deceased", part("value", "valueDateTime", R"("2001")"))),
      ErrorKind::kUnprocessable);
  EXPECT_EQ(error_of(kPlain, add("Patient", "deceased", part("value", "valueString", R"("yes")"))),
            ErrorKind::kUnprocessable);
}

TEST(FhirPathPatch, KeepsValuesAndTheirExtensionsTogether) {
  constexpr std::string_view kGiven =
      R"({"resourceType":"Patient","name":[{"given":["A","B",null],"_given":[null,{"id":"b"},{"id":"c"}]}]})";
  EXPECT_EQ(applied(kGiven, operation("delete", "Patient.name.given[0]")),
            R"({"resourceType":"Patient","name":[{"given":["B",null],"_given":[{"id":"b"},{"id":"c"}]}]})");
  EXPECT_EQ(
      applied(kGiven, operation("move", "Patient.name.given",
                                part("source", "valueInteger", "2") + "," +
                                    part("destination", "valueInteger", "0"))),
      R"({"resourceType":"Patient","name":[{"given":[null,"A","B"],"_given":[{"id":"c"},null,{"id":"b"}]}]})");
  EXPECT_EQ(applied(kGiven, operation("insert", "Patient.name.given",
                                      part("index", "valueInteger", "1") + "," +
                                          part("value", "valueString", R"("X","_valueString":{"id":"x"})"))),
            R"({"resourceType":"Patient","name":[{"given":["A","X","B",null],)"
            R"("_given":[null,{"id":"x"},{"id":"b"},{"id":"c"}]}]})");
  EXPECT_EQ(
      applied(kGiven, operation("replace", "Patient.name.given[1]", part("value", "valueString", R"("Y")"))),
      R"({"resourceType":"Patient","name":[{"given":["A","Y",null],"_given":[null,null,{"id":"c"}]}]})");
}

TEST(FhirPathPatch, AddsExtensionsToPrimitives) {
  std::string const extension = R"({"name":"value","part":[{"name":"url","valueUri":"http://u"},)"
                                R"({"name":"value","valueCode":"x"}]})";
  EXPECT_EQ(applied(kPatient, add("Patient.birthDate", "extension", extension)),
            R"({"resourceType":"Patient","birthDate":"1970-01-01","name":[{"family":"A","given":["B","C"]}],)"
            R"("_birthDate":{"extension":[{"url":"http://u","valueCode":"x"}]}})");
  EXPECT_EQ(applied(kPatient, add("Patient.name.given[1]", "extension", extension) + "," +
                                  operation("delete", "Patient.name.given[1].extension[0]") + "," +
                                  operation("delete", "Patient.name.given[0]")),
            R"({"resourceType":"Patient","birthDate":"1970-01-01","name":[{"family":"A","given":["C"]}]})");
}

TEST(FhirPathPatch, MakesBackbonesAndOtherTypesOutOfParts) {
  std::string const name = R"({"name":"name","valueHumanName":{"text":"N"}})";
  std::string const phones = R"({"name":"telecom","valueContactPoint":{"value":"1"}},)"
                             R"({"name":"telecom","valueContactPoint":{"value":"2"}})";
  EXPECT_EQ(applied(kPatient,
                    add("Patient", "contact", R"({"name":"value","part":[)" + name + "," + phones + "]}")),
            R"({"resourceType":"Patient","birthDate":"1970-01-01","name":[{"family":"A","given":["B","C"]}],)"
            R"("contact":[{"name":{"text":"N"},"telecom":[{"value":"1"},{"value":"2"}]}]})");
  EXPECT_EQ(error_of(kPatient,
                     add("Patient", "contact", R"({"name":"value","part":[{"name":"x","valueCode":"y"}]})")),
            ErrorKind::kUnprocessable);
}

TEST(FhirPathPatch, ChangesContainedResources) {
  constexpr std::string_view kHolder =
      R"({"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}})";
  std::string const gender = part("value", "valueCode", R"("male")");
  std::string const expected =
      R"({"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p","gender":"male"}],)"
      R"("subject":{"reference":"#p"}})";
  EXPECT_EQ(applied(kHolder, add("Observation.contained[0]", "gender", gender)), expected);
  EXPECT_EQ(applied(kHolder, add("Observation.subject.resolve()", "gender", gender)), expected);
  std::string const other = R"({"name":"value","resource":{"resourceType":"Device","id":"d"}})";
  EXPECT_EQ(applied(kHolder, add("Observation", "contained", other) + "," +
                                 operation("delete", "Observation.contained[0]")),
            R"({"resourceType":"Observation","contained":[{"resourceType":"Device","id":"d"}],)"
            R"("subject":{"reference":"#p"}})");
}

TEST(FhirPathPatch, DeletesNothingWhereThereIsNothing) {
  EXPECT_EQ(applied(kPatient, operation("delete", "Patient.gender")), kPatient);
}

TEST(FhirPathPatch, RefusesWhatDoesNotFit) {
  std::string const code = part("value", "valueCode", R"("x")");
  auto const index = [](std::string_view name, std::string_view number) {
    return part(name, "valueInteger", number);
  };
  for (auto const& each : {
           add("Patient.contact", "gender", code),  // not there
           add("Patient.name.given", "id", code),   // two
           add("Patient", "nonsense", code),        // no such property
           add("Patient", "resourceType", code),    // not a property of a patch
           add("Patient", "birthDate", code),       // is there
           add("Patient", "name", part("value", "valueCoding", R"({"code":"x"})")),  // other type
           add("Patient", "name", code),                                             // no HumanName
           add("Patient", "gender", part("value", "valueHumanName", R"({"text":"x"})")),
           add("Patient", "contact", part("value", "valueHumanName", R"({"text":"x"})")),
           operation("replace", "Patient.gender", code),  // not there
           operation("replace", "Patient", code),         // the whole resource
           operation("replace", "1", code),               // no element
           operation("delete", "Patient"),
           operation("delete", "Patient.name.given"),  // two
           operation("insert", "Patient.name.given", index("index", "3") + "," + code),
           operation("insert", "Patient.name.given[0]", index("index", "0") + "," + code),  // not the list
           operation("insert", "Patient.birthDate", index("index", "0") + "," + code),      // no list
           operation("insert", "Patient.contact", index("index", "0") + "," + code),        // nothing
           operation("move", "Patient.name.given", index("source", "0") + "," + index("destination", "2")),
       }) {
    EXPECT_EQ(error_of(kPatient, each), ErrorKind::kUnprocessable) << each;
  }
}

TEST(FhirPathPatch, RefusesWhatIsNoPatch) {
  std::string const code = part("value", "valueCode", R"("x")");
  for (auto const& each : {
           operation("fly", "Patient"),
           operation("replace", "Patient.birthDate"),
           operation("add", "Patient", code),
           operation("insert", "Patient.name.given", code),
           operation("move", "Patient.name.given"),
           operation("delete", "Patient.("),
           operation("delete", "Patient.gender", part("path", "valueString", R"("Patient")")),
           operation("delete", "Patient.gender", part("other", "valueString", R"("x")")),
           operation("move", "Patient.name.given", part("source", "valueInteger", "-1")),
           std::string(R"({"name":"other","valueString":"x"})"),
           std::string(R"({"name":"operation","valueString":"x"})"),
       }) {
    EXPECT_EQ(error_of(kPatient, each), ErrorKind::kInvalid) << each;
  }
}

TEST(FhirPathPatch, BoundsWhatAPatchMayCost) {
  std::string const extension = R"({"name":"value","part":[{"name":"url","valueUri":"http://u"}]})";
  std::string const nest =
      add("Patient.descendants().where($this is Extension and extension.empty())", "extension", extension);
  std::string deep = add("Patient", "extension", extension);
  for (std::size_t i = 0; i < limits::kJsonDepth; ++i) deep += "," + nest;
  EXPECT_EQ(error_of(kPatient, deep), ErrorKind::kTooLarge);
  std::string many = operation("delete", "Patient.gender");
  for (std::size_t i = 0; i < 1'000; ++i) many += "," + operation("delete", "Patient.gender");
  EXPECT_EQ(error_of(kPatient, many), ErrorKind::kTooLarge);
  EXPECT_EQ(error_of(kPatient, operation("delete", "(1).repeat($this + 1)")), ErrorKind::kTooCostly);
}

}  // namespace
}  // namespace tacenda::operations

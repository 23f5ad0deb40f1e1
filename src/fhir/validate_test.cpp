// Validation against the base definitions: each mutation of a good resource gives the finding that names it.
#include "fhir/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fhir/internal/validate_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using testing::findings;
using testing::List;

Report report_of(std::string_view text, ValidationHooks hooks = {}) {
  return Validator(std::move(hooks)).validate(parse_resource(text).value());
}

List errors_of(std::string_view text, ValidationHooks hooks = {}) {
  return findings(report_of(text, std::move(hooks)));
}

std::string observation(std::string_view more) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"x"})" + std::string(more) + "}";
}

TEST(Validate, FindsNothingInAGoodResource) {
  EXPECT_EQ(report_of(observation("")).size(), 0U);
  EXPECT_EQ(report_of(R"({"resourceType":"Patient"})").size(), 0U);
}

TEST(Validate, FindsWhatIsMissing) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Observation"})"),
            (List{"required Observation.status", "required Observation.code"}));
  EXPECT_EQ(errors_of(observation(R"(,"component":[{"code":{"text":"a"}},{"valueInteger":1}])")),
            List{"required Observation.component[1].code"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Basic","contained":[{"resourceType":"Observation","id":"o",
                          "status":"final"}],"code":{"text":"x"},"subject":{"reference":"#o"}})"),
            List{"required Basic.contained[0].code"});
}

TEST(Validate, TakesTheExtensionsOfAPrimitiveForItsValue) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Observation","code":{"text":"x"},
                          "_status":{"extension":[{"url":"http://e/x","valueCode":"u"}]}})"),
            List{});
}

TEST(Validate, HoldsCodesToTheirRequiredValueSets) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","gender":"man"})"), List{"code-invalid Patient.gender"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","language":"not a tag"})"),
            List{"code-invalid Patient.language"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","contact":[{"gender":"male"},{"gender":"x"}]})"),
            List{"code-invalid Patient.contact[1].gender"});
  auto const condition = [](std::string_view status) {
    return R"({"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":)" +
           std::string(status) + "}";
  };
  constexpr std::string_view kSystem = "http://terminology.hl7.org/CodeSystem/condition-clinical";
  auto const coding = [&](std::string_view system, std::string_view code) {
    return R"({"system":")" + std::string(system) + R"(","code":")" + std::string(code) + R"("})";
  };
  auto const status = [&](std::string const& codings) { return R"({"coding":[)" + codings + "]}"; };
  EXPECT_EQ(errors_of(condition(status(coding(kSystem, "active")))), List{});
  EXPECT_EQ(errors_of(condition(status(coding("http://e", "mine") + "," + coding(kSystem, "active")))),
            List{});
  EXPECT_EQ(errors_of(condition(status(coding("http://e", "active")))),
            List{"code-invalid Condition.clinicalStatus"});
  EXPECT_EQ(errors_of(condition(R"({"text":"active"})")), List{"code-invalid Condition.clinicalStatus"});
}

TEST(Validate, WarnsOfCodesBeyondAnExtensibleValueSet) {
  constexpr std::string_view kText =
      R"({"resourceType":"Patient","maritalStatus":{"coding":[{"system":"http://e","code":"x"}]}})";
  auto const report = report_of(kText);
  EXPECT_TRUE(report.is_valid());
  EXPECT_EQ(findings(report, Severity::kWarning), List{"code-invalid Patient.maritalStatus"});
  EXPECT_EQ(report_of(R"({"resourceType":"Patient","maritalStatus":{"text":"x"}})").size(), 0U);
}

TEST(Validate, AsksOthersForValueSetsThatItDoesNotKnow) {
  constexpr std::string_view kText = R"({"resourceType":"ResearchElementDefinition","status":"draft",
      "type":"population","characteristic":[{"definitionCodeableConcept":{"text":"x"},
      "unitOfMeasure":{"coding":[{"system":"http://unitsofmeasure.org","code":"mg"}]}}]})";
  EXPECT_EQ(findings(report_of(kText), Severity::kInformation),
            List{"not-supported ResearchElementDefinition.characteristic[0].unitOfMeasure"});
  std::string asked;
  ValidationHooks hooks;
  hooks.membership = [&](std::string_view url, BoundCode const& code) {
    asked = std::string(url) + " " + std::string(code.system.value()) + " " + std::string(code.code);
    return Membership::kOut;
  };
  EXPECT_EQ(errors_of(kText, hooks),
            List{"code-invalid ResearchElementDefinition.characteristic[0].unitOfMeasure"});
  EXPECT_EQ(asked, "http://hl7.org/fhir/ValueSet/ucum-units http://unitsofmeasure.org mg");
}

TEST(Validate, HoldsReferencesToTheTypesTheyMayLeadTo) {
  auto const subject = [](std::string_view reference) {
    return observation(R"(,"subject":{"reference":")" + std::string(reference) + R"("})");
  };
  EXPECT_EQ(errors_of(subject("Patient/1")), List{});
  EXPECT_EQ(errors_of(subject("Practitioner/1")), List{"structure Observation.subject"});
  EXPECT_EQ(errors_of(subject("https://e/fhir/Practitioner/1/_history/2")),
            List{"structure Observation.subject"});
  EXPECT_EQ(errors_of(subject("https://e/fhir/something")), List{});
  EXPECT_EQ(errors_of(subject("urn:uuid:00000000-0000-4000-8000-000000000000")), List{});
  EXPECT_EQ(errors_of(observation(R"(,"subject":{"type":"Practitioner","display":"x"})")),
            List{"structure Observation.subject"});
  ValidationHooks hooks;
  hooks.target_type = [](std::string_view) { return std::optional<std::string>("Practitioner"); };
  EXPECT_EQ(errors_of(subject("https://e/fhir/something"), hooks), List{"structure Observation.subject"});
  EXPECT_EQ(errors_of(subject("Patient/1"), hooks), List{});
}

TEST(Validate, FindsTheTargetsOfReferencesInTheDocument) {
  auto const text = [](std::string_view type, std::string_view reference) {
    return R"({"resourceType":"Basic","code":{"text":"x"},"contained":[{"resourceType":")" +
           std::string(type) + R"(","id":"a"}],"author":{"reference":")" + std::string(reference) + R"("}})";
  };
  EXPECT_EQ(errors_of(text("Patient", "#a")), List{});
  EXPECT_EQ(errors_of(text("Location", "#a")), List{"structure Basic.author"});
  EXPECT_EQ(errors_of(text("Patient", "#b")), List{"invariant Basic.author ref-1"});
  constexpr std::string_view kBundle = R"({"resourceType":"Bundle","type":"collection","entry":[
      {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{"resourceType":"Location"}},
      {"resource":{"resourceType":"Basic","code":{"text":"x"},
       "author":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"}}}]})";
  EXPECT_EQ(errors_of(kBundle), List{"structure Bundle.entry[1].resource.author"});
}

TEST(Validate, ValidatesTheEntriesOfABundleByTheirOwnTypes) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":
                          {"resourceType":"Patient","gender":"man"}},{"resource":{"resourceType":"Observation",
                          "status":"final"}}]})"),
            (List{"code-invalid Bundle.entry[0].resource.gender", "required Bundle.entry[1].resource.code"}));
}

TEST(Validate, HoldsInvariantsThatNeedNoEngine) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","name":[{"id":"a"}]})"),
            List{"invariant Patient.name[0] ele-1"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","_birthDate":{"id":"a"}})"),
            List{"invariant Patient.birthDate ele-1"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","extension":[{"url":"http://e/x"}]})"),
            List{"invariant Patient.extension[0] ext-1"});
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","extension":[{"url":"http://e/x","valueCode":"a",
                          "extension":[{"url":"b","valueCode":"c"}]}]})"),
            List{"invariant Patient.extension[0] ext-1"});
  EXPECT_EQ(errors_of(observation(R"(,"referenceRange":[{"low":{"value":1,"comparator":"<"}}])")),
            List{"invariant Observation.referenceRange[0].low sqty-1"});
}

TEST(Validate, AsksForEveryInvariantWithItsContext) {
  List asked;
  ValidationHooks hooks;
  hooks.invariant = [&](InvariantContext const& context) -> Result<bool> {
    if (!context.expression.contains("telecom.exists()")) return true;
    asked.push_back(std::string(path_of(node_of(context.type))) + " " +
                    std::string(context.resource.text_of("resourceType")) + " " +
                    std::string(context.root_resource.text_of("resourceType")));
    return context.value->find("name") != nullptr;
  };
  EXPECT_EQ(errors_of(R"({"resourceType":"Basic","code":{"text":"x"},"contained":[{"resourceType":"Patient",
                          "id":"p","contact":[{"gender":"male"},{"name":{"text":"x"}}]}]})",
                      hooks),
            List{"invariant Basic.contained[0].contact[0] pat-1"});
  EXPECT_EQ(asked, (List{"Patient.contact Patient Basic", "Patient.contact Patient Basic"}));
}

TEST(Validate, SaysWhatTheDefinitionSaysOfAnInvariant) {
  ValidationHooks hooks;
  hooks.invariant = [](InvariantContext const& context) -> Result<bool> {
    return context.expression != "text.`div`.exists()";
  };
  auto const report = report_of(R"({"resourceType":"Patient"})", hooks);
  EXPECT_TRUE(report.is_valid());
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report.begin()->severity, Severity::kWarning);
  EXPECT_EQ(report.begin()->rule, "dom-6");
  EXPECT_EQ(report.begin()->human, "A resource should have narrative for robust management");
}

TEST(Validate, WarnsOfAnInvariantThatCannotBeJudged) {
  ValidationHooks hooks;
  hooks.invariant = [](InvariantContext const&) -> Result<bool> {
    return fail(ErrorKind::kUnsupported, "not today");
  };
  auto const report = report_of(R"({"resourceType":"Patient","contact":[{"gender":"male"}]})", hooks);
  EXPECT_TRUE(report.is_valid());
  EXPECT_THAT(findings(report, Severity::kInformation),
              ::testing::Contains("not-supported Patient.contact[0]"));
}

TEST(Validate, RefusesUnknownModifierExtensionsAlone) {
  EXPECT_EQ(errors_of(R"({"resourceType":"Patient","extension":[{"url":"http://e/x","valueCode":"a"}]})"),
            List{});
  EXPECT_EQ(
      errors_of(R"({"resourceType":"Patient","modifierExtension":[{"url":"http://e/x","valueCode":"a"}]})"),
      List{"extension Patient.modifierExtension[0]"});
}

TEST(Validate, ReportsNoMoreThanItsLimitsOfEachSeverity) {
  std::string text = R"({"resourceType":"Patient","contact":[)";
  for (int i = 0; i < 500; ++i) text += (i == 0 ? "" : ",") + std::string(R"({"gender":"x"})");
  auto const report = report_of(text + "]}");
  EXPECT_EQ(report.size(), Issues::kMax);
  EXPECT_TRUE(report.full());
}

TEST(Validate, RepeatsNothingOfTheRecord) {
  constexpr std::string_view kCanary = "Canary-4711";
  std::string const value(kCanary);
  auto const report = report_of(R"({"resourceType":"Patient","gender":")" + value + R"(","language":")" +
                                value + R"(-)" + value + R"(","meta":{"profile":["http://)" + value +
                                R"("]},"modifierExtension":[{"url":"http://)" + value +
                                R"("}],"managingOrganization":{"reference":"Patient/)" + value +
                                R"("},"maritalStatus":{"coding":[{"code":")" + value + R"("}]}})");
  EXPECT_GE(report.size(), 6U);
  EXPECT_FALSE(codec::write_json(to_outcome(report)).contains(kCanary));
}

TEST(Validate, GivesAnOutcomeThatIsAResource) {
  auto const bad = to_outcome(report_of(R"({"resourceType":"Patient","gender":"man"})"));
  EXPECT_EQ(codec::write_json(bad),
            R"x({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"code-invalid",)x"
            R"x("diagnostics":"no code of the required value set )x"
            R"x((http://hl7.org/fhir/ValueSet/administrative-gender)","expression":["Patient.gender"]}]})x");
  auto const good = to_outcome(report_of(R"({"resourceType":"Patient"})"));
  EXPECT_TRUE(Resource::check(Json(good)).has_value());
  EXPECT_EQ(report_of(codec::write_json(bad)).size(), 0U);
  EXPECT_EQ(report_of(codec::write_json(good)).size(), 0U);
}

}  // namespace
}  // namespace tacenda::fhir

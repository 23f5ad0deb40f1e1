// Minimum necessary by element: REQUIREMENTS P-01, C-19.
#include "access/view.hpp"

#include <gtest/gtest.h>

#include "fhir/elements.hpp"
#include "fhir/examples_testing.hpp"
#include "fhir/types.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

constexpr std::string_view kTag =
    R"({"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"})";

ElementView view(std::string_view type, std::vector<std::string> const& elements) {
  return ElementView::make(type, elements).value();
}

bool shows(std::string_view type, std::vector<std::string> const& elements, std::string_view code) {
  auto const* parameter = fhir::find_search_parameter(type, code);
  EXPECT_NE(parameter, nullptr) << code;
  return parameter != nullptr && view(type, elements).shows(*parameter);
}

/// Of a parameter that someone defined.
bool shows_expression(std::vector<std::string> const& elements, std::string_view expression) {
  fhir::SearchParameter parameter{};
  parameter.base = "Patient";
  parameter.code = "x";
  parameter.expression = expression;
  return view("Patient", elements).shows(parameter);
}

TEST(ElementView, P01NamesElementsOfItsTypeAlone) {
  for (std::string const element : {"name", "birthDate", "deceased[x]", "deceased", "deceasedBoolean", "id",
                                    "meta", "text", "contained", "extension"}) {
    EXPECT_TRUE(ElementView::make("Patient", {element}).has_value()) << element;
  }
  for (std::string const element : {"", "names", "Name", "name.family", "name[x]", "_birthDate",
                                    "deceasedString", "value[x]", "[x]", "deceasedBoolean[x]"}) {
    auto const made = ElementView::make("Patient", {"name", element});
    ASSERT_FALSE(made.has_value()) << element;
    EXPECT_EQ(made.error().kind(), ErrorKind::kInvalid);
  }
  for (auto const* type : {"", "patient", "Resource", "HumanName"}) {
    EXPECT_FALSE(ElementView::make(type, {}).has_value()) << type;
  }
}

TEST(ElementView, P01LeavesWhatIsSeenAndTagsWhatIsLeftOut) {
  auto const seen =
      view("Patient", {"name", "birthDate", "deceased[x]"})
          .apply(
              R"({"resourceType":"Patient","id":"1","text":{"status":"generated"},)"
              R"("contained":[{"resourceType":"Organization"}],"extension":[{"url":"u"}],)"
              R"("name":[{"family":"A"}],"_birthDate":{"id":"b"},"birthDate":"1970",)"
              R"("_gender":{"id":"g"},"gender":"male","deceasedDateTime":"2000","modifierExtension":[{"url":"m"}]})");
  EXPECT_EQ(
      seen.value(),
      R"({"resourceType":"Patient","id":"1","meta":{"tag":[)" + std::string(kTag) +
          R"(]},"name":[{"family":"A"}],"_birthDate":{"id":"b"},"birthDate":"1970","deceasedDateTime":"2000"})");
}

TEST(ElementView, P01KeepsMetaNumbersAndOrder) {
  auto const seen =
      view("Observation", {"valueQuantity", "status"})
          .apply(R"({"valueQuantity":{"value":1.50e3},"meta":{"versionId":"3","tag":[{"code":"mine"}]},)"
                 R"("resourceType":"Observation","note":[{"text":"x"}],"status":"final"})");
  EXPECT_EQ(seen.value(),
            R"({"valueQuantity":{"value":1.50e3},"meta":{"versionId":"3","tag":[{"code":"mine"},)" +
                std::string(kTag) + R"(]},"resourceType":"Observation","status":"final"})");
}

TEST(ElementView, P01DoesNotTouchWhatItShowsWhole) {
  std::string const text = R"({"resourceType":"Patient", "id":"1" ,"name":[]})";
  EXPECT_EQ(view("Patient", {"name"}).apply(text).value(), text);
}

TEST(ElementView, P01TagsOnce) {
  auto const once = view("Patient", {"name"}).apply(R"({"resourceType":"Patient","gender":"male"})").value();
  auto tagged = codec::parse_json(once).value();
  tagged.set("gender", Json::string("male"));
  EXPECT_EQ(view("Patient", {"name"}).apply(codec::write_json(tagged)).value(), once);
}

TEST(ElementView, P01RefusesWhatIsNoResourceOfItsType) {
  for (auto const* text : {"", "{", "[]", "null", "{}", R"({"resourceType":"Person","name":[]})"}) {
    auto const seen = view("Patient", {"name"}).apply(text);
    ASSERT_FALSE(seen.has_value()) << text;
    EXPECT_EQ(seen.error().kind(), ErrorKind::kCorrupt);
  }
}

TEST(ElementView, P01LeavesNoElementOfAnyOfficialExampleThatIsNotListed) {
  for (auto const& [name, text] : fhir::testing::examples()) {
    auto const whole = codec::parse_json(text).value();
    auto const seen = view(whole.text_of("resourceType"), {}).apply(text);
    ASSERT_TRUE(seen.has_value()) << name;
    auto const parsed = codec::parse_json(*seen).value();
    for (auto const& member : parsed.members()) {
      EXPECT_TRUE(member.name == "resourceType" || member.name == "id" || member.name == "meta")
          << name << " " << member.name;
    }
    EXPECT_TRUE(is_partial(parsed)) << name;
  }
}

TEST(ElementView, P01ShowsAParameterOnlyWhenAllItLooksAtIsSeen) {
  EXPECT_TRUE(shows("Patient", {"name"}, "family"));
  EXPECT_TRUE(shows("Patient", {"name"}, "phonetic"));
  EXPECT_FALSE(shows("Patient", {"name"}, "birthdate"));
  EXPECT_FALSE(shows("Patient", {"name"}, "email"));
  EXPECT_TRUE(shows("Patient", {"telecom"}, "email"));
  EXPECT_TRUE(shows("Patient", {"deceased[x]"}, "deceased"));
  EXPECT_FALSE(shows("Patient", {"deceasedBoolean"}, "deceased"));  // the other type would show through
  EXPECT_TRUE(shows("Observation", {"subject"}, "patient"));        // where(resolve() is Patient)
  EXPECT_FALSE(shows("Observation", {"code"}, "patient"));
}

TEST(ElementView, P01ShowsAUnionOnlyWhole) {
  EXPECT_FALSE(shows("AllergyIntolerance", {"code"}, "code"));
  EXPECT_TRUE(shows("AllergyIntolerance", {"code", "reaction"}, "code"));
  EXPECT_FALSE(shows("Observation", {"value[x]"}, "combo-value-quantity"));
  EXPECT_TRUE(shows("Observation", {"value[x]", "component"}, "combo-value-quantity"));
  EXPECT_FALSE(shows("Observation", {"valueQuantity"}, "value-quantity"));
}

TEST(ElementView, P01ShowsACompositeOnlyWithAllItsComponents) {
  EXPECT_FALSE(shows("Observation", {"code"}, "code-value-quantity"));
  EXPECT_FALSE(shows("Observation", {"value[x]"}, "code-value-quantity"));
  EXPECT_TRUE(shows("Observation", {"code", "value[x]"}, "code-value-quantity"));
  EXPECT_TRUE(shows("Observation", {"component"}, "component-code-value-quantity"));
  EXPECT_FALSE(shows("Observation", {"code", "value[x]"}, "component-code-value-quantity"));
  EXPECT_FALSE(
      shows("MolecularSequence", {"variant"}, "chromosome-variant-coordinate"));  // %resource.referenceSeq
  EXPECT_TRUE(shows("MolecularSequence", {"variant", "referenceSeq"}, "chromosome-variant-coordinate"));
}

TEST(ElementView, P01ShowsWhatLooksAtIdOrMetaAndNothingWithoutAnExpression) {
  for (auto const* code : {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"}) {
    EXPECT_TRUE(shows("Patient", {}, code)) << code;
  }
  for (auto const* parameter : fhir::search_parameters_of("Patient")) {
    if (parameter->expression.empty()) {
      EXPECT_FALSE(view("Patient", {"name", "text"}).shows(*parameter)) << parameter->code;
    }
  }
}

TEST(ElementView, P01DoesNotShowExpressionsWhoseReachIsNotPlain) {
  std::vector<std::string> const name{"name"};
  for (auto const* expression : {
           "Patient.name",
           "name",
           "name.given",
           "Patient.name[0].given",
           "(Patient.name).given",
           "Resource.name",
           "Patient.name.where(use = 'official').family",
           "Person.birthDate | Patient.name",
           "Patient.name.exists() and Patient.name.count() > 1",
           "Patient.name.where($this is HumanName)",
           "%resource.name",
           "Patient.name.family.startsWith('it\\'s')",
           "Patient.id | Patient.meta.tag",
       }) {
    EXPECT_TRUE(shows_expression(name, expression)) << expression;
  }
  for (auto const* expression : {
           "",
           "Patient",
           "(Patient).birthDate",
           "Patient.birthDate",
           "Patient.name | Patient.birthDate",
           "Patient.name | birthDate",
           "Patient.descendants()",
           "Patient.children().where($this is date)",
           "Patient.where(birthDate > @2000).name",
           "descendants()",
           "$this",
           "$this.birthDate",
           "%context.birthDate",
           "Patient.name.where(%resource.birthDate.exists())",
           "Patient.name.where(%context.birthDate.exists())",
           "Patient.name.combine(Patient.birthDate)",
           "Patient.name.combine(birthDate)",
           "Patient.name.union(birthDate)",
           "iif(true, birthDate, name)",
           "Patient.name.iif(true, birthDate)",
           "Patient.`birthDate`",
           "`birthDate`",
           "Patient.name /* x */ | Patient.birthDate",
           "Patient.name | (Patient.birthDate as date)",
           "Patient.extension('u').value",
           "Person.name",
           "Patient.name.where(",
           "Patient.",
           "Patient.name[birthDate]",
           "Patient.name.where(Patient.birthDate > 1)",
           "Patient.name.resolve().birthDate",
           "Patient.name.where(resolve().birthDate.exists())",
           "Nonsense.name",
           "Patient.name and (birthDate)",
           "Patient.name.select(%resource).birthDate",
           "Patient.\nbirthDate",
           "'Patient.name' | Patient.birthDate",
       }) {
    EXPECT_FALSE(shows_expression(name, expression)) << expression;
  }
  EXPECT_TRUE(shows_expression({"extension"}, "Patient.extension('u').value"));
  EXPECT_TRUE(shows_expression({"generalPractitioner"},
                               "Patient.generalPractitioner.where(resolve() is Practitioner)"));
  EXPECT_FALSE(shows_expression({"generalPractitioner"}, "Patient.generalPractitioner.resolve().name"));
}

TEST(ElementView, P01ShowsNoCompositeThatBeginsNowherePlain) {
  std::vector<fhir::SearchComponent> const components{{fhir::SearchType::kToken, "name"}};
  fhir::SearchParameter parameter{};
  parameter.components = components;
  for (auto const& [expression, is_shown] : std::vector<std::pair<std::string_view, bool>>{
           {"Patient", true},
           {"Patient.name", true},
           {"Patient | Patient.name", true},
           {"Patient | Patient.contact", false},
           {"(Patient).contact", false},
           {"(Patient | Patient.name).contact", false},
           {"Patient.contact", false},
           {"Person", false},
       }) {
    parameter.expression = expression;
    EXPECT_EQ(view("Patient", {"name"}).shows(parameter), is_shown) << expression;
  }
}

TEST(ElementView, P01AWholeViewShowsEveryParameterOfR4ThatHasAnExpressionAndAnEmptyOneNoneButIdAndMeta) {
  for (auto const type : fhir::resource_types()) {
    auto const* node = fhir::find_resource_node(type);
    if (node == nullptr) continue;
    std::vector<std::string> all;
    for (auto const& element : fhir::elements_of(*node)) all.emplace_back(fhir::name_of(element));
    auto const whole = view(type, all);
    auto const none = view(type, {});
    for (auto const* parameter : fhir::search_parameters_of(type)) {
      EXPECT_EQ(whole.shows(*parameter), !parameter->expression.empty()) << type << " " << parameter->code;
      bool const is_meta =
          parameter->expression == "Resource.id" || parameter->expression.starts_with("Resource.meta");
      EXPECT_EQ(none.shows(*parameter), is_meta) << type << " " << parameter->code;
    }
  }
}

TEST(IsPartial, C19KnowsEachTagInEachList) {
  std::string const system = R"("system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue",)";
  for (std::string const list : {"tag", "security"}) {
    for (std::string const code : {"SUBSETTED", "REDACTED"}) {
      for (auto const& in : {system, std::string()}) {
        std::string const coding = "{" + in + R"("code":")" + code + R"("})";
        EXPECT_TRUE(is_partial(
            codec::parse_json(R"({"meta":{")" + list + R"(":[{"code":"x"},)" + coding + "]}}").value()))
            << list << code;
      }
    }
  }
  for (auto const* text : {"{}", "[]", R"({"meta":{}})", R"({"meta":{"tag":[{"code":"subsetted"}]}})",
                           R"({"meta":{"tag":[{"system":"http://mine","code":"REDACTED"}]}})",
                           R"({"meta":{"profile":["SUBSETTED"]}})"}) {
    EXPECT_FALSE(is_partial(codec::parse_json(text).value())) << text;
  }
}

}  // namespace
}  // namespace tacenda::access

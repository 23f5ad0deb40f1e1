#include "fhir/resource.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

/// All issues of a text as "code path", in their order.
std::vector<std::string> issues_of(std::string_view text) {
  std::vector<std::string> found;
  auto const checked = check_resource(text);
  if (checked.has_value()) return found;
  for (auto const& issue : checked.error())
    found.push_back(std::string(code_of(issue.kind)) + " " + issue.path);
  return found;
}

using List = std::vector<std::string>;

TEST(Resource, AcceptsEveryOfficialExample) {
  ASSERT_EQ(testing::examples().size(), 727U);
  for (auto const& [name, text] : testing::examples()) EXPECT_EQ(issues_of(text), List{}) << name;
}

TEST(Resource, AcceptsEverySampleBundle) {
  for (auto const& text : testing::samples()) EXPECT_EQ(issues_of(text), List{});
}

TEST(Resource, KnowsItsTypeAndId) {
  auto const resource = parse_resource(R"({"id":"a.B-9","resourceType":"Patient"})").value();
  EXPECT_EQ(resource.type(), "Patient");
  EXPECT_EQ(resource.id(), "a.B-9");
}

TEST(Resource, IsOfAConcreteType) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Paitent"})"), List{"structure "});
  EXPECT_EQ(issues_of(R"({"resourceType":"DomainResource"})"), List{"structure "});
  EXPECT_EQ(issues_of(R"({"resourceType":"HumanName","family":"x"})"), List{"structure "});
  EXPECT_EQ(issues_of(R"({"resourceType":5})"), List{"structure "});
  EXPECT_EQ(issues_of(R"({"id":"1"})"), List{"structure "});
  EXPECT_EQ(issues_of(R"(["Patient"])"), List{"structure "});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient")"), List{"structure "});
}

TEST(Resource, ReportsAnUnknownPropertyByItsParentOnly) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","secret-name":1})"), List{"structure Patient"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","contact":[{"gender":"male"},{"secret-name":{"x":1}}]})"),
            List{"structure Patient.contact[1]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","fhir_comments":["x"]})"), List{"structure Patient"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","":true})"), List{"structure Patient"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"resourceType":"HumanName"}]})"),
            List{"structure Patient.name[0]"});
}

TEST(Resource, ReportsEverythingAtOnceInDocumentOrder) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","active":"yes","name":[{"family":""},{"given":"x"}],
                          "birthDate":"1999-13-01","x":1})"),
            (List{"structure Patient.active", "value Patient.name[0].family",
                  "structure Patient.name[1].given", "value Patient.birthDate", "structure Patient"}));
}

TEST(Resource, HoldsEveryElementToItsCardinality) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","active":[true]})"), List{"structure Patient.active"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":{"family":"x"}})"), List{"structure Patient.name"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[[{"family":"x"}]]})"),
            List{"structure Patient.name[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","maritalStatus":"M"})"),
            List{"structure Patient.maritalStatus"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","gender":{"code":"male"}})"),
            List{"structure Patient.gender"});
}

TEST(Resource, HasNothingEmpty) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[]})"), List{"structure Patient.name"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{}]})"), List{"structure Patient.name[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","meta":{}})"), List{"structure Patient.meta"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","birthDate":null})"), List{"structure Patient.birthDate"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[null]})"), List{"structure Patient.name[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","language":""})"), List{"value Patient.language"});
}

TEST(Resource, HasOneTypeOfEachChoice) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceasedBoolean":true})"), List{});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"})"),
            List{"structure Patient.deceased"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}})"),
            List{"structure Patient.deceased"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}})"),
            List{});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceasedString":"x"})"), List{"structure Patient"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceased[x]":true})"), List{"structure Patient"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","deceased":true})"), List{"structure Patient"});
}

TEST(Resource, TakesExtensionsOfPrimitivesBesideThem) {
  EXPECT_EQ(
      issues_of(R"({"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"c"}]}})"),
      List{});
  EXPECT_EQ(
      issues_of(
          R"({"resourceType":"Patient","name":[{"given":["a",null,"c"],"_given":[null,{"id":"x"},null]}]})"),
      List{});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"_given":[{"id":"x"}]}]})"), List{});
}

TEST(Resource, RefusesExtensionsOfPrimitivesThatFitNoValue) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"given":["a",null]}]})"),
            List{"structure Patient.name[0].given[1]"});
  EXPECT_EQ(
      issues_of(R"({"resourceType":"Patient","name":[{"given":["a",null],"_given":[{"id":"x"},null]}]})"),
      List{"structure Patient.name[0].given[1]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"given":["a","b"],"_given":[{"id":"x"}]}]})"),
            List{"structure Patient.name[0].given"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"_given":[null]}]})"),
            List{"structure Patient.name[0].given[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"_given":[]}]})"),
            List{"structure Patient.name[0].given"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_birthDate":"x"})"), List{"structure Patient.birthDate"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_birthDate":[{"id":"x"}]})"),
            List{"structure Patient.birthDate"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_birthDate":{"value":"x"}})"),
            List{"structure Patient.birthDate"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_birthDate":null})"),
            List{"structure Patient.birthDate"});
  // name is no primitive; Extension.url and Element.id are attributes in XML; xhtml takes no extension
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_name":[{"id":"x"}]})"), List{"structure Patient"});
  EXPECT_EQ(
      issues_of(R"({"resourceType":"Patient","extension":[{"url":"u","_url":{"id":"x"},"valueCode":"c"}]})"),
      List{"structure Patient.extension[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","name":[{"_id":{"id":"x"},"family":"x"}]})"),
            List{"structure Patient.name[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","text":{"status":"empty","_div":{"id":"x"}}})"),
            List{"structure Patient.text"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","_resourceType":{"id":"x"}})"), List{"structure Patient"});
}

TEST(Resource, ContainsWellFormedResourcesOneDeep) {
  EXPECT_EQ(
      issues_of(
          R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}]})"),
      List{});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","contained":[{"id":"o"}]})"),
            List{"structure Patient.contained[0]"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","contained":["o"]})"),
            List{"structure Patient.contained[0]"});
  EXPECT_EQ(
      issues_of(R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","active":"no"}]})"),
      List{"structure Patient.contained[0].active"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient","contained":[{"resourceType":"Organization",
                          "contained":[{"resourceType":"Patient"}]}]})"),
            List{"structure Patient.contained[0]"});
}

TEST(Resource, FollowsDefinitionsThatReferToOthers) {
  // Questionnaire.item.item is defined as Questionnaire.item
  EXPECT_EQ(issues_of(R"({"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"2","item":[
                          {"linkId":"3","text":5}]}]}]})"),
            List{"structure Questionnaire.item[0].item[0].item[0].text"});
}

TEST(Resource, ReportsNoMoreThanItsLimit) {
  std::string text = R"({"resourceType":"Patient","name":[)";
  for (int i = 0; i < 500; ++i) text += i == 0 ? R"({"x":1})" : R"(,{"x":1})";
  EXPECT_EQ(issues_of(text + "]}").size(), Issues::kMax);
}

TEST(Resource, IsNoDeeperThanJsonMayBe) {
  std::string text = R"({"resourceType":"Patient")";
  for (std::size_t i = 0; i < limits::kJsonDepth; ++i) text += R"(,"extension":[{"url":"u")";
  for (std::size_t i = 0; i < limits::kJsonDepth; ++i) text += "}]";
  EXPECT_EQ(issues_of(text + "}"), List{"structure "});
}

TEST(Resource, BoundsTheDepthOfADocumentMadeInTheProgram) {
  codec::Json json = codec::Json::object();
  json.set("url", codec::Json::string("u"));
  for (std::size_t i = 0; i < 2 * limits::kJsonDepth; ++i) {
    codec::Json list = codec::Json::array();
    list.push(std::move(json));
    json = codec::Json::object();
    json.set("extension", std::move(list));
  }
  json.set("resourceType", codec::Json::string("Patient"));
  auto const checked = Resource::check(std::move(json));
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().begin()->kind, IssueKind::kTooLong);
}

TEST(Resource, SaysWhichRequiredElementsAreMissing) {
  auto const resource = parse_resource(R"({"resourceType":"Observation","component":[{"valueString":"x"}],
      "_status":{"extension":[{"url":"u","valueCode":"c"}]},"contained":[{"resourceType":"Flag","status":"active"}]})");
  List missing;
  for (auto const& issue : missing_elements(*resource)) missing.push_back(issue.path);
  EXPECT_EQ(missing, (List{"Observation.component[0].code", "Observation.contained[0].code",
                           "Observation.contained[0].subject", "Observation.code"}));
}

TEST(Resource, FindsTheTwoOfficialExamplesThatLackRequiredElements) {
  List incomplete;
  for (auto const& [name, text] : testing::examples()) {
    if (!missing_elements(parse_resource(text).value()).empty()) incomplete.push_back(name);
  }
  EXPECT_EQ(incomplete, (List{"ImplementationGuide-fhir.json", "Questionnaire-qs1.json"}));
}

TEST(Resource, GetsItsIdBehindItsType) {
  auto resource = parse_resource(R"({"resourceType":"Patient","active":true})").value();
  resource.set_id(ResourceId::parse("7").value());
  EXPECT_EQ(codec::write_json(resource.json()), R"({"resourceType":"Patient","id":"7","active":true})");
  resource.set_id(ResourceId::parse("8").value());
  EXPECT_EQ(codec::write_json(resource.json()), R"({"resourceType":"Patient","id":"8","active":true})");
  resource.strip_id();
  EXPECT_EQ(codec::write_json(resource.json()), R"({"resourceType":"Patient","active":true})");
}

// W-02: fields that the server controls are not taken from a client.
TEST(Resource, LosesTheMetaOfTheServerAlone) {
  auto some = parse_resource(R"({"resourceType":"Patient","meta":{"versionId":"9","_versionId":{"id":"a"},
      "lastUpdated":"2020-01-01T00:00:00Z","profile":["http://p"]}})")
                  .value();
  some.strip_server_meta();
  EXPECT_EQ(codec::write_json(some.json()), R"({"resourceType":"Patient","meta":{"profile":["http://p"]}})");
  auto all = parse_resource(R"({"resourceType":"Patient","meta":{"versionId":"9"},"active":true})").value();
  all.strip_server_meta();
  EXPECT_EQ(codec::write_json(all.json()), R"({"resourceType":"Patient","active":true})");
  auto none = parse_resource(R"({"resourceType":"Patient"})").value();
  none.strip_server_meta();
  EXPECT_EQ(codec::write_json(none.json()), R"({"resourceType":"Patient"})");
}

TEST(Resource, KeepsTheTextOfEveryNumber) {
  std::string const text = R"({"resourceType":"Observation","valueQuantity":{"value":405.70}})";
  EXPECT_EQ(codec::write_json(parse_resource(text).value().json()), text);
}

TEST(Resource, GivesOneErrorToWhoWantsOne) {
  EXPECT_EQ(parse_resource(R"({"resourceType":"Patient","active":"x"})").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(parse_resource("{").error().kind(), ErrorKind::kInvalid);
  std::string const large(limits::kBodyBytes + 1, ' ');
  EXPECT_EQ(parse_resource(large).error().kind(), ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::fhir

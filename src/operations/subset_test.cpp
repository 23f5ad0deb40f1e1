#include "operations/internal/subset.hpp"

#include <gtest/gtest.h>

#include "codec/json.hpp"

namespace tacenda::operations {
namespace {

using fhir::Summary;

std::string const kPatient =
    R"({"resourceType":"Patient","id":"p","meta":{"versionId":"1","tag":[{"code":"own"}]},)"
    R"("implicitRules":"http://example.org/rules","language":"en",)"
    R"("text":{"status":"generated","div":"<div>text</div>"},)"
    R"("contained":[{"resourceType":"Organization","id":"c","name":"inside"}],)"
    R"("active":true,"name":[{"family":"Grimes","period":{"start":"2020"}}],)"
    R"("maritalStatus":{"text":"married"},"photo":[{"title":"portrait"}],)"
    R"("link":[{"other":{"reference":"Patient/q"},"type":"seealso"}],"_birthDate":{"id":"x"}})";
std::string const kObservation =
    R"({"resourceType":"Observation","id":"o","text":{"status":"generated","div":"<div>text</div>"},)"
    R"("status":"final","code":{"text":"weight"},"note":[{"text":"private"}],)"
    R"("component":[{"code":{"text":"part"},"valueInteger":1,"interpretation":[{"text":"high"}]}]})";

/// Names of the members that are left, in their order.
std::string left(std::string const& text, Summary summary, std::vector<std::string> const& elements = {}) {
  auto const json = codec::parse_json(subset(text, summary, elements).value()).value();
  std::string names;
  for (auto const& member : json.members()) names += member.name + " ";
  return names;
}

bool is_tagged(std::string const& text) {
  auto const json = codec::parse_json(text).value();
  auto const* meta = json.find("meta");
  if (meta == nullptr || meta->find("tag") == nullptr) return false;
  auto const& last = meta->find("tag")->items().back();
  return last.text_of("code") == "SUBSETTED" &&
         last.text_of("system") == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
}

TEST(Subset, WithoutAWishIsTheWholeTextByteForByte) {
  EXPECT_EQ(subset(kPatient, Summary::kFalse, {}).value(), kPatient);
}

TEST(Subset, TrueLeavesWhatTheDefinitionCallsSummary) {
  EXPECT_EQ(left(kPatient, Summary::kTrue),
            "resourceType id meta implicitRules active name link _birthDate ");
  EXPECT_EQ(left(kObservation, Summary::kTrue), "resourceType id status code component meta ");
  // Within a backbone element as well; what is of a data type is whole.
  auto const text = subset(kObservation, Summary::kTrue, {}).value();
  EXPECT_EQ(text.find("interpretation"), std::string::npos);
  EXPECT_NE(text.find("valueInteger"), std::string::npos);
  EXPECT_NE(subset(kPatient, Summary::kTrue, {}).value().find(R"("period":{"start":"2020"})"),
            std::string::npos);
}

TEST(Subset, TextLeavesTheNarrativeAndWhatMustBeThere) {
  EXPECT_EQ(left(kPatient, Summary::kText), "resourceType id meta implicitRules text ");
  EXPECT_EQ(left(kObservation, Summary::kText), "resourceType id text status code meta ");
}

TEST(Subset, DataLeavesAllButTheNarrative) {
  auto const names = left(kPatient, Summary::kData);
  EXPECT_EQ(names,
            "resourceType id meta implicitRules language contained active name maritalStatus photo link "
            "_birthDate ");
}

TEST(Subset, ElementsLeaveWhatIsNamedAndWhatMustBeThere) {
  EXPECT_EQ(left(kPatient, Summary::kFalse, {"name", "birthDate"}),
            "resourceType id meta implicitRules name _birthDate ");
  EXPECT_EQ(left(kObservation, Summary::kFalse, {"Observation.note"}),
            "resourceType id status code note meta ");
}

TEST(Subset, IsTaggedBesideItsOwnTags) {
  for (auto const summary : {Summary::kTrue, Summary::kText, Summary::kData}) {
    EXPECT_TRUE(is_tagged(subset(kPatient, summary, {}).value()));
    EXPECT_TRUE(is_tagged(subset(kObservation, summary, {}).value()));
    EXPECT_NE(subset(kPatient, summary, {}).value().find(R"({"code":"own"})"), std::string::npos);
  }
}

}  // namespace
}  // namespace tacenda::operations

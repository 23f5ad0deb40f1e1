#include "fhir/code_system.hpp"

#include <gtest/gtest.h>

namespace tacenda::fhir {
namespace {

std::shared_ptr<CodeSystem const> system_of(std::string_view members) {
  std::string text = R"({"resourceType":"CodeSystem","url":"http://x","content":"complete",)";
  text.append(members).append("}");
  return CodeSystem::parse(codec::parse_json(text).value()).value();
}

constexpr std::string_view kAnimals = R"("concept":[{"code":"animal","concept":[
  {"code":"mammal","concept":[{"code":"cat"},{"code":"bat"}]},
  {"code":"flyer","concept":[{"code":"bat"},{"code":"bird"}]}]},{"code":"plant"}])";

Subsumption compare(CodeSystem const& system, std::string_view a, std::string_view b) {
  return system.compare(system.find(a).value(), system.find(b).value());
}

TEST(CodeSystem, KeepsTheConceptsInTheOrderOfTheDocument) {
  auto const system = system_of(kAnimals);
  std::vector<std::string_view> codes;
  for (std::size_t i = 0; i < system->size(); ++i) codes.push_back((*system)[i].code);
  EXPECT_EQ(codes,
            (std::vector<std::string_view>{"animal", "mammal", "cat", "bat", "flyer", "bird", "plant"}));
}

TEST(CodeSystem, SubsumesByNestingAndThroughSeveralParents) {
  auto const system = system_of(kAnimals);
  EXPECT_EQ(compare(*system, "animal", "cat"), Subsumption::kSubsumes);
  EXPECT_EQ(compare(*system, "bat", "flyer"), Subsumption::kSubsumedBy);
  EXPECT_EQ(compare(*system, "bat", "mammal"), Subsumption::kSubsumedBy);
  EXPECT_EQ(compare(*system, "cat", "flyer"), Subsumption::kNotSubsumed);
  EXPECT_EQ(compare(*system, "cat", "bat"), Subsumption::kNotSubsumed);
  EXPECT_EQ(compare(*system, "cat", "cat"), Subsumption::kEquivalent);
}

TEST(CodeSystem, SubsumesByTheirPropertiesParentAndChild) {
  auto const system =
      system_of(R"("property":[{"code":"up","uri":"http://hl7.org/fhir/concept-properties#parent",
    "type":"code"}],"concept":[{"code":"a","property":[{"code":"child","valueCode":"b"}]},{"code":"b"},
    {"code":"c","property":[{"code":"up","valueCode":"b"},{"code":"up","valueCode":"gone"}]}])");
  EXPECT_EQ(compare(*system, "a", "c"), Subsumption::kSubsumes);
  EXPECT_EQ(compare(*system, "c", "b"), Subsumption::kSubsumedBy);
}

TEST(CodeSystem, HasNoSubsumptionWhereTheHierarchyMeansAnotherThing) {
  auto const system =
      system_of(R"("hierarchyMeaning":"part-of","concept":[{"code":"hand","concept":[{"code":"finger"}]}])");
  EXPECT_EQ(compare(*system, "hand", "finger"), Subsumption::kNotSubsumed);
  EXPECT_TRUE(system->is_below(1, 0, Relation::kHierarchy));
  EXPECT_FALSE(system->is_below(1, 0, Relation::kIsA));
  EXPECT_EQ(system->below(0, Relation::kHierarchy), (std::vector<bool>{true, true}));
  EXPECT_EQ(system->below(0, Relation::kIsA), (std::vector<bool>{true, false}));
  EXPECT_EQ(system->above(1, Relation::kHierarchy), (std::vector<bool>{true, true}));
}

TEST(CodeSystem, FollowsACircleOnce) {
  auto const system = system_of(R"("concept":[{"code":"a","property":[{"code":"parent","valueCode":"b"}]},
    {"code":"b","property":[{"code":"parent","valueCode":"a"}]},{"code":"c"}])");
  EXPECT_EQ(compare(*system, "a", "b"), Subsumption::kEquivalent);
  EXPECT_EQ(compare(*system, "a", "c"), Subsumption::kNotSubsumed);
}

TEST(CodeSystem, TellsCaseUnlessItSaysOtherwise) {
  EXPECT_FALSE(system_of(R"("concept":[{"code":"Ab"}])")->find("aB"));
  EXPECT_FALSE(system_of(R"("caseSensitive":true,"concept":[{"code":"Ab"}])")->find("aB"));
  auto const blind = system_of(R"("caseSensitive":false,"concept":[{"code":"x"},{"code":"Ab"}])");
  EXPECT_EQ(blind->find("aB"), 1U);
  EXPECT_EQ((*blind)[1].code, "Ab");
}

TEST(CodeSystem, KnowsHeadingsAndWhatIsInactive) {
  auto const system = system_of(R"("property":[{"code":"head","uri":
    "http://hl7.org/fhir/concept-properties#notSelectable","type":"boolean"}],"concept":[
    {"code":"a","property":[{"code":"head","valueBoolean":true}]},
    {"code":"b","property":[{"code":"inactive","valueBoolean":true}]},
    {"code":"c","property":[{"code":"status","valueCode":"retired"}]},
    {"code":"d","property":[{"code":"status","valueCode":"deprecated"},{"code":"head","valueBoolean":false}]}])");
  std::vector<std::pair<bool, bool>> found;
  for (std::size_t i = 0; i < 4; ++i) found.emplace_back((*system)[i].is_abstract, (*system)[i].is_inactive);
  EXPECT_EQ(found, (std::vector<std::pair<bool, bool>>{
                       {true, false}, {false, true}, {false, true}, {false, false}}));
}

TEST(CodeSystem, RefusesWhatIsNone) {
  for (auto const* text :
       {R"({"resourceType":"ValueSet","url":"http://x","content":"complete"})",
        R"({"resourceType":"CodeSystem","content":"complete"})",
        R"({"resourceType":"CodeSystem","url":"http://x","content":"some"})",
        R"({"resourceType":"CodeSystem","url":"http://x","content":"complete","concept":[{}]})"}) {
    auto const made = CodeSystem::parse(codec::parse_json(text).value());
    ASSERT_FALSE(made.has_value()) << text;
    EXPECT_EQ(made.error().kind(), ErrorKind::kInvalid);
  }
}

TEST(CodeSystem, RefusesTooManyConcepts) {
  std::string text = R"("concept":[)";
  for (std::size_t i = 0; i <= CodeSystem::kConceptsMax; ++i) {
    if (i > 0) text.push_back(',');
    text.append(R"({"code":")").append(std::to_string(i)).append("\"}");
  }
  text = R"({"resourceType":"CodeSystem","url":"http://x","content":"complete",)" + text + "]}";
  auto const made = CodeSystem::parse(codec::parse_json(text).value());
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().kind(), ErrorKind::kTooCostly);
}

}  // namespace
}  // namespace tacenda::fhir

#include "fhir/search_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::fhir {
namespace {

using testing::ElementsAre;
using Kind = SearchCriterion::Kind;

Result<SearchQuery> parse(std::string_view type, std::string_view query,
                          Handling handling = Handling::kStrict) {
  auto const parameters = codec::parse_query(query);
  EXPECT_TRUE(parameters.has_value());
  return parse_search(r4_parameters(), type, *parameters, handling);
}

SearchCriterion only(std::string_view type, std::string_view query) {
  auto parsed = parse(type, query);
  EXPECT_TRUE(parsed.has_value()) << query;
  EXPECT_EQ(parsed->criteria.size(), 1U);
  return std::move(parsed->criteria.front());
}

ErrorKind error(std::string_view type, std::string_view query) {
  auto const parsed = parse(type, query);
  EXPECT_FALSE(parsed.has_value()) << query;
  return parsed.has_value() ? ErrorKind::kBug : parsed.error().kind();
}

TEST(SearchQuery, TakesTokensApart) {
  auto const criterion = only("Patient", "identifier=http://a|1,|2,3,http://b|");
  ASSERT_EQ(criterion.values.size(), 4U);
  EXPECT_EQ(criterion.values[0].system, "http://a");
  EXPECT_EQ(criterion.values[0].text, "1");
  EXPECT_EQ(criterion.values[1].system, "");
  EXPECT_EQ(criterion.values[2].system, std::nullopt);
  EXPECT_EQ(criterion.values[3].text, "");
}

TEST(SearchQuery, ResolvesEscapesAfterItHasCut) {
  auto const criterion = only("Patient", "name=a%5C,b,c%5C%5Cd");
  ASSERT_EQ(criterion.values.size(), 2U);
  EXPECT_EQ(criterion.values[0].text, "a,b");
  EXPECT_EQ(criterion.values[1].text, "c\\d");
  EXPECT_EQ(error("Patient", "name=a%5Cb"), ErrorKind::kInvalid);
}

TEST(SearchQuery, ReadsPrefixesOfWhatHasAnOrderOnly) {
  EXPECT_EQ(only("Patient", "birthdate=ge2000").values[0].prefix, Prefix::kGe);
  EXPECT_EQ(only("Patient", "birthdate=ge2000").values[0].text, "2000");
  EXPECT_EQ(only("Patient", "family=gerald").values[0].text, "gerald");
  auto const quantity = only("Observation", "value-quantity=le5.40e1|http://unitsofmeasure.org|mg");
  EXPECT_EQ(quantity.values[0].prefix, Prefix::kLe);
  EXPECT_EQ(quantity.values[0].text, "5.40e1");
  EXPECT_EQ(quantity.values[0].unit, "mg");
  EXPECT_EQ(only("Observation", "value-quantity=5||mg").values[0].system, std::nullopt);
}

TEST(SearchQuery, FollowsChainsThroughEveryTypeThatHasTheParameter) {
  auto const criterion = only("Observation", "subject.name=peter");
  EXPECT_EQ(criterion.kind, Kind::kChain);
  std::vector<std::string> types;
  for (auto const& [type, linked] : criterion.links) types.push_back(type);
  EXPECT_THAT(types, ElementsAre("Location", "Patient"));  // neither Device nor Group has it
  auto const typed = only("Observation", "subject:Patient.general-practitioner:Practitioner.family=x");
  ASSERT_EQ(typed.links.size(), 1U);
  EXPECT_EQ(typed.links[0].second->kind, Kind::kChain);
}

TEST(SearchQuery, ReadsReverseChains) {
  auto const criterion = only("Patient", "_has:Observation:patient:_has:AuditEvent:entity:agent=1");
  EXPECT_EQ(criterion.kind, Kind::kHas);
  EXPECT_EQ(criterion.links[0].first, "Observation");
  EXPECT_EQ(criterion.links[0].second->kind, Kind::kHas);
  EXPECT_EQ(error("Patient", "_has:Observation:code:status=1"), ErrorKind::kInvalid);
}

TEST(SearchQuery, LeavesOutWhatItDoesNotKnowUnlessStrict) {
  auto const lenient = parse("Patient", "shoe-size=1&hat=2&name=y", Handling::kLenient);
  ASSERT_TRUE(lenient.has_value());
  EXPECT_EQ(lenient->criteria.size(), 1U);
  ASSERT_EQ(lenient->ignored.size(), 2U);
  EXPECT_EQ(lenient->ignored[1].index, 1U);
  EXPECT_EQ(error("Patient", "shoe-size=1"), ErrorKind::kNotSupported);
}

TEST(SearchQuery, RefusesValuesThatTheParameterCannotTakeAlways) {
  for (auto const* query :
       {"birthdate=soon", "birthdate=2000-02-30", "birthdate=", "_count=x", "deceased:missing=1",
        "name:backwards=x", "birthdate:exact=2000", "general-practitioner:Shoe=1"}) {
    EXPECT_FALSE(parse("Patient", query, Handling::kLenient).has_value()) << query;
  }
  EXPECT_EQ(error("Observation", "code-value-quantity=1"), ErrorKind::kInvalid);
  EXPECT_EQ(error("Observation", "value-quantity=1|mg"), ErrorKind::kInvalid);
}

TEST(SearchQuery, HasLimits) {
  std::string deep = "status=x";
  for (int i = 0; i < 20; ++i) deep.insert(0, "part-of.");
  EXPECT_EQ(error("Encounter", deep), ErrorKind::kTooLarge);
  std::string many = "_id=1";
  for (std::size_t i = 0; i <= limits::kSearchConditions; ++i) many += "&_id=1";
  EXPECT_EQ(error("Patient", many), ErrorKind::kTooLarge);
  EXPECT_EQ(error("Patient", "_id=1" + std::string(2 * limits::kSearchValues, ',')), ErrorKind::kInvalid);
  EXPECT_EQ(parse("Patient", "_count=99999999999999999999")->count, limits::kPageSizeMax);
}

TEST(SearchQuery, ReadsWhatShapesTheResult) {
  auto const query =
      parse("Observation",
            "_sort=-date,code&_include=Observation:subject:Patient&_revinclude:iterate=Provenance:target&"
            "_total=accurate&_summary=data&_elements=code,status");
  ASSERT_TRUE(query.has_value());
  ASSERT_EQ(query->sort.size(), 2U);
  EXPECT_TRUE(query->sort[0].descending);
  ASSERT_EQ(query->includes.size(), 2U);
  EXPECT_EQ(query->includes[0].target, "Patient");
  EXPECT_TRUE(query->includes[1].reverse && query->includes[1].iterate);
  EXPECT_EQ(query->total, Total::kAccurate);
  EXPECT_THAT(query->elements, ElementsAre("code", "status"));
}

TEST(SearchCriteria, OfConditionsTakeNothingThatShapesAResult) {
  EXPECT_TRUE(parse_criteria(r4_parameters(), "Patient", "?identifier=a|b&birthdate=2000").has_value());
  EXPECT_EQ(parse_criteria(r4_parameters(), "Patient", "").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(parse_criteria(r4_parameters(), "Patient", "_count=1").error().kind(), ErrorKind::kNotSupported);
  EXPECT_EQ(
      parse_criteria(r4_parameters(), "Patient", std::string(limits::kUriBytes + 1, 'a')).error().kind(),
      ErrorKind::kTooLarge);
}

TEST(SearchParameters, OfATypeAreItsOwnAndThoseOfAllResources) {
  EXPECT_NE(find_search_parameter("Patient", "birthdate"), nullptr);
  EXPECT_NE(find_search_parameter("Patient", "_lastUpdated"), nullptr);
  EXPECT_EQ(find_search_parameter("Binary", "_text"), nullptr);
  EXPECT_EQ(find_search_parameter("Observation", "birthdate"), nullptr);
  EXPECT_THAT(find_search_parameter("Patient", "gender")->systems,
              ElementsAre("http://hl7.org/fhir/administrative-gender"));
}

TEST(SearchParameters, PutResourcesIntoCompartments) {
  EXPECT_FALSE(compartment_links("Patient", "Observation").parameters.empty());
  EXPECT_TRUE(compartment_links("Patient", "Patient").owner);
  EXPECT_TRUE(compartment_links("Patient", "Patient").parameters.empty()) << "a link opens no other record";
  EXPECT_TRUE(compartment_links("Patient", "Medication").parameters.empty());
  EXPECT_FALSE(compartment_criterion("Patient", "1", "Medication").has_value());
}

}  // namespace
}  // namespace tacenda::fhir

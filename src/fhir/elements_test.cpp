#include "fhir/elements.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "fhir/generated/element_tables.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

Element const& element(std::string_view type, std::string_view name) {
  return *find_element(*find_resource_node(type), name);
}

// R4 4.0.1 has 148 resource types (resourcelist.html), Resource and DomainResource among them.
TEST(Elements, KnowEveryConcreteResourceType) {
  EXPECT_EQ(generated::fhir_version(), "4.0.1");
  EXPECT_EQ(resource_types().size(), 146U);
  EXPECT_TRUE(std::ranges::is_sorted(resource_types()));
  for (auto const type : resource_types()) {
    ASSERT_NE(find_resource_node(type), nullptr) << type;
    EXPECT_EQ(path_of(*find_resource_node(type)), type);
  }
  EXPECT_EQ(find_resource_node("Resource"), nullptr);
  EXPECT_EQ(find_resource_node("DomainResource"), nullptr);
  EXPECT_EQ(find_resource_node("Extension"), nullptr);
}

TEST(Elements, AreFoundByTheirNamesAndNoOther) {
  std::size_t count = 0;
  for (auto const& node : generated::kTables.nodes) {
    for (auto const& each : elements_of(node)) {
      EXPECT_EQ(find_element(node, name_of(each)), &each) << path_of(node) << " " << name_of(each);
      EXPECT_EQ(find_element(node, std::string(name_of(each)) + "x"), nullptr);
      ++count;
    }
    EXPECT_EQ(find_element(node, ""), nullptr);
  }
  EXPECT_GT(count, 8'000U);
}

TEST(Elements, HaveTypeCardinalityAndTargets) {
  Element const& subject = element("Observation", "subject");
  EXPECT_EQ(subject.type_code(), TypeCode::kReference);
  EXPECT_FALSE(subject.has(Element::kRepeats));
  std::vector<std::string_view> targets;
  for (std::size_t i = 0; i < target_count(subject); ++i) targets.push_back(target_of(subject, i));
  EXPECT_EQ(targets, (std::vector<std::string_view>{"Device", "Group", "Location", "Patient"}));
  EXPECT_TRUE(element("Observation", "performer").has(Element::kRepeats));
  EXPECT_EQ(element("Observation", "id").type_code(), TypeCode::kId);
  EXPECT_EQ(element("Observation", "contained").type_code(), TypeCode::kResource);
  EXPECT_TRUE(element("Observation", "status").has(Element::kModifier));
}

TEST(Elements, OfOneChoiceShareASlotAndADefinition) {
  Element const& quantity = element("Observation", "valueQuantity");
  Element const& text = element("Observation", "valueString");
  EXPECT_TRUE(quantity.has(Element::kChoice));
  EXPECT_EQ(quantity.slot, text.slot);
  EXPECT_EQ(definition_name_of(quantity), "value");
  EXPECT_EQ(name_of(quantity), "valueQuantity");
}

TEST(Elements, OfBackbonesAreFoundThroughTheirParents) {
  Element const& component = element("Observation", "component");
  EXPECT_EQ(path_of(node_of(component.type_code())), "Observation.component");
  Element const* range = find_element(node_of(component.type_code()), "referenceRange");
  EXPECT_EQ(path_of(node_of(range->type_code())), "Observation.referenceRange");
}

}  // namespace
}  // namespace tacenda::fhir

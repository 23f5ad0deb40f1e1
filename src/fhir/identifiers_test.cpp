#include "fhir/identifiers.hpp"

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using List = std::vector<Identifier>;

List of(std::string_view text) {
  return identifiers_of(parse_resource(text).value()).value();
}

TEST(Identifiers, AreThoseOfTheSearchParameter) {
  EXPECT_EQ(of(testing::examples().at("Patient-example.json")),
            (List{{"urn:oid:1.2.36.146.595.217.0.1", "12345"}}));
  // masterIdentifier | identifier
  EXPECT_EQ(of(testing::examples().at("DocumentReference-example.json")),
            (List{{"urn:ietf:rfc:3986", "urn:oid:1.3.6.1.4.1.21367.2005.3.7"},
                  {"urn:ietf:rfc:3986", "urn:oid:1.3.6.1.4.1.21367.2005.3.7.1234"}}));
}

TEST(Identifiers, AreSortedAndEachOnce) {
  EXPECT_EQ(of(R"({"resourceType":"Patient","identifier":[{"system":"s","value":"2"},{"value":"3"},
      {"system":"s","value":"1"},{"use":"old","system":"s","value":"2"}]})"),
            (List{{"", "3"}, {"s", "1"}, {"s", "2"}}));
}

TEST(Identifiers, WithoutAValueAreNone) {
  EXPECT_EQ(of(R"({"resourceType":"Patient","identifier":[{"system":"s"},{"system":"t",
      "_value":{"extension":[{"url":"u","valueCode":"masked"}]}}]})"),
            List{});
}

TEST(Identifiers, OfOtherElementsAndContainedResourcesAreNotTheResources) {
  EXPECT_EQ(
      of(R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","identifier":[{"value":"1"}]}],
      "managingOrganization":{"identifier":{"value":"2"}}})"),
      List{});
}

TEST(Identifiers, OfASingleElementAreFoundToo) {
  EXPECT_EQ(of(R"({"resourceType":"Bundle","type":"document","identifier":{"system":"s","value":"1"}})"),
            (List{{"s", "1"}}));
}

TEST(Identifiers, OfAStoredTextThatIsBrokenAreCorrupt) {
  EXPECT_EQ(identifiers_of_text("{").error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(identifiers_of_text(R"({"resourceType":"Patient","identifier":[{"value":"1"}]})").value(),
            (List{{"", "1"}}));
}

}  // namespace
}  // namespace tacenda::fhir

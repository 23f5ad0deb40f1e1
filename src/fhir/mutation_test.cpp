// Property: whatever one hostile change is made to a well-formed resource, the check finds it and its report
// holds nothing of what was put in.
#include <random>

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"
#include "fhir/outcome.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

constexpr std::string_view kCanary = "Canary-4711";

/// A value of the document that is no resourceType, and whether it stands in an array.
struct Spot {
  Json* value;
  bool in_array;
};

void collect(Json& json, std::vector<Spot>& spots) {
  if (json.is_array()) {
    for (auto& item : json.items()) {
      if (!item.is_null()) spots.push_back({&item, true});
      collect(item, spots);
    }
  } else if (json.is_object()) {
    for (auto& member : json.members()) {
      if (member.name == "resourceType") continue;
      spots.push_back({&member.value, false});
      collect(member.value, spots);
    }
  }
}

Json canary_object() {
  Json object = Json::object();
  object.set(kCanary, Json::string(kCanary));
  return object;
}

constexpr unsigned kMutations = 10;

/// Makes one change that no definition allows at this place; false when it does not apply here.
bool mutate(Spot spot, unsigned kind) {
  Json& value = *spot.value;
  bool const is_object = value.is_object();
  bool const is_array = value.is_array();
  bool const is_scalar = !is_object && !is_array;
  switch (kind) {
    case 0:  // a property that no type has
      if (is_object) value.set(kCanary, Json::string(kCanary));
      return is_object;
    case 1:  // a text for an object
      if (is_object) value = Json::string(kCanary);
      return is_object;
    case 2:  // an object for a primitive
      if (is_scalar) value = canary_object();
      return is_scalar;
    case 3:  // an array for one value, or an array in an array
      if (!is_array) {
        Json list = Json::array();
        list.push(std::move(value));
        value = std::move(list);
      }
      return !is_array;
    case 4:  // one value for an array
      if (is_array) value = Json(value.items().front());
      return is_array;
    case 5:
      value = Json::object();
      return true;
    case 6:
      value = Json::array();
      return true;
    case 7:
      value = Json::string("");
      return true;
    case 8:  // JSON's null stands in arrays of primitives alone
      if (spot.in_array) return false;
      value = Json();
      return true;
    default:  // a control character
      if (!value.is_string()) return false;
      value = Json::string(std::string(kCanary) + "\x01");
      return true;
  }
}

/// True for a FHIRPath of names and indexes: "Patient.name[0].given".
bool is_path(std::string_view text) {
  bool in_index = false;
  for (char const c : text) {
    bool const digit = c >= '0' && c <= '9';
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '[' || c == ']') {
      if (in_index != (c == ']')) return false;
      in_index = !in_index;
    } else if (in_index ? !digit : !digit && !letter && c != '.') {
      return false;
    }
  }
  return !in_index;
}

TEST(StructureMutation, IsFoundWhereverItIsAndNeverRepeated) {
  std::mt19937_64 random(20261123);
  std::size_t tried = 0;
  for (auto const& [name, text] : testing::examples()) {
    if (text.size() > 60'000) continue;  // the large ones have no types that the others lack
    Json const original = codec::parse_json(text).value();
    for (unsigned kind = 0; kind < kMutations; ++kind) {
      Json json = original;
      std::vector<Spot> spots;
      collect(json, spots);
      if (spots.empty() || !mutate(spots[random() % spots.size()], kind)) continue;
      ++tried;
      auto const checked = Resource::check(std::move(json));
      ASSERT_FALSE(checked.has_value()) << name << " mutation " << kind;
      for (auto const& issue : checked.error()) {
        EXPECT_TRUE(is_path(issue.path)) << name << " mutation " << kind << ": " << issue.path;
      }
      EXPECT_FALSE(outcome_text(checked.error()).contains(kCanary)) << name << " mutation " << kind;
    }
  }
  EXPECT_GT(tried, 3'000U);
}

}  // namespace
}  // namespace tacenda::fhir

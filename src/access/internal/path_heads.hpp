#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tacenda::access {

/// Where the paths of one expression begin, for one resource type.
struct PathHeads {
  // Names as definitions have them: "value" of `Observation.value as Quantity`.
  std::vector<std::string_view> elements;  // of the resource
  std::vector<std::string_view> relative;  // of where the expression begins: the resource, or a part of it
  bool is_whole = false;                   // some path is the resource itself: `Observation`
};

/// Reads the part of FHIRPath that search parameters are written in: unions, operators, `as`, `is`, `where`,
/// indexes, %resource. Paths of other resource types are passed over. nullopt: something whose reach is not
/// plain (a function on the resource, a step over resolve(), another variable). Source: FHIRPath N1, R4
/// fhirpath.html.
std::optional<PathHeads> path_heads(std::string_view expression, std::string_view type);

}  // namespace tacenda::access

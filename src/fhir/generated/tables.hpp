#pragma once

#include <span>
#include <string_view>

namespace tacenda::fhir::generated {

/// An element of a type, as a path of names: {"Observation", "subject"}.
struct Path {
  std::string_view type;
  std::string_view path;
};

/// The concrete resource types of R4, sorted.
std::span<std::string_view const> resource_types();
/// Elements that put a resource into a Patient compartment, sorted by type (CompartmentDefinition patient).
std::span<Path const> patient_paths();
/// Elements of the search parameter `identifier`, sorted by type.
std::span<Path const> identifier_paths();

}  // namespace tacenda::fhir::generated

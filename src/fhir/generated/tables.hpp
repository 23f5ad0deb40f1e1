#pragma once

#include <span>
#include <string_view>

namespace tacenda::fhir::generated {

/// What a search parameter of a type finds, as a path of names: {"Appointment", "actor",
/// "participant.actor"}.
struct Path {
  std::string_view type;
  std::string_view parameter;
  std::string_view path;
};

/// The concrete resource types of R4, sorted.
std::span<std::string_view const> resource_types();
/// Elements that put a resource into a Patient compartment, sorted by type (CompartmentDefinition patient,
/// with its own name {def} for the id of a Patient). Two parameters of a type may find the same element.
std::span<Path const> patient_paths();

}  // namespace tacenda::fhir::generated

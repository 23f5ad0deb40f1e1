#pragma once

#include <span>
#include <string_view>

namespace tacenda::fhir {

/// The concrete resource types of FHIR R4 4.0.1, sorted by name.
std::span<std::string_view const> resource_types();
bool is_resource_type(std::string_view name);

/// True for types that the Patient compartment lists (CompartmentDefinition patient), Patient itself
/// included.
bool in_patient_compartment(std::string_view type);

}  // namespace tacenda::fhir

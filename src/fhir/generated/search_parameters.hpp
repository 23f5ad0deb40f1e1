#pragma once

#include <span>

#include "fhir/search_parameter.hpp"

namespace tacenda::fhir::generated {

/// Every search parameter of R4, sorted by base type and code.
std::span<SearchParameter const> search_parameters();

/// A search parameter that puts resources of a type into a compartment, or {def} for the owner himself.
struct CompartmentParameter {
  std::string_view compartment;  // "Patient"
  std::string_view type;
  std::string_view code;
};
/// Sorted by compartment and type.
std::span<CompartmentParameter const> compartment_parameters();

}  // namespace tacenda::fhir::generated

#include "fhir/types.hpp"

#include <algorithm>

#include "fhir/generated/tables.hpp"

namespace tacenda::fhir {

std::span<std::string_view const> resource_types() {
  return generated::resource_types();
}

bool is_resource_type(std::string_view name) {
  return std::ranges::binary_search(resource_types(), name);
}

bool in_patient_compartment(std::string_view type) {
  return std::ranges::binary_search(generated::patient_paths(), type, {}, &generated::Path::type);
}

}  // namespace tacenda::fhir

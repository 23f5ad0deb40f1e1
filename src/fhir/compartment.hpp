#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

/// Whose data a resource is, which decides the keys it lies under (SECURITY_DESIGN section 1).
enum class SubjectKind : std::uint8_t {
  kPatients,      // the Patient compartments it is in
  kPractitioner,  // a practitioner is a data subject himself
  kBinary,        // a Binary that no compartment claims has a key of its own
  kTenant,        // everything else
};

struct SubjectSet {
  SubjectKind kind = SubjectKind::kTenant;
  std::vector<std::string> patients;  // kPatients: logical ids, sorted, each once
};

/// The subjects of a resource that has, or will have, the logical id `id`. A Patient is in its own
/// compartment only: Patient.link names another record of the same person and opens neither. References count
/// when they are literal, relative and to a Patient. Errors: kUnprocessable (more than
/// limits::kCompartmentsPerResource). Source: CompartmentDefinition patient 4.0.1.
Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id);

}  // namespace tacenda::fhir

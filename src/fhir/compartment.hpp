#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

/// Whose data a resource is, which decides the keys it lies under (SECURITY_DESIGN section 1).
enum class SubjectKind : std::uint8_t {
  kPatients,      // the patients it is about
  kPractitioner,  // a practitioner is a data subject himself
  kBinary,        // a Binary of no patient has a key of its own
  kTenant,        // everything else
};

struct SubjectSet {
  SubjectKind kind = SubjectKind::kTenant;
  std::vector<std::string> patients;  // kPatients: logical ids, sorted, each once
};

/// Whose data a resource is that has, or will have, the logical id `id`: logical ids of patients, sorted,
/// each once. Of a type that the Patient compartment lists, the compartments it is in; a Patient is in its
/// own only: Patient.link names another record of the same person and opens neither. Of any other type (Task,
/// Device, Bundle) whoever it names, at whatever place, and the Patients that a Bundle holds; definitions and
/// the directory (ValueSet, Practitioner, Organization) name patients as examples at most and are nobody's.
/// Literal references to a Patient of this server count, relative or below one of `base_urls`, with or
/// without a version; references to contained patients, by identifier alone and to other servers do not.
/// Errors: kUnprocessable (more than limits::kCompartmentsPerResource). Source: CompartmentDefinition
/// patient 4.0.1; R4 binary.html (securityContext).
Result<std::vector<std::string>> patients_of(Resource const& resource, std::string_view id,
                                             std::span<std::string const> base_urls = {});
/// The same for a resource that has its id.
Result<std::vector<std::string>> patients_of(Resource const& resource);

/// The subjects of a resource that has, or will have, the logical id `id`. Errors: as patients_of.
Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id,
                               std::span<std::string const> base_urls = {});

/// The id of a Practitioner, who is a data subject of his own; nullopt for all other types.
std::optional<std::string_view> practitioner_id(Resource const& resource);

}  // namespace tacenda::fhir

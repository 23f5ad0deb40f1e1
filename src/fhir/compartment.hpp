#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
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

/// True for definitions, which all have Type.experimental (R4 metadataresource), and for the directory of who
/// gives care and where: whatever they name, they are nobody's data.
bool is_of_nobody(std::string_view type);

/// True for the types that hold anybody's data (Binary, Bundle, MessageHeader, Parameters, Task): of whom one
/// is that names no patient is unknown.
bool holds_anything(std::string_view type);

/// True for the types that are whose they name (patients_of): neither of a compartment nor of nobody.
bool is_of_whom_it_names(std::string_view type);

/// The most patients that one resource may name; a Group names limits::kCompartmentsPerResource.
inline constexpr std::size_t kPatientsNamed = 256;
/// The most records of patients that are looked at for one that names them.
inline constexpr std::size_t kRecordsNamed = 4'096;

/// The patients of a record of a type that the Patient compartment lists; none: it is not there.
using PatientsOfRecord =
    std::function<Result<std::vector<std::string>>(std::string_view type, std::string_view id)>;

/// Whose data a resource is that has, or will have, the logical id `id`: logical ids of patients, sorted,
/// each once. Of a type that the Patient compartment lists, the compartments it is in; a Patient is in its
/// own only: Patient.link names another record of the same person and opens neither. Of any other type (Task,
/// Device, Bundle) whoever it names, at whatever place, the Patients that a Bundle or Parameters holds, and
/// those of the records of the compartment that it names, by `named` (not set: these are not looked at);
/// definitions and the directory (ValueSet, Practitioner, Organization) name patients as examples at most and
/// are nobody's.
/// Literal references to this server count, relative or below one of `base_urls`, with or without a version;
/// references to contained patients, by identifier alone and to other servers do not. What stands in an entry
/// of a Bundle whose fullUrl is of another server is that server's: its id and its relative references do not
/// count.
/// Errors: kUnprocessable (more than kPatientsNamed or kRecordsNamed), those of `named`. Source:
/// CompartmentDefinition patient 4.0.1; R4 binary.html (securityContext), bundle.html#references.
Result<std::vector<std::string>> patients_of(Resource const& resource, std::string_view id,
                                             std::span<std::string const> base_urls = {},
                                             PatientsOfRecord const& named = {});
/// The same for a resource that has its id.
Result<std::vector<std::string>> patients_of(Resource const& resource);

/// Whom a resource of the Patient compartment is clearly about: the one Patient of this server that its
/// element patient, subject or beneficiary names, whoever else takes part in it; empty: none. `resource`: one
/// that was parsed once, absolute references to this server made relative.
std::string_view clear_subject(codec::Json const& resource);

/// The subjects of a resource that has, or will have, the logical id `id`. Errors: as patients_of.
Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id,
                               std::span<std::string const> base_urls = {},
                               PatientsOfRecord const& named = {});

/// The id of a Practitioner, who is a data subject of his own; nullopt for all other types.
std::optional<std::string_view> practitioner_id(Resource const& resource);

}  // namespace tacenda::fhir

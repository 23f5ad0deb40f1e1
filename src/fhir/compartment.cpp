#include "fhir/compartment.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "fhir/generated/tables.hpp"
#include "fhir/path.hpp"
#include "fhir/reference.hpp"

namespace tacenda::fhir {
namespace {

constexpr std::string_view kPatient = "Patient";
constexpr std::string_view kPractitioner = "Practitioner";
constexpr std::string_view kBinary = "Binary";

}  // namespace

Result<std::vector<std::string>> patient_compartments(Resource const& resource, std::string_view id,
                                                      std::span<std::string const> base_urls) {
  std::vector<std::string> patients;
  if (resource.type() == kPatient) {
    patients.emplace_back(id);
    return patients;
  }
  auto const collect = [&](codec::Json const& value) {
    auto const reference = parse_reference(value.text_of("reference"), base_urls);
    if (reference.kind == ReferenceKind::kLocal && reference.type == kPatient)
      patients.emplace_back(reference.id);
  };
  auto const rows =
      std::ranges::equal_range(generated::patient_paths(), resource.type(), {}, &generated::Path::type);
  for (auto const& row : rows) for_each_at(resource.json(), row.path, collect);
  if (resource.type() == kBinary) for_each_at(resource.json(), "securityContext", collect);
  std::ranges::sort(patients);
  patients.erase(std::ranges::unique(patients).begin(), patients.end());
  if (patients.size() > limits::kCompartmentsPerResource) {
    return fail(ErrorKind::kUnprocessable, "the resource names too many patients");
  }
  return patients;
}

Result<std::vector<std::string>> patient_compartments(Resource const& resource) {
  return patient_compartments(resource, resource.id());
}

Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id,
                               std::span<std::string const> base_urls) {
  SubjectSet set;
  set.patients = TACENDA_TRY(patient_compartments(resource, id, base_urls));
  set.kind = !set.patients.empty()              ? SubjectKind::kPatients
             : resource.type() == kPractitioner ? SubjectKind::kPractitioner
             : resource.type() == kBinary       ? SubjectKind::kBinary
                                                : SubjectKind::kTenant;
  return set;
}

std::optional<std::string_view> practitioner_id(Resource const& resource) {
  if (resource.type() != kPractitioner) return std::nullopt;
  return resource.id();
}

}  // namespace tacenda::fhir

#include "fhir/compartment.hpp"

#include <algorithm>
#include <array>

#include "core/id.hpp"
#include "core/limits.hpp"
#include "fhir/elements.hpp"
#include "fhir/generated/tables.hpp"
#include "fhir/path.hpp"
#include "fhir/reference.hpp"

namespace tacenda::fhir {
namespace {

constexpr std::string_view kPatient = "Patient";
constexpr std::string_view kPractitioner = "Practitioner";
constexpr std::string_view kBinary = "Binary";
constexpr std::string_view kBundle = "Bundle";

/// True for canonical resources, which all have Type.experimental (R4 metadataresource), and for those that
/// say who and where care is given.
bool is_of_nobody(Resource const& resource) {
  static constexpr auto kDirectory =
      std::to_array<std::string_view>({"Endpoint", "HealthcareService", "Location", "Organization",
                                       "OrganizationAffiliation", kPractitioner, "PractitionerRole"});
  if (std::ranges::find(kDirectory, resource.type()) != kDirectory.end()) return true;
  auto const* node = find_resource_node(resource.type());
  return node == nullptr || find_element(*node, "experimental") != nullptr;
}

class Patients {
 public:
  explicit Patients(std::span<std::string const> base_urls) : base_urls_(base_urls) {}

  void add(std::string_view reference) {
    auto const parsed = parse_reference(reference, base_urls_);
    if (parsed.kind == ReferenceKind::kLocal && parsed.type == kPatient) ids_.emplace_back(parsed.id);
  }
  /// A Patient within a Bundle.
  void add_entry(codec::Json const& resource) {
    auto const id = resource.text_of("id");
    if (resource.text_of("resourceType") == kPatient && ResourceId::parse(id)) ids_.emplace_back(id);
  }
  Result<std::vector<std::string>> take() {
    std::ranges::sort(ids_);
    ids_.erase(std::ranges::unique(ids_).begin(), ids_.end());
    if (ids_.size() > limits::kCompartmentsPerResource)
      return fail(ErrorKind::kUnprocessable, "the resource names too many patients");
    return std::move(ids_);
  }

 private:
  std::span<std::string const> base_urls_;
  std::vector<std::string> ids_;
};

}  // namespace

Result<std::vector<std::string>> patients_of(Resource const& resource, std::string_view id,
                                             std::span<std::string const> base_urls) {
  if (resource.type() == kPatient) return std::vector{std::string(id)};
  Patients patients(base_urls);
  auto const rows =
      std::ranges::equal_range(generated::patient_paths(), resource.type(), {}, &generated::Path::type);
  for (auto const& row : rows) {
    for_each_at(resource.json(), row.path,
                [&](codec::Json const& value) { patients.add(value.text_of("reference")); });
  }
  if (rows.empty() && !is_of_nobody(resource)) {
    for_each_reference(resource, [&](FoundReference const& found) { patients.add(found.text); });
    if (resource.type() == kBundle) {
      for_each_at(resource.json(), "entry.resource",
                  [&](codec::Json const& entry) { patients.add_entry(entry); });
    }
  }
  return patients.take();
}

Result<std::vector<std::string>> patients_of(Resource const& resource) {
  return patients_of(resource, resource.id());
}

Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id,
                               std::span<std::string const> base_urls) {
  SubjectSet set;
  set.patients = TACENDA_TRY(patients_of(resource, id, base_urls));
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

#include "fhir/compartment.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

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
constexpr std::string_view kParameters = "Parameters";

auto rows_of(std::string_view type) {
  return std::ranges::equal_range(generated::patient_paths(), type, {}, &generated::Path::type);
}

/// Whom a resource names.
class Named {
 public:
  explicit Named(std::span<std::string const> base_urls) : base_urls_(base_urls) {}

  void add(std::string_view reference, bool is_home = true) {
    auto const parsed = parse_reference(reference, base_urls_);
    bool const is_relative = parsed.type.data() == reference.data();
    if (parsed.kind != ReferenceKind::kLocal || (is_relative && !is_home)) return;
    if (parsed.type == kPatient) {
      patients_.emplace_back(parsed.id);
    } else if (!rows_of(parsed.type).empty()) {
      records_.emplace(parsed.type, parsed.id);
    }
  }

  /// All that a resource names, and those within it, at whatever depth the parser lets through. `is_home`:
  /// what it names without an address is of this server.
  void add_all(codec::Json const& resource, bool is_home) {
    auto const type = resource.text_of("resourceType");
    if (auto const id = resource.text_of("id"); is_home && type == kPatient && ResourceId::parse(id))
      patients_.emplace_back(id);
    for_each_own_reference(resource, [&](std::string_view text) { add(text, is_home); });
    for_each_in(resource, "contained", [&](codec::Json const& within) { add_contained(within, is_home); });
    if (type == kBundle)
      for_each_in(resource, "entry", [&](codec::Json const& entry) { add_entry(entry, is_home); });
    if (type == kParameters) add_parameters(resource, "parameter", is_home);
  }

  Result<std::vector<std::string>> take(std::size_t most, PatientsOfRecord const& named) {
    if (records_.size() > kRecordsNamed)
      return fail(ErrorKind::kUnprocessable, "the resource names too many records of patients");
    if (named) {
      for (auto const& [type, id] : records_)
        std::ranges::move(TACENDA_TRY(named(type, id)), std::back_inserter(patients_));
    }
    std::ranges::sort(patients_);
    patients_.erase(std::ranges::unique(patients_).begin(), patients_.end());
    if (patients_.size() > most)
      return fail(ErrorKind::kUnprocessable, "the resource names too many patients");
    return std::move(patients_);
  }

 private:
  template <typename Visit>
  static void for_each_in(codec::Json const& object, std::string_view name, Visit const& visit) {
    auto const* list = object.find(name);
    if (list == nullptr) return;
    for (auto const& each : list->items()) visit(each);
  }
  /// What is contained has no id beyond its resource.
  void add_contained(codec::Json const& resource, bool is_home) {
    for_each_own_reference(resource, [&](std::string_view text) { add(text, is_home); });
  }
  void add_entry(codec::Json const& entry, bool is_bundle_home) {
    auto const full_url = entry.text_of("fullUrl");
    bool const is_placed = !full_url.empty() && !full_url.starts_with("urn:");
    bool const is_own = is_placed && parse_reference(full_url, base_urls_).kind == ReferenceKind::kLocal;
    if (is_own) add(full_url);
    bool const is_home = is_placed ? is_own : is_bundle_home;
    if (auto const* resource = entry.find("resource")) add_all(*resource, is_home);
    auto const* response = entry.find("response");
    auto const* outcome = response == nullptr ? nullptr : response->find("outcome");
    if (outcome != nullptr) add_all(*outcome, is_home);
  }
  void add_parameters(codec::Json const& object, std::string_view name, bool is_home) {
    for_each_in(object, name, [&](codec::Json const& parameter) {
      if (auto const* resource = parameter.find("resource")) add_all(*resource, is_home);
      add_parameters(parameter, "part", is_home);
    });
  }

  std::span<std::string const> base_urls_;
  std::vector<std::string> patients_;
  std::set<std::pair<std::string, std::string>> records_;  // type and id
};

}  // namespace

bool is_of_nobody(std::string_view type) {
  static constexpr auto kDirectory =
      std::to_array<std::string_view>({"Endpoint", "HealthcareService", "Location", "Organization",
                                       "OrganizationAffiliation", kPractitioner, "PractitionerRole"});
  if (std::ranges::find(kDirectory, type) != kDirectory.end()) return true;
  auto const* node = find_resource_node(type);
  return node == nullptr || find_element(*node, "experimental") != nullptr;
}

bool holds_anything(std::string_view type) {
  static constexpr auto kTypes =
      std::to_array<std::string_view>({kBinary, kBundle, "MessageHeader", kParameters, "Task"});
  return std::ranges::find(kTypes, type) != kTypes.end();
}

bool is_of_whom_it_names(std::string_view type) {
  return rows_of(type).empty() && !is_of_nobody(type);
}

Result<std::vector<std::string>> patients_of(Resource const& resource, std::string_view id,
                                             std::span<std::string const> base_urls,
                                             PatientsOfRecord const& named) {
  if (resource.type() == kPatient) return std::vector{std::string(id)};
  Named all(base_urls);
  if (is_of_whom_it_names(resource.type())) {
    all.add_all(resource.json(), true);
    return all.take(kPatientsNamed, named);
  }
  for (auto const& row : rows_of(resource.type())) {
    for_each_at(resource.json(), row.path,
                [&](codec::Json const& value) { all.add(value.text_of("reference")); });
  }
  // A compartment is what the definition says: records of patients beside it do not count.
  return all.take(resource.type() == "Group" ? limits::kCompartmentsPerResource : kPatientsNamed, {});
}

Result<std::vector<std::string>> patients_of(Resource const& resource) {
  return patients_of(resource, resource.id());
}

std::string_view clear_subject(codec::Json const& resource) {
  auto const rows = rows_of(resource.text_of("resourceType"));
  for (std::string_view const name : {"patient", "subject", "beneficiary"}) {
    auto const* reference = resource.find(name);
    if (reference == nullptr || std::ranges::find(rows, name, &generated::Path::path) == rows.end()) continue;
    auto const parsed = parse_local_reference(reference->text_of("reference"));
    return parsed && parsed->type == kPatient ? parsed->id : std::string_view();
  }
  return {};
}

Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id,
                               std::span<std::string const> base_urls, PatientsOfRecord const& named) {
  SubjectSet set;
  set.patients = TACENDA_TRY(patients_of(resource, id, base_urls, named));
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

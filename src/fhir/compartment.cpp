#include "fhir/compartment.hpp"

#include <algorithm>
#include <set>

#include "core/limits.hpp"
#include "fhir/generated/tables.hpp"
#include "fhir/path.hpp"
#include "fhir/reference.hpp"

namespace tacenda::fhir {

Result<SubjectSet> subjects_of(Resource const& resource, std::string_view id) {
  std::string_view const type = resource.type();
  SubjectSet set;
  if (type == "Patient") {
    set.kind = SubjectKind::kPatients;
    set.patients.emplace_back(id);
    return set;
  }
  std::set<std::string> patients;
  auto const rows = std::ranges::equal_range(generated::patient_paths(), type, {}, &generated::Path::type);
  for (auto const& row : rows) {
    for_each_at(resource.json(), row.path, [&](codec::Json const& value) {
      auto const reference = parse_local_reference(value.text_of("reference"));
      if (reference && reference->type == "Patient") patients.emplace(reference->id);
    });
  }
  if (patients.size() > limits::kCompartmentsPerResource) {
    return fail(ErrorKind::kUnprocessable, "the resource names too many patients");
  }
  set.patients.assign(patients.begin(), patients.end());
  set.kind = !patients.empty()        ? SubjectKind::kPatients
             : type == "Practitioner" ? SubjectKind::kPractitioner
             : type == "Binary"       ? SubjectKind::kBinary
                                      : SubjectKind::kTenant;
  return set;
}

}  // namespace tacenda::fhir

#include "operations/internal/permits.hpp"

#include <algorithm>

namespace tacenda::operations {
namespace {

bool names_exactly(fhir::SearchCriterion const& criterion) {
  if (criterion.kind != fhir::SearchCriterion::Kind::kValue || criterion.modifier != fhir::Modifier::kNone)
    return false;
  if (criterion.parameter->code == "_id") return true;
  return criterion.parameter->code == "identifier" && criterion.parameter->type == fhir::SearchType::kToken &&
         std::ranges::all_of(criterion.values, [](fhir::SearchValue const& value) {
           return value.system.has_value() && !value.text.empty();
         });
}

}  // namespace

Result<void> check_criteria(Result<Permit> const& reader,
                            std::vector<fhir::SearchCriterion> const& criteria) {
  if (reader.has_value() || (!criteria.empty() && std::ranges::all_of(criteria, names_exactly))) return {};
  return std::unexpected(reader.error());
}

}  // namespace tacenda::operations

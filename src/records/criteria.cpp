#include "records/criteria.hpp"

#include "core/process.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"

namespace tacenda::records {

Result<bool> meets(codec::Json const& resource, std::string_view type,
                   std::span<fhir::SearchCriterion const> criteria) {
  // Of R4's own alone: what was defined for a store may be taken away again.
  static Extractor const extractor{fhir::SearchParameters()};
  auto const terms = TACENDA_TRY(extractor.terms_of(resource));
  for (auto const& criterion : criteria) {
    TACENDA_ASSERT(criterion.kind == fhir::SearchCriterion::Kind::kValue);
    if (!TACENDA_TRY(answers({}, terms, type, criterion))) return false;
  }
  return true;
}

}  // namespace tacenda::records

#include "operations/internal/permits.hpp"

#include <algorithm>

namespace tacenda::operations {
namespace {

/// R4's own: what was defined for this store under that name may find anything.
bool is_identifier(fhir::SearchParameter const& parameter) {
  auto const* own = fhir::find_search_parameter(parameter.base, "identifier");
  return own != nullptr && own->type == fhir::SearchType::kToken && parameter.code == own->code &&
         parameter.expression == own->expression;
}

bool names_exactly(fhir::SearchCriterion const& criterion) {
  if (criterion.kind != fhir::SearchCriterion::Kind::kValue || criterion.modifier != fhir::Modifier::kNone)
    return false;
  if (criterion.parameter->code == "_id") return true;
  return is_identifier(*criterion.parameter) &&
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

Result<audit::Event> question_of(Context const& context, audit::EventKind kind,
                                 records::Transaction& transaction, std::string_view type,
                                 std::string_view query, std::vector<std::string> const& matches) {
  auto event = event_of(context, kind, type, "");
  event.query = query;
  for (auto const& id : matches) {
    auto const place = TACENDA_TRY(transaction.unchanged(type, id));
    for (auto const& patient : place.patients) {
      if (std::ranges::find(event.patients, patient) == event.patients.end())
        event.patients.push_back(patient);
    }
  }
  explain(context, event);
  return event;
}

Result<void> note_matched(Context const& context, records::Transaction& transaction, std::string_view type,
                          std::vector<std::string> const& matches) {
  if (context.remarks == nullptr) return {};
  for (auto const& id : matches) {
    auto const place = TACENDA_TRY(transaction.unchanged(type, id));
    context.remarks->matched.insert(place.patients.begin(), place.patients.end());
  }
  return {};
}

}  // namespace tacenda::operations

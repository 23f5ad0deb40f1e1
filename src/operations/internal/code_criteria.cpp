#include "operations/internal/code_criteria.hpp"

#include "fhir/reference.hpp"
#include "operations/vocabulary.hpp"

namespace tacenda::operations {
namespace {

using fhir::Modifier;
using fhir::SearchCriterion;
using fhir::SearchValue;

bool needs_codes(SearchCriterion const& criterion) {
  if (criterion.kind != SearchCriterion::Kind::kValue) return false;
  if (criterion.parameter->type != fhir::SearchType::kToken) return false;
  if (criterion.modifier == Modifier::kIn || criterion.modifier == Modifier::kNotIn) return true;
  return (criterion.modifier == Modifier::kBelow || criterion.modifier == Modifier::kAbove) &&
         !criterion.parameter->finds_media_types();
}

SearchValue value_of(std::string_view system, std::string_view code) {
  SearchValue value;
  value.text = code;
  if (!system.empty()) value.system = system;
  return value;
}

}  // namespace

CodeCriteria::CodeCriteria(Context const& context, Action action)
    : context_(context),
      permits_(context, action),
      terminology_(context.services.vocabulary == nullptr
                       ? fhir::TerminologySource{}
                       : context.services.vocabulary->source(permits_.source())) {}

Result<void> CodeCriteria::resolve(std::vector<SearchCriterion>& criteria) {
  for (auto& criterion : criteria) TACENDA_TRY_VOID(resolve(criterion));
  return {};
}

Result<void> CodeCriteria::resolve(SearchCriterion& criterion) {
  for (auto& [type, linked] : criterion.links) TACENDA_TRY_VOID(resolve(*linked));
  if (!needs_codes(criterion)) return {};
  Values values;
  for (auto const& value : criterion.values) {
    auto const* codes = TACENDA_TRY(codes_of(value, criterion.modifier));
    codes_ += codes->size();
    if (codes_ > kCodesMax) {
      return fail(ErrorKind::kTooCostly, "what this search asks for has too many codes");
    }
    values.insert(values.end(), codes->begin(), codes->end());
  }
  criterion.values = std::move(values);
  criterion.modifier = criterion.modifier == Modifier::kNotIn ? Modifier::kNot : Modifier::kNone;
  return {};
}

Result<CodeCriteria::Values const*> CodeCriteria::codes_of(SearchValue const& value, Modifier modifier) {
  bool const is_set = modifier == Modifier::kIn || modifier == Modifier::kNotIn;
  std::pair key(is_set ? Modifier::kIn : modifier, value.system.value_or("") + "|" + value.text);
  auto at = known_.find(key);
  if (at == known_.end()) {
    auto codes = is_set ? TACENDA_TRY(members_of(value.text)) : TACENDA_TRY(related_to(value, modifier));
    at = known_.emplace(std::move(key), std::move(codes)).first;
  }
  return &at->second;
}

Result<std::shared_ptr<fhir::ValueSet const>> CodeCriteria::value_set(std::string const& text) {
  auto const place = fhir::parse_reference(text, own_addresses(context_));
  if (place.kind == fhir::ReferenceKind::kLocal && place.type == "ValueSet" &&
      context_.services.vocabulary != nullptr) {
    auto const id = TACENDA_TRY(ResourceId::parse(place.id));
    auto found = TACENDA_TRY(context_.services.vocabulary->value_set(permits_.source(), id));
    if (found != nullptr) return found;
  }
  return terminology_.value_set(text);
}

Result<CodeCriteria::Values> CodeCriteria::members_of(std::string const& text) {
  auto const set = TACENDA_TRY(value_set(text));
  if (set == nullptr) return fail(ErrorKind::kInvalid, "the value set that is searched by is not known here");
  auto const expansion = terminology_.expand(*set);
  bool const is_missing = !expansion.has_value() && expansion.error().kind() == ErrorKind::kNotFound;
  // What is not known to be all would find less than was asked for, or with :not-in more.
  if (is_missing || (expansion.has_value() && expansion->is_unclosed)) {
    return fail(ErrorKind::kInvalid, "the codes of the value set that is searched by are not all known here");
  }
  if (!expansion.has_value()) return std::unexpected(expansion.error());
  Values values;
  for (auto const& member : expansion->members) values.push_back(value_of(member.system, member.code));
  return values;
}

Result<CodeCriteria::Values> CodeCriteria::related_to(SearchValue const& value, Modifier modifier) {
  if (!value.system || value.system->empty() || value.text.empty()) {
    return fail(ErrorKind::kInvalid, ":below and :above take system|code");
  }
  auto const system = TACENDA_TRY(terminology_.code_system(*value.system));
  if (system == nullptr || system->size() == 0) {
    return fail(ErrorKind::kInvalid, "the code system that is searched by is not known here");
  }
  auto const number = system->find(value.text);
  if (!number) return Values{value_of(*value.system, value.text)};
  // "Subsumed by includes the 'is-a' and hierarchical relationships" (R4 search.html#token).
  auto const related = modifier == Modifier::kBelow ? system->below(*number, fhir::Relation::kHierarchy)
                                                    : system->above(*number, fhir::Relation::kHierarchy);
  Values values;
  for (std::size_t i = 0; i < related.size(); ++i) {
    if (related[i]) values.push_back(value_of(*value.system, (*system)[i].code));
  }
  return values;
}

}  // namespace tacenda::operations

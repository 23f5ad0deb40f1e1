#include "fhir/internal/concept_filter.hpp"

#include <algorithm>

#include "fhir/terminology.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

bool is_hierarchical(FilterOperator op) {
  return op == FilterOperator::kIsA || op == FilterOperator::kDescendentOf || op == FilterOperator::kIsNotA ||
         op == FilterOperator::kGeneralizes;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The text of a property's value, whichever type it has.
std::string_view text_of_value(Json const& property) {
  for (auto const& member : property.members()) {
    if (!member.name.starts_with("value")) continue;
    Json const& value = member.value;
    if (value.is_string()) return value.as_string();
    if (value.is_number()) return value.number_text();
    if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
    return value.text_of("code");
  }
  return {};
}

}  // namespace

std::shared_ptr<CodePattern const> CodePattern::compile(std::string_view text) {
  constexpr std::int64_t kMemoryBytes = std::int64_t{1} << 18;
  if (text.size() > kPatternBytes) return nullptr;
  RE2::Options options;
  options.set_log_errors(false);  // it comes from outside
  options.set_max_mem(kMemoryBytes);
  std::shared_ptr<CodePattern const> pattern(new CodePattern(text, options));
  return pattern->expression_.ok() ? pattern : nullptr;
}

bool CodePattern::matches(std::string_view text) const {
  return text.size() <= kTextBytes && RE2::FullMatch(re2::StringPiece(text.data(), text.size()), expression_);
}

std::vector<std::string_view> property_values(CodeSystem const& system, Concept const& of,
                                              std::string_view property) {
  std::vector<std::string_view> values;
  auto const add = [&](std::string_view text) {
    if (!text.empty()) values.push_back(text);
  };
  if (property == "code" || property == "concept") {
    add(of.code);
  } else if (property == "display") {
    add(of.display);
  } else if (property == "definition") {
    add(of.json->text_of("definition"));
  } else if (property == "parent" || property == "child") {
    for (auto const number : property == "parent" ? of.parents : of.children) add(system[number].code);
  } else {
    if (Json const* list = of.json->find("property")) {
      for (auto const& each : list->items()) {
        if (each.text_of("code") == property) add(text_of_value(each));
      }
    }
    // "default value is false" (codesystem.html#defined-props).
    if (values.empty() && (property == "notSelectable" || property == "inactive")) add("false");
  }
  return values;
}

Result<ConceptFilter> ConceptFilter::make(CodeSystem const& system, ValueSetFilter const& filter, Use use) {
  ConceptFilter made(system, filter);
  if (!system.has_property(filter.property)) {
    return fail(ErrorKind::kUnprocessable,
                "a filter of a value set names a property that its code system does not have");
  }
  if (is_hierarchical(filter.op)) {
    TACENDA_TRY_VOID(made.prepare_hierarchy(use));
  } else {
    TACENDA_TRY_VOID(made.prepare_value());
  }
  return made;
}

Result<void> ConceptFilter::prepare_hierarchy(Use use) {
  if (filter_.property != "concept" && filter_.property != "code") {
    return fail(ErrorKind::kUnprocessable, "a filter of a value set asks for the hierarchy of a property");
  }
  other_ = system_->find(filter_.value);
  if (!other_ || use == Use::kOne) return {};
  related_ = filter_.op == FilterOperator::kGeneralizes ? system_->above(*other_, Relation::kIsA)
                                                        : system_->below(*other_, Relation::kIsA);
  return {};
}

Result<void> ConceptFilter::prepare_value() {
  if (filter_.op == FilterOperator::kRegex) {
    if (filter_.pattern == nullptr) {
      return fail(ErrorKind::kUnprocessable,
                  "a filter of a value set has a regular expression that cannot be used");
    }
  } else if (filter_.op == FilterOperator::kExists) {
    if (filter_.value != "true" && filter_.value != "false") {
      return fail(ErrorKind::kUnprocessable, "a filter of a value set for existence is true or false");
    }
  } else if (filter_.op == FilterOperator::kIn || filter_.op == FilterOperator::kNotIn) {
    for (std::string_view rest = filter_.value;;) {
      auto const comma = rest.find(',');
      values_.push_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
    std::ranges::sort(values_);
  }
  return {};
}

bool ConceptFilter::is_related(std::uint32_t concept_number) const {
  if (!other_) return false;
  if (!related_.empty()) return related_[concept_number];
  return filter_.op == FilterOperator::kGeneralizes
             ? system_->is_below(*other_, concept_number, Relation::kIsA)
             : system_->is_below(concept_number, *other_, Relation::kIsA);
}

bool ConceptFilter::accepts(std::uint32_t concept_number) const {
  if (is_hierarchical(filter_.op)) {
    bool const related = is_related(concept_number);
    if (filter_.op == FilterOperator::kIsNotA) return !related;
    return related && (filter_.op != FilterOperator::kDescendentOf || concept_number != *other_);
  }
  auto const values = property_values(*system_, (*system_)[concept_number], filter_.property);
  auto const is_listed = [&](std::string_view value) { return std::ranges::binary_search(values_, value); };
  switch (filter_.op) {
    case FilterOperator::kEquals:
      return std::ranges::find(values, filter_.value) != values.end();
    case FilterOperator::kIn:
      return std::ranges::any_of(values, is_listed);
    case FilterOperator::kNotIn:
      return std::ranges::none_of(values, is_listed);
    case FilterOperator::kRegex:
      return std::ranges::any_of(values,
                                 [&](std::string_view value) { return filter_.pattern->matches(value); });
    case FilterOperator::kExists:
      return values.empty() != (filter_.value == "true");
    default:
      return false;
  }
}

}  // namespace tacenda::fhir

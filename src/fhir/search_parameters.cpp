#include "fhir/search_parameters.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "fhir/generated/search_parameters.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

constexpr std::size_t kTextMax = 4'096;    // of a code, URL or expression
constexpr std::size_t kListMax = 200;      // bases, targets or components
constexpr std::size_t kWholeMax = 16'384;  // of all texts that say what is found

/// A definition and the views into it that SearchParameter has.
struct Held {
  ParameterDefinition definition;
  std::vector<std::string_view> targets;
  std::vector<SearchComponent> components;
  SearchParameter parameter;
};

ParameterHandle unowned(SearchParameter const* parameter) {
  // No control block: nothing is counted.
  return {std::shared_ptr<void const>(), parameter};
}

std::optional<SearchType> type_of(std::string_view code) {
  for (auto const type : {SearchType::kNumber, SearchType::kDate, SearchType::kString, SearchType::kToken,
                          SearchType::kReference, SearchType::kComposite, SearchType::kQuantity,
                          SearchType::kUri, SearchType::kSpecial}) {
    if (code_of(type) == code) return type;
  }
  return std::nullopt;
}

Result<std::string> text_of(codec::Json const& json, std::string_view name) {
  auto const text = json.text_of(name);
  if (text.size() > kTextMax) return fail(ErrorKind::kUnprocessable, "a search parameter's text is too long");
  return std::string(text);
}

Result<std::vector<std::string>> types_of(codec::Json const& resource, std::string_view name,
                                          bool abstract_too) {
  std::vector<std::string> types;
  auto const* list = resource.find(name);
  if (list == nullptr || !list->is_array()) return types;
  if (list->items().size() > kListMax)
    return fail(ErrorKind::kUnprocessable, "a search parameter names too many types");
  for (auto const& item : list->items()) {
    auto const type = item.is_string() ? item.as_string() : std::string_view();
    bool const is_abstract = type == "Resource" || type == "DomainResource";
    if (!is_resource_type(type) && !(abstract_too && is_abstract)) {
      return fail(ErrorKind::kUnprocessable, "a search parameter names something that is no resource type");
    }
    types.emplace_back(type);
  }
  return types;
}

/// The type of a component is that of the parameter it names; only R4's own are known.
Result<std::vector<ParameterDefinition::Component>> components_of(codec::Json const& resource) {
  std::vector<ParameterDefinition::Component> components;
  auto const* list = resource.find("component");
  if (list == nullptr || !list->is_array() || list->items().empty())
    return fail(ErrorKind::kUnprocessable, "a composite search parameter has no components");
  if (list->items().size() > kListMax)
    return fail(ErrorKind::kUnprocessable, "a search parameter has too many components");
  auto const all = generated::search_parameters();
  for (auto const& item : list->items()) {
    auto url = item.text_of("definition");
    url = url.substr(0, url.find('|'));
    auto const known = std::ranges::find(all, url, &SearchParameter::url);
    if (known == all.end() || known->type == SearchType::kComposite || known->type == SearchType::kSpecial) {
      return fail(ErrorKind::kUnprocessable,
                  "a component of a search parameter names no parameter of R4 that can be a part");
    }
    components.push_back({known->type, TACENDA_TRY(text_of(item, "expression"))});
  }
  return components;
}

}  // namespace

ParameterHandle ParameterDefinition::for_base(std::string_view base) const {
  auto held = std::make_shared<Held>();
  held->definition = *this;
  auto const& own = held->definition;
  held->targets.assign(own.targets.begin(), own.targets.end());
  for (auto const& component : own.components)
    held->components.push_back({component.type, component.expression});
  std::string_view kept_base;
  for (auto const& each : own.bases) {
    if (each == base) kept_base = each;
  }
  held->parameter = {kept_base, own.code,      own.type,         own.expression,
                     own.url,   held->targets, held->components, {}};
  auto const* parameter = &held->parameter;
  return {std::move(held), parameter};
}

Result<ParameterDefinition> read_definition(codec::Json const& resource) {
  ParameterDefinition definition;
  definition.url = TACENDA_TRY(text_of(resource, "url"));
  definition.code = TACENDA_TRY(text_of(resource, "code"));
  definition.expression = TACENDA_TRY(text_of(resource, "expression"));
  auto const type = type_of(resource.text_of("type"));
  if (!type) return fail(ErrorKind::kUnprocessable, "a search parameter has no known type");
  if (*type == SearchType::kSpecial)
    return fail(ErrorKind::kUnprocessable, "a special search parameter cannot be defined");
  definition.type = *type;
  // What separates names in a URL cannot be in one (R4 search.html: code, modifier, chain).
  if (definition.code.empty() || definition.code.find_first_of(".:$|&=, ") != std::string::npos)
    return fail(ErrorKind::kUnprocessable, "a search parameter has no code that can stand in a URL");
  // "_" begins the names of results and of what every resource has. "identifier" is a right of its own: who
  // may write but not read may ask by it.
  if (definition.code.starts_with('_') || definition.code == "identifier")
    return fail(ErrorKind::kUnprocessable, "a search parameter has a code that is R4's own for every type");
  if (definition.expression.empty())
    return fail(ErrorKind::kUnprocessable, "a search parameter has no expression");
  definition.bases = TACENDA_TRY(types_of(resource, "base", true));
  if (definition.bases.empty()) return fail(ErrorKind::kUnprocessable, "a search parameter has no base");
  if (*type == SearchType::kReference) definition.targets = TACENDA_TRY(types_of(resource, "target", false));
  if (*type == SearchType::kComposite) definition.components = TACENDA_TRY(components_of(resource));
  std::size_t whole = definition.expression.size();
  for (auto const& component : definition.components) whole += component.expression.size();
  if (whole > kWholeMax)
    return fail(ErrorKind::kUnprocessable, "the expressions of a search parameter are too long");
  return definition;
}

namespace {

/// The base among those of a definition through which it holds for a type; empty: it does not.
std::string_view base_for(ParameterDefinition const& definition, std::string_view type) {
  for (std::string_view const base : definition.bases) {
    if (base == type || base == "Resource" || (base == "DomainResource" && is_domain_resource(type)))
      return base;
  }
  return {};
}

}  // namespace

std::vector<ParameterDefinition> effective(std::vector<ParameterDefinition> definitions) {
  std::vector<ParameterDefinition> kept;
  std::set<std::pair<std::string_view, std::string>> taken;  // type and code
  for (auto& definition : definitions) {
    if (kept.size() == SearchParameters::kDefinedMax) break;
    std::vector<std::string_view> types;
    for (auto const type : resource_types()) {
      if (base_for(definition, type).empty()) continue;
      if (find_search_parameter(type, definition.code) == nullptr) types.push_back(type);
    }
    bool const clashes =
        std::ranges::any_of(types, [&](auto const type) { return taken.contains({type, definition.code}); });
    if (types.empty() || clashes) continue;
    for (auto const type : types) taken.emplace(type, definition.code);
    kept.push_back(std::move(definition));
  }
  return kept;
}

SearchParameters::SearchParameters(std::vector<Defined> defined) : defined_(std::move(defined)) {
  for (auto const type : resource_types()) {
    for (auto const& each : defined_) {
      auto const base = base_for(each.definition, type);
      if (base.empty() || find_search_parameter(type, each.definition.code) != nullptr) continue;
      by_type_[std::string(type)].push_back({each.definition.for_base(base), each.is_ready});
    }
  }
}

std::vector<SearchParameters::Indexed> const& SearchParameters::defined_for(std::string_view type) const {
  static std::vector<Indexed> const none;
  auto const found = by_type_.find(type);
  return found == by_type_.end() ? none : found->second;
}

std::vector<ParameterHandle> SearchParameters::of(std::string_view type) const {
  std::vector<ParameterHandle> all;
  for (auto const* parameter : search_parameters_of(type)) all.push_back(unowned(parameter));
  for (auto const& each : defined_for(type)) {
    if (each.is_ready) all.push_back(each.parameter);
  }
  return all;
}

ParameterHandle SearchParameters::find(std::string_view type, std::string_view code) const {
  if (auto const* parameter = find_search_parameter(type, code)) return unowned(parameter);
  for (auto const& each : defined_for(type)) {
    if (each.is_ready && each.parameter->code == code) return each.parameter;
  }
  return nullptr;
}

bool SearchParameters::is_awaited(std::string_view type, std::string_view code) const {
  return std::ranges::any_of(
      defined_for(type), [&](auto const& each) { return !each.is_ready && each.parameter->code == code; });
}

SearchParameters const& r4_parameters() {
  static SearchParameters const own;
  return own;
}

}  // namespace tacenda::fhir

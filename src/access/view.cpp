#include "access/view.hpp"

#include <algorithm>
#include <array>

#include "access/internal/meta.hpp"
#include "access/internal/path_heads.hpp"
#include "fhir/elements.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

constexpr std::string_view kObservationValue = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
constexpr std::string_view kSubsetted = "SUBSETTED";

bool is_always_seen(std::string_view name) {
  return name == "resourceType" || name == "id" || name == "meta";
}

/// Names in JSON that a name of a view stands for; empty: none such.
std::vector<std::string_view> names_meant(fhir::Node const& node, std::string_view name) {
  constexpr std::string_view kAnyType = "[x]";
  bool const is_choice = name.ends_with(kAnyType);
  if (is_choice) name.remove_suffix(kAnyType.size());
  std::vector<std::string_view> names;
  for (auto const& element : fhir::elements_of(node)) {
    bool const is_meant =
        element.has(fhir::Element::kChoice)
            ? fhir::definition_name_of(element) == name || (!is_choice && fhir::name_of(element) == name)
            : !is_choice && fhir::name_of(element) == name;
    if (is_meant) names.push_back(fhir::name_of(element));
  }
  return names;
}

bool has_code(Json const* list, std::string_view code) {
  if (list == nullptr) return false;
  return std::ranges::any_of(list->items(), [&](Json const& coding) {
    auto const system = coding.text_of("system");
    return coding.text_of("code") == code && (system.empty() || system == kObservationValue ||
                                              system == "http://hl7.org/fhir/v3/ObservationValue");
  });
}

}  // namespace

Result<ElementView> ElementView::make(std::string_view type, std::vector<std::string> const& elements) {
  auto const* node = fhir::find_resource_node(type);
  if (node == nullptr) return fail(ErrorKind::kInvalid, "a view of no resource type of R4");
  ElementView view;
  view.type_ = type;
  for (auto const& element : elements) {
    if (is_always_seen(element)) continue;
    auto const names = names_meant(*node, element);
    if (names.empty())
      return fail(ErrorKind::kInvalid, "a view names an element that its type does not have");
    view.elements_.insert(names.begin(), names.end());
  }
  return view;
}

Result<std::string> ElementView::apply(std::string_view json) const {
  auto resource = codec::parse_json(json);
  if (!resource.has_value() || !resource->is_object()) {
    return fail(ErrorKind::kCorrupt, "a stored resource is no JSON object");
  }
  // Names mean other things in other types.
  if (resource->text_of("resourceType") != type_) {
    return fail(ErrorKind::kCorrupt, "a stored resource is of another type than its place says");
  }
  auto const removed = std::erase_if(resource->members(), [&](Json::Member const& member) {
    std::string_view name = member.name;
    if (name.starts_with('_')) name.remove_prefix(1);
    return !is_always_seen(name) && !elements_.contains(name);
  });
  if (removed == 0) return std::string(json);
  Json& meta = meta_of(*resource);
  if (!has_code(meta.find("tag"), kSubsetted)) {
    list_of(meta, "tag").push(coding(kObservationValue, kSubsetted));
  }
  return codec::write_json(*resource);
}

bool ElementView::shows(fhir::SearchParameter const& parameter) const {
  auto const* node = fhir::find_resource_node(type_);
  if (node == nullptr) return false;
  auto const is_seen = [&](std::string_view head) {
    if (is_always_seen(head)) return true;
    auto const names = names_meant(*node, head);
    return !names.empty() &&
           std::ranges::all_of(names, [&](std::string_view name) { return elements_.contains(name); });
  };
  auto const heads = path_heads(parameter.expression, type_);
  if (!heads || !std::ranges::all_of(heads->elements, is_seen) ||
      !std::ranges::all_of(heads->relative, is_seen)) {
    return false;
  }
  // Components begin at what the parameter found: at an element that is seen, or at the resource.
  bool const begins_at_resource = heads->is_whole;
  if (begins_at_resource && parameter.components.empty()) return false;
  // An expression without a path for this type finds what it finds by other means.
  if (!begins_at_resource && heads->elements.empty() && heads->relative.empty()) return false;
  return std::ranges::all_of(parameter.components, [&](fhir::SearchComponent const& component) {
    auto const parts = path_heads(component.expression, type_);
    return parts && !parts->is_whole && std::ranges::all_of(parts->elements, is_seen) &&
           (!begins_at_resource || std::ranges::all_of(parts->relative, is_seen));
  });
}

bool is_partial(Json const& resource) {
  Json const* meta = resource.find("meta");
  if (meta == nullptr) return false;
  return std::ranges::any_of(std::array<std::string_view, 2>{"tag", "security"}, [&](std::string_view name) {
    Json const* list = meta->find(name);
    return has_code(list, kSubsetted) || has_code(list, "REDACTED");
  });
}

}  // namespace tacenda::access

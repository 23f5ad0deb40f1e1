#include "fhir/internal/structure.hpp"

#include "core/limits.hpp"
#include "fhir/internal/primitive.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

constexpr std::uint64_t bit_of(Element const& element) {
  return std::uint64_t{1} << element.slot;
}

/// The member `_name`, or `name` of `_name`.
Json const* find_sibling(Json const& owner, std::string_view name) {
  for (auto const& member : owner.members()) {
    if (member.name.size() == name.size() + 1 && member.name.front() == '_' && member.name.ends_with(name)) {
      return &member.value;
    }
  }
  return nullptr;
}

bool has_item(Json const* array, std::size_t index) {
  return array != nullptr && index < array->items().size() && !array->items()[index].is_null();
}

bool is_underscored(std::string_view name) {
  return name.starts_with('_');
}

/// True when the object has two properties of one choice: valueString and valueQuantity. valueString and
/// _valueString are one.
bool has_two_types(Node const& node, Json const& json, Element const& choice) {
  for (auto const& member : json.members()) {
    std::string_view const name = member.name;
    Element const* other = find_element(node, name.substr(is_underscored(name) ? 1 : 0));
    if (other != nullptr && other->slot == choice.slot && other != &choice) return true;
  }
  return false;
}

}  // namespace

void StructureCheck::check_resource(Json const& json, Place const* place) {
  Node const* node = json.is_object() ? find_resource_node(json.text_of("resourceType")) : nullptr;
  if (node == nullptr) {
    issues_.add(IssueKind::kStructure,
                json.is_object() ? Literal("resourceType names no resource type of FHIR R4")
                                 : Literal("a resource is a JSON object"),
                place == nullptr ? std::string() : place->path());
    return;
  }
  Place const root{nullptr, path_of(*node)};
  check_members(*node, json, place == nullptr ? root : *place, true);
}

void StructureCheck::check_object(Node const& node, Json const& json, Place const& place) {
  if (!json.is_object()) return add(IssueKind::kStructure, "an element of this type is a JSON object", place);
  if (json.members().empty()) {
    return add(IssueKind::kStructure, "an object is empty: leave the property out", place);
  }
  check_members(node, json, place, false);
}

void StructureCheck::check_members(Node const& node, Json const& json, Place const& place, bool is_resource) {
  // parse_json bounds the depth; a document that was put together in the program is bounded here.
  if (place.depth > limits::kJsonDepth) return add(IssueKind::kTooLong, "the resource is too deep", place);
  std::uint64_t seen = 0;
  for (auto const& member : json.members()) {
    if (issues_.full()) return;
    std::string_view const name = member.name;
    if (is_resource && name == "resourceType") continue;
    bool const sibling = is_underscored(name);
    Element const* element = find_element(node, name.substr(sibling ? 1 : 0));
    bool const known =
        element != nullptr && (!sibling || (element->is_primitive() && !element->has(Element::kAttribute)));
    if (!known) {
      add(IssueKind::kStructure, "a property is not one of this type", place);
      continue;
    }
    if ((seen & bit_of(*element)) != 0 && element->has(Element::kChoice) &&
        has_two_types(node, json, *element)) {
      add(IssueKind::kStructure, "an element has two types at once",
          place.child(definition_name_of(*element)));
    }
    seen |= bit_of(*element);
    Place const child = place.child(definition_name_of(*element));
    if (sibling) {
      check_sibling(*element, json, member.value, child);
    } else {
      check_element(*element, json, member.value, child);
    }
  }
  if (required_ == Required::kReported && (node.required & ~seen) != 0) check_required(node, seen, place);
}

void StructureCheck::check_required(Node const& node, std::uint64_t seen, Place const& place) {
  std::uint64_t missing = node.required & ~seen;
  for (auto const& element : elements_of(node)) {
    if ((missing & bit_of(element)) == 0) continue;
    missing &= ~bit_of(element);  // the types of a choice share a slot
    add(IssueKind::kRequired, "a required element is missing", place.child(definition_name_of(element)));
  }
}

void StructureCheck::check_element(Element const& element, Json const& owner, Json const& value,
                                   Place const& place) {
  if (!element.has(Element::kRepeats)) {
    if (value.is_array()) {
      return add(IssueKind::kStructure, "an element that stands once is an array", place);
    }
    return check_item(element, value, place);
  }
  if (!value.is_array()) return add(IssueKind::kStructure, "an element that repeats is a JSON array", place);
  if (value.items().empty()) {
    return add(IssueKind::kStructure, "an array is empty: leave the property out", place);
  }
  Json const* sibling = nullptr;
  bool looked = false;
  Place item = place;
  for (std::size_t i = 0; i < value.items().size() && !issues_.full(); ++i) {
    Json const& each = value.items()[i];
    item.index = i;
    if (each.is_null() && element.is_primitive()) {
      if (!looked) sibling = find_sibling(owner, name_of(element));
      looked = true;
      if (has_item(sibling, i)) continue;  // its extensions stand for it
    }
    check_item(element, each, item);
  }
}

void StructureCheck::check_item(Element const& element, Json const& value, Place const& place) {
  if (value.is_null()) return add(IssueKind::kStructure, "an element is null: leave it out", place);
  if (element.is_primitive()) {
    if (auto const fault = fault_of(element.type_code(), value)) add(fault->kind, fault->text, place);
    return;
  }
  if (element.type_code() != TypeCode::kResource)
    return check_object(node_of(element.type_code()), value, place);
  check_resource(value, &place);
  if (name_of(element) != "contained") return;
  // dom-2: "If the resource is contained in another resource, it SHALL NOT contain nested Resources".
  if (value.find("contained") != nullptr) {
    add(IssueKind::kStructure, "a contained resource contains another", place);
  }
}

void StructureCheck::check_sibling(Element const& element, Json const& owner, Json const& value,
                                   Place const& place) {
  if (!element.has(Element::kRepeats)) return check_extensions(value, place);
  if (!value.is_array() || value.items().empty()) {
    return add(IssueKind::kStructure,
               "the extensions of an element that repeats are no array, or an empty one", place);
  }
  // json.html#primitive: "JSON null values are used to fill out both arrays so that the id and/or extension
  // are aligned with the matching value in the first array".
  Json const* plain = owner.find(name_of(element));
  if (plain != nullptr && plain->items().size() != value.items().size()) {
    return add(IssueKind::kStructure, "an element and its extensions are arrays of different lengths", place);
  }
  Place item = place;
  for (std::size_t i = 0; i < value.items().size() && !issues_.full(); ++i) {
    item.index = i;
    if (!value.items()[i].is_null()) {
      check_extensions(value.items()[i], item);
    } else if (plain == nullptr) {
      add(IssueKind::kStructure, "an element has neither a value nor extensions", item);
    }
  }
}

void StructureCheck::check_extensions(Json const& value, Place const& place) {
  check_object(node_of(TypeCode::kElement), value, place);
}

}  // namespace tacenda::fhir

#include <algorithm>

#include "fhirpath/internal/evaluator.hpp"

// How an evaluation walks through the JSON of a resource, typed by the tables of room fhir.

namespace tacenda::fhirpath {
namespace {

using codec::Json;
using fhir::TypeCode;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// The element of a choice by its name in the definition: `value` for a member "valueQuantity".
fhir::Element const* choice_of(fhir::Node const& node, std::string_view member, std::string_view name) {
  if (member.size() <= name.size() || !member.starts_with(name) || !is_upper(member[name.size()]))
    return nullptr;
  fhir::Element const* element = fhir::find_element(node, member);
  if (element == nullptr || !element->has(fhir::Element::kChoice)) return nullptr;
  return fhir::definition_name_of(*element) == name ? element : nullptr;
}

struct Found {
  Json const* value = nullptr;
  Json const* shadow = nullptr;
};

/// The member `name` and, when asked for, `_name`.
Found find_with_shadow(Json const& object, std::string_view name, bool with_shadow) {
  Found found;
  for (auto const& member : object.members()) {
    std::string_view const key = member.name;
    if (key.size() == name.size() && key == name) {
      found.value = &member.value;
      if (!with_shadow) break;
    } else if (with_shadow && key.size() == name.size() + 1 && key[0] == '_' && key.substr(1) == name) {
      found.shadow = &member.value;
    }
  }
  return found;
}

Json const* at_or_null(Json const* array, std::size_t index) {
  if (array == nullptr || index >= array->items().size()) return nullptr;
  Json const& item = array->items()[index];
  return item.is_null() ? nullptr : &item;
}

bool has_shadow(fhir::Element const& element) {
  return element.is_primitive() && !element.has(fhir::Element::kAttribute);
}

}  // namespace

Result<void> Evaluator::push_one(fhir::Element const& element, Json const* value, Json const* shadow,
                                 Item const& parent) {
  if (value == nullptr && shadow == nullptr) return {};
  if (element.type_code() != TypeCode::kResource) {
    return push(Item::element(value, shadow, element.type_code(), parent.resource()));
  }
  if (value == nullptr || !value->is_object()) return {};
  Item const resource = item_of(*value);
  // What is contained lies in the resource that contains it: there its references are resolved.
  bool const contained = fhir::definition_name_of(element) == "contained";
  return push(Item::element(value, nullptr, resource.type(), contained ? parent.resource() : value));
}

Result<void> Evaluator::push_element(fhir::Element const& element, Json const* value, Json const* shadow,
                                     Item const& parent) {
  bool const array = (value != nullptr && value->is_array()) || (shadow != nullptr && shadow->is_array());
  if (!array) {
    if (value != nullptr && value->is_null()) value = nullptr;
    if (shadow != nullptr && !shadow->is_object()) shadow = nullptr;
    return push_one(element, value, shadow, parent);
  }
  std::size_t const values = value == nullptr ? 0 : value->items().size();
  std::size_t const shadows = shadow == nullptr ? 0 : shadow->items().size();
  for (std::size_t i = 0; i < std::max(values, shadows); ++i) {
    TACENDA_TRY_VOID(push_one(element, at_or_null(value, i), at_or_null(shadow, i), parent));
  }
  return {};
}

Result<void> Evaluator::push_choice(Item const& item, std::string_view name) {
  fhir::Node const& node = *item.node();
  for (auto const& member : item.value()->members()) {
    std::string_view key = member.name;
    bool const lone_shadow = key.starts_with('_');
    if (lone_shadow) key.remove_prefix(1);
    fhir::Element const* element = choice_of(node, key, name);
    if (element == nullptr) continue;
    Found const found = find_with_shadow(*item.value(), key, has_shadow(*element));
    if (lone_shadow && found.value != nullptr) continue;  // comes with its value
    TACENDA_TRY_VOID(push_element(*element, found.value, found.shadow, item));
  }
  return {};
}

/// id and extensions of a primitive, and its System value.
Result<void> Evaluator::push_of_primitive(Item const& item, std::string_view name) {
  if (name == "value") {
    auto const value = item.to_system();
    return value ? push(*value) : budget_.spend(1);
  }
  fhir::Element const* element = fhir::find_element(fhir::node_of(TypeCode::kElement), name);
  if (element == nullptr || item.shadow() == nullptr) return budget_.spend(1);
  return push_element(*element, item.shadow()->find(name), nullptr, item);
}

Result<void> Evaluator::push_member(Item const& item, std::string_view name) {
  if (item.kind() == Item::Kind::kTypeInfo) {
    auto const [name_space, type] = item.as_type_info();
    if (name == "namespace") return push(Item::string_view(name_space));
    return name == "name" ? push(Item::string_view(type)) : budget_.spend(1);
  }
  if (!item.is_element()) return budget_.spend(1);
  if (item.is_primitive()) return push_of_primitive(item, name);
  if (item.value() == nullptr || !item.value()->is_object()) return budget_.spend(1);
  fhir::Element const* element = fhir::find_element(*item.node(), name);
  TACENDA_TRY_VOID(budget_.spend(1 + item.value()->members().size() / 16));
  if (element == nullptr) return push_choice(item, name);
  if (element->has(fhir::Element::kChoice)) {
    return fail(ErrorKind::kInvalid, "a choice is named without its type: value and not valueQuantity");
  }
  Found const found = find_with_shadow(*item.value(), name, has_shadow(*element));
  if (found.value == nullptr && found.shadow == nullptr) return {};
  return push_element(*element, found.value, found.shadow, item);
}

Result<void> Evaluator::push_children(Item const& item) {
  if (!item.is_element()) return budget_.spend(1);
  Json const* object = item.is_primitive() ? item.shadow() : item.value();
  if (object == nullptr || !object->is_object()) return budget_.spend(1);
  fhir::Node const& node = item.is_primitive() ? fhir::node_of(TypeCode::kElement) : *item.node();
  for (auto const& member : object->members()) {
    TACENDA_TRY_VOID(budget_.spend(1));
    std::string_view key = member.name;
    bool const is_shadow = key.starts_with('_');
    if (is_shadow) key.remove_prefix(1);
    fhir::Element const* element = fhir::find_element(node, key);
    if (element == nullptr) continue;
    TACENDA_TRY_VOID(budget_.spend(object->members().size() / 16));
    Found const found = find_with_shadow(*object, key, has_shadow(*element));
    if (is_shadow && found.value != nullptr) continue;  // comes with its value
    TACENDA_TRY_VOID(push_element(*element, found.value, found.shadow, item));
  }
  return {};
}

}  // namespace tacenda::fhirpath

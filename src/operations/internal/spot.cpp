#include "operations/internal/spot.hpp"

#include <algorithm>

namespace tacenda::operations {
namespace {

using codec::Json;

std::string shadow_name(std::string_view name) {
  std::string shadow("_");
  shadow.append(name);
  return shadow;
}

/// Looks for one value by its address.
class Search {
 public:
  Search(Json const* target, std::size_t& work) : target_(target), work_(work) {}

  std::optional<Spot> in(Json& object, fhir::Node const* node, std::size_t depth) {
    for (auto& member : object.members()) {
      bool const is_shadow = member.name.starts_with('_');
      std::string_view const name = std::string_view(member.name).substr(is_shadow ? 1 : 0);
      auto const* element = node == nullptr ? nullptr : fhir::find_element(*node, name);
      Spot spot{&object, node, std::string(name), std::nullopt, depth};
      if (!member.value.is_array()) {
        if (auto found = at(member.value, element, is_shadow, std::move(spot))) return found;
        continue;
      }
      auto& items = member.value.items();
      for (std::size_t i = 0; i < items.size(); ++i) {
        spot.index = i;
        if (auto found = at(items[i], element, is_shadow, spot)) return found;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<Spot> at(Json& value, fhir::Element const* element, bool is_shadow, Spot spot) {
    ++work_;
    if (&value == target_) return spot;
    if (!value.is_object()) return std::nullopt;
    return in(value, inner_node(value, element, is_shadow), spot.depth + (spot.index ? 2 : 1));
  }

  static fhir::Node const* inner_node(Json const& value, fhir::Element const* element, bool is_shadow) {
    if (is_shadow) return fhir::find_type_node("Element");
    if (element == nullptr || element->is_primitive()) return nullptr;
    if (element->type_code() == fhir::TypeCode::kResource) {
      return fhir::find_resource_node(value.text_of("resourceType"));
    }
    return &fhir::node_of(element->type_code());
  }

  Json const* target_;
  std::size_t& work_;
};

void put(Json& object, std::string_view name, Json value) {
  if (value.is_null()) {
    object.remove(name);
  } else {
    object.set(name, std::move(value));
  }
}

}  // namespace

std::optional<Spot> find_spot(Json& document, fhirpath::Item const& item, std::size_t& work) {
  Json const* target = item.value() != nullptr ? item.value() : item.shadow();
  if (target == nullptr || target == &document || !document.is_object()) return std::nullopt;
  auto const* node = fhir::find_resource_node(document.text_of("resourceType"));
  return Search(target, work).in(document, node, 1);
}

std::vector<Content> take_list(Json& object, std::string_view name) {
  std::vector<Content> list;
  if (Json* values = object.find(name); values != nullptr && values->is_array()) {
    list.resize(values->items().size());
    for (std::size_t i = 0; i < list.size(); ++i) list[i].value = std::move(values->items()[i]);
  }
  if (Json* shadows = object.find(shadow_name(name)); shadows != nullptr && shadows->is_array()) {
    list.resize(std::max(list.size(), shadows->items().size()));
    for (std::size_t i = 0; i < shadows->items().size(); ++i) list[i].shadow = std::move(shadows->items()[i]);
  }
  return list;
}

void put_list(Json& object, std::string_view name, std::vector<Content> list) {
  bool const has_values =
      std::ranges::any_of(list, [](Content const& each) { return !each.value.is_null(); });
  bool const has_shadows =
      std::ranges::any_of(list, [](Content const& each) { return !each.shadow.is_null(); });
  Json values = Json::array();
  Json shadows = Json::array();
  for (auto& each : list) {
    values.push(std::move(each.value));
    shadows.push(std::move(each.shadow));
  }
  put(object, name, has_values ? std::move(values) : Json());
  put(object, shadow_name(name), has_shadows ? std::move(shadows) : Json());
}

void append(Json& object, std::string_view name, Content content) {
  Json* values = object.find(name);
  Json* shadows = object.find(shadow_name(name));
  std::size_t const size = std::max(values == nullptr ? 0 : values->items().size(),
                                    shadows == nullptr ? 0 : shadows->items().size());
  auto const add = [&](Json* list, std::string_view list_name, Json value) {
    if (list == nullptr && value.is_null()) return;
    if (list == nullptr) list = &object.set(list_name, Json::array());
    while (list->items().size() < size) list->push(Json());
    list->push(std::move(value));
  };
  add(values, name, std::move(content.value));
  add(object.find(shadow_name(name)), shadow_name(name), std::move(content.shadow));
}

void put_one(Json& object, std::string_view name, Content content) {
  put(object, name, std::move(content.value));
  put(object, shadow_name(name), std::move(content.shadow));
}

void prune_members(Json& object) {
  std::vector<std::string> lists;  // with an array of shadows: whose places belong together
  for (auto& member : object.members()) {
    if (member.name.starts_with('_') && member.value.is_array()) lists.push_back(member.name.substr(1));
  }
  for (auto const& name : lists) {
    auto list = take_list(object, name);
    for (auto& each : list) prune(each.shadow);
    std::erase_if(list, [](Content const& each) { return each.is_empty(); });
    put_list(object, name, std::move(list));
  }
  for (auto& member : object.members()) prune(member.value);
  std::erase_if(object.members(), [](Json::Member const& member) { return member.value.is_null(); });
}

void prune(Json& value) {
  if (value.is_array()) {
    // Nulls are the places of values that only have extensions.
    bool const is_aligned = std::ranges::any_of(value.items(), &Json::is_null);
    if (is_aligned) return;
    for (auto& item : value.items()) prune(item);
    std::erase_if(value.items(), [](Json const& item) { return item.is_null(); });
    if (value.items().empty()) value = Json();
  } else if (value.is_object()) {
    prune_members(value);
    if (value.members().empty()) value = Json();
  }
}

}  // namespace tacenda::operations

#pragma once

#include <string_view>

#include "codec/json.hpp"
#include "fhir/elements.hpp"
#include "fhir/internal/place.hpp"

namespace tacenda::fhir {

/// One value of a primitive type, where it stands.
template <typename JsonLike>
struct Leaf {
  Element const& element;
  Element const* holder;  // the element whose type has `element`; nullptr at a resource's own elements
  JsonLike& value;
  Place const& place;
};

/// Calls `visit` with a Leaf for every primitive value of a resource in document order, whatever its depth:
/// backbones, data types, extensions of primitives (`_name`), contained resources. `JsonLike` is Json or Json
/// const. Without `kWithin`, resources within the resource are passed over. The document is one that
/// StructureCheck has passed; what it does not know is passed over. The depth of the recursion is the
/// document's, which the check bounds.
template <typename JsonLike, typename Visit, bool kWithin = true>
class Walk {
 public:
  explicit Walk(Visit& visit) : visit_(visit) {}

  void resource(JsonLike& json, Place const* place) {
    Node const* node = find_resource_node(json.text_of("resourceType"));
    if (node == nullptr) return;
    Place const root{nullptr, path_of(*node)};
    object(*node, nullptr, json, place == nullptr ? root : *place);
  }

 private:
  void object(Node const& node, Element const* holder, JsonLike& json, Place const& place) {
    if (!json.is_object()) return;
    for (auto& member : json.members()) {
      std::string_view name = member.name;
      bool const sibling = name.starts_with('_');
      if (sibling) name.remove_prefix(1);
      Element const* element = find_element(node, name);
      if (element == nullptr) continue;
      Place child = place.child(definition_name_of(*element));
      if (!member.value.is_array()) {
        item(*element, holder, member.value, sibling, child);
        continue;
      }
      child.index = 0;
      for (auto& each : member.value.items()) {
        item(*element, holder, each, sibling, child);
        ++child.index;
      }
    }
  }

  void item(Element const& element, Element const* holder, JsonLike& value, bool sibling,
            Place const& place) {
    if (sibling) {
      object(node_of(TypeCode::kElement), nullptr, value, place);
    } else if (element.is_primitive()) {
      visit_(Leaf<JsonLike>{element, holder, value, place});
    } else if (element.type_code() == TypeCode::kResource) {
      if constexpr (kWithin) resource(value, &place);
    } else {
      object(node_of(element.type_code()), &element, value, place);
    }
  }

  Visit& visit_;  // the caller's, outlives this
};

}  // namespace tacenda::fhir

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fhir/generated/type_codes.hpp"

namespace tacenda::fhir {

/// One JSON property that a type may have; value[x] is one for each of its types. The numbers are indexes
/// into the generated tables: read them through the functions below.
struct Element {
  enum Flag : std::uint8_t {
    kRepeats = 1,    // a JSON array (max *)
    kAttribute = 2,  // an attribute in XML, or xhtml: no `_name` beside it
    kChoice = 4,     // one of several types of value[x]
    kSummary = 8,    // shown by _summary=true
    kModifier = 16,  // changes the meaning of the rest
  };

  std::uint16_t name;
  std::uint16_t type;        // TypeCode
  std::uint16_t target_set;  // of Reference and canonical
  std::uint8_t slot;         // ordinal within its node; all types of a choice share one; below 64
  std::uint8_t stem_bytes;   // length of the definition's name: 5 of "valueQuantity"
  std::uint8_t flags;

  TypeCode type_code() const { return static_cast<TypeCode>(type); }
  bool is_primitive() const { return type < static_cast<std::uint16_t>(TypeCode::kFirstNode); }
  bool has(Flag flag) const { return (flags & flag) != 0; }
};

/// What has properties: a resource type, a data type, or a backbone of one ("Observation.component").
struct Node {
  std::uint16_t path;
  std::uint16_t first_element;
  std::uint16_t first_hash_slot;
  std::uint16_t hash_mask;
  std::uint16_t element_count;
  std::uint64_t required;  // bit per slot with min 1
};

/// "Observation.component".
std::string_view path_of(Node const& node);
/// The name in JSON: "valueQuantity".
std::string_view name_of(Element const& element);
/// The name in the definition and in FHIRPath: "value".
std::string_view definition_name_of(Element const& element);

/// How many nodes there are: the type codes from kFirstNode on.
std::size_t node_count();
/// The node of a type code that is none of a primitive (asserted).
Node const& node_of(TypeCode type);
/// The number of a node: its place in the order of the tables.
std::size_t index_of(Node const& node);
/// The type code of a node: node_of(type_code_of(node)) is the node.
TypeCode type_code_of(Node const& node);
/// The node of a resource type by name; nullptr when R4 has none such, or it is abstract.
Node const* find_resource_node(std::string_view type);

/// The node of a resource type, abstract ones too, or of a data type that is no primitive, by name; nullptr
/// when there is none. Slow: for what is read once.
Node const* find_type_node(std::string_view name);

std::span<Element const> elements_of(Node const& node);  // in the order of the definition
/// The property with this name in JSON; nullptr when the type has none.
Element const* find_element(Node const& node, std::string_view name);

/// True when one type of a choice is the one with this name: valueQuantity and "Quantity". Of an element that
/// is no choice: true.
bool is_type(Element const& element, std::string_view type_name);

/// Number of resource types that a Reference (or canonical) may lead to; 0 and "Resource" mean any.
std::size_t target_count(Element const& element);
std::string_view target_of(Element const& element, std::size_t index);

}  // namespace tacenda::fhir

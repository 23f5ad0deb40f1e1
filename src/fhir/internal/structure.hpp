#pragma once

#include <cstdint>

#include "codec/json.hpp"
#include "fhir/elements.hpp"
#include "fhir/internal/place.hpp"
#include "fhir/issues.hpp"

namespace tacenda::fhir {

/// Compares a document with the element table and adds what is wrong to `issues`, until they are full:
/// names, cardinalities, JSON shapes, primitive values, `_name` beside `name`, contained resources.
/// Source: R4 json.html, datatypes.html, references.html#contained.
class StructureCheck {
 public:
  enum class Required : std::uint8_t { kIgnored, kReported };

  explicit StructureCheck(Issues& issues, Required required = Required::kIgnored)
      : issues_(issues), required_(required) {}

  /// A whole resource of any concrete type; `place` is the element that holds it, nullptr at the root.
  void check_resource(codec::Json const& json, Place const* place);
  /// A value of a type that is no primitive.
  void check_object(Node const& node, codec::Json const& json, Place const& place);

 private:
  void check_members(Node const& node, codec::Json const& json, Place const& place, bool is_resource);
  void check_required(Node const& node, std::uint64_t seen, Place const& place);
  void check_element(Element const& element, codec::Json const& owner, codec::Json const& value,
                     Place const& place);
  void check_item(Element const& element, codec::Json const& value, Place const& place);
  void check_sibling(Element const& element, codec::Json const& owner, codec::Json const& value,
                     Place const& place);
  void check_extensions(codec::Json const& value, Place const& place);
  void add(IssueKind kind, Literal text, Place const& place) { issues_.add(kind, text, place.path()); }

  Issues& issues_;  // the caller's, outlives this
  Required required_;
};

}  // namespace tacenda::fhir

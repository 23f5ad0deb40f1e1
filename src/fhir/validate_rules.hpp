#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fhir/elements.hpp"

namespace tacenda::fhir {

/// Source: R4 terminologies.html#strength.
enum class BindingStrength : std::uint8_t { kExample, kPreferred, kExtensible, kRequired };

/// An invariant of a definition. The texts belong to the definition that it was read from.
struct ConstraintView {
  std::string_view key;         // "pat-1"
  std::string_view human;       // what the definition says to people
  std::string_view expression;  // FHIRPath
  bool is_warning = false;
};

/// Invariants of one place of the base definitions.
class BaseConstraints {
 public:
  explicit BaseConstraints(std::uint16_t group) : group_(group) {}
  bool empty() const { return group_ == 0; }
  std::size_t size() const;
  ConstraintView operator[](std::size_t index) const;

 private:
  std::uint16_t group_;
};

/// What the base definition of R4 says of an element beyond its shape (fhir/elements.hpp has that).
struct BaseRule {
  BindingStrength strength = BindingStrength::kExample;  // kExample: no binding to hold to
  std::uint16_t value_set = 0;                           // see validate_codes.hpp
  BaseConstraints constraints{0};
  bool simple_quantity = false;  // a Quantity here has no comparator
};

/// Of an element of a node; all types of a choice have the same.
BaseRule base_rule(Node const& node, Element const& element);
/// Invariants of everything that has this type, or of this backbone element. Left out are those that
/// Validator holds itself: ele-1, ext-1, ref-1, sqty-1; and dom-2, which Resource::check holds.
BaseConstraints base_constraints(Node const& node);
/// True for an invariant that a base definition has, with this very expression, or that Validator holds of
/// every element.
bool is_base_constraint(std::string_view key, std::string_view expression);

}  // namespace tacenda::fhir

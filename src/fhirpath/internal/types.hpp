#pragma once

#include <optional>
#include <string_view>

#include "fhir/elements.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

/// A type as an expression names it: `Quantity`, `FHIR.string`, `System.Integer`.
struct TypeSpecifier {
  std::optional<fhir::TypeCode> fhir;     // the FHIR type of that name
  std::optional<Item::Kind> system;       // the System type of that name
  std::optional<fhir::TypeCode> lenient;  // of `DateTime`: the FHIR primitive `dateTime`
};

/// `name_space` may be empty; nullopt when there is no such type. What System has not is the type of nothing.
std::optional<TypeSpecifier> find_type(std::string_view name_space, std::string_view name);

/// A data type, primitive or resource type by name; backbones have no name of their own.
std::optional<fhir::TypeCode> find_fhir_type(std::string_view name);
std::string_view name_of_type(fhir::TypeCode type);
std::string_view name_of_kind(Item::Kind kind);
fhir::TypeCode type_of_node(fhir::Node const& node);

bool is_resource(fhir::TypeCode type);
bool is_quantity(fhir::TypeCode type);  // Quantity, Age, Count, Distance, Duration
/// `actual` is `wanted` or one of its specialisations. Source: R4 datatypes.html, resource.html.
bool is_subtype(fhir::TypeCode actual, fhir::TypeCode wanted);

/// How `is` and `as` treat what they do not agree on.
enum class TypeRule : std::uint8_t {
  kIsFunction,  // value.is(T): subtypes count; FHIR.boolean is no Boolean
  kIsOperator,  // value is T: R4's own que-7 writes `answer is Boolean` of a FHIR.boolean
  kAs,          // as, ofType: a primitive must be of the very type; `DateTime` means `dateTime`
};
bool matches(Item const& item, TypeSpecifier const& type, TypeRule rule);

}  // namespace tacenda::fhirpath

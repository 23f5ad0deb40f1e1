#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "fhir/elements.hpp"
#include "fhirpath/decimal.hpp"
#include "fhirpath/temporal.hpp"

namespace tacenda::fhirpath {

/// A System.Quantity: unit is a UCUM code, or the word of a calendar duration ("week").
struct Quantity {
  Decimal value;
  std::string_view unit;
  bool is_calendar = false;  // the unit is a word and no UCUM code
};

/// One member of a Collection: an element of a JSON document, which is not copied, or a System value.
///
/// An element's document, and for a System value the Expression that made it, must outlive the item.
/// Cheap to copy; owner: one thread.
class Item {
 public:
  enum class Kind : std::uint8_t {
    kElement,
    kBoolean,
    kInteger,
    kDecimal,
    kString,
    kDate,
    kDateTime,
    kTime,
    kQuantity,
    kTypeInfo,  // what type() gives: namespace and name
  };

  /// `value` may be nullptr when there is a `shadow`: a primitive with extensions alone.
  static Item element(codec::Json const* value, codec::Json const* shadow, fhir::TypeCode type,
                      codec::Json const* resource);
  static Item boolean(bool value);
  static Item integer(std::int64_t value);
  static Item decimal(Decimal const& value);
  static Item string(std::string value);
  static Item string_view(std::string_view value);  // `value` must outlive the item
  static Item temporal(Kind kind, Temporal const& value);
  static Item quantity(Decimal const& value, std::string unit, bool is_calendar);
  static Item type_info(std::string_view name_space, std::string_view name);  // static texts

  Kind kind() const { return kind_; }
  bool is_element() const { return kind_ == Kind::kElement; }

  // Of an element.
  codec::Json const* value() const { return is_element() ? a_.element.value : nullptr; }
  codec::Json const* shadow() const { return is_element() ? a_.element.shadow : nullptr; }  // of `_name`
  /// The resource that it lies in: of what is contained, the one that contains.
  codec::Json const* resource() const { return is_element() ? b_.resource : nullptr; }
  fhir::TypeCode type() const { return type_; }
  bool is_primitive() const { return is_element() && type_ < fhir::TypeCode::kFirstNode; }
  /// The properties of a complex type; nullptr of primitives and System values.
  fhir::Node const* node() const { return is_element() && !is_primitive() ? &fhir::node_of(type_) : nullptr; }
  /// "Patient", "Quantity", "Observation.component", "code"; of System values "Boolean" etc.
  std::string_view type_name() const;

  // Of a System value of that kind (asserted).
  bool as_boolean() const;
  std::int64_t as_integer() const;
  Decimal as_decimal() const;
  std::string_view as_string() const;
  Temporal as_temporal() const;
  Quantity as_quantity() const;  // the unit lives as long as this item
  std::array<std::string_view, 2> as_type_info() const;

  /// The System value that a FHIR primitive stands for; a System value itself; nullopt for complex elements,
  /// primitives without a value and values that are none of their type.
  /// Source: R4 fhirpath.html, "Using FHIR types in expressions".
  std::optional<Item> to_system() const;
  /// The same for what may be read as text: strings, and every FHIR primitive that JSON writes as a string.
  std::optional<std::string_view> text() const;
  /// Of a System.Quantity, or of a FHIR Quantity (Age, ...) without comparator that has a value.
  std::optional<Quantity> to_quantity() const;
  /// The value as FHIRPath's toString() writes it; nullopt for complex elements but Quantity.
  std::optional<std::string> to_text() const;

 private:
  struct ElementParts {
    codec::Json const* value;
    codec::Json const* shadow;
  };
  struct Coefficient {
    std::uint64_t low;
    std::uint64_t high;
  };
  union First {
    ElementParts element;
    Coefficient coefficient;
    std::int64_t integer;
    std::string_view text;
    Temporal temporal;
    First() : integer(0) {}
  };
  union Second {
    codec::Json const* resource;
    std::string_view text;  // unit of a Quantity, name of a type
    Second() : resource(nullptr) {}
  };

  explicit Item(Kind kind) : kind_(kind) {}
  void set_decimal(Decimal const& value);

  Kind kind_;
  bool is_calendar_ = false;
  fhir::TypeCode type_ = fhir::TypeCode::kString;
  std::int32_t scale_ = 0;
  First a_;
  Second b_;
  // Shared because copies of an item may outlive the evaluation; null for elements and literals, so that the
  // common items cost no counting.
  std::shared_ptr<std::string const> owner_;
};

using Collection = std::vector<Item>;

/// The item of a whole resource. A type that R4 has not is a Resource without more.
Item item_of(codec::Json const& resource);

}  // namespace tacenda::fhirpath

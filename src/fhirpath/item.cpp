#include "fhirpath/item.hpp"

#include <charconv>
#include <utility>

#include "core/process.hpp"
#include "fhirpath/internal/types.hpp"

namespace tacenda::fhirpath {
namespace {

using codec::Json;
using fhir::TypeCode;

std::optional<Item> boolean_of(Json const& value) {
  if (!value.is_boolean()) return std::nullopt;
  return Item::boolean(value.as_boolean());
}

std::optional<Item> integer_of(Json const& value) {
  if (!value.is_number()) return std::nullopt;
  std::string_view const text = value.number_text();
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Item::integer(number);
}

std::optional<Item> decimal_of(Json const& value) {
  if (!value.is_number()) return std::nullopt;
  auto const number = Decimal::parse(value.number_text());
  return number ? std::optional(Item::decimal(*number)) : std::nullopt;
}

std::optional<Item> temporal_of(Item::Kind kind, std::optional<Temporal> const& value) {
  return value ? std::optional(Item::temporal(kind, *value)) : std::nullopt;
}

std::optional<Item> system_value(TypeCode type, Json const& value) {
  switch (type) {
    case TypeCode::kBoolean:
      return boolean_of(value);
    case TypeCode::kInteger:
    case TypeCode::kPositiveInt:
    case TypeCode::kUnsignedInt:
      return integer_of(value);
    case TypeCode::kDecimal:
      return decimal_of(value);
    default:
      break;
  }
  if (!value.is_string()) return std::nullopt;
  std::string_view const text = value.as_string();
  switch (type) {
    case TypeCode::kDate:
      return temporal_of(Item::Kind::kDate, parse_date(text));
    case TypeCode::kDateTime:
    case TypeCode::kInstant:
      return temporal_of(Item::Kind::kDateTime, parse_date_time(text));
    case TypeCode::kTime:
      return temporal_of(Item::Kind::kTime, parse_time(text));
    default:
      return Item::string_view(text);
  }
}

std::string text_of_quantity(Quantity const& quantity) {
  std::string out = quantity.value.to_text() + " ";
  if (quantity.is_calendar) return out.append(quantity.unit);
  return out.append("'").append(quantity.unit).append("'");
}

}  // namespace

Item Item::element(Json const* value, Json const* shadow, TypeCode type, Json const* resource) {
  Item item(Kind::kElement);
  item.a_.element = {value, shadow};
  item.b_.resource = resource;
  item.type_ = type;
  return item;
}

Item Item::boolean(bool value) {
  Item item(Kind::kBoolean);
  item.a_.integer = value ? 1 : 0;
  return item;
}

Item Item::integer(std::int64_t value) {
  Item item(Kind::kInteger);
  item.a_.integer = value;
  return item;
}

void Item::set_decimal(Decimal const& value) {
  Int128 const coefficient = value.coefficient();
  a_.coefficient = {static_cast<std::uint64_t>(coefficient), static_cast<std::uint64_t>(coefficient >> 64)};
  scale_ = value.scale();
}

Item Item::decimal(Decimal const& value) {
  Item item(Kind::kDecimal);
  item.set_decimal(value);
  return item;
}

Item Item::string(std::string value) {
  Item item(Kind::kString);
  item.owner_ = std::make_shared<std::string const>(std::move(value));
  item.a_.text = *item.owner_;
  return item;
}

Item Item::string_view(std::string_view value) {
  Item item(Kind::kString);
  item.a_.text = value;
  return item;
}

Item Item::temporal(Kind kind, Temporal const& value) {
  TACENDA_ASSERT(kind == Kind::kDate || kind == Kind::kDateTime || kind == Kind::kTime);
  Item item(kind);
  item.a_.temporal = value;
  return item;
}

Item Item::quantity(Decimal const& value, std::string unit, bool is_calendar) {
  Item item(Kind::kQuantity);
  item.set_decimal(value);
  item.is_calendar_ = is_calendar;
  item.owner_ = std::make_shared<std::string const>(std::move(unit));
  item.b_.text = *item.owner_;
  return item;
}

Item Item::type_info(std::string_view name_space, std::string_view name) {
  Item item(Kind::kTypeInfo);
  item.a_.text = name_space;
  item.b_.text = name;
  return item;
}

std::string_view Item::type_name() const {
  return is_element() ? name_of_type(type_) : name_of_kind(kind_);
}

bool Item::as_boolean() const {
  TACENDA_ASSERT(kind_ == Kind::kBoolean);
  return a_.integer != 0;
}

std::int64_t Item::as_integer() const {
  TACENDA_ASSERT(kind_ == Kind::kInteger);
  return a_.integer;
}

Decimal Item::as_decimal() const {
  TACENDA_ASSERT(kind_ == Kind::kDecimal || kind_ == Kind::kQuantity);
  auto const high = static_cast<Int128>(static_cast<std::int64_t>(a_.coefficient.high));
  return Decimal::of_parts(high * (Int128{1} << 64) + static_cast<Int128>(a_.coefficient.low), scale_);
}

std::string_view Item::as_string() const {
  TACENDA_ASSERT(kind_ == Kind::kString);
  return a_.text;
}

Temporal Item::as_temporal() const {
  TACENDA_ASSERT(kind_ == Kind::kDate || kind_ == Kind::kDateTime || kind_ == Kind::kTime);
  return a_.temporal;
}

Quantity Item::as_quantity() const {
  TACENDA_ASSERT(kind_ == Kind::kQuantity);
  return {as_decimal(), b_.text, is_calendar_};
}

std::array<std::string_view, 2> Item::as_type_info() const {
  TACENDA_ASSERT(kind_ == Kind::kTypeInfo);
  return {a_.text, b_.text};
}

std::optional<Item> Item::to_system() const {
  if (!is_element()) return *this;
  if (!is_primitive() || value() == nullptr) return std::nullopt;
  return system_value(type_, *value());
}

std::optional<std::string_view> Item::text() const {
  if (kind_ == Kind::kString) return a_.text;
  if (!is_primitive() || value() == nullptr || !value()->is_string()) return std::nullopt;
  return value()->as_string();
}

std::optional<Quantity> Item::to_quantity() const {
  if (kind_ == Kind::kQuantity) return as_quantity();
  if (!is_element() || !is_quantity(type_) || value() == nullptr) return std::nullopt;
  Json const* number = value()->find("value");
  if (number == nullptr || !number->is_number() || value()->find("comparator") != nullptr)
    return std::nullopt;
  auto const decimal = Decimal::parse(number->number_text());
  if (!decimal) return std::nullopt;
  std::string_view unit = value()->text_of("code");
  if (unit.empty()) unit = value()->text_of("unit");
  return Quantity{*decimal, unit.empty() ? "1" : unit, false};
}

std::optional<std::string> Item::to_text() const {
  if (auto const quantity = to_quantity()) return text_of_quantity(*quantity);
  auto const system = to_system();
  if (!system) return std::nullopt;
  switch (system->kind()) {
    case Kind::kBoolean:
      return system->as_boolean() ? "true" : "false";
    case Kind::kInteger:
      return std::to_string(system->as_integer());
    case Kind::kDecimal:
      if (is_element()) return std::string(value()->number_text());
      return system->as_decimal().to_text();
    case Kind::kString:
      return std::string(system->as_string());
    case Kind::kDate:
      return format_date(system->as_temporal());
    case Kind::kDateTime:
      return format_date_time(system->as_temporal());
    case Kind::kTime:
      return format_time(system->as_temporal());
    default:
      return std::nullopt;
  }
}

Item item_of(Json const& resource) {
  fhir::Node const* node = fhir::find_resource_node(resource.text_of("resourceType"));
  return Item::element(&resource, nullptr, node == nullptr ? TypeCode::kResource : type_of_node(*node),
                       &resource);
}

}  // namespace tacenda::fhirpath

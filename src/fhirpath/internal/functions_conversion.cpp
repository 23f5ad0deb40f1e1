#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"
#include "fhirpath/internal/text.hpp"

// Conversions: FHIRPath N1 section 5.5.

namespace tacenda::fhirpath {
namespace {

using Kind = Item::Kind;

std::optional<Item> boolean_from_text(std::string_view text) {
  std::string const word = lower(text.substr(0, 8));
  if (text.size() > 5) return std::nullopt;
  for (auto const* yes : {"true", "t", "yes", "y", "1", "1.0"}) {
    if (word == yes) return Item::boolean(true);
  }
  for (auto const* no : {"false", "f", "no", "n", "0", "0.0"}) {
    if (word == no) return Item::boolean(false);
  }
  return std::nullopt;
}

std::optional<Item> boolean_from(Item const& value) {
  if (value.kind() == Kind::kBoolean) return value;
  if (value.kind() == Kind::kString) return boolean_from_text(value.as_string());
  auto const number = number_of(value);
  if (!number) return std::nullopt;
  if (number->is_zero()) return Item::boolean(false);
  return Decimal::compare(*number, Decimal::from_integer(1)) == 0 ? std::optional(Item::boolean(true))
                                                                  : std::nullopt;
}

std::optional<Item> integer_from(Item const& value) {
  if (value.kind() == Kind::kInteger) return value;
  if (value.kind() == Kind::kBoolean) return Item::integer(value.as_boolean() ? 1 : 0);
  if (value.kind() != Kind::kString) return std::nullopt;
  std::string_view text = value.as_string();
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int32_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Item::integer(number);
}

std::optional<Decimal> decimal_from_text(std::string_view text) {
  if (text.find_first_of("eE") != std::string_view::npos) return std::nullopt;
  return Decimal::parse(text);
}

std::optional<Item> decimal_from(Item const& value) {
  if (auto const number = number_of(value)) return Item::decimal(*number);
  if (value.kind() == Kind::kBoolean) return Item::decimal(Decimal::from_integer(value.as_boolean() ? 1 : 0));
  if (value.kind() != Kind::kString) return std::nullopt;
  auto const number = decimal_from_text(value.as_string());
  return number ? std::optional(Item::decimal(*number)) : std::nullopt;
}

/// "1", "1.5 'mg'", "4 days". Source: N1 section 5.5.7.
std::optional<Item> quantity_from_text(std::string_view text) {
  std::size_t const end = std::min(text.find_first_of(" \t'"), text.size());
  auto const number = decimal_from_text(text.substr(0, end));
  if (!number) return std::nullopt;
  std::string_view const unit = trimmed(text.substr(end));
  if (unit.empty())
    return end == text.size() ? std::optional(Item::quantity(*number, "1", false)) : std::nullopt;
  if (unit.size() > 2 && unit.starts_with('\'') && unit.ends_with('\'')) {
    return Item::quantity(*number, std::string(unit.substr(1, unit.size() - 2)), false);
  }
  if (!find_calendar_word(unit)) return std::nullopt;
  return Item::quantity(*number, std::string(unit), true);
}

std::optional<Item> quantity_from(Item const& value) {
  if (value.kind() == Kind::kQuantity) return value;
  if (auto const number = number_of(value)) return Item::quantity(*number, "1", false);
  if (value.kind() == Kind::kBoolean) {
    return Item::quantity(*Decimal::parse(value.as_boolean() ? "1.0" : "0.0"), "1", false);
  }
  return value.kind() == Kind::kString ? quantity_from_text(value.as_string()) : std::nullopt;
}

std::optional<Item> date_from(Item const& value) {
  if (value.kind() == Kind::kDate) return value;
  std::optional<Temporal> date;
  if (value.kind() == Kind::kString) {
    date = parse_date_time(value.as_string().substr(0, 64));
  } else if (value.kind() == Kind::kDateTime) {
    date = value.as_temporal();
  }
  if (!date) return std::nullopt;
  Temporal out;
  out.year = date->year;
  out.month = date->month;
  out.day = date->day;
  out.precision = std::min(date->precision, Temporal::Precision::kDay);
  return Item::temporal(Kind::kDate, out);
}

std::optional<Item> date_time_from(Item const& value) {
  if (value.kind() == Kind::kDateTime) return value;
  if (value.kind() == Kind::kDate) return Item::temporal(Kind::kDateTime, value.as_temporal());
  if (value.kind() != Kind::kString) return std::nullopt;
  auto const parsed = parse_date_time(value.as_string());
  return parsed ? std::optional(Item::temporal(Kind::kDateTime, *parsed)) : std::nullopt;
}

std::optional<Item> time_from(Item const& value) {
  if (value.kind() == Kind::kTime) return value;
  if (value.kind() != Kind::kString) return std::nullopt;
  std::string_view text = value.as_string();
  if (text.starts_with('T')) text.remove_prefix(1);
  auto const parsed = parse_time(text);
  return parsed ? std::optional(Item::temporal(Kind::kTime, *parsed)) : std::nullopt;
}

std::optional<Item> string_from(Item const& value) {
  auto text = value.to_text();
  return text ? std::optional(Item::string(*std::move(text))) : std::nullopt;
}

/// The input's one item as `convert` makes it of its System value.
using Convert = std::optional<Item> (*)(Item const&);
Result<std::optional<Item>> converted(Call& call, Convert convert) {
  auto const item = TACENDA_TRY(call.one());
  if (!item) return std::nullopt;
  if (auto const text = item->text()) TACENDA_TRY_VOID(call.evaluator.budget().check_text(text->size()));
  if (convert == string_from) return string_from(*item);  // keeps a decimal's own text
  auto value = item->to_system();
  if (!value) {
    auto const quantity = item->to_quantity();
    if (!quantity) return std::nullopt;
    value = Item::quantity(quantity->value, std::string(quantity->unit), quantity->is_calendar);
  }
  return convert(*value);
}

template <Convert kConvert>
Result<void> to(Call& call) {
  return call.give(TACENDA_TRY(converted(call, kConvert)));
}

template <Convert kConvert>
Result<void> converts_to(Call& call) {
  auto const result = TACENDA_TRY(converted(call, kConvert));
  return call.count() == 0 ? call.give_nothing() : call.give_boolean(result.has_value());
}

/// The quantity in the unit of the argument, where there is one.
Result<std::optional<Item>> quantity_in_unit(Call& call) {
  auto quantity = TACENDA_TRY(converted(call, quantity_from));
  if (!quantity || !call.has_argument(0)) return quantity;
  auto const unit = TACENDA_TRY(call.text_argument(0));
  if (!unit) return std::nullopt;
  Quantity const own = quantity->as_quantity();
  Quantity const wanted{Decimal::from_integer(1), *unit->text(),
                        find_calendar_word(*unit->text()).has_value()};
  auto const values = call.evaluator.comparer().in_one_unit(own, wanted);
  auto const value = values ? Decimal::divide(values->first, values->second) : std::nullopt;
  if (!value) return std::nullopt;
  return Item::quantity(*value, std::string(wanted.unit), wanted.is_calendar);
}

Result<void> to_quantity(Call& call) {
  return call.give(TACENDA_TRY(quantity_in_unit(call)));
}

Result<void> converts_to_quantity(Call& call) {
  auto const result = TACENDA_TRY(quantity_in_unit(call));
  return call.count() == 0 ? call.give_nothing() : call.give_boolean(result.has_value());
}

constexpr auto kNone = FunctionRow::kNone;

constexpr std::array kFunctions{
    FunctionRow{"toBoolean", 0, 0, kNone, to<boolean_from>},
    FunctionRow{"convertsToBoolean", 0, 0, kNone, converts_to<boolean_from>},
    FunctionRow{"toInteger", 0, 0, kNone, to<integer_from>},
    FunctionRow{"convertsToInteger", 0, 0, kNone, converts_to<integer_from>},
    FunctionRow{"toDecimal", 0, 0, kNone, to<decimal_from>},
    FunctionRow{"convertsToDecimal", 0, 0, kNone, converts_to<decimal_from>},
    FunctionRow{"toDate", 0, 0, kNone, to<date_from>},
    FunctionRow{"convertsToDate", 0, 0, kNone, converts_to<date_from>},
    FunctionRow{"toDateTime", 0, 0, kNone, to<date_time_from>},
    FunctionRow{"convertsToDateTime", 0, 0, kNone, converts_to<date_time_from>},
    FunctionRow{"toTime", 0, 0, kNone, to<time_from>},
    FunctionRow{"convertsToTime", 0, 0, kNone, converts_to<time_from>},
    FunctionRow{"toString", 0, 0, kNone, to<string_from>},
    FunctionRow{"convertsToString", 0, 0, kNone, converts_to<string_from>},
    FunctionRow{"toQuantity", 0, 1, kNone, to_quantity},
    FunctionRow{"convertsToQuantity", 0, 1, kNone, converts_to_quantity},
};

}  // namespace

std::span<FunctionRow const> conversion_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath

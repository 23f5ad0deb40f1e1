#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"

// Mathematics: FHIRPath N1 section 5.7.

namespace tacenda::fhirpath {
namespace {

/// The number or quantity of the input; nullopt when it is empty. Errors: kInvalid for anything else.
struct Number {
  Decimal value;
  bool is_integer = false;
  std::optional<Item> quantity;
};

Result<std::optional<Number>> number_from(std::optional<Item> const& item) {
  if (!item) return std::nullopt;
  if (auto const quantity = item->to_quantity()) {
    return Number{quantity->value, false,
                  Item::quantity(quantity->value, std::string(quantity->unit), quantity->is_calendar)};
  }
  auto const system = item->to_system();
  if (!system && item->is_primitive()) return std::nullopt;
  auto const value = system ? number_of(*system) : std::nullopt;
  if (!value) return fail(ErrorKind::kInvalid, "a function takes a number");
  return Number{*value, system->kind() == Item::Kind::kInteger, std::nullopt};
}

Item like(Number const& number, Decimal const& value) {
  if (!number.quantity) return Item::decimal(value);
  auto const quantity = number.quantity->as_quantity();
  return Item::quantity(value, std::string(quantity.unit), quantity.is_calendar);
}

std::optional<Item> integer_item(Decimal const& value) {
  auto const integer = value.to_integer();
  if (!integer || *integer > std::numeric_limits<std::int32_t>::max() ||
      *integer < std::numeric_limits<std::int32_t>::min()) {
    return std::nullopt;
  }
  return Item::integer(*integer);
}

Result<void> absolute(Call& call) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  if (!number) return call.give_nothing();
  Decimal const value = number->value.is_negative() ? number->value.negated() : number->value;
  return call.give(number->is_integer ? integer_item(value) : like(*number, value));
}

template <typename Change>
Result<void> to_whole(Call& call, Change change) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  if (!number) return call.give_nothing();
  Decimal const value = change(number->value);
  return call.give(number->quantity ? like(*number, value) : integer_item(value));
}

Result<void> ceiling(Call& call) {
  return to_whole(call, [](Decimal const& value) { return value.ceiling(); });
}
Result<void> floor(Call& call) {
  return to_whole(call, [](Decimal const& value) { return value.floor(); });
}
Result<void> truncate(Call& call) {
  return to_whole(call, [](Decimal const& value) { return value.truncated(0); });
}

Result<void> round(Call& call) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  std::optional<std::int64_t> places = 0;
  if (call.has_argument(0)) places = TACENDA_TRY(call.integer_argument(0));
  if (!number || !places) return call.give_nothing();
  if (*places < 0) return fail(ErrorKind::kInvalid, "round() to less than no places");
  auto const kept = static_cast<int>(std::min<std::int64_t>(*places, Decimal::kDigitsMax));
  return call.give(like(*number, number->value.rounded(kept)));
}

template <double (*kFunction)(double)>
Result<void> real(Call& call) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  if (!number || number->quantity) return call.give_nothing();
  auto const value = Decimal::from_double(kFunction(number->value.to_double()));
  return value ? call.give(Item::decimal(*value)) : call.give_nothing();
}

Result<void> logarithm(Call& call) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  auto const base = TACENDA_TRY(number_from(TACENDA_TRY(call.argument(0))));
  if (!number || !base) return call.give_nothing();
  auto const value =
      Decimal::from_double(std::log(number->value.to_double()) / std::log(base->value.to_double()));
  return value ? call.give(Item::decimal(*value)) : call.give_nothing();
}

Result<void> power(Call& call) {
  auto const number = TACENDA_TRY(number_from(TACENDA_TRY(call.one())));
  auto const exponent = TACENDA_TRY(number_from(TACENDA_TRY(call.argument(0))));
  if (!number || !exponent) return call.give_nothing();
  auto const value = Decimal::from_double(std::pow(number->value.to_double(), exponent->value.to_double()));
  if (!value) return call.give_nothing();
  bool const integers = number->is_integer && exponent->is_integer && !exponent->value.is_negative();
  return call.give(integers ? integer_item(*value) : std::optional(Item::decimal(*value)));
}

constexpr auto kNone = FunctionRow::kNone;

constexpr std::array kFunctions{
    FunctionRow{"abs", 0, 0, kNone, absolute},         FunctionRow{"ceiling", 0, 0, kNone, ceiling},
    FunctionRow{"floor", 0, 0, kNone, floor},          FunctionRow{"truncate", 0, 0, kNone, truncate},
    FunctionRow{"round", 0, 1, kNone, round},          FunctionRow{"exp", 0, 0, kNone, real<std::exp>},
    FunctionRow{"ln", 0, 0, kNone, real<std::log>},    FunctionRow{"log", 1, 1, kNone, logarithm},
    FunctionRow{"sqrt", 0, 0, kNone, real<std::sqrt>}, FunctionRow{"power", 1, 1, kNone, power},
};

}  // namespace

std::span<FunctionRow const> math_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath

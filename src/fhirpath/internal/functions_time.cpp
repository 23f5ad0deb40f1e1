#include <array>
#include <string>

#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"

// The clock (N1 section 5.9), and boundaries and precision of the later draft.

namespace tacenda::fhirpath {
namespace {

using Kind = Item::Kind;

Temporal now_of(Call const& call) {
  auto const& context = call.evaluator.context();
  return date_time_of(context.now, context.offset_minutes);
}

Result<void> now(Call& call) {
  return call.give(Item::temporal(Kind::kDateTime, now_of(call)));
}

Result<void> today(Call& call) {
  Temporal const moment = now_of(call);
  Temporal date;
  date.year = moment.year;
  date.month = moment.month;
  date.day = moment.day;
  date.precision = Temporal::Precision::kDay;
  return call.give(Item::temporal(Kind::kDate, date));
}

Result<void> time_of_day(Call& call) {
  Temporal time = now_of(call);
  time.year = 0;
  time.month = 1;
  time.day = 1;
  time.offset_minutes = Temporal::kNoOffset;
  return call.give(Item::temporal(Kind::kTime, time));
}

constexpr int kPlacesMax = 28;

/// The last digit stands for half a step in both directions. What is finer than asked for is cut off at the
/// low end and rounded at the high end; below zero the ends change places. The suite's cases leave no other
/// reading.
std::optional<Decimal> boundary_of_decimal(Decimal const& value, Boundary which, int places) {
  if (value.is_negative()) {
    auto const other = which == Boundary::kLow ? Boundary::kHigh : Boundary::kLow;
    auto const mirrored = boundary_of_decimal(value.negated(), other, places);
    return mirrored ? std::optional(mirrored->negated()) : std::nullopt;
  }
  Decimal const half = Decimal::of_parts(which == Boundary::kLow ? -5 : 5, value.scale() + 1);
  auto const end = Decimal::add(value, half);
  if (!end) return std::nullopt;
  if (places >= end->scale()) return end->with_scale(places);
  if (which == Boundary::kHigh) return end->rounded(places);
  return end->is_negative() ? end->rounded(places) : end->truncated(places);
}

template <Boundary kWhich>
Result<void> boundary(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  std::optional<std::int64_t> asked;
  if (call.has_argument(0)) asked = TACENDA_TRY(call.integer_argument(0));
  if (!item || (asked && (*asked < 0 || *asked > kPlacesMax))) return call.give_nothing();
  auto const places = static_cast<int>(asked.value_or(8));
  if (auto const quantity = item->to_quantity()) {
    auto const value = boundary_of_decimal(quantity->value, kWhich, places);
    if (!value) return call.give_nothing();
    return call.give(Item::quantity(*value, std::string(quantity->unit), quantity->is_calendar));
  }
  auto const system = item->to_system();
  if (!system) return call.give_nothing();
  if (auto const number = number_of(*system)) {
    auto const value = boundary_of_decimal(*number, kWhich, places);
    return value ? call.give(Item::decimal(*value)) : call.give_nothing();
  }
  bool const is_time = system->kind() == Kind::kTime;
  if (!is_time && system->kind() != Kind::kDate && system->kind() != Kind::kDateTime) {
    return fail(ErrorKind::kInvalid, "a boundary of what is no number, date or time");
  }
  int const finest = is_time ? 9 : (system->kind() == Kind::kDate ? 8 : 17);
  auto const digits = static_cast<int>(asked.value_or(finest));
  if (digits > finest) return call.give_nothing();
  auto const value = boundary_of(system->as_temporal(), kWhich, digits, is_time);
  return value ? call.give(Item::temporal(system->kind(), *value)) : call.give_nothing();
}

Result<void> precision(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  auto const system = item ? item->to_system() : std::nullopt;
  if (!system) return call.give_nothing();
  if (auto const number = number_of(*system)) return call.give(Item::integer(number->scale()));
  bool const is_time = system->kind() == Kind::kTime;
  if (!is_time && system->kind() != Kind::kDate && system->kind() != Kind::kDateTime) {
    return fail(ErrorKind::kInvalid, "the precision of what is no number, date or time");
  }
  return call.give(Item::integer(precision_digits(system->as_temporal(), is_time)));
}

Result<void> comparable(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  auto const other = TACENDA_TRY(call.argument(0));
  if (!item || !other) return call.give_nothing();
  auto const a = item->to_quantity();
  auto const b = other->to_quantity();
  if (!a || !b) return fail(ErrorKind::kInvalid, "comparable() takes quantities");
  return call.give_boolean(call.evaluator.comparer().in_one_unit(*a, *b).has_value());
}

constexpr auto kNone = FunctionRow::kNone;

constexpr std::array kFunctions{
    FunctionRow{"now", 0, 0, kNone, now},
    FunctionRow{"today", 0, 0, kNone, today},
    FunctionRow{"timeOfDay", 0, 0, kNone, time_of_day},
    FunctionRow{"lowBoundary", 0, 1, kNone, boundary<Boundary::kLow>},
    FunctionRow{"highBoundary", 0, 1, kNone, boundary<Boundary::kHigh>},
    FunctionRow{"precision", 0, 0, kNone, precision},
    FunctionRow{"comparable", 1, 1, kNone, comparable},
};

}  // namespace

std::span<FunctionRow const> time_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath

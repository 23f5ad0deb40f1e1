#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "fhirpath/internal/evaluator.hpp"

// The operators of FHIRPath N1 section 6.

namespace tacenda::fhirpath {
namespace {

using Kind = Item::Kind;

std::optional<bool> and_of(std::optional<bool> a, std::optional<bool> b) {
  if (a == false || b == false) return false;
  return a && b ? std::optional(true) : std::nullopt;
}

std::optional<bool> negated(std::optional<bool> value) {
  return value ? std::optional(!*value) : std::nullopt;
}

std::optional<bool> or_of(std::optional<bool> a, std::optional<bool> b) {
  return negated(and_of(negated(a), negated(b)));
}

std::optional<Item> boolean_item(std::optional<bool> value) {
  return value ? std::optional(Item::boolean(*value)) : std::nullopt;
}

/// 32 bits; what does not fit is the empty collection (N1 section 6.6).
std::optional<Item> integer_item(std::int64_t value) {
  if (value > std::numeric_limits<std::int32_t>::max() || value < std::numeric_limits<std::int32_t>::min()) {
    return std::nullopt;
  }
  return Item::integer(value);
}

std::optional<Item> decimal_item(std::optional<Decimal> const& value) {
  return value ? std::optional(Item::decimal(*value)) : std::nullopt;
}

std::optional<Item> add_integers(Operator code, std::int64_t a, std::int64_t b) {
  switch (code) {
    case Operator::kAdd:
      return integer_item(a + b);  // both have 33 bits at most
    case Operator::kSubtract:
      return integer_item(a - b);
    case Operator::kDivideWhole:
      return b == 0 ? std::nullopt : integer_item(a / b);
    case Operator::kModulo:
      return b == 0 ? std::nullopt : integer_item(a % b);
    default:
      return std::nullopt;
  }
}

std::optional<Item> of_decimals(Operator code, Decimal const& a, Decimal const& b) {
  switch (code) {
    case Operator::kAdd:
      return decimal_item(Decimal::add(a, b));
    case Operator::kSubtract:
      return decimal_item(Decimal::add(a, b.negated()));
    case Operator::kMultiply:
      return decimal_item(Decimal::multiply(a, b));
    case Operator::kDivide:
      return decimal_item(Decimal::divide(a, b));
    case Operator::kModulo:
      return decimal_item(Decimal::modulo(a, b));
    case Operator::kDivideWhole: {
      auto const whole = Decimal::divide_whole(a, b);
      auto const integer = whole ? whole->to_integer() : std::nullopt;
      return integer ? integer_item(*integer) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

bool is_small(std::int64_t value) {
  constexpr std::int64_t kBound = std::int64_t{1} << 33;
  return value < kBound && value > -kBound;
}

std::optional<Item> of_numbers(Operator code, Item const& a, Item const& b) {
  bool const integers = a.kind() == Kind::kInteger && b.kind() == Kind::kInteger;
  if (integers && code != Operator::kDivide && code != Operator::kMultiply && is_small(a.as_integer()) &&
      is_small(b.as_integer())) {
    return add_integers(code, a.as_integer(), b.as_integer());
  }
  auto result = of_decimals(code, *number_of(a), *number_of(b));
  if (!integers || code == Operator::kDivide || !result || result->kind() == Kind::kInteger) return result;
  auto const integer = result->as_decimal().to_integer();
  return integer ? integer_item(*integer) : std::nullopt;
}

std::string unit_of_product(Operator code, Quantity const& a, Quantity const& b) {
  if (b.unit == "1") return std::string(a.unit);
  if (code == Operator::kDivide && a.unit == b.unit) return "1";
  std::string const right = "(" + std::string(b.unit) + ")";
  if (code == Operator::kDivide)
    return a.unit == "1" ? "1/" + right : "(" + std::string(a.unit) + ")/" + right;
  return a.unit == "1" ? std::string(b.unit) : "(" + std::string(a.unit) + ")." + right;
}

constexpr std::size_t kUnitBytes = 1'024;  // "(a).(b)" grows with every product

std::optional<Item> scaled_quantity(Operator code, Quantity const& a, Quantity const& b) {
  auto const value =
      code == Operator::kMultiply ? Decimal::multiply(a.value, b.value) : Decimal::divide(a.value, b.value);
  std::string unit = unit_of_product(code, a, b);
  if (!value || unit.size() > kUnitBytes) return std::nullopt;
  bool const calendar = a.is_calendar && b.unit == "1";
  return Item::quantity(*value, std::move(unit), calendar);
}

std::optional<Item> sum_of_quantities(Operator code, Quantity const& a, Quantity const& b) {
  if (a.unit != b.unit || a.is_calendar != b.is_calendar) return std::nullopt;
  auto const sum = Decimal::add(a.value, code == Operator::kAdd ? b.value : b.value.negated());
  if (!sum) return std::nullopt;
  return Item::quantity(*sum, std::string(a.unit), a.is_calendar);
}

/// The unit of what is added to a date: words, and the UCUM codes that have one length ('a' and 'mo' have
/// not: N1 section 6.7).
std::optional<CalendarUnit> time_unit(Quantity const& quantity) {
  if (auto const word = find_calendar_word(quantity.unit)) return word;
  using Row = std::pair<std::string_view, CalendarUnit>;
  static constexpr std::array kCodes{Row{"wk", CalendarUnit::kWeek},  Row{"d", CalendarUnit::kDay},
                                     Row{"h", CalendarUnit::kHour},   Row{"min", CalendarUnit::kMinute},
                                     Row{"s", CalendarUnit::kSecond}, Row{"ms", CalendarUnit::kMillisecond}};
  auto const* const at = std::ranges::find(kCodes, quantity.unit, &Row::first);
  return at == kCodes.end() ? std::nullopt : std::optional(at->second);
}

Result<std::optional<Item>> shifted_date(Operator code, Item const& date, Quantity const& by) {
  auto unit = time_unit(by);
  if (!unit) return fail(ErrorKind::kInvalid, "a unit that is not added to dates");
  Decimal amount = by.value;
  if (*unit == CalendarUnit::kSecond) {  // alone counts its decimals: N1 section 6.7.1
    unit = CalendarUnit::kMillisecond;
    auto const thousand = Decimal::multiply(amount, Decimal::from_integer(1'000));
    if (!thousand) return std::nullopt;
    amount = *thousand;
  }
  auto const whole = amount.truncated(0).to_integer();
  if (!whole) return std::nullopt;
  auto const sum =
      add(date.as_temporal(), code == Operator::kAdd ? *whole : -*whole, *unit, date.kind() == Kind::kTime);
  if (!sum) return std::nullopt;
  return Item::temporal(date.kind(), *sum);
}

bool is_temporal(Item const& item) {
  return item.kind() == Kind::kDate || item.kind() == Kind::kDateTime || item.kind() == Kind::kTime;
}

/// A number as a quantity of unit 1.
std::optional<Quantity> quantity_of(Item const& item) {
  if (item.kind() == Kind::kQuantity) return item.as_quantity();
  auto const number = number_of(item);
  return number ? std::optional(Quantity{*number, "1", false}) : std::nullopt;
}

/// The System value of an operand: also of a FHIR Quantity.
std::optional<Item> operand_of(Item const& item) {
  if (item.is_element() && !item.is_primitive()) {
    auto const quantity = item.to_quantity();
    if (!quantity) return std::nullopt;
    return Item::quantity(quantity->value, std::string(quantity->unit), quantity->is_calendar);
  }
  return item.to_system();
}

}  // namespace

Result<std::optional<Item>> arithmetic(Operator code, Item const& a, Item const& b) {
  bool const sum = code == Operator::kAdd || code == Operator::kSubtract;
  if (number_of(a) && number_of(b)) return of_numbers(code, a, b);
  if (code == Operator::kAdd && a.kind() == Kind::kString && b.kind() == Kind::kString) {
    return Item::string(std::string(a.as_string()).append(b.as_string()));
  }
  if (sum && is_temporal(a) && b.kind() == Kind::kQuantity) return shifted_date(code, a, b.as_quantity());
  auto const left = quantity_of(a);
  auto const right = quantity_of(b);
  if (!left || !right) return fail(ErrorKind::kInvalid, "operands that do not go together");
  if (sum) return sum_of_quantities(code, *left, *right);
  if (code == Operator::kMultiply || code == Operator::kDivide) return scaled_quantity(code, *left, *right);
  return fail(ErrorKind::kInvalid, "operands that do not go together");
}

Result<void> Evaluator::sign(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  TACENDA_TRY_VOID(evaluate(program_.child(node, 0), scope));
  if (stack_.size() == base) return {};
  if (stack_.size() > base + 1) return fail(ErrorKind::kInvalid, "a sign before several items");
  auto const operand = operand_of(stack_.back());
  drop(base);
  if (!operand || (!number_of(*operand) && operand->kind() != Kind::kQuantity)) {
    return fail(ErrorKind::kInvalid, "a sign before what is no number");
  }
  if (node.code == Operator::kAdd) return push(*operand);
  if (operand->kind() == Kind::kInteger) return push(Item::integer(-operand->as_integer()));
  Decimal const value = operand->as_decimal().negated();
  if (operand->kind() == Kind::kDecimal) return push(Item::decimal(value));
  auto const quantity = operand->as_quantity();
  return push(Item::quantity(value, std::string(quantity.unit), quantity.is_calendar));
}

/// Three-valued logic; the right side is not asked when the left decides. Source: N1 section 6.5.
Result<void> Evaluator::logic(SyntaxNode const& node, Scope const& scope) {
  std::size_t const base = stack_.size();
  auto const side = [&](std::size_t index) -> Result<std::optional<bool>> {
    TACENDA_TRY_VOID(evaluate(program_.child(node, index), scope));
    auto const value = TACENDA_TRY(boolean_of(base));
    drop(base);
    return value;
  };
  auto const left = TACENDA_TRY(side(0));
  bool const decided = (node.code == Operator::kAnd && left == false) ||
                       (node.code == Operator::kOr && left == true) ||
                       (node.code == Operator::kImplies && left == false);
  if (decided) return push(Item::boolean(node.code != Operator::kAnd));
  auto const right = TACENDA_TRY(side(1));
  std::optional<bool> result;
  switch (node.code) {
    case Operator::kAnd:
      result = and_of(left, right);
      break;
    case Operator::kOr:
      result = or_of(left, right);
      break;
    case Operator::kImplies:
      result = or_of(negated(left), right);
      break;
    default:
      result = left && right ? std::optional(*left != *right) : std::nullopt;
  }
  return result ? push(Item::boolean(*result)) : budget_.spend(1);
}

Result<void> Evaluator::binary(SyntaxNode const& node, Scope const& scope) {
  std::size_t const left = stack_.size();
  TACENDA_TRY_VOID(evaluate(program_.child(node, 0), scope));
  std::size_t const right = stack_.size();
  TACENDA_TRY_VOID(evaluate(program_.child(node, 1), scope));
  auto result = TACENDA_TRY(combine(node, left, right));
  drop(left);
  return result ? push(*std::move(result)) : Result<void>{};
}

Result<std::optional<bool>> Evaluator::member_of_side(std::size_t one, std::size_t one_end, std::size_t many,
                                                      std::size_t many_end) {
  if (one == one_end) return std::nullopt;
  if (one_end - one > 1) return fail(ErrorKind::kInvalid, "one item is looked for and several are there");
  for (std::size_t i = many; i < many_end; ++i) {
    if (TACENDA_TRY(comparer_.equal(stack_[one], stack_[i])) == true) return true;
  }
  return false;
}

Result<std::optional<bool>> Evaluator::compare_sides(Operator code, std::size_t left, std::size_t right) {
  if (stack_.size() - right > 1 || right - left > 1) {
    return fail(ErrorKind::kInvalid, "one item is compared and several are there");
  }
  auto const order = TACENDA_TRY(comparer_.order(stack_[left], stack_[right]));
  if (!order) return std::nullopt;
  switch (code) {
    case Operator::kLess:
      return *order < 0;
    case Operator::kLessOrEqual:
      return *order <= 0;
    case Operator::kGreater:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

Result<std::optional<Item>> Evaluator::combine(SyntaxNode const& node, std::size_t left, std::size_t right) {
  auto const a = from(left).first(right - left);
  auto const b = from(right);
  switch (node.code) {
    case Operator::kEqual:
      return boolean_item(TACENDA_TRY(comparer_.equal(a, b)));
    case Operator::kNotEqual:
      return boolean_item(negated(TACENDA_TRY(comparer_.equal(a, b))));
    case Operator::kEquivalent:
      return Item::boolean(TACENDA_TRY(comparer_.equivalent(a, b)));
    case Operator::kNotEquivalent:
      return Item::boolean(!TACENDA_TRY(comparer_.equivalent(a, b)));
    case Operator::kIn:
      return boolean_item(TACENDA_TRY(member_of_side(left, right, right, stack_.size())));
    case Operator::kContains:
      return boolean_item(TACENDA_TRY(member_of_side(right, stack_.size(), left, right)));
    default:
      break;
  }
  if (node.code == Operator::kConcatenate) {
    if (a.size() > 1 || b.size() > 1)
      return fail(ErrorKind::kInvalid, "one string is joined and several are there");
    std::string out;
    for (auto const side : {a, b}) {
      if (side.empty()) continue;
      auto const text = side.front().text();
      if (!text) return fail(ErrorKind::kInvalid, "operands that do not go together");
      TACENDA_TRY_VOID(budget_.check_text(out.size() + text->size()));
      out += *text;
    }
    return Item::string(std::move(out));
  }
  if (a.empty() || b.empty()) return std::nullopt;
  if (node.code >= Operator::kLessOrEqual && node.code <= Operator::kGreaterOrEqual) {
    return boolean_item(TACENDA_TRY(compare_sides(node.code, left, right)));
  }
  if (a.size() > 1 || b.size() > 1) return fail(ErrorKind::kInvalid, "arithmetic with several items");
  auto const x = operand_of(a.front());
  auto const y = operand_of(b.front());
  if (!x || !y) return fail(ErrorKind::kInvalid, "operands that do not go together");
  auto result = TACENDA_TRY(arithmetic(node.code, *x, *y));
  if (result && result->kind() == Kind::kString)
    TACENDA_TRY_VOID(budget_.check_text(result->as_string().size()));
  return result;
}

}  // namespace tacenda::fhirpath

#include "fhirpath/internal/compare.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "fhirpath/internal/program.hpp"
#include "fhirpath/internal/text.hpp"
#include "fhirpath/internal/types.hpp"

namespace tacenda::fhirpath {
namespace {

using codec::Json;
using Kind = Item::Kind;

bool is_number(Item const& item) {
  return item.kind() == Kind::kInteger || item.kind() == Kind::kDecimal;
}

bool is_date_or_date_time(Item const& item) {
  return item.kind() == Kind::kDate || item.kind() == Kind::kDateTime;
}

/// A duration in days and below has a length; months and years have not, but 12 of the one are the other.
struct UnitRow {
  std::string_view code;
  std::string_view word;
  bool definite;  // the code and the word mean the same
  std::int64_t factor;
};
constexpr std::int64_t kMillisecondsPerDay = 86'400'000;
constexpr std::array kDurations{
    UnitRow{"ms", "millisecond", true, 1},
    UnitRow{"s", "second", true, 1'000},
    UnitRow{"min", "minute", true, 60'000},
    UnitRow{"h", "hour", true, 3'600'000},
    UnitRow{"d", "day", true, kMillisecondsPerDay},
    UnitRow{"wk", "week", true, 7 * kMillisecondsPerDay},
    UnitRow{"", "month", false, 1},
    UnitRow{"", "year", false, 12},
};

UnitRow const* find_duration(Quantity const& quantity) {
  std::string_view unit = quantity.unit;
  if (quantity.is_calendar && unit.ends_with('s')) unit.remove_suffix(1);
  for (auto const& row : kDurations) {
    if (quantity.is_calendar ? row.word == unit : (row.definite && row.code == unit)) return &row;
  }
  return nullptr;
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x9E3779B97F4A7C15U;
}

std::uint64_t hash_text(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

bool equal_decimals_to_least(Decimal const& a, Decimal const& b) {
  // N1 section 6.1.2: rounded to the precision of the least precise, zeros at the end not counted.
  Decimal const left = a.normalized();
  Decimal const right = b.normalized();
  int const scale = std::min(left.scale(), right.scale());
  return Decimal::compare(left.rounded(scale), right.rounded(scale)) == 0;
}

/// 4 'g' ~ 4040 'mg': the other quantity is brought into the unit of `own`, whose digits are the precision.
/// `common` is both in one unit, `own` first.
bool equivalent_in_unit_of(Decimal const& own, std::pair<Decimal, Decimal> const& common) {
  auto const ratio = Decimal::divide(common.first, own);
  auto const other = ratio ? Decimal::divide(common.second, *ratio) : std::nullopt;
  return other ? equal_decimals_to_least(own, *other) : Decimal::compare(common.first, common.second) == 0;
}

}  // namespace

std::optional<Decimal> number_of(Item const& system_value) {
  if (system_value.kind() == Kind::kInteger) return Decimal::from_integer(system_value.as_integer());
  if (system_value.kind() == Kind::kDecimal) return system_value.as_decimal();
  return std::nullopt;
}

std::optional<std::pair<Decimal, Decimal>> Comparer::in_one_unit(Quantity const& a, Quantity const& b) {
  if (a.unit == b.unit && a.is_calendar == b.is_calendar) return std::pair(a.value, b.value);
  auto const* left = find_duration(a);
  auto const* right = find_duration(b);
  if (left != nullptr && right != nullptr) {
    if (left->definite != right->definite) return std::nullopt;
    auto const x = Decimal::multiply(a.value, Decimal::from_integer(left->factor));
    auto const y = Decimal::multiply(b.value, Decimal::from_integer(right->factor));
    return x && y ? std::optional(std::pair(*x, *y)) : std::nullopt;
  }
  if (units_ == nullptr) return std::nullopt;
  // The word of a definite duration stands for its code; months and years have none that is the same.
  if ((a.is_calendar && (left == nullptr || !left->definite)) ||
      (b.is_calendar && (right == nullptr || !right->definite))) {
    return std::nullopt;
  }
  auto const x = units_->canonical(a.value, a.is_calendar ? left->code : a.unit);
  auto const y = units_->canonical(b.value, b.is_calendar ? right->code : b.unit);
  if (!x || !y || x->unit != y->unit) return std::nullopt;
  return std::pair(x->value, y->value);
}

std::optional<bool> Comparer::equal_quantities(Quantity const& a, Quantity const& b) {
  auto const values = in_one_unit(a, b);
  if (!values) return std::nullopt;
  return Decimal::compare(values->first, values->second) == 0;
}

Result<bool> Comparer::same_texts(Json const& a, Json const& b, bool equivalence) {
  if (a.is_number()) {
    auto const left = Decimal::parse(a.number_text());
    auto const right = Decimal::parse(b.number_text());
    if (!left || !right) return a.number_text() == b.number_text();
    return equivalence ? equal_decimals_to_least(*left, *right) : Decimal::compare(*left, *right) == 0;
  }
  if (!a.is_string()) return a == b;
  TACENDA_TRY_VOID(budget_.spend_text(a.as_string().size()));
  if (!equivalence || a.as_string() == b.as_string()) return a.as_string() == b.as_string();
  TACENDA_TRY_VOID(budget_.spend_text(b.as_string().size()));
  return folded(a.as_string()) == folded(b.as_string());
}

Result<bool> Comparer::same_items(Json const& a, Json const& b, bool equivalence) {
  auto const& left = a.items();
  auto const& right = b.items();
  if (left.size() != right.size()) return false;
  if (!equivalence) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!TACENDA_TRY(same_json(left[i], right[i], false))) return false;
    }
    return true;
  }
  std::vector<bool> used(right.size());
  for (auto const& item : left) {
    std::size_t at = 0;
    while (at < right.size() && (used[at] || !TACENDA_TRY(same_json(item, right[at], true)))) ++at;
    if (at == right.size()) return false;
    used[at] = true;
  }
  return true;
}

Result<bool> Comparer::same_members(Json const& a, Json const& b, bool equivalence) {
  if (a.members().size() != b.members().size()) return false;
  for (std::size_t i = 0; i < a.members().size(); ++i) {
    auto const& left = a.members()[i];
    auto const& beside = b.members()[i];
    // Two of one type mostly have their members in the same order.
    Json const* right = beside.name == left.name ? &beside.value : b.find(left.name);
    if (right == nullptr) return false;
    if (right != &beside.value) TACENDA_TRY_VOID(budget_.spend(b.members().size()));
    if (!TACENDA_TRY(same_json(left.value, *right, equivalence))) return false;
  }
  return true;
}

Result<bool> Comparer::same_json(Json const& a, Json const& b, bool equivalence) {
  if (&a == &b) return true;
  TACENDA_TRY_VOID(budget_.spend(1));
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) return same_items(a, b, equivalence);
  if (a.is_object()) return same_members(a, b, equivalence);
  return same_texts(a, b, equivalence);
}

Result<std::optional<bool>> Comparer::equal(Item const& a, Item const& b) {
  TACENDA_TRY_VOID(budget_.spend(1));
  if (a.is_element() && b.is_element()) {
    if (a.value() == b.value() && a.value() != nullptr) return true;
    if (!a.is_primitive() && !b.is_primitive()) {
      if (a.value() == nullptr || b.value() == nullptr) return false;
      if (TACENDA_TRY(same_json(*a.value(), *b.value(), false))) return true;
      if (!is_quantity(a.type()) || !is_quantity(b.type())) return false;
    }
  }
  auto const left = a.to_quantity();
  auto const right = b.to_quantity();
  if (left && right) return equal_quantities(*left, *right);
  auto const x = a.to_system();
  auto const y = b.to_system();
  if (!x && !y) return a.shadow() != nullptr && a.shadow() == b.shadow();
  if (!x || !y) return false;
  return equal_values(*x, *y);
}

Result<std::optional<bool>> Comparer::equal_values(Item const& a, Item const& b) {
  if (is_number(a) && is_number(b)) return Decimal::compare(*number_of(a), *number_of(b)) == 0;
  if (is_date_or_date_time(a) && is_date_or_date_time(b)) {
    auto const order = compare(a.as_temporal(), b.as_temporal());
    return order ? std::optional(*order == 0) : std::nullopt;
  }
  if (a.kind() != b.kind()) {
    // Implicit conversion of a number to a quantity of unit 1 (N1 section 5.5).
    auto const x = a.to_quantity();
    auto const y = b.to_quantity();
    if (x && is_number(b)) return equal_quantities(*x, {*number_of(b), "1", false});
    if (y && is_number(a)) return equal_quantities({*number_of(a), "1", false}, *y);
    return false;
  }
  switch (a.kind()) {
    case Kind::kBoolean:
      return a.as_boolean() == b.as_boolean();
    case Kind::kString:
      TACENDA_TRY_VOID(budget_.spend_text(std::min(a.as_string().size(), b.as_string().size())));
      return a.as_string() == b.as_string();
    case Kind::kTime: {
      auto const order = compare(a.as_temporal(), b.as_temporal());
      return order ? std::optional(*order == 0) : std::nullopt;
    }
    case Kind::kTypeInfo:
      return a.as_type_info() == b.as_type_info();
    default:
      return false;
  }
}

Result<bool> Comparer::equivalent(Item const& a, Item const& b) {
  TACENDA_TRY_VOID(budget_.spend(1));
  auto const left = a.to_quantity();
  auto const right = b.to_quantity();
  if (left && right) {
    auto const values = in_one_unit(*left, *right);
    if (!values) return false;
    if (left->unit == right->unit) return equal_decimals_to_least(left->value, right->value);
    return equivalent_in_unit_of(left->value, *values) ||
           equivalent_in_unit_of(right->value, {values->second, values->first});
  }
  if (a.is_element() && b.is_element() && !a.is_primitive() && !b.is_primitive()) {
    if (a.value() == nullptr || b.value() == nullptr) return false;
    return same_json(*a.value(), *b.value(), true);
  }
  auto const x = a.to_system();
  auto const y = b.to_system();
  if (!x || !y) return false;
  return equivalent_values(*x, *y);
}

Result<bool> Comparer::equivalent_values(Item const& a, Item const& b) {
  if (is_number(a) && is_number(b)) return equal_decimals_to_least(*number_of(a), *number_of(b));
  if (a.kind() == Kind::kString && b.kind() == Kind::kString) {
    if (a.as_string() == b.as_string()) return true;
    TACENDA_TRY_VOID(budget_.spend_text(a.as_string().size() + b.as_string().size()));
    return folded(a.as_string()) == folded(b.as_string());
  }
  auto const same = TACENDA_TRY(equal_values(a, b));
  return same.value_or(false);
}

Result<std::optional<int>> Comparer::order(Item const& a, Item const& b) {
  TACENDA_TRY_VOID(budget_.spend(1));
  auto left = a.to_quantity();
  auto right = b.to_quantity();
  auto const x = a.to_system();
  auto const y = b.to_system();
  if (left && y && is_number(*y)) right = Quantity{*number_of(*y), "1", false};
  if (right && x && is_number(*x)) left = Quantity{*number_of(*x), "1", false};
  if (left && right) {
    auto const values = in_one_unit(*left, *right);
    return values ? std::optional(Decimal::compare(values->first, values->second)) : std::nullopt;
  }
  if (!x || !y) {
    bool const complex = (a.is_element() && !a.is_primitive()) || (b.is_element() && !b.is_primitive());
    bool const quantities = is_quantity(a.type()) || is_quantity(b.type());
    if (complex && !quantities) return fail(ErrorKind::kInvalid, "operands that have no order");
    return std::nullopt;
  }
  if (is_number(*x) && is_number(*y)) return Decimal::compare(*number_of(*x), *number_of(*y));
  if ((is_date_or_date_time(*x) && is_date_or_date_time(*y)) ||
      (x->kind() == Kind::kTime && y->kind() == Kind::kTime)) {
    return compare(x->as_temporal(), y->as_temporal());
  }
  if (x->kind() != Kind::kString || y->kind() != Kind::kString) {
    return fail(ErrorKind::kInvalid, "operands that have no order");
  }
  TACENDA_TRY_VOID(budget_.spend_text(std::min(x->as_string().size(), y->as_string().size())));
  int const result = x->as_string().compare(y->as_string());
  return result == 0 ? 0 : (result < 0 ? -1 : 1);
}

Result<std::uint64_t> Comparer::hash_json(Json const& value, int depth) {
  TACENDA_TRY_VOID(budget_.spend(1));
  if (value.is_string()) {
    TACENDA_TRY_VOID(budget_.spend_text(value.as_string().size()));
    return hash_text(value.as_string());
  }
  if (depth > 3 || value.is_number()) return 1;  // 1.0 equals 1.00
  std::uint64_t hash = 2;
  for (auto const& item : value.items()) hash = mixed(hash, TACENDA_TRY(hash_json(item, depth + 1)));
  for (auto const& member : value.members()) {  // in any order
    hash += mixed(hash_text(member.name), TACENDA_TRY(hash_json(member.value, depth + 1)));
  }
  return hash;
}

Result<std::uint64_t> Comparer::hash(Item const& item) {
  if (item.to_quantity()) return 3;
  auto const system = item.to_system();
  if (!system) return item.value() == nullptr ? 4 : TACENDA_TRY(hash_json(*item.value(), 0));
  switch (system->kind()) {
    case Kind::kBoolean:
      return system->as_boolean() ? 5 : 6;
    case Kind::kString:
      TACENDA_TRY_VOID(budget_.spend_text(system->as_string().size()));
      return hash_text(system->as_string());
    case Kind::kInteger:
    case Kind::kDecimal: {
      Decimal const number = number_of(*system)->normalized();
      auto const low = static_cast<std::uint64_t>(number.coefficient());
      // A number equals the quantity of unit 1, which hashes as every quantity: but a set of both is rare,
      // and they only count as two.
      return mixed(low, static_cast<std::uint64_t>(number.scale()));
    }
    default:
      return 7;
  }
}

Result<std::optional<bool>> Comparer::equal(std::span<Item const> a, std::span<Item const> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  if (a.size() != b.size()) return false;
  bool open = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto const same = TACENDA_TRY(equal(a[i], b[i]));
    if (same == false) return false;
    open = open || !same;
  }
  return open ? std::nullopt : std::optional(true);
}

Result<bool> Comparer::equivalent(std::span<Item const> a, std::span<Item const> b) {
  if (a.size() != b.size()) return false;
  std::vector<bool> used(b.size());
  for (auto const& item : a) {
    std::size_t at = 0;
    while (at < b.size() && (used[at] || !TACENDA_TRY(equivalent(item, b[at])))) ++at;
    if (at == b.size()) return false;
    used[at] = true;
  }
  return true;
}

}  // namespace tacenda::fhirpath

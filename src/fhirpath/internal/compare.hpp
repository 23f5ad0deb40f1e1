#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/error.hpp"
#include "fhirpath/context.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

/// What an evaluation may still cost.
class Budget {
 public:
  explicit Budget(EvaluationLimits const& limits) : limits_(limits), steps_(limits.steps) {}
  Result<void> spend(std::size_t steps) {
    steps_ -= static_cast<std::int64_t>(steps);
    if (steps_ < 0) [[unlikely]]
      return fail(ErrorKind::kTooLarge, "the expression costs too much");
    return {};
  }
  Result<void> spend_text(std::size_t bytes) { return spend(1 + bytes / 16); }
  Result<void> check_text(std::size_t bytes) {
    if (bytes > limits_.string_bytes) return fail(ErrorKind::kTooLarge, "a string grows too long");
    return spend_text(bytes);
  }
  /// While a string grows piece by piece; check_text comes at the end.
  Result<void> check_growth(std::size_t bytes) {
    if (bytes > limits_.string_bytes) return fail(ErrorKind::kTooLarge, "a string grows too long");
    return spend(1);
  }
  std::int64_t spent() const { return limits_.steps - steps_; }
  std::size_t items_max() const { return limits_.items; }

 private:
  EvaluationLimits limits_;
  std::int64_t steps_;
};

/// Equality, equivalence and order of items. Source: FHIRPath N1 sections 6.1, 6.2.
class Comparer {
 public:
  Comparer(Context const& context, Budget& budget) : units_(context.units), budget_(budget) {}

  /// a = b; nullopt is the empty collection (precisions that leave it open, units that do not compare).
  Result<std::optional<bool>> equal(Item const& a, Item const& b);
  /// a ~ b.
  Result<bool> equivalent(Item const& a, Item const& b);
  /// -1, 0, 1, or nullopt as above. Errors: kInvalid for types that have no order together.
  Result<std::optional<int>> order(Item const& a, Item const& b);
  /// Equal items have the same.
  Result<std::uint64_t> hash(Item const& item);

  Result<std::optional<bool>> equal(std::span<Item const> a, std::span<Item const> b);
  Result<bool> equivalent(std::span<Item const> a, std::span<Item const> b);

  /// Both in one unit; nullopt when they have none in common.
  std::optional<std::pair<Decimal, Decimal>> in_one_unit(Quantity const& a, Quantity const& b);

 private:
  Result<bool> same_json(codec::Json const& a, codec::Json const& b, bool equivalence);
  Result<bool> same_texts(codec::Json const& a, codec::Json const& b, bool equivalence);
  Result<bool> same_items(codec::Json const& a, codec::Json const& b, bool equivalence);
  Result<bool> same_members(codec::Json const& a, codec::Json const& b, bool equivalence);
  Result<std::optional<bool>> equal_values(Item const& a, Item const& b);
  std::optional<bool> equal_quantities(Quantity const& a, Quantity const& b);
  Result<bool> equivalent_values(Item const& a, Item const& b);
  Result<std::uint64_t> hash_json(codec::Json const& value, int depth);

  Units const* units_;  // the context's
  Budget& budget_;      // the evaluator's
};

/// Of Integer and Decimal.
std::optional<Decimal> number_of(Item const& system_value);

}  // namespace tacenda::fhirpath

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::codec {

inline constexpr std::size_t kDecimalTextDigits = 500;     // significant digits that a text may have
inline constexpr std::int32_t kDecimalTextPower = 10'000;  // 1e-10000 <= |value| < 1e10000 in a text
inline constexpr std::size_t kDecimalDigits = 2'000;       // of a result of arithmetic
inline constexpr std::int32_t kDecimalPower = 30'000;
inline constexpr std::size_t kQuotientDigits = 60;  // of a quotient that no decimal states exactly

/// An exact decimal number: sign, digits and the power of ten of the last digit. "1.0" and "1.00" are equal
/// in value but keep their own precision. No operation rounds unless its comment says so.
/// Value semantics; owner: one thread.
class Decimal {
 public:
  Decimal() = default;  // 0
  explicit Decimal(std::int64_t value);

  /// Reads a number of RFC 8259 section 6, which has the form of a FHIR decimal and integer.
  /// Errors: kInvalid (grammar), kTooLarge (digits, power of ten).
  static Result<Decimal> parse(std::string_view text);
  /// ±`digits` * 10^`exponent`; `digits` are '0' to '9' only (the caller's promise). Errors: kTooLarge.
  enum class Sign : std::uint8_t { kPositive, kNegative };
  static Result<Decimal> make(Sign sign, std::string_view digits, std::int64_t exponent);

  bool is_negative() const { return negative_; }  // never of zero
  bool is_zero() const { return digits_ == "0"; }
  std::string_view digits() const { return digits_; }  // without leading zeros; "0" for zero
  std::int32_t exponent() const { return exponent_; }  // of the last digit: -2 for "1.00", 2 for "1e2"

  /// Text with the same value and the same precision; parse reads it. With an exponent only where there is
  /// no other way to state the precision ("1e2") or zeros would fill the page ("1e-10").
  std::string text() const;
  /// The same value with zeros at the end removed, but for those that a whole number needs: 1.50 -> 1.5,
  /// 1e2 -> 100. The same for all decimals that are equal. Errors: none; beyond 10^30 an exponent stays.
  Decimal shortest() const;

  Decimal negated() const;
  /// With the finer precision of the two; adding zero changes nothing. Errors: kTooLarge.
  Result<Decimal> plus(Decimal const& other) const;
  Result<Decimal> minus(Decimal const& other) const;  // as plus
  Result<Decimal> times(Decimal const& other) const;  // Errors: kTooLarge
  /// The exact quotient where a decimal states it, else rounded half to even to kQuotientDigits digits.
  /// Errors: kInvalid (division by zero), kTooLarge.
  Result<Decimal> divided_by(Decimal const& divisor) const;

  /// Bytes whose order (memcmp) is the order of the values; equal values have equal bytes. No encoding is
  /// the beginning of another, so that other parts of a key may follow. At most 4 bytes and one for each two
  /// significant digits. Layout, version 1: see decimal.cpp.
  std::string ordered_bytes() const;

  /// By value: 1.0 == 1.00.
  friend std::strong_ordering operator<=>(Decimal const& a, Decimal const& b);
  friend bool operator==(Decimal const& a, Decimal const& b) { return (a <=> b) == 0; }

 private:
  std::int64_t power() const;  // of the first digit

  bool negative_ = false;
  std::int32_t exponent_ = 0;
  std::string digits_ = "0";
};

/// The values v with low <= v < high.
struct DecimalRange {
  Decimal low;
  Decimal high;
};

/// What the precision of a number implies: 100 -> [99.5, 100.5), 100.00 -> [99.995, 100.005), half a unit of
/// the last digit to each side. The examples of the standard with an exponent fit no rule (1e2 is said to be
/// [95, 105), and 5.40e-3 to be ±0.00005); half a unit is used for these too: 1e2 -> [50, 150).
/// Errors: kTooLarge (never for what parse has read). Source: FHIR R4 search.html#number.
Result<DecimalRange> implicit_range(Decimal const& value);

/// What `ap` accepts: a tenth of the value to each side, and at least implicit_range.
/// Errors: kTooLarge (never for what parse has read). Source: FHIR R4 search.html#prefix ("the recommended
/// value for the approximation is 10%").
Result<DecimalRange> approximate_range(Decimal const& value);

}  // namespace tacenda::codec

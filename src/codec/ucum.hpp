#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "codec/decimal.hpp"
#include "codec/internal/fraction.hpp"
#include "core/error.hpp"

/// The Unified Code for Units of Measure, case sensitive (https://ucum.org/ucum). All arithmetic is exact; a
/// result that no decimal states (1/3) is rounded once, so equal quantities have equal results however they
/// are written.
namespace tacenda::codec {

inline constexpr std::size_t kUnitBytes = 256;         // of a unit's code
inline constexpr std::size_t kUnitFactorDigits = 512;  // above and below the line of a unit's factor
inline constexpr int kUnitExponent = 999;              // of a symbol, and of a base unit in the whole

/// What a code of UCUM means. Value semantics; owner: one thread.
///
/// Arbitrary units ([iU]) are dimensions of their own: comparable to themselves alone. So are the special
/// units on a logarithm, tangent or root ([pH], B[SPL], %[slope]): between them and their corresponding
/// proper unit nothing is converted. Cel, [degF] and [degRe] are converted, with a prefix or a number too.
class Unit {
 public:
  /// Base units in the order of their character codes: "g.m-1.s-2"; "1" for none. Two units are comparable
  /// when this is the same.
  std::string const& canonical_code() const { return canonical_code_; }

  /// A value in base units is value * factor + offset; the factor is above zero.
  internal::Fraction const& factor() const { return factor_; }
  internal::Fraction const& offset() const { return offset_; }

 private:
  friend class UnitReader;

  std::string canonical_code_;
  internal::Fraction factor_;
  internal::Fraction offset_;
};

/// A quantity in base units.
struct CanonicalQuantity {
  std::string unit;  // Unit::canonical_code
  Decimal value;     // Decimal::shortest: precision is no longer known
};

struct CanonicalRange {
  std::string unit;
  DecimalRange range;
};

/// Reads a unit expression. Annotations are ignored, `/` and `.` go from left to right.
/// Errors: kInvalid (grammar, unknown symbol, special unit in a product or power), kTooLarge (length,
/// exponents, factor). Source: UCUM section 2.2 with exhibit 1, section 3.1 for special units.
Result<Unit> parse_unit(std::string_view code);

/// Errors: kTooLarge.
Result<CanonicalQuantity> canonical(Decimal const& value, Unit const& unit);
/// The range of a value with its precision, which must be taken before the unit is changed: 5.4 mg is
/// [5.35, 5.45) mg is [0.00535, 0.00545) g. Errors: kTooLarge.
Result<CanonicalRange> canonical(DecimalRange const& range, Unit const& unit);
/// The same from texts; nullopt when there is no canonical form, for whatever reason.
std::optional<CanonicalQuantity> canonical(std::string_view decimal_text, std::string_view unit_code);

/// Tells whether quantities of the two units can be compared and converted.
bool comparable(Unit const& a, Unit const& b);

/// `value` in the unit `to`. Errors: kInvalid (not comparable), kTooLarge.
Result<Decimal> convert(Decimal const& value, Unit const& from, Unit const& to);

/// Compares two quantities exactly, without rounding. Errors: kInvalid (not comparable), kTooLarge.
Result<std::strong_ordering> compare(Decimal const& a, Unit const& a_unit, Decimal const& b,
                                     Unit const& b_unit);

}  // namespace tacenda::codec

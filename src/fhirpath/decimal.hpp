#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tacenda::fhirpath {

__extension__ typedef __int128 Int128;  // NOLINT(modernize-use-using): __extension__ needs a declaration

/// An exact decimal that keeps the digits it was written with: 1.50 has scale 2. At most 36 digits and 36
/// places; what goes beyond is no Decimal (nullopt), which FHIRPath answers with the empty collection.
/// There is no negative zero.
///
/// Source: FHIRPath N1 section 4.1.4 (at least 28 digits, 8 places).
class Decimal {
 public:
  static constexpr int kDigitsMax = 36;

  Decimal() = default;
  static Decimal from_integer(std::int64_t value) { return Decimal(value, 0); }
  /// A number of JSON or of FHIRPath, with or without sign and exponent.
  static std::optional<Decimal> parse(std::string_view text);
  /// Rounded to 15 significant digits; nullopt: not finite or out of range.
  static std::optional<Decimal> from_double(double value);

  int scale() const { return scale_; }  // digits behind the point
  Int128 coefficient() const { return coefficient_; }
  bool is_zero() const { return coefficient_ == 0; }
  bool is_negative() const { return coefficient_ < 0; }
  bool is_whole() const { return normalized().scale_ == 0; }
  int digits() const;  // of the coefficient; 1 for zero
  std::string to_text() const;
  double to_double() const;
  /// nullopt: not whole, or beyond 64 bits.
  std::optional<std::int64_t> to_integer() const;

  Decimal negated() const { return Decimal(-coefficient_, scale_); }
  Decimal normalized() const;          // without zeros at the end
  Decimal rounded(int scale) const;    // half away from zero; a scale that is larger already stays
  Decimal truncated(int scale) const;  // toward zero
  Decimal floor() const;               // whole
  Decimal ceiling() const;             // whole
  std::optional<Decimal> with_scale(int scale) const;  // zeros appended; for scale >= scale()

  static std::optional<Decimal> add(Decimal const& a, Decimal const& b);
  static std::optional<Decimal> multiply(Decimal const& a, Decimal const& b);
  /// To 16 places, or to 8 where 16 do not fit; nullopt also for a zero divisor.
  static std::optional<Decimal> divide(Decimal const& a, Decimal const& b);
  /// The whole part of a / b, and what is left of a.
  static std::optional<Decimal> divide_whole(Decimal const& a, Decimal const& b);
  static std::optional<Decimal> modulo(Decimal const& a, Decimal const& b);
  /// -1, 0 or 1; digits at the end do not matter.
  static int compare(Decimal const& a, Decimal const& b);

  /// For Item, which stores the parts: the parts of a Decimal (the caller's promise).
  static Decimal of_parts(Int128 coefficient, int scale) { return Decimal(coefficient, scale); }

 private:
  Decimal(Int128 coefficient, int scale) : coefficient_(coefficient), scale_(scale) {}
  static std::optional<Decimal> bounded(Int128 coefficient, int scale);

  Int128 coefficient_ = 0;
  int scale_ = 0;  // 0 to 36
};

}  // namespace tacenda::fhirpath

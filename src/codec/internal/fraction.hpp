#pragma once

#include <compare>
#include <cstdint>

#include "codec/decimal.hpp"
#include "codec/internal/natural.hpp"

namespace tacenda::codec::internal {

/// An exact fraction: ±numerator / denominator * 10^exponent, the denominator not zero. Not reduced: what
/// bounds its size is the caller and, in sums, kFractionShift.
struct Fraction {
  bool negative = false;
  Natural numerator;
  Natural denominator = Natural(1);
  std::int64_t exponent = 0;

  static Fraction of(Decimal const& value);
  Fraction times(Fraction const& other) const;
  Fraction divided_by(Fraction const& other) const;    // `other` is not zero (asserted)
  Result<Fraction> plus(Fraction const& other) const;  // Errors: kTooLarge
  Fraction negated() const;
  Result<Decimal> decimal() const;  // see quotient
};

/// By value. Errors: kTooLarge when the two are too far apart to be written on one scale.
Result<std::strong_ordering> compare(Fraction const& a, Fraction const& b);

}  // namespace tacenda::codec::internal

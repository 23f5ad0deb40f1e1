#include "codec/internal/fraction.hpp"

#include <algorithm>

#include "codec/internal/quotient.hpp"
#include "core/process.hpp"

namespace tacenda::codec::internal {
namespace {

constexpr std::int64_t kFractionShift = 70'000;  // zeros to bring two fractions on one power of ten

/// `number` * 10^`power` for a power that is not negative.
Result<Natural> shifted(Natural const& number, std::int64_t power) {
  if (power > kFractionShift) return fail(ErrorKind::kTooLarge, "numbers are too far apart");
  return number.times_power_of_ten(static_cast<std::size_t>(power));
}

}  // namespace

Fraction Fraction::of(Decimal const& value) {
  return {value.is_negative(), Natural::from_digits(value.digits()), Natural(1), value.exponent()};
}

Fraction Fraction::times(Fraction const& other) const {
  return {negative != other.negative, numerator.times(other.numerator), denominator.times(other.denominator),
          exponent + other.exponent};
}

Fraction Fraction::divided_by(Fraction const& other) const {
  TACENDA_ASSERT(!other.numerator.is_zero());
  return {negative != other.negative, numerator.times(other.denominator), denominator.times(other.numerator),
          exponent - other.exponent};
}

Fraction Fraction::negated() const {
  return {!negative, numerator, denominator, exponent};
}

Result<Fraction> Fraction::plus(Fraction const& other) const {
  if (numerator.is_zero()) return other;
  if (other.numerator.is_zero()) return *this;
  std::int64_t const lower = std::min(exponent, other.exponent);
  Natural const mine = TACENDA_TRY(shifted(numerator.times(other.denominator), exponent - lower));
  Natural const theirs = TACENDA_TRY(shifted(other.numerator.times(denominator), other.exponent - lower));
  Natural const below = denominator.times(other.denominator);
  if (negative == other.negative) return Fraction{negative, mine.plus(theirs), below, lower};
  if (mine >= theirs) return Fraction{negative, mine.minus(theirs), below, lower};
  return Fraction{other.negative, theirs.minus(mine), below, lower};
}

Result<Decimal> Fraction::decimal() const {
  return quotient(negative ? Decimal::Sign::kNegative : Decimal::Sign::kPositive, numerator, denominator,
                  exponent);
}

Result<std::strong_ordering> compare(Fraction const& a, Fraction const& b) {
  auto const sign = [](Fraction const& value) {
    return value.numerator.is_zero() ? 0 : value.negative ? -1 : 1;
  };
  if (sign(a) != sign(b) || sign(a) == 0) return sign(a) <=> sign(b);
  std::int64_t const lower = std::min(a.exponent, b.exponent);
  Natural const left = TACENDA_TRY(shifted(a.numerator.times(b.denominator), a.exponent - lower));
  Natural const right = TACENDA_TRY(shifted(b.numerator.times(a.denominator), b.exponent - lower));
  return a.negative ? right <=> left : left <=> right;
}

}  // namespace tacenda::codec::internal

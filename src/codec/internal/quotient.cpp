#include "codec/internal/quotient.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace tacenda::codec::internal {
namespace {

constexpr std::size_t kFractionDigits = 2 * kDecimalDigits;  // of numerator and denominator each

/// Divides by `factor` as often as that leaves no remainder; tells how often.
std::size_t strip(Natural& number, std::uint32_t factor) {
  Natural const by(factor);
  std::size_t times = 0;
  for (;; ++times) {
    auto [rest, remainder] = number.divided_by(by);
    if (!remainder.is_zero()) return times;
    number = std::move(rest);
  }
}

Natural power_of(std::uint32_t base, std::size_t power) {
  Natural result(1);
  Natural const by(base);
  for (; power != 0; --power) result = result.times(by);
  return result;
}

/// The first kQuotientDigits digits of the quotient, half to even, and the power of ten of the last.
std::pair<Natural, std::int64_t> rounded(Natural const& numerator, Natural const& denominator) {
  auto shift = static_cast<std::int64_t>(kQuotientDigits) +
               static_cast<std::int64_t>(denominator.digits().size()) -
               static_cast<std::int64_t>(numerator.digits().size());
  for (;; --shift) {
    // One digit too many at the first try or none: the lengths give the quotient's length but for one.
    auto const [top, bottom] =
        shift >= 0 ? std::pair(numerator.times_power_of_ten(static_cast<std::size_t>(shift)), denominator)
                   : std::pair(numerator, denominator.times_power_of_ten(static_cast<std::size_t>(-shift)));
    auto [digits, remainder] = top.divided_by(bottom);
    if (digits.digits().size() > kQuotientDigits) continue;
    auto const half = remainder.plus(remainder) <=> bottom;
    if (half > 0 || (half == 0 && digits.is_odd())) digits = digits.plus(Natural(1));
    return {std::move(digits), -shift};
  }
}

}  // namespace

Result<Decimal> quotient(Decimal::Sign sign, Natural const& numerator, Natural denominator,
                         std::int64_t exponent) {
  if (numerator.digits().size() > kFractionDigits || denominator.digits().size() > kFractionDigits) {
    return fail(ErrorKind::kTooLarge, "number has too many digits");
  }
  // With tens and fives and twos out of the denominator, what is left divides or no decimal is exact.
  auto const twos = strip(denominator, 2);
  auto const fives = strip(denominator, 5);
  auto const scaled =
      twos > fives ? numerator.times(power_of(5, twos - fives)) : numerator.times(power_of(2, fives - twos));
  exponent -= static_cast<std::int64_t>(std::max(twos, fives));
  auto const [whole, remainder] = scaled.divided_by(denominator);
  if (remainder.is_zero()) {
    std::string digits = whole.digits();  // the cancelled twos and fives stand as zeros at its end
    auto const length = whole.is_zero() ? 1 : digits.find_last_not_of('0') + 1;
    exponent += static_cast<std::int64_t>(digits.size() - length);
    digits.resize(length);
    return TACENDA_TRY(Decimal::make(sign, digits, whole.is_zero() ? 0 : exponent)).shortest();
  }
  auto const [digits, power] = rounded(scaled, denominator);
  return TACENDA_TRY(Decimal::make(sign, digits.digits(), exponent + power)).shortest();
}

}  // namespace tacenda::codec::internal

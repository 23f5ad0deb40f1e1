#include "fhirpath/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace tacenda::fhirpath {
namespace {

constexpr Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

constexpr Int128 kBound = power_of_ten(Decimal::kDigitsMax);

std::optional<Int128> product(Int128 a, Int128 b) {
  Int128 result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// nullopt: the shifted value does not fit, so it is larger than every coefficient.
std::optional<Int128> shifted(Int128 value, int places) {
  if (value == 0) return Int128{0};
  if (places > Decimal::kDigitsMax) return std::nullopt;
  return product(value, power_of_ten(places));
}

/// value / divisor, half away from zero; the divisor is positive.
Int128 divided_half_up(Int128 value, Int128 divisor) {
  Int128 const quotient = value / divisor;
  Int128 const rest = value % divisor;
  Int128 const distance = rest < 0 ? -rest : rest;
  if (distance < divisor - distance) return quotient;
  return value < 0 ? quotient - 1 : quotient + 1;
}

/// Digits of a mantissa and where its point stands.
struct Mantissa {
  Int128 coefficient = 0;
  int scale = 0;
  std::size_t end = 0;
  bool fits = true;
};

std::optional<Mantissa> read_mantissa(std::string_view text) {
  Mantissa out;
  bool point = false;
  bool digit_last = false;
  for (; out.end < text.size(); ++out.end) {
    char const c = text[out.end];
    if (c == '.' && !point && digit_last) {
      point = true;
      digit_last = false;
      continue;
    }
    if (c < '0' || c > '9') break;
    digit_last = true;
    out.fits = out.fits && out.coefficient < kBound / 10;
    if (out.fits) out.coefficient = out.coefficient * 10 + (c - '0');
    out.scale += point ? 1 : 0;
  }
  if (!digit_last) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Decimal> Decimal::bounded(Int128 coefficient, int scale) {
  while (scale > kDigitsMax && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
  }
  if (coefficient >= kBound || coefficient <= -kBound || scale > kDigitsMax) return std::nullopt;
  return Decimal(coefficient, scale);
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  bool const negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  auto const mantissa = read_mantissa(text);
  if (!mantissa || !mantissa->fits) return std::nullopt;
  text.remove_prefix(mantissa->end);
  int exponent = 0;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc{} || end != text.data() + text.size() || std::abs(exponent) > 1'000) {
      return std::nullopt;
    }
  } else if (!text.empty()) {
    return std::nullopt;
  }
  Int128 const coefficient = negative ? -mantissa->coefficient : mantissa->coefficient;
  int const scale = mantissa->scale - exponent;
  if (scale >= 0) return bounded(coefficient, coefficient == 0 ? std::min(scale, kDigitsMax) : scale);
  auto const whole = shifted(coefficient, -scale);
  return whole ? bounded(*whole, 0) : std::nullopt;
}

std::optional<Decimal> Decimal::from_double(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  std::array<char, 64> text{};
  auto const [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 14);
  if (error != std::errc{}) return std::nullopt;
  auto parsed = parse({text.data(), static_cast<std::size_t>(end - text.data())});
  return parsed ? std::optional(parsed->normalized()) : std::nullopt;
}

int Decimal::digits() const {
  int count = 1;
  for (Int128 rest = coefficient_ / 10; rest != 0; rest /= 10) ++count;
  return count;
}

std::string Decimal::to_text() const {
  Int128 rest = coefficient_ < 0 ? -coefficient_ : coefficient_;
  std::string reversed;
  for (int place = 0; rest != 0 || place <= scale_; ++place) {
    if (place == scale_ && place > 0) reversed.push_back('.');
    reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (coefficient_ < 0) reversed.push_back('-');
  std::ranges::reverse(reversed);
  return reversed;
}

double Decimal::to_double() const {
  std::string const text = to_text();
  double value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);  // the text of a Decimal is a number
  return value;
}

std::optional<std::int64_t> Decimal::to_integer() const {
  Decimal const whole = normalized();
  if (whole.scale_ != 0 || whole.coefficient_ > INT64_MAX || whole.coefficient_ < INT64_MIN) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(whole.coefficient_);
}

Decimal Decimal::normalized() const {
  Decimal out = *this;
  while (out.scale_ > 0 && out.coefficient_ % 10 == 0) {
    out.coefficient_ /= 10;
    --out.scale_;
  }
  return out;
}

Decimal Decimal::rounded(int scale) const {
  if (scale >= scale_) return *this;
  return {divided_half_up(coefficient_, power_of_ten(scale_ - scale)), scale};
}

Decimal Decimal::truncated(int scale) const {
  if (scale >= scale_) return *this;
  return {coefficient_ / power_of_ten(scale_ - scale), scale};
}

Decimal Decimal::floor() const {
  Decimal out = truncated(0);
  if (coefficient_ < 0 && coefficient_ % power_of_ten(scale_) != 0) --out.coefficient_;
  return out;
}

Decimal Decimal::ceiling() const {
  return negated().floor().negated();
}

std::optional<Decimal> Decimal::with_scale(int scale) const {
  auto const coefficient = shifted(coefficient_, scale - scale_);
  return coefficient && scale <= kDigitsMax ? bounded(*coefficient, scale) : std::nullopt;
}

std::optional<Decimal> Decimal::add(Decimal const& a, Decimal const& b) {
  int const scale = std::max(a.scale_, b.scale_);
  auto const left = shifted(a.coefficient_, scale - a.scale_);
  auto const right = shifted(b.coefficient_, scale - b.scale_);
  Int128 sum = 0;
  if (!left || !right || __builtin_add_overflow(*left, *right, &sum)) return std::nullopt;
  return bounded(sum, scale);
}

std::optional<Decimal> Decimal::multiply(Decimal const& a, Decimal const& b) {
  auto const exact = product(a.coefficient_, b.coefficient_);
  if (exact) return bounded(*exact, a.scale_ + b.scale_);
  Decimal const left = a.normalized();
  Decimal const right = b.normalized();
  auto const shorter = product(left.coefficient_, right.coefficient_);
  return shorter ? bounded(*shorter, left.scale_ + right.scale_) : std::nullopt;
}

std::optional<Decimal> Decimal::divide(Decimal const& a, Decimal const& b) {
  if (b.coefficient_ == 0) return std::nullopt;
  Decimal dividend = a.normalized();
  Decimal divisor = b.normalized();
  if (divisor.coefficient_ < 0) {
    divisor = divisor.negated();
    dividend = dividend.negated();
  }
  for (int const places : {16, 8}) {
    int const shift = places + divisor.scale_ - dividend.scale_;
    auto const numerator = shifted(dividend.coefficient_, std::max(shift, 0));
    auto const denominator = shifted(divisor.coefficient_, std::max(-shift, 0));
    if (!numerator || !denominator) continue;
    auto const quotient = bounded(divided_half_up(*numerator, *denominator), places);
    if (quotient) return quotient->normalized();
  }
  return std::nullopt;
}

std::optional<Decimal> Decimal::divide_whole(Decimal const& a, Decimal const& b) {
  int const scale = std::max(a.scale_, b.scale_);
  auto const left = shifted(a.coefficient_, scale - a.scale_);
  auto const right = shifted(b.coefficient_, scale - b.scale_);
  if (!left || !right || *right == 0) return std::nullopt;
  return bounded(*left / *right, 0);
}

std::optional<Decimal> Decimal::modulo(Decimal const& a, Decimal const& b) {
  int const scale = std::max(a.scale_, b.scale_);
  auto const left = shifted(a.coefficient_, scale - a.scale_);
  auto const right = shifted(b.coefficient_, scale - b.scale_);
  if (!left || !right || *right == 0) return std::nullopt;
  return bounded(*left % *right, scale);
}

int Decimal::compare(Decimal const& a, Decimal const& b) {
  int const scale = std::max(a.scale_, b.scale_);
  auto const left = shifted(a.coefficient_, scale - a.scale_);
  auto const right = shifted(b.coefficient_, scale - b.scale_);
  // At most one side is shifted; when it no longer fits it is the larger one.
  if (!left) return a.coefficient_ < 0 ? -1 : 1;
  if (!right) return b.coefficient_ < 0 ? 1 : -1;
  if (*left == *right) return 0;
  return *left < *right ? -1 : 1;
}

}  // namespace tacenda::fhirpath

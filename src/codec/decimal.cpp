#include "codec/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "codec/internal/json_scan.hpp"
#include "codec/internal/natural.hpp"
#include "codec/internal/quotient.hpp"
#include "core/process.hpp"

namespace tacenda::codec {
namespace {

using internal::Natural;

// ordered_bytes, version 1. Zero is one byte, any other number has four parts:
//   sign      1 byte   0x40 negative, 0x80 zero, 0xC0 positive
//   power     2 bytes  power of ten of the first digit that is not 0, plus 0x8000, high byte first
//   digits    n bytes  two digits each (the last pair filled with 0), pair 00..99 as 0x01..0x64; no pair 00
//                      at the end
//   end       1 byte   0x00
// Of a negative number every byte but the sign is inverted.
constexpr char kNegative = '\x40';
constexpr char kZero = '\x80';
constexpr char kPositive = '\xC0';
constexpr std::int64_t kPowerBias = 0x8000;

constexpr std::int32_t kWholeDigits = 30;  // shortest() writes whole numbers out up to here
constexpr std::int64_t kZerosInFront = 6;  // text() writes 0.000001, then 1e-7

std::string_view without_zeros_in_front(std::string_view digits) {
  auto const first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view("0") : digits.substr(first);
}

std::string_view without_zeros_at_end(std::string_view digits) {
  return digits.substr(0, digits.find_last_not_of('0') + 1);
}

/// `value` in units of 10^`exponent`, which is not above its own.
Natural scaled(Decimal const& value, std::int32_t exponent) {
  return Natural::from_digits(value.digits())
      .times_power_of_ten(static_cast<std::size_t>(value.exponent() - exponent));
}

Decimal::Sign sign_of(bool negative) {
  return negative ? Decimal::Sign::kNegative : Decimal::Sign::kPositive;
}

/// The exponent of a number's text, from the letter e on; saturates.
std::int64_t read_exponent(std::string_view text) {
  if (text.empty()) return 0;
  text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  auto const parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) return text.starts_with('-') ? INT32_MIN : INT32_MAX;
  return std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX);
}

}  // namespace

Decimal::Decimal(std::int64_t value) : negative_(value < 0), digits_(std::to_string(value)) {
  if (negative_) digits_.erase(0, 1);
}

Result<Decimal> Decimal::parse(std::string_view text) {
  char const* const end = text.data() + text.size();
  if (text.empty() || internal::scan_number(text.data(), end) != end) {
    return fail(ErrorKind::kInvalid, "no decimal number");
  }
  bool const negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  auto const e = std::min(text.find_first_of("eE"), text.size());
  std::int64_t exponent = read_exponent(text.substr(e));
  auto const mantissa = text.substr(0, e);
  auto const point = std::min(mantissa.find('.'), mantissa.size());
  auto const fraction = mantissa.substr(std::min(point + 1, mantissa.size()));
  exponent -= static_cast<std::int64_t>(fraction.size());

  // What a long run of zeros would cost is not paid before the bounds are known.
  auto whole = mantissa.substr(0, point);
  if (whole == "0") whole = {};
  auto const significant = whole.empty() ? without_zeros_in_front(fraction) : fraction;
  if (whole.size() + significant.size() > kDecimalTextDigits) {
    return fail(ErrorKind::kTooLarge, "number has too many digits");
  }
  Decimal value = TACENDA_TRY(make(sign_of(negative), std::string(whole).append(significant), exponent));
  if (std::abs(value.is_zero() ? exponent : value.power()) > kDecimalTextPower) {
    return fail(ErrorKind::kTooLarge, "number is too large or too small");
  }
  return value;
}

Result<Decimal> Decimal::make(Sign sign, std::string_view digits, std::int64_t exponent) {
  digits = without_zeros_in_front(digits);
  if (digits.size() > kDecimalDigits) return fail(ErrorKind::kTooLarge, "number has too many digits");
  std::int64_t const power = exponent + static_cast<std::int64_t>(digits.size()) - 1;
  if (std::abs(power) > kDecimalPower || std::abs(exponent) > kDecimalPower) {
    return fail(ErrorKind::kTooLarge, "number is too large or too small");
  }
  Decimal value;
  value.digits_ = digits;
  value.exponent_ = static_cast<std::int32_t>(exponent);
  value.negative_ = sign == Sign::kNegative && !value.is_zero();
  return value;
}

std::int64_t Decimal::power() const {
  return exponent_ + static_cast<std::int64_t>(digits_.size()) - 1;
}

std::string Decimal::text() const {
  std::string out(negative_ ? "-" : "");
  if (exponent_ > 0 || power() < -kZerosInFront) {
    out += digits_.front();
    if (digits_.size() > 1) out.append(".").append(digits_, 1);
    return out.append("e").append(std::to_string(power()));
  }
  auto const fraction = static_cast<std::size_t>(-exponent_);
  if (fraction == 0) return out.append(digits_);
  if (fraction >= digits_.size())
    return out.append("0.").append(fraction - digits_.size(), '0').append(digits_);
  return out.append(digits_, 0, digits_.size() - fraction)
      .append(".")
      .append(digits_, digits_.size() - fraction);
}

Decimal Decimal::shortest() const {
  if (is_zero()) return {};
  Decimal value;
  value.negative_ = negative_;
  value.digits_ = without_zeros_at_end(digits_);
  value.exponent_ = exponent_ + static_cast<std::int32_t>(digits_.size() - value.digits_.size());
  if (value.exponent_ > 0 && value.power() <= kWholeDigits) {
    value.digits_.append(static_cast<std::size_t>(value.exponent_), '0');
    value.exponent_ = 0;
  }
  return value;
}

Decimal Decimal::negated() const {
  Decimal value = *this;
  value.negative_ = !negative_ && !is_zero();
  return value;
}

Result<Decimal> Decimal::plus(Decimal const& other) const {
  if (other.is_zero()) return *this;
  if (is_zero()) return other;
  std::int32_t const exponent = std::min(exponent_, other.exponent_);
  // The sum has all digits between the highest and the lowest: what does not fit is refused before the
  // zeros are written.
  if (std::max(power(), other.power()) - exponent >= static_cast<std::int64_t>(kDecimalDigits)) {
    return fail(ErrorKind::kTooLarge, "sum has too many digits");
  }
  Natural const mine = scaled(*this, exponent);
  Natural const theirs = scaled(other, exponent);
  if (negative_ == other.negative_) return make(sign_of(negative_), mine.plus(theirs).digits(), exponent);
  bool const mine_is_greater = mine >= theirs;
  auto const difference = mine_is_greater ? mine.minus(theirs) : theirs.minus(mine);
  return make(sign_of(mine_is_greater ? negative_ : other.negative_), difference.digits(), exponent);
}

Result<Decimal> Decimal::minus(Decimal const& other) const {
  return plus(other.negated());
}

Result<Decimal> Decimal::times(Decimal const& other) const {
  auto const product = Natural::from_digits(digits_).times(Natural::from_digits(other.digits_));
  return make(sign_of(negative_ != other.negative_), product.digits(),
              std::int64_t{exponent_} + other.exponent_);
}

Result<Decimal> Decimal::divided_by(Decimal const& divisor) const {
  if (divisor.is_zero()) return fail(ErrorKind::kInvalid, "division by zero");
  return internal::quotient(sign_of(negative_ != divisor.negative_), Natural::from_digits(digits_),
                            Natural::from_digits(divisor.digits_),
                            std::int64_t{exponent_} - divisor.exponent_);
}

std::string Decimal::ordered_bytes() const {
  if (is_zero()) return std::string(1, kZero);
  auto const biased = static_cast<std::uint64_t>(power() + kPowerBias);
  TACENDA_ASSERT(biased <= 0xFFFF);
  auto const digits = without_zeros_at_end(digits_);
  std::string out(1, negative_ ? kNegative : kPositive);
  out.reserve(5 + digits.size() / 2);
  out.push_back(static_cast<char>(biased >> 8U));
  out.push_back(static_cast<char>(biased & 0xFFU));
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int const second = i + 1 < digits.size() ? digits[i + 1] - '0' : 0;
    out.push_back(static_cast<char>((digits[i] - '0') * 10 + second + 1));
  }
  out.push_back('\0');
  if (negative_)
    std::transform(out.begin() + 1, out.end(), out.begin() + 1,
                   [](char c) { return static_cast<char>(~static_cast<unsigned char>(c)); });
  return out;
}

std::strong_ordering operator<=>(Decimal const& a, Decimal const& b) {
  if (a.is_zero() && b.is_zero()) return std::strong_ordering::equal;
  if (a.negative_ != b.negative_) return b.negative_ <=> a.negative_;
  if (a.is_zero()) return std::strong_ordering::less;
  if (b.is_zero()) return b.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  auto const magnitude = a.power() != b.power()
                             ? a.power() <=> b.power()
                             : without_zeros_at_end(a.digits_) <=> without_zeros_at_end(b.digits_);
  return a.negative_ ? 0 <=> magnitude : magnitude;
}

Result<DecimalRange> implicit_range(Decimal const& value) {
  Decimal const half =
      TACENDA_TRY(Decimal::make(Decimal::Sign::kPositive, "5", std::int64_t{value.exponent()} - 1));
  Decimal low = TACENDA_TRY(value.minus(half));
  Decimal high = TACENDA_TRY(value.plus(half));
  return DecimalRange{std::move(low), std::move(high)};
}

Result<DecimalRange> approximate_range(Decimal const& value) {
  Decimal const tenth = TACENDA_TRY(
      Decimal::make(Decimal::Sign::kPositive, value.digits(), std::int64_t{value.exponent()} - 1));
  DecimalRange range = TACENDA_TRY(implicit_range(value));
  range.low = std::min(range.low, TACENDA_TRY(value.minus(tenth)));
  range.high = std::max(range.high, TACENDA_TRY(value.plus(tenth)));
  return range;
}

}  // namespace tacenda::codec

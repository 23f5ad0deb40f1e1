#include "codec/internal/natural.hpp"

#include <algorithm>

#include "core/process.hpp"

namespace tacenda::codec::internal {

Natural::Natural(std::uint32_t value) {
  if (value >= kBase) {
    limbs_ = {value % kBase, value / kBase};
  } else if (value != 0) {
    limbs_ = {value};
  }
}

Natural Natural::from_digits(std::string_view digits) {
  Natural result;
  result.limbs_.reserve(digits.size() / kLimbDigits + 1);
  for (std::size_t end = digits.size(); end != 0;) {
    std::size_t const begin = end > kLimbDigits ? end - kLimbDigits : 0;
    std::uint32_t limb = 0;
    for (char const digit : digits.substr(begin, end - begin)) {
      limb = limb * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    result.limbs_.push_back(limb);
    end = begin;
  }
  result.trim();
  return result;
}

std::string Natural::digits() const {
  if (limbs_.empty()) return "0";
  std::string text(limbs_.size() * kLimbDigits, '0');
  std::size_t at = text.size();
  for (std::uint32_t limb : limbs_) {
    for (std::size_t i = 0; i < kLimbDigits; ++i, limb /= 10) text[--at] = static_cast<char>('0' + limb % 10);
  }
  text.erase(0, text.find_first_not_of('0'));
  return text;
}

Natural Natural::plus(Natural const& other) const {
  auto const& longer = limbs_.size() >= other.limbs_.size() ? limbs_ : other.limbs_;
  auto const& shorter = limbs_.size() >= other.limbs_.size() ? other.limbs_ : limbs_;
  Natural sum;
  sum.limbs_.reserve(longer.size() + 1);
  std::uint32_t carry = 0;
  for (std::size_t i = 0; i < longer.size(); ++i) {
    std::uint32_t const limb = longer[i] + carry + (i < shorter.size() ? shorter[i] : 0);
    carry = limb >= kBase ? 1 : 0;
    sum.limbs_.push_back(limb - carry * kBase);
  }
  if (carry != 0) sum.limbs_.push_back(carry);
  return sum;
}

Natural Natural::minus(Natural const& other) const {
  TACENDA_ASSERT(*this >= other);
  Natural difference(*this);
  std::uint32_t borrow = 0;
  for (std::size_t i = 0; i < limbs_.size() && (i < other.limbs_.size() || borrow != 0); ++i) {
    std::uint32_t const taken = borrow + (i < other.limbs_.size() ? other.limbs_[i] : 0);
    borrow = limbs_[i] < taken ? 1 : 0;
    difference.limbs_[i] = limbs_[i] + borrow * kBase - taken;
  }
  difference.trim();
  return difference;
}

Natural Natural::times(Natural const& other) const {
  Natural product;
  product.limbs_.assign(limbs_.size() + other.limbs_.size(), 0);
  for (std::size_t i = 0; i < limbs_.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < other.limbs_.size() || carry != 0; ++j) {
      std::uint64_t const factor = j < other.limbs_.size() ? other.limbs_[j] : 0;
      std::uint64_t const limb = product.limbs_[i + j] + std::uint64_t{limbs_[i]} * factor + carry;
      product.limbs_[i + j] = static_cast<std::uint32_t>(limb % kBase);
      carry = limb / kBase;
    }
  }
  product.trim();
  return product;
}

Natural Natural::times_power_of_ten(std::size_t power) const {
  return is_zero() || power == 0 ? *this : from_digits(digits().append(power, '0'));
}

std::pair<Natural, Natural> Natural::divided_by(Natural const& divisor) const {
  TACENDA_ASSERT(!divisor.is_zero());
  if (*this < divisor) return {Natural(), *this};
  return divisor.limbs_.size() == 1 ? divided_by_limb(divisor.limbs_.front()) : divided_by_long(divisor);
}

std::pair<Natural, Natural> Natural::divided_by_limb(std::uint32_t divisor) const {
  Natural quotient;
  quotient.limbs_.resize(limbs_.size());
  std::uint64_t remainder = 0;
  for (std::size_t i = limbs_.size(); i-- != 0;) {
    std::uint64_t const rest = remainder * kBase + limbs_[i];
    quotient.limbs_[i] = static_cast<std::uint32_t>(rest / divisor);
    remainder = rest % divisor;
  }
  quotient.trim();
  return {std::move(quotient), Natural(static_cast<std::uint32_t>(remainder))};
}

// Knuth, The Art of Computer Programming, volume 2, section 4.3.1, algorithm D.
std::pair<Natural, Natural> Natural::divided_by_long(Natural const& divisor) const {
  // Normalised so that the divisor's first limb is at least half the base: the guess is at most two off.
  std::uint32_t const scale = kBase / (divisor.limbs_.back() + 1);
  std::vector<std::uint32_t> rest = times(Natural(scale)).limbs_;
  std::vector<std::uint32_t> const by = divisor.times(Natural(scale)).limbs_;
  rest.resize(limbs_.size() + 1, 0);
  std::size_t const n = by.size();
  Natural quotient;
  quotient.limbs_.assign(rest.size() - n, 0);
  for (std::size_t j = quotient.limbs_.size(); j-- != 0;) {
    std::uint64_t const head = std::uint64_t{rest[j + n]} * kBase + rest[j + n - 1];
    std::uint64_t guess = head / by[n - 1];
    std::uint64_t over = head % by[n - 1];
    while (guess >= kBase || guess * by[n - 2] > over * kBase + rest[j + n - 2]) {
      --guess;
      over += by[n - 1];
      if (over >= kBase) break;
    }
    std::uint64_t carry = 0;  // of guess * by, and the borrow of what is taken away
    for (std::size_t i = 0; i <= n; ++i) {
      std::uint64_t const product = carry + (i < n ? guess * by[i] : 0);
      std::uint32_t const taken = static_cast<std::uint32_t>(product % kBase);
      carry = product / kBase + (rest[j + i] < taken ? 1 : 0);
      rest[j + i] = rest[j + i] < taken ? rest[j + i] + kBase - taken : rest[j + i] - taken;
    }
    if (carry != 0) {  // the guess was one too high: one divisor back
      --guess;
      std::uint32_t add = 0;
      for (std::size_t i = 0; i <= n; ++i) {
        std::uint32_t const limb = rest[j + i] + add + (i < n ? by[i] : 0);
        add = limb >= kBase ? 1 : 0;
        rest[j + i] = limb - add * kBase;
      }
    }
    quotient.limbs_[j] = static_cast<std::uint32_t>(guess);
  }
  quotient.trim();
  Natural remainder;
  remainder.limbs_ = std::move(rest);
  remainder.trim();
  return {std::move(quotient), remainder.divided_by_limb(scale).first};
}

void Natural::trim() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

std::strong_ordering operator<=>(Natural const& a, Natural const& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() <=> b.limbs_.size();
  return std::lexicographical_compare_three_way(a.limbs_.rbegin(), a.limbs_.rend(), b.limbs_.rbegin(),
                                                b.limbs_.rend());
}

}  // namespace tacenda::codec::internal

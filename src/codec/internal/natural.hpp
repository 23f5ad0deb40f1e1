#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The arithmetic under Decimal and the factors of units.
namespace tacenda::codec::internal {

/// A whole number from zero up, of any size. What bounds the size is its caller: multiplying and dividing
/// cost the product of the lengths. Value semantics; owner: one thread.
class Natural {
 public:
  Natural() = default;  // zero
  explicit Natural(std::uint32_t value);
  /// `digits`: '0' to '9' only (the caller's promise), leading zeros allowed; empty is zero.
  static Natural from_digits(std::string_view digits);

  /// Without leading zeros; "0" for zero.
  std::string digits() const;
  bool is_zero() const { return limbs_.empty(); }
  bool is_odd() const { return !limbs_.empty() && (limbs_.front() & 1U) != 0; }

  Natural plus(Natural const& other) const;
  Natural minus(Natural const& other) const;  // `other` is not greater (asserted)
  Natural times(Natural const& other) const;
  Natural times_power_of_ten(std::size_t power) const;
  /// Quotient and remainder; `divisor` is not zero (asserted).
  std::pair<Natural, Natural> divided_by(Natural const& divisor) const;

  friend std::strong_ordering operator<=>(Natural const& a, Natural const& b);
  friend bool operator==(Natural const& a, Natural const& b) = default;

 private:
  static constexpr std::uint32_t kBase = 1'000'000'000;
  static constexpr std::size_t kLimbDigits = 9;

  void trim();
  std::pair<Natural, Natural> divided_by_limb(std::uint32_t divisor) const;
  std::pair<Natural, Natural> divided_by_long(Natural const& divisor) const;

  // Base 10^9, least significant first, no zero at the end. Not base 2^32: numbers come and go as decimal
  // text, and between that and this base the way is linear.
  std::vector<std::uint32_t> limbs_;
};

}  // namespace tacenda::codec::internal

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

/// The rows of src/codec/generated/ucum_units.cpp, which tools/reduce_ucum.py makes.
namespace tacenda::codec::internal {

/// numerator / denominator * 10^exponent. Digits only; the denominator has no factor 2 or 5.
struct UcumFraction {
  std::string_view numerator;
  std::string_view denominator;
  std::int16_t exponent;
};

struct UcumPrefix {
  std::string_view code;
  UcumFraction value;
};

inline constexpr std::array<std::string_view, 7> kUcumBaseUnits{"C", "K", "cd", "g", "m", "rad", "s"};

struct UcumUnit {
  std::string_view code;
  bool is_metric;        // may have a prefix
  bool is_special;       // on no ratio scale: takes part in no product
  std::string_view own;  // name of a dimension of its own, or empty
  UcumFraction factor;   // value in base units = value * factor + offset
  UcumFraction offset;   // "0" but for special units with a zero point
  std::array<std::int8_t, kUcumBaseUnits.size()> exponents;
};

std::span<UcumPrefix const> ucum_prefixes();  // sorted by code
std::span<UcumUnit const> ucum_units();       // sorted by code

}  // namespace tacenda::codec::internal

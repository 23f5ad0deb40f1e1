#pragma once

#include <cstdint>

#include "codec/decimal.hpp"
#include "codec/internal/natural.hpp"

namespace tacenda::codec::internal {

/// ±`numerator` / `denominator` * 10^`exponent`, by value alone: the same for every way to write the same
/// fraction. Exact where a decimal states it, else rounded once, half to even, to kQuotientDigits digits;
/// in the form of Decimal::shortest. `denominator` is not zero. Errors: kTooLarge.
Result<Decimal> quotient(Decimal::Sign sign, Natural const& numerator, Natural denominator,
                         std::int64_t exponent);

}  // namespace tacenda::codec::internal

#include "codec/ucum.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using tacenda::codec::Decimal;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first line is a unit, the second a number. A canonical code is a unit of factor 1 with the same
// dimension; a quantity equals its canonical form or, where that was rounded, lies beside it.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = std::min(text.find('\n'), text.size());
  auto const unit = tacenda::codec::parse_unit(text.substr(0, line));
  if (!unit.has_value()) return 0;
  auto const base = tacenda::codec::parse_unit(unit->canonical_code());
  if (!base.has_value()) {  // its code may be longer than the text was, or a special unit with its company
    require(base.error().kind() == tacenda::ErrorKind::kTooLarge);
    return 0;
  }
  require(comparable(*unit, *base));
  auto const value = Decimal::parse(text.substr(std::min(line + 1, text.size())));
  if (!value.has_value()) return 0;
  auto const quantity = canonical(*value, *unit);
  if (!quantity.has_value()) return 0;
  auto const back = convert(quantity->value, *base, *unit);
  auto const order = compare(*value, *unit, quantity->value, *base);
  require(order.has_value());
  if (*order == 0 && back.has_value()) require(*back == *value);
  return 0;
}

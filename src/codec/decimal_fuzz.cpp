#include "codec/decimal.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

using tacenda::codec::Decimal;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_one(Decimal const& value) {
  auto const again = Decimal::parse(value.text());
  require(again.has_value() && *again == value && again->exponent() == value.exponent());
  require(value.shortest() == value && value.shortest().text() == again->shortest().text());
  auto const range = tacenda::codec::implicit_range(value);
  require(range.has_value() && range->low < value && value < range->high);
  auto const near = tacenda::codec::approximate_range(value);
  require(near.has_value() && near->low <= range->low && range->high <= near->high);
}

void check_pair(Decimal const& a, Decimal const& b) {
  require((a.ordered_bytes() <=> b.ordered_bytes()) == (a <=> b));
  if (auto const sum = a.plus(b); sum.has_value()) require(sum->minus(b) == a);
  auto const product = a.times(b);
  auto const mirrored = b.times(a);
  require(product.has_value() == mirrored.has_value());
  if (product.has_value()) require(*product == *mirrored);
  if (product.has_value() && !b.is_zero()) require(product->divided_by(b) == a);
}

}  // namespace

// Two numbers, one on each line: text and value are faithful, the bytes have the order of the values and each
// operation undoes its inverse.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = std::min(text.find('\n'), text.size());
  auto const a = Decimal::parse(text.substr(0, line));
  auto const b = Decimal::parse(text.substr(std::min(line + 1, text.size())));
  if (a.has_value()) check_one(*a);
  if (a.has_value() && b.has_value()) check_pair(*a, *b);
  return 0;
}

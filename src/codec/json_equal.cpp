#include "codec/json_equal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tacenda::codec {
namespace {

constexpr std::size_t kExponentDigits = 18;  // so that a power fits in 64 bits

/// A number's value in one form: digits without zeros at either end, the power of ten of the last.
struct Value {
  bool negative = false;
  std::string digits;  // empty for zero
  std::int64_t power = 0;

  friend bool operator==(Value const& a, Value const& b) = default;
};

/// `text` is a number of RFC 8259. False when its exponent has too many digits.
bool read_value(std::string_view text, Value& out) {
  out.negative = text.starts_with('-');
  auto const e = std::min(text.find_first_of("eE"), text.size());
  auto const mantissa = text.substr(out.negative ? 1 : 0, e - (out.negative ? 1 : 0));
  auto const point = std::min(mantissa.find('.'), mantissa.size());
  out.digits.assign(mantissa.substr(0, point)).append(mantissa.substr(std::min(point + 1, mantissa.size())));
  if (point != mantissa.size()) out.power = -static_cast<std::int64_t>(mantissa.size() - point - 1);
  auto const last = out.digits.find_last_not_of('0');
  if (last == std::string::npos) {  // zero, whatever its sign and exponent
    out = Value();
    return true;
  }
  out.power += static_cast<std::int64_t>(out.digits.size() - last - 1);
  out.digits.resize(last + 1);
  out.digits.erase(0, out.digits.find_first_not_of('0'));

  auto exponent = text.substr(std::min(e + 1, text.size()));
  bool const below = exponent.starts_with('-');
  exponent.remove_prefix(std::min(exponent.find_first_not_of("+-0"), exponent.size()));
  if (exponent.size() > kExponentDigits) return false;
  std::int64_t value = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
  out.power += below ? -value : value;
  return true;
}

bool equal_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  Value left;
  Value right;
  return read_value(a, left) && read_value(b, right) && left == right;
}

std::vector<Json::Member const*> by_name(std::vector<Json::Member> const& members) {
  std::vector<Json::Member const*> sorted;
  sorted.reserve(members.size());
  for (auto const& member : members) sorted.push_back(&member);
  std::ranges::sort(sorted, {},
                    [](Json::Member const* member) -> std::string const& { return member->name; });
  return sorted;
}

// Sorted, and not looked up one in the other: that takes the square of the members.
bool equal_objects(std::vector<Json::Member> const& a, std::vector<Json::Member> const& b) {
  if (a.size() != b.size()) return false;
  return std::ranges::equal(by_name(a), by_name(b), [](Json::Member const* left, Json::Member const* right) {
    return left->name == right->name && equal_by_value(left->value, right->value);
  });
}

}  // namespace

// Recursion: as deep as both values are, which kJsonDepthMax bounds.
bool equal_by_value(Json const& a, Json const& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Json::Kind::kNumber:
      return equal_numbers(a.number_text(), b.number_text());
    case Json::Kind::kArray:
      return std::ranges::equal(a.items(), b.items(), equal_by_value);
    case Json::Kind::kObject:
      return equal_objects(a.members(), b.members());
    case Json::Kind::kNull:
    case Json::Kind::kBoolean:
    case Json::Kind::kString:
      return a == b;
  }
  std::unreachable();
}

}  // namespace tacenda::codec

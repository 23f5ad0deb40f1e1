#include "codec/ucum.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <utility>

#include "codec/internal/json_scan.hpp"
#include "codec/internal/ucum_table.hpp"

namespace tacenda::codec {
namespace {

using internal::Fraction;
using internal::Natural;
using internal::UcumFraction;
using internal::UcumUnit;

constexpr std::int64_t kFactorPower = 10'000;  // of ten, in a unit's factor

Fraction fraction_of(UcumFraction const& row) {
  return {false, Natural::from_digits(row.numerator), Natural::from_digits(row.denominator), row.exponent};
}

UcumUnit const* find_unit(std::string_view code) {
  auto const rows = internal::ucum_units();
  auto const row = std::ranges::lower_bound(rows, code, {}, &UcumUnit::code);
  return row != rows.end() && row->code == code ? &*row : nullptr;
}

/// A simple unit: an atom with the prefix it has, if any.
struct Symbol {
  UcumUnit const* atom = nullptr;
  UcumFraction const* prefix = nullptr;
};

std::optional<Symbol> find_symbol(std::string_view text) {
  if (UcumUnit const* const atom = find_unit(text); atom != nullptr) return Symbol{atom, nullptr};
  for (auto const& prefix : internal::ucum_prefixes()) {
    if (!text.starts_with(prefix.code)) continue;
    UcumUnit const* const atom = find_unit(text.substr(prefix.code.size()));
    if (atom != nullptr && atom->is_metric) return Symbol{atom, &prefix.value};
  }
  return std::nullopt;
}

/// What has been read so far: a product of powers.
struct Product {
  enum class Kind : std::uint8_t {
    kNumber,   // no dimension: a scalar or a dimensionless unit
    kProper,   // takes part in every product
    kSpecial,  // may be scaled, and nothing else (UCUM section 22)
  };
  Kind kind = Kind::kNumber;
  Fraction factor{false, Natural(1), Natural(1), 0};
  Fraction offset;  // of a special unit
  std::map<std::string_view, int> exponents;
};

Result<Fraction> to_base(Decimal const& value, Unit const& unit) {
  return Fraction::of(value).times(unit.factor()).plus(unit.offset());
}

enum class Side : std::uint8_t { kAbove, kBelow };  // of the line of the fraction

}  // namespace

/// Reads one unit expression from left to right (UCUM exhibit 1).
class UnitReader {
 public:
  explicit UnitReader(std::string_view text) : text_(text) {}

  Result<Unit> read() {
    Product const product = TACENDA_TRY(read_main_term());
    if (at_ != text_.size()) return fail(ErrorKind::kInvalid, "unit goes on after its end");
    Unit unit;
    unit.canonical_code_ = code_of(product);
    unit.factor_ = product.factor;
    unit.offset_ = product.offset;
    return unit;
  }

 private:
  bool at_char(char c) const { return at_ < text_.size() && text_[at_] == c; }

  bool take(char c) {
    if (!at_char(c)) return false;
    ++at_;
    return true;
  }

  std::string_view take_digits() {
    std::size_t const begin = at_;
    while (at_ < text_.size() && internal::is_digit(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<Product> read_main_term() {
    Product term;
    // A leading solidus inverts what directly follows (UCUM section 7).
    Side const side = take('/') ? Side::kBelow : Side::kAbove;
    TACENDA_TRY_VOID(read_component(term, side));
    TACENDA_TRY_VOID(read_rest(term));
    return term;
  }

  Result<void> read_rest(Product& term) {
    for (;;) {
      if (take('.')) {
        TACENDA_TRY_VOID(read_component(term, Side::kAbove));
      } else if (take('/')) {
        TACENDA_TRY_VOID(read_component(term, Side::kBelow));
      } else {
        return {};
      }
    }
  }

  Result<void> read_component(Product& term, Side side) {
    if (take('(')) return read_group(term, side);
    if (at_char('{')) return skip_annotation();
    if (at_ < text_.size() && internal::is_digit(text_[at_]) && !at_ten()) {
      TACENDA_TRY_VOID(read_number(term, side));
    } else {
      TACENDA_TRY_VOID(read_simple_unit(term, side));
    }
    // After a number too ("1{cells}"): exhibit 1 has no rule for it, but the functional tests of UCUM have.
    return at_char('{') ? skip_annotation() : Result<void>();
  }

  // Recursion is bounded by the length of the text, kUnitBytes.
  Result<void> read_group(Product& term, Side side) {
    Product inner;
    TACENDA_TRY_VOID(read_component(inner, Side::kAbove));
    TACENDA_TRY_VOID(read_rest(inner));
    if (!take(')')) return fail(ErrorKind::kInvalid, "unit has an open parenthesis");
    return multiply(term, inner, side == Side::kAbove ? 1 : -1);
  }

  /// UCUM section 6: characters 33 to 126, not nested.
  Result<void> skip_annotation() {
    for (++at_; at_ < text_.size() && text_[at_] >= '!' && text_[at_] <= '~'; ++at_) {
      if (text_[at_] == '{') break;
      if (take('}')) return {};
    }
    return fail(ErrorKind::kInvalid, "unit has a malformed annotation");
  }

  bool at_ten() const {  // the symbols 10* and 10^
    auto const rest = text_.substr(at_);
    return rest.starts_with("10*") || rest.starts_with("10^");
  }

  Result<void> read_number(Product& term, Side side) {
    Product number;
    number.factor.numerator = Natural::from_digits(take_digits());
    if (number.factor.numerator.is_zero()) return fail(ErrorKind::kInvalid, "unit has a zero");
    return multiply(term, number, side == Side::kAbove ? 1 : -1);
  }

  Result<void> read_simple_unit(Product& term, Side side) {
    std::string_view const name = TACENDA_TRY(take_symbol());
    auto const symbol = find_symbol(name);
    if (!symbol.has_value()) return fail(ErrorKind::kInvalid, "unit has an unknown symbol");
    int const exponent = TACENDA_TRY(read_exponent());
    return multiply(term, product_of(*symbol), side == Side::kAbove ? exponent : -exponent);
  }

  /// A symbol ends before an operator, a digit or a sign, unless these stand within brackets.
  Result<std::string_view> take_symbol() {
    std::size_t const begin = at_;
    if (at_ten()) {
      at_ += 3;
      return text_.substr(begin, 3);
    }
    for (; at_ < text_.size() && !std::string_view("./(){}+-0123456789").contains(text_[at_]); ++at_) {
      if (text_[at_] != '[') continue;
      at_ = std::min(text_.find(']', at_), text_.size());
      if (at_ == text_.size()) return fail(ErrorKind::kInvalid, "unit has an open bracket");
    }
    return text_.substr(begin, at_ - begin);
  }

  Result<int> read_exponent() {
    bool const negative = at_char('-');
    bool const has_sign = take('-') || take('+');
    auto const digits = take_digits();
    if (digits.empty()) {
      if (has_sign) return fail(ErrorKind::kInvalid, "unit has a sign without an exponent");
      return 1;
    }
    int value = 0;
    auto const parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec != std::errc() || value > kUnitExponent) {
      return fail(ErrorKind::kTooLarge, "unit has too high an exponent");
    }
    return negative ? -value : value;
  }

  static Product product_of(Symbol const& symbol) {
    auto const& atom = *symbol.atom;
    Product product;
    product.factor = fraction_of(atom.factor);
    product.offset = fraction_of(atom.offset);
    if (symbol.prefix != nullptr) product.factor = product.factor.times(fraction_of(*symbol.prefix));
    for (std::size_t i = 0; i < atom.exponents.size(); ++i) {
      if (atom.exponents[i] != 0) product.exponents[internal::kUcumBaseUnits[i]] = int{atom.exponents[i]};
    }
    if (!atom.own.empty()) product.exponents[atom.own] = 1;
    if (atom.is_special) {
      product.kind = Product::Kind::kSpecial;
    } else if (!product.exponents.empty()) {
      product.kind = Product::Kind::kProper;
    }
    return product;
  }

  static Result<void> multiply(Product& term, Product const& by, int exponent) {
    if (by.kind == Product::Kind::kSpecial || term.kind == Product::Kind::kSpecial) {
      return scale_special(term, by, exponent);
    }
    TACENDA_TRY_VOID(multiply_factor(term.factor, by.factor, exponent));
    for (auto const& [base, power] : by.exponents) {
      int& total = term.exponents[base];
      total += power * exponent;
      if (total > kUnitExponent || total < -kUnitExponent) {
        return fail(ErrorKind::kTooLarge, "unit has too high an exponent");
      }
      if (total == 0) term.exponents.erase(base);
    }
    term.kind = term.exponents.empty() ? Product::Kind::kNumber : Product::Kind::kProper;
    return {};
  }

  /// UCUM section 22: a special unit can be scaled by a number or a dimensionless unit, and that is all.
  static Result<void> scale_special(Product& term, Product const& by, int exponent) {
    if (term.kind == Product::Kind::kNumber && exponent == 1) {
      auto const scale = std::exchange(term, by).factor;
      return multiply_factor(term.factor, scale, 1);
    }
    if (by.kind == Product::Kind::kNumber) return multiply_factor(term.factor, by.factor, exponent);
    return fail(ErrorKind::kInvalid, "special unit in a product or power");
  }

  static Result<void> multiply_factor(Fraction& factor, Fraction const& by, int exponent) {
    for (int left = std::abs(exponent); left != 0; --left) {
      factor = exponent > 0 ? factor.times(by) : factor.divided_by(by);
      if (factor.numerator.digits().size() > kUnitFactorDigits ||
          factor.denominator.digits().size() > kUnitFactorDigits ||
          std::abs(factor.exponent) > kFactorPower) {
        return fail(ErrorKind::kTooLarge, "unit has too large a factor");
      }
    }
    return {};
  }

  static std::string code_of(Product const& product) {
    std::string code;
    for (auto const& [base, power] : product.exponents) {
      if (!code.empty()) code += '.';
      code += base;
      if (power != 1) code += std::to_string(power);
    }
    return code.empty() ? "1" : code;
  }

  std::string_view text_;  // the caller of parse_unit keeps it for the length of the call
  std::size_t at_ = 0;
};

Result<Unit> parse_unit(std::string_view code) {
  if (code.size() > kUnitBytes) return fail(ErrorKind::kTooLarge, "unit is too long");
  return UnitReader(code).read();
}

Result<CanonicalQuantity> canonical(Decimal const& value, Unit const& unit) {
  return CanonicalQuantity{unit.canonical_code(), TACENDA_TRY(TACENDA_TRY(to_base(value, unit)).decimal())};
}

Result<CanonicalRange> canonical(DecimalRange const& range, Unit const& unit) {
  // Every factor is above zero, so low stays low.
  CanonicalQuantity low = TACENDA_TRY(canonical(range.low, unit));
  CanonicalQuantity high = TACENDA_TRY(canonical(range.high, unit));
  return CanonicalRange{std::move(low.unit), {std::move(low.value), std::move(high.value)}};
}

std::optional<CanonicalQuantity> canonical(std::string_view decimal_text, std::string_view unit_code) {
  auto const value = Decimal::parse(decimal_text);
  auto const unit = parse_unit(unit_code);
  if (!value.has_value() || !unit.has_value()) return std::nullopt;
  auto quantity = canonical(*value, *unit);
  return quantity.has_value() ? std::optional(*std::move(quantity)) : std::nullopt;
}

bool comparable(Unit const& a, Unit const& b) {
  return a.canonical_code() == b.canonical_code();
}

Result<Decimal> convert(Decimal const& value, Unit const& from, Unit const& to) {
  if (!comparable(from, to)) return fail(ErrorKind::kInvalid, "units are not comparable");
  Fraction const base = TACENDA_TRY(to_base(value, from));
  return TACENDA_TRY(base.plus(to.offset().negated())).divided_by(to.factor()).decimal();
}

Result<std::strong_ordering> compare(Decimal const& a, Unit const& a_unit, Decimal const& b,
                                     Unit const& b_unit) {
  if (!comparable(a_unit, b_unit)) return fail(ErrorKind::kInvalid, "units are not comparable");
  Fraction const left = TACENDA_TRY(to_base(a, a_unit));
  Fraction const right = TACENDA_TRY(to_base(b, b_unit));
  return internal::compare(left, right);
}

}  // namespace tacenda::codec

#include "codec/decimal.hpp"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

Decimal decimal(std::string_view text) {
  auto value = Decimal::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Decimal());
}

ErrorKind refusal(std::string_view text) {
  auto const value = Decimal::parse(text);
  EXPECT_FALSE(value.has_value()) << text;
  return value.has_value() ? ErrorKind::kBug : value.error().kind();
}

std::string range_text(Result<DecimalRange> const& range) {
  if (!range.has_value()) return "error";
  return range->low.shortest().text() + " " + range->high.shortest().text();
}

TEST(Decimal, KeepsTheValueAndThePrecisionOfItsText) {
  for (std::string const text :
       {"0", "0.00", "1", "-1", "1.00", "100", "0.000001", "123456789012345678901234567890", "-0.10",
        "405.70", "1e2", "-1.20e7", "1e-10", "9.99e-300"}) {
    EXPECT_EQ(decimal(text).text(), text);
  }
  EXPECT_EQ(decimal("-0.0").text(), "0.0");  // there is one zero
  EXPECT_EQ(decimal("1E+2").text(), "1e2");
  EXPECT_EQ(decimal("12.5e1").text(), "125");
  EXPECT_EQ(decimal("1.00").exponent(), -2);
  EXPECT_EQ(decimal("0.00120").digits(), "120");
}

TEST(Decimal, RefusesWhatIsNoNumberOfJson) {
  for (std::string_view const text : {"", " 1", "1 ", "+1", ".5", "5.", "01", "1e", "1e+", "--1", "NaN",
                                      "Infinity", "0x10", "1_0", "1,5", "-"}) {
    EXPECT_EQ(refusal(text), ErrorKind::kInvalid) << text;
  }
}

TEST(Decimal, RefusesMoreDigitsAndHigherPowersThanItsBounds) {
  std::string const widest(kDecimalTextDigits, '7');
  EXPECT_EQ(decimal(widest).text(), widest);
  EXPECT_EQ(refusal(widest + "7"), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal("0." + widest + "7"), ErrorKind::kTooLarge);
  EXPECT_EQ(decimal("1e10000").exponent(), 10'000);
  for (std::string_view const text : {"1e10001", "1e-10001", "0e10001", "1e999999999999999999999999",
                                      "1e-999999999999999999999999", "-1e2147483648", "1e-2147483649"}) {
    EXPECT_EQ(refusal(text), ErrorKind::kTooLarge) << text;
  }
  EXPECT_EQ(refusal("0." + std::string(20'000, '0') + "1"), ErrorKind::kTooLarge);
  EXPECT_EQ(decimal("0." + std::string(5'000, '0') + "12").digits(), "12");
}

TEST(Decimal, ComparesByValueWhateverThePrecision) {
  EXPECT_EQ(decimal("1.0"), decimal("1.00"));
  EXPECT_EQ(decimal("100"), decimal("1e2"));
  EXPECT_EQ(decimal("0.00"), decimal("-0"));
  EXPECT_EQ(decimal("0e5"), decimal("0e-5"));
  EXPECT_LT(decimal("0.1"), decimal("0.10000000000000000000000000000000000000001"));
  EXPECT_LT(decimal("-2"), decimal("-1"));
  EXPECT_LT(decimal("-1e-100"), decimal("0"));
  EXPECT_LT(decimal("9"), decimal("10"));
  EXPECT_LT(decimal("99999999999999999999"), decimal("1e20"));
}

TEST(Decimal, AddsSubtractsAndMultipliesExactly) {
  EXPECT_EQ(decimal("0.1").plus(decimal("0.2"))->text(), "0.3");
  EXPECT_EQ(decimal("1e20").plus(decimal("1e-20"))->text(), "100000000000000000000.00000000000000000001");
  EXPECT_EQ(decimal("1.50").minus(decimal("1.5"))->text(), "0.00");
  EXPECT_EQ(decimal("1").minus(decimal("1000000000"))->text(), "-999999999");
  EXPECT_EQ(decimal("-3").plus(decimal("5"))->text(), "2");
  EXPECT_EQ(decimal("999999999").plus(decimal("1"))->text(), "1000000000");
  EXPECT_EQ(decimal("-1.20").times(decimal("0.3"))->text(), "-0.360");
  EXPECT_EQ(decimal("99999999999999999999").times(decimal("99999999999999999999"))->text(),
            "9999999999999999999800000000000000000001");
  EXPECT_EQ(decimal("0").plus(decimal("1e9000"))->shortest(), decimal("1e9000"));
}

TEST(Decimal, RefusesResultsBeyondItsBounds) {
  EXPECT_EQ(decimal("1e9000").plus(decimal("1e-9000")).error().kind(), ErrorKind::kTooLarge);
  auto const high = decimal("1e9999").times(decimal("1e9999"));
  ASSERT_TRUE(high.has_value());
  EXPECT_EQ(high->times(*high).error().kind(), ErrorKind::kTooLarge);
  EXPECT_EQ(decimal("1").divided_by(decimal("0.00")).error().kind(), ErrorKind::kInvalid);
}

TEST(Decimal, DividesExactlyWhereADecimalCanAndRoundsHalfToEvenElsewhere) {
  EXPECT_EQ(decimal("1").divided_by(decimal("8"))->text(), "0.125");
  EXPECT_EQ(decimal("1.00").divided_by(decimal("0.5"))->text(), "2");
  EXPECT_EQ(decimal("-6").divided_by(decimal("3"))->text(), "-2");
  EXPECT_EQ(decimal("0").divided_by(decimal("7"))->text(), "0");
  EXPECT_EQ(decimal("1").divided_by(decimal("3"))->text(), "0." + std::string(60, '3'));
  EXPECT_EQ(decimal("2").divided_by(decimal("3"))->text(), "0." + std::string(59, '6') + "7");
  EXPECT_EQ(decimal("3").divided_by(decimal("9")), *decimal("1").divided_by(decimal("3")));
  EXPECT_EQ(decimal("2e50").divided_by(decimal("6e50")), *decimal("1").divided_by(decimal("3")));
}

TEST(Decimal, ShortestIsOneFormForAllEqualValues) {
  EXPECT_EQ(decimal("1.500").shortest().text(), "1.5");
  EXPECT_EQ(decimal("1e2").shortest().text(), "100");
  EXPECT_EQ(decimal("100.0").shortest().text(), "100");
  EXPECT_EQ(decimal("0.000").shortest().text(), "0");
  EXPECT_EQ(decimal("1.000e40").shortest().text(), "1e40");
}

TEST(Decimal, OrderedBytesOfEqualValuesAreEqual) {
  EXPECT_EQ(decimal("1.0").ordered_bytes(), decimal("1.00").ordered_bytes());
  EXPECT_EQ(decimal("100").ordered_bytes(), decimal("1e2").ordered_bytes());
  EXPECT_EQ(decimal("-0.0").ordered_bytes(), decimal("0e9").ordered_bytes());
  EXPECT_EQ(decimal("-12.340").ordered_bytes(), decimal("-1234e-2").ordered_bytes());
}

TEST(Decimal, OrderedBytesHaveTheLayoutOfVersionOne) {
  EXPECT_EQ(decimal("0").ordered_bytes(), "\x80");
  EXPECT_EQ(decimal("12.3").ordered_bytes(), std::string("\xC0\x80\x01\x0D\x1F\x00", 6));
  EXPECT_EQ(decimal("-12.3").ordered_bytes(), std::string("\x40\x7F\xFE\xF2\xE0\xFF", 6));
  EXPECT_EQ(decimal("-1e-10000").ordered_bytes().size(), 5U);
  EXPECT_EQ(decimal(std::string(kDecimalTextDigits, '9')).ordered_bytes().size(), 4 + kDecimalTextDigits / 2);
}

// Texts of all scales, most of them near each other.
std::vector<Decimal> many_decimals() {
  std::vector<Decimal> values;
  for (std::string const digits : {"0", "1", "9", "10", "11", "12", "99", "100", "101", "109", "110", "123",
                                   "999", "1000", "1001", "1010", "1100", "9999999999", "10000000001"}) {
    for (int const exponent : {-300, -11, -3, -2, -1, 0, 1, 2, 3, 9, 300}) {
      for (std::string const sign : {"", "-"})
        values.push_back(decimal(sign + digits + "e" + std::to_string(exponent)));
    }
  }
  return values;
}

TEST(Decimal, OrderOfTheBytesIsTheOrderOfTheValues) {
  auto const values = many_decimals();
  for (auto const& a : values) {
    for (auto const& b : values) {
      EXPECT_EQ(a.ordered_bytes() <=> b.ordered_bytes(), a <=> b) << a.text() << " " << b.text();
    }
  }
}

TEST(Decimal, NoOrderedBytesBeginOthers) {
  auto const values = many_decimals();
  for (auto const& a : values) {
    for (auto const& b : values) {
      if (a == b) continue;
      EXPECT_FALSE(b.ordered_bytes().starts_with(a.ordered_bytes())) << a.text() << " " << b.text();
    }
  }
}

TEST(Decimal, AgreesWithWholeNumberArithmeticOnRandomValues) {
  std::mt19937_64 random(20'240'901);
  std::uniform_int_distribution<std::int64_t> numbers(-2'000'000'000, 2'000'000'000);
  for (int i = 0; i < 2'000; ++i) {
    std::int64_t const a = numbers(random) >> (i % 31);
    std::int64_t const b = numbers(random) >> (i % 29);
    EXPECT_EQ(Decimal(a).plus(Decimal(b)), Decimal(a + b));
    EXPECT_EQ(Decimal(a).minus(Decimal(b)), Decimal(a - b));
    EXPECT_EQ(Decimal(a).times(Decimal(b)), Decimal(a * b));
    EXPECT_EQ(Decimal(a) <=> Decimal(b), a <=> b);
    if (b == 0) continue;
    EXPECT_EQ(Decimal(a * b).divided_by(Decimal(b)), Decimal(a));
  }
}

// Long numbers reach the rare branches of long division: q * d + r = n holds only when all of it is right.
TEST(Decimal, DividesProductsOfLongNumbersBackIntoTheirFactors) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string a;
    std::string b;
    for (std::uint64_t limbs = 1 + random() % 12; limbs != 0; --limbs)
      a += random() % 3 == 0 ? "999999999" : "123456789";
    for (std::uint64_t limbs = 1 + random() % 12; limbs != 0; --limbs)
      b += random() % 3 == 0 ? "500000000" : "999999998";
    b += '7';
    auto const product = decimal(a).times(decimal(b));
    ASSERT_TRUE(product.has_value());
    EXPECT_EQ(product->divided_by(decimal(b)), decimal(a)) << a << " " << b;
  }
}

// FHIR R4 search.html#number: "100: values that equal 100, to 3 significant figures precision, so this is
// actually searching for values in the range [99.5 ... 100.5)"; "100.00: [99.995 ... 100.005)".
// search.html#quantity: "5.4(+/-0.05) mg".
TEST(DecimalRange, IsHalfAUnitOfTheLastDigitToEachSide) {
  EXPECT_EQ(range_text(implicit_range(decimal("100"))), "99.5 100.5");
  EXPECT_EQ(range_text(implicit_range(decimal("100.00"))), "99.995 100.005");
  EXPECT_EQ(range_text(implicit_range(decimal("5.4"))), "5.35 5.45");
  EXPECT_EQ(range_text(implicit_range(decimal("-5.4"))), "-5.45 -5.35");
  EXPECT_EQ(range_text(implicit_range(decimal("0"))), "-0.5 0.5");
  EXPECT_EQ(range_text(implicit_range(decimal("0.00"))), "-0.005 0.005");
  EXPECT_EQ(range_text(implicit_range(decimal("1e2"))), "50 150");
}

TEST(DecimalRange, OfApproximateIsATenthOfTheValueButNotLessThanThePrecision) {
  EXPECT_EQ(range_text(approximate_range(decimal("100"))), "90 110");
  EXPECT_EQ(range_text(approximate_range(decimal("-100"))), "-110 -90");
  EXPECT_EQ(range_text(approximate_range(decimal("2"))), "1.5 2.5");
  EXPECT_EQ(range_text(approximate_range(decimal("0.0"))), "-0.05 0.05");
}

TEST(DecimalRange, ExistsForTheWidestTexts) {
  std::string const digits(kDecimalTextDigits, '9');
  for (std::string const& text : std::vector<std::string>{digits, "0." + digits, "1e10000", "1e-10000",
                                                          "0e-10000", digits + "e-10000"}) {
    auto const value = decimal(text);
    auto const range = implicit_range(value);
    ASSERT_TRUE(range.has_value());
    EXPECT_LT(range->low.ordered_bytes(), value.ordered_bytes());
    EXPECT_LT(value.ordered_bytes(), range->high.ordered_bytes());
    EXPECT_TRUE(approximate_range(value).has_value());
  }
}

}  // namespace
}  // namespace tacenda::codec

#include "codec/ucum.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "codec/internal/ucum_table.hpp"

namespace tacenda::codec {
namespace {

Decimal decimal(std::string_view text) {
  auto value = Decimal::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Decimal());
}

std::string code_of(std::string_view unit) {
  auto const parsed = parse_unit(unit);
  return parsed.has_value() ? parsed->canonical_code() : "error";
}

/// "value unit" in base units.
std::string canonical_text(std::string_view value, std::string_view unit) {
  auto const quantity = canonical(value, unit);
  return quantity.has_value() ? quantity->value.text() + " " + quantity->unit : "none";
}

std::string converted(std::string_view value, std::string_view from, std::string_view to) {
  auto const from_unit = parse_unit(from);
  auto const to_unit = parse_unit(to);
  if (!from_unit.has_value() || !to_unit.has_value()) return "no unit";
  auto const result = convert(decimal(value), *from_unit, *to_unit);
  return result.has_value() ? result->text() : "error";
}

ErrorKind refusal(std::string_view unit) {
  auto const parsed = parse_unit(unit);
  EXPECT_FALSE(parsed.has_value()) << unit;
  return parsed.has_value() ? ErrorKind::kBug : parsed.error().kind();
}

TEST(ParseUnit, BringsUnitsToBaseUnitsInOneOrder) {
  EXPECT_EQ(code_of("m"), "m");
  EXPECT_EQ(code_of("kg.m2/s2"), "g.m2.s-2");
  EXPECT_EQ(code_of("J"), "g.m2.s-2");
  EXPECT_EQ(code_of("mm[Hg]"), "g.m-1.s-2");
  EXPECT_EQ(code_of("V"), "C-1.g.m2.s-2");
  EXPECT_EQ(code_of("mmol/L"), "m-3");  // UCUM: a mole is a number
  EXPECT_EQ(code_of("m/m"), "1");
  EXPECT_EQ(code_of("%"), "1");
  EXPECT_EQ(code_of("m0"), "1");
}

TEST(ParseUnit, ReadsEveryUnitOfTheTableAloneAndWithAPrefixWhereItIsMetric) {
  auto const units = internal::ucum_units();
  ASSERT_EQ(units.size(), 310U);  // 303 units and 7 base units of ucum-essence.xml 2.0.1
  for (auto const& unit : units) {
    EXPECT_TRUE(parse_unit(unit.code).has_value()) << unit.code;
    EXPECT_EQ(parse_unit("u" + std::string(unit.code)).has_value() &&
                  code_of("u" + std::string(unit.code)) == code_of(unit.code),
              unit.is_metric)
        << unit.code;
  }
  EXPECT_TRUE(std::ranges::is_sorted(units, {}, &internal::UcumUnit::code));
  EXPECT_EQ(internal::ucum_prefixes().size(), 24U);
}

// UCUM section 7: from left to right, the solidus and the period alike; section 10: parentheses.
TEST(ParseUnit, GoesFromLeftToRight) {
  EXPECT_EQ(code_of("g/m.s"), "g.m-1.s");
  EXPECT_EQ(code_of("g/m/s"), "g.m-1.s-1");
  EXPECT_EQ(code_of("g/(m.s)"), "g.m-1.s-1");
  EXPECT_EQ(code_of("/m.s"), "m-1.s");  // "a leading solidus will invert the unit that directly follows it"
  EXPECT_EQ(code_of("((g))"), "g");
  EXPECT_EQ(code_of("g/(m/(s/rad))"), "g.m-1.rad-1.s");
}

// UCUM section 9: "1 cm3" equals "10-6 m3"; section 8: "2.5" means 2 × 5.
TEST(ParseUnit, RaisesPrefixAndAtomTogetherAndReadsWholeNumbersAlone) {
  EXPECT_EQ(canonical_text("1", "cm3"), "0.000001 m3");
  EXPECT_EQ(canonical_text("1", "cm+3"), "0.000001 m3");
  EXPECT_EQ(canonical_text("1", "cm-2"), "10000 m-2");
  EXPECT_EQ(canonical_text("1", "2.5"), "10 1");
  EXPECT_EQ(canonical_text("1", "10*3/uL"), "1000000000000 m-3");
  EXPECT_EQ(canonical_text("1", "10^-2"), "0.01 1");
}

// UCUM sections 6 and 12: annotations have no meaning; "%{vol}", "kg{total}" and "{RBC}" are "%", "kg" and
// "1".
TEST(ParseUnit, IgnoresAnnotations) {
  EXPECT_EQ(canonical_text("5", "%{vol}"), canonical_text("5", "%"));
  EXPECT_EQ(canonical_text("5", "kg{total}"), "5000 g");
  EXPECT_EQ(canonical_text("5", "{RBC}"), "5 1");
  EXPECT_EQ(canonical_text("5", "/{HPF}"), "5 1");
  EXPECT_EQ(canonical_text("5", "1{cells}"), "5 1");
  EXPECT_EQ(canonical_text("5", "mg{./(2[}/dL"), "50 g.m-3");
}

TEST(ParseUnit, RefusesWhatIsNoUnitExpression) {
  for (std::string_view const unit :
       {"",      " ",     "m ",     " m",   "m/",    "m.",         ".m",        "m..s",    "m//s",
        "//m",   "(m",    "m)",     "()",   "(m)2",  "12h",        "g/12h",     "10+3/ul", "m2.5m",
        "m-",    "m+",    "m2-",    "iU",   "molv",  "[iIU]",      "[H20]",     "cm[H20]", "[BETH'U]",
        "kkg",   "mmin",  "k",      "[",    "m[",    "]",          "{",         "}",       "{a",
        "{{a}}", "{a b}", "{a}{b}", "{a}m", "m{a}2", "{\xC3\xA4}", "\xC2\xB5g", "0",       "0.m",
        "2-3",   "1.5e3", "-1",     "100*2"}) {
    EXPECT_EQ(refusal(unit), ErrorKind::kInvalid) << unit;
  }
  EXPECT_EQ(refusal(std::string_view("m\0", 2)), ErrorKind::kInvalid);
}

TEST(ParseUnit, BoundsLengthExponentsAndFactor) {
  EXPECT_EQ(refusal(std::string(kUnitBytes + 1, '(')), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal(std::string(kUnitBytes, '(')), ErrorKind::kInvalid);
  EXPECT_EQ(code_of("m999"), "m999");
  EXPECT_EQ(refusal("m1000"), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal("m99999999999999999999"), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal("m999.m"), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal("[pi]999"), ErrorKind::kTooLarge);
  EXPECT_EQ(refusal("Ym999"), ErrorKind::kTooLarge);
}

// UCUM section 22: special units may be scaled through a prefix or a number, and in no other way take part in
// a product.
TEST(ParseUnit, RefusesSpecialUnitsInProductsAndPowers) {
  for (std::string_view const unit : {"Cel.m", "m.Cel", "Cel/s", "J/Cel", "/Cel", "Cel2", "Cel0", "(Cel)/m",
                                      "[pH].[pH]", "mol/[pH]", "1/Cel"}) {
    EXPECT_EQ(refusal(unit), ErrorKind::kInvalid) << unit;
  }
  EXPECT_EQ(code_of("mCel"), "K");
  EXPECT_EQ(code_of("2.Cel"), "K");
  EXPECT_EQ(code_of("Cel/2"), "K");
  EXPECT_EQ(code_of("10*-1.(Cel{skin})"), "K");
}

// From the tables of UCUM section 4, and of the constants there.
TEST(Canonical, HasTheValuesOfTheTablesOfUcum) {
  EXPECT_EQ(canonical_text("1", "[in_i]"), "0.0254 m");
  EXPECT_EQ(canonical_text("1", "[mi_i]"), "1609.344 m");
  EXPECT_EQ(canonical_text("1", "[lb_av]"), "453.59237 g");
  EXPECT_EQ(canonical_text("1", "mol"), "602213670000000000000000 1");
  EXPECT_EQ(canonical_text("1", "mm[Hg]"), "133322 g.m-1.s-2");
  EXPECT_EQ(canonical_text("1", "[gal_us]"), "0.003785411784 m3");
  EXPECT_EQ(canonical_text("1", "a"), "31557600 s");
  EXPECT_EQ(canonical_text("1", "wk"), "604800 s");
  EXPECT_EQ(canonical_text("1", "kcal_th"), "4184000 g.m2.s-2");
  EXPECT_EQ(canonical_text("1", "Ci"), "37000000000 s-1");
  EXPECT_EQ(canonical_text("1", "KiBy"), "8192 1");
}

TEST(Canonical, KeepsEveryDigitOfTheValue) {
  EXPECT_EQ(canonical_text("5.40", "mg/dL"), "54 g.m-3");
  EXPECT_EQ(canonical_text("0.123456789012345678901234567890123456789", "kg"),
            "123.456789012345678901234567890123456789 g");
  EXPECT_EQ(canonical_text("-1.5e-3", "L"), "-0.0000015 m3");
  EXPECT_EQ(canonical_text("0.00", "mg"), "0 g");
}

TEST(Canonical, IsTheSameForEqualQuantitiesEvenWhereNoDecimalStatesThem) {
  auto const bytes = [](std::string_view value, std::string_view unit) {
    auto const quantity = canonical(value, unit);
    return quantity.has_value() ? quantity->value.ordered_bytes() : "";
  };
  EXPECT_EQ(bytes("1", "/min"), bytes("60", "/h"));
  EXPECT_EQ(bytes("1.0", "/min"), bytes("1440.00", "/d"));
  EXPECT_EQ(bytes("360", "deg"), bytes("2", "[pi].rad"));
  EXPECT_EQ(bytes("98.6", "[degF]"), bytes("37.0", "Cel"));
  EXPECT_EQ(bytes("1", "[degF]"), bytes("1000", "10*-3.[degF]"));
  EXPECT_EQ(canonical_text("1", "/min"), "0.0" + std::string("1") + std::string(58, '6') + "7 s-1");
}

TEST(Canonical, TakesTheRangeOfThePrecisionAlong) {
  auto const unit = parse_unit("mg");
  auto const range = implicit_range(decimal("5.4"));
  ASSERT_TRUE(unit.has_value() && range.has_value());
  auto const moved = canonical(*range, *unit);
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(moved->unit, "g");
  EXPECT_EQ(moved->range.low.text(), "0.00535");
  EXPECT_EQ(moved->range.high.text(), "0.00545");
}

TEST(Canonical, IsAbsentForWhatIsNoNumberOrNoUnit) {
  EXPECT_FALSE(canonical("1.", "m").has_value());
  EXPECT_FALSE(canonical("1", "meter").has_value());
}

TEST(Convert, ConvertsTemperatures) {
  EXPECT_EQ(converted("0", "Cel", "K"), "273.15");  // UCUM table 4: 0 Cel is 273.15 K
  EXPECT_EQ(converted("98.6", "[degF]", "Cel"), "37");
  EXPECT_EQ(converted("-40", "[degF]", "Cel"), "-40");
  EXPECT_EQ(converted("32", "[degF]", "Cel"), "0");
  EXPECT_EQ(converted("100", "Cel", "[degF]"), "212");
  EXPECT_EQ(converted("0", "K", "[degF]"), "-459.67");
  EXPECT_EQ(converted("80", "[degRe]", "Cel"), "100");
  EXPECT_EQ(converted("37000", "mCel", "Cel"), "37");
  EXPECT_EQ(converted("18.5", "2.Cel", "Cel"), "37");
  EXPECT_EQ(converted("491.67", "[degR]", "Cel"), "0");
}

TEST(Convert, ConvertsBetweenUnitsOfOneDimension) {
  EXPECT_EQ(converted("1", "[lb_av]", "kg"), "0.45359237");
  EXPECT_EQ(converted("70", "kg", "[lb_av]").substr(0, 20), "154.3235835294143065");
  EXPECT_EQ(converted("120", "mm[Hg]", "kPa"), "15.99864");
  EXPECT_EQ(converted("1", "h", "s"), "3600");
  EXPECT_EQ(converted("5", "%", "[ppth]"), "50");
  EXPECT_EQ(converted("1", "U/L", "nmol/s/L").substr(0, 12), "16.666666666");
  EXPECT_EQ(converted("12", "10*3/uL", "10*9/L"), "12");
  EXPECT_EQ(converted("25", "dB[SPL]", "B[SPL]"), "2.5");
}

TEST(Convert, RefusesUnitsOfOtherDimensions) {
  EXPECT_EQ(converted("1", "kg", "m"), "error");
  EXPECT_EQ(converted("1", "[pH]", "mol/L"), "error");
  EXPECT_EQ(converted("1", "B[V]", "B[W]"), "error");
}

// UCUM section 24: an arbitrary unit is not commensurable with any other.
TEST(Comparable, HoldsArbitraryUnitsApart) {
  auto const are = [](std::string_view a, std::string_view b) {
    return comparable(*parse_unit(a), *parse_unit(b));
  };
  EXPECT_TRUE(are("[iU]", "k[iU]"));
  EXPECT_TRUE(are("[IU]/mL", "[iU]/L"));  // the table defines [IU] as [iU]
  EXPECT_TRUE(are("[CFU]", "[CFU]"));
  EXPECT_FALSE(are("[iU]", "1"));
  EXPECT_FALSE(are("[iU]", "[USP'U]"));
  EXPECT_FALSE(are("[iU]", "U"));
  EXPECT_FALSE(are("[iU]/mL", "[iU]"));
  EXPECT_TRUE(are("Cel", "K"));
  EXPECT_FALSE(are("[pH]", "1"));
}

// The group testQuantity of the FHIRPath suite for R4 (FHIR/fhir-test-cases, r4/fhirpath/tests-fhir-r4.xml);
// its days and weeks are d and wk here.
TEST(Compare, AnswersAsTheFhirpathSuiteExpects) {
  auto const order = [](std::string_view a, std::string_view a_unit, std::string_view b,
                        std::string_view b_unit) {
    auto const result = compare(decimal(a), *parse_unit(a_unit), decimal(b), *parse_unit(b_unit));
    return result.has_value() ? *result : std::strong_ordering::greater;
  };
  EXPECT_TRUE(order("4.0000", "g", "4000.0", "mg") == 0);      // testQuantity1
  EXPECT_TRUE(order("4", "g", "4040", "mg") < 0);              // testQuantity3
  EXPECT_TRUE(order("7", "d", "1", "wk") == 0);                // testQuantity5, 6
  EXPECT_TRUE(order("6", "d", "1", "wk") < 0);                 // testQuantity7
  EXPECT_TRUE(order("8", "d", "1", "wk") > 0);                 // testQuantity8
  EXPECT_TRUE(order("4.00", "(cm).(m)", "0.040", "m2") == 0);  // testQuantity9
  EXPECT_TRUE(order("2.0", "(g)/(m)", "2", "g/m") == 0);       // testQuantity10
  EXPECT_TRUE(order("1", "(m)/(m)", "1", "1") == 0);           // testQuantity11
}

TEST(Compare, IsExactWhereCanonicalValuesAreRounded) {
  auto const per_minute = *parse_unit("/min");
  auto const per_second = *parse_unit("/s");
  Decimal const rounded = canonical(decimal("1"), per_minute)->value;
  EXPECT_TRUE(compare(decimal("1"), per_minute, rounded, per_second) == std::strong_ordering::less);
  EXPECT_TRUE(compare(decimal("-1"), per_minute, rounded.negated(), per_second) ==
              std::strong_ordering::greater);
  EXPECT_TRUE(compare(decimal("0.0"), per_minute, decimal("0"), per_second) == std::strong_ordering::equal);
  EXPECT_EQ(compare(decimal("1"), per_minute, decimal("1"), *parse_unit("m")).error().kind(),
            ErrorKind::kInvalid);
}

TEST(Compare, AnswersForTheFarthestNumbersThatTextsCanState) {
  auto const high = *parse_unit("Ym");
  auto const low = *parse_unit("[pi].ym");
  EXPECT_TRUE(compare(decimal("1e10000"), high, decimal("1e-10000"), low) == std::strong_ordering::greater);
}

}  // namespace
}  // namespace tacenda::codec

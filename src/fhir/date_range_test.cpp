#include "fhir/date_range.hpp"

#include <gtest/gtest.h>

namespace tacenda::fhir {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t k2013 = 15'706 * kDay;  // 2013-01-01

TEST(DateRange, IsAsWideAsItsPrecision) {
  EXPECT_EQ(parse_date_range("2013"), (DateRange{k2013, k2013 + 365 * kDay - 1}));
  EXPECT_EQ(parse_date_range("2013-01"), (DateRange{k2013, k2013 + 31 * kDay - 1}));
  EXPECT_EQ(parse_date_range("2013-01-14"), (DateRange{k2013 + 13 * kDay, k2013 + 14 * kDay - 1}));
  EXPECT_EQ(parse_date_range("2013-01-01T10:00Z"),
            (DateRange{k2013 + 36'000 * kSecond, k2013 + 36'060 * kSecond - 1}));
  EXPECT_EQ(parse_date_range("2013-01-01T00:00:01Z"), (DateRange{k2013 + kSecond, k2013 + 2 * kSecond - 1}));
  EXPECT_EQ(parse_date_range("2013-01-01T00:00:00.5Z"), (DateRange{k2013 + 500'000, k2013 + 599'999}));
  EXPECT_EQ(parse_date_range("2013-01-01T00:00:00.0000015Z"), (DateRange{k2013 + 1, k2013 + 1}));
}

TEST(DateRange, CountsOffsets) {
  EXPECT_EQ(parse_date_range("2013-01-01T01:00:00+01:00")->low, k2013);
  EXPECT_EQ(parse_date_range("2012-12-31T19:00:00-05:00")->low, k2013);
  EXPECT_EQ(parse_date_range("2013-01-01T01:00:00 01:00")->low, k2013) << "a plus sign that a URL lost";
  EXPECT_EQ(parse_date_range("2013-01-01T00:00:00")->low, k2013);
}

TEST(DateRange, KnowsTheCalendar) {
  EXPECT_TRUE(parse_date_range("2000-02-29"));
  EXPECT_TRUE(parse_date_range("2016-12-31T23:59:60Z"));
  for (auto const* text : {"", "20", "0000", "2013-", "2013-13", "2013-00", "2013-02-29", "2013-1-1",
                           "2013-01-01T", "2013-01-01T24:00Z", "2013-01-01T10", "2013-01-01T10:00:00.Z",
                           "2013-01-01T10:00Zx", "2013-01-01T10:00+15:00", "2013-01-01 10:00", "x2013"}) {
    EXPECT_FALSE(parse_date_range(text)) << text;
  }
}

}  // namespace
}  // namespace tacenda::fhir

#include <gtest/gtest.h>

#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

TEST(Instant, WritesUtcWithMilliseconds) {
  EXPECT_EQ(format_instant(from_unix_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_instant(from_unix_ms(1'700'000'000'007)), "2023-11-14T22:13:20.007Z");
}

TEST(Instant, ReadsOffsetsFractionsAndDates) {
  EXPECT_EQ(to_unix_ms(parse_instant("2023-11-14T22:13:20.007Z").value()), 1'700'000'000'007U);
  EXPECT_EQ(to_unix_ms(parse_instant("2023-11-15T00:13:20+02:00").value()), 1'700'000'000'000U);
  EXPECT_EQ(to_unix_ms(parse_instant("2023-11-14T22:13:20.1239999Z").value()), 1'700'000'000'123U);
  EXPECT_EQ(to_unix_ms(parse_instant("1970-01-02").value()), 86'400'000U);
  EXPECT_EQ(parse_instant("2016-12-31T23:59:60Z").value(), parse_instant("2017-01-01T00:00:00Z").value());
}

TEST(Instant, RefusesWhatIsNoTime) {
  for (auto const* text : {"", "2023", "2023-02-29", "2023-13-01", "2023-01-01T", "2023-01-01T24:00:00Z",
                           "2023-01-01T00:00:00", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00+15:00",
                           "2023-01-01T00:00:00Zx", "20230101", "2023-1-01", "0000-01-01",
                           "2023-01-01T00:00:00+14:01", "2023-01-01t00:00:00z", "0001-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:60Z", "2023-01-01T00:00:61Z", "2023-01-01T00:60:00Z"}) {
    EXPECT_FALSE(parse_instant(text).has_value()) << text;
  }
}

TEST(HttpDate, HasTheFormOfRfc9110) {
  EXPECT_EQ(format_http_date(from_unix_ms(784'111'777'000)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

// RFC 3339 section 5.8.
TEST(Instant, ReadsTheExamplesOfRfc3339) {
  auto const written = [](std::string_view text) { return format_instant(parse_instant(text).value()); };
  EXPECT_EQ(written("1985-04-12T23:20:50.52Z"), "1985-04-12T23:20:50.520Z");
  EXPECT_EQ(written("1996-12-19T16:39:57-08:00"), "1996-12-20T00:39:57.000Z");
  EXPECT_EQ(written("1990-12-31T23:59:60Z"), "1991-01-01T00:00:00.000Z");
  EXPECT_EQ(written("1990-12-31T15:59:60-08:00"), "1991-01-01T00:00:00.000Z");
  EXPECT_EQ(written("1937-01-01T12:00:27.87+00:20"), "1937-01-01T11:40:27.870Z");
}

TEST(Instant, RoundTripsAcrossFourCenturies) {
  for (std::int64_t day = -73'048; day < 73'048; day += 13) {
    Time const time(std::chrono::milliseconds(day * 86'400'000 + day % 86'400'000));
    EXPECT_EQ(parse_instant(format_instant(time)).value(), time);
    auto const second = std::chrono::floor<std::chrono::seconds>(time);
    EXPECT_EQ(parse_http_date(format_http_date(time)).value(), Time(second));
  }
}

// RFC 9110 section 5.6.7 gives one moment in three forms.
TEST(HttpDate, ReadsTheThreeFormsOfRfc9110) {
  Time const expected = from_unix_ms(784'111'777'000);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value(), expected);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT").value(), expected);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994").value(), expected);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994").value(), expected + std::chrono::days(10));
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT").value(),
            parse_instant("2017-01-01T00:00:00Z").value());
}

TEST(HttpDate, RefusesWhatIsNone) {
  for (auto const* text :
       {"", "Sun", "Sun,", "Sun, 6 Nov 1994 08:49:37 GMT", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun Nov 6 08:49:37 1994", "Sunday, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +0000"}) {
    EXPECT_FALSE(parse_http_date(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tacenda::codec

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "fhirpath/decimal.hpp"

namespace tacenda::fhirpath {

/// A Date, DateTime or Time with the precision it was written with. Parts beyond the precision are zero
/// (month and day: 1). A Time has no year, month and day.
///
/// Source: FHIRPath N1 sections 2.1.5 to 2.1.7, 6.2.
struct Temporal {
  enum class Precision : std::uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kFraction };
  static constexpr std::int16_t kNoOffset = INT16_MIN;

  std::int16_t year = 0;
  std::uint8_t month = 1;
  std::uint8_t day = 1;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  Precision precision = Precision::kYear;
  std::uint32_t nanosecond = 0;
  std::uint8_t fraction_digits = 0;  // as written, at most 9 are kept
  std::int16_t offset_minutes = kNoOffset;

  bool has_time() const { return precision >= Precision::kHour; }
  bool has_offset() const { return offset_minutes != kNoOffset; }
};

enum class CalendarUnit : std::uint8_t {
  kYear,
  kMonth,
  kWeek,
  kDay,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
};

/// "2015", "2015-02", "2015-02-04". All three: nullopt when it is none, or no day of the calendar.
std::optional<Temporal> parse_date(std::string_view text);
/// A date, and behind a T an optional time with an optional offset: "2015T", "2015-02-04T14:34Z". A leap
/// second is the second before it.
std::optional<Temporal> parse_date_time(std::string_view text);
/// "14", "14:34", "14:34:28.123"; no offset.
std::optional<Temporal> parse_time(std::string_view text);

std::string format_date(Temporal const& date);
std::string format_date_time(Temporal const& date_time);  // no T behind a date alone
std::string format_time(Temporal const& time);

/// The moment on the clock of a place `offset_minutes` east of UTC, to the millisecond.
Temporal date_time_of(Time time, std::int16_t offset_minutes);

/// -1, 0 or 1; nullopt where the precisions, or one missing offset, leave it open. Two Times, or two of
/// Date and DateTime. Seconds and their fraction are one precision.
std::optional<int> compare(Temporal const& a, Temporal const& b);

/// `amount` units later (earlier when negative). A unit finer than the precision is first turned into it
/// (24 months after 2014 is 2016); the last day of a month is not left (31 January + 1 month). A Time
/// wraps around. nullopt: years outside of 1 to 9999. Source: N1 section 6.7.
std::optional<Temporal> add(Temporal const& start, std::int64_t amount, CalendarUnit unit, bool is_time);

/// Digits of the precision: 4 of a year, 17 of a DateTime with milliseconds; a Time has 2 to 9.
int precision_digits(Temporal const& value, bool is_time);
/// The earliest and the latest value that `value` may stand for, to a precision in digits; nullopt when
/// there is none such. A missing offset becomes +14:00 or -12:00. Source: FHIRPath lowBoundary, highBoundary,
/// in whose examples an hour alone stands for its minute 0.
enum class Boundary : std::uint8_t { kLow, kHigh };
std::optional<Temporal> boundary_of(Temporal const& value, Boundary which, int digits, bool is_time);

}  // namespace tacenda::fhirpath

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tacenda::fhir {

/// The time that a date or date-time stands for, from its first to its last microsecond (both in it), as
/// microseconds since 1970 UTC.
struct DateRange {
  std::int64_t low = 0;
  std::int64_t high = 0;

  friend bool operator==(DateRange const&, DateRange const&) = default;
};

// What an open end of a Period stands for.
inline constexpr std::int64_t kBeforeAllTime = INT64_MIN;
inline constexpr std::int64_t kAfterAllTime = INT64_MAX;

/// Of a year, month, day, or a day with hour and minute (seconds and their fraction may follow), with or
/// without an offset; without one the time is UTC. A blank stands for the plus sign of an offset that was not
/// escaped in a URL. nullopt: none such, or not in the calendar. Source: R4 datatypes.html#dateTime,
/// search.html#date.
std::optional<DateRange> parse_date_range(std::string_view text);

}  // namespace tacenda::fhir

// Dates: R4 search.html#prefix over ranges of time.
#include <algorithm>
#include <limits>

#include "records/internal/term_query.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {
namespace {

using fhir::DateRange;
using fhir::Prefix;

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

std::int64_t minus(std::int64_t value, std::int64_t by) {
  return value < kFirst + by ? kFirst : value - by;
}

bool within(DateRange asked, DateRange stored) {
  return stored.low >= asked.low && stored.high <= asked.high;
}

bool answers(Prefix prefix, DateRange asked, DateRange stored) {
  switch (prefix) {
    case Prefix::kEq:
      return within(asked, stored);
    case Prefix::kNe:
      return !within(asked, stored);
    case Prefix::kGt:
      return stored.high > asked.high;
    case Prefix::kGe:
      return stored.high > asked.high || within(asked, stored);
    case Prefix::kLt:
      return stored.low < asked.low;
    case Prefix::kLe:
      return stored.low < asked.low || within(asked, stored);
    case Prefix::kSa:
      return stored.low > asked.high;
    case Prefix::kEb:
      return stored.high < asked.low;
    case Prefix::kAp:
      return stored.low <= asked.high && stored.high >= asked.low;
  }
  return false;
}

/// Where the low end of an answer can lie, when no range is longer than `longest`.
DateRange lows(Prefix prefix, DateRange asked, std::optional<std::int64_t> longest) {
  auto const back = [&](std::int64_t from) { return longest ? minus(from, *longest) : kFirst; };
  switch (prefix) {
    case Prefix::kEq:
      return asked;
    case Prefix::kNe:
      return {kFirst, kLast};
    case Prefix::kGt:
      return {back(asked.high), kLast};
    case Prefix::kGe:
      return {std::min(asked.low, back(asked.high)), kLast};
    case Prefix::kLt:
    case Prefix::kEb:
      return {kFirst, asked.low};
    case Prefix::kLe:
      return {kFirst, asked.high};
    case Prefix::kSa:
      return {asked.high, kLast};
    case Prefix::kAp:
      return {back(asked.low), asked.high};
  }
  return {kFirst, kLast};
}

/// R4 search.html#prefix, ap: at each end a tenth of the time between it and now.
DateRange widened(DateRange asked, Time now) {
  std::int64_t const present = static_cast<std::int64_t>(to_unix_ms(now)) * 1'000;
  auto const gap = [&](std::int64_t edge) { return (edge > present ? edge - present : present - edge) / 10; };
  return {asked.low - gap(asked.low), asked.high + gap(asked.high)};
}

std::string bound(std::uint8_t width, std::int64_t low) {
  std::string bytes(1, static_cast<char>(Section::kDate));
  bytes.push_back(static_cast<char>(width));
  append_u64(bytes, ordered(low));
  return bytes;
}

}  // namespace

Result<std::vector<TermRange>> date_ranges(QueryContext const& context, fhir::SearchValue const& value) {
  auto const parsed = fhir::parse_date_range(value.text);
  if (!parsed) return fail(ErrorKind::kInvalid, "a date parameter has a value that is no date");
  DateRange const asked = value.prefix == Prefix::kAp ? widened(*parsed, context.now) : *parsed;
  std::vector<TermRange> ranges;
  for (std::uint8_t width = 0; width < kDateWidths; ++width) {
    auto const [first, last] = lows(value.prefix, asked, longest_of(width));
    TermRange range;
    range.from = bound(width, first);
    range.to = after_prefix(bound(width, last));
    range.accepts = [prefix = value.prefix, asked](std::string_view bytes, std::string_view) {
      bytes.remove_prefix(2);
      auto const low = take_u64(bytes);
      auto const high = take_u64(bytes);
      return low.has_value() && high.has_value() &&
             answers(prefix, asked, {unordered(*low), unordered(*high)});
    };
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace tacenda::records

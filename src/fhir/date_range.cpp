#include "fhir/date_range.hpp"

#include <charconv>
#include <chrono>

namespace tacenda::fhir {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 24 * 60 * kMinute;

/// Takes exactly `digits` digits from the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (char const c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t microseconds_of(std::chrono::year_month_day day) {
  return std::chrono::sys_days(day).time_since_epoch().count() * kDay;
}

/// Z, +hh:mm or -hh:mm at the end; nothing is UTC. In microseconds to subtract.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (text.empty() || take(text, 'Z')) return 0;
  std::int64_t sign = 1;
  if (take(text, '-'))
    sign = -1;
  else if (!take(text, '+') && !take(text, ' '))
    return std::nullopt;
  auto const hours = take_number(text, 2);
  if (!hours || !take(text, ':')) return std::nullopt;
  auto const minutes = take_number(text, 2);
  if (!minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes) * kMinute;
}

/// A fraction of a second: any number of digits, of which six count. `width` becomes what one unit of the
/// last digit covers.
std::optional<std::int64_t> take_fraction(std::string_view& text, std::int64_t& width) {
  std::int64_t value = 0;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (width > 1) {
      width /= 10;
      value += (text.front() - '0') * width;
    }
    text.remove_prefix(1);
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  return value;
}

std::optional<DateRange> time_of(std::int64_t day, std::string_view text) {
  auto const hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  auto const minute = take_number(text, 2);
  // 60 is a leap second.
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  std::int64_t low = day + (*hour * 60 + *minute) * kMinute;
  std::int64_t width = kMinute;
  if (take(text, ':')) {
    auto const second = take_number(text, 2);
    if (!second || *second > 60) return std::nullopt;
    low += *second * kSecond;
    width = kSecond;
    if (take(text, '.')) {
      auto const fraction = take_fraction(text, width);
      if (!fraction) return std::nullopt;
      low += *fraction;
    }
  }
  auto const offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  low -= *offset;
  return DateRange{low, low + width - 1};
}

}  // namespace

std::optional<DateRange> parse_date_range(std::string_view text) {
  using namespace std::chrono;
  auto const y = take_number(text, 4);
  if (!y || *y == 0) return std::nullopt;
  if (text.empty()) {
    return DateRange{microseconds_of(year(*y) / 1 / 1), microseconds_of(year(*y + 1) / 1 / 1) - 1};
  }
  if (!take(text, '-')) return std::nullopt;
  auto const m = take_number(text, 2);
  if (!m || *m < 1 || *m > 12) return std::nullopt;
  year_month const month_of_year = year(*y) / *m;
  if (text.empty()) {
    return DateRange{microseconds_of(month_of_year / 1),
                     microseconds_of((month_of_year + months(1)) / 1) - 1};
  }
  if (!take(text, '-')) return std::nullopt;
  auto const d = take_number(text, 2);
  if (!d) return std::nullopt;
  year_month_day const day = month_of_year / *d;
  if (!day.ok()) return std::nullopt;
  std::int64_t const low = microseconds_of(day);
  if (text.empty()) return DateRange{low, low + kDay - 1};
  if (!take(text, 'T')) return std::nullopt;
  return time_of(low, text);
}

}  // namespace tacenda::fhir

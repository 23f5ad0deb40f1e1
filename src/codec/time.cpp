#include <array>
#include <cstdint>
#include <span>

#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

using std::chrono::January, std::chrono::December;
constexpr Time kFirst{std::chrono::sys_days(std::chrono::year(1) / January / 1)};
constexpr Time kLast{std::chrono::sys_days(std::chrono::year(9999) / December / 31) + std::chrono::hours(24) -
                     std::chrono::milliseconds(1)};

void append_number(std::string& out, std::int64_t value, std::size_t width) {
  std::string const digits = std::to_string(value);
  out.append(width > digits.size() ? width - digits.size() : 0, '0').append(digits);
}

struct Civil {
  std::chrono::year_month_day date;
  std::int64_t hour, minute, second, millisecond;
};

Civil civil_of(Time time) {
  auto const days = std::chrono::floor<std::chrono::days>(time);
  std::int64_t const ms = (time - days).count();
  return {std::chrono::year_month_day(days), ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000};
}

/// Reads exactly `width` digits.
Result<int> take_number(std::string_view& text, std::size_t width) {
  int value = 0;
  if (text.size() < width) return fail(ErrorKind::kInvalid, "a time is cut off");
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return fail(ErrorKind::kInvalid, "a time has a character that is no digit");
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123456": milliseconds; what is finer is cut off.
Result<std::chrono::milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return std::chrono::milliseconds(0);
  int ms = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits < 3) ms = ms * 10 + (text[digits] - '0');
  }
  if (digits == 0) return fail(ErrorKind::kInvalid, "a time has a fraction without digits");
  for (std::size_t i = digits; i < 3; ++i) ms *= 10;
  text.remove_prefix(digits);
  return std::chrono::milliseconds(ms);
}

Result<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return std::chrono::minutes(0);
  int const sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
  if (sign == 0) return fail(ErrorKind::kInvalid, "a time has no offset");
  int const hours = TACENDA_TRY(take_number(text, 2));
  if (!take(text, ':')) return fail(ErrorKind::kInvalid, "a time has an offset of another form");
  int const minutes = TACENDA_TRY(take_number(text, 2));
  if (hours > 14 || minutes > 59 || (hours == 14 && minutes > 0))
    return fail(ErrorKind::kInvalid, "a time has an offset out of range");
  return sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
}

/// "04:05:06". A leap second (:60) is taken at every minute and counts as the second after it, as Unix time
/// has it: which minutes had one is knowledge that this room lacks.
Result<std::chrono::seconds> take_time_of_day(std::string_view& text) {
  int const hour = TACENDA_TRY(take_number(text, 2));
  if (!take(text, ':')) return fail(ErrorKind::kInvalid, "a time has another form than hh:mm:ss");
  int const minute = TACENDA_TRY(take_number(text, 2));
  if (!take(text, ':')) return fail(ErrorKind::kInvalid, "a time has another form than hh:mm:ss");
  int const second = TACENDA_TRY(take_number(text, 2));
  if (hour > 23 || minute > 59 || second > 60) return fail(ErrorKind::kInvalid, "a time is out of range");
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

Result<Time> start_of_day(int year, int month, int day) {
  std::chrono::year_month_day const date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok() || year < 1) return fail(ErrorKind::kInvalid, "there is no such day");
  return Time(std::chrono::sys_days(date));
}

/// The position of one of `names` that `text` starts with.
Result<int> take_name(std::string_view& text, std::span<std::string_view const> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!text.starts_with(names[i])) continue;
    text.remove_prefix(names[i].size());
    return static_cast<int>(i);
  }
  return fail(ErrorKind::kInvalid, "an HTTP date has an unknown day or month");
}

Result<void> take_all(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return fail(ErrorKind::kInvalid, "an HTTP date has another form");
  text.remove_prefix(expected.size());
  return {};
}

Result<Time> http_time(std::string_view& text, int year, int month, int day) {
  Time const start = TACENDA_TRY(start_of_day(year, month + 1, day));
  return start + TACENDA_TRY(take_time_of_day(text));
}

/// ", 06 Nov 1994 08:49:37 GMT"
Result<Time> imf_fixdate(std::string_view& text) {
  TACENDA_TRY_VOID(take_all(text, ", "));
  int const day = TACENDA_TRY(take_number(text, 2));
  TACENDA_TRY_VOID(take_all(text, " "));
  int const month = TACENDA_TRY(take_name(text, kMonths));
  TACENDA_TRY_VOID(take_all(text, " "));
  int const year = TACENDA_TRY(take_number(text, 4));
  TACENDA_TRY_VOID(take_all(text, " "));
  Time const time = TACENDA_TRY(http_time(text, year, month, day));
  TACENDA_TRY_VOID(take_all(text, " GMT"));
  return time;
}

/// "day, 06-Nov-94 08:49:37 GMT": RFC 850. Years from 70 on are those of the last century; RFC 9110 measures
/// from today, which this room does not know, and no sender of such dates is left to mind.
Result<Time> rfc850_date(std::string_view& text) {
  TACENDA_TRY_VOID(take_all(text, ", "));
  int const day = TACENDA_TRY(take_number(text, 2));
  TACENDA_TRY_VOID(take_all(text, "-"));
  int const month = TACENDA_TRY(take_name(text, kMonths));
  TACENDA_TRY_VOID(take_all(text, "-"));
  int const year = TACENDA_TRY(take_number(text, 2));
  TACENDA_TRY_VOID(take_all(text, " "));
  Time const time = TACENDA_TRY(http_time(text, year + (year < 70 ? 2000 : 1900), month, day));
  TACENDA_TRY_VOID(take_all(text, " GMT"));
  return time;
}

/// " Nov  6 08:49:37 1994": asctime, whose year stands last.
Result<Time> asctime_date(std::string_view& text) {
  TACENDA_TRY_VOID(take_all(text, " "));
  int const month = TACENDA_TRY(take_name(text, kMonths));
  TACENDA_TRY_VOID(take_all(text, " "));
  int const day = TACENDA_TRY(take_number(text, take(text, ' ') ? 1 : 2));
  TACENDA_TRY_VOID(take_all(text, " "));
  auto const time_of_day = TACENDA_TRY(take_time_of_day(text));
  TACENDA_TRY_VOID(take_all(text, " "));
  int const year = TACENDA_TRY(take_number(text, 4));
  Time const start = TACENDA_TRY(start_of_day(year, month + 1, day));
  return start + time_of_day;
}

}  // namespace

std::string format_instant(Time time) {
  auto const civil = civil_of(time);
  std::string out;
  out.reserve(24);
  append_number(out, static_cast<int>(civil.date.year()), 4);
  out.push_back('-');
  append_number(out, static_cast<unsigned>(civil.date.month()), 2);
  out.push_back('-');
  append_number(out, static_cast<unsigned>(civil.date.day()), 2);
  out.push_back('T');
  append_number(out, civil.hour, 2);
  out.push_back(':');
  append_number(out, civil.minute, 2);
  out.push_back(':');
  append_number(out, civil.second, 2);
  out.push_back('.');
  append_number(out, civil.millisecond, 3);
  out.push_back('Z');
  return out;
}

Result<Time> parse_instant(std::string_view text) {
  int const y = TACENDA_TRY(take_number(text, 4));
  if (!take(text, '-')) return fail(ErrorKind::kInvalid, "a date has another form than YYYY-MM-DD");
  int const m = TACENDA_TRY(take_number(text, 2));
  if (!take(text, '-')) return fail(ErrorKind::kInvalid, "a date has another form than YYYY-MM-DD");
  int const d = TACENDA_TRY(take_number(text, 2));
  Time const start = TACENDA_TRY(start_of_day(y, m, d));
  if (text.empty()) return start;
  if (!take(text, 'T')) return fail(ErrorKind::kInvalid, "a time has another form than RFC 3339");
  auto const time_of_day = TACENDA_TRY(take_time_of_day(text));
  auto const fraction = TACENDA_TRY(take_fraction(text));
  auto const offset = TACENDA_TRY(take_offset(text));
  if (!text.empty()) return fail(ErrorKind::kInvalid, "a time has something after its end");
  Time const time = start + time_of_day + fraction - offset;
  if (time < kFirst || time > kLast)
    return fail(ErrorKind::kInvalid, "a time is outside the years 1 to 9999");
  return time;
}

std::string format_http_date(Time time) {
  auto const civil = civil_of(time);
  std::chrono::weekday const day{std::chrono::floor<std::chrono::days>(time)};
  std::string out(kDays[day.c_encoding()]);
  out.append(", ");
  append_number(out, static_cast<unsigned>(civil.date.day()), 2);
  out.append(" ").append(kMonths[static_cast<unsigned>(civil.date.month()) - 1]).append(" ");
  append_number(out, static_cast<int>(civil.date.year()), 4);
  out.append(" ");
  append_number(out, civil.hour, 2);
  out.push_back(':');
  append_number(out, civil.minute, 2);
  out.push_back(':');
  append_number(out, civil.second, 2);
  out.append(" GMT");
  return out;
}

Result<Time> parse_http_date(std::string_view text) {
  // A long day's name starts with the short one: the long ones are tried first.
  std::string_view rest = text;
  auto long_day = take_name(rest, kLongDays);
  int const day = long_day.has_value() ? *long_day : TACENDA_TRY(take_name(rest, kDays));
  Time const time = TACENDA_TRY(long_day.has_value()     ? rfc850_date(rest)
                                : rest.starts_with(", ") ? imf_fixdate(rest)
                                                         : asctime_date(rest));
  if (!rest.empty()) return fail(ErrorKind::kInvalid, "an HTTP date has something after its end");
  if (time > kLast) return fail(ErrorKind::kInvalid, "a time is outside the years 1 to 9999");
  // A recipient may take a wrong day of the week; it is the one hint that the rest was mangled.
  std::chrono::weekday const weekday{std::chrono::floor<std::chrono::days>(time)};
  bool const is_leap_second = text.contains(":60");
  if (!is_leap_second && weekday.c_encoding() != static_cast<unsigned>(day)) {
    return fail(ErrorKind::kInvalid, "an HTTP date has the day of the week of another day");
  }
  return time;
}

}  // namespace tacenda::codec

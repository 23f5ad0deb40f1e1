#include "fhirpath/temporal.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace tacenda::fhirpath {
namespace {

using Precision = Temporal::Precision;

constexpr std::int64_t kNanosecondsPerDay = std::int64_t{86'400} * 1'000'000'000;

/// Takes fixed-width numbers and marks off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  bool take(char mark) {
    if (!rest_.starts_with(mark)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::optional<int> number(std::size_t width) {
    if (rest_.size() < width) return std::nullopt;
    int value = 0;
    for (char const c : rest_.substr(0, width)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }
  std::string_view digits() {
    std::size_t const end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    auto const taken = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return taken;
  }

 private:
  std::string_view rest_;
};

bool is_day(Temporal const& value) {
  return std::chrono::year_month_day(std::chrono::year(value.year), std::chrono::month(value.month),
                                     std::chrono::day(value.day))
      .ok();
}

bool read_date(Reader& reader, Temporal& out) {
  auto const year = reader.number(4);
  if (!year || *year == 0) return false;
  out.year = static_cast<std::int16_t>(*year);
  if (!reader.take('-')) return true;
  auto const month = reader.number(2);
  if (!month || *month < 1 || *month > 12) return false;
  out.month = static_cast<std::uint8_t>(*month);
  out.precision = Precision::kMonth;
  if (!reader.take('-')) return true;
  auto const day = reader.number(2);
  if (!day || *day > 31) return false;
  out.day = static_cast<std::uint8_t>(*day);
  out.precision = Precision::kDay;
  return is_day(out);
}

bool read_fraction(Reader& reader, Temporal& out) {
  std::string_view const digits = reader.digits();
  if (digits.empty()) return false;
  out.fraction_digits = static_cast<std::uint8_t>(std::min<std::size_t>(digits.size(), 9));
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    value = value * 10 + (i < digits.size() ? static_cast<std::uint32_t>(digits[i] - '0') : 0U);
  }
  out.nanosecond = value;
  out.precision = Precision::kFraction;
  return true;
}

bool read_time(Reader& reader, Temporal& out) {
  auto const hour = reader.number(2);
  if (!hour || *hour > 23) return false;
  out.hour = static_cast<std::uint8_t>(*hour);
  out.precision = Precision::kHour;
  if (!reader.take(':')) return true;
  auto const minute = reader.number(2);
  if (!minute || *minute > 59) return false;
  out.minute = static_cast<std::uint8_t>(*minute);
  out.precision = Precision::kMinute;
  if (!reader.take(':')) return true;
  auto const second = reader.number(2);
  if (!second || *second > 60) return false;
  out.second = static_cast<std::uint8_t>(std::min(*second, 59));
  out.precision = Precision::kSecond;
  return !reader.take('.') || read_fraction(reader, out);
}

bool read_offset(Reader& reader, Temporal& out) {
  if (reader.take('Z')) {
    out.offset_minutes = 0;
    return true;
  }
  int const sign = reader.take('-') ? -1 : 1;
  if (sign == 1 && !reader.take('+')) return true;  // there is none
  auto const hours = reader.number(2);
  if (!hours || *hours > 14 || !reader.take(':')) return false;
  auto const minutes = reader.number(2);
  if (!minutes || *minutes > 59) return false;
  out.offset_minutes = static_cast<std::int16_t>(sign * (*hours * 60 + *minutes));
  return true;
}

std::chrono::sys_days days_of(Temporal const& value) {
  return std::chrono::year_month_day(std::chrono::year(value.year), std::chrono::month(value.month),
                                     std::chrono::day(value.day));
}

void set_days(Temporal& value, std::chrono::sys_days days) {
  std::chrono::year_month_day const date(days);
  value.year = static_cast<std::int16_t>(static_cast<int>(date.year()));
  value.month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month()));
  value.day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()));
}

std::int64_t nanoseconds_of_day(Temporal const& value) {
  std::int64_t const seconds =
      (std::int64_t{value.hour} * 60 + value.minute) * 60 + std::int64_t{value.second};
  return seconds * 1'000'000'000 + value.nanosecond;
}

void set_time(Temporal& value, std::int64_t nanoseconds) {
  value.nanosecond = static_cast<std::uint32_t>(nanoseconds % 1'000'000'000);
  std::int64_t const seconds = nanoseconds / 1'000'000'000;
  value.second = static_cast<std::uint8_t>(seconds % 60);
  value.minute = static_cast<std::uint8_t>(seconds / 60 % 60);
  value.hour = static_cast<std::uint8_t>(seconds / 3'600);
}

bool is_year_in_range(std::chrono::sys_days days) {
  auto const year = std::chrono::year_month_day(days).year();
  return year >= std::chrono::year(1) && year <= std::chrono::year(9'999);
}

/// Moves by a span of the clock; false when the calendar ends before.
bool shift(Temporal& value, std::int64_t days, std::int64_t nanoseconds, bool is_time) {
  std::int64_t const sum = nanoseconds_of_day(value) + nanoseconds;
  std::int64_t carry = sum / kNanosecondsPerDay;
  std::int64_t rest = sum % kNanosecondsPerDay;
  if (rest < 0) {
    rest += kNanosecondsPerDay;
    --carry;
  }
  set_time(value, rest);
  if (is_time) return true;
  auto const moved = days_of(value) + std::chrono::days(days + carry);
  if (!is_year_in_range(moved)) return false;
  set_days(value, moved);
  return true;
}

Temporal in_utc(Temporal value) {
  if (value.has_offset()) {
    // A day before year 1 or after 9999 stays comparable: chrono's years reach further.
    std::int64_t const minutes = std::int64_t{value.offset_minutes} * 60 * 1'000'000'000;
    std::int64_t rest = nanoseconds_of_day(value) - minutes;
    auto days = days_of(value);
    if (rest < 0) {
      rest += kNanosecondsPerDay;
      days -= std::chrono::days(1);
    } else if (rest >= kNanosecondsPerDay) {
      rest -= kNanosecondsPerDay;
      days += std::chrono::days(1);
    }
    set_days(value, days);
    set_time(value, rest);
  }
  return value;
}

template <typename T>
int order(T a, T b) {
  if (a == b) return 0;
  return a < b ? -1 : 1;
}

std::optional<int> compare_fields(Temporal const& a, Temporal const& b) {
  auto const fields = [](Temporal const& value) {
    std::int64_t const seconds = std::int64_t{value.second} * 1'000'000'000 + value.nanosecond;
    return std::array<std::int64_t, 6>{value.year, value.month, value.day, value.hour, value.minute, seconds};
  };
  auto const left = fields(a);
  auto const right = fields(b);
  Precision const precision_a = std::min(a.precision, Precision::kSecond);
  Precision const precision_b = std::min(b.precision, Precision::kSecond);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(std::min(precision_a, precision_b)); ++i) {
    if (left[i] != right[i]) return order(left[i], right[i]);
  }
  if (precision_a != precision_b) return std::nullopt;
  return 0;
}

/// One side has no offset: it is some moment between -14 and +12 hours from its own text.
std::optional<int> compare_without_offset(Temporal const& local, Temporal const& fixed) {
  Temporal earliest = local;
  earliest.offset_minutes = 14 * 60;
  if (auto const first = compare_fields(in_utc(earliest), in_utc(fixed)); first && *first > 0) return 1;
  Temporal latest = local;
  latest.offset_minutes = -12 * 60;
  if (auto const last = compare_fields(in_utc(latest), in_utc(fixed)); last && *last < 0) return -1;
  return std::nullopt;
}

std::optional<Temporal> add_months(Temporal value, std::int64_t months) {
  std::int64_t const sum = std::int64_t{value.year} * 12 + value.month - 1 + months;
  if (sum < 12 || sum / 12 > 9'999) return std::nullopt;
  value.year = static_cast<std::int16_t>(sum / 12);
  value.month = static_cast<std::uint8_t>(sum % 12 + 1);
  auto const last = std::chrono::year_month_day_last(
      std::chrono::year(value.year), std::chrono::month_day_last(std::chrono::month(value.month)));
  value.day = std::min(value.day, static_cast<std::uint8_t>(static_cast<unsigned>(last.day())));
  return value;
}

constexpr std::int64_t kAmountMax = 1'000'000'000'000;  // 31,688 years in seconds

std::int64_t nanoseconds_of(CalendarUnit unit) {
  switch (unit) {
    case CalendarUnit::kHour:
      return 3'600'000'000'000;
    case CalendarUnit::kMinute:
      return 60'000'000'000;
    case CalendarUnit::kSecond:
      return 1'000'000'000;
    default:
      return 1'000'000;
  }
}

void append_number(std::string& out, unsigned value, std::size_t width) {
  std::string const text = std::to_string(value);
  if (text.size() < width) out.append(width - text.size(), '0');
  out += text;
}

void append_time(std::string& out, Temporal const& value) {
  append_number(out, value.hour, 2);
  if (value.precision == Precision::kHour) return;
  out.push_back(':');
  append_number(out, value.minute, 2);
  if (value.precision == Precision::kMinute) return;
  out.push_back(':');
  append_number(out, value.second, 2);
  if (value.precision == Precision::kSecond) return;
  out.push_back('.');
  std::string digits;
  append_number(digits, value.nanosecond, 9);
  out += digits.substr(0, value.fraction_digits);
}

void fill_boundary(Temporal& out, Precision from, bool high) {
  if (from < Precision::kMonth) out.month = high ? 12 : 1;
  if (from < Precision::kDay) {
    auto const last = std::chrono::year_month_day_last(
        std::chrono::year(out.year), std::chrono::month_day_last(std::chrono::month(out.month)));
    out.day = high ? static_cast<std::uint8_t>(static_cast<unsigned>(last.day())) : 1;
  }
  if (from < Precision::kHour) out.hour = high ? 23 : 0;
  if (from < Precision::kMinute) out.minute = high && from != Precision::kHour ? 59 : 0;
  if (from < Precision::kSecond) out.second = high ? 59 : 0;
  if (from < Precision::kFraction) out.nanosecond = high ? 999'000'000 : 0;
}

struct DigitsOf {
  Precision precision;
  int date_time;
  int time;
};
constexpr std::array kDigits{
    DigitsOf{Precision::kYear, 4, 0},      DigitsOf{Precision::kMonth, 6, 0},
    DigitsOf{Precision::kDay, 8, 0},       DigitsOf{Precision::kHour, 10, 2},
    DigitsOf{Precision::kMinute, 12, 4},   DigitsOf{Precision::kSecond, 14, 6},
    DigitsOf{Precision::kFraction, 17, 9},
};

}  // namespace

std::optional<Temporal> parse_date(std::string_view text) {
  Reader reader(text);
  Temporal out;
  if (!read_date(reader, out) || !reader.at_end()) return std::nullopt;
  return out;
}

std::optional<Temporal> parse_date_time(std::string_view text) {
  Reader reader(text);
  Temporal out;
  if (!read_date(reader, out)) return std::nullopt;
  if (reader.take('T') && !reader.at_end()) {
    if (out.precision != Precision::kDay || !read_time(reader, out) || !read_offset(reader, out)) {
      return std::nullopt;
    }
  }
  if (!reader.at_end()) return std::nullopt;
  return out;
}

std::optional<Temporal> parse_time(std::string_view text) {
  Reader reader(text);
  Temporal out;
  if (!read_time(reader, out) || !reader.at_end()) return std::nullopt;
  return out;
}

std::string format_date(Temporal const& date) {
  std::string out;
  append_number(out, static_cast<unsigned>(date.year), 4);
  if (date.precision == Precision::kYear) return out;
  out.push_back('-');
  append_number(out, date.month, 2);
  if (date.precision == Precision::kMonth) return out;
  out.push_back('-');
  append_number(out, date.day, 2);
  return out;
}

std::string format_date_time(Temporal const& date_time) {
  std::string out = format_date(date_time);
  if (!date_time.has_time()) return out;
  out.push_back('T');
  append_time(out, date_time);
  if (!date_time.has_offset()) return out;
  if (date_time.offset_minutes == 0) return out + "Z";
  int const minutes = std::abs(date_time.offset_minutes);
  out.push_back(date_time.offset_minutes < 0 ? '-' : '+');
  append_number(out, static_cast<unsigned>(minutes / 60), 2);
  out.push_back(':');
  append_number(out, static_cast<unsigned>(minutes % 60), 2);
  return out;
}

std::string format_time(Temporal const& time) {
  std::string out;
  append_time(out, time);
  return out;
}

Temporal date_time_of(Time time, std::int16_t offset_minutes) {
  auto const local = time + std::chrono::minutes(offset_minutes);
  auto const days = std::chrono::floor<std::chrono::days>(local);
  Temporal out;
  set_days(out, days);
  set_time(out, std::chrono::nanoseconds(local - days).count());
  out.precision = Precision::kFraction;
  out.fraction_digits = 3;
  out.offset_minutes = offset_minutes;
  return out;
}

std::optional<int> compare(Temporal const& a, Temporal const& b) {
  if (!a.has_time() || !b.has_time() || a.offset_minutes == b.offset_minutes) return compare_fields(a, b);
  if (a.has_offset() && b.has_offset()) return compare_fields(in_utc(a), in_utc(b));
  if (b.has_offset()) return compare_without_offset(a, b);
  auto const reversed = compare_without_offset(b, a);
  return reversed ? std::optional(-*reversed) : std::nullopt;
}

std::optional<Temporal> add(Temporal const& start, std::int64_t amount, CalendarUnit unit, bool is_time) {
  if (amount > kAmountMax || amount < -kAmountMax) return std::nullopt;
  if (is_time && unit <= CalendarUnit::kDay) return std::nullopt;
  if (unit == CalendarUnit::kWeek) return add(start, amount * 7, CalendarUnit::kDay, is_time);
  if (unit == CalendarUnit::kYear) return add_months(start, amount * 12);
  if (!is_time && start.precision == Precision::kYear) {
    if (unit == CalendarUnit::kMonth) return add_months(start, amount / 12 * 12);
    if (unit == CalendarUnit::kDay) return add_months(start, amount / 365 * 12);
  }
  if (unit == CalendarUnit::kMonth) return add_months(start, amount);
  if (!is_time && start.precision == Precision::kMonth && unit == CalendarUnit::kDay) {
    return add_months(start, amount / 30);
  }
  Temporal out = start;
  if (unit == CalendarUnit::kDay) return shift(out, amount, 0, is_time) ? std::optional(out) : std::nullopt;
  std::int64_t const span = nanoseconds_of(unit);
  std::int64_t const per_day = kNanosecondsPerDay / span;
  if (!is_time && start.precision < Precision::kHour) {
    return add(start, amount / per_day, CalendarUnit::kDay, is_time);
  }
  if (!shift(out, amount / per_day, amount % per_day * span, is_time)) return std::nullopt;
  if (start.precision == Precision::kHour) out.minute = 0;
  if (start.precision <= Precision::kMinute) out.second = 0;
  if (start.precision <= Precision::kSecond) out.nanosecond = 0;
  return out;
}

int precision_digits(Temporal const& value, bool is_time) {
  for (auto const& row : kDigits) {
    if (row.precision == value.precision) return is_time ? row.time : row.date_time;
  }
  return 0;
}

std::optional<Temporal> boundary_of(Temporal const& value, Boundary which, int digits, bool is_time) {
  for (auto const& row : kDigits) {
    int const row_digits = is_time ? row.time : row.date_time;
    if (row_digits == 0 || row_digits != digits) continue;
    Temporal out = value;
    bool const high = which == Boundary::kHigh;
    if (value.precision < row.precision) fill_boundary(out, value.precision, high);
    out.precision = row.precision;
    if (row.precision == Precision::kFraction) out.fraction_digits = 3;
    if (!out.has_time()) out.offset_minutes = Temporal::kNoOffset;
    if (!is_time && out.has_time() && !out.has_offset()) {
      out.offset_minutes = static_cast<std::int16_t>(high ? -12 * 60 : 14 * 60);
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace tacenda::fhirpath

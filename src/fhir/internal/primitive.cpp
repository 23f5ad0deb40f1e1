#include "fhir/internal/primitive.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace tacenda::fhir {
namespace {

using codec::Json;
using Fault = std::optional<PrimitiveFault>;

constexpr std::size_t kStringCharacters = 1024 * 1024;  // datatypes.html#string: "SHALL NOT exceed 1MB"

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Reads a text from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// A number of exactly `digits` digits; -1 when there is none.
  int number(std::size_t digits) {
    if (rest_.size() < digits || !std::ranges::all_of(rest_.substr(0, digits), is_digit)) return -1;
    int value = 0;
    for (char const c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value;
  }
  bool skip_digits() {
    auto const end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }

 private:
  std::string_view rest_;
};

int days_in(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool const leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

enum class DateDepth : std::uint8_t { kWrong, kYear, kMonth, kDay };

DateDepth take_date(Cursor& at) {
  int const year = at.number(4);
  if (year < 1) return DateDepth::kWrong;
  if (!at.take('-')) return DateDepth::kYear;
  int const month = at.number(2);
  if (month < 1 || month > 12) return DateDepth::kWrong;
  if (!at.take('-')) return DateDepth::kMonth;
  int const day = at.number(2);
  return day >= 1 && day <= days_in(year, month) ? DateDepth::kDay : DateDepth::kWrong;
}

/// "hh:mm:ss" with a fraction; a leap second is 60.
bool take_time(Cursor& at) {
  int const hour = at.number(2);
  if (hour < 0 || hour > 23 || !at.take(':')) return false;
  int const minute = at.number(2);
  if (minute < 0 || minute > 59 || !at.take(':')) return false;
  int const second = at.number(2);
  if (second < 0 || second > 60) return false;
  return !at.take('.') || at.skip_digits();
}

bool take_offset(Cursor& at) {
  if (at.take('Z')) return true;
  if (!at.take('+') && !at.take('-')) return false;
  int const hours = at.number(2);
  if (!at.take(':')) return false;
  int const minutes = at.number(2);
  return hours >= 0 && minutes >= 0 && minutes <= 59 && (hours < 14 || (hours == 14 && minutes == 0));
}

bool is_time(std::string_view text) {
  Cursor at(text);
  return take_time(at) && at.done();
}

/// Groups of four with white space between them only, padding at the end only.
bool is_base64(std::string_view text) {
  std::size_t count = 0;
  std::size_t padding = 0;
  for (char const c : text) {
    if (is_blank(c)) continue;
    if (c == '=') {
      ++padding;
    } else if (!(is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/') ||
               padding > 0) {
      return false;
    }
    ++count;
  }
  return count > 0 && count % 4 == 0 && padding <= 2;
}

/// Words with one white space between them, none around them.
bool is_code(std::string_view text) {
  bool blank_before = true;
  for (char const c : text) {
    if (is_blank(c) && blank_before) return false;
    blank_before = is_blank(c);
  }
  return !blank_before;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text,
                             [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_blank(c); });
}

Fault wrong(Literal text) {
  return PrimitiveFault{IssueKind::kValue, text};
}

Fault fault_of_text(std::string_view text) {
  if (text.size() > kStringCharacters) {
    auto const characters =
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; });
    if (static_cast<std::size_t>(characters) > kStringCharacters) {
      return PrimitiveFault{IssueKind::kTooLong, "a text is longer than 1,048,576 characters"};
    }
  }
  return std::nullopt;
}

Fault fault_of_string(TypeCode type, std::string_view text) {
  if (text.empty()) return wrong("a text is empty: leave the property out");
  // The grammar of string allows them, its text says SHOULD NOT; a log or a terminal suffers from them.
  if (has_control_character(text)) return wrong("a text has a control character");
  switch (type) {
    case TypeCode::kString:
    case TypeCode::kMarkdown:
      return fault_of_text(text);
    case TypeCode::kCode:
      if (!is_code(text)) return wrong("a code has white space around it, or twice within it");
      return fault_of_text(text);
    case TypeCode::kUri:
    case TypeCode::kUrl:
    case TypeCode::kCanonical:
      if (std::ranges::any_of(text, is_blank)) return wrong("a URI has white space");
      return std::nullopt;
    case TypeCode::kDate:
      if (!is_date(text)) return wrong("a date is not YYYY, YYYY-MM or YYYY-MM-DD of the calendar");
      return std::nullopt;
    case TypeCode::kDateTime:
      if (!is_date_time(text)) return wrong("a dateTime is neither a date nor a day, time and offset");
      return std::nullopt;
    case TypeCode::kInstant:
      if (!is_instant(text)) return wrong("an instant is not a day, time and offset");
      return std::nullopt;
    case TypeCode::kTime:
      if (!is_time(text)) return wrong("a time is not hh:mm:ss");
      return std::nullopt;
    case TypeCode::kId:
      if (!is_id(text)) return wrong("an id is not 1 to 64 of [A-Za-z0-9.-]");
      return std::nullopt;
    case TypeCode::kOid:
      if (!is_oid_urn(text)) return wrong("an oid is not urn:oid: and numbers");
      return std::nullopt;
    case TypeCode::kUuid:
      if (!is_uuid_urn(text)) return wrong("a uuid is not urn:uuid: and lower-case hexadecimal digits");
      return std::nullopt;
    case TypeCode::kBase64Binary:
      if (!is_base64(text)) return wrong("a base64Binary is not base64");
      return std::nullopt;
    case TypeCode::kXhtml:
      if (std::ranges::all_of(text, is_blank)) return wrong("a narrative is empty");
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

/// An integer of 32 bits: no fraction, no exponent, no "-0".
Fault fault_of_integer(std::string_view text, std::int32_t smallest) {
  std::int32_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return wrong("an integer has more than 32 bits");
  if (error != std::errc() || end != text.data() + text.size() || text == "-0") {
    return wrong("an integer has a fraction or an exponent");
  }
  if (value < smallest) return wrong("an integer is smaller than its type allows");
  return std::nullopt;
}

}  // namespace

std::optional<PrimitiveFault> fault_of(TypeCode type, Json const& value) {
  constexpr auto shape = [](Literal text) { return PrimitiveFault{IssueKind::kStructure, text}; };
  switch (type) {
    case TypeCode::kBoolean:
      if (!value.is_boolean()) return shape("a boolean is not true or false");
      return std::nullopt;
    case TypeCode::kDecimal:
      if (!value.is_number()) return shape("a decimal is not a JSON number");
      return std::nullopt;
    case TypeCode::kInteger:
    case TypeCode::kUnsignedInt:
    case TypeCode::kPositiveInt:
      if (!value.is_number()) return shape("an integer is not a JSON number");
      return fault_of_integer(value.number_text(), type == TypeCode::kInteger       ? INT32_MIN
                                                   : type == TypeCode::kUnsignedInt ? 0
                                                                                    : 1);
    default:
      if (!value.is_string()) return shape("an element of this type is a JSON string");
      return fault_of_string(type, value.as_string());
  }
}

bool is_date(std::string_view text) {
  Cursor at(text);
  return take_date(at) != DateDepth::kWrong && at.done();
}

bool is_date_time(std::string_view text) {
  return is_date(text) || is_instant(text);
}

bool is_instant(std::string_view text) {
  Cursor at(text);
  return take_date(at) == DateDepth::kDay && at.take('T') && take_time(at) && take_offset(at) && at.done();
}

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
  });
}

bool is_uuid_urn(std::string_view text) {
  constexpr std::string_view kForm = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    return form == 'x' ? is_digit(c) || (c >= 'a' && c <= 'f') : c == form;
  });
}

bool is_oid_urn(std::string_view text) {
  constexpr std::string_view kPrefix = "urn:oid:";
  if (!text.starts_with(kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.') return false;
  for (Cursor at(text.substr(1)); !at.done();) {
    if (!at.take('.')) return false;
    if (!at.take('0') && !at.skip_digits()) return false;
  }
  return true;
}

}  // namespace tacenda::fhir

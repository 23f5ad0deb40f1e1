// Numbers and quantities: R4 search.html#number, #quantity, #prefix; and composites, which hold them.
#include <algorithm>

#include "codec/decimal.hpp"
#include "core/process.hpp"
#include "records/internal/term_query.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {
namespace {

using codec::Decimal;
using fhir::Prefix;
using Ranges = std::vector<TermRange>;

/// What is asked of a span, as texts that compare like the numbers.
struct Asked {
  Prefix prefix = Prefix::kEq;
  std::string value;
  std::string low;   // of eq, ne: in the range
  std::string high;  // of eq, ne: behind it; of ap: in it
};

Result<Asked> asked_of(Prefix prefix, Decimal const& value) {
  Asked asked;
  asked.prefix = prefix;
  asked.value = number_text(value);
  auto const range =
      TACENDA_TRY(prefix == Prefix::kAp ? codec::approximate_range(value) : codec::implicit_range(value));
  asked.low = number_text(range.low);
  asked.high = number_text(range.high);
  return asked;
}

bool answers(Asked const& asked, std::string_view low, std::string_view high) {
  switch (asked.prefix) {
    case Prefix::kEq:
      return low >= asked.low && high < asked.high;
    case Prefix::kNe:
      return low < asked.low || high >= asked.high;
    case Prefix::kGt:
      return high > asked.value;
    case Prefix::kGe:
      return high >= asked.value;
    case Prefix::kLt:
      return low < asked.value;
    case Prefix::kLe:
      return low <= asked.value;
    case Prefix::kSa:
      return low > asked.value;
    case Prefix::kEb:
      return high < asked.value;
    case Prefix::kAp:
      return low <= asked.high && high >= asked.low;
  }
  return false;
}

Result<bool> span_answers(Asked const& asked, std::string_view bytes) {
  if (bytes.empty()) return fail(ErrorKind::kCorrupt, "an index row has another form");
  bool const is_range = bytes.front() != '\0';
  bytes.remove_prefix(1);
  std::string const low = TACENDA_TRY(take_text(bytes));
  if (!is_range) return answers(asked, low, low);
  return answers(asked, low, TACENDA_TRY(take_text(bytes)));
}

std::string with_number(std::string prefix, std::string_view number) {
  prefix.push_back('\0');  // the span of one number
  append_open_text(prefix, number);
  return prefix;
}

/// Spans behind `prefix` (section, and unit of a quantity).
Ranges span_ranges(std::string const& prefix, Asked const& asked) {
  auto const accepts = [asked, skip = prefix.size()](std::string_view bytes, std::string_view) {
    auto const answer = span_answers(asked, bytes.substr(skip));
    return answer.has_value() && *answer;
  };
  TermRange single;  // one number: in order
  single.from = prefix + std::string(1, '\0');
  single.to = prefix + "\x01";
  switch (asked.prefix) {
    case Prefix::kEq:
    case Prefix::kAp:
      single.from = with_number(prefix, asked.low);
      single.to = after_prefix(with_number(prefix, asked.high));
      break;
    case Prefix::kGt:
    case Prefix::kGe:
    case Prefix::kSa:
      single.from = with_number(prefix, asked.value);
      break;
    case Prefix::kLt:
    case Prefix::kLe:
    case Prefix::kEb:
      single.to = after_prefix(with_number(prefix, asked.value));
      break;
    case Prefix::kNe:
      break;
  }
  single.accepts = accepts;
  std::string const ranges = prefix + "\x01";
  return {std::move(single), {ranges, after_prefix(ranges), false, accepts}};
}

/// Quantities in any unit.
TermRange any_unit(Asked const& asked) {
  TermRange range = whole_section(static_cast<char>(Section::kQuantity));
  range.accepts = [asked](std::string_view bytes, std::string_view) {
    bytes.remove_prefix(1);
    if (!take_text(bytes).has_value()) return false;
    auto const answer = span_answers(asked, bytes);
    return answer.has_value() && *answer;
  };
  return range;
}

/// Tokens of a system: as parts of composites they have no row of their own.
TermRange any_code_of(std::string const& system) {
  TermRange range = whole_section(static_cast<char>(Section::kToken));
  range.accepts = [system](std::string_view bytes, std::string_view) {
    bytes.remove_prefix(1);
    if (!take_text(bytes).has_value()) return false;
    auto const own = take_text(bytes);
    return own.has_value() && *own == system;
  };
  return range;
}

}  // namespace

Result<Ranges> number_ranges(fhir::SearchValue const& value) {
  auto const number = TACENDA_TRY(Decimal::parse(value.text));
  std::string const prefix(1, static_cast<char>(Section::kNumber));
  return span_ranges(prefix, TACENDA_TRY(asked_of(value.prefix, number)));
}

Result<Ranges> quantity_ranges(fhir::SearchValue const& value) {
  auto const number = TACENDA_TRY(Decimal::parse(value.text));
  auto const asked = TACENDA_TRY(asked_of(value.prefix, number));
  if (value.unit.empty()) return Ranges{any_unit(asked)};
  if (!value.system) {
    std::string prefix(1, static_cast<char>(Section::kQuantity));
    append_text(prefix, value.unit);
    return span_ranges(prefix, asked);
  }
  // The ends of what the precision implies are brought to the canonical unit, not the number: 5.4 g is
  // [5.35 g, 5.45 g) in every unit.
  auto const range = TACENDA_TRY(value.prefix == Prefix::kAp ? codec::approximate_range(number)
                                                             : codec::implicit_range(number));
  auto const exact = canonical(*value.system, value.unit, {number, number});
  auto const ends = canonical(*value.system, value.unit, {range.low, range.high});
  Asked in_base;
  in_base.prefix = value.prefix;
  in_base.value = number_text(*exact.span.low);
  in_base.low = number_text(*ends.span.low);
  in_base.high = number_text(*ends.span.high);
  std::string prefix(1, static_cast<char>(Section::kCanonicalQuantity));
  append_text(prefix, exact.unit);
  return span_ranges(prefix, in_base);
}

Result<Ranges> composite_ranges(QueryContext const& context, fhir::SearchParameter const& parameter,
                                fhir::SearchValue const& value) {
  std::vector<Ranges> parts;
  for (std::size_t i = 0; i < value.parts.size(); ++i) {
    bool const any_code =
        parameter.components[i].type == fhir::SearchType::kToken && value.parts[i].text.empty();
    if (any_code) {
      parts.push_back({any_code_of(*value.parts[i].system)});
      continue;
    }
    parts.push_back(TACENDA_TRY(
        ranges_of(context, parameter, parameter.components[i].type, fhir::Modifier::kNone, value.parts[i])));
  }
  std::string const section(1, static_cast<char>(Section::kComposite));
  Ranges ranges;
  for (auto const& first : parts.front()) {
    TermRange range;
    range.from = section + first.from;
    range.to = first.to.empty() ? after_prefix(section) : section + first.to;
    range.accepts = [parts](std::string_view bytes, std::string_view) {
      bytes.remove_prefix(1);
      return std::ranges::all_of(parts, [&](Ranges const& alternatives) {
        auto const part = take_term(bytes);
        return part.has_value() && std::ranges::any_of(alternatives, [&](TermRange const& alternative) {
                 return alternative.contains(*part, {});
               });
      });
    };
    // One whole first term: the second's bounds tell where in its rows to look.
    if (first.one_term && parts.size() == 2) {
      for (auto const& second : parts[1]) {
        TermRange narrow = range;
        narrow.from = section + first.from + second.from;
        narrow.to = section + first.from + second.to;
        if (second.to.empty()) narrow.to = after_prefix(section + first.from);
        ranges.push_back(std::move(narrow));
      }
      continue;
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

}  // namespace tacenda::records

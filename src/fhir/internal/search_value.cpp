#include "fhir/internal/search_value.hpp"

#include <array>

#include "codec/json.hpp"
#include "core/limits.hpp"
#include "fhir/date_range.hpp"

namespace tacenda::fhir {
namespace {

struct NamedPrefix {
  std::string_view text;
  Prefix prefix;
};
constexpr std::array<NamedPrefix, 9> kPrefixes = {{{"eq", Prefix::kEq},
                                                   {"ne", Prefix::kNe},
                                                   {"gt", Prefix::kGt},
                                                   {"lt", Prefix::kLt},
                                                   {"ge", Prefix::kGe},
                                                   {"le", Prefix::kLe},
                                                   {"sa", Prefix::kSa},
                                                   {"eb", Prefix::kEb},
                                                   {"ap", Prefix::kAp}}};

Prefix take_prefix(std::string_view& text) {
  for (auto const& [name, prefix] : kPrefixes) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return prefix;
  }
  return Prefix::kEq;
}

Result<SearchValue> parse_token(std::string_view text) {
  SearchValue value;
  auto const pieces = split_escaped(text, '|');
  if (pieces.size() == 1) {
    value.text = TACENDA_TRY(unescape(pieces[0]));
  } else {
    value.system = TACENDA_TRY(unescape(pieces[0]));
    // A second bar belongs to the code: clients that do not escape it mean it so.
    value.text = TACENDA_TRY(unescape(text.substr(pieces[0].size() + 1)));
  }
  if (value.text.empty() && (!value.system || value.system->empty())) {
    return fail(ErrorKind::kInvalid, "a token parameter has an empty value");
  }
  return value;
}

Result<SearchValue> parse_typed_identifier(std::string_view text) {
  auto const pieces = split_escaped(text, '|');
  if (pieces.size() != 3) return fail(ErrorKind::kInvalid, ":of-type takes system|code|value");
  SearchValue value;
  value.system = TACENDA_TRY(unescape(pieces[0]));
  value.text = TACENDA_TRY(unescape(pieces[1]));
  value.identifier = TACENDA_TRY(unescape(pieces[2]));
  if (value.system->empty() || value.text.empty() || value.identifier.empty()) {
    return fail(ErrorKind::kInvalid, ":of-type takes system|code|value");
  }
  return value;
}

Result<void> check_number(std::string_view text) {
  if (!codec::Json::number_text(text).has_value() || text.size() > limits::kSearchNumberBytes) {
    return fail(ErrorKind::kInvalid, "a number parameter has a value that is no number");
  }
  return {};
}

Result<SearchValue> parse_quantity(std::string_view text) {
  SearchValue value;
  value.prefix = take_prefix(text);
  auto const pieces = split_escaped(text, '|');
  if (pieces.size() != 1 && pieces.size() != 3) {
    return fail(ErrorKind::kInvalid, "a quantity parameter takes number, number|system|code or number||code");
  }
  TACENDA_TRY_VOID(check_number(pieces[0]));
  value.text = pieces[0];
  if (pieces.size() == 1) return value;
  auto system = TACENDA_TRY(unescape(pieces[1]));
  if (!system.empty()) value.system = std::move(system);
  value.unit = TACENDA_TRY(unescape(pieces[2]));
  return value;
}

Result<SearchValue> parse_composite(SearchParameter const& parameter, std::string_view text) {
  auto const pieces = split_escaped(text, '$');
  if (pieces.size() != parameter.components.size()) {
    return fail(ErrorKind::kInvalid,
                "a composite parameter takes one value for each part, with $ between them");
  }
  SearchValue value;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    value.parts.push_back(
        TACENDA_TRY(parse_value(parameter, parameter.components[i].type, Modifier::kNone, pieces[i])));
  }
  return value;
}

Result<SearchValue> parse_text(std::string_view text) {
  SearchValue value;
  value.text = TACENDA_TRY(unescape(text));
  if (value.text.empty()) return fail(ErrorKind::kInvalid, "a search parameter has an empty value");
  return value;
}

}  // namespace

std::vector<std::string_view> split_escaped(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      pieces.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  pieces.push_back(text.substr(start));
  return pieces;
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (i + 1 == text.size() || !std::string_view("\\,|$").contains(text[i + 1])) {
        return fail(ErrorKind::kInvalid, "a search parameter has a broken escape");
      }
      ++i;
    }
    out.push_back(text[i]);
  }
  return out;
}

Result<SearchValue> parse_value(SearchParameter const& parameter, SearchType type, Modifier modifier,
                                std::string_view text) {
  if (modifier == Modifier::kText || modifier == Modifier::kIn || modifier == Modifier::kNotIn) {
    return parse_text(text);
  }
  if (modifier == Modifier::kOfType) return parse_typed_identifier(text);
  if (modifier == Modifier::kIdentifier) return parse_token(text);
  switch (type) {
    case SearchType::kToken:
      return parse_token(text);
    case SearchType::kQuantity:
      return parse_quantity(text);
    case SearchType::kComposite:
      return parse_composite(parameter, text);
    case SearchType::kNumber: {
      SearchValue value;
      value.prefix = take_prefix(text);
      TACENDA_TRY_VOID(check_number(text));
      value.text = text;
      return value;
    }
    case SearchType::kDate: {
      SearchValue value;
      value.prefix = take_prefix(text);
      if (!parse_date_range(text)) {
        return fail(ErrorKind::kInvalid, "a date parameter has a value that is no date");
      }
      value.text = text;
      return value;
    }
    default:
      return parse_text(text);
  }
}

}  // namespace tacenda::fhir

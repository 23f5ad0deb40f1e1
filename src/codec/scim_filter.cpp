#include "codec/scim_filter.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "codec/internal/json_scan.hpp"

namespace tacenda::codec {
namespace {

using Kind = ScimFilter::Kind;
using Operator = ScimFilter::Operator;

struct Word {
  std::string_view text;
  Operator op;
};
constexpr auto kOperators = std::to_array<Word>({{"eq", Operator::kEq},
                                                 {"ne", Operator::kNe},
                                                 {"co", Operator::kCo},
                                                 {"sw", Operator::kSw},
                                                 {"ew", Operator::kEw},
                                                 {"gt", Operator::kGt},
                                                 {"ge", Operator::kGe},
                                                 {"lt", Operator::kLt},
                                                 {"le", Operator::kLe}});

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// RFC 7643 section 2.1, with `$ref`.
bool is_name(std::string_view text) {
  if (text == "$ref") return true;
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || internal::is_digit(c) || c == '-' || c == '_';
  });
}

/// [URI ":"] name ["." sub]: the URI may hold dots, and ends at the last colon.
Result<ScimAttribute> attribute_of(std::string_view text) {
  ScimAttribute attribute;
  if (auto const colon = text.rfind(':'); colon != std::string_view::npos) {
    attribute.schema = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    if (!same_scim_name(attribute.schema.substr(0, 4), "urn:"))
      return fail(ErrorKind::kInvalid, "an attribute is named by a schema that is no URN");
  }
  auto const dot = text.find('.');
  attribute.name = text.substr(0, dot);
  if (dot != std::string_view::npos) attribute.sub = text.substr(dot + 1);
  if (!is_name(attribute.name) || (dot != std::string_view::npos && !is_name(attribute.sub)))
    return fail(ErrorKind::kInvalid, "a filter or path names no attribute where one must stand");
  return attribute;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<ScimFilter> whole() {
    auto filter = TACENDA_TRY(alternatives(0));
    skip_blanks();
    if (!rest_.empty()) return fail(ErrorKind::kInvalid, "something follows behind the end of a filter");
    return filter;
  }

  Result<ScimPath> path() {
    ScimPath path;
    path.attribute = TACENDA_TRY(attribute_of(take_name()));
    if (rest_.starts_with('[')) {
      if (!path.attribute.sub.empty())
        return fail(ErrorKind::kInvalid, "a path chooses values of what has none");
      path.chooses.push_back(TACENDA_TRY(bracketed(0)));
      if (rest_.starts_with('.')) {
        path.attribute.sub = rest_.substr(1);
        if (!is_name(path.attribute.sub)) return fail(ErrorKind::kInvalid, "a path ends in no attribute");
        return path;
      }
    }
    if (!rest_.empty()) return fail(ErrorKind::kInvalid, "something follows behind the end of a path");
    return path;
  }

 private:
  void skip_blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }

  std::string_view take_name() {
    auto const end = std::min(rest_.find_first_of(" ()[]\""), rest_.size());
    auto const name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }

  /// Takes `word` when it stands next, as a word of its own.
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!same_scim_name(rest_.substr(0, word.size()), word)) return false;
    auto const behind = rest_.substr(word.size());
    if (!behind.empty() && behind.front() != ' ' && behind.front() != '(') return false;
    rest_ = behind;
    return true;
  }

  Result<void> count(std::size_t depth) {
    if (++parts_ > kScimFilterParts || depth > kScimFilterDepth)
      return fail(ErrorKind::kTooLarge, "a filter has more parts than there can be");
    return {};
  }

  static ScimFilter joined(Kind kind, ScimFilter left, ScimFilter right) {
    ScimFilter both;
    both.kind = kind;
    both.operands.push_back(std::move(left));
    both.operands.push_back(std::move(right));
    return both;
  }

  // Recursion: bounded by kScimFilterDepth; chains of `and` and `or` by kScimFilterParts.
  Result<ScimFilter> alternatives(std::size_t depth) {
    auto filter = TACENDA_TRY(conditions(depth));
    while (take_word("or")) {
      TACENDA_TRY_VOID(count(depth));
      filter = joined(Kind::kOr, std::move(filter), TACENDA_TRY(conditions(depth)));
    }
    return filter;
  }

  Result<ScimFilter> conditions(std::size_t depth) {
    auto filter = TACENDA_TRY(condition(depth));
    while (take_word("and")) {
      TACENDA_TRY_VOID(count(depth));
      filter = joined(Kind::kAnd, std::move(filter), TACENDA_TRY(condition(depth)));
    }
    return filter;
  }

  Result<ScimFilter> condition(std::size_t depth) {
    TACENDA_TRY_VOID(count(depth));
    skip_blanks();
    if (rest_.starts_with('(')) return parenthesised(depth);
    auto const before = rest_;
    if (take_word("not")) {
      skip_blanks();
      if (rest_.starts_with('(')) {
        ScimFilter filter;
        filter.kind = Kind::kNot;
        filter.operands.push_back(TACENDA_TRY(parenthesised(depth)));
        return filter;
      }
      rest_ = before;  // an attribute of this name
    }
    ScimFilter filter;
    filter.attribute = TACENDA_TRY(attribute_of(take_name()));
    if (rest_.starts_with('[')) {
      filter.kind = Kind::kInside;
      filter.operands.push_back(TACENDA_TRY(bracketed(depth)));
      return filter;
    }
    TACENDA_TRY_VOID(comparison(filter));
    return filter;
  }

  Result<ScimFilter> parenthesised(std::size_t depth) {
    return enclosed(depth, ')', "a parenthesis of a filter is not closed");
  }
  Result<ScimFilter> bracketed(std::size_t depth) {
    return enclosed(depth, ']', "a bracket of a filter is not closed");
  }
  Result<ScimFilter> enclosed(std::size_t depth, char end, Literal problem) {
    rest_.remove_prefix(1);
    auto filter = TACENDA_TRY(alternatives(depth + 1));
    skip_blanks();
    if (!rest_.starts_with(end)) return fail(ErrorKind::kInvalid, problem);
    rest_.remove_prefix(1);
    return filter;
  }

  Result<void> comparison(ScimFilter& filter) {
    skip_blanks();
    auto const word = take_name();
    if (same_scim_name(word, "pr")) {
      filter.kind = Kind::kPresent;
      return {};
    }
    auto const* found =
        std::ranges::find_if(kOperators, [&](Word const& known) { return same_scim_name(known.text, word); });
    if (found == kOperators.end()) return fail(ErrorKind::kInvalid, "a filter has an unknown operator");
    filter.op = found->op;
    skip_blanks();
    filter.value = TACENDA_TRY(parse_json(take_value(), {.depth = 1, .size_bytes = kScimFilterBytes}));
    if (filter.value.is_object() || filter.value.is_array())
      return fail(ErrorKind::kInvalid, "a filter compares with what is no single value");
    bool const has_order = filter.value.is_string() || filter.value.is_number();
    bool const is_equality = filter.op == Operator::kEq || filter.op == Operator::kNe;
    if (!has_order && !is_equality)
      return fail(ErrorKind::kInvalid, "a filter orders a value that has no order");
    return {};
  }

  /// A text with its quotes, or what stands there up to the end of the comparison.
  std::string_view take_value() {
    std::size_t end = 0;
    if (rest_.starts_with('"')) {
      for (end = 1; end < rest_.size() && rest_[end] != '"'; ++end) end += rest_[end] == '\\' ? 1U : 0U;
      end = std::min(end + 1, rest_.size());
    } else {
      end = std::min(rest_.find_first_of(" )]"), rest_.size());
    }
    auto const value = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return value;
  }

  std::string_view rest_;
  std::size_t parts_ = 0;
};

}  // namespace

bool same_scim_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Json const* find_scim_member(Json const& object, std::string_view name) {
  for (auto const& member : object.members()) {
    if (same_scim_name(member.name, name)) return &member.value;
  }
  return nullptr;
}

Result<ScimFilter> parse_scim_filter(std::string_view text) {
  if (text.size() > kScimFilterBytes) return fail(ErrorKind::kTooLarge, "a filter is longer than it can be");
  return Parser(text).whole();
}

Result<ScimPath> parse_scim_path(std::string_view text) {
  if (text.size() > kScimFilterBytes) return fail(ErrorKind::kTooLarge, "a path is longer than it can be");
  return Parser(text).path();
}

}  // namespace tacenda::codec

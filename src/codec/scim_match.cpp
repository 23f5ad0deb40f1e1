// Whether a SCIM resource meets a filter.
#include <algorithm>
#include <charconv>
#include <string>

#include "codec/scim_filter.hpp"
#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

using Operator = ScimFilter::Operator;

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

/// Of ids the case counts (RFC 7643 section 3.1).
bool is_exact(ScimAttribute const& attribute) {
  return same_scim_name(attribute.name, "id") || same_scim_name(attribute.name, "externalId");
}

bool is_order(Operator op) {
  return op == Operator::kGt || op == Operator::kGe || op == Operator::kLt || op == Operator::kLe;
}

bool in_order(Operator op, std::strong_ordering order) {
  switch (op) {
    case Operator::kGt:
      return order > 0;
    case Operator::kGe:
      return order >= 0;
    case Operator::kLt:
      return order < 0;
    case Operator::kLe:
      return order <= 0;
    default:
      return false;
  }
}

bool text_meets(Operator op, std::string_view value, std::string_view wanted) {
  switch (op) {
    case Operator::kEq:
      return value == wanted;
    case Operator::kCo:
      return value.contains(wanted);
    case Operator::kSw:
      return value.starts_with(wanted);
    case Operator::kEw:
      return value.ends_with(wanted);
    default:
      break;
  }
  return in_order(op, value <=> wanted);
}

double number_of(Json const& value) {
  auto const text = value.number_text();
  double number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);  // out of range: stays what it is
  return number;
}

/// Of one value, for every operator but kNe.
bool value_meets(ScimFilter const& filter, Json const& value) {
  if (value.is_object()) {
    auto const* inner = find_scim_member(value, "value");
    return inner != nullptr && !inner->is_object() && value_meets(filter, *inner);
  }
  if (value.kind() != filter.value.kind()) return false;
  if (value.is_string()) {
    auto const text = value.as_string();
    auto const wanted = filter.value.as_string();
    if (is_order(filter.op)) {
      auto const time = parse_instant(text);
      auto const other = parse_instant(wanted);
      if (time.has_value() && other.has_value()) return in_order(filter.op, *time <=> *other);
    }
    if (is_exact(filter.attribute)) return text_meets(filter.op, text, wanted);
    return text_meets(filter.op, lowered(text), lowered(wanted));
  }
  if (value.is_number()) {
    double const number = number_of(value);
    double const other = number_of(filter.value);
    if (filter.op == Operator::kEq) return number == other;
    return in_order(filter.op, number < other   ? std::strong_ordering::less
                               : number > other ? std::strong_ordering::greater
                                                : std::strong_ordering::equal);
  }
  return filter.op == Operator::kEq && value == filter.value;
}

template <typename Met>
bool any_value(Json const* value, Met met) {
  if (value == nullptr) return false;
  if (!value->is_array()) return met(*value);
  return std::ranges::any_of(value->items(), met);
}

/// Is there a value of the attribute that `met` says yes to?
template <typename Met>
bool any_of(ScimAttribute const& attribute, Json const& resource, Met met) {
  return any_value(find_scim_member(resource, attribute.name), [&](Json const& value) {
    if (attribute.sub.empty()) return met(value);
    return any_value(find_scim_member(value, attribute.sub), met);
  });
}

bool is_present(Json const& value) {
  if (value.is_string()) return !value.as_string().empty();
  if (value.is_array()) return !value.items().empty();
  return !value.is_null();
}

bool compares(ScimFilter const& filter, Json const& resource) {
  if (filter.op == Operator::kNe) {
    ScimFilter equal = filter;
    equal.op = Operator::kEq;
    return !compares(equal, resource);
  }
  bool const wants_null = filter.op == Operator::kEq && filter.value.is_null();
  if (wants_null) return !any_of(filter.attribute, resource, is_present);
  return any_of(filter.attribute, resource, [&](Json const& value) { return value_meets(filter, value); });
}

}  // namespace

// Recursion: as deep as parse_scim_filter lets a filter be.
bool matches(ScimFilter const& filter, Json const& resource) {
  switch (filter.kind) {
    case ScimFilter::Kind::kCompare:
      return compares(filter, resource);
    case ScimFilter::Kind::kPresent:
      return any_of(filter.attribute, resource, is_present);
    case ScimFilter::Kind::kAnd:
      return matches(filter.operands.front(), resource) && matches(filter.operands.back(), resource);
    case ScimFilter::Kind::kOr:
      return matches(filter.operands.front(), resource) || matches(filter.operands.back(), resource);
    case ScimFilter::Kind::kNot:
      return !matches(filter.operands.front(), resource);
    case ScimFilter::Kind::kInside:
      return any_of(filter.attribute, resource,
                    [&](Json const& value) { return matches(filter.operands.front(), value); });
  }
  return false;
}

}  // namespace tacenda::codec

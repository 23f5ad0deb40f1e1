#include "fhir/internal/validate_match.hpp"

#include <algorithm>
#include <charconv>

namespace tacenda::fhir {

using codec::Json;

bool Match::same(Json const& fixed, Json const& value) {
  if (!run_.step(1, place_) || fixed.kind() != value.kind()) return false;
  if (fixed.is_array()) {
    return std::ranges::equal(fixed.items(), value.items(),
                              [&](Json const& a, Json const& b) { return same(a, b); });
  }
  if (!fixed.is_object()) return fixed == value;
  return fixed.members().size() == value.members().size() &&
         std::ranges::all_of(fixed.members(), [&](Json::Member const& member) {
           Json const* other = value.find(member.name);
           return other != nullptr && same(member.value, *other);
         });
}

bool Match::fits(Json const& pattern, Json const& value) {
  if (!run_.step(1, place_) || pattern.kind() != value.kind()) return false;
  if (pattern.is_array()) {
    return std::ranges::all_of(pattern.items(), [&](Json const& wanted) {
      return std::ranges::any_of(value.items(), [&](Json const& item) { return fits(wanted, item); });
    });
  }
  if (!pattern.is_object()) return pattern == value;
  return std::ranges::all_of(pattern.members(), [&](Json::Member const& member) {
    Json const* other = value.find(member.name);
    return other != nullptr && fits(member.value, *other);
  });
}

namespace {

std::optional<double> number_of(Json const& json) {
  auto const text = json.number_text();
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Dates of one precision and instants in UTC sort as their texts do.
std::optional<int> compare_texts(std::string_view value, std::string_view bound) {
  bool const times = value.contains('T') || bound.contains('T');
  if (times && !(value.ends_with('Z') && bound.ends_with('Z'))) return std::nullopt;
  if (times) {
    value.remove_suffix(1);  // "01Z" and "01.5Z": a fraction is later
    bound.remove_suffix(1);
  } else if (value.size() != bound.size()) {
    return std::nullopt;
  }
  return value.compare(bound);
}

}  // namespace

std::optional<int> compare_to_bound(Json const& value, Json const& bound) {
  if (value.kind() != bound.kind()) return std::nullopt;
  if (value.is_number()) {
    auto const a = number_of(value);
    auto const b = number_of(bound);
    if (!a.has_value() || !b.has_value()) return std::nullopt;
    return *a < *b ? -1 : static_cast<int>(*a > *b);
  }
  if (value.is_string()) return compare_texts(value.as_string(), bound.as_string());
  Json const* amount = value.find("value");
  Json const* limit = bound.find("value");
  if (amount == nullptr || limit == nullptr || !amount->is_number() || !limit->is_number() ||
      value.text_of("system") != bound.text_of("system") || value.text_of("code") != bound.text_of("code")) {
    return std::nullopt;
  }
  return compare_to_bound(*amount, *limit);
}

}  // namespace tacenda::fhir

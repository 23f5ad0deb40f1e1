#include "fhir/internal/profile_fields.hpp"

#include <charconv>

namespace tacenda::fhir {
namespace {

using codec::Json;
using Step = DiscriminatorStep;

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (char const c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  }
  return true;
}

/// The argument in "extension('url')"; nullopt when `text` does not start with this call.
std::optional<std::string_view> argument_of(std::string_view text, std::string_view function) {
  if (!text.starts_with(function)) return std::nullopt;
  text.remove_prefix(function.size());
  auto const end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) return std::nullopt;
  return text.substr(1, end - 1);
}

std::string_view unquoted(std::string_view text) {
  bool const quoted = text.size() >= 2 && (text.front() == '\'' || text.front() == '"');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// Takes one step off the front of `path`; false when it is none of the restricted FHIRPath (R4
/// profiling.html#discriminator).
bool take_step(std::string_view& path, std::vector<Step>& steps) {
  std::size_t taken = 0;
  if (auto const url = argument_of(path, "extension")) {
    taken = std::string_view("extension()").size() + url->size();
    steps.push_back({Step::Kind::kExtension, std::string(unquoted(*url))});
  } else if (auto const type = argument_of(path, "ofType")) {
    taken = std::string_view("ofType()").size() + type->size();
    steps.push_back({Step::Kind::kOfType, std::string(*type)});
  } else if (path.starts_with("resolve()")) {
    taken = std::string_view("resolve()").size();
    steps.push_back({Step::Kind::kResolve, {}});
  } else {
    taken = std::min(path.find('.'), path.size());
    if (!is_name(path.substr(0, taken)) && path.substr(0, taken) != "$this") return false;
    if (path.front() != '$') steps.push_back({Step::Kind::kName, std::string(path.substr(0, taken))});
  }
  path.remove_prefix(taken);
  if (path.empty()) return true;
  if (!path.starts_with('.') || path.size() == 1) return false;
  path.remove_prefix(1);
  return true;
}

std::optional<Discriminator> read_discriminator(Json const& json) {
  constexpr std::pair<std::string_view, DiscriminatorKind> kKinds[] = {
      {"value", DiscriminatorKind::kValue},
      {"exists", DiscriminatorKind::kExists},
      {"pattern", DiscriminatorKind::kPattern},
      {"type", DiscriminatorKind::kType},
      {"profile", DiscriminatorKind::kProfile}};
  for (auto const& [name, kind] : kKinds) {
    if (json.text_of("type") != name) continue;
    Discriminator read{.kind = kind, .steps = {}};
    std::string_view path = json.text_of("path");
    if (path.empty()) return std::nullopt;
    while (!path.empty()) {
      if (!take_step(path, read.steps) || read.steps.size() > kProfileDepthMax) return std::nullopt;
    }
    return read;
  }
  return std::nullopt;
}

Slicing read_slicing(Json const& json) {
  Slicing slicing;
  auto const rules = json.text_of("rules");
  slicing.rules = rules == "closed"      ? SlicingRules::kClosed
                  : rules == "openAtEnd" ? SlicingRules::kOpenAtEnd
                                         : SlicingRules::kOpen;
  Json const* ordered = json.find("ordered");
  slicing.is_ordered = ordered != nullptr && ordered->is_boolean() && ordered->as_boolean();
  Json const* list = json.find("discriminator");
  if (list == nullptr) return slicing;
  slicing.is_decidable = !list->items().empty();
  for (auto const& item : list->items()) {
    auto discriminator = read_discriminator(item);
    if (discriminator.has_value()) {
      slicing.discriminators.push_back(std::move(*discriminator));
    } else {
      slicing.is_decidable = false;
    }
  }
  return slicing;
}

std::vector<std::string> texts_of(Json const& json, std::string_view name) {
  std::vector<std::string> texts;
  if (Json const* list = json.find(name)) {
    for (auto const& item : list->items()) {
      if (item.is_string()) texts.emplace_back(item.as_string());
    }
  }
  return texts;
}

void read_types(Json const& list, ProfileElement& element) {
  for (auto const& item : list.items()) {
    std::string_view code = item.text_of("code");
    // FHIRPath's own types stand for those of id, url and value (R4 structuredefinition.html, "fhir-type").
    constexpr std::string_view kSystem = "http://hl7.org/fhirpath/System.";
    if (code.starts_with(kSystem)) code = "string";
    element.types.push_back({std::string(code), texts_of(item, "profile"), texts_of(item, "targetProfile")});
    // A snapshot carries the invariant of SimpleQuantity (sqty-1), which is all that it says.
    std::erase(element.types.back().profiles, std::string(kBaseDefinitions) + "SimpleQuantity");
  }
}

void read_binding(Json const& json, ProfileElement& element) {
  auto const strength = json.text_of("strength");
  element.strength = strength == "required"     ? BindingStrength::kRequired
                     : strength == "extensible" ? BindingStrength::kExtensible
                     : strength == "preferred"  ? BindingStrength::kPreferred
                                                : BindingStrength::kExample;
  if (element.strength != BindingStrength::kExample) element.value_set = json.text_of("valueSet");
}

void read_constraints(Json const& list, ProfileElement& element) {
  for (auto const& item : list.items()) {
    auto const key = item.text_of("key");
    auto const expression = item.text_of("expression");
    if (key.empty() || expression.empty() || is_base_constraint(key, expression)) continue;
    element.constraints.push_back({std::string(key), std::string(item.text_of("human")),
                                   std::string(expression), item.text_of("severity") == "warning"});
  }
}

Result<void> read_cardinality(Json const& definition, ProfileElement& element) {
  if (Json const* min = definition.find("min")) {
    auto const value = min->is_number() ? number_in(min->number_text()) : std::nullopt;
    if (!value.has_value()) return fail(ErrorKind::kInvalid, "ElementDefinition.min is no number");
    element.min = *value;
  }
  auto const max = definition.text_of("max");
  if (max.empty() || max == "*") return {};
  auto const value = number_in(max);
  if (!value.has_value()) return fail(ErrorKind::kInvalid, "ElementDefinition.max is neither a number nor *");
  element.max = *value;
  return {};
}

/// fixed[x] and its like; true when `member` was one.
bool read_value(Json::Member const& member, ProfileElement& element) {
  constexpr std::pair<std::string_view, Json ProfileElement::*> kValues[] = {
      {"fixed", &ProfileElement::fixed},
      {"pattern", &ProfileElement::pattern},
      {"minValue", &ProfileElement::min_value},
      {"maxValue", &ProfileElement::max_value}};
  for (auto const& [name, field] : kValues) {
    if (!member.name.starts_with(name)) continue;
    element.*field = member.value;
    return true;
  }
  return false;
}

}  // namespace

Result<ProfileElement> read_element_definition(Json const& definition) {
  ProfileElement element;
  element.slice = definition.text_of("sliceName");
  TACENDA_TRY_VOID(read_cardinality(definition, element));
  for (auto const& member : definition.members()) {
    if (read_value(member, element)) continue;
    if (member.name == "type") {
      read_types(member.value, element);
    } else if (member.name == "binding") {
      read_binding(member.value, element);
    } else if (member.name == "constraint") {
      read_constraints(member.value, element);
    } else if (member.name == "slicing") {
      element.slicing = read_slicing(member.value);
    } else if (member.name == "maxLength" && member.value.is_number()) {
      element.max_length = number_in(member.value.number_text()).value_or(0);
    }
  }
  return element;
}

}  // namespace tacenda::fhir

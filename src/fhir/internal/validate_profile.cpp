#include "fhir/internal/validate_profile.hpp"

#include <algorithm>
#include <array>

#include "fhir/internal/validate_match.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

constexpr std::size_t kTargetsOpenMax = 8;  // references followed within references

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

}  // namespace

std::string_view base_definition(std::string_view url) {
  url = without_version(url);
  return url.starts_with(kBaseDefinitions) ? url.substr(kBaseDefinitions.size()) : std::string_view{};
}

bool is_kind_of(Node const& node, std::string_view type) {
  auto const own = path_of(node);
  if (own == type) return true;
  if (Node const* resource = find_resource_node(own)) {
    return type == "Resource" ||
           (type == "DomainResource" && find_element(*resource, "contained") != nullptr);
  }
  return type == "Element" || (type == "BackboneElement" && own.contains('.'));
}

bool is_primitive_name(TypeCode type, std::string_view name) {
  constexpr std::array<std::string_view, 20> kNames = {
      "base64Binary", "boolean",     "canonical", "code",     "date", "dateTime",    "decimal",
      "id",           "instant",     "integer",   "markdown", "oid",  "positiveInt", "string",
      "time",         "unsignedInt", "uri",       "url",      "uuid", "xhtml"};
  static_assert(kNames.size() == static_cast<std::size_t>(TypeCode::kFirstNode));
  auto const index = static_cast<std::size_t>(type);
  return index < kNames.size() && kNames[index] == name;
}

void ProfileWalk::conform(Profile const& profile, Value const& value, Node const& node, Scope const& scope,
                          Place const& place) {
  if (!is_kind_of(node, profile.type())) {
    return run_.add(Severity::kError, IssueKind::kStructure, "a profile is one of another type", place,
                    {profile.url(), {}});
  }
  ProfileElement const& root = profile.root();
  for (auto const& constraint : root.constraints) {
    run_.check_invariant(constraint.view(), value, &node, scope, place);
  }
  if (Json const* object = value.object()) children(profile, root, node, *object, scope, place);
}

void ProfileWalk::children(Profile const& profile, ProfileElement const& element, Node const& node,
                           Json const& object, Scope const& scope, Place const& place) {
  At const at{profile, scope, place};
  for (auto const index : profile.children_of(element)) {
    ProfileElement const& child = profile[index];
    if (run_.is_over() || !run_.step(1 + object.members().size(), place)) return;
    auto values = values_of(node, object, child.name);
    // A slice of what the snapshot does not name: valueQuantity of value[x].
    if (!child.slice.empty()) {
      std::erase_if(values, [&](Value const& each) {
        return !each.element->has(Element::kChoice) ||
               std::ranges::none_of(child.types,
                                    [&](auto const& type) { return is_type(*each.element, type.code); });
      });
    }
    this->element(at, child, values);
  }
}

void ProfileWalk::count(At const& at, ProfileElement const& element, std::size_t found) {
  if (found >= element.min && found <= element.max) return;
  std::string rule(at.profile.url());
  if (!element.slice.empty()) rule += "#" + element.slice;
  Place const place = at.owner.child(element.name);
  if (found < element.min) {
    run_.add(Severity::kError, IssueKind::kRequired,
             element.slice.empty() ? Literal("fewer values than the profile requires")
                                   : Literal("fewer values than the profile requires of a slice"),
             place, {rule, {}});
  } else {
    run_.add(Severity::kError, IssueKind::kStructure,
             element.slice.empty() ? Literal("more values than the profile allows")
                                   : Literal("more values than the profile allows of a slice"),
             place, {rule, {}});
  }
}

void ProfileWalk::element(At const& at, ProfileElement const& element, std::vector<Value> const& values) {
  count(at, element, values.size());
  for (auto const& each : values) {
    if (run_.is_over()) return;
    value(at, element, each);
  }
  if (!element.slices.empty()) slices(at, element, values);
}

void ProfileWalk::value(At const& at, ProfileElement const& element, Value const& value) {
  Place const place = at.place_of(value);
  if (!run_.step(1, place)) return;
  if (!element.types.empty() && !types(at, element, value, place)) return;
  fixed_values(at, element, value, place);
  if (!element.value_set.empty()) run_.check_binding(element.strength, element.value_set, value, place);
  Node const* node = node_of_value(value);
  if (node == nullptr) return;
  for (auto const& constraint : element.constraints) {
    run_.check_invariant(constraint.view(), value, node, at.scope, place);
  }
  Json const* object = value.object();
  // A primitive has children of its own: the extensions beside it.
  if (value.element->is_primitive()) object = value.shadow;
  static Json const kNothing = Json::object();
  if (object == nullptr) object = &kNothing;
  if (value.element->type_code() != TypeCode::kResource) {
    return children(at.profile, element, *node, *object, at.scope, place);
  }
  bool const contained = name_of(*value.element) == "contained";
  Scope const scope{object, contained ? at.scope.root : object, place.depth};
  children(at.profile, element, *node, *object, scope, place);
}

void ProfileWalk::fixed_values(At const& at, ProfileElement const& element, Value const& value,
                               Place const& place) {
  if (value.value == nullptr) {
    if (!element.fixed.is_null() || !element.pattern.is_null()) {
      run_.add(Severity::kError, IssueKind::kValue, "no value, where the profile fixes one", place,
               {at.profile.url(), {}});
    }
    return;
  }
  Json const& json = *value.value;
  Match match(run_, place);
  auto const wrong = [&](Literal text) {
    run_.add(Severity::kError, IssueKind::kValue, text, place, {at.profile.url(), {}});
  };
  if (!element.fixed.is_null() && !match.same(element.fixed, json))
    wrong("not the value that the profile fixes");
  if (!element.pattern.is_null() && !match.fits(element.pattern, json)) {
    wrong("not of the pattern that the profile fixes");
  }
  if (!element.min_value.is_null() && compare_to_bound(json, element.min_value).value_or(0) < 0) {
    wrong("less than the profile allows");
  }
  if (!element.max_value.is_null() && compare_to_bound(json, element.max_value).value_or(0) > 0) {
    wrong("more than the profile allows");
  }
  if (element.max_length > 0 && json.is_string() && characters_in(json.as_string()) > element.max_length) {
    wrong("longer than the profile allows");
  }
}

/// False when the value has a type that the profile does not know: then it says nothing more of it.
bool ProfileWalk::types(At const& at, ProfileElement const& element, Value const& value, Place const& place) {
  bool const is_resource = value.element->type_code() == TypeCode::kResource;
  auto const has_type = [&](ProfileType const& type) {
    if (!is_resource) return is_type(*value.element, type.code);
    Node const* node = node_of_value(value);
    return node == nullptr || is_kind_of(*node, type.code);
  };
  auto const found = std::ranges::find_if(element.types, has_type);
  if (found == element.types.end()) {
    run_.add(Severity::kError, IssueKind::kStructure, "a type that the profile does not allow", place,
             {at.profile.url(), {}});
    return false;
  }
  if (!found->profiles.empty()) type_profiles(at, *found, value, place);
  if (!found->target_profiles.empty()) targets(at, *found, value, place);
  return true;
}

void ProfileWalk::type_profiles(At const& at, ProfileType const& type, Value const& value,
                                Place const& place) {
  if (value.element->type_code() == TypeCode::kExtension) {
    // BaseWalk holds every extension to the definition that it names: here it must name the right one.
    auto const url = value.value == nullptr ? std::string_view{} : value.value->text_of("url");
    bool const named = std::ranges::any_of(
        type.profiles, [&](std::string const& each) { return without_version(each) == url; });
    if (!named) {
      run_.add(Severity::kError, IssueKind::kExtension, "not the extension that the profile asks for", place,
               {type.profiles.front(), {}});
    }
    return;
  }
  Node const* node = node_of_value(value);
  if (node == nullptr) return;
  if (type.profiles.size() == 1) {
    Profile const* profile = run_.find_profile(type.profiles.front());
    if (profile != nullptr) return conform(*profile, value, *node, at.scope, place);
    return run_.add(Severity::kInformation, IssueKind::kNotSupported,
                    run_.why_no_profile(type.profiles.front(), "a profile of a type is not known here"),
                    place, {type.profiles.front(), {}});
  }
  for (auto const& url : type.profiles) {
    if (conforms_to(url, value, at.scope, place)) return;
  }
  run_.add(Severity::kError, IssueKind::kStructure, "conforms to none of the profiles that are asked for",
           place, {at.profile.url(), {}});
}

/// True also when nobody knows the profile: nothing can be said against the value then.
bool ProfileWalk::conforms_to(std::string_view url, Value const& value, Scope const& scope,
                              Place const& place) {
  Node const* node = node_of_value(value);
  if (node == nullptr) return false;
  if (auto const base = base_definition(url); !base.empty() && find_type_node(base) != nullptr) {
    return is_kind_of(*node, base);
  }
  Profile const* profile = run_.find_profile(url);
  if (profile == nullptr) return true;
  return run_.passes([&] { conform(*profile, value, *node, scope, place); });
}

void ProfileWalk::targets(At const& at, ProfileType const& type, Value const& value, Place const& place) {
  if (value.value == nullptr || value.element->type_code() != TypeCode::kReference) return;
  auto const target_type = run_.target_type(*value.value, at.scope);
  if (target_type.empty()) return;
  auto const text = value.value->text_of("reference");
  Json const* found = text.empty() ? nullptr : run_.find_target(text, at.scope);
  Target const target{target_type, found, text.starts_with('#') ? at.scope.root : found};
  for (auto const& url : type.target_profiles) {
    if (target_conforms(url, target, place)) return;
  }
  run_.add(Severity::kError, IssueKind::kStructure, "a reference leads to what the profile does not allow",
           place, {at.profile.url(), {}});
}

/// A target outside the document is judged by its type alone.
bool ProfileWalk::target_conforms(std::string_view url, Target const& target, Place const& place) {
  Node const* node = find_resource_node(target.type);
  if (node == nullptr) return false;
  if (auto const base = base_definition(url); !base.empty() && find_type_node(base) != nullptr) {
    return is_kind_of(*node, base);
  }
  Profile const* profile = run_.find_profile(url);
  if (profile == nullptr) return true;
  if (!is_kind_of(*node, profile->type())) return false;
  if (target.resource == nullptr || run_.targets_open >= kTargetsOpenMax) return true;
  ValidationRun::Judgement const key{target.resource, profile};
  if (auto const known = run_.judgements.find(key); known != run_.judgements.end()) return known->second;
  run_.judgements[key] = true;  // while it is under way: see Judgement
  ++run_.targets_open;
  Scope const scope{target.resource, target.root, place.depth};
  bool const good = run_.passes(
      [&] { conform(*profile, {target.resource, nullptr, nullptr, Place::kNoIndex}, *node, scope, place); });
  --run_.targets_open;
  run_.judgements[key] = good;
  return good;
}

}  // namespace tacenda::fhir

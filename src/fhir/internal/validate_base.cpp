#include "fhir/internal/validate_base.hpp"

#include <algorithm>
#include <ranges>

#include "core/limits.hpp"
#include "fhir/internal/validate_profile.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

constexpr std::string_view kElementKey = "ele-1";
constexpr std::string_view kElementText = "All FHIR elements must have a @value or children";
constexpr std::string_view kExtensionKey = "ext-1";
constexpr std::string_view kExtensionText = "Must have either extensions or value[x], not both";
constexpr std::string_view kReferenceKey = "ref-1";
constexpr std::string_view kReferenceText =
    "SHALL have a contained resource if a local reference is provided";
constexpr std::string_view kQuantityKey = "sqty-1";
constexpr std::string_view kQuantityText = "The comparator is not used on a SimpleQuantity";

/// An object with an id and nothing else.
bool is_hollow(Json const& json) {
  return json.members().size() == 1 && json.members().front().name == "id";
}

/// The path of names from the nearest resource: "Patient.name.family".
std::string definition_path(Node const& root, Place const& place, std::size_t depth) {
  std::vector<std::string_view> names;
  for (Place const* at = &place; at != nullptr && at->depth > depth; at = at->parent) {
    names.push_back(at->name);
  }
  std::string path(path_of(root));
  for (auto const name : names | std::views::reverse) {
    path += '.';
    path += name;
  }
  return path;
}

}  // namespace

void BaseWalk::resource(Json const& json, Place const* place, Json const* container,
                        std::span<Profile const* const> profiles) {
  Node const* node = find_resource_node(json.text_of("resourceType"));
  if (node == nullptr) return;  // Resource::check refuses it
  Place const root{nullptr, path_of(*node)};
  Place const& at = place == nullptr ? root : *place;
  Scope const scope{&json, container == nullptr ? &json : container, at.depth};
  Value const whole{&json, nullptr, nullptr, Place::kNoIndex};
  constraints(base_constraints(*node), whole, node, scope, at);
  members({*node, {}, json, scope, at});
  claims(*node, json, scope, at);
  for (Profile const* profile : profiles) ProfileWalk(run_).conform(*profile, whole, *node, scope, at);
}

void BaseWalk::members(Object const& object) {
  if (object.place.depth > limits::kJsonDepth) return;  // Resource::check refuses it
  std::uint64_t seen = 0;
  for (auto const& member : object.json.members()) {
    if (run_.is_over()) return;
    std::string_view name = member.name;
    bool const is_shadow = name.starts_with('_');
    if (is_shadow) name.remove_prefix(1);
    Element const* element = find_element(object.node, name);
    if (element == nullptr) continue;  // resourceType
    seen |= std::uint64_t{1} << element->slot;
    if (is_shadow) {
      shadows(object, *element, member.value);
    } else {
      property(object, *element, member.value);
    }
  }
  if ((object.node.required & ~seen) != 0) required(object.node, seen, object.place);
}

void BaseWalk::required(Node const& node, std::uint64_t seen, Place const& place) {
  std::uint64_t missing = node.required & ~seen;
  for (auto const& element : elements_of(node)) {
    std::uint64_t const bit = std::uint64_t{1} << element.slot;
    if ((missing & bit) == 0) continue;
    missing &= ~bit;  // the types of a choice share a slot
    run_.add(Severity::kError, IssueKind::kRequired, "a required element is missing",
             place.child(definition_name_of(element)));
  }
}

void BaseWalk::property(Object const& owner, Element const& element, Json const& plain) {
  auto const rule = base_rule(owner.node, element);
  // An invariant may ask for the extensions beside a primitive; nothing else here does.
  Json const* shadow = nullptr;
  if (element.is_primitive() && !rule.constraints.empty()) {
    shadow = owner.json.find("_" + std::string(name_of(element)));
  }
  Place const place = owner.place.child(definition_name_of(element));
  if (!plain.is_array()) {
    return value(owner, {&plain, shadow, &element, Place::kNoIndex}, rule, place);
  }
  Place item = place;
  for (std::size_t i = 0; i < plain.items().size() && !run_.is_over(); ++i) {
    item.index = i;
    if (plain.items()[i].is_null()) continue;  // its extensions stand for it
    Json const* beside = shadow != nullptr && i < shadow->items().size() && !shadow->items()[i].is_null()
                             ? &shadow->items()[i]
                             : nullptr;
    value(owner, {&plain.items()[i], beside, &element, i}, rule, item);
  }
}

void BaseWalk::value(Object const& owner, Value const& value, BaseRule const& rule, Place const& place) {
  Element const& element = *value.element;
  if (rule.strength != BindingStrength::kExample) {
    run_.check_binding(rule.strength, rule.value_set, value, place);
  }
  if (!rule.constraints.empty()) {
    constraints(rule.constraints, value, node_of_value(value), owner.scope, place);
  }
  if (element.is_primitive()) return;
  Json const& json = *value.value;
  if (element.type_code() == TypeCode::kResource) {
    bool const contained = name_of(element) == "contained";
    return resource(json, &place, contained ? owner.scope.root : nullptr, {});
  }
  Node const& node = node_of(element.type_code());
  if (is_hollow(json)) {
    run_.add(Severity::kError, IssueKind::kInvariant, "an invariant does not hold", place,
             {kElementKey, kElementText});
  }
  if (rule.simple_quantity && element.type_code() == TypeCode::kQuantity &&
      json.find("comparator") != nullptr) {
    run_.add(Severity::kError, IssueKind::kInvariant, "an invariant does not hold", place,
             {kQuantityKey, kQuantityText});
  }
  constraints(base_constraints(node), value, &node, owner.scope, place);
  members({node, {&owner.node, &element}, json, owner.scope, place});
  if (element.type_code() == TypeCode::kReference) reference(element, json, owner.scope, place);
  if (element.type_code() == TypeCode::kExtension) extension(owner, value, place);
}

void BaseWalk::shadows(Object const& owner, Element const& element, Json const& list) {
  auto const rule = base_rule(owner.node, element);
  Json const* plain = owner.json.find(name_of(element));
  Place const place = owner.place.child(definition_name_of(element));
  if (!list.is_array()) return shadow(owner, {plain, &list, &element, Place::kNoIndex}, rule, place);
  Place item = place;
  for (std::size_t i = 0; i < list.items().size() && !run_.is_over(); ++i) {
    item.index = i;
    if (list.items()[i].is_null()) continue;
    Json const* beside = plain != nullptr && i < plain->items().size() && !plain->items()[i].is_null()
                             ? &plain->items()[i]
                             : nullptr;
    shadow(owner, {beside, &list.items()[i], &element, i}, rule, item);
  }
}

void BaseWalk::shadow(Object const& owner, Value const& value, BaseRule const& rule, Place const& place) {
  Node const& node = node_of(TypeCode::kElement);
  if (value.value == nullptr) {  // else property() has asked
    if (is_hollow(*value.shadow)) {
      run_.add(Severity::kError, IssueKind::kInvariant, "an invariant does not hold", place,
               {kElementKey, kElementText});
    }
    constraints(rule.constraints, value, &node, owner.scope, place);
  }
  members({node, {&owner.node, value.element}, *value.shadow, owner.scope, place});
}

void BaseWalk::constraints(BaseConstraints const& list, Value const& value, Node const* node,
                           Scope const& scope, Place const& place) {
  if (list.empty() || node == nullptr) return;
  for (std::size_t i = 0; i < list.size(); ++i) run_.check_invariant(list[i], value, node, scope, place);
}

/// meta.profile: "An assertion that the content conforms to a resource profile" (R4 resource.html#Meta).
void BaseWalk::claims(Node const& node, Json const& json, Scope const& scope, Place const& place) {
  Json const* meta = json.find("meta");
  Json const* list = meta == nullptr ? nullptr : meta->find("profile");
  if (list == nullptr) return;
  Place const above = place.child("meta");
  for (std::size_t i = 0; i < list->items().size() && !run_.is_over(); ++i) {
    if (!list->items()[i].is_string()) continue;
    auto const url = list->items()[i].as_string();
    Place const at = above.child("profile", i);
    if (auto const base = base_definition(url); !base.empty() && find_type_node(base) != nullptr) {
      if (!is_kind_of(node, base)) {
        run_.add(Severity::kError, IssueKind::kStructure, "a profile is one of another type", at);
      }
      continue;
    }
    Profile const* profile = run_.find_profile(url);
    if (profile == nullptr) {
      run_.add(Severity::kWarning, IssueKind::kNotSupported,
               run_.why_no_profile(url, "a profile is not known here"), at);
    } else if (!is_kind_of(node, profile->type())) {
      run_.add(Severity::kError, IssueKind::kStructure, "a profile is one of another type", at);
    } else {
      ProfileWalk(run_).conform(*profile, {&json, nullptr, nullptr, Place::kNoIndex}, node, scope, place);
    }
  }
}

void BaseWalk::reference(Element const& element, Json const& json, Scope const& scope, Place const& place) {
  auto const text = json.text_of("reference");
  if (text.starts_with('#') && run_.find_target(text, scope) == nullptr) {
    run_.add(Severity::kError, IssueKind::kInvariant, "an invariant does not hold", place,
             {kReferenceKey, kReferenceText});
  }
  std::size_t const count = target_count(element);
  if (count == 0) return;
  auto const type = run_.target_type(json, scope);
  if (type.empty()) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (target_of(element, i) == type || target_of(element, i) == "Resource") return;
  }
  run_.add(Severity::kError, IssueKind::kStructure, "a reference leads to a type that is not allowed here",
           place);
}

void BaseWalk::extension(Object const& owner, Value const& value, Place const& place) {
  Json const& json = *value.value;
  bool has_value = false;
  for (auto const& member : json.members()) {
    has_value = has_value || member.name.starts_with("value") || member.name.starts_with("_value");
  }
  if (has_value == (json.find("extension") != nullptr)) {
    run_.add(Severity::kError, IssueKind::kInvariant, "an invariant does not hold", place,
             {kExtensionKey, kExtensionText});
  }
  auto const url = json.text_of("url");
  // A part of an extension has a name of its own in place of an absolute URL.
  Profile const* profile = url.contains(':') ? run_.find_profile(url) : nullptr;
  if (profile == nullptr || profile->type() != "Extension") {
    if (name_of(*value.element) == "modifierExtension") {
      run_.add(Severity::kError, IssueKind::kExtension, "a modifier extension is not known here", place);
    }
    return;
  }
  auto const& contexts = profile->contexts();
  if (!contexts.empty() &&
      std::ranges::none_of(contexts, [&](auto const& each) { return may_stand_at(each, owner); })) {
    run_.add(Severity::kError, IssueKind::kExtension, "an extension may not stand here", place,
             {profile->url(), {}});
  }
  ProfileWalk(run_).conform(*profile, value, node_of(TypeCode::kExtension), owner.scope, place);
}

bool BaseWalk::may_stand_at(ExtensionContext const& context, Object const& owner) {
  std::string_view expression = context.expression;
  if (context.type == "fhirpath") return true;  // not judged
  if (context.type == "extension") return owner.json.text_of("url") == expression;
  if (expression.ends_with("[x]")) expression.remove_suffix(3);
  auto const [holder, element] = owner.holder;
  if (expression == "Element") return true;
  if (element == nullptr) return is_kind_of(owner.node, expression);
  if (element->is_primitive()) {
    if (is_primitive_name(element->type_code(), expression)) return true;
  } else if (is_kind_of(owner.node, expression)) {
    return true;
  }
  auto const by_owner = std::string(path_of(*holder)) + "." + std::string(definition_name_of(*element));
  if (by_owner == expression) return true;
  Node const* root = find_resource_node(owner.scope.resource->text_of("resourceType"));
  return root != nullptr && definition_path(*root, owner.place, owner.scope.depth) == expression;
}

}  // namespace tacenda::fhir

#include "fhir/internal/validate_run.hpp"

#include "fhir/internal/primitive.hpp"
#include "fhir/reference.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

/// The type in ".../Patient/1" and ".../Patient/1/_history/2" of any server (R4 references.html#literal).
std::string_view type_in_url(std::string_view url) {
  if (auto const history = url.find("/_history/"); history != std::string_view::npos) {
    url = url.substr(0, history);
  }
  auto const slash = url.rfind('/');
  if (slash == std::string_view::npos || !is_id(url.substr(slash + 1))) return {};
  auto const type = url.substr(0, slash);
  auto const name = type.substr(type.rfind('/') + 1);
  return is_resource_type(name) ? name : std::string_view{};
}

BoundCode coding_of(Json const& json) {
  return {json.text_of("system"), json.text_of("code")};
}

Literal binding_text(BindingStrength strength) {
  return strength == BindingStrength::kRequired     ? Literal("no code of the required value set")
         : strength == BindingStrength::kExtensible ? Literal("no code of the extensible value set")
                                                    : Literal("no code of the preferred value set");
}

}  // namespace

bool ValidationRun::step(std::size_t count, Place const& place) {
  if (is_exhausted_) return false;
  if (steps_ >= count) {
    steps_ -= count;
    return true;
  }
  exhaust(place);
  return false;
}

void ValidationRun::exhaust(Place const& place) {
  is_exhausted_ = true;
  // Whoever listens to the present report may drop it: that it could not be finished must stay.
  own_report_.add({Severity::kError,
                   IssueKind::kTooCostly,
                   "validation costs too much and was ended",
                   place.path(),
                   {},
                   {}});
}

void ValidationRun::add(Severity severity, IssueKind kind, Literal text, Place const& place, Rule rule) {
  report_->add({severity, kind, text, place.path(), std::string(rule.key), std::string(rule.human)});
}

Profile const* ValidationRun::find_profile(std::string_view url) {
  if (!hooks_.profile) return nullptr;
  auto at = profiles_.find(url);
  if (at == profiles_.end()) at = profiles_.emplace(url, hooks_.profile(url)).first;
  return at->second.has_value() ? at->second->get() : nullptr;
}

Literal ValidationRun::why_no_profile(std::string_view url, Literal not_known) const {
  auto const at = profiles_.find(url);
  return at == profiles_.end() || at->second.has_value() ? not_known : at->second.error().literal();
}

void ValidationRun::check_invariant(ConstraintView const& constraint, Value const& value, Node const* node,
                                    Scope const& scope, Place const& place) {
  if (!hooks_.invariant) return;
  TypeCode const type = value.element != nullptr && value.element->is_primitive() ? value.element->type_code()
                                                                                  : type_code_of(*node);
  auto const holds = hooks_.invariant(
      {constraint.expression, value.value, value.shadow, type, *scope.resource, *scope.root});
  Rule const rule{constraint.key, constraint.human};
  if (!holds.has_value() && holds.error().kind() == ErrorKind::kTooCostly) {
    exhaust(place);
  } else if (!holds.has_value()) {
    add(Severity::kInformation, IssueKind::kNotSupported, "an invariant could not be judged", place, rule);
  } else if (!*holds) {
    add(constraint.is_warning ? Severity::kWarning : Severity::kError, IssueKind::kInvariant,
        "an invariant does not hold", place, rule);
  }
}

Membership ValidationRun::membership_of_code(Set const& set, BoundCode const& code) const {
  auto const known = set.base.has_value() ? base_membership(*set.base, code) : Membership::kUnknown;
  if (known != Membership::kUnknown || !hooks_.membership) return known;
  return hooks_.membership(set.url, code);
}

Membership ValidationRun::membership_of_value(Set const& set, Value const& value) const {
  if (value.value == nullptr) return Membership::kUnknown;
  if (value.element->is_primitive()) {
    if (!value.value->is_string()) return Membership::kUnknown;
    return membership_of_code(set, {std::nullopt, value.value->as_string()});
  }
  Json const& json = *value.value;
  if (json.find("code") != nullptr) return membership_of_code(set, coding_of(json));
  Json const* codings = json.find("coding");
  if (codings == nullptr) return Membership::kUnknown;
  auto found = Membership::kOut;
  for (auto const& coding : codings->items()) {
    auto const one = membership_of_code(set, coding_of(coding));
    if (one == Membership::kIn) return one;
    if (one == Membership::kUnknown) found = one;
  }
  return found;
}

Membership ValidationRun::membership(std::string_view value_set, Value const& value) const {
  return membership_of_value({value_set, find_base_value_set(value_set)}, value);
}

void ValidationRun::check_set(BindingStrength strength, Set const& set, Value const& value,
                              Place const& place) {
  if (strength == BindingStrength::kExample || value.value == nullptr) return;
  bool const is_concept = value.element->type_code() == TypeCode::kCodeableConcept;
  bool const is_coded = is_concept || value.element->type_code() == TypeCode::kCoding ||
                        value.element->type_code() == TypeCode::kQuantity || value.element->is_primitive();
  if (!is_coded) return;
  bool const is_required = strength == BindingStrength::kRequired;
  bool const has_code =
      value.element->is_primitive() || value.value->find(is_concept ? "coding" : "code") != nullptr;
  if (!has_code) {
    // "the concept in this element SHALL be from the specified value set"; where it is absent for a reason,
    // an extension says so.
    if (is_required && is_concept && value.value->find("extension") == nullptr) {
      add(Severity::kError, IssueKind::kCodeInvalid, "no code, where one is required", place, {set.url, {}});
    }
    return;
  }
  auto const found = membership_of_value(set, value);
  if (found == Membership::kIn) return;
  if (found == Membership::kOut) {
    auto const severity = is_required                                ? Severity::kError
                          : strength == BindingStrength::kExtensible ? Severity::kWarning
                                                                     : Severity::kInformation;
    add(severity, IssueKind::kCodeInvalid, binding_text(strength), place, {set.url, {}});
  } else if (is_required) {
    add(Severity::kInformation, IssueKind::kNotSupported, "a required value set is not known here", place,
        {set.url, {}});
  }
}

void ValidationRun::check_binding(BindingStrength strength, std::string_view value_set, Value const& value,
                                  Place const& place) {
  check_set(strength, {value_set, find_base_value_set(value_set)}, value, place);
}

void ValidationRun::check_binding(BindingStrength strength, std::uint16_t base_value_set, Value const& value,
                                  Place const& place) {
  check_set(strength, {base_value_set_url(base_value_set), base_value_set}, value, place);
}

void ValidationRun::index_entries() {
  has_index_ = true;
  if (document_.text_of("resourceType") != "Bundle") return;
  Json const* entries = document_.find("entry");
  if (entries == nullptr) return;
  for (auto const& entry : entries->items()) {
    Json const* resource = entry.find("resource");
    auto const url = entry.text_of("fullUrl");
    if (resource != nullptr && !url.empty()) entries_.emplace(url, resource);
  }
}

Json const* ValidationRun::find_contained(std::string_view id, Json const& root) {
  Json const* contained = root.find("contained");
  if (contained == nullptr) return nullptr;
  auto const [index, is_new] = contained_.try_emplace(&root);
  if (is_new) {
    for (auto const& each : contained->items()) index->second.emplace(each.text_of("id"), &each);
  }
  auto const at = index->second.find(id);
  return at == index->second.end() ? nullptr : at->second;
}

Json const* ValidationRun::find_target(std::string_view reference, Scope const& scope) {
  if (reference == "#") return scope.root;
  if (reference.starts_with('#')) return find_contained(reference.substr(1), *scope.root);
  if (!has_index_) index_entries();
  auto const at = entries_.find(reference);
  return at == entries_.end() ? nullptr : at->second;
}

std::string ValidationRun::target_type(Json const& reference, Scope const& scope) {
  auto const text = reference.text_of("reference");
  if (text.empty()) return std::string(reference.text_of("type"));
  if (Json const* target = find_target(text, scope)) return std::string(target->text_of("resourceType"));
  auto const parsed = parse_reference(text);
  if (!parsed.type.empty()) return std::string(parsed.type);
  if (parsed.kind == ReferenceKind::kAbsolute) {
    if (auto const type = type_in_url(text); !type.empty()) return std::string(type);
  }
  if (hooks_.target_type && parsed.kind != ReferenceKind::kContained) {
    if (auto type = hooks_.target_type(text)) return *std::move(type);
  }
  return std::string(reference.text_of("type"));
}

Node const* node_of_value(Value const& value) {
  if (value.element != nullptr) {
    if (value.element->is_primitive()) return &node_of(TypeCode::kElement);
    if (value.element->type_code() != TypeCode::kResource) return &node_of(value.element->type_code());
  }
  return value.value == nullptr ? nullptr : find_resource_node(value.value->text_of("resourceType"));
}

namespace {

void append_values(Json const* plain, Json const* shadow, Element const& element, std::vector<Value>& out) {
  if (!element.has(Element::kRepeats)) {
    out.push_back({plain, shadow, &element, Place::kNoIndex});
    return;
  }
  std::size_t const plain_size = plain == nullptr ? 0 : plain->items().size();
  std::size_t const shadow_size = shadow == nullptr ? 0 : shadow->items().size();
  auto const item = [](Json const* list, std::size_t size, std::size_t i) -> Json const* {
    return i < size && !list->items()[i].is_null() ? &list->items()[i] : nullptr;
  };
  for (std::size_t i = 0; i < std::max(plain_size, shadow_size); ++i) {
    out.push_back({item(plain, plain_size, i), item(shadow, shadow_size, i), &element, i});
  }
}

bool is_shadow_of(std::string_view name, std::string_view of) {
  return name.size() == of.size() + 1 && name.front() == '_' && name.ends_with(of);
}

}  // namespace

std::vector<Value> values_of(Node const& node, Json const& object, std::string_view name) {
  std::vector<Value> values;
  Element const* element = find_element(node, name);
  if (element == nullptr) {
    for (auto const& member : object.members()) {
      std::string_view own = member.name;
      if (own.starts_with('_')) own.remove_prefix(1);
      Element const* choice = find_element(node, own);
      if (choice != nullptr && choice->has(Element::kChoice) && definition_name_of(*choice) == name) {
        element = choice;
      }
    }
    if (element == nullptr) return values;
  }
  Json const* plain = nullptr;
  Json const* shadow = nullptr;
  for (auto const& member : object.members()) {
    if (member.name == name_of(*element)) plain = &member.value;
    if (is_shadow_of(member.name, name_of(*element))) shadow = &member.value;
  }
  if (plain != nullptr || shadow != nullptr) append_values(plain, shadow, *element, values);
  return values;
}

}  // namespace tacenda::fhir

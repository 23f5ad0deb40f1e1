#include "fhir/internal/profile_reader.hpp"

#include <algorithm>
#include <map>

#include "fhir/internal/profile_fields.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

std::size_t depth_of(std::string_view path) {
  return static_cast<std::size_t>(std::ranges::count(path, '.'));
}

std::string_view stem_of(std::string_view name) {
  return name.ends_with("[x]") ? name.substr(0, name.size() - 3) : name;
}

/// A property of the node by its name in JSON or in the definition (of a choice: the first of its types).
Element const* find_definition(Node const& node, std::string_view name) {
  if (Element const* element = find_element(node, name)) return element;
  for (auto const& element : elements_of(node)) {
    if (definition_name_of(element) == name) return &element;
  }
  return nullptr;
}

std::size_t types_of_choice(Node const& node, Element const& choice) {
  return static_cast<std::size_t>(std::ranges::count_if(
      elements_of(node), [&](Element const& each) { return each.slot == choice.slot; }));
}

/// The node of an element's value: of its only type.
Node const* value_node(Node const& owner, Element const& element, ProfileElement const& said,
                       bool is_json_name) {
  bool const one_type = !element.has(Element::kChoice) || is_json_name;
  if (one_type && element.is_primitive()) return &node_of(TypeCode::kElement);
  if (one_type && element.type_code() != TypeCode::kResource) return &node_of(element.type_code());
  // A choice, or a resource: the profile says of which type it is.
  if (said.types.size() != 1) return &node_of(TypeCode::kElement);
  auto const& code = said.types.front().code;
  if (!one_type) {
    for (auto const& each : elements_of(owner)) {
      if (each.slot != element.slot || !is_type(each, code)) continue;
      return each.is_primitive() ? &node_of(TypeCode::kElement) : &node_of(each.type_code());
    }
  }
  return find_type_node(code);
}

bool has_same_targets(Element const& element, std::vector<std::string> const& urls) {
  if (urls.size() != target_count(element)) return false;
  return std::ranges::all_of(urls, [&](std::string const& url) {
    if (!url.starts_with(kBaseDefinitions)) return false;
    for (std::size_t i = 0; i < target_count(element); ++i) {
      if (target_of(element, i) == std::string_view(url).substr(kBaseDefinitions.size())) return true;
    }
    return false;
  });
}

/// Removes from a type what the base says of it, and tells whether something is left.
bool strip_type(Element const& element, ProfileType& type) {
  std::erase_if(type.profiles, [&](std::string const& url) {
    auto const name = without_version(url);
    return name.starts_with(kBaseDefinitions) && name.substr(kBaseDefinitions.size()) == type.code;
  });
  if (!element.has(Element::kChoice) && has_same_targets(element, type.target_profiles)) {
    type.target_profiles.clear();
  }
  return !type.profiles.empty() || !type.target_profiles.empty();
}

bool says_something(ProfileElement const& element) {
  return !element.slice.empty() || element.min > 0 || element.max != ProfileElement::kUnbounded ||
         !element.types.empty() || !element.fixed.is_null() || !element.pattern.is_null() ||
         !element.min_value.is_null() || !element.max_value.is_null() || element.max_length > 0 ||
         !element.value_set.empty() || !element.constraints.empty();
}

}  // namespace

Result<void> ProfileReader::read(std::vector<Json> const& definitions) {
  if (definitions.size() > kProfileElementsMax) {
    return fail(ErrorKind::kTooLarge, "a StructureDefinition has too many elements");
  }
  profile_.elements_.reserve(definitions.size());
  drafts_.reserve(definitions.size());
  for (auto const& definition : definitions) TACENDA_TRY_VOID(add(definition));
  if (drafts_.empty()) return fail(ErrorKind::kUnsupported, "a StructureDefinition has an empty snapshot");
  TACENDA_TRY_VOID(link_contents());
  mark_kept();
  prune();
  return {};
}

Result<void> ProfileReader::add(Json const& definition) {
  Draft draft;
  draft.path = definition.text_of("path");
  draft.id = definition.text_of("id");
  std::string_view const content = definition.text_of("contentReference");
  draft.content = content.substr(content.find('#') + 1);
  if (draft.path.empty()) return fail(ErrorKind::kInvalid, "an ElementDefinition has no path");
  auto const depth = depth_of(draft.path);
  if (depth > kProfileDepthMax)
    return fail(ErrorKind::kTooLarge, "a path of an ElementDefinition is too deep");
  if (depth > open_.size() || (depth == 0) != drafts_.empty()) {
    return fail(ErrorKind::kInvalid, "the elements of a snapshot are in no order");
  }
  auto element = TACENDA_TRY(read_element_definition(definition));
  element.name = stem_of(last_part(draft.path));
  auto const index = static_cast<std::uint32_t>(drafts_.size());
  open_.resize(depth);
  TACENDA_TRY_VOID(place(draft, element, index));
  strip(draft, element);
  open_.push_back(index);
  drafts_.push_back(draft);
  profile_.elements_.push_back(std::move(element));
  if (index > 0) attach(index, open_[depth - 1]);
  return {};
}

Result<void> ProfileReader::place(Draft& draft, ProfileElement& element, std::uint32_t index) {
  if (index == 0) {
    if (draft.path != profile_.type()) {
      return fail(ErrorKind::kInvalid, "a snapshot does not start with the type of its StructureDefinition");
    }
    draft.value = profile_.node_;
    return {};
  }
  Draft const& parent = drafts_[open_.back()];
  if (!draft.path.starts_with(parent.path) || draft.path.size() <= parent.path.size() ||
      draft.path[parent.path.size()] != '.') {
    return fail(ErrorKind::kInvalid, "the elements of a snapshot are in no order");
  }
  return find_base(draft, element, parent);
}

Result<void> ProfileReader::find_base(Draft& draft, ProfileElement const& element,
                                      Draft const& parent) const {
  if (parent.value == nullptr) {
    return fail(ErrorKind::kUnsupported, "a profile names an element of a type that it does not know");
  }
  draft.owner = parent.value;
  draft.element = find_definition(*parent.value, element.name);
  if (draft.element == nullptr) {
    return fail(ErrorKind::kInvalid, "a profile names an element that its base does not have");
  }
  bool const is_json_name = name_of(*draft.element) == element.name;
  draft.value = value_node(*draft.owner, *draft.element, element, is_json_name);
  return {};
}

/// A slice hangs on the element that it slices, a slice "a/b" on the slice "a"; everything else on its
/// parent.
void ProfileReader::attach(std::uint32_t index, std::uint32_t parent) {
  auto& elements = profile_.elements_;
  ProfileElement const& own = elements[index];
  if (own.slice.empty()) return elements[parent].children.push_back(index);
  auto const& siblings = elements[parent].children;
  auto const same = std::ranges::find_if(siblings.rbegin(), siblings.rend(),
                                         [&](auto each) { return elements[each].name == own.name; });
  // A slice of nothing: of an element that the snapshot does not name, such as an only type of a choice.
  if (same == siblings.rend()) return elements[parent].children.push_back(index);
  std::uint32_t sliced = *same;
  if (auto const slash = own.slice.rfind('/'); slash != std::string::npos) {
    for (auto const each : elements[*same].slices) {
      if (elements[each].slice == std::string_view(own.slice).substr(0, slash)) sliced = each;
    }
  }
  elements[sliced].slices.push_back(index);
}

void ProfileReader::strip(Draft const& draft, ProfileElement& element) const {
  if (draft.element == nullptr) {  // the root: 0..*, and nothing of its own but invariants
    element.min = 0;
    element.max = ProfileElement::kUnbounded;
    element.types.clear();
    return;
  }
  if (!element.slice.empty()) return;
  Element const& base = *draft.element;
  auto const rule = base_rule(*draft.owner, base);
  bool const is_required = ((draft.owner->required >> base.slot) & 1U) != 0;
  if (is_required && element.min == 1) element.min = 0;
  if (!base.has(Element::kRepeats) && element.max == 1) element.max = ProfileElement::kUnbounded;
  if (!element.value_set.empty() && rule.strength == element.strength &&
      without_version(element.value_set) == base_value_set_url(rule.value_set)) {
    element.value_set.clear();
  }
  bool restricts = base.has(Element::kChoice) && name_of(base) != element.name &&
                   element.types.size() < types_of_choice(*draft.owner, base);
  for (auto& type : element.types) {
    restricts = strip_type(base, type) || restricts;
    restricts = restricts || (base.type_code() == TypeCode::kResource && type.code != "Resource");
  }
  if (!restricts) element.types.clear();
}

Result<void> ProfileReader::link_contents() {
  std::map<std::string_view, std::uint32_t> places;  // by id, else by path: the first of each
  for (auto const name : {&Draft::id, &Draft::path}) {
    for (std::uint32_t i = 0; i < drafts_.size(); ++i) places.emplace(drafts_[i].*name, i);
  }
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    if (drafts_[i].content.empty()) continue;
    auto const at = places.find(drafts_[i].content);
    if (at == places.end() || !drafts_[at->second].content.empty()) {
      return fail(ErrorKind::kInvalid, "a contentReference names no element that has content itself");
    }
    profile_.elements_[i].content = at->second;
  }
  return {};
}

/// An element is kept when it, or one below it, says something. Those below come later in the list. A
/// contentReference that leads to an element that is kept is kept itself, which may keep others: at most the
/// depth of such references.
void ProfileReader::mark_kept() {
  auto const& elements = profile_.elements_;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = elements.size(); i-- > 0;) {
      if (drafts_[i].is_kept) continue;
      auto const kept = [&](std::uint32_t index) { return drafts_[index].is_kept; };
      auto const& own = elements[i];
      drafts_[i].is_kept = i == 0 || says_something(own) || std::ranges::any_of(own.children, kept) ||
                           !own.slices.empty() || (own.content != ProfileElement::kNone && kept(own.content));
      changed = changed || drafts_[i].is_kept;
    }
  }
}

void ProfileReader::prune() {
  std::vector<std::uint32_t> numbers(drafts_.size(), ProfileElement::kNone);
  std::vector<ProfileElement> kept;
  for (std::size_t i = 0; i < drafts_.size(); ++i) {
    if (!drafts_[i].is_kept) continue;
    numbers[i] = static_cast<std::uint32_t>(kept.size());
    kept.push_back(std::move(profile_.elements_[i]));
  }
  auto const renumber = [&](std::vector<std::uint32_t>& list) {
    std::erase_if(list, [&](std::uint32_t old) { return numbers[old] == ProfileElement::kNone; });
    for (auto& each : list) each = numbers[each];
    list.shrink_to_fit();
  };
  for (auto& element : kept) {
    renumber(element.children);
    renumber(element.slices);
    if (element.slices.empty()) element.slicing.reset();
    if (element.content != ProfileElement::kNone) element.content = numbers[element.content];
  }
  kept.shrink_to_fit();
  profile_.elements_ = std::move(kept);
}

}  // namespace tacenda::fhir

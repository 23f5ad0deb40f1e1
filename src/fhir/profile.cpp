#include "fhir/profile.hpp"

#include <algorithm>

#include "fhir/internal/differential.hpp"
#include "fhir/internal/profile_reader.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

std::vector<ExtensionContext> contexts_of(Json const& structure_definition) {
  std::vector<ExtensionContext> contexts;
  if (Json const* list = structure_definition.find("context")) {
    for (auto const& item : list->items()) {
      contexts.push_back({std::string(item.text_of("type")), std::string(item.text_of("expression"))});
    }
  }
  return contexts;
}

Json const* find_elements(Json const& structure_definition, std::string_view view) {
  Json const* found = structure_definition.find(view);
  return found == nullptr ? nullptr : found->find("element");
}

/// A differential that is laid over what `definition` is derived from.
struct Layer {
  std::shared_ptr<Json const> held;  // of a base; nullptr: the caller's own
  std::string_view url;
  std::vector<Json> const* elements;
};

bool is_type(std::string_view canonical, Node const& type) {
  auto const url = without_version(canonical);
  return url.starts_with(kBaseDefinitions) && url.substr(kBaseDefinitions.size()) == path_of(type);
}

/// What a differential is derived from, asked of whoever knows it.
Result<std::shared_ptr<Json const>> base_of(Json const& definition, Node const& type,
                                            std::vector<Layer> const& above, DefinitionSource const& bases) {
  auto const canonical = definition.text_of("baseDefinition");
  if (above.size() > kProfileBasesMax)
    return fail(ErrorKind::kTooLarge, "a profile is derived through too many others");
  std::shared_ptr<Json const> base;
  if (bases && !canonical.empty()) base = TACENDA_TRY(bases(canonical));
  if (base == nullptr)
    return fail(ErrorKind::kUnsupported, "a profile is derived from one that is not known here");
  if (base->text_of("type") != path_of(type))
    return fail(ErrorKind::kInvalid, "a profile is derived from one of another type");
  auto const url = base->text_of("url");
  if (std::ranges::any_of(above, [&](Layer const& each) { return each.url == url; }))
    return fail(ErrorKind::kInvalid, "a profile is derived from itself");
  return base;
}

/// Those of the snapshot, or what the differential comes to over what it is derived from.
Result<std::vector<Json>> elements_of(Json const& structure_definition, Node const& type,
                                      DefinitionSource const& bases) {
  std::vector<Layer> layers;  // the first is the structure definition's own
  std::vector<Json> elements;
  std::shared_ptr<Json const> held;
  for (Json const* at = &structure_definition;; at = held.get()) {
    if (auto const* snapshot = find_elements(*at, "snapshot")) {
      elements = snapshot->items();
      break;
    }
    auto const* differential = find_elements(*at, "differential");
    if (differential == nullptr)
      return fail(ErrorKind::kUnsupported, "a StructureDefinition has neither a snapshot nor a differential");
    layers.push_back({std::move(held), at->text_of("url"), &differential->items()});
    if (is_type(at->text_of("baseDefinition"), type)) break;
    held = TACENDA_TRY(base_of(*at, type, layers, bases));
  }
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    elements = TACENDA_TRY(elements_of_differential(*layer->elements, type, elements));
  return elements;
}

}  // namespace

Result<Profile> Profile::parse(Json const& structure_definition, DefinitionSource const& bases) {
  if (structure_definition.text_of("resourceType") != "StructureDefinition") {
    return fail(ErrorKind::kInvalid, "a profile is a StructureDefinition");
  }
  Profile profile;
  profile.url_ = structure_definition.text_of("url");
  profile.version_ = structure_definition.text_of("version");
  if (profile.url_.empty()) return fail(ErrorKind::kInvalid, "a StructureDefinition has no url");
  auto const kind = structure_definition.text_of("kind");
  profile.node_ = kind == "resource" || kind == "complex-type"
                      ? find_type_node(structure_definition.text_of("type"))
                      : nullptr;
  if (profile.node_ == nullptr) {
    return fail(ErrorKind::kUnsupported, "a StructureDefinition is of no resource type or data type of R4");
  }
  auto const elements = TACENDA_TRY(elements_of(structure_definition, *profile.node_, bases));
  if (profile.type() == "Extension") profile.contexts_ = contexts_of(structure_definition);
  TACENDA_TRY_VOID(ProfileReader(profile).read(elements));
  return profile;
}

std::vector<std::uint32_t> const& Profile::children_of(ProfileElement const& element) const {
  return element.content == ProfileElement::kNone ? element.children : elements_[element.content].children;
}

}  // namespace tacenda::fhir

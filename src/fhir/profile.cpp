#include "fhir/profile.hpp"

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

/// Those of the snapshot, or what the differential comes to.
Result<std::vector<Json>> elements_of(Json const& structure_definition, Node const& type) {
  if (auto const* snapshot = find_elements(structure_definition, "snapshot")) return snapshot->items();
  auto const* differential = find_elements(structure_definition, "differential");
  if (differential == nullptr)
    return fail(ErrorKind::kUnsupported, "a StructureDefinition has neither a snapshot nor a differential");
  auto const base = without_version(structure_definition.text_of("baseDefinition"));
  if (!base.starts_with(kBaseDefinitions) || base.substr(kBaseDefinitions.size()) != path_of(type))
    return fail(ErrorKind::kUnsupported,
                "a profile of another profile has no snapshot, and none is generated");
  return elements_of_differential(differential->items(), type);
}

}  // namespace

Result<Profile> Profile::parse(Json const& structure_definition) {
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
  auto const elements = TACENDA_TRY(elements_of(structure_definition, *profile.node_));
  if (profile.type() == "Extension") profile.contexts_ = contexts_of(structure_definition);
  TACENDA_TRY_VOID(ProfileReader(profile).read(elements));
  return profile;
}

std::vector<std::uint32_t> const& Profile::children_of(ProfileElement const& element) const {
  return element.content == ProfileElement::kNone ? element.children : elements_[element.content].children;
}

}  // namespace tacenda::fhir

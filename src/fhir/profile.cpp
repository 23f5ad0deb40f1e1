#include "fhir/profile.hpp"

#include "fhir/internal/profile_reader.hpp"

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
  Json const* snapshot = structure_definition.find("snapshot");
  Json const* elements = snapshot == nullptr ? nullptr : snapshot->find("element");
  if (elements == nullptr) {
    return fail(ErrorKind::kUnsupported, "a StructureDefinition has no snapshot, and none is generated here");
  }
  if (profile.type() == "Extension") profile.contexts_ = contexts_of(structure_definition);
  TACENDA_TRY_VOID(ProfileReader(profile).read(elements->items()));
  return profile;
}

std::vector<std::uint32_t> const& Profile::children_of(ProfileElement const& element) const {
  return element.content == ProfileElement::kNone ? element.children : elements_[element.content].children;
}

}  // namespace tacenda::fhir

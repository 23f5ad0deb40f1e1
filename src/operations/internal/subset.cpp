#include "operations/internal/subset.hpp"

#include <algorithm>

#include "codec/json.hpp"
#include "fhir/elements.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;

constexpr std::string_view kSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

bool stays_always(std::string_view name) {
  return name == "resourceType" || name == "id" || name == "meta" || name == "implicitRules";
}

/// The element of a property or of its shadow.
fhir::Element const* element_of(fhir::Node const& node, std::string_view name) {
  return fhir::find_element(node, name.starts_with('_') ? name.substr(1) : name);
}

bool is_required(fhir::Node const& node, fhir::Element const& element) {
  return (node.required >> element.slot & 1U) != 0;
}

/// Keeps what the definition calls summary, all the way down.
void summarize(Json& json, fhir::Node const& node, bool is_root) {
  std::erase_if(json.members(), [&](Json::Member& member) {
    if (is_root && stays_always(member.name)) return false;
    auto const* element = element_of(node, member.name);
    if (element == nullptr) return false;
    if (!element->has(fhir::Element::kSummary) && !is_required(node, *element)) return true;
    if (element->is_primitive() || element->type_code() == fhir::TypeCode::kResource) return false;
    auto const& inner = fhir::node_of(element->type_code());
    // Data types are shown whole: their own summary flags speak of nothing else.
    if (!fhir::path_of(inner).contains('.')) return false;
    if (member.value.is_array()) {
      for (auto& item : member.value.items()) {
        if (item.is_object()) summarize(item, inner, false);
      }
    } else if (member.value.is_object()) {
      summarize(member.value, inner, false);
    }
    return false;
  });
}

bool is_wanted(std::string_view name, fhir::Element const& element,
               std::vector<std::string> const& elements) {
  if (name.starts_with('_')) name.remove_prefix(1);
  return std::ranges::any_of(elements, [&](std::string_view wanted) {
    auto const dot = wanted.find('.');
    if (dot != std::string_view::npos) wanted = wanted.substr(dot + 1);
    return wanted == name || wanted == fhir::definition_name_of(element);
  });
}

void tag(Json& json) {
  Json* meta = json.find("meta");
  if (meta == nullptr) meta = &json.set("meta", Json::object());
  Json* tags = meta->find("tag");
  if (tags == nullptr) tags = &meta->set("tag", Json::array());
  Json coding = Json::object();
  coding.set("system", Json::string(kSystem));
  coding.set("code", Json::string("SUBSETTED"));
  tags->push(std::move(coding));
}

}  // namespace

Result<std::string> subset(std::string text, fhir::Summary summary,
                           std::vector<std::string> const& elements) {
  if (elements.empty() && (summary == fhir::Summary::kFalse || summary == fhir::Summary::kCount)) return text;
  auto json = codec::parse_json(text);
  if (!json.has_value()) return fail(ErrorKind::kCorrupt, "a stored resource is no JSON");
  auto const* node = fhir::find_resource_node(json->text_of("resourceType"));
  if (node == nullptr) return text;
  if (summary == fhir::Summary::kTrue) {
    summarize(*json, *node, true);
  } else if (summary == fhir::Summary::kData) {
    json->remove("text");
  } else {
    std::erase_if(json->members(), [&](Json::Member const& member) {
      if (stays_always(member.name)) return false;
      auto const* element = element_of(*node, member.name);
      if (element == nullptr || is_required(*node, *element)) return false;
      if (summary == fhir::Summary::kText) return member.name != "text";
      return !is_wanted(member.name, *element, elements);
    });
  }
  tag(*json);
  return codec::write_json(*json);
}

}  // namespace tacenda::operations

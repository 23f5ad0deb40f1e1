#include "fhir/reference.hpp"

#include "core/id.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using Resolve = std::function<std::optional<std::string>(std::string_view, LinkKind)>;

bool is_urn(std::string_view text) {
  return text.starts_with("urn:uuid:") || text.starts_with("urn:oid:");
}

/// Replaces urns between quotes in XHTML: href="urn:uuid:..." and src="urn:uuid:...".
void rewrite_narrative(Json& div, Resolve const& resolve) {
  std::string text(div.as_string());
  bool changed = false;
  for (std::size_t at = 0; (at = text.find("\"urn:", at)) != std::string::npos;) {
    auto const end = text.find('"', at + 1);
    if (end == std::string::npos) break;
    auto const place = resolve(std::string_view(text).substr(at + 1, end - at - 1), LinkKind::kUri);
    if (place) {
      text.replace(at + 1, end - at - 1, *place);
      changed = true;
    }
    at = text.find('"', at + 1) + 1;
  }
  if (changed) div = Json::string(text);
}

void rewrite(Json& value, Resolve const& resolve) {
  if (value.is_array()) {
    for (auto& item : value.items()) rewrite(item, resolve);
    return;
  }
  if (value.is_string()) {
    if (!is_urn(value.as_string())) return;
    if (auto place = resolve(value.as_string(), LinkKind::kUri)) value = Json::string(*place);
    return;
  }
  if (!value.is_object()) return;
  for (auto& member : value.members()) {
    if (!member.value.is_string()) {
      rewrite(member.value, resolve);
    } else if (member.name == "reference") {
      if (auto place = resolve(member.value.as_string(), LinkKind::kReference))
        member.value = Json::string(*place);
    } else if (member.name == "div") {
      rewrite_narrative(member.value, resolve);
    } else if (member.name != "system") {
      // Identifier.system "urn:oid:..." names a namespace: no entry's full URL can stand there by right.
      rewrite(member.value, resolve);
    }
  }
}

}  // namespace

std::optional<LocalReference> parse_local_reference(std::string_view text) {
  auto const slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  LocalReference reference{text.substr(0, slash), text.substr(slash + 1)};
  if (auto const history = reference.id.find("/_history/"); history != std::string_view::npos) {
    reference.id = reference.id.substr(0, history);
  }
  if (!is_resource_type(reference.type) || !ResourceId::parse(reference.id).has_value()) return std::nullopt;
  return reference;
}

Result<void> rewrite_links(Resource& resource, Resolve const& resolve) {
  rewrite(resource.json_mutable(), resolve);
  return {};
}

}  // namespace tacenda::fhir

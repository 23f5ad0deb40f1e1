#include "fhir/resource.hpp"

#include "core/limits.hpp"
#include "fhir/internal/report.hpp"
#include "fhir/internal/structure.hpp"
#include "fhir/xml.hpp"

namespace tacenda::fhir {

using codec::Json;

Checked<Resource> Resource::check(Json json) {
  Issues issues;
  StructureCheck(issues).check_resource(json, nullptr);
  if (!issues.empty()) return std::unexpected(std::move(issues));
  return Resource(std::move(json));
}

Result<Resource> Resource::parse(Json json) {
  return first_of(check(std::move(json)));
}

void Resource::set_id(ResourceId const& id) {
  if (Json* own = json_.find("id")) {
    *own = Json::string(id.view());
    return;
  }
  auto& members = json_.members();
  auto at = members.begin();
  while (at != members.end() && at->name != "resourceType") ++at;
  if (at != members.end()) ++at;
  members.insert(at, Json::Member{"id", Json::string(id.view())});
}

void Resource::strip_id() {
  json_.remove("id");
  json_.remove("_id");
}

void Resource::strip_server_meta() {
  Json* meta = json_.find("meta");
  if (meta == nullptr) return;
  for (auto const name : {"versionId", "_versionId", "lastUpdated", "_lastUpdated"}) meta->remove(name);
  if (meta->members().empty()) json_.remove("meta");
}

Issues missing_elements(Resource const& resource) {
  Issues issues;
  StructureCheck(issues, StructureCheck::Required::kReported).check_resource(resource.json(), nullptr);
  return issues;
}

Checked<Resource> check_resource(std::string_view text, Format format) {
  if (format == Format::kXml) {
    return Resource::check(TACENDA_TRY(read_xml(text, limits::kBodyBytes)));
  }
  auto json = codec::parse_json(text, {.depth = limits::kJsonDepth, .size_bytes = limits::kBodyBytes});
  if (!json.has_value()) return std::unexpected(to_issues(json.error()));
  return Resource::check(std::move(*json));
}

Result<Resource> parse_resource(std::string_view text, Format format) {
  return first_of(check_resource(text, format));
}

}  // namespace tacenda::fhir

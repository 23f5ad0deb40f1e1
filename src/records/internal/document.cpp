#include "records/internal/document.hpp"

#include "codec/json.hpp"

namespace tacenda::records {
namespace {

bool is_server_meta(std::string_view name) {
  return name == "versionId" || name == "lastUpdated";
}

void append_member(codec::Json::Member const& member, std::string& out) {
  codec::write_json(codec::Json::string(member.name), out);
  out.push_back(':');
  codec::write_json(member.value, out);
}

}  // namespace

Document to_document(fhir::Resource const& resource, ResourceId const& id) {
  Document document;
  std::string& out = document.text;
  out.append("{\"resourceType\":\"").append(resource.type()).append("\",\"id\":\"").append(id.view());
  out.append("\",\"meta\":{");
  document.meta_offset = static_cast<std::uint32_t>(out.size());
  codec::Json const& json = resource.json();
  if (codec::Json const* meta = json.find("meta"); meta != nullptr && meta->is_object()) {
    bool first = true;
    for (auto const& member : meta->members()) {
      // `_versionId` and `_lastUpdated` (extensions of them) would speak about values that are not the
      // client's.
      std::string_view const plain =
          std::string_view(member.name).substr(member.name.starts_with('_') ? 1 : 0);
      if (is_server_meta(plain)) continue;
      if (!first) out.push_back(',');
      first = false;
      append_member(member, out);
    }
  }
  out.push_back('}');
  for (auto const& member : json.members()) {
    if (member.name == "resourceType" || member.name == "id" || member.name == "meta") continue;
    out.push_back(',');
    auto const begin = out.size();
    append_member(member, out);
    if (resource.type() != "Binary" || member.name != "data" || !member.value.is_string()) continue;
    auto const size = member.value.as_string().size();
    bool const is_as_written = out.size() - begin == size + std::string_view(R"("data":"")").size();
    if (is_as_written) document.data = {out.size() - 1 - size, size};
  }
  out.push_back('}');
  return document;
}

}  // namespace tacenda::records

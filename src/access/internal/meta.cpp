#include "access/internal/meta.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace tacenda::access {

using codec::Json;

Json& meta_of(Json& resource) {
  if (Json* meta = resource.find("meta"); meta != nullptr) {
    if (!meta->is_object()) *meta = Json::object();
    return *meta;
  }
  auto& members = resource.members();
  auto const place = std::ranges::find_if(members, [](Json::Member const& member) {
    return member.name != "resourceType" && member.name != "id" && member.name != "_id";
  });
  return members.insert(place, Json::Member{"meta", Json::object()})->value;
}

Json& list_of(Json& parent, std::string_view name) {
  if (Json* list = parent.find(name); list != nullptr && list->is_array()) return *list;
  return parent.set(name, Json::array());
}

Json coding(std::string_view system, std::string_view code) {
  Json coding = Json::object();
  if (!system.empty()) coding.set("system", Json::string(system));
  coding.set("code", Json::string(code));
  return coding;
}

}  // namespace tacenda::access

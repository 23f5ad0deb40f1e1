#include "fhir/resource.hpp"

#include "core/id.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

Result<void> check_value(Json const& value, bool in_array) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      if (!in_array) return fail(ErrorKind::kInvalid, "a property is null: leave it out");
      return {};
    case Json::Kind::kString:
      if (value.as_string().empty())
        return fail(ErrorKind::kInvalid, "a text is empty: leave the property out");
      // R4 datatypes.html#string forbids characters below U+0020 but tab, carriage return and line feed.
      for (char const c : value.as_string()) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r' && c != '\n') {
          return fail(ErrorKind::kInvalid, "a text has a control character");
        }
      }
      return {};
    case Json::Kind::kArray:
      if (value.items().empty())
        return fail(ErrorKind::kInvalid, "an array is empty: leave the property out");
      for (auto const& item : value.items()) {
        if (item.is_array()) return fail(ErrorKind::kInvalid, "an array stands directly in an array");
        TACENDA_TRY_VOID(check_value(item, true));
      }
      return {};
    case Json::Kind::kObject:
      if (value.members().empty())
        return fail(ErrorKind::kInvalid, "an object is empty: leave the property out");
      for (auto const& member : value.members()) {
        if (member.name.empty()) return fail(ErrorKind::kInvalid, "a property has no name");
        TACENDA_TRY_VOID(check_value(member.value, false));
      }
      return {};
    default:
      return {};
  }
}

Result<void> check_type(Json const& json) {
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "a resource is a JSON object");
  if (!is_resource_type(json.text_of("resourceType"))) {
    return fail(ErrorKind::kInvalid, "resourceType names no resource type of FHIR R4");
  }
  return {};
}

Result<void> check_contained(Json const& json) {
  Json const* contained = json.find("contained");
  if (contained == nullptr) return {};
  if (!contained->is_array()) return fail(ErrorKind::kInvalid, "contained is an array of resources");
  for (auto const& inner : contained->items()) {
    TACENDA_TRY_VOID(check_type(inner));
    if (inner.find("contained") != nullptr) {
      return fail(ErrorKind::kInvalid, "a contained resource contains no other (dom-2)");
    }
  }
  return {};
}

}  // namespace

Result<Resource> Resource::parse(Json json) {
  TACENDA_TRY_VOID(check_type(json));
  if (Json const* id = json.find("id"); id != nullptr) {
    if (!id->is_string() || !ResourceId::parse(id->as_string()).has_value()) {
      return fail(ErrorKind::kInvalid, "id is not 1 to 64 of [A-Za-z0-9.-]");
    }
  }
  if (Json const* meta = json.find("meta"); meta != nullptr && !meta->is_object()) {
    return fail(ErrorKind::kInvalid, "meta is an object");
  }
  TACENDA_TRY_VOID(check_contained(json));
  TACENDA_TRY_VOID(check_value(json, false));
  return Resource(std::move(json));
}

Result<Resource> parse_resource(std::string_view text) {
  return Resource::parse(
      TACENDA_TRY(codec::parse_json(text, {.depth = limits::kJsonDepth, .size_bytes = limits::kBodyBytes})));
}

}  // namespace tacenda::fhir

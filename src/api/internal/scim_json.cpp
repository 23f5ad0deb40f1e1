#include "api/internal/scim_json.hpp"

#include <algorithm>
#include <array>

#include "api/internal/render.hpp"
#include "codec/scim_filter.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/process.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

constexpr std::string_view kUserSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
constexpr std::string_view kGroupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

Json texts(std::initializer_list<std::string_view> items) {
  Json list = Json::array();
  for (auto const item : items) list.push(Json::string(item));
  return list;
}

struct Meta {
  std::string_view type;
  Time created;
  Time modified;
  std::uint32_t version;
};
Json meta_json(Meta const& of, std::string location) {
  Json meta = Json::object();
  meta.set("resourceType", Json::string(of.type));
  meta.set("created", Json::string(codec::format_instant(of.created)));
  meta.set("lastModified", Json::string(codec::format_instant(of.modified)));
  meta.set("location", Json::string(location));
  meta.set("version", Json::string(etag_of(of.version)));
  return meta;
}

void set_unless_empty(Json& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.set(name, Json::string(text));
}

std::string address_of(std::string_view base, std::string_view kind, std::string_view id) {
  return std::string(base).append(kind).append(id);
}

// What this server keeps of the core schemas, attribute by attribute; see RFC 7643 section 7.
constexpr std::string_view kSchemas = R"json([
{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"],"id":"urn:ietf:params:scim:schemas:core:2.0:User",
"name":"User","description":"A person's account","attributes":[
{"name":"userName","type":"string","multiValued":false,"description":"Unique in any case","required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"},
{"name":"displayName","type":"string","multiValued":false,"description":"For people to read","required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"},
{"name":"active","type":"boolean","multiValued":false,"description":"False ends all that the account has open","required":false,"mutability":"readWrite","returned":"default"},
{"name":"groups","type":"complex","multiValued":true,"description":"Groups that the user is in","required":false,"mutability":"readOnly","returned":"default","subAttributes":[
{"name":"value","type":"string","multiValued":false,"description":"Id of the group","required":false,"caseExact":true,"mutability":"readOnly","returned":"default","uniqueness":"none"},
{"name":"$ref","type":"reference","referenceTypes":["Group"],"multiValued":false,"description":"The group","required":false,"caseExact":true,"mutability":"readOnly","returned":"default","uniqueness":"none"},
{"name":"display","type":"string","multiValued":false,"description":"Its name","required":false,"caseExact":false,"mutability":"readOnly","returned":"default","uniqueness":"none"}]},
{"name":"roles","type":"complex","multiValued":true,"description":"The role that the groups give by the policy","required":false,"mutability":"readOnly","returned":"default","subAttributes":[
{"name":"value","type":"string","multiValued":false,"description":"Name of the role","required":false,"caseExact":true,"mutability":"readOnly","returned":"default","uniqueness":"none"}]}]},
{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"],"id":"urn:ietf:params:scim:schemas:core:2.0:Group",
"name":"Group","description":"A group of users","attributes":[
{"name":"displayName","type":"string","multiValued":false,"description":"Unique in any case","required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"},
{"name":"members","type":"complex","multiValued":true,"description":"Users","required":false,"mutability":"readWrite","returned":"default","subAttributes":[
{"name":"value","type":"string","multiValued":false,"description":"Id of the user","required":true,"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none"},
{"name":"$ref","type":"reference","referenceTypes":["User"],"multiValued":false,"description":"The user","required":false,"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none"},
{"name":"type","type":"string","multiValued":false,"description":"User","required":false,"caseExact":false,"canonicalValues":["User"],"mutability":"immutable","returned":"default","uniqueness":"none"}]}]}
])json";

}  // namespace

bool is_scim(std::string_view path) {
  return path == kScimBase || (path.starts_with(kScimBase) && path.substr(kScimBase.size()).starts_with('/'));
}

net::Response scim_refusal(std::uint16_t status, std::string_view type, Error const& error) {
  Json json = Json::object();
  json.set("schemas", texts({"urn:ietf:params:scim:api:messages:2.0:Error"}));
  json.set("status", Json::string(std::to_string(status)));
  set_unless_empty(json, "scimType", type);
  // What is wrong inside is for the operator's log, and not for a client (W-07).
  json.set("detail", Json::string(status >= 500 ? std::string_view("the server could not do this safely")
                                                : error.message()));
  return scim_response(status, json);
}

Json user_json(identity::Provisioning::User const& user, identity::Groups const& groups,
               std::string_view base) {
  Json json = Json::object();
  json.set("schemas", texts({kUserSchema}));
  json.set("id", Json::string(user.id));
  set_unless_empty(json, "externalId", user.is->external_id);
  json.set("userName", Json::string(user.is->user_name));
  set_unless_empty(json, "displayName", user.is->display_name);
  json.set("active", Json::boolean(user.active));
  Json list = Json::array();
  for (auto const& id : user.is->groups) {
    auto const group = groups.find(id);
    if (group == groups.end()) continue;
    Json item = Json::object();
    item.set("value", Json::string(id));
    item.set("$ref", Json::string(address_of(base, "/Groups/", id)));
    item.set("display", Json::string(group->second->display_name));
    list.push(std::move(item));
  }
  if (!list.items().empty()) json.set("groups", std::move(list));
  if (!user.role.empty()) {
    Json role = Json::object();
    role.set("value", Json::string(user.role));
    Json roles = Json::array();
    roles.push(std::move(role));
    json.set("roles", std::move(roles));
  }
  json.set("meta", meta_json({"User", user.created, user.is->modified, user.is->version},
                             address_of(base, "/Users/", user.id)));
  return json;
}

Json group_json(identity::Provisioning::GroupView const& group, std::string_view base) {
  Json json = Json::object();
  json.set("schemas", texts({kGroupSchema}));
  json.set("id", Json::string(group.is->id));
  set_unless_empty(json, "externalId", group.is->external_id);
  json.set("displayName", Json::string(group.is->display_name));
  Json members = Json::array();
  for (auto const& id : group.members) {
    Json member = Json::object();
    member.set("value", Json::string(id));
    member.set("$ref", Json::string(address_of(base, "/Users/", id)));
    member.set("type", Json::string("User"));
    members.push(std::move(member));
  }
  if (!members.items().empty()) json.set("members", std::move(members));
  json.set("meta", meta_json({"Group", group.is->created, group.is->modified, group.is->version},
                             address_of(base, "/Groups/", group.is->id)));
  return json;
}

void show_only(ScimView const& view, Json& resource) {
  constexpr auto kAlways = std::to_array<std::string_view>({"id", "schemas", "meta"});
  auto const names = [](std::vector<std::string> const& list, std::string_view name) {
    return std::ranges::any_of(list,
                               [&](std::string const& one) { return codec::same_scim_name(one, name); });
  };
  std::erase_if(resource.members(), [&](Json::Member const& member) {
    if (std::ranges::find(kAlways, member.name) != kAlways.end()) return false;
    return (!view.wanted.empty() && !names(view.wanted, member.name)) || names(view.unwanted, member.name);
  });
}

Json list_json(std::size_t total, std::size_t start, Json resources) {
  Json json = Json::object();
  json.set("schemas", texts({"urn:ietf:params:scim:api:messages:2.0:ListResponse"}));
  json.set("totalResults", Json::number(static_cast<std::int64_t>(total)));
  json.set("startIndex", Json::number(static_cast<std::int64_t>(start)));
  json.set("itemsPerPage", Json::number(static_cast<std::int64_t>(resources.items().size())));
  json.set("Resources", std::move(resources));
  return json;
}

Json service_provider_config(std::string_view base) {
  auto const feature = [](bool supported) {
    Json json = Json::object();
    json.set("supported", Json::boolean(supported));
    return json;
  };
  Json json = Json::object();
  json.set("schemas", texts({"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}));
  json.set("patch", feature(true));
  Json bulk = feature(false);
  bulk.set("maxOperations", Json::number(0));
  bulk.set("maxPayloadSize", Json::number(0));
  json.set("bulk", std::move(bulk));
  Json filter = feature(true);
  filter.set("maxResults", Json::number(limits::kScimPageMax));
  json.set("filter", std::move(filter));
  json.set("changePassword", feature(false));
  json.set("sort", feature(false));
  json.set("etag", feature(true));
  Json scheme = Json::object();
  scheme.set("type", Json::string("oauthbearertoken"));
  scheme.set("name", Json::string("OAuth 2.0 bearer token"));
  scheme.set("description", Json::string("A token of a service account whose role provisions users"));
  scheme.set("specUri", Json::string("https://www.rfc-editor.org/info/rfc6750"));
  scheme.set("primary", Json::boolean(true));
  Json list = Json::array();
  list.push(std::move(scheme));
  json.set("authenticationSchemes", std::move(list));
  Json meta = Json::object();
  meta.set("resourceType", Json::string("ServiceProviderConfig"));
  meta.set("location", Json::string(std::string(base) + "/ServiceProviderConfig"));
  json.set("meta", std::move(meta));
  return json;
}

Json resource_types(std::string_view base) {
  Json list = Json::array();
  for (auto const& [name, endpoint, schema] :
       {std::array<std::string_view, 3>{"User", "/Users", kUserSchema}, {"Group", "/Groups", kGroupSchema}}) {
    Json json = Json::object();
    json.set("schemas", texts({"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}));
    json.set("id", Json::string(name));
    json.set("name", Json::string(name));
    json.set("endpoint", Json::string(endpoint));
    json.set("schema", Json::string(schema));
    Json meta = Json::object();
    meta.set("resourceType", Json::string("ResourceType"));
    meta.set("location", Json::string(address_of(base, "/ResourceTypes/", name)));
    json.set("meta", std::move(meta));
    list.push(std::move(json));
  }
  return list;
}

Json schemas(std::string_view base) {
  auto list = codec::parse_json(kSchemas);
  TACENDA_ASSERT(list.has_value());
  for (auto& schema : list->items()) {
    Json meta = Json::object();
    meta.set("resourceType", Json::string("Schema"));
    meta.set("location", Json::string(address_of(base, "/Schemas/", schema.text_of("id"))));
    schema.set("meta", std::move(meta));
  }
  return std::move(*list);
}

net::Response scim_response(std::uint16_t status, Json const& body) {
  net::Response response;
  response.status = status;
  response.body = codec::write_json(body);
  response.headers.push_back({"content-type", "application/scim+json"});
  return response;
}

}  // namespace tacenda::api

#include "api/capability.hpp"

#include <string>

#include "api/routes.hpp"
#include "codec/json.hpp"
#include "fhir/types.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json codes(std::initializer_list<std::string_view> values) {
  Json list = Json::array();
  for (auto const value : values) list.push(Json::string(value));
  return list;
}

Json interaction(std::string_view code) {
  Json item = Json::object();
  item.set("code", Json::string(code));
  return item;
}

Json search_parameter(fhir::SearchParameter const& parameter) {
  Json item = Json::object();
  item.set("name", Json::string(parameter.code));
  item.set("definition", Json::string(parameter.url));
  item.set("type", Json::string(fhir::code_of(parameter.type)));
  return item;
}

void add_search(Json& resource, std::string_view type, fhir::SearchParameters const& known) {
  Json includes = Json::array();
  Json parameters = Json::array();
  for (auto const& parameter : known.of(type)) {
    if (parameter->expression.empty() || parameter->type == fhir::SearchType::kSpecial) continue;
    parameters.push(search_parameter(*parameter));
    if (parameter->type != fhir::SearchType::kReference) continue;
    includes.push(Json::string(std::string(type) + ":" + std::string(parameter->code)));
  }
  if (!includes.items().empty()) resource.set("searchInclude", std::move(includes));
  resource.set("searchParam", std::move(parameters));
}

void add_operations(Json& resource, std::string_view type) {
  Json list = Json::array();
  std::string_view last;
  for (auto const& route : routes()) {
    auto const operation = operation_of(route);
    // The rows of one operation stand together.
    if (!operation || operation->name == last) continue;
    if (operation->type != type && (type.empty() || operation->type != "Resource")) continue;
    last = operation->name;
    Json item = Json::object();
    item.set("name", Json::string(operation->name));
    std::string definition(operation->definition);
    if (definition.empty()) {
      definition = "http://hl7.org/fhir/OperationDefinition/";
      definition.append(operation->type).append("-").append(operation->name);
    }
    item.set("definition", Json::string(definition));
    list.push(std::move(item));
  }
  resource.set("operation", std::move(list));
}

Json rest_resource(std::string_view type, fhir::SearchParameters const& known) {
  Json resource = Json::object();
  resource.set("type", Json::string(type));
  Json interactions = Json::array();
  for (auto const& route : routes()) {
    if (route.pattern.contains("{type}") && !route.capability.empty())
      interactions.push(interaction(route.capability));
  }
  resource.set("interaction", std::move(interactions));
  resource.set("versioning", Json::string("versioned-update"));
  resource.set("readHistory", Json::boolean(true));
  resource.set("updateCreate", Json::boolean(true));
  resource.set("conditionalCreate", Json::boolean(true));
  resource.set("conditionalRead", Json::string("full-support"));
  resource.set("conditionalUpdate", Json::boolean(true));
  resource.set("conditionalDelete", Json::string("single"));
  resource.set("referencePolicy", codes({"literal", "local"}));
  add_search(resource, type, known);
  add_operations(resource, type);
  return resource;
}

/// The audit log: it is read and searched, and nobody writes it.
Json audit_resource(fhir::SearchParameters const& known) {
  Json resource = Json::object();
  resource.set("type", Json::string("AuditEvent"));
  Json interactions = Json::array();
  for (auto const& route : routes()) {
    if (route.pattern.starts_with("/fhir/AuditEvent")) interactions.push(interaction(route.capability));
  }
  resource.set("interaction", std::move(interactions));
  Json parameters = Json::array();
  for (auto const* code : {"patient", "date"}) {
    if (auto const parameter = known.find("AuditEvent", code)) parameters.push(search_parameter(*parameter));
  }
  resource.set("searchParam", std::move(parameters));
  return resource;
}

Json security() {
  Json item = Json::object();
  item.set("cors", Json::boolean(false));
  item.set("description",
           Json::string("Bearer token from POST /auth/login (password and second factor), or a client "
                        "certificate of a service account. Every access is decided by role and audited."));
  return item;
}

// Stands for the server's address in the text that is kept.
constexpr std::string_view kAddress = "urn:tacenda:address-of-this-server";

std::string make_statement(std::string const& version, std::string const& date,
                           fhir::SearchParameters const& known) {
  Json statement = Json::object();
  statement.set("resourceType", Json::string("CapabilityStatement"));
  statement.set("status", Json::string("active"));
  statement.set("date", Json::string(date));
  statement.set("kind", Json::string("instance"));
  Json software = Json::object();
  software.set("name", Json::string("Tacenda"));
  // No version for who has not signed in (W-07): `tacenda --version` tells the operator.
  if (!version.empty()) software.set("version", Json::string(version));
  statement.set("software", std::move(software));
  Json implementation = Json::object();
  implementation.set("description", Json::string("Tacenda medical record server"));
  implementation.set("url", Json::string(kAddress));
  statement.set("implementation", std::move(implementation));
  statement.set("instantiates", codes({"http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"}));
  statement.set("fhirVersion", Json::string("4.0.1"));
  statement.set("format", codes({"application/fhir+json", "application/fhir+xml", "json", "xml"}));
  statement.set("patchFormat",
                codes({"application/json-patch+json", "application/fhir+json", "application/fhir+xml"}));
  Json rest = Json::object();
  rest.set("mode", Json::string("server"));
  rest.set("security", security());
  Json resources = Json::array();
  for (auto const type : fhir::resource_types()) {
    resources.push(type == "AuditEvent" ? audit_resource(known) : rest_resource(type, known));
  }
  rest.set("resource", std::move(resources));
  Json interactions = Json::array();
  for (auto const& route : routes()) {
    bool const is_of_system =
        !route.pattern.contains("{type}") && !route.pattern.starts_with("/fhir/AuditEvent");
    if (is_of_system && !route.capability.empty()) interactions.push(interaction(route.capability));
  }
  interactions.push(interaction("batch"));
  rest.set("interaction", std::move(interactions));
  add_operations(rest, {});
  Json list = Json::array();
  list.push(std::move(rest));
  statement.set("rest", std::move(list));
  return codec::write_json(statement);
}

}  // namespace

std::string capability_statement(std::string const& base_url, std::string const& version,
                                 std::string const& date, fhir::SearchParameters const& known) {
  // Made once: it is large, and whoever can connect may ask for it.
  static std::string const usual = make_statement(version, date, fhir::r4_parameters());
  std::string const own = known.defined().empty() ? std::string() : make_statement(version, date, known);
  std::string const& text = own.empty() ? usual : own;
  auto const place = text.find(kAddress);
  std::string const address = codec::write_json(Json::string(base_url));
  return text.substr(0, place) + address.substr(1, address.size() - 2) + text.substr(place + kAddress.size());
}

}  // namespace tacenda::api

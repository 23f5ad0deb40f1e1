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

// What stands for the server's addresses in the text that is kept, in the order of that text.
constexpr std::string_view kAddress = "urn:tacenda:address-of-this-server";
constexpr std::string_view kAuthorizeEndpoint = "urn:tacenda:authorize-endpoint-of-this-server";
constexpr std::string_view kTokenEndpoint = "urn:tacenda:token-endpoint-of-this-server";

/// How applications get in. Source: SMART App Launch 1.0, conformance (oauth-uris); 2.2 reads
/// smart-configuration.
Json smart_addresses() {
  Json addresses = Json::array();
  for (auto const& [name, mark] :
       {std::pair("authorize", kAuthorizeEndpoint), std::pair("token", kTokenEndpoint)}) {
    Json address = Json::object();
    address.set("url", Json::string(name));
    address.set("valueUri", Json::string(mark));
    addresses.push(std::move(address));
  }
  Json extension = Json::object();
  extension.set("url", Json::string("http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"));
  extension.set("extension", std::move(addresses));
  Json list = Json::array();
  list.push(std::move(extension));
  return list;
}

Json smart_service() {
  Json coding = Json::object();
  coding.set("system", Json::string("http://terminology.hl7.org/CodeSystem/restful-security-service"));
  coding.set("code", Json::string("SMART-on-FHIR"));
  Json codings = Json::array();
  codings.push(std::move(coding));
  Json service = Json::object();
  service.set("coding", std::move(codings));
  Json list = Json::array();
  list.push(std::move(service));
  return list;
}

Json security() {
  Json item = Json::object();
  item.set("extension", smart_addresses());
  item.set("cors", Json::boolean(true));
  item.set("service", smart_service());
  item.set(
      "description",
      Json::string("Bearer token: of an application from the token endpoint (SMART), of a person from POST "
                   "/auth/login (password and second factor); or a client certificate of a service "
                   "account. Every access is decided by role, scope and consent, and audited."));
  return item;
}

/// `text` with a JSON string's text in place of the first `mark` at or behind `from`, which moves behind it.
void put_address(std::string& text, std::string_view mark, std::string const& address, std::size_t& from) {
  from = text.find(mark, from);
  auto const quoted = codec::write_json(Json::string(address));
  auto const inner = std::string_view(quoted).substr(1, quoted.size() - 2);
  text.replace(from, mark.size(), inner);
  from += inner.size();
}

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

std::string capability_statement(ServerAddresses const& addresses, std::string const& version,
                                 std::string const& date, fhir::SearchParameters const& known) {
  // Made once: it is large, and whoever can connect may ask for it.
  static std::string const usual = make_statement(version, date, fhir::r4_parameters());
  std::string const own = known.defined().empty() ? std::string() : make_statement(version, date, known);
  std::string text = own.empty() ? usual : own;
  std::size_t from = 0;
  put_address(text, kAddress, addresses.base_url, from);
  put_address(text, kAuthorizeEndpoint, addresses.origin + "/oauth/authorize", from);
  put_address(text, kTokenEndpoint, addresses.origin + "/oauth/token", from);
  return text;
}

}  // namespace tacenda::api

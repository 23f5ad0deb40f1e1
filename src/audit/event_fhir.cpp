// FHIR AuditEvent after IHE BALP 1.1 (REQUIREMENTS annex C, rows ).
#include <algorithm>

#include "audit/event.hpp"
#include "audit/internal/kinds.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::audit {
namespace {

using codec::Json;
using Pattern = KindFacts::Pattern;

constexpr std::string_view kDicom = "http://dicom.nema.org/resources/ontology/DCM";
constexpr std::string_view kEventType = "http://terminology.hl7.org/CodeSystem/audit-event-type";
constexpr std::string_view kInteraction = "http://hl7.org/fhir/restful-interaction";
constexpr std::string_view kEntityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
constexpr std::string_view kObjectRole = "http://terminology.hl7.org/CodeSystem/object-role";
constexpr std::string_view kParticipation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
constexpr std::string_view kOwnEvents = "https://tacenda.invalid/CodeSystem/audit-event";
constexpr std::string_view kProfile = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";

struct Code {
  std::string_view system;
  std::string_view code;
};

Json text(std::string_view value) {
  return Json::string(value);
}

Json coding(Code code) {
  Json out = Json::object();
  out.set("system", text(code.system));
  out.set("code", text(code.code));
  return out;
}

Json concept_of(Code code) {
  Json codings = Json::array();
  codings.push(coding(code));
  Json out = Json::object();
  out.set("coding", std::move(codings));
  return out;
}

Json list_of(Json only) {
  Json out = Json::array();
  out.push(std::move(only));
  return out;
}

Json identified_by(std::string_view system, std::string_view value) {
  Json identifier = Json::object();
  identifier.set("system", text(system));
  identifier.set("value", text(value));
  Json out = Json::object();
  out.set("identifier", std::move(identifier));
  return out;
}

Json displayed_as(std::string_view display) {
  Json out = Json::object();
  out.set("display", text(display));
  return out;
}

Json reference_to(std::string const& target) {
  Json out = Json::object();
  out.set("reference", text(target));
  return out;
}

enum class NetworkType : char { kMachineName = '1', kAddress = '2', kUri = '5' };

Json network(std::string_view address, NetworkType type) {
  char const code = static_cast<char>(type);
  Json out = Json::object();
  out.set("address", text(address));
  out.set("type", text(std::string_view(&code, 1)));
  return out;
}

bool is_change(Pattern pattern) {
  return pattern == Pattern::kCreate || pattern == Pattern::kUpdate || pattern == Pattern::kDelete;
}

/// A profile is claimed only when it holds: BALP's are for successful acts, and its Patient variants want
/// exactly one patient.
std::string profile_of(Event const& event, KindFacts const& facts) {
  if (event.outcome != Outcome::kSuccess || facts.pattern == Pattern::kOther) return {};
  std::string profile(kProfile);
  if (event.patients.size() == 1) profile += "Patient";
  switch (facts.pattern) {
    case Pattern::kRead:
      return profile + "Read";
    case Pattern::kQuery:
      return profile + "Query";
    case Pattern::kCreate:
      return profile + "Create";
    case Pattern::kUpdate:
      return profile + "Update";
    case Pattern::kDelete:
      return profile + "Delete";
    case Pattern::kOther:
      break;
  }
  return {};
}

Json subtypes_of(Event const& event, KindFacts const& facts) {
  Json out = Json::array();
  if (facts.dcm_type.empty() && !facts.subtype.empty()) {
    bool const whole_system = event.kind == EventKind::kSearch && event.resource_type.empty();
    out.push(coding({kInteraction, whole_system ? "search-system" : facts.subtype}));
    return out;
  }
  if (event.kind == EventKind::kTokenIssued) out.push(coding({"urn:ihe:event-type-code", "ITI-71"}));
  if (!facts.subtype.empty()) out.push(coding({kDicom, facts.subtype}));
  out.push(coding({kOwnEvents, facts.name}));
  return out;
}

Json client_agent(Event const& event, Pattern pattern) {
  Json out = Json::object();
  std::string_view role = "110150";                // Application
  if (pattern == Pattern::kRead) role = "110152";  // Destination: the data flows to the client
  if (pattern == Pattern::kQuery || pattern == Pattern::kCreate || pattern == Pattern::kUpdate)
    role = "110153";
  out.set("type", concept_of({kDicom, role}));
  out.set("who", event.client.empty() ? displayed_as("unknown") : displayed_as(event.client));
  out.set("requestor", Json::boolean(event.actor_id.empty()));
  out.set("network", event.network.empty() ? network("localhost", NetworkType::kMachineName)
                                           : network(event.network, NetworkType::kAddress));
  return out;
}

Json server_agent(Pattern pattern, std::string const& server) {
  Json out = Json::object();
  if (pattern == Pattern::kDelete) {
    out.set("type",
            concept_of({"http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian"}));
  } else {
    bool const sends = pattern == Pattern::kRead;
    out.set("type", concept_of({kDicom, sends ? "110153" : "110152"}));
  }
  out.set("who", identified_by("urn:ietf:rfc:3986", server));
  out.set("requestor", Json::boolean(false));
  out.set("network", network(server, NetworkType::kUri));
  return out;
}

/// No network here: BALP has a person use a device, not be one.
Json user_agent(Event const& event, Pattern pattern, std::string const& server) {
  Json out = Json::object();
  out.set("type", concept_of({kParticipation, is_change(pattern) ? "AUT" : "IRCP"}));
  if (!event.role.empty()) {
    Json role = Json::object();
    role.set("text", text(event.role));
    out.set("role", list_of(std::move(role)));
  }
  out.set("who", identified_by(server, event.actor_id));
  if (!event.actor_name.empty()) out.set("name", text(event.actor_name));
  out.set("requestor", Json::boolean(true));
  if (!event.token_id.empty()) {
    out.set("policy", list_of(text("urn:ietf:params:oauth:jti:" + event.token_id)));
  }
  if (!event.purpose_of_use.empty()) {
    out.set(
        "purposeOfUse",
        list_of(concept_of({"http://terminology.hl7.org/CodeSystem/v3-ActReason", event.purpose_of_use})));
  }
  return out;
}

Json entity(Code type, std::string_view role) {
  Json out = Json::object();
  out.set("type", coding(type));
  if (!role.empty()) out.set("role", coding({kObjectRole, role}));
  return out;
}

/// Why the access is watched. "VIP" is no label of the record, but of who may see it.
void set_labels(Event const& event, Json& out) {
  Json labels = Json::array();
  for (std::string_view rest = event.labels; !rest.empty();) {
    auto const code = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), code.size() + 1));
    std::string_view system = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    if (code == "V") system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    if (code == "VIP") system = kOwnEvents;
    labels.push(coding({system, code}));
  }
  if (!labels.items().empty()) out.set("securityLabel", std::move(labels));
}

Json patient_entity(std::string const& id) {
  Json out = entity({kEntityType, "1"}, "1");
  out.set("what", reference_to("Patient/" + id));
  return out;
}

Json data_entity(Event const& event) {
  Json out = entity({kEntityType, "2"}, "4");
  std::string target = event.resource_type + "/" + event.resource_id;
  if (event.resource_version != 0) target += "/_history/" + std::to_string(event.resource_version);
  out.set("what", reference_to(target));
  set_labels(event, out);
  return out;
}

/// A text that nobody can read any more, or that is not shown, cannot be told from a request that was just
/// that word; the description can.
Json absent_query(std::string_view why, std::string_view description) {
  Json out = entity({kEntityType, "2"}, "24");
  out.set("description", text(description));
  out.set("query", text(codec::base64_encode(as_bytes(why))));
  return out;
}

Json query_entity(Entry const& entry) {
  if (entry.query_state == QueryState::kErased)
    return absent_query("erased", "the text was erased with a patient whom it matched or named");
  if (entry.query_state == QueryState::kSealed) return absent_query("sealed", "the text is not shown");
  Event const& event = entry.event;
  std::string raw = event.query;
  if (raw.empty()) {  // query is 1..1 in BALP: a request without parameters is recorded by its path
    bool const search = event.kind == EventKind::kSearch;
    raw = event.resource_type;
    if (!search) raw += raw.empty() ? "_history" : "/_history";
    if (raw.empty()) raw = "?";
  }
  Json out = entity({kEntityType, "2"}, "24");
  out.set("query", text(codec::base64_encode(as_bytes(raw))));
  return out;
}

Json request_entity(std::string const& request_id) {
  Json out = entity({"https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"}, "");
  Json identifier = Json::object();
  identifier.set("value", text(request_id));
  Json what = Json::object();
  what.set("identifier", std::move(identifier));
  out.set("what", std::move(what));
  return out;
}

Json detail(std::string_view type, std::string_view value) {
  Json out = Json::object();
  out.set("type", text(type));
  out.set("valueString", text(value));
  return out;
}

/// The object of an administrative act and what it was and became (O-02: changes to user privileges).
Json target_entity(Event const& event) {
  Json out = entity({kEntityType, "2"}, "");
  if (!event.target.empty()) out.set("name", text(event.target));
  Json details = Json::array();
  if (!event.old_value.empty()) details.push(detail("old", event.old_value));
  if (!event.new_value.empty()) details.push(detail("new", event.new_value));
  if (event.count > 1) details.push(detail("count", std::to_string(event.count)));
  if (!details.items().empty()) out.set("detail", std::move(details));
  return out;
}

Json entities_of(Entry const& entry, Pattern pattern) {
  Event const& event = entry.event;
  Json out = Json::array();
  for (auto const& id : event.patients) {
    out.push(patient_entity(id));
    set_labels(event, out.items().back());
  }
  bool const has_query = !event.query.empty() || entry.query_state != QueryState::kNone;
  if (pattern == Pattern::kQuery || has_query) {
    out.push(query_entity(entry));
  } else if (!event.resource_type.empty() && !event.resource_id.empty()) {
    out.push(data_entity(event));
  }
  if (!event.target.empty() || !event.old_value.empty() || !event.new_value.empty() || event.count > 1) {
    out.push(target_entity(event));
  }
  if (!event.request_id.empty()) out.push(request_entity(event.request_id));
  return out;
}

Json source_of(std::string const& server) {
  Json out = Json::object();
  out.set("observer", identified_by("urn:ietf:rfc:3986", server));
  out.set("type", list_of(coding({"http://terminology.hl7.org/CodeSystem/security-source-type", "4"})));
  return out;
}

/// What is left when the key was destroyed: type, action, time and outcome; the rest says "erased" (G-09).
void set_erased(Json& out, KindFacts const& facts) {
  Json agent = Json::object();
  agent.set("who", displayed_as("erased"));
  agent.set("requestor", Json::boolean(true));
  out.set("agent", list_of(std::move(agent)));
  if (facts.pattern != Pattern::kQuery) return;
  Json query = entity({kEntityType, "2"}, "24");
  query.set("query", text(codec::base64_encode(as_bytes("erased"))));
  out.set("entity", list_of(std::move(query)));
}

}  // namespace

namespace {

enum class Reader : std::uint8_t { kAuditor, kPatient };

std::string write_fhir(Entry const& entry, std::string_view store_id, Reader reader) {
  static constexpr KindFacts kUnknown{EventKind::kUnknownRoute, "unknown", "110100", "", 'E'};
  Event const& event = entry.event;
  auto const* const known = facts_of(event.kind);
  KindFacts const& facts = known == nullptr ? kUnknown : *known;
  std::string const server = "urn:uuid:" + std::string(store_id);

  Json out = Json::object();
  out.set("resourceType", text("AuditEvent"));
  out.set("id", text(std::to_string(entry.sequence)));
  bool const is_whole = entry.readable && reader == Reader::kAuditor;
  if (std::string const profile = is_whole ? profile_of(event, facts) : ""; !profile.empty()) {
    Json meta = Json::object();
    meta.set("profile", list_of(text(profile)));
    out.set("meta", std::move(meta));
  }
  out.set("type", facts.dcm_type.empty() ? coding({kEventType, "rest"}) : coding({kDicom, facts.dcm_type}));
  out.set("subtype", subtypes_of(event, facts));
  out.set("action", text(std::string_view(&facts.action, 1)));
  out.set("recorded", text(codec::format_instant(entry.recorded)));
  out.set("outcome", text(std::to_string(std::to_underlying(event.outcome))));
  if (!event.reason.empty()) out.set("outcomeDesc", text(event.reason));
  if (entry.readable && !event.purpose_of_use.empty()) {
    out.set(
        "purposeOfEvent",
        list_of(concept_of({"http://terminology.hl7.org/CodeSystem/v3-ActReason", event.purpose_of_use})));
  }
  if (entry.readable) {
    Json agents = Json::array();
    if (is_whole) agents.push(client_agent(event, facts.pattern));
    agents.push(server_agent(facts.pattern, server));
    if (!event.actor_id.empty()) agents.push(user_agent(event, facts.pattern, server));
    out.set("agent", std::move(agents));
  } else {
    set_erased(out, facts);
  }
  out.set("source", source_of(server));
  if (entry.readable) {
    Json entities = entities_of(entry, facts.pattern);
    if (!entities.items().empty()) out.set("entity", std::move(entities));
  }
  return codec::write_json(out);
}

}  // namespace

std::string to_fhir(Entry const& entry, std::string_view store_id) {
  return write_fhir(entry, store_id, Reader::kAuditor);
}

std::string to_fhir_for_patient(Entry const& entry, std::string_view patient, std::string_view store_id) {
  Entry told;
  told.sequence = entry.sequence;
  told.recorded = entry.recorded;
  told.readable = entry.readable;
  told.query_state = entry.query_state == QueryState::kNone ? QueryState::kNone : QueryState::kSealed;
  // Named one by one: what is new in an event is not told until somebody says so here.
  told.event.kind = entry.event.kind;
  told.event.outcome = entry.event.outcome;
  told.event.actor_id = entry.event.actor_id;
  told.event.actor_name = entry.event.actor_name;
  told.event.role = entry.event.role;
  told.event.purpose_of_use = entry.event.purpose_of_use;
  told.event.resource_type = entry.event.resource_type;
  told.event.resource_id = entry.event.resource_id;
  told.event.resource_version = entry.event.resource_version;
  told.event.patients.emplace_back(patient);
  return write_fhir(told, store_id, Reader::kPatient);
}

}  // namespace tacenda::audit

// POST /fhir/Patient/[id]/$break-glass: sees one record in an emergency (REQUIREMENTS C-12 to C-14).
#include <map>
#include <optional>

#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// What a body says of an emergency.
struct Said {
  std::string reason;
  std::optional<access::EmergencyDisclosure> disclosure;
};

/// Of the parameter `disclosure`: its parts. Errors: kInvalid (another part).
Result<access::EmergencyDisclosure> disclosure_of(Json const& parameter) {
  access::EmergencyDisclosure disclosure;
  std::map<std::string_view, std::string*> const fields{{"recipient", &disclosure.recipient},
                                                        {"affiliation", &disclosure.affiliation},
                                                        {"discloser", &disclosure.discloser},
                                                        {"nature", &disclosure.nature}};
  auto const* parts = parameter.find("part");
  if (parts == nullptr || !parts->is_array()) return disclosure;
  for (auto const& part : parts->items()) {
    auto const field = fields.find(part.text_of("name"));
    if (field == fields.end() || !field->second->empty())
      return fail(ErrorKind::kInvalid,
                  "the parts of a disclosure are recipient, affiliation, discloser and nature, each once");
    *field->second = part.text_of("valueString");
  }
  return disclosure;
}

/// What a Parameters body says. Errors: kInvalid (no Parameters, two disclosures), kUnprocessable (no
/// reason).
Result<Said> said_by(std::string_view body) {
  constexpr Literal kSayWhy("say why: breaking the glass needs a reason");
  if (body.empty()) return fail(ErrorKind::kUnprocessable, kSayWhy);
  auto const json =
      TACENDA_TRY(codec::parse_json(body, {.depth = 8, .size_bytes = limits::kUnauthenticatedBodyBytes}));
  if (json.text_of("resourceType") != "Parameters")
    return fail(ErrorKind::kInvalid, "the body is no Parameters resource");
  Said said;
  bool has_reason = false;
  auto const* list = json.find("parameter");
  if (list == nullptr || !list->is_array()) return fail(ErrorKind::kUnprocessable, kSayWhy);
  for (auto const& each : list->items()) {
    auto const name = each.text_of("name");
    if (name == "reason" && !has_reason) {
      said.reason = each.text_of("valueString");
      has_reason = true;
    }
    if (name != "disclosure") continue;
    if (said.disclosure) return fail(ErrorKind::kInvalid, "an emergency has one disclosure");
    said.disclosure = TACENDA_TRY(disclosure_of(each));
  }
  if (!has_reason) return fail(ErrorKind::kUnprocessable, kSayWhy);
  return said;
}

/// What the log has of it: the reason, and the record of the disclosure.
std::string text_of(access::Emergency const& emergency) {
  std::string text = emergency.reason;
  if (auto const& disclosure = emergency.disclosure) {
    text.append("\n42 CFR 2.51: to ").append(disclosure->recipient);
    text.append(" (").append(disclosure->affiliation).append("), by ").append(disclosure->discloser);
    text.append(", nature of the emergency: ").append(disclosure->nature);
  }
  return text;
}

std::string answer_of(access::Emergency const& emergency) {
  Json expires = Json::object();
  expires.set("name", Json::string("expires"));
  expires.set("valueInstant", Json::string(codec::format_instant(emergency.expires)));
  Json id = Json::object();
  id.set("name", Json::string("emergency"));
  id.set("valueId", Json::string(emergency.id));
  Json list = Json::array();
  list.push(std::move(id));
  list.push(std::move(expires));
  Json answer = Json::object();
  answer.set("resourceType", Json::string("Parameters"));
  answer.set("parameter", std::move(list));
  return codec::write_json(answer);
}

}  // namespace

Released Pipeline::break_glass(Exchange& exchange) {
  if (!exchange.format) return refuse(exchange, 406);
  auto const lasts = parts_.gate.authorize_emergency(*exchange.principal);
  if (!lasts.has_value()) {
    exchange.denied_by = "role";
    return refuse(exchange, lasts.error());
  }
  auto const patient = ResourceId::parse(exchange.route.id);
  if (!patient.has_value()) return refuse(exchange, patient.error());
  auto said = said_by(exchange.request.body);
  if (!said.has_value()) return refuse(exchange, said.error());
  // Whoever the patient hides from: that somebody is there is what the glass is broken for.
  auto const there = parts_.store.read(parts_.gate.system_permit(Action::kRead), "Patient", *patient);
  if (!there.has_value()) {
    if (there.error().kind() != ErrorKind::kGone) return refuse(exchange, there.error());
    return refuse(exchange, Error(ErrorKind::kNotFound, "there is no such resource"));
  }
  auto const user = exchange.principal->id().view();
  auto begun = parts_.assignments.begin_emergency(user, patient->view(), said->reason, *lasts,
                                                  std::move(said->disclosure));
  if (!begun.has_value()) return refuse(exchange, begun.error());
  if (auto const still = parts_.directory.confirm(*exchange.principal, begun->change.set); !still.has_value())
    return refuse(exchange, still.error());
  audit::Event event = exchange.origin;
  // An alert, whatever comes of it: somebody looks at it afterwards.
  event.outcome = audit::Outcome::kSuccess;
  event.purpose_of_use = "BTG";
  event.explained_by = access::word_of(access::Relation::kEmergency);
  event.patients.emplace_back(patient->view());
  event.target = begun->emergency.id;
  event.new_value = text_of(begun->emergency);
  event.http_status = 200;
  std::vector<audit::Event> events;
  events.push_back(std::move(event));
  auto const receipt = parts_.log.commit(std::move(begun->change.set), std::move(events));
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  begun->change.committed();
  net::Response response;
  response.status = 200;
  response.body = answer_of(begun->emergency);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  put_into(*exchange.format, response);
  return Released(*receipt, std::move(response));
}

}  // namespace tacenda::api

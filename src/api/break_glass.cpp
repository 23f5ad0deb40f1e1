// POST /fhir/Patient/[id]/$break-glass: sees one record in an emergency (REQUIREMENTS C-12 to C-14).
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// The reason of a Parameters body. Errors: kInvalid (no Parameters), kUnprocessable (no reason).
Result<std::string> reason_of(std::string_view body) {
  if (body.empty()) return fail(ErrorKind::kUnprocessable, "say why: breaking the glass needs a reason");
  auto const json =
      TACENDA_TRY(codec::parse_json(body, {.depth = 8, .size_bytes = limits::kUnauthenticatedBodyBytes}));
  if (json.text_of("resourceType") != "Parameters")
    return fail(ErrorKind::kInvalid, "the body is no Parameters resource");
  if (auto const* list = json.find("parameter"); list != nullptr) {
    for (auto const& each : list->items()) {
      if (each.text_of("name") == "reason") return std::string(each.text_of("valueString"));
    }
  }
  return fail(ErrorKind::kUnprocessable, "say why: breaking the glass needs a reason");
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
  if (!lasts.has_value()) return refuse(exchange, lasts.error());
  auto const patient = ResourceId::parse(exchange.route.id);
  if (!patient.has_value()) return refuse(exchange, patient.error());
  auto reason = reason_of(exchange.request.body);
  if (!reason.has_value()) return refuse(exchange, reason.error());
  // Whoever the patient hides from: that somebody is there is what the glass is broken for.
  auto const there = parts_.store.read(parts_.gate.system_permit(Action::kRead), "Patient", *patient);
  if (!there.has_value()) {
    if (there.error().kind() != ErrorKind::kGone) return refuse(exchange, there.error());
    return refuse(exchange, Error(ErrorKind::kNotFound, "there is no such resource"));
  }
  auto const user = exchange.principal->id().view();
  auto begun = parts_.assignments.begin_emergency(user, patient->view(), *reason, *lasts);
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
  event.new_value = begun->emergency.reason;
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

// POST /oauth/launch: somebody starts an application for the patient whom he works with (SMART App
// Launch 2.2, app-launch.html#launch-app-ehr-launch).
#include <algorithm>

#include "api/internal/auth_json.hpp"
#include "api/internal/oauth.hpp"
#include "authorization/scopes.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// Errors: kInvalid.
Result<authorization::Launch> launch_of(Json const& body) {
  authorization::Launch launch;
  launch.client = body.text_of("client_id");
  launch.patient = body.text_of("patient");
  launch.context.encounter = body.text_of("encounter");
  launch.context.intent = body.text_of("intent");
  if (auto const* banner = body.find("need_patient_banner"); banner != nullptr) {
    if (!banner->is_boolean()) return fail(ErrorKind::kInvalid, "need_patient_banner is true or false");
    launch.context.need_patient_banner = banner->as_boolean();
  }
  return launch;
}

/// Who may start applications: a person himself, or an application that he allowed to.
Result<void> check_starter(identity::Principal const& principal) {
  if (principal.is_service())
    return fail(ErrorKind::kForbidden, "a service starts no applications of people");
  auto const& application = principal.application();
  if (application && !codec::has_word(application->scopes, authorization::kStartsOthers))
    return fail(ErrorKind::kForbidden, "the application was not allowed to start others");
  return {};
}

}  // namespace

Result<std::vector<std::string>> Pipeline::compartments_of(identity::Principal const& principal,
                                                           std::string_view type,
                                                           ResourceId const& id) const {
  auto const permit = TACENDA_TRY(parts_.gate.authorize(principal, Action::kRead, type));
  return TACENDA_TRY(parts_.store.read(permit, type, id)).patients;
}

bool Pipeline::OAuth::is_encounter_of(std::string_view encounter, std::string_view patient,
                                      identity::Principal const& person) const {
  auto const id = ResourceId::parse(encounter);
  if (!id.has_value()) return false;
  auto const patients = pipeline_.compartments_of(person, "Encounter", *id);
  return patients.has_value() && std::ranges::find(*patients, patient) != patients->end();
}

Result<audit::Receipt> Pipeline::OAuth::record_launch(Exchange const& exchange) {
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    vault::WriteSet set;
    TACENDA_TRY_VOID(pipeline_.confirm(*exchange.principal, set));
    auto receipt = parts_.log.commit(std::move(set), {exchange.origin});
    if (receipt.has_value() || receipt.error().kind() != ErrorKind::kConflict) return receipt;
  }
  return fail(ErrorKind::kUnavailable, "the account changes too often to record what it does");
}

Released Pipeline::OAuth::launch(Exchange& exchange) {
  auto const& person = *exchange.principal;
  if (auto const may = check_starter(person); !may.has_value())
    return pipeline_.refuse(exchange, may.error());
  auto const body = object_of(exchange.request);
  if (!body.has_value()) return pipeline_.refuse(exchange, body.error());
  auto launch = launch_of(*body);
  if (!launch.has_value()) return pipeline_.refuse(exchange, launch.error());
  launch->user = person.id().view();
  auto const patient = ResourceId::parse(launch->patient);
  if (!patient.has_value() || !pipeline_.compartments_of(person, "Patient", *patient).has_value())
    return pipeline_.refuse(exchange,
                            Error(ErrorKind::kUnprocessable, "there is no such patient whom you may see"));
  exchange.origin.patients.emplace_back(patient->view());
  if (!launch->context.encounter.empty()) {
    if (!is_encounter_of(launch->context.encounter, launch->patient, person))
      return pipeline_.refuse(exchange, Error(ErrorKind::kUnprocessable,
                                              "there is no such encounter of this patient that you may see"));
    exchange.origin.new_value = "Encounter/" + launch->context.encounter;
  }
  std::string const client = launch->client;
  auto const handle = parts_.authorization.start(std::move(*launch));
  if (!handle.has_value()) return pipeline_.refuse(exchange, handle.error());
  exchange.origin.target = client;  // behind the look-up: what was asked for may be any text
  Json answer = Json::object();
  answer.set("launch", Json::string(*handle));
  answer.set("iss", Json::string(parts_.authorization.fhir_base()));
  answer.set("expires_in", Json::number(std::chrono::seconds(limits::kLaunchLife).count()));
  // A handle that could not be recorded is told to nobody.
  exchange.origin.http_status = 200;
  auto const receipt = record_launch(exchange);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, json_response(answer));
}

}  // namespace tacenda::api

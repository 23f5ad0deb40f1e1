// /auth: enrolment, log-in and log-out (issue of access tokens to people).
#include "api/internal/exchange.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// The body as a JSON object. Errors: kInvalid.
Result<Json> object_of(net::Request const& request) {
  auto json = TACENDA_TRY(
      codec::parse_json(request.body, {.depth = 4, .size_bytes = limits::kUnauthenticatedBodyBytes}));
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "the body is not a JSON object");
  return json;
}

net::Response json_response(Json const& json) {
  net::Response response;
  response.status = 200;
  response.body = codec::write_json(json);
  response.headers.push_back({"content-type", "application/json"});
  response.headers.push_back({"pragma", "no-cache"});
  return response;
}

SecretBuffer secret_of(Json const& json, std::string_view name) {
  return SecretBuffer(as_bytes(json.text_of(name)));
}

}  // namespace

Released Pipeline::refuse_unless_committed(Exchange& exchange, Error const& error) {
  if (error.kind() == ErrorKind::kNoSpace) return Released(Unrecorded::kNoSpace);
  if (error.kind() == ErrorKind::kUnavailable) return Released(Unrecorded::kAuditUnavailable);
  return refuse(exchange, error);
}

Released Pipeline::enrol(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  auto step = parts_.directory.enrol(json->text_of("code"), secret_of(*json, "password"),
                                     exchange.request.peer.address);
  if (!step.has_value()) return refuse(exchange, step.error());
  audit::Event event = exchange.origin;
  event.actor_id = step->actor_id;
  event.actor_name = step->name;
  event.authentication = "enrolment code";
  auto const receipt = commit(step->pending, event);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  Json body = Json::object();
  body.set("otpauth", Json::string(step->otpauth_uri));
  return Released(*receipt, json_response(body));
}

Released Pipeline::confirm_enrolment(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  auto enrolled = parts_.directory.confirm_enrolment(json->text_of("code"), json->text_of("totp"),
                                                     exchange.request.peer.address);
  if (!enrolled.has_value()) return refuse(exchange, enrolled.error());
  audit::Event event = exchange.origin;
  event.actor_id = enrolled->actor_id;
  event.actor_name = enrolled->name;
  event.authentication = "enrolment code";
  auto const receipt = commit(enrolled->pending, event);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  Json body = Json::object();
  body.set("user", Json::string(enrolled->name));
  return Released(*receipt, json_response(body));
}

Released Pipeline::login(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  std::string const name(json->text_of("user"));
  using Door = identity::Directory::Door;
  auto const door = exchange.request.peer.uid ? Door::kSocket : Door::kNetwork;
  auto attempt = parts_.directory.login(name, secret_of(*json, "password"), json->text_of("totp"),
                                        exchange.request.peer.address, door);
  if (!attempt.has_value()) return refuse(exchange, attempt.error());
  audit::Event event = exchange.origin;
  event.actor_id = attempt->actor_id;
  event.authentication = "password+totp";
  if (attempt->principal) {
    identify(event, *attempt->principal);
    auto const receipt = commit(attempt->pending, event);
    if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
    Json body = Json::object();
    body.set("access_token", Json::string(attempt->access_token));
    body.set("token_type", Json::string("Bearer"));
    body.set("expires_at", Json::string(codec::format_instant(attempt->expires)));
    return Released(*receipt, json_response(body));
  }
  // Every failure looks the same to the caller; why it failed is for the audit log (S-08).
  Error const error = attempt->throttled
                          ? Error(ErrorKind::kThrottled, "too many failures: try again later")
                          : Error(ErrorKind::kUnauthenticated, "user, password or second factor is wrong");
  event.kind = attempt->locked_now ? audit::EventKind::kLocked : audit::EventKind::kLoginFailed;
  event.actor_name = parts_.directory.hashed_name(name);
  event.reason = attempt->reason.view();
  event.http_status = status_of(error);
  event.outcome = attempt->locked_now ? audit::Outcome::kSeriousFailure : audit::Outcome::kMinorFailure;
  if (attempt->throttled) {
    // Nothing was tried: such a flood costs its sender nothing, so it is counted.
    auto noted = parts_.failures.note(std::move(event));
    if (!noted) return Released(Unrecorded::kCounted, 429);
    event = std::move(*noted);
  }
  auto const receipt = commit(attempt->pending, event);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  net::Response response;
  response.status = status_of(error);
  response.body = outcome_json(error);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  if (response.status == 401) response.headers.push_back({"www-authenticate", "Bearer realm=\"tacenda\""});
  if (response.status == 429) response.headers.push_back({"retry-after", "900"});
  return Released(*receipt, std::move(response));
}

Released Pipeline::logout(Exchange& exchange) {
  auto const token = bearer_token(exchange.request);
  auto pending = token ? parts_.directory.logout(*token)
                       : fail(ErrorKind::kInvalid, "only a session of a person can be logged out");
  if (!pending.has_value()) return refuse(exchange, pending.error());
  auto const receipt = commit(*pending, exchange.origin);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  net::Response response;
  response.status = 204;
  return Released(*receipt, std::move(response));
}

}  // namespace tacenda::api

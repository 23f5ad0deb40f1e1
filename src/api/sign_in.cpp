// /auth: enrolment, log-in and log-out (issue of access tokens to people).
#include "api/internal/auth_json.hpp"
#include "api/internal/commit.hpp"
#include "api/internal/exchange.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "identity/password_rules.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

/// What happened to an account, as its owner is told.
std::string_view text_of(identity::Notice::Kind kind) {
  using enum identity::Notice::Kind;
  switch (kind) {
    case kRecoveryCodeUsed:
      return "a recovery code was used to sign in";
    case kRecoveryCodesMade:
      return "new recovery codes were made";
    case kPasswordChanged:
      return "the password was changed";
    case kPasskeyAdded:
      return "a passkey was added";
    case kPasskeyRemoved:
      return "a passkey was removed";
    case kPasskeyCounterBack:
      return "a sign-in with a passkey was refused: there may be a copy of it";
    case kLocked:
      return "sign-ins were stopped for a time after too many failures";
    case kEnrolled:
      return "the account was enrolled";
    case kProviderLinked:
      return "signing in at the hospital's OpenID provider was allowed";
    case kRoleChanged:
      return "an administrator changed the role of the account";
    case kInvitationRenewed:
      return "an administrator made a new invitation for the account: who uses it replaces all its factors";
  }
  return "something happened that this version does not know";
}

}  // namespace

identity::SecondFactor factor_of(Json const& json) {
  return {json.text_of("totp"), json.text_of("recovery_code")};
}

Json texts_json(std::span<std::string const> texts) {
  Json list = Json::array();
  for (auto const& text : texts) list.push(Json::string(text));
  return list;
}

Json notices_json(std::span<identity::Notice const> notices) {
  Json list = Json::array();
  for (auto const& notice : notices) {
    Json json = Json::object();
    json.set("at", Json::string(codec::format_instant(notice.at)));
    json.set("text", Json::string(text_of(notice.kind)));
    list.push(std::move(json));
  }
  return list;
}

Released Pipeline::refuse_unless_committed(Exchange& exchange, Error const& error) {
  if (error.kind() == ErrorKind::kNoSpace) return Released(Unrecorded::kNoSpace);
  if (error.kind() == ErrorKind::kUnavailable) return Released(Unrecorded::kAuditUnavailable);
  return refuse(exchange, error);
}

Released Pipeline::enrol(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  auto step = parts_.directory.enrol(json->text_of("code"), secret_of(*json, "password"), exchange.address);
  if (!step.has_value()) return refuse_password(exchange, step.error(), *json, "password");
  audit::Event event = exchange.origin;
  event.actor_id = step->actor_id;
  event.actor_name = step->name;
  event.authentication = "enrolment code";
  auto const receipt = commit(step->pending, event);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  Json body = Json::object();
  body.set("otpauth", Json::string(step->otpauth_uri));
  auto const strength = identity::password_strength(secret_of(*json, "password"), step->name);
  body.set("password_score", Json::number(strength.score));
  body.set("password_advice", Json::string(strength.advice.view()));
  return Released(*receipt, json_response(body));
}

Released Pipeline::confirm_enrolment(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  auto enrolled =
      parts_.directory.confirm_enrolment(json->text_of("code"), json->text_of("totp"), exchange.address);
  if (!enrolled.has_value()) return refuse(exchange, enrolled.error());
  audit::Event event = exchange.origin;
  event.actor_id = enrolled->actor_id;
  event.actor_name = enrolled->name;
  event.authentication = "enrolment code";
  auto const receipt = commit(enrolled->pending, event);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  Json body = Json::object();
  body.set("user", Json::string(enrolled->name));
  body.set("recovery_codes", texts_json(enrolled->recovery_codes));
  return Released(*receipt, json_response(body));
}

Released Pipeline::refuse_password(Exchange& exchange, Error const& error, Json const& asked,
                                   std::string_view field) {
  if (error.kind() == ErrorKind::kUnprocessable) {
    auto const name = exchange.principal ? std::string_view(exchange.principal->name()) : std::string_view();
    auto const strength = identity::password_strength(secret_of(asked, field), name);
    exchange.remarks.refusal = outcome_json(error, strength.advice, strength.score);
  }
  return refuse(exchange, error);
}

Released Pipeline::login(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return refuse(exchange, json.error());
  std::string const name(json->text_of("user"));
  using Door = identity::Directory::Door;
  auto const door = exchange.request.peer.uid ? Door::kSocket : Door::kNetwork;
  auto attempt =
      parts_.directory.login(name, secret_of(*json, "password"), factor_of(*json), exchange.address, door);
  if (!attempt.has_value()) return refuse(exchange, attempt.error());
  audit::Event event = exchange.origin;
  event.authentication = json->text_of("recovery_code").empty() ? "password+totp" : "password+recovery-code";
  event.actor_name = parts_.directory.hashed_name(name);
  return conclude(exchange, std::move(event), *attempt);
}

Released Pipeline::conclude(Exchange& exchange, audit::Event event, identity::Directory::Attempt& attempt) {
  event.actor_id = attempt.actor_id;
  if (!attempt.principal) return refuse_attempt(exchange, std::move(event), attempt);
  // From where the account may be used is asked before anything is told: to the caller it is a failure as
  // every other.
  if (auto const placed = parts_.gate.admits(*attempt.principal, exchange.address); !placed.has_value()) {
    identity::Directory::Attempt refused;
    refused.actor_id = attempt.actor_id;
    refused.reason = placed.error().literal();
    // What he showed is used up all the same, also when the server starts anew.
    auto used = parts_.directory.keep_used(*attempt.principal);
    if (!used.has_value()) return refuse(exchange, used.error());
    refused.pending = std::move(*used);
    return refuse_attempt(exchange, std::move(event), refused);
  }
  identify(event, *attempt.principal);
  auto const receipt = commit_sign_in(parts_, attempt, std::move(event));
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  Json body = Json::object();
  body.set("access_token", Json::string(attempt.access_token));
  body.set("token_type", Json::string("Bearer"));
  body.set("expires_at", Json::string(codec::format_instant(attempt.expires)));
  if (!attempt.notices.empty()) body.set("notices", notices_json(attempt.notices));
  if (auto const still = parts_.gate.is_complete(*attempt.principal, parts_.clock.now()); !still.has_value())
    body.set("still_to_do", Json::string(still.error().message()));
  return Released(*receipt, json_response(body));
}

Released Pipeline::refuse_attempt(Exchange& exchange, audit::Event event,
                                  identity::Directory::Attempt& attempt) {
  // Every failure looks the same to the caller; why it failed is for the audit log (S-08).
  Error const error = attempt.throttled
                          ? Error(ErrorKind::kThrottled, "too many failures: try again later")
                          : Error(ErrorKind::kUnauthenticated, "user, password or second factor is wrong");
  event.kind = attempt.locked_now     ? audit::EventKind::kLocked
               : attempt.counter_back ? audit::EventKind::kPasskeyCounterBack
                                      : audit::EventKind::kLoginFailed;
  event.reason = attempt.reason.view();
  event.http_status = status_of(error);
  bool const is_alert = attempt.locked_now || attempt.counter_back;
  event.outcome = is_alert ? audit::Outcome::kSeriousFailure : audit::Outcome::kMinorFailure;
  bool const is_cheap = exchange.route.route->interaction == Interaction::kPasskeySignIn && !is_alert;
  if (attempt.throttled || is_cheap) {
    // Nothing was hashed: such a flood costs its sender nothing, so it is counted.
    auto noted = parts_.failures.note(std::move(event));
    if (!noted) return Released(Unrecorded::kCounted, status_of(error));
    event = std::move(*noted);
  }
  auto const receipt = commit(attempt.pending, event);
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
  // Of a browser that pages of this origin ran in, nothing is left behind (O-05).
  response.headers.push_back({"clear-site-data", R"("cache", "cookies", "storage")"});
  return Released(*receipt, std::move(response));
}

}  // namespace tacenda::api

// /auth: what people do with their own account while they are signed in.
#include "api/internal/account.hpp"

#include "api/internal/auth_json.hpp"
#include "api/outcome.hpp"
#include "codec/text.hpp"
#include "identity/awareness.hpp"
#include "identity/own_account.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json instant(Time time) {
  return Json::string(codec::format_instant(time));
}

Json session_json(identity::SessionView const& session) {
  Json json = Json::object();
  json.set("id", Json::string(session.id));
  json.set("authentication", Json::string(method_name(session.method)));
  json.set("address", Json::string(session.address));
  json.set("created", instant(session.created));
  json.set("last_used", instant(session.last_used));
  json.set("expires", instant(session.expires));
  json.set("this", Json::boolean(session.is_this));
  return json;
}

Json topic_json(identity::AwarenessTopic const& topic, identity::Standing const& standing) {
  Json json = Json::object();
  json.set("topic", Json::string(topic.id));
  json.set("version", Json::number(topic.version));
  json.set("title", Json::string(topic.title));
  json.set("text", Json::string(topic.text));
  for (auto const& read : standing.acknowledgements) {
    if (read.topic != topic.id) continue;
    json.set("acknowledged", instant(read.at));
    json.set("acknowledged_version", Json::number(read.version));
  }
  return json;
}

}  // namespace

Released Pipeline::change_own(Exchange& exchange, Result<identity::Pending> pending, net::Response response) {
  if (!pending.has_value()) return refuse(exchange, pending.error());
  auto const receipt = commit(*pending, exchange.origin);
  if (!receipt.has_value()) return refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, std::move(response));
}

Released Pipeline::own_account(Exchange& exchange) {
  return Account(*this).dispatch(exchange);
}

Released Pipeline::Account::dispatch(Exchange& exchange) {
  switch (exchange.route.route->interaction) {
    case Interaction::kStepUp:
      return step_up(exchange);
    case Interaction::kChangePassword:
      return change_password(exchange);
    case Interaction::kMakeRecoveryCodes:
      return make_recovery_codes(exchange);
    case Interaction::kSessions:
      return sessions(exchange);
    case Interaction::kEndSession:
      return end_session(exchange);
    case Interaction::kAwareness:
      return awareness(exchange);
    case Interaction::kAcknowledge:
      return acknowledge(exchange);
    case Interaction::kAccount:
      return account(exchange);
    case Interaction::kProvider:
    case Interaction::kBeginProviderSignIn:
    case Interaction::kProviderSignIn:
      return openid(exchange);
    default:
      return passkeys(exchange);
  }
}

Released Pipeline::Account::step_up(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return pipeline_.refuse(exchange, json.error());
  auto attempt =
      identity::OwnAccount(parts_.directory).step_up(*exchange.principal, factor_of(*json), exchange.address);
  if (!attempt.has_value()) return pipeline_.refuse(exchange, attempt.error());
  return pipeline_.conclude(exchange, exchange.origin, *attempt);
}

Released Pipeline::Account::change_password(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return pipeline_.refuse(exchange, json.error());
  auto const password = secret_of(*json, "password");
  auto const chosen = secret_of(*json, "new_password");
  auto attempt =
      identity::OwnAccount(parts_.directory)
          .change_password(*exchange.principal, {password, factor_of(*json), chosen, exchange.address});
  if (!attempt.has_value())
    return pipeline_.refuse_password(exchange, attempt.error(), *json, "new_password");
  return pipeline_.conclude(exchange, exchange.origin, *attempt);
}

Released Pipeline::Account::make_recovery_codes(Exchange& exchange) {
  if (auto const taken = parts_.gate.may_change_factors(*exchange.principal); !taken.has_value())
    return pipeline_.refuse(exchange, taken.error());
  auto made = identity::OwnAccount(parts_.directory).make_recovery_codes(*exchange.principal);
  if (!made.has_value()) return pipeline_.refuse(exchange, made.error());
  Json body = Json::object();
  body.set("recovery_codes", texts_json(made->codes));
  return pipeline_.change_own(exchange, std::move(made->pending), json_response(body));
}

Released Pipeline::Account::sessions(Exchange& exchange) {
  auto const found = identity::OwnAccount(parts_.directory).sessions(*exchange.principal);
  if (!found.has_value()) return pipeline_.refuse(exchange, found.error());
  Json list = Json::array();
  for (auto const& session : *found) list.push(session_json(session));
  Json body = Json::object();
  body.set("sessions", std::move(list));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::Account::end_session(Exchange& exchange) {
  auto pending =
      identity::OwnAccount(parts_.directory).end_session(*exchange.principal, exchange.route.version);
  // Only what was found: what was asked for may be any text.
  if (pending.has_value()) exchange.origin.target = exchange.route.version;
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, std::move(pending), std::move(response));
}

Released Pipeline::Account::account(Exchange& exchange) {
  auto const view = identity::OwnAccount(parts_.directory).view(*exchange.principal);
  if (!view.has_value()) return pipeline_.refuse(exchange, view.error());
  Json body = Json::object();
  body.set("user", Json::string(exchange.principal->name()));
  body.set("role", Json::string(exchange.principal->role()));
  body.set("recovery_codes_left", Json::number(static_cast<std::int64_t>(view->recovery_codes)));
  body.set("passkeys", Json::number(static_cast<std::int64_t>(view->passkeys)));
  body.set("notices", notices_json(view->notices));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::Account::awareness(Exchange& exchange) {
  Json list = Json::array();
  for (auto const& topic : identity::awareness_topics())
    list.push(topic_json(topic, *exchange.principal->standing()));
  Json body = Json::object();
  body.set("topics", std::move(list));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::Account::acknowledge(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return pipeline_.refuse(exchange, json.error());
  auto const* topic = identity::find_awareness_topic(exchange.route.version);
  if (topic == nullptr)
    return pipeline_.refuse(exchange, Error(ErrorKind::kNotFound, "there is no such topic"));
  // Of the text that was read: one that changed since it was shown is to be read again.
  auto const* version = json->find("version");
  if (version == nullptr || !version->is_number() || version->number_text() != std::to_string(topic->version))
    return pipeline_.refuse(
        exchange, Error(ErrorKind::kConflict, "this is not the version of the text that is in force"));
  exchange.origin.target = topic->id;
  exchange.origin.new_value = std::to_string(topic->version);
  auto pending =
      identity::OwnAccount(parts_.directory)
          .acknowledge(*exchange.principal, {std::string(topic->id), topic->version, parts_.clock.now()});
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, std::move(pending), std::move(response));
}

}  // namespace tacenda::api

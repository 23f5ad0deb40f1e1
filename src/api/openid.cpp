// /auth/openid: people sign in at the hospital's OpenID provider, and come back here.
#include "api/internal/account.hpp"
#include "api/internal/auth_json.hpp"
#include "identity/provisioning.hpp"
#include "identity/sign_in_provider.hpp"

namespace tacenda::api {

using codec::Json;

Released Pipeline::Account::openid(Exchange& exchange) {
  bool const is_question = exchange.route.route->interaction == Interaction::kProvider;
  if (parts_.provider == nullptr && !is_question)
    return pipeline_.refuse(exchange, Error(ErrorKind::kUnsupported, "this server knows no OpenID provider"));
  switch (exchange.route.route->interaction) {
    case Interaction::kBeginProviderSignIn:
      return begin_provider_sign_in(exchange);
    case Interaction::kProviderSignIn:
      return provider_sign_in(exchange);
    default:
      break;
  }
  Json body = Json::object();
  if (parts_.provider != nullptr) body.set("issuer", Json::string(parts_.provider->issuer()));
  PublicDiscovery const said{codec::write_json(body)};
  // Anybody may ask: a flood is counted, as failures are, and must not fill the log.
  exchange.origin.http_status = 200;
  auto noted = parts_.failures.note(exchange.origin);
  if (!noted) return Released(said);
  return pipeline_.record(std::move(*noted), json_response(body));
}

Released Pipeline::Account::begin_provider_sign_in(Exchange& exchange) {
  auto const begun = parts_.provider->begin(exchange.address);
  if (!begun.has_value()) return pipeline_.refuse(exchange, begun.error());
  PublicSignIn const offer{begun->url, begun->browser};
  // Anybody may ask: a flood is counted, as failures are, and must not fill the log.
  exchange.origin.http_status = 200;
  auto noted = parts_.failures.note(exchange.origin);
  if (!noted) return Released(offer);
  return pipeline_.record(std::move(*noted), response_of(offer));
}

Released Pipeline::Account::provider_sign_in(Exchange& exchange) {
  auto const json = object_of(exchange.request);
  if (!json.has_value()) return pipeline_.refuse(exchange, json.error());
  exchange.origin.authentication = "openid";
  auto const asserted = parts_.provider->finish(
      {json->text_of("browser"), json->text_of("state"), json->text_of("code"), json->text_of("iss")},
      exchange.address);
  if (!asserted.has_value()) {
    exchange.origin.kind = audit::EventKind::kLoginFailed;
    return pipeline_.refuse(exchange, asserted.error());
  }
  audit::Event event = exchange.origin;
  event.actor_name = parts_.directory.hashed_name(asserted->subject);
  event.new_value = "OpenID subject " + asserted->subject;  // who the account is from now on, or would be
  auto attempt = identity::Provisioning(parts_.directory).sign_in(*asserted, exchange.address);
  if (!attempt.has_value()) return pipeline_.refuse(exchange, attempt.error());
  if (attempt->principal) return pipeline_.conclude(exchange, std::move(event), *attempt);
  exchange.origin = std::move(event);
  exchange.origin.kind = audit::EventKind::kLoginFailed;
  exchange.origin.actor_id = attempt->actor_id;
  // He has shown who he is there, so that he may know that he is nobody here.
  return pipeline_.refuse(exchange, Error(ErrorKind::kForbidden, attempt->reason));
}

}  // namespace tacenda::api

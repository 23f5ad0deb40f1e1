// /oauth: how applications get their tokens, and what they discover of this server.
#include "api/internal/oauth.hpp"

#include "api/internal/auth_json.hpp"
#include "api/internal/oauth_json.hpp"
#include "authorization/discovery.hpp"
#include "authorization/form.hpp"
#include "codec/json.hpp"

namespace tacenda::api {
namespace {

using authorization::OAuthError;
using authorization::Refusal;

/// The parameters of a request to an endpoint that takes a form. What stands in an address is seen by proxies
/// and logs: credentials are not taken from there (RFC 6749 section 2.3.1).
std::expected<authorization::Form, Refusal> form_of(net::Request const& request) {
  if (!sends_form(request))
    return std::unexpected(
        Refusal(OAuthError::kInvalidRequest, "the body must be application/x-www-form-urlencoded"));
  if (!request.query.empty())
    return std::unexpected(Refusal(OAuthError::kInvalidRequest, "parameters belong into the body"));
  auto form = authorization::Form::parse(request.body);
  if (!form.has_value()) return std::unexpected(Refusal(OAuthError::kInvalidRequest, form.error().literal()));
  return std::move(*form);
}

void tell(authorization::Trace const& trace, audit::Event& event) {
  event.client = trace.client;
  event.target = trace.owner.empty() ? trace.client : trace.owner;
  event.actor_id = trace.user_id;
  event.actor_name = trace.user_name;
  event.role = trace.role;
  if (!trace.authentication.empty()) event.authentication = trace.authentication;
  event.token_id = trace.token_id;
  event.new_value = trace.scopes;
  if (!trace.patient.empty()) event.patients.push_back(trace.patient);
}

}  // namespace

Released Pipeline::oauth(Exchange& exchange) {
  return OAuth(*this).dispatch(exchange);
}

Released Pipeline::OAuth::dispatch(Exchange& exchange) {
  switch (exchange.route.route->interaction) {
    case Interaction::kLaunch:
      return launch(exchange);
    case Interaction::kAuthorize:
      return authorize(exchange);
    case Interaction::kAuthorizeSignIn:
      return authorize_sign_in(exchange);
    case Interaction::kAuthorizePasskey:
      return authorize_passkey(exchange);
    case Interaction::kAuthorizeProvider:
      return authorize_provider(exchange);
    case Interaction::kProviderCallback:
      return provider_callback(exchange);
    case Interaction::kAuthorizeConsent:
      return authorize_consent(exchange);
    case Interaction::kApplications:
      return applications(exchange);
    case Interaction::kEndApplication:
      return end_application(exchange);
    case Interaction::kToken:
    case Interaction::kRevokeToken:
    case Interaction::kIntrospectToken:
      return token(exchange);
    default:
      return discovery(exchange);
  }
}

Released Pipeline::OAuth::discovery(Exchange& exchange) {
  auto const origin = parts_.authorization.origin();
  bool const takes_certificates = parts_.authorization.takes_certificates();
  PublicDiscovery said;
  switch (exchange.route.route->interaction) {
    case Interaction::kJwks:
      said.json = parts_.authorization.jwks();
      break;
    case Interaction::kOpenIdConfiguration:
      said.json = authorization::openid_configuration(origin, takes_certificates);
      break;
    default:
      said.json = authorization::smart_configuration(origin, takes_certificates);
  }
  exchange.origin.http_status = 200;
  // Anybody may ask: a flood is counted, as failures are, and must not fill the log.
  auto noted = parts_.failures.note(exchange.origin);
  if (!noted) return Released(said);
  return pipeline_.record(std::move(*noted), json_text_response(std::move(said.json)));
}

Released Pipeline::OAuth::token(Exchange& exchange) {
  auto const form = form_of(exchange.request);
  authorization::TokenReply reply;
  // What net has verified, and no header field: a proxy that ends TLS cannot say it.
  authorization::Caller const caller{exchange.address, exchange.request.peer.certificate};
  if (!form.has_value()) return refuse_token(exchange, form.error(), reply);
  switch (exchange.route.route->interaction) {
    case Interaction::kRevokeToken:
      reply = parts_.authorization.revoke(*form, caller);
      break;
    case Interaction::kIntrospectToken:
      reply = parts_.authorization.introspect(*form, caller);
      break;
    default:
      reply = parts_.authorization.token(*form, caller);
  }
  if (auto failed = record_keys(exchange, reply.keys)) return std::move(*failed);
  return answer_token(exchange, reply);
}

std::optional<Released> Pipeline::OAuth::record_keys(Exchange& exchange,
                                                     std::vector<authorization::KeysNotice> const& notices) {
  std::vector<audit::Event> events;
  for (auto const& notice : notices) {
    audit::Event event = exchange.origin;
    event.kind = audit::EventKind::kClientKeysFetched;
    event.target = event.client = notice.client;
    event.old_value = notice.before;
    event.new_value = notice.after;
    if (notice.problem) {
      event.outcome = audit::Outcome::kMinorFailure;
      event.reason = notice.problem->view();
    }
    events.push_back(std::move(event));
  }
  if (events.empty()) return std::nullopt;
  auto const receipt = parts_.log.commit({}, std::move(events));
  if (receipt.has_value()) return std::nullopt;
  return pipeline_.refuse_unless_committed(exchange, receipt.error());
}

Released Pipeline::OAuth::answer_token(Exchange& exchange, authorization::TokenReply& reply) {
  if (reply.refusal) return refuse_token(exchange, *reply.refusal, reply);
  audit::Event event = exchange.origin;
  tell(reply.trace, event);
  event.http_status = 200;
  auto const receipt = pipeline_.commit(reply.pending, event);
  if (receipt.has_value()) return Released(*receipt, json_text_response(codec::write_json(reply.body)));
  if (receipt.error().kind() != ErrorKind::kUnauthenticated)
    return pipeline_.refuse_unless_committed(exchange, receipt.error());
  // It was disabled meanwhile.
  authorization::TokenReply late;
  late.trace = std::move(reply.trace);
  late.trace.token_id.clear();
  return refuse_token(exchange, Refusal(OAuthError::kInvalidClient, receipt.error().literal()), late);
}

Released Pipeline::OAuth::refuse_token(Exchange& exchange, Refusal const& refusal,
                                       authorization::TokenReply& reply) {
  auto response = oauth_refusal(refusal.error, refusal.description);
  audit::Event event = exchange.origin;
  tell(reply.trace, event);
  event.kind = reply.reused ? audit::EventKind::kTokenReused : audit::EventKind::kTokenRefused;
  if (reply.is_outside) event.kind = audit::EventKind::kAddressRefused;
  event.outcome = reply.reused ? audit::Outcome::kSeriousFailure : audit::Outcome::kMinorFailure;
  event.reason = refusal.reason.view();
  event.http_status = response.status;
  // A public application is named by whoever likes.
  bool const is_said = reply.is_outside && reply.trace.authentication == "none";
  if (reply.trace.client.empty() || is_said) {
    // Nobody was recognised: a flood of these is counted and does not slow down who was.
    auto noted = parts_.failures.note(std::move(event));
    if (!noted) return Released(refusal.error);
    event = std::move(*noted);
  }
  auto const receipt = pipeline_.commit(reply.pending, event);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, std::move(response));
}

}  // namespace tacenda::api

// The first steps of every request: which route, who, from where, how often.
#include "access/forwarded.hpp"
#include "api/internal/exchange.hpp"
#include "api/internal/format.hpp"
#include "api/outcome.hpp"
#include "identity/own_account.hpp"

namespace tacenda::api {
namespace {

using Kind = access::RateLimiter::Kind;

/// What is the same for everyone and tells nothing: not recorded.
std::optional<Released> fixed_answer(Interaction interaction) {
  switch (interaction) {
    case Interaction::kHealth:
      return Released(Unrecorded::kHealthy);
    case Interaction::kEnrolmentPage:
      return Released(PublicPage::kEnrolment);
    case Interaction::kEnrolmentScript:
      return Released(PublicPage::kEnrolmentScript);
    case Interaction::kEnrolmentStyle:
      return Released(PublicPage::kEnrolmentStyle);
    case Interaction::kSignInPage:
      return Released(PublicPage::kSignIn);
    case Interaction::kSignInScript:
      return Released(PublicPage::kSignInScript);
    case Interaction::kAuthorizePasskeyScript:
      return Released(PublicPage::kAuthorizePasskeyScript);
    default:
      return std::nullopt;
  }
}

/// Who asks: the peer of the connection, or whom a trusted proxy names.
std::string address_of(net::Request const& request, std::optional<access::AddressList> const& trusted) {
  // Net takes a PROXY header from trusted peers only.
  std::string const& peer = request.peer.forwarded.empty() ? request.peer.address : request.peer.forwarded;
  if (!trusted) return peer;
  std::vector<std::string_view> fields;
  for (auto const& field : request.headers) {
    if (field.name == "x-forwarded-for") fields.emplace_back(field.value);
  }
  return access::forwarded_address(*trusted, peer, fields);
}

/// What record a request is about, for the log.
void name_record(Match const& route, audit::Event& event) {
  event.resource_type = route.type;
  // What is no id of a resource may be anything: it must not reach whoever reads the log.
  if (ResourceId::parse(route.id).has_value()) event.resource_id = route.id;
}

/// What a person may do while his role demands something of him.
bool is_own_account(Route const& route) {
  return route.pattern.starts_with("/auth/");
}

}  // namespace

std::optional<Released> Pipeline::admit(Exchange& exchange) {
  exchange.origin = origin_of(exchange.request, request_id_of(exchange.request, parts_.vault));
  exchange.address = address_of(exchange.request, parts_.trusted_proxies);
  exchange.origin.erasures_before = parts_.vault.order().patient_erasures();
  exchange.base_url = "https://" + exchange.request.authority + "/fhir";
  exchange.prefer = prefer_of(exchange.request);
  exchange.format = answer_format_of(exchange.request);
  exchange.remarks.wanted = exchange.prefer == Prefer::kOutcome;
  exchange.origin.kind = audit::EventKind::kUnknownRoute;

  auto match_result = match(exchange.request.method, exchange.request.path);
  if (match_result.has_value()) exchange.route = std::move(*match_result);
  if (exchange.route.route == nullptr) {
    // Who tries addresses while he is signed in is named in the log.
    if (auto principal = authenticate(exchange.request); principal.has_value()) {
      exchange.principal = std::move(*principal);
      identify(exchange.origin, *exchange.principal);
      name_record(exchange.route, exchange.origin);
      if (auto held = hold_caller(exchange)) return held;
    } else if (auto held = hold_to_rate(exchange, Kind::kAddress, exchange.address)) {
      return held;
    } else if (!exchange.route.type.empty()) {
      // An address of records: nobody in particular is told what can be done there.
      return refuse(exchange, principal.error());
    }
    return match_result.has_value() ? refuse(exchange, 405) : refuse(exchange, match_result.error());
  }
  Route const& route = *exchange.route.route;
  if (auto fixed = fixed_answer(route.interaction)) return fixed;
  exchange.origin.kind = route.event;
  name_record(exchange.route, exchange.origin);
  return admit_caller(exchange);
}

std::optional<Released> Pipeline::admit_caller(Exchange& exchange) {
  Route const& route = *exchange.route.route;
  // Net lets trusted proxies connect, whoever they speak for. No address: the administration socket.
  if (!exchange.address.empty() && !parts_.gate.admits("fhir", exchange.address)) {
    exchange.origin.kind = audit::EventKind::kAddressRefused;
    exchange.denied_by = "network";
    return refuse(exchange, Error(ErrorKind::kForbidden, "this address may not connect"));
  }
  if (!route.needs_sign_in) return hold_to_rate(exchange, Kind::kAddress, exchange.address);
  auto principal = authenticate(exchange.request);
  if (!principal.has_value()) {
    if (auto held = hold_to_rate(exchange, Kind::kAddress, exchange.address)) return held;
    return refuse(exchange, principal.error());
  }
  exchange.principal = std::move(*principal);
  identify(exchange.origin, *exchange.principal);
  auto const& known = *exchange.principal;
  // A purpose that is none of his role's is refused where it would open something.
  exchange.origin.purpose_of_use = parts_.gate.purpose_of(known).value_or(std::string());
  if (auto held = hold_caller(exchange)) return held;
  if (auto const placed = admits(known, exchange.address); !placed.has_value()) {
    exchange.origin.kind = audit::EventKind::kAddressRefused;
    exchange.denied_by = "network";
    return refuse(exchange, placed.error());
  }
  if (auto const fits = parts_.gate.admits_token(known, parts_.clock.now()); !fits.has_value()) {
    exchange.denied_by = "token";
    return refuse(exchange, fits.error());
  }
  // An account is its owner's own business: no application looks after it.
  if (is_own_account(route) && known.application()) {
    exchange.denied_by = "scope";
    return refuse(exchange, Error(ErrorKind::kForbidden, "an application may not do this: sign in yourself"));
  }
  if (known.is_emergency() && is_own_account(route) && route.interaction != Interaction::kLogout) {
    exchange.denied_by = "emergency-limit";
    return refuse(exchange, Error(ErrorKind::kForbidden, "an emergency account reads and does nothing else"));
  }
  if (is_own_account(route)) return std::nullopt;
  Time const now = parts_.clock.now();
  if (auto const complete = parts_.gate.is_complete(known, now); !complete.has_value()) {
    exchange.denied_by = parts_.gate.takes_factor(known).has_value() ? "awareness" : "factor";
    return refuse(exchange, complete.error());
  }
  // What leaves in bulk, and what opens what is closed, needs a person who is there (N-02); a service has its
  // short token.
  bool const needs_presence =
      route.interaction == Interaction::kExport || route.interaction == Interaction::kBreakGlass;
  if (needs_presence && !known.is_service() && !identity::is_fresh(known, now)) {
    exchange.denied_by = "step-up";
    return refuse(exchange, Error(ErrorKind::kUnauthenticated,
                                  "the second factor is too old for this act: step up first"));
  }
  return std::nullopt;
}

Result<void> Pipeline::admits(identity::Principal const& principal, std::string_view address) const {
  TACENDA_TRY_VOID(parts_.gate.admits(principal, address));
  if (!principal.application()) return {};
  return parts_.authorization.clients().admits(principal.application()->client, address);
}

std::optional<Released> Pipeline::hold_caller(Exchange& exchange) {
  auto const& known = *exchange.principal;
  if (known.is_service()) return hold_to_rate(exchange, Kind::kService, known.id().view());
  if (auto held = hold_to_rate(exchange, Kind::kPerson, known.id().view())) return held;
  // Beside that of each person: what it does for all of them.
  if (!known.application()) return std::nullopt;
  return hold_to_rate(exchange, Kind::kApplication, known.application()->client);
}

std::optional<Released> Pipeline::hold_to_rate(Exchange& exchange, access::RateLimiter::Kind kind,
                                               std::string_view who) {
  auto const wait = parts_.rates.take(kind, who);
  if (!wait) return std::nullopt;
  Error const error(ErrorKind::kThrottled, kind == Kind::kApplication
                                               ? Literal("too many requests of this application: slow down")
                                               : Literal("too many requests: slow down"));
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kOverLimit;
  event.outcome = audit::Outcome::kMinorFailure;
  event.reason = error.message();
  event.http_status = status_of(error);
  // Whoever asks so often must not fill the log with it.
  auto noted = parts_.failures.note(std::move(event));
  if (!noted) return Released(Unrecorded::kCounted, status_of(error));
  net::Response response;
  response.status = status_of(error);
  response.body = outcome_json(error);
  response.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  response.headers.push_back({"retry-after", std::to_string(wait->count())});
  put_into(exchange.format.value_or(fhir::Format::kJson), response);
  return record(std::move(*noted), std::move(response));
}

Released Pipeline::dispatch(Exchange& exchange) {
  switch (exchange.route.route->interaction) {
    case Interaction::kCapabilities:
      return capabilities(exchange);
    case Interaction::kAuditRead:
    case Interaction::kAuditSearch:
      return access_log(exchange);
    case Interaction::kBreakGlass:
      return break_glass(exchange);
    case Interaction::kEnrol:
      return enrol(exchange);
    case Interaction::kConfirmEnrolment:
      return confirm_enrolment(exchange);
    case Interaction::kLogin:
      return login(exchange);
    case Interaction::kLogout:
      return logout(exchange);
    case Interaction::kSmartConfiguration:
    case Interaction::kOpenIdConfiguration:
    case Interaction::kJwks:
    case Interaction::kLaunch:
    case Interaction::kAuthorize:
    case Interaction::kAuthorizeSignIn:
    case Interaction::kAuthorizeConsent:
    case Interaction::kAuthorizePasskey:
    case Interaction::kAuthorizeProvider:
    case Interaction::kProviderCallback:
    case Interaction::kRevokeToken:
    case Interaction::kIntrospectToken:
    case Interaction::kApplications:
    case Interaction::kEndApplication:
    case Interaction::kToken:
      return oauth(exchange);
    case Interaction::kProvider:
    case Interaction::kBeginProviderSignIn:
    case Interaction::kProviderSignIn:
      return own_account(exchange);
    case Interaction::kScimDiscovery:
    case Interaction::kScimUsers:
    case Interaction::kScimUser:
    case Interaction::kScimGroups:
    case Interaction::kScimGroup:
      return scim(exchange);
    case Interaction::kStepUp:
    case Interaction::kAccount:
    case Interaction::kChangePassword:
    case Interaction::kMakeRecoveryCodes:
    case Interaction::kSessions:
    case Interaction::kEndSession:
    case Interaction::kAwareness:
    case Interaction::kAcknowledge:
    case Interaction::kPasskeys:
    case Interaction::kRemovePasskey:
    case Interaction::kOfferPasskey:
    case Interaction::kAddPasskey:
    case Interaction::kOfferPasskeySignIn:
    case Interaction::kPasskeySignIn:
      return own_account(exchange);
    default:
      return fhir(exchange);
  }
}

}  // namespace tacenda::api

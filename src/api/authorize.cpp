// /oauth/authorize: a person signs in for an application, and decides what it gets.
#include <algorithm>

#include "api/internal/auth_json.hpp"
#include "api/internal/oauth.hpp"
#include "api/internal/oauth_pages.hpp"
#include "api/outcome.hpp"
#include "authorization/scopes.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using authorization::browser_of;
using authorization::Server;
using codec::Scope;
using codec::ScopeLevel;

// Bound to this host, to TLS and to no path (RFC 6265bis section 4.1.3): no neighbour can plant one.
constexpr std::string_view kCookie = "__Host-tacenda-oauth";
constexpr std::size_t kCookieBytes = 43;  // base64url of 32 bytes

/// The cookie of the browser, as far as it has the form that we give; empty: there is none.
std::string_view cookie_of(net::Request const& request) {
  for (auto const& field : request.headers) {
    if (field.name != "cookie") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      auto const end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (!pair.starts_with(kCookie) || !pair.substr(kCookie.size()).starts_with('=')) continue;
      auto const value = pair.substr(kCookie.size() + 1);
      if (value.size() == kCookieBytes && codec::base64url_decode(value).has_value()) return value;
    }
  }
  return {};
}

net::Header set_cookie(std::string_view value) {
  return {"set-cookie", std::string(kCookie) + "=" + std::string(value) +
                            "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"};
}

/// The way back to the application.
net::Response redirect_to(std::string location) {
  net::Response response;
  response.status = 303;
  response.headers.push_back({"location", std::move(location)});
  return response;
}

bool needs_patient(std::vector<Scope> const& scopes) {
  return codec::has_word(scopes, "launch/patient") ||
         std::ranges::any_of(scopes, [](Scope const& scope) { return scope.level == ScopeLevel::kPatient; });
}

/// What is left ticked.
std::vector<Scope> ticked(authorization::Form const& form, std::vector<Scope> const& asked) {
  std::vector<Scope> chosen;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // The context is no right: it comes with what it is for.
    if (asked[i].word == "launch/patient" || form.has("s" + std::to_string(i))) chosen.push_back(asked[i]);
  }
  return chosen;
}

}  // namespace

Released Pipeline::OAuth::show(Exchange& exchange, audit::Event event, HtmlPage page) {
  event.http_status = page.status;
  if (!exchange.principal) {
    auto noted = parts_.failures.note(std::move(event));
    if (!noted) return Released(std::move(page));
    event = std::move(*noted);
  }
  std::vector<audit::Event> events{std::move(event)};
  auto const receipt = parts_.log.commit({}, std::move(events));
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, std::move(page));
}

Released Pipeline::OAuth::show_problem(Exchange& exchange, audit::Event event, std::uint16_t status,
                                       Literal problem) {
  event.outcome = audit_outcome_of(status);
  event.reason = problem.view();
  return show(exchange, std::move(event), {status, problem_page(problem.view())});
}

Released Pipeline::OAuth::authorize(Exchange& exchange) {
  auto const& request = exchange.request;
  audit::Event event = exchange.origin;
  bool const is_post = request.method == "POST";
  auto const form = authorization::Form::parse(is_post ? request.body : request.query);
  if (!form.has_value() || (is_post && !sends_form(request))) {
    event.kind = audit::EventKind::kAuthorizationRefused;
    return show_problem(exchange, std::move(event), 400, "the application's request cannot be understood");
  }
  std::string cookie(cookie_of(request));
  if (cookie.empty()) {
    Bytes random;
    for (int i = 0; i < 2; ++i) {
      auto const half = parts_.vault.random_bytes16();
      if (!half.has_value()) return pipeline_.refuse(exchange, half.error());
      append(random, *half);
    }
    cookie = codec::base64url_encode(random);
  }
  auto const begun = parts_.authorization.begin(*form, browser_of(cookie));
  if (begun.client) event.client = event.target = begun.client->id;
  if (begun.refusal) {
    event.kind = audit::EventKind::kAuthorizationRefused;
    if (begun.redirect.empty())
      return show_problem(exchange, std::move(event), 400, begun.refusal->description);
    event.outcome = audit::Outcome::kMinorFailure;
    event.reason = begun.refusal->reason.view();
    HtmlPage page{303, problem_page(begun.refusal->description.view())};
    page.headers.push_back({"location", begun.redirect});
    return show(exchange, std::move(event), std::move(page));
  }
  auto const sealed = parts_.authorization.seal(*begun.request);
  if (!sealed.has_value()) return pipeline_.refuse(exchange, sealed.error());
  HtmlPage page{200, sign_in_page(*begun.client, *sealed, {}),
                authorization::policy_source_of(begun.request->redirect_uri)};
  page.headers.push_back(set_cookie(cookie));
  return show(exchange, std::move(event), std::move(page));
}

Released Pipeline::OAuth::authorize_sign_in(Exchange& exchange) {
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kAuthorizationRefused;  // as long as no one has tried to sign in
  auto const form = authorization::Form::parse(exchange.request.body);
  if (!sends_form(exchange.request) || !form.has_value())
    return show_problem(exchange, std::move(event), 400, "the form cannot be understood");
  auto opened = parts_.authorization.open(form->of("request"), browser_of(cookie_of(exchange.request)));
  if (!opened.has_value()) return show_problem(exchange, std::move(event), 400, opened.error().literal());
  event.client = opened->client->id;
  event.kind = audit::EventKind::kLogin;
  std::string const name(form->of("user"));
  auto const shown = form->of("factor");
  bool const is_code =
      shown.size() == 6 && std::ranges::all_of(shown, [](char c) { return c >= '0' && c <= '9'; });
  identity::SecondFactor const factor{is_code ? shown : std::string_view(),
                                      is_code ? std::string_view() : shown};
  event.authentication = is_code ? "password+totp" : "password+recovery-code";
  event.actor_name = parts_.directory.hashed_name(name);
  SecretBuffer const password(as_bytes(form->of("password")));
  auto attempt = parts_.directory.login(name, password, factor, exchange.address);
  if (!attempt.has_value())
    return show_problem(exchange, std::move(event), status_of(attempt.error()), attempt.error().literal());
  event.actor_id = attempt->actor_id;
  if (attempt->principal) {
    // From where the account may be used is asked before anything is told.
    if (auto const placed = parts_.gate.admits(*attempt->principal, exchange.address); !placed.has_value()) {
      identity::Directory::Attempt refused;
      refused.actor_id = attempt->actor_id;
      refused.reason = placed.error().literal();
      // What he showed is used up all the same, also when the server starts anew.
      if (auto used = parts_.directory.keep_used(*attempt->principal); used.has_value())
        refused.pending = std::move(*used);
      *attempt = std::move(refused);
    }
  }
  if (!attempt->principal)
    return refuse_page_sign_in(exchange, std::move(event), *attempt, *opened, form->of("request"));
  auto const person = *attempt->principal;
  identify(event, person);
  if (person.method() == identity::Method::kRecoveryCode) event.kind = audit::EventKind::kRecoveryCodeUsed;
  auto const receipt = pipeline_.commit(attempt->pending, event);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  if (auto const still = parts_.gate.is_complete(person, parts_.clock.now()); !still.has_value())
    return Released(*receipt,
                    HtmlPage{403, problem_page("Something is still to be done with your account: sign in "
                                               "at /auth/sign-in first.")});
  opened->request.session = attempt->access_token;
  return consent_page(exchange, *opened, person, *receipt, "");
}

Released Pipeline::OAuth::refuse_page_sign_in(Exchange& exchange, audit::Event event,
                                              identity::Directory::Attempt& attempt,
                                              Server::Opened const& opened, std::string_view sealed) {
  // Every failure looks the same; why it failed is for the audit log (S-08).
  Literal const problem = attempt.throttled ? Literal("Too many failures: try again later.")
                                            : Literal("User, password or second factor is wrong.");
  HtmlPage page{static_cast<std::uint16_t>(attempt.throttled ? 429 : 401),
                sign_in_page(*opened.client, sealed, problem.view()),
                authorization::policy_source_of(opened.request.redirect_uri)};
  event.kind = attempt.locked_now ? audit::EventKind::kLocked : audit::EventKind::kLoginFailed;
  event.outcome = attempt.locked_now ? audit::Outcome::kSeriousFailure : audit::Outcome::kMinorFailure;
  event.reason = attempt.reason.view();
  event.http_status = page.status;
  // Nothing was hashed: such a flood costs its sender nothing, so it is counted.
  if (attempt.throttled) return show(exchange, std::move(event), std::move(page));
  auto const receipt = pipeline_.commit(attempt.pending, event);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, std::move(page));
}

Released Pipeline::OAuth::consent_page(Exchange& exchange, Server::Opened const& opened,
                                       identity::Principal const& person, audit::Receipt const& receipt,
                                       Literal problem) {
  auto const sealed = parts_.authorization.seal(opened.request);
  if (!sealed.has_value()) return pipeline_.refuse(exchange, sealed.error());
  bool const asks = needs_patient(opened.request.scopes) && !person.patient();
  return Released(receipt, HtmlPage{static_cast<std::uint16_t>(problem.view().empty() ? 200 : 400),
                                    api::consent_page({*opened.client, opened.request, *sealed, person.name(),
                                                       asks, problem.view()}),
                                    authorization::policy_source_of(opened.request.redirect_uri)});
}

Released Pipeline::OAuth::authorize_consent(Exchange& exchange) {
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kAuthorizationRefused;  // as long as nobody has decided
  auto const form = authorization::Form::parse(exchange.request.body);
  if (!sends_form(exchange.request) || !form.has_value())
    return show_problem(exchange, std::move(event), 400, "the form cannot be understood");
  auto const opened = parts_.authorization.open(form->of("request"), browser_of(cookie_of(exchange.request)));
  if (!opened.has_value()) return show_problem(exchange, std::move(event), 400, opened.error().literal());
  auto const& request = opened->request;
  auto const person = parts_.directory.authenticate_token(request.session);
  if (!person.has_value() || !parts_.gate.admits(*person, exchange.address).has_value())
    return show_problem(exchange, std::move(event), 401,
                        "this sign-in has ended: start again from the application");
  exchange.principal = *person;
  identify(event, *person);
  event.client = event.target = opened->client->id;
  auto const try_again = [&](Literal problem) -> Released {
    audit::Event refused = event;
    refused.outcome = audit::Outcome::kMinorFailure;
    refused.reason = problem.view();
    refused.http_status = 400;
    std::vector<audit::Event> events{std::move(refused)};
    auto const receipt = parts_.log.commit({}, std::move(events));
    if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
    return consent_page(exchange, *opened, *person, *receipt, problem);
  };
  std::string location;
  if (form->of("decision") != "allow") {
    event.kind = audit::EventKind::kAuthorizationDenied;
    location = parts_.authorization.deny(request);
  } else {
    Server::Decision decision{ticked(*form, request.scopes), std::nullopt};
    if (needs_patient(decision.scopes)) {
      if (person->patient()) {
        decision.patient = person->patient()->view();
      } else if (form->has("patient")) {
        auto const id = ResourceId::parse(form->of("patient"));
        auto const permit = parts_.gate.authorize(*person, Action::kRead, "Patient");
        if (!id.has_value() || !permit.has_value() || !parts_.store.read(*permit, "Patient", *id).has_value())
          return try_again("There is no such patient whom you may see.");
        decision.patient = id->view();
      }
    }
    auto allowed = parts_.authorization.allow(request, *person, decision);
    if (!allowed.has_value()) return try_again(allowed.error().literal());
    location = std::move(*allowed);
    event.kind = audit::EventKind::kAuthorizationGranted;
    event.new_value = codec::write_scopes(decision.scopes);
    if (decision.patient) event.patients.push_back(*decision.patient);
  }
  event.http_status = 303;
  // The session was for this decision alone.
  auto pending = parts_.directory.logout(request.session);
  if (!pending.has_value())
    return show_problem(exchange, std::move(event), 401,
                        "this sign-in has ended: start again from the application");
  auto const receipt = pipeline_.commit(*pending, event);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, redirect_to(std::move(location)));
}

Released Pipeline::OAuth::applications(Exchange& exchange) {
  codec::Json list = codec::Json::array();
  for (auto const& grant : parts_.authorization.grants().of(exchange.principal->id())) {
    codec::Json item = codec::Json::object();
    auto const client = parts_.authorization.clients().find(grant->client);
    item.set("id", codec::Json::string(grant->id));
    item.set("client_id", codec::Json::string(grant->client));
    item.set("title", codec::Json::string(client ? client->title : grant->client));
    item.set("scope", codec::Json::string(codec::write_scopes(grant->scopes)));
    if (grant->patient) item.set("patient", codec::Json::string(*grant->patient));
    item.set("created", codec::Json::string(codec::format_instant(grant->created)));
    item.set("expires", codec::Json::string(codec::format_instant(grant->expires)));
    list.push(std::move(item));
  }
  codec::Json body = codec::Json::object();
  body.set("applications", std::move(list));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::OAuth::end_application(Exchange& exchange) {
  auto const grant = parts_.authorization.grants().find(exchange.route.version);
  if (!grant || grant->user != exchange.principal->id())
    return pipeline_.refuse(exchange,
                            Error(ErrorKind::kNotFound, "you have allowed no application such a thing"));
  exchange.origin.target = grant->client;
  exchange.origin.old_value = codec::write_scopes(grant->scopes);
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, parts_.authorization.grants().end(grant->id), std::move(response));
}

}  // namespace tacenda::api

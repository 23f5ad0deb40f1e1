// /oauth/authorize: a person signs in for an application, and decides what it gets.
#include <algorithm>

#include "api/internal/auth_json.hpp"
#include "api/internal/oauth.hpp"
#include "api/internal/oauth_browser.hpp"
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

/// The way back to the application.
net::Response redirect_to(std::string location) {
  net::Response response;
  response.status = 303;
  response.headers.push_back({"location", std::move(location)});
  return response;
}

bool is_encounter_context(Scope const& scope) {
  return scope.word == authorization::kEncounterContext;
}

bool needs_encounter(std::vector<Scope> const& scopes) {
  return std::ranges::any_of(scopes, is_encounter_context);
}

bool needs_patient(std::vector<Scope> const& scopes) {
  return codec::has_word(scopes, "launch/patient") || needs_encounter(scopes) ||
         std::ranges::any_of(scopes, [](Scope const& scope) { return scope.level == ScopeLevel::kPatient; });
}

/// What is left ticked.
std::vector<Scope> ticked(authorization::Form const& form, std::vector<Scope> const& asked) {
  std::vector<Scope> chosen;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // The context is no right: it comes with what it is for.
    if (is_context(asked[i]) || form.has("s" + std::to_string(i))) chosen.push_back(asked[i]);
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
  auto const cookie = browser_cookie_or_new(request, parts_.vault);
  if (!cookie.has_value()) return pipeline_.refuse(exchange, cookie.error());
  auto const begun = parts_.authorization.begin(*form, browser_of(*cookie));
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
  HtmlPage page{200, sign_in_page(*begun.client, *sealed, {}, provider_issuer()),
                authorization::policy_source_of(begun.request->redirect_uri)};
  page.headers.push_back(set_browser_cookie(*cookie));
  return show(exchange, std::move(event), std::move(page));
}

Released Pipeline::OAuth::consent_page(Exchange& exchange, Server::Opened const& opened,
                                       identity::Principal const& person, audit::Receipt const& receipt,
                                       Literal problem) {
  auto const sealed = parts_.authorization.seal(opened.request);
  if (!sealed.has_value()) return pipeline_.refuse(exchange, sealed.error());
  auto const& request = opened.request;
  bool const asks = needs_patient(request.scopes) && !person.patient() && !request.launch;
  bool const asks_for_encounter = needs_encounter(request.scopes) && !request.launch;
  return Released(receipt, HtmlPage{static_cast<std::uint16_t>(problem.view().empty() ? 200 : 400),
                                    api::consent_page({*opened.client, request, *sealed, person.name(), asks,
                                                       asks_for_encounter, problem.view()}),
                                    authorization::policy_source_of(request.redirect_uri)});
}

Released Pipeline::OAuth::authorize_consent(Exchange& exchange) {
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kAuthorizationRefused;  // as long as nobody has decided
  auto const form = authorization::Form::parse(exchange.request.body);
  if (!sends_form(exchange.request) || !form.has_value())
    return show_problem(exchange, std::move(event), 400, "the form cannot be understood");
  auto const opened =
      parts_.authorization.open(form->of("request"), browser_of(browser_cookie(exchange.request)));
  if (!opened.has_value())
    return show_problem(exchange, std::move(event), status_of(opened.error()), opened.error().literal());
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
    Server::Decision decision{ticked(*form, request.scopes), std::nullopt, {}};
    auto const& launch = request.launch;
    if (launch || needs_patient(decision.scopes)) {
      if (person->patient() && !launch) {
        decision.patient = person->patient()->view();
      } else if (launch || form->has("patient")) {
        auto const id = ResourceId::parse(launch ? std::string_view(launch->patient) : form->of("patient"));
        if (!id.has_value() || !pipeline_.compartments_of(*person, "Patient", *id).has_value())
          return try_again("There is no such patient whom you may see.");
        decision.patient = id->view();
      }
      if (launch && !launch->context.encounter.empty() &&
          !is_encounter_of(launch->context.encounter, launch->patient, *person))
        return try_again("There is no such encounter that you may see.");
    }
    if (!launch && needs_encounter(decision.scopes)) {
      decision.encounter = form->of("encounter");
      // Without one the application is told so by the scope that it does not get.
      if (decision.encounter.empty()) {
        std::erase_if(decision.scopes, is_encounter_context);
      } else if (!decision.patient || !is_encounter_of(decision.encounter, *decision.patient, *person)) {
        return try_again("There is no such encounter of this patient that you may see.");
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

}  // namespace tacenda::api

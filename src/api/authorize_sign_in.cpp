// /oauth/sign-in: a person signs in on the page of an application's request.
#include <algorithm>

#include "api/internal/auth_json.hpp"
#include "api/internal/commit.hpp"
#include "api/internal/oauth.hpp"
#include "api/internal/oauth_browser.hpp"
#include "api/internal/oauth_pages.hpp"
#include "api/outcome.hpp"

namespace tacenda::api {

using authorization::browser_of;
using authorization::Server;

constexpr std::string_view kPasskey = "passkey";
constexpr std::string_view kOpenId = "openid";

Released Pipeline::OAuth::authorize_sign_in(Exchange& exchange) {
  audit::Event event = exchange.origin;
  event.kind = audit::EventKind::kAuthorizationRefused;  // as long as no one has tried to sign in
  auto const form = authorization::Form::parse(exchange.request.body);
  if (!sends_form(exchange.request) || !form.has_value())
    return show_problem(exchange, std::move(event), 400, "the form cannot be understood");
  auto opened = parts_.authorization.open(form->of("request"), browser_of(browser_cookie(exchange.request)));
  if (!opened.has_value())
    return show_problem(exchange, std::move(event), status_of(opened.error()), opened.error().literal());
  event.client = opened->client->id;
  event.kind = audit::EventKind::kLogin;
  if (form->has("credential"))
    return sign_in_by_passkey(exchange, std::move(event), std::move(*opened), *form);
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
  return conclude_sign_in(exchange, std::move(event), *attempt, std::move(*opened), form->of("request"));
}

Result<void> Pipeline::OAuth::admit_person(Exchange const& exchange,
                                           authorization::AuthorizationRequest const& request,
                                           identity::Principal const& person) const {
  TACENDA_TRY_VOID(parts_.gate.admits(person, exchange.address));
  if (request.launch && request.launch->user != person.id().view())
    return fail(ErrorKind::kConflict, "this was started by somebody else: sign in as who started it");
  if (!authorization::takes_sign_in(request, person.second_factor_at()))
    return fail(ErrorKind::kConflict, authorization::kSignInTooOld);
  return {};
}

Released Pipeline::OAuth::conclude_sign_in(Exchange& exchange, audit::Event event,
                                           identity::Directory::Attempt& attempt, Server::Opened opened,
                                           std::string_view sealed) {
  event.actor_id = attempt.actor_id;
  std::optional<Literal> told;
  if (attempt.principal) {
    // Whether the account may be used from there, and for this, is asked before anything is told.
    if (auto const admitted = admit_person(exchange, opened.request, *attempt.principal);
        !admitted.has_value()) {
      identity::Directory::Attempt refused;
      refused.actor_id = attempt.actor_id;
      refused.reason = admitted.error().literal();
      if (admitted.error().kind() == ErrorKind::kConflict) told = refused.reason;
      // What he showed is used up all the same, also when the server starts anew.
      if (auto used = parts_.directory.keep_used(*attempt.principal); used.has_value())
        refused.pending = std::move(*used);
      attempt = std::move(refused);
    }
  }
  // Who has shown who he is elsewhere may know that he is nobody here.
  if (!attempt.principal && event.authentication == kOpenId && !told) told = attempt.reason;
  if (!attempt.principal)
    return refuse_page_sign_in(exchange, std::move(event), attempt, opened, sealed, told);
  auto const person = *attempt.principal;
  identify(event, person);
  auto const receipt = commit_sign_in(parts_, attempt, std::move(event));
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  if (auto const still = parts_.gate.is_complete(person, parts_.clock.now()); !still.has_value())
    return Released(*receipt,
                    HtmlPage{403, problem_page("Something is still to be done with your account: sign in "
                                               "at /auth/sign-in first.")});
  opened.request.session = attempt.access_token;
  return consent_page(exchange, opened, person, *receipt, "");
}

Released Pipeline::OAuth::refuse_page_sign_in(Exchange& exchange, audit::Event event,
                                              identity::Directory::Attempt& attempt,
                                              Server::Opened const& opened, std::string_view sealed,
                                              std::optional<Literal> told) {
  // Every failure looks the same; why it failed is for the audit log (S-08), but for who showed all factors.
  Literal const problem = told                               ? *told
                          : event.authentication == kPasskey ? Literal("The passkey was not accepted.")
                          : attempt.throttled                ? Literal("Too many failures: try again later.")
                                              : Literal("User, password or second factor is wrong.");
  HtmlPage page = sign_in_again(attempt.throttled ? 429 : 401, opened, sealed, problem.view());
  bool const is_alert = attempt.locked_now || attempt.counter_back;
  event.kind = attempt.locked_now     ? audit::EventKind::kLocked
               : attempt.counter_back ? audit::EventKind::kPasskeyCounterBack
                                      : audit::EventKind::kLoginFailed;
  event.outcome = is_alert ? audit::Outcome::kSeriousFailure : audit::Outcome::kMinorFailure;
  event.reason = attempt.reason.view();
  event.http_status = page.status;
  bool const is_cheap = event.authentication == kPasskey && !is_alert;
  if (attempt.throttled || is_cheap) {
    // Nothing was hashed: such a flood costs its sender nothing, so it is counted.
    auto noted = parts_.failures.note(std::move(event));
    if (!noted) return Released(std::move(page));
    event = std::move(*noted);
  }
  auto const receipt = pipeline_.commit(attempt.pending, event);
  if (!receipt.has_value()) return pipeline_.refuse_unless_committed(exchange, receipt.error());
  return Released(*receipt, std::move(page));
}

}  // namespace tacenda::api

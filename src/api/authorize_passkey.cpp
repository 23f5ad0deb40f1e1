// /oauth/passkey: a person signs in for an application with a passkey, which needs a script and so has a page
// of its own beside the form for a password.
#include "api/internal/auth_json.hpp"
#include "api/internal/oauth.hpp"
#include "api/internal/oauth_browser.hpp"
#include "api/internal/oauth_pages.hpp"
#include "api/internal/passkey_json.hpp"
#include "api/outcome.hpp"

namespace tacenda::api {

using authorization::Server;

Released Pipeline::OAuth::authorize_passkey(Exchange& exchange) {
  audit::Event event = exchange.origin;
  auto const form = authorization::Form::parse(exchange.request.body);
  auto const opened =
      sends_form(exchange.request) && form.has_value()
          ? parts_.authorization.open(form->of("request"),
                                      authorization::browser_of(browser_cookie(exchange.request)))
          : Result<Server::Opened>(fail(ErrorKind::kInvalid, "the form cannot be understood"));
  if (!opened.has_value()) {
    event.kind = audit::EventKind::kAuthorizationRefused;
    return show_problem(exchange, std::move(event), status_of(opened.error()), opened.error().literal());
  }
  event.client = event.target = opened->client->id;
  auto const offer = identity::Passkeys(parts_.directory).offer_sign_in();
  if (!offer.has_value())
    return show_problem(exchange, std::move(event), status_of(offer.error()), offer.error().literal());
  HtmlPage page{200,
                passkey_page(*opened->client, form->of("request"), offer->challenge, offer->relying_party),
                authorization::policy_source_of(opened->request.redirect_uri)};
  page.runs_script = true;
  return show(exchange, std::move(event), std::move(page));
}

Released Pipeline::OAuth::sign_in_by_passkey(Exchange& exchange, audit::Event event, Server::Opened opened,
                                             authorization::Form const& form) {
  event.authentication = "passkey";
  auto const refuse = [&](Error const& error) {
    event.kind = audit::EventKind::kLoginFailed;
    return show_problem(exchange, std::move(event), status_of(error), error.literal());
  };
  auto const json =
      codec::parse_json(form.of("credential"), {.depth = 4, .size_bytes = limits::kUnauthenticatedBodyBytes});
  if (!json.has_value()) return refuse(json.error());
  auto const answer = PasskeyAnswer::of(*json);
  if (!answer.has_value()) return refuse(answer.error());
  auto attempt = identity::Passkeys(parts_.directory).sign_in(answer->view(), exchange.address);
  if (!attempt.has_value()) return refuse(attempt.error());
  return conclude_sign_in(exchange, std::move(event), *attempt, std::move(opened), form.of("request"));
}

}  // namespace tacenda::api

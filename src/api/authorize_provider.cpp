// /oauth/provider, /auth/openid/callback: a person signs in for an application at the hospital's OpenID
// provider.
#include "api/internal/oauth.hpp"
#include "api/internal/oauth_browser.hpp"
#include "api/internal/oauth_pages.hpp"
#include "api/outcome.hpp"
#include "codec/text.hpp"
#include "identity/provisioning.hpp"
#include "identity/sign_in_provider.hpp"

namespace tacenda::api {

using authorization::browser_of;
using authorization::Form;
using authorization::Server;

namespace {

/// The secret that a sign-in at the provider is bound to: of the browser, and of the request that waits for
/// it. What one tab began cannot be finished for the application of another.
std::string bound_to(std::string_view browser, std::string_view sealed) {
  return std::string(browser) + "." + codec::base64url_encode(browser_of(sealed));
}

}  // namespace

std::string_view Pipeline::OAuth::provider_issuer() const {
  return parts_.provider == nullptr ? std::string_view() : std::string_view(parts_.provider->issuer());
}

HtmlPage Pipeline::OAuth::sign_in_again(std::uint16_t status, Server::Opened const& opened,
                                        std::string_view sealed, std::string_view problem) const {
  return {status, sign_in_page(*opened.client, sealed, problem, provider_issuer()),
          authorization::policy_source_of(opened.request.redirect_uri)};
}

Released Pipeline::OAuth::authorize_provider(Exchange& exchange) {
  audit::Event event = exchange.origin;
  auto const refuse = [&](Error const& error) {
    event.kind = audit::EventKind::kAuthorizationRefused;
    return show_problem(exchange, std::move(event), status_of(error), error.literal());
  };
  if (parts_.provider == nullptr)
    return refuse(Error(ErrorKind::kNotFound, "this server knows no OpenID provider"));
  auto const form = Form::parse(exchange.request.body);
  if (!sends_form(exchange.request) || !form.has_value())
    return refuse(Error(ErrorKind::kInvalid, "the form cannot be understood"));
  auto const browser = browser_cookie(exchange.request);
  auto const sealed = form->of("request");
  auto const opened = parts_.authorization.open(sealed, browser_of(browser));
  if (!opened.has_value()) return refuse(opened.error());
  event.client = event.target = opened->client->id;
  auto const cookie = set_waiting_request(sealed);
  if (!cookie.has_value()) return refuse(cookie.error());
  auto const begun =
      parts_.provider->begin(exchange.address, bound_to(browser, sealed), opened->request.max_age);
  if (!begun.has_value()) {
    event.outcome = audit::Outcome::kMinorFailure;
    event.reason = begun.error().literal().view();
    return show(exchange, std::move(event),
                sign_in_again(status_of(begun.error()), *opened, sealed, begun.error().literal().view()));
  }
  HtmlPage page{200, provider_page(provider_issuer(), begun->url)};
  // Not a redirect: the policy of the page with the form names where forms lead, and that is not there.
  page.headers = {*cookie, {"refresh", "0; url=" + begun->url}};
  return show(exchange, std::move(event), std::move(page));
}

Released Pipeline::OAuth::provider_callback(Exchange& exchange) {
  auto const form = Form::parse(exchange.request.query);
  auto const browser = browser_cookie(exchange.request);
  auto const sealed = waiting_request(exchange.request);
  bool const is_for_application = parts_.provider != nullptr && form.has_value() && !browser.empty() &&
                                  !sealed.empty() &&
                                  parts_.provider->is_begun(form->of("state"), bound_to(browser, sealed));
  if (!is_for_application) return Released(PublicPage::kSignIn);
  audit::Event event = exchange.origin;
  auto opened = parts_.authorization.open(sealed, browser_of(browser));
  if (!opened.has_value()) {
    event.kind = audit::EventKind::kAuthorizationRefused;
    return show_problem(exchange, std::move(event), 400, opened.error().literal());
  }
  return sign_in_at_provider(exchange, *form, std::move(*opened), sealed);
}

Released Pipeline::OAuth::sign_in_at_provider(Exchange& exchange, Form const& form, Server::Opened opened,
                                              std::string_view sealed) {
  audit::Event event = exchange.origin;
  event.client = opened.client->id;
  event.authentication = "openid";
  auto const refuse = [&](Error const& error) {
    event.kind = audit::EventKind::kLoginFailed;
    event.outcome = audit::Outcome::kMinorFailure;
    event.reason = error.literal().view();
    return show(exchange, std::move(event),
                sign_in_again(status_of(error), opened, sealed, error.literal().view()));
  };
  if (form.has("error")) return refuse(Error(ErrorKind::kUnauthenticated, "You were not signed in there."));
  auto const asserted = parts_.provider->finish(
      {bound_to(browser_cookie(exchange.request), sealed), form.of("state"), form.of("code"), form.of("iss")},
      exchange.address);
  if (!asserted.has_value()) return refuse(asserted.error());
  event.actor_name = parts_.directory.hashed_name(asserted->subject);
  event.new_value = "OpenID subject " + asserted->subject;  // who the account is from now on, or would be
  auto attempt = identity::Provisioning(parts_.directory).sign_in(*asserted, exchange.address);
  if (!attempt.has_value()) return refuse(attempt.error());
  return conclude_sign_in(exchange, std::move(event), *attempt, std::move(opened), sealed);
}

}  // namespace tacenda::api

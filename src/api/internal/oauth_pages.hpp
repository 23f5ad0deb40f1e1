#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "authorization/authorization_request.hpp"
#include "authorization/client.hpp"

/// The pages on which a person signs in for an application and decides what it gets. Plain HTML: no script,
/// but for passkeys.
namespace tacenda::api {

/// Text for HTML, also inside a quoted attribute.
std::string escaped(std::string_view text);

/// `problem`: what went wrong with the last try; empty: nothing. `sealed`: the request, for its form.
/// `issuer`: of the OpenID provider where people may sign in instead; empty: there is none.
std::string sign_in_page(authorization::Client const& client, std::string_view sealed,
                         std::string_view problem, std::string_view issuer);

/// The page that leads to the OpenID provider, at `url`.
std::string provider_page(std::string_view issuer, std::string_view url);

/// The page that asks the browser for a passkey: by a script of this server, which no other page of these
/// needs. `challenge`: base64url.
std::string passkey_page(authorization::Client const& client, std::string_view sealed,
                         std::string_view challenge, std::string_view relying_party);

struct ConsentPage {
  authorization::Client const& client;
  authorization::AuthorizationRequest const& request;
  std::string_view sealed;
  std::string_view person;
  bool asks_for_patient = false;    // he chooses whom it is about
  bool asks_for_encounter = false;  // and which visit
  std::string_view problem;
};
std::string consent_page(ConsentPage const& page);

/// Is this one no right, but what comes with those that are: for whom the application works?
bool is_context(codec::Scope const& scope);
/// What a person reads of a scope: "Observation: read, search (category = laboratory)".
std::string words_of(codec::Scope const& scope);

std::string problem_page(std::string_view problem);

}  // namespace tacenda::api

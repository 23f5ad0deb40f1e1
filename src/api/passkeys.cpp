// /auth/passkeys: WebAuthn registration and sign-in, in the JSON forms of its level 3.
#include "identity/passkeys.hpp"

#include "api/internal/account.hpp"
#include "api/internal/auth_json.hpp"
#include "api/internal/passkey_json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json object(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  Json json = Json::object();
  for (auto const& [name, value] : members) json.set(name, Json::string(value));
  return json;
}

Json algorithm(std::int64_t cose) {
  Json json = object({{"type", "public-key"}});
  json.set("alg", Json::number(cose));
  return json;
}

/// PublicKeyCredentialCreationOptionsJSON (WebAuthn level 3, section 5.1.8).
Json creation_options(identity::PasskeyOffer const& offer) {
  Json algorithms = Json::array();
  for (std::int64_t const cose : {-7, -8, -257}) algorithms.push(algorithm(cose));
  Json known = Json::array();
  for (auto const& id : offer.known) known.push(object({{"type", "public-key"}, {"id", id}}));
  Json selection = object({{"residentKey", "required"}, {"userVerification", "required"}});
  selection.set("requireResidentKey", Json::boolean(true));
  Json options = Json::object();
  options.set("rp", object({{"id", offer.relying_party}, {"name", "Tacenda"}}));
  options.set("user",
              object({{"id", offer.user_id}, {"name", offer.user_name}, {"displayName", offer.user_name}}));
  options.set("challenge", Json::string(offer.challenge));
  options.set("pubKeyCredParams", std::move(algorithms));
  options.set("timeout", Json::number(kPasskeyTimeoutMs));
  options.set("excludeCredentials", std::move(known));
  options.set("authenticatorSelection", std::move(selection));
  options.set("attestation", Json::string("none"));
  return options;
}

/// The credential of a body. Errors: kInvalid.
Result<Json> credential_of(Json const& body) {
  auto const* credential = body.find("credential");
  if (credential == nullptr || !credential->is_object() || credential->text_of("type") != "public-key")
    return fail(ErrorKind::kInvalid, "the body has no public key credential");
  return *credential;
}

struct Registered {
  std::string name;
  Bytes client_data_json;
  Bytes attestation_object;
};
Result<Registered> registered(net::Request const& request) {
  auto const body = TACENDA_TRY(object_of(request));
  auto const credential = TACENDA_TRY(credential_of(body));
  return Registered{std::string(body.text_of("name")),
                    TACENDA_TRY(part_of_credential(credential, "clientDataJSON")),
                    TACENDA_TRY(part_of_credential(credential, "attestationObject"))};
}

Result<PasskeyAnswer> answered(net::Request const& request) {
  auto const body = TACENDA_TRY(object_of(request));
  return PasskeyAnswer::of(TACENDA_TRY(credential_of(body)));
}

}  // namespace

Released Pipeline::Account::passkeys(Exchange& exchange) {
  switch (exchange.route.route->interaction) {
    case Interaction::kOfferPasskey:
      return offer_passkey(exchange);
    case Interaction::kAddPasskey:
      return add_passkey(exchange);
    case Interaction::kOfferPasskeySignIn:
      return offer_passkey_sign_in(exchange);
    case Interaction::kPasskeySignIn:
      return passkey_sign_in(exchange);
    case Interaction::kRemovePasskey:
      return remove_passkey(exchange);
    default:
      return list_passkeys(exchange);
  }
}

Released Pipeline::Account::offer_passkey(Exchange& exchange) {
  auto const offer = identity::Passkeys(parts_.directory).offer_registration(*exchange.principal);
  if (!offer.has_value()) return pipeline_.refuse(exchange, offer.error());
  return pipeline_.answer(exchange, exchange.origin, json_response(creation_options(*offer)));
}

Released Pipeline::Account::add_passkey(Exchange& exchange) {
  auto const asked = registered(exchange.request);
  if (!asked.has_value()) return pipeline_.refuse(exchange, asked.error());
  bool const first_only = !parts_.gate.may_change_factors(*exchange.principal).has_value();
  auto added = identity::Passkeys(parts_.directory)
                   .add(*exchange.principal,
                        {asked->name, asked->client_data_json, asked->attestation_object, first_only});
  if (added.has_value()) exchange.origin.target = asked->name;
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, std::move(added), std::move(response));
}

Released Pipeline::Account::offer_passkey_sign_in(Exchange& exchange) {
  auto const offer = identity::Passkeys(parts_.directory).offer_sign_in();
  if (!offer.has_value()) return pipeline_.refuse(exchange, offer.error());
  PublicChallenge const challenge{offer->challenge, offer->relying_party};
  // Anybody may ask: a flood is counted, as failures are, and must not fill the log.
  exchange.origin.http_status = 200;
  auto noted = parts_.failures.note(exchange.origin);
  if (!noted) return Released(challenge);
  return pipeline_.answer(exchange, std::move(*noted), response_of(challenge));
}

Released Pipeline::Account::passkey_sign_in(Exchange& exchange) {
  auto const asked = answered(exchange.request);
  if (!asked.has_value()) return pipeline_.refuse(exchange, asked.error());
  auto attempt = identity::Passkeys(parts_.directory).sign_in(asked->view(), exchange.address);
  if (!attempt.has_value()) return pipeline_.refuse(exchange, attempt.error());
  audit::Event event = exchange.origin;
  event.authentication = "passkey";
  return pipeline_.conclude(exchange, std::move(event), *attempt);
}

Released Pipeline::Account::list_passkeys(Exchange& exchange) {
  auto const found = identity::Passkeys(parts_.directory).list(*exchange.principal);
  if (!found.has_value()) return pipeline_.refuse(exchange, found.error());
  Json list = Json::array();
  for (auto const& passkey : *found) {
    Json json = object({{"id", passkey.id}, {"name", passkey.name}});
    json.set("created", Json::string(codec::format_instant(passkey.created)));
    if (passkey.last_used) json.set("last_used", Json::string(codec::format_instant(*passkey.last_used)));
    list.push(std::move(json));
  }
  Json body = Json::object();
  body.set("passkeys", std::move(list));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::Account::remove_passkey(Exchange& exchange) {
  if (auto const taken = parts_.gate.may_change_factors(*exchange.principal); !taken.has_value())
    return pipeline_.refuse(exchange, taken.error());
  auto removed = identity::Passkeys(parts_.directory).remove(*exchange.principal, exchange.route.version);
  if (removed.has_value()) exchange.origin.target = exchange.route.version;
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, std::move(removed), std::move(response));
}

}  // namespace tacenda::api

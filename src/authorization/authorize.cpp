// The authorization endpoint (OAuth 2.1 section 4.1.1): what may be asked of a person, and the code for what
// he allows.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "access/scopes.hpp"
#include "authorization/scopes.hpp"
#include "authorization/server.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/secret.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

using codec::Scope;
using codec::ScopeLevel;

constexpr std::string_view kSealed = "tacenda/authorization-request/1";
constexpr std::size_t kChallengeBytes = 43;  // base64url of SHA-256

bool is_challenge(std::string_view text) {
  auto const digest = codec::base64url_decode(text);
  return text.size() == kChallengeBytes && digest.has_value() && digest->size() == Digest().size();
}

/// What of the scope was registered and can be held to. Errors: kInvalid.
Result<std::vector<Scope>> asked_of(std::string_view text, Client const& client) {
  auto scopes = TACENDA_TRY(codec::parse_scopes(text));
  std::erase_if(scopes, [](Scope const& scope) {
    return scope.level != ScopeLevel::kNone &&
           !access::check_scope(scope, access::Bearer::kPerson).has_value();
  });
  auto common = common_scopes(scopes, client.scopes);
  std::erase_if(common, [](Scope const& scope) {
    return scope.level != ScopeLevel::kNone &&
           !access::check_scope(scope, access::Bearer::kPerson).has_value();
  });
  if (!reach_records(common) && !codec::has_word(common, "openid"))
    return fail(ErrorKind::kInvalid, "nothing of the scope is registered for the application");
  if (common.size() > limits::kAskedScopes || codec::write_scopes(common).size() > codec::kScopeBytesMax)
    return fail(ErrorKind::kInvalid, "the scope is too long");
  return common;
}

/// OpenID Connect Core 1.0 section 3.1.2.1. nullopt: it is no number of seconds.
std::optional<std::chrono::seconds> parse_max_age(std::string_view text) {
  std::uint32_t seconds = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

/// Why a request with a known client and redirect URI is refused; nullopt: it is not.
std::optional<Refusal> problem_of(Form const& form, std::string_view fhir_base) {
  if (form.of("response_type") != "code")
    return Refusal(
        form.has("response_type") ? OAuthError::kUnsupportedResponseType : OAuthError::kInvalidRequest,
        "response_type is code");
  if (form.of("code_challenge_method") != "S256" || !is_challenge(form.of("code_challenge")))
    return Refusal(OAuthError::kInvalidRequest,
                   "PKCE is needed: code_challenge, with code_challenge_method S256");
  // Else an application could be led to give a token of this server to another one (SMART App Launch 2.2).
  if (form.of("aud") != fhir_base)
    return Refusal(OAuthError::kInvalidRequest, "aud is not the FHIR base of this server");
  if (form.of("state").size() > limits::kStateBytes || form.of("nonce").size() > limits::kStateBytes)
    return Refusal(OAuthError::kInvalidRequest, "state or nonce is too long");
  if (form.has("max_age") && !parse_max_age(form.of("max_age")))
    return Refusal(OAuthError::kInvalidRequest, "max_age is a number of seconds");
  if (form.has("request") || form.has("request_uri"))
    return Refusal(OAuthError::kInvalidRequest, "request objects are not taken");
  return std::nullopt;
}

Grant::Refresh refresh_of(std::vector<Scope> const& scopes) {
  if (codec::has_word(scopes, "offline_access")) return Grant::Refresh::kOffline;
  return codec::has_word(scopes, "online_access") ? Grant::Refresh::kOnline : Grant::Refresh::kNone;
}

/// Does `scopes` hold nothing but what `asked` has?
bool are_among(std::vector<Scope> const& scopes, std::vector<Scope> const& asked) {
  return std::ranges::all_of(
      scopes, [&](Scope const& scope) { return std::ranges::find(asked, scope) != asked.end(); });
}

}  // namespace

Server::Begun Server::begin(Form const& form, Digest const& browser) {
  Begun begun;
  begun.client = clients_.find(form.of("client_id"));
  if (begun.client && (!begun.client->enabled || begun.client->kind == Client::Kind::kService))
    begun.client = nullptr;
  if (!begun.client) {
    begun.refusal = Refusal(OAuthError::kInvalidClient, "this application is not registered here");
    return begun;
  }
  // Exactly one of those that were registered: nobody is sent anywhere else (F-03).
  auto const redirect = form.of("redirect_uri");
  if (std::ranges::find(begun.client->redirect_uris, redirect) == begun.client->redirect_uris.end()) {
    begun.refusal = Refusal(OAuthError::kInvalidRequest,
                            "the application asks to be answered at an address that is not its own");
    return begun;
  }
  begun.refusal = problem_of(form, fhir_base());
  auto scopes = asked_of(form.of("scope"), *begun.client);
  if (!begun.refusal && !scopes.has_value())
    begun.refusal = Refusal(OAuthError::kInvalidScope, scopes.error().literal());
  std::optional<ShownLaunch> launch;
  if (!begun.refusal && form.has("launch")) {
    // Looked at last: what is wrong in another part uses no handle up.
    if (codec::has_word(*scopes, "launch"))
      launch = launches_.show(form.of("launch"), begun.client->id, browser);
    if (!launch)
      begun.refusal = Refusal(OAuthError::kInvalidRequest,
                              "this launch is unknown, used or too old, or the scope launch is not there");
  }
  if (begun.refusal) {
    begun.redirect =
        redirect_with(redirect, {{"error", std::string(code_of(begun.refusal->error))},
                                 {"error_description", std::string(begun.refusal->description.view())},
                                 {"state", std::string(form.of("state").substr(0, limits::kStateBytes))},
                                 {"iss", origin()}});
    return begun;
  }
  auto& request = begun.request.emplace();
  request.client = begun.client->id;
  request.redirect_uri = redirect;
  request.state = form.of("state");
  request.challenge = form.of("code_challenge");
  request.nonce = form.of("nonce");
  request.scopes = std::move(*scopes);
  // Applications ask for it wherever they are started; without a launch it stands for nothing.
  if (!launch) std::erase_if(request.scopes, [](Scope const& scope) { return scope.word == "launch"; });
  request.launch = std::move(launch);
  request.expires = clock_.now() + limits::kAuthorizationTime;
  request.max_age = parse_max_age(form.of("max_age"));
  request.browser = browser;
  return begun;
}

Result<std::string> Server::unguessable() const {
  Bytes random;
  append(random, TACENDA_TRY(vault_.random_bytes16()));
  append(random, TACENDA_TRY(vault_.random_bytes16()));
  return codec::base64url_encode(random);
}

Result<std::string> Server::seal(AuthorizationRequest const& request) const {
  return codec::base64url_encode(
      TACENDA_TRY(vault_.seal(vault::Purpose::kToken, as_bytes(kSealed), encode_request(request))));
}

Result<Server::Opened> Server::open(std::string_view sealed, Digest const& browser) const {
  constexpr Literal kStartAgain(
      "this page is too old or of another browser: start again from the application");
  auto const bytes = codec::base64url_decode(sealed);
  if (!bytes.has_value()) return fail(ErrorKind::kForbidden, kStartAgain);
  auto const plaintext = vault_.open(vault::Purpose::kToken, as_bytes(kSealed), *bytes);
  if (!plaintext.has_value()) return fail(ErrorKind::kForbidden, kStartAgain);
  auto request = decode_request(*plaintext);
  if (!request.has_value() || clock_.now() >= request->expires ||
      !crypto::equal_constant_time(request->browser, browser))
    return fail(ErrorKind::kForbidden, kStartAgain);
  auto client = clients_.find(request->client);
  if (!client || !client->enabled)
    return fail(ErrorKind::kInvalid, "the application is not registered any more");
  return Opened{std::move(*request), std::move(client)};
}

Result<std::string> Server::allow(AuthorizationRequest const& request, identity::Principal const& person,
                                  Decision const& decision) {
  bool const about_patient = std::ranges::any_of(
      decision.scopes, [](Scope const& scope) { return scope.level == ScopeLevel::kPatient; });
  if (!takes_sign_in(request, person.second_factor_at())) return fail(ErrorKind::kInvalid, kSignInTooOld);
  if (!are_among(decision.scopes, request.scopes))
    return fail(ErrorKind::kInvalid, "more was allowed than was asked for");
  if (!reach_records(decision.scopes) && !codec::has_word(decision.scopes, "openid"))
    return fail(ErrorKind::kInvalid, "nothing was allowed: choose something, or deny");
  bool const wants_encounter = codec::has_word(decision.scopes, kEncounterContext);
  if (wants_encounter && decision.encounter.empty() && !request.launch)
    return fail(ErrorKind::kInvalid, "choose the encounter that it is about");
  if (!decision.encounter.empty() && (!wants_encounter || request.launch || !decision.patient))
    return fail(ErrorKind::kInvalid, "an encounter was chosen that was not asked for");
  if (about_patient && !decision.patient) return fail(ErrorKind::kInvalid, "choose whom it is about");
  if (auto const& launch = request.launch) {
    if (launch->user != person.id().view() || launch->patient != decision.patient)
      return fail(ErrorKind::kInvalid, "this was started by somebody else, or for another patient");
    if (!launches_.take(launch->name))
      return fail(ErrorKind::kInvalid, "this launch was used before: start the application again");
  }
  CodeUse use{Grant(person.id()), request.redirect_uri, request.challenge, request.nonce,
              person.second_factor_at()};
  use.grant.id = TACENDA_TRY(grants_.new_id());
  use.grant.client = request.client;
  use.grant.account_epoch = person.account_epoch();
  use.grant.method = person.method();
  use.grant.scopes = decision.scopes;
  use.grant.patient = decision.patient;
  if (request.launch) use.grant.launch = request.launch->context;
  if (!decision.encounter.empty()) use.grant.launch = LaunchContext{decision.encounter, "", true};
  use.grant.refresh = refresh_of(decision.scopes);
  use.grant.created = clock_.now();
  use.grant.expires = person.expires();
  auto const code = TACENDA_TRY(unguessable());
  TACENDA_TRY_VOID(codes_.add(code, std::move(use)));
  return redirect_with(request.redirect_uri, {{"code", code}, {"state", request.state}, {"iss", origin()}});
}

Result<std::string> Server::start(Launch launch) {
  auto const client = clients_.find(launch.client);
  if (!client || !client->enabled || !codec::has_word(client->scopes, "launch"))
    return fail(ErrorKind::kInvalid,
                "there is no such application, or the scope launch is not registered for it");
  if (!launch.context.intent.empty() && !is_intent(launch.context.intent))
    return fail(ErrorKind::kInvalid, "an intent is a word of at most 64 letters, digits and ._:/-");
  auto handle = TACENDA_TRY(unguessable());
  TACENDA_TRY_VOID(launches_.add(handle, std::move(launch)));
  return handle;
}

std::string Server::deny(AuthorizationRequest const& request) {
  if (request.launch) (void)launches_.take(request.launch->name);  // good for one decision; else it was used
  return redirect_with(request.redirect_uri, {{"error", std::string(code_of(OAuthError::kAccessDenied))},
                                              {"state", request.state},
                                              {"iss", origin()}});
}

}  // namespace tacenda::authorization

// Tokens of applications that act for people: out of codes and refresh tokens (RFC 6749 sections 4.1.3 and
// 6).
#include <algorithm>

#include "authorization/internal/pendings.hpp"
#include "authorization/scopes.hpp"
#include "authorization/server.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

using codec::Json;

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
bool is_verifier(std::string_view text) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~").contains(c);
  };
  return text.size() >= 43 && text.size() <= 128 && std::ranges::all_of(text, is_allowed);
}

bool answers(std::string_view verifier, std::string_view challenge) {
  auto const made = codec::base64url_encode(crypto::sha256(as_bytes(verifier)));
  return is_verifier(verifier) && crypto::equal_constant_time(as_bytes(made), as_bytes(challenge));
}

/// How long a grant that is used now is good. `session`: how long a session of its person lasts.
Time expiry_of(Grant const& grant, Time now, identity::SessionTimes const& session) {
  switch (grant.refresh) {
    case Grant::Refresh::kOffline:
      return std::min<Time>(now + limits::kOfflineIdle, grant.created + limits::kOfflineAbsolute);
    case Grant::Refresh::kOnline:
      // It rests on the sign-in it came of, and ends with it (K-05).
      return std::min<Time>(grant.expires, grant.created + session.absolute);
    case Grant::Refresh::kNone:
      break;
  }
  return now + limits::kPersonAccess;
}

constexpr Literal kNoSuchCode("the code is unknown, used or too old");
constexpr Literal kNoSuchRefresh("the refresh token is unknown or has ended");

}  // namespace

std::shared_ptr<Client const> Server::client_of(Form const& form, Caller const& caller, TokenReply& reply) {
  if (form.has("client_assertion") || form.has("client_assertion_type")) return by_assertion(form, reply);
  if (auto known = by_certificate(form, caller, reply)) return known;
  auto client = clients_.find(form.of("client_id"));
  // Who has a key shows it.
  if (client && client->enabled && client->kind == Client::Kind::kPublic) {
    reply.trace.client = client->id;
    reply.trace.authentication = "none";
    return client;
  }
  reply.refusal = Refusal(OAuthError::kInvalidClient, "the client could not be authenticated",
                          client ? Literal("an application with a key or certificate did not show it, or is "
                                           "disabled")
                                 : Literal("unknown application"));
  return nullptr;
}

void Server::end_reused(std::string_view grant, Literal reason, TokenReply& reply) {
  reply.reused = true;
  reply.refusal = Refusal(OAuthError::kInvalidGrant, reason);
  reply.pending = joined(std::move(reply.pending), grants_.end(grant));
}

bool Server::issue(Client const& client, Grant const& grant, std::vector<codec::Scope> scopes,
                   Caller const& caller, TokenReply& reply) {
  // Not longer than what it came of.
  auto const lifetime =
      std::min<std::chrono::milliseconds>(limits::kPersonAccess, grant.expires - clock_.now());
  if (lifetime <= std::chrono::milliseconds(0)) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchRefresh, "the sign-in it rests on has ended");
    return false;
  }
  auto application = std::make_shared<identity::Application>();
  application->client = grant.client;
  application->grant = grant.id;
  application->scopes = std::move(scopes);
  application->patient = grant.patient;
  if (!bind(client, caller, application->certificate, reply)) return false;
  reply.trace.scopes = codec::write_scopes(application->scopes);
  reply.trace.patient = grant.patient.value_or(std::string());
  auto issued = directory_.issue_application_token({grant.user, grant.account_epoch, grant.method},
                                                   std::move(application), lifetime, caller.address);
  if (!issued.has_value()) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchRefresh, issued.error().literal());
    return false;
  }
  reply.trace.user_id = issued->principal.id().view();
  reply.trace.user_name = issued->principal.name();
  reply.trace.role = issued->principal.role();
  reply.trace.token_id = issued->principal.token_id();
  reply.body.set("access_token", Json::string(issued->access_token));
  reply.body.set("token_type", Json::string("Bearer"));
  reply.body.set("expires_in",
                 Json::number(std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()));
  reply.body.set("scope", Json::string(reply.trace.scopes));
  tell_context(grant, reply.body);
  reply.pending = joined(std::move(reply.pending), std::move(issued->pending));
  return true;
}

Result<std::string> Server::id_token(CodeUse const& use) const {
  Grant const& grant = use.grant;
  OpenId::Identity identity{origin(),    grant.client, std::string(grant.user.view()),
                            use.nonce,   std::nullopt, use.signed_in,
                            clock_.now()};
  if (codec::has_word(grant.scopes, "fhirUser")) {
    auto const person = TACENDA_TRY(directory_.principal_for_work(grant.user));
    auto const role = gate_.role(person.role());
    // Who acts for a patient is not he.
    if (person.patient() && role && !role->acts_for_another) {
      identity.fhir_user = fhir_base() + "/Patient/" + std::string(person.patient()->view());
    } else if (auto const practitioner = assignments_.practitioner_of(grant.user.view())) {
      identity.fhir_user = fhir_base() + "/Practitioner/" + *practitioner;
    }
  }
  return openid_.id_token(identity);
}

void Server::refuse_used(Codes::Taken const& taken, Caller const& caller, TokenReply& reply) {
  auto const owner = clients_.find(taken.client);
  reply.trace.owner = taken.client;
  reply.trace.user_id = taken.user->view();
  if (!owner) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchCode);
    return;
  }
  // Who shows it where its own application, or its person, may not ask from ends nothing by it.
  if (admits(*owner, taken.user, caller, reply))
    end_reused(*taken.used_grant, "the code was used before", reply);
}

void Server::authorization_code(Form const& form, Caller const& caller, TokenReply& reply) {
  auto const client = client_of(form, caller, reply);
  // Before the code is looked at: who caught it elsewhere uses nothing up.
  if (!client || !admits(*client, std::nullopt, caller, reply)) return;
  auto taken = codes_.take(form.of("code"));
  if (taken.used_grant) return refuse_used(taken, caller, reply);
  if (!taken.use) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchCode);
    return;
  }
  auto& use = *taken.use;
  reply.trace.owner = use.grant.client;
  reply.trace.user_id = use.grant.user.view();
  // What does not fit was not asked by who began it: the code is used up.
  if (use.grant.client != client->id || use.redirect_uri != form.of("redirect_uri")) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchCode,
                            "a code was shown by another application, or for another redirect URI");
    return;
  }
  if (!answers(form.of("code_verifier"), use.challenge)) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, "code_verifier is not that of the code_challenge");
    return;
  }
  if (!admits(*client, use.grant.user, caller, reply)) return;
  // The assertion is used up whatever comes of the rest.
  auto shown = std::exchange(reply.pending, identity::Pending());
  bool const is_done = redeem(*client, use, caller, reply);
  if (is_done) {
    reply.pending = joined(std::move(reply.pending), std::move(shown));
    return;
  }
  reply.pending = std::move(shown);
  reply.body = Json::object();
  reply.trace.token_id.clear();
}

bool Server::redeem(Client const& client, CodeUse& use, Caller const& caller, TokenReply& reply) {
  auto& grant = use.grant;
  grant.generation = grant.refresh == Grant::Refresh::kNone ? 0 : 1;
  grant.expires = expiry_of(grant, clock_.now(), directory_.session_times(grant.user));
  // Who has no key could else refresh it from anywhere.
  if (client.kind == Client::Kind::kPublic && client.binds_tokens) grant.certificate = caller.certificate;
  if (!issue(client, grant, grant.scopes, caller, reply)) return false;
  if (grant.generation != 0) reply.body.set("refresh_token", Json::string(grants_.refresh_token(grant)));
  if (codec::has_word(grant.scopes, "openid")) {
    auto const token = id_token(use);
    if (!token.has_value()) {
      reply.refusal = Refusal(OAuthError::kServerError, token.error().literal());
      return false;
    }
    reply.body.set("id_token", Json::string(*token));
  }
  auto begun = grants_.begin(std::move(grant));
  if (!begun.has_value()) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, begun.error().literal());
    return false;
  }
  // The grant first: a token is never without the grant that can end it.
  reply.pending = joined(std::move(*begun), std::move(reply.pending));
  return true;
}

void Server::refresh(Form const& form, Caller const& caller, TokenReply& reply) {
  auto const shown = grants_.read(form.of("refresh_token"));
  std::shared_ptr<Client const> client;
  bool const says_who = form.has("client_id") || form.has("client_assertion");
  if (shown && !says_who) {
    // RFC 6749 section 6 does not have a public client say who it is: its token does.
    client = clients_.find(shown->grant->client);
    if (client && client->enabled && client->kind == Client::Kind::kPublic) {
      reply.trace.client = client->id;
      reply.trace.authentication = "none";
    } else {
      client = nullptr;
    }
  }
  if (!client) client = client_of(form, caller, reply);
  // Before anything else is looked at: who caught a token and shows it elsewhere ends nothing by it.
  if (!client || !admits(*client, std::nullopt, caller, reply)) return;
  if (!shown || shown->grant->client != client->id) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchRefresh);
    return;
  }
  Grant const& grant = *shown->grant;
  reply.trace.user_id = grant.user.view();
  if (!admits(*client, grant.user, caller, reply)) return;
  // The same of who has not the certificate.
  if (grant.certificate && grant.certificate != caller.certificate) {
    reply.refusal = Refusal(OAuthError::kInvalidGrant, kNoSuchRefresh,
                            "a refresh token was shown without the certificate that it is bound to");
    return;
  }
  if (std::optional<Digest> bound; !bind(*client, caller, bound, reply)) return;
  if (!shown->is_newest) return end_reused(grant.id, "the refresh token was used before", reply);
  auto scopes = grant.scopes;
  if (form.has("scope")) {
    auto const asked = codec::parse_scopes(form.of("scope"));
    if (asked.has_value()) scopes = common_scopes(*asked, grant.scopes);
    if (!asked.has_value() || (!reach_records(scopes) && !codec::has_word(scopes, "openid"))) {
      reply.refusal = Refusal(OAuthError::kInvalidScope, "nothing of the scope was granted");
      return;
    }
  }
  Grant next(grant);
  ++next.generation;
  next.expires = expiry_of(grant, clock_.now(), directory_.session_times(grant.user));
  if (!issue(*client, next, std::move(scopes), caller, reply)) {
    // The account or the sign-in has ended: nothing of this is ever good again.
    reply.pending = joined(std::move(reply.pending), grants_.end(grant.id));
    return;
  }
  auto advanced = grants_.advance(grant, next.expires);
  if (!advanced.has_value()) {
    reply.body = Json::object();
    return end_reused(grant.id, "the refresh token was used before", reply);
  }
  reply.body.set("refresh_token", Json::string(grants_.refresh_token(next)));
  reply.pending = joined(std::move(*advanced), std::move(reply.pending));
}

}  // namespace tacenda::authorization

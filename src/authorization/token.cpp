// The token endpoint (RFC 6749 section 3.2).
#include "access/scopes.hpp"
#include "authorization/internal/pendings.hpp"
#include "authorization/scopes.hpp"
#include "authorization/server.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {
namespace {

using codec::Json;

constexpr std::string_view kJwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr Literal kNotAuthenticated("the client could not be authenticated");

Refusal refusal_of(Error const& error) {
  switch (error.kind()) {
    case ErrorKind::kInvalid:
    case ErrorKind::kTooLarge:
      return {OAuthError::kInvalidClient, error.literal()};
    case ErrorKind::kThrottled:
    case ErrorKind::kUnavailable:
      return {OAuthError::kTemporarilyUnavailable, error.literal()};
    default:
      // Who exists, and with which keys, is nobody's business.
      return {OAuthError::kInvalidClient, kNotAuthenticated, error.literal()};
  }
}

/// What is asked for as far as it was registered. Errors: kInvalid (what was asked for cannot be held to, or
/// nothing is left of it).
Result<std::vector<codec::Scope>> granted(std::string_view asked, Client const& client) {
  auto const scopes = TACENDA_TRY(codec::parse_scopes(asked));
  for (auto const& scope : scopes) TACENDA_TRY_VOID(access::check_scope(scope, access::Bearer::kService));
  auto common = common_scopes(scopes, client.scopes);
  if (common.empty())
    return fail(ErrorKind::kInvalid, "nothing of the scope is registered for the application");
  for (auto const& scope : common) TACENDA_TRY_VOID(access::check_scope(scope, access::Bearer::kService));
  if (codec::write_scopes(common).size() > codec::kScopeBytesMax)
    return fail(ErrorKind::kInvalid, "the scope is too long");
  return common;
}

}  // namespace

std::shared_ptr<Client const> Server::authenticate(Form const& form, Caller const& caller,
                                                   TokenReply& reply) {
  bool const asserts = form.has("client_assertion") || form.has("client_assertion_type");
  auto client = asserts ? nullptr : by_certificate(form, caller, reply);
  return client ? client : by_assertion(form, reply);
}

std::shared_ptr<Client const> Server::by_certificate(Form const& form, Caller const& caller,
                                                     TokenReply& reply) const {
  auto client = clients_.find(form.of("client_id"));
  bool const is_shown = client && client->enabled && client->certificate && caller.certificate &&
                        *client->certificate == *caller.certificate;
  if (!is_shown) return nullptr;
  reply.trace.client = client->id;
  reply.trace.authentication = "certificate";
  return client;
}

bool Server::bind(Client const& client, Caller const& caller, std::optional<Digest>& certificate,
                  TokenReply& reply) {
  if (!client.binds_tokens) return true;
  certificate = caller.certificate;
  if (!certificate)
    reply.refusal = Refusal(OAuthError::kInvalidRequest,
                            "tokens of this application are bound to a client certificate: show one");
  return certificate.has_value();
}

std::shared_ptr<Client const> Server::by_assertion(Form const& form, TokenReply& reply) {
  if (form.of("client_assertion_type") != kJwtBearer || !form.has("client_assertion")) {
    reply.refusal = Refusal(OAuthError::kInvalidClient,
                            "a client authenticates by a signed assertion (client_assertion, and "
                            "client_assertion_type jwt-bearer) or by its certificate");
    return nullptr;
  }
  Time const now = clock_.now();
  KeyOf const key_of = [&](Client const& client, std::string_view key_id) {
    return client.jwks_url.empty() ? registered_key(client, key_id)
                                   : remote_keys_.find(client, key_id, reply.keys);
  };
  auto assertion = check_assertion(clients_, key_of, form.of("client_assertion"), token_endpoint(), now);
  if (!assertion.has_value()) {
    reply.refusal = refusal_of(assertion.error());
    return nullptr;
  }
  auto const& client = *assertion->client;
  reply.trace.client = client.id;
  reply.trace.authentication = "private_key_jwt";
  if (form.has("client_id") && form.of("client_id") != client.id) {
    reply.refusal = Refusal(OAuthError::kInvalidClient, "client_id is not that of the assertion");
    return nullptr;
  }
  auto const used = used_.use(client.id, assertion->id, assertion->expires, now);
  if (!used.has_value()) {
    reply.refusal = used.error().kind() == ErrorKind::kUnauthenticated
                        ? Refusal(OAuthError::kInvalidClient, used.error().literal())
                        : refusal_of(used.error());
    return nullptr;
  }
  reply.pending = identity::Pending(
      [this, used = *used]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        TACENDA_TRY_VOID(used_.write(used, set));
        return set;
      },
      {});
  return std::move(assertion->client);
}

TokenReply Server::token(Form const& form, Caller const& caller) {
  TokenReply reply;
  auto const grant = form.of("grant_type");
  if (grant.empty()) {
    reply.refusal = Refusal(OAuthError::kInvalidRequest, "grant_type is missing");
  } else if (grant == "client_credentials") {
    client_credentials(form, caller, reply);
  } else if (grant == "authorization_code") {
    authorization_code(form, caller, reply);
  } else if (grant == "refresh_token") {
    refresh(form, caller, reply);
  } else {
    reply.refusal = Refusal(OAuthError::kUnsupportedGrantType, "this grant_type is not supported");
  }
  return reply;
}

void Server::client_credentials(Form const& form, Caller const& caller, TokenReply& reply) {
  auto const client = authenticate(form, caller, reply);
  if (!client) return;
  if (client->kind != Client::Kind::kService || !client->account) {
    reply.refusal =
        Refusal(OAuthError::kUnauthorizedClient, "the application acts for people, and not for itself");
    return;
  }
  reply.trace.user_id = client->account->view();
  reply.trace.user_name = client->id;
  if (!admits(*client, client->account, caller, reply)) return;
  auto scopes = granted(form.of("scope"), *client);
  if (!scopes.has_value()) {
    reply.refusal = Refusal(OAuthError::kInvalidScope, scopes.error().literal());
    return;
  }
  auto application = std::make_shared<identity::Application>();
  application->client = client->id;
  application->scopes = std::move(*scopes);
  if (!bind(*client, caller, application->certificate, reply)) return;
  reply.trace.scopes = codec::write_scopes(application->scopes);
  auto issued = directory_.issue_application_token({*client->account, std::nullopt}, std::move(application),
                                                   limits::kServiceAccess, caller.address);
  if (!issued.has_value()) {
    reply.refusal = refusal_of(issued.error());
    return;
  }
  reply.trace.role = issued->principal.role();
  reply.trace.token_id = issued->principal.token_id();
  reply.body.set("access_token", Json::string(issued->access_token));
  reply.body.set("token_type", Json::string("Bearer"));
  reply.body.set("expires_in", Json::number(std::chrono::seconds(limits::kServiceAccess).count()));
  reply.body.set("scope", Json::string(reply.trace.scopes));
  auto alive = identity::Pending(
      [this, id = client->id]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        TACENDA_TRY_VOID(clients_.confirm(id, set));  // not for who was disabled meanwhile
        return set;
      },
      {});
  reply.pending = joined(std::move(issued->pending), std::move(alive), std::move(reply.pending));
}

}  // namespace tacenda::authorization

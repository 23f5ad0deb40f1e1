// Revocation (RFC 7009) and introspection (RFC 7662): of a client's own tokens.
#include "authorization/internal/pendings.hpp"
#include "authorization/server.hpp"
#include "codec/text.hpp"

namespace tacenda::authorization {

using codec::Json;

TokenReply Server::revoke(Form const& form, Caller const& caller) {
  TokenReply reply;
  // From wherever it comes: it takes, and tells nothing.
  auto const client = client_of(form, caller, reply);
  if (!client) return reply;
  auto const token = form.of("token");
  if (token.empty()) {
    reply.refusal = Refusal(OAuthError::kInvalidRequest, "token is missing");
    return reply;
  }
  if (auto const shown = grants_.read(token); shown && shown->grant->client == client->id) {
    reply.trace.user_id = shown->grant->user.view();
    reply.trace.scopes = codec::write_scopes(shown->grant->scopes);
    reply.pending = joined(std::move(reply.pending), grants_.end(shown->grant->id));
    return reply;
  }
  auto const principal = directory_.authenticate_token(token);
  if (!principal.has_value() || !principal->application() || principal->application()->client != client->id)
    return reply;
  reply.trace.user_id = principal->id().view();
  reply.trace.user_name = principal->name();
  reply.trace.token_id = principal->token_id();
  if (auto ended = directory_.logout(token); ended.has_value())
    reply.pending = joined(std::move(reply.pending), std::move(*ended));
  return reply;
}

TokenReply Server::introspect(Form const& form, Caller const& caller) {
  TokenReply reply;
  auto const client = authenticate(form, caller, reply);
  if (!client || !admits(*client, client->account, caller, reply)) return reply;
  reply.body.set("active", Json::boolean(false));
  auto const principal = directory_.authenticate_token(form.of("token"));
  if (!principal.has_value() || !principal->application() || principal->application()->client != client->id ||
      !confirm(*principal->application()).has_value())
    return reply;
  auto const& application = *principal->application();
  reply.trace.user_id = principal->id().view();
  reply.trace.user_name = principal->name();
  reply.body.set("active", Json::boolean(true));
  reply.body.set("scope", Json::string(codec::write_scopes(application.scopes)));
  reply.body.set("client_id", Json::string(application.client));
  reply.body.set("token_type", Json::string("Bearer"));
  reply.body.set("exp", Json::number(static_cast<std::int64_t>(to_unix_ms(principal->expires()) / 1'000)));
  reply.body.set("iss", Json::string(origin()));
  reply.body.set("sub", Json::string(principal->id().view()));
  reply.body.set("username", Json::string(principal->name()));
  if (application.certificate) {
    Json confirmation = Json::object();
    confirmation.set("x5t#S256", Json::string(codec::base64url_encode(*application.certificate)));
    reply.body.set("cnf", std::move(confirmation));  // RFC 8705 section 3.2
  }
  if (auto const grant = grants_.find(application.grant)) tell_context(*grant, reply.body);
  return reply;
}

}  // namespace tacenda::authorization

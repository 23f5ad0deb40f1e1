#include "authorization/server.hpp"

namespace tacenda::authorization {

Server::Server(Parts const& parts, crypto::MacKey const& refresh_key, OpenId openid)
    : vault_(parts.vault),
      directory_(parts.directory),
      gate_(parts.gate),
      assignments_(parts.assignments),
      clock_(parts.clock),
      openid_(std::move(openid)),
      clients_(vault_, directory_, clock_),
      remote_keys_(clock_, parts.fetch_keys, parts.fetches_max),
      used_(vault_),
      grants_(vault_, directory_, clock_, refresh_key),
      codes_(clock_),
      launches_(clock_) {}

Result<std::unique_ptr<Server>> Server::open(Parts const& parts) {
  auto const refresh_key = TACENDA_TRY(parts.vault.derived_key(vault::Purpose::kAuth, "refresh-token"));
  auto openid = TACENDA_TRY(OpenId::open(parts.vault));
  std::unique_ptr<Server> server(new Server(parts, refresh_key, std::move(openid)));
  TACENDA_TRY_VOID(server->clients_.load());
  TACENDA_TRY_VOID(server->used_.load(parts.clock.now()));
  TACENDA_TRY_VOID(server->grants_.load());
  return server;
}

void Server::serve(std::string origin, bool takes_certificates) {
  MutexLock const lock(mutex_);
  origin_ = std::move(origin);
  takes_certificates_ = takes_certificates;
}

bool Server::takes_certificates() const {
  MutexLock const lock(mutex_);
  return takes_certificates_;
}

std::string Server::origin() const {
  MutexLock const lock(mutex_);
  return origin_;
}

bool Server::admits(Client const& client, std::optional<UserId> const& user, Caller const& caller,
                    TokenReply& reply) const {
  auto placed = clients_.admits(client.id, caller.address);
  // Who is no more is refused for that, further on.
  if (auto const person =
          user ? directory_.principal_for_work(*user) : fail(ErrorKind::kNotFound, "nobody is known yet");
      placed.has_value() && person.has_value())
    placed = gate_.admits(*person, caller.address);
  if (placed.has_value()) return true;
  reply.is_outside = true;
  reply.refusal = Refusal(OAuthError::kAccessDenied, placed.error().literal());
  return false;
}

Result<void> Server::confirm(identity::Application const& application) const {
  TACENDA_TRY_VOID(clients_.confirm(application.client));
  return application.grant.empty() ? Result<void>() : grants_.confirm(application.grant);
}

Result<void> Server::confirm(identity::Application const& application, vault::WriteSet& set) const {
  TACENDA_TRY_VOID(clients_.confirm(application.client, set));
  return application.grant.empty() ? Result<void>() : grants_.confirm(application.grant, set);
}

}  // namespace tacenda::authorization

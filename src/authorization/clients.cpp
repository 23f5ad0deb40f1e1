#include "authorization/clients.hpp"

#include <algorithm>

#include "access/scopes.hpp"
#include "authorization/authorization_request.hpp"
#include "authorization/internal/row.hpp"
#include "authorization/scopes.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "crypto/certificate.hpp"

namespace tacenda::authorization {
namespace {

constexpr std::size_t kTitleBytes = 100;
constexpr std::string_view kWords[] = {"launch",   "launch/patient", "launch/encounter", "openid",
                                       "fhirUser", "offline_access", "online_access",    kStartsOthers};

Result<void> check_title(std::string_view title) {
  bool const is_fit = title.size() <= kTitleBytes && codec::is_utf8(title) &&
                      std::ranges::none_of(title, [](char c) { return c >= 0 && c < ' '; });
  if (!is_fit) return fail(ErrorKind::kInvalid, "a title is a line of at most 100 bytes");
  return {};
}

Result<std::vector<codec::Scope>> scopes_of(std::string_view text, access::Bearer bearer) {
  auto scopes = TACENDA_TRY(codec::parse_scopes(text));
  for (auto const& scope : scopes) {
    if (scope.level != codec::ScopeLevel::kNone || bearer == access::Bearer::kService) {
      TACENDA_TRY_VOID(access::check_scope(scope, bearer));
    } else if (std::ranges::find(kWords, scope.word) == std::end(kWords)) {
      return fail(ErrorKind::kInvalid, "a scope is none that this application could be given");
    }
  }
  if (scopes.empty()) return fail(ErrorKind::kInvalid, "an application without scopes would get nothing");
  return scopes;
}

Result<void> check_redirect_uris(Clients::Registration const& registration) {
  auto const& uris = registration.redirect_uris;
  bool const needs_one = registration.kind != Client::Kind::kService;
  if (needs_one == uris.empty())
    return fail(ErrorKind::kInvalid, "redirect URIs are for applications of people, and each has one");
  if (uris.size() > limits::kRedirectUris || !std::ranges::all_of(uris, is_redirect_uri))
    return fail(ErrorKind::kInvalid,
                "a redirect URI is https, a loopback address or a scheme such as com.example.app, and has no "
                "fragment");
  return {};
}

/// Errors: kInvalid.
Result<Digest> certificate_of(std::string const& text) {
  if (text.contains("-----BEGIN")) return crypto::certificate_digest(text);
  auto const bytes = codec::hex_decode(text);
  Digest digest;
  if (!bytes.has_value() || bytes->size() != digest.size())
    return fail(ErrorKind::kInvalid, "a certificate is PEM, or SHA-256 of its DER in 64 hex digits");
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

/// Puts these in the place of all it has. Errors: kInvalid, kTooLarge.
Result<void> give_keys(Client& client, Clients::KeySet const& keys) {
  int const given = !keys.jwks.empty() + !keys.url.empty() + !keys.certificate.empty();
  if (given != 1)
    return fail(
        ErrorKind::kInvalid,
        "an application that is not public needs its public keys (JWKS), or the address of them, or a "
        "certificate");
  if (!keys.url.empty() && !is_keys_url(keys.url))
    return fail(ErrorKind::kInvalid, "keys are at an https address without user and fragment");
  client.keys.clear();
  if (!keys.jwks.empty()) client.keys = TACENDA_TRY(client_keys(keys.jwks));
  client.jwks = keys.jwks;
  client.jwks_url = keys.url;
  client.certificate.reset();
  if (!keys.certificate.empty()) client.certificate = TACENDA_TRY(certificate_of(keys.certificate));
  if (client.certificate) client.binds_tokens = true;
  return {};
}

Result<Client> client_of(Clients::Registration const& registration, Time now) {
  if (!is_client_id(registration.id))
    return fail(ErrorKind::kInvalid, "a client id is 1 to 64 of [a-z0-9._@-] and does not start with '-'");
  Client client;
  client.id = registration.id;
  client.kind = registration.kind;
  client.created = now;
  client.title = registration.title.empty() ? registration.id : registration.title;
  TACENDA_TRY_VOID(check_title(client.title));
  bool const is_service = registration.kind == Client::Kind::kService;
  client.scopes = TACENDA_TRY(
      scopes_of(registration.scopes, is_service ? access::Bearer::kService : access::Bearer::kPerson));
  TACENDA_TRY_VOID(check_redirect_uris(registration));
  client.redirect_uris = registration.redirect_uris;
  client.binds_tokens = registration.binds_tokens;
  auto const& keys = registration.keys;
  if (client.kind != Client::Kind::kPublic) {
    TACENDA_TRY_VOID(give_keys(client, keys));
  } else if (!keys.jwks.empty() || !keys.url.empty() || !keys.certificate.empty()) {
    return fail(ErrorKind::kInvalid, "a public application has no keys and no certificate");
  }
  return client;
}

}  // namespace

Clients::Clients(vault::Vault& vault, identity::Directory& directory, Clock const& clock)
    : vault_(vault),
      directory_(directory),
      clock_(clock),
      rows_(vault.sealed_view(row::kKeeper, vault::Purpose::kAuth)) {}

Bytes Clients::key_of(std::string_view id) {
  Bytes key;
  ByteWriter(key).u8('c').raw(as_bytes(id));
  return key;
}

Result<void> Clients::load() {
  WriteLock const lock(mutex_);
  auto* self = this;
  return rows_.scan(as_bytes("c"),
                    [self](ByteView, ByteView row) TACENDA_REQUIRES(self->mutex_) -> Result<bool> {
                      auto client = std::make_shared<Client const>(TACENDA_TRY(decode_client(row)));
                      self->clients_.emplace(client->id, client);
                      return true;
                    });
}

Result<void> Clients::put(vault::WriteSet& set, Client const& client) const {
  auto const key = key_of(client.id);
  set.depends_on(rows_.guard(key));
  set.touches(rows_.guard(key));
  return rows_.put(set, key, encode_client(client));
}

Result<void> Clients::check_new(Registration const& registration) const {
  TACENDA_TRY_VOID(client_of(registration, clock_.now()));
  if (registration.kind == Client::Kind::kService)
    TACENDA_TRY_VOID(directory_.check_new({registration.id, registration.role, true, std::nullopt}));
  ReadLock const lock(mutex_);
  if (clients_.size() + being_added_.size() >= limits::kClients)
    return fail(ErrorKind::kTooLarge, "there are too many applications");
  if (clients_.contains(registration.id) || being_added_.contains(registration.id))
    return fail(ErrorKind::kConflict, "this client id exists or existed");
  return {};
}

Result<identity::Pending> Clients::add(Registration const& registration) {
  auto client = std::make_shared<Client>(TACENDA_TRY(client_of(registration, clock_.now())));
  {
    WriteLock const lock(mutex_);
    if (clients_.size() + being_added_.size() >= limits::kClients)
      return fail(ErrorKind::kTooLarge, "there are too many applications");
    if (clients_.contains(client->id) || !being_added_.insert(client->id).second)
      return fail(ErrorKind::kConflict, "this client id exists or existed");
  }
  // shared by the two closures of one Pending
  auto account = std::make_shared<identity::Pending>();
  if (client->kind == Client::Kind::kService) {
    auto added = directory_.add_user({client->id, registration.role, true, std::nullopt});
    if (!added.has_value()) {
      WriteLock const lock(mutex_);
      being_added_.erase(client->id);
      return std::unexpected(added.error());
    }
    client->account = added->id;
    *account = std::move(added->pending);
  }
  return identity::Pending(
      [this, client, account]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account->set());
        set.read_at(vault_.order().committed());
        TACENDA_TRY_VOID(put(set, *client));
        return set;
      },
      [this, client, account](bool committed) {
        if (committed) account->committed();
        *account = identity::Pending();
        WriteLock const lock(mutex_);
        being_added_.erase(client->id);
        if (committed) clients_.emplace(client->id, client);
      });
}

Result<identity::Pending> Clients::disable(std::string_view id) {
  std::shared_ptr<Client> ended;
  {
    WriteLock const lock(mutex_);
    auto const found = clients_.find(id);
    if (found == clients_.end()) return fail(ErrorKind::kNotFound, "there is no such application");
    ended = std::make_shared<Client>(*found->second);
    ended->enabled = false;
    found->second = ended;
  }
  auto account = std::make_shared<identity::Pending>();  // shared by the two closures of one Pending
  if (ended->account) *account = TACENDA_TRY(directory_.disable_user(ended->id));
  auto tokens = std::make_shared<identity::Pending>(directory_.end_application_tokens(
      [&](identity::Application const& application) { return application.client == ended->id; }));
  return identity::Pending(
      [this, name = ended->id, account, tokens]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account->set());
        set.merge(TACENDA_TRY(tokens->set()), 0);
        auto row = TACENDA_TRY(stored(name, set));
        row.enabled = false;
        ++row.revision;
        TACENDA_TRY_VOID(put(set, row));
        return set;
      },
      [account, tokens](bool committed) {
        if (!committed) return;
        account->committed();
        tokens->committed();
      });
}

Result<Client> Clients::with_keys(Client const& client, KeySet const& keys) {
  auto changed = client;
  TACENDA_TRY_VOID(give_keys(changed, keys));
  return changed;
}

Result<Client> Clients::stored(std::string_view id, vault::WriteSet& set) const {
  auto const key = key_of(id);
  // First as of when, then the row: a change that commits in between is later than what was read. Memory may
  // be older than the store.
  set.read_at(vault_.order().committed());
  set.depends_on(rows_.guard(key));
  auto const row = TACENDA_TRY(rows_.get(key));
  if (!row) return fail(ErrorKind::kUnauthenticated, "the application is not registered any more");
  return decode_client(*row);
}

void Clients::keep_newest(std::shared_ptr<Client const> const& client) {
  WriteLock const lock(mutex_);
  auto& current = clients_[client->id];
  if (current->enabled && current->revision < client->revision) current = client;
}

Result<identity::Pending> Clients::change(std::string_view id, std::function<Result<void>(Client&)> how) {
  if (!find(id)) return fail(ErrorKind::kNotFound, "there is no such application");
  auto const changed = std::make_shared<std::shared_ptr<Client const>>();  // by the one closure for the other
  return identity::Pending(
      [this, name = std::string(id), how = std::move(how), changed]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        auto client = std::make_shared<Client>(TACENDA_TRY(stored(name, set)));
        // Not what was decided meanwhile.
        TACENDA_TRY_VOID(confirm(name));
        TACENDA_TRY_VOID(how(*client));
        ++client->revision;
        TACENDA_TRY_VOID(put(set, *client));
        *changed = std::move(client);
        return set;
      },
      [this, changed](bool committed) {
        if (committed && *changed) keep_newest(*changed);
      });
}

Result<identity::Pending> Clients::replace_keys(std::string_view id, KeySet const& keys) {
  auto const before = find(id);
  if (!before) return fail(ErrorKind::kNotFound, "there is no such application");
  if (before->kind == Client::Kind::kPublic)
    return fail(ErrorKind::kForbidden, "a public application has no keys");
  TACENDA_TRY_VOID(with_keys(*before, keys));
  return change(id, [keys](Client& client) { return give_keys(client, keys); });
}

Result<identity::Pending> Clients::restrict_networks(std::string_view id,
                                                     std::optional<std::vector<std::string>> networks) {
  access::AddressList allowed;
  if (networks) {
    if (networks->empty() || networks->size() > limits::kNetworksPerList)
      return fail(ErrorKind::kInvalid, "an address list has from 1 to 64 networks");
    allowed = TACENDA_TRY(access::AddressList::parse(*networks));
  }
  return change(id, [networks = std::move(networks), allowed](Client& client) -> Result<void> {
    client.networks = networks;
    client.allowed = allowed;
    return {};
  });
}

Result<void> Clients::admits(std::string_view id, std::string_view address) const {
  // No address: the administration socket, which no list is about.
  if (address.empty()) return {};
  auto const client = find(id);
  if (client && client->allowed.contains(address)) return {};
  return fail(ErrorKind::kForbidden, "this application may not be used from this address");
}

std::shared_ptr<Client const> Clients::find(std::string_view id) const {
  ReadLock const lock(mutex_);
  auto const found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second;
}

bool Clients::has_origin(std::string_view origin) const {
  ReadLock const lock(mutex_);
  return std::ranges::any_of(clients_, [&](auto const& item) {
    auto const& [id, client] = item;
    return client->enabled && std::ranges::any_of(client->redirect_uris, [&](std::string const& uri) {
             return policy_source_of(uri) == origin;
           });
  });
}

std::vector<std::shared_ptr<Client const>> Clients::all() const {
  ReadLock const lock(mutex_);
  std::vector<std::shared_ptr<Client const>> list;
  for (auto const& [id, client] : clients_) list.push_back(client);
  return list;
}

Result<void> Clients::confirm(std::string_view id) const {
  auto const client = find(id);
  if (!client || !client->enabled)
    return fail(ErrorKind::kUnauthenticated, "the application is not registered any more");
  return {};
}

Result<void> Clients::confirm(std::string_view id, vault::WriteSet& set) const {
  // First as of when, then the question: a change that commits in between is later than what was asked.
  set.read_at(vault_.order().committed());
  set.depends_on(rows_.guard(key_of(id)));
  return confirm(id);
}

}  // namespace tacenda::authorization

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "authorization/client.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "identity/directory.hpp"
#include "identity/pending.hpp"
#include "vault/vault.hpp"

namespace tacenda::authorization {

/// The registered applications, in memory and in SealedView(kAuthorization, kAuth). An id is never given
/// twice.
///
/// Owner: Server. Thread-safe.
class Clients {
 public:
  /// All of it outlives this.
  Clients(vault::Vault& vault, identity::Directory& directory, Clock const& clock);
  /// Reads the rows. Once, before anything else. Errors: kCorrupt, kUnavailable.
  Result<void> load();

  /// How a client shows who it is: public keys, as they are or where they are, or a certificate (PEM, or
  /// SHA-256 of its DER in hex). One of them; none: kPublic.
  struct KeySet {
    std::string jwks;
    std::string url;
    std::string certificate = {};
  };
  struct Registration {
    std::string id;
    std::string title;  // empty: the id
    Client::Kind kind = Client::Kind::kService;
    std::string role;    // kService: a role of the policy, which the caller has looked up
    std::string scopes;  // all that it may ever be given
    KeySet keys;
    std::vector<std::string> redirect_uris;
    bool binds_tokens = false;  // with a certificate they are always bound
  };
  /// Registers it; a service gets a service account of the same name and role. Errors: kInvalid (the message
  /// tells what), kConflict (the id, or the name of an account, exists or existed), kTooLarge.
  Result<identity::Pending> add(Registration const& registration);
  /// Could it be registered as things are? Errors: as add.
  Result<void> check_new(Registration const& registration) const;
  /// Ends it and all its tokens, at once and for good: also when the commit fails. Errors: kNotFound.
  Result<identity::Pending> disable(std::string_view id);
  /// Other keys in the place of all it has. Errors: kNotFound, kInvalid, kForbidden (a public client).
  Result<identity::Pending> replace_keys(std::string_view id, KeySet const& keys);

  /// From which networks alone it may ask for tokens and use them; nullopt: from any. Holds for tokens of
  /// before, too. Errors: kNotFound, kInvalid (no networks, or too many).
  Result<identity::Pending> restrict_networks(std::string_view id,
                                              std::optional<std::vector<std::string>> networks);
  /// May it ask, or use a token, from there? Errors: kForbidden (also when there is none).
  Result<void> admits(std::string_view id, std::string_view address) const;

  /// What the client is with other keys. Errors: as replace_keys.
  static Result<Client> with_keys(Client const& client, KeySet const& keys);

  /// nullptr: there is none.
  std::shared_ptr<Client const> find(std::string_view id) const;
  /// Does an enabled application send people back to this origin ("https://app.example.org")? Pages of it may
  /// read what this server answers them.
  bool has_origin(std::string_view origin) const;
  /// By id.
  std::vector<std::shared_ptr<Client const>> all() const;

  /// Errors: kUnauthenticated (it is disabled, or there is none).
  Result<void> confirm(std::string_view id) const;
  /// The same, and binds `set` to it: whatever changes the client after this question makes the commit of
  /// `set` conflict.
  Result<void> confirm(std::string_view id, vault::WriteSet& set) const;

 private:
  static Bytes key_of(std::string_view id);
  /// A change of what is stored when it is committed, whatever was changed since it was asked for. Errors:
  /// kNotFound.
  Result<identity::Pending> change(std::string_view id, std::function<Result<void>(Client&)> how);
  /// The row as it is in the store, and `set` conflicts when it changes meanwhile. Errors: kCorrupt,
  /// kUnavailable.
  Result<Client> stored(std::string_view id, vault::WriteSet& set) const;
  /// In memory the newest holds, in whichever order two commits come back.
  void keep_newest(std::shared_ptr<Client const> const& client);
  Result<void> put(vault::WriteSet& set, Client const& client) const;

  vault::Vault& vault_;
  identity::Directory& directory_;
  Clock const& clock_;
  vault::SealedView rows_;
  mutable SharedMutex mutex_;
  std::map<std::string, std::shared_ptr<Client const>, std::less<>> clients_ TACENDA_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> being_added_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::authorization

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "authorization/launch.hpp"
#include "codec/json.hpp"
#include "codec/scope.hpp"
#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/mutex.hpp"
#include "identity/directory.hpp"
#include "identity/pending.hpp"
#include "vault/vault.hpp"

namespace tacenda::authorization {

/// What a person has allowed an application. All tokens that came of it end with it. Immutable once shared.
struct Grant {
  /// How long it can be prolonged by refresh tokens. The number is stored: never reuse one.
  enum class Refresh : std::uint8_t { kNone = 0, kOnline = 1, kOffline = 2 };
  std::string id;  // random; no secret
  std::string client;
  UserId user;
  std::uint32_t account_epoch = 0;  // the account's when he allowed it: what ends his sessions ends this
  identity::Method method = identity::Method::kSession;
  std::vector<codec::Scope> scopes;
  std::optional<std::string> patient;
  std::optional<LaunchContext> launch;  // of one that was begun by starting the application
  // Of a public client: with which certificate alone its refresh tokens are good (RFC 8705 section 7.1).
  std::optional<Digest> certificate;
  Refresh refresh = Refresh::kNone;
  std::uint32_t generation = 0;  // of the refresh token that is good now; 0: there is none
  Time created{};
  Time expires{};  // when nothing of it is good any more

  explicit Grant(UserId the_user) : user(std::move(the_user)) {}
};

/// What people have allowed applications, in memory and in rows `g` of SealedView(kAuthorization, kAuth).
///
/// A refresh token is id(16) || generation(4) || HMAC-SHA-256(32), base64url, under a key of the vault that
/// stands in no row: who reads rows can make none, and one of an earlier generation is known as such for
/// ever.
///
/// Owner: Server. Thread-safe.
class Grants {
 public:
  /// All of it outlives this. `key`: what refresh tokens are signed under.
  Grants(vault::Vault& vault, identity::Directory& directory, Clock const& clock, crypto::MacKey const& key);
  /// Reads the rows. Once, before anything else. Errors: kCorrupt, kUnavailable.
  Result<void> load();

  /// A new id. Errors: kUnavailable.
  Result<std::string> new_id() const;
  /// Stores a new grant; it is good from the commit on. Errors: kThrottled (limits::kGrantsPerUser).
  Result<identity::Pending> begin(Grant grant);
  /// The next generation of the refresh token of `grant`, which is known to be the newest; good at once, and
  /// taken back when the commit fails. Errors: kConflict (somebody was faster).
  Result<identity::Pending> advance(Grant const& grant, Time expires);
  /// Ends it and its tokens, at once: also when the commit fails. One that is not yet begun will not be.
  identity::Pending end(std::string_view id);

  /// nullptr: there is none, or its time is over.
  std::shared_ptr<Grant const> find(std::string_view id) const;
  /// Those of a user, oldest first.
  std::vector<std::shared_ptr<Grant const>> of(UserId const& user) const;
  std::string refresh_token(Grant const& grant) const;
  /// What a refresh token says, and that it is one of ours.
  struct Shown {
    std::shared_ptr<Grant const> grant;
    bool is_newest = false;
  };
  /// nullopt: it is none of ours, or of a grant that is no more.
  std::optional<Shown> read(std::string_view refresh_token) const;

  /// Errors: kUnauthenticated (there is none).
  Result<void> confirm(std::string_view id) const;
  /// The same, and binds `set` to it.
  Result<void> confirm(std::string_view id, vault::WriteSet& set) const;

 private:
  static Bytes key_of(std::string_view id);
  Digest mac_of(ByteView id, std::uint32_t generation) const;
  Result<void> put(vault::WriteSet& set, Grant const& grant) const;
  bool is_over(Grant const& grant) const;
  /// Errors: kUnauthenticated (it was ended before it began).
  Result<void> may_begin(std::string_view id) const;
  /// Rows of grants whose time is over, to be erased with the next commit.
  void erase_over(vault::WriteSet& set);

  vault::Vault& vault_;
  identity::Directory& directory_;
  Clock const& clock_;
  vault::SealedView rows_;
  crypto::Hmac refresh_key_;
  mutable SharedMutex mutex_;
  std::map<std::string, std::shared_ptr<Grant const>, std::less<>> grants_ TACENDA_GUARDED_BY(mutex_);
  // Ended while they were on their way to the store, and until when that is remembered: whoever shows a code
  // twice at once must not be quicker than its end.
  std::map<std::string, Time, std::less<>> ended_early_ TACENDA_GUARDED_BY(mutex_);
};

/// What it is about, as token answers and introspection tell it: `patient`, `encounter`,
/// `need_patient_banner`, `intent`. Source: SMART App Launch 2.2, scopes-and-launch-context.html.
void tell_context(Grant const& grant, codec::Json& answer);

// Row of a grant (docs/data-file.md, "Authorization rows"), without its id.
Bytes encode_grant(Grant const& grant);
/// Errors: kCorrupt.
Result<Grant> decode_grant(ByteView row);

}  // namespace tacenda::authorization

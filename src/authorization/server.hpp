#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.hpp"
#include "authorization/assertion.hpp"
#include "authorization/authorization_request.hpp"
#include "authorization/clients.hpp"
#include "authorization/codes.hpp"
#include "authorization/form.hpp"
#include "authorization/grants.hpp"
#include "authorization/launch.hpp"
#include "authorization/openid.hpp"
#include "authorization/refusal.hpp"
#include "authorization/remote_keys.hpp"
#include "authorization/token_reply.hpp"
#include "authorization/used_assertions.hpp"
#include "codec/json.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "identity/directory.hpp"
#include "vault/vault.hpp"

namespace tacenda::authorization {

/// The authorization server: which token may this application get?
///
/// Owner: start. Thread-safe.
/// Source: OAuth 2.1 (draft), RFC 6749, 7009, 7521, 7523, 7636, 7662, 9700; SMART App Launch 2.2;
/// REQUIREMENTS F-01 to F-20.
class Server {
 public:
  /// What it works with; all of it outlives the server.
  struct Parts {
    vault::Vault& vault;
    identity::Directory& directory;
    access::Gate const& gate;
    access::Assignments const& assignments;  // which Practitioner somebody is
    Clock const& clock;
    FetchKeys fetch_keys = {};    // not set: no keys of an address are had
    std::size_t fetches_max = 1;  // of them at once
  };
  /// Errors: kCorrupt, kUnavailable.
  static Result<std::unique_ptr<Server>> open(Parts const& parts);

  /// Under which origin applications reach this server: "https://records.example.org". What a client signs
  /// for is compared with it, and never with a header of its request. `takes_certificates`: connections may
  /// show a client certificate.
  void serve(std::string origin, bool takes_certificates = false);
  bool takes_certificates() const;
  /// Empty: it is not known yet.
  std::string origin() const;
  std::string token_endpoint() const { return origin() + "/oauth/token"; }
  std::string fhir_base() const { return origin() + "/fhir"; }

  /// The keys that id_tokens are signed under (JWKS).
  std::string const& jwks() const { return openid_.jwks(); }

  Clients& clients() { return clients_; }
  Clients const& clients() const { return clients_; }
  Grants& grants() { return grants_; }
  Grants const& grants() const { return grants_; }

  // --- a person starts an application (EHR launch) ----------------------------------------------
  /// A handle by which the application learns for whom it was started; `launch.user` is whoever asks. Errors:
  /// kInvalid (no application that can be started like this; an intent that is none), kThrottled,
  /// kUnavailable.
  Result<std::string> start(Launch launch);

  // --- a person allows something (authorization endpoint) ---------------------------------------
  struct Begun {
    std::shared_ptr<Client const> client;         // nullptr: not known, and nobody is sent anywhere
    std::optional<AuthorizationRequest> request;  // nullopt: refused
    std::optional<Refusal> refusal;
    std::string redirect;  // where a refusal is told; empty: to the person alone (F-03)
  };
  /// `browser`: SHA-256 of the cookie that the person's browser will show with each form.
  Begun begin(Form const& form, Digest const& browser);

  /// The request as the pages carry it. Errors: kUnavailable.
  Result<std::string> seal(AuthorizationRequest const& request) const;
  struct Opened {
    AuthorizationRequest request;
    std::shared_ptr<Client const> client;
  };
  /// What a form shows to be ours: no other page can make one for this browser (F-22). Errors: kForbidden
  /// (not sealed by us, of another browser, its time is over), kInvalid (its client has ended).
  Result<Opened> open(std::string_view sealed, Digest const& browser) const;

  struct Decision {
    std::vector<codec::Scope> scopes;    // what of the request's he allows
    std::optional<std::string> patient;  // whom patient/ scopes are about
    std::string encounter = {};          // what launch/encounter is about; empty: a launch says it, or none
  };
  /// A code for what `person` has allowed: where his browser is sent with it. Errors: kThrottled,
  /// kUnavailable; kInvalid (more than was asked for, or nothing; patient/ scopes without a patient; a launch
  /// of somebody else, for another patient, or that was used).
  Result<std::string> allow(AuthorizationRequest const& request, identity::Principal const& person,
                            Decision const& decision);
  /// Where his browser is sent when he does not.
  std::string deny(AuthorizationRequest const& request);

  // --- an application asks (token, revocation, introspection) -----------------------------------
  TokenReply token(Form const& form, Caller const& caller);
  /// RFC 7009: what is no token of the client is no error.
  TokenReply revoke(Form const& form, Caller const& caller);
  /// RFC 7662, to clients that have a key, of their own tokens: any other is not active.
  TokenReply introspect(Form const& form, Caller const& caller);

  /// Is the application that a token was issued to still one that may act? Errors: kUnauthenticated.
  Result<void> confirm(identity::Application const& application) const;
  /// The same, and binds `set` to it: what ends client or grant after this question makes its commit
  /// conflict.
  Result<void> confirm(identity::Application const& application, vault::WriteSet& set) const;

 private:
  Server(Parts const& parts, crypto::MacKey const& refresh_key, OpenId openid);

  /// 256 random bits, base64url. Errors: kUnavailable.
  Result<std::string> unguessable() const;
  /// The client of a request, by its assertion or its certificate; `reply` gets what must become durable, or
  /// the refusal. nullptr: refused.
  std::shared_ptr<Client const> authenticate(Form const& form, Caller const& caller, TokenReply& reply);
  std::shared_ptr<Client const> by_assertion(Form const& form, TokenReply& reply);
  /// The client that says its id and has registered the certificate of the connection; nullptr: there is
  /// none.
  std::shared_ptr<Client const> by_certificate(Form const& form, Caller const& caller,
                                               TokenReply& reply) const;
  /// As authenticate, and a public client by its word.
  std::shared_ptr<Client const> client_of(Form const& form, Caller const& caller, TokenReply& reply);
  /// May this client ask from there, for this user if there is one, by the lists of the client, the account
  /// and its role (N-05)? False: refused. Asked before anything is used up.
  bool admits(Client const& client, std::optional<UserId> const& user, Caller const& caller,
              TokenReply& reply) const;
  /// What tokens of this client are bound to. False: refused, because it binds them and has shown nothing.
  static bool bind(Client const& client, Caller const& caller, std::optional<Digest>& certificate,
                   TokenReply& reply);
  void client_credentials(Form const& form, Caller const& caller, TokenReply& reply);
  void authorization_code(Form const& form, Caller const& caller, TokenReply& reply);
  void refresh(Form const& form, Caller const& caller, TokenReply& reply);
  /// A token for `scopes` of a grant. False: refused.
  bool issue(Client const& client, Grant const& grant, std::vector<codec::Scope> scopes, Caller const& caller,
             TokenReply& reply);
  /// Who signed in, for an application that was allowed to know it.
  Result<std::string> id_token(CodeUse const& use) const;
  /// The token out of a code that was shown by whom it was given to. False: refused; what it was to come with
  /// is then in `reply.pending`, and to be dropped.
  bool redeem(Client const& client, CodeUse& use, Caller const& caller, TokenReply& reply);
  /// A code was shown that was used before, by its application or by another.
  void refuse_used(Codes::Taken const& taken, Caller const& caller, TokenReply& reply);
  /// Somebody has a copy: all that came of the grant ends.
  void end_reused(std::string_view grant, Literal reason, TokenReply& reply);

  vault::Vault& vault_;
  identity::Directory& directory_;
  access::Gate const& gate_;
  access::Assignments const& assignments_;
  Clock const& clock_;
  OpenId openid_;
  Clients clients_;
  RemoteKeys remote_keys_;
  UsedAssertions used_;
  Grants grants_;
  Codes codes_;
  Launches launches_;
  mutable Mutex mutex_;
  std::string origin_ TACENDA_GUARDED_BY(mutex_);
  bool takes_certificates_ TACENDA_GUARDED_BY(mutex_) = false;
};

}  // namespace tacenda::authorization

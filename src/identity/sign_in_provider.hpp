#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "core/secret.hpp"
#include "crypto/random.hpp"
#include "identity/asserted.hpp"
#include "identity/id_token.hpp"
#include "identity/internal/challenge.hpp"

namespace tacenda::identity {

/// One request to the provider, over TLS that is verified, and its answer.
struct ProviderCall {
  std::string url;
  std::string authorization;  // an Authorization field; empty: none
  std::string form;           // posted; empty: GET
};
struct ProviderAnswer {
  std::uint16_t status = 0;
  std::string body;
};
/// Must be thread-safe; bounded in time and size. Errors: any kind.
using CallProvider = std::function<Result<ProviderAnswer>(ProviderCall const& call)>;

/// The OpenID provider of the hospital, where people sign in to this server.
struct ProviderSettings {
  std::string issuer;  // "https://login.example.org", letter by letter as the provider writes it
  std::string client_id;
  SecretBuffer client_secret;
  std::vector<std::string> hosts;       // beside the issuer's own, where its endpoints may be
  std::string account_claim = "sub";    // what of an id_token is the external id of a provisioned account
  std::vector<std::string> factor_acr;  // values of acr that say that a second factor was shown
  std::vector<std::string> factor_amr;  // the same of amr, one of them
};

/// Signs people in by the code flow of OpenID Connect, with PKCE, a state that is good once and bound to the
/// browser, a nonce, and the issuer in each answer (RFC 9207) where the provider says that it gives it. One
/// provider, so that none can be mistaken for another; its endpoints are at hosts that the operator named.
///
/// Owner: start. Thread-safe. At most kCallsAtOnce threads wait for the provider, kCallsPerAddress of them
/// for one address (or /64), so that none takes all turns; who comes beside them is told to try again.
/// Source: OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636, RFC 9207, RFC 9700.
class SignInProvider {
 public:
  static constexpr int kCallsAtOnce = 8;
  static constexpr int kCallsPerAddress = 2;

  /// Errors: kUnavailable (no random bytes).
  static Result<std::unique_ptr<SignInProvider>> create(ProviderSettings settings, CallProvider call,
                                                        Clock const& clock, crypto::Random& random);

  std::string const& issuer() const { return settings_.issuer; }
  /// Under which origin browsers reach this server, from now on.
  void serve(std::string_view origin);

  struct Begun {
    std::string url;      // where the browser goes
    std::string browser;  // a secret that it keeps until it comes back
  };
  /// `address`: of who asks. `browser`: a secret that the browser has already; empty: a new one. `max_age`:
  /// how old a sign-in there may be, where that is less than it ever may. Errors: kUnavailable (the provider
  /// cannot be reached, or what it says of itself does not hold; too many wait).
  Result<Begun> begin(std::string_view address, std::string_view browser = {},
                      std::optional<std::chrono::seconds> max_age = std::nullopt);
  /// Did the browser with this secret begin a sign-in with this state, which is not over?
  bool is_begun(std::string_view state, std::string_view browser) const;

  /// What the browser brings back.
  struct Returned {
    std::string_view browser;
    std::string_view state;
    std::string_view code;
    std::string_view issuer;  // empty: none
  };
  /// Uses the state up. Errors: kInvalid (not a sign-in that this browser began, or one that is over or was
  /// finished), kUnauthenticated (what the provider says does not hold), kUnavailable (it cannot be reached).
  Result<Asserted> finish(Returned const& returned, std::string_view address);

 private:
  /// What the provider says of itself.
  struct Metadata {
    std::string authorization_endpoint;
    std::string token_endpoint;
    std::string jwks_uri;
    bool names_issuer = false;  // in each answer (RFC 9207)
    Time fetched{};
  };
  using Keys = std::vector<ProviderKey>;
  class Turn;

  SignInProvider(ProviderSettings settings, CallProvider call, Clock const& clock, crypto::Random& random,
                 crypto::MacKey const& key);
  Result<std::string> get(std::string const& url) const;
  std::shared_ptr<Metadata const> known_metadata() const;  // nullptr: none that is fresh
  Result<std::shared_ptr<Metadata const>> metadata();
  Result<std::shared_ptr<Metadata const>> fetch_metadata() const;
  Result<std::shared_ptr<Metadata const>> read_metadata(std::string_view text) const;
  bool is_endpoint(std::string_view url) const;
  /// `newer_than`: those of then do not do. Errors: kUnavailable.
  Result<std::shared_ptr<Keys const>> keys(Metadata const& metadata, Time newer_than);
  Result<void> check_open(ByteView state, std::string_view browser) const;
  Result<void> use(ByteView state, std::string_view browser, std::string_view address);
  Result<std::string> id_token_for(Metadata const& metadata, Returned const& returned);
  Result<IdToken> checked(Metadata const& metadata, std::string_view id_token, Returned const& returned);
  bool shows_factor(codec::Json const& claims) const;
  std::string derived(std::string_view what, std::string_view browser, std::string_view state) const;
  std::string redirect_uri() const;

  ProviderSettings const settings_;
  CallProvider const call_;
  Clock const& clock_;
  crypto::Random& random_;
  crypto::Hmac const secrets_;  // nonces and PKCE verifiers: of state and browser, and so kept nowhere
  mutable Mutex mutex_;
  ChallengeBook states_ TACENDA_GUARDED_BY(mutex_);
  std::string origin_ TACENDA_GUARDED_BY(mutex_);
  std::shared_ptr<Metadata const> metadata_
      TACENDA_GUARDED_BY(mutex_);                                // shared: calls in flight keep theirs
  std::shared_ptr<Keys const> keys_ TACENDA_GUARDED_BY(mutex_);  // the same
  Time keys_fetched_ TACENDA_GUARDED_BY(mutex_){};
  std::optional<std::chrono::steady_clock::time_point> failed_ TACENDA_GUARDED_BY(mutex_);
  int calls_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int, std::less<>> calls_of_ TACENDA_GUARDED_BY(mutex_);  // by subscriber
};

}  // namespace tacenda::identity

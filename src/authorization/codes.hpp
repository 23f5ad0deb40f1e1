#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "authorization/grants.hpp"
#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"

namespace tacenda::authorization {

/// What a code stands for: a grant that is not yet begun, and who may fetch its first token.
struct CodeUse {
  Grant grant;
  std::string redirect_uri;
  std::string challenge;  // PKCE: base64url of SHA-256 of the verifier
  std::string nonce;      // OpenID Connect; empty: none
  Time signed_in{};       // when its person showed who he is
};

/// Authorization codes: 256 random bits, good once and for limits::kCodeLife, in memory alone; a restart ends
/// those under way. A code that was used is remembered for a time, so that who shows it again is found out.
/// Nobody has so many that there is no room for those of others.
///
/// Owner: Server. Thread-safe. Source: OAuth 2.1 section 4.1; RFC 9700 section 2.1; REQUIREMENTS F-05.
class Codes {
 public:
  explicit Codes(Clock const& clock) : clock_(clock) {}

  /// `code`: random, chosen by the caller. Errors: kThrottled (limits::kCodes,
  /// limits::kCodesPerUser).
  Result<void> add(std::string_view code, CodeUse use);

  /// Takes a code; from now on it is used, whatever comes of it.
  struct Taken {
    std::optional<CodeUse> use;             // nullopt: there is no such code, or its time is over
    std::optional<std::string> used_grant;  // it was used before: the id of the grant that came of it
    std::string client;                     // whose it is, of a code that was used before
    std::optional<UserId> user;             // who allowed it, of the same
  };
  Taken take(std::string_view code);

 private:
  struct Entry {
    explicit Entry(UserId the_user) : user(std::move(the_user)) {}
    std::optional<CodeUse> use;  // nullopt: used
    std::string grant;
    std::string client;
    UserId user;
    Time forgotten{};  // of one that is not used: when it is good no more
  };
  void forget(Time now) TACENDA_REQUIRES(mutex_);

  Clock const& clock_;
  Mutex mutex_;
  std::map<Digest, Entry> codes_ TACENDA_GUARDED_BY(mutex_);  // by SHA-256 of the code
};

}  // namespace tacenda::authorization

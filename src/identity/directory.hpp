#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/secret.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"
#include "identity/pending.hpp"
#include "identity/principal.hpp"
#include "identity/session_times.hpp"
#include "identity/user_view.hpp"
#include "vault/vault.hpp"

namespace tacenda::identity {

/// What is shown beside the password. One of the two counts; the other is empty.
struct SecondFactor {
  std::string_view totp = {};
  std::string_view recovery_code = {};
};

/// Users, service accounts, passwords, second factors, sessions and access tokens (opaque, stored hashed).
/// Everything is kept in memory and in SealedView(kIdentity, kAuth). Reads never touch storage.
///
/// Owner: start. Thread-safe.
/// Source: SECURITY_DESIGN section 4; NIST SP 800-63B-4; RFC 6238; REQUIREMENTS K-01..K-06, S-02, S-08.
class Directory {
 public:
  /// `cost`: of new password hashes; a hash made with less is made again at the next log-in.
  static Result<std::unique_ptr<Directory>> open(vault::Vault& vault, Clock const& clock,
                                                 crypto::Random& random, crypto::Argon2idCost cost = {},
                                                 SessionTimes times = {});
  ~Directory();

  // --- administration -------------------------------------------------------------------------
  struct NewUser {
    std::string name;  // 1..64 of [a-z0-9._@-], no two users ever share one
    std::string role;  // checked by the caller against the policy
    bool is_service = false;
    std::optional<PatientId> patient;
    std::optional<Time> until = {};  // as limit_until
  };
  struct Added {
    Pending pending;
    UserId id;
    std::string enrolment_code;  // shown once; empty for service accounts
    Time expires;
  };
  /// Errors: kInvalid (name, an end that is over), kConflict (the name exists or existed).
  Result<Added> add_user(NewUser const& user);
  Result<void> check_new(NewUser const& user) const;  // whether it could be done; so are the other checks
  /// A new one-time enrolment for a person who has not finished the first, or lost a factor. Errors:
  /// kNotFound, kForbidden (a service account, a disabled user).
  Result<Added> renew_enrolment(std::string_view name);
  Result<void> check_renewal(std::string_view name) const;
  /// Ends every session and token of the user at `committed`. Errors: kNotFound.
  Result<Pending> disable_user(std::string_view name);
  /// Errors: kNotFound.
  Result<Pending> change_role(std::string_view name, std::string_view role);
  /// Takes back the stop after limits::kFailuresUntilHardLock failures (K-03). Errors: kNotFound.
  Result<Pending> unlock_user(std::string_view name);
  /// From which networks the account may be used; nullopt: from any. Errors: kNotFound.
  Result<Pending> restrict_networks(std::string_view name, std::optional<std::vector<std::string>> networks);
  /// When the account ends by itself, with all that it has open; nullopt: never. Errors: kNotFound.
  Result<Pending> limit_until(std::string_view name, std::optional<Time> until);
  std::vector<UserView> users() const;
  std::optional<UserView> find_user(std::string_view name) const;
  /// Ids of the people who could sign in now and have a role that `is_meant`.
  std::vector<std::string> people(std::function<bool(std::string_view role)> const& is_meant) const;

  struct IssuedToken {
    Pending pending;
    Principal principal;
    std::string access_token;  // shown once
    Time expires;
  };
  /// A token for a service account. Errors: kForbidden (a person), kNotFound, kInvalid (lifetime over
  /// `longest`).
  Result<IssuedToken> issue_service_token(std::string_view name, std::chrono::seconds lifetime,
                                          std::chrono::seconds longest = limits::kServiceToken);
  Result<void> check_service_token(std::string_view name, std::chrono::seconds lifetime,
                                   std::chrono::seconds longest) const;
  /// For whom an application gets a token.
  struct Bearer {
    UserId user;
    std::optional<std::uint32_t> epoch;  // Principal::account_epoch of when he allowed it; nullopt: whichever
    Method method = Method::kToken;      // how he was recognised then
  };
  /// A token by which an application acts for somebody. It does not idle, and has no second factor that could
  /// be fresh. Errors: kUnauthenticated (there is no such account, it is disabled, or its tokens of then have
  /// ended).
  Result<IssuedToken> issue_application_token(Bearer const& bearer,
                                              std::shared_ptr<Application const> application,
                                              std::chrono::milliseconds lifetime, std::string_view address);
  /// Ends the tokens of applications that `is_meant` chooses, at once; the change erases their rows.
  Pending end_application_tokens(std::function<bool(Application const&)> const& is_meant);

  /// Binds a client certificate (SHA-256 of its DER) to a service account.
  Result<Pending> bind_certificate(std::string_view name, Digest const& certificate);

  // --- sign-in --------------------------------------------------------------------------------
  /// What a sign-in attempt came to. `pending` is committed with the audit event in every case. All
  /// failures look alike to the caller of the HTTP API; `reason` is for the audit log only.
  struct Attempt {
    Pending pending;
    std::optional<Principal> principal;  // set on success
    std::string access_token;
    Time expires;
    std::string actor_id;  // of the user named, when there is one
    Literal reason{"ok"};
    bool locked_now = false;                      // this failure locked the account: an alert
    bool counter_back = false;                    // a passkey that may have a copy: an alert
    bool throttled = false;                       // 429 with Retry-After in place of 401
    std::vector<Notice> notices = {};             // on success: what happened of late
    std::optional<EmergencyMode> emergency = {};  // on success of an emergency account: the one that is on
  };
  /// Password and second factor together. Burns the same Argon2 work whatever fails (S-08). Errors:
  /// kThrottled when too many hashes wait. `door`: on the administration socket, which only the server's own
  /// uid reaches, the stop after limits::kFailuresUntilHardLock failures does not hold, or a stranger could
  /// lock out the only administrator for good. The lock of 15 minutes holds there too.
  enum class Door : std::uint8_t { kNetwork, kSocket };
  Result<Attempt> login(std::string_view name, SecretBuffer const& password, SecondFactor const& factor,
                        std::string_view address, Door door = Door::kNetwork);

  /// After a sign-in that was right in every part and is refused all the same: what was shown is used up.
  Result<Pending> keep_used(Principal const& principal);

  /// First step of enrolment: sets the password under a one-time code and shows the TOTP secret.
  struct EnrolmentStep {
    Pending pending;
    std::string otpauth_uri;  // otpauth://totp/...
    std::string actor_id;
    std::string name;
  };
  /// Errors: kUnauthenticated (code unknown, used, expired: alike), kUnprocessable (password refused, the
  /// message tells which rule: K-01).
  Result<EnrolmentStep> enrol(std::string_view code, SecretBuffer const& password, std::string_view address);
  /// Second step: a right TOTP code consumes the enrolment code and completes the account.
  struct Enrolled {
    Pending pending;
    std::string actor_id;
    std::string name;
    std::vector<std::string> recovery_codes;  // shown once
  };
  Result<Enrolled> confirm_enrolment(std::string_view code, std::string_view totp, std::string_view address);

  // --- requests -------------------------------------------------------------------------------
  /// How long sessions of these roles last at most, beside what `open` was told: of both the shorter. Holds
  /// at once, also for those that are open.
  void hold_sessions_to(RoleTimes times);
  /// How long a session that this user begins now lasts.
  SessionTimes session_times(UserId const& user) const;
  /// Recognises an access token. Errors: kUnauthenticated (unknown, expired, idle too long, disabled).
  Result<Principal> authenticate_token(std::string_view token);
  /// Recognises a verified client certificate bound to a service account.
  Result<Principal> authenticate_certificate(Digest const& certificate);
  /// The person or service as the directory knows them now, for work that they asked for and that goes on
  /// without them. Errors: kForbidden (there is none, or disabled).
  Result<Principal> principal_for_work(UserId const& user,
                                       std::shared_ptr<Application const> application = nullptr) const;
  /// Asked again at the end of what takes long: is whoever was recognised still who he was? Errors:
  /// kUnauthenticated (disabled or given new factors since), kForbidden (given another role since).
  Result<void> confirm(Principal const& principal) const;
  /// The same, and binds `set` to it: whatever changes the account after this question makes the commit of
  /// `set` conflict, so that the log never shows an act of an account behind its end (S-11, S-12).
  Result<void> confirm(Principal const& principal, vault::WriteSet& set) const;
  /// Ends the session of a token. Errors: kUnauthenticated.
  Result<Pending> logout(std::string_view token);

  /// Name tried in a failed log-in, as the audit log keeps it: HMAC, hex.
  std::string hashed_name(std::string_view name) const;

 private:
  friend class EmergencyAccess;
  friend class OwnAccount;
  friend class Passkeys;
  friend class Provisioning;
  friend struct DirectoryTestAccess;  // sign_in_test.cpp: counts hashes
  struct State;
  Result<Pending> change_standing(std::string_view name, std::function<void(Standing&)> change);
  explicit Directory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::identity

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/limits.hpp"
#include "core/mutex.hpp"
#include "crypto/hash.hpp"
#include "crypto/password.hpp"
#include "identity/directory.hpp"
#include "identity/internal/account.hpp"
#include "identity/internal/challenge.hpp"
#include "identity/internal/hash_turns.hpp"
#include "identity/internal/throttle.hpp"
#include "identity/internal/token_plan.hpp"
#include "identity/relying_party.hpp"

namespace tacenda::identity {

/// Everything the directory knows. Lock order: none is held with another, but within the committer's turn.
struct Directory::State {
  State(vault::Vault& the_vault, Clock const& the_clock, crypto::Random& the_random,
        crypto::MacKey const& pepper_key, crypto::MacKey const& name_key, crypto::MacKey const& recovery_key,
        crypto::MacKey const& challenge_key)
      : vault(the_vault),
        clock(the_clock),
        random(the_random),
        rows(the_vault.sealed_view(vault::Keeper::kIdentity, vault::Purpose::kAuth)),
        pepper(pepper_key),
        names_tried(name_key),
        recovery(recovery_key),
        registrations(challenge_key),
        passkey_sign_ins(challenge_key) {}

  vault::Vault& vault;
  Clock const& clock;
  crypto::Random& random;
  vault::SealedView rows;
  crypto::Hmac pepper;
  crypto::Hmac names_tried;
  crypto::Hmac recovery;  // what recovery codes are stored under
  crypto::Argon2idCost cost;
  SessionTimes times;     // of the configuration
  std::string dummy_phc;  // what an unknown user's password is compared with

  mutable SharedMutex mutex;
  std::map<std::string, std::shared_ptr<Account>, std::less<>> by_name TACENDA_GUARDED_BY(mutex);
  std::map<std::string, std::shared_ptr<Account>, std::less<>> by_id TACENDA_GUARDED_BY(mutex);
  // Whose passkey a credential id is.
  std::map<std::string, std::shared_ptr<Account>, std::less<>> by_credential TACENDA_GUARDED_BY(mutex);
  std::unordered_map<Digest, std::shared_ptr<Token>, DigestHash> tokens TACENDA_GUARDED_BY(mutex);
  // Tokens that nobody can use any more and whose rows are still there: erased with the next token made.
  std::vector<Digest> dead TACENDA_GUARDED_BY(mutex);
  // By user and address.
  Throttle per_login TACENDA_GUARDED_BY(mutex){limits::kFailuresUntilLock, limits::kLockTime};
  Throttle per_address TACENDA_GUARDED_BY(mutex){limits::kFailuresPerAddress, limits::kLockTime};
  // What somebody who is signed in proves again: no stranger's failures stand in his way.
  Throttle per_session TACENDA_GUARDED_BY(mutex){limits::kFailuresUntilLock, limits::kLockTime};

  // One each: who fills one up does not stop the other.
  ChallengeBook registrations TACENDA_GUARDED_BY(mutex);
  ChallengeBook passkey_sign_ins TACENDA_GUARDED_BY(mutex);
  std::optional<RelyingParty> relying_party TACENDA_GUARDED_BY(mutex);

  Groups groups TACENDA_GUARDED_BY(mutex);
  GroupRoles group_roles TACENDA_GUARDED_BY(mutex);
  RoleTimes role_times TACENDA_GUARDED_BY(mutex);                    // of the policy
  std::optional<EmergencyMode> emergency TACENDA_GUARDED_BY(mutex);  // the last that a commit did not end

  HashTurns hash_turns;

  // Rows: u<id> account, c<id> counters, f<id> factors, s<id> standing, x<id> provisioned, o<id> OpenID
  // subject, z<id> sealed, g<id> group, t<token hash> token; kEmergencyKey emergency mode.
  static constexpr std::string_view kEmergencyKey = "m";
  static Bytes account_key(UserId const& id);
  static Bytes counters_key(Account const& account);
  static Bytes token_key(Digest const& hash);
  static Bytes group_key(std::string_view id);
  static std::string login_key(std::string_view name, std::string_view network);

  /// One Argon2 computation: at most as many at once as there are cores, a short queue, then kThrottled.
  Result<bool> verify_password(SecretBuffer const& normalized, std::string const& phc);
  Result<std::string> hash_password(SecretBuffer const& normalized);
  Digest peppered(SecretBuffer const& normalized) const { return pepper.sign({normalized.reveal()}); }

  using Rows = AccountRows;
  static constexpr Rows kCounters{};
  static constexpr Rows kAccount{.account = true};
  static constexpr Rows kFactors{.factors = true};
  static constexpr Rows kStanding{.standing = true};
  static constexpr Rows kAccountAndFactors{.account = true, .factors = true};

  /// A write set of the account's rows as they are in memory now, with what `make` opens.
  Result<vault::WriteSet> account_set(std::shared_ptr<Account> const& account, Rows written,
                                      MakeOpening const& make = {}) const;
  Result<void> put_account(vault::WriteSet& set, Account const& account, Rows written,
                           Opening const& opening = {}) const TACENDA_REQUIRES_SHARED(mutex);
  Result<void> put_emergency(vault::WriteSet& set, std::optional<EmergencyMode> const& mode) const;
  /// Errors: kConflict (who is meant at the OpenID provider has another account).
  Result<void> check_link(ProviderLink const& link, Account const& account) const
      TACENDA_REQUIRES_SHARED(mutex);
  /// The role that it has now: its own, or that of its groups. Empty: none.
  std::string role_of(Account const& account) const TACENDA_REQUIRES_SHARED(mutex);
  Pending pending(std::shared_ptr<Account> account, Rows written, MakeOpening make = {}) const;
  /// A change of the account of which its owner, if it is a person's, is told.
  Pending pending_told(std::shared_ptr<Account> account, Notice::Kind kind, MakeOpening make = {})
      TACENDA_REQUIRES(mutex);
  /// Has neither password nor enrolment, and is nowhere yet.
  Result<std::shared_ptr<Account>> new_account(NewUser const& user) const;
  /// An account that nobody finds before it is stored; `check` says, under the lock, whether it still may be.
  Pending pending_new(std::shared_ptr<Account> account, Rows written,
                      std::function<Result<void>()> check = {});
  Pending pending_standing(std::shared_ptr<Account> const& account, std::function<void(Standing&)> change)
      TACENDA_REQUIRES(mutex);
  /// The same as `pending`, and the rows of tokens that are gone from memory already.
  Pending pending_end(std::shared_ptr<Account> account, Rows written, std::vector<Digest> ended,
                      MakeOpening make = {});
  /// Takes the tokens of an account out of memory; the caller erases their rows.
  std::vector<Digest> end_tokens(Account const& account) TACENDA_REQUIRES(mutex);

  /// The one that `principal` came with. Errors: kUnauthenticated (it ended meanwhile).
  Result<Session> session_of(Account const& account, Principal const& principal) const
      TACENDA_REQUIRES_SHARED(mutex);
  /// After a change of factors, out of memory: every session of the account but its own, those too whose
  /// commit is under way (K-06).
  std::vector<Digest> end_others(Account& account, Session const& own) TACENDA_REQUIRES(mutex);
  Pending pending_factors(std::shared_ptr<Account> account, Session own, std::vector<Digest> ended,
                          std::move_only_function<void(bool)> finish = {});
  /// The session ends: too many failures of who should be its owner. Gives what to commit.
  Pending end_session(std::shared_ptr<Account> account, Session const& session) TACENDA_REQUIRES(mutex);

  /// Reads the rows of one kind, each of which belongs to the account of its key. Errors: kCorrupt.
  Result<void> read_rows(char kind, std::function<Result<void>(ByteView row, Account&)> const& decode)
      TACENDA_REQUIRES(mutex);

  std::shared_ptr<Account> find(std::string_view name) const;
  std::vector<std::shared_ptr<Account>> emergency_accounts() const TACENDA_REQUIRES_SHARED(mutex);
  /// The account whose pending enrolment has this code; nullptr.
  std::shared_ptr<Account> find_enrolment(std::string_view code) const TACENDA_REQUIRES_SHARED(mutex);

  /// What of the second factor is right.
  struct Shown {
    std::optional<std::uint64_t> step;    // of the TOTP code
    std::optional<std::size_t> recovery;  // which recovery code
    bool fresh = false;                   // it was not used before
    bool right() const { return step || recovery; }
  };
  Shown shown_by(Account const* account, SecondFactor const& factor, Time now) const
      TACENDA_REQUIRES_SHARED(mutex);
  /// The same under its own lock: what is decided later is asked again under the caller's.
  bool takes_factor(Account const* account, SecondFactor const& factor) const;
  /// Uses a factor up: from now on, even if the commit fails. Gives the rows that changed.
  Rows use_up(Account& account, Shown const& shown) TACENDA_REQUIRES(mutex);
  /// Counts a wrong proof of `account` (nullptr: of nobody) that came from `network`.
  void count_failure(std::shared_ptr<Account> const& account, std::string const& key,
                     std::string const& network, Attempt& attempt) TACENDA_REQUIRES(mutex);
  /// Counts a wrong proof of who is signed in; the last of limits::kFailuresUntilLock ends the session.
  void count_failure(std::shared_ptr<Account> const& account, Session const& session, Attempt& attempt)
      TACENDA_REQUIRES(mutex);
  void notify(Account& account, Notice::Kind kind) const TACENDA_REQUIRES(mutex);
  Digest recovery_mac(std::string_view code) const;
  Result<RecoveryCodes> make_recovery_codes() const;  // kUnavailable
  /// New ones in the place of all old ones; as they are printed. Errors: kUnavailable.
  Result<std::vector<std::string>> renew_recovery_codes(Account& account) TACENDA_REQUIRES(mutex);
  Result<std::string> random_code(std::size_t size_bytes) const;
  Principal principal_of(Account const& account, Token const& token, Method method) const
      TACENDA_REQUIRES_SHARED(mutex);
  /// A new token and the change that makes it real.
  struct NewToken {
    Pending pending;
    std::string text;
    std::shared_ptr<Token> token;
  };
  Result<NewToken> make_token(std::shared_ptr<Account> const& account, TokenPlan plan)
      TACENDA_REQUIRES_SHARED(mutex);
  /// A new session of who has shown what it takes; `attempt` gets it. Errors: those of make_token.
  Result<void> open_session(std::shared_ptr<Account> const& account, TokenPlan plan, Attempt& attempt)
      TACENDA_REQUIRES(mutex);
  /// Can its credential be used, and what came of it? Of an emergency account: emergency mode is on, and no
  /// other one was in which it was opened (internal/sealed.cpp).
  bool opens(Account const& account, Time now) const TACENDA_REQUIRES_SHARED(mutex);
  Result<void> still_opens(Account const& account) const;  // the same under its own lock; kUnauthenticated
  bool is_usable(Account const& account, Time now) const TACENDA_REQUIRES_SHARED(mutex);  // and is active
  /// Its credential is used, in the emergency that is on.
  void open_seal(Account& account, Attempt& attempt) const TACENDA_REQUIRES(mutex);
  SessionTimes times_of(Account const& account) const TACENDA_REQUIRES_SHARED(mutex);  // of its role
  /// May somebody still come in with it?
  bool is_live(Token const& token, Time now) const TACENDA_REQUIRES_SHARED(mutex);
  /// Takes the tokens nobody can use any more out of memory; gives up to kSweptAtOnce whose rows may go.
  std::vector<Digest> dead_rows();
  void erase_token(vault::WriteSet& set, Digest const& hash);
  /// Remembers tokens whose erasing was not committed.
  void keep_dead(bool committed, std::vector<Digest> const& ended);
};

}  // namespace tacenda::identity

#pragma once

#include <atomic>
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
#include "identity/internal/throttle.hpp"

namespace tacenda::identity {

struct DigestHash {
  std::size_t operator()(Digest const& digest) const {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof(value); ++i)
      value = value << 8U | std::to_integer<std::size_t>(digest[i]);
    return value;  // of a SHA-256: evenly spread already
  }
};

/// Everything the directory knows. Lock order: none is held together with another.
struct Directory::State {
  State(vault::Vault& the_vault, Clock const& the_clock, crypto::Random& the_random,
        crypto::MacKey const& pepper_key, crypto::MacKey const& name_key)
      : vault(the_vault),
        clock(the_clock),
        random(the_random),
        rows(the_vault.sealed_view(vault::Keeper::kIdentity, vault::Purpose::kAuth)),
        pepper(pepper_key),
        names_tried(name_key) {}

  vault::Vault& vault;
  Clock const& clock;
  crypto::Random& random;
  vault::SealedView rows;
  crypto::Hmac pepper;
  crypto::Hmac names_tried;
  crypto::Argon2idCost cost;
  std::string dummy_phc;  // what an unknown user's password is compared with

  mutable SharedMutex mutex;
  std::map<std::string, std::shared_ptr<Account>, std::less<>> by_name TACENDA_GUARDED_BY(mutex);
  std::map<std::string, std::shared_ptr<Account>, std::less<>> by_id TACENDA_GUARDED_BY(mutex);
  std::unordered_map<Digest, std::shared_ptr<Token>, DigestHash> tokens TACENDA_GUARDED_BY(mutex);
  // Tokens that nobody can use any more and whose rows are still there: erased with the next token made.
  std::vector<Digest> dead TACENDA_GUARDED_BY(mutex);
  Throttle per_login TACENDA_GUARDED_BY(mutex){limits::kFailuresUntilLock,
                                               limits::kLockTime};  // user + address
  Throttle per_address TACENDA_GUARDED_BY(mutex){limits::kFailuresPerAddress, limits::kLockTime};

  std::atomic<int> hashing{0};  // Argon2 computations at work or waiting
  Mutex hash_mutex;
  ConditionVariable hash_free;
  int hash_running TACENDA_GUARDED_BY(hash_mutex) = 0;

  // Rows: u<id> account, c<id> counters, t<token hash> token.
  static Bytes account_key(UserId const& id);
  static Bytes counters_key(Account const& account);
  static Bytes token_key(Digest const& hash);

  /// One Argon2 computation: at most as many at once as there are cores, a short queue, then kThrottled.
  Result<bool> verify_password(SecretBuffer const& normalized, std::string const& phc);
  Result<std::string> hash_password(SecretBuffer const& normalized);
  Digest peppered(SecretBuffer const& normalized) const { return pepper.sign({normalized.reveal()}); }

  /// A write set of the account's rows as they are in memory now.
  Result<vault::WriteSet> account_set(std::shared_ptr<Account> const& account, bool with_account) const;
  Pending pending(std::shared_ptr<Account> account, bool with_account,
                  std::move_only_function<void(bool)> finish = {});

  std::shared_ptr<Account> find(std::string_view name) const;
  /// The account whose pending enrolment has this code; nullptr.
  std::shared_ptr<Account> find_enrolment(std::string_view code) const TACENDA_REQUIRES_SHARED(mutex);

  bool takes_code(Account const* account, std::string_view totp) const;
  Result<std::string> random_code(std::size_t size_bytes) const;
  Principal principal_of(Account const& account, Token const& token, Method method) const;
  /// A new token and the change that makes it real.
  struct NewToken {
    Pending pending;
    std::string text;
    std::shared_ptr<Token> token;
  };
  enum class Rows : std::uint8_t { kToken, kCounters, kAccount };  // each with those before it
  Result<NewToken> make_token(std::shared_ptr<Account> const& account, std::chrono::milliseconds lifetime,
                              bool idles, Rows rows_of) TACENDA_REQUIRES_SHARED(mutex);
  /// A log-in that is right in every part: its code is used up, its failures are over, and `attempt` gets the
  /// session. Errors: those of make_token.
  Result<void> open_session(std::shared_ptr<Account> const& account, std::uint64_t step, std::string rehashed,
                            Attempt& attempt) TACENDA_REQUIRES(mutex);
  /// May somebody still come in with it?
  static bool is_live(Token const& token, Time now);
  /// Takes the tokens nobody can use any more out of memory; gives up to kSweptAtOnce whose rows may go.
  std::vector<Digest> dead_rows();

 private:
  class HashTurn;
};

}  // namespace tacenda::identity

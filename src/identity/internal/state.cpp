#include "identity/internal/state.hpp"

#include <algorithm>
#include <thread>

#include "codec/text.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kSweptAtOnce = 256;
constexpr int kHashQueue = 32;  // Argon2 computations that may wait; each takes about a tenth of a second

int hashes_at_once() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Bytes key_of(char kind, ByteView name) {
  Bytes key;
  key.reserve(1 + name.size());
  key.push_back(static_cast<std::byte>(kind));
  append(key, name);
  return key;
}

}  // namespace

/// A turn at Argon2, given back with the scope.
class Directory::State::HashTurn {
 public:
  static Result<std::unique_ptr<HashTurn>> take(State& state) {
    if (state.hashing.fetch_add(1) >= kHashQueue) {
      state.hashing.fetch_sub(1);
      return fail(ErrorKind::kThrottled, "too many log-ins at once");
    }
    MutexLock const lock(state.hash_mutex);
    while (state.hash_running >= hashes_at_once()) state.hash_free.wait(state.hash_mutex);
    ++state.hash_running;
    return std::unique_ptr<HashTurn>(new HashTurn(state));
  }
  ~HashTurn() {
    {
      MutexLock const lock(state_.hash_mutex);
      --state_.hash_running;
    }
    state_.hash_free.notify_one();
    state_.hashing.fetch_sub(1);
  }
  HashTurn(HashTurn const&) = delete;
  HashTurn& operator=(HashTurn const&) = delete;

 private:
  explicit HashTurn(State& state) : state_(state) {}
  State& state_;
};

Bytes Directory::State::account_key(UserId const& id) {
  return key_of('u', as_bytes(id.view()));
}
Bytes Directory::State::counters_key(Account const& account) {
  return key_of('c', as_bytes(account.id.view()));
}
Bytes Directory::State::token_key(Digest const& hash) {
  return key_of('t', hash);
}

Result<bool> Directory::State::verify_password(SecretBuffer const& normalized, std::string const& phc) {
  auto const turn = TACENDA_TRY(HashTurn::take(*this));
  return crypto::verify_password(peppered(normalized), phc);
}

Result<std::string> Directory::State::hash_password(SecretBuffer const& normalized) {
  auto const turn = TACENDA_TRY(HashTurn::take(*this));
  return crypto::hash_password(peppered(normalized), cost, random);
}

Result<vault::WriteSet> Directory::State::account_set(std::shared_ptr<Account> const& account,
                                                      bool with_account) const {
  vault::WriteSet set;
  // Read first, then look at memory: whoever commits in between makes this set conflict, and it is built
  // anew.
  set.read_at(vault.order().committed());
  ReadLock const lock(mutex);
  Bytes const key = counters_key(*account);
  set.depends_on(rows.guard(key));
  set.touches(rows.guard(key));
  TACENDA_TRY_VOID(rows.put(set, key, encode_counters(*account)));
  if (with_account) {
    Bytes const account_row = account_key(account->id);
    set.depends_on(rows.guard(account_row));
    set.touches(rows.guard(account_row));
    auto const plaintext = encode_account(*account);
    TACENDA_TRY_VOID(rows.put(set, account_row, plaintext.reveal()));
  }
  return set;
}

Pending Directory::State::pending(std::shared_ptr<Account> account, bool with_account,
                                  std::move_only_function<void(bool)> finish) {
  return Pending(
      [this, account = std::move(account), with_account] { return account_set(account, with_account); },
      std::move(finish));
}

std::shared_ptr<Account> Directory::State::find(std::string_view name) const {
  ReadLock const lock(mutex);
  auto const found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::shared_ptr<Account> Directory::State::find_enrolment(std::string_view code) const {
  Digest const hash = crypto::sha256(as_bytes(code));
  for (auto const& [name, account] : by_name) {
    auto const& enrolment = account->enrolment;
    if (enrolment && account->enabled && crypto::equal_constant_time(enrolment->code_hash, hash) &&
        clock.now() < enrolment->expires) {
      return account;
    }
  }
  return nullptr;
}

Result<std::string> Directory::State::random_code(std::size_t size_bytes) const {
  SecretBuffer bytes(size_bytes);
  TACENDA_TRY_VOID(random.fill(bytes.reveal_mutable()));
  return codec::base64url_encode(bytes.reveal());
}

Principal Directory::State::principal_of(Account const& account, Token const& token, Method method) const {
  Principal principal(account.id, account.name, account.role);
  principal.is_service_ = account.is_service;
  principal.patient_ = account.patient;
  principal.method_ = method;
  principal.token_id_ = token.token_id;
  principal.second_factor_at_ = token.second_factor_at;
  principal.epoch_ = account.token_epoch;
  return principal;
}

bool Directory::State::is_live(Token const& token, Time now) {
  auto const& account = *token.account;
  if (!account.enabled || token.epoch != account.token_epoch) return false;
  Time const last_used = from_unix_ms(token.last_used_ms.load());
  bool const idle = token.idles && now - last_used >= limits::kSessionIdle;
  return !idle && now < token.expires;
}

std::vector<Digest> Directory::State::dead_rows() {
  WriteLock const lock(mutex);
  Time const now = clock.now();
  std::erase_if(tokens, [&](auto const& item) TACENDA_REQUIRES(mutex) {
    if (is_live(*item.second, now)) return false;
    dead.push_back(item.first);
    return true;
  });
  return {dead.begin(), dead.begin() + static_cast<std::ptrdiff_t>(std::min(dead.size(), kSweptAtOnce))};
}

Result<Directory::State::NewToken> Directory::State::make_token(std::shared_ptr<Account> const& account,
                                                                std::chrono::milliseconds lifetime,
                                                                bool idles, Rows rows_of) {
  NewToken made;
  made.text = TACENDA_TRY(random_code(32));
  made.token = std::make_shared<Token>();
  made.token->account = account;
  made.token->token_id = TACENDA_TRY(random_code(16));
  made.token->created = clock.now();
  made.token->expires = made.token->created + lifetime;
  made.token->second_factor_at =
      idles ? made.token->created : Time{};  // a service account has no second factor
  made.token->epoch = account->token_epoch;
  made.token->idles = idles;
  made.token->last_used_ms = to_unix_ms(made.token->created);
  Digest const hash = crypto::sha256(as_bytes(made.text));
  auto swept = std::make_shared<std::vector<Digest>>();  // shared by the two closures of one Pending
  auto make_set = [this, token = made.token, hash, rows_of, swept]() -> Result<vault::WriteSet> {
    vault::WriteSet set;
    if (rows_of != Rows::kToken) set = TACENDA_TRY(account_set(token->account, rows_of == Rows::kAccount));
    TACENDA_TRY_VOID(rows.put(set, token_key(hash), encode_token(*token)));
    *swept = dead_rows();
    for (auto const& gone : *swept) rows.erase(set, token_key(gone));
    return set;
  };
  auto finish = [this, token = made.token, hash, swept](bool committed) {
    if (!committed) return;
    WriteLock const lock(mutex);
    std::erase_if(dead, [&](Digest const& gone) { return std::ranges::find(*swept, gone) != swept->end(); });
    // Disabled or given new factors meanwhile: the token must not live (S-11). Its row is dead by its epoch.
    if (token->account->enabled && token->epoch == token->account->token_epoch) {
      tokens.emplace(hash, token);
    } else {
      dead.push_back(hash);
    }
  };
  made.pending = Pending(std::move(make_set), std::move(finish));
  return made;
}

}  // namespace tacenda::identity

#include "identity/internal/state.hpp"

#include <algorithm>
#include <thread>

#include "codec/text.hpp"
#include "core/limits.hpp"

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
Bytes Directory::State::group_key(std::string_view id) {
  return key_of('g', as_bytes(id));
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
                                                      Rows written) const {
  vault::WriteSet set;
  // Read first, then look at memory: whoever commits in between makes this set conflict, and it is built
  // anew.
  set.read_at(vault.order().committed());
  ReadLock const lock(mutex);
  TACENDA_TRY_VOID(put_account(set, *account, written));
  return set;
}

Result<void> Directory::State::put_account(vault::WriteSet& set, Account const& account, Rows written) const {
  auto const put = [&](Bytes const& key, ByteView row) -> Result<void> {
    set.depends_on(rows.guard(key));
    set.touches(rows.guard(key));
    return rows.put(set, key, row);
  };
  ByteView const id = as_bytes(account.id.view());
  TACENDA_TRY_VOID(put(counters_key(account), encode_counters(account)));
  if (written.account) {
    auto const plaintext = encode_account(account);
    TACENDA_TRY_VOID(put(account_key(account.id), plaintext.reveal()));
  }
  if (written.factors) TACENDA_TRY_VOID(put(key_of('f', id), encode_factors(account)));
  if (written.standing) TACENDA_TRY_VOID(put(key_of('s', id), encode_standing(*account.standing)));
  auto const put_or_erase = [&](Bytes const& key, std::optional<Bytes> const& row) -> Result<void> {
    if (row) return put(key, *row);
    rows.erase(set, key);
    set.depends_on(rows.guard(key));
    set.touches(rows.guard(key));
    return {};
  };
  auto const& provisioned = account.provisioned;
  if (written.provisioned)
    TACENDA_TRY_VOID(put_or_erase(
        key_of('x', id), provisioned ? std::optional(encode_provisioned(*provisioned)) : std::nullopt));
  if (written.provider)
    TACENDA_TRY_VOID(put_or_erase(
        key_of('o', id),
        account.provider ? std::optional(encode_provider_link(*account.provider)) : std::nullopt));
  if (written.sealed) TACENDA_TRY_VOID(put(key_of('z', id), encode_sealed(*account.sealed)));
  return {};
}

std::string Directory::State::role_of(Account const& account) const {
  auto const& provisioned = account.provisioned;
  if (!provisioned || provisioned->keeps_role) return account.role;
  std::vector<std::string_view> names;
  for (auto const& id : provisioned->groups) {
    auto const group = groups.find(id);
    if (group == groups.end()) continue;
    names.emplace_back(group->second->display_name);
    if (!group->second->external_id.empty()) names.emplace_back(group->second->external_id);
  }
  return group_roles.role_of(names);
}

Pending Directory::State::pending(std::shared_ptr<Account> account, Rows written,
                                  std::move_only_function<void(bool)> finish) {
  return Pending([this, account = std::move(account), written] { return account_set(account, written); },
                 std::move(finish));
}

Pending Directory::State::pending_told(std::shared_ptr<Account> account, Notice::Kind kind,
                                       std::move_only_function<void(bool)> finish) {
  if (account->is_service) return pending(std::move(account), kAccount, std::move(finish));
  notify(*account, kind);
  return pending(account, kAccountAndFactors,
                 [this, account, kind, finish = std::move(finish)](bool committed) mutable {
                   if (finish) finish(committed);
                   if (committed) return;
                   WriteLock const lock(mutex);
                   auto& notices = account->notices;
                   auto const last = std::ranges::find(notices.rbegin(), notices.rend(), kind, &Notice::kind);
                   if (last != notices.rend()) notices.erase(std::prev(last.base()));
                 });
}

void Directory::State::erase_token(vault::WriteSet& set, Digest const& hash) {
  Bytes const key = token_key(hash);
  rows.erase(set, key);
  set.touches(rows.guard(key));  // whoever writes it anew at the same time does it again
}

Pending Directory::State::pending_end(std::shared_ptr<Account> account, Rows written,
                                      std::vector<Digest> ended) {
  return Pending(
      [this, account = std::move(account), written, ended]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account_set(account, written));
        // Gone from the store too: nothing that happens to the account later may revive them.
        for (auto const& hash : ended) erase_token(set, hash);
        return set;
      },
      [this, ended](bool committed) { keep_dead(committed, ended); });
}

void Directory::State::keep_dead(bool committed, std::vector<Digest> const& ended) {
  if (committed) return;
  WriteLock const lock(mutex);
  dead.insert(dead.end(), ended.begin(), ended.end());
}

std::vector<Digest> Directory::State::end_tokens(Account const& account) {
  std::vector<Digest> ended;
  for (auto const& [hash, token] : tokens) {
    if (token->account.get() == &account) ended.push_back(hash);
  }
  for (auto const& hash : ended) tokens.erase(hash);
  return ended;
}

Result<Directory::State::Session> Directory::State::session_of(Account const& account,
                                                               Principal const& principal) const {
  for (auto const& [hash, token] : tokens) {
    bool const is_own = token->account.get() == &account && token->token_id == principal.token_id();
    if (is_own && is_live(*token, clock.now())) return Session{hash, token};
  }
  return fail(ErrorKind::kUnauthenticated, "the access token is not valid any more");
}

std::vector<Digest> Directory::State::end_others(Account& account, Session const& own) {
  tokens.erase(own.hash);
  auto ended = end_tokens(account);
  own.token->epoch = ++account.token_epoch;
  tokens.emplace(own.hash, own.token);
  return ended;
}

Pending Directory::State::pending_factors(std::shared_ptr<Account> account, Session own,
                                          std::vector<Digest> ended,
                                          std::move_only_function<void(bool)> finish) {
  return Pending(
      [this, account = std::move(account), own = std::move(own), ended]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account_set(account, kAccountAndFactors));
        Bytes const key = token_key(own.hash);
        set.depends_on(rows.guard(key));
        for (auto const& hash : ended) erase_token(set, hash);
        ReadLock const lock(mutex);
        // Not when it was ended meanwhile: its row must not come back.
        if (tokens.contains(own.hash)) TACENDA_TRY_VOID(rows.put(set, key, encode_token(*own.token)));
        return set;
      },
      [this, ended, finish = std::move(finish)](bool committed) mutable {
        keep_dead(committed, ended);
        if (finish) finish(committed);
      });
}

Pending Directory::State::end_session(std::shared_ptr<Account> account, Session const& session) {
  tokens.erase(session.hash);
  return pending_end(std::move(account), kFactors, {session.hash});
}

std::string Directory::State::login_key(std::string_view name, std::string_view network) {
  // Cut: a name may be as long as a request, and the throttle keeps many.
  return std::string(name.substr(0, limits::kUserNameBytes + 1)) + "\n" + std::string(network);
}

Result<void> Directory::State::read_rows(char kind,
                                         std::function<Result<void>(ByteView row, Account&)> const& decode) {
  return rows.scan(key_of(kind, {}), [&](ByteView key, ByteView row) TACENDA_REQUIRES(mutex) -> Result<bool> {
    auto const found = by_id.find(as_text(key.subspan(1)));
    if (found == by_id.end()) return fail(ErrorKind::kCorrupt, "a directory row belongs to nobody");
    TACENDA_TRY_VOID(decode(row, *found->second));
    return true;
  });
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
    if (enrolment && account->is_active(clock.now()) &&
        crypto::equal_constant_time(enrolment->code_hash, hash) && clock.now() < enrolment->expires) {
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
  Principal principal(account.id, account.name, role_of(account));
  principal.is_service_ = account.is_service;
  principal.is_emergency_ = account.sealed != nullptr;
  principal.patient_ = account.patient;
  principal.method_ = method;
  principal.token_id_ = token.token_id;
  principal.second_factor_at_ = token.second_factor_at;
  principal.standing_ = account.standing;
  principal.account_created_ = account.created;
  principal.epoch_ = account.token_epoch;
  principal.application_ = token.application;
  principal.expires_ = token.expires;
  return principal;
}

SessionTimes Directory::State::times_of(Account const& account) const {
  auto const found = role_times.find(role_of(account));
  return found == role_times.end() ? times : shorter_of(times, found->second);
}

bool Directory::State::is_live(Token const& token, Time now) const {
  auto const& account = *token.account;
  if (!is_usable(account, now) || token.epoch != account.token_epoch || now >= token.expires) return false;
  if (!token.idles) return true;
  // By what holds now: sessions made when they could last longer, or in another role, end as those of now do.
  auto const lasts = times_of(account);
  Time const last_used = from_unix_ms(token.last_used_ms.load());
  return now - last_used < lasts.idle && now - token.created < lasts.absolute;
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
                                                                TokenPlan plan) {
  NewToken made;
  made.text = TACENDA_TRY(random_code(32));
  made.token = std::make_shared<Token>();
  made.token->account = account;
  made.token->token_id = TACENDA_TRY(random_code(16));
  Time const now = clock.now();
  made.token->created = plan.begun.value_or(now);
  made.token->expires = now + plan.lifetime;
  made.token->second_factor_at =
      plan.second_factor_at.value_or(plan.idles ? now : Time{});  // a service account has none
  made.token->epoch = account->token_epoch;
  made.token->idles = plan.idles;
  made.token->method = plan.method;
  made.token->address = std::move(plan.address);
  made.token->application = std::move(plan.application);
  made.token->last_used_ms = to_unix_ms(now);
  Digest const hash = crypto::sha256(as_bytes(made.text));
  auto swept = std::make_shared<std::vector<Digest>>();  // shared by the two closures of one Pending
  auto make_set = [this, token = made.token, hash, written = plan.written, ended = plan.ended,
                   swept]() -> Result<vault::WriteSet> {
    vault::WriteSet set;
    if (written) set = TACENDA_TRY(account_set(token->account, *written));
    // After the reads of the set: an end that comes later makes its commit conflict.
    TACENDA_TRY_VOID(still_opens(*token->account));
    for (auto const& gone : ended) erase_token(set, gone);
    TACENDA_TRY_VOID(rows.put(set, token_key(hash), encode_token(*token)));
    *swept = dead_rows();
    for (auto const& gone : *swept) erase_token(set, gone);
    return set;
  };
  auto finish = [this, token = made.token, hash, swept, ended = std::move(plan.ended)](bool committed) {
    keep_dead(committed, ended);
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

void Directory::State::notify(Account& account, Notice::Kind kind) const {
  // Strangers can have an account locked as often as they like: that must not push out what else happened.
  if (kind == Notice::Kind::kLocked)
    std::erase_if(account.notices, [](auto const& of) { return of.kind == Notice::Kind::kLocked; });
  account.notices.push_back({kind, clock.now()});
  if (account.notices.size() > limits::kNoticesKept) account.notices.erase(account.notices.begin());
}

Digest Directory::State::recovery_mac(std::string_view code) const {
  return recovery.sign({plain_code(code.substr(0, 4 * limits::kRecoveryCodeBytes)).reveal()});
}

Result<RecoveryCodes> Directory::State::make_recovery_codes() const {
  RecoveryCodes made;
  for (std::size_t i = 0; i < limits::kRecoveryCodes; ++i) {
    SecretBuffer bytes(limits::kRecoveryCodeBytes);
    TACENDA_TRY_VOID(random.fill(bytes.reveal_mutable()));
    std::string const text = codec::base32_encode(bytes.reveal());
    made.macs.push_back(recovery_mac(text));
    made.codes.push_back(printed_code(text));
  }
  return made;
}

Result<std::vector<std::string>> Directory::State::renew_recovery_codes(Account& account) {
  auto made = TACENDA_TRY(make_recovery_codes());
  account.recovery_codes = std::move(made.macs);
  return std::move(made.codes);
}

}  // namespace tacenda::identity

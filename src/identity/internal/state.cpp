#include "identity/internal/state.hpp"

#include <algorithm>

#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kSweptAtOnce = 256;

Bytes key_of(char kind, ByteView name) {
  Bytes key;
  key.reserve(1 + name.size());
  key.push_back(static_cast<std::byte>(kind));
  append(key, name);
  return key;
}

}  // namespace

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
  auto const turn = TACENDA_TRY(hash_turns.take());
  return crypto::verify_password(peppered(normalized), phc);
}

Result<std::string> Directory::State::hash_password(SecretBuffer const& normalized) {
  auto const turn = TACENDA_TRY(hash_turns.take());
  return crypto::hash_password(peppered(normalized), cost, random);
}

Result<vault::WriteSet> Directory::State::account_set(std::shared_ptr<Account> const& account, Rows written,
                                                      MakeOpening const& make) const {
  vault::WriteSet set;
  // Read first, then look at memory: whoever commits in between makes this set conflict, and it is built
  // anew.
  set.read_at(vault.order().committed());
  ReadLock const lock(mutex);
  Opening opening;
  if (make) opening = TACENDA_TRY(make());
  TACENDA_TRY_VOID(put_account(set, *account, written, opening));
  if (!make) return set;
  set.when_stored([this, account, opening] {
    WriteLock const relock(mutex);
    account->receive(opening);
  });
  return set;
}

Result<void> Directory::State::put_account(vault::WriteSet& set, Account const& account, Rows written,
                                           Opening const& opening) const {
  auto const alone = [&](Bytes const& key) {
    set.depends_on(rows.guard(key));
    set.touches(rows.guard(key));
  };
  auto const put = [&](Bytes const& key, ByteView row) -> Result<void> {
    alone(key);
    return rows.put(set, key, row);
  };
  ByteView const id = as_bytes(account.id.view());
  TACENDA_TRY_VOID(put(counters_key(account), encode_counters(account, opening)));
  if (written.account) {
    auto const plaintext = encode_account(account, opening);
    TACENDA_TRY_VOID(put(account_key(account.id), plaintext.reveal()));
  }
  if (written.factors) TACENDA_TRY_VOID(put(key_of('f', id), encode_factors(account)));
  auto const& standing = opening.standing ? opening.standing : account.standing;
  if (written.standing) {
    TACENDA_TRY_VOID(put(key_of('s', id), encode_standing(*standing)));
    // His end may have come nearer: nothing is committed for who was confirmed before (S-11).
    set.touches(rows.guard(account_key(account.id)));
  }
  auto const put_or_erase = [&](Bytes const& key, std::optional<Bytes> const& row) -> Result<void> {
    if (row) return put(key, *row);
    rows.erase(set, key);
    alone(key);
    return {};
  };
  auto const& provisioned = opening.provisioned ? *opening.provisioned : account.provisioned;
  if (written.provisioned)
    TACENDA_TRY_VOID(put_or_erase(
        key_of('x', id), provisioned ? std::optional(encode_provisioned(*provisioned)) : std::nullopt));
  auto const& provider = opening.provider ? opening.provider : account.provider;
  if (written.provider)
    TACENDA_TRY_VOID(put_or_erase(key_of('o', id),
                                  provider ? std::optional(encode_provider_link(*provider)) : std::nullopt));
  if (written.sealed) TACENDA_TRY_VOID(put(key_of('z', id), encode_sealed(*account.sealed)));
  // No rows of their own: two accounts that are given the same at once must not both get it.
  if (opening.certificate) alone(key_of('k', *opening.certificate));
  if (opening.provider) alone(key_of('l', encode_provider_link(*opening.provider)));
  return {};
}

std::string Directory::State::role_of(Account const& account) const {
  auto const& provisioned = account.provisioned;
  if (!provisioned || provisioned->keeps_role) return account.role;
  return group_roles.role_of(*provisioned, groups);
}

Pending Directory::State::pending(std::shared_ptr<Account> account, Rows written, MakeOpening make) const {
  return Pending([this, account = std::move(account), written, make = std::move(make)] {
    return account_set(account, written, make);
  });
}

Pending Directory::State::pending_told(std::shared_ptr<Account> account, Notice::Kind kind,
                                       MakeOpening make) {
  if (account->is_service) return pending(std::move(account), kAccount, std::move(make));
  notify(*account, kind);
  auto told = pending(account, kAccountAndFactors, std::move(make));
  told.on_failure([this, account = std::move(account), kind] {
    WriteLock const lock(mutex);
    auto& notices = account->notices;
    auto const last = std::ranges::find(notices.rbegin(), notices.rend(), kind, &Notice::kind);
    if (last != notices.rend()) notices.erase(std::prev(last.base()));
  });
  return told;
}

Pending Directory::State::pending_new(std::shared_ptr<Account> account, Rows written,
                                      std::function<Result<void>()> check) {
  return Pending(
      [this, account = std::move(account), written, check = std::move(check)]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account_set(account, written));
        // One after the other, so that no two get one name.
        auto const names = rows.guard(as_bytes("n"));
        set.depends_on(names);
        set.touches(names);
        ReadLock const lock(mutex);
        if (by_name.contains(account->name))
          return fail(ErrorKind::kConflict, "this user name exists or existed");
        if (check) TACENDA_TRY_VOID(check());
        set.when_stored([this, account] {
          WriteLock const relock(mutex);
          by_name.emplace(account->name, account);
          by_id.emplace(std::string(account->id.view()), account);
        });
        return set;
      });
}

Pending Directory::State::pending_standing(std::shared_ptr<Account> const& account,
                                           std::function<void(Standing&)> change) {
  auto const old = account->standing;
  Standing next = *old;
  change(next);
  // An earlier end, and networks where there were none, hold at once. What is later or wider does not; and a
  // list in the place of another is both.
  Standing closer = *old;
  if (next.until && (!closer.until || *next.until < *closer.until)) closer.until = next.until;
  if (!closer.networks) closer.networks = next.networks;
  auto const meanwhile = std::make_shared<Standing const>(std::move(closer));
  account->standing = meanwhile;
  auto changed = pending(account, kStanding, [account, change = std::move(change)]() -> Result<Opening> {
    auto standing = std::make_shared<Standing>(*account->standing);
    change(*standing);
    return Opening{.standing = std::move(standing)};
  });
  changed.on_failure([this, account, meanwhile, old] {
    WriteLock const lock(mutex);
    if (account->standing == meanwhile) account->standing = old;
  });
  return changed;
}

void Directory::State::erase_token(vault::WriteSet& set, Digest const& hash) {
  Bytes const key = token_key(hash);
  rows.erase(set, key);
  set.touches(rows.guard(key));  // whoever writes it anew at the same time does it again
}

Pending Directory::State::pending_end(std::shared_ptr<Account> account, Rows written,
                                      std::vector<Digest> ended, MakeOpening make) {
  return Pending(
      [this, account = std::move(account), written, ended,
       make = std::move(make)]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(account_set(account, written, make));
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

Result<Session> Directory::State::session_of(Account const& account, Principal const& principal) const {
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
  auto make_set = [this, token = made.token, hash, written = plan.written, link = plan.link,
                   ended = plan.ended, swept]() -> Result<vault::WriteSet> {
    vault::WriteSet set;
    auto const opens = [this, token, link]() TACENDA_REQUIRES_SHARED(mutex) -> Result<Opening> {
      if (!link) return Opening();
      auto const& linked = *token->account;
      if (linked.provider || linked.token_epoch != token->epoch)
        return fail(ErrorKind::kUnauthenticated, "the account was changed meanwhile");
      TACENDA_TRY_VOID(check_link(*link, linked));
      return Opening{.provider = link};
    };
    if (written) set = TACENDA_TRY(account_set(token->account, *written, opens));
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

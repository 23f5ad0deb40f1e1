// Log-in, enrolment and the recognition of tokens and certificates.
#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "codec/text.hpp"
#include "crypto/totp.hpp"
#include "identity/directory.hpp"
#include "identity/internal/state.hpp"
#include "identity/password_rules.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kTotpSecretBytes = 20;       // RFC 4226 section 4, R6: 160 bits
constexpr std::uint32_t kConfirmFailuresMax = 10;  // wrong codes until an enrolment is over

/// What failures are counted under: of an IPv6 address its /64, which is what one subscriber is given.
std::string network_of(std::string_view address) {
  std::string text(address);
  std::array<std::byte, 16> bytes{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  return codec::hex_encode(ByteView(bytes).first(8));
}

std::string login_key(std::string_view name, std::string_view network) {
  // Cut: a name may be as long as a request, and the throttle keeps many.
  return std::string(name.substr(0, limits::kUserNameBytes + 1)) + "\n" + std::string(network);
}

std::string otpauth(std::string_view name, SecretBuffer const& secret) {
  return "otpauth://totp/Tacenda:" + codec::percent_encode(name) +
         "?secret=" + codec::base32_encode(secret.reveal()) +
         "&issuer=Tacenda&algorithm=SHA1&digits=6&period=30";
}

/// Why a log-in failed, for the log; the caller is never told.
struct Failure {
  bool is_active_person;
  bool hard_locked;
  bool blocked;
  bool known;
  bool password_right;
  bool code_right;
};
Literal reason_of(Failure const& failure) {
  if (!failure.is_active_person) return "unknown or disabled user";
  if (failure.hard_locked) return "stopped after 100 failures";
  if (failure.blocked) return "locked after 5 failures from this address";
  if (!failure.known) return "not enrolled";
  if (!failure.password_right) return "wrong password";
  return failure.code_right ? Literal("second factor used before") : Literal("wrong second factor");
}

}  // namespace

/// Would this code be accepted now? Takes the lock: what the log-in decides is asked again under its own.
bool Directory::State::takes_code(Account const* account, std::string_view totp) const {
  ReadLock const lock(mutex);
  if (account == nullptr || account->is_service || account->totp_secret.empty()) return false;
  auto const step = crypto::match_totp(account->totp_secret, totp, crypto::totp_step(clock.now()));
  return step && *step > account->totp_last_step;
}

Result<void> Directory::State::open_session(std::shared_ptr<Account> const& account, std::uint64_t step,
                                            std::string rehashed, Attempt& attempt) {
  account->totp_last_step = step;  // used from now on, even if the commit fails
  account->failures = 0;
  account->last_login = clock.now();
  Rows const rows_changed = rehashed.empty() ? Rows::kCounters : Rows::kAccount;
  if (!rehashed.empty()) account->password_phc = std::move(rehashed);
  auto made = TACENDA_TRY(make_token(account, limits::kSessionAbsolute, true, rows_changed));
  attempt.pending = std::move(made.pending);
  attempt.principal = principal_of(*account, *made.token, Method::kSession);
  attempt.access_token = std::move(made.text);
  attempt.expires = made.token->expires;
  return {};
}

Result<Directory::Attempt> Directory::login(std::string_view name, SecretBuffer const& password,
                                            std::string_view totp, std::string_view address, Door door) {
  State& state = *state_;
  Attempt attempt;
  std::string const network = network_of(address);
  std::string const key = login_key(name, network);
  auto const account = name.size() <= limits::kUserNameBytes ? state.find(name) : nullptr;
  bool const is_person = account && !account->is_service;
  if (is_person) attempt.actor_id = account->id.view();
  std::string phc = state.dummy_phc;
  {
    ReadLock const lock(state.mutex);
    if (state.per_address.is_blocked(network, state.clock.now())) attempt.throttled = true;
    if (is_person && !account->password_phc.empty()) phc = account->password_phc;
  }
  if (attempt.throttled) {
    attempt.reason = Literal("too many failures from this address");
    return attempt;
  }
  // One Argon2 computation whatever comes out, so that time tells nothing about who exists (S-08).
  auto const normalized = normalize_password(password);
  SecretBuffer const empty;
  bool const password_right =
      TACENDA_TRY(state.verify_password(normalized.has_value() ? *normalized : empty, phc));
  // Only for a log-in that is right in every part: a second hash for a right password alone would tell by its
  // time that the password was right.
  std::string rehashed;
  if (password_right && normalized.has_value() && crypto::needs_rehash(phc, state.cost) &&
      state.takes_code(account.get(), totp))
    rehashed = TACENDA_TRY(state.hash_password(*normalized));

  WriteLock const lock(state.mutex);
  Time const now = state.clock.now();
  // Asked after the hash: of many guesses sent at once, those behind the fifth wrong one do not count.
  bool const blocked = state.per_login.is_blocked(key, now) || state.per_address.is_blocked(network, now);
  std::optional<std::uint64_t> step;
  if (is_person && !account->totp_secret.empty()) {
    step = crypto::match_totp(account->totp_secret, totp, crypto::totp_step(now));
  }
  bool const known =
      is_person && account->enabled && !account->password_phc.empty() && phc == account->password_phc;
  bool const hard_locked =
      is_person && door == Door::kNetwork && account->failures >= limits::kFailuresUntilHardLock;
  bool const fresh = step && *step > account->totp_last_step;
  if (known && !blocked && !hard_locked && normalized.has_value() && password_right && fresh) {
    TACENDA_TRY_VOID(state.open_session(account, *step, std::move(rehashed), attempt));
    state.per_login.succeed(key);
    return attempt;
  }
  attempt.reason = reason_of(
      {is_person && account->enabled, hard_locked, blocked, known, password_right, step.has_value()});
  state.per_address.fail(network, now);
  // A try behind the lock tested nothing. It is not counted, or one address could lock a person out
  // everywhere (K-03), and the lock would never end.
  if (blocked) return attempt;
  attempt.locked_now = state.per_login.fail(key, now) && is_person;
  if (is_person) {
    if (account->failures < limits::kFailuresUntilHardLock) ++account->failures;
    attempt.locked_now = attempt.locked_now || account->failures == limits::kFailuresUntilHardLock;
    attempt.pending = state.pending(account, false);
  }
  return attempt;
}

Result<Directory::EnrolmentStep> Directory::enrol(std::string_view code, SecretBuffer const& password,
                                                  std::string_view address) {
  State& state = *state_;
  std::shared_ptr<Account> account;
  std::string name;
  {
    WriteLock const lock(state.mutex);
    Time const now = state.clock.now();
    if (state.per_address.is_blocked(network_of(address), now)) {
      return fail(ErrorKind::kThrottled, "too many failures from this address");
    }
    account = state.find_enrolment(code);
    if (!account) {
      state.per_address.fail(network_of(address), now);
      return fail(ErrorKind::kUnauthenticated, "the enrolment code is unknown, used or expired");
    }
    name = account->name;
  }
  auto const normalized = TACENDA_TRY(normalize_password(password));
  TACENDA_TRY_VOID(check_new_password(normalized, name));
  auto phc = TACENDA_TRY(state.hash_password(normalized));
  SecretBuffer secret(kTotpSecretBytes);
  TACENDA_TRY_VOID(state.random.fill(secret.reveal_mutable()));

  EnrolmentStep result;
  WriteLock const lock(state.mutex);
  // The code may have been used while the password was hashed.
  if (state.find_enrolment(code) != account) {
    return fail(ErrorKind::kUnauthenticated, "the enrolment code is unknown, used or expired");
  }
  result.otpauth_uri = otpauth(account->name, secret);
  result.actor_id = account->id.view();
  result.name = account->name;
  account->enrolment->password_phc = std::move(phc);
  account->enrolment->totp_secret = std::move(secret);
  result.pending = state.pending(account, true);
  return result;
}

Result<Directory::Enrolled> Directory::confirm_enrolment(std::string_view code, std::string_view totp,
                                                         std::string_view address) {
  State& state = *state_;
  WriteLock const lock(state.mutex);
  Time const now = state.clock.now();
  if (state.per_address.is_blocked(network_of(address), now)) {
    return fail(ErrorKind::kThrottled, "too many failures from this address");
  }
  auto const account = state.find_enrolment(code);
  if (!account || account->enrolment->password_phc.empty()) {
    state.per_address.fail(network_of(address), now);
    return fail(ErrorKind::kUnauthenticated, "the enrolment code is unknown, used or expired");
  }
  auto& enrolment = *account->enrolment;
  auto const step = crypto::match_totp(enrolment.totp_secret, totp, crypto::totp_step(now));
  if (!step) {
    state.per_address.fail(network_of(address), now);
    if (++enrolment.failures >= kConfirmFailuresMax) account->enrolment.reset();
    return fail(ErrorKind::kUnauthenticated, "the code of the second factor is wrong");
  }
  account->password_phc = std::move(enrolment.password_phc);
  account->totp_secret = std::move(enrolment.totp_secret);
  account->totp_last_step = *step;
  account->failures = 0;
  account->enrolment.reset();
  ++account->token_epoch;
  // New factors end the sessions that the old ones opened (K-06).
  std::vector<Digest> ended;
  for (auto const& [hash, token] : state.tokens) {
    if (token->account == account) ended.push_back(hash);
  }
  for (auto const& hash : ended) state.tokens.erase(hash);
  Enrolled result;
  result.actor_id = account->id.view();
  result.name = account->name;
  result.pending = Pending(
      [raw = &state, account, ended]() -> Result<vault::WriteSet> {
        auto set = TACENDA_TRY(raw->account_set(account, true));
        for (auto const& hash : ended) raw->rows.erase(set, State::token_key(hash));
        return set;
      },
      {});
  return result;
}

Result<Principal> Directory::authenticate_token(std::string_view token_text) {
  State& state = *state_;
  Digest const hash = crypto::sha256(as_bytes(token_text));
  ReadLock const lock(state.mutex);
  auto const found = state.tokens.find(hash);
  if (found == state.tokens.end()) return fail(ErrorKind::kUnauthenticated, "the access token is not valid");
  Token& token = *found->second;
  Time const now = state.clock.now();
  if (!State::is_live(token, now) || now < token.created) {
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid");
  }
  token.last_used_ms = to_unix_ms(now);
  return state.principal_of(*token.account, token, token.idles ? Method::kSession : Method::kToken);
}

Result<Principal> Directory::authenticate_certificate(Digest const& certificate) {
  ReadLock const lock(state_->mutex);
  for (auto const& [name, account] : state_->by_name) {
    if (account->certificate != certificate || !account->enabled) continue;
    Token none;
    return state_->principal_of(*account, none, Method::kCertificate);
  }
  return fail(ErrorKind::kUnauthenticated, "the client certificate belongs to no account");
}

Result<Principal> Directory::principal_for_work(UserId const& user) const {
  ReadLock const lock(state_->mutex);
  auto const found = state_->by_id.find(user.view());
  if (found == state_->by_id.end() || !found->second->enabled)
    return fail(ErrorKind::kForbidden, "the user who asked for this is disabled");
  Token none;
  return state_->principal_of(*found->second, none, Method::kToken);
}

Result<void> Directory::confirm(Principal const& principal) const {
  ReadLock const lock(state_->mutex);
  auto const found = state_->by_id.find(principal.id().view());
  if (found == state_->by_id.end() || !found->second->enabled ||
      found->second->token_epoch != principal.epoch_) {
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid any more");
  }
  if (found->second->role != principal.role()) {
    return fail(ErrorKind::kForbidden, "this user was given another role meanwhile");
  }
  return {};
}

Result<void> Directory::confirm(Principal const& principal, vault::WriteSet& set) const {
  // First as of when, then the question: a change that commits in between is later than what was asked.
  set.read_at(state_->vault.order().committed());
  TACENDA_TRY_VOID(confirm(principal));
  set.depends_on(state_->rows.guard(State::account_key(principal.id())));
  return {};
}

Result<Pending> Directory::logout(std::string_view token_text) {
  State& state = *state_;
  Digest const hash = crypto::sha256(as_bytes(token_text));
  WriteLock const lock(state.mutex);
  if (state.tokens.erase(hash) == 0)
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid");
  return Pending(
      [raw = &state, hash]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        raw->rows.erase(set, State::token_key(hash));
        return set;
      },
      [raw = &state, hash](bool committed) {
        if (committed) return;
        WriteLock const relock(raw->mutex);
        raw->dead.push_back(hash);  // its row goes with the next token that is made
      });
}

}  // namespace tacenda::identity

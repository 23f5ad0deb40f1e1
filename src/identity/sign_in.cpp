// Log-in, enrolment and the recognition of tokens and certificates.
#include <algorithm>

#include "codec/text.hpp"
#include "core/ip_address.hpp"
#include "crypto/totp.hpp"
#include "identity/directory.hpp"
#include "identity/internal/state.hpp"
#include "identity/password_rules.hpp"

namespace tacenda::identity {
namespace {

constexpr std::size_t kTotpSecretBytes = 20;       // RFC 4226 section 4, R6: 160 bits
constexpr std::uint32_t kConfirmFailuresMax = 10;  // wrong codes until an enrolment is over

std::string otpauth(std::string_view name, SecretBuffer const& secret) {
  return "otpauth://totp/Tacenda:" + codec::percent_encode(name) +
         "?secret=" + codec::base32_encode(secret.reveal()) +
         "&issuer=Tacenda&algorithm=SHA1&digits=6&period=30";
}

/// A password in the form that is hashed. Errors: kUnprocessable.
Result<SecretBuffer> typed_password(bool is_printed, SecretBuffer const& typed) {
  if (is_printed)
    return plain_code(as_text(typed.reveal().first(std::min(typed.size(), limits::kPasswordBytes))));
  return normalize_password(typed);
}

/// Why a log-in failed, for the log; the caller is never told.
struct Failure {
  bool is_active_person;
  bool is_shut;
  bool hard_locked;
  bool blocked;
  bool known;
  bool password_right;
  bool code_right;
};
Literal reason_of(Failure const& failure) {
  if (!failure.is_active_person) return "unknown or disabled user";
  if (failure.is_shut)
    return "an emergency account outside of emergency mode, or used in an earlier emergency";
  if (failure.hard_locked) return "stopped after 100 failures";
  if (failure.blocked) return "locked after 5 failures from this address";
  if (!failure.known) return "not enrolled";
  if (!failure.password_right) return "wrong password";
  return failure.code_right ? Literal("second factor used before") : Literal("wrong second factor");
}

/// All that a person signs in with, and the enrolment that waits.
struct Credentials {
  std::string password_phc;
  SecretBuffer totp_secret;
  std::uint64_t totp_last_step;
  std::vector<Digest> recovery_codes;
  std::vector<Passkey> passkeys;
  std::shared_ptr<ProviderLink const> provider;
  std::optional<Enrolment> enrolment;
};

Credentials exchange_credentials(Account& account, Credentials other) {
  std::swap(account.password_phc, other.password_phc);
  std::swap(account.totp_secret, other.totp_secret);
  std::swap(account.totp_last_step, other.totp_last_step);
  std::swap(account.recovery_codes, other.recovery_codes);
  std::swap(account.passkeys, other.passkeys);
  std::swap(account.provider, other.provider);
  std::swap(account.enrolment, other.enrolment);
  return other;
}

}  // namespace

Directory::State::Shown Directory::State::shown_by(Account const* account, SecondFactor const& factor,
                                                   Time now) const {
  Shown shown;
  if (account == nullptr || account->is_service) return shown;
  if (account->totp_secret.empty() && !account->sealed) return shown;
  if (factor.recovery_code.empty()) {
    if (account->totp_secret.empty()) return shown;
    shown.step = crypto::match_totp(account->totp_secret, factor.totp, crypto::totp_step(now));
    shown.fresh = shown.step && *shown.step > account->totp_last_step;
    return shown;
  }
  Digest const mac = recovery_mac(factor.recovery_code);
  for (std::size_t i = 0; i < account->recovery_codes.size(); ++i) {
    if (crypto::equal_constant_time(mac, account->recovery_codes[i])) shown.recovery = i;
  }
  shown.fresh = shown.recovery.has_value();  // used ones are not kept
  return shown;
}

bool Directory::State::takes_factor(Account const* account, SecondFactor const& factor) const {
  ReadLock const lock(mutex);
  return shown_by(account, factor, clock.now()).fresh;
}

Directory::State::Rows Directory::State::use_up(Account& account, Shown const& shown) {
  if (shown.step) account.totp_last_step = *shown.step;
  if (!shown.recovery) return kCounters;
  account.recovery_codes.erase(account.recovery_codes.begin() + static_cast<std::ptrdiff_t>(*shown.recovery));
  notify(account, Notice::Kind::kRecoveryCodeUsed);
  return kFactors;
}

void Directory::State::count_failure(std::shared_ptr<Account> const& account, std::string const& key,
                                     std::string const& network, Attempt& attempt) {
  Time const now = clock.now();
  bool const was_blocked = per_login.is_blocked(key, now) || per_address.is_blocked(network, now);
  per_address.fail(network, now);
  // A try behind the lock tested nothing. It is not counted, or one address could lock a person out
  // everywhere (K-03), and the lock would never end.
  if (was_blocked) return;
  attempt.locked_now = per_login.fail(key, now) && account;
  if (!account) return;
  if (account->failures < limits::kFailuresUntilHardLock) ++account->failures;
  attempt.locked_now = attempt.locked_now || account->failures == limits::kFailuresUntilHardLock;
  if (attempt.locked_now) notify(*account, Notice::Kind::kLocked);
  attempt.pending = pending(account, attempt.locked_now ? kFactors : kCounters);
}

void Directory::State::count_failure(std::shared_ptr<Account> const& account, Session const& session,
                                     Attempt& attempt) {
  if (!per_session.fail(session.token->token_id, clock.now())) return;
  attempt.locked_now = true;
  notify(*account, Notice::Kind::kLocked);
  attempt.pending = end_session(account, session);
}

Result<void> Directory::State::open_session(std::shared_ptr<Account> const& account, TokenPlan plan,
                                            Attempt& attempt) {
  // What a passkey or a provider shows says nothing of who guesses at the password.
  if (plan.method != Method::kPasskey && plan.method != Method::kProvider) account->failures = 0;
  // Also what the sign-in before was told: it may have been somebody else's.
  Time const now = clock.now();
  std::ranges::copy_if(account->notices, std::back_inserter(attempt.notices),
                       [&](Notice const& notice) { return now - notice.at < limits::kNoticesToldFor; });
  account->last_login = now;
  auto made = TACENDA_TRY(make_token(account, std::move(plan)));
  attempt.pending = std::move(made.pending);
  attempt.principal = principal_of(*account, *made.token, made.token->method);
  attempt.access_token = std::move(made.text);
  attempt.expires = made.token->expires;
  return {};
}

Result<Directory::Attempt> Directory::login(std::string_view name, SecretBuffer const& password,
                                            SecondFactor const& factor, std::string_view address, Door door) {
  State& state = *state_;
  Attempt attempt;
  std::string const network = subscriber_of(address);
  std::string const key = State::login_key(name, network);
  auto const account = name.size() <= limits::kUserNameBytes ? state.find(name) : nullptr;
  bool const is_person = account && !account->is_service;
  if (is_person) attempt.actor_id = account->id.view();
  std::string phc = state.dummy_phc;
  bool is_sealed = false;
  {
    ReadLock const lock(state.mutex);
    if (state.per_address.is_blocked(network, state.clock.now())) attempt.throttled = true;
    if (is_person && !account->password_phc.empty()) phc = account->password_phc;
    is_sealed = is_person && account->sealed != nullptr;
  }
  if (attempt.throttled) {
    attempt.reason = Literal("too many failures from this address");
    return attempt;
  }
  // One Argon2 computation whatever comes out, so that time tells nothing about who exists (S-08).
  auto const normalized = typed_password(is_sealed, password);
  SecretBuffer const empty;
  bool const password_right =
      TACENDA_TRY(state.verify_password(normalized.has_value() ? *normalized : empty, phc));
  // Only for a log-in that is right in every part: a second hash for a right password alone would tell by its
  // time that the password was right.
  std::string rehashed;
  if (password_right && normalized.has_value() && crypto::needs_rehash(phc, state.cost) &&
      state.takes_factor(account.get(), factor))
    rehashed = TACENDA_TRY(state.hash_password(*normalized));

  WriteLock const lock(state.mutex);
  Time const now = state.clock.now();
  // Asked after the hash: of many guesses sent at once, those behind the fifth wrong one do not count.
  bool const blocked = state.per_login.is_blocked(key, now) || state.per_address.is_blocked(network, now);
  auto const shown = state.shown_by(account.get(), factor, now);
  bool const is_shut = is_person && !state.opens(*account, now);
  bool const known = is_person && account->is_active(now) && !is_shut && !account->password_phc.empty() &&
                     phc == account->password_phc;
  bool const hard_locked =
      is_person && door == Door::kNetwork && account->failures >= limits::kFailuresUntilHardLock;
  if (known && !blocked && !hard_locked && normalized.has_value() && password_right && shown.fresh) {
    auto written = state.use_up(*account, shown);
    if (!rehashed.empty()) {
      account->password_phc = std::move(rehashed);
      written.account = true;
    }
    if (is_sealed) {
      state.open_seal(*account, attempt);
      written.sealed = true;
    }
    TACENDA_TRY_VOID(state.open_session(account,
                                        {.lifetime = state.times_of(*account).absolute,
                                         .method = is_sealed        ? Method::kSealed
                                                   : shown.recovery ? Method::kRecoveryCode
                                                                    : Method::kSession,
                                         .address = std::string(address),
                                         .written = written},
                                        attempt));
    state.per_login.succeed(key);
    return attempt;
  }
  attempt.reason = reason_of({is_person && account->is_active(now), is_shut, hard_locked, blocked, known,
                              password_right, shown.right()});
  // Nobody can lock an emergency account beforehand: while it is shut, no guess tests anything.
  state.count_failure(is_person && !is_shut ? account : nullptr, key, network, attempt);
  return attempt;
}

Result<Pending> Directory::keep_used(Principal const& principal) {
  State& state = *state_;
  ReadLock const lock(state.mutex);
  auto const found = state.by_id.find(principal.id().view());
  if (found == state.by_id.end()) return fail(ErrorKind::kNotFound, "there is no such user");
  auto written = State::kFactors;
  written.sealed = found->second->sealed != nullptr;
  return state.pending(found->second, written);
}

Result<Directory::EnrolmentStep> Directory::enrol(std::string_view code, SecretBuffer const& password,
                                                  std::string_view address) {
  State& state = *state_;
  std::shared_ptr<Account> account;
  std::string name;
  {
    WriteLock const lock(state.mutex);
    Time const now = state.clock.now();
    if (state.per_address.is_blocked(subscriber_of(address), now)) {
      return fail(ErrorKind::kThrottled, "too many failures from this address");
    }
    account = state.find_enrolment(code);
    if (!account) {
      state.per_address.fail(subscriber_of(address), now);
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
  result.pending = state.pending(account, State::kAccount);
  return result;
}

Result<Directory::Enrolled> Directory::confirm_enrolment(std::string_view code, std::string_view totp,
                                                         std::string_view address) {
  State& state = *state_;
  WriteLock const lock(state.mutex);
  Time const now = state.clock.now();
  if (state.per_address.is_blocked(subscriber_of(address), now)) {
    return fail(ErrorKind::kThrottled, "too many failures from this address");
  }
  auto const account = state.find_enrolment(code);
  if (!account || account->enrolment->password_phc.empty()) {
    state.per_address.fail(subscriber_of(address), now);
    return fail(ErrorKind::kUnauthenticated, "the enrolment code is unknown, used or expired");
  }
  auto& enrolment = *account->enrolment;
  auto const step = crypto::match_totp(enrolment.totp_secret, totp, crypto::totp_step(now));
  if (!step) {
    state.per_address.fail(subscriber_of(address), now);
    if (++enrolment.failures >= kConfirmFailuresMax) account->enrolment.reset();
    return fail(ErrorKind::kUnauthenticated, "the code of the second factor is wrong");
  }
  auto codes = TACENDA_TRY(state.make_recovery_codes());
  // Whoever enrols again may have lost anything, also to somebody else: no factor of before is left, no link
  // to the OpenID provider, and none of the sessions that they opened (K-06).
  for (auto const& passkey : account->passkeys) state.by_credential.erase(passkey.credential_id);
  std::string const password = enrolment.password_phc;
  auto old = exchange_credentials(*account, {password,
                                             SecretBuffer(enrolment.totp_secret.reveal()),
                                             *step,
                                             std::move(codes.macs),
                                             {},
                                             nullptr,
                                             std::nullopt});
  account->failures = 0;
  ++account->token_epoch;
  state.notify(*account, Notice::Kind::kEnrolled);
  Enrolled result;
  result.actor_id = account->id.view();
  result.name = account->name;
  result.recovery_codes = std::move(codes.codes);
  result.pending = state.pending_end(account, {.account = true, .factors = true, .provider = true},
                                     state.end_tokens(*account));
  result.pending.on_failure([raw = &state, account, password, old = std::move(old)]() mutable {
    WriteLock const relock(raw->mutex);
    // What was ended stays ended. Not what somebody else has made meanwhile.
    if (account->password_phc != password) return;
    (void)exchange_credentials(*account, std::move(old));  // nobody has seen the new ones
    for (auto const& passkey : account->passkeys) raw->by_credential.emplace(passkey.credential_id, account);
  });
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
  if (!state.is_live(token, now) || now < token.created) {
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid");
  }
  token.last_used_ms = to_unix_ms(now);
  return state.principal_of(*token.account, token, token.method);
}

Result<Principal> Directory::authenticate_certificate(Digest const& certificate) {
  ReadLock const lock(state_->mutex);
  for (auto const& [name, account] : state_->by_name) {
    if (account->certificate != certificate || !account->is_active(state_->clock.now())) continue;
    Token none;
    return state_->principal_of(*account, none, Method::kCertificate);
  }
  return fail(ErrorKind::kUnauthenticated, "the client certificate belongs to no account");
}

Result<Principal> Directory::principal_for_work(UserId const& user,
                                                std::shared_ptr<Application const> application) const {
  ReadLock const lock(state_->mutex);
  auto const found = state_->by_id.find(user.view());
  if (found == state_->by_id.end() || !state_->is_usable(*found->second, state_->clock.now()))
    return fail(ErrorKind::kForbidden, "the user who asked for this is disabled");
  Token none;
  none.application = std::move(application);
  return state_->principal_of(*found->second, none, Method::kToken);
}

Result<void> Directory::confirm(Principal const& principal) const {
  ReadLock const lock(state_->mutex);
  auto const found = state_->by_id.find(principal.id().view());
  if (found == state_->by_id.end() || !state_->is_usable(*found->second, state_->clock.now()) ||
      found->second->token_epoch != principal.epoch_) {
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid any more");
  }
  if (state_->role_of(*found->second) != principal.role()) {
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
        raw->erase_token(set, hash);
        return set;
      },
      [raw = &state, hash](bool committed) { raw->keep_dead(committed, {hash}); });
}

}  // namespace tacenda::identity

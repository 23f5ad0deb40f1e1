#include "identity/emergency_access.hpp"

#include <algorithm>
#include <utility>

#include "codec/text.hpp"
#include "core/account_limits.hpp"
#include "core/limits.hpp"
#include "identity/internal/state.hpp"

namespace tacenda::identity {
namespace {

constexpr AccountRows kSealedRows{.account = true, .factors = true, .sealed = true};

/// What of an account a new credential replaces.
struct Lock {
  std::string password_phc;
  std::vector<Digest> codes;
  std::shared_ptr<Sealed const> sealed;
};

Lock exchange_lock(Account& account, Lock lock) {
  std::swap(account.password_phc, lock.password_phc);
  std::swap(account.recovery_codes, lock.codes);
  std::swap(account.sealed, lock.sealed);
  return lock;
}

}  // namespace

/// A new credential, and what is stored of it.
struct EmergencyAccess::Printed {
  std::string passphrase;
  std::vector<std::string> codes;
  Lock lock;
};

EmergencyAccess::EmergencyAccess(Directory& directory) : directory_(directory), state_(*directory.state_) {}

Result<EmergencyAccess::Printed> EmergencyAccess::new_credential() const {
  Printed printed;
  SecretBuffer bytes(limits::kSealedPassphraseBytes);
  TACENDA_TRY_VOID(state_.random.fill(bytes.reveal_mutable()));
  std::string const plain = codec::base32_encode(bytes.reveal());
  printed.passphrase = printed_code(plain);
  printed.lock.password_phc = TACENDA_TRY(state_.hash_password(SecretBuffer(as_bytes(plain))));
  auto made = TACENDA_TRY(state_.make_recovery_codes());
  printed.codes = std::move(made.codes);
  printed.lock.codes = std::move(made.macs);
  printed.lock.sealed = std::make_shared<Sealed const>(Sealed{state_.clock.now(), {}, std::nullopt});
  return printed;
}

Result<EmergencyAccess::Credential> EmergencyAccess::add(Directory::NewUser const& user) {
  if (user.is_service || user.patient)
    return fail(ErrorKind::kInvalid, "an emergency account is that of a person who treats patients");
  TACENDA_TRY_VOID(directory_.check_new(user));
  auto account = TACENDA_TRY(state_.new_account(user));
  auto printed = TACENDA_TRY(new_credential());
  Credential credential{{}, account->id, std::move(printed.passphrase), std::move(printed.codes)};
  // Of before there is nothing: the account is new.
  (void)exchange_lock(*account, std::move(printed.lock));
  AccountRows written = kSealedRows;
  written.standing = user.until.has_value();
  credential.pending = state_.pending_new(std::move(account), written);
  return credential;
}

Result<EmergencyAccess::Credential> EmergencyAccess::reseal(std::string_view name) {
  auto const account = state_.find(name);
  auto printed = TACENDA_TRY(new_credential());
  WriteLock const lock(state_.mutex);
  if (!account || !account->sealed) return fail(ErrorKind::kNotFound, "there is no such emergency account");
  if (!account->enabled) return fail(ErrorKind::kForbidden, "this user is disabled");
  Credential credential{{}, account->id, std::move(printed.passphrase), std::move(printed.codes)};
  auto const next = printed.lock.sealed;
  auto old = exchange_lock(*account, std::move(printed.lock));
  account->failures = 0;
  ++account->token_epoch;
  credential.pending = state_.pending_end(account, kSealedRows, state_.end_tokens(*account));
  credential.pending.on_failure([raw = &state_, account, next, old = std::move(old)]() mutable {
    WriteLock const relock(raw->mutex);
    // Nobody has seen the new one. Not what somebody else has made meanwhile.
    if (account->sealed == next) (void)exchange_lock(*account, std::move(old));
  });
  return credential;
}

std::optional<EmergencyMode> EmergencyAccess::mode() const {
  ReadLock const lock(state_.mutex);
  auto const mode = state_.emergency;
  return mode && mode->is_on(state_.clock.now()) ? mode : std::nullopt;
}

bool EmergencyAccess::is_to_close() const {
  ReadLock const lock(state_.mutex);
  return state_.emergency && !state_.emergency->is_on(state_.clock.now());
}

Result<EmergencyAccess::Turned> EmergencyAccess::begin(Order const& order) {
  if (order.reason.find_first_not_of(" \t\r\n") == std::string::npos ||
      order.reason.size() > limits::kReasonBytes)
    return fail(ErrorKind::kUnprocessable, "say why, in at most 2,000 bytes");
  if (order.lasts < std::chrono::minutes(1) || order.lasts > limits::kEmergencyModeMax)
    return fail(ErrorKind::kUnprocessable, "an emergency lasts from a minute to 72 hours at a time");
  std::string id = codec::format_uuid_v4(TACENDA_TRY(state_.vault.random_bytes16()));
  WriteLock const lock(state_.mutex);
  Time const now = state_.clock.now();
  auto const held = state_.emergency;
  if (held && !held->is_on(now))
    return fail(ErrorKind::kConflict, "the emergency before is not closed yet: try again");
  Turned turned;
  if (held) turned.before = held->until;
  turned.mode = {held ? held->id : std::move(id), held ? held->begun : now,
                 std::max<Time>(held ? held->until : now, now + order.lasts), order.reason, order.by};
  auto accounts = state_.emergency_accounts();
  auto make_set = [raw = &state_, accounts = std::move(accounts),
                   mode = turned.mode]() -> Result<vault::WriteSet> {
    vault::WriteSet set;
    set.read_at(raw->vault.order().committed());
    ReadLock const relock(raw->mutex);
    std::vector<std::pair<std::shared_ptr<Account>, Opening>> opened;
    for (auto const& account : accounts) {
      opened.emplace_back(account, Opening{.forgiven = account->failures});
      TACENDA_TRY_VOID(raw->put_account(set, *account, Directory::State::kCounters, opened.back().second));
    }
    TACENDA_TRY_VOID(raw->put_emergency(set, mode));
    set.when_stored([raw, opened = std::move(opened)] {
      WriteLock const lock_of_change(raw->mutex);
      for (auto const& [account, opening] : opened) account->receive(opening);
    });
    return set;
  };
  turned.pending = Pending(std::move(make_set), [raw = &state_, mode = turned.mode](bool committed) {
    if (!committed) return;
    WriteLock const relock(raw->mutex);
    raw->emergency = mode;
  });
  return turned;
}

Result<EmergencyAccess::Turned> EmergencyAccess::end() {
  WriteLock const lock(state_.mutex);
  if (!state_.emergency) return fail(ErrorKind::kNotFound, "emergency mode is off");
  Turned turned;
  turned.mode = *state_.emergency;
  turned.before = turned.mode.until;
  state_.emergency->until =
      turned.mode.begun;  // at once, and stays so even when the commit fails: the safe side
  auto accounts = state_.emergency_accounts();
  std::vector<Digest> ended;
  for (auto const& account : accounts) {
    ++account->token_epoch;
    for (auto const& hash : state_.end_tokens(*account)) ended.push_back(hash);
  }
  turned.pending = Pending(
      [raw = &state_, accounts = std::move(accounts), ended]() -> Result<vault::WriteSet> {
        vault::WriteSet set;
        set.read_at(raw->vault.order().committed());
        for (auto const& hash : ended) raw->erase_token(set, hash);
        ReadLock const relock(raw->mutex);
        for (auto const& account : accounts)
          TACENDA_TRY_VOID(raw->put_account(set, *account, Directory::State::kAccount));
        TACENDA_TRY_VOID(raw->put_emergency(set, std::nullopt));
        return set;
      },
      [raw = &state_, ended](bool committed) {
        raw->keep_dead(committed, ended);
        if (!committed) return;
        WriteLock const relock(raw->mutex);
        raw->emergency.reset();
      });
  return turned;
}

}  // namespace tacenda::identity

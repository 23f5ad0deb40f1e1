#include "identity/own_account.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "identity/internal/state.hpp"
#include "identity/password_rules.hpp"

namespace tacenda::identity {
namespace {}  // namespace

bool is_fresh(Principal const& principal, Time now) {
  auto const age = now - principal.second_factor_at();
  return age >= std::chrono::seconds(0) && age <= limits::kStepUpAge;
}

OwnAccount::OwnAccount(Directory& directory) : state_(*directory.state_) {}

Result<std::shared_ptr<Account>> OwnAccount::account_of(Principal const& principal) const {
  if (principal.is_service()) return fail(ErrorKind::kForbidden, "a service account has no such thing");
  ReadLock const lock(state_.mutex);
  auto const found = state_.by_id.find(principal.id().view());
  if (found == state_.by_id.end() || !found->second->is_active(state_.clock.now()))
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid any more");
  return found->second;
}

Result<Directory::Attempt> OwnAccount::change_password(Principal const& principal,
                                                       PasswordChange const& change) {
  auto const account = TACENDA_TRY(account_of(principal));
  // Before anything is tried: who is told that his choice is refused has not used his code up.
  auto const chosen = TACENDA_TRY(normalize_password(change.chosen));
  TACENDA_TRY_VOID(check_new_password(chosen, principal.name()));
  Directory::Attempt attempt;
  attempt.actor_id = principal.id().view();
  std::string phc;
  {
    ReadLock const lock(state_.mutex);
    TACENDA_TRY_VOID(state_.session_of(*account, principal));
    phc = account->password_phc;
  }
  if (phc.empty()) return fail(ErrorKind::kForbidden, "this account has no password that could be changed");
  auto const typed = normalize_password(change.password);
  SecretBuffer const empty;
  bool const right = TACENDA_TRY(state_.verify_password(typed.has_value() ? *typed : empty, phc));
  auto next = TACENDA_TRY(state_.hash_password(chosen));

  WriteLock const lock(state_.mutex);
  auto const own = TACENDA_TRY(state_.session_of(*account, principal));
  auto const shown = state_.shown_by(account.get(), change.factor, state_.clock.now());
  if (!typed.has_value() || !right || phc != account->password_phc || !shown.fresh) {
    attempt.reason = right ? Literal("wrong second factor") : Literal("wrong password");
    state_.count_failure(account, own, attempt);
    return attempt;
  }
  auto written = state_.use_up(*account, shown);
  written.account = written.factors = true;
  account->password_phc = next;
  ++account->token_epoch;
  state_.notify(*account, Notice::Kind::kPasswordChanged);
  TACENDA_TRY_VOID(state_.open_session(account,
                                       {.lifetime = state_.times_of(*account).absolute,
                                        .method = shown.recovery ? Method::kRecoveryCode : Method::kSession,
                                        .address = std::string(change.address),
                                        .written = written,
                                        .ended = state_.end_tokens(*account)},
                                       attempt));
  attempt.pending.on_failure([state = &state_, account, old = std::move(phc), next] {
    WriteLock const relock(state->mutex);
    // Not what was chosen meanwhile.
    if (account->password_phc == next) account->password_phc = old;
  });
  return attempt;
}

Result<Directory::Attempt> OwnAccount::step_up(Principal const& principal, SecondFactor const& factor,
                                               std::string_view address) {
  auto const account = TACENDA_TRY(account_of(principal));
  Directory::Attempt attempt;
  attempt.actor_id = principal.id().view();
  WriteLock const lock(state_.mutex);
  Time const now = state_.clock.now();
  auto const own = TACENDA_TRY(state_.session_of(*account, principal));
  auto const shown = state_.shown_by(account.get(), factor, now);
  if (!shown.fresh) {
    attempt.reason = Literal("wrong second factor");
    state_.count_failure(account, own, attempt);
    return attempt;
  }
  auto const written = state_.use_up(*account, shown);
  // Not longer than the session would have lasted: the password was not asked for.
  auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(own.token->expires - now);
  state_.tokens.erase(own.hash);
  TACENDA_TRY_VOID(state_.open_session(account,
                                       {.lifetime = left,
                                        .method = shown.recovery ? Method::kRecoveryCode : Method::kSession,
                                        .address = std::string(address),
                                        .written = written,
                                        .ended = {own.hash},
                                        .begun = own.token->created},
                                       attempt));
  return attempt;
}

Result<OwnAccount::RecoveryCodes> OwnAccount::make_recovery_codes(Principal const& principal) {
  auto const account = TACENDA_TRY(account_of(principal));
  if (!is_fresh(principal, state_.clock.now()))
    return fail(ErrorKind::kUnauthenticated, "the second factor is too old for this act: log in again");
  WriteLock const lock(state_.mutex);
  auto const own = TACENDA_TRY(state_.session_of(*account, principal));
  auto const old = account->recovery_codes;
  RecoveryCodes made;
  made.codes = TACENDA_TRY(state_.renew_recovery_codes(*account));
  state_.notify(*account, Notice::Kind::kRecoveryCodesMade);
  made.pending =
      state_.pending_factors(account, own, state_.end_others(*account, own),
                             [state = &state_, account, old, now = account->recovery_codes](bool committed) {
                               if (committed) return;
                               WriteLock const relock(state->mutex);
                               if (account->recovery_codes == now) account->recovery_codes = old;
                             });
  return made;
}

Result<std::vector<SessionView>> OwnAccount::sessions(Principal const& principal) const {
  auto const account = TACENDA_TRY(account_of(principal));
  std::vector<SessionView> views;
  ReadLock const lock(state_.mutex);
  Time const now = state_.clock.now();
  for (auto const& [hash, token] : state_.tokens) {
    // What applications have is not for this list: it ends with what they were allowed.
    if (token->account != account || token->application || !state_.is_live(*token, now)) continue;
    views.push_back({token->token_id, token->method, token->address, token->created,
                     from_unix_ms(token->last_used_ms.load()), token->expires,
                     token->token_id == principal.token_id()});
  }
  std::ranges::sort(views, std::ranges::greater(), &SessionView::created);
  return views;
}

Result<Pending> OwnAccount::end_session(Principal const& principal, std::string_view id) {
  auto const account = TACENDA_TRY(account_of(principal));
  WriteLock const lock(state_.mutex);
  auto const found = std::ranges::find_if(state_.tokens, [&](auto const& item) {
    return item.second->account == account && item.second->token_id == id && !item.second->application;
  });
  if (found == state_.tokens.end()) return fail(ErrorKind::kNotFound, "there is no such session");
  Digest const hash = found->first;
  state_.tokens.erase(found);
  return state_.pending_end(account, Directory::State::kCounters, {hash});
}

Result<OwnAccount::View> OwnAccount::view(Principal const& principal) const {
  auto const account = TACENDA_TRY(account_of(principal));
  ReadLock const lock(state_.mutex);
  return View{account->recovery_codes.size(), account->passkeys.size(), account->notices};
}

Result<Pending> OwnAccount::acknowledge(Principal const& principal, Acknowledgement const& read) {
  auto const account = TACENDA_TRY(account_of(principal));
  WriteLock const lock(state_.mutex);
  return state_.pending_standing(account, [read](Standing& standing) {
    auto& known = standing.acknowledgements;
    std::erase_if(known, [&](auto const& of) { return of.topic == read.topic; });
    if (known.size() >= limits::kAwarenessTopics) known.erase(known.begin());  // of a topic that is no more
    known.push_back(read);
  });
}

}  // namespace tacenda::identity

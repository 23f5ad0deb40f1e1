#include "identity/passkeys.hpp"

#include <algorithm>

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "identity/internal/state.hpp"
#include "identity/internal/webauthn.hpp"
#include "identity/own_account.hpp"

namespace tacenda::identity {
namespace {

using Ceremony = ChallengeBook::Ceremony;

Result<void> check_fresh(Principal const& principal, Time now) {
  if (is_fresh(principal, now)) return {};
  return fail(ErrorKind::kUnauthenticated, "the second factor is too old for this act: log in again");
}

Result<void> check_name(std::string_view name) {
  bool const is_text = codec::is_utf8(name) && std::ranges::none_of(name, [](char c) {
                         return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                       });
  if (is_text && !name.empty() && name.size() <= limits::kPasskeyNameBytes) return {};
  return fail(ErrorKind::kUnprocessable, "a passkey has a name of 1 to 64 bytes");
}

/// Has the counter of an authenticator gone on? One that does not count shows 0 for ever.
bool goes_on(std::uint32_t before, std::uint32_t now) {
  return now > before || (now == 0 && before == 0);
}

auto passkey_of(Account& account, std::string_view credential_id) {
  return std::ranges::find(account.passkeys, credential_id, &Passkey::credential_id);
}

}  // namespace

Passkeys::Passkeys(Directory& directory) : state_(*directory.state_) {}

void Passkeys::serve(RelyingParty relying_party) {
  WriteLock const lock(state_.mutex);
  state_.relying_party = std::move(relying_party);
}

Result<RelyingParty> Passkeys::relying_party() const {
  ReadLock const lock(state_.mutex);
  if (!state_.relying_party) return fail(ErrorKind::kUnavailable, "this server has no name for passkeys yet");
  return *state_.relying_party;
}

Result<std::shared_ptr<Account>> Passkeys::account_of(Principal const& principal) const {
  if (principal.is_service()) return fail(ErrorKind::kForbidden, "a service account has no passkeys");
  ReadLock const lock(state_.mutex);
  auto const found = state_.by_id.find(principal.id().view());
  if (found == state_.by_id.end() || !found->second->is_active(state_.clock.now()))
    return fail(ErrorKind::kUnauthenticated, "the access token is not valid any more");
  return found->second;
}

Result<PasskeyOffer> Passkeys::offer_registration(Principal const& principal) {
  auto const account = TACENDA_TRY(account_of(principal));
  auto const party = TACENDA_TRY(relying_party());
  TACENDA_TRY_VOID(check_fresh(principal, state_.clock.now()));
  ReadLock const lock(state_.mutex);
  PasskeyOffer offer;
  auto const id = account->id.view();
  offer.challenge = codec::base64url_encode( TACENDA_TRY(
      state_.registrations.offer(Ceremony::kRegister, id, state_.clock.monotonic(), state_.random)));
  offer.relying_party = party.id;
  offer.user_id = codec::base64url_encode(as_bytes(id));
  offer.user_name = account->name;
  for (auto const& passkey : account->passkeys)
    offer.known.push_back(codec::base64url_encode(as_bytes(passkey.credential_id)));
  return offer;
}

Result<Pending> Passkeys::add(Principal const& principal, Registration const& registration) {
  auto const account = TACENDA_TRY(account_of(principal));
  auto const party = TACENDA_TRY(relying_party());
  TACENDA_TRY_VOID(check_fresh(principal, state_.clock.now()));
  TACENDA_TRY_VOID(check_name(registration.name));
  auto const challenge =
      TACENDA_TRY(challenge_of(as_text(registration.client_data_json), "webauthn.create", party));
  auto passkey = TACENDA_TRY(read_attestation(registration.attestation_object, party));
  WriteLock const lock(state_.mutex);
  auto const own = TACENDA_TRY(state_.session_of(*account, principal));
  if (registration.first_only && !account->passkeys.empty())
    return fail(ErrorKind::kForbidden, "another passkey needs a sign-in with one that is there");
  if (account->passkeys.size() >= limits::kPasskeysPerUser)
    return fail(ErrorKind::kConflict, "this user has as many passkeys as there can be: remove one");
  std::string const id = passkey.credential_id;
  if (state_.by_credential.contains(id)) return fail(ErrorKind::kConflict, "this passkey is known already");
  // Last: what is refused uses no challenge up.
  auto const now = state_.clock.monotonic();
  if (!state_.registrations.is_open(challenge, Ceremony::kRegister, account->id.view(), now) ||
      !state_.registrations.use(challenge, {account->id.view(), limits::kPasskeyChallengesPerUser}, now))
    return fail(ErrorKind::kUnauthenticated, "the challenge was not given to this user, is used or over");
  state_.by_credential.emplace(id, account);
  passkey.name = registration.name;
  passkey.created = state_.clock.now();
  account->passkeys.push_back(std::move(passkey));
  state_.notify(*account, Notice::Kind::kPasskeyAdded);
  return state_.pending_factors(account, own, state_.end_others(*account, own),
                                [state = &state_, account, id](bool committed) {
                                  if (committed) return;
                                  WriteLock const relock(state->mutex);
                                  auto const at = passkey_of(*account, id);
                                  if (at == account->passkeys.end()) return;
                                  account->passkeys.erase(at);
                                  state->by_credential.erase(id);
                                });
}

Result<PasskeyOffer> Passkeys::offer_sign_in() {
  auto const party = TACENDA_TRY(relying_party());
  ReadLock const lock(state_.mutex);
  PasskeyOffer offer;
  offer.challenge = codec::base64url_encode( TACENDA_TRY(
      state_.passkey_sign_ins.offer(Ceremony::kSignIn, {}, state_.clock.monotonic(), state_.random)));
  offer.relying_party = party.id;
  return offer;
}

Result<Directory::Attempt> Passkeys::sign_in(Answer const& answer, std::string_view address) {
  auto const party = TACENDA_TRY(relying_party());
  Directory::Attempt attempt;
  std::shared_ptr<Account> account;
  Passkey passkey;
  {
    ReadLock const lock(state_.mutex);
    auto const found = state_.by_credential.find(answer.credential_id);
    if (found != state_.by_credential.end()) {
      account = found->second;
      if (auto const at = passkey_of(*account, answer.credential_id); at != account->passkeys.end())
        passkey = *at;
    }
  }
  if (passkey.credential_id.empty()) {
    attempt.reason = Literal("unknown passkey");
    return attempt;
  }
  attempt.actor_id = account->id.view();
  if (answer.user_handle != account->id.view()) {
    attempt.reason = Literal("the passkey is another user's");
    return attempt;
  }
  auto const challenge = challenge_of(as_text(answer.client_data_json), "webauthn.get", party);
  auto const count =
      challenge.has_value()
          ? verify_assertion(passkey, {answer.authenticator_data, answer.client_data_json, answer.signature},
                             party)
          : std::unexpected(challenge.error());
  if (!count.has_value()) {
    attempt.reason = count.error().literal();
    return attempt;
  }
  WriteLock const lock(state_.mutex);
  auto const now = state_.clock.monotonic();
  if (!state_.passkey_sign_ins.is_open(*challenge, Ceremony::kSignIn, {}, now) ||
      !state_.passkey_sign_ins.use(*challenge, {account->id.view(), limits::kPasskeyChallengesPerUser},
                                   now)) {
    attempt.reason = Literal("the challenge was not given by this server, is used or over");
    return attempt;
  }
  auto const own = passkey_of(*account, answer.credential_id);
  if (!account->is_active(state_.clock.now()) || own == account->passkeys.end()) {
    attempt.reason = Literal("unknown or disabled user");
    return attempt;
  }
  if (!goes_on(own->sign_count, *count)) {
    attempt.counter_back = true;
    attempt.reason = Literal("the counter of the passkey went back: there may be a copy of it");
    state_.notify(*account, Notice::Kind::kPasskeyCounterBack);
    attempt.pending = state_.pending(account, Directory::State::kFactors);
    return attempt;
  }
  own->sign_count = *count;  // from now on, even if the commit fails
  own->last_used = state_.clock.now();
  TACENDA_TRY_VOID(state_.open_session(account,
                                       {.lifetime = state_.times_of(*account).absolute,
                                        .method = Method::kPasskey,
                                        .address = std::string(address),
                                        .written = Directory::State::kFactors},
                                       attempt));
  return attempt;
}

Result<std::vector<PasskeyView>> Passkeys::list(Principal const& principal) const {
  auto const account = TACENDA_TRY(account_of(principal));
  ReadLock const lock(state_.mutex);
  std::vector<PasskeyView> views;
  for (auto const& passkey : account->passkeys)
    views.push_back({codec::base64url_encode(as_bytes(passkey.credential_id)), passkey.name, passkey.created,
                     passkey.last_used});
  return views;
}

Result<Pending> Passkeys::remove(Principal const& principal, std::string_view id) {
  auto const account = TACENDA_TRY(account_of(principal));
  TACENDA_TRY_VOID(check_fresh(principal, state_.clock.now()));
  auto const bytes = codec::base64url_decode(id);
  WriteLock const lock(state_.mutex);
  auto const own = TACENDA_TRY(state_.session_of(*account, principal));
  auto const lost = bytes.has_value() ? passkey_of(*account, as_text(*bytes)) : account->passkeys.end();
  if (lost == account->passkeys.end()) return fail(ErrorKind::kNotFound, "there is no such passkey");
  // At once, and stays so even when the commit fails: the safe side.
  state_.by_credential.erase(lost->credential_id);
  account->passkeys.erase(lost);
  state_.notify(*account, Notice::Kind::kPasskeyRemoved);
  return state_.pending_factors(account, own, state_.end_others(*account, own));
}

}  // namespace tacenda::identity

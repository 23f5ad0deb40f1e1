#include "identity/directory.hpp"

#include <algorithm>
#include <utility>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "identity/internal/state.hpp"

namespace tacenda::identity {
namespace {

bool is_user_name(std::string_view name) {
  constexpr auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' || c == '-';
  };
  return !name.empty() && name.size() <= limits::kUserNameBytes && std::ranges::all_of(name, allowed) &&
         name.front() != '-' && name != "system";
}

}  // namespace

Directory::Directory(std::unique_ptr<State> state) : state_(std::move(state)) {}
Directory::~Directory() = default;

Result<std::unique_ptr<Directory>> Directory::open(vault::Vault& vault, Clock const& clock,
                                                   crypto::Random& random, crypto::Argon2idCost cost,
                                                   SessionTimes times) {
  auto const pepper = TACENDA_TRY(vault.derived_key(vault::Purpose::kAuth, "password-pepper"));
  auto const name_key = TACENDA_TRY(vault.derived_key(vault::Purpose::kAuth, "name-tried"));
  auto const recovery_key = TACENDA_TRY(vault.derived_key(vault::Purpose::kAuth, "recovery-code"));
  // New with each opening: what was offered before is offered no more.
  auto const challenge_key = TACENDA_TRY(crypto::random_secret<crypto::MacKey>(random));
  auto state = std::make_unique<State>(vault, clock, random, pepper, name_key, recovery_key, challenge_key);
  state->cost = cost;
  state->times = times;
  WriteLock lock(state->mutex);
  auto* raw = state.get();
  TACENDA_TRY_VOID(state->rows.scan(
      as_bytes("u"), [raw](ByteView, ByteView row) TACENDA_REQUIRES(raw->mutex) -> Result<bool> {
        auto account = TACENDA_TRY(decode_account(row));
        raw->by_name.emplace(account->name, account);
        raw->by_id.emplace(std::string(account->id.view()), account);
        return true;
      }));
  TACENDA_TRY_VOID(state->read_rows('c', decode_counters));
  TACENDA_TRY_VOID(state->read_rows('f', decode_factors));
  for (auto const& [id, account] : state->by_id) {
    for (auto const& passkey : account->passkeys)
      state->by_credential.emplace(passkey.credential_id, account);
  }
  TACENDA_TRY_VOID(state->read_rows('s', [](ByteView row, Account& account) -> Result<void> {
    account.standing = TACENDA_TRY(decode_standing(row));
    return {};
  }));
  TACENDA_TRY_VOID(state->read_rows('x', [](ByteView row, Account& account) -> Result<void> {
    account.provisioned = TACENDA_TRY(decode_provisioned(row));
    account.suspended = !account.provisioned->active;
    return {};
  }));
  TACENDA_TRY_VOID(state->read_rows('o', [](ByteView row, Account& account) -> Result<void> {
    account.provider = TACENDA_TRY(decode_provider_link(row));
    return {};
  }));
  TACENDA_TRY_VOID(state->read_rows('z', [](ByteView row, Account& account) -> Result<void> {
    account.sealed = TACENDA_TRY(decode_sealed(row));
    return {};
  }));
  if (auto const row = TACENDA_TRY(state->rows.get(as_bytes(State::kEmergencyKey))))
    state->emergency = TACENDA_TRY(decode_emergency_mode(*row));
  TACENDA_TRY_VOID(state->rows.scan(
      as_bytes("g"), [raw](ByteView, ByteView row) TACENDA_REQUIRES(raw->mutex) -> Result<bool> {
        auto group = TACENDA_TRY(decode_group(row));
        auto const& id = group->id;
        raw->groups.emplace(id, std::move(group));
        return true;
      }));
  Time const now = clock.now();
  TACENDA_TRY_VOID(state->rows.scan(
      as_bytes("t"), [raw, now](ByteView key, ByteView row) TACENDA_REQUIRES(raw->mutex) -> Result<bool> {
        auto decoded = TACENDA_TRY(decode_token(row));
        auto const found = raw->by_id.find(decoded.user);
        if (found == raw->by_id.end()) return fail(ErrorKind::kCorrupt, "a directory row belongs to nobody");
        decoded.token->account = found->second;
        Digest hash{};
        if (key.size() != 1 + hash.size()) return fail(ErrorKind::kCorrupt, "a token row has another key");
        std::ranges::copy(key.subspan(1), hash.begin());
        if (raw->is_live(*decoded.token, now)) {
          raw->tokens.emplace(hash, std::move(decoded.token));
        } else {
          raw->dead.push_back(hash);
        }
        return true;
      }));
  auto const dummy = TACENDA_TRY(state->random_code(32));
  state->dummy_phc = TACENDA_TRY(crypto::hash_password(as_bytes(dummy), state->cost, random));
  return std::unique_ptr<Directory>(new Directory(std::move(state)));
}

Result<void> Directory::check_new(NewUser const& user) const {
  if (!is_user_name(user.name)) {
    return fail(ErrorKind::kInvalid, "a user name is 1 to 64 of [a-z0-9._@-] and does not start with '-'");
  }
  if (user.until && *user.until <= state_->clock.now())
    return fail(ErrorKind::kInvalid, "an account cannot end before it begins");
  // Names are never given twice, not even after their account was disabled (S-02).
  if (state_->find(user.name)) return fail(ErrorKind::kConflict, "this user name exists or existed");
  return {};
}

Result<std::shared_ptr<Account>> Directory::State::new_account(NewUser const& user) const {
  auto const id = TACENDA_TRY(UserId::parse(codec::format_uuid_v4(TACENDA_TRY(vault.random_bytes16()))));
  auto account = std::make_shared<Account>(id);
  account->name = user.name;
  account->role = user.role;
  account->is_service = user.is_service;
  account->patient = user.patient;
  account->created = clock.now();
  Standing standing;
  standing.until = user.until;
  account->standing = std::make_shared<Standing const>(std::move(standing));
  return account;
}

Result<Directory::Added> Directory::add_user(NewUser const& user) {
  TACENDA_TRY_VOID(check_new(user));
  auto account = TACENDA_TRY(state_->new_account(user));
  Added added{{}, account->id, {}, account->created};
  if (!user.is_service) {
    added.enrolment_code = TACENDA_TRY(state_->random_code(32));
    added.expires = account->created + limits::kEnrolmentTime;
    account->enrolment.emplace();
    account->enrolment->code_hash = crypto::sha256(as_bytes(added.enrolment_code));
    account->enrolment->expires = added.expires;
  }
  State::Rows const written{.account = true, .standing = user.until.has_value()};
  added.pending = state_->pending_new(std::move(account), written);
  return added;
}

Result<void> Directory::check_renewal(std::string_view name) const {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  if (account->is_service) return fail(ErrorKind::kForbidden, "service accounts do not enrol");
  if (!account->enabled || account->suspended) return fail(ErrorKind::kForbidden, "this user is disabled");
  if (account->sealed)
    return fail(ErrorKind::kForbidden, "an emergency account is sealed anew: tacenda user reseal");
  return {};
}

Result<Directory::Added> Directory::renew_enrolment(std::string_view name) {
  TACENDA_TRY_VOID(check_renewal(name));
  auto const account = state_->find(name);
  Added added{{}, account->id, TACENDA_TRY(state_->random_code(32)), state_->clock.now() + limits::kEnrolmentTime};
  WriteLock const lock(state_->mutex);
  account->enrolment.emplace();
  account->enrolment->code_hash = crypto::sha256(as_bytes(added.enrolment_code));
  account->enrolment->expires = added.expires;
  added.pending = state_->pending_told(account, Notice::Kind::kInvitationRenewed);
  return added;
}

Result<Pending> Directory::disable_user(std::string_view name) {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  WriteLock const lock(state_->mutex);
  account->enabled = false;  // at once, and stays so even when the commit fails: the safe side
  ++account->token_epoch;
  account->enrolment.reset();
  return state_->pending_end(account, State::kAccount, state_->end_tokens(*account));
}

Result<Pending> Directory::change_role(std::string_view name, std::string_view role) {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  WriteLock const lock(state_->mutex);
  if (account->provisioned && !account->provisioned->keeps_role)
    return fail(ErrorKind::kConflict, "the role of this user comes from his groups at the identity provider");
  return state_->pending_told(
      account, Notice::Kind::kRoleChanged,
      [role = std::string(role)]() -> Result<Opening> { return Opening{.role = role}; });
}

Result<Pending> Directory::unlock_user(std::string_view name) {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  WriteLock const lock(state_->mutex);
  return state_->pending(account, State::kCounters,
                         [account]() -> Result<Opening> { return Opening{.forgiven = account->failures}; });
}

std::vector<UserView> Directory::users() const {
  ReadLock const lock(state_->mutex);
  std::vector<UserView> views;
  for (auto const& [name, account] : state_->by_name) {
    UserView view;
    view.id = account->id.view();
    view.name = name;
    view.role = state_->role_of(*account);
    view.provisioned = account->provisioned;
    view.provider = account->provider;
    view.sealed = account->sealed;
    view.is_service = account->is_service;
    view.enabled = account->is_active(state_->clock.now());
    view.enrolled = account->is_service || !account->password_phc.empty();
    if (account->patient) view.patient = std::string(account->patient->view());
    view.created = account->created;
    view.last_login = account->last_login;
    view.passkeys = account->passkeys.size();
    view.recovery_codes = account->recovery_codes.size();
    view.standing = account->standing;
    for (auto const& [key, token] : state_->tokens) view.live_tokens += token->account == account ? 1U : 0U;
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<std::string> Directory::people(std::function<bool(std::string_view role)> const& is_meant) const {
  ReadLock const lock(state_->mutex);
  std::vector<std::string> ids;
  for (auto const& [id, account] : state_->by_id) {
    bool const signs_in = !account->password_phc.empty() || !account->passkeys.empty() || account->provider;
    if (!account->is_service && signs_in && account->is_active(state_->clock.now()) &&
        is_meant(state_->role_of(*account)))
      ids.push_back(id);
  }
  return ids;
}

std::optional<UserView> Directory::find_user(std::string_view name) const {
  for (auto& view : users()) {
    if (view.name == name) return std::move(view);
  }
  return std::nullopt;
}

Result<void> Directory::check_service_token(std::string_view name, std::chrono::seconds lifetime,
                                            std::chrono::seconds longest) const {
  auto const account = state_->find(name);
  if (!account || !account->is_active(state_->clock.now()))
    return fail(ErrorKind::kNotFound, "there is no such enabled user");
  if (!account->is_service)
    return fail(ErrorKind::kForbidden, "tokens are issued to service accounts: people log in");
  if (lifetime < std::chrono::seconds(1) || lifetime > longest) {
    return fail(ErrorKind::kInvalid,
                "a service token lasts from 1 second to 1 hour, one that provisions users 180 days");
  }
  return {};
}

Result<Directory::IssuedToken> Directory::issue_service_token(std::string_view name,
                                                              std::chrono::seconds lifetime,
                                                              std::chrono::seconds longest) {
  TACENDA_TRY_VOID(check_service_token(name, lifetime, longest));
  auto const account = state_->find(name);
  WriteLock const lock(state_->mutex);
  auto made = TACENDA_TRY(
      state_->make_token(account, {.lifetime = lifetime, .idles = false, .method = Method::kToken}));
  return IssuedToken{std::move(made.pending), state_->principal_of(*account, *made.token, Method::kToken),
                     std::move(made.text), made.token->expires};
}

Result<Pending> Directory::bind_certificate(std::string_view name, Digest const& certificate) {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  if (!account->is_service) return fail(ErrorKind::kForbidden, "certificates are bound to service accounts");
  MakeOpening const bind = [state = state_.get(), account, certificate]()
                               TACENDA_REQUIRES_SHARED(state->mutex) -> Result<Opening> {
    for (auto const& [other_name, other] : state->by_name) {
      if (other != account && other->certificate == certificate)
        return fail(ErrorKind::kConflict, "this certificate is bound to another account");
    }
    return Opening{.certificate = certificate};
  };
  ReadLock const lock(state_->mutex);
  TACENDA_TRY_VOID(bind());
  return state_->pending(account, State::kAccount, bind);
}

Result<Pending> Directory::restrict_networks(std::string_view name,
                                             std::optional<std::vector<std::string>> networks) {
  if (networks && networks->size() > limits::kNetworksPerList)
    return fail(ErrorKind::kInvalid, "an address list has more networks than there can be");
  return change_standing(
      name, [networks = std::move(networks)](Standing& standing) { standing.networks = networks; });
}

Result<Pending> Directory::limit_until(std::string_view name, std::optional<Time> until) {
  return change_standing(name, [until](Standing& standing) { standing.until = until; });
}

Result<Pending> Directory::change_standing(std::string_view name, std::function<void(Standing&)> change) {
  auto const account = state_->find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  WriteLock const lock(state_->mutex);
  return state_->pending_standing(account, std::move(change));
}

void Directory::hold_sessions_to(RoleTimes times) {
  WriteLock const lock(state_->mutex);
  state_->role_times = std::move(times);
}

SessionTimes Directory::session_times(UserId const& user) const {
  ReadLock const lock(state_->mutex);
  auto const found = state_->by_id.find(user.view());
  return found == state_->by_id.end() ? state_->times : state_->times_of(*found->second);
}

std::string Directory::hashed_name(std::string_view name) const {
  // Under a key of its own: half of what is hashed for a password must never stand in the audit log.
  auto const mac = state_->names_tried.sign({as_bytes(name)});
  return codec::hex_encode(ByteView(mac).first(16));
}

}  // namespace tacenda::identity

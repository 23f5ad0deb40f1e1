// Accounts of this server and of the OpenID provider: which belong together, and signing in by it.
#include <algorithm>
#include <utility>

#include "identity/id_token.hpp"
#include "identity/internal/provisioning_steps.hpp"
#include "identity/internal/state.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::identity {
namespace {

bool is_link_of(Account const& account, std::string_view issuer, std::string_view subject) {
  return account.provider && account.provider->issuer == issuer && account.provider->subject == subject;
}

/// Nobody's any more: who is hired again comes in by his new account.
bool is_gone(Account const& account) {
  return account.provisioned && account.provisioned->deleted;
}

}  // namespace

Result<void> Directory::State::check_link(ProviderLink const& link, Account const& account) const {
  for (auto const& [id, other] : by_id) {
    if (other.get() != &account && !is_gone(*other) && is_link_of(*other, link.issuer, link.subject))
      return fail(ErrorKind::kConflict, "this subject of the OpenID provider is another user's");
  }
  return {};
}

std::shared_ptr<Account> Provisioning::Steps::account_of(Directory::State const& state,
                                                         Asserted const& asserted, Literal& reason) {
  for (auto const& [id, account] : state.by_id) {
    if (!is_gone(*account) && is_link_of(*account, asserted.issuer, asserted.subject)) return account;
  }
  reason = "no account belongs to who signed in at the OpenID provider";
  if (asserted.account.empty()) return nullptr;
  for (auto const& [id, account] : state.by_id) {
    auto const& provisioned = account->provisioned;
    // The external id is the identity provider's to change: an account with a role of its own, which it only
    // may end, is not opened by it.
    if (!provisioned || provisioned->deleted || provisioned->keeps_role ||
        provisioned->external_id != asserted.account)
      continue;
    if (provisioned->linked_by_administrator) {
      reason = "who the account belongs to at the OpenID provider is an administrator's to say";
      return nullptr;
    }
    // Who signed in first has it: the same external id of somebody else does not open it.
    if (account->provider) {
      reason = "the account belongs to somebody else of the OpenID provider";
      return nullptr;
    }
    // Somebody uses it already, and may be another: the external id is the provider's to change.
    if (!account->password_phc.empty() || !account->passkeys.empty()) {
      reason = "the account has factors of its own: an administrator links it";
      return nullptr;
    }
    return account;
  }
  return nullptr;
}

Result<Directory::Attempt> Provisioning::sign_in(Asserted const& asserted, std::string_view address) {
  auto& state = state_;
  Directory::Attempt attempt;
  WriteLock const lock(state.mutex);
  auto const account = Steps::account_of(state, asserted, attempt.reason);
  if (!account) return attempt;
  attempt.actor_id = account->id.view();
  if (account->is_service || !account->is_active(state.clock.now())) {
    attempt.reason = Literal("unknown or disabled user");
    return attempt;
  }
  std::shared_ptr<ProviderLink const> link;
  if (!account->provider) {
    link = std::make_shared<ProviderLink const>(ProviderLink{asserted.issuer, asserted.subject});
    state.notify(*account, Notice::Kind::kProviderLinked);
  }
  TACENDA_TRY_VOID(state.open_session(account,
                                      {.lifetime = state.times_of(*account).absolute,
                                       .method = Method::kProvider,
                                       .address = std::string(address),
                                       .written = AccountRows{.factors = !!link, .provider = !!link},
                                       .link = link,
                                       .second_factor_at = asserted.authenticated},
                                      attempt));
  return attempt;
}

Result<Pending> Provisioning::link_provider(std::string_view name, std::optional<ProviderLink> link) {
  auto& state = state_;
  auto const account = state.find(name);
  if (!account) return fail(ErrorKind::kNotFound, "there is no such user");
  if (account->is_service)
    return fail(ErrorKind::kForbidden, "service accounts do not sign in by a provider");
  if (link && !is_subject(link->subject))
    return fail(ErrorKind::kInvalid, "a subject of the OpenID provider is a line of 1 to 255 bytes");
  WriteLock const lock(state.mutex);
  if (account->sealed) return fail(ErrorKind::kForbidden, "an emergency account is no identity provider's");
  auto const next = link ? std::make_shared<ProviderLink const>(std::move(*link)) : nullptr;
  MakeOpening const opens = [raw = &state, account, next]()
                                TACENDA_REQUIRES_SHARED(raw->mutex) -> Result<Opening> {
    if (next) TACENDA_TRY_VOID(raw->check_link(*next, *account));
    return Opening{.provider = next};
  };
  TACENDA_TRY_VOID(opens());
  // Who came in by the link of before comes in no more, and nothing of it goes on (K-06): at once, and it
  // stays so even when the commit fails.
  account->provider = nullptr;
  if (account->provisioned) {
    auto provisioned = *account->provisioned;
    provisioned.linked_by_administrator = true;
    account->provisioned = std::make_shared<Provisioned const>(std::move(provisioned));
  }
  ++account->token_epoch;
  if (next) state.notify(*account, Notice::Kind::kProviderLinked);
  AccountRows const written{.account = true,
                            .factors = next != nullptr,
                            .provisioned = account->provisioned != nullptr,
                            .provider = true};
  return state.pending_end(account, written, state.end_tokens(*account), opens);
}

}  // namespace tacenda::identity

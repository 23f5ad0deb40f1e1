// What a role demands of who has it: networks, second factors, awareness.
#include <algorithm>

#include "access/gate.hpp"
#include "identity/awareness.hpp"

namespace tacenda::access {
namespace {

constexpr std::chrono::days kAcknowledgedFor{365};

/// The factor of a session; nullopt for what has none that a role could ask for.
std::optional<Factor> factor_of(identity::Principal const& principal) {
  switch (principal.method()) {
    case identity::Method::kSession:
      return Factor::kTotp;
    case identity::Method::kPasskey:
      return Factor::kPasskey;
    case identity::Method::kRecoveryCode:
      return Factor::kRecoveryCode;
    case identity::Method::kProvider:
      return Factor::kProvider;
    case identity::Method::kToken:
    case identity::Method::kCertificate:
    case identity::Method::kSocket:
    case identity::Method::kSealed:  // made for when no other can be shown
      return std::nullopt;
  }
  return std::nullopt;
}

/// Until when a topic is met, without the grace that the role gives. A text that has changed since is as one
/// that was never read.
Time met_until(identity::Principal const& principal, identity::AwarenessTopic const& topic) {
  for (auto const& read : principal.standing()->acknowledgements) {
    if (read.topic == topic.id && read.version == topic.version) return read.at + kAcknowledgedFor;
  }
  return principal.account_created();
}

}  // namespace

Result<void> Gate::admits(identity::Principal const& principal, std::string_view address) const {
  if (address.empty()) return {};
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role != nullptr && !role->networks.contains(address))
    return fail(ErrorKind::kForbidden, "this role may not be used from this address");
  auto const& own = principal.standing()->networks;
  if (!own) return {};
  auto const list = AddressList::parse(*own);
  // One that cannot be read lets nobody in.
  if (list.has_value() && list->contains(address)) return {};
  return fail(ErrorKind::kForbidden, "this account may not be used from this address");
}

Result<void> Gate::takes_factor(identity::Principal const& principal) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  auto const factor = factor_of(principal);
  if (role == nullptr || !factor || role->takes(*factor)) return {};
  return fail(ErrorKind::kForbidden, "this role needs a sign-in with another second factor");
}

Result<void> Gate::may_change_factors(identity::Principal const& principal) const {
  if (principal.method() == identity::Method::kProvider || principal.is_emergency() ||
      !role(principal.role()))
    return fail(ErrorKind::kForbidden,
                "factors are changed behind a sign-in with a password or passkey of this server");
  return takes_factor(principal);
}

Result<void> Gate::is_complete(identity::Principal const& principal, Time now) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  // An unknown role has no rights; that is told where they are asked for.
  if (role == nullptr || principal.is_service() || principal.is_emergency()) return {};
  TACENDA_TRY_VOID(takes_factor(principal));
  for (auto const& id : role->awareness) {
    auto const* topic = identity::find_awareness_topic(id);
    if (topic != nullptr && now >= met_until(principal, *topic) + role->awareness_grace)
      return fail(ErrorKind::kForbidden,
                  "read and acknowledge the awareness topics first: GET /auth/awareness");
  }
  return {};
}

}  // namespace tacenda::access

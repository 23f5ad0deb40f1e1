#pragma once

#include <algorithm>
#include <array>

#include "vault/key_states.hpp"
#include "vault/view.hpp"

namespace tacenda::vault {

/// Whose rows lie under which purpose. What stands here is sealed anew before a term is destroyed; SealedView
/// writes nothing else. In the order of their keys, which KeyRotation::reseal_some goes through.
struct SealedRows {
  Keeper keeper;
  Purpose purpose;
};
inline constexpr std::array<SealedRows, 6> kSealedRows{{
    {Keeper::kPrivacy, Purpose::kAudit},
    {Keeper::kIdentity, Purpose::kAuth},
    {Keeper::kMonitor, Purpose::kAudit},
    {Keeper::kAuthorization, Purpose::kAuth},
    {Keeper::kPolicy, Purpose::kAuth},
    {Keeper::kState, Purpose::kState},
}};
static_assert(std::ranges::is_sorted(kSealedRows, {}, &SealedRows::keeper));

constexpr bool is_sealed_under(Keeper keeper, Purpose purpose) {
  for (auto const& rows : kSealedRows) {
    if (rows.keeper == keeper && rows.purpose == purpose) return true;
  }
  return false;
}

}  // namespace tacenda::vault

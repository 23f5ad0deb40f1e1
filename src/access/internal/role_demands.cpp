#include "access/internal/role_demands.hpp"

#include <array>

#include "access/internal/policy_words.hpp"
#include "core/account_limits.hpp"
#include "core/limits.hpp"
#include "identity/awareness.hpp"

namespace tacenda::access {
namespace {

constexpr auto kFactors = std::to_array<Word<Factor>>({
    {"totp", Factor::kTotp},
    {"passkey", Factor::kPasskey},
    {"recovery-code", Factor::kRecoveryCode},
    {"provider", Factor::kProvider},
});

constexpr std::int64_t kGraceDaysMax = 365;

/// A time of a session. Errors: kInvalid.
Result<std::chrono::minutes> session_minutes(toml::node const& node, std::chrono::minutes most) {
  auto const minutes = node.value_exact<std::int64_t>();
  if (!minutes || *minutes < 1 || *minutes > most.count())
    return fail(ErrorKind::kInvalid,
                "a session lasts from 1 to 1440 minutes, and from 1 to 60 without a request");
  return std::chrono::minutes(*minutes);
}

}  // namespace

Result<void> limit_sessions(toml::table const& table, Role& role) {
  constexpr identity::SessionTimes kMost{limits::kAdministratorIdle, limits::kAdministratorAbsolute};
  if (role.admin_actions == 0) return {};
  auto const most = shorter_of(role.session, kMost);
  if ((table.contains("session-minutes") && most.absolute != role.session.absolute) ||
      (table.contains("session-idle-minutes") && most.idle != role.session.idle))
    return fail(ErrorKind::kInvalid,
                "sessions of a role that administers last 720 minutes at most, and 15 without a request");
  role.session = most;
  return {};
}

Result<bool> parse_demand(std::string_view name, toml::node const& node, Role& role) {
  if (name == "factors") {
    role.factors = TACENDA_TRY(bits_of(node, kFactors));
    if (role.factors == 0)
      return fail(ErrorKind::kInvalid, "a role takes no second factor: nobody could use it");
  } else if (name == "networks") {
    role.networks = TACENDA_TRY(AddressList::parse(TACENDA_TRY(words_of(node))));
  } else if (name == "awareness") {
    role.awareness = TACENDA_TRY(words_of(node));
    for (auto const& topic : role.awareness) {
      if (identity::find_awareness_topic(topic) == nullptr)
        return fail(ErrorKind::kInvalid, "a role demands an unknown awareness topic");
    }
  } else if (name == "awareness-grace-days") {
    auto const days = node.value_exact<std::int64_t>();
    if (!days || *days < 0 || *days > kGraceDaysMax)
      return fail(ErrorKind::kInvalid, "a grace period is a whole number of days from 0 to 365");
    role.awareness_grace = std::chrono::days(*days);
  } else if (name == "session-minutes") {
    role.session.absolute = TACENDA_TRY(session_minutes(node, limits::kSessionAbsoluteMax));
  } else if (name == "session-idle-minutes") {
    role.session.idle = TACENDA_TRY(session_minutes(node, limits::kSessionIdleMax));
  } else {
    return false;
  }
  return true;
}

}  // namespace tacenda::access

#pragma once

#include <optional>
#include <string>

#include "core/clock.hpp"

namespace tacenda::identity {

/// A time in which emergency accounts can be signed in to (S-03).
struct EmergencyMode {
  std::string id;  // random; stays while it is prolonged
  Time begun{};
  Time until{};
  std::string reason;  // as the last order says
  std::string by;      // UserId of who gave it; empty: who started the server

  bool is_on(Time now) const { return begun <= now && now < until; }
};

/// What makes an account an emergency account: its credential lies printed in a safe, and is good in one
/// emergency alone. Immutable once shared.
struct Sealed {
  Time made{};
  std::string opened_in;       // EmergencyMode::id; empty: it was not opened yet
  std::optional<Time> opened;  // first
};

}  // namespace tacenda::identity

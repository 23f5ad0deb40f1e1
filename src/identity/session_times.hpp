#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "core/limits.hpp"

namespace tacenda::identity {

/// How long a session of a person lasts (S-04, K-05).
struct SessionTimes {
  std::chrono::milliseconds idle = limits::kSessionIdle;          // without a request
  std::chrono::milliseconds absolute = limits::kSessionAbsolute;  // whatever is done
};

/// Of both the shorter.
inline SessionTimes shorter_of(SessionTimes const& a, SessionTimes const& b) {
  return {std::min(a.idle, b.idle), std::min(a.absolute, b.absolute)};
}

/// The longest that sessions of a role last. A role that is not named has none of its own.
using RoleTimes = std::map<std::string, SessionTimes, std::less<>>;

}  // namespace tacenda::identity

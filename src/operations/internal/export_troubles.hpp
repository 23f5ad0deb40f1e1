#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tacenda::operations {

/// Exports that cannot go on at the moment, and when each is tried again, so that none holds up the others:
/// after 5 seconds, twice as long each time up to 10 minutes, and for the last time after 16 hours or so.
///
/// Owner: ExportWorker, on its thread. Forgotten with the process: an export then begins anew.
class ExportTroubles {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kFirstWait{5};
  static constexpr std::chrono::seconds kLongestWait{600};
  static constexpr int kTries = 100;

  bool may_try(std::string_view id, Instant now) const;
  /// Notes that it failed in a way that may pass. False: too often, it is not to be tried again.
  bool note(std::string_view id, Instant now);
  void forget(std::string_view id);
  /// Forgets those that are no more.
  void keep(std::function<bool(std::string_view id)> const& is_there);

 private:
  struct Trouble {
    int tries = 0;
    Instant again{};
  };
  std::map<std::string, Trouble, std::less<>> troubles_;
};

}  // namespace tacenda::operations

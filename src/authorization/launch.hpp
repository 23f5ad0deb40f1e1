#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"

namespace tacenda::authorization {

/// What an application learns of the place that it was started from, beside the patient.
struct LaunchContext {
  std::string encounter;  // logical id; empty: none
  std::string intent;     // what it is to do, in words between EHR and application; empty: nothing
  bool need_patient_banner = true;
  bool operator==(LaunchContext const&) const = default;
};

/// Somebody who works with a patient starts an application for him. Ids are ids that were looked up.
struct Launch {
  std::string client;
  std::string user;  // who starts it: nobody else can go on with it
  std::string patient;
  LaunchContext context;
};

/// A launch whose handle an application has shown.
struct ShownLaunch {
  Digest name{};  // SHA-256 of the handle
  std::string user;
  std::string patient;
  LaunchContext context;
};

/// Handles of launches that wait for their application: 256 random bits, for limits::kLaunchLife, in memory
/// alone. A handle is of its client, of the first browser that shows it, and good for one decision.
///
/// Owner: Server. Thread-safe. Source: SMART App Launch 2.2, app-launch.html#launch-app-ehr-launch;
/// REQUIREMENTS F-17.
class Launches {
 public:
  explicit Launches(Clock const& clock) : clock_(clock) {}

  /// `handle`: random, chosen by the caller. Errors: kThrottled (limits::kLaunches,
  /// limits::kLaunchesPerUser).
  Result<void> add(std::string_view handle, Launch launch);
  /// nullopt: there is none of this client, or it was shown in another browser.
  std::optional<ShownLaunch> show(std::string_view handle, std::string_view client, Digest const& browser);
  /// Takes it, so that it is good no more. False: somebody was faster.
  bool take(Digest const& name);

 private:
  struct Entry {
    Launch launch;
    std::optional<Digest> browser;  // nullopt: nobody has shown it
    Time expires{};                 // until when it can be shown
    Time forgotten{};
  };
  void forget(Time now) TACENDA_REQUIRES(mutex_);

  Clock const& clock_;
  Mutex mutex_;
  std::map<Digest, Entry> launches_ TACENDA_GUARDED_BY(mutex_);  // by SHA-256 of the handle
};

/// Is this what an intent may be? 1 to 64 of [A-Za-z0-9._:/-].
bool is_intent(std::string_view text);

}  // namespace tacenda::authorization

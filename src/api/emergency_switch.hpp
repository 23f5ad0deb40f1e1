#pragma once

#include <optional>

#include "audit/event.hpp"
#include "audit/log.hpp"
#include "core/mutex.hpp"
#include "identity/emergency_access.hpp"

namespace tacenda::api {

/// Turns emergency mode on and off, each with its entry in the log (S-03, docs/adr/0014-emergency-mode.md).
///
/// Owner: start. Thread-safe: orders follow each other.
class EmergencySwitch {
 public:
  EmergencySwitch(audit::Log& log, identity::Directory& directory) : log_(log), access_(directory) {}

  struct Turned {
    audit::Receipt receipt;
    identity::EmergencyMode mode;
  };
  /// `event` says who and from where. Errors: those of EmergencyAccess::begin and of audit::Log::commit.
  Result<Turned> turn_on(identity::EmergencyAccess::Order const& order, audit::Event event);
  /// Errors: kNotFound (it is off); those of audit::Log::commit: it stays off until the next start.
  Result<Turned> turn_off(audit::Event event);
  /// Ends a mode whose time is over. Call once a second.
  void close_if_over();

  std::optional<identity::EmergencyMode> mode() const { return access_.mode(); }

 private:
  Result<Turned> end(audit::Event event) TACENDA_REQUIRES(turn_);
  Result<void> close() TACENDA_REQUIRES(turn_);

  audit::Log& log_;
  identity::EmergencyAccess access_;
  // Held across commits, so that no order rests on one that is taken back; no other lock is waited for under
  // it but the log's and the directory's.
  Mutex turn_;
};

}  // namespace tacenda::api

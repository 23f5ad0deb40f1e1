#pragma once

#include <optional>
#include <string>

#include "audit/event.hpp"
#include "monitor/alert.hpp"

namespace tacenda::monitor {

/// What an entry of the log means to the monitor.
struct Finding {
  std::optional<Rule> rule;             // an alert is due
  std::string user;                     // whom it is about: UserId, or empty
  std::string patient;                  // logical id, or empty
  std::string emergency;                // its id, of one that began
  std::optional<std::string> network;   // somebody signed in from there
  bool has_enrolled = false;            // somebody has new factors; `rule` is for when he had some before
  std::optional<std::string> reviewed;  // the emergency that was looked at
};

/// May an entry of this kind and outcome mean anything, whatever stands in it? Quick: asked of every entry.
bool is_looked_at(audit::EventKind kind, audit::Outcome outcome);

/// `entry` is one that is looked at, or that has labels.
Finding judge(audit::Entry const& entry);

}  // namespace tacenda::monitor

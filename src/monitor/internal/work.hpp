#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "monitor/alert.hpp"
#include "monitor/networks.hpp"

namespace tacenda::monitor {

/// The alert that repeats go into.
struct Fold {
  AlertId id;
  Time first;
};

/// An emergency that waits for its review.
struct Review {
  AlertId id;
  Time begun;
  bool has_escalated = false;
};

/// What the Detector found and has not committed. Owner: its thread.
struct Work {
  struct Raised {
    AlertId id;
    std::string patient;  // logical id, for the audit event
  };

  std::uint64_t read_at = 0;  // commits that the rows below surely were read after
  std::map<AlertId, Alert> alerts;
  std::vector<Raised> raised;                // those of them that are new
  std::map<std::string, Fold> folds;         // as in Detector
  std::map<std::string, Review> reviews;     // begun, or escalated
  std::set<std::string> reviewed;            // emergencies
  std::map<std::string, Networks> networks;  // by user; one that is empty ends

  bool empty() const { return alerts.empty() && networks.empty(); }
  std::size_t size() const { return alerts.size() + networks.size(); }
};

}  // namespace tacenda::monitor

#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/subject.hpp"

namespace tacenda::monitor {

/// What an alert is about. The number is stored: never reuse one. docs/operating/alerts.md has a line for
/// each.
enum class Rule : std::uint8_t {
  kEmergency = 1,
  kEmergencyUnreviewed = 2,
  kWatchedRecord = 3,
  kWatchedRecordDenied = 4,
  kAccountLocked = 5,
  kNewNetwork = 6,
  kPasskeyCopied = 7,
  kTokenReused = 8,
  kRightsChanged = 9,
  kFactorsChanged = 10,
  kEmergencyMode = 11,
};

enum class Severity : std::uint8_t { kInfo = 1, kWarning = 2, kHigh = 3, kCritical = 4 };

/// What there is to know of a rule.
struct RuleFacts {
  Rule rule;
  std::string_view name;  // in the command line: "emergency"
  std::string_view text;  // one sentence that names nobody
  Severity severity;
  /// Repeats of one user with one patient within this time, counted from the first, are one alert. 0: never.
  std::chrono::minutes folds;
};

std::span<RuleFacts const> rules();
/// nullptr: no such rule, one that a newer version wrote.
RuleFacts const* facts_of(Rule rule);
std::string_view name_of(Severity severity);

/// The entry of the audit log that an alert was raised for, and by which rule.
struct AlertId {
  std::uint64_t sequence = 0;
  Rule rule = Rule::kEmergency;

  auto operator<=>(AlertId const&) const = default;
  /// "1234-emergency"
  std::string text() const;
  /// Errors: kInvalid.
  static Result<AlertId> parse(std::string_view text);
};

enum class AlertState : std::uint8_t { kOpen = 1, kAcknowledged = 2, kClosed = 3 };
std::string_view name_of(AlertState state);

/// One alert.
struct Alert {
  AlertId id;
  Time first{};  // when the entry was recorded
  Time last{};   // the newest entry that it stands for
  std::uint64_t last_sequence = 0;
  std::uint64_t count = 1;  // entries that it stands for
  /// It stands for many users and patients: there were more within an hour than have an alert each.
  bool stands_for_many = false;
  std::string user;  // UserId; empty: nobody who is known
  /// Of the patient. His id is in the key vault alone, so that it is forgotten with him.
  std::optional<vault::Alias> patient;
  std::string emergency;  // its id, of the rules about one
  AlertState state = AlertState::kOpen;
  std::string answered_by;  // UserId
  std::optional<Time> answered;
  std::string note;
};

// Plaintext of a row (docs/data-file.md, "Alert rows"); the id is in its key. Errors: kCorrupt, kUnsupported.
Bytes encode_alert(Alert const& alert);
Result<Alert> decode_alert(AlertId id, ByteView row);

}  // namespace tacenda::monitor

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/id.hpp"
#include "core/mutex.hpp"
#include "vault/vault.hpp"

namespace tacenda::access {

/// What 42 CFR 2.51(c) wants written of a disclosure of Part 2 records in a medical emergency; date and time
/// are those of the emergency.
struct EmergencyDisclosure {
  std::string recipient;    // name of the medical personnel to whom it is made
  std::string affiliation;  // theirs with a health care facility
  std::string discloser;    // name of who makes it
  std::string nature;       // of the emergency
};

/// A time in which one person may see one patient's record although consent, label or a missing relation
/// stands against it. Source: FHIR R4 security-labels.html#break-the-glass; REQUIREMENTS C-12 to C-14.
struct Emergency {
  std::string id;
  std::string user;     // UserId
  std::string patient;  // logical id
  std::string reason;   // as he gave it
  Time begun{};
  Time expires{};
  std::string reviewer;  // UserId of who looked at it afterwards; empty: nobody yet
  std::string finding;
  std::optional<Time> reviewed;
  std::optional<EmergencyDisclosure> disclosure;  // without it what 42 CFR Part 2 protects stays closed
};

/// What was decided about single persons: which Practitioner a user is, who may see a very restricted record,
/// and who broke the glass. Kept in memory and in SealedView(kPolicy, kAuth).
///
/// Owner: start. Thread-safe. Of two changes of one row at once one conflicts; whoever makes it again does so
/// when the other is effective, too (api::Admin lets one go after the other).
class Assignments {
 public:
  static Result<std::unique_ptr<Assignments>> open(vault::Vault& vault, Clock const& clock);

  /// A change that is not durable yet. Commit `set` with its event, then call `committed`. What opens nothing
  /// (an end) is effective at once. One thread.
  struct Change {
    vault::WriteSet set;
    std::move_only_function<void()> committed;
  };

  /// Logical id of the Practitioner that a user is; nullopt: none is known.
  std::optional<std::string> practitioner_of(std::string_view user) const;
  /// nullopt: of nobody any more. Errors: kUnavailable.
  Result<Change> set_practitioner(std::string_view user, std::optional<ResourceId> const& practitioner);

  /// Is the user on the list of a very restricted record?
  bool is_listed(std::string_view patient, std::string_view user) const;
  /// Is anybody on a list of his? Then every access to his record is watched (C-16).
  bool has_list(std::string_view patient) const;
  std::vector<std::pair<std::string, std::string>> lists() const;  // patient, user
  /// Users on the list of a record, as it is stored. Errors: kCorrupt, kUnavailable.
  Result<std::vector<std::string>> stored_list(std::string_view patient) const;
  Result<Change> set_listed(std::string_view patient, std::string_view user, bool listed);

  /// The emergency of a user with a patient that holds now; nullopt: there is none.
  std::optional<Emergency> emergency(std::string_view user, std::string_view patient, Time now) const;
  struct Begun {
    Change change;
    Emergency emergency;
  };
  /// Errors: kUnprocessable (no reason, or one of over limits::kReasonBytes; a disclosure with a field that
  /// is empty or over limits::kReasonBytes), kThrottled (too many that nobody has reviewed, with those that
  /// are on their way to the store), kUnavailable.
  Result<Begun> begin_emergency(std::string_view user, std::string_view patient, std::string_view reason,
                                std::chrono::seconds lasts,
                                std::optional<EmergencyDisclosure> disclosure = {});
  /// Newest last.
  std::vector<Emergency> emergencies() const;
  /// Says that somebody else than who broke the glass has looked at it. Errors: kNotFound, kForbidden (his
  /// own), kConflict (done already), kUnprocessable (no finding).
  Result<Change> review(std::string_view id, std::string_view reviewer, std::string_view finding);

  /// Whose records are being erased: from now on nobody sees them, and those of nobody else are closed. Those
  /// that others have, too, stay open of whom `waiting` names: somebody has to decide about them, and take
  /// him out. Kept in memory alone: privacy says it again after a start.
  void close_records(std::set<std::string, std::less<>> patients,
                     std::set<std::string, std::less<>> waiting = {});
  bool closes_any() const { return closes_any_.load(std::memory_order_acquire); }
  bool closes(std::span<std::string const> patients) const;

 private:
  Assignments(vault::Vault& vault, Clock const& clock);
  Result<void> load();
  class Reservation;
  /// A place among the emergencies of a user that nobody has reviewed; nullptr: there are too many.
  std::shared_ptr<Reservation> reserve(std::string_view user);

  vault::Vault& vault_;
  Clock const& clock_;
  vault::SealedView rows_;
  mutable SharedMutex mutex_;
  std::map<std::string, std::string, std::less<>> practitioners_ TACENDA_GUARDED_BY(mutex_);  // by user
  std::set<std::pair<std::string, std::string>> listed_ TACENDA_GUARDED_BY(mutex_);           // patient, user
  std::map<std::string, Emergency, std::less<>> emergencies_ TACENDA_GUARDED_BY(mutex_);      // by id
  std::map<std::string, std::size_t, std::less<>> being_begun_ TACENDA_GUARDED_BY(mutex_);    // by user
  std::map<std::pair<std::string, std::string>, std::string> newest_
      TACENDA_GUARDED_BY(mutex_);  // of user and patient
  std::set<std::string, std::less<>> closed_ TACENDA_GUARDED_BY(mutex_);
  std::atomic<bool> closes_any_{false};
  std::set<std::string, std::less<>> waiting_ TACENDA_GUARDED_BY(mutex_);  // of closed_: open to others
};

// Rows (docs/data-file.md, "Assignment rows"). Errors: kCorrupt.
Bytes encode_emergency(Emergency const& emergency);
Result<Emergency> decode_emergency(ByteView row);

}  // namespace tacenda::access

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "monitor/alert.hpp"
#include "vault/vault.hpp"

namespace tacenda::monitor {

/// The alert feed: what the Detector raised, and who answered it. Kept in SealedView(kMonitor, kAudit).
///
/// Owner: start. Thread-safe.
class Alerts {
 public:
  static constexpr std::size_t kListMax = 1'000;

  /// What cannot be read is not counted. Errors: kUnavailable.
  static Result<std::unique_ptr<Alerts>> open(vault::Vault& vault, Clock const& clock);

  struct Filter {
    bool open_only = false;                   // neither acknowledged nor closed
    std::optional<std::string> patient = {};  // logical id
    std::optional<AlertId> after = {};        // continue a listing
    std::size_t limit = kListMax;             // at most kListMax
  };
  /// In the order of the log. Errors: kCorrupt, kUnavailable.
  Result<std::vector<Alert>> list(Filter const& filter) const;
  /// Logical id of the patient; nullopt: there is none, or he was erased. Errors: kUnavailable.
  Result<std::optional<std::string>> patient_of(Alert const& alert) const;
  std::size_t open_count() const;

  /// A change that is not durable yet. Commit `set` with its event, then call `committed`.
  struct Change {
    vault::WriteSet set;
    std::move_only_function<void()> committed;
  };
  /// Acknowledges or closes an alert. Errors: kNotFound, kForbidden (it is about himself), kConflict (it is
  /// closed, or acknowledged already and not to be closed), kUnprocessable (no note, or one of over
  /// limits::kReasonBytes; an emergency that is to be closed: its review does that).
  Result<Change> answer(AlertId id, AlertState state, std::string_view user, std::string_view note);

  /// For the Detector. One that is new is noted before its commit, so that nobody answers it before it is
  /// counted, and taken back when the commit fails; others after it.
  void note(Alert const& alert);
  void take_back(AlertId id);

 private:
  Alerts(vault::Vault& vault, Clock const& clock);
  Result<void> load();
  Result<void> each(Filter const& filter, std::function<Result<bool>(AlertId)> const& take) const;

  vault::Vault& vault_;
  Clock const& clock_;
  vault::View keys_;  // the same rows, where their keys are enough
  vault::SealedView rows_;
  mutable Mutex mutex_;
  std::set<AlertId> open_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::monitor

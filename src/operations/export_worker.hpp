#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "access/gate.hpp"
#include "audit/log.hpp"
#include "core/clock.hpp"
#include "identity/principal.hpp"
#include "operations/internal/export_troubles.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

class Vocabulary;

/// Prepares the exports that were asked for, one after the other, and ends those that expired, were
/// cancelled, or whose asker may export nothing any more. What it does is in the store: after a restart, an
/// export that was not complete begins anew, over a newer state.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
/// Source: FHIR Bulk Data Access IG 2.0, export.html.
class ExportWorker {
 public:
  struct Parts {
    records::Store const& store;
    records::ExportJobs& jobs;
    access::Gate const& gate;
    audit::Log& log;
    Clock const& clock;
    /// Who asked, as he is known now, by the application that did it for him (nullptr: none). Errors:
    /// kForbidden (disabled).
    std::function<Result<identity::Principal>(UserId const&, std::shared_ptr<identity::Application const>)>
        principal;
    Vocabulary const* vocabulary = nullptr;  // nullptr: as Services::vocabulary
  };

  explicit ExportWorker(Parts parts) : parts_(std::move(parts)) {}

  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);

  /// One look at all exports: ends what must end, then prepares the oldest that waits and may be tried. One
  /// that cannot go on at the moment begins anew later (ExportTroubles), after the others, and fails when it
  /// was tried too often. False when there was nothing to prepare. `run` calls it. Errors: those of the
  /// store; kUnavailable (asked to stop).
  Result<bool> step(std::stop_token stop);

 private:
  friend class ExportPreparation;

  /// Ends what must end.
  Result<void> tend();
  Result<void> destroy(records::ExportJob const& job);
  /// Who asked, with the rights that he asked with. Errors: kForbidden, kInvalid.
  Result<identity::Principal> asker_of(records::ExportJob const& job) const;
  /// Ends a job that cannot be prepared. Errors: those of commits.
  Result<void> give_up(records::ExportJob const& job, std::string_view reason);
  /// Why a job must end; empty: it need not.
  std::string_view why_not(records::ExportJob const& job) const;
  audit::Event event_of(records::ExportJob const& job, audit::EventKind kind, std::string_view reason) const;
  audit::Event failed_event(records::ExportJob const& job, std::string_view reason) const;
  /// The job as it is now. Errors: kGone (it waits no more).
  Result<records::ExportJob> waiting(std::string_view id) const;
  /// Commits what `make` gives, made anew when others were faster. Errors: those of `make` and Log::commit.
  Result<audit::Receipt> commit(std::function<Result<vault::WriteSet>()> const& make,
                                audit::Event const& event);

  Parts parts_;
  ExportTroubles troubles_;
};

}  // namespace tacenda::operations

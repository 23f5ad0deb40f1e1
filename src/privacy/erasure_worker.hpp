#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "access/assignments.hpp"
#include "access/gate.hpp"
#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "privacy/erasures.hpp"
#include "records/erasing.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::privacy {

/// Carries out the erasures that were ordered, one after the other, while the server serves. What it does is
/// in the store: after a restart, or a power cut at any moment, it goes on where it was.
///
/// 1. Records of others that name the patient are written anew without him; where that cannot be they are
///    taken out. Older versions of theirs that lie under his keys become marks.
/// 2. His own records are taken out, with all versions, contents and index rows.
/// 3. His keys are destroyed (vault::Vault::shred).
/// 4. Exports that hold him are ended, what was decided about him goes, and once nobody reads a state of
///    before any more, the files that held all this are rewritten.
/// 5. It is looked for again; what was found and done is certified, and bound into the log.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
class ErasureWorker {
 public:
  struct Parts {
    vault::Vault& vault;
    records::Store const& store;
    records::ExportJobs& exports;
    Erasures const& erasures;
    access::Gate const& gate;
    access::Assignments& assignments;
    audit::Log& log;
    Clock const& clock;
    std::function<std::vector<std::string>()> addresses;  // under which this server is known
  };

  explicit ErasureWorker(Parts parts) : parts_(std::move(parts)), finder_(parts_.vault) {}

  /// Closes the records of those whose erasure is under way. Before anything is served. Errors: kUnavailable.
  Result<void> open();
  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);
  /// Closes the record of one more, and has the work begun. Thread-safe.
  void renew();

  /// One look at all erasures: true when nothing is left to do for now. `run` calls it; tests may, in its
  /// place. Errors: kUnavailable (asked to stop), those of the store and of the log.
  Result<bool> step(std::stop_token const& stop);

  /// What an erasure would do. Errors: those of Erasing::records_of.
  Result<std::vector<records::OwnedRecord>> survey(std::string_view patient,
                                                   std::stop_token const& stop) const;
  /// Of those, what is clearly about another patient (fhir::clear_subject) and cannot be written without this
  /// one: that patient would lose it. Errors: those of the store.
  Result<std::vector<records::OwnedRecord>> lost_to_others(
      std::string_view patient, std::vector<records::OwnedRecord> const& owned) const;

 private:
  Result<bool> advance(Erasure& erasure, std::stop_token const& stop);
  Result<void> take_out(Erasure& erasure, std::vector<records::OwnedRecord> const& owned,
                        std::stop_token const& stop);
  /// False: it cannot be written without him.
  Result<bool> rewrite(Erasure& erasure, records::OwnedRecord const& record,
                       std::vector<records::OwnedRecord> const& owned);
  Result<void> purge(Erasure& erasure, records::OwnedRecord const& record, std::uint64_t version);
  Result<void> remove(Erasure& erasure, std::vector<records::OwnedRecord const*> const& some);
  Result<void> destroy_keys(Erasure& erasure);
  /// Says that something could not be taken out.
  Result<void> block(Erasure& erasure, std::uint64_t records);
  /// False: something is still to be waited for.
  Result<bool> clean_up(Erasure& erasure, std::stop_token const& stop);
  Result<bool> end_exports(Erasure& erasure);
  Result<bool> export_lists_erased(records::ExportJob const& job) const;
  Result<void> drop_lists(Erasure const& erasure);
  Result<void> complete(Erasure& erasure);

  /// Commits what `make` gives, made anew when others were faster. Errors: those of `make` and Log::commit.
  struct Work {
    vault::WriteSet set;
    std::vector<audit::Event> events;
    Erasure after;  // as it stands then
  };
  Result<void> commit(Erasure& erasure, std::function<Result<Work>()> const& make);
  Result<void> close_records();
  audit::Event event_of(Erasure const& erasure, audit::EventKind kind) const;

  Parts parts_;
  records::Erasing finder_;
  std::atomic<bool> is_wanted_ = true;
  bool is_blocked_ = false;  // of the thread that works
};

}  // namespace tacenda::privacy

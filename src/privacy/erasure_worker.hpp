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
#include "privacy/holds.hpp"
#include "privacy/survey.hpp"
#include "records/erasing.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::privacy {

struct Erased;

/// Carries out the erasures that were ordered, one after the other, while the server serves. What it does is
/// in the store: after a restart, or a power cut at any moment, it goes on where it was.
///
/// 1. Records of others that name the patient are written anew without him; where that cannot be they are
///    taken out. Older versions of theirs that lie under his keys become marks. What is clearly about
///    another, and what another must keep by a legal hold, stays: then the erasure waits, with his keys,
///    until somebody has decided.
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
    Holds const& holds;
    access::Gate const& gate;
    access::Assignments& assignments;
    audit::Log& log;
    Clock const& clock;
    std::function<std::vector<std::string>()> addresses;  // under which this server is known
  };

  explicit ErasureWorker(Parts parts)
      : parts_(std::move(parts)),
        finder_(parts_.vault),
        survey_({parts_.vault, parts_.store, parts_.gate, parts_.addresses}) {}

  /// Closes the records of those whose erasure is under way. Before anything is served. Errors: kUnavailable.
  Result<void> open();
  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);
  /// Closes the record of one more, and has the work begun. Thread-safe.
  void renew();

  /// One look at all erasures: true when nothing is left to do for now. `run` calls it; tests may, in its
  /// place. One that fails keeps none of the others; the first error is given. Errors: kUnavailable (asked to
  /// stop, a file is damaged), those of the store and of the log.
  Result<bool> step(std::stop_token const& stop);

  /// What an erasure would do.
  Survey const& survey() const { return survey_; }

 private:
  Result<bool> advance(Erasure& erasure, std::stop_token const& stop);
  /// Gives how many records of others stand in the way.
  Result<std::uint64_t> take_out(Erasure& erasure, records::OwnedRecords const& owned,
                                 std::stop_token const& stop);
  /// What becomes of a record of several patients.
  enum class Fate : std::uint8_t {
    kStays,  // without him, or damaged
    kGoes,
    kWaits,
  };
  Result<Fate> settle(Erasure& erasure, records::OwnedRecord const& record, Erased const& erased);
  /// False: it cannot be written without him.
  Result<bool> rewrite(Erasure& erasure, records::OwnedRecord const& record, Erased const& erased);
  Result<void> remove_all(Erasure& erasure, std::vector<records::OwnedRecord const*> const& his,
                          std::stop_token const& stop);
  Result<void> purge(Erasure& erasure, records::OwnedRecord const& record, std::uint64_t version);
  Result<void> remove(Erasure& erasure, std::vector<records::OwnedRecord const*> const& some);
  Result<void> destroy_keys(Erasure& erasure);
  /// Says that something could not be taken out.
  Result<void> block(Erasure& erasure, std::uint64_t records);
  /// Says once for how many records it waits.
  Result<void> wait_for(Erasure& erasure, std::uint64_t records);
  /// Damage of one record must not keep the others: `verify` names it.
  bool is_of_one_record(Error const& error) const;
  /// A damaged file takes no change of any record, and may not tell what lies in it. Errors: kUnavailable.
  Result<void> check_files() const;
  /// Errors: kPrecondition (a hold on one of the others stands); `set` conflicts with one that is set
  /// meanwhile.
  Result<void> check_holds(records::OwnedRecord const& record, vault::WriteSet& set) const;
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
  Survey survey_;
  // From the look at who is being erased to the closing: of two at once the later must not open what the
  // earlier closed. No other lock is waited for under it but the keepers'.
  Mutex closing_;
  std::atomic<bool> is_wanted_ = true;
  bool is_blocked_ = false;  // of the thread that works
  bool is_waiting_ = false;
};

}  // namespace tacenda::privacy

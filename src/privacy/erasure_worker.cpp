#include "privacy/erasure_worker.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "fhir/compartment.hpp"
#include "privacy/internal/shared_records.hpp"
#include "privacy/internal/without_patient.hpp"

namespace tacenda::privacy {
namespace {

using records::OwnedRecord;

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;    // after a failure that may pass
constexpr int kWaitingPauses = 2;      // for exports and snapshots of before
constexpr int kDecisionPauses = 240;   // for what somebody has to decide: a minute
constexpr int kBlockedPauses = 2'400;  // where something is damaged: ten minutes
constexpr std::size_t kRemovedAtOnce = 32;

}  // namespace

Result<void> ErasureWorker::close_records() {
  MutexLock const lock(closing_);
  // By the rows that also keep others from writing: one erasure that cannot be read opens nobody's record.
  auto closed = TACENDA_TRY(finder_.under_way());
  std::set<std::string, std::less<>> waiting;
  if (auto const known = parts_.erasures.readable(); known.has_value()) {
    for (auto const& erasure : known->erasures) {
      if (erasure.is_under_way() && erasure.waiting > 0) waiting.insert(erasure.patient);
    }
  }
  parts_.assignments.close_records(std::move(closed), std::move(waiting));
  return {};
}

Result<void> ErasureWorker::open() {
  auto const closed = close_records();
  // Damage does not keep the rest from being read: it is said, and `verify` names it. What is closed by its
  // keys stays closed.
  if (closed.has_value() || closed.error().kind() == ErrorKind::kUnavailable) return closed;
  log(LogLevel::kError, closed.error());
  return {};
}

void ErasureWorker::renew() {
  // Read back what is durable. If that fails the record is still refused to writers; the step says why.
  if (auto const closed = close_records(); !closed.has_value()) log(LogLevel::kError, closed.error());
  is_wanted_ = true;
}

void ErasureWorker::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (is_wanted_.exchange(false) || pauses == 1) {
      auto const done = step(stop);
      if (!done.has_value() && !stop.stop_requested()) log(LogLevel::kWarning, done.error());
      bool const is_damaged = !done.has_value() && done.error().kind() == ErrorKind::kCorrupt;
      pauses = is_damaged          ? kBlockedPauses
               : !done.has_value() ? kTroubledPauses
               : *done             ? 0
               : is_blocked_       ? kBlockedPauses
               : is_waiting_       ? kDecisionPauses
                                   : kWaitingPauses;
    } else {
      pauses = std::max(0, pauses - 1);
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<bool> ErasureWorker::step(std::stop_token const& stop) {
  TACENDA_TRY_VOID(close_records());
  bool all_done = true;
  bool is_blocked = true;  // nothing but damage is waited for
  bool is_waiting = true;  // nothing but that, or what somebody has to decide
  auto known = TACENDA_TRY(parts_.erasures.readable());
  auto first = std::move(known.damage);
  for (auto& erasure : known.erasures) {
    if (!erasure.is_under_way()) continue;
    TACENDA_TRY_VOID(unless_stopped(stop));
    auto const done = advance(erasure, stop);
    if (!done.has_value() && first.has_value()) first = std::unexpected(done.error());
    if (done.has_value() && *done) continue;
    all_done = false;
    is_blocked = is_blocked && erasure.blocked > 0;
    is_waiting = is_waiting && (erasure.blocked > 0 || erasure.waiting > 0);
  }
  is_blocked_ = is_blocked;
  is_waiting_ = is_waiting;
  TACENDA_TRY_VOID(close_records());
  TACENDA_TRY_VOID(first);
  return all_done;
}

bool ErasureWorker::is_of_one_record(Error const& error) const {
  switch (error.kind()) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kNoSpace:
    case ErrorKind::kConflict:
    case ErrorKind::kPrecondition:
      return false;
    default:
      return !parts_.vault.engine().is_damaged();
  }
}

Result<void> ErasureWorker::check_files() const {
  if (!parts_.vault.engine().is_damaged()) return {};
  return fail(ErrorKind::kUnavailable, "a file is damaged: no erasure goes on until it is repaired");
}

Result<bool> ErasureWorker::advance(Erasure& erasure, std::stop_token const& stop) {
  if (erasure.state == Erasure::State::kErasing) {
    TACENDA_TRY_VOID(check_files());
    auto const owned = TACENDA_TRY(survey_.records_of(erasure.patient, stop));
    auto const waiting = TACENDA_TRY(take_out(erasure, owned, stop));
    TACENDA_TRY_VOID(wait_for(erasure, waiting));
    if (waiting > 0) return false;
    TACENDA_TRY_VOID(check_files());
    // What is damaged stays: without keys nobody reads it either.
    TACENDA_TRY_VOID(destroy_keys(erasure));
  }
  auto const count_left = [&]() -> Result<std::uint64_t> {
    auto const left = TACENDA_TRY(survey_.records_of(erasure.patient, stop));
    return left.records.size() + left.unreadable;
  };
  // Else it was looked at before, and files need not be written for it again.
  if (erasure.blocked > 0 && TACENDA_TRY(count_left()) > 0) return false;
  if (!TACENDA_TRY(clean_up(erasure, stop))) return false;
  if (auto const left = TACENDA_TRY(count_left()); left > 0) {
    TACENDA_TRY_VOID(block(erasure, left));
    return false;
  }
  TACENDA_TRY_VOID(complete(erasure));
  return true;
}

Result<void> ErasureWorker::block(Erasure& erasure, std::uint64_t records) {
  return commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    work.after.blocked = records;
    auto event = event_of(erasure, audit::EventKind::kRecordsErased);
    event.outcome = audit::Outcome::kSeriousFailure;
    event.reason = "damaged records are left; nobody can read what is his of them";
    event.count = records;
    work.events.push_back(std::move(event));
    return work;
  });
}

Result<void> ErasureWorker::wait_for(Erasure& erasure, std::uint64_t records) {
  if (erasure.waiting == records) return {};
  return commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    work.after.waiting = records;
    auto event = event_of(erasure, audit::EventKind::kRecordsErased);
    if (records > 0) event.outcome = audit::Outcome::kSeriousFailure;
    event.reason = records > 0 ? "it waits: other patients would lose records, or must keep them"
                               : "nothing of other patients stands in its way any more";
    event.count = records;
    work.events.push_back(std::move(event));
    return work;
  });
}

Result<std::uint64_t> ErasureWorker::take_out(Erasure& erasure, records::OwnedRecords const& owned,
                                              std::stop_token const& stop) {
  auto const addresses = parts_.addresses();
  SharedRecords shared(erasure.patient, owned.records, addresses);
  std::uint64_t waiting = 0;
  for (auto const* record : shared.in_order()) {
    TACENDA_TRY_VOID(unless_stopped(stop));
    // What is of whom it names is settled when what it names is.
    if (waiting > 0 && fhir::is_of_whom_it_names(record->type)) break;
    auto const fate = TACENDA_TRY(settle(erasure, *record, shared.erased()));
    if (fate == Fate::kGoes) shared.note_gone(*record);
    if (fate == Fate::kWaits) ++waiting;
  }
  // What stays of others must still be told apart from what goes, to be written without it.
  if (waiting > 0) return waiting;
  std::vector<OwnedRecord const*> his;
  for (auto const& record : owned.records) {
    if (!record.is_shared()) his.push_back(&record);
  }
  TACENDA_TRY_VOID(remove_all(erasure, his, stop));
  return waiting;
}

Result<ErasureWorker::Fate> ErasureWorker::settle(Erasure& erasure, OwnedRecord const& record,
                                                  Erased const& erased) {
  if (TACENDA_TRY(parts_.holds.standing_of_any(record.others))) return Fate::kWaits;
  bool const is_without = !record.is_his || (!record.deleted &&
                                             TACENDA_TRY(rewrite(erasure, record, erased)));
  if (!is_without) {
    // Asked again, of what it is now: nobody loses what is clearly his without somebody's decision.
    auto const about = TACENDA_TRY(survey_.subject_of(record));
    if (!about.empty() && about != erasure.patient) return Fate::kWaits;
    auto const removed = remove(erasure, {&record});
    if (removed.has_value()) return Fate::kGoes;
    if (!is_of_one_record(removed.error())) return std::unexpected(removed.error());
    log(LogLevel::kError, removed.error());
    return Fate::kStays;
  }
  for (auto const version : record.older) TACENDA_TRY_VOID(purge(erasure, record, version));
  if (record.is_his) TACENDA_TRY_VOID(purge(erasure, record, record.version));
  return Fate::kStays;
}

Result<void> ErasureWorker::check_holds(OwnedRecord const& record, vault::WriteSet& set) const {
  parts_.holds.depend(set, record.others);
  if (TACENDA_TRY(parts_.holds.standing_of_any(record.others)))
    return fail(ErrorKind::kPrecondition, "another patient of the record must keep it: a legal hold");
  return {};
}

Result<void> ErasureWorker::remove_all(Erasure& erasure, std::vector<OwnedRecord const*> const& his,
                                       std::stop_token const& stop) {
  for (std::size_t i = 0; i < his.size(); i += kRemovedAtOnce) {
    TACENDA_TRY_VOID(unless_stopped(stop));
    auto const end = std::min(i + kRemovedAtOnce, his.size());
    std::vector<OwnedRecord const*> const some(his.begin() + static_cast<std::ptrdiff_t>(i),
                                               his.begin() + static_cast<std::ptrdiff_t>(end));
    auto const removed = remove(erasure, some);
    if (removed.has_value()) continue;
    if (!is_of_one_record(removed.error())) return removed;
    // One by one: what is damaged holds nothing else up.
    for (auto const* record : some) {
      auto const alone = remove(erasure, {record});
      if (alone.has_value()) continue;
      if (!is_of_one_record(alone.error())) return alone;
      log(LogLevel::kError, alone.error());
    }
  }
  return {};
}

Result<bool> ErasureWorker::rewrite(Erasure& erasure, OwnedRecord const& record, Erased const& erased) {
  auto const permit = parts_.gate.system_permit(Action::kUpdate);
  auto const id = TACENDA_TRY(ResourceId::parse(record.id));
  auto const done = commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    records::ErasingTransaction transaction(parts_.store);
    auto const living = TACENDA_TRY(transaction.living(permit, record.type, id));
    auto without = TACENDA_TRY(without_patient(TACENDA_TRY(codec::parse_json(living.json)), erased));
    if (!without) return fail(ErrorKind::kUnprocessable, "the record cannot be without the patient");
    auto const written = TACENDA_TRY(transaction.rewrite(
        permit, *std::move(without), living.version, {erased.base_urls.begin(), erased.base_urls.end()}, 0));
    auto event = event_of(erasure, audit::EventKind::kUpdate);
    event.reason = "without a patient who is erased";
    event.resource_type = written.type;
    event.resource_id = written.id;
    event.resource_version = written.version;
    event.patients = written.patients;
    event.record_digest = written.digest;
    work.events.push_back(std::move(event));
    work.set = transaction.take();
    TACENDA_TRY_VOID(check_holds(record, work.set));
    ++work.after.rewritten;
    return work;
  });
  if (done.has_value()) return true;
  if (!is_of_one_record(done.error())) return std::unexpected(done.error());
  return false;
}

Result<void> ErasureWorker::purge(Erasure& erasure, OwnedRecord const& record, std::uint64_t version) {
  auto const purged = commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    records::ErasingTransaction transaction(parts_.store);
    auto event = event_of(erasure, audit::EventKind::kVersionPurged);
    event.record_digest = TACENDA_TRY(transaction.purge(record.type, record.id, version, 0));
    event.resource_type = record.type;
    event.resource_id = record.id;
    event.resource_version = version;
    work.events.push_back(std::move(event));
    work.set = transaction.take();
    TACENDA_TRY_VOID(check_holds(record, work.set));
    ++work.after.purged;
    return work;
  });
  if (purged.has_value() || !is_of_one_record(purged.error())) return purged;
  log(LogLevel::kError, purged.error());
  return {};
}

Result<void> ErasureWorker::remove(Erasure& erasure, std::vector<OwnedRecord const*> const& some) {
  return commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    records::ErasingTransaction transaction(parts_.store);
    std::uint64_t removed = 0;
    for (auto const* record : some) {
      auto const versions = TACENDA_TRY(transaction.erase(record->type, record->id, record->version, 0));
      if (versions == 0) continue;
      if (record->is_shared()) {
        // Others lose it, too: each is named, and finds it in what the log says of him.
        auto event = event_of(erasure, audit::EventKind::kRecordsErased);
        event.resource_type = record->type;
        event.resource_id = record->id;
        event.patients.assign(record->others.begin(), record->others.end());
        event.reason = "a record of several patients that cannot be without the erased one";
        work.events.push_back(std::move(event));
      }
      work.after.versions += versions;
      ++work.after.resources[record->type];
      ++removed;
    }
    auto event = event_of(erasure, audit::EventKind::kRecordsErased);
    event.count = std::max<std::uint64_t>(removed, 1);
    work.events.push_back(std::move(event));
    work.set = transaction.take();
    for (auto const* record : some) TACENDA_TRY_VOID(check_holds(*record, work.set));
    return work;
  });
}

Result<void> ErasureWorker::destroy_keys(Erasure& erasure) {
  // From the first call on nothing of his opens; a second changes nothing.
  TACENDA_TRY_VOID(parts_.vault.shred(vault::Subject::patient(erasure.patient)));
  return commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    work.after.state = Erasure::State::kDestroyed;
    work.after.destroyed = parts_.clock.now();
    auto event = event_of(erasure, audit::EventKind::kKeysDestroyed);
    event.new_value = "key " + codec::hex_encode(erasure.key);
    work.events.push_back(std::move(event));
    return work;
  });
}

Result<void> ErasureWorker::commit(Erasure& erasure, std::function<Result<Work>()> const& make) {
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    auto made = make();
    if (!made.has_value() && made.error().kind() == ErrorKind::kConflict) continue;
    if (!made.has_value()) return std::unexpected(made.error());
    if (made->after.state != Erasure::State::kComplete)
      TACENDA_TRY_VOID(parts_.erasures.put(made->after, made->set));
    auto const receipt = parts_.log.commit(std::move(made->set), std::move(made->events));
    if (receipt.has_value()) {
      erasure = std::move(made->after);
      return {};
    }
    if (receipt.error().kind() != ErrorKind::kConflict) return std::unexpected(receipt.error());
  }
  return fail(ErrorKind::kConflict, "an erasure's commit lost against others too often");
}

audit::Event ErasureWorker::event_of(Erasure const& erasure, audit::EventKind kind) const {
  audit::Event event;
  event.kind = kind;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  event.target = erasure.id;
  return event;
}

}  // namespace tacenda::privacy

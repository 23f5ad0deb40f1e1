#include "privacy/erasure_worker.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "fhir/compartment.hpp"
#include "privacy/internal/without_patient.hpp"
#include "records/transaction.hpp"

namespace tacenda::privacy {
namespace {

using records::OwnedRecord;

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;    // after a failure that may pass
constexpr int kWaitingPauses = 2;      // for exports and snapshots of before
constexpr int kBlockedPauses = 2'400;  // where something is damaged: ten minutes
constexpr std::size_t kRemovedAtOnce = 32;

Result<void> stopping() {
  return fail(ErrorKind::kUnavailable, "the server stops");
}

/// Damage of one record must not keep the others: `verify` names it.
bool is_of_one_record(Error const& error) {
  switch (error.kind()) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kNoSpace:
    case ErrorKind::kConflict:
      return false;
    default:
      return true;
  }
}

/// All three outlive it.
Erased erased_of(std::string_view patient, std::vector<OwnedRecord> const& owned,
                 std::vector<std::string> const& addresses) {
  return {patient,
          [&owned](std::string_view type, std::string_view named) {
            return std::ranges::any_of(owned, [&](OwnedRecord const& each) {
              return !each.is_shared && each.type == type && each.id == named;
            });
          },
          addresses};
}

}  // namespace

Result<void> ErasureWorker::close_records() {
  std::set<std::string, std::less<>> closed;
  for (auto& erasure : TACENDA_TRY(parts_.erasures.all())) {
    if (erasure.is_under_way()) closed.insert(std::move(erasure.patient));
  }
  parts_.assignments.close_records(std::move(closed));
  return {};
}

Result<void> ErasureWorker::open() {
  auto const closed = close_records();
  // Damage does not keep the rest from being read: it is said, and `verify` names it. The order stands in a
  // row of the records, too, so that nothing is written; and what is closed by its keys stays closed.
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
  for (auto& erasure : TACENDA_TRY(parts_.erasures.all())) {
    if (!erasure.is_under_way() || TACENDA_TRY(advance(erasure, stop))) continue;
    all_done = false;
    is_blocked = is_blocked && erasure.blocked > 0;
  }
  is_blocked_ = is_blocked;
  TACENDA_TRY_VOID(close_records());
  return all_done;
}

Result<std::vector<OwnedRecord>> ErasureWorker::survey(std::string_view patient,
                                                       std::stop_token const& stop) const {
  return finder_.records_of(
      patient, [&stop]() -> Result<void> { return stop.stop_requested() ? stopping() : Result<void>(); });
}

Result<bool> ErasureWorker::advance(Erasure& erasure, std::stop_token const& stop) {
  if (erasure.state == Erasure::State::kErasing) {
    if (auto const owned = TACENDA_TRY(survey(erasure.patient, stop)); !owned.empty())
      TACENDA_TRY_VOID(take_out(erasure, owned, stop));
    // What is damaged stays: without keys nobody reads it either.
    TACENDA_TRY_VOID(destroy_keys(erasure));
  }
  // Else it was looked at before, and files need not be written for it again.
  if (erasure.blocked > 0 && !TACENDA_TRY(survey(erasure.patient, stop)).empty()) return false;
  if (!TACENDA_TRY(clean_up(erasure, stop))) return false;
  if (auto const left = TACENDA_TRY(survey(erasure.patient, stop)); !left.empty()) {
    TACENDA_TRY_VOID(block(erasure, left.size()));
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
    event.reason = "damaged records could not be taken out; nobody can read them";
    event.count = records;
    work.events.push_back(std::move(event));
    return work;
  });
}

Result<void> ErasureWorker::take_out(Erasure& erasure, std::vector<OwnedRecord> const& owned,
                                     std::stop_token const& stop) {
  std::vector<OwnedRecord const*> to_remove;
  for (auto const& record : owned) {
    if (stop.stop_requested()) return stopping();
    bool const stays = record.is_his && record.is_shared && !record.deleted;
    if (record.is_his && !(stays && TACENDA_TRY(rewrite(erasure, record, owned)))) {
      to_remove.push_back(&record);
      continue;
    }
    for (auto const version : record.older) TACENDA_TRY_VOID(purge(erasure, record, version));
    if (record.is_his) TACENDA_TRY_VOID(purge(erasure, record, record.version));
  }
  for (std::size_t i = 0; i < to_remove.size(); i += kRemovedAtOnce) {
    if (stop.stop_requested()) return stopping();
    auto const end = std::min(i + kRemovedAtOnce, to_remove.size());
    std::vector<OwnedRecord const*> const some(to_remove.begin() + static_cast<std::ptrdiff_t>(i),
                                               to_remove.begin() + static_cast<std::ptrdiff_t>(end));
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

Result<std::vector<OwnedRecord>> ErasureWorker::lost_to_others(std::string_view patient,
                                                               std::vector<OwnedRecord> const& owned) const {
  auto const permit = parts_.gate.system_permit(Action::kRead);
  auto const addresses = parts_.addresses();
  Erased const erased = erased_of(patient, owned, addresses);
  std::vector<OwnedRecord> lost;
  for (auto const& record : owned) {
    if (!record.is_his || !record.is_shared || record.deleted) continue;
    auto transaction = parts_.store.begin();
    auto const living = transaction.living(permit, record.type, TACENDA_TRY(ResourceId::parse(record.id)));
    if (!living.has_value() && is_of_one_record(living.error())) continue;  // damaged, or gone meanwhile
    if (!living.has_value()) return std::unexpected(living.error());
    auto json = TACENDA_TRY(codec::parse_json(living->json));
    auto const about = fhir::clear_subject(json);
    if (about.empty() || about == patient) continue;
    if (!TACENDA_TRY(without_patient(std::move(json), erased))) lost.push_back(record);
  }
  return lost;
}

Result<bool> ErasureWorker::rewrite(Erasure& erasure, OwnedRecord const& record,
                                    std::vector<OwnedRecord> const& owned) {
  auto const permit = parts_.gate.system_permit(Action::kUpdate);
  auto const id = TACENDA_TRY(ResourceId::parse(record.id));
  auto const addresses = parts_.addresses();
  Erased const erased = erased_of(erasure.patient, owned, addresses);
  bool is_without = true;
  auto const done = commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    auto transaction = parts_.store.begin();
    transaction.serve_at(addresses);
    transaction.let_move();
    auto const living = TACENDA_TRY(transaction.living(permit, record.type, id));
    auto without = TACENDA_TRY(without_patient(TACENDA_TRY(codec::parse_json(living.json)), erased));
    if (!without) return fail(ErrorKind::kUnprocessable, "the record cannot be without the patient");
    auto const written = TACENDA_TRY(transaction.update(permit, std::move(*without), id, living.version, 0));
    auto event = event_of(erasure, audit::EventKind::kUpdate);
    event.reason = "without a patient who is erased";
    event.resource_type = written.type;
    event.resource_id = written.id;
    event.resource_version = written.version;
    event.patients = written.patients;
    event.record_digest = written.digest;
    work.events.push_back(std::move(event));
    work.set = transaction.take();
    ++work.after.rewritten;
    return work;
  });
  if (!done.has_value()) {
    if (!is_of_one_record(done.error())) return std::unexpected(done.error());
    is_without = false;
  }
  return is_without;
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
      auto const versions = TACENDA_TRY(transaction.erase(record->type, record->id, 0));
      if (versions == 0) continue;
      if (record->is_shared) {
        // Others lose it, too: each is named.
        auto event = event_of(erasure, audit::EventKind::kRecordsErased);
        event.resource_type = record->type;
        event.resource_id = record->id;
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

/// Records are deleted and stay; only an erasure takes one out.
Result<bool> ErasureWorker::export_lists_erased(records::ExportJob const& job) const {
  for (auto const& summary : TACENDA_TRY(parts_.exports.files(job))) {
    for (auto const& place : TACENDA_TRY(parts_.exports.file(job, summary.number)).places) {
      if (!TACENDA_TRY(finder_.is_there(place.type, place.id))) return true;
    }
  }
  return false;
}

Result<bool> ErasureWorker::end_exports(Erasure& erasure) {
  bool all_known = true;
  for (auto const& job : TACENDA_TRY(parts_.exports.all())) {
    if (job.state == records::ExportState::kEnding) {
      all_known = false;  // until its keys and rows are gone
      continue;
    }
    // What is being prepared over a state of before is waited for: it may still list him.
    if (job.state == records::ExportState::kWaiting && job.created <= *erasure.destroyed) all_known = false;
    bool const holds_him =
        std::ranges::find(job.request.patients, erasure.patient) != job.request.patients.end();
    auto const lists_erased = export_lists_erased(job);
    if (!lists_erased.has_value()) {
      auto const kind = lists_erased.error().kind();
      if (kind != ErrorKind::kGone && kind != ErrorKind::kNotFound) return lists_erased;
      all_known = false;  // it was ended meanwhile
      continue;
    }
    if (!holds_him && !*lists_erased) continue;
    TACENDA_TRY_VOID(commit(erasure, [&]() -> Result<Work> {
      Work work{{}, {}, erasure};
      auto fresh = TACENDA_TRY(parts_.exports.find(job.id));
      fresh.state = records::ExportState::kEnding;
      TACENDA_TRY_VOID(parts_.exports.put(fresh, work.set));
      auto event = event_of(erasure, audit::EventKind::kExportEnded);
      event.reason = "it holds a patient who is erased";
      event.new_value = job.id;
      work.events.push_back(std::move(event));
      ++work.after.exports;
      return work;
    }));
    all_known = false;  // its keys and rows are still there
  }
  return all_known;
}

Result<void> ErasureWorker::drop_lists(Erasure const& erasure) {
  for (auto const& [patient, user] : parts_.assignments.lists()) {
    if (patient != erasure.patient) continue;
    auto change = TACENDA_TRY(parts_.assignments.set_listed(patient, user, false));
    auto event = event_of(erasure, audit::EventKind::kAccessListChanged);
    event.old_value = user;
    std::vector<audit::Event> events{std::move(event)};
    TACENDA_TRY_VOID(parts_.log.commit(std::move(change.set), std::move(events)));
  }
  return {};
}

Result<bool> ErasureWorker::clean_up(Erasure& erasure, std::stop_token const& stop) {
  TACENDA_TRY_VOID(drop_lists(erasure));
  if (!TACENDA_TRY(end_exports(erasure))) return false;
  // What a snapshot of before still shows stays in the files.
  auto const oldest = TACENDA_TRY(parts_.vault.engine().oldest_snapshot());
  if (oldest && *oldest <= *erasure.destroyed + std::chrono::seconds(1)) return false;
  for (auto const keeper :
       {vault::Keeper::kRecords, vault::Keeper::kExports, vault::Keeper::kKeys, vault::Keeper::kPolicy}) {
    if (stop.stop_requested()) return std::unexpected(stopping().error());
    TACENDA_TRY_VOID(parts_.vault.compact(keeper));
  }
  return true;
}

Result<void> ErasureWorker::complete(Erasure& erasure) {
  auto const keys = parts_.vault.subject(vault::Subject::patient(erasure.patient));
  if (keys.has_value() || keys.error().kind() != ErrorKind::kGone)
    return fail(ErrorKind::kBug, "the keys of an erased patient are there");
  return commit(erasure, [&]() -> Result<Work> {
    Work work{{}, {}, erasure};
    work.after.state = Erasure::State::kComplete;
    work.after.blocked = 0;
    work.after.completed = parts_.clock.now();
    auto const certificate = certificate_of(work.after, codec::hex_encode(parts_.vault.store_id()));
    records::ErasingTransaction transaction(parts_.store);
    transaction.end(erasure.patient);
    work.set = transaction.take();
    TACENDA_TRY_VOID(parts_.erasures.complete(work.after, certificate, 0, work.set));
    auto event = event_of(erasure, audit::EventKind::kErasureCompleted);
    event.new_value = certificate;
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

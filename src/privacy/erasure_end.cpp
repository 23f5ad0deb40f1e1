// How an erasure ends: exports, lists, files, and the certificate.
#include <algorithm>

#include "codec/text.hpp"
#include "privacy/erasure_worker.hpp"
#include "privacy/internal/shared_records.hpp"

namespace tacenda::privacy {

/// Records are deleted and stay; only an erasure takes one out, or leaves of a version that there was one.
Result<bool> ErasureWorker::export_lists_erased(records::ExportJob const& job) const {
  for (auto const& summary : TACENDA_TRY(parts_.exports.files(job))) {
    for (auto const& place : TACENDA_TRY(parts_.exports.file(job, summary.number)).places) {
      if (!TACENDA_TRY(finder_.is_there(place.type, place.id, place.version))) return true;
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
  // From the store: what is in memory is taken out of it before it is durable, and a second try would miss
  // it.
  for (auto const& user : TACENDA_TRY(parts_.assignments.stored_list(erasure.patient))) {
    auto change = TACENDA_TRY(parts_.assignments.set_listed(erasure.patient, user, false));
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
  // Rows of parameters that are no more go with the index's own work, and are then out of the files, too.
  if (!TACENDA_TRY(finder_.is_index_settled())) return false;
  // What a snapshot of before still shows stays in the files.
  auto const oldest = TACENDA_TRY(parts_.vault.engine().oldest_snapshot());
  if (oldest && *oldest <= *erasure.destroyed + std::chrono::seconds(1)) return false;
  for (auto const keeper :
       {vault::Keeper::kRecords, vault::Keeper::kExports, vault::Keeper::kKeys, vault::Keeper::kPolicy}) {
    TACENDA_TRY_VOID(unless_stopped(stop));
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

}  // namespace tacenda::privacy

#include "operations/export_worker.hpp"

#include <algorithm>
#include <thread>

#include "codec/scope.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "operations/internal/export_preparation.hpp"

namespace tacenda::operations {
namespace {

using records::ExportJob;
using records::ExportState;

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;  // after a failure that may pass

}  // namespace

void ExportWorker::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (pauses == 0) {
      auto const more = step(stop);
      if (more.has_value() && *more) continue;
      if (!more.has_value()) {
        log(LogLevel::kWarning, more.error());
        pauses = kTroubledPauses;
      }
    }
    pauses = std::max(0, pauses - 1);
    std::this_thread::sleep_for(kPause);
  }
}

Result<bool> ExportWorker::step(std::stop_token stop) {
  TACENDA_TRY_VOID(tend());
  auto const jobs = TACENDA_TRY(parts_.jobs.all());
  troubles_.keep(
      [&](std::string_view id) { return std::ranges::find(jobs, id, &ExportJob::id) != jobs.end(); });
  ExportJob const* next = nullptr;
  for (auto const& job : jobs) {
    if (job.state == ExportState::kWaiting && (next == nullptr || job.created < next->created) &&
        troubles_.may_try(job.id, parts_.clock.monotonic()))
      next = &job;
  }
  if (next == nullptr) return false;
  auto const done = ExportPreparation(*this, *next, stop).run();
  parts_.jobs.forget_progress(next->id);
  if (done.has_value()) {
    troubles_.forget(next->id);
    return true;
  }
  switch (done.error().kind()) {
    case ErrorKind::kGone:
      return true;  // it was ended meanwhile
    case ErrorKind::kNoSpace:
    case ErrorKind::kUnavailable:
    case ErrorKind::kConflict:
      if (stop.stop_requested()) return std::unexpected(done.error());
      log(LogLevel::kWarning, done.error());
      if (troubles_.note(next->id, parts_.clock.monotonic())) return true;
      break;
    default:
      log(LogLevel::kError, done.error());
      break;
  }
  TACENDA_TRY_VOID(give_up(*next, done.error().message()));
  troubles_.forget(next->id);
  return true;
}

Result<void> ExportWorker::give_up(ExportJob const& job, std::string_view reason) {
  auto const failed = commit(
      [&]() -> Result<vault::WriteSet> {
        auto fresh = TACENDA_TRY(waiting(job.id));
        fresh.state = ExportState::kFailed;
        vault::WriteSet set;
        TACENDA_TRY_VOID(parts_.jobs.put(fresh, set));
        return set;
      },
      failed_event(job, reason));
  // Gone: it was ended meanwhile.
  if (!failed.has_value() && failed.error().kind() != ErrorKind::kGone)
    return std::unexpected(failed.error());
  return {};
}

Result<void> ExportWorker::tend() {
  for (auto const& job : TACENDA_TRY(parts_.jobs.all())) {
    if (job.state != ExportState::kEnding) {
      auto const why = why_not(job);
      if (why.empty()) continue;
      auto event = event_of(job, audit::EventKind::kExportEnded, why);
      auto const ended = commit(
          [&]() -> Result<vault::WriteSet> {
            auto fresh = TACENDA_TRY(parts_.jobs.find(job.id));
            fresh.state = ExportState::kEnding;
            vault::WriteSet set;
            TACENDA_TRY_VOID(parts_.jobs.put(fresh, set));
            return set;
          },
          event);
      // Not found: it was cancelled meanwhile.
      if (!ended.has_value() && ended.error().kind() != ErrorKind::kNotFound)
        return std::unexpected(ended.error());
    }
    auto const destroyed = destroy(job);
    if (destroyed.has_value()) continue;
    // Keys on the same page of the key vault are being made, or others were faster: with the next look.
    auto const kind = destroyed.error().kind();
    if (kind != ErrorKind::kUnavailable && kind != ErrorKind::kConflict) return destroyed;
    log(LogLevel::kInfo, destroyed.error());
  }
  return {};
}

std::string_view ExportWorker::why_not(ExportJob const& job) const {
  if (job.expires <= parts_.clock.now()) return "the export has expired";
  auto const principal = asker_of(job);
  if (!principal.has_value()) return "the user who asked for the export is disabled";
  if (!parts_.gate.authorize(*principal, Action::kExport, "").has_value())
    return "the user who asked for the export may export nothing any more";
  return {};
}

Result<identity::Principal> ExportWorker::asker_of(ExportJob const& job) const {
  std::shared_ptr<identity::Application> application;
  if (!job.client.empty()) {
    application = std::make_shared<identity::Application>();
    application->client = job.client;
    application->scopes = TACENDA_TRY(codec::parse_scopes(job.scopes));
  }
  auto asker = TACENDA_TRY(parts_.principal(TACENDA_TRY(UserId::parse(job.user)), std::move(application)));
  asker.state_purpose(job.purpose);
  return asker;
}

Result<void> ExportWorker::destroy(ExportJob const& job) {
  // The keys first: from here on nothing of it opens, whatever is still there.
  auto const destroyed = parts_.jobs.destroy_keys(job.id);
  if (!destroyed.has_value() && destroyed.error().kind() != ErrorKind::kNotFound) return destroyed;
  auto const event = event_of(job, audit::EventKind::kExportEnded, "the keys of the export are destroyed");
  for (bool more = true; more;) {
    TACENDA_TRY(commit(
        [&]() -> Result<vault::WriteSet> {
          vault::WriteSet set;
          more = TACENDA_TRY(parts_.jobs.clear_files(job, set));
          if (!more) parts_.jobs.erase(job.id, set);
          return set;
        },
        event));
  }
  return {};
}

audit::Event ExportWorker::event_of(ExportJob const& job, audit::EventKind kind,
                                    std::string_view reason) const {
  audit::Event event;
  event.kind = kind;
  event.actor_id = job.user;
  event.actor_name = job.user.empty() ? "system" : job.user_name;
  event.role = job.role;
  event.authentication = "none";
  event.client = "tacenda";
  event.purpose_of_use = job.purpose;
  event.request_id = job.request_id;
  event.target = job.id;
  event.reason = reason;
  return event;
}

audit::Event ExportWorker::failed_event(ExportJob const& job, std::string_view reason) const {
  auto event = event_of(job, audit::EventKind::kExportEnded, reason);
  event.outcome = audit::Outcome::kSeriousFailure;
  return event;
}

Result<ExportJob> ExportWorker::waiting(std::string_view id) const {
  auto job = parts_.jobs.find(id);
  if (!job.has_value() && job.error().kind() != ErrorKind::kNotFound) return job;
  if (!job.has_value() || job->state != ExportState::kWaiting)
    return fail(ErrorKind::kGone, "the export was ended");
  return job;
}

Result<audit::Receipt> ExportWorker::commit(std::function<Result<vault::WriteSet>()> const& make,
                                            audit::Event const& event) {
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    auto set = TACENDA_TRY(make());
    std::vector<audit::Event> events{event};
    auto receipt = parts_.log.commit(std::move(set), std::move(events));
    if (receipt.has_value() || receipt.error().kind() != ErrorKind::kConflict) return receipt;
  }
  return fail(ErrorKind::kConflict, "an export's commit lost against others too often");
}

}  // namespace tacenda::operations

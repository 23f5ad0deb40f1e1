#include "operations/label_worker.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "access/labels.hpp"
#include "codec/json.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "fhir/resource.hpp"
#include "fhir/types.hpp"
#include "records/transaction.hpp"
#include "records/walk.hpp"

namespace tacenda::operations {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;  // after a failure that may pass

audit::Event event_of(records::Written const& written) {
  audit::Event event;
  event.kind = audit::EventKind::kUpdate;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  event.reason = "the labelling rules of the policy";
  event.resource_type = written.type;
  event.resource_id = written.id;
  event.resource_version = written.version;
  event.patients = written.patients;
  event.record_digest = written.digest;
  return event;
}

}  // namespace

void LabelWorker::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (pauses == 0 && is_wanted_) {
      is_at_work_ = true;  // first: whoever asks in between must not take it for done
      is_wanted_ = false;
      auto const done = label_all(stop);
      if (!done.has_value() && !stop.stop_requested()) {
        log(LogLevel::kWarning, done.error());
        is_wanted_ = true;
        pauses = kTroubledPauses;
      }
      is_at_work_ = false;
      continue;
    }
    pauses = std::max(0, pauses - 1);
    std::this_thread::sleep_for(kPause);
  }
}

LabelWorker::Progress LabelWorker::progress() const {
  return {is_at_work_ || is_wanted_, looked_at_, labelled_, failed_};
}

Result<void> LabelWorker::label_all(std::stop_token const& stop) {
  looked_at_ = labelled_ = failed_ = 0;
  for (auto const type : fhir::resource_types()) TACENDA_TRY_VOID(label_type(type, stop));
  return {};
}

Result<void> LabelWorker::label_type(std::string_view type, std::stop_token const& stop) {
  auto const permit = parts_.gate.system_permit(Action::kSearch);
  records::WalkScope scope;
  scope.permits = [&permit](std::string_view) { return &permit; };
  scope.now = parts_.clock.now();
  scope.watch = [&stop]() -> Result<void> {
    if (!stop.stop_requested()) return {};
    return fail(ErrorKind::kUnavailable, "the server stops");
  };
  fhir::SearchQuery query;
  query.type = type;
  std::vector<fhir::SearchQuery> queries;
  queries.push_back(std::move(query));
  auto const walk =
      TACENDA_TRY(parts_.store.walk(std::move(scope), std::move(queries), parts_.store.read_point()));
  for (;;) {
    auto const version = TACENDA_TRY(walk->next());
    if (!version || is_wanted_) break;  // the rules have changed again
    ++looked_at_;
    TACENDA_TRY_VOID(label(*version));
    if (stop.stop_requested()) return fail(ErrorKind::kUnavailable, "the server stops");
  }
  failed_ += walk->unreadable();
  return {};
}

Result<void> LabelWorker::label(records::StoredVersion const& version) {
  auto json = codec::parse_json(version.json);
  if (!json.has_value()) {
    ++failed_;
    return {};
  }
  // Most lack nothing: looked at here as they stood when the walk began, and anew before they are written.
  if (!access::add_labels(*json, parts_.gate.labels_for(*json))) return {};
  auto const id = TACENDA_TRY(ResourceId::parse(version.id));
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    auto const done = try_label(version.type, id);
    if (done.has_value()) {
      labelled_ += *done ? 1 : 0;
      return {};
    }
    if (done.error().kind() == ErrorKind::kUnavailable || done.error().kind() == ErrorKind::kNoSpace)
      return std::unexpected(done.error());
    if (done.error().kind() == ErrorKind::kConflict) continue;
    log(LogLevel::kWarning, done.error());
    break;
  }
  ++failed_;
  return {};
}

/// False: nothing is missing any more, or the record is gone.
Result<bool> LabelWorker::try_label(std::string_view type, ResourceId const& id) {
  auto const permit = parts_.gate.system_permit(Action::kUpdate);
  auto transaction = parts_.store.begin();
  transaction.keep_patients();
  auto const living = transaction.living(permit, type, id);
  if (!living.has_value()) {
    bool const is_gone =
        living.error().kind() == ErrorKind::kGone || living.error().kind() == ErrorKind::kNotFound;
    return is_gone ? Result<bool>(false) : std::unexpected(living.error());
  }
  auto json = TACENDA_TRY(codec::parse_json(living->json));
  if (!access::add_labels(json, parts_.gate.labels_for(json))) return false;
  auto resource = TACENDA_TRY(fhir::Resource::parse(std::move(json)));
  auto const written = TACENDA_TRY(transaction.update(permit, std::move(resource), id, living->version, 0));
  std::vector<audit::Event> events{event_of(written)};
  TACENDA_TRY_VOID(parts_.log.commit(transaction.take(), std::move(events)));
  return true;
}

}  // namespace tacenda::operations

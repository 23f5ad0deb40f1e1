#include "api/key_worker.hpp"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/log.hpp"

namespace tacenda::api {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;                    // after a failure that may pass
constexpr std::chrono::milliseconds kBetweenTurns{2};  // commits come first
constexpr std::chrono::milliseconds kReaderPause{10};
constexpr int kReaderPauses = 500;  // then it is tried again later, from the beginning

/// Of a compromised term that is not destroyed, what lies in rows is sealed anew all the same.
bool stays_compromised(vault::TermView const& term) {
  return term.state == vault::KeyState::kCompromised && !term.is_to_be_destroyed &&
         vault::KeyRotation::has_rows(term.purpose);
}

Error damaged_row(vault::Keeper keeper) {
  switch (keeper) {
    case vault::Keeper::kIdentity:
      return {ErrorKind::kCorrupt, "a row of accounts under an old key does not open: the key is kept"};
    case vault::Keeper::kAuthorization:
      return {ErrorKind::kCorrupt, "a row of applications under an old key does not open: the key is kept"};
    case vault::Keeper::kPolicy:
      return {ErrorKind::kCorrupt, "a row of the policy under an old key does not open: the key is kept"};
    case vault::Keeper::kPrivacy:
      return {ErrorKind::kCorrupt, "a row of erasures and holds under an old key does not open"};
    case vault::Keeper::kMonitor:
      return {ErrorKind::kCorrupt, "a row of alerts under an old key does not open"};
    case vault::Keeper::kState:
      return {ErrorKind::kCorrupt, "the sum over what is stored lies under an old key and does not open"};
    case vault::Keeper::kAudit:
    case vault::Keeper::kKeys:
    case vault::Keeper::kRecords:
    case vault::Keeper::kExports:
      break;  // nothing of theirs is sealed anew
  }
  return {ErrorKind::kCorrupt, "a row under an old key does not open: the key is kept"};
}

}  // namespace

std::string_view name_of(KeyWorker::Stage stage) {
  switch (stage) {
    case KeyWorker::Stage::kSealing:
      return "sealing anew";
    case KeyWorker::Stage::kWaitsForWriters:
      return "waits for writers";
    case KeyWorker::Stage::kWaitsForReaders:
      return "waits for readers";
    case KeyWorker::Stage::kWaitsForTokens:
      return "waits for what was handed out";
    case KeyWorker::Stage::kDone:
      return "sealed anew, but for what stays under it";
    case KeyWorker::Stage::kFailed:
      return "failed, and is tried again";
  }
  std::unreachable();
}

void KeyWorker::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (pauses == 0) {
      auto const done = look_after_all(stop);
      if (!done.has_value() && !stop.stop_requested()) {
        log(LogLevel::kWarning, done.error());
        pauses = kTroubledPauses;
      }
    } else {
      --pauses;
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<KeyWorker::Progress> KeyWorker::progress(vault::Purpose purpose, std::uint32_t term) const {
  MutexLock const lock(mutex_);
  auto const found = progress_.find({purpose, term});
  return found == progress_.end() ? std::nullopt : std::optional(found->second);
}

void KeyWorker::show(vault::TermView const& term, Stage stage) {
  MutexLock const lock(mutex_);
  progress_[{term.purpose, term.number}].stage = stage;
}

Result<void> KeyWorker::look_after_all(std::stop_token const& stop) {
  Result<void> all = rotation_.finish();
  for (auto const& term : rotation_.terms()) {
    bool const is_left = stays_compromised(term) && !resealed_.contains({term.purpose, term.number});
    if (!term.is_to_be_destroyed && !is_left) continue;
    auto done = look_after(term, stop);
    if (stop.stop_requested()) return done;
    if (done.has_value() || done.error().kind() == ErrorKind::kConflict) continue;  // in use again: later
    show(term, Stage::kFailed);
    all = std::move(done);
  }
  return all;
}

/// Ends early, to be called again, when something has to be waited for.
Result<void> KeyWorker::look_after(vault::TermView const& term, std::stop_token const& stop) {
  if (term.purpose == vault::Purpose::kToken && term.state != vault::KeyState::kCompromised) {
    // What lies under it is in the hands of others, and good for so long.
    show(term, Stage::kWaitsForTokens);
    if (parts_.clock.now() - term.changed <= vault::kTokenLife) return {};
  }
  show(term, Stage::kWaitsForWriters);
  if (!rotation_.is_idle(term.purpose, term.number)) return {};
  show(term, Stage::kSealing);
  if (!TACENDA_TRY(seal_anew(term, stop))) return {};
  if (!term.is_to_be_destroyed) {
    resealed_.insert({term.purpose, term.number});
    show(term, Stage::kDone);
    return {};
  }
  show(term, Stage::kWaitsForReaders);
  if (vault::KeyRotation::has_rows(term.purpose) && !wait_for_readers(stop)) return {};
  if (!rotation_.is_idle(term.purpose, term.number)) return {};
  // Before, so that no key is destroyed without a record; after, so that none is said to be that is not.
  if (!announced_.contains({term.purpose, term.number})) {
    TACENDA_TRY_VOID(record(term, "being destroyed"));
    announced_.insert({term.purpose, term.number});
  }
  TACENDA_TRY_VOID(rotation_.destroy(term.purpose, term.number));
  return record(term, vault::name_of(vault::KeyState::kDestroyed));
}

/// False: asked to stop, or they took too long.
bool KeyWorker::wait_for_readers(std::stop_token const& stop) {
  auto const readers = rotation_.readers_of_now();
  for (int i = 0; !readers.expired(); ++i) {
    if (i >= kReaderPauses || stop.stop_requested()) return false;
    std::this_thread::sleep_for(kReaderPause);
  }
  return true;
}

/// False: asked to stop. Errors: kCorrupt (a row does not open; all others are sealed anew), those of the
/// engine.
Result<bool> KeyWorker::seal_anew(vault::TermView const& term, std::stop_token const& stop) {
  {
    MutexLock const lock(mutex_);
    progress_[{term.purpose, term.number}] = Progress{};
  }
  Bytes place;
  std::optional<vault::Keeper> damaged_of;
  for (;;) {
    if (stop.stop_requested()) return false;
    auto const step = TACENDA_TRY(rotation_.reseal_some(term.purpose, term.number, place));
    {
      MutexLock const lock(mutex_);
      auto& progress = progress_[{term.purpose, term.number}];
      progress.looked_at += step.looked_at;
      progress.resealed += step.resealed;
      progress.damaged += step.damaged;
    }
    if (step.damaged_of) damaged_of = step.damaged_of;
    if (step.is_done && damaged_of) return std::unexpected(damaged_row(*damaged_of));
    if (step.is_done) return true;
    std::this_thread::sleep_for(kBetweenTurns);
  }
}

Result<void> KeyWorker::record(vault::TermView const& term, std::string_view becomes) {
  audit::Event event;
  event.kind = audit::EventKind::kKeyOperation;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  event.target = std::string(vault::name_of(term.purpose)) + "/" + std::to_string(term.number);
  event.old_value = vault::name_of(term.state);
  event.new_value = becomes;
  event.reason = "nothing lies under the key any more";
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(parts_.log.commit({}, std::move(events)));
  return {};
}

}  // namespace tacenda::api

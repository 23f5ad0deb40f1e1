#include "operations/uploads.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "core/log.hpp"

namespace tacenda::operations {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr int kPausesBetweenLooks = 240;       // a minute
constexpr std::size_t kRowsPerCommit = 4'096;  // keys, not chunks: some 200 KiB
constexpr std::size_t kListedAtOnce = 256;     // beside those that are under way

audit::Event event_of(std::size_t uploads, std::size_t chunks) {
  audit::Event event;
  event.kind = audit::EventKind::kUploadRemoved;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  event.resource_type = "Binary";
  event.count = std::max<std::size_t>(uploads, 1);
  event.old_value = std::to_string(chunks) + " chunks";
  event.reason =
      uploads > 0 ? "the upload broke off or was refused" : "more of an upload that broke off or was refused";
  return event;
}

}  // namespace

Result<std::unique_ptr<Uploads::Slot>> Uploads::open(std::string_view user) {
  MutexLock const lock(mutex_);
  auto const found = per_user_.find(user);
  if (found != per_user_.end() && found->second >= parts_.limits.per_user)
    return fail(ErrorKind::kThrottled, "as many uploads of this user are under way as may be");
  if (in_all_ >= parts_.limits.in_all)
    return fail(ErrorKind::kUnavailable, "as many uploads are under way as may be: try again later");
  ++in_all_;
  ++per_user_[std::string(user)];
  return std::unique_ptr<Slot>(new Slot(*this, std::string(user)));
}

void Uploads::keep(Slot& slot, records::UploadId const& id) {
  MutexLock const lock(mutex_);
  kept_.insert(id);
  slot.id_ = id;
}

void Uploads::leave(Slot const& slot) {
  {
    MutexLock const lock(mutex_);
    --in_all_;
    auto const found = per_user_.find(slot.user_);
    if (--found->second == 0) per_user_.erase(found);
    if (!slot.id_) return;
    kept_.erase(*slot.id_);
  }
  has_ended_one_ = true;
}

Result<std::vector<records::UploadId>> Uploads::broken_off() const {
  // First what is stored, then who is under way: one that begins in between is not listed, one that ends is
  // gone.
  auto ids = TACENDA_TRY(parts_.store.uploads(parts_.limits.in_all + kListedAtOnce));
  MutexLock const lock(mutex_);
  std::erase_if(ids, [&](auto const& id) TACENDA_REQUIRES(mutex_) { return kept_.contains(id); });
  return ids;
}

Result<bool> Uploads::step() {
  vault::WriteSet set;
  std::size_t chunks = 0;
  std::size_t uploads = 0;
  for (auto const& id : TACENDA_TRY(broken_off())) {
    if (chunks >= kRowsPerCommit) break;
    auto sweep = TACENDA_TRY(parts_.store.sweep_upload(id, kRowsPerCommit - chunks));
    if (!sweep.was_there) continue;
    chunks += sweep.chunks;
    uploads += sweep.is_first ? 1 : 0;
    set.merge(std::move(sweep.set), 0);
  }
  if (set.empty()) return false;
  std::vector<audit::Event> events{event_of(uploads, chunks)};
  auto const receipt = parts_.log.commit(std::move(set), std::move(events));
  if (!receipt.has_value() && receipt.error().kind() != ErrorKind::kConflict)
    return std::unexpected(receipt.error());
  return true;
}

void Uploads::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (has_ended_one_.exchange(false) || pauses == 0) {
      pauses = kPausesBetweenLooks;
      Result<bool> more = true;
      while (!stop.stop_requested() && more.has_value() && *more) more = step();
      if (!more.has_value()) log(LogLevel::kWarning, more.error());
    }
    --pauses;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace tacenda::operations

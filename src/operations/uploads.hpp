#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "audit/log.hpp"
#include "core/application_limits.hpp"
#include "core/mutex.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

/// How much may be uploaded at once.
struct UploadLimits {
  std::uint64_t bytes_max = limits::kUploadBytes;
  std::size_t in_all = limits::kUploads;
  std::size_t per_user = limits::kUploadsPerUser;
};

/// The uploads that are under way in this process, and the removal of what those left that broke off. An
/// upload that the store knows and this does not is nobody's: of a process before, or of a connection that is
/// gone.
///
/// Owner: start, which gives `run` a thread. What it is made of outlives it; its slots do not. Thread-safe.
class Uploads {
 public:
  struct Parts {
    records::Store const& store;
    audit::Log& log;
    UploadLimits limits;
  };
  explicit Uploads(Parts parts) : parts_(parts) {}

  /// The place of one upload: it counts, and what it stores is left alone, as long as this lives.
  class Slot {
   public:
    ~Slot() { owner_.leave(*this); }
    Slot(Slot const&) = delete;
    Slot& operator=(Slot const&) = delete;
    /// Before anything of `id` is committed.
    void stores(records::UploadId const& id) { owner_.keep(*this, id); }

   private:
    friend class Uploads;
    Slot(Uploads& owner, std::string user) : owner_(owner), user_(std::move(user)) {}
    Uploads& owner_;
    std::string const user_;
    std::optional<records::UploadId> id_;
  };
  /// Errors: kThrottled (as many as this user may have), kUnavailable (as many as there may be).
  Result<std::unique_ptr<Slot>> open(std::string_view user);
  UploadLimits const& limits() const { return parts_.limits; }

  /// Removes what broke off: all of it at the start, then when an upload ends, and now and then. Works until
  /// asked to stop. One thread.
  void run(std::stop_token stop);
  /// One commit's share of it; false when nothing is left to remove. `run` calls it; tests may, in its place.
  /// Errors: those of the store and of the log.
  Result<bool> step();

 private:
  void keep(Slot& slot, records::UploadId const& id);
  void leave(Slot const& slot);
  Result<std::vector<records::UploadId>> broken_off() const;

  Parts parts_;
  std::atomic<bool> has_ended_one_{true};  // true: look at once
  mutable Mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> per_user_ TACENDA_GUARDED_BY(mutex_);
  std::size_t in_all_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::set<records::UploadId> kept_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::operations

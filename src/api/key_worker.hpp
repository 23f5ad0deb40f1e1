#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string_view>
#include <utility>

#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "vault/key_rotation.hpp"

namespace tacenda::api {

/// Seals anew what lies under terms that are to be destroyed, and destroys them; of a compromised term that
/// stays it seals anew what can be. It also ends what a change of keys left undone. All of it while the
/// server serves, and recorded. What is to be done stands in the keyring: a run that was cut off begins anew,
/// and passes over what is done.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
/// Source: REQUIREMENTS K-08.
class KeyWorker {
 public:
  struct Parts {
    vault::Vault& vault;
    audit::Log& log;
    Clock const& clock;
  };
  enum class Stage : std::uint8_t {
    kSealing,
    kWaitsForWriters,
    kWaitsForReaders,
    kWaitsForTokens,
    kDone,  // of a term that stays
    kFailed
  };
  struct Progress {
    Stage stage = Stage::kSealing;
    std::uint64_t looked_at = 0;  // rows, of this run
    std::uint64_t resealed = 0;
    std::uint64_t damaged = 0;  // these keep the term from being destroyed
  };

  explicit KeyWorker(Parts parts) : parts_(parts), rotation_(parts.vault) {}

  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);
  /// Looks once after every term that is to be destroyed. `run` calls it; tests may, in its place. Errors:
  /// those of KeyRotation and of the log; the other terms are looked after all the same.
  Result<void> look_after_all(std::stop_token const& stop);
  /// nullopt: nothing was begun for that term in this run of the server. Thread-safe.
  std::optional<Progress> progress(vault::Purpose purpose, std::uint32_t term) const;

 private:
  using TermId = std::pair<vault::Purpose, std::uint32_t>;
  Result<void> look_after(vault::TermView const& term, std::stop_token const& stop);
  Result<bool> seal_anew(vault::TermView const& term, std::stop_token const& stop);
  bool wait_for_readers(std::stop_token const& stop);
  Result<void> record(vault::TermView const& term, std::string_view becomes);
  void show(vault::TermView const& term, Stage stage);

  Parts parts_;
  vault::KeyRotation rotation_;
  // Of the thread that runs.
  std::set<TermId> announced_;  // a destruction that fails and is tried again is one, and has one entry
  std::set<TermId> resealed_;   // terms that stay, and under which no row is any more
  mutable Mutex mutex_;
  std::map<TermId, Progress> progress_ TACENDA_GUARDED_BY(mutex_);
};

/// What is told of it in one word.
std::string_view name_of(KeyWorker::Stage stage);

}  // namespace tacenda::api

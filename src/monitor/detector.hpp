#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "monitor/alerts.hpp"
#include "vault/vault.hpp"

namespace tacenda::monitor {

class Networks;
struct Finding;
struct Fold;
struct Review;
struct Work;

/// Follows the audit log and raises alerts. How far it looked, and what it raised, is committed together, so
/// that an end at any moment leaves nothing out and raises nothing twice: what was not committed is looked at
/// again, and comes to the same (docs/adr/0015).
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
/// Source: SECURITY_DESIGN section 5; REQUIREMENTS C-13, C-16, S-13.
class Detector {
 public:
  struct Parts {
    vault::Vault& vault;
    audit::Log& log;
    Alerts& alerts;
    Clock const& clock;
    bool sends_mail = false;  // what is raised goes to the outbox, too
  };

  /// An emergency that nobody has reviewed for so long escalates.
  static constexpr std::chrono::hours kReviewTime{48};
  /// Of a log that was never followed before, what is older raises nothing.
  static constexpr std::chrono::hours kHistory{48};
  /// So many alerts of one rule may begin within its time of folding; one more stands for all further ones.
  static constexpr std::size_t kAlertsOfRule = 1'000;
  /// What repeats an alert, or is learned, is committed within this time; what is lost is looked at again.
  static constexpr std::chrono::seconds kStoreTime{10};

  /// What it cannot read of its own rows it does without: then an alert may be raised again, and none is left
  /// out. Errors: kUnavailable.
  static Result<std::unique_ptr<Detector>> open(Parts parts);
  ~Detector();
  Detector(Detector const&) = delete;
  Detector& operator=(Detector const&) = delete;

  /// Follows the log until asked to stop. One thread.
  void run(std::stop_token stop);
  /// One round: looks at the next entries, and commits what is due. `run` calls it; tests may, in its place.
  /// True: there is more to look at. Errors: those of the log; the round is then to be done again.
  Result<bool> step();

  /// Sequence before which all is looked at. Thread-safe.
  std::uint64_t position() const { return position_.load(); }

 private:
  explicit Detector(Parts parts);
  Result<void> load();
  Time next_entry_time() const;
  void look_back(Alert const& alert, Time from);
  Result<bool> look();

  Result<void> consider(audit::Entry const& entry);
  Result<void> raise(audit::Entry const& entry, Finding const& finding);
  Result<bool> fold(std::string const& key, audit::Entry const& entry);
  bool has_too_many(Rule rule, Time now) const;
  Result<void> close_reviewed(std::string const& emergency, audit::Entry const& entry);
  Result<std::optional<Networks>> networks_of(std::string const& user) const;
  Result<void> see_network(audit::Entry const& entry, Finding const& finding);
  /// What is due without an entry.
  Result<void> do_by_time();
  Result<void> escalate(std::string const& emergency, Review const& review);
  Result<void> forget_networks();
  /// The alert as it stands; nullopt: there is none.
  Result<std::optional<Alert>> current(AlertId id) const;
  Result<std::optional<Bytes>> row_of(Bytes const& key) const;
  Review const* find_review(std::string const& emergency) const;
  Result<std::optional<vault::Alias>> alias_of(std::string const& patient) const;
  static std::string fold_key(Rule rule);
  static std::string fold_key(Rule rule, std::string const& user, std::optional<vault::Alias> const& patient);

  bool is_due() const;
  Result<void> commit();
  Result<void> try_commit();
  void settle();
  void begin_again();

  Parts parts_;
  vault::SealedView rows_;
  std::atomic<std::uint64_t> position_{0};
  std::uint64_t stored_position_ = 0;
  Time since_{};    // entries from before raise nothing
  Time reached_{};  // when the newest entry looked at was recorded
  std::chrono::steady_clock::time_point stored_at_;
  std::optional<std::chrono::steady_clock::time_point> forgot_at_;
  std::unique_ptr<Work> work_;

  // As committed.
  std::map<std::string, Fold> folds_;      // by rule, user and patient; of one that stands for many, by rule
  std::map<std::string, Review> reviews_;  // by emergency
};

}  // namespace tacenda::monitor

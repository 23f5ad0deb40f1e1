#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/vault.hpp"

namespace tacenda::access {

/// Something that gives rights or a way in: asked for by one person, and done when a second one agrees.
struct ApprovalRequest {
  /// The number is stored: never reuse one.
  enum class State : std::uint8_t {
    kWaiting = 1,
    kApproved = 2,  // and not done: who asked is to collect what comes of it
    kDone = 3,
    kRefused = 4,
    kExpired = 5,
  };
  std::string id;
  std::string path;        // of the act on the administration socket
  std::string body;        // its JSON, as it was asked
  std::string act;         // name of the event that it leaves
  std::string target;      // what it is about: user name, client id or policy
  std::string old_value;   // as the log will have it
  std::string new_value;   // the same
  std::string basis;       // what else it was asked on: with another basis it is not done
  std::string subject;     // UserId of the account that it is about; empty: none
  bool is_secret = false;  // what comes of it is for who asked alone
  std::string asker;       // UserId
  std::string asker_name;
  Time asked{};
  Time expires{};  // of a request that waits, or of what is to be collected
  State state = State::kWaiting;
  std::string decider;  // UserId of who approved or refused; empty: nobody
  std::string decider_name;
  Time decided{};
  std::string reason;  // why it was refused
};

/// Requests that wait for a second person, and those that were decided in the last days. They are read from
/// the store each time, so that of two decisions at once one conflicts, whoever makes them.
///
/// Owner: start. Thread-safe. Source: 45 CFR 164.308(a)(4)(ii)(B), (C); REQUIREMENTS S-12.
class Approvals {
 public:
  /// `persons`: how many must agree, 1 or 2.
  static Result<std::unique_ptr<Approvals>> open(vault::Vault& vault, Clock const& clock,
                                                 std::uint8_t persons);

  std::uint8_t persons() const { return persons_; }
  /// Must a second person agree? `has_others`: somebody else than who asks could approve now. Once somebody
  /// could it stays so, whatever becomes of him (`remember_others`).
  bool demands_second(bool has_others) const { return persons_ == 2 && (had_others_ || has_others); }
  /// True when that is still to be remembered.
  bool is_to_remember(bool has_others) const { return persons_ == 2 && has_others && !had_others_; }
  Result<vault::WriteSet> remember_others() const;
  void remembered() { had_others_ = true; }

  /// A change that is not durable yet, and the request as it is with it. Commit `set` with its events: on
  /// kConflict somebody was faster.
  struct Step {
    vault::WriteSet set;
    ApprovalRequest request;
  };
  struct Person {
    std::string_view id;
    std::string_view name;
  };
  /// Stores a request; id, times and state are made here. Errors: kThrottled (too many wait), kUnavailable.
  Result<Step> ask(ApprovalRequest request);
  /// Errors: kNotFound, kForbidden (what he asked himself, or what is about his own account), kConflict (it
  /// is decided, or its time is over).
  Result<Step> approve(std::string_view id, Person const& who) const;
  /// Also of what was approved and not yet collected. Errors: as approve; kUnprocessable (no reason, or one
  /// of over limits::kReasonBytes).
  Result<Step> refuse(std::string_view id, Person const& who, std::string_view reason) const;
  /// Takes back what he asked; nothing of it is kept. Errors: kNotFound, kForbidden (another's), kConflict.
  Result<Step> withdraw(std::string_view id, Person const& who) const;
  /// What was approved is done for who asked, once. Errors: as withdraw; kConflict (not approved yet).
  Result<Step> collect(std::string_view id, Person const& who) const;

  /// Oldest first. Errors: kCorrupt, kUnavailable.
  Result<std::vector<ApprovalRequest>> all() const;
  /// Errors: kNotFound, kCorrupt, kUnavailable.
  Result<ApprovalRequest> find(std::string_view id) const;

  /// Those whose time is over, and the erasing of those that were kept long enough.
  struct Due {
    vault::WriteSet set;
    std::vector<ApprovalRequest> expired;
    Time next{};  // when to look again: `looked`
  };
  bool is_due() const { return clock_.now() >= Time(next_look_.load()); }
  Result<Due> due() const;
  void looked(Due const& due) { next_look_ = due.next.time_since_epoch(); }

 private:
  Approvals(vault::Vault& vault, Clock const& clock, std::uint8_t persons);
  /// The request as it is in the store, and a set that conflicts when it changes meanwhile.
  Result<Step> read(std::string_view id) const;
  Result<Step> written(Step step) const;

  vault::Vault& vault_;
  Clock const& clock_;
  vault::SealedView rows_;
  std::uint8_t const persons_;
  std::atomic<bool> had_others_{false};
  std::atomic<Time::duration> next_look_{Time::duration::zero()};  // since the epoch
};

/// What it is at `now`: of one whose time is over, expired, whether or not that is stored yet.
ApprovalRequest::State state_at(ApprovalRequest const& request, Time now);
/// What a state is called.
std::string_view name_of(ApprovalRequest::State state);

// Row (docs/data-file.md, "Policy and assignment rows"). Errors: kCorrupt.
Bytes encode_approval(ApprovalRequest const& request);
Result<ApprovalRequest> decode_approval(ByteView row);

}  // namespace tacenda::access

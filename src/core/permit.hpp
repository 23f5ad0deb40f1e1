#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/id.hpp"

namespace tacenda {
namespace access {
class Gate;  // the only maker of Permits; declared here so that core needs no access/ header
}

/// The FHIR RESTful interactions (R4, http.html) that a Permit can be for, and the export of many resources.
enum class Action : std::uint8_t {
  kRead,
  kVread,
  kHistoryInstance,
  kHistoryType,
  kHistorySystem,
  kCreate,
  kUpdate,
  kDelete,
  kSearch,
  kVerify,
  kExport,
};

/// What access control may look at before it lets one record be opened, counted or listed. Holds no
/// content. Views are valid for the call of `judge`.
struct RecordFacts {
  std::string_view type;                  // resource type, e.g. "Observation"
  std::string_view id;                    // logical id
  std::span<std::string const> patients;  // logical ids of the Patient compartments it is in
  std::uint64_t version = 0;              // 0: does not exist yet
  bool deleted = false;
};

/// Decides about single records on behalf of a Permit. Implemented in access/. Must be thread-safe,
/// quick and without side effects.
class RecordFilter {
 public:
  RecordFilter() = default;
  RecordFilter(RecordFilter const&) = delete;
  RecordFilter& operator=(RecordFilter const&) = delete;
  virtual ~RecordFilter() = default;
  virtual bool judge(Action action, RecordFacts const& facts) const = 0;
  /// True when `judge` says yes to every living record of the type, whatever its facts: they need not be read
  /// then.
  virtual bool judges_all(Action, std::string_view type) const = 0;
};

/// Proof that access control said yes to one action of one principal. Move-only, made only by
/// access::Gate. A function that touches a record takes a Permit, so forgetting the check does not
/// compile; and it must ask `judge` about every record before it opens, counts, includes or lists it.
class Permit {
 public:
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&&) noexcept = default;
  Permit(Permit const&) = delete;
  Permit& operator=(Permit const&) = delete;
  ~Permit() = default;

  UserId const& principal() const { return principal_; }
  Action action() const { return action_; }
  std::uint64_t policy_epoch() const { return policy_epoch_; }
  bool judge(RecordFacts const& facts) const { return filter_->judge(action_, facts); }
  /// True when the answer would be yes for every living record of the type.
  bool judges_all(std::string_view type) const { return filter_->judges_all(action_, type); }

 private:
  friend class access::Gate;
  Permit(UserId principal, Action action, std::uint64_t policy_epoch,
         std::shared_ptr<RecordFilter const> filter)
      : principal_(std::move(principal)),
        action_(action),
        policy_epoch_(policy_epoch),
        filter_(std::move(filter)) {}

  UserId principal_;
  Action action_;
  std::uint64_t policy_epoch_;
  // shared: one filter serves all Permits that a principal is given under one policy epoch
  std::shared_ptr<RecordFilter const> filter_;
};

}  // namespace tacenda

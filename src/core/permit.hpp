#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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

/// The text of a record for whoever judges it, where its facts do not tell: consents and labels look at
/// content. Opened when first asked for, and for judging alone: nothing of it leaves when the answer is no.
class RecordContent {
 public:
  RecordContent() = default;
  RecordContent(RecordContent const&) = delete;
  RecordContent& operator=(RecordContent const&) = delete;
  virtual ~RecordContent() = default;
  /// The resource as JSON; empty for a deletion; nullopt when it cannot be opened: the answer must then be
  /// no.
  virtual std::optional<std::string_view> text() const = 0;
};

/// What access control may look at before it lets one record be shown, counted or listed. Views are valid for
/// the call of `judge`.
struct RecordFacts {
  std::string_view type;                  // resource type, e.g. "Observation"
  std::string_view id;                    // logical id
  std::span<std::string const> patients;  // logical ids of the Patient compartments it is in
  std::uint64_t version = 0;              // 0: does not exist yet
  bool deleted = false;
  RecordContent const* content = nullptr;  // nullptr: unknown, so that the answer is no where it matters
  bool may_have_labels = true;             // false: it surely has no security label
  bool is_proposed = false;                // about to be written: its place is judged, not its content
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
  /// May he make a resource under an id of his choice, or ask to delete what is not there? Who may learns
  /// which ids exist (C-10).
  virtual bool may_choose_ids() const = 0;
  /// True when some answer was no because it could not be decided: what it depends on could not be read.
  virtual bool could_not_tell() const = 0;
  /// What is shown of a record of the type that was judged: its text, or one without the elements that are
  /// not necessary for who asks. nullopt: it cannot be cut, and nothing is shown.
  virtual std::optional<std::string> view(std::string_view type, std::string_view json) const = 0;
  /// True when `view` changes nothing of the type.
  virtual bool views_whole(std::string_view type) const = 0;
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
  bool could_not_tell() const { return filter_->could_not_tell(); }
  bool may_choose_ids() const { return filter_->may_choose_ids(); }
  /// True when records of the type are shown as they are; else whoever gives one away asks `view` first.
  bool views_whole(std::string_view type) const { return filter_->views_whole(type); }
  std::optional<std::string> view(std::string_view type, std::string_view json) const {
    return filter_->view(type, json);
  }

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

// A batch: each entry as if it had come as a request of its own (R4 http.html#transaction).
#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "codec/text.hpp"
#include "fhir/outcome.hpp"
#include "operations/bundle.hpp"
#include "operations/internal/entry.hpp"
#include "operations/internal/hold.hpp"
#include "operations/internal/links.hpp"
#include "operations/internal/permits.hpp"
#include "operations/patch.hpp"
#include "operations/refused.hpp"
#include "operations/write.hpp"

namespace tacenda::operations {
namespace {

/// One entry of a batch, as if it had come as a request of its own.
Result<Outcome> run_alone(Context const& context, EntryTarget const& target, fhir::BundleEntry& entry) {
  if (!needs_permit(target)) return read_entry(context, nullptr, target);
  auto const permit =
      TACENDA_TRY(context.services.gate.authorize(context.principal, action_of(target.kind), target.type));
  switch (target.kind) {
    case EntryKind::kDelete:
      if (!target.id) {
        return remove_matching(context, permit, target.type,
                               TACENDA_TRY(criteria_of(context, target.type, target.query)),
                               target.if_match);
      }
      return remove(context, permit, target.type, *target.id, target.if_match);
    case EntryKind::kUpdate:
      if (!target.id) {
        return update_matching(context, permit, entry.resource->clone(),
                               TACENDA_TRY(criteria_of(context, target.type, target.query)), target.if_match);
      }
      return update(context, permit, entry.resource->clone(), *target.id, target.if_match);
    case EntryKind::kPatch: {
      auto const change = TACENDA_TRY(Patch::from_resource(*entry.resource));
      if (!target.id) {
        return patch_matching(context, permit, change, target.type,
                              TACENDA_TRY(criteria_of(context, target.type, target.query)), target.if_match);
      }
      return patch(context, permit, change, target.type, *target.id, target.if_match);
    }
    case EntryKind::kCreate: {
      std::optional<Criteria> unless;
      if (!entry.if_none_exist.empty()) {
        unless = TACENDA_TRY(criteria_of(context, target.type, entry.if_none_exist));
      }
      return create(context, permit, entry.resource->clone(), unless);
    }
    default:
      return read_entry(context, &permit, target);
  }
}

bool is_fatal(Error const& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kNoSpace;
}

/// A batch under way. First `write`, then `finish`, as often as what the reads rest on changes.
class Batch {
 public:
  /// `context` outlives it.
  Batch(Context const& context, fhir::Bundle&& bundle) : context_(context), bundle_(std::move(bundle)) {
    written_.entries.resize(bundle_.entries.size());
    for (std::size_t i = 0; i < bundle_.entries.size(); ++i) {
      targets_.push_back(target_of(bundle_.entries[i]));
      order_.push_back(i);
    }
    std::ranges::sort(order_, {}, [&](std::size_t i) { return std::pair(rank_of(i), i); });
  }

  /// Runs and commits the entries that change something, and refuses those that cannot be understood.
  Result<void> write() {
    for (std::size_t const i : order_) {
      if (rank_of(i) < kReads) TACENDA_TRY_VOID(run(i, written_, events_));
    }
    return {};
  }

  /// Runs the entries that read, anew each time, behind what was written.
  static Result<Outcome> finish(std::unique_ptr<Batch> batch) {
    std::uint64_t const seen = batch->context_.services.store.committed();
    Outcome outcome;
    outcome.events = batch->events_;
    auto answers = batch->written_;
    for (std::size_t const i : batch->order_) {
      if (batch->rank_of(i) == kReads) TACENDA_TRY_VOID(batch->run(i, answers, outcome.events));
    }
    if (outcome.events.empty())
      outcome.events.push_back(event_of(batch->context_, audit::EventKind::kBatch, "", ""));
    outcome.result = std::move(answers);
    outcome.rest.emplace(seen, [batch = std::move(batch)]() mutable { return finish(std::move(batch)); });
    return outcome;
  }

 private:
  static constexpr int kReads = 3;

  int rank_of(std::size_t i) const { return targets_[i].has_value() ? rank(targets_[i]->kind) : 0; }
  /// Errors: those that end the whole batch.
  Result<void> run(std::size_t i, BundleOutcome& answers, std::vector<audit::Event>& events);
  /// The entry, committed with its events when it changes something.
  Result<Outcome> run_to_end(Context const& alone, std::size_t i, EntryOutcome& answer);
  audit::Event refused(Context const& alone, std::size_t i, Error const& error, Remarks const& remarks) const;

  Context const& context_;
  fhir::Bundle bundle_;
  std::vector<Result<EntryTarget>> targets_;
  std::vector<std::size_t> order_;    // of processing
  BundleOutcome written_;             // what entries came to that do not read
  std::vector<audit::Event> events_;  // of them, as far as they are not committed
};

Result<void> Batch::run(std::size_t i, BundleOutcome& answers, std::vector<audit::Event>& events) {
  // A batch may take long: who is disabled meanwhile writes and reads no further entry (S-11).
  vault::WriteSet nothing;
  if (context_.still_allowed != nullptr) TACENDA_TRY_VOID((*context_.still_allowed)(nothing));
  auto& answer = answers.entries[i];
  Remarks remarks;
  remarks.wanted = context_.remarks != nullptr && context_.remarks->wanted;
  audit::Event origin = context_.origin;
  origin.query = asked_by(bundle_.entries[i]);
  Context const alone = context_of_entry(context_, origin, &remarks);
  auto one = run_to_end(alone, i, answer);
  if (one.has_value()) {
    take_result(answer, *one, alone, *targets_[i], events.size());
    if (remarks.wanted && makes_version(targets_[i]->kind)) answer.outcome = remarks.outcome_of(0);
    std::ranges::move(one->events, std::back_inserter(events));
    return {};
  }
  if (is_fatal(one.error())) return std::unexpected(one.error());
  answer.result = one.error();
  auto const& issues = bundle_.entries[i].issues;
  answer.outcome = issues.empty() ? std::move(remarks.refusal) : fhir::outcome_text(issues);
  events.push_back(refused(alone, i, one.error(), remarks));
  return {};
}

Result<Outcome> Batch::run_to_end(Context const& alone, std::size_t i, EntryOutcome& answer) {
  if (!targets_[i].has_value()) return std::unexpected(targets_[i].error());
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    auto one = TACENDA_TRY(run_alone(alone, *targets_[i], bundle_.entries[i]));
    if (!one.set.read_sequence()) return one;
    if (context_.still_allowed != nullptr) TACENDA_TRY_VOID((*context_.still_allowed)(one.set));
    auto receipt = context_.services.log.commit(std::move(one.set), std::move(one.events));
    if (receipt.has_value()) {
      one.events.clear();
      answer.time = receipt->time();
      return one;
    }
    if (receipt.error().kind() != ErrorKind::kConflict) return std::unexpected(receipt.error());
  }
  return fail(ErrorKind::kConflict, "too many concurrent changes of the same resource");
}

audit::Event Batch::refused(Context const& alone, std::size_t i, Error const& error,
                            Remarks const& remarks) const {
  auto event = targets_[i].has_value()
                   ? event_of(alone, event_kind(targets_[i]->kind), targets_[i]->type,
                              targets_[i]->id ? targets_[i]->id->view() : std::string_view())
                   : event_of(alone, audit::EventKind::kBatch, "", "");
  event.outcome = audit::Outcome::kMinorFailure;
  event.reason = error.message();
  if (is_hidden(error))
    mark_refused(context_.services, context_.principal, {error.kind(), remarks.denied_by}, event);
  event.query_patients.assign(remarks.matched.begin(), remarks.matched.end());
  return event;
}

}  // namespace

Result<Outcome> batch(Context const& context, fhir::Bundle bundle) {
  auto started = std::make_unique<Batch>(context, std::move(bundle));
  TACENDA_TRY_VOID(started->write());
  return Batch::finish(std::move(started));
}

}  // namespace tacenda::operations
